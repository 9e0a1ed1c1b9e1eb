-- Instances of a product on one host are judged apart: each has a verdict, findings and a plan of its own.
begin;
select plan(48);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

-- Files of an instance of SQL Server 2019 at that build, but for those named, which are at another.
create function fixture.instance(folder text, build integer, other integer default 0, variadic names text[] default '{}') returns jsonb language sql as $$
    select jsonb_object_agg(format('c:/program files/microsoft sql server/%s/mssql/binn/%s', folder, n),
                            format('2019.150.%s.1', case when n = any (names) then other else build end))
    from unnest('{sqlservr.exe,sqllang.dll,sqlmin.dll,sqldk.dll,sqlos.dll}'::text[]) n
$$;
create function fixture.judged(host_name text) returns setof text language sql as $$
    select p.code || ' ' || hp.verdict from evenkeel.host_product hp join evenkeel.product p using (product_id) join evenkeel.host h using (host_id)
    where h.name = host_name order by 1
$$;
create function fixture.at_level(build integer) returns text language sql as $$
    select code from evenkeel.level where product_id = evenkeel.product_number('sql-server-2019') and ordinal = build << 16
$$;

-- What two cumulative updates ship, stated of the product.
select count(fixture.ships('sql-server-2019', format('%s %s = 2019.150.%s.1', fixture.at_level(b), n, b)))
from unnest(array[4123, 4198]) b, unnest('{sqlservr.exe,sqllang.dll,sqlmin.dll,sqldk.dll,sqlos.dll}'::text[]) n;
select evenkeel.catalog_refresh();

select fixture.host('db', fixture.instance('mssql15.sales', 4198) || fixture.instance('mssql15.hr', 4198, 4123, 'sqlmin.dll'));
select fixture.host('apart', fixture.instance('mssql15.sales', 4198) || fixture.instance('mssql15.hr', 4123));
select fixture.host('lone', fixture.instance('mssql15.mssqlserver', 4123));
select fixture.judge();

select results_eq($$ select fixture.judged('db') $$, array['sql-server-2019/MSSQL15.HR mixed', 'sql-server-2019/MSSQL15.SALES level'],
                  'of two instances one is mixed, the other level');
select results_eq($$ select fixture.judged('apart') $$, array['sql-server-2019/MSSQL15.HR level', 'sql-server-2019/MSSQL15.SALES level'],
                  'two instances at two updates are no mixed host');
select results_eq($$ select fixture.judged('lone') $$, array['sql-server-2019/MSSQL15.MSSQLSERVER level'], 'one alone is named, too');
select is((select verdict from ops.host where host = 'db') || ' ' || (select verdict from ops.host where host = 'apart'), 'mixed level', 'the host is what its worst instance is');
select results_eq($$ select f from fixture.findings('db') f where f like 'mixed%' $$, array['mixed-level sql-server-2019/MSSQL15.HR'], 'the finding names the instance');
select matches((select summary from ops.finding where host = 'db' and check_name = 'mixed-level'), '^SQL Server 2019 \(MSSQL15\.HR\): c:/program files/microsoft sql server/mssql15\.hr/mssql/binn/sqlmin\.dll',
               'and its file');
select is((select product || ' ' || files_to_move from ops.mixed_level where host = 'db'), 'sql-server-2019/MSSQL15.HR 1', 'so do the views');
select isnt_empty($$ select from evenkeel.plan((select host_id from evenkeel.host where name = 'db')) p where p::text ~ 'MSSQL15\.HR' and p::text !~ 'MSSQL15\.SALES' $$,
                  'the plan is of that instance');
select isnt_empty($$ select from ops.host_file where host = 'db' and product = 'sql-server-2019/MSSQL15.SALES' $$, 'each file is told with its instance');
select is_empty($$ select from evenkeel.catalog_status() where product like '%/%' $$, 'the catalogue''s status is of products');

-- What the catalogue learns later holds of the instances that are known; what it states no more does not.
select fixture.ships('sql-server-2019', format('%s sqlxtra.dll = 2019.150.4198.1', fixture.at_level(4198)));
select evenkeel.catalog_refresh();
select is((select count(*) from evenkeel.baseline b join evenkeel.product p using (product_id) where p.unit_of is not null and b.file = 'sqlxtra.dll'), 3::bigint,
          'a statement holds of each instance');
