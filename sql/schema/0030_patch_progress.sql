-- How hosts stood to patches before: what host_patch said, kept when it changes.

alter table evenkeel.host_patch add column since timestamptz not null default now();
comment on column evenkeel.host_patch.since is 'Since when patches and states are these.';

create table evenkeel.host_patch_past (
    host_id uuid not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    patch_ids integer[] not null,
    states text[] not null,
    primary key (host_id, valid_to),
    check (valid_from < valid_to)
);
create index host_patch_past_valid_to on evenkeel.host_patch_past (valid_to);
comment on table evenkeel.host_patch_past is
  'How a host stood to the patches of its products from valid_from until valid_to: parallel arrays, as in host_patch.';
comment on column evenkeel.host_patch_past.host_id is 'The host.';
comment on column evenkeel.host_patch_past.valid_from is 'Since when.';
comment on column evenkeel.host_patch_past.valid_to is 'When it was found to stand otherwise.';
comment on column evenkeel.host_patch_past.patch_ids is 'The patches, rising.';
comment on column evenkeel.host_patch_past.states is 'Per patch: installed, partial, superseded, missing or unknown.';
