-- The drift report's part on changes: what hosts held at its end against what they held at its beginning, gathered by what it is. The
-- cost is that of the hosts that changed, and of each transition between chunks once, however many hosts made it.

create or replace function evenkeel.inventory_stirred(since timestamptz, until timestamptz)
returns table (host_id uuid) language sql stable
as $$
    select c.host_id from evenkeel.host_inventory_current c where c.valid_from > since and c.valid_from <= until
    union
    -- What began since ended since, too: by valid_to it is found.
    select p.host_id from evenkeel.host_inventory_past p where p.valid_to > since and p.valid_from > since and p.valid_from <= until
$$;
comment on function evenkeel.inventory_stirred(timestamptz, timestamptz) is
    'Hosts that had another inventory, or the first, at some time since one and until another.';

create or replace function evenkeel.facts_stirred(since timestamptz, until timestamptz)
returns table (host_id uuid) language sql stable
as $$
    select c.host_id from evenkeel.host_facts_current c where c.valid_from > since and c.valid_from <= until
    union
    select p.host_id from evenkeel.host_facts_past p where p.valid_to > since and p.valid_from > since and p.valid_from <= until
$$;
comment on function evenkeel.facts_stirred(timestamptz, timestamptz) is
    'Hosts that had other facts, or the first, at some time since one and until another.';

create or replace function evenkeel.inventory_transitions(since timestamptz, until timestamptz default 'infinity',
                                                          chosen uuid[] default null)
returns table (transition_id bigint, gone bigint[], come bigint[], host_ids uuid[], names text[])
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with changed as materialized (
        -- What was last known at either time, also where the host was retired then: so each change is told once.
        select h.host_id, h.name, b.chunk_ids as before, a.chunk_ids as after
        from inventory_stirred(since, until) s
        join host h on h.host_id = s.host_id and h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen)))
        cross join lateral (select i.digest, i.chunk_ids from host_inventory i
                            where i.host_id = s.host_id and i.valid_from <= since order by i.valid_to desc limit 1) b
        cross join lateral (select i.digest, i.chunk_ids from host_inventory i
                            where i.host_id = s.host_id and i.valid_from <= until order by i.valid_to desc limit 1) a
        where a.digest <> b.digest
    ), moved as materialized (
        select c.host_id, c.name,
               (select array_agg(chunk_id order by chunk_id)
                from (select unnest(c.before) except select unnest(c.after)) x (chunk_id)) as gone,
               (select array_agg(chunk_id order by chunk_id)
                from (select unnest(c.after) except select unnest(c.before)) x (chunk_id)) as come
        from changed c
    )
    select row_number() over () as transition_id, gone, come, array_agg(host_id) as host_ids, array_agg(name order by name) as names
    from moved
    group by gone, come
$$;
comment on function evenkeel.inventory_transitions(timestamptz, timestamptz, uuid[]) is
    'From which chunks to which hosts, these or all, changed since a time and until another, net, and the hosts that did; those whose '
    'inventory was changed back did not.';

create or replace function evenkeel.report_changes(since timestamptz, until timestamptz default 'infinity', chosen uuid[] default null)
returns table (kind text, what text, title text, hosts bigint, host_names text[], file_count bigint, files jsonb)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with transition as materialized (
        select * from inventory_transitions(since, until, chosen)
    ), file_change as materialized (
        select t.transition_id, p.name, p.location, n.machine, o.file_version as old_version, n.file_version as new_version,
               case when d.old_image is not null then image_text(o.file_version, o.size) end as old,
               case when d.new_image is not null then image_text(n.file_version, n.size) end as new
        from transition t
        cross join lateral inventory_diff(coalesce(t.gone, '{}'), coalesce(t.come, '{}')) d
        join path p on p.path_id = d.path_id
        left join image o on o.image_id = d.old_image
        left join image n on n.image_id = d.new_image
    ), directed as (
        select f.*, change_direction(f.old, f.new, f.old_version, f.new_version) as direction from file_change f
    ), step as materialized (
        -- One step: a file to a version, wherever it happened.
        select row_number() over () as step_id, location, name, machine, new_version, new, direction,
               array_agg(distinct old order by old) filter (where old is not null) as old,
                 array_agg(distinct transition_id order by transition_id) as transitions
        from directed
        group by location, name, machine, new_version, new, direction
    ), candidate as (
        -- What is known to bring it. A file that became older was not brought by the patch whose version it fell back to.
        select s.step_id, 'patch' as kind, t.code as what, max(t.title) as title
        from step s
        join patch_file f on f.file in (s.name, s.location) and f.version = s.new_version and (f.machine is null or f.machine = s.machine)
        join patch t using (patch_id)
        where s.direction in ('newer', 'added')
        group by s.step_id, t.code
        union all
        select distinct s.step_id, 'level', p.name || ' ' || l.code, l.name
        from step s
        join baseline b on b.file in (s.name, s.location) and b.relation = '=' and b.version = s.new_version
             and (b.machine is null or b.machine = s.machine)
        join product p using (product_id)
        join level l using (product_id, ordinal)
        where s.direction in ('newer', 'added')
    ), weighed as (
        select c.*, count(*) over (partition by c.kind, c.what) as steps from candidate c
    ), named as materialized (
        -- Of several that would explain a step, the one that explains most of this night.
        select distinct on (step_id) step_id, kind, what, title
        from weighed
        order by step_id, steps desc, kind desc, what desc
    ), gathered as (
        select coalesce(n.kind, s.direction) as kind, n.what, n.title,
               case when n.what is null then s.transitions end as same_hosts, s.*
        from step s left join named n using (step_id)
    ), line as (
        select row_number() over () as line_id, g.kind, g.what, max(g.title) as title, count(*) as file_count,
               (array_agg(g.name || ' ' || coalesce(g.new, g.old[1]) order by g.name))[1] as first_file,
               jsonb_agg(jsonb_build_object('file', g.location, 'old', coalesce(to_jsonb(g.old), '[]'), 'new', g.new, 'direction',
                                            g.direction)
                         order by g.location) as files,
               array_agg(g.step_id) as steps
        from gathered g
        group by g.kind, g.what, g.same_hosts
    ), holder as (
        select l.line_id, sum(cardinality(t.host_ids)) as hosts, array_agg(t.names) as names
        from line l
        cross join lateral (select distinct x.transition_id
                            from step s cross join unnest(s.transitions) x (transition_id)
                            where s.step_id = any (l.steps)) d
        join (select transition_id, host_ids, to_jsonb(names) as names from transition) t using (transition_id)
        group by l.line_id
    )
    select l.kind,
           coalesce(l.what, case when l.file_count = 1 then l.first_file else format('%s and %s more', l.first_file, l.file_count - 1) end),
           l.title, h.hosts,
           (select array_agg(n order by n) from unnest(h.names) j (list) cross join jsonb_array_elements_text(j.list) n),
           l.file_count, l.files
    from line l join holder h using (line_id)
    order by case l.kind when 'older' then 0 when 'removed' then 1 else 2 end, h.hosts desc, l.file_count desc, 2
