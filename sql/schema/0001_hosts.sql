-- Who reports: keys, hosts, grants, check-ins. host_id is in every key of a host's tables, so that they can be distributed by it.

create table evenkeel.collector_key (
    key_id integer generated always as identity primary key,
    public_key bytea not null unique check (octet_length(public_key) = 32),
    status text not null default 'pending' check (status in ('pending', 'approved', 'revoked', 'set apart')),
    first_seen timestamptz not null default now(),
    status_since timestamptz not null default now(),
    note text not null default ''
);
create index collector_key_set_apart on evenkeel.collector_key (key_id) where status = 'set apart';
comment on table evenkeel.collector_key is 'An Ed25519 key that collectors sign with.';
comment on column evenkeel.collector_key.key_id is 'Internal number.';
comment on column evenkeel.collector_key.public_key is 'The 32 bytes of the public key.';
comment on column evenkeel.collector_key.status is
  'pending: enrolled, not yet approved; approved; revoked: refused for good; set apart: used from two machines, refused until they enrol '
  'anew.';
comment on column evenkeel.collector_key.first_seen is 'When it first asked to be enrolled, by the aggregator''s clock.';
comment on column evenkeel.collector_key.status_since is 'When its status last changed.';
comment on column evenkeel.collector_key.note is 'Why the status is what it is, for a person.';

create table evenkeel.host (
    host_id uuid primary key default gen_random_uuid(),
    name text not null,
    created_at timestamptz not null default now(),
    merged_into uuid,
    verdict text not null default 'unknown' check (verdict in ('level', 'mixed', 'unknown'))
);
create index host_name on evenkeel.host (name);
create index host_verdict on evenkeel.host (verdict, name) where merged_into is null;
comment on table evenkeel.host is 'A Windows host. Its identity is host_id, given at enrolment; the name is an attribute.';
comment on column evenkeel.host.host_id is 'Given at enrolment, for good.';
comment on column evenkeel.host.name is 'As the collector calls it; two hosts may share one.';
comment on column evenkeel.host.created_at is 'When it was enrolled.';
comment on column evenkeel.host.merged_into is 'The host that this one turned out to be (evenkeel hosts merge); null for all others.';
comment on column evenkeel.host.verdict is
  'level, mixed or unknown: the worst of its products as last judged; unknown where none was found.';

create table evenkeel.enrolment (
    key_id integer not null references evenkeel.collector_key,
    host_name text not null,
    requested_at timestamptz not null default now(),
    machine_sid text not null default '',
    machine_guid text not null default '',
    key_location bytea not null default '',
    marks bytea not null default '',
    primary key (key_id, host_name)
);
comment on table evenkeel.enrolment is 'A key''s wish to speak for a host of that name, waiting for approval.';
comment on column evenkeel.enrolment.key_id is 'The key that asks.';
comment on column evenkeel.enrolment.host_name is 'The name of the host that it asks for.';
comment on column evenkeel.enrolment.requested_at is 'When it last asked.';
comment on column evenkeel.enrolment.machine_sid is 'The machine''s SID as it states it; empty where not readable.';
comment on column evenkeel.enrolment.machine_guid is 'The machine''s MachineGuid as it states it.';
comment on column evenkeel.enrolment.key_location is 'Digest of the volume and the host name that hold the key file.';
comment on column evenkeel.enrolment.marks is 'Digest of those three as one object.';

create table evenkeel.key_grant (
    key_id integer not null references evenkeel.collector_key,
    host_glob text not null,
    granted_at timestamptz not null default now(),
    primary key (key_id, host_glob)
);
comment on table evenkeel.key_grant is
  'Names of hosts that a key may speak for as soon as it asks: a collector that reads the disks of many hosts.';
comment on column evenkeel.key_grant.key_id is 'The key.';
comment on column evenkeel.key_grant.host_glob is 'Which names, as evenkeel.glob_regex() reads globs, without regard to case.';
comment on column evenkeel.key_grant.granted_at is 'Since when.';

