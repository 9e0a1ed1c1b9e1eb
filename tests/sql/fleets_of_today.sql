-- Fleets of today's Windows with what real machines have, and nothing imported: no healthy host is mixed, and the one that is is found.
begin;
select plan(8);
\ir fixture.psql

-- A fleet's last updates, by the catalogue: `latest` is the one that most of its hosts are at, and one that the catalogue lacks if it is `past`.
create table fixture.fleet (product text primary key, build integer not null, declared integer[] not null, type text not null, latest integer, past boolean);
insert into fixture.fleet (product, build, declared, type, latest, past) values
    ('windows-2016', 14393, '{14393}', 'server', 3274, false),
    ('windows-10-1903', 18362, '{18362,18363}', 'workstation', 836, false),
    ('windows-10-2004', 19041, '{19041,19044,19045}', 'workstation', null, true),
    ('windows-2022', 20348, '{20348}', 'server', 1607, false),
    ('windows-11-22h2', 22621, '{22621,22631}', 'workstation', 2506, false),      -- a preview
    ('windows-11-24h2', 26100, '{26100,26200}', 'workstation', null, true),
    ('windows-2025', 26100, '{26100}', 'domain_controller', 4061, false);
create table fixture.update as
select f.product, l.ubr, row_number() over (partition by f.product order by l.ubr desc) as back
from fixture.fleet f
join evenkeel.product p on p.code = f.product
cross join lateral (select l.ubr from evenkeel.level l where l.product_id = p.product_id
                    union all select max(l.ubr) + 61 from evenkeel.level l where l.product_id = p.product_id and f.past) l
where l.ubr <= f.latest or f.past;
delete from fixture.update where back > 9;

-- The same number from 0 to n - 1 for the same words.
create function fixture.dice(n integer, variadic words text[]) returns integer language sql immutable as $$
    select (('x' || substr(md5(array_to_string(words, '|')), 1, 7))::bit(28)::integer % n)
$$;
-- What each update ships: most files are as they were, some were built between two updates, five come with each.
create table fixture.ships as
with names as (
    select name, fixture.dice(7, name) as pace from (select distinct file as name from evenkeel.known_file where file !~ 'appraiser|aepic|de?vinv|dcntel') k
    where fixture.dice(3, name) = 0 or name in ('ntoskrnl.exe', 'kernelbase.dll', 'tcpip.sys', 'afd.sys', 'win32kfull.sys')
    union all select format('part-%s.dll', n), n % 7 from generate_series(1, 20) n
), touched as (
    select u.product, u.ubr, u.back, n.name, p.rtm_revision,
           case when n.name in ('ntoskrnl.exe', 'kernelbase.dll', 'tcpip.sys', 'afd.sys', 'win32kfull.sys') then u.ubr
                when fixture.dice(7, u.product, u.ubr::text, n.name) < n.pace - 2
                then u.ubr - fixture.dice(1 + u.ubr - lag(u.ubr, 1, u.ubr) over (partition by u.product, n.name order by u.ubr), 'built', n.name) end as revision
    from fixture.update u cross join names n join evenkeel.product p on p.code = u.product
)
select product, ubr, back, name,
       format('c:/windows/system32/%s%s', case when name like '%.sys' then 'drivers/' end, name) as path,
       coalesce(max(revision) over (partition by product, name order by ubr), rtm_revision) as revision
from touched;
create index on fixture.ships (product, back);

-- The files of a host so many updates back, some as at another.
create function fixture.windows(of_product text, updates_back integer, others_back integer default null, variadic others text[] default '{}')
returns jsonb language sql as $$
    select jsonb_object_agg(s.path, format('10.0.%s.%s', f.build, s.revision))
           || jsonb_object_agg(replace(s.path, 'system32', 'syswow64'), format('10.0.%s.%s', f.build, s.revision)) filter (where s.name < 'd' and s.path !~ 'drivers')
    from fixture.fleet f join fixture.ships s using (product)
    where f.product = of_product and s.back = case when s.name = any (others) then others_back else updates_back end
