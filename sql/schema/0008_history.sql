-- How verdicts and findings came to be what they are: a row per change, written as hosts are judged. The present stays in host_product
-- and finding; a night in which nothing changes adds nothing here.

create table evenkeel.host_product_history (
    host_id uuid not null,
    product_id integer not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null default 'infinity',
    levels int4range not null,
    verdict text not null check (verdict in ('level', 'mixed', 'unknown')),
    primary key (host_id, product_id, valid_to),
    check (valid_from < valid_to)
);
create index host_product_history_from on evenkeel.host_product_history (valid_from);
create index host_product_history_to on evenkeel.host_product_history (valid_to) where valid_to <> 'infinity';
create index host_product_history_mixed on evenkeel.host_product_history (valid_to) where verdict = 'mixed';
comment on table evenkeel.host_product_history is 'The verdict on a product of a host, from valid_from until valid_to.';
comment on column evenkeel.host_product_history.host_id is 'The host.';
comment on column evenkeel.host_product_history.product_id is 'The product.';
comment on column evenkeel.host_product_history.valid_from is 'When it was first judged so.';
comment on column evenkeel.host_product_history.valid_to is 'When it was judged otherwise, or the product was gone; infinity: now.';
comment on column evenkeel.host_product_history.levels is 'As in host_product.';
comment on column evenkeel.host_product_history.verdict is 'level, mixed or unknown.';

create table evenkeel.finding_past (
    host_id uuid not null,
    check_code text not null,
    subject text not null,
    opened_at timestamptz not null,
    valid_to timestamptz not null,
    severity text not null,
    weight integer not null,
    summary text not null,
    primary key (host_id, check_code, subject, opened_at, valid_to)
);
create index finding_past_valid_to on evenkeel.finding_past (valid_to);
comment on table evenkeel.finding_past is
  'What a finding said before it got worse or better. Evidence of the same severity and weight leaves no row.';
comment on column evenkeel.finding_past.host_id is 'The host.';
comment on column evenkeel.finding_past.check_code is 'The check.';
comment on column evenkeel.finding_past.subject is 'What it is about.';
comment on column evenkeel.finding_past.opened_at is 'When the finding was opened.';
comment on column evenkeel.finding_past.valid_to is 'Until when it said this.';
comment on column evenkeel.finding_past.severity is 'Its severity then.';
comment on column evenkeel.finding_past.weight is 'evenkeel.evidence_weight of its evidence then.';
comment on column evenkeel.finding_past.summary is 'Its line then.';

-- What changed since last night is found by the time it changed, never by looking at every host.
create index host_inventory_current_valid_from on evenkeel.host_inventory_current (valid_from);
create index host_facts_current_valid_from on evenkeel.host_facts_current (valid_from);
create index finding_evidence_at on evenkeel.finding (evidence_at) where closed_at = 'infinity';
create index waiver_until on evenkeel.waiver (until);
