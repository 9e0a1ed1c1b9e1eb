-- Files that are not there although a service needs them, or all like hosts have them.
begin;
select plan(72);
\ir fixture.psql
\ir catalogue.psql

-- What the registry names, on a Windows whose programs lie in c:/programme.
create function fixture.file(command text, what text default 'ImagePath', type integer default 16, windows text default 'c:/windows', is_x86 boolean default false)
returns text language sql as $$
    select path from evenkeel.service_image(what, command, 'Svc', type, is_x86, evenkeel.service_places(
        jsonb_build_object('windows_directory', windows, 'program_files', 'c:/programme', 'common_files', 'c:/programme/gemeinsame dateien',
                           'common_data', 'c:/daten', 'search_path', '["c:/tools"]'::jsonb)))
$$;
select results_eq($$ select command, coalesce(fixture.file(command), '-') from (values
    (1, '%SystemRoot%\System32\svchost.exe -k netsvcs'), (2, '"C:\Program Files\A B\x.exe" -a b.exe'), (3, 'C:\Program Files\A B\x.exe /service'),
    (4, '%SystemDrive%\a\b.dll'), (5, '%SystemRoot%\system32\svchost -k rpcss'), (6, '"C:\A B\tool" -k'), (7, 'C:\WINDOWS\system32\old.com'),
    (8, 'C:\Program Files\A\b svc.exe -run'), (9, 'C:\Program Files\A\n.exe files\svc.exe -x'), (10, 'C:\A B\agent -config "C:\A B\x.dll"'),
    (11, 'C:\A B\agent -helper helper.exe'), (12, 'C:\A\x.exe,-run'), (13, 'C:/A/x.exe /svc'), (14, '%ProgramFiles%\A\x.exe'),
    (15, '%CommonProgramFiles%\A\x.exe'), (16, 'C:\WINDOWS\system32\x.dll.exe'), (17, 'C:\A\rundll32.exe C:\B\y.dll,Start'), (18, 'lsass.exe'),
    (19, 'System32\x.exe -k'), (20, 'C:\PROGRA~1\A\x.exe'), (21, '%ORACLE_HOME%\bin\o.exe'), (22, '\\server\share\b.exe'),
    (23, '\Device\HarddiskVolume1\x.exe'), (24, 'C:\A\..\x.exe'), (25, 'C:\ÄA\B.EXE'), (26, '%ProgramData%\a\x.exe'), (27, '\\?\C:\A\x.exe'),
    (28, 'C:\My - Agent\x.exe -y'), (29, '   '), (30, '\??\UNC\server\x.exe')) c (n, command) order by n $$,
$$ values ('%SystemRoot%\System32\svchost.exe -k netsvcs', 'c:/windows/system32/svchost.exe'), ('"C:\Program Files\A B\x.exe" -a b.exe', 'c:/program files/a b/x.exe'),
    ('C:\Program Files\A B\x.exe /service', 'c:/program files/a b/x.exe'), ('%SystemDrive%\a\b.dll', 'c:/a/b.dll'),
    ('%SystemRoot%\system32\svchost -k rpcss', 'c:/windows/system32/svchost.exe'), ('"C:\A B\tool" -k', 'c:/a b/tool.exe'),
    ('C:\WINDOWS\system32\old.com', 'c:/windows/system32/old.com'), ('C:\Program Files\A\b svc.exe -run', 'c:/program files/a/b svc.exe'),
    ('C:\Program Files\A\n.exe files\svc.exe -x', 'c:/program files/a/n.exe files/svc.exe'), ('C:\A B\agent -config "C:\A B\x.dll"', 'c:/a b/agent.exe'),
    ('C:\A B\agent -helper helper.exe', 'c:/a b/agent.exe'), ('C:\A\x.exe,-run', 'c:/a/x.exe'), ('C:/A/x.exe /svc', 'c:/a/x.exe'),
    ('%ProgramFiles%\A\x.exe', 'c:/programme/a/x.exe'), ('%CommonProgramFiles%\A\x.exe', 'c:/programme/gemeinsame dateien/a/x.exe'),
    ('C:\WINDOWS\system32\x.dll.exe', 'c:/windows/system32/x.dll.exe'), ('C:\A\rundll32.exe C:\B\y.dll,Start', 'c:/a/rundll32.exe'),
    ('lsass.exe', 'c:/windows/system32/lsass.exe'), ('System32\x.exe -k', 'c:/windows/system32/x.exe'), ('C:\PROGRA~1\A\x.exe', 'c:/progra~1/a/x.exe'),
    ('%ORACLE_HOME%\bin\o.exe', '-'), ('\\server\share\b.exe', '-'), ('\Device\HarddiskVolume1\x.exe', '-'), ('C:\A\..\x.exe', '-'),
    ('C:\ÄA\B.EXE', 'c:/Äa/b.exe'), ('%ProgramData%\a\x.exe', 'c:/daten/a/x.exe'), ('\\?\C:\A\x.exe', 'c:/a/x.exe'),
    ('C:\My - Agent\x.exe -y', 'c:/my - agent/x.exe'), ('   ', '-'), ('\??\UNC\server\x.exe', '-') $$, 'what the command of a service names');
