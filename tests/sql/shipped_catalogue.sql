-- What the shipped catalogue knows of each product: a fact that is lost, or comes twice, shows here.
begin;
select plan(22);
\ir fixture.psql

create function fixture.ubr(build integer, ubr integer, type text) returns jsonb language sql as $$
    select jsonb_build_object('has_registry', true, 'current_version', '10.0', 'current_build', build, 'has_ubr', true, 'ubr', ubr, 'product_type', type)
$$;
create function fixture.judged(host_name text) returns setof text language sql as $$
    select p.code from evenkeel.host_product s join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
    where h.name = host_name order by 1
$$;

select results_eq($$
    select p.code, (select count(*) from evenkeel.level l where l.product_id = p.product_id), (select count(*) from evenkeel.baseline b where b.product_id = p.product_id),
           (select count(*) from evenkeel.known_file k where k.product_id = p.product_id), (select count(*) from evenkeel.patch t where t.product_id = p.product_id),
           (select count(*) from evenkeel.patch t join evenkeel.patch_file f using (patch_id) where t.product_id = p.product_id)
    from evenkeel.product p order by p.product_id
$$, $$
    values ('windows-nt-4.0', 8::bigint, 5::bigint, 0::bigint, 179::bigint, 811::bigint),
           ('windows-nt-4.0-tse', 4, 0, 0, 21, 46),
           ('windows-2000', 5, 268, 0, 123, 493),
           ('windows-2003', 3, 3, 0, 3, 3),
           ('windows-vista', 3, 0, 0, 0, 0),
           ('windows-2008', 2, 0, 0, 146, 0),
           ('windows-7', 2, 0, 0, 214, 0),
           ('windows-2008-r2', 2, 0, 0, 214, 0),
           ('windows-8', 1, 0, 0, 0, 0),
           ('windows-2012', 1, 0, 0, 234, 0),
           ('windows-8.1', 1, 0, 0, 232, 0),
           ('windows-2012-r2', 1, 0, 0, 234, 0),
           ('windows-10-1507', 149, 0, 0, 146, 0),
           ('windows-10-1511', 41, 0, 0, 39, 0),
           ('windows-10-1607', 199, 0, 204, 191, 0),
           ('windows-2016', 199, 0, 204, 191, 0),
           ('windows-10-1703', 90, 0, 204, 84, 0),
           ('windows-10-1709', 74, 0, 204, 73, 0),
           ('windows-server-1709', 74, 0, 204, 73, 0),
           ('windows-10-1803', 71, 0, 204, 70, 0),
           ('windows-server-1803', 1, 0, 204, 0, 0),
           ('windows-10-1809', 170, 0, 204, 167, 0),
           ('windows-2019', 170, 0, 204, 167, 0),
           ('windows-10-1903', 74, 0, 204, 72, 0),
           ('windows-server-1903', 74, 0, 204, 72, 0),
           ('windows-10-2004', 156, 0, 204, 153, 0),
           ('windows-server-2004', 80, 0, 204, 78, 0),
           ('windows-2022', 92, 0, 204, 91, 0),
           ('windows-11-21h2', 64, 0, 204, 62, 0),
           ('windows-11-22h2', 92, 0, 204, 89, 0),
           ('windows-server-23h2', 36, 0, 204, 36, 0),
           ('windows-11-24h2', 64, 0, 204, 63, 0),
           ('windows-2025', 35, 0, 204, 33, 0),
           ('windows-11-28000', 13, 0, 204, 12, 0),
           ('sql-server-2008', 86, 0, 0, 0, 0),
           ('sql-server-2008-r2', 63, 0, 0, 0, 0),
           ('sql-server-2012', 87, 0, 0, 0, 0),
           ('sql-server-2014', 96, 0, 0, 0, 0),
           ('sql-server-2016', 109, 0, 0, 0, 0),
           ('sql-server-2017', 73, 0, 0, 0, 0),
           ('sql-server-2019', 69, 0, 0, 0, 0),
           ('sql-server-2022', 61, 0, 0, 0, 0),
           ('sql-server-2025', 17, 0, 0, 0, 0),
           ('dotnet-1.1', 2, 3, 0, 0, 0),
           ('dotnet-2.0', 3, 4, 0, 0, 0),
           ('dotnet-4', 12, 28, 16, 0, 0)
$$, 'levels, statements, known names, patches and their files of each product');

-- Levels say what the updates' articles say: each in its place, with its day.
select is((select count(*) from evenkeel.level l join evenkeel.product p using (product_id) where p.level_kind = 'cumulative update' and l.ubr is distinct from l.ordinal),
          0::bigint, 'where levels are cumulative updates they are their revisions');
select results_eq($$ select l.code, l.kb, l.released, l.preview, l.out_of_band from evenkeel.level l
                     where l.product_id = evenkeel.product_number('windows-2019') and l.ordinal in (1, 1518) order by l.ordinal $$,
                  $$ values ('17763.1', '', null::date, false, false), ('17763.1518', 'KB4577668', '2020-10-13', false, false) $$,
                  'a level names its article and day; the release is a level, too');
