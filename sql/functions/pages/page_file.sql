-- The page of a file: who has which version of it.

create or replace function evenkeel.page_file(name text, version text, page integer)
returns jsonb language plpgsql stable set jit = off set plan_cache_mode = force_custom_plan
set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    per_page constant integer := 100;
    file constant text := lower(name);
    chunks bigint[];
    versions jsonb;
    holders jsonb;
begin
    if not exists (select from path p where p.name = file) then
        return jsonb_build_object('absent', format('No host holds a file ''%s'', or ever did. A file is named without its folder.', file));
    end if;
    select coalesce(array_agg(distinct c.chunk_id), '{}') into chunks
    from path p join file f using (path_id) join chunk c on c.file_ids @> array[f.file_id]
    where p.name = file;
    -- Which hosts hold these chunks stands in their lists alone; all else is looked up for what they hold.
    with held as materialized (
        select v.host_id, u.chunk_id from host_inventory_current v cross join unnest(v.chunk_ids) u (chunk_id)
        where u.chunk_id = any (chunks)
    ), here as materialized (
        select c.chunk_id, p.path, p.location, i.file_version, i.machine, fl.product_id, fl.levels
        from unnest(chunks) w (chunk_id)
        join chunk c using (chunk_id)
        cross join unnest(c.file_ids) u (file_id)
        join file f on f.file_id = u.file_id
        join path p on p.path_id = f.path_id and p.name = file
        join image i on i.image_id = f.image_id
        left join file_level fl on fl.file_id = f.file_id
    ), kind as materialized (
        select k.file_version, k.product_id, k.levels, count(distinct k.host_id) as hosts, min(k.path) as path,
               count(distinct k.path) as paths, min(k.location) as location, min(k.machine) as machine
        from (select t.*, d.host_id from here t join held d using (chunk_id) join shown_host h using (host_id)) k
        group by 1, 2, 3
    ), listed as (
        select h.host_id, h.name, h.shown, t.path, t.file_version, t.product_id, t.levels
        from held d
        join here t using (chunk_id)
        join shown_host h using (host_id)
        where page_file.version is null or version_text(t.file_version) = page_file.version
              or (page_file.version = 'none' and t.file_version is null)
        order by h.name, h.host_id, t.path, t.product_id
        limit per_page * page + 1
    )
    select (select coalesce(jsonb_agg(jsonb_build_object(
                       'version', version_text(k.file_version), 'product', p.code, 'product_name', p.name,
                       'levels', level_range_text(k.product_id, k.levels), 'hosts', k.hosts, 'path', k.path, 'paths', k.paths,
                       'known_as', version_source(file, k.location, k.file_version, k.machine))
                       order by k.file_version desc nulls last, p.code), '[]')
            from kind k left join product p using (product_id)),
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'host_id', l.host_id, 'host', l.name, 'verdict', l.shown, 'path', l.path, 'version', version_text(l.file_version),
                       'product', p.code, 'levels', level_range_text(l.product_id, l.levels))
                       order by l.name, l.host_id, l.path, l.product_id), '[]')
            from listed l left join product p using (product_id))
        into versions, holders;
    return jsonb_build_object(
        'page', 'file', 'at', now(), 'name', file, 'number', page, 'filter', jsonb_build_object('version', page_file.version),
        'versions', versions, 'more', jsonb_array_length(holders) > per_page * page,
        'hosts', (select coalesce(jsonb_agg(h.holder order by h.place), '[]')
                  from jsonb_array_elements(holders) with ordinality h (holder, place)
                  where h.place > per_page * (page - 1) and h.place <= per_page * page));
end
$$;
comment on function evenkeel.page_file(text, text, integer) is
    'The page of a file name as one document: its versions, with what each proves, who brings it and how many hosts hold it, and those '
    'hosts, a hundred a page, of one version (none: without one) or all. absent: no host knows it.';
