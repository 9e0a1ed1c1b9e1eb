-- What levels ship under a file's name and place: of statements that disagree those of the better source.

create or replace function evenkeel.find_statements()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from content_told;
    insert into content_told (file_id, product_id, at_release, relation, compared, rank, learned, single, levels)
    with listed as materialized (
        -- What lists say of a file, once for all the products that share it: however many intervals there are, three sets of levels.
        select f.file_id, s.products, statement_rank('list') * 2 + (f.name is distinct from f.location)::integer as rank,
               i.older, i.same, i.newer, e.older as older_ends, e.same as same_ends, e.newer as newer_ends
        from (select distinct file_id, name, location, machine, version from content_held where on_line) f
        join shipped_file s on s.file = f.name and (s.architecture is null or f.machine = any (machines_on(s.architecture)))
        cross join lateral (
            select range_agg(u.levels) filter (where u.shipped < f.version) as older,
                   range_agg(u.levels) filter (where u.shipped = f.version) as same,
                   range_agg(u.levels) filter (where u.shipped > f.version) as newer
            from (select s.stem << 16 | u.revision as shipped, int4range(u.first_ordinal, u.last_ordinal, '[]') as levels
                  from unnest(s.first_ordinals, s.last_ordinals, s.revisions) u (first_ordinal, last_ordinal, revision) offset 0) u) i
        -- An index speaks of levels that have no list.
        cross join lateral (
            select range_agg(u.levels) filter (where u.shipped < f.version) as older,
                   range_agg(u.levels) filter (where u.shipped = f.version) as same,
                   range_agg(u.levels) filter (where u.shipped > f.version) as newer
            from (select s.stem << 16 | u.revision as shipped, int4range(o.ordinal, o.ordinal, '[]') as levels
                  from unnest(s.first_ordinals, s.last_ordinals, s.revisions) u (first_ordinal, last_ordinal, revision)
                  cross join lateral (values (u.first_ordinal), (u.last_ordinal)) o (ordinal)
                  where s.edition_id is not null offset 0) u) e
    ), told as materialized (
        select j.file_id, j.product_id, j.at_release, '=' as relation, c.compared, l.rank, false as learned, c.single, c.levels
        from listed l
        join content_held j on j.file_id = l.file_id and j.on_line and j.product_id = any (l.products)
        cross join lateral (values (-1, false, l.older), (0, false, l.same), (1, false, l.newer),
                                   (-1, true, l.older_ends), (0, true, l.same_ends), (1, true, l.newer_ends)) c (compared, single, levels)
        where c.levels is not null
        union all
        select j.file_id, j.product_id, j.at_release, b.relation, b.compared, b.rank, b.learned, true, b.levels
        from content_held j
        cross join lateral (
            select b.relation, sign(b.version - j.version)::integer as compared,
                   statement_rank(b.kind) * 2 + (b.file is distinct from j.location)::integer as rank, b.kind = 'learned' as learned,
                   range_agg(int4range(b.ordinal, b.ordinal, '[]')) as levels
            from (select b.* from evenkeel.baseline b
                  where b.product_id = j.product_id and b.file in (j.name, j.location) and (b.machine is null or b.machine = j.machine)
                  offset 0) b
            group by 1, 2, 3, 4) b
        where j.on_line
    )
    -- Stated outranks captured, captured outranks learned; what a level ships at a place outranks what it ships under that name anywhere.
    select w.file_id, w.product_id, w.at_release, w.relation, w.compared, w.rank, w.learned, w.single, w.holds
    from (select t.*, case when t.relation = '>=' then t.levels
                           else t.levels - coalesce(levels_together(t.levels) filter (where t.relation = '=')
                                                    over (partition by t.file_id, t.product_id order by t.rank
                                                          groups between unbounded preceding and 1 preceding), '{}') end as holds
          from told t) w
    where not isempty(w.holds);
    analyze content_told (file_id, product_id, relation, compared, rank);
end
$$;
comment on function evenkeel.find_statements() is
  'Fills content_told; where statements on what a level ships exactly disagree, or repeat each other, the better source''s is taken.';