select results_eq($$ select command, coalesce(fixture.file(command, type => 1, windows => 'd:/winnt'), '-') from (values
    (1, ''), (2, '\SystemRoot\System32\drivers\a.sys'), (3, 'SystemRoot\System32\drivers\a.sys'), (4, '\??\C:\x\a.sys'), (5, '\DosDevices\C:\x\a.sys'),
    (6, 'system32\DRIVERS\a.sys'), (7, '\WINNT\system32\a.sys'), (8, 'system32\drivers\a.bin'), (9, '\\?\C:\x\a.sys'), (10, 'C:\a b\c d.sys'),
    (11, 'SysWow64\drivers\a.sys'), (12, '\??\B:\Games\a.sys')) c (n, command) order by n $$,
$$ values ('', 'd:/winnt/system32/drivers/svc.sys'), ('\SystemRoot\System32\drivers\a.sys', 'd:/winnt/system32/drivers/a.sys'),
    ('SystemRoot\System32\drivers\a.sys', 'd:/winnt/system32/drivers/a.sys'), ('\??\C:\x\a.sys', 'c:/x/a.sys'), ('\DosDevices\C:\x\a.sys', 'c:/x/a.sys'),
    ('system32\DRIVERS\a.sys', 'd:/winnt/system32/drivers/a.sys'), ('\WINNT\system32\a.sys', 'd:/winnt/system32/a.sys'),
    ('system32\drivers\a.bin', 'd:/winnt/system32/drivers/a.bin'), ('\\?\C:\x\a.sys', 'c:/x/a.sys'), ('C:\a b\c d.sys', 'c:/a b/c d.sys'),
    ('SysWow64\drivers\a.sys', 'd:/winnt/syswow64/drivers/a.sys'), ('\??\B:\Games\a.sys', 'b:/games/a.sys') $$, 'what the path of a driver names');
select is(fixture.file('', type => 4), null, 'a network adapter''s settings have no file');
select is(fixture.file('%SystemRoot%\system32\a.ocx', 'ServiceDll'), 'c:/windows/system32/a.ocx', 'a ServiceDll of any extension');
select is(fixture.file('C:\a b\c d', 'ServiceDll'), 'c:/a b/c d.dll', 'or none');
select is(fixture.file('%SystemRoot%\system32\a.dll', 'ServiceDll', is_x86 => true), 'c:/windows/syswow64/a.dll', 'loaded by a 32-bit program');
select is(fixture.file('%SystemRoot%\system32\a.exe', windows => ''), null, 'without the Windows directory nothing is certain');
select ok('c:/program files/my agent/bin/x.exe' ~ evenkeel.short_path_regex('c:/progra~1/myagen~1/bin/x.exe')
          and 'c:/my.big dir/a+b long.html' ~ evenkeel.short_path_regex('c:/mybigd~2/a_blon~1.htm') and 'c:/myfolder x/x.exe' ~ evenkeel.short_path_regex('c:/my3f1a~1/x.exe')
          and 'c:/progra~1/x.exe' ~ evenkeel.short_path_regex('c:/progra~1/x.exe') and 'c:/programs/x.exe' !~ evenkeel.short_path_regex('c:/myprog~1/x.exe')
          and 'c:/program files/other/x.exe' !~ evenkeel.short_path_regex('c:/progra~1/myagen~1/x.exe'), 'short names stand for long ones');

