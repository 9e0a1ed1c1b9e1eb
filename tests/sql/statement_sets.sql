-- What is stated of files is kept as sets of levels: it must say the same as statements that are looked at level by level.
begin;
select plan(14);
\ir fixture.psql

select evenkeel.content_open();
insert into evenkeel.product (code, name, level_kind, rtm_revision, source) values ('points', 'Points', 'cumulative update', 1, 'test');
insert into evenkeel.edition (name, digest) values ('index', '\x00');

-- Lists of the levels that are complete, an index of any levels: runs of builds, mostly rising, some left out, some levels with two.
create function pg_temp.listed(product integer, file text, index boolean) returns void language plpgsql as $$
declare
    ordinals integer[] := array(select ordinal from evenkeel.level where product_id = product and (complete or index) order by ordinal);
    firsts integer[] := '{}';
    lasts integer[] := '{}';
    revisions integer[] := '{}';
    revision integer := 100 + random() * 50;
    k integer := 1 + random() * 3;
    last integer;
begin
    while k <= cardinality(ordinals) loop
        last := least(cardinality(ordinals), k + floor(random() * 4)::integer);
        firsts := firsts || ordinals[k]; lasts := lasts || ordinals[last]; revisions := revisions || revision;
        if random() < 0.15 then
            firsts := firsts || ordinals[k]; lasts := lasts || ordinals[last];
            revisions := revisions || revision + 1 + (random() * 80)::integer;
        end if;
        k := last + 1 + case when random() < 0.15 then 1 + (random() * 2)::integer else 0 end;
        revision := greatest(1, revision + case when random() < 0.9 then random() * 60 else -random() * 60 end);
    end loop;
    if cardinality(firsts) > 0 then
        insert into evenkeel.shipped_file (stem, architecture, edition_id, file, products, first_ordinals, last_ordinals, revisions)
        values (evenkeel.version_of('10.0.1.0') >> 16, case when random() < 0.7 then 34404 end,
                case when index then (select edition_id from evenkeel.edition where name = 'index') end, file, array[product], firsts, lasts, revisions);
    end if;
end
$$;

create function pg_temp.world(seed float, lists boolean, singles float) returns void language plpgsql as $$
declare
    product constant integer := evenkeel.product_number('points');
begin
    perform setseed(seed);
    delete from evenkeel.shipped_file where products = array[product];
    delete from evenkeel.level where product_id = product;
    insert into evenkeel.level (product_id, ordinal, code, name, complete, line, source)
    select product, ordinal, 'L' || ordinal, 'L' || ordinal, lists and random() < 0.7, case when random() < 0.1 then 'hot' else '' end, 'test'
    from (select n * 10 + (random() * 4)::integer as ordinal from generate_series(1, 16) n) o order by ordinal;
    if lists then
        perform pg_temp.listed(product, 'f' || f || '.dll', false) from generate_series(1, 40) f where f % 8 > 0;
        perform pg_temp.listed(product, 'f' || f || '.dll', true) from generate_series(1, 40) f where f % 4 = 0;
    end if;
    insert into evenkeel.baseline (product_id, ordinal, file, relation, version, machine, kind, source)
    select product, l.ordinal, case when random() < 0.5 then '' else 'windows/' end || 'f' || f || '.dll',
           (array['=', '=', '=', '>=', '<='])[1 + floor(random() * 5)], evenkeel.version_of('10.0.1.' || 90 + (random() * 400)::integer),
           case when random() < 0.5 then 34404 end, (array['captured', 'article', 'learned'])[1 + floor(random() * 3)], 'test'
    from evenkeel.level l cross join generate_series(1, 40) f
    where l.product_id = product and random() < singles order by f, l.ordinal
    on conflict do nothing;
    perform evenkeel.content_open();
    delete from content_held;
    insert into content_held (file_id, product_id, component_id, level_kind, name, location, machine, version, revision, at_release, on_line,
                              blind, damaged)
    select row_number() over (order by v.name, v.version), product, 1, 'cumulative update', v.name, 'windows/' || v.name, 34404, v.version,
           v.version & 65535, v.version & 65535 = 100, true, false, false
    from (select distinct replace(s.file, 'windows/', '') as name, s.version + d as version
          from evenkeel.statement s cross join generate_series(-1, 1) d where s.product_id = product) v;
    analyze content_held;
    perform evenkeel.find_statements();
    perform pg_temp.look();
end
$$;

