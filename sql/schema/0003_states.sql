-- What a host is and was: its chunks and its facts, each with the time for which that was known.
-- valid_to 'infinity' is the current row; it lies in a partition of its own, so that history never slows the present.

create table evenkeel.host_inventory (
    host_id uuid not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null default 'infinity',
    taken_at timestamptz not null,
    digest bytea not null,
    files integer not null,
    chunk_ids bigint[] not null,
    primary key (host_id, valid_to),
    check (valid_from < valid_to)
) partition by range (valid_to);
create table evenkeel.host_inventory_current partition of evenkeel.host_inventory for values from ('infinity') to (maxvalue);
create table evenkeel.host_inventory_past partition of evenkeel.host_inventory for values from (minvalue) to ('infinity');
create index host_inventory_past_valid_to on evenkeel.host_inventory_past (valid_to);
comment on table evenkeel.host_inventory is 'The PE files of a host from valid_from until valid_to, as the chunks of its path-sorted list.';
comment on table evenkeel.host_inventory_current is 'One row per host: what it holds now.';
comment on table evenkeel.host_inventory_past is 'What hosts held before.';
comment on column evenkeel.host_inventory.host_id is 'The host.';
comment on column evenkeel.host_inventory.valid_from is 'When this state was first accepted, by the database''s clock.';
comment on column evenkeel.host_inventory.valid_to is 'When another one was accepted; infinity: current.';
comment on column evenkeel.host_inventory.taken_at is 'When it was first taken, by the collector''s clock.';
comment on column evenkeel.host_inventory.digest is 'BLAKE2b-256 of the packed Inventory message.';
comment on column evenkeel.host_inventory.files is 'How many files.';
comment on column evenkeel.host_inventory.chunk_ids is 'Its chunks in path order.';

create table evenkeel.host_facts (
    host_id uuid not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null default 'infinity',
    taken_at timestamptz not null,
    digest bytea not null,
    body bytea not null,
    facts jsonb not null,
    has_registry boolean generated always as (coalesce((facts ->> 'has_registry')::boolean, false)) stored,
    os_version text generated always as (coalesce(facts ->> 'current_version', '')) stored,
    os_build integer generated always as (coalesce((facts ->> 'current_build')::integer, 0)) stored,
    ubr integer generated always as ((facts ->> 'ubr')::integer) stored,
    service_pack text generated always as (coalesce(facts ->> 'service_pack', '')) stored,
    inetstp_major integer generated always as (coalesce((facts ->> 'inetstp_major')::integer, 0)) stored,
    hotfix_ids jsonb generated always as (jsonb_path_query_array(facts, '$.hotfixes[*].id')) stored,
    likeness uuid generated always as (
        md5((facts - '{computer_name,machine_guid,machine_sid,clone_tag,clone_time,install_time,machine_keys,metabase,groups}'::text[])
            ::text)::uuid) stored,
    primary key (host_id, valid_to),
    check (valid_from < valid_to)
) partition by range (valid_to);
create table evenkeel.host_facts_current partition of evenkeel.host_facts for values from ('infinity') to (maxvalue);
create table evenkeel.host_facts_past partition of evenkeel.host_facts for values from (minvalue) to ('infinity');
create index host_facts_past_valid_to on evenkeel.host_facts_past (valid_to);
comment on table evenkeel.host_facts is 'What was true of a host, rather than of a file, from valid_from until valid_to.';
comment on table evenkeel.host_facts_current is 'One row per host: what is true now.';
comment on table evenkeel.host_facts_past is 'What was true of hosts before.';
comment on column evenkeel.host_facts.host_id is 'The host.';
comment on column evenkeel.host_facts.valid_from is 'When this was first accepted, by the database''s clock.';
comment on column evenkeel.host_facts.valid_to is 'When something else was accepted; infinity: current.';
comment on column evenkeel.host_facts.taken_at is 'When it was first taken, by the collector''s clock.';
comment on column evenkeel.host_facts.digest is 'BLAKE2b-256 of the body.';
comment on column evenkeel.host_facts.body is 'The packed Facts message, for fsck and for a backup that proves itself.';
comment on column evenkeel.host_facts.facts is
  'The same as JSON; keys are the field names of the message Facts in proto/evenkeel.proto, with their comments there.';
comment on column evenkeel.host_facts.has_registry is 'False: no registry was read, and what it would say is unknown.';
comment on column evenkeel.host_facts.os_version is 'CurrentVersion, 5.2.';
comment on column evenkeel.host_facts.os_build is 'CurrentBuild, 3790; 0: unknown.';
comment on column evenkeel.host_facts.ubr is 'Update build revision; null: none.';
comment on column evenkeel.host_facts.service_pack is 'CSDVersion; empty: none, or unknown where has_registry is false.';
comment on column evenkeel.host_facts.inetstp_major is 'Major version of IIS as its key InetStp states it; 0: none.';
comment on column evenkeel.host_facts.likeness is
  'The same on hosts that say the same of themselves, but for names, keys, groups and when they were installed: MD5 of the rest of '
  'facts.';
comment on column evenkeel.host_facts.hotfix_ids is 'Ids of the hotfixes that the registry lists, as a JSON array; may repeat.';

create table evenkeel.host_times (
    host_id uuid primary key,
    digest bytea not null,
    times jsonb not null
);
comment on table evenkeel.host_times is 'Facts that change without meaning, such as file times: only the latest is kept.';
comment on column evenkeel.host_times.host_id is 'The host.';
comment on column evenkeel.host_times.digest is 'BLAKE2b-256 of the packed Times message.';
comment on column evenkeel.host_times.times is 'Keys are the field names of the message Times in proto/evenkeel.proto.';
