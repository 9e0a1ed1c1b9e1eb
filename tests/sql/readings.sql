-- A host's own Windows: the directory that its registry names, whatever it is called, and no other beside it.
begin;
select plan(27);
\ir fixture.psql
\ir catalogue.psql

select is(evenkeel.path_location('c:/nt40/system32/a.dll', 'c:/nt40'), '%windir%/system32/a.dll', 'a host''s own directory is the Windows directory');
select is(evenkeel.path_location('c:/winnt/system32/a.dll', 'c:/nt40'), 'c:/winnt/system32/a.dll', 'another of a usual name is not');
select is(evenkeel.path_location('c:/nt40x/a.dll', 'c:/nt40'), 'c:/nt40x/a.dll', 'nor one whose name only begins so');
create function fixture.german(windows text) returns text language sql as $$
    select evenkeel.host_reading(jsonb_build_object('windows_directory', windows, 'program_files', 'c:/programme', 'program_files_x86', 'c:/programme (x86)',
                                                    'common_files', 'c:/programme/gemeinsame dateien'))
$$;
select is(evenkeel.path_location('c:/programme/acme/a.dll', fixture.german('c:/windows')), 'c:/program files/acme/a.dll', 'programs lie where the registry says');
select is(evenkeel.path_location('c:/programme/gemeinsame dateien/a.dll', fixture.german('')), 'c:/program files/common files/a.dll', 'and common files');
select is(evenkeel.path_location('c:/programme (x86)/gemeinsame dateien/a.dll', fixture.german('')), 'c:/program files (x86)/common files/a.dll', 'of 32 bits, too');
select is(evenkeel.path_location('c:/program files/acme/a.dll', fixture.german('c:/windows')), '-:/program files/acme/a.dll', 'a folder that is only called so is none');
select is(evenkeel.path_location('c:/windows/a.dll', fixture.german('c:/nt40')), 'c:/windows/a.dll', 'both are read at once');
select is(evenkeel.host_reading('{"windows_directory": "c:/winnt", "program_files": "c:/program files", "program_files_x86": "c:/program files (x86)"}'), 'c:/winnt', 'usual folders need no word');
select is((select array_agg(evenkeel.location_path(l, fixture.german('d:/nt')) order by l) from unnest(array['%windir%/a', 'c:/program files/b', 'c:/program files (x86)/common files/c', 'x:/d']) l),
          '{d:/nt/a,"c:/programme (x86)/gemeinsame dateien/c",c:/programme/b,x:/d}'::text[], 'and back');
select is(evenkeel.path_location('d:/winnt/a.dll', ''), '%windir%/a.dll', 'where none is known, a usual name says it');

select fixture.product('core', array['RTM', 'SP1', 'SP2'], true, 0.1);
update evenkeel.component set include = '{%windir%/system32/*}' where product_id = evenkeel.product_number('core') and code = 'app';
select fixture.ships('core', 'RTM a.dll = 9.1.100.1', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'RTM b.dll = 9.1.100.1', 'SP1 b.dll = 9.1.100.10',
                     'SP2 b.dll = 9.1.100.20');
select evenkeel.catalog_refresh();

-- A host with the files of some folders at a version each, and its Windows in one of them.
create function fixture.windows(host_name text, windows text, folders jsonb) returns uuid language sql as $$
    select fixture.host(host_name, (select jsonb_object_agg(f.key || '/system32/' || n.name, f.value)
                                    from jsonb_each_text(folders) f, (values ('a.dll'), ('b.dll')) n (name)),
                        fixture.runs('Service Pack 2') || jsonb_build_object('windows_directory', windows))
$$;
select fixture.windows('usual', 'c:/windows', '{"c:/windows": "9.1.100.20"}');
select fixture.windows('unusual', 'c:/nt40', '{"c:/nt40": "9.1.100.20"}');
select fixture.windows('behind', 'c:/nt40', '{"c:/nt40": "9.1.100.10"}');
select fixture.windows('second older', 'c:/windows', '{"c:/windows": "9.1.100.20", "c:/winnt": "9.1.100.10"}');
select fixture.windows('second newer', 'c:/winnt', '{"c:/windows": "9.1.100.20", "c:/winnt": "9.1.100.10"}');
select fixture.windows('folder', 'c:/windows', '{"c:/windows": "9.1.100.20", "c:/nt40": "9.1.100.10"}');
select fixture.windows('not told', '', '{"c:/windows": "9.1.100.20", "c:/winnt": "9.1.100.10"}');
select fixture.windows('other drive', 'd:/win2003', '{"d:/win2003": "9.1.100.20", "c:/windows": "9.1.100.10"}');
select fixture.judge();
create function fixture.shown(host_name text) returns text language sql as $$
    select string_agg(p.code || ' ' || (case when isempty(v.levels) then 'mixed' else evenkeel.level_range_text(v.product_id, v.levels) end)
                      || ', ' || v.files || ' files', '; ' order by p.code)
    from evenkeel.host_product v join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = host_name