set local check_function_bodies = off;
-- A row for each statement and each level that it is of: of exact ones on a level the best source's, of others at most what that leaves.
create function pg_temp.look() returns void language plpgsql as $$
begin
drop table if exists stated, at_level;
create temporary table stated as
select *
from (select s.*, min(s.weight) filter (where s.relation = '=') over (partition by s.file_id, s.ordinal) as best
      from (select j.file_id, j.version, j.at_release, l.ordinal, l.line, l.complete, s.relation, s.version as shipped,
                   s.kind = 'learned' as learned, l.ordinal in (s.first_ordinal, s.last_ordinal) as ends, evenkeel.statement_rank(s.kind) = 1 as firm,
                   evenkeel.statement_rank(s.kind) * 2 + (s.file <> j.location)::integer as weight
            from content_held j
            cross join lateral evenkeel.statements_of(j.product_id, j.name, j.location, j.machine) s
            join evenkeel.level l on l.product_id = j.product_id and l.ordinal between s.first_ordinal and s.last_ordinal) s) s
where s.relation = '>=' or s.best is null or s.weight <= s.best;
create index on stated (file_id, ordinal);
create temporary table at_level as
select file_id, version, at_release, ordinal, line,
       bool_or(relation = '=' and shipped = version) as same, bool_or(relation = '=' and shipped = version and (complete or ends)) as same_said,
       bool_or(relation = '=' and shipped <= version) as not_newer, bool_or(relation = '=' and shipped >= version) as not_older,
       bool_or(relation = '=' and shipped > version and (complete or ends)) as newer_said,
       bool_or(relation = '>=' and shipped > version) as least_newer,
       bool_or(relation <> '>=' and shipped < version and (complete or ends)) as older_said,
       bool_or(relation <> '>=' and shipped = version and not learned) as is_same,
       bool_or(relation <> '>=' and shipped < version and not learned) as is_older,
       bool_or(relation <> '>=' and shipped > version and not learned) as is_newer,
       bool_or(relation <> '>=' and shipped <= version and learned) as learned,
       bool_or(relation <> '>=' and shipped < version and learned) as learned_older,
       bool_or(relation <> '>=' and shipped = version) as any_same,
       bool_or(relation = '=' and firm) as spoken
from pg_temp.stated group by file_id, version, at_release, ordinal, line;
create index on at_level (file_id, ordinal);
analyze stated; analyze at_level;
end
$$;

create function pg_temp.upper_ends() returns table (file_id integer, bound integer, at_least boolean) language sql as $$
    select distinct on (a.file_id) a.file_id, a.ordinal, not (a.newer_said and not a.not_newer)
    from pg_temp.at_level a
    where a.line = '' and (a.newer_said and not a.not_newer or a.least_newer)
      and not exists (select from pg_temp.at_level s where s.file_id = a.file_id and s.same and s.ordinal >= a.ordinal)
    order by a.file_id, a.ordinal
$$;
create function pg_temp.exact_ends() returns table (file_id integer, bound integer, shipped_from integer) language sql as $$
    with same as (select file_id, min(ordinal) as ordinal from pg_temp.at_level where same_said group by file_id)
    select s.file_id, (select max(o.ordinal) + 1 from pg_temp.at_level o
                       where o.file_id = s.file_id and o.older_said and not o.not_older and o.ordinal < s.ordinal), s.ordinal
    from same s
$$;
-- At levels of which a list or an article speaks: elsewhere lists may imply something.
create function pg_temp.confirmations(everywhere boolean)
returns table (file_id integer, ordinal integer, confirmed boolean, by_fleet boolean, untouched boolean, ahead boolean) language sql as $$
    select file_id, ordinal, is_same or is_older and not is_newer, learned and not (is_same or is_older or is_newer),
           any_same and at_release and not is_newer and not is_older,
           is_older and not is_same and not is_newer or learned_older and not (is_same or is_older or is_newer)
    from pg_temp.at_level where spoken or everywhere
$$;
create function pg_temp.confirmations_by_sets(everywhere boolean)
returns table (file_id integer, ordinal integer, confirmed boolean, by_fleet boolean, untouched boolean, ahead boolean) language sql as $$
    select a.file_id, a.ordinal, coalesce(a.ordinal <@ c.confirmed, false), coalesce(a.ordinal <@ c.by_fleet, false),
           coalesce(a.ordinal <@ c.untouched, false), coalesce(a.ordinal <@ c.ahead, false)
    from pg_temp.at_level a left join evenkeel.file_confirmations() c using (file_id) where a.spoken or everywhere
$$;
-- A list that leaves a file out has it as the level before; where a level without a list lies between, nobody knows.
create function pg_temp.implied() returns table (file_id integer, ordinal integer, shipped bigint) language sql as $$
    with unspoken as (
        select j.file_id, j.version, l.ordinal,
               (select max(a.ordinal) from pg_temp.at_level a where a.file_id = j.file_id and a.ordinal < l.ordinal and a.spoken) as before
        from content_held j join evenkeel.level l on l.product_id = j.product_id and l.complete and l.line = ''
        where not exists (select from pg_temp.at_level a where (a.file_id, a.ordinal) = (j.file_id, l.ordinal) and a.spoken)
    )
    select distinct u.file_id, u.ordinal, coalesce(s.shipped::bigint, (u.version & ~65535::bigint) + 1)
    from unspoken u
    left join pg_temp.stated s on s.file_id = u.file_id and s.ordinal = u.before and s.relation = '='
    where u.before is null
       or not exists (select from evenkeel.level e where e.product_id = evenkeel.product_number('points') and e.line = '' and not e.complete
                      and e.ordinal > u.before and e.ordinal < u.ordinal)