create table evenkeel.token (
    token_digest bytea primary key,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    uses_left integer not null check (uses_left >= 0),
    host_glob text not null default '*',
    note text not null default ''
);
comment on table evenkeel.token is 'An enrolment token: who shows it is approved at once.';
comment on column evenkeel.token.token_digest is 'SHA-256 of the token; the token itself is not kept.';
comment on column evenkeel.token.created_at is 'When it was made.';
comment on column evenkeel.token.expires_at is 'When it ends.';
comment on column evenkeel.token.uses_left is 'How many hosts it may still enrol.';
comment on column evenkeel.token.host_glob is 'Which names it may enrol, as evenkeel.glob_regex() reads globs, without regard to case.';
comment on column evenkeel.token.note is 'What it is for.';

create table evenkeel.host_key (
    host_id uuid not null,
    key_id integer not null,
    granted_at timestamptz not null default now(),
    sequence bigint not null default 0,
    offer bytea not null default '',
    machine_sid text not null default '',
    machine_guid text not null default '',
    key_location bytea not null default '',
    marks bytea not null default '',
    uploaded_on date not null default current_date,
    uploaded_bytes bigint not null default 0,
    primary key (host_id, key_id)
) with (fillfactor = 60);
create index host_key_key on evenkeel.host_key (key_id);
comment on table evenkeel.host_key is 'Which key may speak for which host, and how far it has counted.';
comment on column evenkeel.host_key.host_id is 'The host.';
comment on column evenkeel.host_key.key_id is 'The key.';
comment on column evenkeel.host_key.granted_at is 'Since when.';
comment on column evenkeel.host_key.sequence is 'The highest sequence number seen of this key for this host.';
comment on column evenkeel.host_key.offer is 'Digest of the offer that carried it: the same number with other bytes is refused.';
comment on column evenkeel.host_key.machine_sid is
  'The host''s SID, as last stated; where an agent reports, that of the machine that holds its key.';
comment on column evenkeel.host_key.machine_guid is 'The host''s MachineGuid, as last stated.';
comment on column evenkeel.host_key.key_location is 'Digest of the volume and host name that hold its key file, as last stated.';
comment on column evenkeel.host_key.marks is 'Digest of those three as one object; empty until they were given.';
comment on column evenkeel.host_key.uploaded_on is 'The day that uploaded_bytes counts.';
comment on column evenkeel.host_key.uploaded_bytes is 'Bytes of objects taken with this key for this host that day.';

create table evenkeel.host_checkin (
    host_id uuid primary key,
    seen_at timestamptz not null,
    taken_at timestamptz not null,
    schedule_seconds integer not null default 0,
    unreadable integer not null default 0,
    inventory bytea not null default '',
    facts bytea not null default '',
    times bytea not null default ''
) with (fillfactor = 60);
comment on table evenkeel.host_checkin is 'When a host was last heard of, and what it had then. One narrow row per host, updated in place.';
comment on column evenkeel.host_checkin.host_id is 'The host.';
comment on column evenkeel.host_checkin.seen_at is 'When its last snapshot was accepted, by the database''s clock.';
comment on column evenkeel.host_checkin.taken_at is 'When that snapshot was taken, by the collector''s clock.';
comment on column evenkeel.host_checkin.schedule_seconds is 'How soon after it the next was promised; 0: none planned.';
comment on column evenkeel.host_checkin.unreadable is
  'Folders and programs (files that are such by their names) of its disk that could not be read.';
comment on column evenkeel.host_checkin.inventory is 'Digest of its current inventory.';
comment on column evenkeel.host_checkin.facts is 'Digest of its current facts.';
comment on column evenkeel.host_checkin.times is 'Digest of its current times.';

create table evenkeel.upload (
    host_id uuid not null,
    digest bytea not null,
    kind smallint not null,
    body bytea not null,
    received_at timestamptz not null default now(),
    primary key (host_id, digest)
);
comment on table evenkeel.upload is
  'Objects of a snapshot that is not complete yet: they wait here for the rest, whichever aggregator it comes through.';
comment on column evenkeel.upload.host_id is 'The host whose snapshot wants the object.';
comment on column evenkeel.upload.digest is 'BLAKE2b-256 of the body.';
comment on column evenkeel.upload.kind is 'ObjectKind of evenkeel.proto.';
comment on column evenkeel.upload.body is 'The packed object in canonical form.';
comment on column evenkeel.upload.received_at is 'When it came; prune removes what waits for longer than a week.';
