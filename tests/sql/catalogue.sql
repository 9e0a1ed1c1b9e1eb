-- The shipped catalogue on hosts of the incidents, and what an import believes of articles and lists.
begin;
select plan(39);
\ir fixture.psql

create function fixture.windows(version text, build integer, service_pack text, variadic hotfixes text[] default '{}')
returns jsonb language sql as $$
    select jsonb_build_object('has_registry', true, 'current_version', version, 'current_build', build, 'service_pack', service_pack,
               'windows_directory', 'c:/winnt', 'hotfixes', coalesce((select jsonb_agg(jsonb_build_object('id', h, 'source', 'hotfix') order by h)
                                                                      from unnest(hotfixes) h where h <> ''), '[]'))
$$;
-- The files of a patch's table as they lie on a host.
create function fixture.patched(patch text, product text) returns jsonb language sql as $$
    select jsonb_object_agg('c:/winnt/system32/' || f.file, evenkeel.version_text(f.version))
    from evenkeel.patch t join evenkeel.patch_file f using (patch_id)
    where t.code = patch and t.product_id = evenkeel.product_number(product) and f.version is not null
$$;
create function fixture.verdict(host_name text, product text) returns text language sql as $$
    select concat_ws(' ', s.verdict, evenkeel.level_range_text(s.product_id, s.levels))
    from evenkeel.host_product s join evenkeel.host h using (host_id)
    where h.name = host_name and s.product_id = evenkeel.product_number(product)
$$;

-- Windows 2000: 884872, and a file of an older hotfix put back.
select is((select count(*) from evenkeel.patch_file f join evenkeel.patch t using (patch_id) where t.code = 'KB884872'), 42::bigint,
          '884872''s table has 42 names');
select is((select array_agg(l.code) from evenkeel.patch t join evenkeel.level l on l.product_id = t.product_id and l.ordinal = any (t.required_levels)
           where t.code = 'KB884872'), array['SP3'], '884872 needs Service Pack 3');
select fixture.host('sp3-patched', fixture.patched('KB884872', 'windows-2000') || '{"c:/winnt/system32/inetsrv/w3svc.dll": "5.0.2195.5871"}',
                    fixture.windows('5.0', 2195, 'Service Pack 3', 'KB884872'));
select fixture.host('sp3-put-back', fixture.patched('KB884872', 'windows-2000') || '{"c:/winnt/system32/inetsrv/w3svc.dll": "5.0.2195.3649"}',
                    fixture.windows('5.0', 2195, 'Service Pack 3', 'KB884872'));
select fixture.host('sp4', '{"c:/winnt/system32/gdi32.dll": "5.0.2195.6660", "c:/winnt/system32/msv1_0.dll": "5.0.2195.6680",
                             "c:/winnt/system32/netlogon.dll": "5.0.2195.6695", "c:/winnt/system32/advapi32.dll": "5.0.2195.6710",
                             "c:/winnt/system32/kernel32.dll": "5.0.2195.6688", "c:/winnt/system32/lsasrv.dll": "5.0.2195.6695"}',
                    fixture.windows('5.0', 2195, 'Service Pack 4'));
select fixture.host('sp4-listed', '{"c:/winnt/system32/gdi32.dll": "5.0.2195.6660", "c:/winnt/system32/msv1_0.dll": "5.0.2195.6680",
                             "c:/winnt/system32/netlogon.dll": "5.0.2195.6695", "c:/winnt/system32/advapi32.dll": "5.0.2195.6710",
                             "c:/winnt/system32/kernel32.dll": "5.0.2195.6688", "c:/winnt/system32/lsasrv.dll": "5.0.2195.6695"}',
                    fixture.windows('5.0', 2195, 'Service Pack 4', 'Q884872'));
