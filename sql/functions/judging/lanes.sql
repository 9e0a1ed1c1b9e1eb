-- Who is judged when: the queue in batches, several at a time by several sessions, and beside it, one at a time and in a session of their
-- own, the hosts that take long or could not be judged before. What one of these does holds up nobody else.

create or replace function evenkeel.host_partition(host uuid)
returns integer language sql immutable strict parallel safe
as $$ select uuid_hash(host) & 15 $$;
comment on function evenkeel.host_partition(uuid) is 'Which of the parts of judge_partition a host belongs to.';

create or replace view evenkeel.judge_waiting as
select q.host_id, q.queued_at
from evenkeel.judge_queue q
where not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
  and not exists (select from evenkeel.not_judged n where n.host_id = q.host_id);
comment on view evenkeel.judge_waiting is 'What of the queue is judged in batches: all but hosts that are judged apart.';
comment on column evenkeel.judge_waiting.host_id is 'The host.';
comment on column evenkeel.judge_waiting.queued_at is 'Since when it waits.';

create or replace view evenkeel.big_host as
select i.host_id, format('%s files', i.files) as reason
from evenkeel.host_inventory_current i where i.files > (select evenkeel.setting('judge.big-host'))::integer
union all
select f.host_id, format('%s bytes of facts', octet_length(f.body))
from evenkeel.host_facts_current f where octet_length(f.body) > (select evenkeel.setting('judge.big-facts'))::integer;
comment on view evenkeel.big_host is 'Hosts that are judged apart without being tried with the others; one may be so for two reasons.';
comment on column evenkeel.big_host.host_id is 'The host.';
comment on column evenkeel.big_host.reason is 'How large it is.';

create or replace function evenkeel.judge_choose(most integer, judges integer)
returns uuid[] language plpgsql
as $$
declare
    waiting record;
    parts integer[] := '{}';
    enough bigint;
    found_hosts bigint := 0;
    hosts uuid[];
begin
    -- Whole parts, those first that wait for longest, so that as many judges as there are find some. Few hosts are not worth a division.
    for waiting in
        select evenkeel.host_partition(w.host_id) as part, count(distinct w.host_id) as hosts,
               sum(count(distinct w.host_id)) over () as total
        from evenkeel.judge_waiting w group by 1 order by min(w.queued_at), 1
    loop
        perform from evenkeel.judge_partition p where p.part = waiting.part for update skip locked;
        if found then
            parts := parts || waiting.part;
            found_hosts := found_hosts + waiting.hosts;
        end if;
        enough := least(most, greatest(64, (waiting.total + judges - 1) / judges));
        exit when found_hosts >= enough;
    end loop;
    select array_agg(o.host_id) into hosts
    from (select w.host_id from evenkeel.judge_waiting w where evenkeel.host_partition(w.host_id) = any (parts)
          group by w.host_id order by min(w.queued_at), w.host_id limit most) o;
    return hosts;
end
$$;
comment on function evenkeel.judge_choose(integer, integer) is
    'Up to so many hosts of the queue that nobody judges at the moment, for one of so many judges; null: there is none. Keeps them until '
    'the transaction ends, and judge_batch() takes them again.';

create or replace function evenkeel.judge_batch(chosen uuid[])
returns integer language plpgsql strict
as $$
declare
    part_of uuid[];
    hosts uuid[];
begin
    -- A host that reports while it is judged waits again at once: a second judge could be done with it before the first one is.
    select array_agg(c.host_id) into part_of
    from (select p.part from evenkeel.judge_partition p
          where p.part in (select evenkeel.host_partition(h.host_id) from unnest(chosen) h (host_id))
          order by p.part for update skip locked) p
    join unnest(chosen) c (host_id) on evenkeel.host_partition(c.host_id) = p.part;
    if part_of is null then
        return 0;
    end if;
    perform evenkeel.state_open();
    perform evenkeel.lock_catalogue_shared();
    insert into evenkeel.slow_host (host_id, reason)
    select b.host_id, b.reason from evenkeel.big_host b where b.host_id = any (part_of)
    on conflict do nothing;
    with taken as (
        delete from evenkeel.judge_queue q using evenkeel.judge_waiting w
        where q.host_id = any (part_of) and (w.host_id, w.queued_at) = (q.host_id, q.queued_at)
        returning q.host_id
    )
    select array_agg(distinct host_id) into hosts from taken;
    if hosts is not null then
        perform evenkeel.judge_apart(hosts);
    end if;
    return cardinality(part_of);
end
$$;
comment on function evenkeel.judge_batch(uuid[]) is
    'Judges those of these hosts in this transaction that wait still and that nobody else judges, but for those that are judged apart; '
    'returns how many were looked at.';

create or replace function evenkeel.judge_queued(most integer)
returns integer language sql
as $$ select coalesce(evenkeel.judge_batch(evenkeel.judge_choose(most, 1)), 0) $$;
comment on function evenkeel.judge_queued(integer) is
    'Judges up to so many hosts of the queue in this transaction; returns how many were looked at, and 0 where others judge all that wait.';

create or replace function evenkeel.judge_queued_content(hosts uuid[])
returns integer language sql
as $$
    select evenkeel.judge_content_of(array(
        select h.host_id from unnest(hosts) h (host_id)
        -- As an array: joined, the view would be read whole.
        where h.host_id <> all (array(select b.host_id from evenkeel.big_host b where b.host_id = any (hosts)))), 100000)
