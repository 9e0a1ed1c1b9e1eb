-- What chunks import and what images give: computed once per distinct object, cached for all hosts.

create or replace function evenkeel.imports_read_chunks()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not exists (select from imports_chunk c where not exists (select from chunk_imports k where k.chunk_id = c.chunk_id)
                      and not exists (select from state_overlay_chunk_imports k where k.chunk_id = c.chunk_id)) then
        return;
    end if;
    perform evenkeel.imports_lock_caches();
    delete from imports_unread; delete from imports_unread_file; delete from imports_fresh;
    insert into imports_unread
    select c.chunk_id
    from imports_chunk c
    where not exists (select from chunk_imports k where k.chunk_id = c.chunk_id)
      and not exists (select from state_overlay_chunk_imports k where k.chunk_id = c.chunk_id);
    insert into imports_unread_file
    select u.chunk_id, evenkeel.folder_of(p.path), p.name, i.machine, i.image_id
    from imports_unread u
    join chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) x (file_id)
    join file f using (file_id)
    join path p using (path_id)
    join image i using (image_id);
    analyze imports_unread_file;

    -- The loader passes over a DLL of which nothing is imported.
    insert into imports_fresh
    select f.chunk_id, f.folder, f.machine, evenkeel.import_dll(m.dll), array_agg(distinct s.symbol)
    from imports_unread_file f
    join image_import m using (image_id)
    cross join lateral (select unnest(m.names) union all select '#' || o from unnest(m.ordinals) o) s (symbol)
    group by f.chunk_id, f.folder, f.machine, evenkeel.import_dll(m.dll);
    insert into import_need (digest, dll, symbols, api_set_from)
    select distinct on (1) evenkeel.need_digest(f.dll, f.symbols), f.dll, f.symbols, evenkeel.api_set_from(f.dll)
    from imports_fresh f order by 1
    on conflict (digest) do nothing;

    insert into chunk_imports (chunk_id, folders, machines, need_ids, program_folders, redirections)
    select u.chunk_id, coalesce(n.folders, '{}'), coalesce(n.machines, '{}'), coalesce(n.need_ids, '{}'), coalesce(g.folders, '{}'),
           coalesce(g.redirections, '{}')
    from imports_unread u
    left join (select f.chunk_id, array_agg(f.folder order by f.folder, f.machine, f.dll) as folders,
                      array_agg(f.machine order by f.folder, f.machine, f.dll) as machines,
                      array_agg(k.need_id order by f.folder, f.machine, f.dll) as need_ids
               from imports_fresh f join import_need k on k.digest = evenkeel.need_digest(f.dll, f.symbols)
               group by f.chunk_id) n using (chunk_id)
    left join (select f.chunk_id, array_agg(distinct f.folder) filter (where f.name ~ '\.exe$') as folders,
                      array_agg(distinct f.folder) filter (where f.folder ~ '\.exe\.local$') as redirections
               from imports_unread_file f where f.name ~ '\.exe$' or f.folder ~ '\.exe\.local$'
               group by f.chunk_id) g using (chunk_id)
    on conflict (chunk_id) do nothing;
end
$$;
comment on function evenkeel.imports_read_chunks() is
    'Looks at the chunks of imports_chunk that no state had before; those that a patch would make are told by overlay_imports().';

create or replace function evenkeel.imports_read_pairs()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    added bigint;
begin
    delete from imports_pair_wanted; delete from imports_pair_read; delete from imports_onward;
    insert into imports_pair_wanted
    select w.need_id, w.image_id
    from (select distinct need_id, image_id from imports_answer where image_id is not null) w
    where not exists (select from import_pair p where (p.need_id, p.image_id) = (w.need_id, w.image_id));
    if not found then
        return;
    end if;
    perform evenkeel.imports_lock_caches();
    insert into imports_pair_read
    select w.need_id, w.image_id, m.missing, coalesce(f.symbols, '{}'), coalesce(f.targets, '{}'),
           not i.has_symbols
           or (evenkeel.exports_unread(i.has_symbols, i.defects) and m.missing <> '{}')
    from imports_pair_wanted w
    join import_need n using (need_id)
    join image i using (image_id)
    cross join lateral (
        select array(select unnest(n.symbols)
                     except (select unnest(i.export_names) union all select '#' || o from unnest(i.export_ordinals) o)) as missing) m
    left join lateral (
        select array_agg(left(e, strpos(e, '=') - 1) order by e) as symbols, array_agg(substr(e, strpos(e, '=') + 1) order by e) as targets
        from unnest(i.forwarders) e join unnest(n.symbols) s (symbol) on s.symbol = left(e, strpos(e, '=') - 1)
        where i.forwarders <> '{}') f on true;

    insert into imports_onward
    select p.need_id, p.image_id, t.place, evenkeel.import_dll(substring(t.target from '^(.*)\.')), substring(t.target from '[^.]*$'), null
    from imports_pair_read p
    cross join unnest(p.targets) with ordinality t (target, place)
    where t.target like '%.%';
    update imports_onward o set digest = g.digest
    from (select need_id, image_id, dll, evenkeel.need_digest(dll, array_agg(distinct symbol)) as digest
          from imports_onward group by need_id, image_id, dll) g
    where (g.need_id, g.image_id, g.dll) = (o.need_id, o.image_id, o.dll);
    insert into import_need (digest, dll, symbols, api_set_from)
    select digest, dll, symbols, evenkeel.api_set_from(dll)
    from (select distinct on (digest) digest, dll, array_agg(distinct symbol) as symbols
          from imports_onward group by digest, dll, need_id, image_id order by digest) k
    on conflict (digest) do nothing;

    insert into import_pair
    select p.need_id, p.image_id, p.missing, p.forwarded,
           coalesce(o.needs, '{}'), coalesce(o.symbols, '{}'), p.blind, p.missing = '{}' and not p.blind and p.forwarded = '{}'
    from imports_pair_read p
    left join (select w.need_id, w.image_id, array_agg(k.need_id order by x.place) as needs,
                      array_agg(coalesce(o.symbol, '') order by x.place) as symbols
               from imports_pair_read w
               cross join generate_subscripts(w.forwarded, 1) x (place)
               left join imports_onward o on o.need_id = w.need_id and o.image_id = w.image_id and o.place = x.place
               left join import_need k on k.digest = o.digest
               group by w.need_id, w.image_id) o on o.need_id = p.need_id and o.image_id = p.image_id
    on conflict (need_id, image_id) do nothing;
    get diagnostics added = row_count;
    -- A plan made for the few rows that were there before would go through the many row by row.
    if added > 1000 then
        analyze import_pair, import_need;
    end if;
end
$$;
comment on function evenkeel.imports_read_pairs() is
    'Compares the needs of imports_step with the images that they resolve to, where no state had that pair before.';
