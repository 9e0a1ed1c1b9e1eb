-- What the fleet teaches where levels are numbers: what nearly all healthy hosts that declare a level hold, and nothing from too few or too alike.
begin;
select plan(23);
\ir fixture.psql
\ir catalogue.psql

insert into evenkeel.product (code, name, os_version, os_build, follows_os, level_kind, rtm_revision, source) values
    ('num', 'Numbered', '10.0', 777, true, 'cumulative update', 1, 'test');
insert into evenkeel.level (product_id, ordinal, code, name, ubr, source)
select evenkeel.product_number('num'), o, '777.' || o, '777.' || o, o, 'test' from unnest(array[1, 100, 200]) o;
insert into evenkeel.line (product_id, build, source) values (evenkeel.product_number('num'), 777, 'test');
insert into evenkeel.component (product_id, code, name, include, source) values (evenkeel.product_number('num'), 'os', 'Windows', '{c:/num/*}', 'test');
select fixture.knows('num', 'a.dll', 'b.dll', 'c.dll');

create function fixture.ubr(ubr integer) returns jsonb language sql as $$
    select jsonb_build_object('current_version', '10.0', 'current_build', 777, 'ubr', ubr)
$$;
-- Files at these revisions; `own` is a file that nobody else has, for an inventory of its own.
create function fixture.at(ubr integer, a integer, b integer, c integer, own text default 'none') returns jsonb language sql as $$
    select jsonb_build_object('c:/num/a.dll', '10.0.777.' || a, 'c:/num/b.dll', '10.0.777.' || b, 'c:/num/c.dll', '10.0.777.' || c,
                              'c:/own/' || own || '.dll', '1.0.0.0')
$$;
create function fixture.said(host_name text) returns text language sql as $$
    select concat_ws(': ', verdict, nullif(missing, '')) from ops.host where host = host_name
$$;
create function fixture.learned() returns setof text language sql as $$
    select format('%s %s %s (%s)', evenkeel.level_name(product_id, ordinal), file, evenkeel.version_text(version), source)
    from evenkeel.baseline where kind = 'learned' order by 1
$$;

-- Alone.
select fixture.host('fwd', fixture.at(100, 100, 90, 200), fixture.ubr(100));
select fixture.host('lie', fixture.at(200, 100, 90, 80), fixture.ubr(200));
select fixture.host('new', fixture.at(300, 300, 90, 80), fixture.ubr(300));
select fixture.judge();
select is(fixture.said('fwd'), 'mixed', 'without any list a file of a later update makes a host mixed');
select matches(fixture.said('lie'), '^unknown: declares 777\.200, nothing above 100', 'a declaration that no file bears out is unproven');
select matches(fixture.said('new'), '^unknown: .*1 of 3 files confirmed at 300', 'an update that the catalogue lacks is a level like others');

-- Nineteen are too few, twenty of one image too alike.
select fixture.host('h' || g, fixture.at(200, 200, 190, 80, 'x' || g % 4), fixture.ubr(200)) from generate_series(1, 18) g;
select fixture.judge();
select is_empty($$ select fixture.learned() $$, 'nineteen hosts teach nothing');
select matches(fixture.said('h1'), '^unknown', 'and are unknown');
select fixture.host('h' || g, fixture.at(200, 200, 190, 80, 'x0'), fixture.ubr(200)) from generate_series(1, 20) g;
select fixture.judge();
select is_empty($$ select fixture.learned() $$, 'nor do more in two inventories');

-- Twenty in four, one of which is behind.
select fixture.host('h' || g, fixture.at(200, 200, 190, 80, 'x' || g % 4), fixture.ubr(200)) from generate_series(1, 25) g;
select fixture.host('behind', fixture.at(200, 200, 100, 80), fixture.ubr(200));
select fixture.judge();
select results_eq($$ select split_part(fixture.learned(), ' (', 1) $$, array['777.200 c:/num/a.dll 10.0.777.200', '777.200 c:/num/b.dll 10.0.777.190',
    '777.200 c:/num/c.dll 10.0.777.80'], 'what nearly all hold is learned');
