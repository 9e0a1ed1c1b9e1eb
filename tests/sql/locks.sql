-- The locks: the code takes several only in the order that locks.sql declares, so no two sessions can wait for each other.
-- First they are taken; then noted instead, while one transaction after the other is run as the programs run them.
begin;
set track_functions = 'all';
select plan(10);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

create table fixture.taken (n serial, step text default current_setting('fixture.step'), lock text, shared boolean);
create function fixture.lock_of(function text) returns text language sql as $$
    select translate(regexp_replace(function, '^lock_|_shared$', '', 'g'), '_', ' ')
$$;
create view fixture.lock_function as
    select p.oid, p.proname::text as function, fixture.lock_of(p.proname) as lock, p.proname ~ '_shared' as shared, p.prorettype
    from pg_proc p where p.pronamespace = 'evenkeel'::regnamespace and p.proname ~ '^lock_' and p.proname not in ('lock_order', 'lock_table');

select is_empty($$ select function from fixture.lock_function where lock not in (select o.lock from evenkeel.lock_order() o) $$,
                'every function that takes a lock is called after one of the order');
select is_empty($$
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace in ('evenkeel'::regnamespace, 'ops'::regnamespace)
      and (p.prosrc ~ 'pg_[a-z_]*advisory'
           or (p.prosrc ~ 'take_lock|lock table' and p.oid not in (select oid from fixture.lock_function) and p.proname <> 'take_lock'))
$$, 'no other function takes one, and none an advisory lock, which anybody can take');

select is(evenkeel.lock_slow_judging() and evenkeel.lock_clock() and evenkeel.lock_learning(false) and evenkeel.lock_learning(true), true,
          'who tries gets a lock that nobody has');
select evenkeel.lock_catalogue_shared(), evenkeel.lock_change(), evenkeel.lock_catalogue(), evenkeel.lock_storing(), evenkeel.lock_content(),
       evenkeel.lock_imports(), evenkeel.lock_fleet_checks() \g /dev/null
select set_eq($$ select c.relname::text, l.mode from pg_locks l join pg_class c on c.oid = l.relation
                 where l.pid = pg_backend_pid() and c.relname in (select evenkeel.lock_table(lock) from evenkeel.lock_order()) $$,
              $$ select evenkeel.lock_table(lock), 'ExclusiveLock' as mode from evenkeel.lock_order()
                 union all select 'lock_on_catalogue', 'ShareLock' $$,
              'each function takes the lock that it is called after');
select is((select count(distinct evenkeel.lock_table(lock)) from evenkeel.lock_order()),
          (select count(*) from evenkeel.lock_order()), 'no two share a table');

do $$
declare
    f record;
begin
    for f in select * from fixture.lock_function loop
        execute format('create or replace function evenkeel.%I(%s) returns %s language plpgsql as %L', f.function,
            pg_get_function_arguments(f.oid), f.prorettype::regtype,
            format('begin insert into fixture.taken (lock, shared) values (%L, %L); %s end', f.lock, f.shared,
                   case when f.prorettype = 'boolean'::regtype then 'return true;' else '' end));
    end loop;
end $$;
-- What the programs do in one transaction is one step.
create function fixture.step(name text) returns text language sql as $$ select set_config('fixture.step', name, false) $$;

select fixture.step('the world') \g /dev/null
select fixture.product('app', array['RTM', 'SP1', 'SP2']),
       fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20') \g /dev/null
select fixture.step(name), fixture.host(name, jsonb_build_object(
           'c:/app/a.dll', fixture.pe('9.1.100.20', array['One']),
           'c:/app/' || name || '.dll', fixture.pe('9.1.100.21', '{}', fixture.wants('a.dll', 'One'))),
           fixture.runs('Service Pack 2'))
from unnest(array['first', 'second']) name \g /dev/null

select fixture.step('store') \g /dev/null
select evenkeel.ingest_open() \g /dev/null
select evenkeel.ingest_begin(), evenkeel.lock_storing(), evenkeel.resolve_files(array[sha256('c:/app/c.dll')], array['c:/app/c.dll'],
                                                       array[fixture.image('9.1.100.22')]),
       evenkeel.accept_snapshots(), evenkeel.judge_content() \g /dev/null
