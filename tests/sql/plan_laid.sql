-- A plan as it is told: its steps laid over the host one after the other, without what breaks it, and what is found then.
begin;
select plan(33);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20',
                            'SP1 c.dll = 9.1.100.10', 'SP2 c.dll = 9.1.100.20');
-- The patch of the article: its b.dll calls what SP2's a.dll exports, and SP1's does not.
select fixture.payload('app', 'KB1', jsonb_build_object('b.dll', fixture.pe('9.1.100.31', '{}', fixture.wants('a.dll', 'Binding')),
                                                        'c.dll', fixture.pe('9.1.100.31')), '{SP1,SP2}');
select fixture.payload('app', 'KB2', jsonb_build_object('c.dll', fixture.pe('9.1.100.32')), '{SP1,SP2}');
select fixture.patch('app', 'KB4', '{SP1,SP2}', array['a.dll 9.1.100.33', 'c.dll 9.1.100.33']);

create function fixture.at(revision text, exports text[] default '{}') returns jsonb language sql as $$
    select jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.' || revision, exports), 'c:/app/b.dll', fixture.pe('9.1.100.' || revision),
                              'c:/app/c.dll', fixture.pe('9.1.100.' || revision))
$$;
create function fixture.rows(host_name text) returns setof text language sql as $$
    select concat_ws(' ', p.action || ':', p.what) from evenkeel.host h cross join lateral evenkeel.plan(h.host_id) p where h.name = host_name order by p.step
$$;
create function fixture.told(host_name text, of_what text) returns text language sql as $$
    select p.why from evenkeel.host h cross join lateral evenkeel.plan(h.host_id) p where h.name = host_name and p.what like of_what
$$;
select fixture.host('whole', fixture.at('20', '{Binding}'), fixture.runs('Service Pack 2'));
-- Level at SP1 and half patched: one file of KB1 is there, and what the other calls is not.
select fixture.host('broken by it', fixture.at('10') || jsonb_build_object('c:/app/c.dll', fixture.pe('9.1.100.31')), fixture.runs('Service Pack 1', 'KB1'));
-- The same, beneath files that SP2 brings: with these the patch does no harm.
select fixture.host('mended first', fixture.at('20', '{Binding}') || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.10'), 'c:/app/c.dll', fixture.pe('9.1.100.31')),
                    fixture.runs('Service Pack 2', 'KB1'));
select fixture.host('half', fixture.at('20', '{Binding}') || '{"c:/app/c.dll": "9.1.100.33"}', fixture.runs('Service Pack 2', 'KB4'));
select fixture.host('old text', fixture.at('20', '{Binding}') || '{"c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 1'));
select fixture.host('waiting', fixture.at('20', '{Binding}') || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.10'), 'c:/temp/b.dll', fixture.pe('9.1.100.20')),
                    fixture.runs('Service Pack 2') || '{"pending_renames": [{"from": "c:/temp/b.dll", "to": "c:/app/b.dll"}]}');
select fixture.host('cannot load', fixture.at('20', '{Binding}') || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.21', '{}', fixture.wants('a.dll', 'Gone'))),
                    fixture.runs('Service Pack 2'));
select fixture.host('lacks an image', fixture.at('20', '{Binding}'),
                    fixture.runs('Service Pack 2') || '{"windows_directory": "c:/windows", "services": [{"name": "web", "start": 2, "type": 16, "image_path": "c:\\app\\serve.exe"}]}');
insert into evenkeel.host (name) values ('never');
select fixture.judge();
create temporary table before as
select (select count(*) from evenkeel.file) as files, (select count(*) from evenkeel.image) as images, (select count(*) from evenkeel.path) as paths,
       (select count(*) from evenkeel.chunk) as chunks, (select count(*) from evenkeel.import_need) as needs;

select is_empty($$ select fixture.rows('whole') $$, 'a healthy host has no plan');
select is_empty($$ select fixture.rows('never') $$, 'nor has one of which nothing is known');

select is((select verdict from ops.risk('KB1', 'broken by it')), 'at risk', 'a host that a patch would break');
select is(array(select fixture.rows('broken by it')), '{leave out: KB1,then: partial-patch KB1 remains}', 'is not told to install it, and that it is half there remains');
select is(fixture.told('broken by it', 'KB1'), 'with it c:/app/b.dll 9.1.100.31 would import a.dll!Binding, which c:/app/a.dll 9.1.100.10 does not export',
          'with the file and the symbol that it would lack');
