-- What a host's own component store says of its files, and which of them servicing did not put there.
begin;
select plan(39);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

create function fixture.v(a integer, b integer, c integer, d integer) returns numeric language sql as $$
    select a * 281474976710656 + b * 4294967296 + c * 65536::numeric + d
$$;
create function fixture.store(store_name text, variadic paths text[]) returns text language sql as $$
    select evenkeel.store_component_store(sha256(store_name::bytea), array(select sha256(p::bytea) from unnest(paths) p));
    select encode(sha256(store_name::bytea), 'hex')
$$;
-- Facts of a Server 2019 that declares this revision, whose store is at that one.
create function fixture.serviced(store_name text, ubr integer, newest integer, outside jsonb default '[]') returns jsonb
language sql as $$
    select jsonb_build_object('current_version', '10.0', 'current_build', 17763, 'has_ubr', true, 'ubr', ubr, 'service_pack', '',
        'component_store', encode(sha256(store_name::bytea), 'hex'), 'outside_store', outside,
        'store_newest', jsonb_build_array(fixture.v(10, 0, 17763, newest)))
$$;
create function fixture.outside(path text, winner numeric, same_size boolean, one_link boolean) returns jsonb language sql as $$
    select jsonb_build_array(jsonb_build_object('path', path, 'winner', winner, 'same_size', same_size, 'one_link', one_link))
$$;
-- The same with the version of the copy that won.
create function fixture.beside(path text, winner numeric, copy numeric, same_size boolean default false) returns jsonb language sql as $$
    select jsonb_build_array(jsonb_build_object('path', path, 'winner', winner, 'copy', copy, 'same_size', same_size, 'one_link', true))
$$;
create function fixture.verdict(host_name text) returns text language sql as $$
    select concat_ws(': ', verdict || coalesce(' ' || proof, ''), nullif(missing, '')) from ops.host where host = host_name
$$;
create function fixture.said(host_name text) returns setof text language plpgsql as $$
begin
    perform evenkeel.state_open();
    delete from state_host;
    insert into state_host
    select h.host_id, i.chunk_ids from evenkeel.host h join evenkeel.host_inventory_current i using (host_id) where h.name = host_name;
    perform evenkeel.find_component_stores();
    return query
    select p.path || ' ' || s.says
    from state_store s join evenkeel.file f using (file_id) join evenkeel.path p using (path_id) order by 1;
    delete from state_host;
end $$;

\set files '{"c:/windows/system32/a.dll": "10.0.17763.1518", "c:/windows/system32/b.dll": "10.0.17763.1339", "c:/other/c.dll": "1.0.0.0"}'
select fixture.store('s1', 'c:/windows/system32/a.dll', 'c:/windows/system32/b.dll');
select fixture.host('healthy', :'files', fixture.serviced('s1', 1518, 1518));
select fixture.host('behind', :'files', fixture.serviced('s1', 1518, 1339));
select fixture.host('older', :'files',
    fixture.serviced('s1', 1518, 1518, fixture.outside('c:/windows/system32/b.dll', fixture.v(10, 0, 17763, 1518), false, true)));
select fixture.host('same-size', :'files',
    fixture.serviced('s1', 1518, 1518, fixture.outside('c:/windows/system32/b.dll', fixture.v(10, 0, 17763, 1518), true, true)));
select fixture.host('linked', :'files',
    fixture.serviced('s1', 1518, 1518, fixture.outside('c:/windows/system32/b.dll', fixture.v(10, 0, 17763, 1200), false, false)));
select fixture.host('other-line', :'files',
    fixture.serviced('s1', 1518, 1518, fixture.outside('c:/windows/system32/b.dll', fixture.v(10, 0, 18000, 1), false, true)));
select fixture.host('unknown-store', :'files', fixture.serviced('s2', 1518, 1518));
select fixture.host('old-collector', :'files', '{"current_version": "10.0", "current_build": 17763, "has_ubr": true, "ubr": 1518}');
select fixture.judge();

select results_eq($$ select fixture.said('healthy') $$, array['c:/windows/system32/a.dll confirmed', 'c:/windows/system32/b.dll confirmed'],
    'links to the builds that won are confirmed; a program of others is not servicing''s');
select is_empty($$ select fixture.said('behind') $$, 'a store that is not as new as what is declared confirms nothing');
select results_eq($$ select fixture.said('older') $$, array['c:/windows/system32/a.dll confirmed', 'c:/windows/system32/b.dll older'],
    'a file that is no link and older than what won');
select results_eq($$ select fixture.said('same-size') $$, array['c:/windows/system32/a.dll confirmed', 'c:/windows/system32/b.dll outside'],
    'of the size of what won it may be the same build');
select results_eq($$ select fixture.said('other-line') $$, array['c:/windows/system32/a.dll confirmed', 'c:/windows/system32/b.dll outside'],
    'a version of another build is not compared');
