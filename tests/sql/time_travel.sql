-- What a host held, what changed on it, where a version comes from: the questions that README answers with SQL.
begin;
select plan(37);
\ir fixture.psql

delete from evenkeel.baseline;
delete from evenkeel.patch;
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('windows-2003'), o, 'iisutil.dll', '=', evenkeel.version_of(6, 0, 3790, r), 'captured', 'golden'
from (values (0, 0), (1, 1830), (2, 3959)) v (o, r);
insert into evenkeel.patch (code, product_id, title, released, source)
select c, evenkeel.product_number('windows-2003'), t, d::date, 'test'
from (values ('KB1', 'the first', '2009-01-01'), ('KB2', 'the second', '2009-12-08')) v (c, t, d);
insert into evenkeel.patch_file (patch_id, file, version)
select patch_id, 'w3core.dll', evenkeel.version_of(case code when 'KB1' then '6.0.3790.4100' else '6.0.3790.4611' end) from evenkeel.patch;

-- Lets days pass for all that is known of hosts.
create function fixture.days(n integer) returns void language sql as $$
    update evenkeel.host_inventory_past set valid_from = valid_from - make_interval(days => n), valid_to = valid_to - make_interval(days => n);
    update evenkeel.host_inventory_current set valid_from = valid_from - make_interval(days => n);
    update evenkeel.host_facts_past set valid_from = valid_from - make_interval(days => n), valid_to = valid_to - make_interval(days => n);
    update evenkeel.host_facts_current set valid_from = valid_from - make_interval(days => n);
    update evenkeel.host_product_history set valid_from = valid_from - make_interval(days => n), valid_to = valid_to - make_interval(days => n);
$$;

select fixture.host('web-17', '{"c:/windows/system32/inetsrv/iisutil.dll": "6.0.3790.1830", "c:/windows/system32/inetsrv/w3core.dll": "6.0.3790.4100",
    "c:/windows/system32/gone.dll": "1.0.0.0"}',
    '{"service_pack": "Service Pack 1", "current_version": "5.2", "current_build": 3790, "machine_guid": "old", "services": [{"name": "W3SVC", "start": 2}]}');
select fixture.judge();
select fixture.days(10);
select fixture.host('web-17', '{"c:/windows/system32/inetsrv/iisutil.dll": "6.0.3790.3959", "c:/windows/system32/inetsrv/w3core.dll": "6.0.3790.4611",
    "c:/windows/system32/new.dll": "2.0.0.0"}',
    '{"service_pack": "Service Pack 2", "current_version": "5.2", "current_build": 3790, "machine_guid": "new", "hotfixes": [{"id": "KB2"}],
      "services": [{"name": "W3SVC", "start": 4}]}');
select fixture.judge();
select fixture.days(5);
select fixture.host('web-17', '{"c:/windows/system32/inetsrv/iisutil.dll": "6.0.3790.3959", "c:/windows/system32/inetsrv/w3core.dll": "6.0.3790.4100",
    "c:/windows/system32/new.dll": "2.0.0.0"}', '{"service_pack": "Service Pack 2", "current_version": "5.2", "current_build": 3790, "machine_guid": "new"}');
select fixture.host('web-18', '{"c:/windows/system32/inetsrv/iisutil.dll": "6.0.3790.0"}',
    '{"current_version": "5.2", "current_build": 3790}');
select fixture.judge();

select is((select file_version from ops.host_file_at('web-17', now() - interval '12 days') where path like '%/iisutil.dll'), '6.0.3790.1830',
    'twelve days ago the file was the old one');
select is((select count(*) from ops.host_file_at('web-17', now() - interval '12 days') where path like '%/new.dll'), 0::bigint,
    'what came later was not there');
select is((select file_version from ops.host_file_at('web-17', now() - interval '2 days') where path like '%/w3core.dll'), '6.0.3790.4611',
    'two days ago the patch was in');
select set_eq($$ select path, file_version from ops.host_file_at('web-17', clock_timestamp()) $$,
    $$ select path, file_version from ops.host_file where host = 'web-17' $$, 'at this moment it is what ops.host_file shows');
select is_empty($$ select * from ops.host_file_at('web-17', now() - interval '1 year') $$, 'before its first snapshot nothing is known');
select throws_like($$ select * from ops.host_file_at('web-71', now()) $$, 'there is no host ''web-71''', 'a misspelt host is an error, not an empty answer');
select throws_like(format('select * from ops.%s', call), 'there is no host ''web-71''', 'nor is one for a time or in a question that has no rows: ' || call)
from unnest(array['host_file_at(''web-71'', ''1990-01-01'')', 'host_facts_at(''web-71'', ''1990-01-01'')',
                  'changes(''web-71'', now() + interval ''1 year'')']) c (call);
select is((select valid_to from ops.host_file_at('web-17', clock_timestamp()) limit 1), null::timestamptz, 'what holds now has no end');
select is((select facts ->> 'machine_guid' from ops.host_facts_at('web-17', now() - interval '12 days')), 'old', 'facts of that day');

select results_eq($$ select what, old, new, direction, known_as from ops.changes('web-17', now() - interval '1 day') where kind = 'file' $$,
    $$ values ('c:/windows/system32/inetsrv/w3core.dll', '6.0.3790.4611', '6.0.3790.4100', 'older', 'KB1') $$,
    'a file that fell back is told with both versions and as older');
