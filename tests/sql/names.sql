-- A name belongs to the host that was let in under it: each road on which a key could take another's.
begin;
select plan(64);

create function pg_temp.key(name text) returns bytea language sql as $$ select sha256(convert_to(name, 'utf8')) $$;
-- What is answered: refused, pending, or the name of the host that the key is to report as.
create function pg_temp.ask(key text, host text, token text default null, sid text default '', guid text default '', place text default '',
                            computer text default '', trust boolean default false)
returns text language plpgsql as $$
declare
    answer record;
begin
    answer := evenkeel.enroll_trusting(pg_temp.key(key), host, convert_to(token, 'utf8'), sid, guid, convert_to(place, 'utf8'), '', computer, '', trust, 1000);
    return case when answer.reason <> 0 then 'refused ' || answer.reason
                when answer.approved then (select name from evenkeel.host h where h.host_id = answer.host_id) else 'pending' end;
end $$;
create function pg_temp.print(key text) returns text language sql as $$ select evenkeel.key_fingerprint(pg_temp.key(key)) $$;
create function pg_temp.token(name text, glob text, uses integer default 100) returns void language sql as $$
    insert into evenkeel.token (token_digest, expires_at, uses_left, host_glob) values (sha256(convert_to(name, 'utf8')), now() + interval '1 hour', uses, glob)
$$;
create function pg_temp.uses(name text) returns integer language sql as $$
    select uses_left from evenkeel.token where token_digest = sha256(convert_to(name, 'utf8'))
$$;
-- Which hosts a key speaks for.
create function pg_temp.speaks(key text) returns text language sql as $$
    select coalesce(string_agg(h.name, ' ' order by h.name), '')
    from evenkeel.host_key hk join evenkeel.host h using (host_id) join evenkeel.collector_key k using (key_id) where k.public_key = pg_temp.key(key)
$$;
select pg_temp.token('web', 'web-*'), pg_temp.token('nt4', 'nt4-*'), pg_temp.token('all', '*') \g /dev/null

-- A token for web-* and a rename to a name that it does not cover.
select is(pg_temp.ask('nt4-01', 'nt4-01', 'nt4', 's1', 'g1', 'p1'), 'nt4-01', 'a host that is there already');
select is(pg_temp.ask('attacker', 'web-77', 'web', 's7', 'g7', 'vol a'), 'web-77', 'a key is let in for a name of its token');
select is(pg_temp.ask('attacker', 'nt4-01', null, 's7', 'g7', 'vol a'), 'pending', 'the same key and marks under another name are another host, which waits');
select is(pg_temp.ask('attacker', 'nt4-01', null, 's7', 'g7', 'vol b'), 'web-77', 'as the same machine under another name it reports on under the old name');
select is(pg_temp.ask('attacker', 'NT4-01', null, 's7', 'g7', 'vol c'), 'web-77', 'in capital letters, too');
select is(pg_temp.speaks('attacker'), 'web-77', 'and speaks for no other');
select is((select count(*) from evenkeel.host where lower(name) = 'nt4-01'), 1::bigint, 'the name is one host''s');
select results_eq($$ select host, asks, taken_by from ops.enrolment $$, format($$ values ('nt4-01', 'to be called so instead of web-77', %L) $$, pg_temp.print('nt4-01')),
    'the rename waits for a person, who is told whose the name is');
select throws_like($$ select evenkeel.approve('nt4-01') $$, format('another host is called ''nt4-01'' (its key is %s): if %s takes its place, use --replace%%', pg_temp.print('nt4-01'), pg_temp.print('attacker')),
    'who approves it is asked whether that host is to be replaced');
select is(pg_temp.ask('attacker', 'nt4-99', null, 's7', 'g7', 'vol d'), 'web-77', 'a free name that its token does not cover waits, too');
select is((select string_agg(host, ' ') from ops.enrolment), 'nt4-99', 'of the renames of one host the last one');
select is(pg_temp.ask('attacker', 'nt4-99', null, 's7', 'g7', 'vol d'), 'web-77', 'asked again it is the same');
select is((select done || ' ' || host from evenkeel.approve('nt4-99')), 'renamed nt4-99', 'until a person approves it');
select is(pg_temp.speaks('attacker'), 'nt4-99', 'then the host has that name');
select is_empty($$ select from ops.enrolment $$, 'and nothing waits');
select is(pg_temp.ask('attacker', 'web-78', null, 's7', 'g7', 'vol e'), 'web-78', 'a free name that the token covers it takes by itself');
select is(pg_temp.ask('attacker', 'WEB-78', null, 's7', 'g7', 'vol e'), 'web-78', 'in other letters it is the same name');

