-- What one host makes fail, or take long, costs that host alone.
begin;
select plan(80);
\ir fixture.psql
set fixture.may_fail = yes;
-- As the tables of a new database are: what the planner makes of them must not matter.
analyze;

insert into evenkeel.product (code, name, source) values ('ring', 'Ring', 'test');
insert into evenkeel.level (product_id, ordinal, code, name, source)
select evenkeel.product_number('ring'), o, 'SP' || o, 'SP' || o, 'test' from generate_series(0, 1) o;
insert into evenkeel.line (product_id, major, source) values (evenkeel.product_number('ring'), 1, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('ring'), 'core', 'Ring''s core', array['c:/ring/**'], 'test');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('ring'), o, f, '=', evenkeel.version_of('1.0.0.' || o), 'shipped', 'test'
from generate_series(0, 1) o, unnest(array['a.dll', 'b.dll', 'odd.dll', 'even.dll']) f;
-- Fails for who says so of himself.
insert into evenkeel.check_definition (code, scope, title, query) values ('brittle', 'host', 'test',
    $$ select host_id, 'x' as subject, 'low' as severity, 's' as summary, '{}'::jsonb as evidence from state_facts
       where 1 / (facts ->> 'edition' is distinct from 'poison')::integer = 0 $$);

create function fixture.ring(host_name text, b integer, edition text default '') returns uuid language sql as $$
    select fixture.host(host_name, jsonb_build_object('c:/ring/a.dll', '1.0.0.1', 'c:/ring/b.dll', '1.0.0.' || b), jsonb_build_object('edition', edition))
$$;
create function fixture.verdict(host_name text) returns text language sql as $$ select verdict from ops.host where host = host_name $$;
create function fixture.judge_slow() returns text language sql as $$
    select (select name from evenkeel.host h where h.host_id = n.host) || ' ' || evenkeel.judge_slow(n.host)
    from evenkeel.judge_slow_next() n where n.host is not null
$$;

-- One of a batch.
select fixture.ring('h' || n, (n <> 2)::integer, case n when 5 then 'poison' else '' end) from generate_series(1, 9) n \g /dev/null
select is(evenkeel.judge_queued(100), 9, 'a batch is judged in which one host makes a check fail');
select is((select count(*) from ops.finding where check_name = 'mixed-level'), 1::bigint, 'what the others have is found');
select is((select string_agg(host || ' ' || verdict, ', ' order by host) from ops.host where verdict <> 'level'), 'h2 mixed, h5 unknown',
          'they have their verdicts, and that host''s is unknown');
select is((select missing from ops.host where host = 'h5'), 'it could not be judged (division by zero in check brittle)', 'with the reason');
select is((select count(*) from evenkeel.judge_queue), 0::bigint, 'nothing waits');
select is((select count(*) from evenkeel.not_judged), 1::bigint, 'one host is set aside');
select is((select string_agg(subject || ': ' || problem, '') from evenkeel.fsck_contradictions()) ~ '^host h5 \(.*\): it could not be judged since .* \(division by zero in check brittle\), tried once$',
          true, 'fsck names it');

-- Tried again, apart from the others.
select fixture.ring('h5', 1, 'poison'), fixture.ring('h1', 0) \g /dev/null
select is(evenkeel.judge_queued(100), 1, 'once it could not be judged it is no part of a batch');
select is(fixture.verdict('h1'), 'mixed', 'the others are judged');
select is(fixture.judge_slow(), 'h5 true', 'it is judged by itself');
select is((select tries || ' ' || error from evenkeel.not_judged), '2 division by zero in check brittle', 'which is tried with each snapshot');
select is(fixture.judge_slow(), null, 'and then no more');
select fixture.ring('h5', 0) \g /dev/null
select fixture.judge_slow() \g /dev/null
select is(fixture.verdict('h5'), 'mixed', 'with a snapshot that can be judged it has a verdict');
select is((select count(*) from evenkeel.not_judged), 0::bigint, 'and is no longer set aside');

-- A verdict that was there before.
select fixture.ring('h5', 0, 'poison') \g /dev/null
select is(evenkeel.judge_queued(100), 1, 'a host that was judged before');
select is(fixture.verdict('h5'), 'unknown', 'is unknown once it can''t be judged, whatever it was');
select is((select p.verdict || ': ' || p.missing from evenkeel.host_product p join evenkeel.host using (host_id) where name = 'h5'),
          'unknown: it could not be judged (division by zero in check brittle)', 'its products too');
