-- Files of another Windows where a product's own should lie, and registries that do not say which Windows it is.
begin;
select plan(8);
\ir fixture.psql

insert into evenkeel.product (code, name, os_version, os_build, follows_os, source) values
    ('old', 'Old Windows', '7.0', 7777, true, 'test'), ('new', 'New Windows', '8.0', 8888, true, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, service_pack, source)
select product_id, l.ordinal, l.code, l.code, l.service_pack, 'test'
from evenkeel.product cross join (values (0, 'RTM', ''), (1, 'SP1', 'Service Pack 1')) l (ordinal, code, service_pack)
where product.code in ('old', 'new');
insert into evenkeel.line (product_id, build, source)
select product_id, os_build, 'test' from evenkeel.product where code in ('old', 'new');
insert into evenkeel.component (product_id, code, name, include, source)
select product_id, 'os', 'System', '{c:/strange/*}', 'test' from evenkeel.product where code in ('old', 'new');
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select p.product_id, 1, f.file, '=', evenkeel.version_of(f.version), 'captured', 'test'
from evenkeel.product p
join (values ('old', 'a.dll', '7.0.7777.100'), ('old', 'b.dll', '7.0.7777.100'), ('new', 'a.dll', '8.0.8888.100'), ('new', 'b.dll', '8.0.8888.100'),
             ('new', 'c.dll', '8.0.8888.100')) f (code, file, version) on f.code = p.code;

create function fixture.runs(version text, build integer) returns jsonb language sql
as $$ select jsonb_build_object('current_version', version, 'current_build', build, 'service_pack', 'Service Pack 1') $$;
create function fixture.verdict(host_name text, product_code text) returns text language sql as $$
    select hp.verdict from evenkeel.host_product hp join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
    where h.name = host_name and p.code = product_code
$$;

select fixture.host('whole', '{"c:/strange/a.dll": "8.0.8888.100", "c:/strange/b.dll": "8.0.8888.100"}', fixture.runs('8.0', 8888));
select fixture.host('put-back', '{"c:/strange/a.dll": "8.0.8888.100", "c:/strange/b.dll": "7.0.7777.100"}', fixture.runs('8.0', 8888));
select fixture.host('ahead', '{"c:/strange/a.dll": "7.0.7777.100", "c:/strange/b.dll": "8.0.8888.100"}', fixture.runs('7.0', 7777));
select fixture.host('keyless', '{"c:/strange/a.dll": "8.0.8888.100", "c:/strange/b.dll": "8.0.8888.100"}', '{"computer_name": "keyless"}');
select fixture.judge();

select is(fixture.verdict('whole', 'new'), 'level', 'a host of its own files is level');
select is(fixture.verdict('put-back', 'new'), 'mixed', 'an older Windows'' file in the place of a product''s own makes the host mixed');
select is((select lower_file || ' is ' || lower_level from ops.mixed_level where host = 'put-back'), 'c:/strange/b.dll is RTM',
          'and it is the file that is named, below the first level that is known to ship another');
select is((select files_to_move from ops.mixed_level where host = 'put-back'), 1, 'it is the one to move');
select is(fixture.verdict('ahead', 'old'), 'unknown', 'of a newer Windows'' file nothing is known, and it counts as a gap');
select is(fixture.verdict('keyless', 'new'), 'unknown', 'a registry that does not say which Windows it is declares nothing');
select matches((select missing from ops.host where host = 'keyless'), 'Windows NT\\CurrentVersion', 'and what to export is said');
select is((select array_agg(product || ' ' || hosts order by product) from (select product, sum(hosts) as hosts from ops.level_matrix group by product) m),
          array['new 3', 'old 1'], 'the matrix of levels counts only the hosts of a product, whatever files of it lie on others');

select * from finish();
rollback;
