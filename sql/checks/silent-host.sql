-- title: no snapshot for longer than the host's schedule allows
-- scope: clock
-- reads: facts
-- rank: 6
-- counted: is silent | are silent
--
-- How late a host may be stands in evenkeel.setting: its schedule and silent-host.tolerance of it, or silent-host.default where no next
-- snapshot was planned, and silent-host.grace on top.
--
-- Subject: 'host'. Evidence:
--   last_seen, taken_at     when its last snapshot was accepted, by the database's clock, and taken, by the collector's
--   schedule_seconds        how soon after it the next was promised; 0: none planned
--   due                     since when it is silent
-- due
select host_id, due_at from hosts_silence()
-- verdict
with allowance as materialized (
    select s.host_id, s.seen_at, s.taken_at, s.schedule_seconds, s.unplanned, s.due_at as due from hosts_silence() s
)
select host_id, 'host' as subject, 'medium' as severity,
       format('last heard of %s UTC; %s', to_char(seen_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'),
              case when schedule_seconds > 0 then format('a snapshot was due every %s',
                                                         justify_interval(make_interval(secs => schedule_seconds)))
                   else format('no schedule is known, %s are allowed', unplanned) end) as summary,
       jsonb_build_object('last_seen', seen_at, 'taken_at', taken_at, 'schedule_seconds', schedule_seconds, 'due', due) as evidence
from allowance
where due < clock_timestamp()
