-- The drift report as one document, which every format is made from.

create or replace function evenkeel.report_findings(since timestamptz, until timestamptz default 'infinity', chosen uuid[] default null)
returns table (section text, host text, check_code text, title text, subject text, severity text, summary text, evidence jsonb,
               opened_at timestamptz,
               closed_at timestamptz, is_new boolean, why text, before_severity text, before_summary text, waived_by text,
                 waived_until timestamptz,
               reason text, last_seen timestamptz)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with touched as materialized (
        select f.host_id, f.check_code, f.subject, f.opened_at from finding f
        where f.opened_at > since and f.opened_at <= report_findings.until
        union
        select f.host_id, f.check_code, f.subject, f.opened_at from finding f where f.closed_at > since and f.closed_at <> 'infinity'
        union
        select f.host_id, f.check_code, f.subject, f.opened_at from finding f where f.check_code in ('outlier', 'silent-host')
          and f.closed_at = 'infinity'
        union
        select p.host_id, p.check_code, p.subject, p.opened_at from finding_past p where p.valid_to > since
        union
        select w.host_id, w.check_code, w.subject, f.opened_at
        from waiver w join finding f on (f.host_id, f.check_code, f.subject) = (w.host_id, w.check_code, w.subject)
          and f.closed_at = 'infinity'
        where w.until > since
    ), then_so as (
        -- As each was at the end that is told, whatever became of it after.
        select f.host_id, f.check_code, f.subject, f.opened_at, f.evidence,
               case when f.closed_at <= report_findings.until then f.closed_at else 'infinity' end as closed_at,
               case when f.closed_at <= report_findings.until then f.closed_because end as closed_because,
               coalesce(n.severity, f.severity) as severity, coalesce(n.weight, evidence_weight(f.evidence)) as weight,
               coalesce(n.summary, f.summary) as summary
        from touched t
        join finding f on (f.host_id, f.check_code, f.subject, f.opened_at) = (t.host_id, t.check_code, t.subject, t.opened_at)
        left join lateral (
            select * from finding_past p
            where (p.host_id, p.check_code, p.subject, p.opened_at) = (f.host_id, f.check_code, f.subject, f.opened_at)
              and p.valid_to > report_findings.until
            order by p.valid_to limit 1) n on true
        where f.opened_at <= report_findings.until
    ), told as (
        select f.*, h.name, coalesce(d.title, '') as title, p.severity as before_severity, p.weight as before_weight,
          p.summary as before_summary,
               w.waived_by, w.until, w.reason, w.until > least(now(), report_findings.until) as waived,
               w.until <= least(now(), report_findings.until) and w.until > since as waiver_ended, c.seen_at
        from then_so f
        join host h on h.host_id = f.host_id and h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen)))
        left join check_definition d on d.code = f.check_code
        left join waiver w on (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject)
        left join host_checkin c on c.host_id = f.host_id
        left join lateral (
            select * from finding_past p
            where (p.host_id, p.check_code, p.subject, p.opened_at) = (f.host_id, f.check_code, f.subject, f.opened_at)
              and p.valid_to > since
            order by p.valid_to limit 1) p on true
    ), placed as (
        select case when t.closed_at <> 'infinity' and t.opened_at > since then 'passed'
                    when t.closed_at <> 'infinity' then case when t.closed_because is null then 'closed' end
                    when t.waived then 'waived'
                    when t.check_code = 'silent-host' then 'silent'
                    when t.check_code = 'outlier' then 'outlier'
                    when t.opened_at > since or t.waiver_ended then 'new'
                    when (severity_rank(t.severity), t.weight) > (severity_rank(t.before_severity), t.before_weight)
                      then 'worsened'
               end as section, t.*
        from told t
    )
    select section, name, check_code, title, subject, severity, summary, evidence, opened_at, nullif(closed_at, 'infinity'),
      opened_at > since,
           case when section = 'passed' then closed_because
                when section = 'new' and waiver_ended and opened_at <= since then 'its waiver ended'
                when section = 'worsened' and severity <> before_severity then format('from %s to %s', before_severity, severity)
                when section = 'worsened' then format('from %s to %s', before_weight, weight) end,
           case when section = 'worsened' then before_severity end, case when section = 'worsened' then before_summary end,
           case when waived then waived_by end, case when waived then until end, case when waived then reason end, seen_at
    from placed
    where section is not null
    order by severity_rank(severity) desc, check_code, subject, summary, name
