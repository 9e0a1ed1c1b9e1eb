-- What a collector did not see of a host reaches its verdict: drives and folders that were not there, files whose path another one has,
-- lists that were cut.
begin;
select plan(37);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.product('side', array['RTM', 'SP1', 'SP2'], false);
select fixture.product('plug', array['RTM'], false);
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('plug'), 'deep', 'Deep', '{c:/plugs/**/bin/**/fine/*}', 'test');
update evenkeel.product set os_version = '5.2' where code = 'app';
select fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20');
select fixture.ships('side', 'SP1 s.dll = 9.1.100.10', 'SP2 s.dll = 9.1.100.20');
select fixture.payload('side', 'KB1', jsonb_build_object('s.dll', fixture.pe('9.1.100.31')));
select evenkeel.catalog_refresh();

-- A host at SP2, b.dll at another build if that is given, of which that was not seen.
create function fixture.unseen(host_name text, kind text, what text, b text default '9.1.100.20', more jsonb default '{}') returns uuid language sql as $$
    select fixture.host(host_name, jsonb_build_object('c:/app/a.dll', '9.1.100.20', 'c:/app/b.dll', b) || more,
                        fixture.runs('Service Pack 2') || jsonb_build_object('current_version', '5.2', 'windows_directory', 'c:/windows', 'not_seen',
                            case when kind = '' then '[]' else jsonb_build_array(jsonb_build_object('kind', kind, 'what', what, 'count', 1)) end))
$$;
create function fixture.said(host_name text) returns text language sql as $$
    select concat_ws(': ', verdict, nullif(missing, '')) from ops.host where host = host_name
$$;
select fixture.unseen('whole', '', '');
select fixture.unseen('other drive', 'other_drive', 'd:');
select fixture.unseen('mixed other drive', 'other_drive', 'd:', '9.1.100.10');
select fixture.unseen('mixed', '', '', '9.1.100.10');
select fixture.unseen('no windows', 'no_folder', 'd:/windows');
select fixture.unseen('twin here', 'same_path', 'c:/app/b.dll');
select fixture.unseen('twin elsewhere', 'same_path', 'c:/tools/b.dll', more => '{"c:/tools/b.dll": "1.0.0.0"}');
select fixture.unseen('twin beside', 'same_path', 'c:/side/s.dll', more => '{"c:/side/s.dll": "9.1.100.20"}');
select fixture.unseen('mixed twin', 'same_path', 'c:/app/b.dll', '9.1.100.10');
select fixture.unseen('cut renames', 'cut', 'pending_renames');
select fixture.unseen('cut services', 'cut', 'services');
select fixture.unseen('cut name', 'cut', 'product_name');
select fixture.unseen('cut start', 'cut', 'services.start');
select fixture.unseen('packed', 'packed', 'c:/tools/x.dll', more => '{"c:/side/s.dll": "9.1.100.20"}');
select fixture.unseen('later collector', 'unknown', 'c:/app');
select fixture.unseen('mixed packed', 'packed', 'c:/tools/x.dll', '9.1.100.10');
select fixture.unseen('no services', 'no_key', 'Services');
select fixture.unseen('no manager', 'no_key', 'Session Manager', more => '{"c:/side/s.dll": "9.1.100.20"}');
select fixture.unseen('side', '', '', more => '{"c:/side/s.dll": "9.1.100.20"}');
select fixture.unseen('side no services', 'no_key', 'Services', more => '{"c:/side/s.dll": "9.1.100.20"}');
-- Of a link the path alone is told, and which folders were looked through.
select fixture.host('link ' || what, jsonb_build_object('c:/app/a.dll', '9.1.100.20', 'c:/app/b.dll', '9.1.100.20'),
                    fixture.runs('Service Pack 2') || jsonb_build_object('current_version', '5.2', 'windows_directory', 'c:/windows',
                        'covered', '["c:/program files/**", "c:/plugs/**", "c:/tools/*", "c:/app/**", "c:/side/**"]'::jsonb,
                        'not_seen', jsonb_build_array(jsonb_build_object('kind', kind, 'what', what, 'count', 1))))