-- Services.
create function fixture.services(variadic rows text[]) returns jsonb language sql as $$
    select jsonb_build_object('windows_directory', 'c:/windows', 'services', (
        select jsonb_agg(jsonb_build_object('name', w[1], 'start', w[2]::integer, 'type', w[3]::integer, 'image_path', w[4], 'service_dll', coalesce(w[5], '')))
        from unnest(rows) r cross join string_to_array(r, '|') w))
$$;
\set here '{"c:/windows/system32/svchost.exe": "1.0.0.0", "c:/windows/syswow64/wow.dll": "1.0.0.0", "c:/windows/system32/drivers/null.sys": "1.0.0.0"}'
\set svchost '%SystemRoot%\\system32\\svchost.exe -k x'
select fixture.host('fine', :'here', fixture.services('A|2|32|' || :'svchost', 'B|1|1|system32\drivers\null.sys'));
select fixture.host('no-dll', :'here', fixture.services('W3SVC|2|32|' || :'svchost' || '|%SystemRoot%\System32\gone.dll', 'FTP|3|32|' || :'svchost' || '|c:\windows\system32\gone.dll'));
select fixture.host('no-image', :'here', fixture.services('A|2|16|C:\windows\system32\gone.exe -s'));
select fixture.host('manual', :'here', fixture.services('A|3|16|C:\windows\system32\gone.exe', 'D|3|1|system32\drivers\gone.sys'));
select fixture.host('disabled', :'here', fixture.services('A|4|16|C:\windows\system32\gone.exe'));
select fixture.host('elsewhere', :'here', fixture.services('A|2|16|D:\apps\gone.exe', 'B|2|16|C:\windows\servicing\gone.exe', 'C|2|16|C:\Program Files\x\gone.exe'));
select fixture.host('wow', :'here', fixture.services('A|2|32|%SystemRoot%\SysWOW64\svchost.exe -k x|%SystemRoot%\system32\wow.dll')
                                     || '{"covered": ["c:/windows/system32/**"]}');
select fixture.host('not redirected', :'here', fixture.services('A|2|32|' || :'svchost' || '|%SystemRoot%\system32\wow.dll', 'B|2|16|C:\WINDOWS\system32\wow.dll'));
select fixture.host('no-registry', :'here', null);
select fixture.host('no-image-path', :'here', fixture.services('Beep|1|1|', 'Empty|2|16|', 'PCIDump|1|1|'));
select fixture.judge();
create function fixture.missing(host_name text) returns setof text language sql as $$
    select severity || ' ' || subject from ops.finding where host = host_name and check_name = 'missing-file' order by 1