select results_eq($$ select what, direction from ops.changes('web-17', now() - interval '7 days') where kind = 'file' and changed_at < now() - interval '1 day' order by what $$,
    $$ values ('c:/windows/system32/gone.dll', 'removed'), ('c:/windows/system32/inetsrv/iisutil.dll', 'newer'),
              ('c:/windows/system32/inetsrv/w3core.dll', 'newer'), ('c:/windows/system32/new.dll', 'added') $$,
    'changes since a day are told step by step, each kind by its name');
select set_eq($$ select known_as from ops.changes('web-17', now() - interval '7 days') where kind = 'file' and direction = 'newer' $$,
    $$ values ('Windows Server 2003 SP2'), ('KB2') $$, 'the level or patch that is known to bring a version is named');
select results_eq($$ select what, old, new from ops.changes('web-17', now() - interval '7 days') where kind = 'fact' and changed_at < now() - interval '1 day' order by what $$,
    $$ values ('hotfix KB2', null, 'there'), ('machine_guid', 'old', 'new'), ('service W3SVC', 'start=2', 'start=4'),
              ('service_pack', 'Service Pack 1', 'Service Pack 2') $$, 'facts change item by item');
select is_empty($$ select * from ops.changes('web-17', now() + interval '1 minute') $$, 'nothing changed since just now');
select results_eq($$ select what from ops.changes('web-18', now() - interval '1 day') $$, $$ values ('first snapshot') $$,
    'a host that is new is told as that, not as a thousand new files');

select results_eq($$ select relation, kind, code from ops.version_origin('w3core.dll', '6.0.3790.4611') $$,
    $$ values ('exactly', 'patch', 'KB2'), ('before', 'patch', 'KB1') $$, 'the patch that introduced a version, and the one before');
select results_eq($$ select relation, code from ops.version_origin('W3CORE.DLL', '6.0.3790.4200') $$,
    $$ values ('before', 'KB1'), ('after', 'KB2') $$, 'a version that nobody brings lies between two that are known');
select results_eq($$ select relation, kind, code from ops.version_origin('iisutil.dll', '6.0.3790.1830') where relation = 'exactly' $$,
    $$ values ('exactly', 'level', 'SP1') $$, 'a level introduces versions too');
insert into evenkeel.patch_file (patch_id, file, version)
select patch_id, '%windir%/system32/inetsrv/w3core.dll', evenkeel.version_of('6.0.3790.4611') from evenkeel.patch where code = 'KB2';
select results_eq($$ select relation, kind, code from ops.version_origin('w3core.dll', '6.0.3790.4611') $$,
    $$ values ('exactly', 'patch', 'KB2'), ('before', 'patch', 'KB1') $$, 'a patch that tells of two places is told once');
select is_empty($$ select * from ops.version_origin('%', '1.0.0.0') $$, 'a file''s name is a name, not a pattern');

select results_eq($$ select host, file_version from ops.file_holders('iisutil.dll') $$,
    $$ values ('web-17', '6.0.3790.3959'), ('web-18', '6.0.3790.0') $$, 'which hosts hold a file');
select results_eq($$ select host, level_range from ops.file_holders('iisutil.dll', 'SP2') $$, $$ values ('web-18', 'RTM') $$,
    'which hosts hold it below SP2');
select throws_like($$ select * from ops.file_holders('iisutil.dll', below_level => 'SP9') $$, 'no product has a level ''SP9''; there are %',
    'a level that is none is an error, not nobody below it');
select lives_ok($$ select * from ops.file_holders('iisutil.dll', 'sp2') $$, 'levels are named without regard to case');

select fixture.days(1);
select is((select sum(hosts)::bigint from ops.level_history(30) where night < now() - interval '12 days' and night > now() - interval '13 days'), 1::bigint,
    'twelve nights ago there was one host');
select is((select count(distinct night) from ops.level_history(30) where night < now() - interval '17 days'), 0::bigint,
    'before the first snapshot there is nothing to count');
select is((select sum(hosts)::bigint from ops.level_history(30) where night > now() - interval '1 second'), 2::bigint, 'now there are two');
select is((select count(*) from ops.mixed_history(30)), 31::bigint, 'thirty nights and now');
select results_eq($$ select distinct night < (select min(valid_from) from evenkeel.host_product_history), hosts is null from ops.mixed_history(30) order by 1 $$,
    $$ values (false, false), (true, true) $$, 'the nights before the first verdict are unknown, not without mixed hosts');
select is((select count(*) from evenkeel.host_product_history where valid_to = 'infinity'), (select count(*) from evenkeel.host_product),
    'every verdict of now stands in the history as open');

select is(ops.moment('monday'), date_trunc('week', now() - interval '1 day'), 'monday is the last one before today');
-- Each day's name, asked for on each day of a week that begins on Monday, 2026-06-01.
select is_empty($$
    select today, day
    from generate_series(timestamptz '2026-06-01 09:30', '2026-06-07 09:30', '1 day') today
    cross join unnest(array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']) with ordinality d (day, isodow)
    cross join lateral evenkeel.moment_at(day, today) m (moment)
    where moment <> date_trunc('day', moment) or extract(isodow from moment) <> isodow
       or date_trunc('day', today) - moment not between interval '1 day' and interval '7 days'
$$, 'whatever day it is, a day is the start of the last one of that name before today');
select is(evenkeel.moment_at('Monday ', '2026-06-01 00:00'), timestamptz '2026-05-25 00:00', 'on a Monday that is a week ago');
select is(evenkeel.moment_at('2 hours ago', '2026-06-01 00:30'), timestamptz '2026-05-31 22:30', 'what is relative goes by that clock');
select throws_like($$ select ops.moment('soon') $$, '''soon'' is no time: write%', 'what is no time is said, with what is one');
select * from finish();
rollback;
