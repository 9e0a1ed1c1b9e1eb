-- Machines of today that are rarer: clients on ARM64, long-term releases, several editions and languages in one fleet; and one of each Windows, alone at any
-- of its updates. With nothing imported none is mixed.
begin;
select plan(6);
\ir fixture.psql

create table fixture.fleet (product text primary key, build integer not null, declared integer[] not null, type text not null, latest integer, past boolean);
insert into fixture.fleet (product, build, declared, type, latest, past)
select p.code, l.build, array(select n.build from evenkeel.line n where n.product_id = p.product_id and n.build is not null order by 1),
       case when p.product_types = array[1] then 'workstation' else 'server' end, null, true
from evenkeel.product p
cross join lateral (select min(n.build) as build from evenkeel.line n where n.product_id = p.product_id) l
where p.level_kind = 'cumulative update' and p.code like 'windows-%' and l.build is not null;
\ir fleets.psql
select ok((select count(*) from fixture.fleet) >= 18, 'every Windows whose level is its cumulative update');

-- The files of an ARM64 machine: ARM64X ones in system32, 32-bit ones of x86 and of ARM beside, and some for x64 programs alone.
create function fixture.on_arm(files jsonb) returns jsonb language sql as $$
    select jsonb_object_agg(key, value || case when key like '%/syswow64/%' then '{"machine": 332}'
                                               when key like '%/drivers/%' then '{"machine": 43620, "hybrid": 1}'::jsonb
                                               else '{"machine": 43620, "hybrid": 3}' end)
           || jsonb_object_agg(replace(key, 'system32', 'sysarm32'), value || '{"machine": 452}') filter (where key < 'c:/windows/system32/c' and key !~ 'drivers')
           || jsonb_build_object('c:/windows/system32/xtajit64.dll', (array_agg(value))[1] || '{"machine": 34404, "hybrid": 2}')
    from (select key, case jsonb_typeof(value) when 'string' then jsonb_build_object('version', value) else value end as value from jsonb_each(files)) f
$$;
-- Languages and features of the release that were put there later, and by each language's own schedule.
create function fixture.languages(build integer, ubr integer, g integer) returns jsonb language sql as $$
    select jsonb_object_agg(path, format('10.0.%s.%s', build, revision))
    from unnest('{de-de,ja-jp,pt-br,en-gb}'::text[]) with ordinality l (language, ord)
    cross join lateral (values (format('c:/windows/system32/%s/shell32.dll.mui', language), 1 + g % 2 * (ubr - 1)),
                               (format('c:/windows/system32/%s/mmsys.cpl.mui', language), greatest(1, ubr - 200 * ord::integer)),
                               (format('c:/windows/syswow64/%s/kernel32.dll.mui', language), ubr),
                               (format('c:/windows/system32/winmetadata/%s.dll', language), 1),
                               (format('c:/windows/system32/speech_onecore/engines/tts/%s/msttsloc.dll', language), greatest(1, ubr - 50)),
                               (format('c:/windows/ime/%s/imetip.dll', language), greatest(1, ubr - 90))) f (path, revision)
    where (g + ord) % 3 = 0
$$;

create function fixture.other(host_name text, of_product text, g integer, back integer, arm boolean) returns uuid language plpgsql as $$
declare
    ubr integer := (select u.ubr from fixture.update u where u.product = of_product and u.back = other.back);
    files jsonb := fixture.windows(of_product, back);
    build integer := (select f.build from fixture.fleet f where f.product = of_product);
    id uuid := fixture.fleet_host(host_name, of_product, g, ubr, case when arm then fixture.on_arm(files) else files end
                                  || coalesce(fixture.languages(build, ubr, g), '{}'));
begin
    update evenkeel.host_facts f set facts = f.facts || jsonb_build_object('architecture', case when arm then 'ARM64' else 'AMD64' end, 'edition',
        case f.facts ->> 'product_type' when 'workstation' then (array['Enterprise', 'Professional', 'Education', 'EnterpriseS', 'IoTEnterprise'])[1 + g % 5]
                                        else (array['ServerStandard', 'ServerDatacenter', 'ServerDatacenterCor', 'ServerAzureStackHCICor'])[1 + g % 4] end)
    where f.host_id = id and f.valid_to = 'infinity';
    return id;
end $$;
-- One of each, at each of its last updates, of which nobody else knows.
select count(fixture.other(format('alone-%s-%s-%s', f.product, u.back, a.arm), f.product, u.back::integer, u.back::integer, a.arm))
from fixture.fleet f join fixture.update u using (product) cross join (values (false), (true)) a (arm)
where u.back in (1, 5) and (f.type = 'workstation' or not a.arm);
select fixture.judge();
select ok((select count(*) from ops.host where host like 'alone-%') > 40, 'each Windows at two updates, clients on ARM64, too');
select is_empty($$ select host, verdict, missing from ops.host where host like 'alone-%' and verdict = 'mixed' $$, 'alone none is mixed');

-- Thirty hosts each: editions, languages and, of the last client, machines on ARM64 mixed.
select count(fixture.other(format('%s-%s', product, g), product, g, case when g > 24 then 3 else 1 end, product = 'windows-11-24h2' and g % 5 <> 0))
from (values ('windows-10-1507'), ('windows-10-1809'), ('windows-2019'), ('windows-11-24h2')) f (product) cross join generate_series(1, 30) g;
select fixture.judge();
select is((select count(*) from ops.host where host !~ '^alone'), 120::bigint, 'four fleets of thirty');
select is_empty($$ select host, verdict, missing from ops.host where verdict = 'mixed' $$, 'none is mixed in fleets of several editions, languages and machines');
select ok((select count(*) filter (where verdict = 'level' and host !~ '^alone') from ops.host) >= 60, 'and most are level by the fleet');

select * from finish();
rollback;
