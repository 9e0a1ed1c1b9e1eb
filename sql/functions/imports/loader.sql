-- What the loader would pick on the hosts of a state, and what that leaves unresolved.
--
-- Who loads a file decides where its DLLs are looked for, first of all in the folder of the program. As it is not written anywhere which
-- program loads a DLL, these are the contexts in which a folder's files are judged:
--   own      where the folder has a program: that is the one that loads them; the folder itself comes first
--   shared   system folders, the Windows folder and PATH without a program of their own: any program loads them, and its folder is not
--            known
--   both     any other folder: its files are loaded by their path (services, extensions), with their own folder first or last, as the
--            program that loads them chooses (LOAD_WITH_ALTERED_SEARCH_PATH)
--   program  where a patch is laid over hosts, also: a shared folder's files as loaded by the programs of another folder that has a DLL of
--            its own of a name that they import. Nobody knows whether any of them does, so this is no finding, but never safe either
-- A program for which there is a folder NAME.exe.local looks there first, unless a manifest says otherwise: it is a context more.
-- In each context one file, or none, is picked for a DLL: of the importer's machine, from the system folder if it is a KnownDLL, else the
-- first of: the redirection, the folder (own) or the program's, the system folder (SysWOW64 for x86 where there is one), the Windows
-- folder, PATH, the folder (shared).
-- On ARM64 an x64 program also takes an ARM64X image, which shows it other tables than were read: what it gives is not known then.

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
            from jsonb_array_elements_text(
                     case jsonb_typeof(f.facts -> 'search_path') when 'array' then f.facts -> 'search_path' else '[]' end)
                 with ordinality e (folder, ord)
            cross join lateral (select coalesce(d.given, substring(e.folder from '^[a-z]:/(?:windows|winnt)')) as windows) w
        ) t (folder, rank)
    ) x
    group by host_id, machine, folder
$$;
comment on function evenkeel.imports_tail() is
    'Where any program looks for DLLs behind its own folder, in order, per host and machine; drivers look in their folder last.';

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
comment on function evenkeel.assembly_may_hold(jsonb, text) is
    'Whether a side-by-side assembly of the host may bring a DLL of that name, so that nothing may be said of who imports it.';

create or replace function evenkeel.search_unknown(facts jsonb)
returns boolean language sql immutable parallel safe
as $$
    select exists (select from evenkeel.not_seen_entries(facts) n
                   where n.kind = 'cut' and n.what in ('assemblies', 'search_path') or n.kind = 'no_key' and n.what = 'Session Manager'
                      or n.kind in ('stale_hive', 'damaged_hive') and n.what = 'SYSTEM')
$$;
comment on function evenkeel.search_unknown(jsonb) is
    'Whether not all is known of where programs of the host look for a DLL (PATH, side-by-side assemblies), so that one that is nowhere '
    'else may lie there.';

create or replace function evenkeel.machines_served(machine integer, hybrid integer)
returns integer[] language sql immutable parallel safe
as $$
    select case when machine = evenkeel.pe_machine_arm64() and hybrid <> evenkeel.pe_hybrid_none()
                then array[machine, evenkeel.pe_machine_amd64()] else array[machine] end
$$;
comment on function evenkeel.machines_served(integer, integer) is
    'The machines whose processes load an image: its own, and x64, too, where it is ARM64X, or ARM64 and not told whether it is that.';

create or replace function evenkeel.imports_find_files()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into imports_provider
    select hc.host_id, c.name, c.folder, c.machine, c.image_id, c.path_id, c.unread
    from (select sc.chunk_id, p.name, evenkeel.folder_of(p.path) as folder, m.machine, i.image_id, p.path_id,
                 case when m.machine <> i.machine then i.hybrid end as unread
          from imports_chunk k
          join state_chunk sc using (chunk_id)
          cross join unnest(sc.file_ids) u (file_id)
          join (select f.file_id, f.image_id, p.path_id, p.path, p.name
                from imports_name m join path p on p.name = m.name join file f using (path_id)
                where not m.done) p using (file_id)
          join image i on i.image_id = p.image_id
          cross join unnest(evenkeel.machines_served(i.machine, i.hybrid)) m (machine)) c
    join imports_host_chunk hc using (chunk_id);
    update imports_name set done = true where not done;
    analyze imports_provider;
end
$$;
comment on function evenkeel.imports_find_files() is 'Finds the files of the names that came up since the last time.';

create or replace function evenkeel.imports_resolve(level integer)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into imports_name select distinct n.dll, false from imports_step s join import_need n using (need_id) where s.depth = level
    on conflict (name) do nothing;
    perform evenkeel.imports_find_files();
    truncate imports_asked;
    insert into imports_asked
    select distinct s.context_id, n.dll from imports_step s join import_need n using (need_id) where s.depth = level;
    perform evenkeel.imports_pick();
end
$$;
comment on function evenkeel.imports_resolve(integer) is
    'Picks, for every context and DLL of imports_step at that depth, the file that the loader would.';

create or replace function evenkeel.imports_pick()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    analyze imports_asked;
    insert into imports_resolved (context_id, dll, image_id, path_id, gone)
    select distinct on (w.context_id, w.dll) w.context_id, w.dll, case when r.rank is not null and p.unread is null then p.image_id end,
           case when r.rank is not null and p.unread is null then p.path_id end, p.image_id is null
    from imports_asked w
    join imports_context c using (context_id)
    left join imports_provider p on p.host_id = c.host_id and p.name = w.dll and p.machine = c.machine
    left join imports_tail t on t.host_id = c.host_id and t.machine = c.machine and t.folder = p.folder
    left join state_facts f on f.host_id = c.host_id and t.rank <= 2
    cross join lateral (
        select case when t.rank <= 2 and f.facts -> 'known_dlls' ? w.dll then -2
                    when p.folder = c.redirection then -1
                    when p.folder = coalesce(c.program, case when c.own then c.folder end) then 0
                    when p.folder = c.folder then coalesce(t.rank, 1000)
                    else t.rank end as rank) r
    order by w.context_id, w.dll, r.rank, p.path_id
    on conflict (context_id, dll) do nothing;
    analyze imports_resolved;
end
$$;
comment on function evenkeel.imports_pick() is
    'Picks, for every context and DLL of imports_asked, the file that the loader would; gone where the host has none of that name and '
    'machine at all.';

create or replace function evenkeel.imports_whole(host uuid, wanted_machine integer)
returns boolean language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select exists (select from imports_provider p join imports_tail t using (host_id, machine, folder)
                   where p.host_id = host and p.machine = wanted_machine and p.name in ('kernel32.dll', 'ntdll.dll')
                     and (p.unread is null or p.unread = evenkeel.pe_hybrid_arm64x()))
$$;
comment on function evenkeel.imports_whole(uuid, integer) is
    'Whether the inventory holds the core of the system that programs of this machine run on; else a DLL that is not in it may still be '
    'on the host.';
