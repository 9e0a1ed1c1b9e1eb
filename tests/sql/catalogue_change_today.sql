-- A change of the catalogue on today's Windows, with lists of updates that products share: whom it touches, and that nothing else is said.
begin;
select plan(25);
\ir fixture.psql
\ir catalogue_change.psql

create table fixture.fleet (product text primary key, build integer not null, declared integer[] not null, type text not null, latest integer, past boolean);
insert into fixture.fleet (product, build, declared, type, latest, past) values
    ('windows-10-1809', 17763, '{17763}', 'workstation', 1457, false),
    ('windows-2019', 17763, '{17763}', 'server', 1518, false),
    ('windows-2022', 20348, '{20348}', 'server', 1607, false);
\ir fleets.psql
\ir server_2019.psql

create function fixture.list(doc integer, number integer, build integer, files text[]) returns void language plpgsql as $$
begin
    insert into kb_file (doc, path, article, number, is_list) values (doc, number || '.csv', 'KB' || number, number, true);
    insert into kb_section values (doc, 0, 1, 'x64-based', 'x64');
    insert into list_row (doc, line, section, dated, version, size, file)
    select doc, 2 + ord, 0, '2020-07-06', evenkeel.version_of(split_part(f.line, ' ', 1)), 1024, split_part(f.line, ' ', 2)
    from unnest(files) with ordinality f (line, ord);
end $$;
create function fixture.import(number integer, build integer, files text[], product text default null, level text default null) returns void language plpgsql as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    drop table if exists kb_file, kb_section, kb_row, kb_requirement, kb_corrected, kb_told, kb_placed, kb_article_product, kb_patch, kb_needed,
        kb_bound, list_row, list_build, list_beside, list_stem, list_level, list_part, list_double;
    perform evenkeel.kb_stage();
    perform evenkeel.catalog_stage();
    delete from stage_list_change;
    perform fixture.list(0, number, build, files);
    perform evenkeel.kb_import(product, level);
    perform evenkeel.catalog_merge();
end $$;
create function fixture.verdict(host_name text) returns text language sql as $$ select verdict from ops.host where host = host_name $$;
-- What update n of the five ships.
create function fixture.of_2019(n integer) returns text[] language sql as $$
    select array_agg(versions[n] || ' ' || regexp_replace(path, '^.*/', '')) from fixture.server_2019
    where versions[n] like '10.0.17763.%' and path !~ 'framework64'
$$;
create function fixture.held_2019(n integer, other integer default null, variadic others text[] default '{}') returns jsonb language sql as $$
    select jsonb_object_agg(path, v.version) from fixture.server_2019
    cross join lateral (select versions[case when path ~ any (others) then other else n end] as version) v where v.version is not null
$$;
create function fixture.declares(build integer, ubr integer, type text) returns jsonb language sql as $$
    select jsonb_build_object('current_version', case when build > 7000 then '10.0' end, 'current_build', build, 'ubr', ubr, 'has_ubr', true, 'product_type', type)
$$;

select count(fixture.host(format('server-%s-%s', n, g), fixture.held_2019(n::integer) || jsonb_build_object(format('c:/tools/own-%s.dll', g), '1.0.0.0'),
                          fixture.declares(17763, u, 'server')))
from unnest(array[1217, 1339, 1397, 1457, 1518]) with ordinality k (u, n) cross join generate_series(1, 3) g;
select fixture.host('behind', fixture.held_2019(5, 2, 'kernelbase', 'rpcrt4'), fixture.declares(17763, 1518, 'server'));
select fixture.host('other-type', fixture.held_2019(5), fixture.declares(17763, 1518, 'unknown') - 'product_type');
select count(fixture.host('client-' || g, fixture.held_2019(4) || jsonb_build_object(format('c:/tools/client-%s.dll', g), '1.0.0.0'), fixture.declares(17763, 1457, 'workstation')))
from generate_series(1, 4) g;
select count(fixture.fleet_host('new-' || g, 'windows-2022', g, u.ubr, fixture.windows('windows-2022', 1)))
from generate_series(1, 5) g join fixture.update u on u.product = 'windows-2022' and u.back = 1;
select evenkeel.catalog_refresh();
select fixture.judge();

-- Of which type the hosts are that the last change queued.
create function fixture.queued() returns text language sql as $$
    select string_agg(distinct substring(h.name from '^[a-z]+'), ' ') from queued join evenkeel.host h using (host_id)
$$;

select fixture.import(4565349, 17763, fixture.of_2019(3));
select fixture.changed('a list that a client and a server share', 'some');
select is(fixture.queued(), 'behind client other server', 'touches those of its build');
select is(fixture.verdict('server-3-1'), 'level', 'who holds what it ships is level');
select fixture.import(4577668, 17763, fixture.of_2019(5), 'windows-2019');
select fixture.changed('one for the server alone', 'some');
select is(fixture.verdict('behind'), 'mixed', 'who is behind it is mixed');
select fixture.import(4570333, 17763, fixture.of_2019(4), 'windows-10-1809');
select fixture.changed('one for the client alone', 'some');
select fixture.import(4577668, 17763, fixture.of_2019(5), 'windows-10-1809');
select fixture.changed('one that the server has, for the client, too', 'some');
select fixture.age();
select evenkeel.catalog_remove('KB4577668', 'windows-2019');
select fixture.changed('a list that is removed for the server', 'some');

delete from evenkeel.known_file where product_id = evenkeel.product_number('windows-2022') and file = 'ntoskrnl.exe';
select fixture.changed('a name that is known no more', 'few');
insert into evenkeel.level (product_id, ordinal, code, name, ubr, source)
select evenkeel.product_number('windows-2022'), u.ubr - 3, 'between', 'between', u.ubr - 3, 'test'
from fixture.update u where u.product = 'windows-2022' and u.back = 1;
select fixture.changed('a level between', 'few');
select is(fixture.queued(), 'new', 'touches those of its product');

select * from finish();
rollback;
