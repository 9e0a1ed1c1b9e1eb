-- The life of a host: retired it is nowhere, restored it is as it was, and it comes back by itself when it reports.
begin;
select plan(43);
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']),
       fixture.ships('app', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20') \g /dev/null
create function pg_temp.host(named text, guid text default '') returns uuid language sql as $$
    select fixture.host(named, '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.20"}',
                        fixture.runs('Service Pack 2') || jsonb_build_object('groups', array['farm'], 'machine_guid', guid))
$$;
create function pg_temp.id(named text) returns uuid language sql as $$ select host_id from evenkeel.host where name = named $$;
select pg_temp.host('old-01', '11111111-1111-1111-1111-111111111111'), pg_temp.host('old-02', '11111111-1111-1111-1111-111111111111'),
       pg_temp.host('new-01') \g /dev/null
update evenkeel.host_checkin c
set inventory = i.digest, facts = f.digest, times = t.digest
from evenkeel.host_inventory_current i, evenkeel.host_facts_current f, evenkeel.host_times t
where i.host_id = c.host_id and f.host_id = c.host_id and t.host_id = c.host_id;
select fixture.judge() \g /dev/null
select set_eq($$ select fixture.findings('old-01') $$,
              array['cloned-identity machine-guid 11111111-1111-1111-1111-111111111111', 'mixed-level app'], 'a host with findings');
-- All of that two hours ago.
update evenkeel.host_inventory set valid_from = valid_from - interval '2 hours';
update evenkeel.host_facts set valid_from = valid_from - interval '2 hours';
update evenkeel.host_product_history set valid_from = valid_from - interval '2 hours';
update evenkeel.finding set opened_at = opened_at - interval '2 hours', evidence_at = evidence_at - interval '2 hours';
create temporary table before as select pg_temp.id('old-01') as host_id, now() - interval '1 hour' as at, (select count(*) from ops.host) as hosts,
    (select sum(hosts) from ops.level_matrix) as matrix,
    (select array_agg(f order by f) from (select fixture.findings('old-01') as f) x) as findings;

-- Retired.
select results_eq($$ select host, findings, speaks from evenkeel.retire_host('OLD-01', 'scrapped') $$, $$ values ('old-01', 2::bigint, '') $$,
                  'it is retired by its name, whatever the letters'' case');
-- Every view that tells of hosts, those of history aside.
create function pg_temp.seen(sought uuid) returns setof text language plpgsql as $$
declare
    v record;
    n bigint;
begin
    for v in select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'host_id'
             where c.relnamespace = 'ops'::regnamespace and c.relkind = 'v' order by 1 loop
        execute format('select count(*) from ops.%I where host_id = %L', v.relname, sought) into n;
        if n > 0 then
            return next v.relname;
        end if;
    end loop;
end $$;
select set_eq($$ select pg_temp.seen(host_id) from before $$, array['finding_history', 'host_event', 'retired_host'],
              'no view shows it but those of history, and of who is retired');
select is((select count(*) from ops.host), (select hosts - 1 from before), 'it is not counted');
select is((select sum(hosts) from ops.level_matrix)::bigint, (select matrix / 3 * 2 from before)::bigint, 'nor in the matrix');
select results_eq($$ select f.check_code, h.closed_because from ops.finding_history h join evenkeel.finding f using (host_id, subject)
                     where h.host = 'old-01' and h.closed_at is not null order by 1 $$,
                  $$ values ('cloned-identity', 'its host was retired'), ('mixed-level', 'its host was retired') $$,
                  'its findings are closed with the reason');
select results_eq($$ select host, retired_because from ops.retired_host $$, $$ values ('old-01', 'scrapped') $$, 'it is listed as retired, and why');
select fixture.judge() \g /dev/null
select set_eq($$ select fixture.findings('old-02') $$, array['mixed-level app'], 'the host that shared its GUID is judged without it');
select evenkeel.judge_clock() \g /dev/null
insert into evenkeel.judge_queue (host_id) select host_id from before;
select fixture.judge() \g /dev/null
select is_empty($$ select from evenkeel.finding f join before using (host_id) where f.closed_at = 'infinity' $$, 'whoever judges finds nothing on it');
select is((select count(*) from evenkeel.host_inventory_past join before using (host_id)), 1::bigint, 'its history stays');
select isnt_empty($$ select from ops.host_file_at('old-01', (select at from before)) $$, 'and can be asked for by its name');
select is_empty($$ select from evenkeel.fsck_contradictions() $$, 'which is no contradiction');
select set_eq($$ select h.name from evenkeel.chosen_hosts(null, null, null) c join evenkeel.host h using (host_id) $$, array['old-02', 'new-01'],
              'no command chooses it');
select matches((select reason from evenkeel.strange_hosts('{old-01}', null)), 'it is retired .* evenkeel hosts restore old-01', 'one that names it is told');
select throws_like($$ select evenkeel.retire_host('old-01') $$, '''old-01'' is retired since % (scrapped)', 'retiring it again is, too');
select throws_like($$ select evenkeel.rename_host('new-01', 'old-01') $$, 'another host is called ''old-01''%', 'its name stays its own');
select results_eq($$ select c ->> 'retired', c ->> 'hosts', jsonb_path_query_array(r, '$.closed[*].host'), r #>> '{life,0,detail}', r #>> '{life,0,host_names,0}', r #> '{verdicts,lost}'
                     from evenkeel.report_drift((select at from before)) r, jsonb_path_query(r, '$.counts') c $$,
                  $$ values ('1', '2', '["old-02"]'::jsonb, 'scrapped', 'old-01', '[]'::jsonb) $$,
                  'the report tells it as retired, not as mended, and its verdict not as lost');
select matches(evenkeel.report_sentence('{"became_mixed": 0, "silent": 0, "changed": 0, "hosts": 2, "retired": 1, "came_back": 2}'),
               '^1 host was retired, 2 came back; 0 of 2 hosts changed$', 'its sentence, too');

-- Restored.
select results_eq($$ select done, host from evenkeel.restore('old-01') $$, $$ values ('restored', 'old-01') $$, 'it is restored');
select fixture.judge() \g /dev/null
select is((select array_agg(f order by f) from (select fixture.findings('old-01') as f) x), (select findings from before), 'its findings are there again');
select is_empty($$ select from ops.finding_history h join before b using (host_id) where h.opened_at > b.at or h.closed_at is not null $$,
                'as old as they were');
select is((select verdict from ops.host where host = 'old-01'), 'mixed', 'so is its verdict');
select is((select count(*) from evenkeel.host_product_history join before using (host_id)), 1::bigint, 'without a gap in its history');
select is_empty($$ select from evenkeel.fsck_contradictions() $$, 'nor a contradiction');
select throws_like($$ select evenkeel.restore('old-01') $$, '%is not retired, and no key of it is revoked%', 'restoring it again is told');

-- A key that was revoked.
insert into evenkeel.collector_key (public_key, status) values (sha256('k'), 'approved');
insert into evenkeel.host_key (host_id, key_id) select b.host_id, k.key_id from before b, evenkeel.collector_key k where k.public_key = sha256('k');
select evenkeel.revoke('old-01'), evenkeel.retire_host('old-01') \g /dev/null
select results_eq($$ select done, key from evenkeel.restore('old-01') $$,
                  $$ values ('restored', ''), ('stays revoked', evenkeel.key_fingerprint(sha256('k'))) $$, 'a host that is restored does not restore its key');
select results_eq($$ select done, host from evenkeel.restore('old-01') $$, $$ values ('may report again', 'old-01') $$, 'which it takes another word for');
select is((select status from evenkeel.collector_key where public_key = sha256('k')), 'approved', 'it may report again');

-- Come back.
select evenkeel.retire_host('old-01', 'scrapped') \g /dev/null
select results_eq($$ select inventory, facts, times from evenkeel.host_checkin join before using (host_id) $$, $$ values (''::bytea, ''::bytea, ''::bytea) $$,
                  'it will be asked for everything');
select evenkeel.ingest_open() \g /dev/null
insert into ingest_snapshot (host_id, taken_at, schedule_seconds, unreadable, inventory, files, chunk_ids, facts_digest, facts_body, facts, times_digest, times)
select b.host_id, clock_timestamp(), 3600, 0, i.digest, i.files, i.chunk_ids, f.digest, f.body, f.facts, sha256(''), '{}'
from before b join evenkeel.host_inventory_past i using (host_id) join evenkeel.host_facts_past f using (host_id);
select results_eq($$ select came_back from evenkeel.accept_snapshots() $$, $$ values ('old-01') $$, 'it reports, and is told as one that came back');
select fixture.judge() \g /dev/null
select is((select verdict from ops.host where host = 'old-01'), 'mixed', 'it is judged as any other');
select is_empty($$ select from evenkeel.fsck_contradictions() $$, 'the time between is no contradiction');
select results_eq($$ select r #>> '{life,0,event}', r #> '{life,0,host_names}', r #>> '{counts,came_back}', r #>> '{counts,first_seen}'
                     from evenkeel.report_drift((select at from before)) r $$,
                  $$ values ('came back', '["old-01"]'::jsonb, '1', '0') $$, 'the report tells that it came back, as what became of it last');

-- Renamed.
select evenkeel.rename_host('old-02', 'old-03'), evenkeel.rename_host('old-03', 'old-03') \g /dev/null
select results_eq($$ select host, detail from ops.host_event where event = 'renamed' $$, $$ values ('old-03', 'from old-02') $$,
                  'a rename is noted, and one that changes nothing is none');

-- Retired by the clock.
update evenkeel.host_checkin set seen_at = seen_at - interval '40 days';
update evenkeel.host_checkin set seen_at = seen_at - interval '55 days' where host_id = pg_temp.id('new-01');
update evenkeel.setting set value = '50d' where name = 'retire-after';
select evenkeel.judge_clock() \g /dev/null
select results_eq($$ select host from evenkeel.retire_silent(20) $$, $$ values ('new-01') $$,
                  'who is silent for longer than the rest of the fleet by what the setting says');
select throws_ok($$ update evenkeel.setting set value = 'soon' where name = 'retire-after' $$, '22007', null, 'which takes a time only');
select evenkeel.restore('new-01') \g /dev/null
select evenkeel.judge_clock() \g /dev/null
select is_empty($$ select from evenkeel.retire_silent(20) $$, 'not while it is restored for less than that');
update evenkeel.host_event set happened_at = happened_at - interval '100 days' where event = 'restored';
insert into evenkeel.waiver (host_id, check_code, subject, reason, until) values (pg_temp.id('new-01'), 'silent-host', 'host', 'in store', now() + interval '1 day');
select is_empty($$ select from evenkeel.retire_silent(20) $$, 'not while a person accepts that it is silent');
update evenkeel.waiver set until = now() - interval '1 hour' where host_id = pg_temp.id('new-01');
select results_eq($$ select host from evenkeel.retire_silent(20) $$, $$ values ('new-01') $$, 'and again when both have ended');
select evenkeel.restore('new-01') \g /dev/null

-- A machine that was made anew is called as the old one, which is retired.
insert into evenkeel.host (name, shares_name) values ('new-01', true);
select evenkeel.retire_host((select host_id::text from evenkeel.host where name = 'new-01' and shares_name), 'made anew') \g /dev/null
select is(evenkeel.present_host('NEW-01'), (select host_id from evenkeel.host where name = 'new-01' and not shares_name),
          'a name is that of the host that is there');
select throws_like($$ select evenkeel.restore('new-01') $$, '2 hosts are called ''new-01''%', 'which of them is restored is for a person to say');
select is((select host_id from evenkeel.retire_host('new-01')), (select host_id from evenkeel.host where name = 'new-01' and not shares_name),
          'the one that is there can be retired by its name, too');
select throws_like($$ select evenkeel.present_host('new-01') $$, '2 hosts are called ''new-01''%', 'where none is there each has to be told apart');

select * from finish();
rollback;
