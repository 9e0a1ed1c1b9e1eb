-- title: files wait for a restart to be replaced: what is on disk is not what runs
-- scope: host
-- reads: files, facts
-- rank: 5
-- counted: waits for a restart | wait for a restart
--
-- Counted are renames and deletions of component files and of any other program or library, whether these come or go, but not of what
-- installers leave in folders for temporary files; packages in the states 5, 96 and 101; and the flag that Windows itself sets.
--
-- Subject: 'restart'. Evidence:
--   renames                 files that wait: from, to (null: to be deleted), and product and component of the file that changes, null: none
--   rename_count            how many there are; `renames` names at most 200
--   components              product and component of all files that change
--   packages                packages of Component Based Servicing: package, state, meaning
--   reboot_pending          Windows says itself that a restart is pending
with told as materialized (
    -- Taken out of the facts once: they may be large, and every look into them unpacks all of them.
    select f.host_id, host_reading(f.facts) as reading, f.facts -> 'pending_renames' as renames
    from state_facts f
    where jsonb_typeof(f.facts -> 'pending_renames') = 'array' and f.facts -> 'pending_renames' <> '[]'
), renamed as (
    select t.host_id, t.reading, r.value ->> 'from' as source, nullif(r.value ->> 'to', '') as target
    from told t
    cross join jsonb_array_elements(t.renames) r
), changing as (
    -- What a file is renamed to comes, and what it was called goes.
    select r.*, c.changed, c.goes
    from renamed r
    cross join lateral (values (coalesce(r.target, r.source), false), (case when r.target is not null then r.source end, true))
        c (changed, goes)
    where c.changed ~ '\.(exe|dll|sys|ocx|cpl|drv|scr|ax|acm|efi|com|tsp|mui)$'
), program as materialized (
    select distinct r.host_id, r.changed, path_location(r.changed, r.reading) as location from changing r
), place as materialized (
    select location, array_agg(host_id) as hosts, array_agg(changed) as files from program where location is not null group by location
), glob as materialized (
    select p.product_id, p.code as product, c.code as component, c.exclude, g.glob, component_regex(g.glob) as regex
    from product p
    join component c using (product_id)
    cross join unnest(c.include) g (glob)
    where p.product_id in (select product_id from state_product)
), within as materialized (
    -- Pattern by pattern, each made once, over all places at once.
    select g.product_id, g.product, g.component, g.glob, m.hosts, m.files
    from glob g
    cross join lateral (select * from place where location ~ g.regex offset 0) m
    where not exists (select from unnest(g.exclude) x (glob) where m.location ~ component_regex(x.glob))
), owned as (
    -- 'is true' has the products looked up rather than joined: the planner can't know how many files there are.
    select distinct on (u.host_id, u.changed) u.host_id, u.changed, w.product, w.component
    from within w
    cross join unnest(w.hosts, w.files) u (host_id, changed)
    where ((u.host_id, w.product_id) in (select s.host_id, s.product_id from state_product s)) is true
    order by u.host_id, u.changed, length(w.glob) desc, w.product
), bound as (
    select distinct on (r.host_id, r.source, r.target) r.*, o.product, o.component
    from changing r
    left join owned o using (host_id, changed)
    order by r.host_id, r.source, r.target, o.component is null, r.goes
), waiting as (
    select host_id, count(*) as files, count(component) as component_files,
           coalesce(min(changed) filter (where component is not null), min(changed)) as example,
           jsonb_agg(jsonb_build_object('from', source, 'to', target, 'product', product, 'component', component) order by place)
               filter (where place <= 200) as list,
           jsonb_agg(distinct jsonb_build_object('product', product, 'component', component)) filter (where component is not null)
             as components
    from (select b.*, row_number() over (partition by host_id order by component is null, changed, source) as place
          from bound b
          where component is not null or not ((goes or target is null) and changed ~ '/(temp|tmp|[^/]*\.tmp)/')) counted
    group by host_id
), servicing as (
    select f.host_id, count(*) as packages, bool_or((s.value ->> 'state')::bigint = 101) as partial, min(s.value ->> 'package') as example,
           jsonb_agg(jsonb_build_object('package', s.value ->> 'package', 'state', (s.value ->> 'state')::bigint,
                'meaning', case (s.value ->> 'state')::bigint when 5 then 'uninstall pending' when 96 then 'install pending'
                                else 'partially installed' end) order by s.value ->> 'package') as list
    from state_facts f
    cross join jsonb_array_elements(f.facts -> 'servicing_states') s
    where jsonb_typeof(f.facts -> 'servicing_states') = 'array' and (s.value ->> 'state')::bigint in (5, 96, 101)
    group by f.host_id
), flagged as (
    select host_id, coalesce((facts ->> 'reboot_pending')::boolean, false) as flag from state_facts
)
select host_id, 'restart' as subject,
       case when w.component_files > 0 or s.partial then 'high' else 'medium' end as severity,
       concat_ws('; ',
           case when w.files > 0 then format('%s %s for a restart: %s%s', w.files, case when w.files = 1 then 'file waits'
                                             else 'files wait' end,
                                             w.example, case when w.files > 1 then ', ...' else '' end) end,
           case when s.packages > 0 then format('%s %s under way or half installed: %s', s.packages,
                                                case when s.packages = 1 then 'package is' else 'packages are' end, s.example) end,
           case when f.flag then 'Windows says that a restart is pending' end) as summary,
       jsonb_build_object('renames', coalesce(w.list, '[]'), 'rename_count', coalesce(w.files, 0), 'components',
                          coalesce(w.components, '[]'),
                          'packages', coalesce(s.list, '[]'), 'reboot_pending', f.flag) as evidence
from flagged f
left join waiting w using (host_id)
left join servicing s using (host_id)
where w.files > 0 or s.packages > 0 or f.flag
