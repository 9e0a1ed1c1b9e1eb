-- Hosts that nothing was heard of for longer than their schedule allows.
begin;
select plan(20);
\ir fixture.psql

create function fixture.heard(host_name text, before interval, every interval) returns void language plpgsql as $$
begin
    perform fixture.host(host_name, '{"c:/windows/system32/any.dll": "1.0.0.0"}');
    update evenkeel.host_checkin c set seen_at = now() - before, taken_at = now() - before, schedule_seconds = extract(epoch from every)
    from evenkeel.host h where h.host_id = c.host_id and h.name = host_name;
end $$;
select fixture.heard('today', '10 hours', '1 day');
select fixture.heard('a-bit-late', '36 hours', '1 day');
select fixture.heard('late', '37 hours', '1 day');
select fixture.heard('hourly-late', '2 hours', '1 hour');
select fixture.heard('weekly', '6 days', '7 days');
select fixture.heard('unplanned', '48 hours', '0');
select fixture.heard('unplanned-late', '49 hours', '0');
select fixture.heard('merged', '30 days', '1 day');
update evenkeel.host set merged_into = (select host_id from evenkeel.host where name = 'today') where name = 'merged';
create temporary table result as select evenkeel.judge_clock() as checks;

create function fixture.silent(host_name text) returns text language sql as $$
    select check_name || ' ' || subject from ops.finding where host = host_name
$$;
select cmp_ok((select checks from result), '>=', 1, 'the clock judges this check');
select is(fixture.silent('today'), null, 'a host within its schedule');
select is(fixture.silent('a-bit-late'), null, 'half a schedule late is tolerated');
select is(fixture.silent('late'), 'silent-host host', 'later is silent');
select is(fixture.silent('hourly-late'), 'silent-host host', 'an hourly host is silent sooner');
select is(fixture.silent('weekly'), null, 'and a weekly one later');
select is(fixture.silent('unplanned'), null, 'without a schedule 48 hours are allowed');
select is(fixture.silent('unplanned-late'), 'silent-host host', 'and no more');
select is((select count(*)::integer from evenkeel.finding join evenkeel.host using (host_id) where name = 'merged'), 0, 'a host that turned out to be another is not waited for');
select alike((select summary from ops.finding where host = 'late'), 'last heard of 20__-__-__ __:__ UTC; a snapshot was due every 1 day', 'the line says since when, and what was promised');

update evenkeel.setting set value = '60 hours' where name = 'silent-host.default';
select fixture.heard('late', '1 hour', '1 day');
select evenkeel.judge_clock();
select is(fixture.silent('late'), null, 'heard of again, the finding closes');
select is(fixture.silent('unplanned-late'), null, 'the default may be changed');

-- Nobody is looked at before his time.
select is(evenkeel.judge_clock(), 0, 'whoever was looked at is left alone');
select cmp_ok((select d.due_at from evenkeel.host_due d join evenkeel.host using (host_id) where name = 'weekly'), '>', now() + interval '4 days', 'until it would be silent');
select fixture.heard('weekly', '7 days', '7 days');
select is(evenkeel.judge_clock(), 1, 'one that was heard of earlier than was known is due at once');
select evenkeel.check_in(array[host_id], array[0], array[60], array[0]) from evenkeel.host where name = 'weekly' \g /dev/null
select is(evenkeel.judge_clock(), 1, 'and one that reports by another schedule');
select cmp_ok((select d.due_at from evenkeel.host_due d join evenkeel.host using (host_id) where name = 'weekly'), '<', now() + interval '2 hours', 'by which it is due then');
select evenkeel.check_in(array[host_id], array[0], array[3600], array[0]) from evenkeel.host where name in ('hourly-late', 'today') \g /dev/null
update evenkeel.host_due d set due_at = 'infinity' from evenkeel.host h where h.host_id = d.host_id and h.name = 'hourly-late';
select evenkeel.judge_clock() \g /dev/null
select is(fixture.silent('hourly-late'), null, 'a silent one that is heard of is acquitted, whenever it is due');
select fixture.host('new', '{"c:/windows/system32/any.dll": "1.0.0.0"}') \g /dev/null
select is(evenkeel.judge_clock(1), 1, 'a new one is due');
update evenkeel.setting set value = '1 second' where name = 'silent-host.grace';
select is((select count(*) from evenkeel.host_due where due_at > now()), 0::bigint, 'all are where a setting changes');
select * from finish();
rollback;
