-- Where a host keeps its Windows makes no difference: random hosts, each again with its Windows in folders of other names and on other drives,
-- alone and beside a second Windows that is older. Each comes out as the plain one does, today and with a patch.
begin;
select plan(7);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql
\set seed 0.14

select setseed(:seed);
select fixture.product('app', array['RTM', 'SP1', 'SP2'], true, 0.5);
update evenkeel.component set include = array['%windir%/system32/*'] where product_id = evenkeel.product_number('app') and code = 'app';
update evenkeel.component set include = array['%windir%/system32/inetsrv/*'] where product_id = evenkeel.product_number('app') and code = 'base';
create temporary table known as
select 'f' || n || '.dll' as file, case when n % 4 = 0 then 'inetsrv/' else '' end as below, case when random() < 0.3 then '>=' else '=' end as relation
from generate_series(1, 16) n;
select fixture.ships('app', 'SP1 ' || file || ' ' || relation || ' 9.1.100.10', 'SP2 ' || file || ' ' || relation || ' 9.1.100.20') from known;
-- Two patches: one whose files name their place, one that is flat; each takes a symbol away or wants one that is not everywhere.
select fixture.payload('app', 'KB1', jsonb_build_object('%windir%/system32/f1.dll', fixture.pe('9.1.100.30', '{One}'),
                                                        '%windir%/system32/inetsrv/new.dll', fixture.pe('9.1.100.30', '{}', fixture.wants('f2.dll', 'Two'))));
select fixture.payload('app', 'KB2', jsonb_build_object('f3.dll', fixture.pe('9.1.100.31', '{One}', fixture.wants('f5.dll', 'Two'))));

-- The files of a Windows, below its folder: mostly at one level, some lacking.
create function fixture.windows(revision integer, strays real) returns jsonb language sql volatile as $$
    select jsonb_object_agg('/system32/' || below || file, fixture.pe('9.1.100.' || case when random() < strays then (array[10, 20])[1 + floor(random() * 2)::integer] else revision end,
               case when random() < 0.8 then array['One', 'Two'] else array['One'] end,
               case when random() < 0.3 then fixture.wants((select k.file from known k where k.file <> known.file order by random() limit 1), 'One')
                    when random() < 0.1 then fixture.wants('f1.dll', 'Two') else '[]' end))
           || jsonb_build_object('/system32/kernel32.dll', fixture.pe('9.1.100.20', '{Sleep}'))
    from known where random() < 0.95
$$;
create function fixture.in_folder(files jsonb, folder text) returns jsonb language sql as $$ select jsonb_object_agg(folder || f.key, f.value) from jsonb_each(files) f $$;
create temporary table tried as
select n, fixture.windows(20, case when n % 3 = 0 then 0.15 else 0 end) as files, fixture.windows(10, 0.2) as second, case when n % 5 = 0 then 'Service Pack 1' else 'Service Pack 2' end as pack
from generate_series(1, 12) n;
create temporary table variant (kind text, windows text, beside text);
insert into variant values ('plain', 'c:/windows', null), ('winnt', 'c:/winnt', null), ('other name', 'c:/nt40', null), ('other drive', 'd:/windows', null), ('deep', 'e:/os/w2k3', null),
                           ('beside winnt', 'c:/windows', 'c:/winnt'), ('beside windows', 'c:/winnt', 'c:/windows'), ('beside its drive', 'd:/windows', 'c:/windows'), ('odd beside usual', 'c:/nt40', 'c:/windows'),
                           ('deep beside usual', 'e:/os/w2k3', 'd:/winnt');
select count(fixture.host(v.kind || ' ' || t.n, fixture.in_folder(t.files, v.windows) || case when v.beside is not null then fixture.in_folder(t.second, v.beside) else '{}' end,
                          fixture.runs(t.pack) || jsonb_build_object('windows_directory', v.windows)))
from tried t cross join variant v;
select evenkeel.catalog_refresh();
select fixture.judge();

create temporary view told as
select t.n, v.kind, h.verdict, h.missing, hp.levels::text as levels,
       (select string_agg(replace(format('%s %s %s', f.check_name, f.subject, f.summary), v.windows || '/', '%windir%/'), E'\n' order by f.check_name, f.subject)
        from ops.finding f where f.host = h.host and (v.beside is null or f.check_name = 'mixed-level')) as findings
from tried t cross join variant v
join ops.host h on h.host = v.kind || ' ' || t.n
left join evenkeel.host_product hp on hp.host_id = h.host_id and hp.product_id = evenkeel.product_number('app');
create temporary table risky as
select t.n, v.kind, r.patch, r.verdict, replace(r.reason, v.windows || '/', '%windir%/') as reason
from (select 'KB1' as patch, * from ops.risk('KB1') union all select 'KB2', * from ops.risk('KB2')) r
join variant v on r.host like v.kind || ' %' join tried t on r.host = v.kind || ' ' || t.n;

select ok((select count(distinct verdict) from told) >= 2 and (select count(distinct verdict) from risky) >= 2, 'hosts and answers differ');
select is((select count(*) from told where levels is null), 0::bigint, 'the product is seen wherever its Windows lies');
select is_empty($$ select o.kind, o.n, o.verdict, p.verdict from told o join told p on p.kind = 'plain' and p.n = o.n
                   where (o.verdict, o.levels, o.missing) is distinct from (p.verdict, p.levels, p.missing) $$, 'each has the verdict of the plain one');
select is_empty($$ select o.kind, o.n, o.findings, p.findings from told o join told p on p.kind = 'plain' and p.n = o.n join variant v on v.kind = o.kind
                   where v.beside is null and o.findings is distinct from p.findings $$, 'and its findings');
select is_empty($$ select o.kind, o.n, o.findings from told o join told p on p.kind = 'plain' and p.n = o.n join variant v on v.kind = o.kind
                   where v.beside is not null and o.findings is distinct from (select string_agg(l, E'\n') from string_to_table(p.findings, E'\n') l where l like 'mixed-level%') $$,
                'of a second Windows none is mixed');
select is_empty($$ select o.kind, o.n, o.patch, o.verdict || ': ' || o.reason, p.verdict || ': ' || p.reason from risky o join risky p on p.kind = 'plain' and (p.n, p.patch) = (o.n, o.patch)
                   join variant v on v.kind = o.kind where v.beside is null and (o.verdict, o.reason) is distinct from (p.verdict, p.reason) $$,
                'a patch does the same to each');
select is_empty($$ select o.kind, o.n, o.patch, o.verdict, p.verdict from risky o join risky p on p.kind = 'plain' and (p.n, p.patch) = (o.n, o.patch)
                   where o.verdict = 'safe' and p.verdict <> 'safe' $$, 'and is safe for none because of another Windows'' files');

select * from finish();
rollback;
