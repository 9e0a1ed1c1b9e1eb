-- title: a key container carries other machines' GUIDs and not the host's own, so that what it encrypted can't be read
-- scope: host
-- reads: facts
-- rank: 1
-- counted: can't read its machine keys | can't read their machine keys
--
-- A file in RSA/MachineKeys is called CONTAINER_GUID: 32 hexadecimal digits that stand for the container's name, and the MachineGuid
-- of the machine that made it. One file with the host's own GUID is enough for a container. Nothing is said where the folder or the
-- MachineGuid could not be read.
--
-- Subject: the container's 32 digits. Evidence:
--   container, name         the digits; whose container that is, null where it is none of those that are known
--   machine_guid            the host's MachineGuid
--   foreign                 the GUIDs that its files carry, each with the time its file was last written, null where not known
--   changes                 MachineGuids that the host had before, newest first: old, new, noticed (by the database's clock)
--   guid_written            when the registry key that holds MachineGuid was last written, null where not known
--   was_own                 the host's earlier MachineGuid that the container carries: it was reset, nothing was copied; null: none
with known (container, name) as (
    values ('c2319c42033a5ca7f44e731bfd3fa2b5', 'Microsoft Internet Information Server'),
           ('7a436fe806e483969f48a894af2fe9a1', 'MS IIS DCOM Server'),
           ('6de9cb26d2b98c01ec4e9e8b34824aa2', 'iisConfigurationKey'),
           ('76944fb33636aeddb9590521c2e8815a', 'iisWasKey'),
           ('d6d986f09a1ee04e24c949879fdb506c', 'NetFrameworkConfigurationKey'),
           ('f686aace6942fb7f7ceb231212eef4a4', 'TSSecKeySet1')
), own as (
    select f.host_id, lower(f.facts ->> 'machine_guid') as machine_guid, f.facts -> 'machine_keys' as machine_keys, t.times
    from state_facts f
    left join host_times t using (host_id)
    where f.has_registry and (f.facts ->> 'machine_keys_read')::boolean and f.facts ->> 'machine_guid' <> ''
      and jsonb_typeof(f.facts -> 'machine_keys') = 'array'
), key_file as (
    select o.host_id, o.machine_guid, o.times, m[1] as container, m[2] as guid,
           nullif((o.times -> 'machine_keys' -> (k.place - 1)::integer ->> 'modified')::bigint, 0) as modified
    from own o
    cross join jsonb_array_elements_text(o.machine_keys) with ordinality k (name, place)
    cross join regexp_match(lower(k.name), '^([0-9a-f]{32})_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$') m
    where m is not null
), foreign_container as (
    select host_id, machine_guid, times, container, array_agg(distinct guid) as guids,
           jsonb_agg(jsonb_build_object('guid', guid, 'written', to_timestamp(modified / 1e6)) order by guid) as list
    from key_file
    group by host_id, machine_guid, times, container
    having bool_and(guid <> machine_guid)
), guid_time as (
    select h.host_id, lower(p.facts ->> 'machine_guid') as guid, p.valid_from
    from (select distinct host_id from foreign_container) h
    join host_facts p using (host_id)
    where p.facts ->> 'machine_guid' <> ''
), change as (
    select host_id, before as old, guid as new, valid_from as noticed
    from (select g.*, lag(guid) over (partition by host_id order by valid_from) as before from guid_time g) g
    where before <> guid
), history as (
    select host_id, array_agg(old) as olds, max(noticed) as last_noticed,
           (array_agg(old order by noticed desc))[1] as last_old,
           jsonb_agg(jsonb_build_object('old', old, 'new', new, 'noticed', noticed) order by noticed desc) as list
    from change group by host_id
)
select c.host_id, c.container as subject, case when k.name is not null then 'high' else 'medium' end as severity,
       format('key container %s was made for MachineGuid %s, the host''s is %s%s', coalesce(format('''%s''', k.name), c.container),
              array_to_string(c.guids, ', '), c.machine_guid,
              case when h.last_old is not null
                   then format('; it changed from %s, noticed %s UTC', h.last_old,
                               to_char(h.last_noticed at time zone 'utc', 'YYYY-MM-DD HH24:MI'))
                   else '' end) as summary,
       jsonb_build_object('container', c.container, 'name', k.name, 'machine_guid', c.machine_guid, 'foreign', c.list,
                          'changes', coalesce(h.list, '[]'),
                          'guid_written', to_timestamp(nullif((c.times ->> 'machine_guid')::bigint, 0) / 1e6),
                          'was_own', (select min(g) from unnest(c.guids) g where g = any (h.olds) and g <> c.machine_guid)) as evidence
from foreign_container c
left join known k using (container)
left join history h using (host_id)
