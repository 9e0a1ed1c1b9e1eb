-- Loading the catalogue: CSV rows are staged as text, merged by their natural keys, and only what they change is judged again.

create or replace function evenkeel.catalog_stage()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    create temporary table if not exists stage_products (code text, name text, os_version text, os_build text, inetstp_major text,
        follows_os text, level_kind text, coverage_share text, source text) on commit drop;
    create temporary table if not exists stage_levels (product text, ordinal text, code text, name text, service_pack text,
        marker_hotfix text, ubr text, released text, source text) on commit drop;
    create temporary table if not exists stage_lines (product text, major text, minor text, build text, revision_from text,
        revision_to text, source text) on commit drop;
    create temporary table if not exists stage_components (product text, code text, name text, include text, exclude text,
        source text) on commit drop;
    create temporary table if not exists stage_rules (product text, level text, relation text, revision text, source text) on commit drop;
    create temporary table if not exists stage_baselines (product text, level text, file text, relation text, version text,
        machine text, kind text, source text) on commit drop;
    create temporary table if not exists stage_patches (code text, product text, title text, required_levels text, supersedes text,
        contained_in text, restart text, released text, source text) on commit drop;
    create temporary table if not exists stage_patch_files (patch text, product text, file text, version text, machine text,
        branch text, size text, dated text, platform text) on commit drop;
end
$$;
comment on function evenkeel.catalog_stage() is 'Makes the staging tables that the CSV files of a catalogue are copied into.';

create or replace function evenkeel.level_ordinal(product text, level text)
returns integer language plpgsql stable
as $$
declare
    found integer;
begin
    select l.ordinal into found from evenkeel.level l join evenkeel.product p using (product_id)
    where p.code = product and lower(l.code) = lower(level);
    if found is null then
        raise exception 'product ''%'' has no level ''%''; it has %', product, level,
            coalesce((select string_agg(l.code, ', ' order by l.ordinal) from evenkeel.level l join evenkeel.product p using (product_id)
                      where p.code = product), 'none');
    end if;
    return found;
end
$$;
comment on function evenkeel.level_ordinal(text, text) is 'The place of a level in its product''s order; an error that lists the known ones.';

create or replace function evenkeel.product_number(product text)
returns integer language plpgsql stable
as $$
declare
    found integer;
begin
    select p.product_id into found from evenkeel.product p where p.code = product;
    if found is null then
        raise exception 'product ''%'' is not in the catalogue; it has %', product,
            coalesce((select string_agg(p.code, ', ' order by p.code) from evenkeel.product p), 'none');
    end if;
    return found;
end
$$;
comment on function evenkeel.product_number(text) is 'The product_id of a product''s code; an error that lists the known ones.';

create or replace function evenkeel.machine_number(machine text)
returns integer language plpgsql immutable
as $$
begin
    return case lower(coalesce(machine, ''))
               when '' then null
               when 'x86' then evenkeel.pe_machine_i386() when 'i386' then evenkeel.pe_machine_i386()
               when 'x64' then evenkeel.pe_machine_amd64() when 'amd64' then evenkeel.pe_machine_amd64()
               when 'ia64' then evenkeel.pe_machine_ia64() when 'arm64' then evenkeel.pe_machine_arm64()
               when 'alpha' then evenkeel.pe_machine_alpha()
               else machine::integer end;
exception when invalid_text_representation then
    raise exception 'machine ''%'' is not known: x86, x64, ia64, arm64 or alpha are', machine;
end
$$;
comment on function evenkeel.machine_number(text) is 'IMAGE_FILE_MACHINE_* of x86, x64, ia64, arm64, alpha; null of an empty text.';

create or replace function evenkeel.machine_name(machine integer)
returns text language sql immutable parallel safe
as $$
    select case machine
               when evenkeel.pe_machine_i386() then 'x86' when evenkeel.pe_machine_amd64() then 'x64'
               when evenkeel.pe_machine_ia64() then 'ia64' when evenkeel.pe_machine_arm64() then 'arm64'
               when evenkeel.pe_machine_alpha() then 'alpha'
               else machine::text end
$$;
comment on function evenkeel.machine_name(integer) is 'The name by which machine_number() knows a machine; the number itself where it has none.';

