-- What the loader would pick on the hosts of a state, and what that leaves unresolved.
--
-- Who loads a file decides where its DLLs are looked for, first of all in the folder of the program. As it is not written anywhere which
-- program loads a DLL, these are the contexts in which a folder's files are judged:
--   own      where the folder has a program: that is the one that loads them; the folder itself comes first
--   shared   system folders, the Windows folder and PATH without a program of their own: any program loads them, and its folder is not known
--   both     any other folder: its files are loaded by their path (services, extensions), with their own folder first or last, as the
--            program that loads them chooses (LOAD_WITH_ALTERED_SEARCH_PATH)
-- In each context one file, or none, is picked for a DLL: of the importer's machine, from the system folder if it is a KnownDLL, else the
-- first of: the folder (own), the system folder (SysWOW64 for x86 where there is one), the Windows folder, PATH, the folder (shared).

create or replace function evenkeel.imports_tail()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into imports_tail (host_id, machine, folder, rank)
    select host_id, machine, folder, min(rank)
    from (
        select w.lead as host_id, m.machine, rtrim(t.folder, '/') as folder, t.rank
        from (select distinct lead from imports_twin) w
        left join state_facts f on f.host_id = w.lead
        cross join (select distinct machine from imports_wanted) m
        cross join lateral (select nullif(f.facts ->> 'windows_directory', '') as given) d
        cross join lateral (
            select windows || sub, rank
            from unnest(case when d.given is not null then array[d.given] else array['c:/windows', 'c:/winnt'] end) windows
            cross join (values ('/syswow64', 1, true), ('/system32', 2, false), ('/system', 3, false), ('', 4, false),
                               ('/system32/drivers', 900, false)) s (sub, rank, x86)
            where case when s.x86 then m.machine = evenkeel.pe_machine_i386()
                       when s.rank = 2 then m.machine <> evenkeel.pe_machine_i386()
                            or upper(coalesce(f.facts ->> 'architecture', '')) not in ('AMD64', 'IA64', 'ARM64')
                       else true end
            union all
            -- On a 64-bit Windows an x86 program that names system32 gets SysWOW64.
            select case when m.machine = evenkeel.pe_machine_i386()
                             and upper(coalesce(f.facts ->> 'architecture', '')) in ('AMD64', 'IA64', 'ARM64')
                             and starts_with(e.folder || '/', w.windows || '/system32/')
                        then w.windows || '/syswow64' || substr(e.folder, length(w.windows || '/system32/')) else e.folder end, 9 + e.ord
            from jsonb_array_elements_text(case jsonb_typeof(f.facts -> 'search_path') when 'array' then f.facts -> 'search_path' else '[]' end)
                 with ordinality e (folder, ord)
            cross join lateral (select coalesce(d.given, substring(e.folder from '^[a-z]:/(?:windows|winnt)')) as windows) w
        ) t (folder, rank)
    ) x
    group by host_id, machine, folder
$$;
comment on function evenkeel.imports_tail() is 'Where any program looks for DLLs behind its own folder, in order, per host and machine; drivers look in their folder last.';

create or replace function evenkeel.assembly_may_hold(assemblies jsonb, dll text)
returns boolean language sql immutable
as $$
    -- An assembly's folder is ARCHITECTURE_NAME_TOKEN_VERSION_...; what it holds isn't collected, but goes by these names.
    select exists (
        select from jsonb_array_elements_text(case jsonb_typeof(assemblies) when 'array' then assemblies else '[]' end) a (folder)
        cross join lateral (select lower(split_part(a.folder, '_', 2)) as name, regexp_replace(dll, '\.[a-z]+$', '') as stem) n
        where n.name = n.stem or n.name like '%.' || n.stem
           or (n.stem = 'comctl32' and n.name like '%common-controls')
           or (n.stem ~ '^msvc[rpm]\d+d?$' and n.name like 'microsoft.vc' || substring(n.stem from '\d+') || '.%crt')
           or (n.stem ~ '^mfcm?\d' and n.name like 'microsoft.vc' || substring(n.stem from '\d+') || '.%mfc%')
           or (n.stem ~ '^atl\d+$' and n.name like 'microsoft.vc' || substring(n.stem from '\d+') || '.%atl')
           or (n.stem ~ '^vcomp\d*d?$' and n.name like 'microsoft.vc%openmp')
           or (n.stem in ('msvcrt', 'msvcirt', 'msvcp60') and n.name = 'microsoft.windows.cplusplusruntime'))
