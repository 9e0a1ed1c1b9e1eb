-- Lists of cumulative updates: which product and level they are of, and what is stored of them. The order of imports leaves no trace.
begin;
select plan(44);
\ir fixture.psql

create function fixture.ubr(build integer, ubr integer) returns jsonb language sql as $$
    select jsonb_build_object('has_registry', true, 'current_version', '10.0', 'current_build', build, 'has_ubr', true, 'ubr', ubr,
                              'product_type', 'server')
$$;
-- A list of an update: 'SECTION REVISION NAME'; section 0 is x64, 1 arm64, 2 the servicing stack, 3 x86, 4 .NET, 5 Defender.
create function fixture.list(doc integer, number integer, build integer, variadic files text[])
returns void language plpgsql as $$
begin
    insert into kb_file (doc, path, article, number, is_list) values (doc, number || '.csv', 'KB' || number, number, true);
    insert into kb_section values (doc, 0, 1, 'x64-based', 'x64'), (doc, 1, 50, 'arm64-based', 'arm64'), (doc, 2, 80, 'SSU x64-based', 'x64'),
                                  (doc, 3, 90, 'x86-based', 'x86'), (doc, 4, 95, '.NET Framework 3.5 and 4.7.2 x64-based', 'x64'),
                                  (doc, 5, 97, 'Microsoft Defender Antivirus x64-based', 'x64');
    insert into list_row (doc, line, section, dated, version, size, file)
    select doc, 2 + ord, w[1]::integer, '2024-07-06', evenkeel.version_of('10.0.' || build || '.' || w[2]), 1024, lower(w[3])
    from unnest(files) with ordinality f (line, ord) cross join string_to_array(f.line, ' ') w;
end $$;
create function fixture.begin_import() returns void language plpgsql as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    drop table if exists kb_file, kb_section, kb_row, kb_requirement, kb_corrected, kb_told, kb_placed, kb_article_product, kb_patch, kb_needed,
        kb_bound, list_row, list_build, list_beside, list_stem, list_level, list_part, list_double;
    perform evenkeel.kb_stage();
    perform evenkeel.catalog_stage();
    delete from stage_list_change;
end $$;
create function fixture.import(level text default null) returns setof text language sql as $$
    select sentence from evenkeel.kb_import(null, level) where severity <> 1 order by doc, severity, sentence
$$;
-- All that is stored, with levels by their numbers.
create function fixture.stored(product text, architecture integer default 34404) returns setof text language sql as $$
    select format('%s %s %s..%s', file, evenkeel.version_revision(version), first_ordinal, last_ordinal)
    from evenkeel.shipped s where s.product_id = evenkeel.product_number(product) and s.architecture = stored.architecture order by 1
$$;

-- 17763.6054 and 17763.5820 are updates that the catalogue knows by their articles; the newer one first.
select fixture.begin_import();
select fixture.list(0, 5040430, 17763, '0 6054 A.dll', '0 5820 B.dll', '0 1490 Old.dll', '1 5933 A.dll', '2 6110 Stack.dll');
select results_eq($$ select * from fixture.import() $$,
    array['windows-10-1809 17763.6054, 3 files, 0 as before, for arm64 and x64 (as its article tells)',
          'windows-2019 17763.6054, 3 files, 0 as before, for arm64 and x64 (as its article tells)'],
    'a list is of the level of its article, for the client and the server that share it');
select results_eq($$ select * from fixture.stored('windows-2019') $$, array['a.dll 6054 6054..6054', 'b.dll 5820 6054..6054', 'old.dll 1490 6054..6054'],
    'what it names is shipped by its level');
select is_empty($$ select from evenkeel.shipped where file = 'stack.dll' $$, 'the servicing stack''s files are of no level');
select results_eq($$ select * from fixture.stored('windows-2019', 43620) $$, array['a.dll 5933 6054..6054'], 'a section''s files are of its architecture');
select results_eq($$ select distinct machine from evenkeel.statement where file = 'b.dll' and product_id = evenkeel.product_number('windows-2019') order by 1 $$,
    array[332, 34404], 'an x64 list speaks of the 32-bit files beside, too');