create or replace function evenkeel.catalog_merge()
returns table (table_name text, changed bigint) language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.product as o (code, name, os_version, os_build, inetstp_major, follows_os, level_kind, coverage_share, source)
    select code, name, coalesce(os_version, ''), os_build::integer, inetstp_major::integer, coalesce(follows_os::boolean, false),
           coalesce(level_kind, 'service pack'), coalesce(coverage_share::real, 0.8), source
    from stage_products
    on conflict (code) do update set name = excluded.name, os_version = excluded.os_version, os_build = excluded.os_build,
        inetstp_major = excluded.inetstp_major, follows_os = excluded.follows_os, level_kind = excluded.level_kind,
        coverage_share = excluded.coverage_share, source = excluded.source
    where (o.name, o.os_version, o.os_build, o.inetstp_major, o.follows_os, o.level_kind, o.coverage_share, o.source) is distinct from
          (excluded.name, excluded.os_version, excluded.os_build, excluded.inetstp_major, excluded.follows_os, excluded.level_kind,
           excluded.coverage_share, excluded.source);
    get diagnostics n = row_count; table_name := 'products'; changed := n; return next;

    insert into evenkeel.level as o (product_id, ordinal, code, name, service_pack, marker_hotfix, ubr, released, source)
    select evenkeel.product_number(product), ordinal::integer, code, name, coalesce(service_pack, ''), coalesce(marker_hotfix, ''),
           ubr::integer, released::date, source
    from stage_levels
    on conflict (product_id, ordinal) do update set code = excluded.code, name = excluded.name, service_pack = excluded.service_pack,
        marker_hotfix = excluded.marker_hotfix, ubr = excluded.ubr, released = excluded.released, source = excluded.source
    where (o.code, o.name, o.service_pack, o.marker_hotfix, o.ubr, o.released, o.source) is distinct from
          (excluded.code, excluded.name, excluded.service_pack, excluded.marker_hotfix, excluded.ubr, excluded.released, excluded.source);
    get diagnostics n = row_count; table_name := 'levels'; changed := n; return next;

    insert into evenkeel.line as o (product_id, major, minor, build, revision_from, revision_to, source)
    select evenkeel.product_number(product), major::integer, minor::integer, build::integer, coalesce(revision_from::integer, 0),
           coalesce(revision_to::integer, 65535), source
    from stage_lines
    on conflict (product_id, major, minor, build, revision_from) do update set revision_to = excluded.revision_to, source = excluded.source
    where (o.revision_to, o.source) is distinct from (excluded.revision_to, excluded.source);
    get diagnostics n = row_count; table_name := 'lines'; changed := n; return next;

    insert into evenkeel.component as o (product_id, code, name, include, exclude, source)
    select evenkeel.product_number(product), code, name, string_to_array(lower(include), '|'),
           coalesce(string_to_array(lower(exclude), '|'), '{}'), source
    from stage_components
    on conflict (product_id, code) do update set name = excluded.name, include = excluded.include, exclude = excluded.exclude,
        source = excluded.source
    where (o.name, o.include, o.exclude, o.source) is distinct from (excluded.name, excluded.include, excluded.exclude, excluded.source);
    get diagnostics n = row_count; table_name := 'components'; changed := n; return next;

    insert into evenkeel.level_rule as o (product_id, ordinal, relation, revision, source)
    select evenkeel.product_number(product), evenkeel.level_ordinal(product, level), relation, revision::integer, source
    from stage_rules
    on conflict (product_id, ordinal, relation) do update set revision = excluded.revision, source = excluded.source
    where (o.revision, o.source) is distinct from (excluded.revision, excluded.source);
    get diagnostics n = row_count; table_name := 'rules'; changed := n; return next;

    insert into evenkeel.baseline (product_id, ordinal, file, relation, version, machine, kind, source)
    select distinct on (1, 2, 3, 4, 5, 6)
           p.product_id, l.ordinal, lower(s.file), s.relation, evenkeel.version_of(s.version),
           evenkeel.machine_number(s.machine), coalesce(s.kind, 'article'), s.source
    from stage_baselines s
    left join evenkeel.product p on p.code = s.product
    left join evenkeel.level l on l.product_id = p.product_id and lower(l.code) = lower(s.level)
    where case when l.ordinal is null then evenkeel.product_number(s.product) + evenkeel.level_ordinal(s.product, s.level) end is null
    order by 1, 2, 3, 4, 5, 6, s.source
    on conflict do nothing;
    get diagnostics n = row_count; table_name := 'baselines'; changed := n; return next;

    insert into evenkeel.patch as o (code, product_id, title, required_levels, supersedes, contained_in, restart, released, source)
    select upper(s.code), evenkeel.product_number(s.product), coalesce(s.title, ''),
           coalesce((select array_agg(evenkeel.level_ordinal(s.product, r) order by 1)
                     from unnest(string_to_array(s.required_levels, '|')) r), '{}'),
           coalesce(string_to_array(upper(s.supersedes), '|'), '{}'),
           case when s.contained_in is not null then evenkeel.level_ordinal(s.product, s.contained_in) end,
           coalesce(s.restart::boolean, true), s.released::date, s.source
    from stage_patches s
    on conflict (code, product_id) do update set title = excluded.title, required_levels = excluded.required_levels,
        supersedes = excluded.supersedes, contained_in = excluded.contained_in, restart = excluded.restart,
        released = excluded.released, source = excluded.source
    where not o.has_payload
      and (o.title, o.required_levels, o.supersedes, o.contained_in, o.restart, o.released, o.source) is distinct from
          (excluded.title, excluded.required_levels, excluded.supersedes, excluded.contained_in, excluded.restart, excluded.released,
           excluded.source);
    get diagnostics n = row_count; table_name := 'patches'; changed := n; return next;

    insert into evenkeel.patch_file as o (patch_id, file, version, machine, branch, size, dated, platform)
    select distinct t.patch_id, lower(s.file), case when s.version is not null then evenkeel.version_of(s.version) end,
           evenkeel.machine_number(s.machine), coalesce(s.branch, ''), s.size::bigint, s.dated::date, coalesce(s.platform, '')
    from stage_patch_files s
    join evenkeel.patch t on t.code = upper(s.patch) and t.product_id = evenkeel.product_number(s.product)
    on conflict on constraint patch_file_patch_id_file_version_machine_branch_platform_key do update set listed = true where not o.listed;
    get diagnostics n = row_count; table_name := 'patch files'; changed := n; return next;