$$;
comment on function evenkeel.assembly_may_hold(jsonb, text) is 'Whether a side-by-side assembly of the host may bring a DLL of that name, so that nothing may be said of who imports it.';

create or replace function evenkeel.imports_resolve(level integer)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- Names that came up since the last round.
    insert into imports_name select distinct n.dll, false from imports_step s join import_need n using (need_id) where s.depth = level
    on conflict (name) do nothing;
    insert into imports_provider
    select hc.host_id, c.name, c.folder, c.machine, c.image_id, c.path_id
    from (select sc.chunk_id, p.name, evenkeel.folder_of(p.path) as folder, i.machine, i.image_id, p.path_id
          from imports_chunk k
          join state_chunk sc using (chunk_id)
          cross join unnest(sc.file_ids) u (file_id)
          join (select f.file_id, f.image_id, p.path_id, p.path, p.name
                from imports_name m join path p on p.name = m.name join file f using (path_id)
                where not m.done) p using (file_id)
          join image i on i.image_id = p.image_id) c
    join imports_host_chunk hc using (chunk_id);
    update imports_name set done = true where not done;
    analyze imports_provider;

    truncate imports_asked;
    insert into imports_asked select distinct s.context_id, n.dll from imports_step s join import_need n using (need_id) where s.depth = level;
    analyze imports_asked;
    insert into imports_resolved (context_id, dll, image_id, path_id, gone)
    select distinct on (w.context_id, w.dll) w.context_id, w.dll, case when r.rank is not null then p.image_id end,
           case when r.rank is not null then p.path_id end, p.image_id is null
    from imports_asked w
    join imports_context c using (context_id)
    left join imports_provider p on p.host_id = c.host_id and p.name = w.dll and p.machine = c.machine
    left join imports_tail t on t.host_id = c.host_id and t.machine = c.machine and t.folder = p.folder
    left join state_facts f on f.host_id = c.host_id and t.rank <= 2
    cross join lateral (
        select case when t.rank <= 2 and f.facts -> 'known_dlls' ? w.dll then -1
                    when p.folder = c.folder then case when c.own then 0 else coalesce(t.rank, 1000) end
                    else t.rank end as rank) r
    order by w.context_id, w.dll, r.rank, p.path_id
    on conflict (context_id, dll) do nothing;
end
$$;
comment on function evenkeel.imports_resolve(integer) is 'Picks, for every context and DLL of imports_step at that depth, the file that the loader would; gone where the host has none of that name and machine at all.';

