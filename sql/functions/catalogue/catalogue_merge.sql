-- Merging staged rows into the catalogue by their natural keys: a row loaded again replaces what it said before, and what an edition
-- states no more goes. Whatever is loaded in whichever order, the same rows come out.

create or replace function evenkeel.merge_products()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.product as o (code, name, os_version, os_build, os_build_to, product_types, installation_types, inetstp_major,
        follows_os, level_kind, coverage_share, rtm_revision, beside, source)
    select code, name, coalesce(os_version, ''), os_build::integer, os_build_to::integer,
           (select array_agg(evenkeel.product_type_number(w) order by 1) from unnest(string_to_array(product_types, '|')) w),
           string_to_array(installation_types, '|'), inetstp_major::integer, coalesce(follows_os::boolean, false),
           coalesce(level_kind, 'service pack'), coalesce(coverage_share::real, 0.8), rtm_revision::integer,
           coalesce(beside::boolean, false), source
    from stage_products
    on conflict (code) do update set name = excluded.name, os_version = excluded.os_version, os_build = excluded.os_build,
        os_build_to = excluded.os_build_to, product_types = excluded.product_types, installation_types = excluded.installation_types,
        inetstp_major = excluded.inetstp_major, follows_os = excluded.follows_os, level_kind = excluded.level_kind,
        coverage_share = excluded.coverage_share, rtm_revision = excluded.rtm_revision, beside = excluded.beside, source = excluded.source
    where (o.name, o.os_version, o.os_build, o.os_build_to, o.product_types, o.installation_types, o.inetstp_major, o.follows_os,
           o.level_kind,
           o.coverage_share, o.rtm_revision, o.beside, o.source) is distinct from
          (excluded.name, excluded.os_version, excluded.os_build, excluded.os_build_to, excluded.product_types, excluded.installation_types,
           excluded.inetstp_major, excluded.follows_os, excluded.level_kind, excluded.coverage_share, excluded.rtm_revision,
           excluded.beside, excluded.source);
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function evenkeel.merge_products() is 'Merges stage_products; returns how many rows are new or changed.';

create or replace function evenkeel.merge_levels()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.level as o (product_id, ordinal, code, name, service_pack, marker_hotfix, ubr, released, kb, preview, out_of_band,
                                     line,
        base_ordinal, complete, source)
    select p.product_id, s.ordinal::integer, s.code, s.name, coalesce(s.service_pack, ''), coalesce(s.marker_hotfix, ''), s.ubr::integer,
           s.released::date, coalesce(upper(s.kb), ''), coalesce(s.preview::boolean, false), coalesce(s.out_of_band::boolean, false),
           coalesce(s.line, ''), coalesce(b.ordinal::integer, k.ordinal), coalesce(s.complete::boolean, false), s.source
    from stage_levels s
    join evenkeel.product p on p.code = s.product
    left join stage_levels b on b.product = s.product and lower(b.code) = lower(s.base)
    left join evenkeel.level k on k.product_id = p.product_id and lower(k.code) = lower(s.base)
    on conflict (product_id, ordinal) do update set code = excluded.code, name = excluded.name, service_pack = excluded.service_pack,
        marker_hotfix = excluded.marker_hotfix, ubr = excluded.ubr, released = coalesce(excluded.released, o.released),
        kb = case when excluded.kb <> '' then excluded.kb else o.kb end, preview = excluded.preview, out_of_band = excluded.out_of_band,
        line = excluded.line, base_ordinal = excluded.base_ordinal, complete = o.complete or excluded.complete, source = excluded.source
    where (o.code, o.name, o.service_pack, o.marker_hotfix, o.ubr, o.released, o.kb, o.preview, o.out_of_band, o.line, o.base_ordinal,
           o.complete, o.source) is distinct from
          (excluded.code, excluded.name, excluded.service_pack, excluded.marker_hotfix, excluded.ubr,
           coalesce(excluded.released, o.released),
           case when excluded.kb <> '' then excluded.kb else o.kb end, excluded.preview, excluded.out_of_band, excluded.line,
           excluded.base_ordinal, o.complete or excluded.complete, excluded.source);
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function evenkeel.merge_levels() is
  'Merges stage_levels; returns how many rows are new or changed. A date, an article or a list that was known before stays known.';

