-- The imports of a state, from what its chunks want to what does not end well.

create or replace function evenkeel.imports_find_hosts()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- Hosts that hold the same files and look for them alike come out alike.
    insert into imports_twin (host_id, lead, windows)
    select h.host_id, first_value(h.host_id) over (
               partition by md5(h.chunk_ids::text),
                            md5(concat_ws('|', f.facts -> 'windows_directory', f.facts -> 'architecture', f.facts -> 'known_dlls',
                                               f.facts -> 'search_path', f.facts -> 'assemblies',
                                               nullif(f.facts -> 'not_seen', '[]'))),
                            f.os_version, k.host_id is not null
               order by h.host_id), evenkeel.windows_number(f.os_version)
    from state_host h
    left join state_facts f using (host_id)
    left join host_checkin k on k.host_id = h.host_id and k.unreadable > 0;
    insert into imports_host_chunk
    select h.host_id, u.chunk_id from state_host h cross join unnest(h.chunk_ids) u (chunk_id)
    where exists (select from imports_twin t where t.lead = h.host_id);
    insert into imports_chunk select distinct chunk_id from imports_host_chunk;
    analyze imports_twin; analyze imports_host_chunk; analyze imports_chunk;
end
$$;
comment on function evenkeel.imports_find_hosts() is 'Fills imports_twin, imports_host_chunk and imports_chunk from state_host.';

create or replace function evenkeel.imports_find_wanted()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    -- What all of these hosts map themselves is not wanted by any.
    least_windows integer := (select min(coalesce(windows, 0)) from imports_twin);
begin
    if exists (select from state_focus) then
        perform evenkeel.imports_focus();
    end if;
    insert into imports_wanted
    select k.chunk_id, x.folder, x.machine, x.need_id
    from imports_chunk c
    join (select * from chunk_imports union all select * from state_overlay_chunk_imports) k using (chunk_id)
    cross join unnest(k.folders, k.machines, k.need_ids) x (folder, machine, need_id)
    where (not exists (select from state_focus) or x.need_id in (select need_id from imports_focused))
      and x.need_id not in (select need_id from import_need where api_set_from <= least_windows)
    union all
    select o.chunk_id, o.folder, o.machine, o.need_id from state_overlay_need o join imports_chunk using (chunk_id);
    analyze imports_wanted;
end
$$;
comment on function evenkeel.imports_find_wanted() is 'Fills imports_wanted with what the chunks of imports_chunk want.';

create or replace function evenkeel.imports_find_contexts()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into imports_program (host_id, folder, redirection)
    select distinct hc.host_id, p.folder, r.redirection
    from imports_host_chunk hc
    join (select chunk_id, program_folders from chunk_imports
          union all select chunk_id, program_folders from state_overlay_chunk_imports) k using (chunk_id)
    cross join unnest(k.program_folders) p (folder)
    left join (select distinct hc.host_id, u.redirection, evenkeel.folder_of(u.redirection) as folder
               from imports_host_chunk hc
               join (select chunk_id, redirections from chunk_imports
                     union all select chunk_id, redirections from state_overlay_chunk_imports) k using (chunk_id)
               cross join unnest(k.redirections) u (redirection)) r on (r.host_id, r.folder) = (hc.host_id, p.folder);
    analyze imports_program;

    insert into imports_context (host_id, folder, machine, own, redirection, windows)
    with folders as (
        select distinct hc.host_id, w.folder, w.machine
        from (select distinct chunk_id, folder, machine from imports_wanted) w join imports_host_chunk hc using (chunk_id)
    ), placed as (
        select f.*, exists (select from imports_program p where (p.host_id, p.folder) = (f.host_id, f.folder)) as has_program,
               t.folder is not null as is_shared, l.windows
        from folders f
        join imports_twin l using (host_id)
        left join imports_tail t using (host_id, machine, folder)
    )
    select host_id, folder, machine, true, null, windows from placed where has_program or not is_shared
    union all
    select host_id, folder, machine, false, null, windows from placed where not has_program
    union all
    select host_id, folder, machine, true, p.redirection, windows from placed join imports_program p using (host_id, folder)
    where p.redirection is not null;
    analyze imports_context;
