-- The check unresolved-import: what the loader would not find on a host, and what must not be said.
begin;
select plan(51);
\ir fixture.psql
\ir imports.psql

create temporary view w3wp as select fixture.dll('c:/windows/system32/inetsrv/w3wp.exe', '6.0.3790.3959', '{}') as files;

-- Names and ordinals.
select fixture.host('kb973917', fixture.system() || (table w3wp)
    || fixture.importer('c:/windows/system32/inetsrv/w3core.dll', 'IISUTIL.dll', array['PuDbgPrint', 'PuQueryChannelBinding', '#4', '#9'])
    || fixture.dll('c:/windows/system32/inetsrv/iisutil.dll', '6.0.3790.0', array['PuDbgPrint', '#4']));
select is(fixture.found('kb973917'), 'c:/windows/system32/inetsrv/w3core.dll!iisutil.dll', 'the importer and the DLL are the subject, whatever the case of its name');
select is(fixture.found('kb973917', 'severity'), 'high', 'what fails at load is high');
select is(fixture.found('kb973917', 'summary'),
    'c:/windows/system32/inetsrv/w3core.dll 6.0.3790.4601 imports iisutil.dll!PuQueryChannelBinding and 1 more, which c:/windows/system32/inetsrv/iisutil.dll 6.0.3790.0 does not export',
    'the line names importer, DLL, symbol and versions');