select is((select complete from evenkeel.level where product_id = evenkeel.product_number('windows-2019') and ordinal = 6054), true,
          'its level is complete');
select is((select level_ordinal from evenkeel.patch where code = 'KB5040430' and product_id = evenkeel.product_number('windows-2019')), 6054,
          'the list is a patch');
select results_eq($$ select distinct source from evenkeel.statement where file = 'b.dll' $$, array['KB5040430'], 'its statements name the article');

select fixture.begin_import();
select fixture.list(0, 5037765, 17763, '0 5820 A.dll', '0 5820 B.dll', '0 1490 Old.dll');
select results_eq($$ select * from fixture.import() $$,
    array['windows-10-1809 17763.5820, 3 files, 0 as before, for x64 (as its article tells)',
          'windows-2019 17763.5820, 3 files, 0 as before, for x64 (as its article tells)'], 'a level imported later takes its place');
select results_eq($$ select * from fixture.stored('windows-2019') $$,
    array['a.dll 5820 5820..5820', 'a.dll 6054 6054..6054', 'b.dll 5820 5820..6054', 'old.dll 1490 5820..6054'],
    'a file that both levels ship alike is stored once');

-- One between them takes an interval apart; a name with two builds is an interval of both.
select fixture.begin_import();
select fixture.list(0, 5039217, 17763, '0 5936 A.dll', '0 5820 B.dll', '0 5936 B.dll');
select results_eq($$ select * from fixture.import() where import like 'windows-2019%' $$,
    array['windows-2019 17763.5936, 2 files, 0 as before, for x64 (as its article tells)'], 'a list between two others');
create temporary table in_this_order as select * from fixture.stored('windows-2019');
select results_eq('table in_this_order',
    array['a.dll 5820 5820..5820', 'a.dll 5936 5936..5936', 'a.dll 6054 6054..6054', 'b.dll 5820 5820..5820', 'b.dll 5820 5936..5936',
          'b.dll 5820 6054..6054', 'b.dll 5936 5936..5936', 'old.dll 1490 5820..5820', 'old.dll 1490 6054..6054'],
    'ends what it contradicts, and begins anew behind it');
select fixture.begin_import();
select fixture.list(0, 5039217, 17763, '0 5936 A.dll', '0 5820 B.dll', '0 5936 B.dll');
select results_eq($$ select * from fixture.import() where import like 'windows-2019%' $$,
    array['windows-2019 17763.5936, 2 files, 0 as before, for x64 (as its article tells)'], 'the same list again');
select is((select changed from evenkeel.catalog_merge() where table_name = 'lists'), 0::bigint, 'changes nothing');

-- All orders of three lists, by themselves and at once, store the same.
create function fixture.in_order(variadic lists integer[]) returns setof text language plpgsql as $$
begin
    delete from evenkeel.level_list; delete from evenkeel.shipped_file;
    for i in 1 .. cardinality(lists) loop
        perform fixture.begin_import();
        perform case lists[i]
            when 1 then fixture.list(0, 5037765, 17763, '0 5820 A.dll', '0 5820 B.dll', '0 1490 Old.dll')
            when 2 then fixture.list(0, 5039217, 17763, '0 5936 A.dll', '0 5820 B.dll', '0 5936 B.dll')
            else fixture.list(0, 5040430, 17763, '0 6054 A.dll', '0 5820 B.dll', '0 1490 Old.dll') end;
        perform fixture.import();
    end loop;
    return query select * from fixture.stored('windows-2019');
end $$;
select results_eq(format('select * from fixture.in_order(%s)', o), 'table in_this_order', format('in the order %s', o))
from unnest(array['1, 2, 3', '2, 1, 3', '3, 2, 1', '2, 3, 1']) o;