create or replace function evenkeel.merge_lines()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.line as o (product_id, major, minor, build, revision_from, revision_to, source)
    select evenkeel.product_number(product), major::integer, minor::integer, build::integer, coalesce(revision_from::integer, 0),
           coalesce(revision_to::integer, 65535), source
    from stage_lines
    on conflict (product_id, major, minor, build, revision_from) do update set revision_to = excluded.revision_to, source = excluded.source
    where (o.revision_to, o.source) is distinct from (excluded.revision_to, excluded.source);
    get diagnostics n = row_count;
    create temporary table settled on commit drop as
    select evenkeel.product_number(product) as product_id, major::integer, minor::integer, build::integer,
           coalesce(revision_from::integer, 0) as revision_from, evenkeel.staged_edition('lines', source) as edition_id
    from stage_lines;
    perform evenkeel.settle_scope('lines');
    return n + evenkeel.edition_settle('line', array['product_id', 'major', 'minor', 'build', 'revision_from']);
end
$$;
comment on function evenkeel.merge_lines() is 'Merges stage_lines; returns how many rows are new, changed or gone.';

create or replace function evenkeel.settle_scope(staged_file text, scope_column text default 'product_id')
returns void language plpgsql
as $$
begin
    -- A file is the whole of its edition; what was read of a source may have been read for one product, or one patch, only.
    create temporary table settling (edition_id integer, scope integer) on commit drop;
    comment on table settling is
        'An edition at hand; scope: the product, or patch, that it was read for, null: all. Filled by settle_scope; read by '
        'edition_settle; ends with the transaction.';
    comment on table settled is
        'What an edition at hand states of a table of the catalogue, by its keys. Filled by merge_baselines, merge_components, '
        'merge_known_files, merge_lines, merge_patch_files, merge_patches, merge_rules; read by edition_settle, merge_baselines, '
        'merge_known_files, merge_patch_files, settle_scope; ends with the transaction.';
    insert into settling select edition_id, null from stage_edition where file = staged_file;
    if not found then
        execute format('insert into settling select distinct edition_id, %I from settled', scope_column);
    end if;
end
$$;
comment on function evenkeel.settle_scope(text, text) is
  'Fills settling, the editions at hand for a file of the catalogue, before edition_settle().';

create or replace function evenkeel.merge_components()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.component as o (product_id, code, name, include, exclude, declared, source)
    select evenkeel.product_number(product), code, name, string_to_array(lower(include), '|'),
           coalesce(string_to_array(lower(exclude), '|'), '{}'), coalesce(declared::boolean, true), source
    from stage_components
    on conflict (product_id, code) do update set name = excluded.name, include = excluded.include, exclude = excluded.exclude,
        declared = excluded.declared, source = excluded.source
    where (o.name, o.include, o.exclude, o.declared, o.source) is distinct from
          (excluded.name, excluded.include, excluded.exclude, excluded.declared, excluded.source);
    get diagnostics n = row_count;
    create temporary table settled on commit drop as
    select evenkeel.product_number(product) as product_id, code, evenkeel.staged_edition('components', source) as edition_id
    from stage_components;
    perform evenkeel.settle_scope('components');
    return n + evenkeel.edition_settle('component', array['product_id', 'code']);
end
$$;
comment on function evenkeel.merge_components() is 'Merges stage_components; returns how many rows are new, changed or gone.';