end
$$;
comment on function evenkeel.imports_find_contexts() is 'Fills imports_program, and imports_context for the folders of imports_wanted.';

create or replace function evenkeel.imports_add_programs()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- What their own DLL may change is looked at in their contexts, and no more.
    with passing as materialized (
        select distinct c.host_id, c.folder, c.machine, c.windows, s.need_id, p.folder as program
        from imports_context c
        join imports_tail t using (host_id, machine, folder)
        join imports_step s on s.context_id = c.context_id and s.root
        join import_need n using (need_id)
        join imports_provider p on p.host_id = c.host_id and p.machine = c.machine and p.name = n.dll
        join imports_program g on (g.host_id, g.folder) = (p.host_id, p.folder)
        left join state_facts f on f.host_id = c.host_id
        where not exists (select from imports_tail o where (o.host_id, o.machine, o.folder) = (p.host_id, p.machine, p.folder))
          and not coalesce(f.facts -> 'known_dlls' ? n.dll, false)
    ), added as (
        insert into imports_context (host_id, folder, machine, own, program, windows)
        select distinct host_id, folder, machine, false, program, windows from passing
        returning context_id, host_id, folder, machine, program
    )
    insert into imports_step (context_id, need_id, root, depth)
    select a.context_id, p.need_id, true, 0 from added a join passing p using (host_id, folder, machine, program)
$$;
comment on function evenkeel.imports_add_programs() is
    'Adds the contexts of programs that have a DLL of their own of a name that files of shared folders import; what is in imports_step '
    'at depth 0 must be resolved.';

create or replace function evenkeel.imports_follow()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    level integer := 0;
    -- What leads on for longer is taken symbol by symbol (chains_expand): a round costs the same however little it finds.
    last_level constant integer := 8;
begin
    insert into imports_step (context_id, need_id, root, depth)
    select distinct c.context_id, w.need_id, true, 0
    from imports_wanted w
    join imports_host_chunk hc using (chunk_id)
    join imports_context c on c.host_id = hc.host_id and c.folder = w.folder and c.machine = w.machine
    join import_need n on n.need_id = w.need_id
    where (n.api_set_from <= c.windows) is not true;
    analyze imports_step;
    perform evenkeel.imports_resolve(0);
    if exists (select from state_focus) then
        perform evenkeel.imports_add_programs();
        perform evenkeel.imports_resolve(0);
    end if;

    -- Forwarders lead on to further DLLs; what comes up again was followed already, so this ends.
    loop
        delete from imports_answer;
        insert into imports_answer (context_id, need_id, image_id)
        select s.context_id, s.need_id, r.image_id
        from imports_step s
        join import_need n using (need_id)
        join imports_resolved r on r.context_id = s.context_id and r.dll = n.dll
        where s.depth = level;
        analyze imports_answer;
        perform evenkeel.imports_read_pairs();
        insert into imports_open_step (context_id, need_id, image_id, root, missing, blind, forward_needs, deep)
        select a.context_id, a.need_id, a.image_id, level = 0, coalesce(p.missing <> '{}', true), coalesce(p.blind, false),
               coalesce(p.forward_needs, '{}'), level = last_level and p.forward_needs <> '{}'
        from imports_answer a
        left join import_pair p on p.need_id = a.need_id and p.image_id = a.image_id
        where p.fine is not true;
        exit when level = last_level;
        insert into imports_step (context_id, need_id, root, depth)
        select distinct a.context_id, o.need_id, false, level + 1
        from imports_answer a
        join imports_open_step s on s.context_id = a.context_id and s.need_id = a.need_id
        join imports_context c on c.context_id = a.context_id
        cross join unnest(s.forward_needs) o (need_id)
        join import_need n on n.need_id = o.need_id
        where (n.api_set_from <= c.windows) is not true
        on conflict (context_id, need_id) do nothing;
        exit when not found;
        level := level + 1;
        analyze imports_step;
        perform evenkeel.imports_resolve(level);
    end loop;

    -- Fine is what is proven to end well; what leads into a circle never is. Few steps are open at all: those that forward or lack
    -- something.
    analyze imports_open_step;
    loop
        delete from imports_open_step s
        where not s.missing and not s.blind and not s.deep
          and not exists (select from unnest(s.forward_needs) o (need_id)
                          join imports_open_step n on n.context_id = s.context_id and n.need_id = o.need_id);
        exit when not found;
    end loop;
