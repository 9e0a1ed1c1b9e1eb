-- ops.patch_progress(), ops.finding_trend, ops.compliance, ops.group_compliance: what was true in the nights past.
begin;
select plan(32);
\ir fixture.psql
\ir catalogue.psql

select fixture.product('app', array['RTM', 'SP1', 'SP2']);
select fixture.ships('app', 'RTM a.dll = 9.1.100.0', 'SP1 a.dll = 9.1.100.10', 'SP2 a.dll = 9.1.100.20',
                     'RTM b.dll = 9.1.100.0', 'SP1 b.dll = 9.1.100.10', 'SP2 b.dll = 9.1.100.20');
select fixture.patch('app', 'KB600001', array['SP1'], array['a.dll 9.1.100.15']);

-- Lets days pass for all that was said of hosts.
create function fixture.days(n integer) returns void language sql as $$
    update evenkeel.host_product_history set valid_from = valid_from - make_interval(days => n), valid_to = valid_to - make_interval(days => n);
    update evenkeel.host_patch_past set valid_from = valid_from - make_interval(days => n), valid_to = valid_to - make_interval(days => n);
    update evenkeel.host_patch set since = since - make_interval(days => n);
    update evenkeel.finding set opened_at = opened_at - make_interval(days => n), closed_at = closed_at - make_interval(days => n);
    update evenkeel.finding_past set opened_at = opened_at - make_interval(days => n), valid_to = valid_to - make_interval(days => n);
$$;
-- A verdict's, a patch's and a finding's numbers so many midnights ago; 'now' for those of now.
create function fixture.night(n integer) returns timestamptz language sql as $$
    select case when n is null then now() else date_trunc('day', now()) - make_interval(days => n) end
$$;
create function fixture.compliance(n integer) returns text language sql as $$
    select concat_ws(' ', coalesce(hosts::text, '-'), coalesce(level::text, '-'), coalesce(mixed::text, '-'), coalesce(unknown::text, '-'), coalesce(silent::text, '-'))
    from ops.compliance where product = 'app' and night = fixture.night(n)
$$;
create function fixture.progress(n integer) returns text language sql as $$
    select string_agg(state || ' ' || coalesce(hosts::text, '-'), ', ') from ops.patch_progress('KB600001') where night = fixture.night(n) and state in ('missing', 'installed')
$$;
create function fixture.trend(n integer, of_check text, of_severity text default 'high') returns text language sql as $$
    select concat_ws(' ', coalesce(open::text, '-'), coalesce(opened::text, '-'), coalesce(closed::text, '-'))
    from ops.finding_trend where check_name = of_check and severity = of_severity and night = fixture.night(n)
$$;

select is_empty($$ select * from ops.finding_trend $$, 'of an empty fleet there are no findings to count');
select is_empty($$ select * from ops.compliance $$, 'nor verdicts');
select is((select count(*) from ops.patch_progress('KB600001') where hosts is not null), 0::bigint, 'and of a patch nothing is known');
select throws_like($$ select * from ops.patch_progress('KB7') $$, 'the catalogue has no patch ''KB7''%', 'one that is misspelt is an error');

-- Six days ago two hosts are level; of one nothing is proven, and one is of no product.
select fixture.host('one', '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 1') || '{"groups": ["Web"]}');
select fixture.host('two', '{"c:/app/a.dll": "9.1.100.10", "c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 1') || '{"groups": ["web", "Web"]}');
select fixture.host('blind', '{"c:/app/c.dll": "9.1.100.10"}', fixture.runs('Service Pack 1'));
select fixture.host('bare', '{}', '{}');
select fixture.judge();
select is(fixture.compliance(null), (select format('3 %s %s %s 0', count(*) filter (where verdict = 'level'), count(*) filter (where verdict = 'mixed'),
                                                   count(*) filter (where verdict = 'unknown'))
                                     from evenkeel.host_product where product_id = evenkeel.product_number('app')), 'now: each host of the product once');
select is(fixture.compliance(0), '- - - - -', 'the midnight before its first verdict nothing was known: null, not 0');
select is(fixture.progress(null), 'missing 2, installed 0', 'how the hosts stand to the patch');
select is(fixture.progress(0), 'missing -, installed -', 'and the night before that is not known, rather than that none lacked it');
select fixture.days(6);
select is(fixture.compliance(3), fixture.compliance(null), 'what lasted was so at each midnight');
select is(fixture.progress(3), 'missing 2, installed 0', 'the patch, too');