select matches(fixture.told('broken by it', '%remains'), '; by hand: take KB1 off the host', 'and what to do by hand');
select is((select next_step from evenkeel.report_dangerous() where 'broken by it' = any (host_names)), 'reapply hotfix: KB1, if evenkeel plan, which lays it over the host, has it too',
          'the report, which lays nothing over a host, does not say more than it knows');

select is(array(select fixture.rows('mended first')), array['reapply service pack: SP2', 'restart: restart the host', 'reapply hotfix: KB1', 'restart: restart the host', 'then: nothing is found'],
          'where the service pack before it brings what it calls it is a step');
select is(fixture.told('mended first', 'nothing is found'), 'the steps, laid over the host one after the other, change 2 files, and no check finds anything after them',
          'of which all files and imports are known');

-- One that replaces it and does without.
savepoint alone;
select fixture.payload('app', 'KB3', jsonb_build_object('b.dll', fixture.pe('9.1.100.35'), 'c.dll', fixture.pe('9.1.100.35')), '{SP1,SP2}');
update evenkeel.patch set supersedes = '{KB1}' where code = 'KB3';
select is(array(select fixture.rows('broken by it')), array['leave out: KB1', 'install hotfix: KB3', 'restart: restart the host', 'then: nothing is found'],
          'a patch that replaces the one left out takes its place where it does no harm');
update evenkeel.patch_file set image_id = (select f.image_id from evenkeel.patch_file f join evenkeel.patch using (patch_id) where code = 'KB1' and file = 'b.dll')
where file = 'b.dll' and patch_id = (select patch_id from evenkeel.patch where code = 'KB3');
select is((array(select fixture.rows('broken by it')))[1:2], '{leave out: KB1,then: partial-patch KB1 remains}', 'and does not where it does the same');
rollback to alone;

-- What an uninstaller puts back is not known, unless the hotfix comes again.
savepoint gone;
select fixture.payload('app', 'KB5', jsonb_build_object('c.dll', fixture.pe('9.1.100.34')), '{SP2}'), fixture.payload('app', 'KB6', jsonb_build_object('c.dll', fixture.pe('9.1.100.35')), '{SP2}');
update evenkeel.patch set supersedes = '{KB5}' where code = 'KB6';
-- SP2 is there for its symbols.
select fixture.host('whole', fixture.at('20', '{Binding}'), fixture.runs('Service Pack 2'));
select fixture.host('too early', fixture.at('10') || jsonb_build_object('c:/app/c.dll', fixture.pe('9.1.100.35')), fixture.runs('Service Pack 1', 'KB5', 'KB6'));
select fixture.host('early', fixture.at('10') || jsonb_build_object('c:/app/c.dll', fixture.pe('9.1.100.35')), fixture.runs('Service Pack 1', 'KB6'));
select fixture.judge();
select is((array(select fixture.rows('early')))[1], 'remove hotfix: KB6', 'a hotfix that came too early is removed');
select is((array(select fixture.rows('early')))[6], 'then: nothing is found', 'and where it comes again all is known');
select matches(fixture.told('too early', 'not all%'), '^which files are there once KB5 is off the host is not known: its uninstaller puts back what it kept', 'where it does not, that is said');
rollback to gone;

-- What is not known is said.
select is(array(select fixture.rows('half')), array['reapply hotfix: KB4', 'restart: restart the host', 'then: nothing is found, as far as is known',
                                                    'unknown: not all is known of what is found then'], 'of a patch whose table alone is known nothing is promised');
select is(fixture.told('half', 'not all%'), 'imports of c:/app/a.dll could not be read', 'with the reason');
select fixture.host('lists another', fixture.at('20', '{Binding}') || '{"c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 2', 'KB999999'));
update evenkeel.host_facts set facts = jsonb_set(facts, '{hotfixes,0,service_pack}', '"SP3"') where host_id = (select host_id from evenkeel.host where name = 'lists another');
select fixture.judge();
select matches(fixture.told('lists another', 'not all%'), 'what KB999999 brings is not known: import its table', 'nor of one of which not even that is');