select is(fixture.found('kb973917', $$evidence ->> 'symbols'$$), '["PuQueryChannelBinding", "#9"]', 'names and ordinals that are exported are not among the symbols');
select is(fixture.found('kb973917', $$evidence #>> '{candidates,0,version}'$$), '6.0.3790.0', 'the DLL that would be picked is named with its version');
select fixture.host('kb973917', fixture.system() || (table w3wp)
    || fixture.importer('c:/windows/system32/inetsrv/w3core.dll', 'IISUTIL.dll', array['PuDbgPrint', 'PuQueryChannelBinding', '#4', '#9'])
    || fixture.dll('c:/windows/system32/inetsrv/iisutil.dll', '6.0.3790.3959', array['PuDbgPrint', 'PuQueryChannelBinding', '#4', '#9']));
select is(fixture.found('kb973917'), null, 'the DLL that exports all of it closes the finding');
select is((select count(*) from ops.finding_history where host = 'kb973917' and check_name = 'unresolved-import' and closed_at is not null), 1::bigint,
    'and leaves it in the history');
select fixture.host('names', fixture.system() || (table w3wp)
    || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['pudbgprint'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['PuDbgPrint']));
select is(fixture.found('names', $$evidence ->> 'symbols'$$), '["pudbgprint"]', 'names of symbols are compared with their case');

-- Forwarders.
select fixture.host('forward', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'KERNEL32.dll', array['Sleep', 'HeapAlloc', 'Modern']));
select is(fixture.found('forward'), null, 'a forwarder is followed to where it ends; one to an API set is the system''s own');
select fixture.host('forward', fixture.system() || fixture.dll('c:/windows/system32/ntdll.dll', '5.2.3790.0', array['RtlFreeHeap'])
    || fixture.importer('c:/windows/system32/a.dll', 'KERNEL32.dll', array['HeapAlloc']));
select is(fixture.found('forward', 'summary'),
    'c:/windows/system32/a.dll 6.0.3790.4601 imports kernel32.dll!HeapAlloc, which c:/windows/system32/kernel32.dll 5.2.3790.3959 forwards to ntdll.dll!RtlAllocateHeap, which c:/windows/system32/ntdll.dll 5.2.3790.0 does not export',
    'a forwarder that ends nowhere is told step by step');
select is(fixture.found('forward', $$evidence #>> '{chains,0,steps,0,to}'$$), 'ntdll.dll!RtlAllocateHeap', 'its steps are in the evidence');
select fixture.host('circle', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'KERNEL32.dll', array['Circle', 'Sleep']));
select is(fixture.found('circle', $$evidence ->> 'symbols'$$), '["Circle"]', 'what is forwarded in a circle is never resolved');
select ok(fixture.found('circle', 'summary') like '%forwards in a circle', 'and is said to be a circle');
select fixture.host('by ordinal', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['#7', 'Eight'])
    || fixture.dll('c:/windows/system32/b.dll', '1.0.0.0', array['#7=C.#2', 'Eight=C.#3']) || fixture.dll('c:/windows/system32/c.dll', '1.0.0.0', array['#2']));
select is(fixture.found('by ordinal', $$evidence ->> 'symbols'$$), '["Eight"]', 'forwarders of ordinals and to ordinals are followed');

-- Many forwarders: followed in time that grows with their number.
create function fixture.ring_of(many integer, last text) returns jsonb language sql as $$
    select jsonb_build_array(array(select format('f%s=b.%s', i, case when i < many then 'f' || i + 1 else last end) from generate_series(1, many) i))
           -> 0
$$;
create function fixture.circling(host_name text, many integer, last text, wanted text[]) returns interval language plpgsql as $$
declare
    began timestamptz := clock_timestamp();
begin
    perform fixture.host(host_name, fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', wanted)
        || fixture.dll('c:/windows/system32/b.dll', '1.0.0.0', array(select jsonb_array_elements_text(fixture.ring_of(many, last))) || 'end'::text));
    perform fixture.judge();
    return clock_timestamp() - began;
end $$;
select fixture.circling('long circle', 3000, 'f1', array(select 'f' || i from generate_series(1, 3000) i)) \g /dev/null
select is(fixture.found('long circle', $$jsonb_array_length(evidence -> 'symbols')::text$$), '3000', 'thousands of forwarders in a circle are all told');
select ok(fixture.found('long circle', 'summary') like '%forwards in a circle', 'as a circle');
select fixture.circling('long chain', 3000, 'gone', array['f1', 'f2999']) \g /dev/null
select is(fixture.found('long chain', $$evidence -> 'chains' -> 0 -> 'steps' -> -1 ->> 'lacks'$$), 'gone', 'a chain of thousands is followed to its end');
select fixture.circling('good chain', 3000, 'end', array['f1', 'f2999']) \g /dev/null
select is(fixture.found('good chain', 'summary'), null, 'and ends well where it does');

-- DLLs that are nowhere.
select fixture.host('gone', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'lost.dll', array['X', 'Y']));
select is(fixture.found('gone', 'summary'), 'c:/windows/system32/a.dll 6.0.3790.4601 needs lost.dll, which is nowhere on this host', 'a DLL that is nowhere is one finding, not one per symbol');
select fixture.host('known', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'lost.dll', array['X']), '{"known_dlls": ["lost.dll"]}');
select is(fixture.found('known'), null, 'a KnownDLL is the system''s own');
select fixture.host('partial', (table w3wp) || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'httpapi.dll', array['X']));
select is(fixture.found('partial'), null, 'an inventory without the system''s core is a partial one: what is not in it may be there');
select fixture.host('no registry', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'lost.dll', array['X']), null);
select is(fixture.found('no registry'), 'c:/windows/system32/a.dll!lost.dll', 'no registry is needed to find a DLL missing');
select fixture.host('sxs', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'msvcr80.dll', array['X'])
    || fixture.importer('c:/windows/system32/b.dll', 'comctl32.dll', array['TaskDialog']) || fixture.dll('c:/windows/system32/comctl32.dll', '5.82.0.0', array['#17']),
    '{"assemblies": ["amd64_microsoft.vc80.crt_1fc8b3b9a1e18e3b_8.0.50727.762_x-ww_6b128700", "amd64_microsoft.windows.common-controls_6595b64144ccf1df_6.0.3790.3959_x-ww_b2505ed9"]}');
select is(fixture.found('sxs'), null, 'what a side-by-side assembly may bring is not missing, be it the DLL or a symbol');
select fixture.host('sxs', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'msvcr90.dll', array['X']),
    '{"assemblies": ["amd64_microsoft.vc80.crt_1fc8b3b9a1e18e3b_8.0.50727.762_x-ww_6b128700"]}');
select is(fixture.found('sxs'), 'c:/windows/system32/a.dll!msvcr90.dll', 'an assembly of another version does not');
-- Of hosts that are judged together each has its own.
select fixture.host('sxs', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'msvcr80.dll', array['X']),
    '{"assemblies": ["amd64_microsoft.vc80.crt_1fc8b3b9a1e18e3b_8.0.50727.762_x-ww_6b128700"]}'),
    fixture.host('no sxs', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'msvcr80.dll', array['X'])) \g /dev/null
select is(fixture.found('no sxs'), 'c:/windows/system32/a.dll!msvcr80.dll', 'another host''s assemblies bring nothing here');
select fixture.host('api sets', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'api-ms-win-core-file-l1-1-0.dll', array['CreateFileW'])
    || fixture.importer('c:/windows/system32/b.dll', 'ext-ms-win-ntuser-dialogbox-l1-1-0.dll', array['X']));