create or replace function evenkeel.imports_judge()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    level integer := 0;
begin
    perform evenkeel.imports_open();
    truncate imports_twin, imports_chunk, imports_host_chunk, imports_wanted, imports_tail, imports_context, imports_provider, imports_resolved,
             imports_step, imports_answer, imports_open_step, imports_bad, imports_name, imports_asked;
    insert into imports_name values ('kernel32.dll', false), ('ntdll.dll', false);

    -- Hosts that hold the same files and look for them alike come out alike.
    insert into imports_twin
    select h.host_id, first_value(h.host_id) over (
        partition by md5(h.chunk_ids::text), md5(concat_ws('|', f.facts -> 'windows_directory', f.facts -> 'architecture', f.facts -> 'known_dlls',
                                                         f.facts -> 'search_path', f.facts -> 'assemblies')),
                     k.host_id is not null
        order by h.host_id)
    from state_host h
    left join state_facts f using (host_id)
    left join host_checkin k on k.host_id = h.host_id and k.unreadable > 0;
    insert into imports_host_chunk
    select h.host_id, u.chunk_id from state_host h cross join unnest(h.chunk_ids) u (chunk_id)
    where exists (select from imports_twin t where t.lead = h.host_id);
    insert into imports_chunk select distinct chunk_id from imports_host_chunk;
    analyze imports_host_chunk; analyze imports_chunk;
    perform evenkeel.imports_read_chunks();

    if exists (select from state_focus) then
        perform evenkeel.imports_focus();
    end if;
    insert into imports_wanted
    select k.chunk_id, x.folder, x.machine, x.need_id
    from imports_chunk c
    join (select * from chunk_imports union all select * from state_overlay_chunk_imports) k using (chunk_id)
    cross join unnest(k.folders, k.machines, k.need_ids) x (folder, machine, need_id)
    where not exists (select from state_focus)
       or x.need_id in (select need_id from imports_focused)
    union all
    select o.chunk_id, o.folder, o.machine, o.need_id from state_overlay_need o join imports_chunk using (chunk_id);
    analyze imports_wanted;
    if not exists (select from imports_wanted) then
        return;
    end if;

    perform evenkeel.imports_tail();
    insert into imports_context (host_id, folder, machine, own)
    with folders as (
        select distinct hc.host_id, w.folder, w.machine
        from (select distinct chunk_id, folder, machine from imports_wanted) w join imports_host_chunk hc using (chunk_id)
    ), programs as (
        select distinct hc.host_id, p.folder
        from imports_host_chunk hc
        join (select chunk_id, program_folders from chunk_imports union all select chunk_id, program_folders from state_overlay_chunk_imports) k
             using (chunk_id)
        cross join unnest(k.program_folders) p (folder)
    ), placed as (
        select f.*, p.folder is not null as has_program, t.folder is not null as is_shared
        from folders f
        left join programs p using (host_id, folder)
        left join imports_tail t using (host_id, machine, folder)
    )
    select host_id, folder, machine, true from placed where has_program or not is_shared
    union all
    select host_id, folder, machine, false from placed where not has_program;
    analyze imports_context;

    insert into imports_step (context_id, need_id, root, depth)
    select distinct c.context_id, w.need_id, true, 0
    from imports_wanted w
    join imports_host_chunk hc using (chunk_id)
    join imports_context c on c.host_id = hc.host_id and c.folder = w.folder and c.machine = w.machine;

    -- Forwarders lead on to further DLLs; what comes up again was followed already, so this ends.
    loop
        analyze imports_step;
        perform evenkeel.imports_resolve(level);
        analyze imports_resolved;
        delete from imports_answer;
        insert into imports_answer (context_id, need_id, image_id)
        select s.context_id, s.need_id, r.image_id
        from imports_step s
        join import_need n using (need_id)
        join imports_resolved r on r.context_id = s.context_id and r.dll = n.dll
        where s.depth = level;
        analyze imports_answer;
        perform evenkeel.imports_read_pairs();
        insert into imports_open_step (context_id, need_id, image_id, root, missing, blind, forward_needs)
        select a.context_id, a.need_id, a.image_id, level = 0, coalesce(p.missing <> '{}', true), coalesce(p.blind, false), coalesce(p.forward_needs, '{}')
        from imports_answer a
        left join import_pair p on p.need_id = a.need_id and p.image_id = a.image_id
        where p.fine is not true;
        insert into imports_step (context_id, need_id, root, depth)
        select distinct a.context_id, o.need_id, false, level + 1
        from imports_answer a
        join imports_open_step s on s.context_id = a.context_id and s.need_id = a.need_id
        cross join unnest(s.forward_needs) o (need_id)
        where o.need_id is not null
        on conflict (context_id, need_id) do nothing;
        exit when not found;
        level := level + 1;
    end loop;

    -- Fine is what is proven to end well; what leads into a circle never is. Few steps are open at all: those that forward or lack something.
    analyze imports_open_step;
    loop
        delete from imports_open_step s
        where not s.missing and not s.blind
          and not exists (select from unnest(s.forward_needs) o (need_id)
                          join imports_open_step n on n.context_id = s.context_id and n.need_id = o.need_id);
        exit when not found;
    end loop;
    if not exists (select from imports_open_step where root) then
        return;
    end if;

    insert into imports_bad (context_id, need_id, symbol, reason, chain)
    with recursive walk as (
        select s.context_id, s.need_id as root_need, x.symbol as root_symbol, s.need_id, n.dll, x.symbol, '{}'::text[] as seen, '[]'::jsonb as chain
        from imports_open_step s
        join import_need n using (need_id)
        cross join unnest(case when n.symbols = '{}' then array[''] else n.symbols end) x (symbol)
        where s.root
        union all
        select w.context_id, w.root_need, w.root_symbol, p.forward_needs[place.at], n.dll, p.forward_symbols[place.at],
               w.seen || (w.dll || '!' || w.symbol),
               w.chain || jsonb_build_object('path', pa.path, 'version', evenkeel.version_text(i.file_version),
                                             'forwards', w.symbol, 'to', n.dll || '!' || p.forward_symbols[place.at])
        from walk w
        join imports_resolved r on r.context_id = w.context_id and r.dll = w.dll
        join import_pair p on p.need_id = w.need_id and p.image_id = r.image_id
        cross join lateral (select array_position(p.forwarded, w.symbol) as at) place
        join import_need n on n.need_id = p.forward_needs[place.at]
        join path pa on pa.path_id = r.path_id
        join image i on i.image_id = r.image_id
        where place.at is not null and not w.dll || '!' || w.symbol = any (w.seen)
    )
    select w.context_id, w.root_need, w.root_symbol,
           case when w.dll || '!' || w.symbol = any (w.seen) then 'circle'
                when r.image_id is null then case when r.gone then 'gone' else 'unreachable' end
                when p.blind then 'blind' else 'missing' end,
           w.chain || case when r.image_id is null then jsonb_build_object('dll', w.dll)
                           else jsonb_build_object('path', pa.path, 'version', evenkeel.version_text(i.file_version), 'lacks', w.symbol) end
    from walk w
    join imports_resolved r on r.context_id = w.context_id and r.dll = w.dll
    left join import_pair p on p.need_id = w.need_id and p.image_id = r.image_id
    left join path pa on pa.path_id = r.path_id
    left join image i on i.image_id = r.image_id
    where r.image_id is null or (p.blind and w.symbol = any (p.missing)) or w.symbol = any (p.missing) or w.dll || '!' || w.symbol = any (w.seen);

    -- What nothing may be said of: assemblies hold what isn't collected, KnownDLLs are the system's own, and where not even the system's
    -- core was collected, or programs or folders could not be read, the inventory is a partial one.
    update imports_bad b set reason = 'unknown'
    from imports_context c
    left join state_facts f on f.host_id = c.host_id
    where c.context_id = b.context_id
      and (exists (select from (select n.dll from import_need n where n.need_id = b.need_id
                                union select lower(split_part(l ->> 'to', '!', 1)) from jsonb_array_elements(b.chain) l where l ? 'to') d (dll)
                   where evenkeel.assembly_may_hold(f.facts -> 'assemblies', d.dll))
           or (b.reason in ('gone', 'unreachable')
               and (b.reason = 'unreachable'
                    or exists (select from host_checkin k where k.host_id = c.host_id and k.unreadable > 0)
                    or f.facts -> 'known_dlls' ? (b.chain -> -1 ->> 'dll')
                    or not evenkeel.imports_whole(c.host_id, c.machine))));
