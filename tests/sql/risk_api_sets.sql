-- API sets that a patch's files import anew: safe only where something on the host says that its Windows has them.
begin;
select plan(19);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2'], false, 0.1);
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20');
create temporary view core as
    select jsonb_build_object('c:/windows/system32/kernel32.dll', fixture.pe('10.0.1.1', '{Sleep}'), 'c:/windows/system32/kernelbase.dll', fixture.pe('10.0.1.1', '{Given}'),
                              'c:/app/a.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('api-ms-win-core-first-l1-1-0.dll', 'First'))) as files;
create function fixture.on(windows text) returns jsonb language sql as $$ select jsonb_build_object('current_version', windows, 'windows_directory', 'c:/windows') $$;
-- A patch whose a.dll imports one symbol.
create function fixture.brings(patch text, dll text, symbol text, more jsonb default '{}') returns void language sql as $$
    select fixture.payload('app', patch, jsonb_build_object('a.dll', fixture.pe('9.1.100.3' || substr(patch, 3), '{}', fixture.wants(dll, symbol))) || more)
$$;
select fixture.host('ten', (table core), fixture.on('10.0'));
select fixture.host('eight', (table core), fixture.on('6.2'));
select fixture.host('user', (table core) || jsonb_build_object('c:/else/user.dll', fixture.pe('1.0.0.0', '{}', fixture.wants('api-ms-win-core-later-l1-2-3.dll', 'Later'))), fixture.on('10.0'));
select fixture.host('user of eight', (table core) || jsonb_build_object('c:/else/user.dll', fixture.pe('1.0.0.0', '{}', fixture.wants('api-ms-win-core-later-l1-2-3.dll', 'Later'))), fixture.on('6.2'));
select fixture.host('holder', (table core) || jsonb_build_object('c:/app/api-ms-win-core-later-l1-2-0.dll', fixture.pe('1.0.0.0', '{Later}')), fixture.on('10.0'));

select fixture.brings('KB1', 'api-ms-win-core-nonsense-l1-1-0.dll', 'Given');
select fixture.brings('KB2', 'api-ms-win-core-first-l1-1-0.dll', 'First');
select fixture.brings('KB3', 'api-ms-win-core-file-l1-1-0.dll', 'Given');
select fixture.brings('KB4', 'api-ms-win-core-file-l1-1-0.dll', 'Nonsense');
select fixture.brings('KB5', 'api-ms-win-crt-heap-l1-1-0.dll', 'Given');
select fixture.brings('KB6', 'api-ms-win-crt-nonsense-l1-1-0.dll', 'Given');
select fixture.brings('KB7', 'api-ms-win-core-later-l1-2-0.dll', 'Later');
select fixture.brings('KB8', 'api-ms-win-core-first-l1-1-0.dll', 'Given');
select fixture.brings('KB9', 'ext-ms-win-nonsense-l1-1-0.dll', 'Given');
select fixture.brings('KB10', 'api-ms-win-core-own-l1-1-0.dll', 'Own', jsonb_build_object('c:/app/api-ms-win-core-own-l1-1-0.dll', fixture.pe('9.1.100.310', '{Own}')));
select fixture.payload('app', 'KB11', jsonb_build_object('other.dll', fixture.pe('9.1.100.40', '{}', fixture.wants('api-ms-win-core-nonsense-l1-1-0.dll', 'Given'))));
select evenkeel.catalog_refresh();
select fixture.judge();
create function fixture.verdict_of(patch text, variadic hosts text[]) returns text language sql as $$
    select string_agg((select verdict from ops.risk(patch, h)), ' ' order by n) from unnest(hosts) with ordinality u (h, n)
$$;

select is(fixture.risk('KB1', 'ten'), 'unknown: c:/app/a.dll would import api-ms-win-core-nonsense-l1-1-0.dll, an API set that no file of this host imports yet: '
          || 'whether its Windows has it is not known', 'a set that nothing on the host imports may be made up');
select is(fixture.risk('KB9', 'ten'), 'unknown: c:/app/a.dll would import ext-ms-win-nonsense-l1-1-0.dll, an API set that no file of this host imports yet: '
          || 'whether its Windows has it is not known', 'as may one of extensions');
select is_empty($$ select * from fixture.findings('ten') $$, 'it is no finding either');
select is(fixture.risk('KB2', 'ten'), 'safe: 1 file replaced', 'what the file imported before is there');
select is(fixture.verdict_of('KB3', 'ten', 'eight'), 'safe safe', 'of sets of Windows 7 what a DLL of the system exports is there');
select matches(fixture.risk('KB4', 'ten'), '^unknown: c:/app/a.dll would import api-ms-win-core-file-l1-1-0.dll!Nonsense, which no file does yet and no DLL of the system exports',
               'what none exports may be made up');
select is(fixture.verdict_of('KB5', 'ten'), 'safe', 'the sets of the universal C runtime are known');
select is(fixture.verdict_of('KB6', 'ten'), 'unknown', 'by their names');
select is(fixture.verdict_of('KB8', 'ten'), 'safe', 'a set that is imported from may hold what a DLL of the system exports');
select is(fixture.verdict_of('KB7', 'ten', 'user'), 'unknown safe', 'another file that imports from it vouches for a set');
select is(fixture.verdict_of('KB7', 'user', 'ten'), 'safe unknown', 'on its own host alone');
select is((select string_agg(host || ' ' || verdict, ', ' order by host) from ops.risk('KB7') where host in ('ten', 'user')), 'ten unknown, user safe',
          'also where many are asked of at once');
select is(fixture.verdict_of('KB7', 'user of eight'), 'unknown', 'whatever its last number is from Windows 10 on only');
select is(fixture.verdict_of('KB7', 'holder'), 'safe', 'a file of that name is one where it is none of the system');
select is(fixture.verdict_of('KB10', 'ten'), 'safe', 'also where the patch brings it');
select is((select verdict from ops.risk('KB11', 'ten')), 'not applicable', 'what the patch does not bring to a host is not looked at');

select fixture.host('seven', (table core) - 'c:/app/a.dll' || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20')), fixture.on('6.1'));
select fixture.host('2003', (table core) - 'c:/app/a.dll' || jsonb_build_object('c:/windows/system32/ntdll.dll', fixture.pe('5.2.3790.1'), 'c:/app/a.dll', fixture.pe('9.1.100.20')), fixture.on('5.2'));
select fixture.judge();
select matches(fixture.risk('KB1', 'seven'), '^at risk: .*api-ms-win-core-nonsense-l1-1-0.dll, which is nowhere', 'Windows 7 has the sets that are known, and no other');
select is(fixture.verdict_of('KB3', 'seven'), 'safe', 'of these it has what its DLLs export');
select matches(fixture.risk('KB3', '2003'), '^at risk: .*api-ms-win-core-file-l1-1-0.dll, which is nowhere', 'and what has none at all takes it for a file');

select * from finish();
rollback;
