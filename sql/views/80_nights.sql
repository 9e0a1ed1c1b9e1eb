-- How the fleet was in the nights of the last three months, as dashboards draw it.

create or replace view ops.finding_trend as
select n.night, n.check_name, n.severity, n.open, n.opened, n.closed from evenkeel.finding_nights(92) n;
comment on view ops.finding_trend is
    'A row per night of the last 92, and now, per check and severity that had findings then. Waived findings count, for they are there.';
comment on column ops.finding_trend.night is 'Midnight, by the session''s time zone; the last row: now.';
comment on column ops.finding_trend.check_name is 'Which check.';
comment on column ops.finding_trend.severity is 'high, medium or low, as it was that night.';
comment on column ops.finding_trend.open is 'Findings that were open; null: nothing was known yet.';
comment on column ops.finding_trend.opened is 'Findings that were opened since the row before; null: nothing was known yet.';
comment on column ops.finding_trend.closed is 'Findings that were closed since the row before; null: nothing was known yet.';

create or replace view ops.compliance as
select n.night, n.product, n.hosts, n.level, n.mixed, n.unknown, n.silent from evenkeel.verdict_nights(92, false) n;
comment on view ops.compliance is 'A row per night of the last 92, and now, per product: how many hosts are level. Each host counts once.';
comment on column ops.compliance.night is 'Midnight, by the session''s time zone; the last row: now.';
comment on column ops.compliance.product is 'The product.';
comment on column ops.compliance.hosts is 'Hosts that had it; null, here and further on: nothing was known of it yet.';
comment on column ops.compliance.level is 'At one level, by evidence that could have said otherwise.';
comment on column ops.compliance.mixed is 'With files of several levels.';
comment on column ops.compliance.unknown is 'Neither is proven.';
comment on column ops.compliance.silent is 'Not heard of for longer than their schedule allows, whatever was known of them before.';

create or replace view ops.group_compliance as
select n.night, n.label as "group", n.product, n.hosts, n.level, n.mixed, n.unknown, n.silent from evenkeel.verdict_nights(92, true) n;
comment on view ops.group_compliance is
    'As ops.compliance, by the groups that hosts are in today: a host of several groups counts in each.';
comment on column ops.group_compliance.night is 'Midnight, by the session''s time zone; the last row: now.';
comment on column ops.group_compliance."group" is 'The group; groups are compared without regard to case.';
comment on column ops.group_compliance.product is 'The product.';
comment on column ops.group_compliance.hosts is 'Hosts of the group that had it; null, here and further on: nothing was known of it yet.';
comment on column ops.group_compliance.level is 'At one level, by evidence that could have said otherwise.';
comment on column ops.group_compliance.mixed is 'With files of several levels.';
comment on column ops.group_compliance.unknown is 'Neither is proven.';
comment on column ops.group_compliance.silent is 'Not heard of for longer than their schedule allows, whatever was known of them before.';