from (values ('link', 'c:/program files/gemeinsame dateien'), ('link', 'c:/program files'), ('link', 'c:/data'), ('link', 'c:/side'), ('link', 'c:/side/s.dll'), ('link', 'c:/plugs/a/b/c/d/e'),
             ('unnameable', 'c:/tools/old'), ('link', 'c:/tools/s.dll')) v (kind, what) \g /dev/null
-- Of what could not be read its place, and how much that is.
select fixture.host(name, jsonb_build_object('c:/app/a.dll', '9.1.100.20', 'c:/app/b.dll', '9.1.100.20', 'c:/side/s.dll', '9.1.100.20'),
                    fixture.runs('Service Pack 2') || jsonb_build_object('current_version', '5.2', 'windows_directory', 'c:/windows',
                        'covered', '["c:/program files/**", "c:/tools/*", "c:/app/**", "c:/side/**"]'::jsonb,
                        'not_seen', jsonb_build_array(jsonb_build_object('kind', 'unreadable', 'what', what, 'count', 1))))
from (values ('unread of others', 'c:/program files/tool/tool.exe'), ('unread here', 'c:/app/c.dll'), ('unread folder', 'c:/program files'),
             ('unread and more', 'c:/tools/x.exe'), ('unread somewhere', '')) v (name, what) \g /dev/null
update evenkeel.host_checkin set unreadable = 1 + (name = 'unread and more')::integer from evenkeel.host where host.host_id = host_checkin.host_id and name like 'unread %';
select fixture.judge();

select is((select array_agg(host order by host) from ops.host where host like 'unread %' and verdict = 'level'), '{unread of others}',
          'a program that could not be read decides no level where no product has anything');
select is((select count(*) from ops.host where host like 'unread %' and verdict = 'unknown' and missing like '_ program% of its disk could not be read:%'), 4::bigint,
          'any other does, and such whose place is not told');
select matches(fixture.risk('KB1', 'unread of others'), '^unknown: .*could not be read', 'and no patch is safe there: it may need what that takes away');
select is((select array_agg(host order by host) from ops.host where host like 'link %' and verdict = 'level'),
          '{link c:/program files/gemeinsame dateien,link c:/tools/old,link c:/tools/s.dll}', 'a link behind which no product has anything decides no level');
select is((select array_agg(host order by host) from ops.host where host like 'link %' and verdict = 'unknown'),
          '{link c:/data,link c:/plugs/a/b/c/d/e,link c:/program files,link c:/side,link c:/side/s.dll}', 'one in the place of a folder that is looked through, or of a product''s, does');
select ok((select bool_and(not_seen <> '') from ops.host where host like 'link %'), 'each is told');

select is(fixture.said('whole'), 'level', 'a host that was seen whole');
select is(fixture.said('other drive'), 'unknown: drive d:, which the registry names, was not given (--root, --drive)',
          'a drive that was not given may hold what is behind');
select is(fixture.said('mixed other drive'), 'mixed: drive d:, which the registry names, was not given (--root, --drive)', 'but what is proven mixed stays so');
select is(fixture.said('no windows'), 'unknown: the folder of d:/windows was not found', 'its own Windows may be');

select is(fixture.said('twin here'), 'unknown: 1 more of the folded path c:/app/b.dll', 'a file in whose place another was passed over leaves its product open');
select is(fixture.said('mixed twin'), 'mixed: 1 more of the folded path c:/app/b.dll', 'which the older of them may have decided');
select is(fixture.said('twin elsewhere'), 'level', 'one of no product none');
select is((select array_agg(host || ' ' || unassigned order by host) from ops.host where host in ('twin elsewhere', 'whole', 'twin beside')),
          '{twin beside 0,twin elsewhere 1,whole 0}', 'files of no product that the host has are counted');
select results_eq($$ select p.code, v.verdict from evenkeel.host_product v join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
                     where h.name = 'twin beside' order by 1 $$, $$ values ('app', 'level'), ('side', 'unknown') $$, 'and one of another product that one alone');

