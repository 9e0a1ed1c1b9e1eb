-- Where a patch lands on a host: in the host's own folders, whatever they are called and on whichever drive.
begin;
select plan(24);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2'], true, 0.1);
select fixture.ships('app', 'SP1 y.dll = 9.1.100.10', 'SP2 y.dll = 9.1.100.20');
update evenkeel.component set include = '{?:/**/vendor/*,?:/vendor/*}' where product_id = evenkeel.product_number('app') and code = 'app';

-- A host with a program in `home`, of which y.dll needs X of a helper.dll that lies on PATH. A helper.dll without X that comes to stand before
-- it breaks y.dll.
create function fixture.vendor(host_name text, home text, more jsonb, machine integer default 34404, system text default 'c:/windows/system32')
returns void language sql as $$
    select fixture.host(host_name,
        jsonb_build_object(home || '/tool.exe', fixture.pe('9.1.100.20', '{}', '[]', machine), home || '/y.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('helper.dll', 'X'), machine),
                           system || '/kernel32.dll', fixture.pe('5.2.3790.1', '{Sleep}', '[]', machine), 'c:/tools/helper.dll', fixture.pe('9.1.100.50', '{H,X}', '[]', machine)),
        fixture.runs('Service Pack 2') || '{"windows_directory": "c:/windows", "architecture": "AMD64", "search_path": ["c:/tools"]}' || more)
$$;
select fixture.vendor('usual', 'c:/program files/vendor', '{}');
select fixture.vendor('german', 'c:/programme/vendor', '{"program_files": "c:/programme"}');
select fixture.vendor('other drive', 'd:/apps/vendor', '{"program_files": "d:/apps"}');
select fixture.vendor('windows elsewhere', 'e:/program files/vendor', '{"windows_directory": "e:/windows"}', 34404, 'e:/windows/system32');
select fixture.vendor('common', 'c:/programme/gemeinsame dateien/vendor', '{"program_files": "c:/programme", "common_files": "c:/programme/gemeinsame dateien"}');
select fixture.vendor('left behind', 'c:/program files/vendor', '{"program_files": "c:/programme"}');
select fixture.vendor('32 bits', 'c:/programme (x86)/vendor', '{"program_files": "c:/programme", "program_files_x86": "c:/programme (x86)"}', 332, 'c:/windows/syswow64');
select fixture.vendor('common, 32 bits', 'c:/programme (x86)/gemeinsame dateien/vendor',
                      '{"program_files": "c:/programme", "common_files": "c:/programme/gemeinsame dateien", "program_files_x86": "c:/programme (x86)"}', 332, 'c:/windows/syswow64');
select fixture.vendor('untold', 'c:/program files (x86)/vendor', '{"architecture": "", "program_files": "c:/program files", "program_files_x86": "c:/program files (x86)"}',
                      332, 'c:/windows/syswow64');
select fixture.vendor('old', 'c:/programme/vendor', '{"program_files": "c:/programme", "architecture": "x86"}', 332);

select fixture.vendor('not told', 'd:/program files/vendor', '{}');

select fixture.payload('app', 'KB1', jsonb_build_object('c:/program files/vendor/helper.dll', fixture.pe('9.1.100.31', '{H}')));
select fixture.payload('app', 'KB2', jsonb_build_object('c:/program files/common files/vendor/helper.dll', fixture.pe('9.1.100.32', '{H}')));
select fixture.payload('app', 'KB3', jsonb_build_object('c:/program files/vendor/new.dll', fixture.pe('9.1.100.33', '{N}'),
                                                        'c:/program files/vendor/y.dll', fixture.pe('9.1.100.33', '{}', fixture.wants('new.dll', 'N'))));
select fixture.payload('app', 'KB4', jsonb_build_object('c:/program files/vendor/helper.dll', fixture.pe('9.1.100.34', '{H}', '[]', 332)));
select fixture.payload('app', 'KB5', jsonb_build_object('c:/program files/vendor/helper.dll', fixture.pe('9.1.100.35', '{H}', '[]', 332),
                                                        'c:/program files/vendor/wide.dll', fixture.pe('9.1.100.35')));
select fixture.payload('app', 'KB6', jsonb_build_object('c:/program files (x86)/vendor/helper.dll', fixture.pe('9.1.100.36', '{H}', '[]', 332)));
select fixture.payload('app', 'KB7', jsonb_build_object('%windir%/system32/new.dll', fixture.pe('9.1.100.37', '{N}', '[]', 332),
                                                        'y.dll', fixture.pe('9.1.100.37', '{}', fixture.wants('new.dll', 'N'), 332)));
select fixture.payload('app', 'KB8', jsonb_build_object('c:/program files (x86)/common files/vendor/helper.dll', fixture.pe('9.1.100.38', '{H}', '[]', 332)));
select fixture.payload('app', 'KB9', jsonb_build_object('c:/program files/common files/vendor/helper.dll', fixture.pe('9.1.100.39', '{H}', '[]', 332)));
select evenkeel.catalog_refresh();
select fixture.judge();

