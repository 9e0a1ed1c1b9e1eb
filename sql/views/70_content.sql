-- What the fleet's files, services and hotfixes are, as dashboards see them.

-- Hosts share most of their chunks: the hosts of a chunk are counted first, then the files of each chunk. Only files that lie at several
-- paths are looked for host by host, for a host that holds a file twice is one host; and for hosts that hold the same of these at once.
create or replace view ops.file_version as
with held as materialized (
    select u.chunk_id, count(*) as hosts
    from evenkeel.shown_host h join evenkeel.host_inventory_current v using (host_id) cross join unnest(v.chunk_ids) u (chunk_id)
    group by u.chunk_id
), here as materialized (
    select u.file_id, sum(h.hosts) as hosts
    from held h join evenkeel.chunk k using (chunk_id) cross join unnest(k.file_ids) u (file_id)
    group by u.file_id
), told as materialized (
    select w.file_id, w.hosts, p.name, p.path, i.file_version, fl.product_id, fl.levels,
           dense_rank() over (order by p.name collate "C", i.file_version, fl.product_id, fl.levels) as kind
    from here w
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id)
    join evenkeel.image i using (image_id)
    left join evenkeel.file_level fl using (file_id)
), kind as materialized (
    select t.kind, t.name, t.file_version, t.product_id, t.levels, sum(t.hosts) as hosts,
           min(t.path collate "C") <> max(t.path collate "C") as several
    from told t group by 1, 2, 3, 4, 5
), scattered as materialized (
    -- Of these, which lie in which chunk.
    select distinct h.chunk_id, t.kind
    from held h
    join evenkeel.chunk k using (chunk_id)
    cross join unnest(k.file_ids) u (file_id)
    join told t using (file_id)
    join kind s on s.kind = t.kind and s.several
), alike as materialized (
    select row_number() over () as set_id, s.chunk_ids, count(*) as hosts
    from (select array_agg(u.chunk_id order by u.chunk_id) as chunk_ids
          from evenkeel.shown_host h join evenkeel.host_inventory_current v using (host_id) cross join unnest(v.chunk_ids) u (chunk_id)
          join (select distinct c.chunk_id from scattered c) c using (chunk_id)
          group by v.host_id) s
    group by s.chunk_ids
), counted as materialized (
    select d.kind, sum(a.hosts) as hosts
    from (select distinct a.set_id, c.kind from alike a cross join unnest(a.chunk_ids) u (chunk_id) join scattered c using (chunk_id)) d
    join alike a using (set_id)
    group by d.kind
), named as materialized (
    select r.product_id, r.levels, p.code as product, evenkeel.level_range_text(r.product_id, r.levels) as level_range,
           lower(r.levels) as lowest_ordinal, upper(r.levels) - 1 as highest_ordinal
    from (select distinct k.product_id, k.levels from kind k where k.product_id is not null) r join evenkeel.product p using (product_id)
), newest as materialized (
    select k.name, k.product_id, max(k.file_version) as file_version from kind k where k.product_id is not null group by 1, 2
)
select k.name as file, evenkeel.version_text(k.file_version) as file_version, n.product, n.level_range, n.lowest_ordinal, n.highest_ordinal,
       coalesce(c.hosts, k.hosts)::bigint as hosts, evenkeel.version_text(w.file_version) as newest_version,
       k.file_version < w.file_version as outdated
from kind k
left join counted c using (kind)
left join named n on n.product_id = k.product_id and n.levels = k.levels
left join newest w on w.name = k.name and w.product_id = k.product_id;
comment on view ops.file_version is
    'A row per file name, version and product that the file may belong to: how many hosts hold it. For those hosts'' names, and their '
    'paths: ops.file_holders().';
comment on column ops.file_version.file is 'The file''s name in lower case, wherever it lies.';
comment on column ops.file_version.file_version is 'VS_FIXEDFILEINFO, a.b.c.d; null where the file has none.';
comment on column ops.file_version.product is 'The product; null: none of the catalogue, or a copy where the product does not keep it.';
comment on column ops.file_version.level_range is 'The levels of the product that the version allows: SP2, SP1..SP2; null: no product.';
comment on column ops.file_version.lowest_ordinal is
    'Where the lower end of that stands among the product''s levels, a greater number being later; null: open, or no product.';
comment on column ops.file_version.highest_ordinal is 'Where the upper end stands; null: open, or no product.';
comment on column ops.file_version.hosts is 'How many hosts hold it, each counted once.';
comment on column ops.file_version.newest_version is
    'The newest version of that name and product that any host holds; null: no product, and versions need not be comparable.';
