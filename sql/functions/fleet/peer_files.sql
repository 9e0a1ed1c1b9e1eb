-- Files that the hosts of a product and level have, but for a few, learnt from the fleet now and then. One host that lacks a file (or
-- says so) does not acquit another: besides a host one in twenty of its peers may lack what it lacks, and what is known stays known with
-- one more that lacks it, or one less that is there.
--
-- It is made in steps, each a transaction of a bounded number of hosts or of one group, and goes on where it was after a restart: hosts
-- that changed are counted (peer_counts.sql); only when all are, peer_file is made of the counts of the groups that changed; then those
-- who lack what is known newly are looked for.

create or replace function evenkeel.peers_of(levels int4range, declared int4range, verdict text, facts jsonb)
returns text language sql stable
as $$
    select case when declared is not null or verdict = 'level'
                then format('%s %s %s', coalesce(declared, levels), facts ->> 'architecture', facts ->> 'product_type') end
$$;
comment on function evenkeel.peers_of(int4range, int4range, text, jsonb) is
    'With whom a host is compared within a product: the declared level, or else the one that its files prove, architecture and product '
    'type. Null: its level is not known.';

create or replace function evenkeel.peers_find_files(made_of integer)
returns void language plpgsql
as $$
declare
    enough constant integer := evenkeel.setting('missing-file.peers')::integer;
    share constant double precision := evenkeel.setting('missing-file.others')::double precision;
begin
    delete from fresh_peer_file;
    insert into fresh_peer_file (product_id, peers, location, component_id, hosts, holders)
    with known as materialized (
        select o.location from evenkeel.peer_file o join evenkeel.peer_group g using (product_id, peers) where g.group_id = made_of
    )
    select g.product_id, g.peers, p.location, min(pc.component_id) as component_id, g.hosts, sum(c.holders)::integer as holders
    from evenkeel.peer_group g
    join evenkeel.peer_path c using (group_id)
    join evenkeel.path p using (path_id)
    join evenkeel.path_component pc on pc.path_id = p.path_id and pc.product_id = g.product_id
    where g.group_id = made_of and g.counted and (g.hosts > enough or (g.hosts = enough and exists (select from known)))
    group by g.product_id, g.peers, p.location, g.hosts
    having (g.hosts - sum(c.holders) <= 1 + floor((g.hosts - 1) * share)
            -- What few peers have but one more is no rule; one that is known does not end with the first other that lacks it.
            or (g.hosts - sum(c.holders) = 2 + floor((g.hosts - 1) * share) and p.location in (select k.location from known k)))
       and (sum(c.holders) >= enough or (sum(c.holders) = enough - 1 and p.location in (select k.location from known k)));
    analyze fresh_peer_file;
end
$$;
comment on function evenkeel.peers_find_files(integer) is
    'Fills fresh_peer_file: the files that the hosts of this group have, but for a few.';

create or replace function evenkeel.peers_publish_group(made_of integer)
returns boolean language plpgsql
as $$
declare
    made evenkeel.peer_group;
    other integer[];
    went bigint;
    differ bigint;
