-- Who is judged when: the queue in batches, and beside it, one at a time and in a session of their own, the hosts that take long or could
-- not be judged before. What one of these does holds up nobody else.

create or replace function evenkeel.judge_queued(most integer)
returns integer language plpgsql
as $$
declare
    chosen uuid[];
    hosts uuid[];
    big integer := evenkeel.setting('judge.big-host')::integer;
begin
    -- A host that reports while it is judged waits again at once: a second judge could be done with it before the first one is.
    if not evenkeel.lock_judging() then
        return 0;
    end if;
    perform evenkeel.state_open();
    perform evenkeel.lock_catalogue_shared();
    select array_agg(distinct o.host_id) into chosen from (
        select q.host_id from evenkeel.judge_queue q
        where not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
          and not exists (select from evenkeel.not_judged n where n.host_id = q.host_id)
        order by q.queued_at limit most for update of q skip locked) o;
    if chosen is null then
        return 0;
    end if;
    insert into evenkeel.slow_host (host_id, reason)
    select i.host_id, format('%s files', i.files)
    from evenkeel.host_inventory_current i where i.host_id = any (chosen) and i.files > big
    on conflict do nothing;
    with taken as (
        delete from evenkeel.judge_queue q
        where q.host_id = any (chosen) and not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
        returning q.host_id
    )
    select array_agg(distinct host_id) into hosts from taken;
    if hosts is not null then
        perform evenkeel.judge_apart(hosts);
    end if;
    return cardinality(chosen);
end
$$;
comment on function evenkeel.judge_queued(integer) is
    'Judges up to so many hosts of the queue in this transaction, but for those that are judged apart; returns how many were looked '
    'at, and 0 while somebody else judges.';

create or replace function evenkeel.judge_turn(most integer, usual bigint)
returns bigint language sql stable
as $$
    select (extract(epoch from evenkeel.setting('judge.turn')::interval) * 1000000)::bigint + 3 * usual * count(*)
    from (select from evenkeel.judge_queue q
          where not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
            and not exists (select from evenkeel.not_judged n where n.host_id = q.host_id)
          limit most) w
$$;
comment on function evenkeel.judge_turn(integer, bigint) is
    'How many microseconds judge_queued() of so many hosts may take, where one takes ''usual'' of them: by the hosts that wait, however '
    'many might.';

create or replace function evenkeel.judge_queued_content(most integer)
returns integer language sql
as $$
    select evenkeel.judge_content_of(array(
        select q.host_id from evenkeel.judge_queue q
        where not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
          and not exists (select from evenkeel.not_judged n where n.host_id = q.host_id)
          and not exists (select from evenkeel.host_inventory_current i
                          where i.host_id = q.host_id and i.files > evenkeel.setting('judge.big-host')::integer)
        order by q.queued_at limit most), 100000)
$$;
comment on function evenkeel.judge_queued_content(integer) is
    'Judges new content of the hosts that judge_queued() takes next; returns how much.';

create or replace function evenkeel.defer_slow(most integer)
returns integer language plpgsql
as $$
declare
    deferred integer;
begin
    if not evenkeel.lock_judging() then
        return 0;
    end if;
    -- Of one that waits it is known; of several those are suspected that are far larger than most.
    with waiting as (
        select q.host_id, coalesce(max(i.files), 0) + coalesce(max(octet_length(f.body)) / 64, 0) as size
        from (select distinct w.host_id
              from (select q.host_id from evenkeel.judge_queue q
                    where not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
                      and not exists (select from evenkeel.not_judged n where n.host_id = q.host_id)
                    order by q.queued_at limit most) w) q
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
comment on function evenkeel.defer_slow(integer) is
    'After judge_queued() of so many hosts took too long: puts those that are to blame, or likely to be, among the slow ones; returns '
    'how many.';

create or replace function evenkeel.judge_slow_next(out host uuid, out waits_since timestamptz)
language sql stable
as $$
    select q.host_id, max(q.queued_at)
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
      and not exists (select from evenkeel.host_inventory_current i
                      where i.host_id = host and i.files > evenkeel.setting('judge.big-host')::integer);
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
