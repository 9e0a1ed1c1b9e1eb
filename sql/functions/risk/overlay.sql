-- A patch laid over hosts: which of its files are for which hosts, where they land, and the chunks that this would make. Each chunk is
-- overlaid once per plan (what a group of hosts would get), however many hosts hold it.

create or replace function evenkeel.overlay_open()
returns void language plpgsql
as $$
begin
    perform evenkeel.imports_open();
    perform evenkeel.state_overlay_open();
    if to_regclass('pg_temp.overlay_patch') is not null then
        return;
    end if;
    create temporary table overlay_patch (patch_id integer primary key, product_id integer, has_payload boolean);
    -- doubt: why what the patch does there can't be judged; null: it can.
    create temporary table overlay_host (host_id uuid primary key, plan text, windows text, place bigint, since timestamptz[], doubt text);
    create temporary table overlay_plan_file (plan text, patch_id integer, branch text, name text, location text, machine integer, version bigint, image_id integer,
                                                  doubt text);
    create temporary table overlay_landing (plan text, file_id integer, action text, brought bigint, image_id integer, new_file_id integer, doubt text,
                                            primary key (plan, file_id));
    create temporary table overlay_new (plan text, windows text, name text, machine integer, path_id integer, image_id integer, file_id integer);
    create temporary table overlay_chunk (plan text, chunk_id bigint, overlay_id bigint, path_ids integer[], replaced integer, same integer, kept jsonb, doubt text,
                                          primary key (plan, chunk_id)) on commit delete rows;
    create temporary table overlay_added (file_ids integer[] primary key, overlay_id bigint) on commit delete rows;
end
$$;
comment on function evenkeel.overlay_open() is 'Prepares a session for laying a patch over hosts.';

create or replace function evenkeel.table_image(name text, version evenkeel.version, machine integer)
returns integer language plpgsql
as $$
declare
    named bytea := sha256(convert_to(format('file of a table: %s %s %s', name, version, machine), 'utf8'));
    id integer;
begin
    insert into evenkeel.image (digest, size, machine, time_date_stamp, size_of_image, checksum, characteristics, file_version, product_version,
        file_flags, file_version_string, product_version_string, product_name, company_name, original_filename, file_description, defects,
        has_symbols, export_names, export_ordinals, forwarders)
    values (named, 0, table_image.machine, 0, 0, 0, 0, table_image.version, table_image.version, 0, '', '', '', '', name, '', 0, false, '{}', '{}', '{}')
    on conflict (digest) do nothing;
    select image_id into id from evenkeel.image i where i.digest = named;
    return id;
end
$$;
comment on function evenkeel.table_image(text, evenkeel.version, integer) is
    'Stands for a file of which a patch''s table tells the version, and nothing is known of its symbols.';

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

