-- Where a patch lands: which folders, which machine, which branch, what stays, and what its landing changes for files that it leaves.
begin;
select plan(14);
\ir fixture.psql

create function fixture.built(version text, exports text[] default '{}', imports jsonb default '[]') returns jsonb language sql as $$
    select jsonb_build_object('version', version, 'exports', to_jsonb(exports), 'imports', imports)
$$;
-- A server at SP2 with IIS; `more` replaces or adds files.
create function fixture.server(host_name text, more jsonb default '{}', revision text default '3959', service_pack text default 'Service Pack 2')
returns uuid language sql as $$
    select fixture.host(host_name,
        jsonb_build_object('c:/windows/system32/kernel32.dll', fixture.built('5.2.3790.' || revision, '{Sleep}'),
                           'c:/windows/system32/inetsrv/w3wp.exe', fixture.built('6.0.3790.' || revision),
                           'c:/windows/system32/inetsrv/iisutil.dll', fixture.built('6.0.3790.' || revision, '{PuDbgPrint}'),
                           'c:/windows/system32/inetsrv/w3core.dll', fixture.built('6.0.3790.' || revision, '{}',
                               '[{"dll": "iisutil.dll", "names": ["PuDbgPrint"]}]')) || more,
        jsonb_build_object('current_version', '5.2', 'current_build', 3790, 'service_pack', service_pack, 'windows_directory', 'c:/windows'))
