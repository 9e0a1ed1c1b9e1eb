-- Working relations: each is declared where its subject opens them, with a comment that says what a row means, who fills it and who reads
-- it; that is held against the functions here.
begin;
select plan(4);
\ir sources.psql

select evenkeel.overlay_open(), evenkeel.risk_alike_open(), evenkeel.risk_result_open();

-- 'view NAME' reads what its query does.
create temporary view declared as
select c.relname::text collate "default" as relation, obj_description(c.oid, 'pg_class') as says
from pg_class c
where c.relnamespace = pg_my_temp_schema() and c.relkind = 'r' and c.relname ~ '^(imports_|overlay_|risk_|state_(patch|model|overlay_need|focus|brought))';
create temporary view using_it as
select u.name, u.use, u.relation from source.use u join source.text t using (name) where t.body !~ 'create (or replace )?temporary'
union
select 'view ' || v.viewname, 'reads', m[1]
from pg_views v cross join regexp_matches(v.definition, '\m(?:from|join)\s+\(?(?:pg_temp(?:_\d+)?\.)?([a-z_]+)', 'gi') m
where v.schemaname = (select nspname from pg_namespace where oid = pg_my_temp_schema()) and v.viewname ~ '^state_';
create temporary view said as
select relation, 'fills' as use, unnest(regexp_split_to_array(substring(says from 'Filled by (.*); read by'), ', ')) as name from declared
union all
select relation, 'reads', unnest(regexp_split_to_array(substring(says from '; read by (.*); ends with'), ', ')) from declared;

select is_empty($$ select relation from declared where says !~ '^[A-Z].*[.] Filled by .*; read by .*; ends with the (transaction|session)[.]$' or says is null $$,
                'every working relation says what a row means, who fills and reads it, and when it ends');
select set_eq($$ select format('%s %s %s', name, use, relation) from said $$,
              $$ select format('%s %s %s', name, use, relation) from using_it join declared using (relation) where use <> 'empties' $$,
              'and what it says is so');
select is_empty($$ select format('%s %s %s', name, use, relation) from using_it
                   where relation ~ '^(imports_|overlay_|risk_|state_(patch|model)_)' and relation not in (select relation from declared)
                     and to_regclass('evenkeel.' || relation) is null and relation not in (select name from source.text) $$,
                'no function uses one that is not declared');
select is_empty($$ select t.name || ' ' || m[1] from source.text t
                   cross join regexp_matches(t.body, 'create temporary table (?:if not exists )?([a-z_]+)', 'g') m
                   where m[1] in (select relation from declared) and t.name !~ '_open' $$, 'nor makes one on the way');

select * from finish();
rollback;
