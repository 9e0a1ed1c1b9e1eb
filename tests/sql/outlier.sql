begin;
select plan(20);
\ir fixture.psql

-- A host of the fixture product: its files named file-1.dll and so on, each at the version given in that place.
create function fixture.member(host_name text, versions integer[]) returns uuid language sql as $$
    select fixture.host(host_name,
        (select jsonb_object_agg('c:/ring/file-' || place || '.dll', '1.0.0.' || version) from unnest(versions) with ordinality v (version, place)))
$$;
create function fixture.outliers() returns setof text language sql as $$
    select host || ' ' || subject from ops.finding where check_name = 'outlier' order by 1
$$;
create function fixture.clear_fleet() returns void language plpgsql as $$
begin
    truncate evenkeel.host, evenkeel.host_inventory, evenkeel.host_facts, evenkeel.host_times, evenkeel.host_checkin, evenkeel.finding,
        evenkeel.fleet_key, evenkeel.version_family, evenkeel.version_bond, evenkeel.version_evidence, evenkeel.judge_queue cascade;
end $$;

insert into evenkeel.product (code, name, source) values ('ring', 'Ring', 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('ring'), 'core', 'Ring''s core', array['c:/ring/**'], 'test');

select fixture.member('old-' || n, '{1,1,1,1,7}') from generate_series(1, 250) n \g /dev/null
select fixture.member('new-' || n, '{2,2,2,2,7}') from generate_series(1, 245) n \g /dev/null
select fixture.member('mixed-1', '{1,1,1,2,7}'), fixture.member('mixed-2', '{2,1,1,1,7}'), fixture.member('mixed-3', '{2,2,1,1,7}'),
       fixture.member('mixed-4', '{2,1,2,2,7}'), fixture.member('mixed-5', '{2,2,2,1,7}') \g /dev/null
select fixture.judge() \g /dev/null
select set_eq('select fixture.outliers()', $$values ('mixed-1 ring/core'), ('mixed-2 ring/core'), ('mixed-3 ring/core'), ('mixed-4 ring/core'), ('mixed-5 ring/core')$$,
    'among 500 hosts with two healthy version sets exactly the 5 mixed ones are outliers');
select is((select evidence #>> '{odd,path}' || ' ' || (evidence #>> '{odd,version}') from ops.finding where host = 'mixed-1'),
    'c:/ring/file-4.dll 1.0.0.2', 'the odd file is the one that contradicts most others');
select matches((select summary from ops.finding where host = 'mixed-1'),
    'file-4\.dll 1\.0\.0\.2 beside .*file-\d\.dll 1\.0\.0\.1: 24\d other hosts .* at 1\.0\.0\.2, and 25\d .* at 1\.0\.0\.1',
    'the summary names both files, their versions and how many hosts say otherwise');
select is((select evidence #>> '{usual,0,with,version}' from ops.finding where host = 'mixed-1'), '1.0.0.2',
    'the evidence says which version the odd file goes with elsewhere');

select fixture.member('mixed-1', '{2,2,2,2,7}') \g /dev/null
select fixture.judge() \g /dev/null
select is((select count(*) from ops.finding where host = 'mixed-1'), 0::bigint, 'a host that was made whole is no outlier any more');
select is((select count(*) from ops.finding where check_name = 'outlier'), 4::bigint, 'and the others stay outliers');
select fixture.member('late', '{1,2,2,2,7}') \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.findings('late')), '{outlier ring/core}', 'a host that comes late is judged by what the fleet taught before');

select fixture.clear_fleet() \g /dev/null
select fixture.member('same-' || n, '{1,2,1}') from generate_series(1, 5) n \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', 'a few hosts alone teach nothing');
select fixture.member('a-' || n, '{1,1,1}') from generate_series(1, 19) n \g /dev/null
select fixture.member('b-' || n, '{2,2,2}') from generate_series(1, 200) n \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', '19 hosts with a pair of versions are too few to say that they go together');
select fixture.member('a-20', '{1,1,1}') \g /dev/null
select fixture.judge() \g /dev/null
select is((select array_agg(o) from fixture.outliers() o),
    '{same-1 ring/core,same-2 ring/core,same-3 ring/core,same-4 ring/core,same-5 ring/core}',
    'the twentieth host makes hosts that were judged long before outliers, also where all of them are mixed alike');