select fixture.judge();
select is(fixture.verdict('sp3-patched', 'windows-2000'), 'unknown SP3', 'with nothing but a patch''s table Windows 2000 SP3 is unknown: it could not be caught being behind');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select t.product_id, 3, f.file, '<=', f.version, 'captured', 'host golden' from evenkeel.patch t join evenkeel.patch_file f using (patch_id)
where t.code = 'KB884872' and f.version is not null
union all select evenkeel.product_number('windows-2000'), 3, 'w3svc.dll', '<=', evenkeel.version_of('5.0.2195.5871'), 'captured', 'host golden'
on conflict do nothing;
select evenkeel.catalog_refresh(), fixture.judge();
select is(fixture.verdict('sp3-patched', 'windows-2000'), 'level SP3', 'once a host like it was captured, Windows 2000 SP3 with 884872 installed is level');
select is_empty($$ select * from fixture.findings('sp3-patched') $$, 'and nothing is found on it');
select is(fixture.verdict('sp3-put-back', 'windows-2000'), 'mixed none', 'with a DLL of an SP1-era hotfix put back on SP3 it is mixed');
select matches((select summary from ops.finding where host = 'sp3-put-back' and check_name = 'mixed-level'),
               'w3svc\.dll 5\.0\.2195\.3649 is at most SP2', 'and the DLL is named, with the level that it is at most');
select is_empty($$ select * from fixture.findings('sp4') where findings like 'partial-patch%' $$,
                'an SP4 host whose own files stand in 884872''s table has no partial patch');
select isnt_empty($$ select * from fixture.findings('sp4-listed') where findings = 'partial-patch KB884872' $$,
                  'the same files are a partial patch where the registry lists it');

-- Where nothing is proven the answer is unknown.
select fixture.host('sp4-plain', '{"c:/winnt/system32/services.exe": "5.0.2195.6700"}', fixture.windows('5.0', 2195, 'Service Pack 4'));
-- Windows NT 4.0 and its Terminal Server Edition.
select fixture.host('nt4', '{"c:/winnt/system32/ntoskrnl.exe": "4.0.1381.335", "c:/winnt/system32/inetsrv/w3svc.dll": "4.2.720.1",
                             "c:/winnt/system32/inetsrv/iislog.dll": "4.2.622.1"}', fixture.windows('4.0', 1381, 'Service Pack 6', 'Q246009'));
select fixture.host('tse', '{"c:/wtsrv/system32/ntoskrnl.exe": "4.0.1381.33500", "c:/wtsrv/system32/win32k.sys": "4.0.1381.33500"}',
                    fixture.windows('4.0', 1381, 'Service Pack 6'));
select fixture.judge();
select is(fixture.verdict('sp4-plain', 'windows-2000'), 'unknown SP4', 'files that no baseline knows leave the verdict unknown');
select is(fixture.verdict('nt4', 'windows-nt-4.0-tse'), null, 'a plain NT 4.0 host is not judged as a Terminal Server');
select is(fixture.verdict('tse', 'windows-nt-4.0'), null, 'a Terminal Server''s files are not compared with NT 4.0''s');
select matches(fixture.verdict('tse', 'windows-nt-4.0-tse'), '^unknown', 'they are Terminal Server''s, of which nothing is known');
select is(fixture.verdict('nt4', 'windows-nt-4.0'), 'mixed none', 'Iislog.dll below the build that SP4 ships is older than the declared SP6a');
select is((select evenkeel.level_range_text(product_id, declared) from evenkeel.host_product s join evenkeel.host h using (host_id)
           where h.name = 'nt4'), 'SP6a', 'Q246009 tells SP6a from SP6');

-- Codes, machines and branches.
select is(evenkeel.kb_code(294774), 'Q294774', 'hotfixes of 2001 are listed as Q');
select is(evenkeel.kb_code(884872), 'KB884872', 'those of 2004 as KB');
select is(evenkeel.patch_number('Q884872'), evenkeel.patch_number('KB884872'), 'but they are the same by number');
select is(evenkeel.kb_machine(p), m, format('platform ''%s'' is %s', p, coalesce(m, 'no machine')))
from (values ('Intel', 'x86'), ('i386', 'x86'), ('ALPHA', 'alpha'), ('amd64', 'x64'), ('Windows 95', null)) x (p, m);
select is(evenkeel.kb_branch('Windows Server 2003 SP2QFE'), 'SP2QFE', 'a section names its branch');
select is(evenkeel.kb_branch('x86'), '', 'a platform is no branch');

select evenkeel.catalog_stage();

-- What an import believes. A table of the test: article, date, version, file, platform.
create function fixture.article(doc integer, number integer, product text, service_pack text, variadic files text[])
returns void language plpgsql as $$
begin
    insert into kb_file values (doc, 'Q' || number || '.TXT', 'Q' || number, number, false);
    if service_pack <> '' then
        insert into kb_corrected values (doc, 90, product, service_pack);
    end if;
    insert into kb_row (doc, line, table_number, dated, version, printed, size, file, platform)
    select doc, 9 + ord, 0, w[1], case when w[2] ~ '^\d+\.\d+(\.\d+){0,2}$' then evenkeel.version_of(w[2]) end, w[2], null, w[3], coalesce(w[4], '')
    from unnest(files) with ordinality f (line, ord) cross join string_to_array(f.line, ' ') w;
