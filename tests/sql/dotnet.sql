-- .NET Framework: products beside Windows, whose levels are releases and whose updates are patches of one Windows. Builds of healthy hosts are real ones.
begin;
select plan(48);
\ir fixture.psql
\ir catalogue.psql
\ir server_2019.psql

-- What lies in the folders of .NET Framework 4 for both machines: all at one version but for those named ('system.dll 4.8.4001.0').
create function fixture.dotnet_4(version text, variadic others text[] default '{}') returns jsonb language sql as $$
    with named as (
        select n as name, coalesce((select split_part(o, ' ', 2) from unnest(others) o where split_part(o, ' ', 1) = n), version) as version
        from unnest('{clr.dll,clrjit.dll,mscorlib.dll,mscordacwks.dll,mscordbi.dll,mscoreei.dll,mscoreeis.dll,system.dll,system.core.dll,system.web.dll,
                      system.drawing.dll,system.windows.forms.dll,addinutil.exe,wminet_utils.dll,wpf/windowsbase.dll,wpf/presentationframework.dll}'::text[]) n
    )
    select jsonb_object_agg(format('c:/windows/microsoft.net/%s/v4.0.30319/%s', folder, name), jsonb_build_object('version', version, 'machine', machine))
           -- Compilers and the C run-time library have numbers of their own, native images are made on the host itself, at its leisure.
           || jsonb_object_agg(format('c:/windows/microsoft.net/%s/v4.0.30319/vbc.exe', folder), '14.7.3190.0')
           || jsonb_object_agg(format('c:/windows/microsoft.net/%s/v4.0.30319/msvcp120_clr0400.dll', folder), '12.0.52519.0')
           || '{"c:/windows/assembly/nativeimages_v4.0.30319_64/mscorlib/0a1b/mscorlib.ni.dll": "4.6.1055.0",
                "c:/windows/assembly/nativeimages_v4.0.30319_32/system/0a1b/system.ni.dll": "4.8.9310.0",
                "c:/windows/winsxs/amd64_netfx4-clr_dll_b03f5f7f11d50a3a_4.0.15805.0_none_1/clr.dll": "4.8.3761.0",
                "c:/windows/microsoft.net/framework64/v4.0.30319/de/mscorlib.resources.dll": "4.0.30319.1"}'
    from named cross join (values ('framework', 332), ('framework64', 34404)) f (folder, machine)
$$;
create function fixture.dotnet_2(version text, variadic others text[] default '{}') returns jsonb language sql as $$
    select jsonb_object_agg(format('c:/windows/microsoft.net/%s/v2.0.50727/%s', folder, n),
                            coalesce((select split_part(o, ' ', 2) from unnest(others) o where split_part(o, ' ', 1) = n), version))
    from unnest('{mscorwks.dll,mscorlib.dll,mscorjit.dll,system.dll,system.web.dll,aspnet_isapi.dll}'::text[]) n cross join unnest('{framework,framework64}'::text[]) folder
$$;
create function fixture.facts(build integer, release integer, variadic hotfixes text[] default '{}') returns jsonb language sql as $$
    select jsonb_build_object('has_registry', true, 'current_version', case when build = 9600 then '6.3' else '10.0' end, 'current_build', build, 'has_ubr', true,
                              'ubr', 1518, 'product_type', 'server', 'windows_directory', 'c:/windows', 'dotnet_release', release,
                              'hotfixes', (select coalesce(jsonb_agg(jsonb_build_object('id', h)), '[]') from unnest(hotfixes) h))
$$;
create function fixture.judged(hosts text) returns setof text language sql as $$
    select concat_ws(' ', h.name, p.code, hp.verdict, evenkeel.level_range_text(p.product_id, hp.levels)) from evenkeel.host_product hp join evenkeel.host h using (host_id)
    join evenkeel.product p using (product_id) where p.beside and h.name ~ hosts order by 1
$$;

