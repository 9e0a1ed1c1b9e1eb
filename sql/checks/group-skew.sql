-- title: hosts of one group hold a component at different version sets
-- scope: fleet
-- reads: files, facts
-- rank: 5
-- counted: differs from its group | differ from their group
--
-- For hosts that carry the same label (a cluster, a farm) and are each level in themselves; a host whose files are mixed has the finding
-- mixed-level instead and is not compared. The hosts that differ from the majority have the finding; where no version set has more hosts
-- than every other, all have.
--
-- Subject: 'group product/component'. Evidence:
--   group, product, component   the label; their names
--   here                    the hosts at this host's version set: hosts (at most 50 names), host_count
--   majority                the same of the version set that most hosts of the group hold; null where several are equally frequent
--   other                   the same of the version set that this host is compared with: the majority's, or else the most
--                           frequent other one
--   files                   what differs: path, here, other (versions; null: not there); at most 100
--   file_count              how many differ
-- keys
select v.host_id, jsonb_build_array(g.label, v.component_id, v.version_set)::text as key
from state_version_sets(true) v
join component c using (component_id)
join host_group g using (host_id)
where not exists (select from state_product p where p.host_id = v.host_id and p.product_id = c.product_id and p.verdict = 'mixed')
-- widen
-- A key is '["label", component, "version set"]': without its last 37 characters it names what is compared.
with touched as (
    select distinct left(key, -37) as compared from state_key
), counted as (
    select left(k.key, -37) as compared, k.key, count(*) as hosts
    from fleet_key k join touched t on t.compared = left(k.key, -37)
    where k.check_code = 'group-skew'
    group by k.key
), ranked as (
    select c.*, row_number() over (partition by compared order by hosts desc, key) as place,
           count(*) over (partition by compared, hosts) as as_many
    from counted c
)
select k.host_id from ranked r join fleet_key k on k.check_code = 'group-skew' and k.key = r.key
where r.place > 1 or r.as_many > 1
union
select f.host_id
from touched t
join component c on c.component_id = ((t.compared || ']')::jsonb ->> 1)::integer
join product p using (product_id)
join finding f on f.check_code = 'group-skew' and f.closed_at = 'infinity'
              and f.subject = format('%s %s/%s', (t.compared || ']')::jsonb ->> 0, p.code, c.code)
-- verdict
with concerned as materialized (
    select k.host_id, k.key, left(k.key, -37) as compared from fleet_key k join state_host h using (host_id)
    where k.check_code = 'group-skew'
), counted as materialized (
    select left(k.key, -37) as compared, k.key, count(*) as hosts,
           (array_agg(k.host_id order by q.host_id is not null, k.host_id))[1] as holder,
           to_jsonb((array_agg(h.name order by h.name))[:50]) as names
    from fleet_key k
    join (select distinct compared from concerned) t on t.compared = left(k.key, -37)
    join host h on h.host_id = k.host_id
    left join (select distinct host_id from judge_queue) q on q.host_id = k.host_id
    where k.check_code = 'group-skew'
    group by k.key
), ranked as materialized (
    select c.*, row_number() over (partition by compared order by hosts desc, key) as place,
           max(hosts) over (partition by compared) as most,
           count(*) over (partition by compared, hosts) as as_many
    from counted c
), compared as materialized (
    -- Once per two version sets, however many hosts hold them.
    select h.key, h.hosts, h.names, h.holder, o.key as other_key, o.hosts as other_hosts, o.names as other_names, o.holder as other_holder,
           o.as_many = 1 and o.hosts = o.most as has_majority,
           (h.compared || ']')::jsonb ->> 0 as label, ((h.compared || ']')::jsonb ->> 1)::integer as component_id
    from ranked h
    join lateral (select r.* from ranked r where r.compared = h.compared and r.key <> h.key order by r.place limit 1) o on true
    where h.hosts < h.most or h.as_many > 1
), side as materialized (
    select k.key, k.other_key, w.which, p.location, min(i.file_version) as version
    from compared k
    cross join lateral (values ('here', k.holder, k.other_holder), ('other', k.other_holder, k.holder)) w (which, holder, opposite)
    join host_inventory_current v on v.host_id = w.holder
    join host_inventory_current x on x.host_id = w.opposite
    cross join unnest(v.chunk_ids) c (chunk_id)
    join chunk ch on ch.chunk_id = c.chunk_id
    cross join unnest(ch.file_ids) u (file_id)
    join file f using (file_id)
    join path_component pc on pc.path_id = f.path_id and pc.component_id = k.component_id
    join path p on p.path_id = f.path_id
    join image i using (image_id)
    where not c.chunk_id = any (x.chunk_ids) and i.file_version is not null
      and (exists (select from file_level fl where (fl.file_id, fl.product_id) = (f.file_id, pc.product_id))
           or not exists (select from line l where l.product_id = pc.product_id))
    group by 1, 2, 3, 4
), differing as (
    select key, other_key, coalesce(h.location, o.location) as location, h.version as here, o.version as other,
           row_number() over (partition by key, other_key order by (h.version is null or o.version is null),
                              coalesce(h.location, o.location)) as place
    from (select * from side where which = 'here') h
    full join (select * from side where which = 'other') o using (key, other_key, location)
    where h.version is distinct from o.version
), listed as (
    select key, other_key, max(place) as files,
           jsonb_agg(jsonb_build_object('path', location, 'here', version_text(here), 'other', version_text(other)) order by place)
               filter (where place <= 100) as list
    from differing group by key, other_key
)
select n.host_id, format('%s %s/%s', c.label, p.code, cm.code) as subject, 'medium' as severity,
       format('%s in group %s: %s %s here, %s on %s (%s)%s', cm.name, c.label,
              coalesce(l.list #>> '{0,path}', 'files'), coalesce(l.list #>> '{0,here}', 'not there'),
                coalesce(l.list #>> '{0,other}', 'not there'),
              case when c.has_majority then 'the majority' else 'as many others' end,
              (select string_agg(o.name, ', ' order by o.ord) from jsonb_array_elements_text(c.other_names) with ordinality o (name, ord)
               where o.ord <= 3)
              || case when c.other_hosts > 3 then format(' and %s more', c.other_hosts - 3) else '' end,
              case when l.files > 1 then format('; %s files differ', l.files) else '' end) as summary,
       jsonb_build_object('group', c.label, 'product', p.name, 'component', cm.name,
                          'here', jsonb_build_object('hosts', c.names, 'host_count', c.hosts),
                          'majority', case when c.has_majority then jsonb_build_object('hosts', c.other_names, 'host_count',
                            c.other_hosts) end,
                          'other', jsonb_build_object('hosts', c.other_names, 'host_count', c.other_hosts),
                          'files', coalesce(l.list, '[]'), 'file_count', coalesce(l.files, 0)) as evidence
from concerned n
join compared c using (key)
left join listed l on (l.key, l.other_key) = (c.key, c.other_key)
join component cm on cm.component_id = c.component_id
join product p on p.product_id = cm.product_id