create or replace function evenkeel.overlay_plan(patch_code text, host_glob text)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.overlay_open();
    delete from overlay_patch; delete from overlay_host; delete from overlay_plan_file; delete from overlay_landing; delete from overlay_new;
    insert into overlay_patch select patch_id, product_id, has_payload from patch where code = upper(patch_code);
    if not found then
        raise exception 'there is no patch ''%'': add its payload (evenkeel patch add) or import its article (evenkeel catalog import-kb)', patch_code;
    end if;

    -- Per patch and host one branch: that of the host's level, GDR before QFE, since an installer changes the branch only of files that left it.
    insert into overlay_host (host_id, plan, windows, place, since, doubt)
    with branch as (
        select distinct on (b.patch_id, b.branch) b.patch_id, b.product_id, b.branch, l.ordinal
        from (select distinct pf.patch_id, p.product_id, pf.branch
              from overlay_patch p join patch_file pf using (patch_id)) b
        left join level l on l.product_id = b.product_id and b.branch <> '' and starts_with(lower(b.branch), lower(l.code))
        order by b.patch_id, b.branch, length(l.code) desc nulls last
    ), chosen as (
        select distinct on (hp.host_id, b.patch_id) hp.host_id, b.patch_id, b.branch,
               case when b.ordinal is not null and r.ordinals > 1
                    then format('which level it has is not known for certain (%s), and so not which branch of the patch it gets',
                                case when isempty(hp.levels) then 'its files disagree' else level_range_text(hp.product_id, hp.levels) end) end as doubt
        from host_product hp
        join branch b using (product_id)
        -- A host whose files disagree, and that declares nothing, may get the branch of any level.
        cross join lateral (select coalesce(hp.declared, case when not isempty(hp.levels) then hp.levels else int4range(null, null) end) as levels) l
        cross join lateral (select count(distinct o.ordinal) as ordinals from branch o where o.patch_id = b.patch_id and o.ordinal <@ l.levels) r
        where b.ordinal is null or b.ordinal <@ l.levels
           or not exists (select from branch o where o.patch_id = b.patch_id and o.ordinal is not null)
        order by hp.host_id, b.patch_id, b.branch = '', b.ordinal is null, b.branch !~* 'gdr', b.branch
    )
    select host_id, plan, windows, row_number() over (order by plan, host_id), since, doubt
    from (
        select h.host_id, c.plan, c.doubt, coalesce(nullif(f.facts ->> 'windows_directory', ''), 'c:/windows') as windows, array[i.valid_from, f.valid_from] as since
        from host h
        join host_inventory_current i using (host_id)
        left join host_facts_current f using (host_id)
        left join (select host_id, string_agg(patch_id || ':' || branch, ' ' order by patch_id) as plan, min(doubt) as doubt from chosen group by host_id) c
               using (host_id)
        where h.merged_into is null and (host_glob is null or lower(h.name) ~ evenkeel.glob_regex(lower(host_glob)))
        -- All that a host says of itself need not be sorted.
        offset 0
    ) x;
    analyze overlay_host;

    -- Of files that a table names without a version, or that the payload should have and has not, it is only known that they would change.
    insert into overlay_plan_file
    select k.plan, p.patch_id, pf.branch, regexp_replace(pf.file, '^.*/', ''), case when pf.file like '%/%' then pf.file end,
           coalesce(i.machine, pf.machine), coalesce(i.file_version, pf.version), pf.image_id,
           case when pf.image_id is null and (p.has_payload or pf.version is null)
                then format(case when p.has_payload then 'the payload of %s has no %s that can be read, which the patch brings: add it whole'
                                 else 'what %s brings of %s is not known: add the patch''s payload (evenkeel patch add)' end,
                            t.code, regexp_replace(pf.file, '^.*/', '')) end
    from (select distinct plan from overlay_host where plan is not null) k
    cross join unnest(string_to_array(k.plan, ' ')) w (part)
    join overlay_patch p on p.patch_id = split_part(w.part, ':', 1)::integer
    join patch t on t.patch_id = p.patch_id
    join patch_file pf on pf.patch_id = p.patch_id and pf.branch in ('', split_part(w.part, ':', 2))
    left join image i on i.image_id = pf.image_id
    where not p.has_payload or pf.image_id is not null
       or not exists (select from patch_file b join image bi using (image_id)
                      where b.patch_id = pf.patch_id and b.branch in ('', pf.branch) and regexp_replace(b.file, '^.*/', '') = regexp_replace(pf.file, '^.*/', '')
                        and (pf.machine is null or pf.machine = bi.machine));

    -- Files that are there, in every folder where an installer would look for them: the product's own, and the Windows directory's but for
    -- what only backs up.
    insert into overlay_landing (plan, file_id, action, brought, image_id, doubt)
    select distinct on (pf.plan, f.file_id) pf.plan, f.file_id,
           case when pf.doubt is not null then 'unknown'
                when i.image_id = pf.image_id or (pf.image_id is null and i.file_version = pf.version) then 'same'
                when i.file_version > pf.version then 'keep' else 'replace' end,
           pf.version, pf.image_id,
           case when pf.doubt is not null then pf.doubt
                when pf.location <> p.location and p.location not like '%/dllcache/%'
                then format('the patch brings %s to %s; whether it replaces %s too is not known', pf.name, evenkeel.folder_of(pf.location), p.path)
                -- An installer stays on the branch that a file is of.
                when pf.branch ~* 'gdr' and i.file_version < pf.version
                     and exists (select from patch_file q where q.patch_id = pf.patch_id and q.branch ~* 'qfe' and regexp_replace(q.file, '^.*/', '') = pf.name)
                     and exists (select from patch_file q join patch o using (patch_id)
                                 where q.file in (p.name, p.location) and o.product_id = t.product_id and q.version = i.file_version and q.branch ~* 'qfe')
                     and not exists (select from patch_file q join patch o using (patch_id)
                                     where q.file in (p.name, p.location) and o.product_id = t.product_id and q.version = i.file_version and q.branch !~* 'qfe')
                then format('%s is of the QFE branch here, and would get the patch''s file of that branch, which is not what was judged', p.path) end
    from overlay_plan_file pf
    join overlay_patch t using (patch_id)
    join path p on p.name = pf.name
    join file f using (path_id)
    join image i on i.image_id = f.image_id
    where (pf.machine is null or pf.machine = i.machine)
      and (p.location = pf.location
           or exists (select from path_component pc where pc.path_id = p.path_id and pc.product_id = t.product_id)
           or (p.location like '\%windir\%/%' and p.location !~ '^%windir%/(\$|winsxs/|servicepackfiles/|softwaredistribution/|installer/)'))
    order by pf.plan, f.file_id, pf.doubt is not null, pf.location is not distinct from p.location desc, pf.version desc nulls last, pf.image_id;

    update overlay_landing l set image_id = coalesce(l.image_id, evenkeel.table_image(p.name, l.brought, i.machine))
    from file f join path p using (path_id) join image i using (image_id)
    where l.action = 'replace' and f.file_id = l.file_id;
    perform evenkeel.make_files(array_agg(path_id order by path_id, image_id), array_agg(image_id order by path_id, image_id))
    from (select distinct f.path_id, l.image_id from overlay_landing l join file f using (file_id) where l.action = 'replace') g;
    update overlay_landing l set new_file_id = n.file_id
    from file o, file n
    where l.action = 'replace' and o.file_id = l.file_id and n.path_id = o.path_id and n.image_id = l.image_id;
    analyze overlay_landing;

    -- Files that may be new: where the payload says, under each host's own Windows directory. Paths that no host has may be gone by prune;
    -- one that is made here stands under another digest than a host's would, and gives way once a host has it.
    perform evenkeel.store_paths(array_agg(sha256(convert_to(n.path, 'utf8'))), array_agg(n.path))
    from (select distinct replace(pf.location, '%windir%', w.windows) as path
          from overlay_plan_file pf join (select distinct plan, windows from overlay_host) w using (plan)
          where pf.image_id is not null and pf.location is not null) n
    where not exists (select from path p where p.name = regexp_replace(n.path, '^.*/', '') and p.path = n.path);
    insert into overlay_new (plan, windows, name, machine, path_id, image_id)
    select distinct on (pf.plan, w.windows, p.path) pf.plan, w.windows, pf.name, pf.machine, p.path_id, pf.image_id
    from overlay_plan_file pf
    join (select distinct plan, windows from overlay_host) w using (plan)
    join path p on p.name = pf.name and p.path = replace(pf.location, '%windir%', w.windows)
    where pf.image_id is not null
    order by pf.plan, w.windows, p.path, p.digest = sha256(convert_to(p.path, 'utf8')), p.path_id, pf.version desc nulls last, pf.image_id;
    perform evenkeel.make_files(array_agg(path_id order by path_id, image_id), array_agg(image_id order by path_id, image_id))
    from (select distinct path_id, image_id from overlay_new) g;
    update overlay_new o set file_id = f.file_id from file f where (f.path_id, f.image_id) = (o.path_id, o.image_id);