-- Healthy hosts of several releases; what each of their registries says.
create table fixture.healthy (name text primary key, build integer, release integer, files jsonb);
insert into fixture.healthy values
    ('4.6.1', 10586, 394271, fixture.dotnet_4('4.6.1055.0', 'addinutil.exe 4.6.79.0', 'mscoreeis.dll 4.6.79.0')),
    -- Updates of 4.6.2 to 4.7.2 are one package, with files of 4.7.
    ('4.6.2', 9600, 394806, fixture.dotnet_4('4.6.1590.0', 'clr.dll 4.7.3946.0', 'mscorlib.dll 4.7.3946.0', 'system.dll 4.7.3930.0')),
    ('4.7', 15063, 460798, fixture.dotnet_4('4.7.2046.0', 'mscorlib.dll 4.7.2110.0', 'system.core.dll 4.7.2102.0', 'system.dll 4.7.2110.0')),
    ('4.8', 19041, 528372, fixture.dotnet_4('4.8.4084.0', 'mscorlib.dll 4.8.4180.0', 'system.windows.forms.dll 4.8.4150.0', 'system.dll 4.8.4001.0', 'system.drawing.dll 4.8.3752.0')),
    ('4.8.1', 22621, 533320, fixture.dotnet_4('4.8.9032.0', 'mscorlib.dll 4.8.9105.0', 'system.dll 4.8.9310.0', 'wpf/windowsbase.dll 4.8.9316.0')),
    ('both', 17763, 461814, fixture.dotnet_4('4.7.3190.0', 'clr.dll 4.7.3690.0') || fixture.dotnet_2('2.0.50727.8745', 'mscorwks.dll 2.0.50727.9164', 'mscorlib.dll 2.0.50727.9164'));
insert into fixture.healthy
select format('4.7.2 %s', ord), 17763, 461814, (select jsonb_object_agg(s.path, s.versions[ord]) from fixture.server_2019 s where s.path ~ 'microsoft.net' and s.versions[ord] is not null)
from generate_series(1, 5) ord;
select fixture.host('healthy ' || name, files, fixture.facts(build, release)) from fixture.healthy \g /dev/null
-- A collector that says nothing of releases, and one that read no registry.
select fixture.host('old ' || name, files, fixture.facts(build, 0)) from fixture.healthy \g /dev/null
select fixture.host('bare ' || name, files, null) from fixture.healthy \g /dev/null
select fixture.judge();

select is((select count(*) from fixture.judged('^(healthy|old|bare) ')), 36::bigint, 'each has .NET Framework 4, those with both have 2.0 beside');
select is_empty($$ select j from fixture.judged('.') j where j ~ ' mixed' $$, 'no healthy host is mixed, with and without a declared release');
select is_empty($$ select j from fixture.judged('.') j where j ~ ' level ' $$, 'and none is level: which update its files are at is not known');
select set_eq($$ select j from fixture.judged('^healthy') j $$, array['healthy 4.6.1 dotnet-4 unknown 4.6.1', 'healthy 4.6.2 dotnet-4 unknown 4.6.2', 'healthy 4.7 dotnet-4 unknown 4.7',
    'healthy 4.7.2 1 dotnet-4 unknown 4.7.2', 'healthy 4.7.2 2 dotnet-4 unknown 4.7.2', 'healthy 4.7.2 3 dotnet-4 unknown 4.7.2', 'healthy 4.7.2 4 dotnet-4 unknown 4.7.2',
    'healthy 4.7.2 5 dotnet-4 unknown 4.7.2', 'healthy 4.8 dotnet-4 unknown 4.8', 'healthy 4.8.1 dotnet-4 unknown 4.8.1', 'healthy both dotnet-2.0 unknown SP2', 'healthy both dotnet-4 unknown 4.7.2'],
    'the registry declares the release');
select matches((select missing from evenkeel.host_product hp join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = 'healthy 4.8' and p.code = 'dotnet-4'),
    '^which update of 4\.8 its files are at is not known, the newest are 4\.8\.4180: import the list of files of the update', 'what would settle it is said');