select fixture.step('judge') \g /dev/null
select evenkeel.judge_queued(1000) \g /dev/null
select fixture.step('compare') \g /dev/null
select evenkeel.reduce_fleet(1000) \g /dev/null
insert into evenkeel.slow_host (host_id, reason) select host_id, 'test' from evenkeel.host where name = 'first';
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.slow_host;
select fixture.step('judge apart') \g /dev/null
select evenkeel.catalogue_is_wanted() \g /dev/null
select evenkeel.judge_slow(n.host) from evenkeel.judge_slow_next() n \g /dev/null
select fixture.step('defer') \g /dev/null
select evenkeel.defer_slow(evenkeel.judge_choose(1, 1)), evenkeel.judge_queued_content(evenkeel.judge_choose(1, 1)) \g /dev/null
select fixture.step('learn') \g /dev/null
select evenkeel.learn_from_fleet(true) \g /dev/null
select fixture.step('learn of like hosts') \g /dev/null
select evenkeel.lock_learning(true), evenkeel.refresh_peers() \g /dev/null
select fixture.step('learn a level') \g /dev/null
select evenkeel.lock_learning(true), evenkeel.learn_level(evenkeel.product_number('app'), 1) \g /dev/null
select fixture.step('clock') \g /dev/null
select evenkeel.judge_clock() \g /dev/null
select fixture.step('catalogue') \g /dev/null
select evenkeel.catalog_refresh() \g /dev/null
select fixture.step('patch') \g /dev/null
select evenkeel.lock_change(), evenkeel.lock_catalogue(),
       fixture.payload('app', 'KB1', jsonb_build_object(
           'a.dll', fixture.pe('9.1.100.31', array['Two'], fixture.wants('second.dll', 'New')))) \g /dev/null
select fixture.step('risk, first') \g /dev/null
select evenkeel.lock_catalogue_shared(), evenkeel.risk_open('KB1', null) \g /dev/null
select fixture.step('risk, then') \g /dev/null
select evenkeel.lock_catalogue_shared() \g /dev/null
do $$ begin while evenkeel.risk_next(1, '7 days') > 0 loop end loop; end $$;
select fixture.step('risk at once') \g /dev/null
select * from ops.risk('KB1') \g /dev/null
select count(p.*) from evenkeel.host h cross join lateral evenkeel.plan(h.host_id) p \g /dev/null
select fixture.step('retire') \g /dev/null
select evenkeel.retire_host('second') \g /dev/null
select fixture.step('merge') \g /dev/null
select * from evenkeel.merge_hosts('second', 'first') \g /dev/null
select fixture.step('prune ' || n), case when n = 0 then evenkeel.prune_mark() end,
       case when n > 0 then evenkeel.prune_find(kind) + evenkeel.prune_remove(kind, 1000) end
from unnest(array['', 'chunk', 'file', 'image', 'path']) with ordinality k (kind, m) cross join lateral (select m - 1) o (n) \g /dev/null

select is_empty($$ select lock from evenkeel.lock_order() except select lock from fixture.taken $$, 'every lock was taken here');
select is_empty($$
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace in ('evenkeel'::regnamespace, 'ops'::regnamespace) and p.prosrc ~ '\mlock_'
      and p.proname not in ('lock_table', 'take_lock')
      and p.oid not in (select oid from fixture.lock_function)
      and pg_stat_get_xact_function_calls(p.oid) is null
$$, 'and every function that takes one was called');
select set_has($$ select lock from fixture.taken where step = 'judge' $$,
              $$ values ('catalogue'), ('imports') $$,
               'and some several in one transaction');
select is_empty($$
    select l.step, l.lock, e.lock as held
    from fixture.taken e join fixture.taken l on e.step = l.step and e.n < l.n
    join evenkeel.lock_order() held on held.lock = e.lock join evenkeel.lock_order() wanted on wanted.lock = l.lock
    where wanted.place < held.place and not exists (select from fixture.taken b where b.step = l.step and b.lock = l.lock and b.n < e.n)
$$, 'no lock is taken under one that comes after it');
select is_empty($$
    select l.step, l.lock from fixture.taken e join fixture.taken l on e.step = l.step and e.n < l.n and e.lock = l.lock
    where e.shared and not l.shared
$$, 'no shared lock is made exclusive');

select * from finish();
rollback;
