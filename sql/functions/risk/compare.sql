-- What is found with the patch and not without it, why a host can't be called safe, and what that comes to.

create or replace function evenkeel.risk_find()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into risk_found (host_id, check_code, subject, severity, summary, evidence, fresh, weight, doubt)
    with come as materialized (
        select s.host_id, s.check_code, s.subject, s.severity, s.summary, s.evidence
        from state_finding s
        left join finding f on (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject) and f.closed_at = 'infinity'
        where (f.host_id is null
               -- The same importer and DLL, but more symbols than before.
               or not coalesce(s.evidence -> 'symbols', '[]') <@ coalesce(f.evidence -> 'symbols', '[]')
               or array_position(array['low', 'medium', 'high'], s.severity) > array_position(array['low', 'medium', 'high'], f.severity))
          -- That it would be half there is for want of knowing all that it brings.
          and not (s.check_code = 'partial-patch' and s.subject in (select t.code from overlay_patch join patch t using (patch_id))
                   and exists (select from overlay_touch t where t.host_id = s.host_id and t.doubt is not null))
    ), below as materialized (
        select d.host_id, 'patch-below-prerequisite' as check_code, d.code as subject, 'high' as severity,
               format('%s %s, and %s is %s here', d.code, d.required, d.product, d.level) as summary,
               jsonb_build_object('patch', d.code, 'title', d.title, 'product', d.product, 'required', d.lowest, 'listed', false,
                                  'declared', d.declared, 'below', '[]'::jsonb, 'below_count', 0) as evidence
        from evenkeel.risk_demands(array(select s.host_id from state_host s)) d
        where d.fit = 'below'
          and not exists (select from come c where (c.host_id, c.check_code, c.subject) = (d.host_id, 'patch-below-prerequisite', d.code))
    ), failing as materialized (
        -- A file that fails now, that the patch replaces, and that fails still.
        select f.host_id, f.check_code, f.subject, s.severity, s.summary, s.evidence
        from finding f
        join state_finding s on (s.host_id, s.check_code, s.subject) = (f.host_id, f.check_code, f.subject)
        where f.check_code = 'unresolved-import' and f.closed_at = 'infinity'
          and exists (select from evenkeel.risk_landed() l where l.host_id = f.host_id and l.path = f.evidence #>> '{importer,path}')
          and not exists (select from come c where (c.host_id, c.check_code, c.subject) = (f.host_id, f.check_code, f.subject))
    ), either as materialized (
        select l.host_id, l.path, e.says || '; with one of them' as says
        from evenkeel.risk_landed() l join overlay_either e on e.image_id = l.new_image
        union all
        -- A copy elsewhere, which may as well stay what it is.
        select l.host_id, l.path, w.doubt || '; if it does,'
        from evenkeel.risk_landed() l
        join overlay_host h using (host_id)
        join overlay_landing w on w.plan = h.plan and w.new_file_id = l.file_id and w.doubt is not null
    )
    select n.host_id, n.check_code, n.subject, n.severity, n.summary, n.evidence, true,
           case n.check_code when 'patch-below-prerequisite' then -1 when 'unresolved-import' then 0 when 'mixed-level' then 1 else 2 end
           + case n.severity when 'high' then 0 else 3 end,
           (select min(e.says) from either e
            where e.host_id = n.host_id and n.check_code = 'unresolved-import'
              and exists (select from jsonb_path_query(n.evidence, 'lax $.**.path') q where q #>> '{}' = e.path))
    from (table come union all table below) n
    union all
    select host_id, check_code, subject, severity, summary, evidence, false, 0, null
    from (select a.* from evenkeel.risk_already() a union all table failing) a
$$;
comment on function evenkeel.risk_find() is 'Fills risk_found for the hosts of state_host, from state_finding.';

create or replace function evenkeel.risk_doubts(payload boolean)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into risk_doubt (host_id, place, says)
    select b.host_id, 1, b.missing
    from host_product b join overlay_patch using (product_id) join state_host h using (host_id) join product q using (product_id)
    where b.verdict = 'unknown'
      -- An update of Windows that brings some of .NET Framework's files, too, is Windows'.
      and (not q.beside or not exists (select from deciding_product w join overlay_patch using (product_id) where w.host_id = b.host_id))
    union all
    -- What the patch brings is on no baseline: nothing could be said of the host any more.
    select s.host_id, 2, format('after %s %s could not be judged: %s where it is installed%s', patch.code, p.name, s.missing,
                                case when patch.silent then format(', or say what it needs (evenkeel patch add %s --requires)',
                                                                   patch.code) end)
    from state_product s
    join product p using (product_id)
    left join host_product b using (host_id, product_id)
    cross join (select min(t.code) as code, bool_or(t.required_levels = '{}' and t.level_ordinal is null) as silent
                from overlay_patch o join patch t using (patch_id)) patch
    where s.verdict = 'unknown' and b.verdict is distinct from 'unknown'
    union all
    select d.host_id, 3, format('it %s, and which level %s has is not known for certain: %s', d.required, d.product, d.level)
    from evenkeel.risk_demands(array(select s.host_id from state_host s)) d where d.fit = 'maybe'
    union all
    select t.host_id, 4, w.says
    from overlay_touch t
    join overlay_host o using (host_id)
    join state_host h using (host_id)
    cross join lateral (values (t.doubt), (o.doubt)) w (says)
    where w.says is not null
    union all
    select c.host_id, 5, evenkeel.unreadable_text(c.unreadable)
    from host_checkin c join state_host h using (host_id)
    where c.unreadable > 0
      and not exists (select from host_product b join overlay_patch using (product_id)
                      where b.host_id = c.host_id and b.verdict = 'unknown')
    union all
    select f.host_id, 6, format('%s %s', f.doubt, min(f.summary))
    from risk_found f where f.doubt is not null group by f.host_id, f.doubt
    union all
    select b.host_id, 7, b.says from evenkeel.risk_blind() b
    union all
    select d.host_id, 7, d.says from risk_api_doubt d join state_host h using (host_id)
    union all
    select u.host_id, 8, u.says from evenkeel.risk_unread() u where payload
    union all
    select r.host_id, 9, r.says from evenkeel.risk_removed() r where payload
    union all
    -- Whether it waits for a restart, and where its programs look for DLLs.
    select f.host_id, 10, evenkeel.not_seen_sentence(n.kind, n.what, n.entries)
    from state_facts f cross join lateral evenkeel.not_seen_entries(f.facts) n
    where n.kind = 'no_key' and n.what = 'Session Manager'
$$;
comment on function evenkeel.risk_doubts(boolean) is 'Fills risk_doubt for the hosts of state_host; payload: that of the patch is known.';

create or replace function evenkeel.risk_step(check_code text, subject text, fresh boolean, evidence jsonb)
returns text language sql stable
as $$
    select case
        when check_code = 'mixed-level' and not fresh then
            case when exists (select from evenkeel.product p join evenkeel.level l using (product_id)
                              where p.code = subject and l.code = evidence ->> 'target'
                                and exists (select from evenkeel.level b where b.product_id = l.product_id and b.ordinal < l.ordinal))
                 then format('reapply %s first', evidence ->> 'target')
                 -- What was never released as a pack can't be applied.
                 else 'bring its files to one level first (evenkeel plan)' end
        when check_code = 'mixed-level' then 'leave the patch out, or bring the rest of its files to the same level first'
        when check_code = 'pending-reboot' and not fresh then 'restart it first'
        when check_code = 'partial-patch' and not fresh then format('reapply %s first', subject)
        when check_code = 'patch-below-prerequisite' and fresh then format('install %s first', evidence ->> 'required')
        when check_code = 'unresolved-import' and not fresh then 'mend it first (evenkeel plan)'
        when check_code = 'unresolved-import' then
            format('leave the patch out until %s is there that exports it',
                   evenkeel.with_article(coalesce(evidence ->> 'dll', 'file'))) else '' end
$$;
comment on function evenkeel.risk_step(text, text, boolean, jsonb) is
    'What to do first about a finding that a patch meets or would make; empty: nothing that is known.';

create or replace function evenkeel.risk_compare(payload boolean)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    delete from risk_found;
    delete from risk_doubt;
    select evenkeel.risk_find();
    select evenkeel.risk_doubts(payload);
    insert into risk_result (host_id, verdict, reason, findings, kept, replaced, step)
    with found as (
        select f.*, a.host_id is not null as accepted, a.accepted_by, a.until, a.reason,
               evenkeel.risk_step(f.check_code, f.subject, f.fresh, f.evidence) as step
        from risk_found f
        left join risk_acceptance a
               on (a.host_id, a.check_code, a.subject) = (f.host_id, f.check_code, f.subject) and a.until > now()
              and a.patch in (select t.code from overlay_patch join patch t using (patch_id))
              -- What is worse than what was accepted was not accepted.
              and evenkeel.severity_rank(f.severity) <= evenkeel.severity_rank(a.severity)
              and coalesce(f.evidence -> 'symbols', '[]') <@ a.symbols
        where f.doubt is null
    ), listed as (
        select host_id, jsonb_agg(jsonb_build_object('check', check_code, 'subject', subject, 'severity', severity, 'summary', summary,
                                                     'new', fresh, 'evidence', evidence,
                                                     'accepted', case when accepted then
                                                         jsonb_build_object('by', accepted_by, 'until', until, 'reason', reason) end)
                                  order by fresh desc, weight, subject) as findings,
               (array_agg(case when fresh then summary else format('already %s: %s',
                              case check_code when 'mixed-level' then 'mixed' when 'partial-patch' then 'half patched'
                                              when 'unresolved-import' then 'broken' else 'waiting for a restart' end, summary) end
                          order by accepted, fresh desc, weight, subject))[1] as first,
               -- What is wrong already is put right first, and what the patch needs is there before it.
               (array_agg(step order by fresh, weight, subject) filter (where step <> '' and not accepted))[1] as advice,
               count(*) filter (where not accepted) as total,
               (array_agg(format('accepted by %s until %s: %s', accepted_by, to_char(until, 'YYYY-MM-DD HH24:MI TZ'), reason)
                          order by until, subject) filter (where accepted))[1] as acceptance
        from found
        group by host_id
    ), doubted as (
        select host_id, string_agg(says, '; ' order by place, says) as says from risk_doubt group by host_id
    ), silent as (
        select h.host_id, min(t.code) as code
        from state_host h
        join host_product b using (host_id)
        join overlay_patch o using (product_id)
        join patch t on t.patch_id = o.patch_id
        where t.required_levels = '{}' and t.level_ordinal is null group by h.host_id
    )
    select h.host_id, v.verdict, v.reason, coalesce(l.findings, '[]'), t.kept, t.replaced + cardinality(t.added),
           case when v.verdict = 'at risk' then coalesce(l.advice, '') else '' end
    from state_host h
    join overlay_touch t using (host_id)
    left join listed l using (host_id)
    left join doubted d using (host_id)
    left join silent s using (host_id)
    cross join lateral (
        -- The first that holds.
        select w.verdict, w.reason
        from (values
            (1, 'at risk', l.total > 0,
                concat_ws('; ', l.first, l.advice, case when l.total > 1 then format('and %s more', l.total - 1) end)),
            (2, 'unknown', d.host_id is not null or not payload,
                concat_ws('; ', case when not payload and t.doubt is null
                                     then 'no version risk, imports unknown: add the patch''s payload (evenkeel patch add)' end, d.says)),
            (3, 'unknown', s.host_id is not null,
                format('which levels %s may be installed on is not known: say it (evenkeel patch add %s --requires)', s.code, s.code)),
            (4, 'accepted', l.acceptance is not null, concat_ws('; ', l.acceptance, l.first)),
            (5, 'safe', true,
                concat_ws('; ', format('%s %s replaced', t.replaced, case when t.replaced = 1 then 'file' else 'files' end),
                          case when t.added <> '{}' then format('%s added', cardinality(t.added)) end,
                          case when t.kept <> '[]'
                               then format('keeps %s newer, such as %s %s', jsonb_array_length(t.kept), t.kept -> 0 ->> 'path',
                                           t.kept -> 0 ->> 'version') end))) w (place, verdict, holds, reason)
        where w.holds order by w.place limit 1) v
$$;
comment on function evenkeel.risk_compare(boolean) is 'Findings after minus findings before, for the hosts of state_host.';
