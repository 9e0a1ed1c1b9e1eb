-- The databases of a fleet, as dashboards see them.

create or replace view ops.cell as
select c.cell, c.answers, c.hosts, c.level, c.mixed, c.unknown, c.answered_at, c.error from evenkeel.cells_now() c;
comment on view ops.cell is
    'A row per cell of a fleet database, asked now; no rows in any other. One that does not answer is named, and all its hosts count as '
    'unknown.';
comment on column ops.cell.cell is 'Its name.';
comment on column ops.cell.answers is 'Whether it answered now.';
comment on column ops.cell.hosts is 'How many hosts it has; as last counted where it does not answer, null: never counted.';
comment on column ops.cell.level is 'How many of them are level.';
comment on column ops.cell.mixed is 'How many are mixed.';
comment on column ops.cell.unknown is 'How many are neither for certain.';
comment on column ops.cell.answered_at is 'When it last answered: now, or when evenkeel fleet, check or report last asked.';
comment on column ops.cell.error is 'Why it does not answer; null: it does.';
