-- What risk can't see: files whose imports or exports were not read, DLLs that nobody collected.

create or replace function evenkeel.image_unread(has_symbols boolean, defects integer, machine integer, hybrid integer)
returns boolean language sql immutable parallel safe
as $$
    select evenkeel.imports_unread(has_symbols, defects) or evenkeel.exports_unread(has_symbols, defects)
           or cardinality(evenkeel.machines_served(machine, hybrid)) > 1
$$;
comment on function evenkeel.image_unread(boolean, integer, integer, integer) is
    'Imports or exports of an image were not read, or not all of them, or not those that x64 processes on ARM64 see.';

create or replace function evenkeel.risk_unread()
returns table (host_id uuid, says text) language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select l.host_id, min(format(case when m.another then '%s runs on ARM64 only'
                                      when cardinality(evenkeel.machines_served(i.machine, i.hybrid)) > 1
                                      then 'what x64 programs on ARM64 see of %s was not read' else 'imports of %s could not be read' end,
                                 l.path))
    from evenkeel.risk_landed() l
    join image i on i.image_id = l.new_image
    left join state_facts f on f.host_id = l.host_id
    cross join lateral (
        select i.hybrid = evenkeel.pe_hybrid_arm64ec() and upper(f.facts ->> 'architecture') is distinct from 'ARM64' as another) m
    where m.another or evenkeel.image_unread(i.has_symbols, i.defects, i.machine, i.hybrid)
    group by l.host_id
$$;
comment on function evenkeel.risk_unread() is
    'Hosts on which a file of the patch would land whose imports could not be read, or that does not run there, and the first such file.';

create or replace function evenkeel.exports_may_go(unread boolean, names text[], ordinals integer[], forwarders text[], new_names text[],
                                                   new_ordinals integer[], new_forwarders text[])
returns boolean language sql immutable parallel safe
as $$
    select unread or not names <@ new_names or not ordinals <@ new_ordinals
           -- Where a forwarder leads to may lack it.
           or not new_forwarders <@ forwarders
$$;
comment on function evenkeel.exports_may_go(boolean, text[], integer[], text[], text[], integer[], text[]) is
    'Whether who imports from an image may lack something once another takes its place, as far as the two images tell.';

create or replace function evenkeel.risk_removed()
returns table (host_id uuid, says text) language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with landed as materialized (
        -- A file that is new takes the place of one of that name that the loader would find in another folder.
        select r.host_id, r.path, r.new_image, coalesce(r.old_image, o.image_id) as old_image
        from evenkeel.risk_landed() r
        left join path other on r.old_image is null and other.name = substring(r.path from '[^/]*$') and other.path <> r.path
        left join file o on o.path_id = other.path_id
        where r.old_image is not null or o.image_id is not null
    ), removing as materialized (
        select p.old_image, p.new_image, n.machine
        from (select distinct old_image, new_image from landed) p
        join image o on o.image_id = p.old_image
        join image n on n.image_id = p.new_image and n.machine = o.machine
        where evenkeel.exports_may_go(evenkeel.image_unread(o.has_symbols, o.defects, o.machine, o.hybrid), o.export_names,
                                      o.export_ordinals, o.forwarders, n.export_names, n.export_ordinals, n.forwarders)
    ), losing as materialized (
        select distinct l.host_id, l.path, r.machine from landed l join removing r using (old_image, new_image)
    ), silent as materialized (
        select f.file_id, p.path, i.machine
        from image i
        join file f using (image_id)
        join path p using (path_id)
        where evenkeel.image_unread(i.has_symbols, i.defects, i.machine, i.hybrid)
          and i.machine in (select machine from removing)
          and exists (select from path_component pc where pc.path_id = f.path_id)
    ), held as materialized (
        -- Each chunk is looked through once, however many hosts hold it.
        select c.chunk_id, s.path, s.machine
        from (select distinct u.chunk_id from state_host h cross join unnest(h.chunk_ids) u (chunk_id)
              where h.host_id in (select l.host_id from losing l)) c
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join silent s using (file_id)
    )
    select l.host_id, min(format('imports of %s were not read: it may need what %s would no longer export', s.path, l.path))
    from losing l
    join state_host h using (host_id)
    cross join unnest(h.chunk_ids) u (chunk_id)
    join held s on s.chunk_id = u.chunk_id and s.machine = l.machine and s.path <> l.path
    group by l.host_id
$$;
comment on function evenkeel.risk_removed() is
    'Hosts on which the patch takes exports away, or may, while the imports of some component file were not read, and the first such '
    'file.';

create or replace function evenkeel.names_symbol(symbol text, names text[], ordinals integer[])
returns boolean language sql immutable parallel safe
as $$ select symbol = any (names) or (symbol like '#%' and substr(symbol, 2) = any (ordinals::text[])) $$;
comment on function evenkeel.names_symbol(text, text[], integer[]) is
    'Whether a symbol, #7 where it is an ordinal, is among names and ordinals.';