$$;
-- A patch with its payload, for SP1 and SP2: files (names, or locations) as images.
create function fixture.payload(patch_code text, in_branch text, files jsonb) returns void language sql as $$
    insert into evenkeel.patch (code, product_id, required_levels, has_payload, source)
    select patch_code, product_id, '{1,2}', true, 'test' from evenkeel.product where code = 'windows-2003' on conflict do nothing;
    insert into evenkeel.patch_file (patch_id, file, version, machine, branch, image_id)
    select t.patch_id, f.key, i.file_version, i.machine, in_branch, i.image_id
    from evenkeel.patch t cross join jsonb_each(files) f join evenkeel.image i on i.image_id = (f.value #>> '{}')::integer
    where t.code = patch_code
$$;
create function fixture.answer(patch_code text, host_name text, "column" text default $c$verdict || ': ' || reason$c$) returns text
language plpgsql as $$
declare
    told text;
begin
    perform fixture.judge();
    execute format('select %s from ops.risk(%L, %L)', "column", patch_code, host_name) into told;
    return told;
end $$;

select fixture.server('sp2');
select fixture.server('rtm', revision => '0', service_pack => '');
select fixture.payload('KB1', '', jsonb_build_object('w3core.dll', fixture.image('6.0.3790.4601', '{}', '[{"dll": "iisutil.dll", "names": ["PuDbgPrint"]}]')));

select is(fixture.answer('KB1', 'sp2'), 'safe: 1 file replaced', 'a file that is there is replaced');
select is((select count(*) from evenkeel.chunk where chunk_id < 0), 0::bigint, 'laying a patch over a host stores no chunk');
select is((select count(*) from ops.host_file where file_version = '6.0.3790.4601'), 0::bigint, 'and gives no host a file');
select fixture.server('copies', '{"c:/windows/system32/dllcache/w3core.dll": "6.0.3790.3959", "c:/backup/w3core.dll": "6.0.3790.3959",
                                  "c:/windows/$ntuninstallkb0$/w3core.dll": "6.0.3790.0"}');
select is(fixture.answer('KB1', 'copies', 'replaced'), '2', 'in every folder where an installer looks; not in backups and foreign folders');
select fixture.server('wow', '{"c:/windows/syswow64/inetsrv/w3core.dll": {"version": "6.0.3790.3959", "machine": 332}}');
select is(fixture.answer('KB1', 'wow', 'replaced'), '1', 'a file of another machine stays');
select fixture.server('newer', '{"c:/windows/system32/dllcache/w3core.dll": "6.0.3790.5000"}');
select is(fixture.answer('KB1', 'newer', $$kept #>> '{0,path}'$$), 'c:/windows/system32/dllcache/w3core.dll', 'a newer file is kept, and said so');

-- One branch: that of the host's level, GDR before QFE.
select fixture.payload('KB2', 'SP1GDR', jsonb_build_object('w3core.dll', fixture.image('6.0.3790.1900')));
select fixture.payload('KB2', 'SP2GDR', jsonb_build_object('w3core.dll', fixture.image('6.0.3790.4608')));
select fixture.payload('KB2', 'SP2QFE', jsonb_build_object('w3core.dll', fixture.image('6.0.3790.4609', '{}', '[{"dll": "iisutil.dll", "names": ["Lost"]}]')));
select is(fixture.answer('KB2', 'sp2'), 'safe: 1 file replaced', 'a host gets the branch of its level, GDR before QFE');
select is(fixture.answer('KB2', 'rtm', 'reason'), 'brings nothing for the level of this host', 'or nothing, where there is none for it');

-- Importers that the patch leaves are judged against the DLL that it brings.
select fixture.payload('KB3', '', jsonb_build_object('iisutil.dll', fixture.image('6.0.3790.4604', '{Other}')));
select is(fixture.answer('KB3', 'sp2', $$findings #>> '{0,subject}'$$), 'c:/windows/system32/inetsrv/w3core.dll!iisutil.dll', 'importers that stay may break');
select fixture.payload('KB4', '', jsonb_build_object('iisutil.dll', fixture.image('6.0.3790.4605', '{PuDbgPrint=KERNEL32.Nothing}')));
select is(fixture.answer('KB4', 'sp2', $$findings #>> '{0,evidence,chains,0,steps,0,to}'$$), 'kernel32.dll!Nothing', 'also by a forwarder that leads nowhere');
select fixture.server('forwards', '{"c:/windows/system32/inetsrv/w3core.dll": {"version": "6.0.3790.3959", "imports": [{"dll": "front.dll", "names": ["Print"]}]},
                                    "c:/windows/system32/inetsrv/front.dll": {"version": "6.0.3790.3959", "exports": ["Print=IISUTIL.PuDbgPrint"]}}');
select is(fixture.answer('KB3', 'forwards', $$findings #>> '{0,subject}'$$), 'c:/windows/system32/inetsrv/w3core.dll!front.dll', 'also through a DLL that stays and forwards to it');

-- New files go where the payload says.
select fixture.payload('KB5', '', jsonb_build_object('w3core.dll', fixture.image('6.0.3790.4606', '{}', '[{"dll": "w3new.dll", "names": ["Fresh"]}]'),
                                                     'w3new.dll', fixture.image('6.0.3790.4606', '{Fresh}')));
select matches(fixture.answer('KB5', 'sp2'), '^unknown: .*w3core.dll would call w3new.dll!Fresh, and where the patch puts w3new.dll is not known$',
               'a new file whose place is not said is laid nowhere, and may be where it is wanted');
select fixture.payload('KB6', '', jsonb_build_object('w3core.dll', fixture.image('6.0.3790.4607', '{}', '[{"dll": "w3new.dll", "names": ["Fresh"]}]'),
                                                     '%windir%/system32/inetsrv/w3new.dll', fixture.image('6.0.3790.4607', '{Fresh}')));
create temporary table stored as
select * from evenkeel.resolve_files(array[sha256('w3new')], array['c:/windows/system32/inetsrv/w3new.dll'], array[fixture.image('6.0.3790.4607', '{Fresh}')]);
select is(fixture.answer('KB6', 'sp2', 'verdict || replaced'), 'safe2', 'one whose place is said goes there');

-- A session that asked is not left in the state that it asked about.
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host;
select fixture.judge();
select is((select count(*) from ops.finding where check_name = 'unresolved-import'), 0::bigint, 'what is judged next is what is');
select * from finish();
rollback;
