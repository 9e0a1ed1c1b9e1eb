-- The risk check, for dashboards.

create or replace function ops.risk(patch text, hosts text default null, max_age interval default '48 hours')
returns table (host text, verdict text, reason text, findings jsonb, kept jsonb, replaced integer, host_id uuid)
language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
begin
    -- What runs with the owner's rights must not meet temporary relations or types that the caller made under its names.
    if exists (select from pg_catalog.pg_class c where c.relnamespace = pg_my_temp_schema() and c.relowner <> current_user::regrole)
       or exists (select from pg_catalog.pg_type t where t.typnamespace = pg_my_temp_schema() and t.typowner <> current_user::regrole) then
        raise exception 'this session has temporary relations of its own: call ops.risk() in a new one';
    end if;
    begin
        perform evenkeel.risk_open(patch, hosts);
        while evenkeel.risk_next(2000, max_age) > 0 loop
        end loop;
        return query
        select h.name, r.verdict, r.reason, r.findings, r.kept, r.replaced, r.host_id
        from pg_temp.risk_result r join evenkeel.host h using (host_id)
        order by case r.verdict when 'at risk' then 0 when 'unknown' then 1 when 'safe' then 2 else 3 end, h.name;
        raise exception using errcode = 'EVK00';
    exception when sqlstate 'EVK00' then
        -- What is returned stays returned. All locks that this took go, and what it stored: who only looks leaves nothing that others
        -- would wait for until he ends his transaction.
        null;
    end;
end
$$;
comment on function ops.risk(text, text, interval) is 'What a patch of the catalogue would do, a row per host, worst first; hosts: names as a glob, null: all. verdict: at risk, unknown, safe or not applicable; reason in one line; findings: what the checks would find new, or found already where the patch would land (check, subject, severity, summary, new, evidence); kept: newer files that stay (path, version, brought); replaced: files that the patch would bring. Findings are taken as last judged; evenkeel risk judges waiting hosts first.';