$$;
-- What else lies on a real machine, number g of a fleet whose files are at that UBR: each on a schedule of its own.
create function fixture.beside(build integer, ubr integer, g integer) returns jsonb language sql as $$
    select jsonb_object_agg(path, version)
    from (values ('c:/windows/system32/poqexec.exe', format('10.0.%s.%s', build, ubr + 40)),
                 ('c:/windows/servicing/cbscore.dll', format('10.0.%s.%s', build, ubr + 40)),
                 ('c:/windows/system32/mcupdate_genuineintel.dll', format('10.0.%s.%s', build, ubr + 9)),
                 ('c:/windows/system32/compattelrunner.exe', format('10.0.%s.%s', build, ubr + 200 * (g % 2))),
                 ('c:/windows/system32/appraiser.dll', format('10.0.%s.%s', build, greatest(ubr + 200 * (g % 3 - 1), 1))),
                 ('c:/windows/system32/en-us/kernel32.dll.mui', format('10.0.%s.1', build)),
                 ('c:/windows/system32/mscoree.dll', format('10.0.%s.%s', build, ubr + 5 * (g % 2))),
                 ('c:/windows/microsoft.net/framework64/v4.0.30319/clr.dll', format('4.8.%s.0', 4000 + g % 4)),
                 ('c:/windows/system32/drivers/wd/wdfilter.sys', format('4.18.%s.5', 2001 + g % 5)),
                 ('c:/program files/windows defender/mpclient.dll', format('4.18.%s.5', 2001 + g % 5)),
                 ('c:/program files (x86)/microsoft/edge/application/msedge.dll', format('%s.0.1054.62', 96 + g % 4)),
                 ('c:/windows/system32/mrt.exe', format('5.%s.17003.1', 80 + g % 9)),
                 ('c:/windows/system32/curl.exe', format('7.%s.1.0', 55 + g % 3)),
                 ('c:/windows/system32/drivers/vmxnet3.sys', format('1.%s.5.0', 8 + g % 2)),
                 ('c:/windows/system32/msvcp140.dll', '14.29.30133.0'),
                 ('c:/windows/system32/wdfcoinstaller01011.dll', '1.11.9200.16384'),
                 (format('c:/tools/own-%s.dll', g % 5), '1.0.0.0'),
                 -- .NET Framework's own updates, some of its files with the version of Windows.
                 ('c:/windows/system32/dfshim.dll', format('10.0.%s.%s', build, 1 + g % 3)),
                 ('c:/windows/syswow64/mscorier.dll', format('10.0.%s.%s', build, ubr + g % 2)),
                 ('c:/windows/system32/aspnet_counters.dll', format('4.8.%s.0', 4000 + g % 4)),
                 ('c:/windows/microsoft.net/framework/v2.0.50727/mscorwks.dll', '2.0.50727.9164'),
                 ('c:/windows/winsxs/amd64_netfx4-clr_dll_b03f5f7f11d50a3a_4.0.15805.0_none_1/clr.dll', '4.8.3761.0'),
                 -- The servicing stack, copies in the component store, of the update before and of the next.
                 (format('c:/windows/winsxs/amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.%s.%s_none_1/wcp.dll', build, ubr + 41),
                  format('10.0.%s.%s', build, ubr + 41)),
                 (format('c:/windows/winsxs/amd64_microsoft-windows-os-kernel_31bf3856ad364e35_10.0.%s.1_none_2/ntoskrnl.exe', build), format('10.0.%s.1', build)),
                 ('c:/windows/servicing/trustedinstaller.exe', format('10.0.%s.%s', build, ubr + 41)),
                 ('c:/windows/uus/amd64/wuaueng.dll', format('10.0.%s.%s', build, ubr + 90)),
                 -- Printers, drivers that a device brought, boot files of a Secure Boot update.
                 ('c:/windows/system32/spool/drivers/x64/3/unidrv.dll', format('0.3.%s.%s', build, 1 + g % 2)),
                 ('c:/windows/system32/spool/prtprocs/x64/winprint.dll', format('10.0.%s.1', build)),
                 ('c:/windows/system32/driverstore/filerepository/ntprint.inf_amd64_1/amd64/mxdwdrv.dll', format('0.3.%s.1', build)),
                 ('c:/windows/boot/efi/bootmgfw.efi', format('10.0.%s.%s', build, ubr + 77)),
                 ('c:/windows/system32/drivers/umdf/hidscanner.dll', format('10.0.%s.%s', build, ubr + 33)),
                 -- Inbox apps, a feature on demand of the release on some, another Windows' C run-time library beside a program.
                 ('c:/windows/systemapps/shellexperiencehost_cw5n1h2txyewy/shellexperiencehost.exe', format('10.0.%s.%s', build, ubr + 15)),
                 ('c:/program files/windowsapps/microsoft.paint_11/paintapp/mspaint.exe', '11.2302.20.0'),
                 (case when g % 9 = 0 then 'c:/windows/system32/telnet.exe' else 'c:/tools/telnet.exe' end, format('10.0.%s.1', build)),
                 (case when g % 7 = 0 then 'c:/windows/system32/xpsrchvw.exe' else 'c:/tools/xpsrchvw.exe' end, format('10.0.%s.%s', build, greatest(1, ubr - 300))),
                 ('c:/program files/own/ucrtbase.dll', '10.0.26100.4948'),
                 ('c:/program files/own/api-ms-win-crt-runtime-l1-1-0.dll', '10.0.17134.12'),
                 ('c:/windows/system32/api-ms-win-crt-own-l1-1-0.dll', '10.0.14393.33'),
                 ('c:/windows/system32/vcruntime140.dll', format('14.%s.30133.0', 20 + g % 20)),
                 ('c:/windows/system32/securityhealthservice.exe', format('10.0.%s.100%s', 22000 + g % 3, g % 4)),
                 -- Files whose number is that of the enablement package, which brings no more than itself.
                 ('c:/windows/system32/enablement.dll', format('10.0.%s.%s', build + 4, ubr))) f (path, version)
