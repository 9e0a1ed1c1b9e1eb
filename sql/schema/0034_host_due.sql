-- The checks of the clock look at the hosts whose time has come, and not at all of them each minute.

create table evenkeel.host_due (
    host_id uuid primary key,
    due_at timestamptz not null default '-infinity',
    looked_at timestamptz not null default '-infinity'
) with (fillfactor = 80);
create index host_due_at on evenkeel.host_due (due_at);
insert into evenkeel.host_due (host_id) select host_id from evenkeel.host_checkin;
comment on table evenkeel.host_due is
  'When the checks of the clock look at a host next. A host that reports stays as it is here: when its time comes it is seen that it '
  'reported, and it gets another time. So whoever reports writes nothing here.';
comment on column evenkeel.host_due.host_id is 'The host.';
comment on column evenkeel.host_due.due_at is
  'When one of these checks may find something on it that it did not find before; -infinity: at once.';
comment on column evenkeel.host_due.looked_at is
  'When they last looked: one that has a finding and was heard of since then is looked at again.';

drop function if exists evenkeel.judge_clock();
comment on column evenkeel.check_definition.key_query is
  'fleet: gives (host_id, key) for the hosts of state_host; after a line ''-- widen'', where there is one, a query that gives (host_id) '
  'of the other hosts to be judged again. clock: gives (host_id, due_at), when to look at a host of state_host next; empty: each time.';
comment on column evenkeel.check_definition.scope is
  'host: judged when a snapshot of that host is accepted; fleet: when a key of it changes, for every host that has the key; clock: when '
  'its time has come, looked up every minute.';
