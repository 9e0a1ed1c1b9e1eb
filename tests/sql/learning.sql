-- When the fleet is learnt from: bonds of versions once an eighth of the hosts was judged since, or a thousandth where nothing waits.
begin;
select plan(7);
\ir fixture.psql
create function fixture.due(judged integer) returns boolean language plpgsql as $$
declare
    one integer := (select min(component_id) from evenkeel.component);
    learnt boolean;
begin
    delete from evenkeel.version_evidence;
    insert into evenkeel.version_evidence (component_id, hosts, judged) values (one, 1600, judged);
    learnt := evenkeel.learn_from_fleet(true);
    return learnt and (select e.judged = 0 from evenkeel.version_evidence e where e.component_id = one);
end $$;
select is(fixture.due(1), false, 'with nothing waiting, less than a thousandth of the hosts is too few');
select is(fixture.due(2), true, 'and more is enough');
update evenkeel.version_evidence set hosts = 2000, judged = 2;
select is(evenkeel.learn_from_fleet(true), true, 'so is that very share');
select is(evenkeel.learn_from_fleet(true), false, 'what was learnt is not learnt again');
select fixture.host('waits', '{"c:/windows/system32/any.dll": "1.0.0.0"}') \g /dev/null
select is(fixture.due(199), false, 'while hosts wait, less than an eighth is too few');
select is(fixture.due(200), true, 'and an eighth is enough');
delete from evenkeel.judge_queue;
insert into evenkeel.fleet_change (host_id) select host_id from evenkeel.host;
select is(fixture.due(199), false, 'a host whose fleet checks wait is one that waits');
select * from finish();
rollback;
