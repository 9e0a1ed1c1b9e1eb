-- Files that the hosts of a product and level have, but for a few, learnt from the fleet now and then. One host that lacks a file (or
-- says so) does not acquit another: besides a host one in twenty of its peers may lack what it lacks, and what is known stays known with
-- one more that lacks it, or one less that is there.

create or replace function evenkeel.peers_of(levels int4range, declared int4range, verdict text, facts jsonb)
returns text language sql stable
as $$
    select case when declared is not null or verdict = 'level'
                then format('%s %s %s', coalesce(declared, levels), facts ->> 'architecture', facts ->> 'product_type') end
$$;
comment on function evenkeel.peers_of(int4range, int4range, text, jsonb) is
    'With whom a host is compared within a product: the declared level, or else the one that its files prove, architecture and product '
    'type. Null: its level is not known.';

create or replace function evenkeel.peers_group()
returns void language plpgsql
as $$
declare
    enough constant integer := evenkeel.setting('missing-file.peers')::integer;
begin
    create temporary table peer_member on commit drop as
    select m.host_id, m.product_id, m.peers
    from (select hp.host_id, hp.product_id, evenkeel.peers_of(hp.levels, hp.declared, hp.verdict, f.facts) as peers
          -- Which files of .NET Framework a Windows has is that Windows' matter.
          from evenkeel.deciding_product hp
          join evenkeel.host h using (host_id)
          left join evenkeel.host_facts_current f using (host_id)
          where h.merged_into is null) m
    where m.peers is not null;
    comment on table peer_member is
        'A product of a host whose level is known, and with whom it is compared. Filled by peers_group; read by peers_find_lacking, '
        'peers_group; ends with the transaction.';
    create temporary table peer_group on commit drop as
    select row_number() over () as group_id, g.*
    from (select product_id, peers, count(*)::integer as hosts from peer_member group by product_id, peers) g
    where g.hosts > enough or (g.hosts = enough and exists (select from evenkeel.peer_file o
                                                            where o.product_id = g.product_id and o.peers = g.peers));
    comment on table peer_group is
        'Hosts of a product that are compared with each other, by number; as many as it takes to tell. Filled by peers_group; read by '
        'peers_find_files, peers_find_lacking, peers_group; ends with the transaction.';
    analyze peer_member; analyze peer_group;
    -- How many of a group hold a chunk, then how many a path: numbers all the way, and the text of a path once.
    create temporary table peer_chunk on commit drop as
    select c.group_id, c.chunk_id, count(*) as holders
    from (select g.group_id, unnest(i.chunk_ids) as chunk_id
          from peer_member m join peer_group g using (product_id, peers) join evenkeel.host_inventory_current i using (host_id)) c
    group by c.group_id, c.chunk_id;
    comment on table peer_chunk is
        'A chunk that hosts of a group hold, and how many do. Filled by peers_group; read by peers_find_files, peers_find_lacking; '
        'ends with the transaction.';
    analyze peer_chunk;
end
$$;
comment on function evenkeel.peers_group() is
    'Makes peer_member, peer_group and peer_chunk: which hosts are compared with each other, and what they hold.';

create or replace function evenkeel.peers_find_files()
returns void language plpgsql
as $$
declare
    enough constant integer := evenkeel.setting('missing-file.peers')::integer;
    share constant double precision := evenkeel.setting('missing-file.others')::double precision;
begin
    create temporary table fresh_peer_file on commit drop as
    with counted as materialized (
        select e.group_id, f.path_id, sum(e.holders) as holders
        from (select k.group_id, k.holders, unnest(c.file_ids) as file_id from peer_chunk k join evenkeel.chunk c using (chunk_id)) e
        join evenkeel.file f using (file_id)
        group by e.group_id, f.path_id
    )
    select g.group_id, g.product_id, g.peers, p.location, min(pc.component_id) as component_id, g.hosts, sum(c.holders)::integer as holders
    from counted c
    join peer_group g using (group_id)
    join evenkeel.path p using (path_id)
    join evenkeel.path_component pc on pc.path_id = p.path_id and pc.product_id = g.product_id
    group by g.group_id, g.product_id, g.peers, p.location, g.hosts
    having (g.hosts - sum(c.holders) <= 1 + floor((g.hosts - 1) * share)
            -- What few peers have but one more is no rule; one that is known does not end with the first other that lacks it.
            or (g.hosts - sum(c.holders) = 2 + floor((g.hosts - 1) * share)
                and exists (select from evenkeel.peer_file o
                            where (o.product_id, o.peers, o.location) = (g.product_id, g.peers, p.location))))
       and (sum(c.holders) >= enough
            or (sum(c.holders) = enough - 1 and exists (select from evenkeel.peer_file o
                                                        where (o.product_id, o.peers, o.location) = (g.product_id, g.peers, p.location))));
    comment on table fresh_peer_file is
        'A file that the hosts of a group have, but for a few, as evenkeel.peer_file keeps it. Filled by peers_find_files; read by '
        'peers_find_lacking, refresh_peers; ends with the transaction.';
    create index on fresh_peer_file (product_id, peers, location);
    analyze fresh_peer_file;