select results_eq($$ select code, rtm_revision from evenkeel.product where code in ('windows-2016', 'windows-2019', 'windows-10-1507', 'windows-10-1709', 'windows-server-23h2')
                     order by product_id $$,
                  $$ values ('windows-10-1507', 16384), ('windows-2016', 0), ('windows-10-1709', 15), ('windows-2019', 1), ('windows-server-23h2', null) $$,
                  'the revision that a product was released with is a fact of it, and empty where it is not known');
select is_empty($$ select l.code from evenkeel.level l join evenkeel.level b on (b.product_id, b.ordinal) = (l.product_id, l.base_ordinal) where b.ordinal > l.ordinal $$,
                'no level stands on a later one');
select results_eq($$ select l.code, l.line, b.code from evenkeel.level l left join evenkeel.level b on (b.product_id, b.ordinal) = (l.product_id, l.base_ordinal)
                     where l.product_id = evenkeel.product_number('sql-server-2019') and l.code in ('CU8', '15.0.4083', '15.0.2080') order by l.ordinal $$,
                  $$ values ('15.0.2080', 'GDR', 'RTM'), ('CU8', '', null), ('15.0.4083', '', 'CU8') $$,
                  'SQL Server''s security updates stand on the release, or on a cumulative update');
select results_eq($$ select t.code, l.code, t.supersedes @> array['KB5034173'] from evenkeel.patch t left join evenkeel.level l on (l.product_id, l.ordinal) = (t.product_id, t.level_ordinal)
                     where t.code = 'KB4577668' order by t.product_id $$,
                  $$ values ('KB4577668', '17763.1518', false), ('KB4577668', '17763.1518', false) $$, 'a cumulative update is a patch that brings its level');
select ok((select 'KB3172605' = any (supersedes) from evenkeel.patch where code = 'KB3179573' and product_id = evenkeel.product_number('windows-7')),
          'of monthly rollups each replaces the one before');

-- A client and a server of one build, and a build that an enablement package declares.
select fixture.host('server', '{"c:/windows/system32/ntdll.dll": "10.0.17763.1518"}', fixture.ubr(17763, 1518, 'server'));
select fixture.host('client', '{"c:/windows/system32/ntdll.dll": "10.0.17763.1518"}', fixture.ubr(17763, 1518, 'workstation'));
select fixture.host('controller', '{"c:/windows/system32/ntdll.dll": "10.0.17763.1518"}', fixture.ubr(17763, 1518, 'domain_controller'));
select fixture.host('named', '{"c:/windows/system32/ntdll.dll": "10.0.17763.1518"}', fixture.ubr(17763, 1518, 'server') - 'product_type' || '{"edition": "ServerStandard"}');
select fixture.host('enabled', '{"c:/windows/system32/ntdll.dll": "10.0.19041.2965"}', fixture.ubr(19045, 2965, 'workstation'));
-- Files of Windows 7 tell by their build which pack they are at least of.
select fixture.host('seven', '{"c:/windows/system32/ntdll.dll": "6.1.7601.17514", "c:/windows/system32/notepad.exe": "6.1.7600.16385"}',
                    '{"has_registry": true, "current_version": "6.1", "current_build": 7600, "service_pack": "", "product_type": "workstation"}');
-- Two instances of SQL Server on one host, and others where programs lie elsewhere.
select fixture.host('db, ' || folder, jsonb_build_object(folder || '/microsoft sql server/mssql14.shop/mssql/binn/sqlservr.exe', '2017.140.3356.20'), fixture.ubr(17763, 1518, 'server'))
from unnest('{c:/program files (x86),c:/programme,d:/apps}'::text[]) folder;
select fixture.host('db', '{"c:/program files/microsoft sql server/mssql15.sales/mssql/binn/sqlservr.exe": "2019.150.4123.1",
                            "c:/program files/microsoft sql server/mssql15.hr/mssql/binn/sqlservr.exe": "2019.150.2080.9"}', fixture.ubr(17763, 1518, 'server'));
-- A component left behind, in a Windows whose other files are right.
create function fixture.web(host_name text, iis integer, system integer) returns uuid language sql as $$
    select fixture.host(host_name,
        (select jsonb_object_agg('c:/windows/system32/inetsrv/' || n || '.dll', '6.0.3790.' || iis)
         from unnest('{w3core,w3dt,w3tp,w3cache,w3isapi,w3comlog,iisw3adm,iisadmin,metadata,iisrtl,infocomm,admwprox,adsiis,asp,ssinc,httpext,gzip,wam}'::text[]) n)
        || '{"c:/windows/system32/inetsrv/iisutil.dll": "6.0.3790.3959"}'
        || (select jsonb_object_agg('c:/windows/system32/' || n || '.dll', '5.2.3790.' || system) from unnest('{kernel32,ntdll,user32}'::text[]) n)
        || (select jsonb_object_agg('c:/windows/system32/' || n, '5.2.3790.3959')
            from unnest('{ntoskrnl.exe,advapi32.dll,gdi32.dll,rpcrt4.dll,secur32.dll,schannel.dll,netapi32.dll,lsasrv.dll,lsass.exe,services.exe,svchost.exe,'
                        'csrss.exe,winsrv.dll,winlogon.exe,win32k.sys,ws2_32.dll,mswsock.dll,w32time.dll,httpapi.dll}'::text[]) n),
        '{"has_registry": true, "current_version": "5.2", "current_build": 3790, "service_pack": "Service Pack 2", "product_type": "server",
          "windows_directory": "c:/windows"}')
