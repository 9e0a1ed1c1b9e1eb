-- Working relations: each that functions hand to each other is declared by a comment that says what a row means, who fills it and who reads
-- it, where its subject opens them (relations.sql) or behind the query that gives its columns; that is held against the functions here.
begin;
select plan(5);
\ir sources.psql

-- Which functions make it; one with a query fills it, too.
create temporary view made as
select distinct t.name, m[1] as relation
from source.text t
cross join regexp_matches(t.body, 'create (?:or replace )?temporary (?:table|view) (?:if not exists )?([a-z_]+)', 'g') m;
create temporary view made_of_query as
select distinct t.name, m[1] as relation
from source.text t cross join regexp_matches(t.body, 'create temporary table ([a-z_]+) on commit (?:drop|preserve rows) as\s', 'g') m;

-- 'a' 'b' over several lines is one text.
create temporary table declared as
select t.name as declarer, m[1] as relation, replace(btrim(regexp_replace(m[2], '''\s*\n\s*''', '', 'g'), ''''), '''''', '''') as says,
       t.body ~ ('temporary view ' || m[1] || '\M') as is_view
from source.text t
cross join regexp_matches(t.body, 'comment on (?:table|view) ([a-z_]+) is\s*((?:''(?:[^'']|'''')*''\s*)+);', 'g') m;

-- 'view NAME' reads what its query does.
select evenkeel.overlay_open(), evenkeel.plan_open(), evenkeel.risk_alike_open(), evenkeel.risk_result_open() \g /dev/null
create temporary view using_it as
select u.name, u.use, u.relation
from source.use u
join source.text t using (name)
where u.use <> 'empties' and not (u.name ~ '_open(_|$)|_(stage|scratch)$' and u.name in (select name from made))
union
select name, 'fills', relation from made_of_query
union
select 'view ' || v.viewname, 'reads', m[1]
from pg_views v cross join regexp_matches(v.definition, '\m(?:from|join)\s+\(*(?:pg_temp(?:_\d+)?\.)?([a-z_]+)', 'gi') m
where v.schemaname = (select nspname from pg_namespace where oid = pg_my_temp_schema()) and v.viewname ~ '^state_';

-- 'the import' and other programs of aggregator/ are not seen here; what everybody reads who judges is not listed, nor is any check, so
-- that a new one changes no other file.
create temporary view said as
select relation, use, name
from (select relation, 'fills' as use, unnest(regexp_split_to_array(substring(says from 'Filled by (.*); read by'), ', ')) as name from declared
      union all
      select relation, 'reads', unnest(regexp_split_to_array(substring(says from '(?:; read|[.] Read) by (.*); ends with'), ', ')) from declared) s
where name !~ '^the ' and name <> 'all who judge';

select is_empty($$ select relation from declared
                   where says !~ case when is_view then '^[A-Z].*[.] Read by .*; ends with the session[.]$'
                                      else '^[A-Z].*[.] Filled by .*; read by .*; ends with the (transaction|session)[.]$' end $$,
                'every working relation says what a row means, who fills and reads it, and when it ends');
select is_empty($$ select relation from declared group by relation having count(*) > 1 $$, 'once');
select set_eq($$ select format('%s %s %s', name, use, relation) from said $$,
              $$ select format('%s %s %s', u.name, u.use, u.relation) from using_it u join declared d using (relation)
                 where not (u.use = 'reads' and (d.says ~ ' by all who judge;' or u.name like 'check %')) $$,
              'and what it says is so');
select is_empty($$ select format('%s %s %s', u.name, u.use, u.relation) from using_it u join made m using (relation)
                   where u.name <> m.name and u.relation not in (select relation from declared) and to_regclass('evenkeel.' || u.relation) is null $$,
                'what one function makes and another uses is declared');
select is_empty($$ select format('%s %s %s', name, use, relation) from using_it
                   where relation ~ '^(imports|overlay|risk|missing|stage|fact|kb|list|prune)_|^state_(patch|model)_'
                     and relation not in (select relation from declared union select relation from made)
                     and to_regclass('evenkeel.' || relation) is null and relation not in (select name from source.text) $$,
                'no function uses one that nobody makes');

select * from finish();
rollback;
