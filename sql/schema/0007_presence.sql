-- What follows for hosts beyond their levels: patches, and what their peers hold. And the numbers that checks go by.

create table evenkeel.setting (
    name text primary key,
    value text not null,
    meaning text not null
);
comment on table evenkeel.setting is 'Numbers that checks go by; change them with update, evenkeel init leaves them as they are.';
comment on column evenkeel.setting.name is 'The check and what it is: silent-host.default';
comment on column evenkeel.setting.value is 'A number, or an interval as PostgreSQL writes it.';
comment on column evenkeel.setting.meaning is 'What follows from it.';
insert into evenkeel.setting (name, value, meaning) values
    ('silent-host.default', '48 hours', 'A host without a schedule is silent when nothing was heard of it for longer.'),
    ('silent-host.tolerance', '0.5', 'Share of its schedule by which a host may be late.'),
    ('silent-host.grace', '15 minutes', 'By this much any host may be late on top.'),
    ('missing-file.peers', '4', 'So many other hosts of a product and level must have a file before a host without it is suspect.');

create table evenkeel.host_patch (
    host_id uuid primary key,
    patch_ids integer[] not null,
    states text[] not null,
    listed boolean[] not null,
    same_files smallint[] not null,
    newer_files smallint[] not null,
    older_files smallint[] not null
);
comment on table evenkeel.host_patch is
  'How a host stands to the patches of its products: parallel arrays, for one row a host is enough. A patch that is not among them is '
  'not applicable.';
comment on column evenkeel.host_patch.host_id is 'The host.';
comment on column evenkeel.host_patch.patch_ids is 'The patches, rising.';
comment on column evenkeel.host_patch.states is 'Per patch: installed, partial, superseded or missing.';
comment on column evenkeel.host_patch.listed is 'Per patch: the registry lists it.';
comment on column evenkeel.host_patch.same_files is 'Per patch: files of its table at exactly its version.';
comment on column evenkeel.host_patch.newer_files is 'Per patch: files that are newer.';
comment on column evenkeel.host_patch.older_files is 'Per patch: files that are older, in the branch that fits best.';

create table evenkeel.peer_file (
    product_id integer not null,
    peers text not null,
    location text not null,
    component_id integer not null,
    hosts integer not null,
    lacking uuid,
    primary key (product_id, peers, location)
);
comment on table evenkeel.peer_file is
  'Files that all hosts of a product and level have, or all but one. Learnt from the fleet now and then.';
comment on column evenkeel.peer_file.product_id is 'The product.';
comment on column evenkeel.peer_file.peers is 'What these hosts have in common: levels, architecture, product type.';
comment on column evenkeel.peer_file.location is 'The file, as path.location.';
comment on column evenkeel.peer_file.component_id is 'Its component.';
comment on column evenkeel.peer_file.hosts is 'How many hosts these were.';
comment on column evenkeel.peer_file.lacking is 'The only host that had it not; null: all had it.';

create table evenkeel.peer_refresh (
    only_one boolean primary key default true check (only_one),
    refreshed_at timestamptz not null default '-infinity',
    took interval not null default '0',
    judged bigint not null default 1
);
insert into evenkeel.peer_refresh default values;
comment on table evenkeel.peer_refresh is 'One row: how fresh peer_file is.';
comment on column evenkeel.peer_refresh.only_one is 'Always true.';
comment on column evenkeel.peer_refresh.refreshed_at is 'When it was last computed.';
comment on column evenkeel.peer_refresh.took is 'How long that took: it is not done again before a hundred times as long.';
comment on column evenkeel.peer_refresh.judged is 'How many hosts were judged since then.';
