-- A patch planned over hosts: which of its files are for which hosts, and where they would land.

create or replace function evenkeel.table_image(name text, version evenkeel.version, machine integer)
returns integer language plpgsql
as $$
declare
    named bytea := sha256(convert_to(format('file of a table: %s %s %s', name, version, machine), 'utf8'));
    id integer;
begin
    insert into evenkeel.image (digest, size, machine, time_date_stamp, size_of_image, checksum, characteristics, file_version,
                                product_version,
        file_flags, file_version_string, product_version_string, product_name, company_name, original_filename, file_description, defects,
        has_symbols, export_names, export_ordinals, forwarders)
    values (named, 0, table_image.machine, 0, 0, 0, 0, table_image.version, table_image.version, 0, '', '', '', '', name, '', 0,
        false, '{}', '{}', '{}')
    on conflict (digest) do nothing;
    select image_id into id from evenkeel.image i where i.digest = named;
    return id;
end
$$;
comment on function evenkeel.table_image(text, evenkeel.version, integer) is
    'Stands for a file of which a patch''s table tells the version, and nothing is known of its symbols.';

create or replace function evenkeel.either_image(images integer[])
returns integer language plpgsql
as $$
declare
    named bytea := (select sha256(string_agg(i.digest, '\x' order by i.image_id)) from evenkeel.image i where i.image_id = any (images));
    many integer := (select count(*) from evenkeel.image i where i.image_id = any (images));
    id integer;
begin
    if (select count(distinct row(i.has_symbols, i.defects, i.hybrid, i.export_names, i.export_ordinals, i.forwarders,
                                  (select array_agg(row(m.dll, m.delay, m.names, m.ordinals)::text order by m.position)
                                   from evenkeel.image_import m where m.image_id = i.image_id))::text)
        from evenkeel.image i where i.image_id = any (images)) <= 1 then
        return images[1];
    end if;
    insert into evenkeel.image (digest, size, machine, time_date_stamp, size_of_image, checksum, characteristics, file_version,
                                product_version,
        file_flags, file_version_string, product_version_string, product_name, company_name, original_filename, file_description, defects,
        has_symbols, export_names, export_ordinals, forwarders, hybrid)
    with forward as materialized (
        -- Where a symbol is forwarded to different places, neither is certain.
        select f.symbol, max(f.written) as written, count(distinct f.written) = 1 as agreed
        from evenkeel.image i cross join unnest(i.forwarders) w (written)
        cross join lateral (select w.written, left(w.written, strpos(w.written, '=') - 1) as symbol) f
        where i.image_id = any (images) group by f.symbol
    ), given as materialized (
        select s.symbol
        from evenkeel.image i
        cross join lateral (select unnest(i.export_names) union select '#' || o from unnest(i.export_ordinals) o) s (symbol)
        where i.image_id = any (images)
        group by s.symbol having count(*) = many
        except select symbol from forward where not agreed
    )
    select named, 0, min(i.machine), 0, 0, 0, 0, max(i.file_version), max(i.file_version), 0, '', '', '', '', 'either of several', '',
           bit_or(i.defects), bool_and(i.has_symbols), array(select symbol from given where symbol !~ '^#' order by 1),
           array(select substr(symbol, 2)::integer from given where symbol ~ '^#' order by 1),
           array(select f.written from forward f join given using (symbol) where f.agreed order by 1),
           -- Where they serve different machines, which of them this one does is not told.
           case when min(i.hybrid) = max(i.hybrid) then min(i.hybrid) else evenkeel.pe_hybrid_untold() end
    from evenkeel.image i where i.image_id = any (images)
    on conflict (digest) do nothing
    returning image_id into id;
    if id is not null then
        insert into evenkeel.image_import (image_id, position, dll, delay, names, ordinals)
        select id, row_number() over (order by m.dll, m.delay) - 1, m.dll, m.delay,
               array(select distinct n from evenkeel.image_import o cross join unnest(o.names) n
                     where o.image_id = any (images) and (o.dll, o.delay) = (m.dll, m.delay) order by 1),
               array(select distinct n from evenkeel.image_import o cross join unnest(o.ordinals) n
                     where o.image_id = any (images) and (o.dll, o.delay) = (m.dll, m.delay) order by 1)
        from (select distinct dll, delay from evenkeel.image_import where image_id = any (images)) m;
        return id;
    end if;
    return (select i.image_id from evenkeel.image i where i.digest = named);