create or replace function evenkeel.merge_rules()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.level_rule as o (product_id, ordinal, relation, minor, build, revision, source)
    select evenkeel.product_number(product), evenkeel.level_ordinal(product, level), relation, minor::integer, build::integer,
           revision::integer, source
    from stage_rules
    on conflict (product_id, ordinal, relation) do update set minor = excluded.minor, build = excluded.build,
        revision = excluded.revision, source = excluded.source
    where (o.minor, o.build, o.revision, o.source)
          is distinct from (excluded.minor, excluded.build, excluded.revision, excluded.source);
    get diagnostics n = row_count;
    create temporary table settled on commit drop as
    select evenkeel.product_number(product) as product_id, evenkeel.level_ordinal(product, level) as ordinal, relation,
           evenkeel.staged_edition('rules', source) as edition_id
    from stage_rules;
    perform evenkeel.settle_scope('rules');
    return n + evenkeel.edition_settle('level_rule', array['product_id', 'ordinal', 'relation']);
end
$$;
comment on function evenkeel.merge_rules() is 'Merges stage_rules; returns how many rows are new, changed or gone.';

create or replace function evenkeel.merge_known_files()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    create temporary table settled on commit drop as
    with source_of as materialized (
        select source, evenkeel.staged_edition('known_files', source) as edition_id from (select distinct source from stage_known_files) d
    )
    select p.product_id, lower(s.file) as file, min(s.source) as source, min(e.edition_id) as edition_id
    from stage_known_files s join source_of e using (source) cross join unnest(string_to_array(s.product, '|')) w (code)
    join evenkeel.product p using (code)
    group by p.product_id, lower(s.file);
    insert into evenkeel.known_file as o (product_id, file, source)
    select product_id, file, source from settled
    on conflict (product_id, file) do update set source = excluded.source where o.source <> excluded.source;
    get diagnostics n = row_count;
    perform evenkeel.settle_scope('known_files');
    return n + evenkeel.edition_settle('known_file', array['product_id', 'file']);
end
$$;
comment on function evenkeel.merge_known_files() is 'Merges stage_known_files; returns how many rows are new, changed or gone.';

create or replace function evenkeel.merge_baselines()
returns bigint language plpgsql
as $$
declare
    n bigint;
    replaced bigint;
begin
    create temporary table settled on commit drop as
    select p.product_id, l.ordinal, lower(s.file) as file, s.relation, evenkeel.version_of(s.version) as version,
           evenkeel.machine_number(s.machine) as machine, min(coalesce(s.kind, 'article')) as kind, s.source,
           evenkeel.staged_edition('baselines', s.source) as edition_id
    from stage_baselines s
    left join evenkeel.product p on p.code = s.product
    left join evenkeel.level l on l.product_id = p.product_id and lower(l.code) = lower(s.level)
    where case when l.ordinal is null then evenkeel.product_number(s.product) + evenkeel.level_ordinal(s.product, s.level) end is null
    group by 1, 2, 3, 4, 5, 6, 8;
    insert into evenkeel.baseline as o (product_id, ordinal, file, relation, version, machine, kind, source)
    select product_id, ordinal, file, relation, version, machine, kind, source from settled
    on conflict on constraint baseline_statement do update set kind = excluded.kind where o.kind <> excluded.kind;
    get diagnostics n = row_count;
    -- What a source said of a file before, it says no more.
    delete from evenkeel.baseline b
    using (select distinct product_id, ordinal, file, relation, coalesce(machine, -1) as machine, source from settled) s
    where b.product_id = s.product_id and b.ordinal = s.ordinal and b.file = s.file and b.relation = s.relation
      and coalesce(b.machine, -1) = s.machine and b.source = s.source
      and not exists (select from settled k
                      where (k.product_id, k.ordinal, k.file, k.relation, coalesce(k.machine, -1), k.source, k.version) =
                            (b.product_id, b.ordinal, b.file, b.relation, coalesce(b.machine, -1), b.source, b.version));
    get diagnostics replaced = row_count;
    perform evenkeel.settle_scope('baselines');
    return n + replaced + evenkeel.edition_settle('baseline',
                                                  array['product_id', 'ordinal', 'file', 'relation', 'version', 'machine', 'source']);