$$;
select is_empty($$ select * from fixture.missing('fine') $$, 'services whose files are there');
select results_eq($$ select * from fixture.missing('no-dll') $$, array['high c:/windows/system32/gone.dll'], 'a ServiceDll that is not there, once for all services that need it');
select is((select summary from ops.finding where host = 'no-dll'), 'c:/windows/system32/gone.dll is not there; services FTP, W3SVC need it', 'the line names file and services');
select is((select jsonb_array_length(evidence -> 'services') from ops.finding where host = 'no-dll'), 2, 'the evidence has each service');
select results_eq($$ select * from fixture.missing('no-image') $$, array['high c:/windows/system32/gone.exe'], 'an ImagePath that is not there');
savepoint stale;
select fixture.host('stale', :'here', fixture.services('A|2|16|C:\windows\system32\gone.exe -s') || '{"not_seen": [{"kind": "stale_hive", "what": "SYSTEM", "count": 1}]}');
select fixture.host('stale software', :'here', fixture.services('A|2|16|C:\windows\system32\gone.exe -s') || '{"not_seen": [{"kind": "stale_hive", "what": "SOFTWARE", "count": 1}]}');
select fixture.judge();
select results_eq($$ select severity || ' ' || summary || coalesce(' ' || (evidence ->> 'registry'), '') from ops.finding where host in ('stale', 'stale software') order by host $$,
                  array['low c:/windows/system32/gone.exe is not there; service A needs it, as a registry says that is older than the host stale',
                        'high c:/windows/system32/gone.exe is not there; service A needs it'], 'what a stale registry says of a service is told as that, and is no danger');
select is((select verdict from ops.host where host = 'stale'), 'unknown', 'beside the verdict, which is unknown for it');
rollback to stale;
select results_eq($$ select * from fixture.missing('manual') $$, array['low c:/windows/system32/drivers/gone.sys', 'medium c:/windows/system32/gone.exe'],
                  'what starts on demand is less grave, and a driver of a device that may not be there least');
select is_empty($$ select * from fixture.missing('disabled') $$, 'nothing starts a disabled service');
select is_empty($$ select * from fixture.missing('elsewhere') $$, 'a folder of which nothing was collected is unknown, not empty');
select is_empty($$ select * from fixture.missing('wow') $$, 'a 32-bit service host finds its file in syswow64');
select results_eq($$ select * from fixture.missing('not redirected') $$, array['high c:/windows/system32/wow.dll'], 'a 64-bit one does not');
select is_empty($$ select * from fixture.missing('no-registry') $$, 'without a registry there are no services');
select results_eq($$ select * from fixture.missing('no-image-path') $$, array['high c:/windows/system32/drivers/beep.sys'],
                  'a driver without a path is the file of its name, a service none, and what Windows lists without a file neither');
-- What there is, of which one spelling is enough; where it may be; and what nobody looked into.
create function fixture.seen(host_name text, commands text[], more jsonb default '{}') returns uuid language sql as $$
    select fixture.host(host_name, '{"c:/windows/system32/tool.exe": "1.0.0.0", "c:/windows/system32/tool.dll.exe": "1.0.0.0", "c:/tools/far.exe": "1.0.0.0",
                                     "c:/program files/my agent/bin/agent.exe": "1.0.0.0", "c:/program files/my agent.exe tools/svc.exe": "1.0.0.0"}',
        fixture.services(variadic array(select 'S' || n || '|2|16|' || c from unnest(commands) with ordinality u (c, n)))
        || '{"search_path": ["c:/windows/system32", "c:/windows", "c:/tools"], "covered": ["c:/program files/**", "c:/tools/**", "c:/windows/*", "c:/windows/system32/**"]}' || more)
$$;
\set healthy '{%SystemRoot%\\\\system32\\\\tool -load x.dll,C:\\\\WINDOWS\\\\system32\\\\tool.dll.exe,C:\\\\Program Files\\\\My Agent.exe Tools\\\\svc.exe -x,C:\\\\PROGRA~1\\\\MYAGEN~1\\\\bin\\\\agent.exe,C:\\\\PROGRA~1\\\\MYAGEN~1\\\\bin\\\\AGENT~1.EXE,far.exe -x,tool,C:\\\\Program Files\\\\My Agent\\\\bin\\\\agent -helper helper.exe,C:\\\\WINDOWS\\\\system32\\\\tool.exe\\,-x}'
\set broken '{gone.exe,C:\\\\PROGRA~1\\\\MYAGEN~1\\\\bin\\\\gone.exe,C:\\\\Program Files\\\\No Folder\\\\gone.exe,%SystemRoot%\\\\system32\\\\gone -k,C:\\\\WINDOWS\\\\system32\\\\DriverStore\\\\FileRepository\\\\x\\\\gone.exe,C:\\\\WINDOWS\\\\Temp\\\\gone.exe}'
select fixture.seen('all there', :'healthy');
select fixture.seen('all gone', :'broken');
select fixture.seen('folder in PATH not seen', '{gone.exe,C:\\WINDOWS\\gone.exe}', '{"search_path": ["c:/elsewhere"]}');
select fixture.seen('programs behind a link', :'broken', '{"not_seen": [{"kind": "link", "what": "c:/program files", "count": 1}]}');
select fixture.seen('one is packed', '{C:\\WINDOWS\\gone.exe,C:\\WINDOWS\\System32\\gone.exe}',
                    '{"not_seen": [{"kind": "packed", "what": "c:/windows/system32/gone.exe", "count": 1}]}');