select is(fixture.said('h1') || ' ' || (select proof from ops.host where host = 'h1'), 'level fleet', 'the healthy ones are level, by the fleet');
select is(fixture.said('behind') || ' ' || fixture.said('lie'), 'mixed mixed', 'who is behind is mixed, and so is who only declares it');
select is(fixture.said('new'), 'mixed', 'a file that is older than a lower level''s is below that, whatever level is declared');
select matches((select summary from ops.finding where host = 'behind'), 'b\.dll 10\.0\.777\.100', 'the file that is behind is named');

-- A list outranks the fleet.
select fixture.ships('num', '777.200 b.dll = 10.0.777.195');
select evenkeel.catalog_refresh();
select fixture.judge();
select is(fixture.said('h1'), 'mixed', 'what is stated outranks what was learned');
delete from evenkeel.baseline where kind = 'article' and product_id = evenkeel.product_number('num');
select evenkeel.catalog_refresh();
select fixture.judge();

-- A higher level, learned before the one below it.
select fixture.host('k' || g, fixture.at(400, 400, 195, 80, 'y' || g % 4), fixture.ubr(400)) from generate_series(1, 25) g;
select fixture.judge();
select is((select count(*) from fixture.learned() l where l like '777.400%'), 3::bigint, 'a level is learned whichever others are known');

-- It stays when its hosts move on.
select fixture.host('h' || g, fixture.at(300, 300, 300, 80, 'x' || g % 4), fixture.ubr(300)) from generate_series(1, 25) g;
select fixture.judge();
select is((select count(*) from fixture.learned() l where l like '777.200%'), 3::bigint, 'what was learned stays when its hosts move on');
select is((select count(*) from fixture.learned() l where l like '777.300%'), 3::bigint, 'and the next level is learned, though the catalogue lacked it');
select matches((select l from fixture.learned() l where l like '777.300 c:/num/b.dll%'), '25 of 25 hosts at 777\.300', 'each names how many of how many');
select is(fixture.said('new'), 'mixed', 'now who is behind there is mixed');
select is((select refused from evenkeel.learned_level where ordinal = 400), array['c:/num/b.dll'],
          'what the level above was thought to ship, but is older, is not believed any more, and told');
select is((select count(*) from fixture.learned() l where l like '777.400 c:/num/b.dll%'), 0::bigint, 'nor stated');

-- Whoever waits for a restart, by renames or by what the registry says, does not run what is on disk.
select fixture.host('w' || g, fixture.at(500, 500, 500, 80, 'w' || g % 4), fixture.ubr(500) ||
                    case when g % 2 = 0 then '{"reboot_pending": true}'::jsonb
                         else '{"pending_renames": [{"from": "c:/temp/a.dll", "to": "c:/num/a.dll"}]}' end)
from generate_series(1, 50) g;
select fixture.judge();
select is_empty($$ select l from fixture.learned() l where l like '777.500%' $$, 'hosts that wait for a restart teach nothing');

-- Nor does whoever was not wholly seen, by what could not be read or was not followed, or is a clone.
select fixture.host('u' || g, fixture.at(600, 600, 600, 80, 'u' || g % 4),
                    fixture.ubr(600) || '{"not_seen": [{"kind": "link", "what": "c:/x", "count": 1}]}')
from generate_series(1, 25) g;
select fixture.host('r' || g, fixture.at(700, 700, 700, 80, 'r' || g % 4), fixture.ubr(700)) from generate_series(1, 25) g;
update evenkeel.host_checkin set unreadable = 1 where host_id in (select host_id from evenkeel.host where name ~ '^r[0-9]');
select fixture.host('c' || g, fixture.at(800, 800, 800, 80, 'c' || g % 4), fixture.ubr(800) || '{"machine_guid": "11111111-1111-1111-1111-111111111111"}')
from generate_series(1, 25) g;
select fixture.judge();
select is_empty($$ select l from fixture.learned() l where l like '777.600%' $$, 'hosts of which something was not seen teach nothing');
select is_empty($$ select l from fixture.learned() l where l like '777.700%' $$, 'nor those of which something could not be read');
select is_empty($$ select l from fixture.learned() l where l like '777.800%' $$, 'nor clones');

select * from finish();
rollback;
