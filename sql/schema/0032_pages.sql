-- What the pages of 'evenkeel serve' show of the whole fleet, worked out now and then where that takes long.

create table evenkeel.fleet_summary (
    only_one boolean primary key default true check (only_one),
    made_at timestamptz not null default '-infinity',
    took interval not null default '0',
    summary jsonb not null default '{}'
);
insert into evenkeel.fleet_summary default values;
comment on table evenkeel.fleet_summary is 'One row: the fleet in numbers, as last worked out.';
comment on column evenkeel.fleet_summary.only_one is 'Always true.';
comment on column evenkeel.fleet_summary.made_at is 'When that was.';
comment on column evenkeel.fleet_summary.took is
  'How long it took: it is not done again before fifty times as long, nor within a minute.';
comment on column evenkeel.fleet_summary.summary is 'What evenkeel.fleet_summary_now() gave.';

-- Of one check the worst and newest findings first.
create index finding_newest on evenkeel.finding (check_code, severity, opened_at, host_id, subject) where closed_at = 'infinity';

-- The hosts of one group; groups are compared without regard to case.
create index host_facts_groups on evenkeel.host_facts_current using gin ((lower(facts ->> 'groups')::jsonb));
