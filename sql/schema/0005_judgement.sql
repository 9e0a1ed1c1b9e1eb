-- What follows from content and catalogue: once per path, file, chunk and host. All of it can be computed again.

create table evenkeel.path_component (
    path_id integer not null,
    product_id integer not null,
    component_id integer not null,
    primary key (path_id, product_id)
);
create index path_component_component on evenkeel.path_component (component_id);
comment on table evenkeel.path_component is 'Which component of a product a path belongs to.';
comment on column evenkeel.path_component.path_id is 'The path.';
comment on column evenkeel.path_component.product_id is 'The product.';
comment on column evenkeel.path_component.component_id is 'Of several that match, the one with the longest glob.';

create table evenkeel.file_level (
    file_id integer not null,
    product_id integer not null,
    component_id integer not null,
    levels int4range not null,
    covered boolean not null,
    unread boolean not null,
    blind boolean not null,
    lower_basis text not null,
    upper_basis text not null,
    primary key (file_id, product_id)
);
comment on table evenkeel.file_level is 'What the version of a file says about the level of a product.';
comment on column evenkeel.file_level.file_id is 'The file.';
comment on column evenkeel.file_level.product_id is 'The product.';
comment on column evenkeel.file_level.component_id is 'The component that its path belongs to.';
comment on column evenkeel.file_level.levels is 'Ordinals of the levels that it may belong to; an end without proof is open.';
comment on column evenkeel.file_level.covered is 'The range is narrower than all levels, or the version is exactly what some level ships.';
comment on column evenkeel.file_level.unread is 'It has no version that could be read, and levels ship it with one.';
comment on column evenkeel.file_level.blind is 'Its exports and imports were left out.';
comment on column evenkeel.file_level.lower_basis is 'What proves the lower end; empty: open.';
comment on column evenkeel.file_level.upper_basis is 'What proves the upper end; empty: open.';

create table evenkeel.chunk_level (
    chunk_id bigint not null,
    component_id integer not null,
    product_id integer not null,
    levels int4range not null,
    files integer not null,
    covered integer not null,
    unread integer not null,
    blind integer not null,
    primary key (chunk_id, component_id)
);
create index chunk_level_blind on evenkeel.chunk_level (chunk_id) where blind > 0;
comment on table evenkeel.chunk_level is 'What the files of a chunk say together about a component.';
comment on column evenkeel.chunk_level.chunk_id is 'The chunk.';
comment on column evenkeel.chunk_level.component_id is 'The component.';
comment on column evenkeel.chunk_level.product_id is 'Its product.';
comment on column evenkeel.chunk_level.levels is 'Intersection of the ranges of its files; empty: they contradict each other.';
comment on column evenkeel.chunk_level.files is 'Files of the component in this chunk.';
comment on column evenkeel.chunk_level.covered is 'How many of them say something.';
comment on column evenkeel.chunk_level.unread is 'How many have no version that could be read, and levels ship them with one.';
comment on column evenkeel.chunk_level.blind is 'Of how many the exports and imports were left out.';

create table evenkeel.unjudged_file (file_id integer primary key);
comment on table evenkeel.unjudged_file is
  'Files that were stored and have no row in file_level yet: judged before anything that reads their chunks.';
comment on column evenkeel.unjudged_file.file_id is 'The file.';

create table evenkeel.unjudged_chunk (chunk_id bigint primary key);
comment on table evenkeel.unjudged_chunk is
  'Chunks that were stored and have no rows in chunk_level yet: judged before any host that holds them.';
comment on column evenkeel.unjudged_chunk.chunk_id is 'The chunk.';

create table evenkeel.host_component (
    host_id uuid not null,
    component_id integer not null,
    product_id integer not null,
    levels int4range not null,
    files integer not null,
    covered integer not null,
    primary key (host_id, component_id)
);
comment on table evenkeel.host_component is 'What a host''s files say together about a component.';
comment on column evenkeel.host_component.host_id is 'The host.';
comment on column evenkeel.host_component.component_id is 'The component.';
comment on column evenkeel.host_component.product_id is 'Its product.';
comment on column evenkeel.host_component.levels is 'Intersection of the ranges of its files.';
comment on column evenkeel.host_component.files is 'Files of the component on this host.';
comment on column evenkeel.host_component.covered is 'How many of them say something.';