-- Four days ago one of them gets the patch; three days ago the other half of a service pack.
select fixture.host('one', '{"c:/app/a.dll": "9.1.100.15", "c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 1', 'KB600001') || '{"groups": ["Web"]}');
select fixture.judge();
select fixture.days(2);
select is(fixture.progress(2), 'missing 2, installed 0', 'before it was installed');
select is(fixture.progress(1), 'missing 1, installed 1', 'and after');
select is((select count(*) from evenkeel.host_patch_past), 1::bigint, 'only what changed is kept');
select fixture.host('two', '{"c:/app/a.dll": "9.1.100.20", "c:/app/b.dll": "9.1.100.10"}', fixture.runs('Service Pack 2') || '{"groups": ["web"]}');
select fixture.judge();
select is(fixture.trend(null, 'mixed-level'), '1 1 0', 'a finding that was opened since midnight');
select is(fixture.trend(0, 'mixed-level'), '0 0 0', 'was not open before, when other things were known');
select is(fixture.trend(8, 'mixed-level'), '- - -', 'and when nothing was known it is not known');
select fixture.days(2);
select is(fixture.trend(1, 'mixed-level'), '1 1 0', 'at the midnight after it was opened that day');
select is(fixture.trend(0, 'mixed-level'), '1 0 0', 'and then it is open, and was not opened again');
select is(split_part(fixture.compliance(1), ' ', 3), '1', 'a mixed host');
select is(split_part(fixture.compliance(2), ' ', 3), split_part(fixture.compliance(5), ' ', 3), 'was none before');

-- What was less grave then is less grave for that night.
insert into evenkeel.finding_past (host_id, check_code, subject, opened_at, valid_to, severity, weight, summary)
select host_id, check_code, subject, opened_at, fixture.night(0) - interval '1 hour', 'medium', 1, '' from evenkeel.finding where check_code = 'mixed-level';
select is(fixture.trend(1, 'mixed-level', 'medium') || ', ' || fixture.trend(1, 'mixed-level'), '1 0 0, 0 1 0', 'by the severity of the night');
select is(fixture.trend(0, 'mixed-level', 'medium') || ', ' || fixture.trend(0, 'mixed-level'), '0 0 0, 1 0 0', 'which changes with it');

-- Silent: whatever was known of it before.
insert into evenkeel.finding (host_id, check_code, subject, opened_at, closed_at, severity, summary, evidence, evidence_at)
select host_id, 'silent-host', 'silence', fixture.night(1) - interval '1 hour', fixture.night(0) - interval '1 hour', 'medium', '', '{}', now() from evenkeel.host where name = 'two';
select is(fixture.compliance(1), regexp_replace(fixture.compliance(0), '^3 (\d+) 1 (\d+) 0$', '3 \1 0 \2 1'), 'a host that is silent counts as that alone');
select is(split_part(fixture.compliance(0), ' ', 5), '0', 'until it was heard of again');

-- Groups.
select is((select string_agg("group" || ' ' || hosts || ' ' || mixed, ', ') from ops.group_compliance where night = now() and product = 'app'), 'Web 2 1',
    'of a group, however it is written, each host counts once');

-- A verdict that is older than the state is none.
update evenkeel.host_checkin set state_at = clock_timestamp() where host_id = (select host_id from evenkeel.host where name = 'one');
select is((select level from ops.compliance where product = 'app' and night = now()),
          (select count(*) from ops.host h join evenkeel.host_product p using (host_id) where h.verdict = 'level' and p.product_id = evenkeel.product_number('app')),
          'a host that waits to be judged is not level');

-- Who is no host any more is in no count.
update evenkeel.host set merged_into = (select host_id from evenkeel.host where name = 'one') where name = 'two';
select is(split_part(fixture.compliance(1), ' ', 1) || ', ' || coalesce(fixture.trend(1, 'mixed-level'), 'none') || ', ' || fixture.progress(1),
          '2, none, missing 0, installed 1', 'a host that was merged is counted in no night');

select is((select count(distinct night) from ops.compliance), 93::bigint, 'so many nights, and now');

-- What is old goes with the history.
select evenkeel.prune_history('1 day', 100);
select is((select count(*) from evenkeel.host_patch_past), 0::bigint, 'prune removes how hosts stood to patches long ago');

-- A host that is retired counts in no night; restored it counts as if it had not been.
select evenkeel.retire_host('one');
select is(fixture.progress(1), 'missing -, installed -', 'a host that is retired is counted in no night');
select evenkeel.restore('one');
select fixture.judge();
select is(fixture.progress(1) || ', now ' || fixture.progress(null), 'missing 0, installed 1, now missing 0, installed 1',
          'restored it stood to the patch as it did');

set role evenkeel_read;
select (select count(*) from ops.compliance) + (select count(*) from ops.group_compliance) + (select count(*) from ops.finding_trend)
     + (select count(*) from ops.patch_progress('KB600001')) as rows \gset
reset role;
select cmp_ok(:rows, '>', 300, 'who looks may ask for all of it');
select * from finish();
rollback;