select matches((select missing from evenkeel.host_product hp join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = 'healthy both' and p.code = 'dotnet-2.0'),
    'the newest are 2\.0\.50727\.9164:', 'in the numbers of its files');
select matches((select missing from evenkeel.host_product hp join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = 'old 4.6.2' and p.code = 'dotnet-4'),
    '^which of the releases 4\.6\.\.4\.6\.2 it is its files don''t tell: collect it again', 'without a release releases that share updates are not told apart by files');
select is((select levels from evenkeel.host_product hp join evenkeel.host h using (host_id) join evenkeel.product p using (product_id) where h.name = 'old 4.8' and p.code = 'dotnet-4'),
    int4range(10, 11), '4.8 is');

-- A file of another release than the rest, in one folder alone.
select fixture.host('left', fixture.dotnet_4('4.8.4084.0') || '{"c:/windows/microsoft.net/framework64/v4.0.30319/clr.dll": "4.7.3190.0"}', fixture.facts(19041, 528372));
select fixture.host('left 32', fixture.dotnet_4('4.8.4084.0') || '{"c:/windows/microsoft.net/framework/v4.0.30319/mscorlib.dll": {"version": "4.7.3690.0", "machine": 332}}', fixture.facts(19041, 0));
select fixture.host('ahead', fixture.dotnet_4('4.7.3190.0', 'mscorlib.dll 4.8.4180.0'), fixture.facts(17763, 461814));
select fixture.host('back', fixture.dotnet_4('4.8.9032.0', 'clrjit.dll 4.8.4515.0'), fixture.facts(22621, 533320));
select fixture.host('put back', fixture.dotnet_4('4.7.3190.0', 'clr.dll 4.6.1586.0'), fixture.facts(17763, 461814));
select fixture.host('lying', fixture.dotnet_4('4.7.3190.0'), fixture.facts(17763, 528049));
select fixture.host('two', fixture.dotnet_2('2.0.50727.5420', 'mscorwks.dll 2.0.50727.1433'), fixture.facts(17763, 0));
select fixture.host('waits', fixture.dotnet_4('4.8.4084.0', 'clr.dll 4.7.3190.0'), fixture.facts(19041, 528372)
    || '{"pending_renames": [{"from": "c:/windows/temp/clr.tmp", "to": "c:/windows/microsoft.net/framework64/v4.0.30319/clr.dll"}]}');
-- Somebody's file in the folder, with such a number: of one that says nobody made it nothing is known.
select fixture.host('own', fixture.dotnet_4('4.7.3190.0') || '{"c:/windows/microsoft.net/framework64/v4.0.30319/own.dll": "4.8.1.0"}', fixture.facts(17763, 461814));
select fixture.host('of others', fixture.dotnet_4('4.7.3190.0') || '{"c:/windows/microsoft.net/framework64/v4.0.30319/own.dll": {"version": "4.8.1.0", "company": "Own GmbH"}}',
                    fixture.facts(17763, 461814));
select fixture.judge();
select set_eq($$ select j from fixture.judged('^(left|left 32|ahead|back|put back|lying|two)$') j $$,
    array['left dotnet-4 mixed none', 'left 32 dotnet-4 mixed none', 'ahead dotnet-4 mixed none', 'back dotnet-4 mixed none', 'put back dotnet-4 mixed none', 'lying dotnet-4 mixed none',
          'two dotnet-2.0 mixed none'], 'a file of another release than the rest makes it mixed, and so does another release than the declared one');
select matches((select summary from ops.finding where host = 'left' and check_name = 'mixed-level'),
    '^\.NET Framework 4: c:/windows/microsoft\.net/framework64/v4\.0\.30319/clr\.dll 4\.7\.3190\.0 is at most 4\.7\.2 against .* which is at least 4\.8; 1 file to move to 4\.8$', 'the file is named');
