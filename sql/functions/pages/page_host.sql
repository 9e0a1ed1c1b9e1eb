-- The page of a host.

create or replace function evenkeel.page_host_overview(shown uuid)
returns jsonb language sql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'products', (select coalesce(jsonb_agg(jsonb_build_object(
                         'product', p.code, 'name', p.name, 'verdict', hp.verdict, 'levels', level_range_text(p.product_id, hp.levels),
                         'declared', level_range_text(p.product_id, hp.declared), 'level', level_name(p.product_id, hp.at_ordinal),
                         'proof', hp.proof, 'files', hp.files, 'covered', hp.covered, 'confirmed', hp.confirmed,
                         'countable', hp.countable, 'missing', hp.missing)
                         order by array_position(array['mixed', 'unknown', 'level'], hp.verdict), p.code), '[]')
                     from host_product hp join product p using (product_id) where hp.host_id = shown),
        'components', (select coalesce(jsonb_agg(jsonb_build_object(
                           'component', c.code, 'name', c.name, 'product', p.code,
                           'levels', case when isempty(hc.levels) then 'mixed' else level_range_text(p.product_id, hc.levels) end,
                           'files', hc.files, 'confirmed', hc.confirmed, 'countable', hc.countable, 'ahead', hc.ahead)
                           order by not isempty(hc.levels), hc.confirmed::numeric / greatest(hc.countable, 1), p.code, c.code), '[]')
                       from host_component hc
                       join component c using (component_id)
                       join product p on p.product_id = hc.product_id
                       where hc.host_id = shown),
        'findings', (select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('title', d.title)
                                               order by f.waived_until is not null, severity_rank(f.severity) desc, d.rank,
                                                        f.subject), '[]')
                     from (select o.* from ops.finding o where o.host_id = shown limit 200) f
                     left join check_definition d on d.code = f.check_name),
        'plan', (select coalesce(jsonb_agg(to_jsonb(s) order by s.step), '[]') from evenkeel.plan(shown) s
                 where exists (select from finding f where f.host_id = shown and f.closed_at = 'infinity')))
$$;
comment on function evenkeel.page_host_overview(uuid) is
    'Of a host: products with the verdict on each and what it rests on, components with their coverage, open findings, the way back.';

create or replace function evenkeel.page_host_files(shown uuid, component text, search text, page integer)
returns jsonb language sql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with held as materialized (
        select p.path, i.file_version, i.size, i.machine, fl.product_id, fl.component_id, fl.levels, fl.lower_basis, fl.upper_basis,
               coalesce(hp.at_ordinal, upper(hp.declared) - 1) as at_ordinal,
               case when hp.at_ordinal is null then '' when fl.untouched @> hp.at_ordinal then 'as released'
                    when fl.confirmed @> hp.at_ordinal then 'confirmed'
                    when fl.confirmed_by_fleet @> hp.at_ordinal then 'confirmed by the fleet' else 'not confirmed' end as confirmed
        from host_inventory_current v
        cross join unnest(v.chunk_ids) u (chunk_id)
        join chunk k on k.chunk_id = u.chunk_id
        cross join unnest(k.file_ids) w (file_id)
        join file f on f.file_id = w.file_id
        join path p on p.path_id = f.path_id
        join image i on i.image_id = f.image_id
        left join file_level fl on fl.file_id = f.file_id
                                and fl.product_id in (select o.product_id from host_product o where o.host_id = shown)
        left join host_product hp on (hp.host_id, hp.product_id) = (shown, fl.product_id)
        left join component c on c.component_id = fl.component_id
        where v.host_id = shown
          and (page_host_files.component is null or coalesce(c.code, 'none') = page_host_files.component)
          and (search is null or strpos(p.path, lower(search)) > 0)
    ), listed as (
        -- What is at another level than the host's comes first, then what is not proven.
        select h.*, row_number() over (order by coalesce(not h.levels @> h.at_ordinal, false) desc,
                                                h.confirmed = 'not confirmed' desc, h.path collate "C", h.product_id) as place
        from held h
    )
    select jsonb_build_object(
        'count', (select count(*) from held), 'off', (select count(*) from held h where not h.levels @> h.at_ordinal),
        'number', page, 'more', (select count(*) from held) > page * 200,
        'filter', jsonb_build_object('component', page_host_files.component, 'search', search),
        'files', (select coalesce(jsonb_agg(jsonb_build_object(
                      'path', l.path, 'version', version_text(l.file_version), 'size', l.size, 'machine', machine_name(l.machine),
                      'component', c.code, 'product', p.code, 'levels', level_range_text(l.product_id, l.levels), 'confirmed', l.confirmed,
                      'off', coalesce(not l.levels @> l.at_ordinal, false),
                      'lower_basis', l.lower_basis, 'upper_basis', l.upper_basis) order by l.place), '[]')
                  from listed l
                  left join component c using (component_id)
                  left join product p on p.product_id = l.product_id
                  where l.place > (page - 1) * 200 and l.place <= page * 200),
        'components', (select coalesce(jsonb_agg(n.code order by n.code), '[]')
                       from (select distinct c.code from host_component hc join component c using (component_id)
                             where hc.host_id = shown) n))
$$;
comment on function evenkeel.page_host_files(uuid, text, text, integer) is
    'Files of a host, two hundred a page: those of a component (none: of no product that it has; null: any), or whose path holds a text.';

