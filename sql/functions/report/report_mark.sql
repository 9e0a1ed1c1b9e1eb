-- Reports that follow each other without a gap: where the last one of a name ended, and where this one may end.

create or replace function evenkeel.report_since(report text)
returns timestamptz language sql stable strict
as $$
    select coalesce((select least(m.told_until, now() - interval '1 microsecond') from evenkeel.report_mark m where m.name = report),
                    ops.moment('yesterday'))
$$;
comment on function evenkeel.report_since(text) is
    'Where the next report of that name begins: where the last one ended, or 24 hours ago if there is none yet.';

create or replace function evenkeel.report_horizon()
returns timestamptz language sql volatile
as $$
    -- What a transaction stores bears the time at which it began, and is seen once it ends: so a report that begins later sees all that
    -- is older than the oldest transaction that runs now. Of those of other roles the time can't be read; readers store nothing. One
    -- that runs for an hour is a dump.
    select greatest(least(clock_timestamp(),
                          min(coalesce(a.xact_start - interval '1 microsecond', clock_timestamp() - interval '5 minutes'))),
                    clock_timestamp() - interval '1 hour')
    from pg_stat_activity a
    where a.datname = current_database() and a.pid <> pg_backend_pid()
      and has_table_privilege(a.usesysid, 'evenkeel.finding', 'insert')
      and exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'virtualxid' and l.granted)
$$;
comment on function evenkeel.report_horizon() is
    'Up to when all that is stored will be seen by a report whose transaction begins after this; now, if nothing is being stored.';

create or replace function evenkeel.report_told(report text, until timestamptz)
returns void language sql
as $$
    insert into evenkeel.report_mark (name, told_until) values (report, until)
    on conflict (name) do update set told_until = excluded.told_until, made_by = excluded.made_by, made_at = excluded.made_at
$$;
comment on function evenkeel.report_told(text, timestamptz) is 'Remembers that the report of that name has told all until then.';
