-- How many like hosts hold a path, kept: a host that changed is taken away as what it was counted, and added as what it is. What it held
-- then is not copied, it is looked up in its history; where that can't be had any more all is counted again, host by host as at first.
-- Rows of these tables are written by one session, under the lock 'learning', but peer_change and peer_was, to which all add.

create or replace function evenkeel.peers_changed(hosts uuid[])
returns void language sql
as $$ insert into evenkeel.peer_change (host_id) select h from unnest(hosts) h order by h $$;
comment on function evenkeel.peers_changed(uuid[]) is
    'These hosts, or their verdicts, are others now: they are to be counted again. Waits for nobody.';

create or replace function evenkeel.peers_keep(hosts uuid[])
returns void language sql
as $$
    insert into evenkeel.peer_was (host_id, chunk_ids)
    select i.host_id, i.chunk_ids
    from evenkeel.host_inventory i
    where i.host_id = any (hosts)
      and (i.valid_to = 'infinity' or exists (select from evenkeel.peer_host p
                                              where (p.host_id, p.counted_from) = (i.host_id, i.valid_from)))
$$;
comment on function evenkeel.peers_keep(uuid[]) is
    'Before inventories of these hosts are changed where they stand, or removed: keeps what may have been counted of them.';

create or replace function evenkeel.peers_counted(hosts uuid[])
returns table (host_id uuid, groups integer[], counted_from timestamptz, fingerprint integer, chunk_ids bigint[])
language sql stable
as $$
    select p.host_id, s.groups, p.counted_from, p.fingerprint, held.chunk_ids
    from evenkeel.peer_host p
    join evenkeel.peer_set s using (set_id)
    left join lateral (
        select o.chunk_ids
        from (select i.chunk_ids from evenkeel.host_inventory i where i.host_id = p.host_id and i.valid_from = p.counted_from
              union all
              select w.chunk_ids from evenkeel.peer_was w where w.host_id = p.host_id
              union all
              select '{}'::bigint[] where p.counted_from = '-infinity') o
        where hash_array(o.chunk_ids) = p.fingerprint
        limit 1) held on true
    where p.host_id = any (hosts)
$$;
comment on function evenkeel.peers_counted(uuid[]) is
    'As what these hosts were counted, those that were; chunk_ids null: what they held is not known any more.';

create or replace function evenkeel.peers_find_now(hosts uuid[])
returns void language plpgsql
as $$
begin
    delete from peer_member; delete from peer_now;
    insert into peer_member (host_id, product_id, peers)
    select m.host_id, m.product_id, m.peers
    from (select hp.host_id, hp.product_id, evenkeel.peers_of(hp.levels, hp.declared, hp.verdict, f.facts) as peers
          -- Which files of .NET Framework a Windows has is that Windows' matter.
          from evenkeel.deciding_product hp
          join evenkeel.host h using (host_id)
          left join evenkeel.host_facts_current f using (host_id)
          where hp.host_id = any (hosts) and h.merged_into is null) m
    where m.peers is not null;
    analyze peer_member;
    insert into evenkeel.peer_group (product_id, peers)
    select distinct m.product_id, m.peers from peer_member m
    where not exists (select from evenkeel.peer_group g where (g.product_id, g.peers) = (m.product_id, m.peers))
    order by m.product_id, m.peers;
    insert into peer_now (host_id, groups, counted_from, fingerprint, chunk_ids)
    select m.host_id, m.groups, coalesce(i.valid_from, '-infinity'), hash_array(coalesce(i.chunk_ids, '{}')), coalesce(i.chunk_ids, '{}')
    from (select p.host_id, array_agg(g.group_id order by g.group_id) as groups
          from peer_member p join evenkeel.peer_group g using (product_id, peers) group by p.host_id) m
    left join evenkeel.host_inventory_current i using (host_id);
    insert into evenkeel.peer_set (groups) select distinct n.groups from peer_now n
    where not exists (select from evenkeel.peer_set s where s.groups = n.groups);
end
$$;
comment on function evenkeel.peers_find_now(uuid[]) is
    'Fills peer_now: which groups these hosts are in, and what they hold. Numbers groups, and sets of them, that are new.';

