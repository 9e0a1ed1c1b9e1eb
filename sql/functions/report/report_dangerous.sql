-- The drift report's first section: what is dangerous now, whatever its age.

create or replace function evenkeel.open_for(since timestamptz, till timestamptz)
returns text language sql immutable
as $$
    select case when n.seconds >= 172800 then n.seconds / 86400 || ' days'
                when n.seconds >= 7200 then n.seconds / 3600 || ' hours'
                when n.seconds >= 120 then n.seconds / 60 || ' minutes'
                else 'less than 2 minutes' end
    from (select greatest(extract(epoch from till - since), 0)::bigint) n (seconds)
$$;
comment on function evenkeel.open_for(timestamptz, timestamptz) is 'How long something is open: 3 days, 5 hours, 31 minutes.';

create or replace function evenkeel.report_dangerous(planned integer default 10, per_check integer default 20, named integer default 200,
                                                     chosen uuid[] default null)
returns table (check_code text, title text, subject text, severity text, summary text, hosts bigint, host_names text[], host_ids uuid[],
               opened_at timestamptz, open_for text, next_step text, command text)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with groups as materialized (
        -- What an identity is shared with, or which GUID a key is of, each host says otherwise: those share the subject.
        select f.check_code, f.subject, count(*) as hosts, min(f.opened_at) as opened_at,
               (array_agg(f.summary order by f.opened_at, f.name, f.host_id))[1] as summary,
               (array_agg(f.host_id order by f.opened_at, f.name, f.host_id))[1] as host_id,
               (array_agg(f.name order by f.name, f.host_id))[:named] as host_names,
               (array_agg(f.host_id order by f.name, f.host_id))[:named] as host_ids
        from danger f
        where chosen is null or f.host_id in (select unnest(chosen))
        group by f.check_code, f.subject,
                 case when f.check_code not in ('cloned-identity', 'machine-key-mismatch') then f.summary end
    ), placed as (
        select g.*, row_number() over (partition by g.check_code order by g.hosts desc, g.opened_at, g.subject, g.summary) as place
        from groups g
    ), shown as materialized (
        select p.*, d.title, row_number() over (order by d.rank, p.hosts desc, p.opened_at, p.check_code, p.subject, p.summary) as line
        from placed p left join check_definition d on d.code = p.check_code
        where p.place <= per_check
    )
    select s.check_code, coalesce(s.title, ''), s.subject, 'high', s.summary, s.hosts, s.host_names, s.host_ids, s.opened_at,
           evenkeel.open_for(s.opened_at, now()), step.says,
           -- Names are what hosts call themselves: one that a shell might read otherwise is told by its number, as one of two.
           'evenkeel plan ' || case when h.name ~ '^[[:alnum:]][[:alnum:]._-]*$'
                                     and not exists (select from host o where lower(o.name) = lower(h.name) and o.merged_into is null
                                                                          and o.host_id <> h.host_id)
                                    then h.name else h.host_id::text end
    from shown s
    join host h using (host_id)
    -- A hotfix is laid over the host before it is a step: by who asks for the plan, for here nothing may be written.
    left join lateral (select format('%s: %s', n.action, n.what)
                              || case when n.stage = 61 then ', if evenkeel plan, which lays it over the host, has it too'
                                      else '' end as says
                       from evenkeel.plan_steps(s.host_id) n
                       where s.line <= planned and n.stage <> 60 order by n.number limit 1) step on true
    order by s.line
$$;
comment on function evenkeel.report_dangerous(integer, integer, integer, uuid[]) is
    'Open findings of severity high that nobody has waived, worst first, those of hosts that share them as one: so many of each check '
    'with so many names, and of the first lines the first step of the plan of the host that has it longest.';

create or replace function evenkeel.report_dangers(chosen uuid[] default null, options text default '')
returns table (check_code text, findings bigint, hosts bigint, command text)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select f.check_code, count(*), count(distinct f.host_id), 'evenkeel check --check ' || f.check_code || options
    from danger f
    left join check_definition d on d.code = f.check_code
    where chosen is null or f.host_id in (select unnest(chosen))
    group by grouping sets (f.check_code, ())
    order by min(d.rank), f.check_code
$$;
comment on function evenkeel.report_dangers(uuid[], text) is
    'How many findings of severity high are open that nobody has waived, and on how many hosts: by check, with the command that names '
    'all of them, and of all checks (check_code is null); of these hosts, which options choose, or of all.';

create or replace function evenkeel.report_new_sentence(new_hosts jsonb)
returns text language sql stable
as $$
    select string_agg(evenkeel.counted(n.hosts::bigint, 'host ' || coalesce(d.counted_one, 'has a new ' || n.code),
                                                             'hosts ' || coalesce(d.counted_many, 'have a new ' || n.code)),
                      '; ' order by d.rank, n.hosts::bigint desc, n.code)
    from jsonb_each_text(new_hosts) n (code, hosts)
    left join evenkeel.check_definition d on d.code = n.code
$$;
comment on function evenkeel.report_new_sentence(jsonb) is
    'New findings by check as words: 2 hosts can''t load what they import; 1 host lacks a file. Mixed hosts are told elsewhere.';