select is((select count(*) from ops.finding where host = 'h5' and check_name = 'mixed-level'), 1::bigint, 'what was found wrong stays, for nobody saw it mended');
select is((select string_agg(p.verdict, ' ' order by p.valid_to) from evenkeel.host_product_history p join evenkeel.host using (host_id) where name = 'h5'),
          'mixed unknown', 'and history tells when');
select is((select count(*) from evenkeel.fleet_key join evenkeel.host using (host_id) where name = 'h5'), 0::bigint, 'nobody''s findings rest on it');
update evenkeel.check_definition set query = replace(query, 'poison', 'nothing') where code = 'brittle';
select evenkeel.retry_not_judged() \g /dev/null
select is(fixture.judge_slow(), 'h5 true', 'after init and after a change of the catalogue it is tried again');
select is(fixture.verdict('h5'), 'mixed', 'and judged where the fault was there');

-- Those that shared something with it are judged again without it.
select fixture.host(h, '{"c:/ring/a.dll": "1.0.0.1"}', '{"machine_guid": "6ca1bb54-ef5c-4fbe-8a4a-000000000007"}')
from unnest(array['twin-1', 'twin-2']) h \g /dev/null
select fixture.judge() \g /dev/null
select is((select string_agg(host, ' ' order by host) from ops.finding where check_name = 'cloned-identity'), 'twin-1 twin-2',
          'two hosts share an identity');
select evenkeel.set_aside(host_id, 'a test') from evenkeel.host where name = 'twin-1' \g /dev/null
select is((select string_agg(host, ' ' order by host) from ops.host where host like 'twin-%' and pending), 'twin-2',
          'once one of them can''t be judged the other is to be compared again');
select fixture.judge() \g /dev/null
select is((select string_agg(host, ' ' order by host) from ops.finding where check_name = 'cloned-identity'), 'twin-1',
          'and has no finding that rests on what is not known');
select evenkeel.retire_host('twin-1'), evenkeel.retire_host('twin-2') \g /dev/null

-- What is nobody's fault sets nobody aside.
update evenkeel.check_definition set query = replace($$ select host_id, 'x' as subject, 'low' as severity, fixture.collide() as summary, '{}'::jsonb as evidence
    from state_facts $$, '  ', ' ') where code = 'brittle';
create function fixture.collide() returns text language plpgsql as $$ begin raise exception 'deadlock detected' using errcode = '40P01'; end $$;
select fixture.ring('h1', 1) \g /dev/null
select throws_ok('select evenkeel.judge_queued(100)', '40P01', 'deadlock detected', 'a batch that lost a deadlock is tried again as it is');
select is((select count(*) from evenkeel.not_judged), 0::bigint, 'and nobody is set aside for it');
select is((select count(*) from evenkeel.judge_queue), 1::bigint, 'its hosts wait');
delete from evenkeel.check_definition where code = 'brittle';

-- A state that is newer than the verdict.
select is((select verdict || ' ' || pending from ops.host where host = 'h1'), 'mixed true', 'a host that is not judged yet is shown as such');
select matches((select missing from evenkeel.shown_unknown(null) where host = 'h1'), '^its state of .* is not judged yet \(mixed by that before\)', 'and check lists it as unknown');
select fixture.judge() \g /dev/null
select is((select verdict || ' ' || pending from ops.host where host = 'h1'), 'level false', 'and no longer once it is');
select cmp_ok((select judged_at from ops.host where host = 'h1'), '>', (select changed_at from ops.host where host = 'h1'), 'since when is told');
select fixture.ring('h1', 0) \g /dev/null
select is((select verdict || ' ' || pending from ops.host where host = 'h1'), 'unknown true', 'level is never shown of a state that was not judged');
select matches((select missing from ops.host where host = 'h1'), '^its state of \d{4}-\d\d-\d\d \d\d:\d\d UTC is not judged yet \(level by that before\)',
               'but that it was, and since when it is not known');
select is((select count(*) from ops.host where verdict = 'level' and host = 'h1'), 0::bigint, 'nor counted');
select matches((select missing from evenkeel.shown_unknown(null) where host = 'h1'), '^its state of .* is not judged yet', 'check lists it as unknown');
select is((select count(*) from jsonb_array_elements(evenkeel.report_hosts()) h where h ->> 0 = 'h1' and h ->> 1 = 'unknown'), 1::bigint, 'and so does the report');
select fixture.judge() \g /dev/null
select evenkeel.check_in(array[host_id], array[0], array[0], array[3]) from evenkeel.host where name = 'h2' \g /dev/null
select is((select pending from ops.host where host = 'h2'), true, 'what can''t be read any more is another state');
select fixture.judge() \g /dev/null
select is((select pending from ops.host where host = 'h2'), false, 'once');