$$;
-- Programs of others in Windows' folders, with the version of the kit that they were built with, or of the Windows that they were tested on.
create function fixture.of_others(build integer, ubr integer, g integer) returns jsonb language sql as $$
    select jsonb_object_agg(path, jsonb_build_object('version', format('10.0.%s.%s', build, revision), 'company', company))
    from (values ('c:/windows/system32/drivers/ownvolume.sys', case when g % 29 = 0 then 132 else 755 end, 'Windows (R) Win 7 DDK provider'),
                 ('c:/windows/system32/drivers/ownfilter.sys', ubr + 500, 'Own Storage Inc.'),
                 ('c:/windows/system32/ownlogon.dll', case when g % 28 = 0 then ubr + 900 else 1 end, 'Own Logon GmbH'),
                 -- Of one that says nobody made it all that is known is that the fleet has it.
                 ('c:/windows/system32/owntool.dll', case when g % 28 = 0 then ubr + 900 else 1 end, '')) f (path, revision, company)
$$;
create function fixture.fleet_host(host_name text, of_product text, g integer, declared_ubr integer, files jsonb, hotpatch text default '') returns uuid
language sql as $$
    select fixture.host(host_name,
        -- Every fourth server is a Server Core: without some of it.
        case when f.type <> 'workstation' and g % 4 = 0
             then (select jsonb_object_agg(key, value) from jsonb_each(files) where key !~ 'part-1') else files end
        || fixture.beside(f.build, declared_ubr, g) || fixture.of_others(f.build, declared_ubr, g),
        jsonb_build_object('has_registry', true, 'current_version', '10.0', 'current_build', f.declared[1 + g % cardinality(f.declared)],
            'has_ubr', true, 'ubr', declared_ubr, 'product_type', f.type, 'windows_directory', 'c:/windows', 'hotpatch', hotpatch,
            'installation_type', case when f.type = 'workstation' then 'Client' when g % 4 = 0 then 'Server Core' else 'Server' end))
    from fixture.fleet f where f.product = of_product