select fixture.seen('many are packed', :'broken', '{"not_seen": [{"kind": "packed", "what": "c:/windows/system32/x.exe", "count": 1}, {"kind": "packed", "what": "", "count": 900}]}');
select fixture.seen('one is a link', '{C:\\WINDOWS\\gone.exe,C:\\WINDOWS\\System32\\a b.exe -x}',
    '{"not_seen": [{"kind": "link", "what": "c:/windows/gone.exe", "count": 1}, {"kind": "link", "what": "c:/windows/system32/a.exe", "count": 1}]}');
select fixture.judge();
select is_empty($$ select * from fixture.missing('all there') $$, 'arguments, folders that look like programs, short names, the search path: no false alarm');
select results_eq($$ select * from fixture.missing('all gone') $$, array['high c:/program files/no folder/gone.exe', 'high c:/progra~1/myagen~1/bin/gone.exe',
    'high c:/windows/system32/gone.exe'], 'a folder that was looked into and is not there is empty; copies and what was not looked into are unknown');
select results_eq($$ select * from fixture.missing('folder in PATH not seen') $$, array['high c:/windows/gone.exe'], 'a bare name may lie in a folder that was not seen');
select results_eq($$ select * from fixture.missing('programs behind a link') $$, array['high c:/windows/system32/gone.exe'], 'nor is missing what a link hides');
select is_empty($$ select * from fixture.missing('one is a link') $$, 'nor what is a link itself, by any spelling that Windows tries');
select results_eq($$ select * from fixture.missing('one is packed') $$, array['high c:/windows/gone.exe'], 'nor a packed file, which Windows can read');
select is_empty($$ select * from fixture.missing('many are packed') $$, 'of many the places are not told: it may be any');
-- A file that is there twice in the fleet, and not on this host, is not made up for by another that is there twice on it.
select fixture.seen('two places', '{far.exe}');
select fixture.host('one lost', '{"c:/windows/far.exe": "1.0.0.0", "c:/tools/far.exe": "1.0.0.0", "c:/windows/system32/other.exe": "1.0.0.0"}',
    fixture.services('A|2|16|far.exe', 'B|2|16|C:\WINDOWS\system32\tool.exe') || '{"search_path": ["c:/tools"]}');
select fixture.judge();
select results_eq($$ select * from fixture.missing('one lost') $$, array['high c:/windows/system32/tool.exe'], 'one file at two places does not stand for two');
update evenkeel.host_checkin set unreadable = 3 where host_id = (select host_id from evenkeel.host where name = 'no-image');
select evenkeel.judge_hosts(array(select host_id from evenkeel.host where name = 'no-image'));
select results_eq($$ select * from fixture.missing('no-image') $$, array['low c:/windows/system32/gone.exe'], 'where entries could not be read the file may be one of them');
select fixture.host('no-image', '{"c:/windows/system32/gone.exe": "1.0.0.0"}', fixture.services('A|2|16|C:\windows\system32\gone.exe -s'));
select fixture.judge();
select is_empty($$ select * from fixture.missing('no-image') $$, 'put back, the finding closes');

