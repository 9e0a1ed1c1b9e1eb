-- True statements in random orders: whatever is said first, the same is known at the end, and no verdict on the way is one that the truth forbids.
begin;
select plan(4);
\ir fixture.psql
\ir catalogue.psql
\ir random_orders.psql

select fixture.random_truth(0.3);
select ok((select count(distinct kind) = 8 and count(*) > 30 from fixture.statement) and (select count(distinct healthy) = 2 from fixture.truly),
          'there are statements of all kinds, and hosts that are healthy and mixed');
select fixture.in_order(turn) from generate_series(1, 3) turn;
select is_empty($$ select * from fixture.told $$, 'on the way no healthy host is mixed, and no mixed one level');
select is_empty($$ select line, array_agg(turn order by turn) from fixture.ended group by line having count(distinct turn) < 3 order by 1 $$,
                'at the end the same is stated and judged in every order');
select ok((select bool_or(line like '%: level%') and bool_or(line like '%: mixed%') from fixture.ended), 'which is level and mixed, too, and not unknown alone');

select * from finish();
rollback;
