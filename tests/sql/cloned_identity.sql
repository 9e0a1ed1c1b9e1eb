begin;
select plan(32);
\ir fixture.psql

create function fixture.clone_facts(guid text, sid text, more jsonb default '{}') returns jsonb language sql as $$
    select jsonb_build_object('machine_guid', guid, 'machine_sid', sid, 'product_type', 'server') || more
$$;
create function fixture.member(host_name text, guid text, sid text, more jsonb default '{}', times jsonb default '{}') returns uuid language sql as $$
    select fixture.host(host_name, '{"c:/winnt/notepad.exe": "5.0.2195.1"}', fixture.clone_facts(guid, sid, more), times)
$$;
create function fixture.clones(host_name text) returns text language sql as $$
    select coalesce(string_agg(subject || ' ' || severity, ', ' order by subject), '') from ops.finding where host = host_name and check_name = 'cloned-identity'
$$;
\set g1 '11111111-1111-1111-1111-111111111111'
\set g2 '22222222-2222-2222-2222-222222222222'
\set g3 '33333333-3333-3333-3333-333333333333'

select fixture.member('twin-a', :'g1', 'S-1-5-21-1-1-1'), fixture.member('twin-b', upper(:'g1'), 'S-1-5-21-1-1-2'),
       fixture.member('alone', :'g2', 'S-1-5-21-1-1-3'), fixture.host('mute', '{"c:/winnt/notepad.exe": "5.0.2195.1"}', null) \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('twin-a'), 'machine-guid ' || :'g1' || ' high', 'a MachineGuid that two hosts have is found on the one');
select is(fixture.clones('twin-b'), 'machine-guid ' || :'g1' || ' high', 'and on the other, in whatever case it is written');
select is(fixture.clones('alone'), '', 'a host with an identity of its own is not found');
select is(fixture.clones('mute'), '', 'neither is one whose registry was not read');
select is((select array_agg(x ->> 'host') from ops.finding, jsonb_array_elements(evidence -> 'hosts') x where host = 'twin-a'), '{twin-a,twin-b}',
    'the evidence names all hosts that share the identity');
select matches((select summary from ops.finding where host = 'twin-a'), :'g1' || ' is also that of twin-b$', 'the summary names the other');

select fixture.member('twin-b', :'g3', 'S-1-5-21-1-1-2') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('twin-a') || fixture.clones('twin-b'), '', 'when one of the two is mended, the other''s finding closes too');
select isnt((select closed_at from ops.finding_history where host = 'twin-a'), null, 'and its history tells when');
select fixture.member('twin-c', :'g1', 'S-1-5-21-1-1-4') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('twin-a'), 'machine-guid ' || :'g1' || ' high', 'a host that arrives with an identity in use opens it on the host that had it before');

select fixture.member('sid-a', 'aaaaaaaa-0000-0000-0000-000000000001', 'S-1-5-21-7-7-7'),
       fixture.member('sid-b', 'aaaaaaaa-0000-0000-0000-000000000002', 'S-1-5-21-7-7-7'),
       fixture.member('zero-a', 'aaaaaaaa-0000-0000-0000-000000000003', 'S-1-5-21-0-0-0'),
       fixture.member('zero-b', '00000000-0000-0000-0000-000000000000', 'S-1-5-21-0-0-0'),
       fixture.member('zero-c', '00000000-0000-0000-0000-000000000000', ''),
       fixture.member('empty-a', '', ''), fixture.member('empty-b', '', '') \g /dev/null
select fixture.member('dc-' || n, 'bbbbbbbb-0000-0000-0000-00000000000' || n, 'S-1-5-21-9-9-9', '{"product_type": "domain_controller"}') from generate_series(1, 2) n \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('sid-b'), 'machine-sid S-1-5-21-7-7-7 high', 'a machine SID that two hosts have is found');
select is(fixture.clones('zero-a') || fixture.clones('zero-b') || fixture.clones('zero-c'), '', 'S-1-5-21-0-0-0 is no SID, and a MachineGuid of zeros none');
select is(fixture.clones('empty-a'), '', 'what could not be read is not shared');
select is(fixture.clones('dc-1') || fixture.clones('dc-2'), '', 'domain controllers share their SID lawfully');
select fixture.member('member', 'bbbbbbbb-0000-0000-0000-000000000003', 'S-1-5-21-9-9-9') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('member'), 'machine-sid S-1-5-21-9-9-9 high', 'a server that shares it with domain controllers does not');
select is(fixture.clones('dc-1'), 'machine-sid S-1-5-21-9-9-9 high', 'and the domain controllers are told of it');