select is(fixture.found('api sets'), null, 'API sets are never missing');
select fixture.host('elsewhere', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'tool.dll', array['X']) || fixture.dll('c:/tools/tool.dll', '1.0.0.0', array['X']));
select is(fixture.found('elsewhere'), null, 'a DLL that lies where no rule looks is not nowhere');

-- Delay imports.
select fixture.host('delay', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'kernel32.dll', array['Later'], true));
select is(fixture.found('delay', $$severity || ' ' || (evidence ->> 'delay')$$), 'medium true', 'a delay import is marked as such, and fails only when called');
select fixture.host('delay', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'lost.dll', array['Later'], true));
select is(fixture.found('delay', 'summary'), 'c:/windows/system32/a.dll 6.0.3790.4601 would load lost.dll, which is nowhere on this host', 'likewise a DLL that is loaded later');

-- Where the loader looks.
select fixture.host('own first', fixture.system() || (table w3wp) || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['Y']) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['X']));
select is(fixture.found('own first', $$severity || ' ' || (evidence ->> 'definite') || ' ' || (evidence #>> '{candidates,0,path}')$$),
    'high true c:/windows/system32/inetsrv/b.dll', 'in a program''s folder its own DLL is picked, surely');
select fixture.host('unknown program', fixture.system() || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['Y']) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['X']));
select is(fixture.found('unknown program', $$severity || ' ' || (evidence ->> 'definite')$$), 'medium false', 'without a program there it may be either DLL');
select is(fixture.found('unknown program', 'summary'),
    'c:/windows/system32/inetsrv/a.dll 6.0.3790.4601 may call b.dll!X, which c:/windows/system32/inetsrv/b.dll 1.0.0.0 does not export (c:/windows/system32/b.dll 2.0.0.0 does: it depends on the program that loads it)',
    'and both are named');
