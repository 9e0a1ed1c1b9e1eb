-- Hosts that nothing was heard of for longer than their schedule allows.
begin;
select plan(12);
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
select * from finish();
rollback;