select fixture.member('source', 'cccccccc-0000-0000-0000-000000000001', '', jsonb_build_object('machine_keys', array['c2319c42033a5ca7f44e731bfd3fa2b5_cccccccc-0000-0000-0000-000000000001'])),
       fixture.member('carrier', 'cccccccc-0000-0000-0000-000000000002', '', jsonb_build_object('machine_keys', array['c2319c42033a5ca7f44e731bfd3fa2b5_cccccccc-0000-0000-0000-000000000001'])),
       fixture.member('reset', 'cccccccc-0000-0000-0000-000000000003', '', jsonb_build_object('machine_keys', array['c2319c42033a5ca7f44e731bfd3fa2b5_cccccccc-0000-0000-0000-000000000009', 'desktop.ini'])) \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('carrier'), 'machine-guid cccccccc-0000-0000-0000-000000000001 high', 'machine keys that carry another host''s MachineGuid are found');
select matches((select summary from ops.finding where host = 'carrier' and check_name = 'cloned-identity'), 'which is that of source$', 'and whose it is');
select is(fixture.clones('source'), '', 'the host that they came from has nothing to mend');
select is(fixture.clones('reset'), '', 'machine keys that carry a MachineGuid of nobody else are no clone''s');
select fixture.member('source', 'cccccccc-0000-0000-0000-000000000004', '') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('carrier'), '', 'once nobody has that MachineGuid any more it is not another host''s');

select fixture.member('sysprep-4', '', '', '{"inetstp_major": 4, "clone_time": 952616136000000}', '{"metabase": 952000000000000}'),
       fixture.member('sysprep-5', '', '', '{"inetstp_major": 5, "clone_time": 952616136000001}', '{"metabase": 952616136000000}'),
       fixture.member('sysprep-6', '', '', '{"inetstp_major": 6, "clone_time": 952616136000000}', '{"metabase": 952000000000000}'),
       fixture.member('sysprep-iis-later', '', '', '{"inetstp_major": 4, "clone_time": 952616136000000}', '{"metabase": 952616136000000}'),
       fixture.member('sysprep-no-metabase', '', '', '{"inetstp_major": 4, "clone_time": 952616136000000}', '{"metabase": 0}'),
       fixture.member('no-sysprep', '', '', '{"inetstp_major": 4, "clone_time": 0}', '{"metabase": 952000000000000}') \g /dev/null
select fixture.judge() \g /dev/null
select is(fixture.clones('sysprep-4'), 'metabase medium', 'IIS 4.0 with a metabase older than the clone is suspected, at a lower severity');
select is(fixture.clones('sysprep-5'), 'metabase medium', 'and IIS 5.0, by however little');
select is(fixture.clones('sysprep-6'), '', 'IIS 6.0 is not');
select is(fixture.clones('sysprep-iis-later') || fixture.clones('sysprep-no-metabase') || fixture.clones('no-sysprep'), '',
    'nor is a metabase written after the clone, none at all, or a host that is no clone');
select matches((select summary from ops.finding where host = 'sysprep-4'), '^suspected: IIS 4\.0 .*2000-03-02 12:26.*2000-03-09 15:35', 'the summary tells both times');

-- Keys: the hosts' own machines, and one that uses a copied key.
insert into evenkeel.collector_key (public_key, status) select decode(repeat('0' || n, 32), 'hex'), 'approved' from generate_series(1, 3) n;
insert into evenkeel.host_key (host_id, key_id, machine_sid, machine_guid, key_location)
select h.host_id, k.key_id, 'sid', 'guid', 'volume'::bytea
from evenkeel.host h join evenkeel.collector_key k on k.public_key = decode(repeat(case h.name when 'alone' then '01' when 'reset' then '02' else '03' end, 32), 'hex')
where h.name in ('alone', 'reset', 'source', 'member');
update evenkeel.collector_key set status = 'set apart', note = 'heard from two machines' where public_key = decode(repeat('01', 32), 'hex');
insert into evenkeel.enrolment (key_id, host_name, machine_sid, machine_guid, key_location)
select key_id, 'second-machine', 'other sid', 'other guid', 'volume'::bytea from evenkeel.collector_key where public_key = decode(repeat('02', 32), 'hex')
union all
select key_id, 'another-disk', 'sid', 'guid', 'volume'::bytea from evenkeel.collector_key where public_key = decode(repeat('03', 32), 'hex');
select fixture.judge() \g /dev/null
select is(fixture.clones('alone'), 'agent-key 0101010101010101 high', 'a key that was set apart is found on the host that it speaks for');
select matches((select summary from ops.finding where host = 'alone'), 'more than one machine: heard from two machines', 'with what is known of it');
select is(fixture.clones('reset'), 'agent-key 0202020202020202 high', 'a key that asks for another host from another machine is found on the host that it was granted');
select matches((select summary from ops.finding where host = 'reset'), 'asks for second-machine', 'with the name that it asks for');
select is(fixture.clones('source'), '', 'one machine may collect several hosts with its key');
delete from evenkeel.enrolment where host_name = 'second-machine';
select fixture.judge() \g /dev/null
select is(fixture.clones('reset'), '', 'when it does not ask any longer the finding closes');

update evenkeel.host set merged_into = (select host_id from evenkeel.host where name = 'twin-a') where name = 'twin-c';
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host where name = 'twin-c';
select fixture.judge() \g /dev/null
select is(fixture.clones('twin-a'), '', 'a host that was merged into another does not share its identity with it');
select * from finish();
rollback;