$$;
comment on function evenkeel.judge_queued_content(uuid[]) is
    'Judges new content of hosts that judge_choose() gave, in a transaction before theirs, so that its lock is held for short; returns '
    'how much.';

create or replace function evenkeel.defer_slow(hosts uuid[])
returns integer language plpgsql
as $$
declare
    deferred integer;
begin
    -- Of one that waits it is known; of several those are suspected that are far larger than most.
    with waiting as (
        select q.host_id, coalesce(max(i.files), 0) + coalesce(max(octet_length(f.body)) / 64, 0) as size
        from (select distinct w.host_id from evenkeel.judge_waiting w where w.host_id = any (hosts)) q
        left join evenkeel.host_inventory_current i using (host_id)
        left join evenkeel.host_facts_current f using (host_id)
        group by q.host_id
    ), usual as (
        select percentile_disc(0.5) within group (order by size) as size, count(*) as hosts from waiting
    ), added as (
        insert into evenkeel.slow_host (host_id, reason)
        select w.host_id, 'its turn took longer than ' || evenkeel.setting('judge.turn')
        from waiting w cross join usual u
        where u.hosts = 1 or w.size > 4 * u.size
        on conflict do nothing
        returning host_id
    )
    select count(*) into deferred from added;
    return deferred;
end
$$;
comment on function evenkeel.defer_slow(uuid[]) is
    'After judge_batch() of these hosts took too long: puts those that are to blame, or likely to be, among the slow ones; returns how '
    'many.';

create or replace function evenkeel.judge_slow_next(out host uuid, out waits_since timestamptz, out waited interval)
language sql stable
as $$
    select q.host_id, max(q.queued_at), clock_timestamp() - min(q.queued_at)
    from evenkeel.judge_queue q
    where q.host_id in (select s.host_id from evenkeel.slow_host s union all select n.host_id from evenkeel.not_judged n)
    group by q.host_id
    order by min(q.queued_at)
    limit 1
$$;
comment on function evenkeel.judge_slow_next() is
    'The next host of the queue that is to be judged apart, and up to when it was queued; null: there is none.';

create or replace function evenkeel.open_private_caches()
returns void language plpgsql
as $$
begin
    create temporary table if not exists import_need (like evenkeel.import_need including all) on commit delete rows;
    create temporary table if not exists chunk_imports (like evenkeel.chunk_imports including all) on commit delete rows;
    create temporary table if not exists import_pair (like evenkeel.import_pair including all) on commit delete rows;
    create temporary table if not exists chunk_proof (like evenkeel.chunk_proof including all) on commit delete rows;
    create temporary table if not exists chunk_version_set (like evenkeel.chunk_version_set including all) on commit delete rows;
    create temporary table if not exists chunk_store (like evenkeel.chunk_store including all) on commit delete rows;
end
$$;
comment on function evenkeel.open_private_caches() is
    'Gives a session caches of its own, which stand before those that all hosts share: for one that takes long, and would keep everybody '
    'who adds the same rows waiting until it commits. To be called before anything else.';

create or replace function evenkeel.has_private_caches()
returns boolean language sql
as $$ select to_regclass('pg_temp.import_need') is not null $$;
comment on function evenkeel.has_private_caches() is 'Whether open_private_caches() was called in this session.';

create or replace function evenkeel.give_way()
returns void language plpgsql
as $$
begin
    if evenkeel.has_private_caches() and evenkeel.catalogue_is_wanted() then
        raise exception 'the catalogue is to be changed' using errcode = 'lock_not_available';
    end if;
end
$$;
comment on function evenkeel.give_way() is
    'Called between the steps of judging: a session that judges what takes long breaks off where somebody waits to change the catalogue, '
    'for whoever reports waits behind that.';

create or replace function evenkeel.judge_slow(host uuid)
returns boolean language plpgsql
as $$
declare
    began timestamptz := clock_timestamp();
begin
    if not evenkeel.lock_slow_judging() then
        return false;
    end if;
    perform evenkeel.state_open();
    perform evenkeel.lock_catalogue_shared();
    begin
        delete from evenkeel.judge_queue q where q.host_id = host;
        if not found then
            return true;
        end if;
        perform evenkeel.judge_apart(array[host]);
    exception when lock_not_available then
        return false;
    end;
    -- It goes back to the others once it is quick again.
    delete from evenkeel.slow_host s
    where s.host_id = host and clock_timestamp() - began < evenkeel.setting('judge.turn')::interval / 2
      and not exists (select from evenkeel.big_host b where b.host_id = host);
    return true;
end
$$;
comment on function evenkeel.judge_slow(uuid) is
    'Judges one host apart from the others; false while another session does that, or where it gave way: the host waits still.';

create or replace function evenkeel.give_up(host uuid, queued_until timestamptz, failure text)
returns void language plpgsql
as $$
begin
    delete from evenkeel.judge_queue q where q.host_id = host and q.queued_at <= queued_until;
    perform evenkeel.set_aside(host, failure);
end
$$;
comment on function evenkeel.give_up(uuid, timestamptz, text) is 'Sets a host aside whose judging was cut short.';