-- Content.
create function fixture.refuse() returns trigger language plpgsql as $$
begin
    if exists (select from evenkeel.file join evenkeel.path using (path_id) where file_id = new.file_id and name = 'odd.dll') then
        raise exception 'value out of range';
    end if;
    return new;
end $$;
create trigger refuse before insert on evenkeel.file_level for each row execute function fixture.refuse();
create function fixture.odd(host_name text, file_name text) returns void language plpgsql as $$
declare
    id uuid;
begin
    insert into evenkeel.path (digest, path, location, name) values (sha256(convert_to(file_name, 'utf8')), 'c:/ring/' || file_name, 'c:/ring/' || file_name, file_name);
    perform evenkeel.match_paths(array(select p.path_id from evenkeel.path p where p.name = file_name));
    insert into evenkeel.file (path_id, image_id) select p.path_id, fixture.image('1.0.0.1') from evenkeel.path p where p.name = file_name;
    id := fixture.ring(host_name, 1);
    insert into evenkeel.unjudged_file select f.file_id from evenkeel.file f join evenkeel.path p using (path_id) where p.name = file_name;
    insert into evenkeel.chunk (digest, file_ids)
    select sha256(convert_to(host_name, 'utf8')), array(select f.file_id from evenkeel.file f join evenkeel.path p using (path_id) where p.name in ('a.dll', file_name));
    insert into evenkeel.unjudged_chunk select chunk_id from evenkeel.chunk where digest = sha256(convert_to(host_name, 'utf8'));
    update evenkeel.host_inventory_current i set chunk_ids = i.chunk_ids || (select max(chunk_id) from evenkeel.chunk) where i.host_id = id;
end $$;
select fixture.odd('o1', 'odd.dll'), fixture.odd('o2', 'even.dll') \g /dev/null
select is(evenkeel.judge_queued_content(evenkeel.judge_choose(100, 1)), 2, 'new content of the hosts that wait is judged before them');
select is((select count(*) from evenkeel.file_level join evenkeel.file using (file_id) join evenkeel.path using (path_id) where name = 'even.dll'), 1::bigint,
          'though one file can''t be');
select is((select kind || ' ' || error from evenkeel.not_judged_object), 'file value out of range in judge_files_apart', 'and that file is set aside');
select fixture.judge() \g /dev/null
select is((select missing from ops.host where host = 'o1'), 'its file c:/ring/odd.dll could not be judged (value out of range in judge_files_apart)',
          'who holds it is unknown, with the reason');
select is(fixture.verdict('o1') || ' ' || fixture.verdict('o2'), 'unknown level', 'and who does not is level');
select matches((select string_agg(subject || ' ' || problem, '') from evenkeel.fsck_contradictions()), 'file \d+ \(c:/ring/odd.dll\) could not be judged since .* \(value out of range in judge_files_apart\)',
               'fsck names the file');
drop trigger refuse on evenkeel.file_level;
select evenkeel.retry_not_judged() \g /dev/null
insert into evenkeel.judge_queue select host_id from evenkeel.host where name = 'o1';
select fixture.judge() \g /dev/null
select is(fixture.verdict('o1'), 'level', 'tried again it is judged');
select is((select count(*) from evenkeel.not_judged_object), 0::bigint, 'and nothing is set aside any more');

-- Who takes long.
update evenkeel.setting set value = '2' where name = 'judge.big-host';
select fixture.host('large', '{"c:/ring/a.dll": "1.0.0.1", "c:/ring/b.dll": "1.0.0.1", "c:/x/c.dll": "1.0"}'), fixture.ring('h3', 0) \g /dev/null
select is(evenkeel.judge_queued(100), 2, 'a host of many files is looked at with the others');
select is((select pending::text from ops.host where host = 'large') || ' ' || fixture.verdict('h3'), 'true mixed', 'but not judged with them');
select is((select reason from evenkeel.slow_host), '3 files', 'it is judged apart');
select is(fixture.judge_slow() || ' ' || fixture.verdict('large'), 'large true level', 'by another session');
update evenkeel.setting set value = '50000' where name = 'judge.big-host';
insert into evenkeel.judge_queue select host_id from evenkeel.host where name = 'large';
select fixture.judge_slow() \g /dev/null
select is((select count(*) from evenkeel.slow_host), 0::bigint, 'and goes back once it is quick');
update evenkeel.setting s set value = octet_length(f.body) - 1
    from evenkeel.host_facts_current f join evenkeel.host h using (host_id) where h.name = 'large' and s.name = 'judge.big-facts';
