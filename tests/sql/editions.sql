-- Loading the catalogue: a row loaded again replaces what it said, what a new edition states no more goes, and the order of loads leaves no trace.
begin;
select plan(26);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('gold', array['RTM', 'SP1', 'SP2']);
select fixture.product('silver', array['RTM', 'SP1']);

-- Loads baselines.csv of a folder: 'LEVEL FILE RELATION VERSION SOURCE'; without a folder each row is of its source's edition, as an import's is.
create function fixture.load(folder text, variadic rows text[]) returns bigint language plpgsql as $$
declare
    changed bigint;
begin
    perform evenkeel.catalog_stage();
    delete from stage_edition;
    if folder <> '' then
        perform evenkeel.catalog_edition('baselines', folder || '/baselines.csv');
    end if;
    insert into stage_baselines (product, level, file, relation, version, source)
    select 'gold', w[1], w[2], w[3], w[4], w[5] from unnest(rows) r cross join string_to_array(r, ' ') w where r <> '';
    select sum(m.changed) into changed from evenkeel.catalog_merge() m;
    delete from stage_baselines;
    return changed;
end $$;
create function fixture.known() returns setof text language sql as $$
    select concat_ws(' ', l.code, b.file, b.relation, evenkeel.version_text(b.version), b.source)
    from evenkeel.baseline b join evenkeel.level l using (product_id, ordinal) where b.product_id = evenkeel.product_number('gold') order by 1
$$;

select is(fixture.load('/a', 'SP1 x.dll = 9.1.1.1 Q1', 'SP1 y.dll >= 9.1.1.5 Q1'), 2::bigint, 'two new rows');
select is(fixture.load('/a', 'SP1 x.dll = 9.1.1.1 Q1', 'SP1 y.dll >= 9.1.1.5 Q1'), 0::bigint, 'which loaded again change nothing');
select is(fixture.load('/a', 'SP1 x.dll = 9.1.1.2 Q1', 'SP1 y.dll >= 9.1.1.5 Q1'), 2::bigint, 'a corrected row');
select results_eq('select * from fixture.known()', array['SP1 x.dll = 9.1.1.2 Q1', 'SP1 y.dll >= 9.1.1.5 Q1'], 'replaces the old one');
select lives_ok($$ select fixture.load('/elsewhere', 'SP1 x.dll = 9.1.1.3 Q1') $$, 'the same source from another folder');
select results_eq('select * from fixture.known()', array['SP1 x.dll = 9.1.1.3 Q1', 'SP1 y.dll >= 9.1.1.5 Q1'], 'replaces its row, too, and no other');
select lives_ok($$ select fixture.load('/b', 'SP1 x.dll = 9.1.1.7 Q2', 'SP2 x.dll = 9.1.1.8 Q2', 'SP2 x.dll = 9.1.1.9 Q2') $$, 'another source');
select results_eq('select * from fixture.known()',
    array['SP1 x.dll = 9.1.1.3 Q1', 'SP1 x.dll = 9.1.1.7 Q2', 'SP1 y.dll >= 9.1.1.5 Q1', 'SP2 x.dll = 9.1.1.8 Q2', 'SP2 x.dll = 9.1.1.9 Q2'],
    'replaces nothing of the first; it may name several builds of a file');
select lives_ok($$ select fixture.load('/b', 'SP1 x.dll = 9.1.1.7 Q2') $$, 'an edition without some of its rows');
select results_eq('select * from fixture.known()', array['SP1 x.dll = 9.1.1.3 Q1', 'SP1 x.dll = 9.1.1.7 Q2', 'SP1 y.dll >= 9.1.1.5 Q1'], 'takes them out');
select lives_ok($$ select fixture.load('/c', 'SP1 x.dll = 9.1.1.7 Q2'); select fixture.load('/b', '') $$, 'what two editions state');
select results_eq('select * from fixture.known()', array['SP1 x.dll = 9.1.1.3 Q1', 'SP1 x.dll = 9.1.1.7 Q2', 'SP1 y.dll >= 9.1.1.5 Q1'], 'stays when one of them states it no more');
select lives_ok($$ select fixture.load('/c', '') $$, 'and when the other does not, either');
select results_eq('select * from fixture.known()', array['SP1 x.dll = 9.1.1.3 Q1', 'SP1 y.dll >= 9.1.1.5 Q1'], 'it goes');
select lives_ok($$ select fixture.load('', 'SP2 z.dll = 9.1.1.1 Q3', 'SP1 z.dll <= 9.1.1.0 Q3'); select fixture.load('', 'SP2 z.dll = 9.1.1.2 Q3') $$,
    'an article that is read again');
select results_eq($$ select * from fixture.known() where known like '%Q3' $$, array['SP2 z.dll = 9.1.1.2 Q3'], 'says what it says now, and nothing else');
select lives_ok($$ insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
                   values (evenkeel.product_number('gold'), 1, 'own.dll', '=', evenkeel.version_of('9.1.1.1'), 'captured', 'host here') $$, 'what was captured');
select lives_ok($$ select fixture.load('/a', ''); select fixture.load('/elsewhere', '') $$, 'when all files are empty');
select results_eq('select * from fixture.known()', array['SP1 own.dll = 9.1.1.1 host here', 'SP2 z.dll = 9.1.1.2 Q3'], 'stays');

-- What states what can be asked, and taken out by its source.
select results_eq($$ select source, kind, statements from evenkeel.catalog_sources('gold') $$,
    $$ values ('Q3', 'statement', 1::bigint), ('host here', 'statement', 1) $$, 'sources are listed with what they state');
select results_eq($$ select level, file, source from evenkeel.baseline_statements('gold', 'sp1', null, null) $$,
    $$ values ('SP1', 'own.dll', 'host here') $$, 'and statements by their level');
select results_eq($$ select file from evenkeel.baseline_statements(null, null, 'Q3', null) union all
                     select file from evenkeel.baseline_statements(null, null, null, 'OWN.dll') $$, array['z.dll', 'own.dll'], 'source or file');
select is(evenkeel.baseline_remove('host here', 'gold', 'sp1'), 1::bigint, 'a capture can be taken out');
select throws_like($$ select evenkeel.baseline_remove('host there', null, null) $$, '%no statement is from ''host there''%baseline show%', 'what is not there can''t');
select is(evenkeel.catalog_remove('Q3'), 1::bigint, 'and what an article says');

-- In any order the same folders give the same rows.
create table in_order (orders text, rows text);
do $$
declare
    turn integer;
    folders integer[];
    f integer;
begin
    perform setseed(0.4711);
    for turn in 1 .. 12 loop
        delete from evenkeel.baseline where product_id = evenkeel.product_number('gold');
        delete from evenkeel.edition where name like '/folder%';
        folders := array(select n from generate_series(1, 6) n order by random());
        foreach f in array folders loop
            -- Each states some files by a source of its own, and some by one that two of them share.
            perform fixture.load('/folder' || f, variadic array(
                select format('SP%s f%s.dll = 9.1.1.%s Q%s', 1 + n % 2, n, (n * f) % 7, f) from generate_series(f, f + 4) n
                union select format('SP1 shared%s.dll >= 9.1.2.%s common', n, n) from generate_series(f / 2, f / 2 + 3) n));
        end loop;
        insert into in_order select folders::text, string_agg(k, '; ') from fixture.known() k;
    end loop;
end $$;
select is((select count(distinct rows) from in_order), 1::bigint, 'loads commute');

select * from finish();
rollback;
