-- Which marks tell machines apart, who is known under which name, and what tokens and grants let in.
begin;
select plan(52);

create function pg_temp.key(name text) returns bytea language sql as $$ select sha256(convert_to(name, 'utf8')) $$;
create function pg_temp.ask(key text, host text, token text default null, sid text default '', guid text default '', place text default '',
                            trust boolean default false, most integer default 1000, from_address text default '')
returns text language sql as $$
    select case when reason <> 0 then 'refused ' || reason when approved then 'approved' else 'pending' end
    from evenkeel.enroll_trusting(pg_temp.key(key), host, convert_to(token, 'utf8'), sid, guid, convert_to(place, 'utf8'), '', '', '', trust, most, from_address)
$$;

select is(evenkeel.marks_differ('s', 'g', 'p', 's', 'g', 'p'), 0, 'the same marks do not differ');
select is(evenkeel.marks_differ('s', 'g', 'p', 't', 'h', 'q'), 3, 'all three may differ');
select is(evenkeel.marks_differ('', 'g', 'p', 't', 'h', 'p'), 1, 'an empty mark says nothing');
select is(evenkeel.marks_differ('s', 'g', '', 't', 'g', 'q'), 1, 'on either side');
select is(evenkeel.marks_differ(null, null, null, 't', 'g', 'q'), null, 'marks that were not given are not compared');

select is(pg_temp.ask('a', 'web-01'), 'pending', 'a new key waits');
select is(pg_temp.ask('b', 'web-02', most => 1), 'refused 5', 'when as many wait as may, another is refused');
select is(pg_temp.ask('a', 'web-01', most => 1), 'pending', 'one that waits already may ask again');
select is((select count(*) from evenkeel.collector_key), 1::bigint, 'a refused enrolment leaves no key');
select is((select host from evenkeel.approve('WEB-*')), 'web-01', 'a glob approves without regard to case');
select is(pg_temp.ask('a', 'web-01'), 'approved', 'an approved key is known under its host''s name');

insert into evenkeel.token (token_digest, expires_at, uses_left, host_glob) values (sha256('t'), now() + interval '1 hour', 1, 'web-?');
select is(pg_temp.ask('c', 'web-10', 't'), 'refused 12', 'a token is for the names of its glob');
select is(pg_temp.ask('c', 'web-3', 't'), 'approved', 'and lets one of them in');
select is(pg_temp.ask('d', 'web-4', 't'), 'refused 12', 'as often as it may be used');

