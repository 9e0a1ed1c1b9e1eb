-- The risk check, for dashboards.

create or replace function ops.risk(patch text, hosts text default null, max_age interval default '48 hours')
returns table (host text, verdict text, reason text, findings jsonb, kept jsonb, replaced integer, host_id uuid, step text)
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
        select a.host, a.verdict, a.reason, a.findings, a.kept, a.replaced, a.host_id, a.step from evenkeel.risk_answer() a;
        raise exception using errcode = 'EVK00';
    exception when sqlstate 'EVK00' then
        -- What is returned stays returned. All locks that this took go, and what it stored: who only looks leaves nothing that others
        -- would wait for until he ends his transaction.
        null;
    end;
end
$$;
comment on function ops.risk(text, text, interval) is
  'What a patch of the catalogue would do, a row per host, worst first; hosts: a name or a glob, null: all; a name that no host has is '
  'unknown. verdict: at risk, unknown, accepted (at risk, and a person accepts it), safe or not applicable; reason in one line; step: '
  'what to do first; findings: what the checks would find new, or found already where the patch would land (check, subject, severity, '
  'summary, new, evidence); kept: newer files that stay (path, version, brought); replaced: files that the patch would bring. Findings '
  'are taken as last judged; evenkeel risk judges waiting hosts first.';

create or replace view ops.risk_acceptance as
select a.patch, h.name as host, a.check_code as check_name, a.subject, a.severity, a.reason, a.accepted_by, a.accepted_at, a.until,
       a.until <= now() as ended, a.host_id
from evenkeel.risk_acceptance a join evenkeel.host h using (host_id);
comment on view ops.risk_acceptance is
    'A row per finding that a patch would make on a host, and that a person accepts (evenkeel risk --accept).';
comment on column ops.risk_acceptance.patch is 'The patch.';
comment on column ops.risk_acceptance.host is 'The host''s name.';
comment on column ops.risk_acceptance.check_name is 'Which check.';
comment on column ops.risk_acceptance.subject is 'What it is about.';
comment on column ops.risk_acceptance.severity is 'How severe it was when it was accepted; a worse one is not covered.';
comment on column ops.risk_acceptance.reason is 'Why it is accepted.';
comment on column ops.risk_acceptance.accepted_by is 'By whom.';
comment on column ops.risk_acceptance.accepted_at is 'When.';
comment on column ops.risk_acceptance.until is 'When it counts again.';
comment on column ops.risk_acceptance.ended is 'That is past.';
comment on column ops.risk_acceptance.host_id is 'The host.';