select is_empty($$ select fixture.said('unknown-store') $$, 'a store that was never given says nothing');
select is_empty($$ select fixture.said('old-collector') $$, 'nor does a collector that knows of none');
select is((select count(*) from evenkeel.chunk_store), 1::bigint, 'what a chunk has of a store is worked out once for all hosts');

create function fixture.strangers(host_name text) returns text language sql as $$
    select severity || ': ' || summary from ops.finding where host = host_name and check_name = 'outside-store'
$$;
select is(fixture.strangers('healthy'), null, 'no finding where all is as servicing left it');
select is(fixture.strangers('older'), 'high: c:/windows/system32/b.dll at 10.0.17763.1339 is not the file that servicing put there, of version '
    '10.0.17763.1518: it is older', 'an older copy is a finding');
select is(fixture.strangers('same-size'), 'medium: c:/windows/system32/b.dll at 10.0.17763.1339 is not the file that servicing put there, of version '
    '10.0.17763.1518: it is in no component store', 'so is one of which that is not known');
select is(fixture.strangers('linked'), 'medium: c:/windows/system32/b.dll at 10.0.17763.1339 is not the file that servicing put there, of version '
    '10.0.17763.1200', 'and one that is linked to another version');
select is((select subject from ops.finding where host = 'older' and check_name = 'outside-store'), 'c:/windows/system32/b.dll', 'the subject is the file');
select is((select evidence from ops.finding where host = 'older' and check_name = 'outside-store'),
    '{"path": "c:/windows/system32/b.dll", "version": "10.0.17763.1339", "winner": "10.0.17763.1518", "older": true, "one_link": true}', 'with its evidence');

select fixture.host('older', '{"c:/windows/system32/a.dll": "10.0.17763.1518", "c:/windows/system32/b.dll": "10.0.17763.1518"}', fixture.serviced('s1', 1518, 1518));
select fixture.judge();
select is(fixture.strangers('older'), null, 'the finding goes when servicing has put its file there');

-- One server, without a list and without a fleet.
\set b '''c:/windows/system32/b.dll'''
select fixture.store('s3', 'c:/windows/system32/a.dll', 'c:/windows/system32/b.dll', 'c:/windows/system32/c.dll', 'c:/windows/system32/d.dll', 'c:/windows/system32/e.dll');
create table fixture.alone as
select jsonb_object_agg(format('c:/windows/system32/%s.dll', n), format('10.0.17763.%s', r)) || '{"c:/windows/system32/a.dll": "10.0.17763.1518"}' as files
from (values ('b', 1339), ('c', 1457), ('d', 1), ('e', 1)) f (n, r);
create function fixture.alone(host_name text, store_name text, newest integer, outside jsonb default '[]', more jsonb default '{}') returns uuid language sql as $$
    select fixture.host(host_name, files, fixture.serviced(store_name, 1518, newest, outside) || '{"product_type": "server"}' || more) from fixture.alone
$$;
select fixture.alone('one', 's3', 1518);
select fixture.alone('one-old', 's3', 1518, fixture.beside(:b, fixture.v(10, 0, 17763, 1518), fixture.v(10, 0, 17763, 1500)));
select fixture.alone('one-same', 's3', 1518, fixture.beside(:b, fixture.v(10, 0, 17763, 1518), fixture.v(10, 0, 17763, 1339), true));
select fixture.alone('one-newer', 's3', 1518, fixture.beside(:b, fixture.v(10, 0, 17763, 1518), fixture.v(10, 0, 17763, 1000)));
select fixture.alone('one-untold', 's3', 1518, fixture.outside(:b, fixture.v(10, 0, 17763, 1518), false, true));
select fixture.alone('one-half', 's3', 1490, fixture.beside(:b, fixture.v(10, 0, 17763, 1490), fixture.v(10, 0, 17763, 1490)));
select fixture.alone('one-waits', 's3', 1518, fixture.beside(:b, fixture.v(10, 0, 17763, 1518), fixture.v(10, 0, 17763, 1500)), '{"reboot_pending": true}');
select fixture.alone('one-hot', 's3', 1518, fixture.beside(:b, fixture.v(10, 0, 17763, 1518), fixture.v(10, 0, 17763, 1500)), '{"hotpatch": "enrolled"}');
select fixture.alone('one-line', 's3', 1518, fixture.beside(:b, fixture.v(10, 0, 18000, 1), fixture.v(10, 0, 18000, 1)));
select fixture.alone('one-share', 'none', 1518, '[]', '{"component_store": "", "store_newest": [], "not_seen": [{"kind": "no_store", "what": "links", "count": 1}]}');
select fixture.judge();
select is(fixture.verdict('one'), 'level store', 'a single server is level by its own store');
select is(fixture.verdict('one-old'), 'mixed store', 'and mixed by a file that is older than the copy that won');
select is((select summary from ops.finding where host = 'one-old' and check_name = 'mixed-level'),
    'Windows Server 2019: c:/windows/system32/b.dll 10.0.17763.1339 is at most 17763.1490 against the registry''s 17763.1518; 1 file to move to 17763.1518', 'which is named');
