-- A change of the catalogue bears on hosts that have not its product, or hold none of the files that it names.
begin;
select plan(22);
\ir fixture.psql
\ir catalogue.psql
\ir imports.psql
\ir catalogue_change.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2', 'SP3']);
select fixture.ships('app', 'SP2 a.dll = 9.1.100.20', 'SP1 a.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10');
select fixture.product('tool', array['RTM', 'SP1'], false);
select fixture.ships('tool', 'SP1 t.dll = 9.1.100.9');
select fixture.host('plain', '{"c:/app/a.dll": "9.1.100.20", "c:/app/b.dll": "9.1.100.20"}', fixture.runs('Service Pack 2'));

-- Where levels are numbers, a driver of somebody else's is no file of the product's unless something names it.
insert into evenkeel.product (code, name, os_version, os_build, follows_os, level_kind, rtm_revision, source) values
    ('num', 'Numbered', '10.0', 777, true, 'cumulative update', 1, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, ubr, source)
select evenkeel.product_number('num'), o, '777.' || o, '777.' || o, o, 'test' from unnest(array[1, 100, 200]) o;
insert into evenkeel.line (product_id, build, source) values (evenkeel.product_number('num'), 777, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('num'), 'os', 'Windows', '{c:/num/*}', 'test');
select fixture.host('with a driver', '{"c:/num/a.dll": "10.0.777.100", "c:/num/own.sys": {"version": "10.0.777.150", "company": "Somebody"}}',
                    '{"current_version": "10.0", "current_build": 777, "ubr": 100}');

-- What waits for a restart is judged where it will lie.
select fixture.host('has it', '{"c:/app/a.dll": "9.1.100.20", "c:/app/b.dll": "9.1.100.20", "c:/app/late.dll": "9.1.100.5"}', fixture.runs('Service Pack 2'));
select fixture.host('waits', '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.20", "c:/temp/a.dll": "9.1.100.20", "c:/temp/1.tmp": "9.1.100.20"}',
                    fixture.runs('Service Pack 2') || '{"pending_renames": [{"from": "c:/temp/a.dll", "to": "c:/app/a.dll"},
                                                                            {"from": "c:/temp/1.tmp", "to": "c:/app/late.dll"}]}');
-- Two Windows whose files lie in the same place, and a host that holds nothing but files of the other one.
insert into evenkeel.product (code, name, os_version, os_build, follows_os, source) values
    ('old', 'Old Windows', '7.0', 7777, true, 'test'), ('new', 'New Windows', '8.0', 8888, true, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, service_pack, complete, source)
select product_id, l.ordinal, l.code, l.code, l.service_pack, true, 'test'
from evenkeel.product cross join (values (0, 'RTM', ''), (1, 'SP1', 'Service Pack 1')) l (ordinal, code, service_pack)
where product.code in ('old', 'new');
insert into evenkeel.line (product_id, build, source) select product_id, os_build, 'test' from evenkeel.product where code in ('old', 'new');
insert into evenkeel.component (product_id, code, name, include, source)
select product_id, 'os', 'System', '{c:/strange/*}', 'test' from evenkeel.product where code in ('old', 'new');
select fixture.host('of another Windows', '{"c:/strange/a.dll": "7.0.7777.100", "c:/tool/t.dll": "9.1.100.9"}',
                    '{"current_version": "8.0", "current_build": 8888, "service_pack": "Service Pack 1"}');

-- A program that is nobody's imports what is not there.
select fixture.host('imports in vain', fixture.system() || fixture.importer('c:/own/serve.exe', 'kernel32.dll', array['Missing']));

select evenkeel.catalog_refresh();
select fixture.judge();

select fixture.patch('num', 'KB5', '{}', array['own.sys 10.0.777.180']);
select fixture.changed('a patch of a driver', 'some');
select fixture.ships('app', 'SP3 late.dll = 9.1.100.20', 'SP2 late.dll = 9.1.100.10');
select fixture.changed('a statement on what waits for a restart', 'some');
insert into evenkeel.shipped_file (stem, architecture, file, products, first_ordinals, last_ordinals, revisions)
select evenkeel.version_of('8.0.8888.0') >> 16, 34404, 'a.dll', array[evenkeel.product_number('new')], '{1}', '{1}', '{100}';
select fixture.changed('a list for a Windows of which a host holds no file', 'some');
select fixture.patch('tool', 'KB6', '{}', array['serve.exe 6.0.3790.4601']);
select fixture.changed('a patch of a program that is nobody''s', 'some');
delete from evenkeel.patch where code = 'KB6';
select fixture.changed('that it is gone', 'some');

-- A level that hosts teach has a name, and of one above it something has to be newer than that, too: whom that bears on is judged at once.
select fixture.host('above', '{"c:/num/z.dll": "10.0.777.250"}', '{"current_version": "10.0", "current_build": 777, "ubr": 300}');
select fixture.host('there', '{"c:/num/z.dll": "10.0.777.240"}', '{"current_version": "10.0", "current_build": 777, "ubr": 260}');
select fixture.judge();
select fixture.knows('num', 'a.dll', 'b.dll');
select fixture.changed('names', 'some');
select count(fixture.host('teaches-' || g, jsonb_build_object('c:/num/a.dll', '10.0.777.260', 'c:/num/b.dll', '10.0.777.255',
                                                        format('c:/own/x%s.dll', g % 4), '1.0.0.0'),
                          '{"current_version": "10.0", "current_build": 777, "ubr": 260}'))
from generate_series(1, 25) g;
select fixture.judge();
select is((select count(*) from evenkeel.level where product_id = evenkeel.product_number('num') and source = 'declared by hosts'), 1::bigint,
          'a level is learned');
select fixture.changed('a level that hosts teach', 'none');

select * from finish();
rollback;
