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

create or replace function evenkeel.catalog_contradictions()
returns table (product text, level text, file text, machine text, holds text, source text, against text, other_source text)
language sql stable
as $$
    -- Of lists none contradicts another of its kind: each is of a level of its own. What hosts taught is replaced, not kept beside.
    with said as materialized (
        select b.product_id, b.ordinal, b.file, regexp_replace(b.file, '^.*/', '') as name, b.machine, b.relation, b.version, b.source,
               evenkeel.statement_rank(b.kind) as rank
        from evenkeel.baseline b join evenkeel.product p using (product_id)
        where b.kind <> 'learned' and p.unit_of is null
    ), pair as (
        select b.*, s.file as other_file, s.relation as other_relation, s.version as other_version, s.source as other_source,
               s.rank as other_rank, s.machine as other_machine
        from said b
        join said s on (s.product_id, s.ordinal, s.name) = (b.product_id, b.ordinal, b.name) and (s.file = b.file or s.file = b.name
                                                                                                   or b.file = b.name)
        -- Each pair once, the better source first.
        where b.relation = '=' and (s.relation <> '=' or (b.rank, b.source) < (s.rank, s.source))
        union all
        select b.*, s.file, s.relation, s.version, s.source, evenkeel.statement_rank(s.kind), s.machine
        from said b
        join evenkeel.statement s on s.product_id = b.product_id and s.file in (b.file, b.name) and s.kind = 'list'
             and b.ordinal between s.first_ordinal and s.last_ordinal
        where b.relation = '='
    ), told as (
        select * from pair
        where other_source <> source and (machine is null or other_machine is null or machine = other_machine)
          and case other_relation when '=' then other_version <> version when '>=' then other_version > version
                                  else other_version < version end
    )
    select p.code, evenkeel.level_name(x.product_id, x.ordinal), case when x.file = x.name then x.other_file else x.file end,
           coalesce(evenkeel.machine_name(coalesce(x.machine, x.other_machine)), ''),
           case when x.other_rank < x.rank and x.other_relation = '=' then o.other else o.own end,
           case when x.other_rank < x.rank and x.other_relation = '=' then x.other_source else x.source end,
           case when x.other_rank < x.rank and x.other_relation = '=' then o.own else o.other end,
           case when x.other_rank < x.rank and x.other_relation = '=' then x.source else x.other_source end
    from told x
    join evenkeel.product p using (product_id)
    cross join lateral (select evenkeel.version_text(x.version) as own,
                               case x.other_relation when '>=' then 'at least ' when '<=' then 'at most ' else '' end
                               || evenkeel.version_text(x.other_version) as other) o
    -- A level may ship several builds of a name, in several places: who states both contradicts neither.
    where x.other_relation <> '='
       or not exists (select from evenkeel.statement e
                      where e.product_id = x.product_id and x.ordinal between e.first_ordinal and e.last_ordinal and e.relation = '='
                        and ((e.file = x.other_file and e.source = x.other_source and e.version = x.version)
                             or (e.file = x.file and e.source = x.source and e.version = x.other_version)))
    order by p.code, x.ordinal desc, 3, x.source, x.other_source
$$;
comment on function evenkeel.catalog_contradictions() is
  'Statements of one file of a level that can''t both be so, a pair a row: the one that holds, which is of the better source, and the one '
  'against it. Where both are of one rank both go on counting.';