insert into evenkeel.judge_queue select host_id from evenkeel.host where name = 'large';
select evenkeel.judge_queued(100) \g /dev/null
select is((select bool_and(s.reason = octet_length(f.body) || ' bytes of facts')::text from evenkeel.slow_host s join evenkeel.host h using (host_id)
           join evenkeel.host_facts_current f using (host_id) where h.name = 'large'), 'true', 'and so is one of many facts');
select fixture.judge_slow() \g /dev/null
select is(fixture.verdict('large') || ' ' || count(*), 'level 1', 'which stays apart, quick as it is') from evenkeel.slow_host;
update evenkeel.setting set value = '500000' where name = 'judge.big-facts';
delete from evenkeel.slow_host;
select fixture.host('importer', '{"c:/x/importer.dll": "7.0"}'), fixture.host('beside', '{"c:/x/few.dll": "7.1"}') \g /dev/null
insert into evenkeel.image_import (image_id, position, dll, names, ordinals, delay)
    select image_id, 9, 'far.dll', case path when 'c:/x/few.dll' then names[1:5000] else names end, '{}', false
    from evenkeel.file join evenkeel.path using (path_id) cross join (select array_agg('name' || n) as names from generate_series(1, 5001) n) m
    where path in ('c:/x/importer.dll', 'c:/x/few.dll');
insert into evenkeel.unjudged_file select file_id from evenkeel.file join evenkeel.path using (path_id)
    where path in ('c:/x/importer.dll', 'c:/x/few.dll');
insert into evenkeel.unjudged_chunk select unnest(i.chunk_ids) from evenkeel.host_inventory_current i join evenkeel.host using (host_id)
    where name in ('importer', 'beside');
select evenkeel.judge_queued_content(evenkeel.judge_choose(500, 1)) \g /dev/null
select is((select string_agg(h.name || ': ' || s.reason, ', ') from evenkeel.slow_host s join evenkeel.host h using (host_id)),
          'importer: new files that import 5001 names of one DLL', 'who has a new file that imports very much is tried apart');
select is(fixture.judge_slow(), 'importer true', 'it is judged');
select is((select count(*) from evenkeel.slow_host), 0::bigint, 'and goes back once it is quick');
select fixture.judge() \g /dev/null
select fixture.host('many' || n, '{"c:/x/many.dll": "7.2"}') from generate_series(1, 5) n \g /dev/null
insert into evenkeel.image_import (image_id, position, dll, names, ordinals, delay)
    select image_id, 9, 'far.dll', array(select 'name' || n from generate_series(1, 5001) n), '{}', false
    from evenkeel.file join evenkeel.path using (path_id) where path = 'c:/x/many.dll';
insert into evenkeel.unjudged_file select file_id from evenkeel.file join evenkeel.path using (path_id) where path = 'c:/x/many.dll';
insert into evenkeel.unjudged_chunk select distinct unnest(i.chunk_ids) from evenkeel.host_inventory_current i join evenkeel.host using (host_id)
    where name = 'many1';
select is(evenkeel.judge_queued_content(evenkeel.judge_choose(500, 1)), 2, 'new content is judged');
select is((select count(*) from evenkeel.slow_host), 0::bigint, 'what many have is followed for all of them at once');
select fixture.judge() \g /dev/null
delete from evenkeel.slow_host;
insert into evenkeel.judge_queue select host_id from evenkeel.host where name in ('large', 'h3');
select is(evenkeel.defer_slow(evenkeel.judge_choose(500, 1)), 0, 'of a batch that took too long those are suspected that are far larger than most');
select is(evenkeel.defer_slow((evenkeel.judge_choose(500, 1))[1:1]), 1, 'and of one alone it is known');
select evenkeel.give_up(n.host, n.waits_since, 'its turn took longer than 2 minutes') from evenkeel.judge_slow_next() n \g /dev/null
select is((select count(*) || ' ' || min(error) from evenkeel.not_judged), '1 its turn took longer than 2 minutes', 'who takes too long even so is given up');

-- Compared with others.
insert into evenkeel.check_definition (code, scope, title, key_query, query) values ('brittle', 'fleet', 'test',
    $$ select host_id, 'k' || host_id as key from state_host $$,
    $$ select host_id, 'x' as subject, 'low' as severity, 's' as summary, '{}'::jsonb as evidence from state_facts
       where 1 / (facts ->> 'edition' is distinct from 'poison')::integer = 1 $$);