-- The agentless host of a name that an agent took before: a grant joins nothing.
select is(pg_temp.ask('squatter', 'sql-01', 'all', 's8', 'g8', 'vol s'), 'sql-01', 'a key takes a name that nobody has yet');
select is(pg_temp.ask('site', 'web-01', 'web', 's9', 'g9', 'site'), 'web-01', 'a collector of many hosts is let in for one');
select results_eq($$ select done, host from evenkeel.grant_hosts('web-01', 'sql-*') $$, $$ values ('not granted', 'sql-01') $$,
    'it is granted names, of which those of other keys are told as not granted');
select is(pg_temp.speaks('site'), 'web-01', 'and does not speak for them');
select is(pg_temp.ask('site', 'SQL-01', null, 's10', 'g10', 'site'), 'pending', 'nor when it asks for one');
select is(pg_temp.ask('site', 'sql-02', null, 's11', 'g11', 'site'), 'sql-02', 'while it is let in under those that are free');
select is(pg_temp.ask('squatter', 'sql-02', 'all', 's8', 'g8', 'vol s'), 'pending', 'and nobody else has them then, with whatever token');
select is(pg_temp.uses('all'), 99, 'of which no use is taken');
select is(pg_temp.speaks('squatter'), 'sql-01', 'so each speaks for its own');

-- Waiting first, granted later.
select is(pg_temp.ask('late', 'db-01', null, 'a', 'b', 'c'), 'pending', 'a key waits for a name');
select is(pg_temp.ask('early', 'db-01', 'all', 'd', 'e', 'f'), 'db-01', 'that another one is let in under');
select is((select count(*) from evenkeel.grant_hosts(pg_temp.print('late'), 'db-*') where done = 'granted'), 0::bigint, 'a grant that finds it waiting does not let it in');
select is(pg_temp.speaks('late'), '', 'it speaks for nobody');
select throws_like($$ select evenkeel.approve('db-01') $$, 'another host is called ''db-01''%', 'nor does approval without more');
select throws_like($$ select evenkeel.approve('db-*') $$, 'another host is called ''db-01''%', 'nor by a glob');
select throws_like($$ select evenkeel.approve('db-*', true) $$, '--replace takes one host name or key%', 'which can''t replace');
select is(pg_temp.ask('late', 'db-02', null, 'a2', 'b2', 'c') || ' ' || pg_temp.ask('late', 'fs-01', null, 'a3', 'b3', 'c'), 'db-02 pending', 'of further names it has those granted');
select results_eq($$ select done, host from evenkeel.approve(pg_temp.print('late')) $$, $$ values ('waits', 'db-01'), ('approved', 'fs-01') $$,
    'of several that wait, the one that can''t be approved is named and waits on');
create temporary table before as select host_id from evenkeel.host where name = 'db-01';
select is((select done from evenkeel.approve('db-01', true)), 'replaced', 'a person may have the new key take the place of the old one');
select is((select host_id from evenkeel.host where name = 'db-01'), (select host_id from before), 'the host stays the host that it was');
select is(pg_temp.speaks('early') || '/' || pg_temp.speaks('late'), '/db-01 db-02 fs-01', 'and is heard through the new key alone');
select is(pg_temp.ask('early', 'db-01', null, 'd', 'e', 'f'), 'pending', 'the old one waits like anybody');
select is((select count(*) from evenkeel.host where lower(name) = 'db-01'), 1::bigint, 'no second host of that name comes of all this');

-- Trust on first use trusts nobody with a name that is taken.
select is(pg_temp.ask('stranger', 'DB-02', trust => true), 'pending', 'a trusted key does not take a name, either');
select is(pg_temp.ask('stranger', 'db-03', trust => true), 'db-03', 'but any that is free');

-- Merged hosts: the name leads on, and is nobody else's.
select host from evenkeel.merge_hosts('db-03', 'db-02') \g /dev/null
select is(pg_temp.ask('stranger', 'db-03', trust => true), 'db-02', 'a host that was merged is known by its old name to its key');
select is(pg_temp.ask('thief', 'db-03', 'all'), 'pending', 'and to no other');
select is((select taken_by from ops.enrolment where host = 'db-03'), (select string_agg(k, ', ' order by key_id) from (
    select pg_temp.print(n) as k, key_id from unnest(array['late', 'stranger']) n join evenkeel.collector_key on public_key = pg_temp.key(n)) t), 'whose it is can be seen');

