-- What risk tells, and what of it a person accepts.

create or replace function evenkeel.risk_answer()
returns table (host text, verdict text, reason text, step text, findings jsonb, kept jsonb, replaced integer, host_id uuid)
language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select * from (
        select h.name, r.verdict, r.reason, r.step, r.findings, r.kept, r.replaced, r.host_id from risk_result r join host h using (host_id)
        union all
        select s.host, 'unknown', s.reason, '', '[]', '[]', 0, null from risk_stranger s)
         a (host, verdict, reason, step, findings, kept, replaced, host_id)
    order by array_position(array['at risk', 'unknown', 'accepted', 'safe'], a.verdict), a.host, a.host_id
$$;
comment on function evenkeel.risk_answer() is
    'What was worked out since risk_open(): a row per host, worst first; a name that no host has is unknown.';

create or replace function evenkeel.risk_document(asked text, max_age text)
returns jsonb language sql
as $$
    with answer as materialized (select a.*, row_number() over () as place from evenkeel.risk_answer() a)
    select jsonb_build_object(
        'schema', 1,
        'patch', (select jsonb_build_object('code', min(t.code), 'title', max(t.title), 'products', jsonb_agg(p.code order by p.code),
                                            'payload', bool_and(t.has_payload),
                                            'requires', (select coalesce(jsonb_agg(distinct l.code), '[]') from evenkeel.patch r
                                                         cross join unnest(r.required_levels) o (ordinal)
                                                         join evenkeel.level l on l.product_id = r.product_id and l.ordinal = o.ordinal
                                                         where r.code = upper(asked)))
                  from evenkeel.patch t join evenkeel.product p using (product_id) where t.code = upper(asked)),
        'worked_out_at', now(),
        'catalogue_at', (select max(e.loaded_at) from evenkeel.edition e),
        'max_age', max_age,
        'counts', (select jsonb_build_object('hosts', count(*), 'at_risk', count(*) filter (where verdict = 'at risk'),
                                             'unknown', count(*) filter (where verdict = 'unknown'),
                                             'accepted', count(*) filter (where verdict = 'accepted'),
                                             'safe', count(*) filter (where verdict = 'safe'),
                                             'not_applicable', count(*) filter (where verdict = 'not applicable')) from answer),
        'remedies', (select coalesce(jsonb_agg(jsonb_build_object('step', r.step, 'host_count', r.number, 'hosts', r.names)
                                               order by r.number desc, r.step), '[]')
                     from (select step, count(*) as number, jsonb_agg(host order by host) as names
                           from answer where step <> '' group by step) r),
        'hosts', (select coalesce(jsonb_agg(jsonb_build_object('host', host, 'host_id', host_id, 'verdict', verdict, 'reason', reason,
                                                               'step', step, 'findings', findings, 'kept', kept,
                                                               'replaced', replaced) order by place), '[]') from answer))
$$;
comment on function evenkeel.risk_document(text, text) is
    'The same as one JSON document, with the patch, counts, and hosts by what to do first.';

create or replace function evenkeel.risk_accept(asked text, accepted_check text, accepted_subject text, because text, ends timestamptz,
                                               person text)
returns integer language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    accepted integer;
begin
    perform evenkeel.waiver_check(accepted_check);
    perform evenkeel.waiver_terms(because, ends);
    insert into risk_acceptance (patch, host_id, check_code, subject, severity, symbols, reason, accepted_by, until)
    select upper(asked), r.host_id, f ->> 'check', f ->> 'subject', f ->> 'severity', coalesce(f #> '{evidence,symbols}', '[]'),
           trim(because), coalesce(nullif(trim(person), ''), session_user), ends
    from risk_result r cross join jsonb_array_elements(r.findings) f
    where f ->> 'check' = accepted_check and (accepted_subject is null or f ->> 'subject' = accepted_subject)
    on conflict on constraint risk_acceptance_pkey do update
        set severity = excluded.severity, symbols = excluded.symbols, reason = excluded.reason, accepted_by = excluded.accepted_by,
            accepted_at = now(), until = excluded.until;
    get diagnostics accepted = row_count;
    if accepted = 0 then
        raise exception '% would find nothing of % on these hosts%', asked, accepted_check,
            coalesce(' on ''' || accepted_subject || '''', '') using errcode = 'no_data_found';
    end if;
    return accepted;
end
$$;
comment on function evenkeel.risk_accept(text, text, text, text, timestamptz, text) is
    'Accepts what a patch would find, as it was just worked out, until a time; returns how many findings.';

create or replace function evenkeel.risk_reject(asked text, hosts text[], groups text[], excepted text[], accepted_check text,
                                               accepted_subject text)
returns integer language plpgsql
as $$
declare
    removed integer;
begin
    perform evenkeel.waiver_check(accepted_check);
    perform evenkeel.check_choice(hosts, groups, excepted);
    delete from evenkeel.risk_acceptance a
    where a.patch = upper(asked) and a.check_code = accepted_check and (accepted_subject is null or a.subject = accepted_subject)
      and a.host_id in (select c.host_id from evenkeel.chosen_hosts(hosts, groups, excepted) c);
    get diagnostics removed = row_count;
    if removed = 0 then
        raise exception 'nothing of % is accepted of % on these hosts', accepted_check, asked using errcode = 'no_data_found';
    end if;
    return removed;
end
$$;
comment on function evenkeel.risk_reject(text, text[], text[], text[], text, text) is 'Ends such acceptances at once; returns how many.';