begin
    update evenkeel.peer_group g set changed = false where g.group_id = made_of returning g.* into made;
    perform evenkeel.peers_find_files(made_of);
    with gone as (
        delete from evenkeel.peer_file o
        where (o.product_id, o.peers) = (made.product_id, made.peers)
          and not exists (select from fresh_peer_file n where n.location = o.location)
        returning o.component_id
    )
    select coalesce(array_agg(g.component_id), '{}') into other from gone g;
    went := cardinality(other);
    select other || coalesce(array_agg(n.component_id), '{}') || coalesce(array_agg(o.component_id), '{}') into other
    from fresh_peer_file n
    left join evenkeel.peer_file o on (o.product_id, o.peers, o.location) = (n.product_id, n.peers, n.location)
    where o.component_id is distinct from n.component_id;
    insert into evenkeel.peer_file as o (product_id, peers, location, component_id, hosts, holders, fresh)
    select n.product_id, n.peers, n.location, n.component_id, n.hosts, n.holders, n.holders < n.hosts
    from fresh_peer_file n order by n.location
    on conflict (product_id, peers, location) do update
        set (component_id, hosts, holders) = (excluded.component_id, excluded.hosts, excluded.holders)
        where (o.component_id, o.hosts, o.holders) <> (excluded.component_id, excluded.hosts, excluded.holders);
    get diagnostics differ = row_count;
    -- A component of which more is known, or less, may be taken for installed where it was not: then what else lacks of it is missing, too.
    update evenkeel.peer_file o set fresh = true
    where (o.product_id, o.peers) = (made.product_id, made.peers) and o.component_id = any (other) and o.holders < o.hosts and not o.fresh;
    if went + differ > 0 then
        -- What was found says how many have it, or is found no more.
        insert into evenkeel.judge_queue (host_id)
        select f.host_id
        from evenkeel.finding f
        join evenkeel.product q on q.product_id = made.product_id and q.code = f.subject
        join evenkeel.peer_host p on p.host_id = f.host_id
        join evenkeel.peer_set s on s.set_id = p.set_id and made_of = any (s.groups)
        join evenkeel.host_inventory_current i on i.host_id = f.host_id
        where f.check_code = 'missing-file' and f.closed_at = 'infinity'
        order by f.host_id
        on conflict do nothing;
    end if;
    if made.hosts = 0 then
        delete from evenkeel.peer_path c where c.group_id = made_of;
        delete from evenkeel.peer_group g where g.group_id = made_of;
    end if;
    return went + differ > 0;
end
$$;
comment on function evenkeel.peers_publish_group(integer) is
    'Makes peer_file of the counts of a group, and queues the hosts of which something was found by it; true: rows of it changed. A group '
    'without hosts ends.';

create or replace function evenkeel.peers_publish(most integer, out done boolean, out differ boolean)
language plpgsql
as $$
declare
    next record;
    paths bigint := 0;
begin
    differ := false;
    for next in
        select g.group_id, g.counted from evenkeel.peer_group g where g.changed order by g.counted, g.group_id limit 1000
    loop
        if next.counted then
            exit when paths >= most;
            paths := paths + (select count(*) from evenkeel.peer_path c where c.group_id = next.group_id);
        end if;
        differ := evenkeel.peers_publish_group(next.group_id) or differ;
    end loop;
    done := not exists (select from evenkeel.peer_group g where g.changed);
    if done then
        -- Of groups that are no more.
        delete from evenkeel.peer_file o
        where not exists (select from evenkeel.peer_group g where (g.product_id, g.peers) = (o.product_id, o.peers));
        differ := differ or found;
    end if;
end
$$;
comment on function evenkeel.peers_publish(integer) is
    'Makes peer_file of the groups that changed, until these hold so many paths; done: there are no more, differ: rows of '
    'peer_file changed.';

