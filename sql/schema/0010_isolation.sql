-- Judging goes on without what can't be judged: who is set aside and why, whose turns are taken apart from the others', and on which
-- state a verdict rests.

alter table evenkeel.host
    add column judged_at timestamptz,
    add column judged_state timestamptz;
-- Every judging updates the row: beside itself, so that its indexes need not be told.
alter table evenkeel.host set (fillfactor = 80);
comment on column evenkeel.host.judged_at is 'Since when the verdict stands: when the host was last judged, or set aside; null: never.';
comment on column evenkeel.host.judged_state is
  'host_checkin.state_at of the state that was judged then: where that is another by now, the verdict is older than the state.';

alter table evenkeel.host_checkin add column state_at timestamptz not null default '-infinity';
comment on column evenkeel.host_checkin.state_at is
  'When the state that bears on the verdict last changed: inventory, facts, times, or what could not be read.';
update evenkeel.host_checkin c set state_at = seen_at;

create table evenkeel.not_judged (
    host_id uuid primary key,
    since timestamptz not null default clock_timestamp(),
    tried_at timestamptz not null default clock_timestamp(),
    tries integer not null default 1,
    error text not null
);
comment on table evenkeel.not_judged is
  'Hosts that could not be judged: their verdict is unknown, and all others'' judging goes on. Tried again whenever they are queued, one '
  'at a time, apart from the others.';
comment on column evenkeel.not_judged.host_id is 'The host.';
comment on column evenkeel.not_judged.since is 'Since when.';
comment on column evenkeel.not_judged.tried_at is 'When it was last tried.';
comment on column evenkeel.not_judged.tries is 'How often.';
comment on column evenkeel.not_judged.error is 'What the database said.';

create table evenkeel.not_judged_object (
    kind text not null check (kind in ('file', 'chunk', 'lesson', 'check')),
    object text not null,
    since timestamptz not null default clock_timestamp(),
    tries integer not null default 1,
    error text not null,
    primary key (kind, object)
);
comment on table evenkeel.not_judged_object is
  'What many hosts share and could not be judged: hosts that hold it are unknown. Tried again by evenkeel init, and after a change of '
  'the catalogue.';
comment on column evenkeel.not_judged_object.kind is
  'file and chunk: content; lesson: something that is learnt from the fleet; check: one that is judged by the clock, for a host.';
comment on column evenkeel.not_judged_object.object is 'file_id or chunk_id; the lesson''s name; check and host_id.';
comment on column evenkeel.not_judged_object.since is 'Since when.';
comment on column evenkeel.not_judged_object.tries is 'How often it was tried.';
comment on column evenkeel.not_judged_object.error is 'What the database said.';

create table evenkeel.slow_host (
    host_id uuid primary key,
    since timestamptz not null default clock_timestamp(),
    reason text not null
);
comment on table evenkeel.slow_host is
  'Hosts that take longer than a turn allows: they are judged one at a time by a session of their own, and hold up nobody.';
comment on column evenkeel.slow_host.host_id is 'The host.';
comment on column evenkeel.slow_host.since is 'Since when.';
comment on column evenkeel.slow_host.reason is 'Why: how large it is, or how long its turn took.';

insert into evenkeel.setting (name, value, meaning) values
    ('judge.turn', '5 seconds', 'A host that takes longer to judge is judged apart from the others from then on.'),
    ('judge.slow-turn', '2 minutes', 'So long a host may take there; one that takes longer is not judged, and unknown.'),
    ('judge.big-host', '50000', 'Hosts of more files are judged apart from the others without being tried.'),
    ('check.findings', '200', 'So many findings of one check a host may have; further ones are counted in one of their own.');

-- Its numbers are as wide as what Windows keeps them in.
drop function if exists evenkeel.state_missing_services();
