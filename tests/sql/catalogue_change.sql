-- A change of the catalogue judges again whom it touches, and leaves everything as if all had been judged again; others it leaves alone.
begin;
select plan(36);
\ir fixture.psql
\ir catalogue.psql
\ir random_fleet.psql

select fixture.random_fleet(0.43, 3, 25, 2);
select fixture.product('other', array['RTM', 'SP1'], false);
select fixture.ships('other', 'SP1 z.dll = 9.1.100.9');
select fixture.host('of the other', '{"c:/other/z.dll": "9.1.100.9", "c:/other/y.dll": "9.1.100.9"}', fixture.runs('Service Pack 1'));
select fixture.host('alone with e', '{"c:/app/e.dll": "9.1.100.20", "c:/app/a.dll": "9.1.100.20"}', fixture.runs('Service Pack 2', 'KB77'));
select evenkeel.catalog_refresh();
select fixture.judge();

\ir catalogue_change.psql
select fixture.changed('nothing', 'none');
update evenkeel.baseline set editions = '{1}' where source = 'test';
select fixture.changed('an edition', 'none');
select fixture.ships('other', 'RTM y.dll = 9.1.100.3');
select fixture.changed('a statement on a file of one host', 'few');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select p.product_id, 1, 'c:/app/e.dll', '<=', evenkeel.version_of('9.1.100.20'), 'captured', 'host x' from evenkeel.product p where p.code = 'app';
select fixture.changed('a capture of one place', 'some');
delete from evenkeel.baseline where source = 'host x';
select fixture.changed('what is taken out again', 'some');
update evenkeel.level set name = 'The first' where (product_id, ordinal) = (evenkeel.product_number('other'), 1);
select fixture.changed('a name of a level', 'some');
select fixture.patch('other', 'KB88', array['SP1'], array['y.dll 9.1.100.11']);
select fixture.changed('a patch', 'some');
insert into evenkeel.patch_file (patch_id, file, version) select patch_id, 'z.dll', evenkeel.version_of('9.1.100.9') from evenkeel.patch where code = 'KB88';
select fixture.changed('a file of a patch', 'some');
select fixture.knows('other', 'y.dll');
select fixture.changed('a known name', 'few');
insert into evenkeel.level_rule (product_id, ordinal, relation, revision, source) values (evenkeel.product_number('other'), 1, '>=', 8, 'test');
select fixture.changed('a rule', 'some');
update evenkeel.component set include = include || array['c:/nowhere/*'] where product_id = evenkeel.product_number('other') and code = 'app';
select fixture.changed('a component', 'all');
update evenkeel.product set coverage_share = 0.9 where code = 'app';
select fixture.changed('a product', 'all');

select * from finish();
rollback;
