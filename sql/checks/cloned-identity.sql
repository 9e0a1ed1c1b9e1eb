-- title: hosts share an identity that every machine must have for itself
-- scope: fleet
-- reads: facts
-- rank: 4
-- counted: shares its identity with another | share their identity with others
--
-- Subject: the identity, 'machine-guid <guid>', 'machine-sid <sid>', 'agent-key <first 16 hex digits>'; or 'metabase' for an IIS 4.0 or
-- 5.0 whose metabase is older than the Sysprep clone that the host is: only suspected, hence medium. Domain controllers of one domain share
-- their SID lawfully. A host whose machine keys carry another host's MachineGuid has the finding, that other host has not.
-- Evidence:
--   identity, value         machine-guid, machine-sid, agent-key or metabase; and which
--   hosts                   those that share it: host, host_id, holds ('as its own', or 'in its machine keys'), cell of those in other
--                           cells; at most 100 of each cell
--   host_count              how many there are
--   note                    agent-key: what is known of the key, and the names that it asked for
--   clone_time, metabase_time   metabase: when Sysprep cloned the host, and when the metabase was last written
--   suspected               true where it is no proof
-- keys
with own as (
    select s.host_id, s.facts from state_facts s join host h using (host_id) where h.merged_into is null
)
select host_id, 'machine-guid ' || lower(facts ->> 'machine_guid') as key from own
where facts ->> 'machine_guid' <> '' and facts ->> 'machine_guid' !~ '^[0-]*$'
union all
select o.host_id, 'machine-guid ' || substring(f.name from '^[0-9a-f]{32}_([0-9a-f-]{36})$')
from own o cross join jsonb_array_elements_text(o.facts -> 'machine_keys') f (name)
where o.facts ->> 'machine_guid' <> '' and substring(f.name from '^[0-9a-f]{32}_([0-9a-f-]{36})$') !~ '^[0-]*$'
union all
select host_id, 'machine-sid ' || (facts ->> 'machine_sid') from own
where facts ->> 'machine_sid' <> '' and facts ->> 'machine_sid' <> 'S-1-5-21-0-0-0'
union all
select m.host_id, m.identity from misused_keys() m join own using (host_id)
-- widen
-- Beyond a thousand hosts that share an identity, one more changes nothing that the others' findings say but a number.
select k.host_id
from (select key from state_key s
      where (select count(*) from (select from fleet_key k where k.check_code = 'cloned-identity'
                                   and k.key = s.key limit 1001) few) <= 1000) s
