-- The drift report's part on groups: how each of them stands, and what became of it.

create or replace function evenkeel.report_groups(became uuid[] default '{}', mended uuid[] default '{}', most integer default 1000,
                                                  chosen uuid[] default null)
returns table (group_name text, hosts bigint, in_danger bigint, mixed bigint, unknown bigint, level bigint, became_mixed bigint,
               was_mended bigint)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    with dangerous as materialized (
        select distinct host_id from danger
    )
    select g.label, count(*), count(d.host_id), count(*) filter (where h.shown = 'mixed'), count(*) filter (where h.shown = 'unknown'),
           count(*) filter (where h.shown = 'level'), count(*) filter (where h.host_id = any (became)),
           count(*) filter (where h.host_id = any (mended))
    from group_host g
    join shown_host h using (host_id)
    left join dangerous d using (host_id)
    where chosen is null or g.host_id in (select unnest(chosen))
    group by g.label
    order by count(d.host_id) desc, count(*) filter (where h.shown = 'mixed') desc, count(*) desc, g.label
    limit most
$$;
comment on function evenkeel.report_groups(uuid[], uuid[], integer, uuid[]) is
    'How many hosts, of these or all, of each group are in danger (an open finding of severity high that nobody has waived), mixed, '
    'unknown and level, and '
    'how many are among those that became mixed or were mended, which are given; the worst first.';