$$;
create function pg_temp.implied_by_sets() returns table (file_id integer, ordinal integer, shipped bigint) language sql as $$
    select distinct i.file_id, l.ordinal, i.shipped
    from evenkeel.implied_statements() i
    join evenkeel.level l on l.product_id = i.product_id and l.complete and l.line = '' and l.ordinal between i.first_ordinal and i.last_ordinal
$$;
-- All rounds, and what one side says and the other does not.
create temporary table said (seed float, what text, told jsonb);
create function pg_temp.rounds(lists boolean, singles float) returns void language plpgsql as $$
declare
    seed float;
begin
    delete from said;
    foreach seed in array array[0.1, 0.2, 0.3, 0.4] loop
        perform pg_temp.world(seed, lists, singles);
        insert into said
        select seed, 'upper', to_jsonb(o) from (select * from pg_temp.upper_ends()
                                                except select file_id, bound, basis like '% ships at least %' from evenkeel.upper_ends()) o
        union all select seed, 'upper', to_jsonb(o) from (select file_id, bound, basis like '% ships at least %' from evenkeel.upper_ends()
                                                          except select * from pg_temp.upper_ends()) o
        union all select seed, 'exact', to_jsonb(o) from (select * from pg_temp.exact_ends()
                                                          except select file_id, bound, shipped_from from evenkeel.exact_ends()) o
        union all select seed, 'exact', to_jsonb(o) from (select file_id, bound, shipped_from from evenkeel.exact_ends()
                                                          except select * from pg_temp.exact_ends()) o
        union all select seed, 'confirmed', to_jsonb(o) from (select * from pg_temp.confirmations(not lists)
                                                              except select * from pg_temp.confirmations_by_sets(not lists)) o
        union all select seed, 'implied', to_jsonb(o) from (select * from pg_temp.implied() except select * from pg_temp.implied_by_sets()) o
        union all select seed, 'implied', to_jsonb(o) from (select * from pg_temp.implied_by_sets() except select * from pg_temp.implied()) o
        union all select seed, 'count', jsonb_build_object('upper', (select count(*) from pg_temp.upper_ends()),
                                                           'exact', (select count(*) from pg_temp.exact_ends() where bound is not null),
                                                           'confirmed', (select count(*) from pg_temp.confirmations(not lists) where confirmed and not ahead),
                                                           'implied', (select count(*) from pg_temp.implied()));
    end loop;
end
$$;
create function pg_temp.differ(of text) returns bigint language sql as $$ select count(*) from said where what = of $$;
create function pg_temp.least(of text) returns bigint language sql as $$ select min((told ->> of)::bigint) from said where what = 'count' $$;

select pg_temp.rounds(true, 0);
select is(pg_temp.differ('upper'), 0::bigint, 'lists alone: the first level that a file is too old for');
select is(pg_temp.differ('exact'), 0::bigint, 'lists alone: the level that a file is shipped with');
select is(pg_temp.differ('confirmed'), 0::bigint, 'lists alone: the levels that it is confirmed for');
select is(pg_temp.differ('implied'), 0::bigint, 'lists alone: what is left out');
select ok(least(pg_temp.least('upper'), pg_temp.least('exact'), pg_temp.least('confirmed'), pg_temp.least('implied')) > 20, 'each of many files');
select pg_temp.rounds(true, 0.1);
select is(pg_temp.differ('upper'), 0::bigint, 'lists beside other sources: the first level that a file is too old for');
select is(pg_temp.differ('exact'), 0::bigint, 'lists beside other sources: the level that a file is shipped with');
select is(pg_temp.differ('confirmed'), 0::bigint, 'lists beside other sources: the levels that it is confirmed for');
select is(pg_temp.differ('implied'), 0::bigint, 'lists beside other sources: what is left out');
select ok(least(pg_temp.least('upper'), pg_temp.least('exact'), pg_temp.least('confirmed'), pg_temp.least('implied')) > 20, 'each of many files');
select pg_temp.rounds(false, 0.4);
select is(pg_temp.differ('upper'), 0::bigint, 'no lists: the first level that a file is too old for');
select is(pg_temp.differ('exact'), 0::bigint, 'no lists: the level that a file is shipped with');
select is(pg_temp.differ('confirmed'), 0::bigint, 'no lists: the levels that it is confirmed for');
select ok(least(pg_temp.least('upper'), pg_temp.least('exact'), pg_temp.least('confirmed')) > 20, 'each of many files');

select * from finish();
rollback;