create or replace function evenkeel.implied_statements()
returns table (file_id integer, product_id integer, shipped bigint, first_ordinal integer, last_ordinal integer)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with complete as materialized (
        select c.*, min(c.product_id) over (partition by c.levels) as alike
        from (select l.product_id, max(l.ordinal) as newest, range_agg(int4range(l.ordinal, l.ordinal, '[]')) as levels
              from evenkeel.level l where l.complete and l.line = '' group by l.product_id) c
    ), baseless as materialized (
        -- What a list leaves out is as in its base: where one is named that is not known whole, nor the release, nobody knows how.
        select l.product_id, l.ordinal
        from evenkeel.level l
        join evenkeel.level b on (b.product_id, b.ordinal) = (l.product_id, l.base_ordinal) and not b.complete
        where l.complete and l.line = ''
          and exists (select from evenkeel.level e where e.product_id = b.product_id and e.ordinal < b.ordinal)
    ), held as materialized (
        select j.file_id, j.product_id, j.name, j.location, j.machine, j.version, j.revision, c.newest, q.rtm_revision
        from content_held j
        join complete c using (product_id)
        join evenkeel.product q using (product_id)
        where j.on_line
    ), spoken as materialized (
        select t.file_id, t.product_id, levels_together(t.levels) as levels
        from content_told t
        where t.relation = '=' and t.rank < 2 * statement_rank('captured')
        group by t.file_id, t.product_id
    ), silent as materialized (
        -- Where a list above the first statement leaves a file out, which is nearly nowhere: once for all products with the same lists.
        select p.file_id, p.levels, p.alike, p.silence
        from (select s.file_id, s.levels, c.alike,
                     int4multirange(int4range(lower(s.levels), greatest(lower(s.levels), c.newest), '[]')) - s.levels as silence
              from (select distinct s.file_id, s.levels, c.alike from spoken s join complete c using (product_id)) s
              join complete c on c.product_id = s.alike) p
        join complete c on c.product_id = p.alike
        where p.silence && c.levels
    ), gap as materialized (
        select h.file_id, h.product_id, h.name, h.location, h.machine, g.levels
        from silent n
        join complete c using (alike)
        join spoken p on (p.file_id, p.product_id, p.levels) = (n.file_id, c.product_id, n.levels)
        join held h on (h.file_id, h.product_id) = (p.file_id, p.product_id)
        cross join lateral unnest(n.silence) g (levels)
    ), reach as materialized (
        select g.product_id, g.levels, f.last_ordinal
        from (select distinct product_id, levels from gap) g
        cross join lateral (
            select max(l.ordinal) as last_ordinal
            from evenkeel.level l
            where l.product_id = g.product_id and l.line = '' and l.complete and l.ordinal <@ g.levels
              and (l.product_id, l.ordinal) not in (select product_id, ordinal from baseless)
              and not exists (select from evenkeel.level e
                              where e.product_id = g.product_id and e.line = '' and e.ordinal <@ g.levels and e.ordinal < l.ordinal
                                and (not e.complete or (e.product_id, e.ordinal) in (select product_id, ordinal from baseless)))) f
        where f.last_ordinal is not null
    ), before as materialized (
        -- The last list before where files are first spoken of, once for each such level.
        select b.product_id, b.ordinal, max(l.ordinal) as last_ordinal
        from (select product_id, lower(levels) as ordinal from spoken union select product_id, 2147483647 from complete) b
        join evenkeel.level l on l.product_id = b.product_id and l.line = '' and l.complete and l.ordinal < b.ordinal
        where (l.product_id, l.ordinal) not in (select product_id, ordinal from baseless)
        group by b.product_id, b.ordinal
    )
    -- After its last statement a file is as it was, through the complete levels that follow each other.
    select g.file_id, g.product_id, s.version::bigint, lower(g.levels), r.last_ordinal
    from gap g
    join reach r using (product_id, levels)
    cross join lateral statements_at(g.product_id, g.name, g.location, g.machine, lower(g.levels) - 1) s
    where s.relation = '='
    union all
    -- Updates are cumulative: what the list of one leaves out, and none below it had, is as the product was released.
    select h.file_id, h.product_id, (h.version - h.revision + h.rtm_revision)::bigint, 0, f.last_ordinal
    from held h
    left join spoken b using (file_id, product_id)
    join before f on f.product_id = h.product_id and f.ordinal = coalesce(lower(b.levels), 2147483647)
    where h.rtm_revision is not null
$$;
comment on function evenkeel.implied_statements() is
  'What complete lists say of the files of content_held that they leave out: such a level ships them as the levels below have them, at '
  'last as the product was released. Reads content_told.';
