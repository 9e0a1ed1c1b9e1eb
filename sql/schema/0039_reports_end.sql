-- Reports that tell up to a moment, no more; hosts that were joined into another.

alter table evenkeel.host_event drop constraint host_event_event_check,
    add constraint host_event_event_check check (event in ('retired', 'restored', 'came back', 'renamed', 'merged'));
comment on column evenkeel.host_event.event is
  'retired; restored: a person took that back, or let its key report again; came back: it reported although it was retired; renamed; '
  'merged: another was joined into it.';
comment on column evenkeel.host_event.detail is
  'Why it was retired, since when it had been, what it was called before, what the one was called that was joined into it.';
comment on column evenkeel.report_mark.told_until is 'What was stored until then is told, and nothing later.';

-- Made anew with other arguments.
drop function if exists evenkeel.report_drift(timestamptz), evenkeel.over_cells_report_drift(timestamptz),
    evenkeel.report_findings(timestamptz), evenkeel.report_verdicts(timestamptz), evenkeel.report_changes(timestamptz),
    evenkeel.report_facts(timestamptz), evenkeel.inventory_transitions(timestamptz), evenkeel.report_life(timestamptz),
    evenkeel.report_counts(timestamptz, jsonb, jsonb, jsonb, jsonb), evenkeel.merged_drift(jsonb, jsonb, timestamptz);
