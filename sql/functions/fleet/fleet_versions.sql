-- The fleet by version sets: what a host's component holds as one short key, for checks that compare hosts.

create or replace function evenkeel.product_fits(p evenkeel.product, os_version text, os_build integer, inetstp_major integer)
returns boolean language sql immutable parallel safe
as $$
    select (p.os_version = '' or coalesce(os_version, '') in ('', p.os_version))
       and (p.os_build is null or coalesce(os_build, 0) in (0, p.os_build))
       and (p.inetstp_major is null or coalesce(inetstp_major, 0) in (0, p.inetstp_major))
$$;
comment on function evenkeel.product_fits(evenkeel.product, text, integer, integer) is
    'Whether a product may be on a host that declares these; what is not declared excludes nothing.';

create or replace function evenkeel.state_version_sets(grouped boolean)
returns table (host_id uuid, component_id integer, version_set text) language sql
as $$
    -- Exclusive or does not depend on order, so neither does a set's key on where chunks end; and it is taken once per chunk.
    with compared as materialized (
        select h.host_id, h.chunk_ids from state_host h
        where not grouped
           or exists (select from evenkeel.host_facts_current f where f.host_id = h.host_id and f.facts @? '$.groups[0]')
           or exists (select from evenkeel.host_label l where l.host_id = h.host_id and not l.taken_off)
    ), judged as materialized (
        select h.host_id, cm.component_id
        from compared h
        join evenkeel.host ho on ho.host_id = h.host_id and ho.merged_into is null
        left join evenkeel.host_facts_current f on f.host_id = h.host_id
        cross join evenkeel.product pr
        join evenkeel.component cm using (product_id)
        where evenkeel.product_fits(pr, f.os_version, f.os_build, f.inetstp_major)
          -- Products that fit but none of whose versions are there are other editions of one that is.
          and (not exists (select from state_product sp where sp.host_id = h.host_id)
               or exists (select from state_product sp where (sp.host_id, sp.product_id) = (h.host_id, pr.product_id))
               or not exists (select from evenkeel.line l where l.product_id = pr.product_id))
    ), holding as materialized (
        select h.host_id, c.chunk_id from compared h cross join unnest(h.chunk_ids) c (chunk_id)
    ), content as materialized (
        select k.chunk_id, u.file_id
        from (select distinct chunk_id from holding) k join state_chunk sc using (chunk_id) cross join unnest(sc.file_ids) u (file_id)
    ), hashed as materialized (
        select f.file_id, f.path_id, hashtextextended(p.location || ' ' || i.file_version, 0) as high,
               hashtextextended(p.location || ' ' || i.file_version, 1) as low
        from (select distinct c.file_id from content c) d
        join evenkeel.file f using (file_id)
        join evenkeel.path p using (path_id)
        join evenkeel.image i using (image_id)
        where i.file_version is not null
    ), member as materialized (
        select x.file_id, pc.component_id, x.high, x.low
        from hashed x
        join evenkeel.path_component pc using (path_id)
        where pc.component_id in (select j.component_id from judged j)
          and (not grouped
               or exists (select from evenkeel.file_level fl where (fl.file_id, fl.product_id) = (x.file_id, pc.product_id))
               or not exists (select from evenkeel.line l where l.product_id = pc.product_id))
    ), part as materialized (
        select c.chunk_id, m.component_id, bit_xor(m.high) as high, bit_xor(m.low) as low
        from content c join member m using (file_id)
        group by c.chunk_id, m.component_id
    ), entry as materialized (
        select h.host_id, pt.component_id, bit_xor(pt.high) as high, bit_xor(pt.low) as low
        from holding h join part pt using (chunk_id)
        group by h.host_id, pt.component_id
    )
    select host_id, component_id, lpad(to_hex(e.high), 16, '0') || lpad(to_hex(e.low), 16, '0')
    from entry e
    join judged using (host_id, component_id)
$$;
comment on function evenkeel.state_version_sets(boolean) is
    'The version set of each component of the hosts of state_host, as 32 hex digits: equal where the same files have the same versions. '
    'grouped: of hosts with a group label only, and only of files on the product''s lines, where it has any.';
