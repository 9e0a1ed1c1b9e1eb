-- Files that all hosts of a product and level have, learnt from the fleet now and then.

create or replace function evenkeel.peers_of(levels int4range, declared int4range, verdict text, facts jsonb)
returns text language sql stable
as $$
    select case when declared is not null or verdict = 'level'
                then format('%s %s %s', coalesce(declared, levels), facts ->> 'architecture', facts ->> 'product_type') end
$$;
comment on function evenkeel.peers_of(int4range, int4range, text, jsonb) is 'With whom a host is compared within a product: the declared level, or else the one that its files prove, architecture and product type. Null: its level is not known.';

create or replace function evenkeel.refresh_peers()
returns integer language plpgsql
as $$
declare
    began timestamptz := clock_timestamp();
    judged_before bigint := (select judged from evenkeel.peer_refresh);
    queued integer;
begin
    perform set_config('client_min_messages', 'warning', true), set_config('jit', 'off', true);
    drop table if exists peer_member, peer_chunk, fresh_peer_file;
    create temporary table peer_member on commit drop as
    select host_id, product_id, peers, count(*) over (partition by product_id, peers) as hosts
    from (select hp.host_id, hp.product_id, evenkeel.peers_of(hp.levels, hp.declared, hp.verdict, f.facts) as peers
          from evenkeel.host_product hp
          join evenkeel.host h using (host_id)
          left join evenkeel.host_facts_current f using (host_id)
          where h.merged_into is null) m
    where peers is not null;
    delete from peer_member where hosts <= evenkeel.setting('missing-file.peers')::integer;
    create temporary table peer_chunk on commit drop as
    select m.product_id, m.peers, m.hosts, c.chunk_id, count(*) as holders
    from peer_member m
    join evenkeel.host_inventory_current i using (host_id)
    cross join unnest(i.chunk_ids) c (chunk_id)
    group by m.product_id, m.peers, m.hosts, c.chunk_id;
    analyze peer_chunk;

    create temporary table fresh_peer_file on commit drop as
    select k.product_id, k.peers, p.location, min(pc.component_id) as component_id, k.hosts::integer as hosts, sum(k.holders) as holders,
           null::uuid as lacking
    from peer_chunk k
    join evenkeel.chunk using (chunk_id)
    cross join unnest(chunk.file_ids) u (file_id)
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id)
    join evenkeel.path_component pc on pc.path_id = p.path_id and pc.product_id = k.product_id
    group by k.product_id, k.peers, p.location, k.hosts
    having sum(k.holders) >= k.hosts - 1;
    create index on fresh_peer_file (product_id, peers, location);
    analyze fresh_peer_file;
    with part as (
        select k.product_id, k.peers, k.chunk_id, count(*) as files
        from peer_chunk k
        join evenkeel.chunk using (chunk_id)
        cross join unnest(chunk.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
        join evenkeel.path p using (path_id)
        join fresh_peer_file n on n.product_id = k.product_id and n.peers = k.peers and n.location = p.location
        group by k.product_id, k.peers, k.chunk_id
    ), total as (
        select product_id, peers, count(*) as files from fresh_peer_file group by product_id, peers
    ), incomplete as (
        select m.host_id, m.product_id, m.peers, i.chunk_ids
        from peer_member m
        join total t using (product_id, peers)
        join evenkeel.host_inventory_current i using (host_id)
        left join lateral (select sum(p.files) as files from unnest(i.chunk_ids) c (chunk_id)
                           join part p on p.product_id = m.product_id and p.peers = m.peers and p.chunk_id = c.chunk_id) s on true
        where coalesce(s.files, 0) < t.files
    ), holds as (
        select x.host_id, x.product_id, p.location
        from incomplete x
        cross join unnest(x.chunk_ids) c (chunk_id)
        join evenkeel.chunk using (chunk_id)
        cross join unnest(chunk.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
        join evenkeel.path p using (path_id)
    )
    update fresh_peer_file n set lacking = x.host_id
    from incomplete x
    where x.product_id = n.product_id and x.peers = n.peers and n.holders < n.hosts
      and not exists (select from holds h where h.host_id = x.host_id and h.product_id = x.product_id and h.location = n.location);

    -- Whom a change may acquit or accuse: the hosts that lack, or lacked, a file.
    with came as (
        select product_id, peers, location, component_id, hosts, lacking from fresh_peer_file
        except select product_id, peers, location, component_id, hosts, lacking from evenkeel.peer_file
    ), went as (
        delete from evenkeel.peer_file o
        where not exists (select from fresh_peer_file n
                          where (n.product_id, n.peers, n.location, n.component_id, n.hosts) = (o.product_id, o.peers, o.location, o.component_id, o.hosts)
                            and n.lacking is not distinct from o.lacking)
        returning o.product_id, o.peers, o.location, o.lacking
    ), touched as (
        select lacking as host_id from came
        union select lacking from went
        union select f.host_id from evenkeel.finding f
              where f.check_code = 'missing-file' and f.closed_at = 'infinity' and exists (select from went)
    )
    insert into evenkeel.judge_queue (host_id)
    select t.host_id from touched t join evenkeel.host_inventory_current i using (host_id) order by t.host_id
    on conflict do nothing;
    get diagnostics queued = row_count;
    insert into evenkeel.peer_file (product_id, peers, location, component_id, hosts, lacking)
    select product_id, peers, location, component_id, hosts, lacking from fresh_peer_file n
    where not exists (select from evenkeel.peer_file o where (o.product_id, o.peers, o.location) = (n.product_id, n.peers, n.location));
    update evenkeel.peer_refresh set refreshed_at = clock_timestamp(), took = clock_timestamp() - began, judged = judged - judged_before;
    return queued;
end
$$;
comment on function evenkeel.refresh_peers() is 'Learns anew which files all hosts of a product and level have, or all but one, and queues the hosts on which that bears; returns how many.';
