-- Which hosts are meant: names, host_ids, globs and groups add up, exceptions take away, and nothing that was named is left out unseen.
begin;
select plan(20);
\ir fixture.psql

select fixture.host('web-01', '{"c:/a.dll": "1.0.0.1"}', '{"groups": ["Farm"]}'), fixture.host('web-02', '{"c:/a.dll": "1.0.0.1"}', '{"groups": ["farm", "lab"]}'),
       fixture.host('db-01', '{"c:/a.dll": "1.0.0.1"}') \g /dev/null
create function pg_temp.chosen(hosts text[], groups text[] default null, excepted text[] default null) returns text language sql as $$
    select coalesce(string_agg(h.name, ' ' order by h.name), '')
    from evenkeel.chosen_hosts(hosts, groups, excepted) c join evenkeel.host h using (host_id)
$$;
create function pg_temp.groups(host_name text) returns text language sql as $$
    select coalesce(string_agg(group_name, ' ' order by group_name), '') from ops.host_group where host = host_name
$$;

select is(pg_temp.chosen(null), 'db-01 web-01 web-02', 'without a word it is all');
select is(pg_temp.chosen('{WEB-01}'), 'web-01', 'a name, whatever the letters'' case');
select is(pg_temp.chosen(array[(select host_id::text from evenkeel.host where name = 'db-01')]), 'db-01', 'a host_id');
select is(pg_temp.chosen('{web-*,db-01}'), 'db-01 web-01 web-02', 'names and globs add up');
select is(pg_temp.chosen(null, '{FARM}'), 'web-01 web-02', 'a group, whatever the letters'' case');
select is(pg_temp.chosen('{db-01}', '{lab}'), 'db-01 web-02', 'names and groups add up');
select is(pg_temp.chosen(null, null, '{web-*}'), 'db-01', 'exceptions take away from all');
select is(pg_temp.chosen('{web-*}', null, '{web-02}'), 'web-01', 'and from what was named');
select results_eq($$ select host from evenkeel.strange_hosts('{web-01,web-99,"mail-*",WEB-99,db-02}', '{db-02}') $$, $$ values ('WEB-99') $$,
                  'a name that no host has is told, once; one that is excepted is not');
insert into evenkeel.collector_key (public_key) values (sha256('new'));
insert into evenkeel.enrolment (key_id, host_name) select key_id, 'web-99' from evenkeel.collector_key where public_key = sha256('new');
select matches((select reason from evenkeel.strange_hosts('{web-99}', null)), 'waits for approval: evenkeel hosts approve web-99', 'with what to do about it');
select throws_like($$ select evenkeel.check_choice('{web-*,mail-*}', null, null) $$, 'no host is called like ''mail-*''%', 'a glob of which nothing is meant is an error');
select throws_like($$ select evenkeel.check_choice(null, '{form}', null) $$, 'no host is in group ''form''; there are Farm, farm, lab', 'and so is a group');
select throws_like($$ select evenkeel.check_choice('{web-01}', null, '{web-*}') $$, '%all are excepted', 'and a choice of which none is left');

select is((select groups from evenkeel.label_host('db-01', 'ring 1', false)), 'ring 1', 'a person puts a host into a group');
select is((select groups from evenkeel.label_host('web-02', 'LAB', true)), 'farm', 'and takes it out of one that its collector names');
select is((select groups from evenkeel.label_host('web-02', 'lab', false)), 'farm, lab', 'and back');
select is(pg_temp.groups('web-01') || '; ' || pg_temp.groups('db-01'), 'Farm; ring 1', 'the view shows both kinds');
select results_eq($$ select host, group_name, source from ops.host_group where host <> 'web-02' order by 1 $$,
                  $$ values ('db-01', 'ring 1', 'label'), ('web-01', 'Farm', 'configuration') $$, 'and whose word it is');
select throws_like($$ select evenkeel.label_host('db-01', 'lab', true) $$, '%is not in group ''lab''', 'taking off what is not there is told');
select throws_like($$ select evenkeel.label_host('db-01', 'a*', false) $$, '%can''t be a group''s name%', 'and a glob is no name');

select * from finish();
rollback;