create or replace function evenkeel.page_host_history(shown uuid, since timestamptz)
returns jsonb language sql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with change as materialized (
        select c.*, count(*) over (partition by c.changed_at) as here,
               row_number() over (partition by c.changed_at order by c.kind = 'file', c.direction <> 'older', c.what) as place
        from ops.changes(shown::text, since) c
    ), moment as (
        select c.changed_at as at, 'changed' as kind, max(c.here) as count,
               jsonb_agg(jsonb_build_object('kind', c.kind, 'what', c.what, 'old', c.old, 'new', c.new, 'direction', c.direction,
                                            'known_as', c.known_as) order by c.place) filter (where c.place <= 100) as changes,
               null::text as text, null::text as severity
        from change c group by 1
        union all
        select p.valid_from, 'verdict', null, null, format('%s: %s', pr.name, case p.verdict when 'level' then
               coalesce('level at ' || level_range_text(p.product_id, p.levels), 'level') else p.verdict end), p.verdict
        from host_product_history p join product pr using (product_id) where p.host_id = shown and p.valid_from > since
        union all
        select f.opened_at, 'found', null, null, f.check_code || ': ' || f.summary, f.severity
        from finding f where f.host_id = shown and f.opened_at > since
        union all
        select f.closed_at, 'closed', null, null, f.check_code || ': ' || f.summary
               || coalesce(' (closed because ' || f.closed_because || ')', ''), null
        from finding f where f.host_id = shown and f.closed_at > since and f.closed_at <> 'infinity'
        union all
        select e.happened_at, e.event, null, null, concat_ws(', ', nullif(e.detail, ''), 'by ' || e.done_by), null
        from host_event e where e.host_id = shown and e.happened_at > since
    ), newest as (
        select m.* from moment m order by m.at desc, m.kind limit 301
    )
    select jsonb_build_object('since', since, 'more', (select count(*) from newest) > 300,
                              'events', (select coalesce(jsonb_agg(to_jsonb(n) order by n.at desc, n.kind), '[]')
                                         from (select * from newest order by at desc, kind limit 300) n))
$$;
comment on function evenkeel.page_host_history(uuid, timestamptz) is
    'What happened to a host since a time, newest first: what changed, verdicts, findings opened and closed, what people decided of it.';

create or replace function evenkeel.page_host_services(shown uuid)
returns jsonb language sql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select jsonb_build_object('services', coalesce(jsonb_agg(to_jsonb(s) - 'host' - 'host_id' || jsonb_build_object(
                                  'lacking', exists (select from finding f where f.host_id = shown and f.check_code = 'missing-file'
                                                       and f.closed_at = 'infinity'
                                                       and f.evidence ->> 'path' in (s.image_file, s.dll_file)))
                                  order by s.kind desc, s.service collate "C"), '[]'))
    from (select o.* from ops.service o where o.host_id = shown limit 2000) s
$$;
comment on function evenkeel.page_host_services(uuid) is
    'Services and drivers of a host; lacking: a finding says that its file is not there.';

create or replace function evenkeel.page_host(shown uuid, part text, component text, search text, since text, page integer)
returns jsonb language plpgsql stable set jit = off set plan_cache_mode = force_custom_plan set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    known record;
    head jsonb;
begin
    select h.* into known from host h where h.host_id = shown;
    if not found then
        return null;
    end if;
    if known.merged_into is not null then
        return page_host(known.merged_into, part, component, search, since, page);
    end if;
    head := jsonb_build_object('page', 'host', 'at', now(), 'part', part, 'host_id', shown, 'host', known.name,
                               'retired_at', known.retired_at, 'retired_because', known.retired_because,
                               'open', (select count(*) from finding f where f.host_id = shown and f.closed_at = 'infinity'),
                               'groups', (select coalesce(jsonb_agg(g.label order by g.label), '[]')
                                          from host_group g where g.host_id = shown),
                               'collector', shown_collectors(shown))
            || coalesce((select jsonb_build_object('state', to_jsonb(h)) from ops.host h where h.host_id = shown), '{}');
    return head || case part
        when 'files' then page_host_files(shown, component, search, page)
        when 'history' then page_host_history(shown, ops.moment(coalesce(since, '30 days')))
        when 'services' then page_host_services(shown)
        else page_host_overview(shown) end;
exception when invalid_datetime_format then
    return jsonb_build_object('refused', sqlerrm);
end
$$;
comment on function evenkeel.page_host(uuid, text, text, text, text, integer) is
    'The page of a host as one document: its head and one part, overview, files, history or services; null: there is none. refused: '
    'what is wrong with what was asked. One that was joined to another is that one.';

create or replace function evenkeel.page_host_named(name text)
returns jsonb language plpgsql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    hosts jsonb;
begin
    select jsonb_agg(jsonb_build_object('host_id', n.host_id, 'host', n.name, 'created_at', n.created_at, 'retired_at', n.retired_at)
                     order by n.created_at, n.host_id) into hosts
    from (select h.* from host h where lower(h.name) = lower(page_host_named.name) and h.merged_into is null limit 100) n;
    if hosts is null then
        return jsonb_build_object('absent', format('There is no host ''%s''.', page_host_named.name));
    elsif jsonb_array_length(hosts) = 1 then
        return page_host((hosts #>> '{0,host_id}')::uuid, 'overview', null, null, null, 1);
    end if;
    return jsonb_build_object('page', 'hosts', 'at', now(), 'name', page_host_named.name, 'hosts', hosts);
end
$$;
comment on function evenkeel.page_host_named(text) is 'The page of the host of a name; where several bear it, which these are.';
