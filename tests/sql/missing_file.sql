-- Files that are not there although a service needs them, or all like hosts have them.
begin;
select plan(41);
\ir fixture.psql
\ir catalogue.psql

-- What a command names.
select is(evenkeel.service_file('%SystemRoot%\System32\svchost.exe -k netsvcs', 'c:/windows'), 'c:/windows/system32/svchost.exe', 'arguments are cut off');
select is(evenkeel.service_file('"C:\Program Files\A B\x.exe" -a b.exe', 'c:/windows'), 'c:/program files/a b/x.exe', 'quotes hold blanks together');
select is(evenkeel.service_file('C:\Program Files\A B\x.exe /service', 'c:/windows'), 'c:/program files/a b/x.exe', 'without quotes the path ends at .exe');
select is(evenkeel.service_file('\SystemRoot\System32\drivers\tcpip.sys', 'c:/winnt'), 'c:/winnt/system32/drivers/tcpip.sys', '\SystemRoot is the Windows directory');
select is(evenkeel.service_file('\??\C:\WINDOWS\system32\x.sys', 'c:/windows'), 'c:/windows/system32/x.sys', '\??\ stands before a path');
select is(evenkeel.service_file('system32\DRIVERS\a.sys', 'd:/winnt'), 'd:/winnt/system32/drivers/a.sys', 'system32 alone is below the Windows directory');
select is(evenkeel.service_file('%SystemDrive%\a\b.dll', 'd:/winnt'), 'd:/a/b.dll', '%SystemDrive% is where Windows is');
select is(evenkeel.service_file('C:\WINDOWS\system32\svchost -k rpcss', 'c:/windows'), null, 'a name without extension could be any file');
select is(evenkeel.service_file('%SystemRoot%\system32\a.exe', ''), null, 'without the Windows directory nothing is certain');
select is(evenkeel.service_file('%ORACLE_HOME%\bin\o.exe', 'c:/windows'), null, 'nor with a variable that is not known');
select is(evenkeel.service_file('C:\PROGRA~1\a\b.exe', 'c:/windows'), null, 'nor with a short name');
select is(evenkeel.service_file('\\server\share\b.exe', 'c:/windows'), null, 'nor on a share');
select is(evenkeel.service_file('lsass.exe', 'c:/windows'), null, 'nor without a folder');
select is(evenkeel.service_file('C:\ÄA\B.EXE', 'c:/windows'), 'c:/Äa/b.exe', 'only ASCII letters are folded');

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
select fixture.host('wow', :'here', fixture.services('A|2|32|' || :'svchost' || '|%SystemRoot%\system32\wow.dll'));
select fixture.host('no-registry', :'here', null);
select fixture.host('no-image-path', :'here', fixture.services('Beep|1|1|'));
select fixture.judge();
create function fixture.missing(host_name text) returns setof text language sql as $$
    select severity || ' ' || subject from ops.finding where host = host_name and "check" = 'missing-file' order by 1
$$;
select is_empty($$ select * from fixture.missing('fine') $$, 'services whose files are there');
select results_eq($$ select * from fixture.missing('no-dll') $$, array['high c:/windows/system32/gone.dll'], 'a ServiceDll that is not there, once for all services that need it');
select is((select summary from ops.finding where host = 'no-dll'), 'c:/windows/system32/gone.dll is not there; services FTP, W3SVC need it', 'the line names file and services');
select is((select jsonb_array_length(evidence -> 'services') from ops.finding where host = 'no-dll'), 2, 'the evidence has each service');
select results_eq($$ select * from fixture.missing('no-image') $$, array['high c:/windows/system32/gone.exe'], 'an ImagePath that is not there');
select results_eq($$ select * from fixture.missing('manual') $$, array['low c:/windows/system32/drivers/gone.sys', 'medium c:/windows/system32/gone.exe'],
                  'what starts on demand is less grave, and a driver of a device that may not be there least');
select is_empty($$ select * from fixture.missing('disabled') $$, 'nothing starts a disabled service');
select is_empty($$ select * from fixture.missing('elsewhere') $$, 'a folder of which nothing was collected is unknown, not empty');
select is_empty($$ select * from fixture.missing('wow') $$, 'a 32-bit service finds its file in syswow64');
select is_empty($$ select * from fixture.missing('no-registry') $$, 'without a registry there are no services');
select is_empty($$ select * from fixture.missing('no-image-path') $$, 'a service without a path names no file');
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
select evenkeel.refresh_peers();
select fixture.judge();
select results_eq($$ select * from fixture.missing('lacks') $$, array['medium web'], 'a file that all four other hosts have');
select is((select summary from ops.finding where host = 'lacks' and "check" = 'missing-file'),
          'The web: c:/web/ftp.dll, which all 4 other hosts at SP1 have, is not there', 'the line names file, level and how many have it');
select is((select evidence -> 'files' from ops.finding where host = 'lacks' and "check" = 'missing-file'), '[{"location": "c:/web/ftp.dll", "component": "app"}]', 'the evidence lists the files');
select is_empty($$ select * from fixture.missing('web-1') $$, 'hosts that have all are fine');
select is_empty($$ select * from fixture.missing('rtm-lacks') $$, 'three others are too few');
select is_empty($$ select * from fixture.missing('x64') $$, 'hosts of another architecture are not compared');

select fixture.web('lacks-too', 1, array['c:/web/ftp.dll']);
select fixture.judge();
select evenkeel.refresh_peers();
select fixture.judge();
select is_empty($$ select * from fixture.missing('lacks') union all select * from fixture.missing('lacks-too') $$,
                'where two lack it, not every other host has it, and the finding closes');
select fixture.web('lacks-too', 1);
select fixture.judge();
select evenkeel.refresh_peers();
select fixture.judge();
select results_eq($$ select * from fixture.missing('lacks') $$, array['medium web'], 'it opens again once the other is mended');
select is_empty($$ select * from fixture.missing('lacks-too') $$, 'which is then fine');

select fixture.web('no-base', 1, array['c:/web/base/one.dll', 'c:/web/base/two.dll']);
select fixture.web('lacks', 1);
select fixture.judge();
select evenkeel.refresh_peers();
select fixture.judge();
select is_empty($$ select * from fixture.missing('no-base') $$, 'a component of which most is not there is not installed');
select is_empty($$ select * from fixture.missing('lacks') $$, 'and a mended host is fine');
select fixture.web('web-1', 1, array['c:/web/asp.dll']);
select fixture.judge();
select results_eq($$ select * from fixture.missing('web-1') $$, array['medium web'], 'a host that loses a file is told at once, from what was learnt before');
update evenkeel.peer_refresh set refreshed_at = clock_timestamp(), took = '1 minute', judged = 1;
select is(evenkeel.learn_from_fleet(), false, 'what was learnt a moment ago is not learnt again');
update evenkeel.peer_refresh set refreshed_at = clock_timestamp() - interval '101 minutes';
select evenkeel.learn_from_fleet();
select cmp_ok((select count(*) from evenkeel.judge_queue), '>=', 1::bigint, 'after a hundred times as long as that took it is, and the hosts on which it bears are queued');
select * from finish();
rollback;
