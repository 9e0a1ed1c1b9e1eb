-- What there is to ask: the manual of the schema ops.

-- Names of the system's catalogues are ordered by bytes; what is shown here is text as any other.
create or replace view ops.manual as
select m.kind, m.name::text collate "default" as name, m.call collate "default" as call, m.columns collate "default" as columns,
       m.meaning collate "default" as meaning
from (select 'view' as kind, c.relname as name, 'ops.' || c.relname as call,
             (select string_agg(a.attname, ', ' order by a.attnum) from pg_catalog.pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
             obj_description(c.oid, 'pg_class') as meaning
      from pg_catalog.pg_class c
      where c.relnamespace = 'ops'::regnamespace and c.relkind = 'v'
      union all
      select 'function', p.proname, 'ops.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')',
             (select string_agg(n.name, ', ' order by n.place)
              from unnest(p.proargnames, p.proargmodes) with ordinality n (name, mode, place) where n.mode in ('t', 'o')),
             obj_description(p.oid, 'pg_proc')
      from pg_catalog.pg_proc p
      where p.pronamespace = 'ops'::regnamespace and p.prokind = 'f'
        and not exists (select from pg_catalog.pg_depend d
                        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')) m;
comment on view ops.manual is
    'A row per view and function of the schema ops, this one too: what it shows. What a column means: \d+ ops.NAME.';
comment on column ops.manual.kind is 'view or function.';
comment on column ops.manual.name is 'Its name.';
comment on column ops.manual.call is 'How it is written in a query; of a function with its parameters and what they are where left out.';
comment on column ops.manual.columns is 'The columns that it gives; null: one value.';
comment on column ops.manual.meaning is 'What a row means.';