-- A list is removed by its article; what the others say joins again.
select is(evenkeel.catalog_remove('KB5039217'), 2::bigint, 'a list can be removed by its article');
select results_eq($$ select * from fixture.stored('windows-2019') $$,
    array['a.dll 5820 5820..5820', 'a.dll 6054 6054..6054', 'b.dll 5820 5820..6054', 'old.dll 1490 5820..6054'], 'and leaves what the others say');
select is((select complete from evenkeel.level where product_id = evenkeel.product_number('windows-2019') and ordinal = 5936), false,
          'its level is complete no more');
select throws_like($$ select evenkeel.catalog_remove('KB1') $$, '%nothing in the catalogue is from ''KB1''%', 'what nothing is from can''t be removed');

-- A level is of a list, and of no article.
select fixture.begin_import();
select throws_like($$ select evenkeel.kb_import('windows-2019', '17763.6054') $$, 'a level is named for a list (CSV), and there is none',
    'a level that is named without a list is refused');
select throws_like($$ select evenkeel.kb_import(null, '17763.6054') $$, 'a level is named for a list (CSV), and there is none',
    'with and without a product');
select is_empty($$ select evenkeel.kb_import('windows-2019', null) $$, 'where none is named there need be no list');

-- Two lists that claim one level.
select fixture.begin_import();
select fixture.list(0, 5090001, 17763, '0 9200 A.dll');
select fixture.list(1, 5090002, 17763, '0 9200 A.dll');
select results_eq($$ select distinct left(import, position(':' in import) - 1) from fixture.import() order by 1 $$,
    array['KB5090001 claims windows-10-1809 17763.9200 for x64, and so does KB5090002', 'KB5090002 claims windows-10-1809 17763.9200 for x64, and so does KB5090001'],
    'two lists that claim one level are refused, and both are named');
select is_empty($$ select from evenkeel.level_list where ordinal = 9200 $$, 'and neither is taken');

