-- The drift report over all cells: the documents of the cells as one. Hosts are called NAME (CELL) in it.

create or replace function evenkeel.in_cell(item jsonb, cell text)
returns jsonb language sql immutable
as $$
    select item || jsonb_build_object('cell', cell)
           || case when item ? 'host' then jsonb_build_object('host', format('%s (%s)', item ->> 'host', cell)) else '{}' end
           || case when jsonb_typeof(item -> 'host_names') = 'array'
                   then jsonb_build_object('host_names', (
                            select coalesce(jsonb_agg(format('%s (%s)', n.name, cell) order by n.place), '[]')
                            from jsonb_array_elements_text(item -> 'host_names') with ordinality n (name, place)))
                   else '{}' end
           || case when item ? 'command' and item ? 'host_names'
                   then jsonb_build_object('command', format('%s    # in cell %s', item ->> 'command', cell)) else '{}' end
$$;
comment on function evenkeel.in_cell(jsonb, text) is 'An item of a cell''s report, with the cell beside each host.';

create or replace function evenkeel.merged_items(items jsonb)
returns jsonb language sql immutable
as $$
    select coalesce(jsonb_agg(m.item order by (m.item ->> 'hosts')::bigint desc, m.place), '[]')
    from (select g.kind || jsonb_build_object('hosts', sum((g.item ->> 'hosts')::bigint),
                                              'cell', string_agg(distinct g.item ->> 'cell', ', '),
                                              'host_names', jsonb_path_query_array(jsonb_agg(g.item -> 'host_names' order by g.place),
                                                                                   '$[*][*]'))
                     as item, min(g.place) as place
          from (select i.item - '{hosts,host_names,cell}'::text[] as kind, i.item, i.place
                from jsonb_array_elements(items) with ordinality i (item, place)) g
          group by g.kind) m
$$;
comment on function evenkeel.merged_items(jsonb) is 'Items of several cells, those that say the same as one with the hosts of all.';

create or replace function evenkeel.merged_dangers(items jsonb)
returns jsonb language sql stable
as $$
    select coalesce(jsonb_agg(m.item order by m.rank, m.hosts desc, m.place), '[]')
    from (select (array_agg(i.item order by i.place))[1]
                 || jsonb_build_object('hosts', sum((i.item ->> 'hosts')::bigint), 'cell', string_agg(distinct i.item ->> 'cell', ', '),
                                       'host_names', jsonb_path_query_array(jsonb_agg(i.item -> 'host_names' order by i.place), '$[*][*]'),
                                       'host_ids', jsonb_path_query_array(jsonb_agg(i.item -> 'host_ids' order by i.place), '$[*][*]'))
                     as item, sum((i.item ->> 'hosts')::bigint) as hosts, min(i.place) as place, min(d.rank) as rank
          from jsonb_array_elements(items) with ordinality i (item, place)
          left join evenkeel.check_definition d on d.code = i.item ->> 'check_code'
          group by i.item ->> 'check_code', i.item ->> 'subject',
                   case when i.item ->> 'check_code' not in ('cloned-identity', 'machine-key-mismatch') then i.item ->> 'summary' end) m
$$;
comment on function evenkeel.merged_dangers(jsonb) is 'What is dangerous in several cells, the same of hosts of several cells as one.';

create or replace function evenkeel.merged_nights(told jsonb)
returns jsonb language sql stable
as $$
    select jsonb_build_object(
        'level_history', (select coalesce(jsonb_agg(to_jsonb(l) order by l.night, l.product, l.verdict, l.level), '[]')
                          from (select case when r.night > date_trunc('day', now()) then now() else r.night end as night, r.product,
                                       r.level, r.verdict, sum(r.hosts)::bigint as hosts
                                from jsonb_each(told) c cross join jsonb_to_recordset(c.value -> 'level_history') r (
                                         night timestamptz, product text, level text, verdict text, hosts bigint)
                                group by 1, 2, 3, 4) l),
        'mixed_history', (select coalesce(jsonb_agg(to_jsonb(m) order by m.night), '[]')
                          from (select case when r.night > date_trunc('day', now()) then now() else r.night end as night,
                                       sum(r.hosts)::bigint as hosts
                                from jsonb_each(told) c cross join jsonb_to_recordset(c.value -> 'mixed_history') r (
                                         night timestamptz, hosts bigint)
                                group by 1) m),
        'matrix', (select coalesce(jsonb_agg(to_jsonb(m) order by m.product, m.component, m.hosts desc), '[]')
                   from (select r.product, r.component, r.level, sum(r.hosts)::bigint as hosts, min(r.lowest_ordinal) as lowest_ordinal,
                                max(r.highest_ordinal) as highest_ordinal
                         from jsonb_each(told) c cross join jsonb_to_recordset(c.value -> 'matrix') r (
                                  product text, component text, level text, hosts bigint, lowest_ordinal integer, highest_ordinal integer)
                         group by 1, 2, 3) m))