$$;
select fixture.web('left behind', 1830, 1830);
select fixture.web('right', 3959, 3959);
select fixture.judge();
select matches((select verdict || ': ' || missing from ops.host where host = 'left behind'), '^unknown: .*IIS.*: 1 of 19 files confirmed at SP2', 'IIS at SP1, a system at SP2: not level, and IIS is named');
select is((select verdict from ops.host where host = 'right'), 'level', 'with IIS at SP2 it is');
select results_eq($$ select * from fixture.judged('server') $$, array['windows-2019'], 'a server is a server');
select results_eq($$ select * from fixture.judged('client') $$, array['windows-10-1809'], 'a client of the same build a client');
select results_eq($$ select * from fixture.judged('controller') $$, array['windows-2019'], 'a domain controller a server');
select results_eq($$ select * from fixture.judged('named') $$, array['windows-2019'], 'and where ProductType was not read EditionID tells');
select results_eq($$ select * from fixture.judged('enabled') $$, array['windows-10-2004'], '22H2 has the files of 19041');
select matches((select concat(lower_basis, hint_basis) from evenkeel.file_level fl join evenkeel.file f using (file_id) join evenkeel.path p using (path_id)
                where p.path = 'c:/windows/system32/ntdll.dll' and fl.product_id = evenkeel.product_number('windows-7') ),
               'build 7601 and above is at least SP1', 'a rule goes by the build');
select is_empty($$ select from evenkeel.file_level fl join evenkeel.file f using (file_id) join evenkeel.path p using (path_id)
                   where p.path = 'c:/windows/system32/notepad.exe' and fl.product_id = evenkeel.product_number('windows-7') and fl.lower_basis || fl.hint_basis <> '' $$,
                'and proves nothing by a lower one, however high its revision');
select results_eq($$ select pc.instance from evenkeel.path_component pc join evenkeel.path p using (path_id) where p.path like '%sqlservr.exe' order by 1 $$,
                  array['mssql14.shop', 'mssql14.shop', 'mssql14.shop', 'mssql15.hr', 'mssql15.sales'], 'the folder names the instance');
select is((select string_agg(h.name, ' ' order by h.name) from evenkeel.host_product hp join evenkeel.host h using (host_id)
           where hp.product_id = evenkeel.product_number('sql-server-2017/MSSQL14.SHOP')), 'db, c:/program files (x86) db, c:/programme db, d:/apps',
          'whatever the folder for programs is called, and on whichever drive');
select results_eq($$ select distinct instance from evenkeel.bound_paths(null) join evenkeel.product p using (product_id) where p.code like 'sql-server-2019/%' order by 1 $$,
                  array['mssql15.hr', 'mssql15.sales'], 'and stays so when the catalogue changes');

-- A real server at 17763.1217 has CompatTelRunner.exe 10.0.18362.1035, as 18362's own hosts at 836 do: its revision is of another schedule.
select is_empty($$
    select p.code, f.path
    from evenkeel.product p
    join evenkeel.component c using (product_id)
    cross join unnest(array['system32/compattelrunner.exe', 'system32/appraiser.dll', 'system32/aeinv.dll', 'system32/aepic.dll', 'syswow64/aepic.dll',
        'system32/devicecensus.exe', 'system32/mscoree.dll', 'system32/dfshim.dll', 'system32/poqexec.exe', 'system32/en-us/kernel32.dll.mui']) f (path)
    where p.level_kind = 'cumulative update' and p.follows_os
      and exists (select from unnest(c.include) g where '%windir%/' || f.path ~ evenkeel.component_regex(g))
      and not exists (select from unnest(c.exclude) g where '%windir%/' || f.path ~ evenkeel.component_regex(g))
$$, 'what keeps a schedule of its own says nothing of the UBR: compatibility tools, .NET''s shims, the servicing stack, languages');

-- One line over two builds: updates made 6003 of Server 2008 SP2's 6002.
select fixture.host('lh-' || b, jsonb_build_object('c:/windows/system32/kernel32.dll', format('6.0.%s.24000', b), 'c:/windows/system32/ntdll.dll', format('6.0.%s.20800', b)),
                    jsonb_build_object('has_registry', true, 'current_version', '6.0', 'current_build', b, 'service_pack', 'Service Pack 2', 'product_type', 'server'))
from unnest(array[6002, 6003]) b;
select fixture.judge();
select results_eq($$ select h.name || ' ' || p.code || ' ' || s.verdict || ' ' || evenkeel.level_range_text(p.product_id, s.declared) from evenkeel.host_product s
                     join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name like 'lh-%' order by 1 $$,
                  array['lh-6002 windows-2008 level SP2', 'lh-6003 windows-2008 level SP2'], 'Windows Server 2008 SP2 is one level, whichever of its builds a host says');

select * from finish();
rollback;
