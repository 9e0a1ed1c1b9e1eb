-- The ends of the range of levels that a file's version allows, each with its proofs. What compares a file's statements with each other is
-- without nested loops (enable_nestloop): the planner takes what is selected of content_told for far less than it is, and would go
-- through those of all files for each. Of 3,000 files with eight statements each upper_ends() took 19 s so, and takes 0.1 s.

create or replace function evenkeel.next_complete()
returns table (product_id integer, last_ordinal integer, ordinal integer)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Once for where statements end, however many files they are of.
    select t.product_id, t.last_ordinal, n.ordinal
    from (select distinct product_id, last_ordinal from content_told) t
    cross join lateral (select min(l.ordinal) as ordinal from evenkeel.level l
                        where l.product_id = t.product_id and l.complete and l.ordinal > t.last_ordinal) n
    where n.ordinal is not null
$$;
comment on function evenkeel.next_complete() is 'For each level at which a statement of content_told ends, the next one with a list.';

create or replace function evenkeel.upper_ends()
returns table (file_id integer, product_id integer, bound integer, basis text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
    with told as materialized (
        select * from content_told where relation <> '<='
    ), missing as materialized (
        -- A level that ships several builds of a name, in several places, is missed only by what is older than all of them. What the level
        -- itself ships so is not below it, whatever lower levels are said to ship.
        select t.file_id, t.product_id,
               coalesce(range_agg(t.levels) filter (where t.relation = '=' and t.newer), '{}')
               - coalesce(range_agg(t.levels) filter (where t.relation = '=' and not t.newer), '{}') as of_exact,
               coalesce(range_agg(t.levels) filter (where t.relation = '>=' and t.newer), '{}') as of_least,
               coalesce(max(t.last_ordinal) filter (where t.relation = '=' and t.shipped = t.version), -1) as shipped_until
        from (select *, shipped > version as newer, int4range(first_ordinal, last_ordinal, '[]') as levels from told) t
        group by t.file_id, t.product_id
        having bool_or(t.newer)
    ), candidate as (
        -- Where what is shipped may turn newer than the file: where a statement begins, and at the list after one's end.
        select file_id, product_id, first_ordinal as ordinal from told where shipped > version
        union all
        select t.file_id, t.product_id, n.ordinal
        from told t join next_complete() n using (product_id, last_ordinal)
        where t.shipped <= t.version and t.kind = 'list'
    ), missed as materialized (
        select c.file_id, c.product_id, min(c.ordinal) filter (where c.ordinal <@ m.of_exact) as of_exact,
               min(c.ordinal) filter (where c.ordinal <@ m.of_least) as of_least
        from candidate c
        join missing m on (m.file_id, m.product_id) = (c.file_id, c.product_id) and c.ordinal > m.shipped_until
        join evenkeel.level l on l.product_id = c.product_id and l.ordinal = c.ordinal and l.line = ''
        group by c.file_id, c.product_id
    ), first_missed as (
        select file_id, product_id, least(of_exact, of_least) as ordinal,
               case when of_exact <= coalesce(of_least, of_exact) then '=' else '>=' end as relation
        from missed where coalesce(of_exact, of_least) is not null
    )
    select m.file_id, m.product_id, m.ordinal,
           format('%s ships %s%s (%s)', min(l.code), case m.relation when '>=' then 'at least ' else '' end,
                  evenkeel.version_text(case m.relation when '=' then min(s.shipped) else max(s.shipped) end), min(s.source))
    from first_missed m
    join told s on (s.file_id, s.product_id, s.relation) = (m.file_id, m.product_id, m.relation)
               and m.ordinal between s.first_ordinal and s.last_ordinal
    join evenkeel.level l on (l.product_id, l.ordinal) = (m.product_id, m.ordinal)
    group by m.file_id, m.product_id, m.ordinal, m.relation
$$;
comment on function evenkeel.upper_ends() is
  'The first level that a file is too old for, and why: every build that it ships in that place is newer. The upper end of its range, '
  'exclusive.';

create or replace function evenkeel.exact_ends()
returns table (file_id integer, product_id integer, bound integer, shipped_from integer, basis text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
    with told as materialized (
        select * from content_told where relation <> '>='
    ), same as (
        select distinct on (file_id, product_id) file_id, product_id, version, first_ordinal, source
        from told where relation = '=' and shipped = version
        order by file_id, product_id, first_ordinal, rank, source
    ), older as (
        -- The greatest level below of which every build that is known is older. What is not known of those between raises nothing.
        select s.file_id, s.product_id, max(t.last_ordinal) as ordinal
        from same s
        join told t using (file_id, product_id)
        where t.shipped < s.version and t.last_ordinal < s.first_ordinal
          and not exists (select from told n
                          where (n.file_id, n.product_id) = (t.file_id, t.product_id) and n.relation = '=' and n.shipped >= n.version
                            and t.last_ordinal between n.first_ordinal and n.last_ordinal)
        group by s.file_id, s.product_id
    )
    select s.file_id, s.product_id, o.ordinal + 1, s.first_ordinal,
           case when o.ordinal is null then format('%s ships exactly this (%s)', l.code, s.source)
                else format('%s ships exactly this (%s), %s an older one', l.code, s.source, b.code) end
    from same s
    join evenkeel.level l on (l.product_id, l.ordinal) = (s.product_id, s.first_ordinal)
    left join older o on (o.file_id, o.product_id) = (s.file_id, s.product_id)
    left join evenkeel.level b on (b.product_id, b.ordinal) = (s.product_id, o.ordinal)
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