join fleet_key k on k.check_code = 'cloned-identity' and k.key = s.key
-- verdict
with concerned as materialized (
    select distinct k.key from fleet_key k join state_host h using (host_id) where k.check_code = 'cloned-identity'
), sharing as materialized (
    select c.key, split_part(c.key, ' ', 1) as identity, substring(c.key from ' (.*)$') as value, k.host_id, h.name,
           coalesce(f.facts ->> 'product_type', '') = 'domain_controller' as domain_controller,
           c.key not like 'machine-guid %' or 'machine-guid ' || lower(f.facts ->> 'machine_guid') = c.key as own
    from concerned c
    join fleet_key k on k.check_code = 'cloned-identity' and k.key = c.key
    join host h on h.host_id = k.host_id
    join host_facts_current f on f.host_id = k.host_id
), abroad as materialized (
    -- Hosts of other cells, as the fleet database told.
    select c.key, sum(f.owners) as owners, sum(f.sharers) as sharers, sum(f.others) as others,
           jsonb_path_query_array(jsonb_agg(f.hosts order by f.cell), '$[*][*]') as hosts
    from concerned c join foreign_identity f on f.hash = identity_hash(c.key)
    group by c.key
), counted as (
    select s.*, count(*) filter (where s.own) over (partition by s.key) + coalesce(a.owners, 0) as owners,
           count(*) over (partition by s.key) + coalesce(a.sharers, 0) as sharers,
           count(*) filter (where not s.domain_controller) over (partition by s.key) + coalesce(a.others, 0) as others,
           row_number() over (partition by s.key order by s.own desc, s.name, s.host_id) as place
    from sharing s left join abroad a using (key)
), named as materialized (
    select key, n.hosts || coalesce(a.hosts, '[]') as hosts,
           (coalesce(n.names, '{}')
            || coalesce((select array_agg(format('%s (cell %s)', f.host ->> 'host', f.host ->> 'cell') order by f.place)
                         from jsonb_array_elements(a.hosts) with ordinality f (host, place) where f.host ->> 'holds' = 'as its own'),
                        '{}'))[:4] as names
    from (select key, jsonb_agg(jsonb_build_object('host', name, 'host_id', host_id, 'holds', case when own then 'as its own'
                                                   else 'in its machine keys' end)
                                order by place) as hosts,
                 array_agg(name order by place) filter (where own and place <= 4) as names
          from counted where place <= 100 group by key) n
    left join abroad a using (key)
), misused as (
    select identity, concat_ws('; ', nullif(max(note), ''), 'asks for ' || string_agg(distinct asked_name, ', ')) as note
    from misused_keys() group by identity
), found as (
    select c.*, n.hosts, n.names as owner_names, m.note,
           -- Up to three others by name.
           (select string_agg(o.name, ', ' order by o.name)
            from (select o.name from unnest(n.names) with ordinality o (name, ord) where o.name <> c.name order by o.ord limit 3) o)
           || case when c.owners > 4 then format(' and %s more', c.owners - 4) else '' end as other_names
    from counted c
    join state_host using (host_id)
    join named n using (key)
    left join misused m on m.identity = c.key
    where case c.identity
          when 'machine-guid' then case when c.own then c.owners >= 2 else c.owners >= 1 end
          when 'machine-sid' then c.sharers >= 2 and (not c.domain_controller or c.others >= 1)
          else true end
)
select host_id, key as subject, 'high' as severity,
       case when identity = 'agent-key'
            then format('the collector''s key %s is used from more than one machine%s%s', value, coalesce(', also by ' || other_names, ''),
                        coalesce(': ' || nullif(note, ''), ''))
            when not own then format('its machine keys carry the MachineGuid %s, which is that of %s', value,
                                     (select string_agg(o.name, ', ' order by o.name) from unnest(found.owner_names[:3]) o (name)))
            else format('its %s %s is also that of %s', case identity when 'machine-guid' then 'MachineGuid' else 'machine SID' end, value,
                        coalesce(other_names, 'another host of that name')) end as summary,
       jsonb_build_object('identity', identity, 'value', value, 'hosts', hosts, 'host_count', sharers, 'suspected', false)
           || case when identity = 'agent-key' then jsonb_build_object('note', coalesce(note, '')) else '{}' end as evidence
from found
union all
select f.host_id, 'metabase', 'medium',
       format('suspected: IIS %s.0 has a metabase of %s, and the host was cloned by Sysprep later, %s: it may be encrypted with the '
              'source machine''s key',
              f.inetstp_major, to_char(to_timestamp((t.times ->> 'metabase')::bigint / 1000000) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'),
              to_char(to_timestamp((f.facts ->> 'clone_time')::bigint / 1000000) at time zone 'UTC', 'YYYY-MM-DD HH24:MI')),
       jsonb_build_object('identity', 'metabase', 'value', f.facts ->> 'metabase', 'suspected', true,
                          'hosts', jsonb_build_array(jsonb_build_object('host', h.name, 'host_id', h.host_id, 'holds', 'as its own')),
                            'host_count', 1,
                          'clone_time', to_timestamp((f.facts ->> 'clone_time')::bigint / 1000000) at time zone 'UTC',
                          'metabase_time', to_timestamp((t.times ->> 'metabase')::bigint / 1000000) at time zone 'UTC')
from state_facts f
join host h using (host_id)
join host_times t using (host_id)
where f.inetstp_major in (4, 5)
  and (t.times ->> 'metabase')::bigint > 0
  and (f.facts ->> 'clone_time')::bigint > (t.times ->> 'metabase')::bigint
  and h.merged_into is null