delete from evenkeel.baseline where file = 'sqlxtra.dll' and product_id = evenkeel.product_number('sql-server-2019');
select evenkeel.catalog_refresh();
select is_empty($$ select from evenkeel.baseline where file = 'sqlxtra.dll' $$, 'until it goes');
create temporary table before as select product_id, ordinal, ctid as place from evenkeel.level;
select evenkeel.catalog_refresh();
select is_empty($$ select from evenkeel.level l full join before b on (l.product_id, l.ordinal, l.ctid) = (b.product_id, b.ordinal, b.place)
                   where l.product_id is null or b.product_id is null $$, 'a second refresh changes nothing');
select fixture.judge();
select results_eq($$ select fixture.judged('db') $$, array['sql-server-2019/MSSQL15.HR mixed', 'sql-server-2019/MSSQL15.SALES level'], 'verdicts stay');

-- A patch of the product is one of each instance.
select fixture.patch('sql-server-2019', 'KB999', '{}', array['sqlservr.exe 2019.150.4250.1', 'sqllang.dll 2019.150.4250.1', 'sqlmin.dll 2019.150.4250.1', 'sqldk.dll 2019.150.4250.1',
                                                                 'sqlos.dll 2019.150.4250.1']);
select evenkeel.catalog_refresh();
select fixture.judge();
select matches(fixture.risk('KB999', 'db'), '^at risk: already mixed', 'risk goes by the instances that the patch touches');
select matches(fixture.risk('KB999', 'apart'), 'no version risk', 'and has nothing against two at two updates');

savepoint half;
select fixture.patch('sql-server-2019', 'KB998', array[fixture.at_level(4198)], array['sqlservr.exe 2019.150.4205.1', 'sqllang.dll 2019.150.4205.1']);
select evenkeel.catalog_refresh();
select fixture.host('half', fixture.instance('mssql15.sales', 4198, 4205, 'sqlservr.exe', 'sqllang.dll') || fixture.instance('mssql15.hr', 4198, 4205, 'sqlservr.exe'));
select fixture.judge();
select is((array(select p.action || ': ' || p.what from evenkeel.plan((select host_id from evenkeel.host where name = 'half')) p order by p.step))[1:2],
          '{"reapply hotfix: KB998 (MSSQL15.HR)","restart: restart the host"}', 'a plan tells on which of them a patch is half');
select is((select what from evenkeel.plan((select host_id from evenkeel.host where name = 'db')) p where p.what like 'SQL Server%'),
          'SQL Server 2019 ' || fixture.at_level(4198) || ' (MSSQL15.HR)', 'and whose files are reapplied');
rollback to half;

-- So is its payload, all of it, whichever of its instances made known what it is for.
create temporary table payload_file (path text, image_id integer);
insert into payload_file values ('p0/x/sqlmin.dll', fixture.image('2019.150.4260.1', '{A}')), ('p0/y/sqlmin.dll', fixture.image('2019.150.4260.1', '{B}')),
    ('p0/x/sqllang.dll', fixture.image('2019.150.4260.1', '{}', fixture.wants('sqlmin.dll', 'A')));
insert into payload_file select 'p0/x/' || n, fixture.image('2019.150.4260.1') from unnest('{sqlservr.exe,sqldk.dll,sqlos.dll}'::text[]) n;
select is((select product || ' ' || files from evenkeel.store_patch('KB1001', null, '', null, null, null, 'test')), 'sql-server-2019 6', 'two instances tell one product');
select is((select product from evenkeel.store_patch('KB1002', 'sql-server-2019/MSSQL15.HR', '', null, null, null, 'test')), 'sql-server-2019', 'what is added for an instance is for its product');
select evenkeel.catalog_refresh();
select is((select count(*) from evenkeel.patch where code = 'KB1002'), 4::bigint, 'and stays, for it and its instances');
select is((select product from evenkeel.store_patch('KB1001', null, '', null, null, null, 'test')), 'sql-server-2019', 'added again it is for the same');
select is_empty($$ select to_jsonb(f) - '{patch_id,editions}'::text[] from evenkeel.patch_file f join evenkeel.patch t using (patch_id) where t.code in ('KB1001', 'KB1002')
                   group by 1, t.code having count(*) <> 4 $$, 'each has every word of the payload');
select evenkeel.catalog_refresh();
select fixture.judge();
select matches(fixture.risk('KB1001', 'lone'), '^unknown: the payload of KB1001 has more than one sqlmin\.dll', 'risk does not take one of several builds for the only one');
truncate payload_file;
insert into payload_file values ('nobodys.dll', fixture.image('1.2.3.4'));
select throws_ok($$ select evenkeel.payload_product() $$, 'which product the patch is for does not show from its files: name it with --product', 'files of no product are no reason for a hole in the sentence');

