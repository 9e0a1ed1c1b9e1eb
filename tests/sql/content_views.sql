-- ops.file_version, ops.service, ops.hotfix: what the fleet holds, counted by its content.
begin;
select plan(30);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.ships('app', 'RTM a.dll = 9.1.100.0', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20');
select fixture.patch('app', 'KB600001', array['SP1'], array['a.dll 9.1.100.15']);

select is_empty($$ select * from ops.file_version $$, 'an empty fleet holds no file');

select fixture.host('one', '{"c:/app/a.dll": "9.1.100.10", "c:/copy/a.dll": "9.1.100.10", "c:/app/none.dll": ""}', fixture.runs('Service Pack 1'));
select fixture.host('two', '{"c:/app/a.dll": "9.1.100.10", "c:/copy/a.dll": "9.1.100.10", "c:/app/none.dll": ""}', fixture.runs('Service Pack 1'));
select fixture.host('three', '{"c:/app/a.dll": "9.1.100.20", "c:/other/b.dll": "1.0.0.0"}', fixture.runs('Service Pack 2', 'KB600001'));
-- Parts of hosts, each a chunk: four holds a file in two of them, and five the one only.
select fixture.host('part-1', '{"c:/copy/b.dll": "1.0.0.0"}', fixture.runs('Service Pack 2'));
select fixture.host('part-2', '{"c:/more/b.dll": "1.0.0.0", "c:/more/again/b.dll": "1.0.0.0"}', fixture.runs('Service Pack 2'));
select fixture.host('four', '{"c:/app/a.dll": "9.1.100.0"}', fixture.runs(''));
select fixture.host('five', '{"c:/app/a.dll": "9.1.100.0", "c:/copy/b.dll": "2.0.0.0"}', fixture.runs(''));
select fixture.host('bare', '{}', '{}');
select fixture.host('mute', '{}', null);
update evenkeel.host_inventory v set chunk_ids = v.chunk_ids || p.chunk_ids, files = v.files + 3
from (select array_agg(u.chunk_id) as chunk_ids from evenkeel.host h join evenkeel.host_inventory_current c using (host_id)
      cross join unnest(c.chunk_ids) u (chunk_id) where h.name like 'part-%') p
where v.host_id = (select host_id from evenkeel.host where name = 'four') and v.valid_to = 'infinity';
select fixture.judge();

create function fixture.version(named text, version text, of_product text default null) returns bigint language sql as $$
    select f.hosts from ops.file_version f
    where f.file = named and f.file_version is not distinct from version and f.product is not distinct from of_product
$$;
select is(fixture.version('a.dll', '9.1.100.10', 'app'), 2::bigint, 'hosts that hold a version of a product''s file');
select is(fixture.version('a.dll', '9.1.100.10'), 2::bigint, 'its copy elsewhere is a row without a product');
select is(fixture.version('none.dll', null), 2::bigint, 'a file without a version is counted, too');
select is(fixture.version('b.dll', '1.0.0.0'), 4::bigint, 'a host that holds a file at three paths, in two chunks, counts once');
select is(fixture.version('b.dll', '2.0.0.0'), 1::bigint, 'another version is another row');
select set_eq(
    $$ select file, file_version, product, level_range, hosts from ops.file_version $$,
    $$ select substring(path from '[^/]*$'), file_version, product, level_range, count(distinct host_id) from ops.host_file group by 1, 2, 3, 4 $$,
    'it is what all files of all hosts give, one by one');
select results_eq(
    $$ select file_version, level_range, lowest_ordinal, highest_ordinal, newest_version, outdated from ops.file_version
       where file = 'a.dll' and product = 'app' order by highest_ordinal $$,
    $$ values ('9.1.100.0', 'RTM', null::integer, 0, '9.1.100.20', true), ('9.1.100.10', 'SP1', 1, 1, '9.1.100.20', true),
              ('9.1.100.20', 'SP2', 2, null, '9.1.100.20', false) $$, 'levels have their ordinals; what is newer somewhere is outdated');
select is((select array_agg(distinct outdated) from ops.file_version where file = 'b.dll'), array[null::boolean], 'of files of no product it is not known');
select is((select outdated from ops.file_version where file = 'none.dll'), null, 'nor of one without a version');

-- One that was joined to another is no host of its own.
update evenkeel.host set merged_into = (select host_id from evenkeel.host where name = 'one') where name = 'two';
select is(fixture.version('a.dll', '9.1.100.10', 'app'), 1::bigint, 'a host that was merged is not counted');
update evenkeel.host set merged_into = null where name = 'two';

-- Services.
select is_empty($$ select * from ops.service $$, 'without services there are no rows, and no registry is no error');
select fixture.host('served', '{"c:/app/a.dll": "9.1.100.20"}', fixture.runs('Service Pack 2') ||
    '{"windows_directory": "c:/windows", "program_files": "c:/programme", "services": [
      {"name": "Disk", "start": 0, "type": 1, "image_path": "", "service_dll": ""},
      {"name": "Agent", "start": 2, "type": 16, "image_path": "\"%ProgramFiles%\\A B\\agent.exe\" -run", "service_dll": ""},
      {"name": "Hosted", "start": 3, "type": 32, "image_path": "%SystemRoot%\\SysWOW64\\svchost.exe -k x", "service_dll": "%SystemRoot%\\System32\\h.dll"},
      {"name": "Share", "start": 4, "type": 16, "image_path": "\\\\server\\x.exe", "service_dll": ""},
      {"name": "Odd", "start": 4294967295, "type": 16, "image_path": "x.exe", "service_dll": ""}]}');