select is(fixture.said('cut renames'), 'unknown: 1 of pending_renames over the limit', 'a list that was cut may lack what is wrong');
select matches(fixture.said('cut services'), '^unknown: ', 'whichever a check goes through');
select is(fixture.said('packed'), 'unknown: c:/tools/x.dll is packed by Windows (CompactOS, deduplication), which what its disk was mounted with can''t read: '
          'run the collector on the host, or mount the disk with what can (NTFS in evenkeel-collector(1))', 'a program that only Windows can read, with what helps');
select is(fixture.said('later collector'), 'unknown: its collector tells what this aggregator does not know (upgrade it): c:/app', 'a kind that only later collectors have');
select matches(fixture.said('mixed packed'), '^mixed: ', 'what is proven mixed stays so');
select matches(fixture.risk('KB1', 'packed'), '^unknown: .*packed by Windows', 'and no patch is safe there');
select is(evenkeel.not_seen_text('{"not_seen": [{"kind": "packed", "what": "", "count": 900}, {"kind": "packed", "what": "c:/a/b.dll", "count": 1}]}'),
          '901 programs are packed by Windows (CompactOS, deduplication), which what its disk was mounted with can''t read: '
          'run the collector on the host, or mount the disk with what can (NTFS in evenkeel-collector(1)) (c:/a/b.dll, ...)', 'many are told in one');
select is(fixture.said('cut name'), 'level', 'a name may be cut');
select is(fixture.said('cut start'), 'level', 'and a number that nothing can be');

select is((select format('%s: %s', verdict, not_seen) from ops.host where host = 'no services'),
          'level: the registry that was read has no key ''Services'': export HKEY_LOCAL_MACHINE\SYSTEM, too', 'an export of parts is told, and decides no level');
select is(array[fixture.risk('KB1', 'side'), fixture.risk('KB1', 'side no services')], array['safe: 1 file replaced', 'safe: 1 file replaced'],
          'nor what a patch does');
select is(fixture.risk('KB1', 'no manager'), 'unknown: the registry that was read has no key ''Session Manager'': export HKEY_LOCAL_MACHINE\SYSTEM, too',
          'but no patch is safe where it is not known whether a restart is waited for, and where programs look for DLLs');
select is(evenkeel.not_seen_text('{"not_seen": [{"kind": "no_key", "what": "Services", "count": 1}, {"kind": "no_key", "what": "Session Manager", "count": 1}]}'),
          'the registry that was read lacks HKEY_LOCAL_MACHINE\SYSTEM, or parts of it: export it, too (Services, ...)', 'both are said in one');

select results_eq($$ select host, check_code, says, files from evenkeel.shown_unanswered(null) where host in ('whole', 'no services', 'no manager', 'cut start') order by 1 $$,
                  $$ values ('no manager', 'pending-reboot', 'the registry that was read has no key ''Session Manager'': export HKEY_LOCAL_MACHINE\SYSTEM, too', null::bigint),
                            ('no services', 'missing-file', 'the registry that was read has no key ''Services'': export HKEY_LOCAL_MACHINE\SYSTEM, too', null) $$,
                  'the check that goes by such a key has no answer there');
select is((select count(*) from evenkeel.shown_unanswered(array(select host_id from evenkeel.host where name = 'whole'))), 0::bigint, 'of one that is named no other is told');

-- What is not there may lie where nobody looked.
select is(fixture.risk('KB1', 'whole'), 'not applicable: another product: The side is not here', 'another product is not here where all was seen');
select matches(fixture.risk('KB1', 'other drive'), '^unknown: which products are here is not known', 'it may lie on a drive that was not given');
select is(fixture.risk('KB1', 'mixed'), 'not applicable: another product: The side is not here', 'nor is it where one is mixed');
select matches(fixture.risk('KB1', 'mixed other drive'), '^unknown: which products are here is not known', 'whether or not another product is mixed');

