begin;
select plan(28);
\ir fixture.psql

insert into evenkeel.product (code, name, source) values ('ring', 'Ring', 'test');
insert into evenkeel.level (product_id, ordinal, code, name, source)
select evenkeel.product_number('ring'), o, 'SP' || o, 'SP' || o, 'test' from generate_series(0, 1) o;
insert into evenkeel.line (product_id, major, source) values (evenkeel.product_number('ring'), 1, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('ring'), 'core', 'Ring''s core', array['c:/ring/**'], 'test');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('ring'), o, f, '=', evenkeel.version_of('1.0.0.' || o), 'shipped', 'test'
from generate_series(0, 1) o, unnest(array['a.dll', 'b.dll', 'c.dll']) f;
create function fixture.member(a integer, b integer, c integer) returns void language plpgsql as $$
begin
    perform fixture.host('ship', jsonb_build_object('c:/ring/a.dll', '1.0.0.' || a, 'c:/ring/b.dll', '1.0.0.' || b, 'c:/ring/c.dll', '1.0.0.' || c));
    perform fixture.judge();
end $$;
create function fixture.open_count() returns bigint language sql as $$
    select count(*) from ops.finding where host = 'ship' and waived_until is null
$$;

select fixture.member(1, 1, 1) \g /dev/null
select is((select count(*) from ops.finding_history), 0::bigint, 'a host that is level has no finding, and never had one');
select fixture.member(1, 0, 1) \g /dev/null
select is(array(select fixture.findings('ship')), '{mixed-level ring}', 'a finding is opened when the state that shows it is accepted');
create temporary table seen as select opened_at, evidence_at, evidence from ops.finding;
select ok((select opened_at between now() - interval '1 minute' and clock_timestamp() from seen), 'by the aggregator''s clock');
select is((select evidence #>> '{lower,path}' from seen), 'c:/ring/b.dll', 'with its evidence');
insert into evenkeel.judge_queue select host_id from evenkeel.host;
select fixture.judge() \g /dev/null
select is((select (opened_at, evidence_at) from ops.finding), (select (opened_at, evidence_at) from seen), 'judging the same state again changes nothing');
select fixture.member(1, 1, 0) \g /dev/null
select is((select opened_at from ops.finding), (select opened_at from seen), 'with other evidence for the same subject the finding stays open');
select is((select evidence #>> '{lower,path}' from ops.finding), 'c:/ring/c.dll', 'and tells the new evidence');
select cmp_ok((select evidence_at from ops.finding), '>', (select evidence_at from seen), 'and since when');
select is((select count(*) from ops.finding_history), 1::bigint, 'without another row of history');

-- Waivers.
create function fixture.end_waiver() returns void language sql as $$
    update evenkeel.waiver set waived_at = now() - interval '2 days', until = now() - interval '1 second'
$$;
select is(evenkeel.waive('ship', 'mixed-level', 'ring', ' known, repaired on Sunday ', now() + interval '1 day'), 1, 'an open finding can be waived');
select is(fixture.open_count(), 0::bigint, 'then it does not count');
select is((select waived_because from ops.finding), 'known, repaired on Sunday', 'but is there, with the reason');
select fixture.member(0, 1, 0) \g /dev/null
select is(fixture.open_count(), 0::bigint, 'whatever its evidence is');
select fixture.end_waiver() \g /dev/null
select is(fixture.open_count(), 1::bigint, 'when the waiver ends the finding counts again');
select is(evenkeel.waive('ship', 'mixed-level', null, 'for longer', now() + interval '1 day'), 1, 'it can be waived again, without naming the subject');
select is(evenkeel.unwaive('ship', 'mixed-level', 'ring'), 1, 'a waiver can be ended at once');
select is(fixture.open_count(), 1::bigint, 'and the finding counts');

select throws_ok($$select evenkeel.waive('boat', 'mixed-level', null, 'why', now() + interval '1 day')$$, 'P0002',
    'there is no host ''boat''; ''evenkeel hosts list'' names all', 'a host that is not there is refused');
select throws_like($$select evenkeel.waive('ship', 'mixed', null, 'why', now() + interval '1 day')$$, 'there is no check ''mixed''; there are %mixed-level%',
    'a check that is not there is refused, naming those that are');
select throws_ok($$select evenkeel.waive('ship', 'mixed-level', 'rong', 'why', now() + interval '1 day')$$, 'P0002',
    'host ''ship'' has no open finding of mixed-level on ''rong''; it has it on ''ring''', 'a subject that is not there is refused, naming those that are');
select throws_ok($$select evenkeel.waive('ship', 'silent-host', null, 'why', now() + interval '1 day')$$, 'P0002',
    'host ''ship'' has no open finding of silent-host', 'what was not found cannot be waived');
select throws_like($$select evenkeel.waive('ship', 'mixed-level', null, 'why', now())$$, 'the waiver would end at %, which is not in the future', 'an end in the past is refused');
select throws_like($$select evenkeel.waive('ship', 'mixed-level', null, 'why', 'infinity')$$, 'a waiver needs an end%', 'so is none');
select throws_like($$select evenkeel.waive('ship', 'mixed-level', null, ' ', now() + interval '1 day')$$, 'a waiver needs a reason%', 'and no reason');

select evenkeel.waive('ship', 'mixed-level', null, 'over the weekend', now() + interval '1 day') \g /dev/null
select fixture.member(1, 1, 1) \g /dev/null
select is((select count(*) from ops.finding), 0::bigint, 'a finding is closed when the state no longer shows it');
select cmp_ok((select closed_at from ops.finding_history), '>', (select opened_at from ops.finding_history), 'and its history tells from when until when');
select fixture.member(1, 0, 1) \g /dev/null
select is((select array_agg(closed_at is null order by opened_at) from ops.finding_history), '{false,true}', 'found again it is opened anew, beside the closed one');
select is(fixture.open_count(), 0::bigint, 'a waiver that still runs covers it');
select * from finish();
rollback;