comment on column ops.file_version.outdated is 'Some host holds a newer version of the same product; null: can''t be told.';

create or replace view ops.service as
select h.name as host,
       s.name as service,
       case when s.start between 0 and 4
            then (array['boot', 'system', 'automatic', 'manual', 'disabled'])[s.start + 1] end as start,
       case when s.type & 11 <> 0 then 'driver' when s.type is not null then 'service' end as kind,
       nullif(s.image_path, '') as image_path,
       (select i.path from evenkeel.service_image('ImagePath', coalesce(s.image_path, ''), s.name, coalesce(s.type, 16), false,
                                                  evenkeel.service_places(f.facts)) i) as image_file,
       nullif(s.service_dll, '') as service_dll,
       (select i.path from evenkeel.service_image('ServiceDll', s.service_dll, s.name, coalesce(s.type, 16),
                                                  s.image_path ~* '[\\/]syswow64[\\/]', evenkeel.service_places(f.facts)) i
        where s.service_dll <> '') as dll_file,
       h.host_id
from evenkeel.shown_host h
join evenkeel.host_facts_current f using (host_id)
cross join jsonb_to_recordset(case jsonb_typeof(f.facts -> 'services') when 'array' then f.facts -> 'services' else '[]' end)
           s (name text, start bigint, type bigint, image_path text, service_dll text);
comment on view ops.service is 'A row per host and service or driver, as the host''s registry has it.';
comment on column ops.service.host is 'The host''s name.';
comment on column ops.service.service is 'The name of its key.';
comment on column ops.service.start is 'boot, system, automatic, manual or disabled; null: none of these.';
comment on column ops.service.kind is 'driver or service.';
comment on column ops.service.image_path is 'ImagePath as it stands there; null: none.';
comment on column ops.service.image_file is
    'The file that this names, folded, from the drive letter; null: none, or none for certain. Whether it is there: the check '
    'missing-file.';
comment on column ops.service.service_dll is 'ServiceDll as it stands there; null: none.';
comment on column ops.service.dll_file is 'The file that this names, where the service loads it from; null: none, or none for certain.';
comment on column ops.service.host_id is 'The host.';

create or replace view ops.hotfix as
select h.name as host,
       x.hotfix,
       x.installed_on,
       x.service_pack,
       x.source,
       (select string_agg(distinct u.state, ', ')
        from evenkeel.host_patch hp cross join lateral unnest(hp.patch_ids, hp.states) u (patch_id, state)
        join evenkeel.patch t using (patch_id)
        where hp.host_id = h.host_id and evenkeel.patch_number(t.code) = x.number) as state,
       (select min(t.title) from evenkeel.patch t where evenkeel.patch_number(t.code) = x.number and t.title <> '') as title,
       h.host_id
from evenkeel.shown_host h
join evenkeel.host_facts_current f using (host_id)
cross join lateral (
    -- Windows may list one in several places, and once as Q, once as KB.
    select evenkeel.patch_number(l.id) as number, min(l.id) as hotfix,
           min(l.install_date) filter (where l.install_date ~ '^\d{4}-\d\d-\d\d$') as installed_on,
           min(nullif(l.service_pack, '')) as service_pack, string_agg(distinct nullif(l.source, ''), ', ') as source
    from jsonb_to_recordset(case jsonb_typeof(f.facts -> 'hotfixes') when 'array' then f.facts -> 'hotfixes' else '[]' end)
         l (id text, source text, service_pack text, install_date text)
    where l.id <> ''
    group by 1
) x;
comment on view ops.hotfix is
    'A row per host and hotfix that its registry lists: evidence, for lists go stale. How its files stand: state, and ops.patch_state.';
comment on column ops.hotfix.host is 'The host''s name.';
comment on column ops.hotfix.hotfix is 'KB973917, Q246009.';
comment on column ops.hotfix.installed_on is 'The day that stands beside it, as text: 2009-12-08; null: none that can be read.';
comment on column ops.hotfix.service_pack is 'The service pack that Windows counts it towards; null: none is named.';
comment on column ops.hotfix.source is 'Where Windows keeps it: hotfix, updates, servicing.';
comment on column ops.hotfix.state is
    'How the patch''s files stand on the host, as in ops.patch_state; null: the catalogue has no such patch of its products.';
comment on column ops.hotfix.title is 'What it is about; null: the catalogue does not know.';
comment on column ops.hotfix.host_id is 'The host.';