create or replace function evenkeel.peers_look(hosts uuid[])
returns void language plpgsql
as $$
begin
    delete from peer_slice; delete from peer_deficit; delete from peer_entry;
    insert into peer_slice (host_id, group_id, chunk_ids)
    select p.host_id, u.group_id, i.chunk_ids
    from evenkeel.peer_host p
    join evenkeel.peer_set s using (set_id)
    join evenkeel.host_inventory_current i using (host_id)
    cross join unnest(s.groups) u (group_id)
    where p.host_id = any (hosts)
      and u.group_id in (select g.group_id from evenkeel.peer_file n join evenkeel.peer_group g using (product_id, peers)
                         where n.fresh and n.holders < n.hosts);
    if not exists (select from peer_slice) then
        return;
    end if;
    analyze peer_slice;
    -- Of the files that somebody lacks, hosts that hold fewer than there are.
    insert into peer_deficit (group_id, location, path_id)
    select g.group_id, n.location, p.path_id
    from evenkeel.peer_file n
    join evenkeel.peer_group g using (product_id, peers)
    join evenkeel.path p on md5(p.location) = md5(n.location) and p.location = n.location
    where n.fresh and n.holders < n.hosts and g.group_id in (select l.group_id from peer_slice l);
    analyze peer_deficit;
    insert into peer_entry (group_id, chunk_id, files)
    select e.group_id, e.chunk_id, count(*)
    from (select k.group_id, k.chunk_id, unnest(c.file_ids) as file_id
          from (select distinct l.group_id, unnest(l.chunk_ids) as chunk_id from peer_slice l) k
          join evenkeel.chunk c using (chunk_id)) e
    join evenkeel.file f using (file_id)
    join peer_deficit d on d.group_id = e.group_id and d.path_id = f.path_id
    group by e.group_id, e.chunk_id;
    analyze peer_entry;
    insert into evenkeel.judge_queue (host_id)
    with held as materialized (
        select l.host_id, l.group_id, sum(e.files) as files
        from (select s.host_id, s.group_id, unnest(s.chunk_ids) as chunk_id from peer_slice s) l
        join peer_entry e using (group_id, chunk_id)
        group by l.host_id, l.group_id
    ), total as materialized (
        select group_id, count(distinct location) as files from peer_deficit group by group_id
    )
    select distinct l.host_id
    from peer_slice l join total t using (group_id) left join held h using (host_id, group_id)
    where coalesce(h.files, 0) < t.files
    order by l.host_id
    on conflict do nothing;
end
$$;
comment on function evenkeel.peers_look(uuid[]) is
    'Queues those of these hosts that lack a file which their peers have since lately, or another of its component.';

create or replace function evenkeel.peers_begin()
returns void language plpgsql
as $$
declare
    state evenkeel.peer_round := (select r from evenkeel.peer_round r);
    enough constant text := evenkeel.setting('missing-file.peers')::integer;
    share constant text := evenkeel.setting('missing-file.others')::double precision;
begin
    if enough is distinct from state.peers then
        state.stage := 'clear'; state.next_host := null;
    elsif state.stage in ('publish', 'look') then
        -- It failed the last time; what was not looked at is fresh still.
        state.stage := 'count'; state.next_host := null;
    end if;
    if share is distinct from state.others then
        update evenkeel.peer_group g set changed = true where not g.changed;
    end if;
    update evenkeel.peer_round r
    set under_way = true, judged = p.judged, stage = state.stage, next_host = state.next_host, so_far = '0', peers = enough, others = share
    from evenkeel.peer_refresh p;
end
$$;
comment on function evenkeel.peers_begin() is 'Begins to make peer_file, from where it was left; with other settings from the start.';

create or replace function evenkeel.peers_few(hosts uuid[], most bigint)
returns uuid[] language sql stable
as $$
    select array_agg(c.host_id order by c.place)
    from (select u.host_id, u.place, sum(coalesce(i.files, 0)) over (order by u.place) - coalesce(i.files, 0) as before
          from unnest(hosts) with ordinality u (host_id, place)
          left join evenkeel.host_inventory_current i using (host_id)) c
    where c.before < most
$$;
comment on function evenkeel.peers_few(uuid[], bigint) is
    'The first of these hosts, as many as it takes to hold so many files: what is done for them at a time is bounded by that.';

create or replace function evenkeel.peers_step(hosts_at_once integer)
returns text language plpgsql
as $$
declare
    state evenkeel.peer_round := (select r from evenkeel.peer_round r);
    first_host constant uuid := '00000000-0000-0000-0000-000000000000';
    files_at_once constant bigint := hosts_at_once * 2000;
    changes bigint[];
    hosts uuid[];
    upcoming text := state.stage;
    place uuid := state.next_host;
    made record;