end
$$;
comment on function evenkeel.catalog_merge() is 'Merges the staged rows into the catalogue; returns how many rows of each table are new or changed.';

create or replace function evenkeel.catalog_refresh()
returns integer language plpgsql
as $$
declare
    queued integer;
begin
    perform evenkeel.lock_catalogue();
    perform set_config('client_min_messages', 'warning', true), set_config('jit', 'off', true);
    -- Of an earlier change within the same transaction.
    drop table if exists fresh_path_component, fresh_file_level, changed_file, changed_chunk;

    create temporary table fresh_path_component on commit drop as
    with wanted as materialized (
        select component_id, product_id, glob, evenkeel.glob_regex(glob) as pattern, taken_out
        from (select component_id, product_id, unnest(include) as glob,
                     array(select evenkeel.glob_regex(x) from unnest(exclude) x) as taken_out
              from evenkeel.component) c
    )
    select distinct on (p.path_id, c.product_id) p.path_id, c.product_id, c.component_id
    from wanted c
    join evenkeel.path p on p.location ~ c.pattern
    where not exists (select from unnest(c.taken_out) x (pattern) where p.location ~ x.pattern)
    order by p.path_id, c.product_id, length(c.glob) desc, c.component_id;
    delete from evenkeel.path_component o
    where not exists (select from fresh_path_component n where (n.path_id, n.product_id, n.component_id) = (o.path_id, o.product_id, o.component_id));
    insert into evenkeel.path_component select path_id, product_id, component_id from fresh_path_component
    on conflict (path_id, product_id) do update set component_id = excluded.component_id
    where path_component.component_id <> excluded.component_id;

    create temporary table fresh_file_level (like evenkeel.file_level) on commit drop;
    insert into fresh_file_level (file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
                                  hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead)
    select file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
           hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead
    from evenkeel.file_ranges(array(select distinct f.file_id from evenkeel.file f join evenkeel.path_component using (path_id)));
    create temporary table changed_file (file_id integer primary key) on commit drop;
    insert into changed_file
    select file_id from (table evenkeel.file_level except table fresh_file_level) gone
    union select file_id from (table fresh_file_level except table evenkeel.file_level) come;
    delete from evenkeel.file_level o
    where not exists (select from fresh_file_level n where (n.file_id, n.product_id) = (o.file_id, o.product_id));
    delete from evenkeel.file_level o using changed_file c where o.file_id = c.file_id;
    insert into evenkeel.file_level select n.* from fresh_file_level n join changed_file using (file_id);

    create temporary table changed_chunk on commit drop as
    select c.chunk_id from evenkeel.chunk c where c.file_ids && array(select file_id from changed_file);
    delete from evenkeel.chunk_level using changed_chunk where chunk_level.chunk_id = changed_chunk.chunk_id;
    perform evenkeel.judge_chunks(array(select chunk_id from changed_chunk));

    -- Patches, levels and products bear on verdicts without changing any range, so every host is judged again where the catalogue itself
    -- changed; judging shares all that was computed per chunk.
    insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current order by host_id
    on conflict do nothing;
    get diagnostics queued = row_count;
    perform evenkeel.retry_not_judged();
    return queued;
end
$$;
comment on function evenkeel.catalog_refresh() is 'After a change of the catalogue: binds paths to components and judges files and chunks again where that changes anything, and queues the hosts.';
