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

create or replace function evenkeel.version_compare(grouped boolean)
returns boolean language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform version_open();
    delete from version_compared; delete from version_holding; delete from version_part;
    insert into version_compared (host_id, component_id)
    with declaring as materialized (
        select h.host_id, coalesce(f.os_version, '') as os_version, coalesce(f.os_build, 0) as os_build,
               coalesce(f.inetstp_major, 0) as inetstp_major,
               exists (select from state_product sp where sp.host_id = h.host_id) as has_products
        from state_host h
        join host ho on ho.host_id = h.host_id and ho.merged_into is null
        left join host_facts_current f on f.host_id = h.host_id
        where not grouped or f.facts @? '$.groups[0]'
           or exists (select from host_label l where l.host_id = h.host_id and not l.taken_off)
    ), fitting as materialized (
        -- Few things are declared, however many hosts declare them.
        select d.os_version, d.os_build, d.inetstp_major, pr.product_id,
               exists (select from line l where l.product_id = pr.product_id) as has_lines
        from (select distinct os_version, os_build, inetstp_major from declaring) d
        cross join product pr
        where product_fits(pr, d.os_version, d.os_build, d.inetstp_major)
          -- Each Windows has builds of its own of what stands beside it: hosts of several have no set in common.
          and not pr.beside
    )
    select d.host_id, cm.component_id
    from declaring d
    join fitting p using (os_version, os_build, inetstp_major)
    join component cm using (product_id)
    -- Products that fit but none of whose versions are there are other editions of one that is.
    where not d.has_products or not p.has_lines
       or (d.host_id, p.product_id) in (select sp.host_id, sp.product_id from state_product sp);
    if not found then
        return false;
    end if;
    insert into version_holding (host_id, chunk_id)
    select h.host_id, c.chunk_id
    from state_host h cross join unnest(h.chunk_ids) c (chunk_id)
    where h.host_id in (select v.host_id from version_compared v);
    analyze version_compared, version_holding;
    return true;
end
$$;
comment on function evenkeel.version_compare(boolean) is
    'Fills version_compared and version_holding: which components of which hosts of the state are to be compared, and what these hosts '
    'hold; grouped: of hosts with a group label only. False: there is none.';

create or replace function evenkeel.version_fresh_parts(chunks bigint[], components integer[])
returns table (chunk_id bigint, component_id integer, high bigint, low bigint, line_high bigint, line_low bigint)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Exclusive or does not depend on order, so neither does a set's key on where chunks end; and it is taken once per chunk.
    with content as materialized (
        select sc.chunk_id, u.file_id
        from state_chunk sc cross join unnest(sc.file_ids) u (file_id) where sc.chunk_id = any (chunks)
    ), hashed as materialized (
        select f.file_id, f.path_id, hashtextextended(p.location || ' ' || i.file_version, 0) as high,
               hashtextextended(p.location || ' ' || i.file_version, 1) as low
        from (select distinct c.file_id from content c) d
        join file f using (file_id)
        join path p using (path_id)
        join image i using (image_id)
        where i.file_version is not null
    ), member as materialized (
        select x.file_id, pc.component_id, x.high, x.low,
               exists (select from file_level fl where (fl.file_id, fl.product_id) = (x.file_id, pc.product_id))
               or not exists (select from line l where l.product_id = pc.product_id) as on_line
        from hashed x
        -- A path belongs to components of dozens of products, of which hosts have one or two.
        join path_component pc on pc.path_id = x.path_id
             and pc.product_id = any (array(select c.product_id from component c where c.component_id = any (components)))
        where pc.component_id = any (components)
    ), part as materialized (
        select c.chunk_id, m.component_id, bit_xor(m.high) as high, bit_xor(m.low) as low,
               bit_xor(m.high) filter (where m.on_line) as line_high, bit_xor(m.low) filter (where m.on_line) as line_low
        from content c join member m using (file_id)
        group by c.chunk_id, m.component_id
    )
    select k.chunk_id, o.component_id, p.high, p.low, p.line_high, p.line_low
    from unnest(chunks) k (chunk_id)
    cross join unnest(components) o (component_id)
    left join part p using (chunk_id, component_id)
$$;
comment on function evenkeel.version_fresh_parts(bigint[], integer[]) is
    'What each of these chunks of the state adds to the version set of each component, as chunk_version_set keeps it.';

create or replace function evenkeel.version_find_parts(keeps boolean)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    components integer[] := array(select distinct v.component_id from version_compared v order by 1);
    fresh bigint[];
    shared bigint[];
begin
    insert into version_part
    select v.* from (select distinct h.chunk_id from version_holding h) k
    join chunk_version_set v using (chunk_id) where v.component_id = any (components);
    select array_agg(k.chunk_id), array_agg(k.chunk_id) filter (where k.holders > 1 and k.chunk_id > 0)
    into fresh, shared
    from (select h.chunk_id, count(*) as holders from version_holding h group by h.chunk_id) k
    left join (select p.chunk_id, count(*) as known from version_part p group by p.chunk_id) p using (chunk_id)
    where coalesce(p.known, 0) < cardinality(components);
    if fresh is not null then
        delete from version_part p where p.chunk_id = any (fresh);
        insert into version_part select * from version_fresh_parts(fresh, components);
        -- What one host holds is small, and is asked for once. In the same order everywhere, for others keep it meanwhile, too.
        insert into chunk_version_set
        select p.* from version_part p join unnest(shared) s (chunk_id) using (chunk_id) where keeps order by p.chunk_id, p.component_id
        on conflict do nothing;
    end if;
    delete from version_part p where p.high is null;
    analyze version_part;
end
$$;
comment on function evenkeel.version_find_parts(boolean) is
    'Fills version_part for the chunks of version_holding; what several hosts hold is kept for others, if told to.';

create or replace function evenkeel.state_version_sets(grouped boolean)
returns table (host_id uuid, component_id integer, version_set text) language plpgsql
set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not version_compare(grouped) then
        return;
    end if;
    -- Those without a group are asked for, too, and keep it: two judges that each kept twice could wait for each other.
    perform version_find_parts(not grouped);
    return query
    with entry as materialized (
        select v.host_id, v.component_id, bit_xor(case when grouped then p.line_high else p.high end) as high,
               bit_xor(case when grouped then p.line_low else p.low end) as low
        from version_holding h
        join version_part p using (chunk_id)
        join version_compared v on (v.host_id, v.component_id) = (h.host_id, p.component_id)
        group by v.host_id, v.component_id
    )
    select e.host_id, e.component_id, lpad(to_hex(e.high), 16, '0') || lpad(to_hex(e.low), 16, '0')
    from entry e where e.high is not null;
end
$$;
comment on function evenkeel.state_version_sets(boolean) is
    'The version set of each component of the hosts of state_host, as 32 hex digits: equal where the same files have the same versions. '
    'grouped: of hosts with a group label only, and only of files on the product''s lines, where it has any.';
