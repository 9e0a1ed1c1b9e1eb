-- States as they are taken in: each ends where the next begins, whatever the clock does.
begin;
select plan(8);
\ir fixture.psql

select evenkeel.ingest_open() \g /dev/null
insert into evenkeel.host (name) values ('clock'), ('other');
insert into evenkeel.chunk (digest, file_ids) select sha256(n::text::bytea), '{}' from generate_series(1, 9) n;
create function fixture.accept(host_name text, state integer) returns void language plpgsql as $$
begin
    delete from ingest_snapshot;
    insert into ingest_snapshot (host_id, taken_at, schedule_seconds, unreadable, inventory, files, chunk_ids, facts_digest, facts_body, facts,
                                 times_digest, times)
    select h.host_id, now(), 3600, 0, sha256(state::text::bytea), 0, array[(select c.chunk_id from evenkeel.chunk c where c.digest = sha256(state::text::bytea))],
           sha256(concat('facts ', state)::bytea), '', jsonb_build_object('state', state), sha256('times'), '{}'
    from evenkeel.host h where h.name = host_name;
    perform evenkeel.accept_snapshots();
end $$;
create view fixture.life as
    select h.name, 'inventory' as kind, i.valid_from, i.valid_to from evenkeel.host_inventory i join evenkeel.host h using (host_id)
    union all select h.name, 'facts', f.valid_from, f.valid_to from evenkeel.host_facts f join evenkeel.host h using (host_id);
-- As if the aggregator's clock had been an hour ahead until now.
create function fixture.set_back() returns void language sql as $$
    update evenkeel.host_inventory set valid_from = valid_from + interval '1 hour', valid_to = valid_to + interval '1 hour'
    where host_id = (select host_id from evenkeel.host where name = 'clock');
    update evenkeel.host_facts set valid_from = valid_from + interval '1 hour', valid_to = valid_to + interval '1 hour'
    where host_id = (select host_id from evenkeel.host where name = 'clock');
$$;

select fixture.accept('clock', 1), fixture.accept('clock', 2), fixture.accept('other', 1) \g /dev/null
select results_eq($$ select name, kind, count(*), count(*) filter (where valid_to = 'infinity') from fixture.life group by 1, 2 order by 1, 2 $$,
                  $$ values ('clock', 'facts', 2::bigint, 1::bigint), ('clock', 'inventory', 2, 1), ('other', 'facts', 1, 1), ('other', 'inventory', 1, 1) $$,
                  'each new state closes the one before');
select fixture.accept('clock', 2) \g /dev/null
select is((select count(*) from fixture.life where name = 'clock'), 4::bigint, 'one that is the same adds nothing');

select fixture.set_back(), fixture.accept('clock', 3), fixture.accept('clock', 4) \g /dev/null
select is_empty($$ select * from fixture.life where valid_to <= valid_from $$, 'with a clock set back no state ends before it begins');
select is_empty($$
    select * from fixture.life a join fixture.life b using (name, kind)
    where a.valid_from < b.valid_from and a.valid_to > b.valid_from
$$, 'and no two are valid at once');
select is_empty($$
    select * from fixture.life a
    where a.valid_to <> 'infinity' and not exists (select from fixture.life b where (b.name, b.kind, b.valid_from) = (a.name, a.kind, a.valid_to))
$$, 'nor is there a time between without any');
select is((select count(*) from fixture.life where name = 'clock'), 8::bigint, 'all four states of files and facts are there');
select is((select i.digest from evenkeel.host_inventory_current i join evenkeel.host h using (host_id) where h.name = 'clock'), sha256('4'),
          'the current one is the last that was taken in');
select cmp_ok((select max(valid_from) from fixture.life where name = 'other'), '<', now() + interval '30 minutes', 'other hosts go by the clock as it is');

select * from finish();
rollback;
