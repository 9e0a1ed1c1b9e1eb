-- title: the image of a service, or a file that nearly all other hosts of that product and level have, is not there
-- scope: host
-- reads: files, facts
-- rank: 1
-- counted: lacks a file | lack a file
--
-- Unknown is not missing: a file is looked for only where the inventory has other files of the same folder, for a folder that is not
-- collected holds none; a command that can't be read for certain names no file. Disabled services are left alone: nothing starts them.
-- The hosts of a product and level are known by evenkeel.peer_file, which is learnt from the fleet now and then; how many of them it
-- takes, and how many of them may lack it, too, stands in evenkeel.setting, missing-file.peers and missing-file.others. Of a component
-- most of whose files are not there none is missing: it is not installed.
--
-- Subject: the path, for the image of a service; the product's code, for files that others have. Evidence:
--   path                    the file that is not there
--   services                the services that need it: name, start, what ('ImagePath' or 'ServiceDll') and command, as in the registry
--   unreadable              entries of the disk that the collector could not read: the file may be one of them
--   registry                why what the registry says of the services may be no longer so: stale, damaged; null: it is not
-- or:
--   product, peers          the product's name; the level, architecture and type of the hosts that were compared
--   hosts, of               how many have the files (of several the least), of how many there are at that level
--   files                   the files: location and component
--   file_count              how many there are; `files` names at most 200
--   unreadable              as above
with lost as materialized (
    select * from state_missing_services()
), hive as materialized (
    -- Services that a hive tells which is older than its host, or damaged.
    select f.host_id, min(case n.kind when 'damaged_hive' then 'damaged' else 'stale' end) as state
    from state_facts f cross join lateral evenkeel.not_seen_entries(f.facts) n
    where f.host_id in (select host_id from lost) and n.kind in ('stale_hive', 'damaged_hive') and n.what = 'SYSTEM'
    group by f.host_id
), unlike_peers as materialized (
    select u.*, row_number() over (partition by u.host_id, u.product_id order by u.location) as place
    from (select count(*) from lost) first_of_all
    cross join lateral (select * from state_missing_peers() p where first_of_all.count >= 0) u
), described as materialized (
    -- Once per host, for facts may be large.
    select f.host_id, f.facts ->> 'architecture' as architecture, f.facts ->> 'product_type' as product_type
    from state_facts f where f.host_id in (select host_id from unlike_peers)
)
select l.host_id, l.path as subject,
       case when coalesce(c.unreadable, 0) > 0 or h.state is not null then 'low'
            when min(l.start) <= 2 then 'high'
            when bool_and(l.type in (1, 2, 8)) then 'low'
            else 'medium' end as severity,
       format('%s is not there; %s %s %s it%s%s', l.path, case when count(distinct l.name) = 1 then 'service' else 'services' end,
              string_agg(distinct l.name, ', ' order by l.name), case when count(distinct l.name) = 1 then 'needs' else 'need' end,
              case when coalesce(c.unreadable, 0) > 0
                   then format(' (or it is among %s that could not be read)', evenkeel.counted(c.unreadable, 'entry', 'entries'))
                   else '' end,
              case h.state when 'stale' then ', as a registry says that is older than the host'
                           when 'damaged' then ', as a registry says that is damaged' else '' end)
           as summary,
       jsonb_build_object('path', l.path, 'unreadable', coalesce(c.unreadable, 0), 'registry', h.state,
                          'services', jsonb_agg(jsonb_build_object('name', l.name, 'start', l.start, 'what', l.what, 'command', l.command)
                                                order by l.name, l.what)) as evidence
from lost l
left join host_checkin c using (host_id)
left join hive h using (host_id)
group by l.host_id, l.path, c.unreadable, h.state
union all
select u.host_id, p.code, case when coalesce(c.unreadable, 0) > 0 then 'low' else 'medium' end,
       format('%s: %s, which %s hosts at %s have, %s not there%s', p.name,
              case when count(*) = 1 then min(u.location)
                   else format('%s and %s more', min(u.location), count(*) - 1) end,
              case when min(u.holders) >= max(u.hosts) - 1 then format('all %s other', least(min(u.holders), max(u.hosts) - 1))
                   else format('%s of %s', min(u.holders), max(u.hosts)) end,
              level_range_text(p.product_id, coalesce(s.declared, s.levels)), case when count(*) = 1 then 'is' else 'are' end,
              case when coalesce(c.unreadable, 0) > 0
                   then format(' (or among %s that could not be read)', evenkeel.counted(c.unreadable, 'entry', 'entries')) else '' end),
       jsonb_build_object('product', p.name, 'hosts', min(u.holders), 'of', max(u.hosts), 'unreadable', coalesce(c.unreadable, 0),
                          'peers', jsonb_build_object('level', level_range_text(p.product_id, coalesce(s.declared, s.levels)),
                                                      'architecture', min(f.architecture), 'product_type', min(f.product_type)),
                          'files', jsonb_agg(jsonb_build_object('location', u.location, 'component', k.code) order by u.location)
                                       filter (where u.place <= 200),
                          'file_count', count(*))
from unlike_peers u
join product p using (product_id)
join component k on k.component_id = u.component_id
join state_product s on s.host_id = u.host_id and s.product_id = u.product_id
join described f on f.host_id = u.host_id
left join host_checkin c on c.host_id = u.host_id
group by u.host_id, p.product_id, p.code, p.name, s.declared, s.levels, c.unreadable