-- Like hosts: the same product, level, architecture and type.
select fixture.product('web', array['RTM', 'SP1']);
select fixture.ships('web', 'RTM core.dll = 9.1.100.1', 'SP1 core.dll = 9.1.100.2');
create function fixture.web(host_name text, pack integer, without text[] default '{}', architecture text default 'x86') returns uuid language sql as $$
    select fixture.host(host_name, jsonb_build_object('c:/web/core.dll', '9.1.100.' || pack + 1, 'c:/web/asp.dll', '9.1.100.1', 'c:/web/ftp.dll', '9.1.100.1',
                                                      'c:/web/base/one.dll', '9.1.100.1', 'c:/web/base/two.dll', '9.1.100.1') - without,
                        fixture.runs(case when pack > 0 then 'Service Pack ' || pack else '' end) || jsonb_build_object('architecture', architecture, 'product_type', 'server'))
$$;
select fixture.web('web-' || n, 1) from generate_series(1, 4) n;
select fixture.web('rtm-' || n, 0) from generate_series(1, 3) n;
select fixture.web('rtm-lacks', 0, array['c:/web/ftp.dll']);
select fixture.web('lacks', 1, array['c:/web/ftp.dll']);
select fixture.web('x64', 1, array['c:/web/asp.dll'], 'AMD64');
select fixture.judge();
select fixture.refresh_peers();
select fixture.judge();
select results_eq($$ select * from fixture.missing('lacks') $$, array['medium web'], 'a file that all four other hosts have');
select is((select summary from ops.finding where host = 'lacks' and check_name = 'missing-file'),
          'The web: c:/web/ftp.dll, which all 4 other hosts at SP1 have, is not there', 'the line names file, level and how many have it');
select is((select evidence -> 'files' from ops.finding where host = 'lacks' and check_name = 'missing-file'), '[{"location": "c:/web/ftp.dll", "component": "app"}]', 'the evidence lists the files');
select is_empty($$ select * from fixture.missing('web-1') $$, 'hosts that have all are fine');
select is_empty($$ select * from fixture.missing('rtm-lacks') $$, 'three others are too few');
select is_empty($$ select * from fixture.missing('x64') $$, 'hosts of another architecture are not compared');

-- Another that reports less, or nothing that can be compared, acquits nobody.
create function fixture.learnt() returns void language plpgsql as $$
begin
    perform fixture.judge();
    perform fixture.refresh_peers();
    perform fixture.judge();
end
$$;
create function fixture.web_summary(host_name text) returns text language sql as $$
    select summary from ops.finding where host = host_name and check_name = 'missing-file'
$$;
select fixture.web('web-4', 1, array['c:/web/ftp.dll']);
select fixture.learnt();
select is(fixture.web_summary('lacks'), 'The web: c:/web/ftp.dll, which 3 of 5 hosts at SP1 have, is not there', 'one of the four reports less: the finding stays, with the counts');
create function fixture.unseen(host_name text, unseen jsonb) returns void language plpgsql as $$
begin
    update evenkeel.host_facts_current set facts = facts || jsonb_build_object('not_seen', unseen)
    where host_id = (select host_id from evenkeel.host where name = host_name);
    perform evenkeel.judge_hosts(array(select host_id from evenkeel.host where name = host_name));
