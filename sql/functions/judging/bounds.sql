-- How much one host may say.

create or replace function evenkeel.bound_findings()
returns void language plpgsql
as $$
declare
    most integer := evenkeel.setting('check.findings')::integer;
begin
    if not exists (select from state_finding group by host_id, check_code having count(*) > most) then
        return;
    end if;
    -- The worst first, then in the order of their subjects, so that the same ones stay.
    create temporary table if not exists further_finding (host_id uuid, check_code text, severity text, more bigint) on commit delete rows;
    delete from further_finding;
    with ranked as (
        select s.ctid as place, s.host_id, s.check_code, s.severity,
               row_number() over (partition by s.host_id, s.check_code order by evenkeel.severity_rank(s.severity) desc, s.subject) as rank
        from state_finding s
        join (select host_id, check_code from state_finding group by host_id, check_code having count(*) > most) m
             using (host_id, check_code)
    ), cut as (
        delete from state_finding s using ranked r where s.ctid = r.place and r.rank > most
        returning s.host_id, s.check_code, s.severity
    )
    insert into further_finding
    select host_id, check_code, (array_agg(severity order by evenkeel.severity_rank(severity) desc))[1], count(*)
    from cut group by host_id, check_code;
    insert into state_finding (host_id, check_code, subject, severity, summary, evidence)
    select host_id, check_code, 'further', severity,
           format('%s of %s: the first %s are told one by one', evenkeel.counted(more, 'further finding'), check_code, most),
           jsonb_build_object('further', more, 'told', most)
    from further_finding;
end
$$;
comment on function evenkeel.bound_findings() is
    'A host has so many findings of one check (evenkeel.setting, check.findings); what is beyond is counted in one more, whose subject '
    'is ''further''.';