end
$$;
comment on function evenkeel.imports_follow() is
    'Follows what is wanted to where it ends, forwarders and all; what is not known to end well is left in imports_open_step.';

create or replace function evenkeel.imports_doubt()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Assemblies hold what isn't collected, KnownDLLs are the system's own, and where not even the system's core was collected, or
    -- programs or folders could not be read, or any program looks behind a link, on a drive that nobody gave or nobody knows where, the
    -- inventory is a partial one. A DLL that was passed over itself, a link or packed, may be the one that is loaded.
    update imports_bad b set reason = 'unknown'
    from imports_context c
    left join state_facts f on f.host_id = c.host_id
    where c.context_id = b.context_id
      and (exists (select from (select n.dll from import_need n where n.need_id = b.need_id
                                union
                                select lower(split_part(l ->> 'to', '!', 1)) from jsonb_array_elements(b.chain) l where l ? 'to') d (dll)
                   where evenkeel.assembly_may_hold(f.facts -> 'assemblies', d.dll)
                      or exists (select from evenkeel.not_seen_entries(f.facts) n
                                 where n.kind in ('link', 'packed', 'unknown')
                                   and (n.what = '' or substring(n.what from '[^/]*$') = d.dll)))
           or (b.reason in ('gone', 'unreachable')
               and (b.reason = 'unreachable'
                    or exists (select from host_checkin k where k.host_id = c.host_id and k.unreadable > 0)
                    or evenkeel.search_unknown(f.facts)
                    or exists (select from evenkeel.not_seen_entries(f.facts) n
                               join imports_tail t on (t.host_id, t.machine) = (c.host_id, c.machine)
                                                  and evenkeel.may_lie_in(t.folder, n.what)
                               where n.kind in ('link', 'other_drive'))
                    or f.facts -> 'known_dlls' ? (b.chain -> -1 ->> 'dll')
                    or (c.windows is null and evenkeel.api_set_from(b.chain -> -1 ->> 'dll') is not null)
                    or exists (select from state_brought g where g.name = b.chain -> -1 ->> 'dll')
                    or not evenkeel.imports_whole(c.host_id, c.machine))));
    update imports_bad b set reason = 'some'
    from imports_context c
    where c.context_id = b.context_id and c.program is not null and b.reason in ('missing', 'gone', 'circle')
$$;
comment on function evenkeel.imports_doubt() is 'Sets right what imports_bad says of what nothing may be said of, or not for certain.';

create or replace function evenkeel.imports_judge()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.imports_open();
    truncate imports_twin, imports_chunk, imports_host_chunk, imports_wanted, imports_tail, imports_program, imports_context,
             imports_provider, imports_resolved, imports_step, imports_answer, imports_open_step, imports_bad, imports_name, imports_asked;
    insert into imports_name values ('kernel32.dll', false), ('ntdll.dll', false);
    perform evenkeel.imports_find_hosts();
    perform evenkeel.imports_read_chunks();
    perform evenkeel.imports_find_wanted();
    if not exists (select from imports_wanted) then
        return;
    end if;
    perform evenkeel.imports_tail();
    perform evenkeel.imports_find_contexts();
    perform evenkeel.imports_follow();
    if exists (select from imports_open_step where root) then
        perform evenkeel.imports_tell();
        perform evenkeel.imports_doubt();
    end if;
end
$$;
comment on function evenkeel.imports_judge() is
    'Resolves the imports of the hosts of state_host: what does not end well stands in imports_bad, by context and symbol.';

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
comment on function evenkeel.imports_focus() is
    'Fills imports_focused with the needs that the images of state_focus may leave unanswered, at once or through forwarders of images '
    'that were compared before.';