$$;

-- Thirty hosts each: twenty-four at the latest update, six two updates behind.
select count(fixture.fleet_host(f.product || '-' || g, f.product, g, u.ubr, fixture.windows(f.product, u.back::integer)))
from fixture.fleet f cross join generate_series(1, 30) g join fixture.update u on u.product = f.product and u.back = case when g > 24 then 3 else 1 end;
-- One with three files of the update before the latest, one with three that come from the latest.
create table fixture.moved as
select product, (array_agg(name order by fixture.dice(1000, product, name)))[:3] as names
from (select a.product, a.name from fixture.ships a join fixture.ships b using (product, name) join fixture.update k on k.product = a.product and k.back = 3
      where a.back = 1 and b.back = 3 and a.revision > k.ubr and a.name !~ '^part-') n group by product;
select count(fixture.fleet_host('behind-' || m.product, m.product, 1, u.ubr, fixture.windows(m.product, 1, 3, variadic m.names)))
from fixture.moved m join fixture.update u on u.product = m.product and u.back = 1;
select count(fixture.fleet_host('ahead-' || m.product, m.product, 1, u.ubr, fixture.windows(m.product, 3, 1, variadic m.names)))
from fixture.moved m join fixture.update u on u.product = m.product and u.back = 3;
-- And hotpatched ones, which stand on the older update beside them.
select count(fixture.fleet_host(format('hot-%s-%s', f.product, g), f.product, g, u.ubr + 7,
    fixture.windows(f.product, 3) || (select jsonb_object_agg(path, format('10.0.%s.%s', f.build, u.ubr + 7)) from fixture.ships s
                                      where s.product = f.product and s.back = 3 and s.name in ('ntoskrnl.exe', 'tcpip.sys', 'afd.sys')),
    case f.type when 'workstation' then 'allowed' else 'enrolled' end))
from fixture.fleet f cross join generate_series(1, 22) g join fixture.update u on u.product = f.product and u.back = 3
where f.product in ('windows-2022', 'windows-11-24h2');

select fixture.judge();
select is((select count(*) from fixture.moved where cardinality(names) = 3), 7::bigint, 'seven fleets');
select results_eq($$ select fleet.product, count(*) from ops.host h join fixture.fleet on h.host ~ ('^' || product || '-\d+$') group by 1 order by 1 $$,
                  $$ select product, 30::bigint from fixture.fleet order by 1 $$, 'of thirty hosts each');
select is_empty($$ select host, verdict, missing from ops.host where verdict = 'mixed' and host !~ '^(behind|ahead)' $$, 'no healthy host is mixed');
select is_empty($$ select host, verdict, missing from ops.host h join fixture.fleet f on h.host ~ ('^' || f.product || '-\d+$')
                   where (verdict, coalesce(proof, '')) is distinct from case when substring(host from '-(\d+)$')::integer > 24 then row ('unknown'::text, ''::text)
                                                               else row ('level'::text, 'fleet'::text) end $$,
                'those that are many are level by the fleet, those that are few unknown');
select is_empty($$ select host, verdict, missing from ops.host where host ~ '^behind' and verdict <> 'mixed' $$, 'one with files of an older update is mixed');
select is_empty($$ select host, verdict, missing from ops.host where host ~ '^ahead' and verdict <> 'mixed' $$, 'one with files of a later update, too');
select is_empty($$ select f.host, f.summary from ops.finding f join fixture.moved m on f.host = 'behind-' || m.product
                   where f.check_name = 'mixed-level' and array(select distinct regexp_replace(x ->> 'path', '^.*/', '') from jsonb_array_elements(f.evidence -> 'move') x order by 1)
                         <> array(select n from unnest(m.names) n order by 1) $$, 'and exactly its three files are to move');
select is((select string_agg(distinct verdict, ', ') from ops.host where host ~ '^hot'), 'unknown', 'hotpatched ones are unknown: what they stand on is not said');

select * from finish();
rollback;