-- A DLL that nobody has may be of an assembly that was left out.
create function fixture.lacking(host_name text, unseen jsonb, path text default '[]') returns uuid language sql as $$
    select fixture.host(host_name, '{"c:/windows/system32/kernel32.dll": "5.2.3790.1", "c:/windows/system32/ntdll.dll": "5.2.3790.1"}'::jsonb
        || jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('lost.dll', 'X')), 'c:/app/b.dll', '9.1.100.20'),
        fixture.runs('Service Pack 2') || jsonb_build_object('current_version', '5.2', 'windows_directory', 'c:/windows', 'search_path', path::jsonb, 'not_seen', unseen))
$$;
select fixture.lacking('assemblies', '[]');
select fixture.lacking('assemblies cut', '[{"kind": "cut", "what": "assemblies", "count": 9}]');
select fixture.lacking('path', '[]', '["c:/lib/tools", "d:/lib"]');
select fixture.lacking('path linked', '[{"kind": "link", "what": "c:/lib", "count": 1}]', '["c:/lib/tools"]');
select fixture.lacking('path elsewhere', '[{"kind": "other_drive", "what": "d:", "count": 1}]', '["c:/lib/tools", "d:/lib"]');
select fixture.lacking('path cut', '[{"kind": "cut", "what": "search_path", "count": 2}]');
select fixture.lacking('path not exported', '[{"kind": "no_key", "what": "Session Manager", "count": 1}]');
select fixture.lacking('path exported', '[{"kind": "no_key", "what": "Services", "count": 1}]');
select fixture.lacking('path out of date', '[{"kind": "stale_hive", "what": "SYSTEM", "count": 1}]');
select fixture.lacking('path linked file', '[{"kind": "link", "what": "c:/app/lost.dll", "count": 1}]');
select fixture.lacking('path linked other file', '[{"kind": "link", "what": "c:/app/notlost.dll", "count": 1}]');
select fixture.lacking('path packed', '[{"kind": "packed", "what": "c:/app/lost.dll", "count": 1}]');
select fixture.lacking('path many links', '[{"kind": "link", "what": "", "count": 3}]');
select fixture.lacking('path not linked', '[{"kind": "link", "what": "c:/library", "count": 1}]', '["c:/lib/tools"]');
select fixture.judge();
select results_eq($$ select host, check_name from ops.finding where host like 'assemblies%' and check_name = 'unresolved-import' order by 1 $$,
                  $$ values ('assemblies', 'unresolved-import') $$, 'what is nowhere is missed, unless assemblies were left out, one of which may bring it');

select results_eq($$ select host from ops.finding where host like 'path%' and check_name = 'unresolved-import' order by 1 $$,
                  array['path', 'path exported', 'path linked other file', 'path not linked'],
                  'or programs look for it behind a link, on a drive that was not given, or where the registry does not tell, or it is a link itself, or packed');

-- Nor is it known which one is loaded, where a DLL of that name was passed over.
select fixture.host(name, jsonb_build_object('c:/windows/system32/kernel32.dll', '5.2.3790.1', 'c:/windows/system32/ntdll.dll', '5.2.3790.1',
                                             'c:/windows/system32/have.dll', fixture.pe('1.0.0.0', '{Y}'),
                                             'c:/app/a.dll', fixture.pe('9.1.100.20', '{}', fixture.wants('have.dll', 'X')), 'c:/app/b.dll', '9.1.100.20'),
                    fixture.runs('Service Pack 2') || jsonb_build_object('current_version', '5.2', 'windows_directory', 'c:/windows',
                        'not_seen', jsonb_build_array(jsonb_build_object('kind', kind, 'what', what, 'count', 1))))
from (values ('symbol packed', 'packed', 'c:/app/have.dll'), ('symbol link', 'link', 'c:/app/have.dll'), ('symbol other', 'packed', 'c:/app/other.dll')) v (name, kind, what) \g /dev/null
select fixture.judge();
select results_eq($$ select host from ops.finding where host like 'symbol%' and check_name = 'unresolved-import' $$, array['symbol other'],
                  'a symbol that one DLL lacks may be in another of its name that was passed over');

select * from finish();
rollback;
