-- The range of levels that a file's version allows, and the levels that it confirms.

create or replace function evenkeel.file_lower_ends()
returns table (file_id integer, product_id integer, bound integer, basis text, exact_from integer, hint integer, hint_basis text,
               brought boolean, ruled integer)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with ends as (
        select coalesce(e.file_id, r.file_id, p.file_id) as file_id, coalesce(e.product_id, r.product_id, p.product_id) as product_id,
               e.bound as exact, e.shipped_from, e.basis as exact_basis, e.bound is not null
                 and p.unstated is not null as doubtful, p.unstated,
               r.bound as ruled, coalesce(r.named, false) as named, r.basis as rule_basis, p.bound as patched, p.basis as patch_basis,
               coalesce(p.brought, false) as brought
        from exact_ends() e
        full join rule_ends() r on (r.file_id, r.product_id) = (e.file_id, e.product_id)
        full join patch_ends() p on (p.file_id, p.product_id) = (coalesce(e.file_id, r.file_id),
          coalesce(e.product_id, r.product_id))
    ), proof as (
        -- A rule and a statement hold side by side; a patch that goes on lower levels, or a level that ships the very build, undercuts
        -- both.
        select n.*,
               case when coalesce(n.proven, n.patched) is not null then least(n.proven, n.patched, n.shipped_from) end as firm,
               case when coalesce(n.ruled, n.exact, n.patched) is not null
                    then least(greatest(n.ruled, n.exact), n.patched, n.shipped_from) end as likely
        from (select e.*, greatest(case when e.named then e.ruled end, case when not e.doubtful then e.exact end) as proven from ends e) n
    )
    select p.file_id, p.product_id,
           p.firm,
           case when p.firm = p.patched then p.patch_basis
                when p.named and p.firm = p.ruled then p.rule_basis
                when not p.doubtful and p.exact is not null then p.exact_basis else '' end,
           case when not p.doubtful and p.firm = p.exact and coalesce(p.ruled < p.exact or not p.named, true)
                     and p.firm is distinct from p.patched then p.shipped_from end,
           case when p.likely > coalesce(p.firm, -1) then p.likely end,
           case when p.doubtful then format('%s, but %s brings it, too, and does not say what it needs', p.exact_basis, p.unstated)
                when not p.named and p.ruled is not null then p.rule_basis || ', but nothing says that a file of this name is the '
                  'product''s'
                else '' end,
           p.brought, p.ruled
    from proof p
$$;
comment on function evenkeel.file_lower_ends() is
  'The least level that a file is proven to belong to; exact_from where that rests on a statement of a level alone; and as a hint a '
  'greater one that is likely and not proven, because the name is not known as the product''s or a patch that states no requirement '
  'brings the same build.';

create or replace function evenkeel.file_confirmations()
returns table (file_id integer, product_id integer, confirmed int4multirange, by_fleet int4multirange, untouched int4multirange,
               ahead int4multirange)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with told as (
        select s.file_id, s.product_id, s.compared, s.at_release, s.learned, s.levels from content_told s where s.relation <> '>='
        union all
        select i.file_id, i.product_id, sign(i.shipped - j.version)::integer, j.at_release, false,
               int4multirange(int4range(i.first_ordinal, i.last_ordinal, '[]'))
        from implied_statements() i join content_held j using (file_id, product_id)
        where i.first_ordinal <= i.last_ordinal
    ), gathered as (
        select file_id, product_id,
               coalesce(levels_together(levels) filter (where compared = 0 and not learned), '{}') as same,
               coalesce(levels_together(levels) filter (where compared < 0 and not learned), '{}') as older,
               coalesce(levels_together(levels) filter (where compared > 0 and not learned), '{}') as newer,
               coalesce(levels_together(levels) filter (where compared <= 0 and learned), '{}') as learned,
               coalesce(levels_together(levels) filter (where compared < 0 and learned), '{}') as learned_older,
               coalesce(levels_together(levels) filter (where compared = 0 and at_release), '{}') as released
        from told
        group by file_id, product_id
    )
    select g.file_id, g.product_id, g.same + (g.older - g.newer), g.learned - g.same - g.older - g.newer,
           -- At its release itself a product's files are compared as at any level.
           g.released - g.newer - g.older - int4multirange(int4range(null, r.ordinal, '[]')),
           g.older - g.same - g.newer + (g.learned_older - g.same - g.older - g.newer)
    from gathered g
    cross join lateral (select coalesce(min(l.ordinal), 0) as ordinal from evenkeel.level l where l.product_id = g.product_id) r