-- One level for all.
select is(array(select fixture.rows('old text')), array['install service pack: SP2 or later', 'restart: restart the host', 'then: nothing is found'], 'right files are not moved down to an old text');
select is((select format('%s %s %s', target_level, files_to_move, target_why) from ops.mixed_level where host = 'old text'),
          'SP2 1 2 of 3 files prove it, and what the registry declares, SP1, is older', 'check and plan name one level, and why');

select is(array(select fixture.rows('waiting')), array['restart: restart the host before anything else', 'then: nothing is found'], 'what waits for a restart is laid over the host, too');
select matches(array_to_string(array(select fixture.rows('cannot load')), '; '), '^reapply service pack: SP2; restart: restart the host; check imports: .*; then: unresolved-import c:/app/b.dll!a.dll remains$',
               'what no step mends remains');
select matches(fixture.told('cannot load', 'unresolved%'), 'a.dll!Gone, which .* does not export; by hand: bring c:/app/b.dll and a.dll', 'with what to do by hand');
select is(array(select fixture.rows('lacks an image')), array['restore file: c:/app/serve.exe from the media of SP2',
          'then: nothing is found, as far as is known', 'unknown: not all is known of what is found then'], 'a file that is put back is no longer missing');
select matches(fixture.told('lacks an image', 'not all%'), 'which build of c:/app/serve.exe is there then is not known', 'but which build it is nobody knows');
insert into evenkeel.waiver (host_id, check_code, subject, reason, until)
select host_id, 'unresolved-import', 'c:/app/b.dll!a.dll', 'test', now() + interval '1 day' from evenkeel.host where name = 'cannot load';
select is_empty($$ select fixture.rows('cannot load') $$, 'a finding that is waived asks for nothing, and is not told to remain');

-- Findings that no file mends.
insert into evenkeel.finding (host_id, check_code, subject, opened_at, severity, summary, evidence, evidence_at)
select host_id, 'cloned-identity', 'machine-sid s', clock_timestamp(), 'high', 'because', '{"identity": "machine-sid", "hosts": []}', clock_timestamp()
from evenkeel.host where name = 'whole';
select matches(array_to_string(array(select fixture.rows('whole')), '; '), '^renew identity: .*; then: cloned-identity machine-sid s remains until the host reports$', 'an identity is renewed by hand');

select is((select row(b.files, b.images, b.paths)::text from before b),
          (select row((select count(*) from evenkeel.file), (select count(*) from evenkeel.image), (select count(*) from evenkeel.path))::text), 'laying a plan over a host stores nothing');
select is((select count(*) from pg_class where relnamespace = pg_my_temp_schema() and relname like 'plan\_%'), 0::bigint, 'and leaves nothing in the session');
create function fixture.as_reader(host_name text) returns text language plpgsql as $$
declare
    answer text;
begin
    set local role evenkeel_read;
    select string_agg(p.action, ' ' order by p.step) into answer from ops.plan(host_name) p;
    reset role;
    return answer;
end $$;
select is(fixture.as_reader('old text'), 'install service pack restart then', 'who may only look gets the same');
set local role evenkeel_ingest;
create temporary table of_another ();
reset role;
select is(fixture.as_reader('old text'), 'install service pack restart unknown', 'and where it can''t be laid over, the steps alone, and that this is so');
drop table of_another;
select is((select p.why from ops.plan('broken by it') p where p.action = 'unknown'), null, 'a plan of which all is known says nothing of it');
-- What is put where a file was missing is for the host's machine.
select fixture.host('arm', fixture.at('20', '{Binding}'), fixture.runs('Service Pack 2') || '{"architecture": "ARM64"}');
select evenkeel.plan_begin(host_id) from evenkeel.host where name = 'arm';
select evenkeel.plan_land_file('c:/app/serve.exe');
select is((select i.machine from pg_temp.plan_file n join evenkeel.file f using (file_id) join evenkeel.path p on p.path_id = f.path_id
           join evenkeel.image i using (image_id) where p.name = 'serve.exe'), evenkeel.pe_machine_arm64(), 'a file restored on ARM64 is one for ARM64');
set local transaction_read_only = on;
select is((select p.why from ops.plan('broken by it') p where p.action = 'unknown'), 'the steps were not laid over the host: the transaction may write nothing',
          'where nothing may be written that is said');

select * from finish();
rollback;
