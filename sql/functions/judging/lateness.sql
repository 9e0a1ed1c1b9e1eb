-- Whether verdicts keep up with what hosts report.

create or replace function evenkeel.judging_is_late()
returns text language sql stable
as $$
    select format('%s hosts wait to be judged, the first for %s, which is longer than judge.late allows (%s): see the log for '
                  'judging-failed',
                  count(distinct q.host_id), date_trunc('second', now() - min(q.queued_at)), evenkeel.setting('judge.late'))
    from evenkeel.judge_queue q
    -- Hosts that take long, or could not be judged, are told of by themselves.
    where not exists (select from evenkeel.slow_host s where s.host_id = q.host_id)
      and not exists (select from evenkeel.not_judged n where n.host_id = q.host_id)
    having min(q.queued_at) < now() - evenkeel.setting('judge.late')::interval
$$;
comment on function evenkeel.judging_is_late() is
    'Why verdicts do not keep up with what hosts report, as a sentence; null: they do.';
