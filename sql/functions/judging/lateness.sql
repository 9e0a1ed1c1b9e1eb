-- Whether verdicts keep up with what hosts report.

create or replace function evenkeel.judging_is_late()
returns text language sql stable
as $$
    select coalesce(
        (select format('%s to be judged, the first for %s, which is longer than judge.late allows (%s): see the log for '
                       'judging-failed',
                       evenkeel.counted(count(distinct w.host_id), 'host waits', 'hosts wait'),
                       date_trunc('second', now() - min(w.queued_at)), evenkeel.setting('judge.late'))
         -- Hosts that take long, or could not be judged, are told of by themselves.
         from evenkeel.judge_waiting w
         having min(w.queued_at) < now() - evenkeel.setting('judge.late')::interval),
        (select format('%s to be compared with others, the first for %s, which is longer than judge.late allows (%s): see the '
                       'log for comparing-failed',
                       evenkeel.counted(count(distinct c.host_id), 'host waits', 'hosts wait'),
                       date_trunc('second', now() - min(c.changed_at)), evenkeel.setting('judge.late'))
         from evenkeel.fleet_change c
         having min(c.changed_at) < now() - evenkeel.setting('judge.late')::interval))
$$;
comment on function evenkeel.judging_is_late() is
    'Why verdicts do not keep up with what hosts report, as a sentence; null: they do.';