end
$$;
comment on function evenkeel.imports_judge() is 'Resolves the imports of the hosts of state_host: what does not end well stands in imports_bad, by context and symbol.';

create or replace function evenkeel.imports_whole(host uuid, wanted_machine integer)
returns boolean language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select exists (select from imports_provider p join imports_tail t using (host_id, machine, folder)
                   where p.host_id = host and p.machine = wanted_machine and p.name in ('kernel32.dll', 'ntdll.dll'))
$$;
comment on function evenkeel.imports_whole(uuid, integer) is 'Whether the inventory holds the core of the system that programs of this machine run on; else a DLL that is not in it may still be on the host.';

create or replace function evenkeel.imports_focus()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- Each need once against the images that are new: what they answer in full can't come to lack anything by them.
    truncate imports_answer, imports_focused;
    insert into imports_answer (context_id, need_id, image_id)
    select 0, n.need_id, f.image_id from state_focus f join import_need n on n.dll = f.name;
    analyze imports_answer;
    perform evenkeel.imports_read_pairs();
    insert into imports_focused
    with recursive reached as (
        select a.need_id from imports_answer a join import_pair p using (need_id, image_id) where not p.fine
        union
        select p.need_id from reached r join import_pair p on p.forward_needs <> '{}' and p.forward_needs @> array[r.need_id]
    )
    select n.need_id, n.dll from reached join import_need n using (need_id);
    truncate imports_answer;
    analyze imports_focused;