end
$$;
comment on function evenkeel.merge_baselines() is
  'Merges stage_baselines; returns how many rows are new, changed or gone. Of one file, level and machine what a source says now '
  'replaces what it said before.';

create or replace function evenkeel.complete_payloads()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    -- As 'patch add' leaves what it is not told as the catalogue has it, whichever of them comes first.
    with stated as (
        select upper(s.code) as code, p.product_id, coalesce(s.title, '') as title,
               coalesce((select array_agg(evenkeel.level_ordinal(s.product, r) order by 1)
                         from unnest(string_to_array(s.required_levels, '|')) r), '{}') as required_levels,
               coalesce(string_to_array(upper(s.supersedes), '|'), '{}') as supersedes,
               case when s.contained_in is not null then evenkeel.level_ordinal(s.product, s.contained_in) end as contained_in,
               s.released::date as released
        from stage_patches s join evenkeel.product p on p.code = s.product
    )
    update evenkeel.patch o
    set title = case when o.title = '' then s.title else o.title end,
        required_levels = case when o.required_levels = '{}' then s.required_levels else o.required_levels end,
        supersedes = case when o.supersedes = '{}' then s.supersedes else o.supersedes end,
        contained_in = coalesce(o.contained_in, s.contained_in), released = coalesce(o.released, s.released)
    from stated s
    where (o.code, o.product_id) = (s.code, s.product_id) and o.has_payload
      and (o.title = '' and s.title <> '' or o.required_levels = '{}' and s.required_levels <> '{}'
           or o.supersedes = '{}' and s.supersedes <> '{}' or o.contained_in is null and s.contained_in is not null
           or o.released is null and s.released is not null);
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function evenkeel.complete_payloads() is
  'Gives patches whose payload was read what stage_patches says of them and nobody else did; returns how many.';

create or replace function evenkeel.merge_patches()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.patch as o (code, product_id, title, level_ordinal, required_levels, supersedes, contained_in, restart, released,
                                     os_builds, source)
    select upper(s.code), p.product_id, coalesce(s.title, ''), l.ordinal,
           coalesce((select array_agg(evenkeel.level_ordinal(s.product, r) order by 1)
                     from unnest(string_to_array(s.required_levels, '|')) r), '{}'),
           coalesce(string_to_array(upper(s.supersedes), '|'), '{}'),
           case when s.contained_in is not null then evenkeel.level_ordinal(s.product, s.contained_in) end,
           coalesce(s.restart::boolean, true), s.released::date,
           case s.os_builds when 'none' then '{}' else string_to_array(s.os_builds, '|')::integer[] end, s.source
    from stage_patches s
    join evenkeel.product p on p.code = s.product
    left join evenkeel.level l on l.product_id = p.product_id and lower(l.code) = lower(s.level)
    on conflict (code, product_id) do update set title = excluded.title, level_ordinal = excluded.level_ordinal,
        required_levels = excluded.required_levels, supersedes = excluded.supersedes, contained_in = excluded.contained_in,
        restart = excluded.restart, released = excluded.released, os_builds = excluded.os_builds, source = excluded.source
    where not o.has_payload
      and (o.title, o.level_ordinal, o.required_levels, o.supersedes, o.contained_in, o.restart, o.released, o.os_builds, o.source)
          is distinct from
          (excluded.title, excluded.level_ordinal, excluded.required_levels, excluded.supersedes, excluded.contained_in, excluded.restart,
           excluded.released, excluded.os_builds, excluded.source);
    get diagnostics n = row_count;
    n := n + evenkeel.complete_payloads();
    create temporary table settled on commit drop as
    select p.product_id, upper(s.code) as code, evenkeel.staged_edition('patches', s.source) as edition_id
    from stage_patches s join evenkeel.product p on p.code = s.product;
    perform evenkeel.settle_scope('patches');
    return n + evenkeel.edition_settle('patch', array['product_id', 'code'], 't.has_payload');
