-- The range of levels that a file's version allows, and what follows for its chunk. Each end needs its own proof.

create or replace function evenkeel.file_ranges(files integer[])
returns table (file_id integer, product_id integer, component_id integer, levels int4range, covered boolean,
               unread boolean, blind boolean, lower_basis text, upper_basis text)
language sql stable
as $$
    with held as materialized (
        select f.file_id, pc.product_id, pc.component_id, p.name, p.location, i.machine, i.file_version as version, not i.has_symbols as blind
        from evenkeel.file f
        join evenkeel.path_component pc using (path_id)
        join evenkeel.path p using (path_id)
        join evenkeel.image i using (image_id)
        where f.file_id = any (files)
    ), spread as materialized (
        select version, evenkeel.version_major(version) as major, evenkeel.version_minor(version) as minor,
               evenkeel.version_build(version) as build, evenkeel.version_revision(version) as revision
        from (select distinct version from held where version is not null) v
    ), placed as materialized (
        select distinct s.version, l.product_id, s.revision
        from spread s
        join evenkeel.line l
          on s.major = coalesce(l.major, s.major) and s.minor = coalesce(l.minor, s.minor) and s.build = coalesce(l.build, s.build)
         and s.revision between l.revision_from and l.revision_to
    ), judged as materialized (
        select h.*, p.revision, p.product_id is not null as on_line,
               bool_or(p.product_id is not null) over (partition by h.file_id) as on_some_line
        from held h
        left join placed p using (version, product_id)
    ), statement as materialized (
        -- What a level ships at a place counts before what it ships under that name anywhere.
        select j.file_id, j.product_id, b.ordinal, b.relation, b.version as shipped, b.source, j.version,
               rank() over (partition by j.file_id, j.product_id, b.ordinal, b.relation order by b.file <> j.location) as place
        from judged j
        cross join lateral (select * from evenkeel.baseline b where b.product_id = j.product_id and b.file = j.name
                            union all
                            select * from evenkeel.baseline b where b.product_id = j.product_id and b.file = j.location
                                                                and j.location <> j.name) b
        where j.on_line and (b.machine is null or b.machine = j.machine)
    ), known as materialized (
        select * from statement where place = 1 or relation <> '='
    ), upper_end as (
        -- A level that ships several builds of a name, in several places, is missed only by what is older than all of them.
        select distinct on (k.file_id, k.product_id) k.file_id, k.product_id, k.ordinal as bound,
               format('%s ships %s%s (%s)', l.code, case k.relation when '>=' then 'at least ' else '' end,
                      evenkeel.version_text(k.shipped), k.source) as basis
        from (select distinct on (file_id, product_id, ordinal, relation) *
              from known where relation in ('=', '>=')
              order by file_id, product_id, ordinal, relation, case relation when '=' then shipped end, shipped desc, source) k
        join evenkeel.level l using (product_id, ordinal)
        where k.version < k.shipped
        order by k.file_id, k.product_id, k.ordinal, k.shipped desc, k.relation
    ), exact as (
        select distinct on (k.file_id, k.product_id) k.file_id, k.product_id, k.ordinal as bound,
               format('%s ships exactly this (%s)', l.code, k.source) as basis
        from known k
        join evenkeel.level l using (product_id, ordinal)
        where k.relation = '=' and k.version = k.shipped
        order by k.file_id, k.product_id, k.ordinal
    ), ruled as (
        select distinct on (j.file_id, j.product_id) j.file_id, j.product_id, r.ordinal as bound,
               format('revision %s%s is %s%s (%s)', r.revision, case r.relation when '>=' then ' and above' else '' end,
                      case r.relation when '>=' then 'at least ' else '' end, l.code, r.source) as basis
        from judged j
        join evenkeel.level_rule r using (product_id)
        join evenkeel.level l using (product_id, ordinal)
        where j.on_line
          and case r.relation when '=' then j.revision = r.revision else j.revision >= r.revision end
        order by j.file_id, j.product_id, r.relation, r.ordinal desc
    ), patched as (
        select distinct on (j.file_id, j.product_id) j.file_id, j.product_id,
               coalesce((select min(o) from unnest(t.required_levels) o), 0) as bound,
               case when t.required_levels = '{}' then format('%s brings it, level not stated (%s)', t.code, t.source)
                    else format('%s brings it, which needs %s or later (%s)', t.code,
                                (select l.code from evenkeel.level l where l.product_id = j.product_id
                                  and l.ordinal = (select min(o) from unnest(t.required_levels) o)), t.source) end as basis
        from judged j
        cross join lateral (select * from evenkeel.patch_file pf where pf.file = j.name and pf.version = j.version
                            union all
                            select * from evenkeel.patch_file pf where pf.file = j.location and pf.version = j.version
                                                                  and j.location <> j.name) pf
        join evenkeel.patch t on t.patch_id = pf.patch_id and t.product_id = j.product_id
        where j.on_line and (pf.machine is null or pf.machine = j.machine)
        order by j.file_id, j.product_id, 3, t.code
    ), lower_end as (
        select distinct on (file_id, product_id) file_id, product_id, bound, basis
        from (select 1 as rank, * from exact union all select 2, * from ruled union all select 3, * from patched) proof
        order by file_id, product_id, bound, rank
    )
    select j.file_id, j.product_id, j.component_id,
           int4range(case when upper_end.bound <= lower_end.bound then null else lower_end.bound end, upper_end.bound),
           coalesce(upper_end.bound is not null or lower_end.bound > 0 or exact.bound is not null, false),
           j.version is null and exists (select from evenkeel.baseline b where b.product_id = j.product_id and b.file in (j.name, j.location)
                                           and (b.machine is null or b.machine = j.machine)),
           j.blind,
           case when upper_end.bound <= lower_end.bound then '' else coalesce(lower_end.basis, '') end,
           coalesce(upper_end.basis, '')
    from judged j
    left join upper_end using (file_id, product_id)
    left join lower_end using (file_id, product_id)
    left join exact using (file_id, product_id)
    -- A file that should be the product's, but is on no line that it may be compared on, is a gap in its coverage; one that is on
    -- another product's line (Terminal Server's beside NT 4.0's) is that product's.
    where j.on_line
       or case when not j.on_some_line
               then exists (select from evenkeel.baseline b where b.product_id = j.product_id and b.file in (j.name, j.location)) end