-- A capture of one instance holds for others, wherever they are.
create temporary table capture_file as
select 'c:/program files/microsoft sql server/' || f || '/mssql/binn/sqlcap.dll' as path, evenkeel.version_of('2019.150.' || b || '.2') as file_version, 34404 as machine, 0::bigint as time_date_stamp, null::text as location
from (values ('mssql15.sales', 4198), ('mssql15.hr', 4123)) v (f, b);
select is((select matched from evenkeel.capture_baseline('sql-server-2019/MSSQL15.SALES', fixture.at_level(4198), 'media test')), 1, 'of an instance its own files are captured');
select results_eq($$ select p.code, b.file from evenkeel.baseline b join evenkeel.product p using (product_id) where b.kind = 'media' order by 1 $$,
    $$ select 'sql-server-2019' || case when f <> '' then '/' || upper(f) else '' end, 'c:/program files/microsoft sql server/' || coalesce(nullif(f, ''), 'mssql15.sales') || '/mssql/binn/sqlcap.dll'
       from unnest('{"",mssql15.hr,mssql15.mssqlserver,mssql15.sales}'::text[]) f order by 1 $$, 'and hold of each in its place');

-- GDR and CU lines: a level on another base is no step of the other line.
select fixture.host('gdr', fixture.instance('mssql15.sales', 2080));
select fixture.judge();
select is_empty($$ select * from fixture.judged('gdr') j where j like '%mixed' $$, 'an instance on the GDR line is not mixed by what an update ships');

-- A folder of any name is not taken for an instance; nor is a fleet flooded with them.
select fixture.host('odd', fixture.instance('mssql15.a[b] c', 4198));
select is((select count(*) from evenkeel.product where unit like '%[%'), 0::bigint, 'what is no name of an instance makes none');
update evenkeel.setting set value = '5' where name = 'units.most';
select fixture.host('flood', (select jsonb_object_agg(k, v) from generate_series(1, 20) g, jsonb_each(fixture.instance('mssql15.x' || g, 4198)) j (k, v)));
select fixture.judge();
select is((select count(*) from evenkeel.product where unit_of = evenkeel.product_number('sql-server-2019')), 5::bigint, 'no more of them are made than may be');
select isnt_empty($$ select * from fixture.judged('flood') j where j like 'sql-server-2019 %' $$, 'the files of others count for the product');

-- What one host makes known it makes known within its share: the rest is unknown there, and others have theirs.
savepoint share;
update evenkeel.setting set value = '40' where name = 'units.most';
update evenkeel.setting set value = '3' where name = 'units.host';
create function fixture.gives(giver text, instances text[]) returns void language sql as $$
    select evenkeel.store_paths(array_agg(sha256(p::bytea)), array_agg(p), array_agg((select h.host_id from evenkeel.host h where h.name = giver)))
    from unnest(instances) i cross join lateral jsonb_object_keys(fixture.instance(i, 4198)) f (p)
$$;
create function fixture.units_like(pattern text) returns text language sql as $$
    select coalesce(string_agg(unit, ' ' order by unit), 'none') from evenkeel.product where unit like pattern
$$;
select fixture.gives('flood', array(select 'mssql15.f' || g from generate_series(1, 9) g));
select is(fixture.units_like('mssql15.f%'), 'mssql15.f1 mssql15.f2 mssql15.f3', 'one host makes no more instances known than its share');
select fixture.gives('flood', '{mssql15.g1}'), fixture.gives('lone', '{mssql15.i1}');
select is(fixture.units_like('mssql15.g%') || ' ' || fixture.units_like('mssql15.i%'), 'none mssql15.i1', 'nor later, while another host has its own');
select fixture.host('flooding', (select jsonb_object_agg(k, v) from generate_series(1, 9) g, jsonb_each(fixture.instance('mssql15.f' || g, 4198)) j (k, v)));
select fixture.host('beside', fixture.instance('mssql15.i1', 4198) || fixture.instance('mssql15.f1', 4123));
select fixture.judge();
select matches((select missing from ops.host where host = 'flooding'), '^6 of its instances, such as MSSQL15\.F4 and MSSQL15\.F9, .*units\.host', 'its host is told so');
select results_eq($$ select fixture.judged('beside') $$, array['sql-server-2019/MSSQL15.F1 level', 'sql-server-2019/MSSQL15.I1 level'], 'and others are judged apart');
select fixture.host('elsewhere', (select jsonb_object_agg(replace(k, 'c:/program files', 'd:/apps/programs'), v)
                                  from generate_series(1, 9) g, jsonb_each(fixture.instance('mssql15.e' || g, 4198)) j (k, v)), '{"program_files": "d:/apps/programs"}');
