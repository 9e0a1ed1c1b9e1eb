-- title: the image of a service, or a file that every other host of that product and level has, is not there
-- scope: host
--
-- Unknown is not missing: a file is looked for only where the inventory has other files of the same folder, for a folder that is not
-- collected holds none; a command that can't be read for certain names no file. Disabled services are left alone: nothing starts them.
-- The hosts of a product and level are known by evenkeel.peer_file, which is learnt from the fleet now and then; how many of them it
-- takes stands in evenkeel.setting, missing-file.peers. Of a component most of whose files are not there none is missing: it is
-- not installed.
--
-- Subject: the path, for the image of a service; the product's code, for files that all others have. Evidence:
--   path                    the file that is not there
--   services                the services that need it: name, start, what ('ImagePath' or 'ServiceDll') and command, as in the registry
--   unreadable              entries of the disk that the collector could not read: the file may be one of them
-- or:
--   product, peers          the product's name; the level, architecture and type of the hosts that were compared
--   hosts                   how many others there are, all of which have the files
--   files                   the files: location and component
--   file_count              how many there are; `files` names at most 200
with service as (
    select f.host_id, coalesce(nullif(f.facts ->> 'windows_directory', ''), '') as windows, s.name, coalesce(s.start, 3) as start,
           coalesce(s.type, 16) as type, c.what, c.command
    from state_facts f
    cross join jsonb_to_recordset(f.facts -> 'services') s (name text, start integer, type integer, image_path text, service_dll text)
    cross join lateral (values ('ImagePath', s.image_path), ('ServiceDll', s.service_dll)) c (what, command)
    where jsonb_typeof(f.facts -> 'services') = 'array' and coalesce(s.start, 0) <> 4 and c.command <> ''
), named as materialized (
    select command, windows, service_file(command, windows) as path
    from (select distinct command, windows from service) d
), needed as materialized (
    select s.host_id, n.path, s.name, s.start, s.type, s.what, s.command
    from service s join named n using (command, windows)
    where n.path is not null
), own_chunk as materialized (
    select h.host_id, c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id)
), held as materialized (
    select distinct chunk_id from own_chunk
), spelling as materialized (
    -- What a 32-bit process finds: the loader turns system32 into syswow64 for it.
    select path, spelled
    from (select distinct path from needed) n
    cross join lateral (values (path), (regexp_replace(path, '^([a-z]:/[^/]+)/system32/', '\1/syswow64/'))) s (spelled)
), spelled_file as materialized (
    select s.path, f.file_id
    from spelling s
    join path p on p.name = substring(s.spelled from '[^/]*$') and p.path = s.spelled
    join file f using (path_id)
), present as materialized (
    select distinct o.host_id, x.path
    from (select held.chunk_id, s.path
          from held
          join state_chunk sc using (chunk_id)
          cross join unnest(sc.file_ids) u (file_id)
          join spelled_file s using (file_id)) x
    join own_chunk o using (chunk_id)
), absent as materialized (
    select distinct n.host_id, n.path, substring(n.path from '^(.*)/') as folder
    from needed n
    where not exists (select from present p where p.host_id = n.host_id and p.path = n.path)
), peer as materialized (
    select s.host_id, s.product_id, peers_of(s.levels, s.declared, s.verdict, f.facts) as peers
    from state_product s join state_facts f using (host_id)
), common as materialized (
    select pf.product_id, pf.peers, pf.location, pf.component_id, pf.hosts, pf.lacking
    from (select distinct product_id, peers from peer) g
    join peer_file pf using (product_id, peers)
), common_total as (
    select product_id, peers, component_id, count(*) as files from common group by product_id, peers, component_id
), chunk_common as materialized (
    select k.product_id, k.peers, k.component_id, held.chunk_id, k.location
    from held
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file f using (file_id)
    join path p using (path_id)
    join common k on k.location = p.location
), common_part as materialized (
    select product_id, peers, component_id, chunk_id, count(*) as files
    from chunk_common
    group by product_id, peers, component_id, chunk_id
), incomplete as materialized (
    -- Installed, for most of its files are there, but not whole.
    select pe.host_id, pe.product_id, pe.peers, t.component_id
    from peer pe
    join common_total t using (product_id, peers)
    join common_part cp using (product_id, peers, component_id)
    join own_chunk o on o.host_id = pe.host_id and o.chunk_id = cp.chunk_id
    group by pe.host_id, pe.product_id, pe.peers, t.component_id, t.files
    having sum(cp.files) < t.files and sum(cp.files) * 2 >= t.files
), suspect_chunk as materialized (
    select distinct o.chunk_id
    from own_chunk o where o.host_id in (select host_id from absent union select host_id from incomplete)
), content as materialized (
    select s.chunk_id, p.location, substring(p.path from '^(.*)/') as folder
    from suspect_chunk s
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file f using (file_id)
    join path p using (path_id)
), folder_part as materialized (
    select distinct chunk_id, folder from content
), collected as materialized (
    select distinct o.host_id, fp.folder from own_chunk o join folder_part fp using (chunk_id)
), lost as (
    select a.host_id, a.path from absent a join collected c using (host_id, folder)
), met as materialized (
    select x.host_id, c.product_id, c.location
    from incomplete x
    join own_chunk o using (host_id)
    join chunk_common c using (product_id, peers, component_id, chunk_id)
), unmet as materialized (
    select x.host_id, x.product_id, x.peers, k.location, k.component_id, k.hosts, k.lacking, substring(k.location from '^(.*/)') as folder
    from incomplete x
    join common k using (product_id, peers, component_id)
    where not exists (select from met m where (m.host_id, m.product_id, m.location) = (x.host_id, x.product_id, k.location))
), known_folder as materialized (
    select distinct host_id, path_location(folder || '/') as folder from collected
), unlike_peers as (
    select u.*, row_number() over (partition by u.host_id, u.product_id order by u.location) as place
    from unmet u
    join known_folder c using (host_id, folder)
    where (u.lacking is null or u.lacking = u.host_id)
      and not exists (select from lost l where l.host_id = u.host_id and path_location(l.path) = u.location)
)
select l.host_id, l.path as subject,
       case when coalesce(c.unreadable, 0) > 0 then 'low'
            when min(n.start) <= 2 then 'high'
            when bool_and(n.type in (1, 2, 8)) then 'low'
            else 'medium' end as severity,
       format('%s is not there; %s %s %s it%s', l.path, case when count(distinct n.name) = 1 then 'service' else 'services' end,
              string_agg(distinct n.name, ', ' order by n.name), case when count(distinct n.name) = 1 then 'needs' else 'need' end,
              case when coalesce(c.unreadable, 0) > 0 then format(' (or it is among the %s entries that could not be read)', c.unreadable) else '' end)
           as summary,
       jsonb_build_object('path', l.path, 'unreadable', coalesce(c.unreadable, 0),
                          'services', jsonb_agg(jsonb_build_object('name', n.name, 'start', n.start, 'what', n.what, 'command', n.command)
                                                order by n.name, n.what)) as evidence