end $$;
create function fixture.bounds(patch text) returns setof text language sql as $$
    select concat_ws(' ', product, level, relation, file, version) from stage_baselines where source = patch order by 1
$$;
select evenkeel.kb_stage();
select fixture.article(0, 100001, 'Windows 2000', 'SP3', '2001-05-31 5.0.2195.3649 c:\winnt\system32\New.dll', '2001-03-01 5.0.2195.3100 Early.dll',
                       '2002-08-15 5.0.2195.6002 Late.dll', ' 5.0.2195.4000 Undated.dll');
select fixture.article(1, 100002, 'Windows NT 4.0', 'SP5', '2001-02-01 4.0.1381.33539 Ts.dll', '2001-02-01 5.0.2195.3000 Other.dll');
select fixture.article(2, 100003, '', '', '2001-07-20 5.0.2195.35 Cut.dll', '2001-07-20 5.0.2195.3536 Whole.dll', '2001-07-20 4.00 Shown.dll');
select fixture.article(3, 100004, '', '', '2001-09-01 4.2.1671.1 W3svc.dll Intel', '2001-09-01 4.2.765.1 Asp.dll Intel', '2001-09-01 - Readme.txt');
select fixture.article(4, 100005, '', '', '2001-09-01 1.2.3.4 Foreign.dll');
insert into kb_requirement values (2, 40, '', 'SP1;SP2', false), (3, 41, 'Windows NT 4.0', 'SP5', true), (3, 42, 'Windows NT 4.0', 'SP7', false),
                                  (4, 43, 'Exchange Server 5.5', 'SP4', false);
create temporary table told as select * from evenkeel.kb_import(null, null);
select results_eq($$ select * from fixture.bounds('Q100001') $$,
    array['windows-2000 SP2 <= new.dll 5.0.2195.3649', 'windows-2000 SP3 >= early.dll 5.0.2195.3100', 'windows-2000 SP3 >= new.dll 5.0.2195.3649'],
    'bounds follow from files dated not after the pack; the level before has at most what was made after it');
select results_eq($$ select sentence from told where doc = 0 and severity = 1 $$,
    array['first corrected in windows-2000 SP3 is not believed of 2 of its files, dated after its release on 2002-07-29 or not dated'],
    'what is not believed is told');
select is_empty($$ select * from fixture.bounds('Q100002') $$, 'a statement on one product bounds no files of another that stand in the article');
select results_eq($$ select product from stage_patches where code = 'Q100002' order by 1 $$, array['windows-2000', 'windows-nt-4.0-tse'],
    'each file goes to the product whose line its version is on');
select is((select version from stage_patch_files where patch = 'Q100003' and file = 'cut.dll'), null, 'a revision cut off in print is no version');
select is((select version from stage_patch_files where patch = 'Q100003' and file = 'shown.dll'), null, 'nor is a string of two numbers');
select is((select version from stage_patch_files where patch = 'Q100003' and file = 'whole.dll'), '5.0.2195.3536', 'their neighbour is');
select is((select required_levels from stage_patches where code = 'Q100003'), 'SP1|SP2', 'a requirement without a product is the article''s only one''s');
select is((select required_levels from stage_patches where code = 'Q100004'), 'SP5|SP6|SP6a', 'SP5 or later are all levels from SP5 on');
select matches((select sentence from told where doc = 3 and line = 42), 'SP7, which is no level of windows-nt-4.0', 'a level that is none is told');
select results_eq($$ select file || coalesce(' ' || machine, '') from stage_patch_files where patch = 'Q100004' order by 1 $$, array['asp.dll x86', 'readme.txt'],
    'another line under a familiar prefix is left out, a file without version stays with its table');
select is((select line from told where doc = 3 and sentence like 'w3svc.dll 4.2.1671.1%'), 10, 'and is told by its line');
select results_eq($$ select sentence from told where doc = 4 $$, array['nothing taken: no version in its table is on the line of a product of the catalogue'],
    'an article of no product is taken nothing of');
select is((select contained_in from stage_patches where code = 'Q100001'), null, 'a patch with files made after the pack is not contained in it');

select * from finish();
rollback;
