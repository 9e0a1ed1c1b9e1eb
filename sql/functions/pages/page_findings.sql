-- The page of findings.

create or replace function evenkeel.page_findings("check" text, severity text, waived boolean, page integer)
returns jsonb language plpgsql stable set jit = off set plan_cache_mode = force_custom_plan
set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    per_page constant integer := 50;
    summary constant jsonb := fleet_summary();
    kind text;
    worst text;
    listed jsonb := '[]';
    more jsonb;
begin
    if "check" is not null and not exists (select from check_definition d where d.code = "check") then
        return jsonb_build_object('absent', format('There is no check ''%s''.', "check"));
    end if;
    -- Each check and severity by its index, the newest first; without a check the dangerous ones of all, check by check.
    <<gathering>>
    foreach worst in array array['high', 'medium', 'low'] loop
        continue when page_findings.severity is not null and page_findings.severity <> worst;
        for kind in select d.code from check_definition d where "check" is null or d.code = "check" order by d.rank, d.code loop
            exit gathering when jsonb_array_length(listed) > per_page * page;
            select jsonb_agg(to_jsonb(n) order by n.opened_at desc, n.host_id desc, n.subject desc) into more
            from (select f.host_id, h.name as host, f.check_code as check_name, f.subject, f.severity, f.summary, f.evidence, f.opened_at,
                         f.evidence_at, w.until as waived_until, w.reason as waived_because, w.waived_by
                  from finding f
                  join host h on h.host_id = f.host_id and h.merged_into is null
                  left join waiver w on (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now()
                  where f.closed_at = 'infinity' and f.check_code = kind and f.severity = worst
                    and (w.host_id is not null) = page_findings.waived
                  order by f.opened_at desc, f.host_id desc, f.subject desc
                  limit per_page * page + 1 - jsonb_array_length(listed)) n;
            listed := listed || coalesce(more, '[]');
        end loop;
    end loop;
    return jsonb_build_object(
        'page', 'findings', 'at', now(), 'number', page, 'more', jsonb_array_length(listed) > per_page * page,
        'filter', jsonb_build_object('check', "check", 'severity', severity, 'waived', waived),
        'title', (select d.title from check_definition d where d.code = "check"),
        'made_at', summary -> 'made_at', 'checks', summary -> 'checks',
        'findings', (select coalesce(jsonb_agg(l.finding order by l.place), '[]')
                     from jsonb_array_elements(listed) with ordinality l (finding, place)
                     where l.place > per_page * (page - 1) and l.place <= per_page * page));
end
$$;
comment on function evenkeel.page_findings(text, text, boolean, integer) is
    'The page of findings as one document: those of a check and severity (null: any), fifty a page, worst and then newest first; those '
    'that are waived, or those that are not.';