create or replace function evenkeel.risk_blind_text(reason text, dll text, chain jsonb)
returns text language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select case when reason = 'blind' then format('the exports of %s were not read: collect it with symbols', last ->> 'path')
                when reason = 'some'
                then format('%s %s: only a program that loads it from there would miss that, and which do is not known',
                            coalesce(last ->> 'path', last ->> 'dll'),
                            case when last ? 'path' then 'does not export it' else 'is nowhere on this host' end)
                when exists (select from state_brought b where b.name = coalesce(last ->> 'dll', risk_blind_text.dll))
                then format('where the patch puts %s is not known', coalesce(last ->> 'dll', risk_blind_text.dll))
                else format('%s was not collected', coalesce(last ->> 'dll', risk_blind_text.dll)) end
    from (select chain -> -1 as last) c
$$;
comment on function evenkeel.risk_blind_text(text, text, jsonb) is
    'Why it can''t be judged whether a symbol is found, as the end of a sentence; arguments as in imports_bad.';

create or replace function evenkeel.risk_blind()
returns table (host_id uuid, says text) language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- What the patch's files import and the files that they replace did not, where nothing can be said of the DLL.
    with blind as materialized (
        select distinct c.host_id, c.folder, c.machine, c.context_id, b.need_id, n.dll, b.symbol, b.reason, b.chain
        from imports_bad b join imports_context c using (context_id) join import_need n using (need_id)
        where b.reason in ('blind', 'unknown', 'unreachable', 'some')
    ), landed as (
        select distinct hc.host_id, p.path, evenkeel.folder_of(p.path) as folder, i.image_id, i.machine, l.old_image
        from (select host_id, chunk_id from imports_host_chunk where chunk_id < 0 and host_id in (select b.host_id from blind b)) hc
        join state_overlay_chunk o using (chunk_id)
        cross join unnest(o.file_ids) u (file_id)
        join (select new_file_id as file_id, f.image_id as old_image
              from overlay_landing l join file f using (file_id) where l.new_file_id is not null
              union select file_id, null from overlay_new) l using (file_id)
        join file f using (file_id)
        join path p using (path_id)
        join image i on i.image_id = f.image_id
        left join (select o2.overlay_id, c.file_ids from overlay_chunk o2 join chunk c using (chunk_id)) was
             on was.overlay_id = hc.chunk_id
        where l.old_image is null
           or exists (select from file x where x.image_id = l.old_image and x.path_id = p.path_id and x.file_id = any (was.file_ids))
    ), wanting as (
        select distinct l.host_id, l.path, b.dll, b.symbol, b.reason, b.chain
        from landed l
        join blind b using (host_id, folder, machine)
        join image_import m on m.image_id = l.image_id and evenkeel.import_dll(m.dll) = b.dll
             and (evenkeel.names_symbol(b.symbol, m.names, m.ordinals) or b.symbol = '')
        where not exists (select from image_import w where w.image_id = l.old_image and evenkeel.import_dll(w.dll) = b.dll
                            and (evenkeel.names_symbol(b.symbol, w.names, w.ordinals) or b.symbol = ''))
    ), becoming as materialized (
        -- What the files that they replace answered, and these may not.
        select distinct b.host_id, b.folder, b.machine, b.need_id, b.dll, b.symbol, b.reason, b.chain
        from blind b
        cross join jsonb_array_elements(b.chain) step
        join landed l on l.host_id = b.host_id and l.path = step ->> 'path'
        join image n on n.image_id = l.image_id
        left join image o on o.image_id = l.old_image
        cross join lateral (select coalesce(step ->> 'forwards', step ->> 'lacks') as symbol) asked
        where l.old_image is null
           or (evenkeel.names_symbol(asked.symbol, o.export_names, o.export_ordinals)
               and not exists (select from unnest(o.forwarders) w where starts_with(w, asked.symbol || '=') and w = any (n.forwarders)))
    ), relying as (
        select distinct b.host_id, p.path, b.dll, b.symbol, b.reason, b.chain
        from becoming b
        join imports_wanted w on (w.folder, w.machine, w.need_id) = (b.folder, b.machine, b.need_id)
        join imports_host_chunk hc on hc.host_id = b.host_id and hc.chunk_id = w.chunk_id
        join state_chunk sc on sc.chunk_id = w.chunk_id
        cross join unnest(sc.file_ids) u (file_id)
        join file f on f.file_id = u.file_id
        join path p on p.path_id = f.path_id and evenkeel.folder_of(p.path) = b.folder
        join image i on i.image_id = f.image_id and i.machine = b.machine
        join image_import m on m.image_id = i.image_id and evenkeel.import_dll(m.dll) = b.dll
             and (evenkeel.names_symbol(b.symbol, m.names, m.ordinals) or b.symbol = '')
        where evenkeel.imports_matter(p.path_id, p.name, p.location, i.image_id, i.file_version)
    )
    select t.host_id, min(format('%s would call %s!%s, and %s', w.path, w.dll, w.symbol,
                                 evenkeel.risk_blind_text(w.reason, w.dll, w.chain)))
    from (select * from wanting union select * from relying) w
    join imports_twin t on t.lead = w.host_id
    group by t.host_id
$$;
comment on function evenkeel.risk_blind() is
    'Hosts on which something that the patch''s files newly import cannot be judged, or that others import from them and the files '
    'before them gave for certain; and the first such import.';
