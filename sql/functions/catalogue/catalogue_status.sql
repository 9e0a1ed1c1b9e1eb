-- How far the catalogue reaches: per product, and for the levels that the fleet's hosts declare.

create or replace function evenkeel.fleet_levels()
returns table (product_id integer, ordinal integer, hosts bigint) language sql stable
as $$
    select hp.product_id, coalesce(lower(hp.declared), case when p.level_kind = 'cumulative update' then (f.facts ->> 'ubr')::integer end),
      count(*)
    from evenkeel.host_product hp
    join evenkeel.product p using (product_id)
    left join evenkeel.host_facts_current f using (host_id)
    where p.follows_os
    group by 1, 2
$$;
comment on function evenkeel.fleet_levels() is
  'The levels that hosts declare, by product, and how many hosts do; an update that the catalogue lacks by its number.';

create or replace function evenkeel.catalog_status()
returns table (product text, hosts bigint, levels bigint, lists bigint, lists_missing bigint, newest text, released date, age_days integer,
               hosts_above bigint)
language sql stable
as $$
    with declared as materialized (
        select * from evenkeel.fleet_levels()
    ), newest as (
        select distinct on (l.product_id) l.product_id, l.ordinal, l.code, l.released from evenkeel.level l where l.line = ''
        order by l.product_id, l.ordinal desc
    ), told as (
        -- A level is told of by a list of its own, or by what was captured or stated of it.
        select l.product_id, l.ordinal from evenkeel.level_list l
        union select b.product_id, b.ordinal from evenkeel.baseline b where b.relation = '='
    )
    select p.code, coalesce((select sum(d.hosts) from declared d where d.product_id = p.product_id), 0)::bigint,
           (select count(*) from evenkeel.level l where l.product_id = p.product_id),
           (select count(distinct t.ordinal) from told t where t.product_id = p.product_id),
           (select count(*) from declared d where d.product_id = p.product_id and d.ordinal is not null
             and not exists (select from told t where (t.product_id, t.ordinal) = (d.product_id, d.ordinal))),
           coalesce(n.code, ''), n.released, current_date - n.released,
           coalesce((select sum(d.hosts) from declared d where d.product_id = p.product_id and d.ordinal > n.ordinal), 0)::bigint
    from evenkeel.product p left join newest n using (product_id)
    where p.unit_of is null
    order by 2 desc, p.product_id
$$;
comment on function evenkeel.catalog_status() is
  'Per product: hosts that declare a level of it, levels that are known, how many of them by their files, declared ones of which no file '
  'is known, the newest level and its age, and the hosts above it.';

create or replace function evenkeel.catalog_missing_lists(most integer default 10)
returns table (product text, level text, article text, hosts bigint, published text) language sql stable
as $$
    select p.code, coalesce(l.code, format('%s.%s', p.os_build, d.ordinal)), coalesce(l.kb, ''), d.hosts,
           case when p.level_kind <> 'cumulative update' then 'capture it from media or a healthy host (evenkeel baseline capture)'
                when coalesce(l.kb, '') <> '' then format('https://support.microsoft.com/help/%s (File information)',
                                                          substring(l.kb from '\d+'))
                else format('https://support.microsoft.com, the update of build %s.%s (File information)', p.os_build, d.ordinal) end
    from evenkeel.fleet_levels() d
    join evenkeel.product p using (product_id)
    left join evenkeel.level l on (l.product_id, l.ordinal) = (d.product_id, d.ordinal)
    where d.ordinal is not null
      and not exists (select from evenkeel.level_list i where (i.product_id, i.ordinal) = (d.product_id, d.ordinal))
      and not exists (select from evenkeel.baseline b where (b.product_id, b.ordinal, b.relation) = (d.product_id, d.ordinal, '=')
                      and b.kind <> 'learned')
    order by d.hosts desc, p.code, d.ordinal desc
    limit most
$$;
comment on function evenkeel.catalog_missing_lists(integer) is
  'The levels that hosts declare and of whose files nothing is known, those that would settle most hosts first: the article of each, and '
  'where its list is published.';
