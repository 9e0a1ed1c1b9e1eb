-- What a level ships, taken from a healthy host or from media.

create or replace function evenkeel.capture_from_host(host uuid)
returns void language sql
as $$
    insert into capture_file (path, file_version, machine, time_date_stamp, location)
    select p.path, i.file_version, i.machine, i.time_date_stamp, p.location
    from evenkeel.host_inventory_current h
    cross join unnest(h.chunk_ids) c (chunk_id)
    join evenkeel.chunk using (chunk_id)
    cross join unnest(chunk.file_ids) u (file_id)
    join evenkeel.file f using (file_id)
    join evenkeel.path p on p.path_id = f.path_id
    join evenkeel.image i on i.image_id = f.image_id
    where h.host_id = host and i.file_version is not null
$$;
comment on function evenkeel.capture_from_host(uuid) is 'Fills the temporary table capture_file with the files of a host.';

create or replace function evenkeel.capture_service_pack_files(captured_product text)
returns integer language plpgsql
as $$
declare
    files integer;
begin
    create temporary table service_pack_file on commit drop as
    select c.path, c.file_version, c.machine, c.time_date_stamp, m[1] as name
    from capture_file c cross join lateral regexp_match(c.location, '^%windir%/servicepackfiles/(?:i386|amd64|ia64)/([^/]+)$') m
    where m is not null;
    get diagnostics files = row_count;
    -- The folder is flat: whose place a file is kept for is known by the one of that name that the host itself has.
    create temporary table service_pack_place on commit drop as
    select p.name, c.machine, min(c.location) as location
    from capture_file c
    join evenkeel.path p on p.path = c.path and p.location = c.location
    join evenkeel.path_component pc using (path_id)
    where pc.product_id = evenkeel.product_number(captured_product)
    group by p.name, c.machine
    having count(distinct c.location) = 1;
    delete from capture_file;
    insert into capture_file (path, file_version, machine, time_date_stamp, location)
    select f.path, f.file_version, f.machine, f.time_date_stamp, p.location
    from service_pack_file f join service_pack_place p using (name, machine);
    drop table service_pack_file, service_pack_place;
    return files;
end
$$;
comment on function evenkeel.capture_service_pack_files(text) is
  'Leaves in the temporary table capture_file, of the files of a host, those that its service pack left in ServicePackFiles, each in the '
  'place of the file of that name that the host has, where that is one; how many the folder holds in all.';

create or replace function evenkeel.capture_relation(kind text, level_kind text, at_ordinal integer, released date,
                                                     version evenkeel.version,
                                                     linked bigint, patched boolean)
returns text language sql immutable parallel safe
as $$
    -- Living hosts carry hotfixes: what may be one is no newer on the level itself, and that is all that it says. Where levels are numbers
    -- the link time is a hash, and the version says by itself that it is not newer.
    select case when kind = 'media' then '='
                when level_kind <> 'service pack' then case when evenkeel.version_number(level_kind, version) <= at_ordinal then '='
                  else '<=' end
                when not patched and linked between 1 and extract(epoch from released + 1) then '=' else '<=' end
$$;
comment on function evenkeel.capture_relation(text, text, integer, date, evenkeel.version, bigint, boolean) is
  'What a captured file states of its level: = exactly, where it is from media, or is surely no hotfix; else <= at most.';

create or replace function evenkeel.captured_patch(of_product integer, place integer, location text, version evenkeel.version)
returns boolean language sql stable
as $$
    select exists (select from evenkeel.patch_file pf join evenkeel.patch k using (patch_id)
                   where k.product_id = of_product and pf.version = captured_patch.version and coalesce(k.contained_in > place, true)
                     and pf.file in (captured_patch.location, regexp_replace(captured_patch.location, '^.*/', '')))
$$;
comment on function evenkeel.captured_patch(integer, integer, text, evenkeel.version) is
  'Whether a hotfix that the level does not contain is known to bring just this file.';

