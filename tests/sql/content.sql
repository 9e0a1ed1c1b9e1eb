-- Content: which chunks a file is in.
begin;
select plan(4);
\ir fixture.psql

insert into evenkeel.chunk (digest, file_ids) select sha256(n::text::bytea), array[n, n + 1] from generate_series(1, 100) n;
select is((select count(*) from evenkeel.chunk where file_ids @> array[7]), 2::bigint, 'chunks are found by their files while they wait beside the index');
select cmp_ok(evenkeel.index_content(), '>', 0::bigint, 'what waits beside the index is merged into it');
select is((select count(*) from evenkeel.chunk where file_ids @> array[7]), 2::bigint, 'and is found there');
select is(evenkeel.index_content(), 0::bigint, 'once');

select * from finish();
rollback;
