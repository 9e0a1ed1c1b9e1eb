-- Reports of some hosts.

alter table evenkeel.report_mark add column choice text not null default '';
comment on column evenkeel.report_mark.choice is
    'Of which hosts the reports of that name are, as options of the command (evenkeel.choice_key()); empty: of all.';

-- Made anew with other arguments.
drop function if exists evenkeel.report_drift(timestamptz, timestamptz), evenkeel.over_cells_report_drift(timestamptz, timestamptz),
    evenkeel.report_findings(timestamptz, timestamptz), evenkeel.report_verdicts(timestamptz, timestamptz),
    evenkeel.report_changes(timestamptz, timestamptz), evenkeel.report_facts(timestamptz, timestamptz),
    evenkeel.inventory_transitions(timestamptz, timestamptz), evenkeel.report_life(timestamptz, timestamptz),
    evenkeel.report_counts(timestamptz, timestamptz, jsonb, jsonb, jsonb, jsonb),
    evenkeel.merged_drift(jsonb, jsonb, timestamptz, timestamptz), evenkeel.report_dangerous(integer, integer, integer),
    evenkeel.report_dangers(), evenkeel.report_groups(uuid[], uuid[], integer), evenkeel.report_hosts(integer),
    evenkeel.over_cells_report_hosts(integer), evenkeel.report_told(text, timestamptz);
