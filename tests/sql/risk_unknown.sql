-- What is not known of a patch, or of a host, and so must not be called safe, nor said not to apply.
begin;
select plan(46);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

create function fixture.again() returns void language sql as $$ select evenkeel.catalog_refresh(); select fixture.judge() $$;
create function fixture.unreadable(host_name text, entries integer) returns void language sql as $$
    update evenkeel.host_checkin set unreadable = entries where host_id = (select host_id from evenkeel.host where name = host_name);
    insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host where name = host_name on conflict do nothing;
$$;

-- Products, and Windows' own core, without which nothing would be said of a DLL that is not there.
select fixture.product('app', array['RTM', 'SP1', 'SP2'], true, 0.1);
select fixture.product('tool', array['RTM', 'SP1', 'SP2'], false, 0.1);
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20', 'SP2 k.dll = 9.1.100.20');
select fixture.ships('tool', 'RTM t.dll = 9.1.100.5', 'SP1 t.dll = 9.1.100.5', 'SP2 t.dll = 9.1.100.20', 'SP1 r.dll = 9.1.100.10', 'SP2 r.dll = 9.1.100.20',
                             'SP1 s.dll = 9.1.100.10', 'SP2 s.dll = 9.1.100.20');
update evenkeel.component set include = include || '{%windir%/system32/*,%windir%/system32/inetsrv/*,%windir%/syswow64/*}'::text[]
where product_id = evenkeel.product_number('app') and code = 'app';
create temporary view core as
    select jsonb_build_object('c:/windows/system32/kernel32.dll', fixture.pe('5.2.3790.1', '{Sleep}'), 'c:/windows/syswow64/kernel32.dll', fixture.pe('5.2.3790.1', '{Sleep}', '[]', 332),
                              'c:/windows/system32/k.dll', fixture.pe('9.1.100.20', '{K}')) as files;
create function fixture.of(pack text, more jsonb default '{}', variadic hotfixes text[] default '{}') returns jsonb language sql as $$
    select fixture.runs(pack, variadic hotfixes) || '{"windows_directory": "c:/windows", "architecture": "AMD64"}' || more
$$;
create temporary view two as
    select (table core) || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20', '{Foo,Bar}'), 'c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'Foo'))) as files;