$$;
select is(fixture.shown('usual'), 'core SP2, 2 files', 'Windows in a folder of a usual name');
select is(fixture.shown('unusual'), 'core SP2, 2 files', 'Windows in a folder of another name is seen all the same');
select is(fixture.shown('behind'), 'core mixed, 2 files', 'and what lacks its service pack there, too');
select is(fixture.shown('second older'), 'core SP2, 2 files', 'an older second installation makes no host mixed');
select is(fixture.shown('second newer'), 'core mixed, 2 files', 'nor does a newer one help a host that is behind');
select is(fixture.shown('folder'), 'core SP2, 2 files', 'what another host calls its Windows directory is only a folder here');
select is(fixture.shown('not told'), 'core SP2, 2 files', 'of two that nobody tells apart the first by name counts, alone');
select is(fixture.shown('other drive'), 'core SP2, 2 files', 'Windows on another drive');

select is((select count(*) from evenkeel.path where path = 'c:/windows/system32/a.dll'), 2::bigint,
          'a path is stored once for all who read it alike: as usual, and where it is in no Windows directory');
select is((select array_agg(distinct path order by path) from ops.host_file where host = 'second older'),
          '{c:/windows/system32/a.dll,c:/windows/system32/b.dll,c:/winnt/system32/a.dll,c:/winnt/system32/b.dll}'::text[],
          'the inventory still has all that is there');

-- Programs: a component's glob is for wherever the host keeps them.
insert into evenkeel.component (product_id, code, name, include, exclude, source)
values (evenkeel.product_number('core'), 'tools', 'Tools', '{c:/program files/acme/**}', '{}', 'a test');
select fixture.ships('core', 'RTM tool.exe = 9.1.100.1', 'SP1 tool.exe = 9.1.100.10', 'SP2 tool.exe = 9.1.100.20');
select evenkeel.catalog_refresh();
create function fixture.programs(host_name text, folder text, facts jsonb) returns uuid language sql as $$
    select fixture.host(host_name, jsonb_build_object('c:/windows/system32/a.dll', '9.1.100.20', folder || '/acme/tool.exe', '9.1.100.10'), fixture.runs('Service Pack 2') || facts)
$$;
select fixture.programs('english', 'c:/program files', '{"program_files": "c:/program files"}');
select fixture.programs('german', 'c:/programme', '{"program_files": "c:/programme"}');
select fixture.programs('left behind', 'c:/program files', '{"program_files": "c:/programme"}');
select fixture.judge();
select is(fixture.shown('english'), 'core mixed, 2 files', 'a component of Program Files');
select is(fixture.shown('german'), 'core mixed, 2 files', 'in any language');
select is(fixture.shown('left behind'), 'core SP2, 1 files', 'but not in a folder that is none of the host''s');

-- A database from before read the German one as if it were English.
update evenkeel.host_inventory i set chunk_ids = evenkeel.chunks_as_read(i.chunk_ids, 'c:/windows') from evenkeel.host h where h.host_id = i.host_id and h.name = 'german';
delete from evenkeel.judge_queue;
insert into evenkeel.host_to_read select host_id from evenkeel.host where name in ('german', 'english');
select is(evenkeel.read_again(), 1::bigint, 'it is read again once');
select is((select array_agg(h.name) from evenkeel.judge_queue q join evenkeel.host h using (host_id)), '{german}'::text[], 'and judged');

-- Whoever holds the same chunk and another Windows directory has a row of his own, and gets back to the usual one.
select is((select evenkeel.chunks_as_read(i.chunk_ids, 'c:/nt40') <> i.chunk_ids
                  and evenkeel.chunks_as_read(evenkeel.chunks_as_read(i.chunk_ids, 'c:/nt40'), 'c:/windows') = i.chunk_ids
           from evenkeel.host_inventory_current i join evenkeel.host h using (host_id) where h.name = 'usual'), true,
          'read as another host''s and back it is the same chunk');
select * from finish();
rollback;
