-- What Citus asks of a schema, asserted where there is no Citus.
begin;
select plan(10);
\ir fixture.psql
\set placement_only 1
\ir ../../sql/citus.sql

create temporary view placed as
select p.relation, 'evenkeel.' || c.relname as name, p.placement
from evenkeel.placement p join pg_class c on c.oid = p.relation;
create temporary view distributed as select relation, name from placed where placement = 'distributed';

select is((select count(*) from evenkeel.placement),
          (select count(*) from pg_class where relnamespace = 'evenkeel'::regnamespace and relkind in ('r', 'p') and not relispartition),
          'every table has its place');
select set_has('select name from distributed',
               $$values ('evenkeel.host'), ('evenkeel.host_inventory'), ('evenkeel.host_facts'), ('evenkeel.host_checkin'), ('evenkeel.host_product'), ('evenkeel.finding')$$,
               'what belongs to a host is distributed');
select set_has('select name from placed where placement = ''reference''',
               $$values ('evenkeel.path'), ('evenkeel.image'), ('evenkeel.file'), ('evenkeel.chunk'), ('evenkeel.chunk_level'), ('evenkeel.product'), ('evenkeel.fleet_key')$$,
               'content, catalogue and what the fleet is reduced to lie on every node');

select is_empty($$
    select i.indexrelid::regclass from pg_index i join distributed d on d.relation = i.indrelid
    where (i.indisunique or i.indisprimary)
      and not exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attname = 'host_id' and a.attnum = any (i.indkey))
$$, 'host_id is in every key of a distributed table');
select is_empty($$
    select d.relation from distributed d
    where not exists (select from pg_attribute a where a.attrelid = d.relation and a.attname = 'host_id' and a.atttypid = 'uuid'::regtype and a.attnotnull)
$$, 'host_id is of one type and never null, so that a host''s rows lie together');
select is_empty($$
    select k.conrelid::regclass, k.confrelid::regclass from pg_constraint k
    join evenkeel.placement source on source.relation = k.conrelid
    join evenkeel.placement target on target.relation = k.confrelid
    where k.contype = 'f' and (target.placement = 'distributed' or source.placement <> target.placement)
      and not (source.placement = 'distributed'
               and exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'host_id' and a.attnum = any (k.conkey)))
$$, 'foreign keys lead from a distributed table to another by host_id, and else only between tables of one place');
select is_empty($$
    select t.tgrelid::regclass, t.tgname from pg_trigger t join evenkeel.placement p on p.relation = t.tgrelid
    where not t.tgisinternal and p.placement <> 'local'
$$, 'only tables that stay on the coordinator have triggers');
select is_empty($$
    select p.relation from distributed d
    join pg_class c on c.oid = d.relation
    join pg_inherits h on h.inhparent = c.oid
    join evenkeel.placement p on p.relation = h.inhrelid
$$, 'partitions go with their tables');

-- Rows of several distributed tables meet on one node only where they are of one host.
create temporary view joined as
select v.oid::regclass as view, count(distinct d.relation) as tables,
       (select count(*) from regexp_matches(pg_get_viewdef(v.oid), 'host_id = |USING \(host_id\)|, host_id\)|\(host_id,', 'g')) as joins
from pg_class v
join pg_rewrite r on r.ev_class = v.oid
join pg_depend p on p.classid = 'pg_rewrite'::regclass and p.objid = r.oid and p.refclassid = 'pg_class'::regclass
left join pg_inherits h on h.inhrelid = p.refobjid
join distributed d on d.relation in (p.refobjid, h.inhparent)
where v.relkind = 'v' and v.relnamespace = 'ops'::regnamespace
group by v.oid;
select is_empty('select view, tables, joins from joined where joins < tables - 1',
                'a view that reads several distributed tables joins them by host_id');

-- Likewise the statements of functions: those that name several distributed tables tie them together by host_id.
create temporary view statement as
select p.oid::regprocedure as function, s.statement,
       (select count(*) from distributed d
        where s.statement ~ (d.name || case when exists (select from pg_inherits i where i.inhparent = d.relation) then '(_current|_past)?' else '' end || '\M')) as tables,
       (select count(*) from regexp_matches(s.statement, 'using \(([a-z_]+, )*host_id|host_id\)? = |host_id[a-z_., ]*\) = \(|host_id in \(', 'g')) as joins
from pg_proc p
cross join regexp_split_to_table(regexp_replace(p.prosrc, '--[^\n]*', '', 'g'), ';') s (statement)
where p.pronamespace = 'evenkeel'::regnamespace;
select is_empty('select function, tables, joins, left(statement, 200) from statement where tables > 1 and joins = 0',
                'a statement that reads several distributed tables joins them by host_id');

select * from finish();
rollback;