end
$$;
comment on function evenkeel.peers_find_files() is
    'Makes fresh_peer_file: the files that the hosts of a group have, but for a few.';

create or replace function evenkeel.peers_find_lacking()
returns void language plpgsql
as $$
begin
    -- Who lacks what others have: of the files that somebody lacks, hosts that hold fewer than there are.
    create temporary table peer_deficit on commit drop as
    select n.group_id, n.location, p.path_id
    from fresh_peer_file n join evenkeel.path p on md5(p.location) = md5(n.location) and p.location = n.location
    where n.holders < n.hosts;
    analyze peer_deficit;
    create temporary table peer_entry on commit drop as
    select e.group_id, e.chunk_id, d.location
    from (select k.group_id, k.chunk_id, unnest(c.file_ids) as file_id
          from peer_chunk k join evenkeel.chunk c using (chunk_id)
          where k.group_id in (select group_id from peer_deficit)) e
    join evenkeel.file f using (file_id)
    join peer_deficit d on d.group_id = e.group_id and d.path_id = f.path_id;
    analyze peer_entry;
    create temporary table peer_lacking on commit drop as
    with member as materialized (
        select m.host_id, g.group_id
        from peer_member m join peer_group g using (product_id, peers)
        where g.group_id in (select group_id from peer_deficit)
    ), part as materialized (
        select group_id, chunk_id, count(*) as files from peer_entry group by group_id, chunk_id
    ), held as materialized (
        select c.host_id, c.group_id, sum(p.files) as files
        from (select m.host_id, m.group_id, unnest(i.chunk_ids) as chunk_id from member m
              join evenkeel.host_inventory_current i using (host_id)) c
        join part p using (group_id, chunk_id)
        group by c.host_id, c.group_id
    ), total as materialized (
        select group_id, count(distinct location) as files from peer_deficit group by group_id
    ), incomplete as materialized (
        select m.host_id, m.group_id
        from member m join total t using (group_id) left join held h using (host_id, group_id)
        where coalesce(h.files, 0) < t.files
    ), holds as materialized (
        select x.host_id, x.group_id, e.location
        from incomplete x
        join evenkeel.host_inventory_current i using (host_id)
        cross join unnest(i.chunk_ids) c (chunk_id)
        join peer_entry e on e.group_id = x.group_id and e.chunk_id = c.chunk_id
    )
    select n.product_id, n.peers, n.location, x.host_id
    from incomplete x
    join fresh_peer_file n on n.group_id = x.group_id and n.holders < n.hosts
    where not exists (select from holds h where h.host_id = x.host_id and h.group_id = x.group_id and h.location = n.location);
    comment on table peer_lacking is
        'A host that lacks such a file. Filled by peers_find_lacking; read by refresh_peers; ends with the transaction.';
    analyze peer_lacking;
end
$$;
comment on function evenkeel.peers_find_lacking() is
    'Makes peer_lacking: the hosts that lack one of these files.';

create or replace function evenkeel.refresh_peers()
returns integer language plpgsql
as $$
declare
    began timestamptz := clock_timestamp();
    judged_before bigint := (select judged from evenkeel.peer_refresh);
    queued integer;
begin
    perform set_config('client_min_messages', 'warning', true), set_config('jit', 'off', true);
    drop table if exists peer_group, peer_member, peer_chunk, fresh_peer_file, peer_deficit, peer_entry, peer_lacking;
    perform evenkeel.peers_group();
    perform evenkeel.peers_find_files();
    perform evenkeel.peers_find_lacking();

    -- Whom a change may acquit or accuse: the hosts that lack, or lacked, a file.
    with came as (
        select product_id, peers, location, component_id, hosts, holders from fresh_peer_file
        except select product_id, peers, location, component_id, hosts, holders from evenkeel.peer_file
    ), went as (
        delete from evenkeel.peer_file o
        where not exists (select from fresh_peer_file n
                          where (n.product_id, n.peers, n.location, n.component_id, n.hosts, n.holders)
                                = (o.product_id, o.peers, o.location, o.component_id, o.hosts, o.holders))
        returning o.product_id
    ), touched as (
        select l.host_id from came join peer_lacking l using (product_id, peers, location)
        union select f.host_id from evenkeel.finding f
              where f.check_code = 'missing-file' and f.closed_at = 'infinity' and exists (select from went)
    )
    insert into evenkeel.judge_queue (host_id)
    select t.host_id from touched t join evenkeel.host_inventory_current i using (host_id) order by t.host_id
    on conflict do nothing;
    get diagnostics queued = row_count;
    insert into evenkeel.peer_file (product_id, peers, location, component_id, hosts, holders)
    select product_id, peers, location, component_id, hosts, holders from fresh_peer_file n
    where not exists (select from evenkeel.peer_file o where (o.product_id, o.peers, o.location) = (n.product_id, n.peers, n.location));
    update evenkeel.peer_refresh set refreshed_at = clock_timestamp(), took = clock_timestamp() - began, judged = judged - judged_before;
    return queued;
end
$$;
comment on function evenkeel.refresh_peers() is
    'Learns anew which files the hosts of a product and level have, but for a few, and queues the hosts on which that bears; returns how '
    'many.';