end
$$;
select fixture.unseen('lacks', '[{"kind": "link", "what": "c:/web/ftp.dll", "count": 1}]');
select is(fixture.web_summary('lacks'), null, 'one that is a link may be there');
select fixture.unseen('lacks', '[{"kind": "unnameable", "what": "c:/web", "count": 1}]');
select is(fixture.web_summary('lacks'), null, 'and so may one in whose folder a name can''t be told');
select fixture.unseen('lacks', '[{"kind": "packed", "what": "c:/web/ftp.dll", "count": 1}]');
select is(fixture.web_summary('lacks'), null, 'one that Windows packed is there');
select fixture.unseen('lacks', '[{"kind": "unreadable", "what": "c:/web/ftp.dll", "count": 1}]');
select is(fixture.web_summary('lacks'), null, 'and so is one that could not be read');
select fixture.unseen('lacks', '[{"kind": "packed", "what": "c:/a/b.dll", "count": 1}, {"kind": "packed", "what": "", "count": 900}]');
select is(fixture.web_summary('lacks'), null, 'of many the places are not told, and it may be one of them');
select fixture.unseen('lacks', '[{"kind": "link", "what": "", "count": 2}]');
select is(fixture.web_summary('lacks'), null, 'likewise of links');
select fixture.unseen('lacks', '[{"kind": "packed", "what": "c:/web/ftp2.dll", "count": 1}]');
select isnt(fixture.web_summary('lacks'), null, 'another file that is packed takes nothing from it');
select fixture.unseen('lacks', '[{"kind": "link", "what": "c:/web/ftp2.dll", "count": 1}, {"kind": "unnameable", "what": "c:/web/base", "count": 1}]');
select isnt(fixture.web_summary('lacks'), null, 'another that is a link takes nothing from it');
select is(fixture.web_summary('web-4'), fixture.web_summary('lacks'), 'and it has that finding, too');
select fixture.learnt();
select is(fixture.web_summary('lacks'), fixture.web_summary('web-4'), 'also when it is learnt once more');
select fixture.web('web-4', 0);
select fixture.learnt();
select is(fixture.web_summary('lacks'), 'The web: c:/web/ftp.dll, which all 3 other hosts at SP1 have, is not there', 'one of the four says that it is at another level');
select fixture.web('web-4', 1);
select fixture.web('lacks-too', 1, array['c:/web/ftp.dll']);
select fixture.learnt();
select is(fixture.web_summary('lacks'), 'The web: c:/web/ftp.dll, which 4 of 6 hosts at SP1 have, is not there', 'one that is new does not have it, either');
select is((select (evidence ->> 'hosts') || ' of ' || (evidence ->> 'of') from ops.finding where host = 'lacks-too' and check_name = 'missing-file'), '4 of 6', 'the evidence has the counts');
select fixture.web('lacks-3', 1, array['c:/web/ftp.dll']);
select fixture.learnt();
select is_empty($$ select * from fixture.missing('lacks') union all select * from fixture.missing('lacks-too') $$,
                'where three lack it, hosts at that level are with and without it, and the findings close');
select fixture.web('some-' || n, 1, case when n > 4 then array['c:/web/ftp.dll'] else '{}' end, 'IA64') from generate_series(1, 6) n;
select fixture.learnt();
select is_empty($$ select * from fixture.missing('some-5') union all select * from fixture.missing('some-6') $$,
                'nor is it missing where two of six never had it: that is what some hosts have and others have not');
update evenkeel.setting set value = '0.4' where name = 'missing-file.others';
select fixture.learnt();
select is(fixture.web_summary('lacks'), 'The web: c:/web/ftp.dll, which 4 of 7 hosts at SP1 have, is not there', 'unless that share of its peers may');
update evenkeel.setting set value = '0.05' where name = 'missing-file.others';
select fixture.web(name, 1) from unnest(array['lacks-too', 'lacks-3']) name;
select fixture.learnt();
select results_eq($$ select * from fixture.missing('lacks') $$, array['medium web'], 'it opens again once the others are mended');
select is_empty($$ select * from fixture.missing('lacks-too') $$, 'which are then fine');

select fixture.web('no-base', 1, array['c:/web/base/one.dll', 'c:/web/base/two.dll']);
select fixture.web('lacks', 1);
select fixture.judge();
select fixture.refresh_peers();
select fixture.judge();
select is_empty($$ select * from fixture.missing('no-base') $$, 'a component of which most is not there is not installed');
select is_empty($$ select * from fixture.missing('lacks') $$, 'and a mended host is fine');
select fixture.web('web-1', 1, array['c:/web/asp.dll']);
select fixture.judge();
select results_eq($$ select * from fixture.missing('web-1') $$, array['medium web'], 'a host that loses a file is told at once, from what was learnt before');
update evenkeel.peer_refresh set refreshed_at = clock_timestamp(), took = '1 minute', judged = 1;
select is(evenkeel.learn_from_fleet(), false, 'what was learnt a moment ago is not learnt again');
update evenkeel.peer_refresh set refreshed_at = clock_timestamp() - interval '101 minutes';
do $$ begin while evenkeel.learn_from_fleet() loop end loop; end $$;
select cmp_ok((select count(*) from evenkeel.judge_queue), '>=', 1::bigint, 'after a hundred times as long as that took it is, and the hosts on which it bears are queued');

