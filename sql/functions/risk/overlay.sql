-- The hosts as they would be with a patch laid over them. Each chunk is overlaid once per plan (what a group of hosts would get), however
-- many hosts hold it.

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
    insert into state_brought select distinct name from overlay_plan_file where location is null and image_id is not null;
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
           case when bool_or(l.action in ('replace', 'remove'))
                then (select least(min(s.chunk_id), 0) from state_overlay_chunk s) - row_number() over (order by l.plan, c.chunk_id) end,
           array_agg(p.path_id), count(*) filter (where l.action in ('replace', 'remove')), count(*) filter (where l.action = 'same'),
           coalesce(jsonb_agg(jsonb_build_object('path', p.path, 'version', version_text(i.file_version),
                                                 'brought', version_text(l.brought)) order by p.path)
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
    left join overlay_landing l on l.plan = o.plan and l.file_id = u.file_id and l.action in ('replace', 'remove')
    where o.overlay_id is not null and l.action is distinct from 'remove'
      and not exists (select from state_overlay_chunk s where s.chunk_id = o.overlay_id)
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
    -- Without a likeness: each counts as like none but itself, which hosts hold in common whose chunk it was.
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
    truncate overlay_import;
    insert into overlay_import
    select c.chunk_id, evenkeel.folder_of(p.path), p.name, i.machine, m.dll, m.symbols
    from state_overlay_chunk c
    cross join unnest(c.file_ids) u (file_id)
    join (select new_file_id as file_id from overlay_landing where new_file_id is not null
          union select file_id from overlay_new) n using (file_id)
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
        perform evenkeel.imports_lock_caches();
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
           coalesce(k.program_folders, '{}')
           || array(select distinct o.folder from overlay_import o where o.chunk_id = c.chunk_id and o.name ~ '\.exe$')
    from state_overlay_chunk c
    left join overlay_chunk b on b.overlay_id = c.chunk_id
    left join chunk_imports k on k.chunk_id = b.chunk_id
    on conflict (chunk_id) do nothing;
end
$$;
comment on function evenkeel.overlay_imports() is 'What the files of overlaid chunks import.';

create or replace function evenkeel.overlay_fits(facts jsonb, machine integer, location text)
returns boolean language sql immutable parallel safe
as $$
    select case upper(coalesce(facts ->> 'architecture', '')) when 'X86' then machine = evenkeel.pe_machine_i386()
                when 'AMD64' then machine = evenkeel.pe_machine_amd64()
                     or (machine = evenkeel.pe_machine_i386() and location not like '\%windir\%/system32/%')
                else true end
$$;
comment on function evenkeel.overlay_fits(jsonb, integer, text) is
    'Whether a new file for such machines is put there on a host of that architecture; of one that is not known: yes.';

create or replace function evenkeel.overlay_state(hosts uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from state_host; delete from state_component; delete from state_product; delete from state_finding;
    delete from overlay_touch;
    insert into overlay_touch
    select h.host_id, sum(o.replaced), sum(o.same),
           coalesce(jsonb_path_query_array(jsonb_agg(o.kept order by o.kept #>> '{0,path}') filter (where o.kept <> '[]'), '$[*][*]'),
                    '[]'),
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
            join overlay_new n using (plan, reading)
            join path p on p.path_id = n.path_id
            left join host_facts_current fa using (host_id)
            where not exists (select from host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id)
                              join overlay_chunk o on o.plan = h.plan and o.chunk_id = u.chunk_id
                              where i.host_id = h.host_id and n.path_id = any (o.path_ids))
              and evenkeel.overlay_fits(fa.facts, n.machine, p.location)
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
    -- A cumulative update declares its own level; what it can't bring to that is then behind it.
    delete from state_update;
    insert into state_update (host_id, ubr)
    select h.host_id, max(t.level_ordinal)
    from state_host h
    join overlay_host o using (host_id)
    join overlay_touch w using (host_id)
    join host_facts_current f using (host_id)
    cross join unnest(evenkeel.plan_parts(o.plan)) n (part)
    join patch t on t.patch_id = split_part(n.part, ':', 1)::integer
    join product p using (product_id)
    where p.follows_os and p.level_kind = 'cumulative update' and t.level_ordinal > f.ubr
    group by h.host_id;
end
$$;
comment on function evenkeel.overlay_state(uuid[]) is
    'Fills state_host with these hosts as they would be, those only on which anything would change, or may; overlay_touch says what, '
    'state_update what they would declare.';