$$;
comment on function evenkeel.report_findings(timestamptz, timestamptz, uuid[]) is
    'Findings of hosts, these or all, that are new, worsened, closed or waived, and outliers and silent hosts, as the drift report since a '
    'time and until another tells them; passed: those that came and went between. One that went with its host, which was retired, is '
    'not told as closed.';

create or replace function evenkeel.report_sentence(counts jsonb)
returns text language sql stable
as $$
    select concat_ws('; ', n.danger,
        coalesce((select string_agg(evenkeel.counted(f.hosts, f.noun || f.one, f.nouns || f.many), ', ' order by f.place)
                  from (select w.*, case when w.first then 'host ' else '' end as noun, case when w.first then 'hosts ' else '' end as nouns
                        from (select v.*, row_number() over (order by v.place) = 1 as first
                              from (values (1, n.became_mixed, 'became mixed', 'became mixed'), (2, n.mended, 'was mended', 'were mended'),
                                           (3, n.lost, 'can no longer be judged', 'can no longer be judged'),
                                           (4, n.silent, 'is silent', 'are silent'), (5, n.retired, 'was retired', 'were retired'),
                                           (6, n.came_back, 'came back', 'came back')) v (place, hosts, one, many)
                              where v.hosts > 0) w) f),
                 case when n.danger is null then 'No host became mixed' end),
        format('%s of %s changed', ltrim(to_char(n.changed, '999,999,999,990')), evenkeel.counted(n.hosts, 'host', 'hosts')))
    from (select r.*, evenkeel.report_new_sentence(coalesce(r.new_hosts, '{}')) as danger
          from jsonb_to_record(counts) r (became_mixed bigint, mended bigint, lost bigint, silent bigint, changed bigint, hosts bigint,
                                          retired bigint, came_back bigint, new_hosts jsonb)) n
$$;
comment on function evenkeel.report_sentence(jsonb) is
    'The report in one sentence: 2 hosts lack a file; 3 hosts became mixed, 1 was mended, 2 are silent; 212 of 100,000 hosts changed.';

create or replace function evenkeel.report_counts(since timestamptz, until timestamptz, found jsonb, verdicts jsonb, dangers jsonb,
                                                  life jsonb, chosen uuid[] default null)
returns jsonb language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select jsonb_build_object(
               'dangerous', (select d -> 'hosts' from jsonb_array_elements(dangers) d where d ->> 'check_code' is null),
               'new_hosts', (select coalesce(jsonb_object_agg(n.check_code, n.hosts), '{}')
                             from (select f ->> 'check_code' as check_code, count(distinct f ->> 'host') as hosts
                                   from jsonb_array_elements(found -> 'new') f where f ->> 'check_code' <> 'mixed-level' group by 1) n),
               'changed', (select count(*)
                           from (select i.host_id from inventory_stirred(since, until) i
                                 union select f.host_id from facts_stirred(since, until) f) c
                           join host h on h.host_id = c.host_id and h.merged_into is null and h.retired_at is null
                           where chosen is null or h.host_id in (select unnest(chosen))),
               'first_seen', (select count(*)
                              from first_reported(since, until) n
                              join host h on h.host_id = n.host_id and h.merged_into is null and h.retired_at is null
                              where chosen is null or h.host_id in (select unnest(chosen))),
               'became_mixed', jsonb_array_length(verdicts -> 'became_mixed'),
               'mended', jsonb_array_length(verdicts -> 'mended'),
               'lost', jsonb_array_length(verdicts -> 'lost'),
               'silent', (select count(distinct s ->> 'host') from jsonb_array_elements(found -> 'silent') s),
               'retired', (select coalesce(sum((l ->> 'hosts')::bigint), 0) from jsonb_array_elements(life) l
                           where l ->> 'event' = 'retired'),
               'came_back', (select coalesce(sum((l ->> 'hosts')::bigint), 0) from jsonb_array_elements(life) l
                             where l ->> 'event' = 'came back'),
               'new', coalesce(jsonb_array_length(found -> 'new'), 0),
               'worsened', coalesce(jsonb_array_length(found -> 'worsened'), 0),
               'closed', coalesce(jsonb_array_length(found -> 'closed'), 0),
               'passed', coalesce(jsonb_array_length(found -> 'passed'), 0),
               'waived', coalesce(jsonb_array_length(found -> 'waived'), 0),
               'open', (select count(*) from finding f
                        where f.closed_at = 'infinity' and (chosen is null or f.host_id in (select unnest(chosen)))))
           || (select jsonb_build_object('hosts', count(*), 'mixed', count(*) filter (where shown = 'mixed'),
                                         'unknown', count(*) filter (where shown = 'unknown'),
                                         'level', count(*) filter (where shown = 'level'))
               from shown_host h where chosen is null or h.host_id in (select unnest(chosen)))
