-- What is wrong in the CSV files of a catalogue, told by file, row and value before anything is merged: rows are counted as a spreadsheet
-- does, the header being the first.

create or replace function evenkeel.reads_as(value text, kind text)
returns boolean language plpgsql immutable strict
as $$
begin
    return case
        when kind like 'one of %' then value = any (string_to_array(substr(kind, 8), ', '))
        when kind = 'a number from 0 up' then value::integer >= 0
        when kind = 'a number from 0 to 65535' then value::integer between 0 and 65535
        when kind = 'a number of bytes' then value::bigint >= 0
        when kind = 'a share from 0 to 1' then value::real between 0 and 1
        when kind = 'a date such as 2009-12-08' then value ~ '^\d{4}-\d{2}-\d{2}$' and value::date is not null
        when kind = 'true or false' then value::boolean is not null
        when kind = 'types of hosts: workstation, server, domain_controller'
            then (select bool_and(evenkeel.product_type_number(w) > 0) from unnest(string_to_array(value, '|')) w)
        when kind = 'an article such as KB4577668' then value ~* '^(KB|Q)\d{5,7}$'
        when kind = 'a version such as 6.0.3790.3959' then evenkeel.version_of(value) is not null
        when kind = 'a machine: x86, x64, ia64, arm64 or alpha' then evenkeel.machine_number(value) is not null or value = ''
        when kind = 'builds of Windows such as 17763|19041, or none'
            then value = 'none' or coalesce(array_length(string_to_array(value, '|')::integer[], 1), 0) > 0
        when kind = 'a patch''s code such as KB973917' then evenkeel.patch_code(value) is not null
        when kind = 'patches'' codes such as KB973917|KB978338'
            then (select bool_and(evenkeel.patch_code(c) is not null) from unnest(string_to_array(value, '|')) c) end;
exception when data_exception or raise_exception then
    return false;
end
$$;
comment on function evenkeel.reads_as(text, text) is
  'Whether the text of a CSV file''s field is of that kind; the kinds are worded as catalog_verify() tells them.';

create or replace function evenkeel.catalog_refuse(file text, place tid, sentence text)
returns void language plpgsql
as $$
declare
    number bigint;
    printed text;
begin
    execute format('select count(*) + 1, max(row(%s)::text) filter (where s.ctid = $1) from %I s where s.ctid <= $1',
                   coalesce((select e.columns from stage_edition e where e.file = catalog_refuse.file), 's.*'), 'stage_' || file)
        into number, printed using place;
    raise exception '%.csv, row % (%): %', file, number, left(substr(printed, 2, length(printed) - 2), 200), sentence;
end
$$;
comment on function evenkeel.catalog_refuse(text, tid, text) is
  'Fails with a sentence on a staged row, which it names by file and row and quotes.';

create or replace function evenkeel.catalog_verify_fields()
returns void language plpgsql
as $$
declare
    field record;
    place tid;
    value text;