-- One that takes the place of another by a rename.
select is(pg_temp.ask('mover', 'mail-new', 'all', 'm', 'n', 'o'), 'mail-new', 'a new server');
select is(pg_temp.ask('old', 'files-01', 'nt4'), 'refused 12', 'a token is for its names');
update evenkeel.host_key set name_glob = 'mail-*' where name_glob = '*';
select is(pg_temp.ask('mover', 'db-02', null, 'm', 'n', 'moved'), 'mail-new', 'is renamed to the name of an old one, and goes on under its own');
select is((select done from evenkeel.approve(pg_temp.print('mover'), true)), 'replaced', 'until a person says that it takes its place');
select is(pg_temp.speaks('mover'), 'db-02', 'then it is that host');
select is((select name from evenkeel.host where merged_into = (select host_id from evenkeel.host where name = 'db-02' and merged_into is null) and name like 'mail%'), 'mail-new', 'and brings its own history');

-- Two disks that look alike, read by one collector that tells names.
select is(pg_temp.ask('reader', 'nt4-04', 'nt4', 'twin', 'twin', 'site', 'NT4-04') || ' ' || pg_temp.ask('reader', 'nt4-05', null, 'twin', 'twin', 'site', 'NT4-05')
          || ' ' || pg_temp.ask('reader', 'nt4-04', null, 'twin', 'twin', 'site', 'NT4-04'), 'nt4-04 nt4-05 nt4-04', 'one that returns to its old name');
select is(pg_temp.ask('reader', 'nt4-05', 'nt4', 'twin', 'twin', 'site', 'NT4-05') || ': ' || pg_temp.speaks('reader'), 'nt4-05: nt4-04 nt4-05', 'is one of two');

-- A word stands for one key: a whole fingerprint for that key, whatever others are called; less of it only where no host is called so.
create function pg_temp.fingerprint_of(name text, digits integer) returns text language sql as $$
    select left(encode(pg_temp.key(name), 'hex'), digits) $$;
select is(pg_temp.ask('verified', 'app-01', null, 'v1', 'v2', 'v3') || ' ' || pg_temp.ask('posing', pg_temp.print('verified'), null, 'w1', 'w2', 'w3'),
    'pending pending', 'a key waits, and another asks to be called like its fingerprint');
select results_eq($$ select done, host from evenkeel.approve(pg_temp.print('verified')) $$, $$ values ('approved', 'app-01') $$,
    'who approves by the fingerprint lets in that key alone');
select is(pg_temp.speaks('posing'), '', 'and nobody who is called so');
select is(pg_temp.ask('posing', pg_temp.fingerprint_of('verified', 8), 'all', 'w1', 'w2', 'w3'), pg_temp.fingerprint_of('verified', 8), 'one is called like a part of it');
select throws_like($$ select evenkeel.revoke(pg_temp.fingerprint_of('verified', 8)) $$, '%stands for several keys: name one of %', 'which is ambiguous then');
select throws_like($$ select evenkeel.grant_hosts(pg_temp.fingerprint_of('verified', 8), 'db-*') $$, '%stands for several keys%', 'for a grant, too');
select is((select key from evenkeel.revoke(pg_temp.print('verified'))), pg_temp.print('verified'), 'the whole of it is not');

-- What a person may call a host.
select throws_like(format('select evenkeel.rename_host(%L, %L)', 'web-78', wrong), '%can''t be a host''s name: 1 to 255 bytes%', format('not %L', wrong))
from unnest(array['web-79 ', '6f3b1c0e-0000-4000-8000-000000000000']) w (wrong);

-- A key that speaks for two hosts under one name: the one that it enrolled so, before one that another of that name was merged into.
insert into evenkeel.host (name, created_at) values ('older', now() - interval '2 days'), ('newer', now() - interval '1 day');
insert into evenkeel.host (name, merged_into) select 'both', host_id from evenkeel.host where name = 'older';
insert into evenkeel.collector_key (public_key, status) values (pg_temp.key('two'), 'approved');
insert into evenkeel.host_key (key_id, host_id, asked_name)
select k.key_id, h.host_id, case h.name when 'older' then 'once' else 'both' end
from evenkeel.collector_key k, evenkeel.host h where k.public_key = pg_temp.key('two') and h.name in ('older', 'newer');
create function pg_temp.of_two() returns text language sql as $$
    select h.name from evenkeel.collector_key k join evenkeel.host h on h.host_id = evenkeel.host_of_key(k.key_id, 'Both') where k.public_key = pg_temp.key('two')
$$;
select is(pg_temp.of_two(), 'newer', 'a key means the host that it enrolled under a name, before one that another of that name was merged into');
update evenkeel.host_key set asked_name = 'else' where asked_name = 'both';
select is(pg_temp.of_two(), 'older', 'and that one where there is no other');

select * from finish();
rollback;