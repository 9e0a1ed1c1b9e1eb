-- Fleets of today's Windows with what real machines have, and nothing imported: no healthy host is mixed, and the one that is is found.
begin;
select plan(8);
\ir fixture.psql

create table fixture.fleet (product text primary key, build integer not null, declared integer[] not null, type text not null, latest integer, past boolean);
insert into fixture.fleet (product, build, declared, type, latest, past) values
    ('windows-2016', 14393, '{14393}', 'server', 3274, false),
    ('windows-10-1903', 18362, '{18362,18363}', 'workstation', 836, false),
    ('windows-10-2004', 19041, '{19041,19044,19045}', 'workstation', null, true),
    ('windows-2022', 20348, '{20348}', 'server', 1607, false),
    ('windows-11-22h2', 22621, '{22621,22631}', 'workstation', 2506, false),      -- a preview
    ('windows-11-24h2', 26100, '{26100,26200}', 'workstation', null, true),
    ('windows-2025', 26100, '{26100}', 'domain_controller', 4061, false);
\ir fleets.psql

-- Thirty hosts each: twenty-four at the latest update, six two updates behind.
select count(fixture.fleet_host(f.product || '-' || g, f.product, g, u.ubr, fixture.windows(f.product, u.back::integer)))
from fixture.fleet f cross join generate_series(1, 30) g join fixture.update u on u.product = f.product and u.back = case when g > 24 then 3 else 1 end;
-- One with three files of the update before the latest, one with three that come from the latest.
create table fixture.moved as
select product, (array_agg(name order by fixture.dice(1000, product, name)))[:3] as names
from (select a.product, a.name from fixture.ships a join fixture.ships b using (product, name) join fixture.update k on k.product = a.product and k.back = 3
      where a.back = 1 and b.back = 3 and a.revision > k.ubr and a.name !~ '^part-') n group by product;
select count(fixture.fleet_host('behind-' || m.product, m.product, 1, u.ubr, fixture.windows(m.product, 1, 3, variadic m.names)))
from fixture.moved m join fixture.update u on u.product = m.product and u.back = 1;
select count(fixture.fleet_host('ahead-' || m.product, m.product, 1, u.ubr, fixture.windows(m.product, 3, 1, variadic m.names)))
from fixture.moved m join fixture.update u on u.product = m.product and u.back = 3;
-- And hotpatched ones, which stand on the older update beside them.
select count(fixture.fleet_host(format('hot-%s-%s', f.product, g), f.product, g, u.ubr + 7,
    fixture.windows(f.product, 3) || (select jsonb_object_agg(path, format('10.0.%s.%s', f.build, u.ubr + 7)) from fixture.ships s
                                      where s.product = f.product and s.back = 3 and s.name in ('ntoskrnl.exe', 'tcpip.sys', 'afd.sys')),
    case f.type when 'workstation' then 'allowed' else 'enrolled' end))
from fixture.fleet f cross join generate_series(1, 22) g join fixture.update u on u.product = f.product and u.back = 3
where f.product in ('windows-2022', 'windows-11-24h2');

select fixture.judge();
select is((select count(*) from fixture.moved where cardinality(names) = 3), 7::bigint, 'seven fleets');
select results_eq($$ select fleet.product, count(*) from ops.host h join fixture.fleet on h.host ~ ('^' || product || '-\d+$') group by 1 order by 1 $$,
                  $$ select product, 30::bigint from fixture.fleet order by 1 $$, 'of thirty hosts each');
select is_empty($$ select host, verdict, missing from ops.host where verdict = 'mixed' and host !~ '^(behind|ahead)' $$, 'no healthy host is mixed');
select is_empty($$ select host, verdict, missing from ops.host h join fixture.fleet f on h.host ~ ('^' || f.product || '-\d+$')
                   where (verdict, coalesce(proof, '')) is distinct from case when substring(host from '-(\d+)$')::integer > 24 then row ('unknown'::text, ''::text)
                                                               else row ('level'::text, 'fleet'::text) end $$,
                'those that are many are level by the fleet, those that are few unknown');
select is_empty($$ select host, verdict, missing from ops.host where host ~ '^behind' and verdict <> 'mixed' $$, 'one with files of an older update is mixed');
select is_empty($$ select host, verdict, missing from ops.host where host ~ '^ahead' and verdict <> 'mixed' $$, 'one with files of a later update, too');
select is_empty($$ select f.host, f.summary from ops.finding f join fixture.moved m on f.host = 'behind-' || m.product
                   where f.check_name = 'mixed-level' and array(select distinct regexp_replace(x ->> 'path', '^.*/', '') from jsonb_array_elements(f.evidence -> 'move') x order by 1)
                         <> array(select n from unnest(m.names) n order by 1) $$, 'and exactly its three files are to move');
select is((select string_agg(distinct verdict, ', ') from ops.host where host ~ '^hot'), 'unknown', 'hotpatched ones are unknown: what they stand on is not said');

select * from finish();
rollback;