select is(fixture.units_like('mssql15.e%'), 'mssql15.e1 mssql15.e2 mssql15.e3', 'so one that keeps its programs where only its registry says');
update evenkeel.setting set value = '5' where name = 'units.host';
select evenkeel.catalog_refresh();
select is(fixture.units_like('mssql15.f%') || ' ' || fixture.units_like('mssql15.g%'), 'mssql15.f1 mssql15.f2 mssql15.f3 mssql15.f4 mssql15.f5 none',
          'a change of the catalogue keeps to the shares');
rollback to share;

-- What can't be told apart is neither mixed nor level: each of these is well by itself, or one hides behind the others.
select fixture.host('crowded', fixture.instance('mssql15.y1', 4198) || fixture.instance('mssql15.y2', 4123));
select fixture.host('crowded alike', fixture.instance('mssql15.y1', 4198) || fixture.instance('mssql15.y2', 4198));
select fixture.host('crowded, one', fixture.instance('mssql15.y1', 4198, 4123, 'sqlmin.dll'));
select fixture.judge();
select results_eq($$ select fixture.judged('crowded') $$, array['sql-server-2019 unknown'], 'where a flood leaves no room for them, instances at two updates are unknown, not mixed');
select results_eq($$ select fixture.judged('crowded alike') $$, array['sql-server-2019 unknown'], 'and those at one are not called level together');
select matches((select missing from ops.host where host = 'crowded'), '^2 of its instances, such as MSSQL15\.Y1 and MSSQL15\.Y2, could not be judged apart: .*units\.most', 'with the reason');
select results_eq($$ select fixture.judged('crowded, one') $$, array['sql-server-2019 mixed'], 'one alone is judged as ever');

-- Instances that no host has any more make room.
select fixture.host(h, '{"c:/x.dll": "1.0.0.0"}') from unnest('{flood,crowded,crowded alike,odd}'::text[]) h;
select fixture.judge();
delete from evenkeel.host_inventory_past;
select evenkeel.prune_mark();
update prune_mark set at = clock_timestamp() + interval '1 hour';
create function fixture.prune(kind text) returns void language plpgsql as $$
begin
    perform evenkeel.prune_find(kind);
    while evenkeel.prune_remove(kind, 2) >= 0 loop end loop;
end $$;
select fixture.prune(k) from unnest('{chunk,file,path}'::text[]) k;
select results_eq($$ select unit from evenkeel.product where unit_of = evenkeel.product_number('sql-server-2019') order by 1 $$, '{mssql15.hr,mssql15.mssqlserver,mssql15.sales}'::text[],
                  'with their last path they go');
select is_empty($$ select from evenkeel.path_component pc where not exists (select from evenkeel.product p where p.product_id = pc.product_id) $$, 'and nothing is bound to them');
select fixture.host('roomy', fixture.instance('mssql15.z1', 4198) || fixture.instance('mssql15.z2', 4123));
select fixture.judge();
select results_eq($$ select fixture.judged('roomy') $$, array['sql-server-2019/MSSQL15.Z1 level', 'sql-server-2019/MSSQL15.Z2 level'], 'others take their place');

-- Who serves makes instances by the paths that hosts have, and no other way; who looks makes none.
update evenkeel.setting set value = '50' where name = 'units.most';
set local role evenkeel_ingest;
select evenkeel.store_paths(array[sha256(p::bytea)], array[p]) from (values ('c:/program files/microsoft sql server/mssql16.new/mssql/binn/sqlservr.exe')) v (p);
reset role;
select is((select name from evenkeel.product where code = 'sql-server-2022/MSSQL16.NEW'), 'SQL Server 2022 (MSSQL16.NEW)', 'the aggregator''s role makes an instance known');
select fixture.ships('sql-server-2022', (select l.code from evenkeel.level l where l.product_id = evenkeel.product_number('sql-server-2022') order by l.ordinal desc limit 1) || ' sqllate.dll = 2022.160.4000.1');
select evenkeel.store_paths(array[sha256(p::bytea)], array[p]) from (values ('c:/program files/microsoft sql server/mssql16.next/mssql/binn/sqlservr.exe')) v (p);
select results_eq($$ select p.unit from evenkeel.baseline b join evenkeel.product p using (product_id) where b.file = 'sqllate.dll' order by 1 $$, array['', 'mssql16.next'],
                  'and who sends one waits for what is copied to that one, not to all');
select is(has_table_privilege('evenkeel_ingest', 'evenkeel.product', 'insert, update'), false, 'but writes no product itself');
select is(has_function_privilege('evenkeel_read', 'evenkeel.make_units(integer[], text[], uuid[])', 'execute'), false, 'and a reader makes none');

select * from finish();
rollback;