$$;
comment on function evenkeel.report_counts(timestamptz, timestamptz, jsonb, jsonb, jsonb, jsonb, uuid[]) is
    'What a report counts: hosts, these or all, in all and by verdict, and how many each of its parts, which are given, tells of.';

create or replace function evenkeel.report_drift(since timestamptz, until timestamptz default 'infinity', choice jsonb default null)
returns jsonb language plpgsql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    chosen constant uuid[] := evenkeel.report_chosen(choice);
    found jsonb;
    verdicts jsonb;
    totals jsonb;
    doubtful jsonb;
    unseen jsonb;
    unassigned jsonb;
    dangerous jsonb;
    dangers jsonb;
    life jsonb;
    became uuid[];
    mended uuid[];
begin
    perform set_config('jit', 'off', true);
    if since >= now() then
        raise exception 'a report since % would be about the future', since using errcode = 'invalid_parameter_value';
    end if;
    select coalesce(jsonb_object_agg(s.section, s.list), '{}') into found
    from (select f.section, jsonb_agg(to_jsonb(f) - 'section') as list from report_findings(since, until, chosen) f group by f.section) s;
    select jsonb_build_object(
               'became_mixed', coalesce(jsonb_agg(v.host) filter (where v.is_now = 'mixed'), '[]'),
               'mended', coalesce(jsonb_agg(v.host) filter (where v.was = 'mixed' and v.is_now = 'level'), '[]'),
               'lost', coalesce(jsonb_agg(v.host) filter (where v.was in ('level', 'mixed') and coalesce(v.is_now, 'unknown') = 'unknown'),
                                '[]')),
           coalesce(array_agg(v.host_id) filter (where v.is_now = 'mixed'), '{}'),
           coalesce(array_agg(v.host_id) filter (where v.was = 'mixed' and v.is_now = 'level'), '{}')
        into verdicts, became, mended
    from report_verdicts(since, until, chosen) v;
    select coalesce(jsonb_agg(to_jsonb(u) order by u.hosts desc, u.missing), '[]') into doubtful
    from (select p.name as product,
                 -- Of what stands beside Windows each host may lack another list.
                 case when p.beside
                      then 'it stands beside Windows, and changes no host''s verdict: evenkeel check --host says what it lacks'
                      else hp.missing end as missing,
                 count(*) as hosts, array_agg(h.name order by h.name) as host_names
          from host_product hp join product p using (product_id) join host h using (host_id)
          where hp.verdict = 'unknown' and h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen))) group by 1, 2
          union all
          select 'all products', 'what they reported last is not judged yet: evenkeel check does that, or the aggregator (see its log)',
                 count(*), (array_agg(h.name order by h.name))[:1000]
          from shown_host h where h.pending and (chosen is null or h.host_id in (select unnest(chosen))) having count(*) > 0) u;
    select coalesce(jsonb_agg(to_jsonb(u) order by u.hosts desc, u.what), '[]') into unseen
    from (select n.what, count(*) as hosts, (array_agg(h.name order by h.name))[:1000] as host_names
          from (select f.host_id, evenkeel.not_seen_text(f.facts) as what from host_facts_current f) n join host h using (host_id)
          where n.what <> '' and h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen)))
          group by 1 order by 2 desc, 1 limit 200) u;
    select coalesce(jsonb_agg(to_jsonb(u) order by u.unassigned desc, u.files, u.host_names), '[]') into unassigned
    from (select s.unassigned, s.files, count(*) as hosts, (array_agg(s.host order by s.host))[1:1000] as host_names
          from shown_unassigned(chosen) s group by 1, 2 order by 1 desc, 2 limit 200) u;
    select coalesce(jsonb_agg(to_jsonb(d)), '[]') into dangerous from report_dangerous(chosen => chosen) d;
    select jsonb_agg(to_jsonb(d)) into dangers from report_dangers(chosen, coalesce(choice ->> 'options', '')) d;
    select coalesce(jsonb_agg(to_jsonb(l)), '[]') into life from report_life(since, until, chosen) l;
    totals := report_counts(since, until, found, verdicts, dangers, life, chosen);
    return jsonb_build_object(
        'schema', 1, 'sentence', evenkeel.choice_sentence(choice, evenkeel.report_sentence(totals)),
        'chosen', choice, 'since', since, 'until', least(now(), until),
        'counts', totals, 'verdicts', verdicts,
        'dangerous', dangerous,
        'dangers', (select coalesce(jsonb_agg(d.danger order by d.place), '[]')
                    from jsonb_array_elements(dangers) with ordinality d (danger, place) where d.danger ->> 'check_code' is not null),
        'new', coalesce(found -> 'new', '[]'), 'worsened', coalesce(found -> 'worsened', '[]'),
        'closed', coalesce(found -> 'closed', '[]'), 'passed', coalesce(found -> 'passed', '[]'),
        'waived', coalesce(found -> 'waived', '[]'),
        'changes', (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from report_changes(since, until, chosen) c),
        'facts', (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from report_facts(since, until, chosen) f),
        'life', life, 'outliers', coalesce(found -> 'outlier', '[]'), 'silent', coalesce(found -> 'silent', '[]'), 'unknown', doubtful,
        'not_seen', unseen, 'unassigned', unassigned,
        'groups', (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from report_groups(became, mended, chosen => chosen) g),
        'level_history', (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from evenkeel.level_nights(30, chosen) l),
        'mixed_history', (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from evenkeel.mixed_nights(30, chosen) m),
        'levels', (select coalesce(jsonb_agg(jsonb_build_object('product', p.code, 'name', p.name, 'levels',
                                             (select jsonb_agg(l.code order by l.ordinal) from level l where l.product_id = p.product_id))
                                   order by n.hosts desc, p.code), '[]')
                   from product p
                   join (select hp.product_id, count(*) as hosts from host_product hp
                         where chosen is null or hp.host_id in (select unnest(chosen)) group by 1) n using (product_id)),
        'matrix', (select coalesce(jsonb_agg(to_jsonb(m) order by m.product, m.component, m.hosts desc), '[]')
                   from evenkeel.component_levels(chosen) m));
