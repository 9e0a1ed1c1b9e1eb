-- What is known of what levels ship, from whatever source, in one form.

create or replace view evenkeel.statement as
select product_id, file, machine, relation, version, ordinal as first_ordinal, ordinal as last_ordinal, kind, source
from evenkeel.baseline
union all
select s.product_id, s.file, m.machine, '=', s.version, s.first_ordinal, s.last_ordinal, 'list',
       coalesce((select nullif(l.source, '') from evenkeel.level_list l
                 where l.product_id = s.product_id and l.ordinal = s.first_ordinal and l.architecture is not distinct from s.architecture
                   and s.edition_id is null),
                (select e.name from evenkeel.edition e where e.edition_id = s.edition_id), 'file list')
from evenkeel.shipped s cross join unnest(evenkeel.machines_on(s.architecture)) m (machine);
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

create or replace function evenkeel.statement_rank(kind text)
returns integer language sql immutable strict parallel safe
as $$ select case kind when 'captured' then 2 when 'learned' then 5 else 1 end $$;
comment on function evenkeel.statement_rank(text) is
  'Where exact statements on one level disagree the lesser rank holds: stated 1, captured 2, learned 5.';
