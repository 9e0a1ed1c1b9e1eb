-- The ends of the range of levels that a file's version allows, each with its proofs.

create or replace function evenkeel.upper_ends()
returns table (file_id integer, product_id integer, bound integer, basis text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with missing as materialized (
        -- A level that ships several builds of a name, in several places, is missed only by what is older than all of them. What the level
        -- itself ships so is not below it, whatever lower levels are said to ship.
        select t.file_id, t.product_id,
               coalesce(levels_together(t.levels) filter (where t.relation = '=' and t.compared > 0), '{}')
               - coalesce(levels_together(t.levels) filter (where t.relation = '=' and t.compared <= 0), '{}') as of_exact,
               coalesce(levels_together(t.levels) filter (where t.relation = '>=' and t.compared > 0), '{}') as of_least,
               coalesce(levels_together(t.levels) filter (where t.relation = '=' and t.compared > 0 and t.single), '{}') as single,
               coalesce(upper(levels_together(t.levels) filter (where t.relation = '=' and t.compared = 0)) - 1, -1) as shipped_until
        from content_told t
        where t.relation <> '<='
        group by t.file_id, t.product_id
        having bool_or(t.compared > 0)
    ), first_missed as (
        select m.file_id, m.product_id, least(e.ordinal, a.ordinal) as ordinal,
               case when e.ordinal <= coalesce(a.ordinal, e.ordinal) then '=' else '>=' end as relation
        from missing m
        -- Within an interval of lists only those levels that have one are spoken of.
        left join lateral (
            select l.ordinal from evenkeel.level l
            where l.product_id = m.product_id and l.line = '' and l.ordinal > m.shipped_until and l.ordinal >= lower(m.of_exact)
              and l.ordinal <@ m.of_exact and (l.complete or l.ordinal <@ m.single)
            order by l.ordinal limit 1) e on true
        left join lateral (
            select l.ordinal from evenkeel.level l
            where l.product_id = m.product_id and l.line = '' and l.ordinal > m.shipped_until and l.ordinal >= lower(m.of_least)
              and l.ordinal <@ m.of_least
            order by l.ordinal limit 1) a on true
        where coalesce(e.ordinal, a.ordinal) is not null
    )
    select m.file_id, m.product_id, m.ordinal,
           format('%s ships %s%s (%s)', l.code, case m.relation when '>=' then 'at least ' else '' end,
                  evenkeel.version_text(case m.relation when '=' then s.least else s.greatest end), s.source)
    from first_missed m
    join content_held j on (j.file_id, j.product_id) = (m.file_id, m.product_id)
    join evenkeel.level l on (l.product_id, l.ordinal) = (m.product_id, m.ordinal)
    cross join lateral (select min(s.version) as least, max(s.version) as greatest, min(s.source) as source
                        from statements_at(j.product_id, j.name, j.location, j.machine, m.ordinal) s where s.relation = m.relation) s
$$;
comment on function evenkeel.upper_ends() is
  'The first level that a file is too old for, and why: every build that it ships in that place is newer. The upper end of its range, '
  'exclusive.';

create or replace function evenkeel.exact_ends()
returns table (file_id integer, product_id integer, bound integer, shipped_from integer, basis text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with gathered as materialized (
        select t.file_id, t.product_id,
               levels_together(t.levels) filter (where t.relation = '=' and t.compared = 0) as same,
               coalesce(levels_together(t.levels) filter (where t.relation = '=' and t.compared = 0 and t.single), '{}') as same_single,
               coalesce(levels_together(t.levels) filter (where t.compared < 0), '{}')
               - coalesce(levels_together(t.levels) filter (where t.relation = '=' and t.compared >= 0), '{}') as older,
               coalesce(levels_together(t.levels) filter (where t.compared < 0 and t.single), '{}') as older_single
        from content_told t
        join (select distinct file_id, product_id from content_told where relation = '=' and compared = 0) s using (file_id, product_id)
        where t.relation <> '>='
        group by t.file_id, t.product_id
    )
    select g.file_id, g.product_id, o.ordinal + 1, s.ordinal,
           case when o.ordinal is null then format('%s ships exactly this (%s)', s.code, w.source)
                else format('%s ships exactly this (%s), %s an older one', s.code, w.source, o.code) end
    from gathered g
    join content_held j on (j.file_id, j.product_id) = (g.file_id, g.product_id)
    cross join lateral (
        select l.ordinal, l.code from evenkeel.level l
        where l.product_id = g.product_id and l.ordinal >= lower(g.same) and l.ordinal <@ g.same
          and (l.complete or l.ordinal <@ g.same_single)
        order by l.ordinal limit 1) s
    -- The greatest level below of which every build that is known is older. What is not known of those between raises nothing.
    left join lateral (
        select l.ordinal, l.code from evenkeel.level l
        where l.product_id = g.product_id and l.ordinal < least(s.ordinal, upper(g.older)) and l.ordinal <@ g.older
          and (l.complete or l.ordinal <@ g.older_single)
        order by l.ordinal desc limit 1) o on true
    cross join lateral (select min(a.source) as source from statements_at(j.product_id, j.name, j.location, j.machine, s.ordinal) a
                        where a.relation = '=' and a.version = j.version) w
$$;
comment on function evenkeel.exact_ends() is
  'For files that some level ships exactly so: the first level after the last one that is known to ship an older build (null: none is '
  'known), and the least level that ships it.';

create or replace function evenkeel.rule_holds(relation text, minor integer, build integer, revision integer, version evenkeel.version)
returns boolean language sql immutable parallel safe
as $$
    -- The whole version from the first part on that the rule names, else its fourth part alone.
    select case when relation = '=' then told = wanted else told >= wanted end
    from (select case when minor is not null then version & 281474976710655 when build is not null then version & 4294967295
                      else version & 65535 end as told,
                 case when minor is not null then minor::bigint << 32 else 0 end
                 | case when minor is not null or build is not null then coalesce(build, 0)::bigint << 16 else 0 end | revision as wanted) v
$$;
comment on function evenkeel.rule_holds(text, integer, integer, integer, evenkeel.version) is
  'Whether a version is one that a product-wide rule speaks of.';

create or replace function evenkeel.rule_ends()
returns table (file_id integer, product_id integer, bound integer, named boolean, basis text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with ruled as (
        select distinct on (j.file_id, j.product_id) j.file_id, j.product_id, coalesce(j.number, r.ordinal) as bound, j.name, j.location,
               case when j.number is not null then format('its version carries %s', case j.level_kind when 'build' then 'that build'
                                                          else j.number::text end)
                    else format('%s %s%s is %s%s (%s)', case when r.minor is not null then 'version' when r.build is null then 'revision'
                                                             else 'build' end,
                                case when r.minor is not null
                                     then concat_ws('.', version_major(j.version), r.minor, nullif(r.build, 0), nullif(r.revision, 0))
                                     when r.build is null then r.revision::text when r.revision = 0 then r.build::text
                                  else r.build || '.' || r.revision end, case r.relation when '>=' then ' and above' else '' end,
                                case r.relation when '>=' then 'at least ' else '' end, l.code, r.source) end as basis
        from content_held j
        left join evenkeel.level_rule r on r.product_id = j.product_id and r.relation <> '<='
             and evenkeel.rule_holds(r.relation, r.minor, r.build, r.revision, j.version)
        left join evenkeel.level l on (l.product_id, l.ordinal) = (r.product_id, r.ordinal)
        where j.on_line and (r.product_id is not null or j.number is not null)
        order by j.file_id, j.product_id, r.relation, r.ordinal desc
    ), told as materialized (
        -- Once for all versions of a file.
        select n.*, evenkeel.is_product_name(n.product_id, n.name, n.location) as named
        from (select distinct product_id, name, location from ruled) n
    )
    select r.file_id, r.product_id, r.bound, t.named, r.basis
    from ruled r join told t on t.product_id = r.product_id and t.name = r.name and t.location is not distinct from r.location
$$;
comment on function evenkeel.rule_ends() is
  'What a product-wide rule reads out of versions: at least that level, and no more. named: the file''s name is known to be the '
  'product''s.';

create or replace function evenkeel.patch_ends()
returns table (file_id integer, product_id integer, bound integer, basis text, unstated text, brought boolean)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select j.file_id, j.product_id, min(r.least),
           (array_agg(format('%s brings it, which needs %s or later (%s)', t.code, l.code, t.source) order by r.least, t.code)
               filter (where r.least is not null))[1],
           min(t.code) filter (where r.least is null), true
    from content_held j
    join evenkeel.patch_file pf on pf.file in (j.name, j.location) and pf.version = j.version
    join evenkeel.patch t on t.patch_id = pf.patch_id and t.product_id = j.product_id
    join evenkeel.product q on q.product_id = t.product_id
    -- A list of .NET Framework's may be for several releases: a part of it is of one.
    left join evenkeel.level n on q.beside and n.product_id = t.product_id and n.code = pf.branch
    cross join lateral (select min(o) as least from unnest(t.required_levels) o where o >= coalesce(n.ordinal, o)) r
    left join evenkeel.level l on (l.product_id, l.ordinal) = (t.product_id, r.least)
    -- An update whose list is a level's own brings nothing that the level does not ship.
    where j.on_line and (pf.machine is null or pf.machine = j.machine)
      and not exists (select from evenkeel.level k where k.product_id = t.product_id and k.kb = t.code)
    group by j.file_id, j.product_id
$$;
comment on function evenkeel.patch_ends() is
  'For files that a known patch brings: the lowest level that such a patch is stated to go on, and the first patch that states none.';