select is(pg_temp.ask('a', 'db-01'), 'pending', 'an approved key waits for a further host');
select is((select count(*) from evenkeel.grant_hosts('web-01', 'db-*')), 1::bigint, 'until it is granted');
select is(pg_temp.ask('a', 'db-02'), 'approved', 'and is then let in under every name of the grant');
select is(pg_temp.ask('a', 'nt4-02'), 'pending', 'under no other');
select is((select string_agg(host, ' ') from evenkeel.grant_hosts('web-01', 'nt4-0[1-3]')), 'nt4-02', 'a set in a glob grants what waits');
select is(pg_temp.ask('a', 'nt4-03'), 'approved', 'and what will ask');
select is(pg_temp.ask('a', 'nt4-04'), 'pending', 'but nothing beside it');
select is((select host from evenkeel.approve('nt4-0[4-5]')), 'nt4-04', 'a set in a glob approves');
select throws_like(format($$ select evenkeel.grant_hosts('web-01', %L) $$, glob), format('''%s'' is no glob of hosts%%', glob), format('''%s'' is granted to nobody', glob))
from unnest(array['', '[']) glob;
select is_empty($$ select from evenkeel.key_grant where host_glob in ('', '[') $$, 'and is not kept');

-- A machine with all its marks: key m, host mail-01.
select is(pg_temp.ask('m', 'mail-01', sid => 's', guid => 'g', place => 'p', trust => true), 'approved', 'a machine is let in with its marks');
select is(pg_temp.ask('m', 'mail-01', sid => 's', guid => 'g', place => 'p'), 'approved', 'and is known when it enrols again');
select is(pg_temp.ask('m', 'mail-01', sid => 's', guid => 'new', place => 'p'), 'approved', 'with a MachineGuid that was reset too');
select is(pg_temp.ask('m', 'mail-01', sid => 's', guid => 'g', place => 'other'), 'approved', 'or with a key file that lies elsewhere');
select is(pg_temp.ask('m', 'mail-01', sid => 't', guid => 'h', place => 'q'), 'refused 11', 'a copy of its key on another machine is refused, under the same name');
select is(pg_temp.ask('m', 'mail-01', sid => 's', guid => 'h', place => 'q'), 'refused 11', 'whichever two marks differ');
select is(pg_temp.ask('m', 'mail-02', sid => 't', guid => 'h', place => 'q'), 'refused 11', 'and under another name');
select is((select k.status || ': ' || k.note from evenkeel.collector_key k where k.public_key = pg_temp.key('m')),
          'approved: a copy was refused on another machine', 'the key stays approved, and its copy is told of');
select is(pg_temp.ask('m', 'mail-01', sid => 's', guid => 'g', place => 'p'), 'approved', 'the machine that it belongs to stays known');
select is(pg_temp.ask('m', 'mail-02', sid => 't', guid => 'h', place => 'p'), 'pending', 'a foreign disk that it reads is another host, not a copy');

-- So many may wait, and of these an address that has more than another gives way to it.
delete from evenkeel.enrolment;
select pg_temp.ask('flood ' || n, 'flood-' || n, most => 4, from_address => '10.6.6.6') from generate_series(1, 4) n \g /dev/null
update evenkeel.enrolment set requested_at = now() - interval '1 hour' where host_name = 'flood-3';
select is(pg_temp.ask('flood 5', 'flood-5', most => 4, from_address => '10.6.6.6'), 'refused 5', 'who has filled all places has no more');
select is(pg_temp.ask('x', 'x', most => 4, from_address => '10.1.1.1'), 'pending', 'who asks from another address has one of them');
select results_eq($$ select host, asked_from from ops.enrolment order by 1 $$,
    $$ values ('flood-1', '10.6.6.6'), ('flood-2', '10.6.6.6'), ('flood-4', '10.6.6.6'), ('x', '10.1.1.1') $$, 'in place of the one that asked longest ago');
select is_empty($$ select from evenkeel.collector_key where public_key = pg_temp.key('flood 3') $$, 'of which no key stays');
select is(pg_temp.ask('y', 'y', most => 4, from_address => '10.1.1.1'), 'pending', 'a second one, too');
select is(pg_temp.ask('z', 'z', most => 4, from_address => '10.1.1.1'), 'refused 5', 'and no third, for then it would have more than the other');
select is(pg_temp.ask('flood 3', 'flood-3', most => 4, from_address => '10.6.6.6'), 'refused 5', 'nor does the other take them back');
update evenkeel.enrolment set requested_at = now() - interval '1 hour' where host_name = 'flood-4';
select is(pg_temp.ask('w', 'w', most => 4, from_address => '10.2.2.2'), 'pending', 'a third address has one of two that have two');
select is((select string_agg(host, ' ' order by host) from ops.enrolment), 'flood-2 w x y', 'that which asked longest ago');
select is(pg_temp.ask('w2', 'w2', most => 4, from_address => '10.2.2.2'), 'refused 5', 'but no second, which would leave one with fewer than it has');
select is(pg_temp.ask('x', 'x', most => 4, from_address => '10.3.3.3'), 'pending', 'who waits asks again from wherever he is');
select is((select asked_from from ops.enrolment where host = 'x'), '10.3.3.3', 'which is then where he asks from');
-- One that waits may come back under another name from another address, and find that the place to be given up is its own.
delete from evenkeel.enrolment where host_name <> 'flood-2';
select pg_temp.ask('flood ' || n, 'flood-' || n, most => 4, from_address => '10.6.6.6') from generate_series(5, 7) n \g /dev/null
update evenkeel.enrolment set requested_at = now() - interval '2 hours' where host_name = 'flood-2';
select is(pg_temp.ask('flood 2', 'moved', most => 4, from_address => '10.7.7.7'), 'pending', 'who moved and is called otherwise waits under the new name');
select is((select string_agg(host, ' ' order by host) from ops.enrolment), 'flood-5 flood-6 flood-7 moved', 'in its own old place');
select pg_temp.ask('x', 'x', from_address => '10.3.3.3'), pg_temp.ask('y', 'y', from_address => '10.1.1.1') \g /dev/null
delete from evenkeel.enrolment where host_name ~ '^(flood|moved)';
insert into evenkeel.enrolment (key_id, host_name, host_id) select k.key_id, 'renamed-' || n, h.host_id
from generate_series(1, 10) n, (select key_id from evenkeel.collector_key where public_key = pg_temp.key('a')) k, (select host_id from evenkeel.host where name = 'web-01') h;
select is(pg_temp.ask('y2', 'y2', most => 5, from_address => '10.1.1.1'), 'pending', 'renames that wait take no place of theirs');
select is((select count(*) from evenkeel.enrolment where host_id is not null), 10::bigint, 'nor lose their own');

select throws_like($$ select evenkeel.approve('web-77') $$, 'no enrolment of ''web-77'' waits for approval%', 'what does not wait can''t be approved');

select * from finish();
rollback;
