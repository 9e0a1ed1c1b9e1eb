-- How far each report has told.

create table evenkeel.report_mark (
    name text primary key check (name ~ '^[^[:cntrl:]]{1,100}$'),
    told_until timestamptz not null check (isfinite(told_until)),
    made_by text not null default session_user,
    made_at timestamptz not null default now()
);
comment on table evenkeel.report_mark is
    'Up to when the last report of a name has told what changed: the next one of that name begins there.';
comment on column evenkeel.report_mark.name is 'What the report is called: a recipient, as nightly.';
comment on column evenkeel.report_mark.told_until is
    'What was stored before is told. Later than this are also changes that were being stored when the report was made.';
comment on column evenkeel.report_mark.made_by is 'Who made the last report.';
comment on column evenkeel.report_mark.made_at is 'When.';