end
$$;
comment on function evenkeel.merge_patches() is
  'Merges stage_patches; returns how many rows are new, changed or gone. A patch whose payload was read keeps what was said of it then.';

create or replace function evenkeel.merge_patch_files()
returns bigint language plpgsql
as $$
declare
    n bigint;
    replaced bigint;
begin
    create temporary table settled on commit drop as
    select t.patch_id, lower(s.file) as file, case when s.version is not null then evenkeel.version_of(s.version) end as version,
           evenkeel.machine_number(s.machine) as machine, coalesce(s.branch, '') as branch, max(s.size::bigint) as size,
           max(s.dated::date) as dated, coalesce(s.platform, '') as platform, evenkeel.staged_edition('patch_files', t.source) as edition_id
    from stage_patch_files s
    join evenkeel.product p on p.code = s.product
    join evenkeel.patch t on t.code = upper(s.patch) and t.product_id = p.product_id
    group by 1, 2, 3, 4, 5, 8, t.source;
    insert into evenkeel.patch_file as o (patch_id, file, version, machine, branch, size, dated, platform)
    select patch_id, file, version, machine, branch, size, dated, platform from settled
    on conflict on constraint patch_file_patch_id_file_version_machine_branch_platform_key do update
        set listed = true, size = coalesce(excluded.size, o.size), dated = coalesce(excluded.dated, o.dated)
        where not o.listed or (o.size, o.dated) is distinct from (coalesce(excluded.size, o.size), coalesce(excluded.dated, o.dated));
    get diagnostics n = row_count;
    -- A row of a patch's table whose version was corrected; what the payload brought is what it is.
    delete from evenkeel.patch_file f
    using (select distinct patch_id, file, coalesce(machine, -1) as machine, branch, platform from settled) s
    where f.patch_id = s.patch_id and f.file = s.file and coalesce(f.machine, -1) = s.machine and f.branch = s.branch
      and f.platform = s.platform
      and f.listed and f.image_id is null
      and not exists (select from settled k
                      where (k.patch_id, k.file, coalesce(k.machine, -1), k.branch, k.platform) =
                            (f.patch_id, f.file, coalesce(f.machine, -1), f.branch, f.platform)
                        and k.version is not distinct from f.version);
    get diagnostics replaced = row_count;
    perform evenkeel.settle_scope('patch_files', 'patch_id');
    return n + replaced + evenkeel.edition_settle('patch_file', array['patch_id', 'file', 'version', 'machine', 'branch', 'platform'],
                                                  't.image_id is not null');
end
$$;
comment on function evenkeel.merge_patch_files() is 'Merges stage_patch_files; returns how many rows are new, changed or gone.';

create or replace function evenkeel.catalog_merge()
returns table (table_name text, changed bigint) language plpgsql
as $$
begin
    perform evenkeel.staged_editions();
    table_name := 'products'; changed := evenkeel.merge_products(); return next;
    table_name := 'levels'; changed := evenkeel.merge_levels(); return next;
    table_name := 'lines'; changed := evenkeel.merge_lines(); return next;
    table_name := 'components'; changed := evenkeel.merge_components(); return next;
    table_name := 'rules'; changed := evenkeel.merge_rules(); return next;
    table_name := 'known files'; changed := evenkeel.merge_known_files(); return next;
    table_name := 'lists'; changed := (select coalesce(sum(c.changed), 0) from stage_list_change c); return next;
    delete from stage_list_change;
    table_name := 'baselines'; changed := evenkeel.merge_baselines(); return next;
    table_name := 'patches'; changed := evenkeel.merge_patches(); return next;
    table_name := 'patch files'; changed := evenkeel.merge_patch_files(); return next;
end
$$;
comment on function evenkeel.catalog_merge() is
  'Merges the staged rows into the catalogue; returns how many rows of each table are new, changed or gone.';