select fixture.host('unknown program', fixture.system() || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['Y']) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['Z']));
select is(fixture.found('unknown program', $$severity || ' ' || (evidence ->> 'definite')$$), 'high true', 'where all candidates lack it the answer is definite');
select fixture.host('unknown program', fixture.system() || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['Either', 'Neither'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['Either']) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['Y']));
select matches(fixture.found('unknown program', 'summary'), ' imports b\.dll!Neither and 1 more, which ', 'what surely fails is named before what may');
select is(fixture.found('unknown program', $$evidence ->> 'symbols'$$), '["Neither", "Either"]', 'and stands before it');
select fixture.host('unknown program', fixture.system() || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['X']));
select is(fixture.found('unknown program'), null, 'a DLL that lies beside the importer alone is found there');
select fixture.host('known first', fixture.system() || (table w3wp) || fixture.importer('c:/windows/system32/inetsrv/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/system32/inetsrv/b.dll', '1.0.0.0', array['Y']) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['X']), '{"known_dlls": ["b.dll"]}');
select is(fixture.found('known first'), null, 'a KnownDLL comes from the system folder, whatever lies beside the program');
select fixture.host('order', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/b.dll', '1.0.0.0', array['X']) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['Y']));
select is(fixture.found('order', $$evidence #>> '{candidates,0,path}'$$), 'c:/windows/system32/b.dll', 'the system folder comes before the Windows folder');
select fixture.host('order', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X']) || fixture.dll('c:/windows/b.dll', '1.0.0.0', array['X']));
select is(fixture.found('order'), null, 'the Windows folder is looked at');
select fixture.host('path', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/second/b.dll', '1.0.0.0', array['X']) || fixture.dll('c:/first/b.dll', '2.0.0.0', array['Y']), '{"search_path": ["c:/windows/system32", "c:/first/", "c:/second"]}');
select is(fixture.found('path', $$evidence #>> '{candidates,0,path}'$$), 'c:/first/b.dll', 'PATH is looked at in its order');
select fixture.host('winnt', fixture.system(folder => 'c:/winnt/system32') || fixture.importer('c:/winnt/system32/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/winnt/system32/b.dll', '2.0.0.0', array['Y']), '{"windows_directory": "c:/winnt"}');
select is(fixture.found('winnt'), 'c:/winnt/system32/a.dll!b.dll', 'the Windows folder may be called otherwise');

-- Machines.
select fixture.host('wow64', fixture.system() || fixture.system(332, 'c:/windows/syswow64') || fixture.importer('c:/windows/syswow64/a.dll', 'b.dll', array['X'], machine => 332)
    || fixture.dll('c:/windows/syswow64/b.dll', '1.0.0.0', array['X'], 332) || fixture.dll('c:/windows/system32/b.dll', '2.0.0.0', array['Y'])
    || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X']), '{"architecture": "AMD64"}');
select is(fixture.found('wow64', $$subject || ' ' || (evidence #>> '{candidates,0,path}')$$), 'c:/windows/system32/a.dll!b.dll c:/windows/system32/b.dll',
    '32-bit files load from SysWOW64, 64-bit ones from system32');

-- What can't be judged, and what is not to be.
select fixture.host('no symbols', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X']) || fixture.dll('c:/windows/system32/b.dll', '7.7.7.7', '{}'));
update evenkeel.image set has_symbols = false where file_version = evenkeel.version_of('7.7.7.7');
select is(fixture.found('no symbols'), null, 'nothing is said of exports that were not read');
select fixture.image('5.2.3790.7777');
update evenkeel.image set has_symbols = false where file_version = evenkeel.version_of('5.2.3790.7777');
select fixture.host('blind', fixture.system() || '{"c:/windows/system32/user32.dll": "5.2.3790.7777", "c:/elsewhere/user32.dll": "5.2.3790.7777"}');
select fixture.judge();
select is((select array_agg(h.name || ' ' || b.files) from evenkeel.blind_hosts(null) b join evenkeel.host h using (host_id)), array['blind 1'],
          'a host that has component files whose symbols were left out is told, and how many; files of no component do not count');
select is((select count(*) from evenkeel.blind_hosts(array(select host_id from evenkeel.host where name = 'no symbols'))), 0::bigint, 'of one that is named no other is');
update evenkeel.image set has_symbols = true, defects = evenkeel.pe_defect_imports() where file_version = evenkeel.version_of('5.2.3790.7777');
insert into evenkeel.unjudged_file select f.file_id from evenkeel.file f join evenkeel.image i using (image_id)
where i.file_version = evenkeel.version_of('5.2.3790.7777');
insert into evenkeel.unjudged_chunk select chunk_id from evenkeel.chunk;
select fixture.judge();
select is((select array_agg(h.name || ' ' || b.files) from evenkeel.blind_hosts(null) b join evenkeel.host h using (host_id)), array['blind 1'],
          'and so is one of whose component files the imports are damaged');
select fixture.host('damaged', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X']) || fixture.dll('c:/windows/system32/b.dll', '7.7.7.8', '{}'));
update evenkeel.image set defects = evenkeel.pe_defect_optional_header() where file_version = evenkeel.version_of('7.7.7.8');
select is(fixture.found('damaged'), null, 'nothing is said of exports that could not be read');
select fixture.host('damaged behind', fixture.system() || fixture.importer('c:/windows/system32/a.dll', 'b.dll', array['X'])
    || fixture.dll('c:/windows/system32/b.dll', '7.7.7.6', array['X']) || fixture.dll('c:/windows/system32/c.dll', '7.7.7.5', '{}'));
update evenkeel.image set forwarders = '{X=c.Y}' where file_version = evenkeel.version_of('7.7.7.6');
update evenkeel.image set defects = evenkeel.pe_defect_exports() where file_version = evenkeel.version_of('7.7.7.5');
select is(fixture.found('damaged behind'), null, 'nor where a forwarder leads to such');
select fixture.host('foreign', fixture.system() || fixture.importer('c:/program files/x/a.dll', 'kernel32.dll', array['X']));
select is(fixture.found('foreign'), null, 'files of no component are not judged');
insert into evenkeel.patch (code, product_id, source) select 'KB1', product_id, 'test' from evenkeel.product where code = 'windows-2003';
insert into evenkeel.patch_file (patch_id, file, version) select patch_id, 'a.dll', evenkeel.version_of('6.0.3790.4601') from evenkeel.patch where code = 'KB1';
select fixture.host('foreign', fixture.system() || fixture.importer('c:/program files/x/a.dll', 'kernel32.dll', array['X', 'Sleep']));
select is(fixture.found('foreign'), 'c:/program files/x/a.dll!kernel32.dll', 'files of a patch are, wherever they lie');
create temporary table before as select (select count(*) from evenkeel.import_need) + (select count(*) from evenkeel.import_pair) + (select count(*) from evenkeel.chunk_imports) as n;
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host;
select fixture.judge();
select is((select (select count(*) from evenkeel.import_need) + (select count(*) from evenkeel.import_pair) + (select count(*) from evenkeel.chunk_imports)),
          (select n from before), 'judging again computes nothing anew');
select * from finish();
rollback;
