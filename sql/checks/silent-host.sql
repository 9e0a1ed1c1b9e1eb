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
with rule as materialized (
    -- Once, and not for every host of the fleet.
    select setting('silent-host.grace')::interval as grace, 1 + setting('silent-host.tolerance')::double precision as tolerance,
           setting('silent-host.default') as unplanned, setting('silent-host.default')::interval as unplanned_interval
), allowance as (
    select c.host_id, c.seen_at, c.taken_at, c.schedule_seconds, r.unplanned,
           c.seen_at + r.grace + case when c.schedule_seconds > 0 then make_interval(secs => c.schedule_seconds * r.tolerance)
                                      else r.unplanned_interval end as due
    from state_host
    cross join rule r
    join host_checkin c using (host_id)
    join host h using (host_id)
    where h.merged_into is null
)
select host_id, 'host' as subject, 'medium' as severity,
       format('last heard of %s UTC; %s', to_char(seen_at at time zone 'utc', 'YYYY-MM-DD HH24:MI'),
              case when schedule_seconds > 0 then format('a snapshot was due every %s',
                                                         justify_interval(make_interval(secs => schedule_seconds)))
                   else format('no schedule is known, %s are allowed', unplanned) end) as summary,
       jsonb_build_object('last_seen', seen_at, 'taken_at', taken_at, 'schedule_seconds', schedule_seconds, 'due', due) as evidence
from allowance
where due < clock_timestamp()