delete from evenkeel.not_judged;
select fixture.ring('h6', 1, 'poison'), fixture.ring('h7', 1), fixture.ring('h8', 0) \g /dev/null
select cmp_ok(evenkeel.judge_queued(100), '>=', 3, 'hosts of which one makes a fleet check fail are judged');
select is((select string_agg(host || ' ' || verdict || ' ' || pending || ' ' || missing, ', ' order by host) from ops.host where host in ('h7', 'h8')),
          'h7 level true it is not compared with other hosts yet, h8 mixed true it is not compared with other hosts yet',
          'have their verdicts, and wait to be compared');
select cmp_ok(evenkeel.reduce_fleet(100), '>=', 3, 'which is done in one step');
select is((select string_agg(host, ', ' order by host) from ops.finding where check_name = 'brittle' and host in ('h6', 'h7', 'h8')), 'h7, h8', 'the others have its findings');
select is((select verdict || ' ' || not_judged from ops.host where host = 'h6'), 'unknown division by zero in check brittle', 'and that host is unknown');
do $$ begin while evenkeel.reduce_fleet(100) > 0 loop end loop; end $$;
select is((select count(*) from ops.host where pending and host in ('h6', 'h7', 'h8')), 0::bigint, 'nobody waits');
delete from evenkeel.check_definition where code = 'brittle'; delete from evenkeel.not_judged;

-- What is learnt from the fleet.
create or replace function evenkeel.refresh_peers() returns boolean language sql as $$ select 1 / 0 = 0 $$;
update evenkeel.version_evidence set judged = 0;
delete from evenkeel.judge_queue; delete from evenkeel.fleet_change;
update evenkeel.peer_refresh set judged = 1, refreshed_at = '-infinity', took = '0', levels_judged = 0;
select is(evenkeel.learn_from_fleet(true), true, 'a lesson that can''t be learnt stops no other');
select is((select kind || ' ' || object || ' ' || error from evenkeel.not_judged_object), 'lesson files of like hosts division by zero in learn_apart', 'and is told');
select is(evenkeel.learn_from_fleet(true), false, 'it is learnt again when it is due again');

-- What changes with the clock.
insert into evenkeel.check_definition (code, scope, title, query) values ('brittle', 'clock', 'test',
    $$ with these as materialized (select host_id, name from state_host join host using (host_id))
       select host_id, 'x' as subject, 'low' as severity, 's' as summary, '{}'::jsonb as evidence from these where 1 / (name <> 'h4')::integer = 1 $$);
select evenkeel.judge_clock() \g /dev/null
select is((select count(*) from ops.finding where check_name = 'brittle'), (select count(*) - 1 from evenkeel.host_inventory_current),
          'a host that a check of the clock fails for keeps it from no other');
select is((select error from evenkeel.not_judged_object where kind = 'check'), 'division by zero in check brittle', 'and is told');

-- How much one host may say.
insert into evenkeel.check_definition (code, scope, title, query) values ('wordy', 'host', 'test',
    $$ select host_id, 's' || lpad(n::text, 3, '0') as subject, case n when 250 then 'high' else 'low' end as severity, 's' as summary,
              '{}'::jsonb as evidence
       from state_facts join host using (host_id), generate_series(1, 250) n where name = 'h4' $$);
insert into evenkeel.judge_queue select host_id from evenkeel.host where name = 'h4';
select fixture.judge() \g /dev/null
select is((select count(*) from ops.finding where check_name = 'wordy'), 201::bigint, 'a host has two hundred findings of a check, and one more');
select is((select severity || ': ' || summary from ops.finding where check_name = 'wordy' and subject = 'further'),
          'low: 50 further findings of wordy: the first 200 are told one by one', 'which counts the rest');
select is((select count(*) from ops.finding where check_name = 'wordy' and severity = 'high'), 1::bigint, 'the worst come first');
create temporary table told as select opened_at, subject from ops.finding where check_name = 'wordy';
insert into evenkeel.judge_queue select host_id from evenkeel.host where name = 'h4';
select fixture.judge() \g /dev/null
select is((select count(*) from ops.finding join told using (subject, opened_at) where check_name = 'wordy'), 201::bigint, 'and the same ones stay');

-- How a queue is divided.
insert into evenkeel.host (name) select 'queued ' || n from generate_series(1, 40) n;
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host where name like 'queued %';
select is(cardinality(evenkeel.judge_choose(1000, 4)), 40, 'few hosts are judged by one judge, however many there are');
insert into evenkeel.host (name) select 'queued ' || n from generate_series(41, 240) n;
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host where name like 'queued %' on conflict do nothing;
select ok(cardinality(evenkeel.judge_choose(1000, 2)) between 120 and 239, 'of many each judge takes his share');
select is(cardinality(evenkeel.judge_choose(30, 2)), 30, 'and none more than a batch');

select * from finish();
rollback;