-- ---- what could not be read of a disk
select fixture.payload('app', 'KB1', jsonb_build_object('a.dll', fixture.pe('9.1.100.31', '{Foo,Bar}')));
select fixture.payload('app', 'KB2', jsonb_build_object('w.dll', fixture.pe('9.1.100.31')));
select fixture.payload('app', 'KB3', jsonb_build_object('a.dll', fixture.pe('9.1.100.20', '{Foo,Bar}')));
select fixture.payload('tool', 'KB4', jsonb_build_object('t.dll', fixture.pe('9.1.100.31')));
select fixture.host('whole', (table two), fixture.of('Service Pack 2'));
select fixture.host('unread', (table two), fixture.of('Service Pack 2'));
select fixture.unreadable('unread', 40);
select fixture.again();
select is(fixture.risk('KB1', 'whole'), 'safe: 1 file replaced', 'a host that was read whole is safe');
select matches(fixture.risk('KB1', 'unread'), '^unknown: 40 programs or folders of its disk could not be read', 'one of which entries could not be read is not: any of them may need what goes');
select matches(fixture.risk('KB2', 'unread'), '^unknown: 40 programs or folders', 'nor is it said that none of the patch''s files is there');
select matches(fixture.risk('KB3', 'unread'), '^unknown: 40 programs or folders', 'nor that they are there already');
select matches(fixture.risk('KB4', 'unread'), '^unknown: which products are here is not known', 'nor that another product is not there');
select is(fixture.verdict('unread', 'app') || ', ' || (select verdict from ops.host where host = 'unread'), 'unknown SP2, unknown', 'its own level is not known for certain');
select matches((select missing from ops.host where host = 'unread'), '40 programs or folders of its disk could not be read', 'and what is missing is said');
select evenkeel.check_in(array[host_id], array[0::bigint], array[3600], array[0]) from evenkeel.host where name = 'unread';
select fixture.again();
select is((select verdict from ops.host where host = 'unread'), 'level', 'once all can be read, though nothing else changed, it is judged again');
select fixture.host('nowhere', (table core) || jsonb_build_object('c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'Foo'))), fixture.of('Service Pack 2'));
select fixture.again();
select set_eq($$select * from fixture.findings('nowhere')$$, array['unresolved-import c:/app/b.dll!a.dll'], 'a DLL that is not there is missed where all was read');
select fixture.unreadable('nowhere', 1);
select fixture.again();
select is_empty($$select * from fixture.findings('nowhere')$$, 'and may be what could not be read otherwise');

-- ---- what is not known of a patch
select fixture.patch('app', 'KB10', '{SP2}', '{}');
update evenkeel.patch set has_payload = false where code = 'KB10';
select fixture.patch('app', 'KB11', '{SP2}', '{}');
insert into evenkeel.patch_file (patch_id, file) select patch_id, 'a.dll' from evenkeel.patch where code = 'KB11';
select is(fixture.risk('KB10', 'whole'), 'unknown: what KB10 brings is not known: add its payload (evenkeel patch add)', 'a patch without a table may bring anything');
select is(fixture.risk('KB11', 'whole'), 'unknown: what KB11 brings of a.dll is not known: add the patch''s payload (evenkeel patch add)', 'a table without versions says only what would change');
select fixture.host('torn', (table core) || '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.20"}', fixture.of('Service Pack 2'));
select fixture.again();
select matches(fixture.risk('KB11', 'torn'), '^at risk: already mixed: The app', 'a host that is mixed where that would land is at risk');
select fixture.payload('app', 'KB13', jsonb_build_object('beside.dll', fixture.pe('9.1.100.32')), '{SP2}');
insert into evenkeel.patch_file (patch_id, file) select patch_id, 'a.dll' from evenkeel.patch where code = 'KB13';
select fixture.host('torn beside', (table core) || '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.20", "c:/windows/beside.dll": "9.1.100.5"}', fixture.of('Service Pack 2'));
select fixture.again();
select is((select replaced from ops.risk('KB13', 'torn beside')), 1, 'a patch may bring what is known beside what is not');
select matches(fixture.risk('KB13', 'torn beside'), '^at risk: already mixed: The app', 'which makes the host no less mixed where the other would land');
select fixture.patch('app', 'KB12', '{SP2}', array['a.dll 9.1.100.32', 'b.dll 9.1.100.32']);
create temporary table payload_file as select 'c:/b.dll' as path, fixture.image('9.1.100.32') as image_id;
select is(s.files, 1, 'a payload may lack files of the patch''s table') from evenkeel.store_patch('KB12', 'app', null, '{SP2}', null, null, 'test') s;
select fixture.again();
select is(fixture.risk('KB12', 'whole'), 'unknown: the payload of KB12 has no a.dll that can be read, which the patch brings: add it whole', 'which is said of hosts that have them');
truncate payload_file; insert into payload_file values ('c:/a.dll', fixture.image('9.1.100.32', '{Foo,Bar}')), ('c:/b.dll', fixture.image('9.1.100.32'));
select is(s.files, 2, 'a whole payload mends that') from evenkeel.store_patch('KB12', 'app', null, '{SP2}', null, null, 'test') s;
select fixture.again();
select is(fixture.risk('KB12', 'whole'), 'safe: 2 files replaced', 'and its hosts are judged');
truncate payload_file; insert into payload_file values ('c:/b.dll', fixture.image('9.1.100.32')), ('c:/new.dll', fixture.image('9.1.100.32'));
select evenkeel.store_patch('KB12', 'app', null, '{SP2}', null, null, 'test');
select set_eq($$select file || ' ' || (image_id is not null) from evenkeel.patch_file join evenkeel.patch using (patch_id) where code = 'KB12'$$,
              array['a.dll false', 'b.dll false', 'b.dll true', 'new.dll true'], 'another payload takes nothing from the patch''s table');
truncate payload_file; insert into payload_file values ('c:/a.dll', fixture.image('9.1.100.32', '{Foo,Bar}')), ('c:/b.dll', null);
select evenkeel.store_patch('KB12', 'app', null, '{SP2}', null, null, 'test');
select fixture.again();
select matches(fixture.risk('KB12', 'whole'), '^unknown: the payload of KB12 has no b.dll that can be read', 'a file of the payload that is none makes its hosts unknown');
select throws_like($$select evenkeel.store_patch('KB12', 'app', null, '{SP2}', '{kb12}', null, 'test')$$, '%''KB12'' can''t supersede itself%', 'a patch can''t supersede itself');

-- ---- imports that were sure, and would not be any more
select fixture.payload('app', 'KB20', jsonb_build_object('a.dll', fixture.pe('9.1.100.41', '{Bar}')));
select fixture.payload('app', 'KB21', jsonb_build_object('a.dll', fixture.pe('9.1.100.42', '{Bar,Foo=HELPER.Foo}')));
select fixture.payload('app', 'KB22', jsonb_build_object('a.dll', fixture.pe('9.1.100.43', '{}')));
select fixture.payload('app', 'KB23', jsonb_build_object('a.dll', fixture.pe('9.1.100.42', '{Bar,Foo=HELPER.Foo}'), 'b.dll', fixture.pe('9.1.100.44', '{}', fixture.wants('a.dll', 'Foo'))));
update evenkeel.image set defects = 64 where file_version = evenkeel.version_of('9.1.100.43');
select fixture.host('assembly', (table two), fixture.of('Service Pack 2', '{"assemblies": ["amd64_vendor.a_1234_1.0.0.0_x-ww_1"]}'));
select fixture.host('helper', (table two) || jsonb_build_object('c:/app/helper.dll', fixture.pe('1.2.3.4', '{Other}')), fixture.of('Service Pack 2'));
select fixture.host('elsewhere', (table two) || jsonb_build_object('c:/else/helper.dll', fixture.pe('1.2.3.5', '{Other}')), fixture.of('Service Pack 2'));
select fixture.host('known', (table two), fixture.of('Service Pack 2', '{"known_dlls": ["helper.dll"]}'));
select fixture.unread('1.2.3.4');
select fixture.again();
select matches(fixture.risk('KB20', 'whole'), '^at risk: .*imports a.dll!Foo', 'an export that goes is missed');
select matches(fixture.risk('KB20', 'assembly'), '^unknown: c:/app/b.dll would call a.dll!Foo', 'where an assembly may hold the DLL it is not known');
select matches(fixture.risk('KB21', 'whole'), '^at risk: .*forwards to helper.dll!Foo, which is nowhere', 'so is one that is forwarded to nowhere');
select matches(fixture.risk('KB21', 'helper'), '^unknown: c:/app/b.dll would call a.dll!Foo, and the exports of c:/app/helper.dll were not read', 'forwarded to a DLL that was not read, it is not known');
select matches(fixture.risk('KB21', 'elsewhere'), '^unknown: c:/app/b.dll would call a.dll!Foo', 'nor to one that lies where the loader does not look');
select matches(fixture.risk('KB21', 'known'), '^unknown: c:/app/b.dll would call a.dll!Foo', 'nor to one of the system''s own that was not collected');
select matches(fixture.risk('KB22', 'whole'), '^unknown: ', 'nor where the table of exports is broken');
select matches(fixture.risk('KB23', 'elsewhere'), '^unknown: c:/app/b.dll would call a.dll!Foo', 'who imports it may be replaced too');

-- ---- the level that it needs, and the branch for it
select fixture.payload('app', 'KB30', jsonb_build_object('agent.exe', fixture.pe('9.1.100.31')), '{SP2}');
select fixture.payload('tool', 'KB31', jsonb_build_object('u.dll', fixture.pe('9.1.100.31')), '{SP1}');
select fixture.payload('tool', 'KB32', jsonb_build_object('t.dll@SP1GDR', fixture.pe('9.1.100.15', '{Foo}'), 't.dll@SP2GDR', fixture.pe('9.1.100.36', '{Bar}')), '{RTM}');
select fixture.host('sp1', '{"c:/app/a.dll": "9.1.100.10", "c:/windows/msagent/agent.exe": "9.1.100.5"}', fixture.of('Service Pack 1'));
select fixture.host('either', (table core) || jsonb_build_object('c:/tool/t.dll', fixture.pe('9.1.100.5', '{Foo}'), 'c:/tool/u.dll', fixture.pe('9.1.100.4')), fixture.of('Service Pack 2'));
select fixture.host('mixed', (table core) || jsonb_build_object('c:/tool/r.dll', fixture.pe('9.1.100.10'), 'c:/tool/s.dll', fixture.pe('9.1.100.20'), 'c:/tool/t.dll', fixture.pe('9.1.100.5')), fixture.of('Service Pack 2'));
select fixture.again();
select is(fixture.risk('KB30', 'sp1'), 'at risk: KB30 needs SP2 or later, and The app is SP1 here; install SP2 first', 'a host below what the patch needs is at risk, though its file is of no component');
select is(fixture.risk('KB31', 'either'), 'unknown: nothing says which level its 2 files are at: capture it from a healthy host or from media '
          || '(evenkeel baseline capture); it is for SP1 only, and which level The tool has is not known for certain: RTM..SP1', 'one that may be below it is unknown');
select fixture.host('either', (table core) || jsonb_build_object('c:/tool/r.dll', fixture.pe('9.1.100.12', '{Foo}'), 'c:/tool/t.dll', fixture.pe('9.1.100.12', '{Foo}')), fixture.of('Service Pack 2'));
select fixture.again();
select is(fixture.verdict('mixed', 'tool'), 'mixed none', 'a host without a declared level can be mixed');
select matches(fixture.risk('KB32', 'mixed'), '^(at risk: already mixed|unknown: which level it has is not known)', 'and gets a branch of the patch, whatever its level');

-- ---- where files land
select fixture.payload('app', 'KB40', jsonb_build_object('%windir%/system32/helper.dll', fixture.pe('9.1.100.31', '{H}', fixture.wants('k.dll', 'Missing')),
                                                         '%windir%/syswow64/helper.dll', fixture.pe('9.1.100.31', '{H}', '[]', 332)));
select fixture.payload('app', 'KB41', jsonb_build_object('%windir%/system32/inetsrv/helper.dll', fixture.pe('9.1.100.31', '{H}')));
select fixture.payload('app', 'KB42', jsonb_build_object('%windir%/system32/a.dll', fixture.pe('9.1.100.31', '{Foo,New}'), '%windir%/system32/inetsrv/w3core.dll', fixture.pe('9.1.100.31', '{}', fixture.wants('a.dll', 'New'))));
select fixture.payload('app', 'KB45', jsonb_build_object('%windir%/system32/a.dll', fixture.pe('9.1.100.33', '{New}')));
select fixture.payload('app', 'KB43', jsonb_build_object('c:/program files/common/x.dll', fixture.pe('9.1.100.31', '{Foo,New}'), 'b.dll', fixture.pe('9.1.100.31', '{}', fixture.wants('x.dll', 'New'))));
select fixture.payload('app', 'KB44', jsonb_build_object('b32.dll', fixture.pe('9.1.100.31', '{}', fixture.wants('helper.dll', 'H'), 332)));
create temporary view web as
    select (table core) || jsonb_build_object('c:/windows/system32/inetsrv/w3wp.exe', fixture.pe('9.1.100.20'), 'c:/app/b.dll', fixture.pe('9.1.100.20')) as files;
select fixture.host('has-x86', (table core) || jsonb_build_object('c:/windows/syswow64/helper.dll', fixture.pe('9.1.100.20', '{H}', '[]', 332)), fixture.of('Service Pack 2'));
select fixture.host('shadow', (table web) || jsonb_build_object('c:/windows/system32/helper.dll', fixture.pe('9.1.100.50', '{H,X}'),
    'c:/windows/system32/inetsrv/w3core.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('helper.dll', 'X'))), fixture.of('Service Pack 2'));
select fixture.host('own-copy', (table web) || jsonb_build_object('c:/windows/system32/a.dll', fixture.pe('9.1.100.20', '{Foo}'), 'c:/windows/system32/inetsrv/a.dll', fixture.pe('9.1.100.20', '{Foo}'),
    'c:/windows/system32/inetsrv/w3core.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('a.dll', 'Foo'))), fixture.of('Service Pack 2'));
select fixture.host('newer', (table core) || jsonb_build_object('c:/program files/common/x.dll', fixture.pe('9.1.100.99', '{Foo}'), 'c:/app/b.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('x.dll', 'Foo'))),
    fixture.of('Service Pack 2', '{"search_path": ["c:/program files/common"]}'));
select fixture.host('wow', (table core) || jsonb_build_object('c:/windows/system32/helper.dll', fixture.pe('9.1.100.20', '{H}', '[]', 332), 'c:/windows/syswow64/b32.dll', fixture.pe('9.1.100.20', '{}', '[]', 332)),
    fixture.of('Service Pack 2', '{"search_path": ["c:/windows/system32", "c:/windows"]}'));
select fixture.host('d-nt', replace((table core)::text, 'c:/windows/', 'd:/nt/')::jsonb || '{"c:/app/a.dll": "9.1.100.20"}', fixture.of('Service Pack 2', '{"windows_directory": "d:/nt"}'));
select fixture.again();
select matches(fixture.risk('KB40', 'has-x86'), '^at risk: c:/windows/system32/helper.dll .*k.dll!Missing', 'a new file is laid though another folder has one of its name');
select matches(fixture.risk('KB40', 'd-nt'), '^at risk: d:/nt/system32/helper.dll .*k.dll!Missing', 'and judged, whatever the Windows directory is called');
select matches(fixture.risk('KB41', 'shadow'), '^at risk: .*w3core.dll .*imports helper.dll!X, which c:/windows/system32/inetsrv/helper.dll', 'and may stand before a newer one that gives more');
select is(fixture.risk('KB42', 'own-copy'), 'unknown: the patch brings a.dll to %windir%/system32; whether it replaces c:/windows/system32/inetsrv/a.dll too is not known',
          'of copies in folders that the payload does not name it is not known whether they are replaced');
select matches(fixture.risk('KB45', 'own-copy'), '^unknown: .* whether it replaces c:/windows/system32/inetsrv/a.dll too is not known; if it does, c:/windows/system32/inetsrv/w3core.dll .*imports a.dll!Foo',
               'nor is it certain what that would break');
select matches(fixture.risk('KB43', 'newer'), '^at risk: .*b.dll .*imports x.dll!New, which c:/program files/common/x.dll 9.1.100.99 does not export', 'a newer file is kept wherever the payload names its place');
select matches(fixture.risk('KB44', 'wow'), '^unknown: .*helper.dll!H', 'an x86 program does not find what lies in the system32 of a 64-bit Windows, though PATH names it');

-- ---- of two products, and long ago
insert into evenkeel.patch (code, product_id, has_payload, source, required_levels) select 'KB1', evenkeel.product_number('tool'), true, 'test', '{2}';
insert into evenkeel.patch_file (patch_id, file, version, machine, image_id)
select patch_id, 't.dll', evenkeel.version_of('9.1.100.31'), 34404, fixture.image('9.1.100.31', '{Other}') from evenkeel.patch where code = 'KB1' and product_id = evenkeel.product_number('tool');
select fixture.patch('app', 'KB50', '{SP2}', array['a.dll 9.1.100.60'], array['KB1']);
select fixture.patch('app', 'KB51', '{SP2}', array['q.dll 9.1.100.50 SP2GDR', 'q.dll 9.1.100.51 SP2QFE']);
select fixture.payload('app', 'KB52', jsonb_build_object('q.dll@SP2GDR', fixture.pe('9.1.100.60'), 'q.dll@SP2QFE', fixture.pe('9.1.100.61', '{}', fixture.wants('k.dll', 'Lost'))));
select fixture.again();
select fixture.host('both', (table two) || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.60', '{Foo}'), 'c:/tool/t.dll', fixture.pe('9.1.100.20', '{Foo}'),
    'c:/tool/u.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('t.dll', 'Foo'))), fixture.of('Service Pack 2', '{}', 'KB50'));
select fixture.host('qfe', (table two) || jsonb_build_object('c:/app/q.dll', fixture.pe('9.1.100.51')), fixture.of('Service Pack 2', '{}', 'KB51'));
select fixture.host('gdr', (table two) || jsonb_build_object('c:/app/q.dll', fixture.pe('9.1.100.50')), fixture.of('Service Pack 2', '{}', 'KB51'));
select fixture.again();
select matches(fixture.risk('KB1', 'both'), '^at risk: c:/tool/u.dll .*t.dll!Foo', 'a patch that is superseded in one product is not so in another');
select is(fixture.risk('KB52', 'gdr'), 'safe: 1 file replaced', 'a file of the GDR branch gets the patch''s of that branch');
select matches(fixture.risk('KB52', 'qfe'), '^at risk: c:/app/q.dll 9.1.100.61 imports k.dll!Lost', 'one of the QFE branch gets that of QFE');
select fixture.host('old', (table two), fixture.of('Service Pack 2'));
select fixture.again();
update evenkeel.host_checkin set seen_at = now() - interval '1 year', taken_at = now() - interval '1 year' where host_id = (select host_id from evenkeel.host where name = 'old');
select matches(fixture.risk('KB4', 'old'), '^unknown: its last snapshot is of ', 'of a host that was silent for a year it is not said that another product is not there');

-- ---- imports of files that stay and were not read
select fixture.payload('app', 'KB60', jsonb_build_object('k.dll', fixture.pe('9.1.100.71', '{K=NOWHERE.K}')));
select fixture.host('silent', (table core) || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20'), 'c:/app/s.dll', fixture.pe('9.1.100.72')), fixture.of('Service Pack 2'));
select fixture.unread('9.1.100.72');
select fixture.again();
select matches(fixture.risk('KB60', 'silent'), '^unknown: imports of c:/app/s.dll were not read', 'a file that was not read may need what is forwarded elsewhere');

select * from finish();
rollback;