select is((select verdict from ops.host where host = 'left'), 'mixed', 'its host is mixed, too');
select is((select count(*) from fixture.judged('^own$') j where j ~ ' unknown '), 1::bigint, 'a name that nobody knows makes no host mixed');
select matches((select missing from evenkeel.host_product hp join evenkeel.host h using (host_id) where h.name = 'own'), 'own\.dll 4\.8\.1\.0 would be at least 4\.8', 'but unknown, and it is named');
select ok((select missing !~ 'own\.dll' from evenkeel.host_product hp join evenkeel.host h using (host_id) where h.name = 'of others'), 'programs of others are no part of it');
-- A release that a registry declares which is out of date contradicts nothing; files that contradict each other do so under any registry.
select fixture.host('stale ' || hive, fixture.dotnet_4('4.8.4084.0'), fixture.facts(19041, 461814) || jsonb_build_object('not_seen', jsonb_build_array(jsonb_build_object('kind', 'stale_hive', 'what', hive, 'count', 1))))
from unnest('{SOFTWARE,SAM}'::text[]) hive \g /dev/null
select fixture.host('stale left', fixture.dotnet_4('4.8.4084.0', 'clr.dll 4.7.3190.0'), fixture.facts(19041, 461814) || '{"not_seen": [{"kind": "damaged_hive", "what": "SOFTWARE", "count": 1}]}') \g /dev/null
select fixture.judge();
select set_eq($$ select fixture.judged('^stale') $$, array['stale SOFTWARE dotnet-4 unknown none', 'stale SAM dotnet-4 mixed none', 'stale left dotnet-4 mixed none'],
    'what a stale registry declares makes no host mixed whose files agree');
select matches((select missing from ops.host_product where host = 'stale SOFTWARE'), '^its files contradict 4\.7\.2, which the registry declares and which may be no longer so: collect it again; the registry hive SOFTWARE is older',
    'it is unknown, and told why');
select is_empty($$ select from ops.finding where host = 'stale SOFTWARE' $$, 'and nothing is found there');
select isnt_empty($$ select from evenkeel.plan((select host_id from evenkeel.host where name = 'left')) $$, 'a plan is made for it');

-- Windows' own verdict stands by itself.
select count(fixture.ships('windows-2019', format('17763.1518 %s = 10.0.17763.1518', n))) from unnest('{ntdll.dll,kernel32.dll}'::text[]) n;
select evenkeel.catalog_refresh() \g /dev/null
select fixture.host('server', fixture.dotnet_4('4.7.3190.0', 'clr.dll 4.7.3690.0') || '{"c:/windows/system32/ntdll.dll": "10.0.17763.1518", "c:/windows/system32/kernel32.dll": "10.0.17763.1518"}',
                    fixture.facts(17763, 461814));
select fixture.judge();
select results_eq($$ select verdict, missing, proof, declared_level from ops.host where host = 'server' $$, $$ values ('level', '', 'catalogue', '17763.1518') $$,
    'a host of whose .NET Framework nothing is known is level by its Windows');
select is_empty($$ select from evenkeel.shown_unknown(null) where host = 'server' $$, 'and in no list of what is unknown');
select is_empty($$ select from evenkeel.shown_unknown(array(select host_id from evenkeel.host where name in ('server', 'left'))) where product = 'dotnet-4' and host = 'server' $$,
    'nor in one of several hosts');
select results_eq($$ select product from evenkeel.shown_unknown(array(select host_id from evenkeel.host where name = 'server')) $$, array['dotnet-4'], 'who asks for it alone is told');
select is((select verdict from ops.host where host = 'healthy 4.8'), 'unknown', 'alone it makes no host level');

-- Lists of updates: KB5012119 and an earlier one for 17763, KB5012121 for 20348, where the same month has other builds; KB5011048 is for 4.8 and 4.8.1.
create function fixture.list(doc integer, number integer, variadic files text[]) returns void language plpgsql as $$
begin
    insert into kb_file (doc, path, article, number, is_list) values (doc, number || '.csv', 'KB' || number, number, true);
    insert into kb_section values (doc, 0, 1, case number when 5099001 then 'Windows 10, version 1607 and Windows Server 2016 LCU x64-based'
                                              else '.NET Framework 4.8 x64-based' end, 'x64');
    insert into list_row (doc, line, section, dated, version, size, file)
    select doc, 2 + ord, 0, '2022-03-06', evenkeel.version_of(w[2]), 1024, w[1] from unnest(files) with ordinality f (line, ord) cross join string_to_array(f.line, ' ') w;
