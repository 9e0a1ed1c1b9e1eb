-- Answers that were wrong once, each with the test that holds the right one. Those that no other test has are here.
--
--   risk
--   an API set on a Windows that has none, or not that one           sql/loader, sql/risk_api_sets, integration/loader-oracle
--   two files of one name and version in a payload                   here
--   Windows in a folder of another name, where the payload lands     here, sql/risk_unknown, sql/readings
--   a patch for one service pack, on a host at the next              here
--   a program with its own DLL of a name that the system's import    here, integration/loader-oracle
--   an import descriptor without symbols                             sql/loader
--   Program Files in another language, or on another drive           sql/risk_places, integration/loader-oracle
--   patches and restarts
--   a file of the QFE branch beside a listed newer patch             sql/patch_branches
--   a listed patch whose only file has no version that can be read   sql/patch_branches
--   a file that is renamed away at the next restart                  sql/pending_reboot
--   a table of files in an article in German                         unit/test_kb
--   levels
--   a corrected row of a baseline, loaded again                      sql/editions
--   a 32-bit file, where only 64-bit ones of that name are known     here
--   IIS at SP1 on a system at SP2, with what is shipped alone        sql/shipped_catalogue (left behind), sql/proof (one-sided)
--   servers of five months of cumulative updates, mixed ones among   sql/cumulative_updates, integration/todays-servers
--   hosts
--   a second Windows that is a copy, and one that is another's       integration/own-windows (copied, beside), sql/random_windows
--   folders that differ in case only                                 integration/own-windows (behind-first and others), integration/case-twins
--   profiles in folders of another language, keys that can't be read integration/own-windows (german, keyless, keys-unread)
--   a service's image in a localised folder for programs             integration/own-windows (local), sql/missing_file
--   folders behind links                                             integration/own-windows (linked), sql/missing_file
--   a service whose image is in SysWOW64 alone                       integration/own-windows (wow), sql/missing_file
--   services' images as they are written: gone, and all there        integration/own-windows (odd, even), sql/missing_file
--   hives
--   unfinished hives: with their logs, without, with others'         integration/unfinished-hives, unit/test_hive_log
--   damaged hives                                                    integration/unfinished-hives, integration/facts-sources
begin;
select plan(10);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2'], true, 0.1);
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20', 'SP2 s.dll = 9.1.100.20');
update evenkeel.component set include = '{%windir%/system32/*}' where product_id = evenkeel.product_number('app') and code = 'app';
-- A host whose b.dll takes One from a.dll, in the system folder of its Windows.
create function fixture.system(windows text, more jsonb default '{}') returns jsonb language sql as $$
    select jsonb_build_object(windows || '/system32/kernel32.dll', fixture.pe('5.2.3790.1', '{Sleep}'), windows || '/system32/a.dll', fixture.pe('9.1.100.20', '{One,Two}'),
                              windows || '/system32/b.dll', fixture.pe('9.1.100.20', '{One}', fixture.wants('a.dll', 'One'))) || more
$$;
create function fixture.at(pack text, windows text) returns jsonb language sql as $$ select fixture.runs(pack) || jsonb_build_object('windows_directory', windows) $$;
select fixture.host('plain', fixture.system('c:/windows'), fixture.at('Service Pack 2', 'c:/windows'));
select fixture.host('elsewhere', fixture.system('c:/nt40'), fixture.at('Service Pack 2', 'c:/nt40'));
select fixture.host('tool', fixture.system('c:/windows', jsonb_build_object('c:/tool/tool.exe', fixture.pe('1.0.0.0'), 'c:/tool/a.dll', fixture.pe('1.0.0.0', '{One}'))),
                    fixture.at('Service Pack 2', 'c:/windows'));
select evenkeel.catalog_refresh();
select fixture.judge();