end
$$;
comment on function evenkeel.either_image(integer[]) is
    'The image itself where all of these import and export the same; else one that stands for any of them: who is safe with it is safe '
    'with each.';

create or replace function evenkeel.make_files(paths integer[], images integer[])
returns void language plpgsql
as $$
declare
    made integer[];
begin
    -- Who stores a file that is new here waits for this transaction, and who judges content may wait for that one: so this goes first.
    if exists (select from unnest(paths, images) g (path_id, image_id)
               where not exists (select from evenkeel.file k where (k.path_id, k.image_id) = (g.path_id, g.image_id))) then
        perform evenkeel.lock_content();
    end if;
    with inserted as (
        insert into evenkeel.file as f (path_id, image_id)
        select g.path_id, g.image_id from unnest(paths, images) g (path_id, image_id)
        where not exists (select from evenkeel.file k where (k.path_id, k.image_id) = (g.path_id, g.image_id))
        order by 1, 2
        on conflict (path_id, image_id) do nothing
        returning f.file_id
    )
    select array_agg(file_id) into made from inserted;
    if made is not null then
        perform evenkeel.judge_files(made);
    end if;
    perform evenkeel.judge_content();
end
$$;
comment on function evenkeel.make_files(integer[], integer[]) is 'Stores and judges images at paths that no host may have yet.';

create or replace function evenkeel.overlay_branches()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into overlay_branch (patch_id, product_id, stem, ordinal, has_gdr, has_qfe)
    select distinct on (b.patch_id, b.stem) b.patch_id, b.product_id, b.stem, l.ordinal, b.has_gdr, b.has_qfe
    from (select p.patch_id, p.product_id, evenkeel.branch_stem(pf.branch) as stem, bool_or(evenkeel.is_gdr_branch(pf.branch)) as has_gdr,
                 bool_or(evenkeel.is_qfe_branch(pf.branch)) as has_qfe
          from overlay_patch p join patch_table pf using (patch_id)
          group by p.patch_id, p.product_id, evenkeel.branch_stem(pf.branch)) b
    left join level l on l.product_id = b.product_id and b.stem <> '' and starts_with(lower(b.stem), lower(l.code))
    order by b.patch_id, b.stem, length(l.code) desc nulls last
$$;
comment on function evenkeel.overlay_branches() is 'Fills overlay_branch from the tables and payloads of the patches.';