-- .NET's and Defender's updates have lists with a few files of Windows' version in them: they claim no level of Windows.
select fixture.begin_import();
select fixture.list(0, 5090010, 17763, '4 9300 Netfx.dll', '5 9300 Mpengine.dll');
select is_empty($$ select s from fixture.import() s where s ~ '17763' $$, 'a list of .NET or Defender is of no level of Windows');
select is_empty($$ select from evenkeel.level_list where ordinal = 9300 $$, 'and stores nothing of one');
select set_eq($$ select sentence from kb_told where severity = 1 and sentence ~ '(NET Framework|Defender), which' $$,
    array['''.NET Framework 3.5 and 4.7.2 x64-based'' is .NET Framework, which has levels of its own: 1 file left out',
          '''Microsoft Defender Antivirus x64-based'' is Defender, which has levels of its own: 1 file left out'], 'which is told');

-- A list that names files newer than its article's update is another's.
select fixture.begin_import();
select fixture.list(0, 5039217, 17763, '0 5936 A.dll', '0 5937 B.dll');
select results_eq($$ select sentence from evenkeel.kb_import('windows-2019', null) where line = 0 order by severity $$,
    array['windows-2019 17763.5937, 2 files, 0 as before, for x64 (the highest revision in it)',
          'KB5039217 is 17763.5936, but the list names files of 17763.5937: it is taken for that level'],
    'a list that names newer files than its article''s update is taken for another level, and that is told');

-- Client and server of one build with articles of their own, by the section's words where the catalogue knows neither.
select fixture.begin_import();
select fixture.list(0, 5090003, 26100, '0 9500 A.dll');
update kb_section set banner = 'Windows Server 2025 LCU x64-based' where doc = 0;
select results_eq($$ select * from fixture.import() $$, array['windows-2025 26100.9500, 1 file, 0 as before, for x64 (the highest revision in it)'],
    'a list whose words name a server is of no client');
select fixture.begin_import();
select fixture.list(0, 5090004, 19041, '0 9000 A.dll', '0 1 B.dll');
update kb_section set banner = 'Windows 10, version 22H2 LCU x64-based' where doc = 0;
select results_eq($$ select * from fixture.import() $$, array['windows-10-2004 19041.9000, 2 files, 0 as before, for x64 (the highest revision in it)'],
    'builds that share their files are one product');
select is((select code from evenkeel.level where product_id = evenkeel.product_number('windows-10-2004') and ordinal = 9000), '19041.9000',
          'and a level that the catalogue lacks is made');

-- What a client and a server ship alike is stored once, for as long as it is so.
create function fixture.rows_of(name text) returns setof text language sql as $$
    select format('%s: %s', (select string_agg(p.code, ' ' order by p.code) from evenkeel.product p where p.product_id = any (s.products)),
                  array_to_string(s.revisions, ' '))
    from evenkeel.shipped_file s where s.file = name order by 1
$$;
create function fixture.list_of(number integer, banner text, variadic files text[]) returns setof text language plpgsql as $$
begin
    perform fixture.begin_import();
    perform fixture.list(0, number, 17763, variadic files);
    update kb_section set banner = list_of.banner where doc = 0;
    return query select * from fixture.import();
end $$;
select fixture.list_of(5090021, 'Windows 10, version 1809 and Windows Server 2019 LCU x64-based', '0 9410 C.dll', '0 9409 C.dll', '0 9408 C.dll', '0 9410 D.dll');
select results_eq($$ select fixture.rows_of('c.dll') $$, array['windows-10-1809 windows-2019: 9408 9409 9410'], 'a client and a server share a row, all builds of a name in it');
select fixture.list_of(5090022, 'Windows Server 2019 LCU x64-based', '0 9420 C.dll', '0 9410 D.dll');
select results_eq($$ select fixture.rows_of('c.dll') $$, array['windows-10-1809: 9408 9409 9410', 'windows-2019: 9408 9409 9410 9420'],
    'a list of the server''s alone parts them');
select results_eq($$ select * from fixture.stored('windows-2019') s where s ~ '^d' $$, array['d.dll 9410 9410..9420'], 'it goes on from what they shared');
select results_eq($$ select * from fixture.stored('windows-10-1809') s where s ~ '^[cd]' $$,
    array['c.dll 9408 9410..9410', 'c.dll 9409 9410..9410', 'c.dll 9410 9410..9410', 'd.dll 9410 9410..9410'], 'the client''s stays as it was');
select fixture.list_of(5090023, 'Windows 10, version 1809 LCU x64-based', '0 9420 C.dll', '0 9410 D.dll');
select results_eq($$ select fixture.rows_of('c.dll') $$, array['windows-10-1809 windows-2019: 9408 9409 9410 9420'], 'the same list for the client joins them again');
select is(evenkeel.catalog_remove('KB5090022', 'windows-2019'), 2::bigint, 'a list can be removed for one of them');
select results_eq($$ select fixture.rows_of('c.dll') $$, array['windows-10-1809: 9408 9409 9410 9420', 'windows-2019: 9408 9409 9410'], 'and the other keeps it');

-- An instance of a product has its product's, and none once it is gone.
insert into evenkeel.product (code, name, level_kind, source, unit_of, unit)
select 'windows-2019/one', 'one', p.level_kind, '', p.product_id, 'one' from evenkeel.product p where p.code = 'windows-2019';
select evenkeel.refresh_units_of(array[evenkeel.product_number('windows-2019/one')]);
select results_eq($$ select * from fixture.stored('windows-2019/one') $$, $$ select * from fixture.stored('windows-2019') $$, 'an instance has its product''s files');
select evenkeel.catalog_remove('KB5090021');
select evenkeel.refresh_units_of(array[evenkeel.product_number('windows-2019/one')]);
select results_eq($$ select fixture.rows_of('c.dll') $$, array['windows-10-1809: 9420'], 'a list that is removed is the instance''s no more');
update evenkeel.product set unit_of = null where code = 'windows-2019/one';
select evenkeel.refresh_units_of(array[evenkeel.product_number('windows-2019/one')]);
select is_empty($$ select from fixture.stored('windows-2019/one') $$, 'what is no instance has nothing of it');

select * from finish();
rollback;
