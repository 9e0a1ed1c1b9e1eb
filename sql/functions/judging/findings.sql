-- Running checks over a state, and what becomes of their verdicts.

create or replace function evenkeel.run_check(code text)
returns void language plpgsql
as $$
declare
    check_query text;
begin
    perform evenkeel.give_way();
    select d.query into strict check_query from evenkeel.check_definition d where d.code = run_check.code;
    execute format('insert into state_finding (host_id, check_code, subject, severity, summary, evidence)
                    select host_id, %L, subject, severity, summary, evidence from (%s) verdict', code, check_query);
end
$$;
comment on function evenkeel.run_check(text) is 'Runs one check over the state and adds its verdicts to state_finding.';

create or replace function evenkeel.store_findings(checks text[])
returns void language plpgsql
as $$
declare
    moment timestamptz := clock_timestamp();
begin
    analyze state_finding;
    update evenkeel.finding f set closed_at = greatest(moment, f.opened_at + interval '1 microsecond')
    from state_host h
    where f.host_id = h.host_id and f.closed_at = 'infinity' and f.check_code = any (checks)
      and not exists (select from state_finding s
                      where (s.host_id, s.check_code, s.subject) = (f.host_id, f.check_code, f.subject));
    insert into evenkeel.finding_past (host_id, check_code, subject, opened_at, valid_to, severity, weight, summary)
    select f.host_id, f.check_code, f.subject, f.opened_at, moment, f.severity, evenkeel.evidence_weight(f.evidence), f.summary
    from evenkeel.finding f
    join state_finding s on (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject)
    where f.closed_at = 'infinity'
      and (f.severity, evenkeel.evidence_weight(f.evidence)) is distinct from (s.severity, evenkeel.evidence_weight(s.evidence));
    update evenkeel.finding f set severity = s.severity, summary = s.summary, evidence = s.evidence, evidence_at = moment
    from state_finding s
    where (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject) and f.closed_at = 'infinity'
      and (f.severity, f.summary, f.evidence) is distinct from (s.severity, s.summary, s.evidence);
    insert into evenkeel.finding (host_id, check_code, subject, opened_at, severity, summary, evidence, evidence_at)
    select s.host_id, s.check_code, s.subject, moment, s.severity, s.summary, s.evidence, moment
    from state_finding s
    where s.check_code = any (checks)
      and not exists (select from evenkeel.finding f
                      where (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject) and f.closed_at = 'infinity');
end
$$;
comment on function evenkeel.store_findings(text[]) is
  'Opens, updates and closes the findings of these checks for the hosts of state_host, as state_finding says.';
