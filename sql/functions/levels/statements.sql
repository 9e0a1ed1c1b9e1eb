-- What is known of what levels ship, from whatever source, in one form.

create or replace function evenkeel.list_source(product integer, ordinal integer, architecture integer, edition integer)
returns table (source text) language sql stable rows 1
as $$
    select coalesce((select nullif(l.source, '') from evenkeel.level_list l
                     where l.product_id = product and l.ordinal = list_source.ordinal
                       and l.architecture is not distinct from list_source.architecture and edition is null),
                    (select e.name from evenkeel.edition e where e.edition_id = edition), 'file list')
$$;
comment on function evenkeel.list_source(integer, integer, integer, integer) is
  'Who says what a row of shipped_file says of the levels from that one on: the update''s article, or the index. A row, so that it is '
  'planned with what asks.';

create or replace view evenkeel.statement as
select product_id, file, machine, relation, version, ordinal as first_ordinal, ordinal as last_ordinal, kind, source
from evenkeel.baseline
union all
select s.product_id, s.file, m.machine, '=', s.version, s.first_ordinal, s.last_ordinal, 'list', o.source
from evenkeel.shipped s
cross join unnest(evenkeel.machines_on(s.architecture)) m (machine)
cross join lateral evenkeel.list_source(s.product_id, s.first_ordinal, s.architecture, s.edition_id) o;
comment on view evenkeel.statement is 'A statement of what levels ship: of every level from first to last that has a statement at all.';
comment on column evenkeel.statement.product_id is 'The product.';
comment on column evenkeel.statement.file is 'A file name, or a path.location where it holds a slash.';
comment on column evenkeel.statement.machine is 'Only for images of this IMAGE_FILE_MACHINE_*; null: any.';
comment on column evenkeel.statement.relation is '=: ships exactly this version; >=: at least this one; <=: at most this one.';
comment on column evenkeel.statement.version is 'The version.';
comment on column evenkeel.statement.first_ordinal is 'The first level that ships it so.';
comment on column evenkeel.statement.last_ordinal is 'The last one.';
comment on column evenkeel.statement.kind is 'As baseline.kind.';
comment on column evenkeel.statement.source is 'As baseline.source.';

create or replace function evenkeel.statements_of(product integer, name text, location text, machine integer)
returns setof evenkeel.statement language sql stable rows 10
as $$
    -- Each file's are looked up. Joined to the view they would all be gone through, the more the more lists there are: `offset 0` keeps
    -- the planner from it.
    select s.* from evenkeel.statement s
    where s.product_id = product and s.file in (statements_of.name, statements_of.location)
      and (s.machine is null or s.machine = statements_of.machine)
    offset 0
$$;
comment on function evenkeel.statements_of(integer, text, text, integer) is
  'What is stated of a file of a product by its name and by its place, for its machine.';

create or replace function evenkeel.statements_at(product integer, name text, location text, machine integer, ordinal integer)
returns table (relation text, version evenkeel.version, source text) language sql stable rows 2
as $$
    select s.relation, s.version, s.source
    from (select s.*, rank() over (partition by s.relation order by s.weight) as place
          from (select b.relation, b.version, b.source,
                       case when b.relation <> '>='
                            then evenkeel.statement_rank(b.kind) * 2 + (b.file is distinct from location)::integer end as weight
                from evenkeel.baseline b
                where b.product_id = product and b.file in (statements_at.name, location)
                  and (b.machine is null or b.machine = statements_at.machine) and b.ordinal = statements_at.ordinal
                union all
                -- The last interval that begins there or before, and those that are the same: the others needn't be looked at.
                select '=', s.stem << 16 | s.revisions[i], o.source,
                       evenkeel.statement_rank('list') * 2 + (s.file is distinct from location)::integer
                from evenkeel.shipped_file s
                cross join lateral (select width_bucket(ordinal, s.first_ordinals) as last) w
                cross join lateral generate_series(array_position(s.first_ordinals, s.first_ordinals[w.last]), w.last) i
                cross join lateral evenkeel.list_source(product, s.first_ordinals[i], s.architecture, s.edition_id) o
                where s.file in (statements_at.name, location) and product = any (s.products)
                  and (s.architecture is null or statements_at.machine = any (evenkeel.machines_on(s.architecture)))
                  and s.last_ordinals[i] >= ordinal
                offset 0) s) s
    where s.place = 1
$$;
comment on function evenkeel.statements_at(integer, text, text, integer, integer) is
  'What is stated of a file at one level, as find_statements() weighs it: of exact statements those of the best source.';

create or replace aggregate evenkeel.levels_together(int4multirange) (
    -- Most are alone: those are left as they are, where range_agg() would take them apart.
    sfunc = multirange_union, stype = int4multirange, parallel = safe
);
comment on aggregate evenkeel.levels_together(int4multirange) is 'All levels that are in any of these sets.';

create or replace function evenkeel.statement_rank(kind text)
returns integer language sql immutable strict parallel safe
as $$ select case kind when 'captured' then 2 when 'learned' then 5 else 1 end $$;
comment on function evenkeel.statement_rank(text) is
  'Where exact statements on one level disagree the lesser rank holds: stated 1, captured 2, learned 5.';
