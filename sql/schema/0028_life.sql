-- The life of a host after it was let in: retired, restored, come back, renamed.

alter table evenkeel.host add column retired_at timestamptz, add column retired_because text,
    add check ((retired_at is null) = (retired_because is null));
create index host_retired on evenkeel.host (retired_at) where retired_at is not null;
comment on column evenkeel.host.retired_at is
  'Since when it is retired: it holds nothing since then, is in no verdict, check or count, and keeps its name; null: it is not.';
comment on column evenkeel.host.retired_because is 'Why.';

create table evenkeel.host_event (
    host_id uuid not null,
    happened_at timestamptz not null default clock_timestamp(),
    event text not null check (event in ('retired', 'restored', 'came back', 'renamed')),
    detail text not null default '',
    done_by text not null default session_user,
    primary key (host_id, happened_at, event)
);
create index host_event_happened on evenkeel.host_event (happened_at);
comment on table evenkeel.host_event is 'What was decided of hosts, and which of the retired came back.';
comment on column evenkeel.host_event.host_id is 'The host.';
comment on column evenkeel.host_event.happened_at is 'When.';
comment on column evenkeel.host_event.event is
  'retired; restored: a person took that back, or let its key report again; came back: it reported although it was retired; renamed.';
comment on column evenkeel.host_event.detail is 'Why it was retired, since when it had been, what it was called before.';
comment on column evenkeel.host_event.done_by is 'By whom; the role of the aggregator where it came by itself.';

alter table evenkeel.finding add column closed_because text;
comment on column evenkeel.finding.closed_because is
  'Why it was closed although nobody looked whether it is still so: its host was retired; null: it was found no longer, or is open.';

insert into evenkeel.setting (name, value, meaning) values
    ('retire-after', 'never', 'Hosts that are silent for longer are retired: 90 days, for example; never: none is.');
alter table evenkeel.setting add constraint setting_retire_after
    check (case when name = 'retire-after' and lower(trim(value)) <> 'never' then value::interval >= interval '1 day' else true end);

-- Made anew with other arguments.
drop function if exists evenkeel.accept_snapshots();
drop function if exists evenkeel.lock_clock();
drop function if exists evenkeel.shown_unknown(text);
drop function if exists evenkeel.shown_blind(text);
drop function if exists evenkeel.shown_waivers(text);
drop function if exists evenkeel.blind_hosts(text);

-- Renamed in place: what people built on the view stays.
alter view if exists ops.host_group rename column "group" to group_name;