create or replace function evenkeel.refresh_captures()
returns void language sql
as $$
    with fresh as materialized (
        select b.ctid as place, evenkeel.capture_relation(b.kind, q.level_kind, b.ordinal, l.released, b.version, b.linked,
                                    evenkeel.captured_patch(b.product_id, b.ordinal, b.file, b.version)) as relation
        from evenkeel.baseline b
        join evenkeel.product q using (product_id)
        join evenkeel.level l using (product_id, ordinal)
        where b.kind = 'captured' and b.linked is not null
    ), gone as (
        delete from evenkeel.baseline b using fresh f where b.ctid = f.place and b.relation <> f.relation returning b.*, f.relation as now
    )
    insert into evenkeel.baseline (product_id, ordinal, file, relation, version, machine, kind, source, editions, linked)
    select g.product_id, g.ordinal, g.file, g.now, g.version, g.machine, g.kind, g.source, g.editions, g.linked from gone g
    on conflict do nothing
$$;
comment on function evenkeel.refresh_captures() is
  'Says anew what captured files state of their levels, for the catalogue may have learnt when those came out, or what hotfixes bring.';

create or replace function evenkeel.capture_baseline(captured_product text, captured_level text, origin text,
                                                     out matched integer, out added integer, out exact integer)
language plpgsql
as $$
declare
    number integer := (select coalesce(q.unit_of, q.product_id) from evenkeel.product q
                       where q.product_id = evenkeel.product_number(captured_product));
    -- Of an instance its own files alone are taken, and hold for all.
    instance text := (select q.unit from evenkeel.product q where q.code = captured_product);
    place integer := evenkeel.level_ordinal(captured_product, captured_level);
    capture_kind text := case when origin like 'media %' then 'media' else 'captured' end;
    before bigint;
    come bigint;
begin
    perform set_config('client_min_messages', 'warning', true);
    drop table if exists captured;
    create temporary table captured on commit drop as
    select p.location, p.file_version, p.machine, case when capture_kind = 'captured' then p.linked end as linked,
           evenkeel.capture_relation(capture_kind, q.level_kind, place, l.released, p.file_version, p.linked,
                                     evenkeel.captured_patch(number, place, p.location, p.file_version)) as relation
    from (select coalesce(location, evenkeel.path_location(path)) as location, file_version, machine, max(time_date_stamp) as linked
          from capture_file group by 1, 2, 3) p
    join evenkeel.product q on q.product_id = number
    join evenkeel.level l on l.product_id = number and l.ordinal = place
    where exists (select from evenkeel.line l where l.product_id = number
             and evenkeel.version_major(p.file_version) = coalesce(l.major, evenkeel.version_major(p.file_version))
             and evenkeel.version_minor(p.file_version) = coalesce(l.minor, evenkeel.version_minor(p.file_version))
             and evenkeel.version_build(p.file_version) = coalesce(l.build, evenkeel.version_build(p.file_version))
             and evenkeel.version_revision(p.file_version) between l.revision_from and l.revision_to)
      and exists (select from evenkeel.component c cross join unnest(c.include) g (glob)
                  where c.product_id = number and p.location ~ evenkeel.component_regex(g.glob)
                    and (instance = '' or (regexp_match(p.location, evenkeel.component_regex(g.glob)))[1] = instance)
                    and not exists (select from unnest(c.exclude) x (glob) where p.location ~ evenkeel.component_regex(x.glob)));
    select count(*), count(*) filter (where relation = '=') into matched, exact from captured;
    if matched = 0 then
        added := 0;
        return;
    end if;
    -- What the same source said before is said anew.
    delete from evenkeel.baseline b
    where b.product_id = number and b.ordinal = place and b.kind = capture_kind and b.source = origin
      and not exists (select from captured c
                      where (c.location, c.relation, c.file_version, c.machine) = (b.file, b.relation, b.version, b.machine));
    get diagnostics before = row_count;
    added := (select count(*) from captured c
              where not exists (select from evenkeel.baseline b
                                where (b.product_id, b.ordinal, b.file, b.relation, b.version, b.machine) =
                                      (number, place, c.location, c.relation, c.file_version, c.machine)));
    insert into evenkeel.baseline as o (product_id, ordinal, file, relation, version, machine, kind, source, linked)
    select number, place, location, relation, file_version, machine, capture_kind, origin, linked from captured
    on conflict (product_id, ordinal, file, relation, version, machine, source) do update set linked = excluded.linked
    where o.linked is distinct from excluded.linked;
    get diagnostics come = row_count;
    if come + before > 0 then
        perform evenkeel.catalog_refresh();
    end if;
end
$$;
comment on function evenkeel.capture_baseline(text, text, text) is
  'Takes the files of the temporary table capture_file that belong to a product''s components as what a level ships; of these so many '
  'exactly so.';