end
$$;
comment on function evenkeel.imports_focus() is 'Fills imports_focused with the needs that the images of state_focus may leave unanswered, at once or through forwarders of images that were compared before.';

create or replace function evenkeel.imports_matter(path integer, name text, location text, image integer, version evenkeel.version)
returns boolean language sql stable
as $$
    select exists (select from evenkeel.path_component pc where pc.path_id = path)
           or exists (select from evenkeel.patch_file pf where pf.file in (name, location) and (pf.image_id = image or pf.version = imports_matter.version))
           -- Under a Windows directory of another name than the usual, places are no locations.
           or image in (select pf.image_id from evenkeel.patch_file pf where pf.image_id is not null)
$$;
comment on function evenkeel.imports_matter(integer, text, text, integer, evenkeel.version) is 'Whether it matters what a file imports: it is a component''s, or a patch''s.';

create or replace function evenkeel.unresolved_imports()
returns table (host_id uuid, importer text, importer_version evenkeel.version, image_id integer, dll text, symbol text, delay boolean,
               contexts integer, reason text, candidate text, candidate_version evenkeel.version, chain jsonb)
language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.imports_judge();
    return query
    with flagged as (
        select distinct c.host_id, c.folder, c.machine, b.need_id, n.dll
        from imports_bad b
        join imports_context c using (context_id)
        join import_need n using (need_id)
        where b.reason in ('missing', 'gone', 'circle')
    ), importing as (
        select g.host_id, g.folder, g.machine, g.need_id, p.path, i.file_version, i.image_id, g.dll, s.symbol, bool_and(m.delay) as delay
        from flagged g
        join imports_wanted w on (w.folder, w.machine, w.need_id) = (g.folder, g.machine, g.need_id)
        join imports_host_chunk hc on hc.host_id = g.host_id and hc.chunk_id = w.chunk_id
        join state_chunk sc on sc.chunk_id = w.chunk_id
        cross join unnest(sc.file_ids) u (file_id)
        join file f on f.file_id = u.file_id
        join path p on p.path_id = f.path_id and evenkeel.folder_of(p.path) = g.folder
        join image i on i.image_id = f.image_id and i.machine = g.machine
        join image_import m on m.image_id = i.image_id and evenkeel.import_dll(m.dll) = g.dll
        cross join lateral (select unnest(case when m.names = '{}' and m.ordinals = '{}' then array[''] else m.names end)
                            union all select '#' || o from unnest(m.ordinals) o) s (symbol)
        where evenkeel.imports_matter(p.path_id, p.name, p.location, i.image_id, i.file_version)
        group by g.host_id, g.folder, g.machine, g.need_id, p.path, i.file_version, i.image_id, g.dll, s.symbol
    ), judged as (
        -- Every context of what is bad in one of them, so that the good ones are named too.
        select i.*, c.context_id, count(*) over w as contexts, b.reason, b.chain,
               bool_or(b.reason in ('missing', 'gone', 'circle')) over w as any_bad,
               bool_or(b.reason in ('blind', 'unknown', 'unreachable')) over w as any_unknown
        from importing i
        join imports_context c using (host_id, folder, machine)
        left join imports_bad b on (b.context_id, b.need_id, b.symbol) = (c.context_id, i.need_id, i.symbol)
        window w as (partition by i.host_id, i.path, i.dll, i.symbol)
    )
    select t.host_id, j.path, j.file_version, j.image_id, j.dll, j.symbol, j.delay, j.contexts::integer,
           case when j.reason in ('missing', 'gone', 'circle') then j.reason end, p.path, k.file_version, j.chain
    from judged j
    join imports_twin t on t.lead = j.host_id
    left join imports_resolved r on r.context_id = j.context_id and r.dll = j.dll
    left join path p on p.path_id = r.path_id
    left join image k on k.image_id = r.image_id
    where j.any_bad and not j.any_unknown;
end
$$;
comment on function evenkeel.unresolved_imports() is 'A row per host, importer, symbol and context: what the files of components and patches import in vain. reason: missing: not exported; gone: no such DLL; circle: forwarded in a circle; null: this context resolves it.';
