-- Reports that follow each other without a gap: where the last one of a name ended, and where this one may end.

create or replace function evenkeel.report_since(report text)
returns timestamptz language sql stable strict
as $$
    -- One that told what is to come was made before the clock was set back, nobody knows by how much or when: as if there were none yet,
    -- for rather is a change told twice than never.
    select coalesce((select m.told_until from evenkeel.report_mark m where m.name = report and m.told_until < now()),
                    ops.moment('yesterday'))
$$;
comment on function evenkeel.report_since(text) is
    'Where the next report of that name begins: where the last one ended, or 24 hours ago if there is none yet, or if that is to come.';

create or replace function evenkeel.report_is_of(report text, choice jsonb)
returns void language plpgsql stable
as $$
declare
    known text;
begin
    select m.choice into known from evenkeel.report_mark m where m.name = report;
    -- What was told of some hosts only was not told of the others.
    if known <> evenkeel.choice_key(choice) then
        raise exception 'the report ''%'' is of %, and this one of %: one name would leave gaps, give this one another (--name)', report,
            coalesce(nullif(btrim(known), ''), 'all hosts'), coalesce(nullif(btrim(evenkeel.choice_key(choice)), ''), 'all hosts')
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;
comment on function evenkeel.report_is_of(text, jsonb) is
    'An error where the last report of that name was of other hosts than these (evenkeel.report_choice): each name is of one choice.';

create or replace function evenkeel.report_horizon()
returns timestamptz language plpgsql volatile
as $$
declare
    -- Before it looks: what begins while it looks may be missed. A transaction bears the time at which its first statement arrived, and
    -- is seen a little later.
    moment constant timestamptz := clock_timestamp() - interval '200 milliseconds';
begin
    -- What a transaction stores bears the time at which it began, or a later one, and is seen once it ends: so a report that begins later
    -- sees all that is older than the oldest transaction that runs now. Of those of other roles the time can't be read; readers store
    -- nothing. One that runs for an hour is a dump.
    return (
        select greatest(least(moment, min(coalesce(a.xact_start - interval '1 microsecond', moment - interval '5 minutes'))),
                        moment - interval '1 hour')
        from pg_stat_activity a
        where a.datname = current_database() and a.pid <> pg_backend_pid()
          and has_table_privilege(a.usesysid, 'evenkeel.finding', 'insert')
          and exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'virtualxid' and l.granted));
end
$$;
comment on function evenkeel.report_horizon() is
    'Up to when all that is stored will be seen by a report whose transaction begins after this; a moment ago, if nothing is being stored.';

create or replace function evenkeel.cell_mark(report text, cell text)
returns text language sql immutable
as $$ select format('%s of %s', cell, left(md5(report), 16)) $$;
comment on function evenkeel.cell_mark(text, text) is
    'Under which name report_mark keeps up to when the report of that name has told of a cell that did not answer since.';

create or replace function evenkeel.report_told(report text, until timestamptz, choice jsonb default null)
returns void language plpgsql
as $$
declare
    silent text[] := string_to_array(coalesce(current_setting('evenkeel.silent_cells', true), ''), ' ');
begin
    -- What was told of a cell that is silent ends where this report began, and the others go on.
    insert into evenkeel.report_mark (name, told_until)
    select evenkeel.cell_mark(report, c.name), evenkeel.report_since(report) from evenkeel.cell c where c.name = any (silent)
    on conflict (name) do nothing;
    delete from evenkeel.report_mark m using evenkeel.cell c
    where m.name = evenkeel.cell_mark(report, c.name) and c.name <> all (silent);
    insert into evenkeel.report_mark (name, told_until, choice) values (report, until, evenkeel.choice_key(choice))
    on conflict (name) do update set told_until = excluded.told_until, made_by = excluded.made_by, made_at = excluded.made_at;
end
$$;
comment on function evenkeel.report_told(text, timestamptz, jsonb) is
    'Remembers that the report of that name, of these hosts, has told all until then; but of cells that did not answer it '
    '(evenkeel.silent_cells, by '
    'over_cells_report_drift) only what it had told before.';