begin
    perform evenkeel.peers_open();
    case state.stage
    when 'clear' then
        if evenkeel.peers_clear(hosts_at_once * 20) then
            upcoming := 'count'; place := first_host;
        end if;
    when 'count' then
        if place is not null then
            hosts := evenkeel.peers_few(array(select c.host_id from evenkeel.host_inventory_current c where c.host_id > state.next_host
                                              order by c.host_id limit hosts_at_once), files_at_once);
            place := hosts[cardinality(hosts)];
        else
            select array_agg(c.change_id), array_agg(distinct c.host_id) into changes, hosts
            from (select p.change_id, p.host_id from evenkeel.peer_change p order by p.change_id limit hosts_at_once) c;
            hosts := evenkeel.peers_few(hosts, files_at_once);
            delete from evenkeel.peer_change c where c.change_id = any (changes) and c.host_id = any (hosts);
            -- Whoever was judged by what was known before, and was not yet counted when that changed, is judged by what is known now.
            insert into evenkeel.judge_queue (host_id)
            select i.host_id from evenkeel.host_inventory_current i join evenkeel.host h using (host_id)
            where i.host_id = any (hosts) and h.judged_at < state.told_at
            order by i.host_id
            on conflict do nothing;
            if hosts is null then
                upcoming := 'publish';
            end if;
        end if;
        if hosts is not null and not evenkeel.peers_count_apart(hosts) then
            upcoming := 'clear'; place := null;
        end if;
    when 'publish' then
        select * into made from evenkeel.peers_publish(10000);
        update evenkeel.peer_round set published = true where made.differ and not published;
        if made.done then
            upcoming := case when made.differ or state.published then 'look' else 'done' end;
        end if;
    when 'look' then
        if place is null then
            -- In a transaction that begins after all of it is to be seen.
            update evenkeel.peer_round set told_at = clock_timestamp();
        end if;
        if exists (select from evenkeel.peer_file n where n.fresh and n.holders < n.hosts) then
            hosts := evenkeel.peers_few(array(select h.host_id from evenkeel.peer_host h where h.host_id > coalesce(place, first_host)
                                              order by h.host_id limit hosts_at_once * 4), files_at_once * 4);
        end if;
        if hosts is null then
            update evenkeel.peer_file set fresh = false where fresh;
            upcoming := 'done';
        else
            perform evenkeel.peers_look(hosts);
            place := hosts[cardinality(hosts)];
        end if;
    end case;
    update evenkeel.peer_round r
    set stage = case upcoming when 'done' then 'count' else upcoming end, next_host = case when upcoming <> 'done' then place end,
        under_way = upcoming <> 'done', published = r.published and upcoming <> 'done';
    return upcoming;
end
$$;
comment on function evenkeel.peers_step(integer) is
    'One step of making peer_file, of so many hosts (fewer, of large ones) where it is hosts that it goes through; returns what comes '
    'next: a stage, or done.';

create or replace function evenkeel.refresh_peers()
returns boolean language plpgsql
as $$
declare
    began constant timestamptz := clock_timestamp();
    upcoming text;
begin
    perform set_config('client_min_messages', 'warning', true), set_config('jit', 'off', true);
    perform evenkeel.lock_catalogue_shared();
    if not (select r.under_way from evenkeel.peer_round r) then
        perform evenkeel.peers_begin();
    end if;
    loop
        upcoming := evenkeel.peers_step(250);
        exit when upcoming in ('look', 'done') or clock_timestamp() > began + interval '100 milliseconds';
    end loop;
    update evenkeel.peer_round r set so_far = r.so_far + (clock_timestamp() - began);
    if upcoming = 'done' then
        -- Whoever compares hosts writes that row, too, and waits only until this commits.
        update evenkeel.peer_refresh p set refreshed_at = clock_timestamp(), took = r.so_far, judged = greatest(p.judged - r.judged, 0)
        from evenkeel.peer_round r;
    end if;
    return upcoming <> 'done';
end
$$;
comment on function evenkeel.refresh_peers() is
    'Learns anew which files the hosts of a product and level have, but for a few, and queues the hosts on which that bears: one step of '
    'that, or as many as fit into a tenth of a second; true: there is more to do.';