create or replace function evenkeel.peers_mark()
returns void language plpgsql
as $$
begin
    delete from evenkeel.peer_host p using peer_before b
    where p.host_id = b.host_id and not exists (select from peer_now n where n.host_id = b.host_id);
    insert into evenkeel.peer_host as p (host_id, counted_from, set_id, fingerprint)
    select n.host_id, n.counted_from, s.set_id, n.fingerprint from peer_now n join evenkeel.peer_set s using (groups) order by n.host_id
    on conflict (host_id) do update
        set (counted_from, set_id, fingerprint) = (excluded.counted_from, excluded.set_id, excluded.fingerprint);
    update evenkeel.peer_set s set members = s.members + x.hosts
    from (select c.groups, sum(c.hosts) as hosts
          from (select n.groups, 1 as hosts from peer_now n union all select b.groups, -1 from peer_before b) c
          group by c.groups having sum(c.hosts) <> 0) x
    where s.groups = x.groups;
    delete from evenkeel.peer_set s using peer_before b where s.groups = b.groups and s.members = 0;
    -- Whom the one adds that the other takes away: the group has others in it all the same.
    update evenkeel.peer_group g set hosts = g.hosts + x.hosts, changed = true
    from (select u.group_id, sum(c.hosts) as hosts
          from (select n.groups, 1 as hosts from peer_now n union all select b.groups, -1 from peer_before b) c
          cross join unnest(c.groups) u (group_id)
          group by u.group_id) x
    where g.group_id = x.group_id;
end
$$;
comment on function evenkeel.peers_mark() is 'Notes as what the hosts of peer_now are counted, and how many hosts their groups have.';

create or replace function evenkeel.peers_add()
returns boolean language plpgsql
as $$
begin
    -- Once per chunk, then once per path, however many hosts hold them.
    if exists (select from peer_held h where not exists (select from evenkeel.chunk c where c.chunk_id = h.chunk_id)) then
        return false;
    end if;
    analyze peer_held;
    delete from peer_moved;
    insert into peer_moved (group_id, path_id, holders)
    select g.group_id, e.path_id, sum(e.holders)
    from (select x.groups, f.path_id, sum(x.holders) as holders
          from (select h.groups, h.holders, unnest(c.file_ids) as file_id from peer_held h join evenkeel.chunk c using (chunk_id)) x
          join evenkeel.file f using (file_id)
          group by x.groups, f.path_id having sum(x.holders) <> 0) e
    join evenkeel.path_component pc on pc.path_id = e.path_id
    join evenkeel.peer_group g on g.product_id = pc.product_id and g.group_id = any (e.groups)
    group by g.group_id, e.path_id
    having sum(e.holders) <> 0;
    analyze peer_moved;
    update evenkeel.peer_path p set holders = p.holders + m.holders
    from peer_moved m where (p.group_id, p.path_id) = (m.group_id, m.path_id);
    insert into evenkeel.peer_path (group_id, path_id, holders)
    select m.group_id, m.path_id, m.holders from peer_moved m
    where not exists (select from evenkeel.peer_path p where (p.group_id, p.path_id) = (m.group_id, m.path_id));
    delete from evenkeel.peer_path p using peer_moved m
    where (p.group_id, p.path_id) = (m.group_id, m.path_id) and p.holders = 0;
    return not exists (select from evenkeel.peer_path p join peer_moved m using (group_id, path_id) where p.holders < 0);
end
$$;
comment on function evenkeel.peers_add() is
    'Adds what hosts hold by peer_held to peer_path; false: that can''t be, and all is to be counted anew.';

create or replace function evenkeel.peers_add_held(newly integer[])
returns boolean language plpgsql
as $$
begin
    delete from peer_held;
    if newly is null then
        insert into peer_held (groups, chunk_id, holders)
        select c.groups, c.chunk_id, sum(c.holders)
        from (select n.groups, unnest(n.chunk_ids) as chunk_id, 1 as holders from peer_now n
              union all
              select b.groups, unnest(b.chunk_ids), -1 from peer_before b) c
        group by c.groups, c.chunk_id having sum(c.holders) <> 0;
        -- Few hosts are compared with nobody; what they hold is counted once there are more of them.
        update peer_held h set groups = array(select g.group_id from evenkeel.peer_group g where g.group_id = any (h.groups) and g.counted);
        delete from peer_held h where h.groups = '{}';
    else
        insert into peer_held (groups, chunk_id, holders)
        select c.groups, c.chunk_id, count(*)
        from (select m.groups, unnest(m.chunk_ids) as chunk_id
              from (select array(select unnest(p.groups) intersect select unnest(newly) order by 1) as groups, p.chunk_ids
                    from evenkeel.peers_counted(array(select h.host_id from evenkeel.peer_host h join evenkeel.peer_set s using (set_id)
                                                      where s.groups && newly)) p offset 0) m) c
        group by c.groups, c.chunk_id;
    end if;
    return evenkeel.peers_add();