end $$;
create function fixture.import(variadic lists integer[]) returns setof text language plpgsql as $$
declare
    list integer;
begin
    foreach list in array lists loop
        perform set_config('client_min_messages', 'warning', true);
        drop table if exists kb_file, kb_section, kb_row, kb_requirement, kb_corrected, kb_told, kb_placed, kb_article_product, kb_patch, kb_needed,
            kb_bound, list_row, list_build, list_beside, list_stem, list_level, list_part, list_double, settled, settling;
        perform evenkeel.kb_stage();
        perform evenkeel.catalog_stage();
        truncate stage_patches, stage_patch_files, stage_baselines, stage_list_change;
        perform fixture.list(0, list, variadic case list
            when 5012119 then '{clr.dll 4.8.4515.0,mscorlib.dll 4.8.4515.0,System.Web.dll 4.8.4494.0,System.dll 4.8.4510.0,Dfshim.dll 10.0.17763.2746}'
            when 5009718 then '{clr.dll 4.8.4465.0,mscorlib.dll 4.8.4470.0,System.dll 4.8.4461.0,Dfshim.dll 10.0.17763.2366}'
            when 5012121 then '{clr.dll 4.8.4515.0,mscorlib.dll 4.8.4510.0,System.Web.dll 4.8.4510.0,System.dll 4.8.4488.0,System.Drawing.dll 4.8.4505.0,Dfshim.dll 10.0.20348.643}'
            when 5011048 then '{clr.dll 4.8.4515.0,clr.dll 4.8.9065.0,mscorlib.dll 4.8.4515.0,mscorlib.dll 4.8.9075.0,Dfshim.dll 10.0.19041.1500}'
            when 5099001 then '{ntoskrnl.exe 10.0.14393.9001,clr.dll 4.7.3946.0,mscorlib.dll 4.7.3946.0}'
            else '{clr.dll 4.8.4515.0,mscorlib.dll 4.8.4515.0,System.Web.dll 4.8.4494.0,System.Drawing.dll 4.8.4505.0}' end::text[]);
        return query select i.sentence from evenkeel.kb_import(null, null) i where i.severity <> 1;
        drop table if exists settled, settling;
        perform evenkeel.catalog_merge();
    end loop;
    perform evenkeel.catalog_refresh();
    perform fixture.judge();
end $$;

select fixture.host('u-2019', fixture.dotnet_4('4.8.3761.0', 'clr.dll 4.8.4515.0', 'mscorlib.dll 4.8.4515.0', 'system.web.dll 4.8.4494.0', 'system.dll 4.8.4510.0'), fixture.facts(17763, 528049));
select fixture.host('u-2019-before', fixture.dotnet_4('4.8.3761.0', 'clr.dll 4.8.4465.0', 'mscorlib.dll 4.8.4470.0', 'system.dll 4.8.4461.0'), fixture.facts(17763, 528049));
select fixture.host('u-2022', fixture.dotnet_4('4.8.4161.0', 'clr.dll 4.8.4515.0', 'mscorlib.dll 4.8.4510.0', 'system.web.dll 4.8.4510.0', 'system.dll 4.8.4488.0', 'system.drawing.dll 4.8.4505.0'),
                    fixture.facts(20348, 528449));
