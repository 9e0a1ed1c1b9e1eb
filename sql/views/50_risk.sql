-- The risk check, for dashboards.

create or replace function ops.risk(patch text, hosts text default null, max_age interval default '48 hours')
returns table (host text, verdict text, reason text, findings jsonb, kept jsonb, replaced integer, host_id uuid)
language plpgsql
as $$
begin
    perform evenkeel.risk_open(patch, hosts);
    while evenkeel.risk_next(2000, max_age) > 0 loop
    end loop;
    return query
    select h.name, r.verdict, r.reason, r.findings, r.kept, r.replaced, r.host_id
    from pg_temp.risk_result r join evenkeel.host h using (host_id)
    order by case r.verdict when 'at risk' then 0 when 'unknown' then 1 when 'safe' then 2 else 3 end, h.name;
end
$$;
comment on function ops.risk(text, text, interval) is 'What a patch of the catalogue would do, a row per host, worst first; hosts: names as a glob, null: all. verdict: at risk, unknown, safe or not applicable; reason in one line; findings: what the checks would find new, or found already where the patch would land (check, subject, severity, summary, new, evidence); kept: newer files that stay (path, version, brought); replaced: files that the patch would bring. Findings are taken as last judged; evenkeel risk judges waiting hosts first.';