from lost l
join needed n using (host_id, path)
left join host_checkin c using (host_id)
group by l.host_id, l.path, c.unreadable
union all
select u.host_id, p.code, 'medium',
       format('%s: %s, which all %s other hosts at %s have, %s not there', p.name,
              case when count(*) = 1 then min(u.location)
                   else format('%s and %s more', min(u.location), count(*) - 1) end,
              min(u.hosts - case when u.lacking is null then 0 else 1 end), level_range_text(p.product_id, coalesce(s.declared, s.levels)),
              case when count(*) = 1 then 'is' else 'are' end),
       jsonb_build_object('product', p.name, 'hosts', min(u.hosts - case when u.lacking is null then 0 else 1 end),
                          'peers', jsonb_build_object('level', level_range_text(p.product_id, coalesce(s.declared, s.levels)),
                                                      'architecture', min(f.facts ->> 'architecture'), 'product_type', min(f.facts ->> 'product_type')),
                          'files', jsonb_agg(jsonb_build_object('location', u.location, 'component', k.code) order by u.location)
                                       filter (where u.place <= 200),
                          'file_count', count(*))
from unlike_peers u
join product p using (product_id)
join component k on k.component_id = u.component_id
join state_product s on s.host_id = u.host_id and s.product_id = u.product_id
join state_facts f on f.host_id = u.host_id
group by u.host_id, p.product_id, p.code, p.name, s.declared, s.levels
