-- A patch on a host whose components are below the level that it needs.
begin;
select plan(12);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('iis', array['RTM', 'SP5', 'SP6', 'SP6a']);
update evenkeel.level set service_pack = 'Service Pack 6' where code in ('SP6', 'SP6a') and product_id = evenkeel.product_number('iis');
update evenkeel.level set service_pack = 'Service Pack 5' where code = 'SP5' and product_id = evenkeel.product_number('iis');
update evenkeel.level set marker_hotfix = 'Q246009' where code = 'SP6a' and product_id = evenkeel.product_number('iis');
select fixture.ships('iis', 'RTM asp.dll = 9.1.100.1', 'SP5 asp.dll = 9.1.100.50', 'SP6a asp.dll = 9.1.100.60', 'SP6a base.dll >= 9.1.100.60');
select fixture.patch('iis', 'Q319733', array['SP6a'], array['w3svc.dll 9.1.100.79', 'info.dll 9.1.100.79']);
select fixture.patch('iis', 'Q100000', array['RTM', 'SP5'], array['other.dll 9.1.100.7']);
select fixture.patch('iis', 'Q100001', '{}', array['free.dll 9.1.100.7']);
select fixture.patch('iis', 'Q200001', array['SP5'], array['w3svc.dll 9.1.100.78', 'info.dll 9.1.100.78']);

select fixture.host('below', '{"c:/iis/w3svc.dll": "9.1.100.79", "c:/iis/info.dll": "9.1.100.79", "c:/iis/asp.dll": "9.1.100.50",
                               "c:/iis/base/base.dll": "9.1.100.59"}', fixture.runs('Service Pack 5'));
select fixture.host('at-level', '{"c:/iis/w3svc.dll": "9.1.100.79", "c:/iis/info.dll": "9.1.100.79", "c:/iis/asp.dll": "9.1.100.60",
                                  "c:/iis/base/base.dll": "9.1.100.60"}', fixture.runs('Service Pack 6', 'Q246009', 'Q319733'));
select fixture.host('one-dll', '{"c:/iis/w3svc.dll": "9.1.100.79", "c:/iis/info.dll": "9.1.100.79", "c:/iis/asp.dll": "9.1.100.60",
                                 "c:/iis/base/base.dll": "9.1.100.59"}', fixture.runs('Service Pack 6', 'Q246009'));
select fixture.host('listed-only', '{"c:/iis/w3svc.dll": "9.1.100.10", "c:/iis/asp.dll": "9.1.100.50"}', fixture.runs('Service Pack 5', 'Q319733'));
select fixture.host('declared-only', '{"c:/iis/w3svc.dll": "9.1.100.79", "c:/iis/info.dll": "9.1.100.79"}', fixture.runs('Service Pack 5'));
select fixture.host('sp6', '{"c:/iis/w3svc.dll": "9.1.100.79", "c:/iis/info.dll": "9.1.100.79"}', fixture.runs('Service Pack 6'));
select fixture.host('absent', '{"c:/iis/w3svc.dll": "9.1.100.10", "c:/iis/asp.dll": "9.1.100.50"}', fixture.runs('Service Pack 5'));
select fixture.host('modest', '{"c:/iis/other.dll": "9.1.100.7", "c:/iis/free.dll": "9.1.100.7", "c:/iis/asp.dll": "9.1.100.1"}', fixture.runs(''));
select fixture.judge();

create function fixture.prerequisite(host_name text) returns text language sql as $$
    select string_agg(subject || ': ' || coalesce((select string_agg(b ->> 'path', ' ' order by b ->> 'path') from jsonb_array_elements(evidence -> 'below') b), ''), '; ')
    from ops.finding where host = host_name and check_name = 'patch-below-prerequisite'
$$;
select is(fixture.prerequisite('below'), 'Q319733: c:/iis/asp.dll c:/iis/base/base.dll', 'files prove the patch, and the files below its level are named, of every component');
select is((select summary from ops.finding where host = 'below' and check_name = 'patch-below-prerequisite'),
          'Q319733, which needs SP6a or later, is there by its files, but c:/iis/asp.dll 9.1.100.50 is at most SP6, and so is 1 more',
          'the line names patch, level, file and version');
select is((select evidence ->> 'required' from ops.finding where host = 'below' and check_name = 'patch-below-prerequisite'), 'SP6a', 'the evidence has the required level');
select is(fixture.prerequisite('at-level'), null, 'at the required level nothing is said');
select is(fixture.prerequisite('one-dll'), 'Q319733: c:/iis/base/base.dll', 'one older DLL put back by other software is enough, whatever the registry declares');
select is(fixture.prerequisite('listed-only'), 'Q319733: c:/iis/asp.dll', 'a listed patch is present, its files proving it or not');
select is(fixture.prerequisite('declared-only'), 'Q319733: ', 'the declared level is enough where no file says anything');
select is((select summary from ops.finding where host = 'declared-only' and check_name = 'patch-below-prerequisite'),
          'Q319733, which needs SP6a or later, is there by its files, but the registry declares SP5', 'and then it is that which is named');
select is(fixture.prerequisite('sp6'), null, 'SP6 declared may be SP6a: unknown is not below');
select is(fixture.prerequisite('absent'), null, 'a patch that is not there needs nothing');
select is(fixture.prerequisite('modest'), null, 'what may go on the first level, or states none, needs nothing');

-- Two patches, present whole, that bring the same file: the less demanding explains it.
select fixture.patch('iis', 'Q500001', array['SP6a'], array['same.dll 9.1.100.80']);
select fixture.patch('iis', 'Q500002', array['SP5'], array['same.dll 9.1.100.80']);
select fixture.host('ambiguous', '{"c:/iis/same.dll": "9.1.100.80", "c:/iis/asp.dll": "9.1.100.50"}', fixture.runs('Service Pack 5'));
select fixture.judge();
select is(fixture.prerequisite('ambiguous'), null, 'a file that a less demanding patch explains does not prove the more demanding one');
select * from finish();
rollback;
