-- When the fleet is learnt from: bonds of versions once an eighth of the hosts was judged since, or a thousandth where nothing waits; which
-- files like hosts have when nothing waits, or very many are to be counted for that.
begin;
select plan(14);
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
update evenkeel.peer_refresh set judged = 0, levels_judged = 0;
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

delete from evenkeel.version_evidence;
insert into evenkeel.peer_change (host_id) select h.host_id from evenkeel.host h cross join generate_series(1, 9999);
update evenkeel.peer_round set stage = 'count';
update evenkeel.peer_refresh set judged = 1, refreshed_at = '-infinity', levels_judged = 0;
select is(evenkeel.learn_from_fleet(true), false, 'while hosts wait, those that changed are not counted');
insert into evenkeel.peer_change (host_id) select host_id from evenkeel.host;
select is(evenkeel.learn_from_fleet(true), true, 'but where very many did');
select cmp_ok((select count(*) from evenkeel.peer_change), '<', 10000::bigint, 'some are');
select is((select stage from evenkeel.peer_round), 'count', 'and no more is learnt of that');
delete from evenkeel.fleet_change;
update evenkeel.peer_refresh set levels_judged = 1, levels_at = '-infinity';
select count(*) as changes from evenkeel.peer_change \gset
select is(evenkeel.learn_from_fleet(true), true, 'which level is due is looked at');
select is((select levels_judged from evenkeel.peer_refresh), 0::bigint, 'that it is none is noted');
select is((select count(*) from evenkeel.peer_change), :changes::bigint, 'by itself, for who compares hosts writes there, too');
select * from finish();
rollback;
