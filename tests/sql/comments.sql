-- \d+ is the manual: everything in the schemas evenkeel and ops says what it is.
begin;
select plan(3);

-- pgTAP's own objects may lie in the same schema.
create function foreign_object(catalogue regclass, object oid) returns boolean language sql
as $$ select exists (select from pg_depend d where d.classid = catalogue and d.objid = object and d.deptype = 'e') $$;

select is_empty($$
    select c.oid::regclass::text
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('evenkeel', 'ops') and c.relkind in ('r', 'p', 'v', 'm') and obj_description(c.oid, 'pg_class') is null
      and not foreign_object('pg_class', c.oid)
    order by 1
$$, 'every table and view has a comment');

select is_empty($$
    select format('%s.%s', c.oid::regclass, a.attname)
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('evenkeel', 'ops') and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null
      and not foreign_object('pg_class', c.oid)
    order by 1
$$, 'every column has a comment');

select is_empty($$
    select p.oid::regprocedure::text
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('evenkeel', 'ops') and obj_description(p.oid, 'pg_proc') is null
      and not foreign_object('pg_proc', p.oid) and p.proname <> 'foreign_object'
    order by 1
$$, 'every function has a comment');

select * from finish();
rollback;
