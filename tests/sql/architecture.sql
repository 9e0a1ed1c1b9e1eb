-- What deploy/doc/architecture.md says of SQL is there, and a risk check calls its functions in the order that stands there.
begin;
select plan(4);
\ir sources.psql
\set page `cat "$SOURCE/deploy/doc/architecture.md"`
select evenkeel.overlay_open(), evenkeel.plan_open(), evenkeel.risk_alike_open(), evenkeel.risk_result_open() \g /dev/null

create temporary table named as
select w.place, w.word[1] as name from regexp_matches(:'page', '`([a-z]+(?:_[a-z]+)+)(?:\(\))?`', 'g') with ordinality w (word, place);

-- A step of a table, as it stands in the first column.
create temporary table step as
select l.place, m.at, m.word[1] as name
from regexp_split_to_table(substring(:'page' from '## The way of a patch to a risk row\n(.*?)\n## '), '\n') with ordinality l (line, place)
cross join regexp_matches(substring(l.line from '^\| ([^|]*) \|'), '`([a-z]+(?:_[a-z]+)+)`', 'g') with ordinality m (word, at);

select cmp_ok((select count(*) from named), '>', 60::bigint, 'the page names functions and relations');
select is_empty($$ select distinct name from named
                   where name not in (select proname from pg_proc where pronamespace = 'evenkeel'::regnamespace)
                     and to_regclass('evenkeel.' || name) is null and to_regclass('pg_temp.' || name) is null $$, 'each of which is there');
select cmp_ok((select count(*) from step), '>', 20::bigint, 'it has the steps of a risk check');

-- Where each stands in what risk_open() and risk_next() run, with what they call for it written in its place.
create temporary table body as
select replace(regexp_replace(o.body, 'evenkeel\.overlay_plan\(', p.body), E'\n', ' ')
       || regexp_replace(n.body, 'perform evenkeel\.risk_compare\(', c.body || ' perform evenkeel.risk_compare(') as text
from source.text o, source.text p, source.text n, source.text c
where (o.name, p.name, n.name, c.name) = ('risk_open', 'overlay_plan', 'risk_next', 'risk_compare') and o.body ~ 'overlay_plan';
select is((select array_agg(s.name order by s.place, s.at) from (select distinct on (name) * from step order by name, place desc) s
           where s.name not in ('risk_open', 'risk_next')),
          (select array_agg(w.name order by w.first)
           from (select m.word[1] as name, min(m.place) as first
                 from body cross join regexp_matches(text, 'evenkeel\.([a-z_]+)\s*\(', 'g') with ordinality m (word, place)
                 where m.word[1] in (select name from step) and m.word[1] not in ('risk_open', 'risk_next')
                 group by m.word[1]) w), 'in their order');
select * from finish();
rollback;
