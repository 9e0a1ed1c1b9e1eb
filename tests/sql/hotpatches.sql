-- A hotpatched host stands on an update with a few newer files: neither mixed nor a teacher where its base is not known, judged by that
-- where it is.
begin;
select plan(12);
\ir fixture.psql
\ir catalogue.psql

insert into evenkeel.product (code, name, os_version, os_build, follows_os, level_kind, rtm_revision, source) values
    ('hot', 'Hotpatched', '10.0', 778, true, 'cumulative update', 1, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, ubr, source)
select evenkeel.product_number('hot'), o, '778.' || o, '778.' || o, o, 'test' from unnest(array[1, 100, 200]) o;
insert into evenkeel.line (product_id, build, source) values (evenkeel.product_number('hot'), 778, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('hot'), 'os', 'Windows', '{c:/hot/*}', 'test');
select fixture.knows('hot', 'a.dll', 'b.dll', 'c.dll', 'd.dll', 'e.dll');
select fixture.ships('hot', '778.200 b.dll = 10.0.778.200');
select evenkeel.catalog_refresh();

create function fixture.hot(host_name text, ubr integer, a integer, b integer, hotpatch text, own text default 'none')
returns uuid language sql as $$
    select fixture.host(host_name, (select jsonb_object_agg(format('c:/hot/%s.dll', n), format('10.0.778.%s', r))
                                    from (values ('a', a), ('b', b), ('c', 90), ('d', 90), ('e', 90)) f (n, r))
                                   || jsonb_build_object(format('c:/own/%s.dll', own), '1.0.0.0'),
                        jsonb_build_object('current_version', '10.0', 'current_build', 778, 'ubr', ubr, 'hotpatch', hotpatch))
$$;
create function fixture.said(host_name text) returns text language sql as $$
    select concat_ws(': ', verdict, nullif(missing, '')) from ops.host where host = host_name
$$;

-- Update 100 with the hotpatch 210, which update 200 is not part of.
select fixture.hot('plain', 210, 210, 100, '');
select fixture.hot('server', 210, 210, 100, 'enrolled');
select fixture.hot('client', 210, 210, 100, 'allowed');
select fixture.hot('behind', 200, 200, 100, 'enrolled');
select fixture.judge();
select is(fixture.said('plain'), 'mixed', 'where no hotpatch is meant a file that is behind is');
select matches(fixture.said('server'), '^unknown: hotpatches are on, and which update 778\.210 stands on is not known',
               'else it may stand on an older update');
select matches(fixture.said('client'), '^unknown: hotpatches are on', 'a client, too');
select is(fixture.said('behind'), 'mixed', 'at an update of the catalogue a host is judged as any other');

select fixture.hot('h' || g, 210, 210, 100, 'enrolled', 'x' || g % 5) from generate_series(1, 25) g;
select fixture.judge();
select is_empty($$ select from evenkeel.baseline where kind = 'learned' $$, 'what hotpatched hosts hold is not taught as an update''s');
select is((select count(*) from ops.host where host like 'h%' and verdict = 'mixed'), 0::bigint, 'and none of them is mixed');

insert into evenkeel.level (product_id, ordinal, code, name, ubr, line, base_ordinal, source)
values (evenkeel.product_number('hot'), 210, '778.210', '778.210', 210, 'hotpatch', 100, 'test');
select fixture.ships('hot', '778.100 a.dll = 10.0.778.100', '778.100 b.dll = 10.0.778.100', '778.100 c.dll = 10.0.778.90',
                     '778.100 d.dll = 10.0.778.90', '778.100 e.dll = 10.0.778.90');
select fixture.hot('torn', 210, 210, 90, 'enrolled');
select fixture.hot('newer', 210, 220, 100, 'enrolled');
select evenkeel.catalog_refresh();
select fixture.judge();
select is(fixture.said('server'), 'level', 'once its base is known it is judged by that');
select is(fixture.said('torn'), 'mixed', 'and is mixed where it is behind that');
select is(fixture.said('newer'), 'mixed', 'or has a file of a later update');

-- A list that leaves out what its base has: nobody knows how that is until the base's own list is known.
insert into evenkeel.product (code, name, os_version, os_build, follows_os, level_kind, rtm_revision, source) values
    ('check', 'With checkpoints', '10.0', 779, true, 'cumulative update', 1, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, ubr, complete, base_ordinal, source)
select evenkeel.product_number('check'), o, '779.' || o, '779.' || o, o, o = 200, case when o = 200 then 100 end, 'test' from unnest(array[1, 100, 200]) o;
insert into evenkeel.line (product_id, build, source) values (evenkeel.product_number('check'), 779, 'test');
insert into evenkeel.component (product_id, code, name, include, source)
values (evenkeel.product_number('check'), 'os', 'Windows', '{c:/check/*}', 'test');
select fixture.knows('check', 'a.dll', 'b.dll', 'c.dll');
select fixture.ships('check', '779.200 a.dll = 10.0.779.200');
update evenkeel.baseline set kind = 'list' where product_id = evenkeel.product_number('check');
select fixture.host('checked', '{"c:/check/a.dll": "10.0.779.200", "c:/check/b.dll": "10.0.779.1", "c:/check/c.dll": "10.0.779.1"}',
                    '{"current_version": "10.0", "current_build": 779, "ubr": 200}');
select evenkeel.catalog_refresh();
select fixture.judge();
select matches(fixture.said('checked'), '^unknown: Windows: 1 of 3 files', 'files that a list leaves out are as in its base, which is not known');
update evenkeel.level set complete = true where product_id = evenkeel.product_number('check') and ordinal = 100;
select evenkeel.catalog_refresh();
select fixture.judge();
select is(fixture.said('checked'), 'level', 'and level once it is');
update evenkeel.level set complete = ordinal = 200, base_ordinal = null where product_id = evenkeel.product_number('check');
select evenkeel.catalog_refresh();
select fixture.judge();
select is(fixture.said('checked'), 'level', 'what names no base is cumulative from the release on');

select * from finish();
rollback;