select fixture.member('a-' || n, '{1,2,1}') from generate_series(1, 10) n \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', 'what too many hosts do is no exception: the findings close');

select fixture.clear_fleet() \g /dev/null
select fixture.member('old-' || n, '{1,1,1,1}') from generate_series(1, 250) n \g /dev/null
select fixture.member('new-' || n, '{2,2,2,2}') from generate_series(1, 250) n \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', 'in the middle of a rollout, with half of the hosts moved as a whole, nobody is an outlier');

select fixture.clear_fleet() \g /dev/null
select fixture.member('plain-' || n, '{1,1,1,1}') from generate_series(1, 200) n \g /dev/null
select fixture.member('first-' || n, '{2,2,1,1}') from generate_series(1, 150) n \g /dev/null
select fixture.member('second-' || n, '{1,1,2,2}') from generate_series(1, 145) n \g /dev/null
select fixture.member('both-' || n, '{2,2,2,2}') from generate_series(1, 5) n \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', 'hosts with both of two hotfixes are no outliers, however few they are');
select fixture.member('half', '{2,1,1,1}') \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.outliers()), '{half ring/core}', 'but a host with half of one hotfix is');

-- Beyond the bound of 256 sets: every host has a file of its own version beside the ones that go together.
select fixture.clear_fleet() \g /dev/null
select fixture.member('old-' || n, array[1, 1, 1, n]) from generate_series(1, 200) n \g /dev/null
select fixture.member('new-' || n, array[2, 2, 2, n]) from generate_series(1, 200) n \g /dev/null
select fixture.member('mixed', '{2,1,2,1}') \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.outliers()), '{mixed ring/core}', 'a fleet in which no two hosts are alike teaches as much');

select fixture.clear_fleet() \g /dev/null
select fixture.member('old-' || n, array_fill(1, array[20])) from generate_series(1, 100) n \g /dev/null
select fixture.member('new-' || n, array_fill(2, array[20])) from generate_series(1, 100) n \g /dev/null
select fixture.member('mixed-' || n, (select array_agg(case when place = n then 2 else 1 end order by place) from generate_series(1, 20) place))
from generate_series(1, 20) n \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.outliers()), array(select 'mixed-' || n || ' ring/core' from generate_series(1, 20) n order by 1),
    'hosts that are mixed in as many ways as there are files do not keep each other from being found');

select fixture.clear_fleet() \g /dev/null
select fixture.host('with-' || n, '{"c:/ring/a.dll": "1.0.0.1", "c:/ring/b.dll": "1.0.0.1", "c:/ring/extra.dll": "1.0.0.1"}') from generate_series(1, 50) n \g /dev/null
select fixture.host('moved-' || n, '{"c:/ring/a.dll": "1.0.0.2", "c:/ring/b.dll": "1.0.0.2", "c:/ring/extra.dll": "1.0.0.2"}') from generate_series(1, 50) n \g /dev/null
select fixture.host('without-' || n, '{"c:/ring/a.dll": "1.0.0.2", "c:/ring/b.dll": "1.0.0.2"}') from generate_series(1, 300) n \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', 'a file that is not everywhere makes no outlier of the hosts that lack it');
select fixture.host('stale', '{"c:/ring/a.dll": "1.0.0.2", "c:/ring/b.dll": "1.0.0.2", "c:/ring/extra.dll": "1.0.0.1"}') \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.outliers()), '{stale ring/core}', 'where it is, it must go with the others');
select fixture.host('elsewhere', '{"c:/other/a.dll": "1.0.0.2", "c:/other/b.dll": "1.0.0.1"}') \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.outliers()), '{stale ring/core}', 'files that belong to no component are not compared');
select fixture.host('stale', '{"c:/ring/a.dll": "1.0.0.3", "c:/ring/b.dll": "1.0.0.2", "c:/ring/extra.dll": "1.0.0.2"}') \g /dev/null
select fixture.judge() \g /dev/null
select is_empty('select fixture.outliers()', 'a version that the fleet does not know yet proves nothing');
select * from finish();
rollback;
