-- A Windows Server 2019 over five months, with what is shipped: healthy hosts are never mixed, whichever lists are imported in whichever order,
-- and those with files of another update are, as soon as it can be known. Then without any list, by the fleet.
begin;
select plan(7);
\ir fixture.psql
\ir server_2019.psql

create function fixture.declares(build integer, ubr integer, type text default 'server') returns jsonb language sql as $$
    select jsonb_build_object('has_registry', true, 'current_version', '10.0', 'current_build', build, 'has_ubr', true, 'ubr', ubr, 'product_type', type,
                              'windows_directory', 'c:/windows')
$$;
create table fixture.update (position integer, ubr integer primary key, article integer);
insert into fixture.update values (1, 1217, 4551853), (2, 1339, 4558998), (3, 1397, 4565349), (4, 1457, 4570333), (5, 1518, 4577668);

-- The files at an update, some of them as another update has them.
create function fixture.at(held integer, other integer default null, variadic moved text[] default '{}') returns jsonb language sql as $$
    select jsonb_object_agg(path, version)
    from (select path, versions[(select position from fixture.update where ubr = case when regexp_replace(path, '^.*/', '') = any (moved) then other
                                                                                     else held end)] as version
          from fixture.server_2019) f
    where version is not null
$$;
-- The update's list: what it ships that is no longer as at RTM.
create function fixture.import_list(number integer) returns void language plpgsql as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    drop table if exists kb_file, kb_section, kb_row, kb_requirement, kb_corrected, kb_told, kb_placed, kb_article_product, kb_patch, kb_needed,
        kb_bound, list_row, list_build, list_beside, list_stem, list_level, list_part, list_double;
    perform evenkeel.kb_stage();
    perform evenkeel.catalog_stage();
    delete from stage_list_change;
    insert into kb_file (doc, path, article, number, is_list) values (0, number || '.csv', 'KB' || number, number, true);
    insert into kb_section values (0, 0, 1, 'x64-based', 'x64');
    insert into list_row (doc, line, section, dated, version, size, file)
    select 0, 2 + row_number() over (order by path), 0, '2020-10-02', evenkeel.version_of(version), 1024, regexp_replace(path, '^.*/', '')
    from (select path, versions[(select position from fixture.update where article = number)] as version from fixture.server_2019) f
    where path like 'c:/windows/system32/%' and version ~ '\.17763\.\d+$' and version !~ '\.17763\.1$';
    perform evenkeel.kb_import(null, null);
    perform evenkeel.catalog_refresh();
end $$;

create function fixture.said(host_name text) returns text language sql as $$ select verdict from ops.host where host = host_name $$;
-- What is wrong of the eight hosts, given the lists that are there.
create function fixture.wrong(articles integer[]) returns text language sql as $$
    select string_agg(format('%s is %s with %s', h.host, h.verdict, articles), '; ')
    from ops.host h left join fixture.update u on h.host = 's19-' || u.ubr
    where not coalesce(case when u.article = any (articles) then h.verdict = 'level'
                            when u.ubr is not null then h.verdict in ('unknown', 'level')
                            when h.host = 's19-fwd' then h.verdict = 'mixed'
                            when 4577668 = any (articles) then h.verdict = 'mixed'
                                and (h.host <> 's19-mix' or exists (select from ops.finding f where f.host = h.host and f.summary like '%; 3 files to move to 17763.1518'))
                            else h.verdict in ('unknown', 'mixed') end, false)
$$;
-- Imports lists one after another, judges after each, and takes all of it back: what was wrong on the way.
create function fixture.trial(articles integer[]) returns text language plpgsql as $$
declare
    wrong text := '';
begin
    for n in 1 .. cardinality(articles) loop
        perform fixture.import_list(articles[n]);
        perform fixture.judge();
        wrong := concat_ws('; ', nullif(wrong, ''), fixture.wrong(articles[:n]));
    end loop;
    raise exception using errcode = 'EK001';
exception when sqlstate 'EK001' then
    return wrong;
end $$;

select fixture.host('s19-' || ubr, fixture.at(ubr), fixture.declares(17763, ubr)) from fixture.update;
select fixture.host('s19-mix', fixture.at(1518, 1339, 'combase.dll', 'conhost.exe', 'dbghelp.dll'), fixture.declares(17763, 1518));
select fixture.host('s19-fwd', fixture.at(1339, 1518, 'wintrust.dll', 'winhttp.dll', 'windows.storage.dll'), fixture.declares(17763, 1339));
select fixture.host('s19-lie', fixture.at(1339), fixture.declares(17763, 1518));
select fixture.judge();
select is(fixture.wrong('{}'), null, 'with what is shipped alone only a file of a later update is mixed');
select matches((select missing from ops.host where host = 's19-lie'), '^declares 17763\.1518, nothing above 1339', 'and a declaration that nothing bears out is told');

-- Each start of an order is a subset.
select is(fixture.trial(array(select article from fixture.update order by md5(format('%s %s', n, article)))), '', 'lists in a random order: ' || n)
from generate_series(1, 3) n;

-- Without any list: 25 healthy hosts an update, in five inventories.
select fixture.host('h' || ubr || '-' || g, fixture.at(ubr) || jsonb_build_object('c:/tools/own' || g % 5 || '.dll', '1.0.0.0'), fixture.declares(17763, ubr))
from fixture.update, generate_series(1, 25) g;
select fixture.judge();
select is((select string_agg(distinct verdict || ' ' || proof, ', ') from ops.host where host like 'h%'), 'level fleet', 'healthy hosts are level by the fleet');
select results_eq($$ select host, verdict from ops.host where host in ('s19-fwd', 's19-lie', 's19-mix') order by 1 $$,
    $$ values ('s19-fwd'::text, 'mixed'::text), ('s19-lie', 'mixed'), ('s19-mix', 'mixed') $$, 'and who is behind or ahead is mixed');

select * from finish();
rollback;