select is((select evidence #>> '{lower,basis}' from ops.finding where host = 'one-old' and check_name = 'mixed-level'), 'servicing put 10.0.17763.1500 there (component store)', 'with its basis');
select is((select hp.files from evenkeel.host_product hp join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
           where h.name = 'one-old' and p.code = 'windows-2019'), 5, 'it is counted once');
select is(fixture.verdict('one-same'), 'level store', 'no link, but of the version of the copy that won: not older');
select results_eq($$ select s from fixture.said('one-same') s where s like '%b.dll%' $$, array['c:/windows/system32/b.dll same'], 'which the store confirms');
select is(fixture.verdict('one-newer'), 'level store', 'one that is newer than the copy that won is not older, whatever its component is called');
select matches(fixture.verdict('one-untold'), '^unknown: c:/windows/system32/b\.dll 10\.0\.17763\.1339 is no link into the component store, and older', 'where the copy was not read it is likely, and not proven');
select matches(fixture.verdict('one-half'), '^unknown', 'a store that is older than what is declared proves nothing');
select is_empty($$ select from ops.finding where host ~ '^one-(half|waits|hot|line|share)$' and check_name = 'mixed-level' $$, 'nor one that waits for a restart, is hotpatched, or is of another line');
select matches(fixture.verdict('one-waits'), '^unknown', 'and such a host is not level either');
select matches(fixture.verdict('one-share'), '^unknown: ', 'of a host whose links can''t be seen nothing follows');

-- With a patch laid over it, what is still a link counts, and no more.
select fixture.payload('windows-2019', 'KB7701', jsonb_build_object('b.dll', fixture.pe('10.0.17763.1518')));
select fixture.payload('windows-2019', 'KB7702', jsonb_build_object('b.dll', fixture.pe('10.0.17763.1400'), 'c.dll', fixture.pe('10.0.17763.1458')));
select fixture.payload('windows-2019', 'KB7703', jsonb_build_object('a.dll', fixture.pe('10.0.17763.1600')));
update evenkeel.patch set required_levels = '{}', level_ordinal = case code when 'KB7703' then 1600 else 1 end where code ~ '^KB770';
select matches(fixture.risk('KB7701', 'one'), '^safe', 'a host that is level by its store is so with a patch, too');
select matches(fixture.risk('KB7702', 'one'), '^unknown: after KB7702 Windows Server 2019 could not be judged', 'but not by links that the patch replaces');
select matches(fixture.risk('KB7703', 'one'), '^unknown: after KB7703 Windows Server 2019 could not be judged', 'nor at an update that its store has nothing of');
select matches(fixture.risk('KB7702', 'one-old'), '^at risk: already mixed', 'a host that is mixed by its store is never safe');

-- Where the catalogue says it too, it is not for the store to say.
select fixture.knows('windows-2019', 'a.dll');
select evenkeel.catalog_refresh();
select fixture.host('one-both', files || '{"c:/windows/system32/a.dll": "10.0.17763.1600"}',
                    fixture.serviced('s3', 1518, 1518, fixture.beside(:b, fixture.v(10, 0, 17763, 1518), fixture.v(10, 0, 17763, 1500))) || '{"product_type": "server"}') from fixture.alone;
select fixture.judge();
select is(fixture.verdict('one-both'), 'mixed catalogue', 'what is mixed without its store, too, rests on the catalogue');
select is(fixture.verdict('one-old'), 'mixed store', 'one that is not on the store');

select is(evenkeel.store_reaches(f::jsonb), wanted, told)
from (values
    (format('{"current_version": "10.0", "current_build": 19045, "has_ubr": true, "ubr": 3570, "store_newest": [%s]}', fixture.v(10, 0, 19041, 3570)), true,
     'an enablement package changes the declared build only'),
    (format('{"current_version": "10.0", "current_build": 17763, "has_ubr": true, "ubr": 5, "store_newest": [%s]}', fixture.v(10, 0, 14393, 5000)), false,
     'another Windows'' components reach nothing'),
    (format('{"current_version": "6.1", "current_build": 7601, "store_newest": [%s]}', fixture.v(6, 1, 7601, 17514)), true, 'SP1 of Windows 7 is its build'),
    (format('{"current_version": "6.1", "current_build": 7601, "store_newest": [%s]}', fixture.v(6, 1, 7600, 16385)), false, 'which RTM''s components don''t reach'),
    ('{}', false, 'nothing reaches nothing')) v (f, wanted, told);
select * from finish();
rollback;
