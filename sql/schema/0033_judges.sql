-- Several judges share the queue, and what they leave for the fleet checks is reduced afterwards.

create table evenkeel.judge_partition (part integer primary key);
insert into evenkeel.judge_partition select generate_series(0, 15);
comment on table evenkeel.judge_partition is
  'The parts that hosts are divided into by a hash of host_id (evenkeel.host_partition). Who judges a host has its part''s row locked, '
  'so that no two judge one host at the same time; who ends, however that is, lets go of it.';
comment on column evenkeel.judge_partition.part is 'Its number, from 0.';

create table evenkeel.fleet_change (
    change_id bigint generated always as identity primary key,
    host_id uuid not null,
    changed_at timestamptz not null default clock_timestamp(),
    gone jsonb not null default '{}'
);
create index fleet_change_host on evenkeel.fleet_change (host_id);
comment on table evenkeel.fleet_change is
  'Hosts that were judged, and whose fleet checks wait for evenkeel.reduce_fleet(); a row per judging, so that no judge waits for another.';
comment on column evenkeel.fleet_change.change_id is 'Its number, in about the order of the judging.';
comment on column evenkeel.fleet_change.host_id is 'The host; its keys are in fleet_key.';
comment on column evenkeel.fleet_change.changed_at is 'When it was judged.';
comment on column evenkeel.fleet_change.gone is 'By check, the keys that it had before and has no longer.';

-- What these did is judge_claim()'s and reduce_fleet()'s by now.
drop table evenkeel.lock_on_judging;
drop function if exists evenkeel.lock_judging(), evenkeel.lock_fleet_checks(), evenkeel.judge_fleet_check(text),
                        evenkeel.judge_queued(integer), evenkeel.judge_turn(integer, bigint), evenkeel.defer_slow(integer);
