-- Hosts as dashboards see them.

-- What a filter or an order is most likely to ask for comes from narrow rows; all else is looked up for the rows that are shown.
create or replace view ops.host as
select h.name as host,
       h.seen_at as last_seen,
       coalesce((select coalesce(nullif(f.facts ->> 'product_name', ''), 'unknown')
                   || case when f.service_pack <> '' then ' ' || f.service_pack else '' end
                   || case when f.os_build > 0 then format(' (%s.%s%s)', f.os_version, f.os_build, case when f.ubr > 0 then '.' || f.ubr
                                                           else '' end) else '' end
        from evenkeel.host_facts_current f where f.host_id = h.host_id), 'unknown') as os,
       (select string_agg(distinct evenkeel.level_range_text(p.product_id, p.declared), ', ')
        from evenkeel.deciding_product p where p.host_id = h.host_id) as declared_level,
       h.shown as verdict,
       h.host_id,
       h.taken_at,
       (select i.files from evenkeel.host_inventory_current i where i.host_id = h.host_id) as files,
       (select i.valid_from from evenkeel.host_inventory_current i where i.host_id = h.host_id) as changed_at,
       h.unreadable,
       concat_ws('; ', case when h.pending then evenkeel.pending_text(h.verdict, h.judged_at, h.state_at)
                       when exists (select from evenkeel.judge_queue q where q.host_id = h.host_id) then 'it waits to be judged again'
                       -- Fleet checks bear on findings, not on the verdict.
                       when exists (select from evenkeel.fleet_change f where f.host_id = h.host_id)
                       then 'it is not compared with other hosts yet' end, nullif(
       coalesce((select evenkeel.not_judged_text(n.error) from evenkeel.not_judged n where n.host_id = h.host_id),
                (select coalesce(string_agg(distinct nullif(p.missing, ''), '; '), '')
                 from evenkeel.deciding_product p where p.host_id = h.host_id having count(*) > 0),
                case when h.seen_at is null then 'no snapshot yet'
                     when h.pending then ''
                     else 'no product of the catalogue was found'
                          || case when exists (select from evenkeel.host_product p where p.host_id = h.host_id)
                                  then ' but what stands beside Windows' else '' end end), '')) as missing,
       h.judged_at,
       h.pending or exists (select from evenkeel.judge_queue q where q.host_id = h.host_id)
         or exists (select from evenkeel.fleet_change f where f.host_id = h.host_id) as pending,
       (select n.error from evenkeel.not_judged n where n.host_id = h.host_id) as not_judged,
       (select string_agg(distinct nullif(p.proof, ''), ', ') from evenkeel.deciding_product p where p.host_id = h.host_id) as proof,
       (select sum(p.confirmed)::integer from evenkeel.deciding_product p where p.host_id = h.host_id) as confirmed,
       (select sum(p.countable)::integer from evenkeel.deciding_product p where p.host_id = h.host_id) as countable,
       (select greatest(i.files - coalesce((select sum(p.files) from evenkeel.host_product p where p.host_id = h.host_id), 0), 0)::integer
        from evenkeel.host_inventory_current i where i.host_id = h.host_id) as unassigned,
       coalesce((select evenkeel.not_seen_text(f.facts) from evenkeel.host_facts_current f where f.host_id = h.host_id), '') as not_seen
from evenkeel.shown_host h;
comment on view ops.host is 'A row per host.';
comment on column ops.host.host is 'Its name; two hosts may share one, host_id tells them apart.';
comment on column ops.host.last_seen is 'When its last snapshot was accepted; null: never.';
comment on column ops.host.os is 'Product, service pack and build as its registry declares them.';
comment on column ops.host.declared_level is 'The level that the registry declares, where the catalogue knows it.';
comment on column ops.host.verdict is
  'level, mixed or unknown: the worst of its products; of what stands beside Windows (.NET Framework) only mixed counts. '
  'Never level while its state is newer than that verdict.';
comment on column ops.host.host_id is 'Its identity.';
comment on column ops.host.taken_at is 'When the last snapshot was taken, by the collector''s clock.';
comment on column ops.host.files is 'PE files in its inventory.';
comment on column ops.host.changed_at is 'Since when its files are as they are.';
comment on column ops.host.unreadable is
  'Folders and programs that the collector could not read; other files that can''t be read, such as a database''s, don''t count.';
comment on column ops.host.proof is
  'On what the verdicts rest: catalogue (lists, tables, captures, rules), store (its own component store), fleet (what other hosts '
  'hold); null: on nothing.';
comment on column ops.host.confirmed is 'Files that are proven not older than the level in question ships them.';
comment on column ops.host.countable is
  'Of how many that could be said; those that the level ships as the product was released don''t count.';
comment on column ops.host.unassigned is 'Files that belong to no product of the catalogue that the host has: nothing is said of these.';
comment on column ops.host.not_seen is 'What its collector could not see, or did not; empty: nothing.';
comment on column ops.host.missing is 'What would have to be known for a better verdict; empty: nothing.';
comment on column ops.host.judged_at is 'Since when the verdict stands: when the host was last judged; null: never.';
comment on column ops.host.not_judged is 'Why it could not be judged, which makes it unknown; null: it could.';
comment on column ops.host.pending is
  'Its state is newer than the verdict, or it waits to be judged again (by another catalogue, say), or to be compared with other hosts.';