create or replace function evenkeel.overlay_sides(chosen uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not exists (select from overlay_branch where has_gdr and has_qfe) then
        return;
    end if;
    perform evenkeel.index_content();
    -- As update.exe does: where one of the files is a build of QFE, all are taken from there.
    insert into overlay_side (host_id, patch_id, side)
    with build as materialized (
        select distinct n.patch_id, f.file_id, q.qfe
        from (select distinct b.patch_id, b.product_id, regexp_replace(pf.file, '^.*/', '') as name
              from overlay_branch b join patch_file pf using (patch_id) where b.has_gdr and b.has_qfe and pf.branch <> '') n
        join path p on p.name = n.name
        join path_component pc on pc.path_id = p.path_id and pc.product_id = n.product_id
        join file f on f.path_id = p.path_id
        join image i on i.image_id = f.image_id
        cross join lateral (select evenkeel.is_qfe_build(n.product_id, p.name, p.location, i.file_version) as qfe) q
        where i.file_version is not null and q.qfe is not false
    ), holding as materialized (
        select c.chunk_id, b.patch_id, bool_or(coalesce(b.qfe, false)) as qfe
        from build b join chunk c on c.file_ids @> array[b.file_id]
        group by c.chunk_id, b.patch_id
    )
    select i.host_id, h.patch_id, case when bool_or(h.qfe) then 'qfe' else 'either' end
    from host_inventory_current i
    cross join unnest(i.chunk_ids) u (chunk_id)
    join holding h using (chunk_id)
    where i.host_id in (select unnest(overlay_sides.chosen))
    group by i.host_id, h.patch_id;
    analyze overlay_side;
end
$$;
comment on function evenkeel.overlay_sides(uuid[]) is
    'Fills overlay_side: those of these hosts whose files are not all known to be of GDR.';

create or replace function evenkeel.untold_programs(host uuid, facts jsonb)
returns text language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- The usual names are right where the patch's products lie there, or nowhere else below a folder of programs.
    select format('where its Program Files are is not known, for its registry told none, and %s lies elsewhere', min(l.path))
    from (select evenkeel.program_places(facts) as places) k
    cross join lateral (
        select p.path
        from host_inventory_current i
        cross join unnest(i.chunk_ids) u (chunk_id)
        join chunk c on c.chunk_id = u.chunk_id
        cross join unnest(c.file_ids) n (file_id)
        join file fl on fl.file_id = n.file_id
        join path p on p.path_id = fl.path_id
        where i.host_id = untold_programs.host and p.location not like '\%windir\%/%'
          and not starts_with(p.path, (k.places ->> 'programs') || '/') and not starts_with(p.path, (k.places ->> 'programs_x86') || '/')
          and exists (select from path_component pc
                      where pc.path_id = p.path_id and pc.product_id in (select t.product_id from overlay_patch t where t.placed))) l
    where coalesce(facts ->> 'program_files', '') = ''
      and exists (select from overlay_patch t join patch_table b using (patch_id) where b.file like 'c:/program files%/%')
    having count(*) > 0
$$;
comment on function evenkeel.untold_programs(uuid, jsonb) is
    'Why it is not known where on a host a patch of overlay_patch lays what is for Program Files; null: it is.';

create or replace function evenkeel.overlay_hosts(chosen uuid[])
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
    -- Without nested loops: how many hosts are chosen the planner can't know, and of 100,000 each would go through all of them.
    -- Per patch and host one part: that of the host's level.
    insert into overlay_host (host_id, plan, reading, place, since, doubt)
    with chosen as (
        select distinct on (hp.host_id, b.patch_id) hp.host_id,
               format('%s:%s:%s', b.patch_id, b.stem, case when b.has_gdr and b.has_qfe then coalesce(s.side, 'gdr')
                      when b.has_gdr then 'gdr'
                                                           when b.has_qfe then 'qfe' else '' end) as part, b.patch_id,
               case when b.ordinal is not null and r.ordinals > 1
                    then format('which level it has is not known for certain (%s), and so not which branch of the patch it gets',
                                case when isempty(hp.levels) then 'its files disagree' else level_range_text(hp.product_id, hp.levels) end)
               end as doubt
        from host_product hp
        join overlay_branch b using (product_id)
        left join overlay_side s on s.host_id = hp.host_id and s.patch_id = b.patch_id
        -- A host whose files disagree, and that declares nothing, may get the branch of any level.
        left join overlay_reached w on w.product_id = hp.product_id
        cross join lateral (select coalesce(w.levels, hp.declared, case when not isempty(hp.levels) then hp.levels
                                                              else int4range(null, null) end) as levels) l
        cross join lateral (select count(distinct o.ordinal) as ordinals from overlay_branch o
                            where o.patch_id = b.patch_id and o.ordinal <@ l.levels) r
        where hp.host_id in (select unnest(overlay_hosts.chosen))
          and (b.ordinal is null or b.ordinal <@ l.levels
               or not exists (select from overlay_branch o where o.patch_id = b.patch_id and o.ordinal is not null))
        order by hp.host_id, b.patch_id, b.ordinal is null, not (b.has_gdr or b.has_qfe), b.stem = '', b.stem
    )
    select host_id, plan, reading, row_number() over (order by plan, host_id), since, doubt
    from (
        select h.host_id, c.plan, c.doubt, evenkeel.host_reading(f.facts) as reading,
               array[i.valid_from, f.valid_from] as since
        from host h
        join host_inventory_current i using (host_id)
        left join host_facts_current f using (host_id)
        left join (select host_id, string_agg(part, ' ' order by patch_id) as parts, min(doubt) as doubt,
                          bool_or(t.placed) as placed
                   from chosen join overlay_patch t using (patch_id) group by host_id) g using (host_id)
        cross join lateral (select g.parts || case when g.placed
                                                    then format(E'\n%s%s', case when (evenkeel.program_places(f.facts) ->> 'wide')::boolean
                                                                                then 'wide' end,
                                                                evenkeel.reading_programs(evenkeel.host_reading(f.facts)))
                                                    else '' end as plan,
                                   coalesce(g.doubt, case when g.placed then evenkeel.untold_programs(h.host_id, f.facts) end) as doubt) c
        where h.host_id in (select unnest(overlay_hosts.chosen))
        -- All that a host says of itself need not be sorted.
        offset 0
    ) x;
    analyze overlay_host
$$;
comment on function evenkeel.overlay_hosts(uuid[]) is 'Fills overlay_host with these hosts, and what each gets.';

create or replace function evenkeel.overlay_files()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Of files that a table names without a version, or that the payload should have and has not, it is only known that they would change.
    insert into overlay_plan_file (plan, patch_id, name, location, machine, version, image_id, images, doubt)
    with part as materialized (
        select k.plan, split_part(w.part, ':', 1)::integer as patch_id, split_part(w.part, ':', 2) as stem,
          split_part(w.part, ':', 3) as side, starts_with(split_part(k.plan, E'\n', 2), 'wide') as wide
        from (select distinct plan from overlay_host where plan is not null) k
        cross join unnest(evenkeel.plan_parts(k.plan)) w (part)
    ), brought as materialized (
        select r.plan, p.patch_id, p.has_payload, t.code, regexp_replace(pf.file, '^.*/', '') as name,
               case when pf.file like '%/%' then evenkeel.place_on_host(pf.file, p.narrow, r.wide) end as location,
               coalesce(i.machine, pf.machine) as machine, pf.machine as for_machine,
               coalesce(i.file_version, pf.version) as version, pf.image_id, pf.other_images, pf.branch, pf.payload_paths
        from part r
        join overlay_patch p using (patch_id)
        join patch t using (patch_id)
        join patch_table pf on pf.patch_id = p.patch_id
             and (pf.branch = '' or (evenkeel.branch_stem(pf.branch) = r.stem
                                     and (r.side in ('', 'either') or evenkeel.branch_side(pf.branch) in ('', r.side))))
        left join image i on i.image_id = pf.image_id
    ), payload as materialized (
        select plan, patch_id, code, name, location, machine, max(version) as version,
               array_agg(distinct o.id order by o.id) as images
        from brought cross join unnest(image_id || other_images) o (id) where image_id is not null
        group by plan, patch_id, code, name, location, machine
    )
    select plan, patch_id, name, location, machine, version, case when cardinality(images) = 1 then images[1] end, images, null from payload
    union all
    select b.plan, b.patch_id, b.name, b.location, b.machine, b.version, null, '{}',
           case when b.has_payload then format('the payload of %s has no %s that can be read, which the patch brings: add it whole', b.code,
                                               b.name)
                when b.version is null
                then format('what %s brings of %s is not known: add the patch''s payload (evenkeel patch add)', b.code, b.name) end
    from brought b
    where b.image_id is null
      and (not b.has_payload
           or not exists (select from payload y where (y.plan, y.patch_id, y.name) = (b.plan, b.patch_id, b.name)
                            and (b.for_machine is null or b.for_machine = y.machine)))
$$;
comment on function evenkeel.overlay_files() is 'Fills overlay_plan_file: what each plan of overlay_host brings.';

create or replace function evenkeel.overlay_doubles()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    update overlay_plan_file f set image_id = e.image_id
    from (select images, evenkeel.either_image(images) as image_id
          from (select distinct images from overlay_plan_file where cardinality(images) > 1) d) e
    where e.images = f.images and f.image_id is null;
    insert into overlay_either (image_id, says)
    select f.image_id,
           min(case when k.folders > 1
                    then format('the payload of %s has more than one %s (%s), and which of them lands is not known', t.code, f.name,
                                k.paths)
                    else format('whether it gets %s of the GDR or of the QFE branch of %s is not known', f.name, t.code) end)
    from overlay_plan_file f
    join patch t using (patch_id)
    cross join lateral (
        select max(1 + cardinality(pf.other_images)) as folders, string_agg(distinct w.path, ', ' order by w.path) as paths
        from patch_file pf cross join unnest(pf.payload_paths) w (path)
        where pf.patch_id = f.patch_id and pf.image_id = any (f.images)) k
    where cardinality(f.images) > 1 and not f.image_id = any (f.images)
    group by f.image_id
$$;
comment on function evenkeel.overlay_doubles() is
    'Gives the files of overlay_plan_file that may be one of several an image that stands for all.';

create or replace function evenkeel.overlay_landings()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- Files that are there, in every folder where an installer would look for them: the product's own, and the Windows directory's but for
    -- what only backs up.
    insert into overlay_landing (plan, file_id, action, brought, image_id, doubt)
    select distinct on (pf.plan, f.file_id) pf.plan, f.file_id,
           case when i.image_id = pf.image_id or (pf.image_id is null and i.file_version = pf.version) then 'same'
                when pf.doubt is not null then 'unknown'
                when i.file_version > pf.version then 'keep' else 'replace' end,
           pf.version, pf.image_id,
           -- What the payload lacks changes nothing where the very build is there: of an update that a host told of, all that it kept.
           case when pf.doubt is not null then case when pf.image_id is null and i.file_version = pf.version then null else pf.doubt end
                when pf.location <> p.location and p.location not like '%/dllcache/%'
                then format('the patch brings %s to %s; whether it replaces %s too is not known', pf.name,
                            evenkeel.location_folder(pf.location, pf.plan), p.path) end
    from overlay_plan_file pf
    join overlay_patch t using (patch_id)
    join path p on p.name = pf.name
    join file f using (path_id)
    join image i on i.image_id = f.image_id
    where (pf.machine is null or pf.machine = i.machine)
      and (p.location = pf.location
           or exists (select from path_component pc where pc.path_id = p.path_id and pc.product_id = t.product_id)
           or (p.location like '\%windir\%/%'
               and p.location !~ '^%windir%/(\$|winsxs/|servicepackfiles/|softwaredistribution/|installer/)'))
    order by pf.plan, f.file_id, pf.doubt is not null, pf.location is not distinct from p.location desc, pf.version desc nulls last,
             pf.image_id;

    update overlay_landing l set image_id = coalesce(l.image_id, evenkeel.table_image(p.name, l.brought, i.machine))
    from file f join path p using (path_id) join image i using (image_id)
    where l.action = 'replace' and f.file_id = l.file_id;
    perform evenkeel.make_files(array_agg(path_id order by path_id, image_id), array_agg(image_id order by path_id, image_id))
    from (select distinct f.path_id, l.image_id from overlay_landing l join file f using (file_id) where l.action = 'replace') g;
    update overlay_landing l set new_file_id = n.file_id
    from file o, file n
    where l.action = 'replace' and o.file_id = l.file_id and n.path_id = o.path_id and n.image_id = l.image_id;
    analyze overlay_landing;
end
$$;
comment on function evenkeel.overlay_landings() is
    'Fills overlay_landing: the files that are there where a plan lands, and what becomes of them.';

create or replace function evenkeel.overlay_additions()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- Files that may be new: where the payload says, under each host's own Windows directory. Paths that no host has may be gone by prune;
    -- one that is made here stands under another digest than a host's would, and gives way once a host has it.
    perform evenkeel.store_paths_read(array_agg(sha256(convert_to(n.path, 'utf8'))), array_agg(n.path), n.reading)
    from (select distinct evenkeel.location_path(pf.location, w.reading) as path, w.reading
          from overlay_plan_file pf join (select distinct plan, reading from overlay_host) w using (plan)
          where pf.image_id is not null and pf.location is not null) n
    where not exists (select from path p where p.name = regexp_replace(n.path, '^.*/', '') and p.path = n.path
                                           and p.reading = evenkeel.path_reading(n.path, n.reading))
    group by n.reading;
    insert into overlay_new (plan, reading, name, machine, path_id, image_id)
    select distinct on (pf.plan, w.reading, p.path) pf.plan, w.reading, pf.name, pf.machine, p.path_id, pf.image_id
    from overlay_plan_file pf
    join (select distinct plan, reading from overlay_host) w using (plan)
    join path p on p.name = pf.name and p.path = evenkeel.location_path(pf.location, w.reading)
                   and p.reading = evenkeel.path_reading(p.path, w.reading)
    where pf.image_id is not null
    order by pf.plan, w.reading, p.path, p.digest = sha256(convert_to(p.path, 'utf8')), p.path_id, pf.version desc nulls last, pf.image_id;
    perform evenkeel.make_files(array_agg(path_id order by path_id, image_id), array_agg(image_id order by path_id, image_id))
    from (select distinct path_id, image_id from overlay_new) g;
    update overlay_new o set file_id = f.file_id from file f where (f.path_id, f.image_id) = (o.path_id, o.image_id);
end
$$;
comment on function evenkeel.overlay_additions() is 'Fills overlay_new: the files that a plan adds where they are not there.';

create or replace function evenkeel.overlay_plan(patch_code text, chosen uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.overlay_open();
    delete from overlay_patch; delete from overlay_branch; delete from overlay_side; delete from overlay_host; delete
    from overlay_plan_file;
    delete from overlay_either; delete from overlay_landing; delete from overlay_new;
    insert into overlay_patch
    select t.patch_id, t.product_id, t.has_payload, f.narrow, f.below_programs or (f.narrow and f.in_system)
    from patch t
    cross join lateral (
        select coalesce(bool_and(coalesce(i.machine, pf.machine, 0) = evenkeel.pe_machine_i386()
                                 and pf.file !~ '^(%windir%/syswow64|c:/program files \(x86\))/'), false) as narrow,
               coalesce(bool_or(pf.file ~ '^c:/program files( \(x86\))?/'), false) as below_programs,
               coalesce(bool_or(pf.file like '\%windir\%/system32/%'), false) as in_system
        from patch_table pf left join image i using (image_id) where pf.patch_id = t.patch_id) f
    where t.code = upper(patch_code);
    if not found then
        raise exception 'there is no patch ''%'': add its payload (evenkeel patch add) or import its article (evenkeel catalog import-kb)',
            patch_code;
    end if;
    perform evenkeel.overlay_branches();
    perform evenkeel.overlay_sides(chosen);
    perform evenkeel.overlay_hosts(chosen);
    perform evenkeel.overlay_files();
    perform evenkeel.overlay_doubles();
    perform evenkeel.overlay_landings();
    perform evenkeel.overlay_additions();
end
$$;
comment on function evenkeel.overlay_plan(text, uuid[]) is
    'Works out which files of a patch would land where on these hosts. Stores the (path, image) pairs that this would '
    'make as files: commit before the long part.';