$$;
comment on function evenkeel.file_ranges(integer[]) is 'The range of levels that each file''s version allows, per product. Upper end: a level ships at least, or exactly, a greater version. Lower end: exactly what a level ships, a product-wide rule, or a known patch''s table; of several the least. An upper end holds whatever else is known.';

create or replace function evenkeel.judge_files(files integer[])
returns void language sql
as $$
    insert into evenkeel.file_level as old (file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis)
    select * from evenkeel.file_ranges(files)
    on conflict (file_id, product_id) do update
        set component_id = excluded.component_id, levels = excluded.levels, covered = excluded.covered,
            unread = excluded.unread, blind = excluded.blind, lower_basis = excluded.lower_basis, upper_basis = excluded.upper_basis
        where (old.component_id, old.levels, old.covered, old.unread, old.blind, old.lower_basis, old.upper_basis)
              is distinct from (excluded.component_id, excluded.levels, excluded.covered, excluded.unread, excluded.blind, excluded.lower_basis, excluded.upper_basis)
$$;
comment on function evenkeel.judge_files(integer[]) is 'Stores the ranges of files.';

create or replace function evenkeel.judge_chunks(chunks bigint[])
returns void language sql
as $$
    insert into evenkeel.chunk_level as old (chunk_id, component_id, product_id, levels, files, covered, unread, blind)
    select c.chunk_id, fl.component_id, fl.product_id, range_intersect_agg(fl.levels), count(*), count(*) filter (where fl.covered),
           count(*) filter (where fl.unread), count(*) filter (where fl.blind)
    from evenkeel.chunk c
    cross join unnest(c.file_ids) f (file_id)
    join evenkeel.file_level fl using (file_id)
    where c.chunk_id = any (chunks)
    group by c.chunk_id, fl.component_id, fl.product_id
    on conflict (chunk_id, component_id) do update
        set product_id = excluded.product_id, levels = excluded.levels, files = excluded.files, covered = excluded.covered,
            unread = excluded.unread, blind = excluded.blind
$$;
comment on function evenkeel.judge_chunks(bigint[]) is 'Stores what the files of chunks say together.';

create or replace function evenkeel.judge_content()
returns integer language plpgsql
as $$
declare
    chunks bigint[];
    files integer[];
begin
    -- Rows that another session is judging are still to be seen here: then it is waited for.
    if not exists (select from evenkeel.unjudged_chunk) and not exists (select from evenkeel.unjudged_file) then
        return 0;
    end if;
    perform evenkeel.lock_catalogue_shared();
    perform evenkeel.lock_content();
    -- The chunks first: what is stored between the two statements may add files that no chunk of these holds, and never lack one.
    with taken as (delete from evenkeel.unjudged_chunk returning chunk_id) select array_agg(chunk_id) into chunks from taken;
    with taken as (delete from evenkeel.unjudged_file returning file_id) select array_agg(file_id) into files from taken;
    if files is not null then
        perform evenkeel.judge_files_apart(files);
    end if;
    if chunks is not null then
        perform evenkeel.judge_chunks_apart(chunks);
    end if;
    return coalesce(cardinality(chunks), 0) + coalesce(cardinality(files), 0);
end
$$;
comment on function evenkeel.judge_content() is 'Judges the files and chunks that were stored and wait for it; returns how many there were. Each is judged once for the fleet, apart from taking snapshots in, and before any host that holds it.';

create or replace function evenkeel.index_content()
returns bigint language sql security definer set search_path = pg_catalog, pg_temp
as $$ select gin_clean_pending_list('evenkeel.chunk_files') $$;
comment on function evenkeel.index_content() is 'Merges what waits beside the index of chunks by their files, so that it is found fast; returns how many pages that were. Finds are right without it, too.';

create or replace function evenkeel.blind_hosts(host_name text)
returns table (host_id uuid, files bigint) language plpgsql stable
as $$
begin
    if not exists (select from evenkeel.chunk_level where blind > 0) then
        return;
    end if;
    return query
    select h.host_id, sum(cl.blind)::bigint
    from evenkeel.host h
    join evenkeel.host_inventory_current i using (host_id)
    cross join unnest(i.chunk_ids) u (chunk_id)
    join evenkeel.chunk_level cl on cl.chunk_id = u.chunk_id and cl.blind > 0
    join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (h.host_id, cl.product_id)
    where h.merged_into is null and (host_name is null or h.name = host_name)
    group by h.host_id;
end
$$;
comment on function evenkeel.blind_hosts(text) is 'Hosts, of that name or all, that have component files of their products whose exports and imports were left out, and how many: of what these import nothing is known.';