create table evenkeel.host_product (
    host_id uuid not null,
    product_id integer not null,
    levels int4range not null,
    declared int4range,
    files integer not null,
    covered integer not null,
    verdict text not null check (verdict in ('level', 'mixed', 'unknown')),
    missing text not null,
    primary key (host_id, product_id)
);
create index host_product_verdict on evenkeel.host_product (verdict, product_id) where verdict <> 'level';
comment on table evenkeel.host_product is 'The verdict on a product of a host.';
comment on column evenkeel.host_product.host_id is 'The host.';
comment on column evenkeel.host_product.product_id is 'The product.';
comment on column evenkeel.host_product.levels is 'Intersection of the ranges of its files and of the declared level; empty: mixed.';
comment on column evenkeel.host_product.declared is 'What the registry declares, as ordinals; null: nothing that is known.';
comment on column evenkeel.host_product.files is 'Files of its components.';
comment on column evenkeel.host_product.covered is 'How many of them say something.';
comment on column evenkeel.host_product.verdict is 'level, mixed, or unknown.';
comment on column evenkeel.host_product.missing is 'What would have to be known for a (better) verdict; empty: nothing.';

create table evenkeel.judge_queue (
    host_id uuid not null,
    queued_at timestamptz not null default now(),
    primary key (host_id, queued_at)
);
comment on table evenkeel.judge_queue is
  'Hosts whose state or catalogue changed since they were last judged; a row per change, so that nobody who reports waits for a judge '
  'that has the host in hand.';
comment on column evenkeel.judge_queue.host_id is 'The host.';
comment on column evenkeel.judge_queue.queued_at is 'Since when it waits.';

create table evenkeel.check_definition (
    code text primary key,
    scope text not null check (scope in ('host', 'fleet', 'clock')),
    title text not null,
    key_query text not null default '',
    query text not null
);
comment on table evenkeel.check_definition is 'The checks of sql/checks, as evenkeel init read them.';
comment on column evenkeel.check_definition.code is 'mixed-level; the name of the file.';
comment on column evenkeel.check_definition.scope is
  'host: judged when a snapshot of that host is accepted; fleet: when a key of it changes, for every host that has the key; clock: every '
  'minute.';
comment on column evenkeel.check_definition.title is 'What it means, in one sentence.';
comment on column evenkeel.check_definition.key_query is
  'fleet: gives (host_id, key) for the hosts of state_host; after a line ''-- widen'', where there is one, a query that gives (host_id) '
  'of the other hosts to be judged again.';
comment on column evenkeel.check_definition.query is 'Gives (host_id, subject, severity, summary, evidence) over the relations of a state.';

create table evenkeel.fleet_key (
    host_id uuid not null,
    check_code text not null,
    key text not null,
    primary key (host_id, check_code, key)
);
create index fleet_key_key on evenkeel.fleet_key (check_code, key);
create index fleet_key_group on evenkeel.fleet_key (left(key, -37)) where check_code = 'group-skew';
comment on table evenkeel.fleet_key is 'By what the fleet checks compare hosts: a GUID, a group, a version set.';
comment on column evenkeel.fleet_key.host_id is 'The host.';
comment on column evenkeel.fleet_key.check_code is 'The check.';
comment on column evenkeel.fleet_key.key is 'A value that hosts may share.';

create table evenkeel.version_family (
    component_id integer not null,
    location text not null,
    version evenkeel.version not null,
    family text not null,
    member evenkeel.version not null,
    primary key (component_id, location, version)
);
comment on table evenkeel.version_family is
  'Files of a component whose versions vary over the fleet, gathered into families: files of one family change together on every host '
  'that counted.';