select fixture.host('u-10', fixture.dotnet_4('4.8.4084.0', 'clr.dll 4.8.4515.0', 'mscorlib.dll 4.8.4515.0'), fixture.facts(19044, 528372));
select fixture.host('u-10-481', fixture.dotnet_4('4.8.9032.0', 'clr.dll 4.8.9065.0', 'mscorlib.dll 4.8.9075.0'), fixture.facts(19045, 533325));
select fixture.host('u-half', fixture.dotnet_4('4.8.3761.0', 'clr.dll 4.8.4465.0', 'mscorlib.dll 4.8.4515.0', 'system.web.dll 4.8.4494.0', 'system.dll 4.8.4510.0'), fixture.facts(17763, 528049));
select fixture.host('u-half-32', fixture.dotnet_4('4.8.3761.0', 'clr.dll 4.8.4515.0', 'mscorlib.dll 4.8.4515.0', 'system.web.dll 4.8.4494.0', 'system.dll 4.8.4510.0')
    || '{"c:/windows/microsoft.net/framework/v4.0.30319/clr.dll": {"version": "4.8.4465.0", "machine": 332}}', fixture.facts(17763, 528049));
select fixture.host('u-mixed', fixture.dotnet_4('4.8.4084.0', 'clr.dll 4.8.9065.0'), fixture.facts(19044, 528372));
select fixture.host('u-older', fixture.dotnet_4('4.7.3190.0', 'clr.dll 4.7.3690.0'), fixture.facts(17763, 461814));

select set_has($$ select fixture.import(5012119) $$, $$ values ('KB5012119: dotnet-4: 4 files, needs 4.8') $$, 'a list of .NET Framework is a patch of its product');
select results_eq($$ select title, os_builds, required_levels from evenkeel.patch where code = 'KB5012119' $$, $$ values ('Update of .NET Framework 4', array[17763], array[10]) $$,
    'of the Windows whose files it names, too, and of the release that its builds are of');
select is_empty($$ select from evenkeel.level_list $$, 'and of no level of Windows');
select set_eq($$ select j from fixture.judged('^u-') j $$, array['u-10 dotnet-4 unknown 4.8', 'u-10-481 dotnet-4 unknown 4.8.1', 'u-2019 dotnet-4 level 4.8', 'u-2019-before dotnet-4 unknown 4.8',
    'u-2022 dotnet-4 unknown 4.8', 'u-half dotnet-4 unknown 4.8', 'u-half-32 dotnet-4 unknown 4.8', 'u-mixed dotnet-4 mixed none', 'u-older dotnet-4 unknown 4.7.2'], 'with its list a host is level that has all of it, and no other');
-- One file in twenty-eight that the list does not name, and that is no update of the release: older, of no release, or of none that can be read.
create table fixture.behind as
select format('behind %s', ord) as name, fixture.dotnet_4('4.8.3761.0', 'clr.dll 4.8.4515.0', 'mscorlib.dll 4.8.4515.0', 'system.web.dll 4.8.4494.0', 'system.dll 4.8.4510.0')
       || jsonb_build_object('c:/windows/microsoft.net/framework64/v4.0.30319/' || split_part(f, ' ', 1), split_part(f, ' ', 2)) as files
from unnest('{system.drawing.dll 4.7.3190.0,system.drawing.dll 4.0.30319.18408,system.drawing.dll 2.0.50727.9164,clrjit.dll 3.5.1.0,system.drawing.dll }'::text[]) with ordinality u (f, ord);
select fixture.host(name, files, fixture.facts(17763, 528049)) from fixture.behind \g /dev/null
select fixture.judge();
select is((select count(*) from fixture.judged('^behind') j where j ~ ' unknown 4.8$'), 5::bigint, 'and with one file in twenty-eight left behind none is level');
select matches((select missing from ops.host_product where host = 'behind 1'), '27 of 28 files confirmed at 4\.8', 'it is told how many are');
select matches((select missing from ops.host_product where host = 'behind 5'), '^cannot read the version of [^ ]*/system\.drawing\.dll:', 'or which can''t be read');
select results_eq($$ select f from fixture.findings('u-half') f $$, array['partial-patch KB5012119'], 'one that has it by half is told so');
select results_eq($$ select f from fixture.findings('u-half-32') f $$, array['partial-patch KB5012119'], 'in the files of whichever machine');
select matches((select missing from evenkeel.host_product hp join evenkeel.host h using (host_id) where h.name = 'u-half'), '^its newest files are of KB5012119, of which 2 files here are older$',
    'in its verdict, too');