$$;
comment on function evenkeel.report_changes(timestamptz, timestamptz, uuid[]) is
    'File changes of hosts, these or all, since a time and until another, net, gathered: a line per patch or level that explains them, '
    'and else per set of files that changed on the same hosts. kind: patch, level, newer, older, added, removed, another build, changed.';

create or replace function evenkeel.report_facts(since timestamptz, until timestamptz default 'infinity', chosen uuid[] default null)
returns table (what text, old_value text, new_value text, hosts bigint, host_names text[])
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with changed as materialized (
        select h.name, b.facts as before, a.facts as after
        from facts_stirred(since, until) s
        join host h on h.host_id = s.host_id and h.merged_into is null and (chosen is null or h.host_id in (select unnest(chosen)))
        cross join lateral (select f.digest, f.facts from host_facts f
                            where f.host_id = s.host_id and f.valid_from <= since order by f.valid_to desc limit 1) b
        cross join lateral (select f.digest, f.facts from host_facts f
                            where f.host_id = s.host_id and f.valid_from <= until order by f.valid_to desc limit 1) a
        where a.digest <> b.digest
    )
    select d.what, d.old_value, d.new_value, count(*), array_agg(c.name order by c.name)
    from changed c
    cross join lateral facts_diff(c.before, c.after) d
    group by 1, 2, 3
    order by 4 desc, 1
$$;
comment on function evenkeel.report_facts(timestamptz, timestamptz, uuid[]) is
    'Facts of hosts, these or all, that were at one time others than at another, the same change on several hosts as one row.';

create or replace function evenkeel.report_verdicts(since timestamptz, until timestamptz default 'infinity', chosen uuid[] default null)
returns table (host_id uuid, host text, was text, is_now text)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with touched as materialized (
        select o.host_id from host_product_history o where o.valid_from > since and o.valid_from <= until
        union
        select o.host_id from host_product_history o where o.valid_to > since and o.valid_to <= until and o.valid_to <> 'infinity'
    ), states as (
        select t.host_id,
               max(case o.verdict when 'mixed' then 3 when 'unknown' then 2 else 1 end)
                   filter (where o.valid_from <= since) as was,
               max(case o.verdict when 'mixed' then 3 when 'unknown' then 2 else 1 end)
                   filter (where o.valid_from <= until and (o.valid_to > until or o.valid_to = 'infinity')) as is_now
        from touched t
        join host_product_history o on o.host_id = t.host_id and o.valid_to > since
        group by t.host_id
    )
    select s.host_id, h.name, (array['level', 'unknown', 'mixed'])[s.was], (array['level', 'unknown', 'mixed'])[s.is_now]
    from states s join host h on h.host_id = s.host_id and h.merged_into is null and h.retired_at is null
    where s.was is distinct from s.is_now and (chosen is null or h.host_id in (select unnest(chosen)))
    order by h.name
$$;
comment on function evenkeel.report_verdicts(timestamptz, timestamptz, uuid[]) is
    'Hosts, of these or all, whose verdict (the worst of their products) was at one time another than at another; null: no product of '
    'theirs was judged.';
