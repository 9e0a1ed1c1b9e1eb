-- Key containers that carry other machines' GUIDs.
begin;
select plan(15);
\ir fixture.psql
-- The hosts share GUIDs, which another check minds.
delete from evenkeel.check_definition where code <> 'machine-key-mismatch';

create function fixture.keys(guid text, variadic names text[]) returns jsonb language sql as $$
    select jsonb_build_object('machine_guid', guid, 'machine_keys_read', true, 'machine_keys', to_jsonb(names))
$$;
\set own '11111111-1111-1111-1111-111111111111'
\set old '22222222-2222-2222-2222-222222222222'
\set iis 'c2319c42033a5ca7f44e731bfd3fa2b5'
\set some '0123456789abcdef0123456789abcdef'
\set file '{"c:/windows/system32/any.dll": "1.0.0.0"}'

select fixture.host('healthy', :'file', fixture.keys(:'own', :'iis' || '_' || :'own'));
select fixture.host('reset', :'file', fixture.keys(:'old', :'iis' || '_' || :'old'));
select fixture.judge();
select is_empty($$ select * from fixture.findings('healthy') $$, 'a container with the host''s own GUID is fine');
select is_empty($$ select * from fixture.findings('reset') $$, 'so is it before the reset');

select fixture.host('reset', :'file', fixture.keys(:'own', :'iis' || '_' || :'old'),
                    '{"machine_keys": [{"modified": 1000000}], "machine_guid": 2000000}');
select fixture.host('foreign', :'file', fixture.keys(:'own', :'some' || '_' || :'old'));
select fixture.host('kept-old', :'file', fixture.keys(:'own', :'iis' || '_' || :'old', :'iis' || '_' || :'own'));
select fixture.host('two-containers', :'file', fixture.keys(:'own', :'iis' || '_' || :'own', :'some' || '_' || :'old'));
select fixture.host('not-read', :'file', jsonb_build_object('machine_guid', :'own', 'machine_keys', jsonb_build_array(:'iis' || '_' || :'old')));
select fixture.host('no-guid', :'file', fixture.keys('', :'iis' || '_' || :'old'));
select fixture.host('no-registry', :'file', null);
select fixture.host('odd-names', :'file', fixture.keys(:'own', 'desktop.ini', :'iis', :'iis' || '_x', 'c2319_' || :'old'));
select fixture.host('upper', :'file', fixture.keys(:'own', upper(:'iis' || '_' || :'own')));
select fixture.judge();
select results_eq($$ select * from fixture.findings('reset') $$, array['machine-key-mismatch ' || :'iis'],
                  'once MachineGuid was reset the container carries a foreign one');
select alike((select summary from ops.finding where host = 'reset'),
             'key container ''Microsoft Internet Information Server'' was made for MachineGuid 22222222-% host''s is 11111111-% changed from 22222222-%, noticed %',
             'the line names the container, both GUIDs and when the change was noticed');
select is((select evidence ->> 'was_own' from ops.finding where host = 'reset'), :'old', 'the evidence tells that the container''s GUID was the host''s own');
select is((select (evidence #>> '{changes,0,noticed}')::timestamptz from ops.finding where host = 'reset'),
          (select max(valid_from) from evenkeel.host_facts join evenkeel.host using (host_id) where name = 'reset'),
          'the change was noticed when the facts with the new one were accepted');
select is((select (evidence ->> 'guid_written')::timestamptz from ops.finding where host = 'reset'), to_timestamp(2), 'and when the registry key was written');
select is((select (evidence #>> '{foreign,0,written}')::timestamptz from ops.finding where host = 'reset'), to_timestamp(1), 'and the key file');
select results_eq($$ select subject || ' ' || severity || ' ' || (evidence ->> 'changes') from ops.finding where host = 'foreign' $$,
                  array[:'some' || ' medium []'], 'a container that is not known is less grave, and no change was seen');
select is_empty($$ select * from fixture.findings('kept-old') $$, 'one file with the own GUID is enough for a container');
select results_eq($$ select * from fixture.findings('two-containers') $$, array['machine-key-mismatch ' || :'some'], 'each container counts for itself');
select is_empty($$ select * from fixture.findings('not-read') union all select * from fixture.findings('no-guid')
                   union all select * from fixture.findings('no-registry') $$, 'where folder or GUID could not be read nothing is said');
select is_empty($$ select * from fixture.findings('odd-names') $$, 'other files are no containers');
select is_empty($$ select * from fixture.findings('upper') $$, 'capital letters make no difference');

select fixture.host('reset', :'file', fixture.keys(:'old', :'iis' || '_' || :'old'));
select fixture.judge();
select is_empty($$ select * from fixture.findings('reset') $$, 'with the old GUID back the finding closes');
select * from finish();
rollback;