select is((select string_agg(evenkeel.release_text(p.product_id, evenkeel.release_number(evenkeel.version_of(v.version))), ' ' order by p.code)
           from (values ('dotnet-1.1', '1.1.4322.2503'), ('dotnet-2.0', '2.0.50727.9164'), ('dotnet-4', '4.8.4515.0')) v (code, version) join evenkeel.product p using (code)),
    '1.1.4322.2503 2.0.50727.9164 4.8.4515', 'an update that is not known is told by the version of its files');
select is_empty($$ select f from fixture.findings('u-2022') f union all select f from fixture.findings('u-10') f $$, 'of one of another Windows nothing is said by it');

-- In any order and in every subset no healthy host is mixed, or has a patch by half, and those whose list is there are level.
create function fixture.known() returns setof text language sql as $$
    select concat_ws(' ', t.code, t.os_builds, t.required_levels, pf.file, pf.branch, evenkeel.version_text(pf.version))
    from evenkeel.patch t join evenkeel.patch_file pf using (patch_id) join evenkeel.product p using (product_id) where p.beside
$$;
select * from fixture.import(5099999, 5011048, 5009718, 5012121) \g /dev/null
create table fixture.first_order as select fixture.known() as row;
delete from evenkeel.patch t using evenkeel.product p where p.product_id = t.product_id and p.beside;
select * from fixture.import(5012121, 5012119, 5009718, 5099999, 5011048) \g /dev/null
select set_eq('select fixture.known()', 'table fixture.first_order', 'in whichever order lists come, and once more, the same is known');
create table fixture.patch as select t.* from evenkeel.patch t join evenkeel.product p using (product_id) where p.beside;
create table fixture.patch_file as select pf.* from evenkeel.patch_file pf join fixture.patch using (patch_id);
create function fixture.subsets() returns setof text language plpgsql as $$
declare
    lists text[];
    turn integer;
begin
    for turn in select generate_series(1, 31, 3) loop
        lists := array(select code from fixture.patch t where turn >> (select count(*)::integer from fixture.patch o where o.code < t.code) & 1 = 1);
        delete from evenkeel.patch where patch_id in (select patch_id from fixture.patch);
        insert into evenkeel.patch select * from fixture.patch where code = any (lists);
        insert into evenkeel.patch_file select f.* from fixture.patch_file f join fixture.patch t using (patch_id) where t.code = any (lists);
        perform evenkeel.catalog_refresh();
        perform fixture.judge();
        return query select format('%s: %s', lists, j) from fixture.judged('^(u-|healthy)') j where j ~ ' mixed' <> (j ~ '^u-mixed');
        return query select format('%s: %s %s', lists, f.host, f.subject) from ops.finding f where f.check_name = 'partial-patch' and f.host !~ '^u-(half|mixed)';
        return query select format('%s: %s', lists, j)
                     from fixture.judged('^u-') j
                     where (j ~ ' level ') <> case split_part(j, ' ', 1) when 'u-2019' then 'KB5012119' = any (lists) when 'u-2019-before' then 'KB5009718' = any (lists)
                                                                       when 'u-2022' then 'KB5012121' = any (lists) when 'u-10' then 'KB5011048' = any (lists)
                                                                       when 'u-10-481' then 'KB5011048' = any (lists) else false end;
        return query select format('%s: u-half is not told', lists)
                     where 'KB5012119' = any (lists) and not exists (select from fixture.findings('u-half') f where f ~ 'KB5012119');
    end loop;
end $$;
select is_empty($$ select fixture.subsets() $$, 'in subsets of five lists');
select results_eq($$ select os_builds, required_levels from evenkeel.patch where code in ('KB5011048', 'KB5099999') order by code $$,
    $$ values (array(select generate_series(19041, 19045)), array[10, 11]), ('{}', array[10]) $$, 'one that names no Windows is bound to none');
