-- What the catalogue's sources say of one file of a level and can't both be so is listed, whichever of them holds.
begin;
select plan(9);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('said', array['RTM', 'SP1']);
create function fixture.says(kind text, source text, file text, relation text, version text, machine integer default null) returns void language sql as $$
    insert into evenkeel.baseline (product_id, ordinal, file, relation, version, machine, kind, source)
    select evenkeel.product_number('said'), 1, says.file, says.relation, evenkeel.version_of(says.version), says.machine, says.kind, says.source
$$;
create function fixture.listed() returns setof text language sql as $$
    select concat_ws(' ', file, nullif(machine, '') || ':', holds, '(' || source || '),', against, '(' || other_source || ')')
    from evenkeel.catalog_contradictions() where product = 'said' order by 1
$$;
select is_empty($$ select fixture.listed() $$, 'where nothing is said nothing contradicts');

select fixture.says('article', 'KB1', 'a.dll', '=', '9.1.1.10'), fixture.says('article', 'KB2', 'a.dll', '=', '9.1.1.10');
select is_empty($$ select fixture.listed() $$, 'sources that agree don''t');
select fixture.says('captured', 'host x', 'c:/said/a.dll', '=', '9.1.1.50', 34404), fixture.says('captured', 'host x', 'c:/said/b.dll', '<=', '9.1.1.10', 34404);
select results_eq($$ select fixture.listed() $$,
    array['c:/said/a.dll x64: 9.1.1.10 (KB1), 9.1.1.50 (host x)', 'c:/said/a.dll x64: 9.1.1.10 (KB2), 9.1.1.50 (host x)'],
    'what is stated holds against what was captured, each source by itself');
delete from evenkeel.baseline where kind = 'captured' and file ~ 'a\.dll';

select fixture.says('article', 'KB3', 'b.dll', '=', '9.1.1.12');
select results_eq($$ select fixture.listed() $$, array['c:/said/b.dll x64: 9.1.1.12 (KB3), at most 9.1.1.10 (host x)'], 'exactly more than at most');
select fixture.says('article', 'KB4', 'd.dll', '>=', '9.1.1.20'), fixture.says('article', 'KB5', 'd.dll', '=', '9.1.1.19'), fixture.says('article', 'KB5', 'e.dll', '=', '9.1.1.20'),
       fixture.says('article', 'KB4', 'e.dll', '>=', '9.1.1.20');
select is((select count(*) from fixture.listed() l where l = 'd.dll 9.1.1.19 (KB5), at least 9.1.1.20 (KB4)'), 1::bigint, 'or less than at least');
select is((select count(*) from fixture.listed() l where l like 'e.dll%'), 0::bigint, 'just that is no contradiction');

-- Builds of several places, and of several machines.
delete from evenkeel.baseline where product_id = evenkeel.product_number('said');
select fixture.says('article', 'KB1', 'f.dll', '=', '9.1.1.10'), fixture.says('article', 'KB1', 'f.dll', '=', '9.1.1.11'), fixture.says('captured', 'host x', 'c:/said/f.dll', '=', '9.1.1.11'),
       fixture.says('article', 'KB1', 'g.dll', '=', '9.1.1.10', 332), fixture.says('captured', 'host x', 'c:/said/g.dll', '=', '9.1.1.11', 34404);
select is_empty($$ select fixture.listed() $$, 'who states several builds contradicts none of them, nor one machine another');

-- Two of one rank; and a level's own list.
select fixture.says('article', 'KB1', 'h.dll', '=', '9.1.1.10'), fixture.says('article', 'KB2', 'h.dll', '=', '9.1.1.11');
select results_eq($$ select fixture.listed() $$, array['h.dll 9.1.1.10 (KB1), 9.1.1.11 (KB2)'], 'of two of one rank each pair is told once');
delete from evenkeel.baseline where product_id = evenkeel.product_number('said');
insert into evenkeel.shipped_file (stem, file, products, first_ordinals, last_ordinals, revisions)
values (evenkeel.version_of('9.1.1.0')::bigint >> 16, 'i.dll', array[evenkeel.product_number('said')], '{0}', '{1}', '{7}');
select fixture.says('captured', 'host x', 'c:/said/i.dll', '=', '9.1.1.8');
select results_eq($$ select fixture.listed() $$, array['c:/said/i.dll 9.1.1.7 (file list), 9.1.1.8 (host x)'], 'a list contradicts what was captured of any of its levels');

select * from finish();
rollback;