-- Two files of one name and version in a payload: either may land.
create temporary table payload_file (path text, image_id integer);
insert into payload_file values ('c:/x/a.dll', fixture.image('9.1.100.31', '{One,Two}')), ('c:/y/a.dll', fixture.image('9.1.100.31', '{Two}'));
select evenkeel.store_patch('KB1', 'app', null, '{SP2}', null, null, 'test');
delete from payload_file;
insert into payload_file values ('c:/x/a.dll', fixture.image('9.1.100.32', '{One,Two}')), ('c:/y/a.dll', fixture.image('9.1.100.32', '{One,Two,Three}'));
select evenkeel.store_patch('KB2', 'app', null, '{SP2}', null, null, 'test');
select fixture.judge();
select matches(fixture.risk('KB1', 'plain'), '^unknown: the payload of KB1 has more than one a.dll \(x/a.dll, y/a.dll\), and which of them lands is not known; with one of them .*b.dll .*a.dll!One',
               'a payload of which one file breaks what the other does not makes no host safe');
select is(fixture.risk('KB2', 'plain'), 'safe: 1 file replaced', 'where either will do it is safe');

-- Windows in a folder of another name.
delete from payload_file;
insert into payload_file values ('c:/windows/system32/s.dll', fixture.image('9.1.100.33', '{}', fixture.wants('b.dll', 'Two')));
select evenkeel.store_patch('KB3', 'app', null, '{SP2}', null, null, 'test');
select is(fixture.verdict('elsewhere', 'app'), fixture.verdict('plain', 'app'), 'a product is seen wherever its Windows lies');
select matches(fixture.risk('KB3', 'elsewhere'), '^at risk: c:/nt40/system32/s.dll .*imports b.dll!Two, which c:/nt40/system32/b.dll', 'and what a patch brings to it lands there');

-- A patch for one service pack only.
select fixture.payload('app', 'KB4', jsonb_build_object('a.dll', fixture.pe('9.1.100.34', '{One,Two}')), '{SP1}');
select fixture.payload('app', 'KB5', jsonb_build_object('a.dll', fixture.pe('9.1.100.35', '{One,Two}')), '{SP1,SP2}');
select matches(fixture.risk('KB4', 'plain'), '^not applicable: .*for SP1 only', 'a patch for an earlier service pack alone is none for this one');
select is(fixture.risk('KB5', 'plain'), 'safe: 1 file replaced', 'one for both is');

-- A program that has its own DLL of a name that the system's import.
select fixture.payload('app', 'KB6', jsonb_build_object('%windir%/system32/b.dll', fixture.pe('9.1.100.36', '{One}', fixture.wants('a.dll', 'Two'))));
select is(fixture.risk('KB6', 'plain'), 'safe: 1 file replaced', 'what the system''s own DLL has may be imported');
select matches(fixture.risk('KB6', 'tool'), '^unknown: c:/windows/system32/b.dll would call a.dll!Two, and c:/tool/a.dll does not export it: only a program that loads it from there',
               'but not where a program brings one that lacks it');

-- Baselines of 64-bit files say nothing of a 32-bit one.
update evenkeel.baseline set machine = 34404 where product_id = evenkeel.product_number('app');
select fixture.product('before', array['RTM'], false);
update evenkeel.product set os_version = '8.0' where code = 'before';
update evenkeel.line set major = 8, minor = 0 where product_id = evenkeel.product_number('before');
update evenkeel.component set include = '{%windir%/system32/*}' where product_id = evenkeel.product_number('before') and code = 'app';
select fixture.ships('before', 'RTM s.dll = 8.0.50.1');
select evenkeel.catalog_refresh();
select fixture.host('foreign', fixture.system('c:/windows', jsonb_build_object('c:/windows/system32/s.dll', fixture.pe('8.0.50.1', '{}', '[]', 332))), fixture.at('Service Pack 2', 'c:/windows'));
select fixture.host('foreign 64', fixture.system('c:/windows', jsonb_build_object('c:/windows/system32/s.dll', fixture.pe('8.0.50.1'))), fixture.at('Service Pack 2', 'c:/windows'));
select fixture.judge();
select isnt((select verdict from ops.host where host = 'foreign'), 'mixed', 'a 32-bit file of another Windows narrows nothing where only 64-bit ones are known');
select is((select verdict from ops.host where host = 'foreign 64'), 'mixed', 'one of the same machine does');

select * from finish();
rollback;
