-- What the files of a state import in vain.

create or replace function evenkeel.imports_matter(path integer, name text, location text, image integer, version evenkeel.version)
returns boolean language sql stable
as $$
    -- What .NET's files load their own loader decides, and which of them can't run a Windows without WOW64 or desktop knows.
    select exists (select from evenkeel.path_component pc join evenkeel.product q using (product_id)
                   where pc.path_id = path and not q.beside)
           or exists (select from evenkeel.patch_file pf
                      where pf.file in (name, location) and (pf.image_id = image or pf.version = imports_matter.version))
           -- Under a Windows directory of another name than the usual, places are no locations.
           or image in (select pf.image_id from evenkeel.patch_file pf where pf.image_id is not null)
$$;
comment on function evenkeel.imports_matter(integer, text, text, integer, evenkeel.version) is
    'Whether it matters what a file imports: it is a component''s, or a patch''s.';

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
        where b.reason in ('missing', 'gone', 'circle') and c.program is null
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
        cross join lateral (select unnest(m.names) union all select '#' || o from unnest(m.ordinals) o) s (symbol)
        where evenkeel.imports_matter(p.path_id, p.name, p.location, i.image_id, i.file_version)
        group by g.host_id, g.folder, g.machine, g.need_id, p.path, i.file_version, i.image_id, g.dll, s.symbol
    ), judged as (
        -- Every context of what is bad in one of them, so that the good ones are named too.
        select i.*, c.context_id, count(*) over w as contexts, b.reason, b.chain,
               bool_or(b.reason in ('missing', 'gone', 'circle')) over w as any_bad,
               bool_or(b.reason in ('blind', 'unknown', 'unreachable')) over w as any_unknown
        from importing i
        join imports_context c on (c.host_id, c.folder, c.machine) = (i.host_id, i.folder, i.machine) and c.program is null
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
comment on function evenkeel.unresolved_imports() is
    'A row per host, importer, symbol and context: what the files of components and patches import in vain. reason: missing: not '
    'exported; gone: no such DLL; circle: forwarded in a circle; null: this context resolves it.';
