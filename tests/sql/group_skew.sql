begin;
select plan(22);
\ir fixture.psql

insert into evenkeel.product (code, name, source) values ('ring', 'Ring', 'test');
insert into evenkeel.level (product_id, ordinal, code, name, source)
select evenkeel.product_number('ring'), o, 'SP' || o, 'SP' || o, 'test' from generate_series(0, 2) o;
insert into evenkeel.line (product_id, major, source) values (evenkeel.product_number('ring'), 1, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('ring'), 'core', 'Ring''s core', array['c:/ring/**'], 'test');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('ring'), o, f, '=', evenkeel.version_of('1.0.0.' || o), 'shipped', 'test'
from generate_series(0, 2) o, unnest(array['a.dll', 'b.dll']) f;

create function fixture.member(host_name text, a integer, b integer, labels text[] default '{farm}', more jsonb default '{}') returns uuid language sql as $$
    select fixture.host(host_name, jsonb_build_object('c:/ring/a.dll', '1.0.0.' || a, 'c:/ring/b.dll', '1.0.0.' || b) || more,
                        jsonb_build_object('groups', labels))
$$;
create function fixture.skewed() returns text language sql as $$
    select coalesce(string_agg(host || ' ' || subject, ', ' order by host, subject), '') from ops.finding where check_name = 'group-skew'
$$;

select fixture.member('one', 1, 1), fixture.member('two', 1, 1), fixture.member('three', 2, 2),
       fixture.member('elsewhere', 0, 0, '{lab}'), fixture.member('nowhere', 0, 0, '{}') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), 'three farm ring/core', 'the host of a group that is at another version set than the majority is found, though it is level in itself');
select is((select evidence #> '{majority,hosts}' from ops.finding where host = 'three'), '["one", "two"]', 'the evidence names the majority');
select is((select evidence -> 'files' from ops.finding where host = 'three'),
    '[{"path": "c:/ring/a.dll", "here": "1.0.0.2", "other": "1.0.0.1"}, {"path": "c:/ring/b.dll", "here": "1.0.0.2", "other": "1.0.0.1"}]',
    'and files and versions on either side');
select is((select summary from ops.finding where host = 'three'),
    'Ring''s core in group farm: c:/ring/a.dll 1.0.0.2 here, 1.0.0.1 on the majority (one, two); 2 files differ', 'the summary is enough to act on');

select fixture.member('two', 2, 2) \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), 'one farm ring/core', 'when the majority changes sides the finding does');
select fixture.member('four', 1, 1) \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), 'four farm ring/core, one farm ring/core, three farm ring/core, two farm ring/core', 'where there is no majority all hosts have it');
select is((select evidence -> 'majority' from ops.finding where host = 'four'), 'null', 'and the evidence says so');
select fixture.member('one', 2, 2), fixture.member('four', 2, 2) \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), '', 'when all hosts are at one version set no finding is left');

select fixture.member('four', 1, 2) \g /dev/null
select fixture.judge() \g /dev/null
select is(array(select fixture.findings('four')), '{mixed-level ring}', 'a host that is mixed has that finding, and is not compared');
select is(fixture.skewed(), '', 'nor does it make others differ');
select fixture.member('four', 2, 2, '{farm}', '{"c:/ring/driver.dll": "7.1.0.0", "c:/elsewhere/tool.dll": "1.0.0.9"}') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), '', 'another maker''s file within the folder is none of the component''s, nor is a file that lies elsewhere');
select fixture.member('four', 2, 2, '{farm}', '{"c:/ring/c.dll": "1.0.0.2"}') \g /dev/null
select fixture.judge() \g /dev/null
select matches((select summary from ops.finding where host = 'four' and check_name = 'group-skew'), 'c\.dll 1\.0\.0\.2 here, not there on the majority', 'a file of the component that only one host has is a difference');
select fixture.member('four', 1, 1, '{farm,"it''s a \"lab\""}'), fixture.member('elsewhere', 0, 0, '{"it''s a \"lab\""}') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), 'elsewhere it''s a "lab" ring/core, four farm ring/core, four it''s a "lab" ring/core', 'a host is compared within each of its groups');
select fixture.member('four', 1, 1, '{}') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.skewed(), '', 'a host that leaves its groups takes the findings along');
select is((select count(*) from evenkeel.fleet_key k join evenkeel.host h using (host_id) where k.check_code = 'group-skew' and h.name = 'four'), 0::bigint,
    'and is not compared any more');
-- Who is retired is compared with nobody: also where no other host holds what it held.
select fixture.member('left', 1, 1, '{pair}'), fixture.member('gone', 2, 2, '{pair}') \g /dev/null
select fixture.judge() \g /dev/null
select matches(fixture.skewed(), 'gone pair ring/core, .*left pair ring/core|left pair ring/core.*', 'two hosts of a group that differ');
select evenkeel.retire_host('gone') \g /dev/null
select fixture.judge() \g /dev/null
select doesnt_match(fixture.skewed(), 'pair', 'of which one is retired leave one that differs from none');

-- What chunks add to a version set is kept for the hosts that share them, and never outlives what it was made of.
create function fixture.sets(grouped boolean) returns text[] language plpgsql as $$
begin
    perform evenkeel.state_open();
    delete from state_host; delete from state_product;
    insert into state_host select host_id, chunk_ids from evenkeel.host_inventory_current;
    return array(select format('%s %s %s', host_id, component_id, version_set) from evenkeel.state_version_sets(grouped) order by 1);
end
$$;
select fixture.member('five', 2, 2, '{twin}', '{"c:/ring/driver.dll": "7.1.0.0"}'), fixture.member('six', 2, 2, '{twin}', '{"c:/ring/driver.dll": "7.1.0.0"}') \g /dev/null
select fixture.judge() \g /dev/null
create temporary table kept as select fixture.sets(false) as sets, fixture.sets(true) as line_sets;
select ok(exists (select from evenkeel.chunk_version_set), 'what several hosts hold is kept');
delete from evenkeel.chunk_version_set;
create temporary table of_groups as select fixture.sets(true) as sets;
select ok(cardinality(g.sets) > 0 and not exists (select from evenkeel.chunk_version_set), 'once, by who asks for all hosts') from of_groups g;
select fixture.sets(false) \g /dev/null
update evenkeel.component set exclude = '{c:/ring/driver.dll}' where product_id = evenkeel.product_number('ring');
select evenkeel.catalog_refresh() \g /dev/null
create temporary table after as select fixture.sets(false) as sets, fixture.sets(true) as line_sets;
delete from evenkeel.chunk_version_set;
select isnt(a.sets, k.sets, 'a file that leaves its component changes the sets of those who hold it, though no level says anything of it') from after a, kept k;
select is(a.sets || a.line_sets, fixture.sets(false) || fixture.sets(true), 'as if nothing had been kept') from after a;
insert into evenkeel.line (product_id, major, source) values (evenkeel.product_number('ring'), 7, 'test');
update evenkeel.component set exclude = '{}' where product_id = evenkeel.product_number('ring');
select evenkeel.catalog_refresh() \g /dev/null
create temporary table on_line as select fixture.sets(true) as sets;
delete from evenkeel.chunk_version_set;
select ok(o.sets <> k.line_sets and o.sets = fixture.sets(true), 'and one that comes onto its product''s lines those of groups') from on_line o, kept k;
select * from finish();
rollback;