begin
    for field in
        select f.file, f.name, f.required = 'required' as required, f.kind
        from (values ('products', 'code', 'required', null), ('products', 'name', 'required', null),
                     ('products', 'os_build', '', 'a number from 0 up'), ('products', 'os_build_to', '', 'a number from 0 up'),
                     ('products', 'product_types', '', 'types of hosts: workstation, server, domain_controller'),
                     ('products', 'inetstp_major', '', 'a number from 0 up'), ('products', 'rtm_revision', '', 'a number from 0 to 65535'),
                     ('products', 'follows_os', '', 'true or false'), ('products', 'beside', '', 'true or false'),
                     ('products', 'level_kind', '', 'one of service pack, cumulative update, build'),
                     ('products', 'coverage_share', '', 'a share from 0 to 1'), ('products', 'source', 'required', null),
                     ('levels', 'product', 'required', null), ('levels', 'ordinal', 'required', 'a number from 0 up'),
                     ('levels', 'code', 'required', null), ('levels', 'name', 'required', null),
                     ('levels', 'ubr', '', 'a number from 0 up'), ('levels', 'released', '', 'a date such as 2009-12-08'),
                     ('levels', 'kb', '', 'an article such as KB4577668'), ('levels', 'preview', '', 'true or false'),
                     ('levels', 'out_of_band', '', 'true or false'), ('levels', 'complete', '', 'true or false'),
                     ('levels', 'source', 'required', null),
                     ('lines', 'product', 'required', null), ('lines', 'major', '', 'a number from 0 to 65535'),
                     ('lines', 'minor', '', 'a number from 0 to 65535'), ('lines', 'build', '', 'a number from 0 to 65535'),
                     ('lines', 'revision_from', '', 'a number from 0 to 65535'), ('lines', 'revision_to', '', 'a number from 0 to 65535'),
                     ('lines', 'source', 'required', null),
                     ('components', 'product', 'required', null), ('components', 'code', 'required', null),
                     ('components', 'name', 'required', null), ('components', 'include', 'required', null),
                     ('components', 'declared', '', 'true or false'), ('components', 'source', 'required', null),
                     ('rules', 'product', 'required', null), ('rules', 'level', 'required', null),
                     ('rules', 'relation', 'required', 'one of =, >=, <='), ('rules', 'revision', 'required', 'a number from 0 to 65535'),
                     ('rules', 'minor', '', 'a number from 0 to 65535'), ('rules', 'build', '', 'a number from 0 to 65535'),
                     ('rules', 'source', 'required', null),
                     ('known_files', 'product', 'required', null), ('known_files', 'file', 'required', null),
                     ('known_files', 'source', 'required', null),
                     ('baselines', 'product', 'required', null), ('baselines', 'level', 'required', null),
                     ('baselines', 'file', 'required', null), ('baselines', 'relation', 'required', 'one of =, >=, <='),
                     ('baselines', 'version', 'required', 'a version such as 6.0.3790.3959'),
                     ('baselines', 'machine', '', 'a machine: x86, x64, ia64, arm64 or alpha'),
                     ('baselines', 'kind', '', 'one of captured, media, article, shipped, list'), ('baselines', 'source', 'required', null),
                     ('patches', 'code', 'required', 'a patch''s code such as KB973917'), ('patches', 'product', 'required', null),
                     ('patches', 'supersedes', '', 'patches'' codes such as KB973917|KB978338'),
                     ('patches', 'restart', '', 'true or false'), ('patches', 'released', '', 'a date such as 2009-12-08'),
                     ('patches', 'os_builds', '', 'builds of Windows such as 17763|19041, or none'),
                     ('patches', 'source', 'required', null),
                     ('patch_files', 'patch', 'required', null), ('patch_files', 'product', 'required', null),
                     ('patch_files', 'file', 'required', null), ('patch_files', 'version', '', 'a version such as 6.0.3790.3959'),
                     ('patch_files', 'machine', '', 'a machine: x86, x64, ia64, arm64 or alpha'),
                     ('patch_files', 'size', '', 'a number of bytes'), ('patch_files', 'dated', '', 'a date such as 2009-12-08')
             ) f (file, name, required, kind)
    loop
        execute format('select s.ctid, coalesce(s.%2$I, '''') from %1$I s
                        where $1 and coalesce(s.%2$I, '''') = '''' or not coalesce(evenkeel.reads_as(s.%2$I, $2), true)
                        order by s.ctid limit 1', 'stage_' || field.file, field.name)
            into place, value using field.required, field.kind;
        if place is not null then
            perform evenkeel.catalog_refuse(field.file, place,
                case when field.required and value = '' then format('%s is empty', field.name)
                     else format('%s ''%s'' is not %s', field.name, left(value, 80), field.kind) end);
        end if;
    end loop;
end
$$;
comment on function evenkeel.catalog_verify_fields() is
  'Fails at the first staged field that is empty and must not be, or that is not of its column''s kind.';

create or replace function evenkeel.catalog_verify_keys()
returns void language plpgsql
as $$
declare
    key record;
    place tid;
    earlier bigint;
begin
    for key in
        select * from (values ('products', 'code', 'code'), ('levels', 'product and ordinal', 'product, ordinal::integer'),
                              ('levels', 'product and code', 'product, code'),
                              ('lines', 'product, version and revision_from',
                               'product, major::integer, minor::integer, build::integer, coalesce(revision_from::integer, 0)'),
                              ('components', 'product and code', 'product, code'),
                              ('rules', 'product, level and relation', 'product, lower(level), relation'),
                              ('patches', 'code and product', 'upper(code), product')) k (file, words, columns)
    loop
        execute format('select n.place, n.earlier + 1
                        from (select place, number, min(number) over (partition by %2$s) as earlier
                              from (select *, ctid as place, row_number() over (order by ctid) as number from %1$I) s) n
                        where n.number > n.earlier order by n.number limit 1', 'stage_' || key.file, key.columns)
            into place, earlier;
        if place is not null then
            perform evenkeel.catalog_refuse(key.file, place, format('row %s has the same %s: leave out one of them', earlier, key.words));
        end if;
    end loop;
end
$$;
comment on function evenkeel.catalog_verify_keys() is 'Fails at the first staged row that is given twice.';

create or replace function evenkeel.catalog_verify_references()
returns void language plpgsql
as $$
declare
    wrong record;
begin
    for wrong in
        with named_product as (
            select 'levels' as file, ctid as place, product from stage_levels
            union all select 'lines', ctid, product from stage_lines
            union all select 'components', ctid, product from stage_components
            union all select 'rules', ctid, product from stage_rules
            union all select 'known_files', s.ctid, w from stage_known_files s cross join unnest(string_to_array(s.product, '|')) w
            union all select 'baselines', ctid, product from stage_baselines
            union all select 'patches', ctid, product from stage_patches
            union all select 'patch_files', ctid, product from stage_patch_files
        ), named_level as (
            select 'rules' as file, ctid as place, product, level from stage_rules
            union all select 'baselines', ctid, product, level from stage_baselines
            union all select 'levels', ctid, product, base from stage_levels where base is not null
            union all select 'patches', ctid, product, level from stage_patches where level is not null
            union all select 'patches', s.ctid, s.product, r from stage_patches s
              cross join unnest(string_to_array(s.required_levels, '|')) r
            union all select 'patches', ctid, product, contained_in from stage_patches where contained_in is not null
        ), product as (
            select code from evenkeel.product where unit_of is null union select code from stage_products
        ), level as (
            select p.code as product, lower(l.code) as code from evenkeel.level l join evenkeel.product p using (product_id)
            union select s.product, lower(s.code) from stage_levels s
        ), patch as (
            select t.code, p.code as product from evenkeel.patch t join evenkeel.product p using (product_id)
            union select upper(s.code), s.product from stage_patches s
        )
        select n.file, n.place, 1 as turn,
               format('product ''%s'' is not in the catalogue: add it to products.csv, or name one of %s', n.product,
                      (select string_agg(p.code, ', ' order by p.code) from product p)) as sentence
        from named_product n where n.product not in (select code from product)
        union all
        select n.file, n.place, 2, format('product ''%s'' has no level ''%s'': add it to levels.csv', n.product, n.level)
        from named_level n where (n.product, lower(n.level)) not in (select product, code from level)
        union all
        select 'patch_files', s.ctid, 3, format('there is no patch ''%s'' of %s%s: add it to patches.csv', s.patch, s.product,
                   coalesce((select format(', only of %s', string_agg(o.product, ', ' order by o.product)) from patch o
                             where o.code = upper(s.patch) having count(*) > 0), ''))
        from stage_patch_files s where (upper(s.patch), s.product) not in (select code, product from patch)
        union all
        select 'levels', s.ctid, 4, format('the catalogue has level ''%s'' of %s at ordinal %s already', l.code, s.product, l.ordinal)
        from stage_levels s
        join evenkeel.product p on p.code = s.product
        join evenkeel.level l on l.product_id = p.product_id and l.code = s.code and l.ordinal <> s.ordinal::integer
        union all
        select 'lines', ctid, 5, format('revision_from %s is above revision_to %s', coalesce(revision_from, '0'),
                                        coalesce(revision_to, '65535'))
        from stage_lines where coalesce(revision_from::integer, 0) > coalesce(revision_to::integer, 65535)
        union all
        select 'patches', ctid, 6, format('the patch ''%s'' can''t supersede itself', code)
        from stage_patches
        where exists (select from unnest(string_to_array(supersedes, '|')) c
                      where upper(c) = upper(code) or evenkeel.patch_number(upper(c)) = evenkeel.patch_number(upper(code)))
        union all
        select 'levels', s.ctid, 7, format('a level can''t be its own base: ''%s''', s.code) from stage_levels s
        where lower(s.base) = lower(s.code)
        order by 3, 1, 2 limit 1
    loop
        perform evenkeel.catalog_refuse(wrong.file, wrong.place, wrong.sentence);
    end loop;
end
$$;
comment on function evenkeel.catalog_verify_references() is
  'Fails at a staged row that names what neither the catalogue nor the other files hold, or that contradicts itself.';

create or replace function evenkeel.catalog_verify()
returns void language plpgsql
as $$
begin
    perform evenkeel.catalog_verify_fields();
    perform evenkeel.catalog_verify_keys();
    perform evenkeel.catalog_verify_references();
end
$$;
comment on function evenkeel.catalog_verify() is
  'Fails where a staged row can''t be merged as it is written, by a sentence that names its file and quotes it.';