select results_eq($$ select service, start, kind from ops.service where host = 'served' order by service collate "C" $$,
    $$ values ('Agent', 'automatic', 'service'), ('Disk', 'boot', 'driver'), ('Hosted', 'manual', 'service'), ('Odd', null, 'service'),
              ('Share', 'disabled', 'service') $$, 'when each starts, in words');
select is((select image_path || ' > ' || image_file from ops.service where service = 'Agent'),
    '"%ProgramFiles%\A B\agent.exe" -run > c:/programme/a b/agent.exe', 'the file behind a command');
select is((select image_file from ops.service where service = 'Disk'), 'c:/windows/system32/drivers/disk.sys', 'a driver without a path has one by its name');
select is((select image_path from ops.service where service = 'Disk'), null, 'which the registry does not say');
select is((select dll_file from ops.service where service = 'Hosted'), 'c:/windows/syswow64/h.dll', 'a DLL that a 32-bit svchost.exe loads');
select is((select count(*) from ops.service where dll_file is not null), 1::bigint, 'where none is named there is none');
select is((select image_file from ops.service where service = 'Share'), null, 'on another machine no file is known');

-- Hotfixes.
select fixture.host('fixed', '{"c:/app/a.dll": "9.1.100.15"}', fixture.runs('Service Pack 1') || '{"hotfixes": [
    {"id": "KB600001", "source": "hotfix", "service_pack": "SP2", "install_date": "2009-12-08"},
    {"id": "Q600001", "source": "updates", "service_pack": "", "install_date": "8.12.2009"},
    {"id": "KB999999", "source": "hotfix", "service_pack": "", "install_date": ""}, {"id": "", "source": "hotfix"}]}');
select fixture.judge();
select results_eq($$ select hotfix, installed_on, service_pack, source, state from ops.hotfix where host = 'fixed' order by hotfix $$,
    $$ values ('KB600001', '2009-12-08', 'SP2', 'hotfix, updates', 'installed'), ('KB999999', null, null, 'hotfix', null) $$,
    'a hotfix that is listed twice is one, and one that the catalogue does not know has no state');
select is((select state from ops.hotfix where host = 'three'), (select state from ops.patch_state where host = 'three' and patch = 'KB600001'),
    'its state is that of the patch');
select is((select count(*) from ops.hotfix where host in ('bare', 'mute')), 0::bigint, 'a host that lists none has no row');
select is((select title from ops.hotfix where hotfix = 'KB999999'), null, 'what it is about is not known');

-- Levels have their ordinals beside the name.
select results_eq($$ select level_range, lowest_ordinal, highest_ordinal from ops.host_file where host = 'one' and path = 'c:/app/a.dll' $$,
    $$ values ('SP1', 1, 1) $$, 'of a file');
select is((select ordinal from ops.host_file where host = 'one' and path = 'c:/app/a.dll'), 1, 'and of the level that is to be proven');
select results_eq($$ select level_range, highest_ordinal from ops.file_holders('a.dll') where host in ('four', 'three') and product = 'app' order by host $$,
    $$ values ('RTM', 0), ('SP2', null::integer) $$, 'of those who hold a file');
select results_eq($$ select level, lowest_ordinal, highest_ordinal from ops.level_matrix where product = 'app' and component = 'app' and level = 'SP1' $$,
    $$ values ('SP1', 1, 1) $$, 'and of components');

-- The manual.
select is_empty($$ select c.relname from pg_class c where c.relnamespace = 'ops'::regnamespace and c.relkind = 'v'
                   union all select p.proname from pg_proc p where p.pronamespace = 'ops'::regnamespace
                   except select name from ops.manual where meaning <> '' $$, 'the manual has every view and every function, with what it means');
select results_eq($$ select kind, call, columns from ops.manual where name in ('patch_progress', 'manual') order by name $$,
    $$ values ('view', 'ops.manual', 'kind, name, call, columns, meaning'),
              ('function', 'ops.patch_progress(patch text, nights integer DEFAULT 30)', 'night, state, hosts') $$, 'how each is asked, and what it gives');

-- Who looks reads no table.
set role evenkeel_read;
select (select count(*) from ops.file_version) as versions, (select count(image_file) from ops.service) as services,
       (select count(state) from ops.hotfix) as hotfixes, (select count(*) from ops.manual) as manual \gset
reset role;
select is(array[:versions, :services, :hotfixes, :manual]::bigint[],
          array[(select count(*) from ops.file_version), 4, 2, (select count(*) from ops.manual)], 'who looks may ask for all of it');
select * from finish();
rollback;