select matches(fixture.risk('KB1', 'usual'), '^at risk: c:/program files/vendor/y.dll .*helper.dll!X, which c:/program files/vendor/helper.dll', 'a file for Program Files lands there');
select matches(fixture.risk('KB1', 'german'), '^at risk: c:/programme/vendor/y.dll .*helper.dll!X, which c:/programme/vendor/helper.dll', 'in that of the host''s language');
select matches(fixture.risk('KB1', 'other drive'), '^at risk: d:/apps/vendor/y.dll .*helper.dll!X, which d:/apps/vendor/helper.dll', 'on the drive that it is on');
select matches(fixture.risk('KB1', 'windows elsewhere'), '^at risk: e:/program files/vendor/y.dll ', 'which is that of Windows where the registry tells none');
select matches(fixture.risk('KB1', 'not told'), '^unknown: where its Program Files are is not known, .*d:/program files/vendor/', 'not safe where it is elsewhere and nothing tells where');
select matches(fixture.risk('KB7', 'not told'), '^safe: ', 'of no concern to a patch of nothing there');
select is(fixture.risk('KB1', 'left behind'), 'safe: 0 files replaced; 1 added', 'not in a folder that is only called so');
select is(fixture.risk('KB1', 'common'), 'safe: 0 files replaced; 1 added', 'nor in another one below it');
select matches(fixture.risk('KB2', 'common'), '^at risk: c:/programme/gemeinsame dateien/vendor/y.dll .*helper.dll!X', 'common files are told apart');
select is(fixture.risk('KB2', 'german'), 'safe: 0 files replaced; 1 added', 'from others');

select is(fixture.risk('KB3', 'usual'), 'safe: 1 file replaced; 1 added', 'what a patch brings is found where it lands');
select is(fixture.risk('KB3', 'german'), 'safe: 1 file replaced; 1 added', 'in any language');
select is(fixture.risk('KB3', 'other drive'), 'safe: 1 file replaced; 1 added', 'on any drive');
select matches(fixture.risk('KB3', 'left behind'), '^unknown: the patch brings y.dll to c:/programme/vendor; whether it replaces c:/program files/vendor/y.dll too is not known',
               'and of files elsewhere it is said that they may be replaced');

select matches(fixture.risk('KB4', '32 bits'), '^at risk: c:/programme \(x86\)/vendor/y.dll .*helper.dll!X', 'a patch of 32 bits alone goes where a 64-bit Windows keeps such programs');
select matches(fixture.risk('KB4', 'untold'), '^at risk: c:/program files \(x86\)/vendor/y.dll .*helper.dll!X', 'which one is that has a folder for them, whatever it says of itself');
select matches(fixture.risk('KB4', 'old'), '^at risk: c:/programme/vendor/y.dll .*helper.dll!X', 'and to the only place that a 32-bit Windows has');
select is(fixture.risk('KB5', '32 bits'), 'safe: 0 files replaced; 2 added', 'one that brings both means what it says');
select matches(fixture.risk('KB6', '32 bits'), '^at risk: c:/programme \(x86\)/vendor/y.dll .*helper.dll!X', 'as does one that names the place');
select is(fixture.risk('KB7', '32 bits'), 'safe: 1 file replaced; 1 added', 'and its system32 is SysWOW64');
select matches(fixture.risk('KB8', 'common, 32 bits'), '^at risk: c:/programme \(x86\)/gemeinsame dateien/vendor/y.dll .*helper.dll!X', 'common files of 32 bits are called as the others are');
select matches(fixture.risk('KB9', 'common, 32 bits'), '^at risk: c:/programme \(x86\)/gemeinsame dateien/vendor/y.dll .*helper.dll!X', 'also for a patch of 32 bits alone');

-- An update taken from a host that has it: where that keeps its programs says nothing of others.
select fixture.patch('app', 'KB20', '{SP2}', array['y.dll 9.1.100.60']);
create temporary table payload_file (path text, image_id integer);
create function fixture.taken(host_name text, windows text, programs text) returns text language plpgsql as $$
begin
    perform fixture.host(host_name, jsonb_build_object(programs || '/vendor/y.dll', fixture.pe('9.1.100.60'), windows || '/vendor/y.dll', fixture.pe('9.1.100.60', '{}', '[]', 332)),
        fixture.runs('Service Pack 2', 'KB20') || jsonb_build_object('windows_directory', windows, 'program_files', programs));
    perform fixture.judge();
    delete from payload_file;
    perform evenkeel.payload_from_host((select host_id from evenkeel.host where name = host_name), 'KB20', 'app');
    return (select string_agg(path, ' ' order by path) from payload_file);
end $$;
select is(fixture.taken('updated', 'd:/nt', 'd:/programme'), 'c:/program files/vendor/y.dll c:/windows/vendor/y.dll', 'a payload from a host says so');
select is(fixture.taken('usual, updated', 'c:/windows', 'c:/program files'), 'c:/program files/vendor/y.dll c:/windows/vendor/y.dll', 'of any');

select * from finish();
rollback;