-- A host that is judged when all are counted, and before what follows from that is known.
select fixture.learnt() \g /dev/null
delete from evenkeel.peer_file where location = 'c:/web/ftp.dll';
update evenkeel.peer_group set changed = true;
select evenkeel.peers_begin() \g /dev/null
do $$ begin while evenkeel.peers_step(250) <> 'publish' loop end loop; end $$;
select fixture.web('between', 1, array['c:/web/ftp.dll']) \g /dev/null
select evenkeel.judge_queued(1000) \g /dev/null
select evenkeel.reduce_fleet(1000) \g /dev/null
select is_empty($$ select * from fixture.missing('between') $$, 'a host is judged by what is known then');
select fixture.refresh_peers() \g /dev/null
select isnt_empty($$ select from evenkeel.peer_file where location = 'c:/web/ftp.dll' $$, 'more is known');
select fixture.refresh_peers() \g /dev/null
select evenkeel.judge_queued(1000) \g /dev/null
select results_eq($$ select * from fixture.missing('between') $$, array['medium web'], 'and once it is counted, it is judged by that');

-- A host that makes the count fail keeps it from no other; many such, and it is not the hosts.
create function fixture.odd() returns trigger language plpgsql as $$
begin
    if exists (select from evenkeel.host h where h.host_id = new.host_id and h.name ~ '^odd') then
        raise exception 'what a host';
    end if;
    return new;
end $$;
create trigger odd before insert or update on evenkeel.peer_host for each row execute function fixture.odd();
create view fixture.counted as
select array_to_string(array(select h.name from evenkeel.peer_host p join evenkeel.host h using (host_id) where h.name ~ '^(odd|even)' order by 1), ' ');
select fixture.web(n, 1) from unnest(array['even-1', 'odd-1', 'even-2', 'even-3']) n \g /dev/null
select fixture.judge() \g /dev/null
select fixture.refresh_peers() \g /dev/null
select results_eq('table fixture.counted', array['even-1 even-2 even-3'], 'a host that makes the count fail keeps it from no other');
select is((select replace(object, h.host_id::text, h.name) || ' ' || error from evenkeel.not_judged_object, evenkeel.host h where h.name = 'odd-1'),
          'files of like hosts: host odd-1 what a host in peers_mark', 'and is told');
drop trigger odd on evenkeel.peer_host;
insert into evenkeel.peer_change (host_id) select host_id from evenkeel.host where name = 'odd-1';
select fixture.refresh_peers() \g /dev/null
select results_eq('table fixture.counted', array['even-1 even-2 even-3 odd-1'], 'it is counted once it can be');
select is_empty('select from evenkeel.not_judged_object', 'and not told any more');
create trigger odd before insert or update on evenkeel.peer_host for each row execute function fixture.odd();
select fixture.web('odd-' || n, 1, array['c:/web/asp.dll']) from generate_series(1, 30) n \g /dev/null
select fixture.judge() \g /dev/null
create temporary table known as select * from evenkeel.peer_file;
update evenkeel.peer_refresh set judged = 1, refreshed_at = '-infinity', levels_judged = 0;
update evenkeel.version_evidence set judged = 0;
select is(evenkeel.learn_from_fleet(), true, 'where many hosts make it fail, it is not the hosts');
select set_eq('select object from evenkeel.not_judged_object', array['files of like hosts'], 'that alone is told');
select set_eq('table evenkeel.peer_file', 'table known', 'and what was known stays');
select * from finish();
rollback;