select fixture.host('u-listed', fixture.dotnet_4('4.8.3761.0', 'clr.dll 4.8.4515.0', 'mscorlib.dll 4.8.4515.0', 'system.web.dll 4.8.4494.0', 'system.drawing.dll 4.8.4505.0'),
                    fixture.facts(9600, 528049, 'KB5099999'));
select fixture.judge();
select set_eq($$ select fixture.judged('^u-listed') $$, array['u-listed dotnet-4 level 4.8'], 'and counts where the registry lists it');

-- Windows' updates of some years bring .NET Framework's files, too.
select set_has($$ select fixture.import(5099001) $$, $$ values ('KB5099001: dotnet-4: 2 files, needs 4.6 or 4.6.1 or 4.6.2 or 4.7 or 4.7.1 or 4.7.2'),
    ('windows-2016 14393.9001, 1 file, 0 as before, for x64 (the highest revision in it)') $$, 'such a list is of both');
select fixture.host('u-2016', fixture.dotnet_4('4.6.1586.0', 'clr.dll 4.7.3946.0', 'mscorlib.dll 4.7.3946.0') || '{"c:/windows/system32/ntoskrnl.exe": "10.0.14393.1518"}',
                    fixture.facts(14393, 394802));
select fixture.judge();
select set_eq($$ select fixture.judged('^u-2016$') $$, array['u-2016 dotnet-4 level 4.6.2'], 'and settles .NET Framework of the Windows that it is for');
select fixture.host('u-2016-old', fixture.dotnet_4('4.6.1586.0', 'clr.dll 4.7.3946.0', 'mscorlib.dll 4.7.3946.0'), fixture.facts(14393, 0));
select fixture.judge();
select set_eq($$ select fixture.judged('^u-2016-old') $$, array['u-2016-old dotnet-4 unknown 4.6..4.6.2'], 'but not which release it is, where no registry says so');
select is(evenkeel.patch_product_on((select host_id from evenkeel.host where name = 'u-2016'), 'KB5099001'), 'windows-2016', 'it is Windows'' update for all that');

-- Unlike Windows' files, hosts of several Windows are not compared with each other by these.
select is_empty($$ select from evenkeel.fleet_key k join evenkeel.component c on k.key like c.component_id || ' %' join evenkeel.product p using (product_id)
                   where p.beside and k.check_code = 'outlier' $$, 'no fleet check compares them');
update evenkeel.setting set value = '3' where name = 'missing-file.peers';
select fixture.refresh_peers() \g /dev/null
select is_empty($$ select from evenkeel.peer_file f join evenkeel.product p using (product_id) where p.beside $$, 'nor tells what of it others have');
select fixture.host('imports', fixture.dotnet_4('4.7.3190.0') || jsonb_build_object('c:/windows/system32/ntdll.dll', '10.0.17763.1518')
    || (select jsonb_object_agg(path, jsonb_build_object('version', version, 'imports', '[{"dll": "nowhere.dll", "names": ["None"]}]'::jsonb))
        from (values ('c:/windows/microsoft.net/framework64/v4.0.30319/webengine4.dll', '4.7.3190.0'), ('c:/windows/system32/kernel32.dll', '10.0.17763.1518')) f (path, version)),
    fixture.facts(17763, 461814));
select fixture.judge();
select set_eq($$ select f from fixture.findings('imports') f where f ~ 'nowhere' $$, array['unresolved-import c:/windows/system32/kernel32.dll!nowhere.dll'],
    'what its files import is not followed, as what Windows'' own do');
create temporary table asked as select host, verdict, reason from ops.risk('KB5012119', 'u-*');
select set_eq($$ select host || ' ' || verdict from asked where host in ('u-2022', 'u-older', 'u-10-481') $$,
    array['u-2022 not applicable', 'u-older not applicable', 'u-10-481 not applicable'], 'a patch of another Windows, or of another release, is not applicable');
select is((select string_agg(host, ' ') from asked where verdict = 'safe'), null, 'and nowhere safe, for its imports are not known');

select * from finish();
rollback;