end
$$;
comment on function evenkeel.report_drift(timestamptz, timestamptz, jsonb) is
    'The drift report since a time, of what changed until another, of the hosts chosen (report_choice) or all, as one JSON document: '
    'what evenkeel report drift --format json prints.';

create or replace function evenkeel.report_rows(document jsonb)
returns table (section text, host text, hosts bigint, kind text, subject text, severity text, summary text, "from" timestamptz,
               "until" timestamptz,
               evidence jsonb)
language sql stable
as $$
    select s.section, f ->> 'host', 1, f ->> 'check_code', f ->> 'subject', f ->> 'severity',
      f ->> 'summary', (f ->> 'opened_at')::timestamptz,
           coalesce(f ->> 'closed_at', f ->> 'waived_until')::timestamptz, f -> 'evidence'
    from (values (1, 'new'), (2, 'worsened'), (3, 'closed'), (4, 'waived'), (5, 'passed'), (7, 'outliers'),
                 (8, 'silent')) s (place, section)
    cross join jsonb_array_elements(document -> s.section) f
    union all
    select 'chosen', null, (document #>> '{counts,hosts}')::bigint, null, null, null, document #>> '{chosen,says}', null,
           (document ->> 'until')::timestamptz, null
    where document #>> '{chosen,says}' is not null
    union all
    select 'changes', array_to_string(array(select jsonb_array_elements_text(c -> 'host_names')), ' '), (c ->> 'hosts')::bigint,
      c ->> 'kind',
           c ->> 'what', null, coalesce(c ->> 'title', ''), (document ->> 'since')::timestamptz, (document ->> 'until')::timestamptz,
             c -> 'files'
    from jsonb_array_elements(document -> 'changes') c
    union all
    select 'facts', array_to_string(array(select jsonb_array_elements_text(c -> 'host_names')), ' '), (c ->> 'hosts')::bigint, 'fact',
      c ->> 'what', null,
           format('%s -> %s', coalesce(c ->> 'old_value', '(none)'), coalesce(c ->> 'new_value', '(none)')),
             (document ->> 'since')::timestamptz,
           (document ->> 'until')::timestamptz, null
    from jsonb_array_elements(document -> 'facts') c
    union all
    select 'unknown', array_to_string(array(select jsonb_array_elements_text(c -> 'host_names')), ' '), (c ->> 'hosts')::bigint, 'unknown',
      c ->> 'product',
           null, c ->> 'missing', null, (document ->> 'until')::timestamptz, null
    from jsonb_array_elements(document -> 'unknown') c
    union all
    select 'not_seen', array_to_string(array(select jsonb_array_elements_text(c -> 'host_names')), ' '), (c ->> 'hosts')::bigint,
      'not seen', null,
           null, c ->> 'what', null, (document ->> 'until')::timestamptz, null
    from jsonb_array_elements(document -> 'not_seen') c
    union all
    select 'unassigned', array_to_string(array(select jsonb_array_elements_text(c -> 'host_names')), ' '), (c ->> 'hosts')::bigint,
      'no product', null,
           null, format('%s of %s', c ->> 'unassigned', evenkeel.counted((c ->> 'files')::bigint, 'file', 'files')), null,
           (document ->> 'until')::timestamptz, null
    from jsonb_array_elements(document -> 'unassigned') c
    union all
    select 'dangerous', array_to_string(array(select jsonb_array_elements_text(c -> 'host_names')), ' '), (c ->> 'hosts')::bigint,
      c ->> 'check_code',
           c ->> 'subject', c ->> 'severity', c ->> 'summary', (c ->> 'opened_at')::timestamptz, null,
             jsonb_build_object('next_step', c -> 'next_step', 'command', c -> 'command')
    from jsonb_array_elements(document -> 'dangerous') c
    union all
    select 'life', array_to_string(array(select jsonb_array_elements_text(l -> 'host_names')), ' '), (l ->> 'hosts')::bigint,
           l ->> 'event', null, null, l ->> 'detail', (document ->> 'since')::timestamptz, (document ->> 'until')::timestamptz,
           jsonb_build_object('done_by', l -> 'done_by')
    from jsonb_array_elements(document -> 'life') l
    union all
    select 'groups', null, (g ->> 'hosts')::bigint, 'group', g ->> 'group_name', null,
           format('%s in danger, %s mixed, %s unknown, %s level', g ->> 'in_danger', g ->> 'mixed', g ->> 'unknown', g ->> 'level'),
           (document ->> 'since')::timestamptz, (document ->> 'until')::timestamptz, g
    from jsonb_array_elements(document -> 'groups') g
$$;
comment on function evenkeel.report_rows(jsonb) is 'The document of evenkeel.report_drift as rows of one shape, for CSV.';
