-- More than one database: the cells of a fleet database, and what a cell is told of the others.

create table evenkeel.cell (
    name text primary key check (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    dsn text not null,
    identity text not null unique,
    added_at timestamptz not null default now(),
    answered_at timestamptz,
    hosts bigint,
    products jsonb not null default '{}',
    error text
);
comment on table evenkeel.cell is
    'Of a fleet database: the databases that hold its hosts. Empty in all others. Holds no password: those are in the password file of the '
    'user that PostgreSQL runs as.';
comment on column evenkeel.cell.name is 'What it is called.';
comment on column evenkeel.cell.dsn is 'Where it is, as libpq reads it: host=pg-emea dbname=evenkeel user=fleet.';
comment on column evenkeel.cell.identity is 'Cluster and database, so that one that has two addresses is not counted twice.';
comment on column evenkeel.cell.added_at is 'Since when it belongs to the fleet.';
comment on column evenkeel.cell.answered_at is 'When it last answered evenkeel fleet, check or report.';
comment on column evenkeel.cell.hosts is 'How many hosts it had then; they count as unknown while it does not answer.';
comment on column evenkeel.cell.products is 'How many hosts had which product then.';
comment on column evenkeel.cell.error is 'Why it did not answer since; null: it did.';

create table evenkeel.foreign_identity (
    hash bytea not null,
    cell text not null,
    owners integer not null,
    sharers integer not null,
    others integer not null,
    hosts jsonb not null,
    primary key (hash, cell)
);
comment on table evenkeel.foreign_identity is
    'In a cell: identities of its hosts that hosts of other cells have too, as the fleet database handed them down; for cloned-identity.';
comment on column evenkeel.foreign_identity.hash is 'evenkeel.identity_hash() of the identity: the identity itself does not travel.';
comment on column evenkeel.foreign_identity.cell is 'The other cell.';
comment on column evenkeel.foreign_identity.owners is 'How many hosts there have it as their own.';
comment on column evenkeel.foreign_identity.sharers is 'How many have it at all, in their machine keys for one.';
comment on column evenkeel.foreign_identity.others is 'How many of those are no domain controllers.';
comment on column evenkeel.foreign_identity.hosts is
    'Up to 100 of them: host, host_id, holds, cell, as in the evidence of cloned-identity.';

create type evenkeel.cell_answer as (identity text, schema integer, hosts bigint, level bigint, mixed bigint, unknown bigint,
                                     products jsonb, is_fleet boolean, error text, cell text);
comment on type evenkeel.cell_answer is 'What a cell says of itself (evenkeel.cell_state()), or why it says nothing.';

create type evenkeel.cell_document as (document jsonb, error text, hosts bigint, says text, cell text);
comment on type evenkeel.cell_document is 'A document of a cell, or why there is none and how many hosts the cell had when last counted.';

create type evenkeel.cell_row as (host text, host_id uuid, product text, missing text, files bigint, says text, cell text);
comment on type evenkeel.cell_row is 'A host of a cell with what is said of it.';

create type evenkeel.cell_identity as (hash bytea, owners integer, sharers integer, others integer, hosts jsonb, cell text);
comment on type evenkeel.cell_identity is 'An identity of hosts of a cell, as evenkeel.foreign_identity has it.';