$$;
comment on function evenkeel.merged_nights(jsonb) is 'Nights and matrix of several cells'' reports, added up.';

create or replace function evenkeel.merged_drift(told jsonb, silent jsonb, since timestamptz, until timestamptz default 'infinity',
                                                 choice jsonb default null)
returns jsonb language plpgsql stable
as $$
declare
    lists jsonb;
    counts jsonb;
    document jsonb;
begin
    select coalesce(jsonb_object_agg(l.key, l.items), '{}') into lists
    from (select s.key, jsonb_agg(evenkeel.in_cell(i.item, c.key)
                                  order by evenkeel.severity_rank(i.item ->> 'severity') desc nulls last, i.item ->> 'check_code',
                                           i.item ->> 'subject', i.item ->> 'summary', c.key, i.place) as items
          from jsonb_each(told) c
          cross join unnest(array['dangerous', 'new', 'worsened', 'closed', 'passed', 'waived', 'changes', 'facts', 'life', 'outliers',
                                  'silent', 'unknown', 'not_seen', 'unassigned', 'dangers', 'levels', 'groups']) s (key)
          cross join jsonb_array_elements(c.value -> s.key) with ordinality i (item, place)
          group by s.key) l;
    select jsonb_object_agg(n.key, n.value)
           || jsonb_build_object('new_hosts', (select coalesce(jsonb_object_agg(h.key, h.hosts), '{}')
                                               from (select w.key, sum(w.value::bigint) as hosts
                                                     from jsonb_each(told) c cross join jsonb_each_text(c.value #> '{counts,new_hosts}') w
                                                     group by 1) h))
        into counts
    from (select e.key, sum(e.value::bigint) as value
          from jsonb_each(told) c cross join jsonb_each_text((c.value -> 'counts') - 'new_hosts') e group by 1) n;
    counts := coalesce(counts, '{"new_hosts": {}}')
              || (select jsonb_build_object('hosts', coalesce((counts ->> 'hosts')::bigint, 0) + s.hosts,
                                            'unknown', coalesce((counts ->> 'unknown')::bigint, 0) + s.hosts)
                  from (select coalesce(sum((s ->> 'hosts')::bigint), 0) as hosts from jsonb_array_elements(silent) s) s);
    document := jsonb_build_object(
        'schema', 1, 'since', since, 'until', least(now(), until), 'counts', counts,
        'sentence', evenkeel.choice_sentence(choice, concat_ws('; ', (select string_agg(s ->> 'says', '; ')
                                                                      from jsonb_array_elements(silent) s),
                                                               evenkeel.report_sentence(counts))),
        'chosen', choice,
        'cells', (select coalesce(jsonb_agg(jsonb_build_object('cell', c.name, 'answers', told ? c.name,
                                                               'hosts', coalesce(told -> c.name #> '{counts,hosts}', to_jsonb(c.hosts)),
                                                               'error', (select s ->> 'error' from jsonb_array_elements(silent) s
                                                                         where s ->> 'cell' = c.name)) order by c.name), '[]')
                  from evenkeel.cell c),
        'verdicts', (select jsonb_object_agg(v.key, (
                                select coalesce(jsonb_agg(format('%s (%s)', h.host, c.key) order by h.host, c.key), '[]')
                                from jsonb_each(told) c cross join jsonb_array_elements_text(c.value #> array['verdicts', v.key]) h (host)))
                     from unnest(array['became_mixed', 'mended', 'lost']) v (key)),
        'dangerous', evenkeel.merged_dangers(coalesce(lists -> 'dangerous', '[]')),
        'dangers', (select coalesce(jsonb_agg(jsonb_build_object('check_code', d.code, 'findings', d.findings, 'hosts', d.hosts,
                                                                 'command', d.command) order by d.place), '[]')
                    from (select i.item ->> 'check_code' as code, sum((i.item ->> 'findings')::bigint) as findings,
                                 sum((i.item ->> 'hosts')::bigint) as hosts, min(i.item ->> 'command') as command, min(i.place) as place
                          from jsonb_array_elements(coalesce(lists -> 'dangers', '[]')) with ordinality i (item, place) group by 1) d),
        'groups', (select coalesce(jsonb_agg(to_jsonb(g) order by g.in_danger desc, g.mixed desc, g.hosts desc, g.group_name), '[]')
                   from (select min(r.group_name) as group_name, sum(r.hosts) as hosts, sum(r.in_danger) as in_danger,
                                sum(r.mixed) as mixed, sum(r.unknown) as unknown, sum(r.level) as level,
                                sum(r.became_mixed) as became_mixed, sum(r.was_mended) as was_mended
                         from jsonb_to_recordset(coalesce(lists -> 'groups', '[]')) r (
                                  group_name text, hosts bigint, in_danger bigint, mixed bigint, unknown bigint, level bigint,
                                  became_mixed bigint, was_mended bigint)
                         group by lower(r.group_name)) g),
        'levels', (select coalesce(jsonb_agg(distinct l.item - 'cell'), '[]')
                   from jsonb_array_elements(coalesce(lists -> 'levels', '[]')) l (item)),
        'unknown', (select coalesce(jsonb_agg(jsonb_build_object('product', format('(cell %s)', s ->> 'cell'), 'missing', s ->> 'says',
                                                                 'hosts', coalesce((s ->> 'hosts')::bigint, 0), 'cell', s ->> 'cell',
                                                                 'host_names', '[]'::jsonb)), '[]')
                    from jsonb_array_elements(silent) s) || evenkeel.merged_items(coalesce(lists -> 'unknown', '[]')));
    return document
        || (select jsonb_object_agg(k, coalesce(lists -> k, '[]'))
            from unnest(array['new', 'worsened', 'closed', 'passed', 'waived', 'outliers', 'silent']) k)
        || (select jsonb_object_agg(k, evenkeel.merged_items(coalesce(lists -> k, '[]')))
            from unnest(array['changes', 'facts', 'life', 'not_seen', 'unassigned']) k)
        || case when choice is not null then evenkeel.merged_nights(told) else '{}' end;
end
$$;
comment on function evenkeel.merged_drift(jsonb, jsonb, timestamptz, timestamptz, jsonb) is
    'The drift reports of cells, by name, as one, of the hosts chosen or of all; `silent` says which have none, and why. Fails where '
    'one of '
    'them is no such report.';

create or replace function evenkeel.over_cells_report_drift(since timestamptz, until timestamptz default 'infinity',
                                                            choice jsonb default null)
returns jsonb language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    told jsonb;
    silent jsonb;
    said record;
    lagging jsonb;
begin
    if since >= now() then
        raise exception 'a report since % would be about the future', since using errcode = 'invalid_parameter_value';
    end if;
    -- One that did not answer reports before is told from where those ended that it answered.
    select jsonb_object_agg(c.identity, m.told_until) into lagging
    from evenkeel.cell c
    join evenkeel.report_mark m on m.name = evenkeel.cell_mark(current_setting('evenkeel.report', true), c.name);
    select jsonb_object_agg(d.cell, d.document) filter (where d.document is not null),
           coalesce(jsonb_agg(jsonb_build_object('cell', d.cell, 'error', d.error, 'hosts', d.hosts, 'says', d.says) order by d.cell)
                    filter (where d.document is null), '[]')
        into told, silent
    from evenkeel.of_cells(case when lagging is null
                                then format('select evenkeel.report_drift(%L::timestamptz, %L::timestamptz, %L::jsonb), null::text, '
                                            'null::bigint, null::text', since, until, choice)
                                else format('select evenkeel.report_drift(least(%L::timestamptz, (%L::jsonb ->> s.identity)::timestamptz), '
                                            '%L::timestamptz, %L::jsonb), null::text, null::bigint, null::text '
                                            'from evenkeel.cell_state() s',
                                            since, lagging, until, choice) end,
                           null::evenkeel.cell_document, 'answer', 60) d;
    -- Each by itself first: what is no report is its cell's loss alone.
    for said in select t.key as cell, t.value as document from jsonb_each(told) t loop
        begin
            if (said.document #>> '{counts,hosts}')::bigint is null then
                raise exception 'it counts no hosts';
            end if;
            perform evenkeel.merged_drift(jsonb_build_object(said.cell, said.document), '[]', since, until, choice);
        exception when others then
            told := told - said.cell;
            silent := silent || (select jsonb_build_object('cell', c.name, 'error', c.error, 'hosts', c.hosts,
                                                           'says', evenkeel.absent_text(c))
                                 from (select (jsonb_populate_record(o, jsonb_build_object(
                                           'error', 'what it sends is no report: ' || evenkeel.cell_error(sqlerrm)))).* from evenkeel.cell o
                                       where o.name = said.cell) c);
        end;
    end loop;
    -- For report_told(): those of this session's, where it is written in several forms.
    perform set_config('evenkeel.silent_cells',
                       concat_ws(' ', nullif(current_setting('evenkeel.silent_cells', true), ''),
                                 (select string_agg(s ->> 'cell', ' ') from jsonb_array_elements(silent) s)), false);
    if choice is not null then
        -- How many of its hosts are meant, nobody knows.
        select coalesce(jsonb_agg(s.item || jsonb_build_object('hosts', null, 'says', format(
                            'cell %s does not answer: %s; which of its hosts are meant is not known', s.item ->> 'cell',
                            s.item ->> 'error')) order by s.place), '[]')
            into silent
        from jsonb_array_elements(silent) with ordinality s (item, place);
        return evenkeel.merged_drift(coalesce(told, '{}'), silent, since, until, choice);
    end if;
    return evenkeel.merged_drift(coalesce(told, '{}'), silent, since, until) || jsonb_build_object(
        'level_history', (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from ops.level_history(30) l),
        'mixed_history', (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from ops.mixed_history(30) m),
        'matrix', (select coalesce(jsonb_agg(to_jsonb(m) order by m.product, m.component, m.hosts desc), '[]') from ops.level_matrix m));
end
$$;
comment on function evenkeel.over_cells_report_drift(timestamptz, timestamptz, jsonb) is
    'As evenkeel.report_drift(), over all cells. Hosts of a cell that does not answer count as unknown, and the first sentence names it.';

create or replace function evenkeel.over_cells_report_hosts(most integer default 20000, choice jsonb default null)
returns jsonb language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with told as materialized (
        select * from evenkeel.of_cells(format('select evenkeel.report_hosts(%s, %L::jsonb), null::text, null::bigint, null::text', most,
                                               choice),
                                        null::evenkeel.cell_document, 'answer')
    )
    select case when not exists (select from told t where t.document is null and t.error is null)
                 and (select coalesce(sum(jsonb_array_length(t.document)), 0) from told t
                      where jsonb_typeof(t.document) = 'array') <= most
                then coalesce(jsonb_agg(l.line order by l.line ->> 0), '[]') end
    from (select jsonb_build_array(format('%s (%s)', h ->> 0, t.cell), h -> 1, h -> 2) as line
          from told t
          cross join jsonb_array_elements(case when jsonb_typeof(t.document) = 'array' then t.document else '[]' end) h
          union all
          select jsonb_build_array(format('(cell %s)', t.cell), 'unknown', 0) from told t
          where t.error is not null or jsonb_typeof(t.document) <> 'array') l
$$;
comment on function evenkeel.over_cells_report_hosts(integer, jsonb) is 'As evenkeel.report_hosts(), over all cells.';

create or replace function evenkeel.over_cells_report_strange(hosts text[], groups text[])
returns text[] language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    -- What one cell does not know another may; where one is silent, it may be that one.
    with told as materialized (
        select * from evenkeel.of_cells(format('select to_jsonb(evenkeel.report_strange(%L::text[], %L::text[])), null::text, '
                                               'null::bigint, null::text', hosts, groups), null::evenkeel.cell_document, 'answer')
    )
    select array(select w.word from unnest(hosts || groups) w (word)
                 where not exists (select from told t where jsonb_typeof(t.document) is distinct from 'array' or not t.document ? w.word))
$$;
comment on function evenkeel.over_cells_report_strange(text[], text[]) is
    'As evenkeel.report_strange(), over all cells: names that none of them knows, while all answer.';

create or replace function evenkeel.told_moment(document jsonb)
returns timestamptz language plpgsql stable strict
as $$
begin
    return case when document #>> '{}' is not null then least((document #>> '{}')::timestamptz, clock_timestamp()) end;
exception when data_exception then
    return null;
end
$$;
comment on function evenkeel.told_moment(jsonb) is 'The time that a cell tells, which is none to come; null where that is no time.';

create or replace function evenkeel.over_cells_report_horizon()
returns timestamptz language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    -- A cell whose clock is far behind, or that tells nonsense, keeps the others as long as a dump does.
    select coalesce(greatest(min(evenkeel.told_moment(d.document)), clock_timestamp() - interval '1 hour'), clock_timestamp())
    from evenkeel.of_cells('select to_jsonb(evenkeel.report_horizon()), null::text, null::bigint, null::text',
                           null::evenkeel.cell_document, 'answer') d
$$;
comment on function evenkeel.over_cells_report_horizon() is
    'As evenkeel.report_horizon(), over all cells that answer: of one that is silent now a later report tells what came meanwhile.';
