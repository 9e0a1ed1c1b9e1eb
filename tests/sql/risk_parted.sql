-- Hosts that look alike to a patch, but of whom its files leave different things: each has the result that it has when asked for alone.
begin;
select plan(4);
\ir fixture.psql
\ir catalogue.psql
\ir random_fleet.psql
\ir risk.psql

-- Two levels that hosts declare the same way, as SP6 and SP6a were: a patch's file moves hosts from one to the other.
select fixture.product('app', array['RTM', 'SP1', 'SP1a']);
update evenkeel.level set service_pack = 'Service Pack 1' where code = 'SP1a';
select fixture.ships('app', variadic array['SP1 a.dll = 9.1.100.10', 'SP1a a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP1 c.dll = 9.1.100.10', 'SP1 d.dll = 9.1.100.10',
    'SP1 e.dll = 9.1.100.10', 'SP1a e.dll = 9.1.100.10', 'SP1 f.dll = 9.1.100.10', 'SP1a f.dll = 9.1.100.10', 'SP1 g.dll = 9.1.100.10', 'SP1a g.dll = 9.1.100.10']);
select fixture.payload('app', 'KB1', jsonb_build_object('a.dll', fixture.pe('9.1.100.20')), array['SP1a']);
select fixture.place_host(format('%s %s', kind, n), (select jsonb_object_agg('c:/app/' || f, fixture.image('9.1.100.10')) from unnest(files) f),
                          fixture.runs('Service Pack 1'), true)
from generate_series(1, 4) n
cross join (values ('said', '{a.dll,e.dll,f.dll,g.dll}'::text[]), ('unsaid', '{a.dll,b.dll,c.dll,d.dll}')) k (kind, files);
select evenkeel.catalog_refresh();
select fixture.judge();
select is((select count(distinct (p.levels, p.declared, p.verdict, p.countable, p.confirmed)) from evenkeel.host_product p), 1::bigint,
          'all are judged alike before the patch');

create temporary table together as select host, verdict, reason from ops.risk('KB1', max_age => '9999 days');
create temporary table alone as select r.host, r.verdict, r.reason from evenkeel.host h cross join lateral ops.risk('KB1', h.name, max_age => '9999 days') r;
select is((select array_agg(distinct split_part(host, ' ', 1) order by split_part(host, ' ', 1)) from alone where reason like '%1 of 4 files confirmed at SP1a%'), '{unsaid}',
          'after it files that stay confirm the new level on some, and not on the others');
select is((select string_agg(format('%s: %s, alone %s', host, t.reason, a.reason), '; ') from together t full join alone a using (host) where (t.verdict, t.reason) is distinct from (a.verdict, a.reason)),
          null, 'each has the result that it has when asked for alone');

-- Whichever of them stands for the others.
update evenkeel.host set name = case when name like 'said%' then replace(name, 'said', 'z') else replace(name, 'unsaid', 'a') end;
truncate together, alone;
insert into together select host, verdict, reason from ops.risk('KB1', max_age => '9999 days');
insert into alone select r.host, r.verdict, r.reason from evenkeel.host h cross join lateral ops.risk('KB1', h.name, max_age => '9999 days') r;
select is((select count(*) from (table together except table alone) x), 0::bigint, 'whichever of them stands for the others');

select * from finish();
rollback;