$$;
comment on function evenkeel.file_confirmations() is
  'The levels for which a file is proven not older than what they ship (by the catalogue, by the fleet alone), those that ship it as the '
  'product was released, and those that ship it older.';

create or replace function evenkeel.file_ranges(files integer[])
returns table (file_id integer, product_id integer, component_id integer, levels int4range, covered boolean, unread boolean, blind boolean,
               lower_basis text, upper_basis text, hint integer, hint_basis text, exact_from integer, revision integer,
               confirmed int4multirange, confirmed_by_fleet int4multirange, untouched int4multirange, ahead int4multirange)
language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
#variable_conflict use_column
begin
    perform hold_files(files);
    perform find_statements();
    return query
    select j.file_id, j.product_id, j.component_id,
           int4range(case when u.bound <= l.bound then null else nullif(l.bound, 0) end, u.bound),
           coalesce(u.bound is not null or l.bound > 0 or b.ordinal is not null or c.confirmed <> '{}' or c.by_fleet <> '{}', false),
           j.version is null and (j.damaged or w.expected),
           j.blind,
           case when u.bound <= l.bound or coalesce(l.bound, 0) = 0 then '' else coalesce(l.basis, '') end, coalesce(u.basis, ''),
           case when l.hint < coalesce(u.bound, 2147483647) then l.hint end, coalesce(l.hint_basis, ''),
           case when u.bound <= l.bound then null else l.exact_from end,
           coalesce(j.number, case when q.beside and j.on_line then release_number(j.version) end),
           -- What a rule reads out of a version holds whether or not the name is known.
           coalesce(c.confirmed, '{}') + int4multirange(int4range(0, least(coalesce(greatest(l.bound, l.ruled, b.ordinal) + 1, 0),
                                                                              u.bound))),
           coalesce(c.by_fleet, '{}'), coalesce(c.untouched, '{}'), case when l.brought then '{}' else coalesce(c.ahead, '{}') end
    from content_held j
    cross join lateral (select p.beside from product p where p.product_id = j.product_id) q
    -- Of what stands beside Windows few names are in any list; those shipped are the product's as well.
    cross join lateral (select exists (select from evenkeel.statement b where b.product_id = j.product_id
                                         and b.file in (j.name, j.location) and (b.machine is null or b.machine = j.machine))
                               or q.beside and exists (select from known_file k
                                                       where (k.product_id, k.file) = (j.product_id, j.name)) as expected) w
    left join upper_ends() u using (file_id, product_id)
    left join file_lower_ends() l using (file_id, product_id)
    left join file_confirmations() c using (file_id, product_id)
    -- No older than the first files of a level is not older than what it ships, and no more than that.
    left join lateral (select max(r.ordinal) as ordinal from level_rule r
                       where r.product_id = j.product_id and r.relation = '<=' and j.on_line
                         and rule_holds(r.relation, r.minor, r.build, r.revision, j.version)) b on true
    -- A file that should be the product's, but is on no line that it may be compared on, is a gap in its coverage.
    where j.on_line
       or j.damaged
       or w.expected;
end
$$;
comment on function evenkeel.file_ranges(integer[]) is
  'The range of levels that each file''s version allows, per product, each end with its own proof, what it hints at beyond that, and for '
  'which levels it is confirmed. An upper end holds whatever else is known, but not against a level''s own exact statement.';