comment on column evenkeel.version_family.component_id is 'The component.';
comment on column evenkeel.version_family.location is 'The file, as path.location.';
comment on column evenkeel.version_family.version is 'One of its versions, held by hosts enough to count.';
comment on column evenkeel.version_family.family is 'The first location of its family, as the family''s name.';
comment on column evenkeel.version_family.member is 'The version that the family''s first file has where this file has this one.';

create table evenkeel.version_bond (
    component_id integer not null,
    family text not null,
    member evenkeel.version not null,
    other_family text not null,
    other_member evenkeel.version not null,
    hosts integer not null,
    primary key (component_id, family, member, other_family)
);
comment on table evenkeel.version_bond is 'Versions that determine each other one to one in the fleet: where the one is, so is the other.';
comment on column evenkeel.version_bond.component_id is 'The component.';
comment on column evenkeel.version_bond.family is 'A family of files.';
comment on column evenkeel.version_bond.member is 'Its version.';
comment on column evenkeel.version_bond.other_family is 'Another one, or the same.';
comment on column evenkeel.version_bond.other_member is 'The only version that goes with it.';
comment on column evenkeel.version_bond.hosts is 'How many hosts had both when that was learnt.';

create table evenkeel.version_evidence (
    component_id integer primary key,
    hosts integer not null default 0,
    judged integer not null default 0
);
comment on table evenkeel.version_evidence is 'How fresh the bonds of a component are.';
comment on column evenkeel.version_evidence.component_id is 'The component.';
comment on column evenkeel.version_evidence.hosts is 'How many hosts had it when its bonds were learnt.';
comment on column evenkeel.version_evidence.judged is 'How many hosts that have it were judged since then.';

create table evenkeel.finding (
    host_id uuid not null,
    check_code text not null,
    subject text not null,
    opened_at timestamptz not null,
    closed_at timestamptz not null default 'infinity',
    severity text not null check (severity in ('high', 'medium', 'low')),
    summary text not null,
    evidence jsonb not null,
    evidence_at timestamptz not null,
    primary key (host_id, check_code, subject, opened_at)
);
create unique index finding_open on evenkeel.finding (host_id, check_code, subject) where closed_at = 'infinity';
create index finding_open_check on evenkeel.finding (check_code, host_id) where closed_at = 'infinity';
create index finding_opened on evenkeel.finding (opened_at);
create index finding_closed on evenkeel.finding (closed_at) where closed_at <> 'infinity';
comment on table evenkeel.finding is 'One check''s verdict on one subject of one host, from when it was opened until it was closed.';
comment on column evenkeel.finding.host_id is 'The host.';
comment on column evenkeel.finding.check_code is 'The check.';
comment on column evenkeel.finding.subject is 'What it is about: a product, a patch, a DLL and symbol, an identity.';
comment on column evenkeel.finding.opened_at is 'When it was first found.';
comment on column evenkeel.finding.closed_at is 'When it was no longer found; infinity: open.';
comment on column evenkeel.finding.severity is 'high, medium or low.';
comment on column evenkeel.finding.summary is 'One line for a person.';
comment on column evenkeel.finding.evidence is 'What it rests on; keys are documented in the check''s file.';
comment on column evenkeel.finding.evidence_at is 'When summary or evidence last changed.';

create table evenkeel.waiver (
    host_id uuid not null,
    check_code text not null,
    subject text not null,
    reason text not null check (reason <> ''),
    waived_by text not null default current_user,
    waived_at timestamptz not null default now(),
    until timestamptz not null,
    primary key (host_id, check_code, subject)
);
comment on table evenkeel.waiver is 'A finding that a person accepts, with a reason and an end.';
comment on column evenkeel.waiver.host_id is 'The host.';
comment on column evenkeel.waiver.check_code is 'The check.';
comment on column evenkeel.waiver.subject is 'The finding''s subject.';
comment on column evenkeel.waiver.reason is 'Why it is accepted.';
comment on column evenkeel.waiver.waived_by is 'By whom.';
comment on column evenkeel.waiver.waived_at is 'When.';
comment on column evenkeel.waiver.until is 'When the finding counts again.';