end
$$;
comment on function evenkeel.overlay_plan(text, text) is
    'Works out which files of a patch would land where on the hosts whose names match. Stores the (path, image) pairs that this would '
    'make as files: commit before the long part.';

create or replace function evenkeel.overlay_close()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    truncate overlay_chunk, overlay_added, state_overlay_chunk, state_overlay_chunk_level, state_overlay_chunk_imports, state_overlay_need,
             state_focus, state_brought, imports_bad
$$;
comment on function evenkeel.overlay_close() is 'Takes the overlay off again: the state of this session is what is.';

create or replace function evenkeel.overlay_focus()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select evenkeel.overlay_close();
    insert into state_focus
    select distinct p.name, f.image_id
    from (select new_file_id as file_id from overlay_landing where new_file_id is not null union select file_id from overlay_new) n
    join file f using (file_id) join path p using (path_id);
    -- A patch that changes nothing anywhere still needs judging to be begun once.
    insert into state_focus values ('', 0);
$$;
comment on function evenkeel.overlay_focus() is 'Begins a state with the overlay: what its files may change of imports.';

create or replace function evenkeel.overlay_chunks(hosts uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into overlay_chunk (plan, chunk_id, overlay_id, path_ids, replaced, same, kept, doubt)
    select l.plan, c.chunk_id,
           case when bool_or(l.action = 'replace')
                then (select least(min(s.chunk_id), 0) from state_overlay_chunk s) - row_number() over (order by l.plan, c.chunk_id) end,
           array_agg(p.path_id), count(*) filter (where l.action = 'replace'), count(*) filter (where l.action = 'same'),
           coalesce(jsonb_agg(jsonb_build_object('path', p.path, 'version', version_text(i.file_version), 'brought', version_text(l.brought)) order by p.path)
               filter (where l.action = 'keep'), '[]'), min(l.doubt)
    from (select distinct h.plan, u.chunk_id
          from overlay_host h join host_inventory_current i using (host_id) cross join unnest(i.chunk_ids) u (chunk_id)
          where h.host_id = any (hosts)) held
    join chunk c using (chunk_id)
    cross join unnest(c.file_ids) u (file_id)
    join overlay_landing l on l.plan = held.plan and l.file_id = u.file_id
    join file f on f.file_id = l.file_id
    join path p using (path_id)
    join image i on i.image_id = f.image_id
    where not exists (select from overlay_chunk o where o.plan = held.plan and o.chunk_id = held.chunk_id)
    group by l.plan, c.chunk_id;
    analyze overlay_chunk;

    insert into state_overlay_chunk (chunk_id, file_ids)
    select o.overlay_id, array_agg(coalesce(l.new_file_id, u.file_id) order by u.ord)
    from overlay_chunk o
    join chunk c using (chunk_id)
    cross join unnest(c.file_ids) with ordinality u (file_id, ord)
    left join overlay_landing l on l.plan = o.plan and l.file_id = u.file_id and l.action = 'replace'
    where o.overlay_id is not null and not exists (select from state_overlay_chunk s where s.chunk_id = o.overlay_id)
    group by o.overlay_id;
    analyze state_overlay_chunk;
    perform evenkeel.overlay_levels();
    perform evenkeel.overlay_imports();
end
$$;
comment on function evenkeel.overlay_chunks(uuid[]) is
    'Makes the overlay of every chunk of these hosts that their plan touches, where another host did not before.';

create or replace function evenkeel.overlay_levels()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into state_overlay_chunk_level (chunk_id, component_id, product_id, levels, files, covered, unread, blind, hint, revision)
    select c.chunk_id, fl.component_id, fl.product_id, range_intersect_agg(fl.levels), count(*), count(*) filter (where fl.covered),
           count(*) filter (where fl.unread), count(*) filter (where fl.blind), max(fl.hint), max(fl.revision)
    from state_overlay_chunk c
    cross join unnest(c.file_ids) f (file_id)
    join file_level fl using (file_id)
    where not exists (select from state_overlay_chunk_level o where o.chunk_id = c.chunk_id)
    group by c.chunk_id, fl.component_id, fl.product_id;
$$;
comment on function evenkeel.overlay_levels() is 'What the files of overlaid chunks say together.';

create or replace function evenkeel.overlay_imports()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    truncate imports_chunk;
    insert into imports_chunk select distinct chunk_id from overlay_chunk where overlay_id is not null;
    perform evenkeel.imports_read_chunks();

    -- What was wanted before, plus what the new files want: the importer that is replaced is no longer there to want anything.
    create temporary table if not exists overlay_import (chunk_id bigint, folder text, name text, machine integer, dll text, symbols text[])
        on commit delete rows;
    truncate overlay_import;
    insert into overlay_import
    select c.chunk_id, evenkeel.folder_of(p.path), p.name, i.machine, m.dll, m.symbols
    from state_overlay_chunk c
    cross join unnest(c.file_ids) u (file_id)
    join (select new_file_id as file_id from overlay_landing where new_file_id is not null union select file_id from overlay_new) n using (file_id)
    join file f using (file_id)
    join path p using (path_id)
    join image i using (image_id)
    left join (select m.image_id, evenkeel.import_dll(m.dll) as dll,
                      array_agg(distinct s.symbol) as symbols
               from image_import m
               cross join lateral (select unnest(m.names) union all select '#' || o from unnest(m.ordinals) o) s (symbol)
               where m.image_id in (select image_id from overlay_landing union select image_id from overlay_new)
               group by m.image_id, evenkeel.import_dll(m.dll)) m on m.image_id = i.image_id
    where not exists (select from state_overlay_chunk_imports k where k.chunk_id = c.chunk_id);
    if exists (select from overlay_import) then
        perform evenkeel.lock_imports();
    end if;
    insert into import_need (digest, dll, symbols, api_set_from)
    select distinct on (1) evenkeel.need_digest(dll, symbols), dll, symbols, evenkeel.api_set_from(dll)
    from overlay_import where dll is not null order by 1
    on conflict (digest) do nothing;
    insert into state_overlay_need (chunk_id, folder, machine, need_id)
    select distinct o.chunk_id, o.folder, o.machine, n.need_id
    from overlay_import o join import_need n on n.digest = evenkeel.need_digest(o.dll, o.symbols);
    insert into state_overlay_chunk_imports (chunk_id, folders, machines, need_ids, redirections, program_folders)
    select c.chunk_id, coalesce(k.folders, '{}'), coalesce(k.machines, '{}'), coalesce(k.need_ids, '{}'), coalesce(k.redirections, '{}'),
           coalesce(k.program_folders, '{}') || array(select distinct o.folder from overlay_import o where o.chunk_id = c.chunk_id and o.name ~ '\.exe$')
    from state_overlay_chunk c
    left join overlay_chunk b on b.overlay_id = c.chunk_id
    left join chunk_imports k on k.chunk_id = b.chunk_id
    on conflict (chunk_id) do nothing;
end
$$;
comment on function evenkeel.overlay_imports() is 'What the files of overlaid chunks import.';

create or replace function evenkeel.overlay_state(hosts uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from state_host; delete from state_component; delete from state_product; delete from state_finding;
    create temporary table if not exists overlay_touch (host_id uuid primary key, replaced integer, same integer, kept jsonb, added integer[], doubt text)
        on commit delete rows;
    delete from overlay_touch;
    insert into overlay_touch
    select h.host_id, sum(o.replaced), sum(o.same), coalesce(jsonb_path_query_array(jsonb_agg(o.kept order by o.kept #>> '{0,path}') filter (where o.kept <> '[]'), '$[*][*]'), '[]'),
           '{}', min(o.doubt)
    from overlay_host h
    join host_inventory_current i using (host_id)
    cross join unnest(i.chunk_ids) u (chunk_id)
    join overlay_chunk o on o.plan = h.plan and o.chunk_id = u.chunk_id
    where h.host_id = any (hosts)
    group by h.host_id;
    analyze overlay_touch;

    if exists (select from overlay_new) then
        insert into overlay_touch
        select h.host_id, 0, 0, '[]', '{}', null from overlay_host h
        where h.host_id = any (hosts) and h.plan in (select plan from overlay_new)
        on conflict (host_id) do nothing;
        update overlay_touch t set added = n.file_ids
        from (
            select h.host_id, array_agg(n.file_id order by p.path) as file_ids
            from overlay_host h
            join overlay_touch using (host_id)
            join overlay_new n using (plan, windows)
            join path p on p.path_id = n.path_id
            left join host_facts_current fa using (host_id)
            where not exists (select from host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id)
                              join overlay_chunk o on o.plan = h.plan and o.chunk_id = u.chunk_id
                              where i.host_id = h.host_id and n.path_id = any (o.path_ids))
              and case upper(coalesce(fa.facts ->> 'architecture', '')) when 'X86' then n.machine = evenkeel.pe_machine_i386()
                       when 'AMD64' then n.machine = evenkeel.pe_machine_amd64()
                            or (n.machine = evenkeel.pe_machine_i386() and p.location not like '\%windir\%/system32/%')
                       else true end
            group by h.host_id
        ) n
        where n.host_id = t.host_id;
        insert into overlay_added (file_ids, overlay_id)
        select added, (select least(min(chunk_id), 0) from state_overlay_chunk) - row_number() over ()
        from (select distinct added from overlay_touch where added <> '{}') a
        on conflict (file_ids) do nothing;
        insert into state_overlay_chunk select overlay_id, file_ids from overlay_added on conflict (chunk_id) do nothing;
        perform evenkeel.overlay_levels();
        perform evenkeel.overlay_imports();
    end if;

    insert into state_host (host_id, chunk_ids)
    select h.host_id, n.chunk_ids || case when a.overlay_id is null then '{}' else array[a.overlay_id] end
    from overlay_touch t
    join overlay_host h using (host_id)
    join host_inventory_current i using (host_id)
    left join overlay_added a on a.file_ids = t.added
    cross join lateral (
        select array_agg(coalesce(o.overlay_id, u.chunk_id) order by u.ord) as chunk_ids
        from unnest(i.chunk_ids) with ordinality u (chunk_id, ord)
        left join overlay_chunk o on o.plan = h.plan and o.chunk_id = u.chunk_id
    ) n
    where t.replaced > 0 or t.added <> '{}' or t.doubt is not null;
end
$$;
comment on function evenkeel.overlay_state(uuid[]) is
    'Fills state_host with these hosts as they would be, those only on which anything would change, or may; overlay_touch says what.';