end
$$;
comment on function evenkeel.peers_add_held(integer[]) is
    'Counts what the hosts of peer_now and peer_before hold in groups that are counted; or what all hosts of groups hold that are counted '
    'newly. False: that can''t be, and all is to be counted anew.';

create or replace function evenkeel.peers_count(hosts uuid[])
returns boolean language plpgsql
as $$
declare
    enough constant integer := evenkeel.setting('missing-file.peers')::integer;
    -- Before what is there now is read: of that a later row may tell.
    kept constant bigint[] := array(select w.was_id from evenkeel.peer_was w where w.host_id = any (hosts));
    newly integer[];
begin
    delete from peer_before;
    perform evenkeel.peers_find_now(hosts);
    insert into peer_before select * from evenkeel.peers_counted(hosts);
    if exists (select from peer_before b where b.chunk_ids is null) then
        return false;
    end if;
    with same as materialized (
        select n.host_id from peer_now n join peer_before b using (host_id, groups, counted_from, fingerprint)
    ), left_out as (
        delete from peer_before b where b.host_id in (select s.host_id from same s)
    )
    delete from peer_now n where n.host_id in (select s.host_id from same s);
    analyze peer_now; analyze peer_before;
    if exists (select from peer_now) or exists (select from peer_before) then
        if not evenkeel.peers_add_held(null) then
            return false;
        end if;
        perform evenkeel.peers_mark();
        with grown as (
            update evenkeel.peer_group g set counted = true where not g.counted and g.hosts >= greatest(enough, 1) returning g.group_id
        )
        select array_agg(g.group_id) into newly from grown g;
        if newly is not null and not evenkeel.peers_add_held(newly) then
            return false;
        end if;
    end if;
    delete from evenkeel.peer_was w where w.was_id = any (kept);
    return true;
end
$$;
comment on function evenkeel.peers_count(uuid[]) is
    'Counts these hosts as they are now in place of as they were counted before, if they were; false: that is not known any more.';

create or replace function evenkeel.peers_count_apart(hosts uuid[])
returns boolean language plpgsql
as $$
declare
    half constant integer := cardinality(hosts) / 2;
    noted constant text := 'files of like hosts: host ';
    failure text;
    code text;
    place text;
begin
    begin
        if not evenkeel.peers_count(hosts) then
            return false;
        end if;
        delete from evenkeel.not_judged_object n
        where n.kind = 'lesson' and n.object = any (array(select noted || u.host_id from unnest(hosts) u (host_id)));
        return true;
    exception when others then
        get stacked diagnostics failure = message_text, code = returned_sqlstate, place = pg_exception_context;
        if evenkeel.is_passing(code) then
            raise;
        end if;
    end;
    if half > 0 then
        return evenkeel.peers_count_apart(hosts[:half]) and evenkeel.peers_count_apart(hosts[half + 1:]);
    elsif (select count(*) from evenkeel.not_judged_object n where n.kind = 'lesson' and starts_with(n.object, noted)) >= 20 then
        -- It is none of the hosts' doing: rather nothing is learnt than that of some hosts alone.
        raise exception '%', failure using errcode = code;
    end if;
    perform evenkeel.set_object_aside('lesson', noted || hosts[1], evenkeel.failure_text(failure, place));
    return true;
end
$$;
comment on function evenkeel.peers_count_apart(uuid[]) is
    'peers_count(); a host that makes that fail stays as it was counted, which is noted, and the others are counted all the same.';

create or replace function evenkeel.peers_clear(most integer)
returns boolean language plpgsql
as $$
declare
    relation text;
    removed integer;
begin
    foreach relation in array array['peer_host', 'peer_path', 'peer_was', 'peer_set', 'peer_group'] loop
        execute format('delete from evenkeel.%1$I where ctid = any (array(select ctid from evenkeel.%1$I limit $1))', relation) using most;
        get diagnostics removed = row_count;
        if removed > 0 then
            return false;
        end if;
    end loop;
    return true;
end
$$;
comment on function evenkeel.peers_clear(integer) is 'Forgets up to so much of what was counted; true: nothing is left of it.';

create or replace function evenkeel.peers_bound(again boolean)
returns void language plpgsql
as $$
begin
    if again then
        update evenkeel.peer_round set stage = 'clear', next_host = null;
    else
        update evenkeel.peer_group set changed = true where not changed;
    end if;
end
$$;
comment on function evenkeel.peers_bound(boolean) is
    'After a change of the catalogue, under its lock: where paths belong to other products (again) all is counted anew, and else looked at '
    'again.';
