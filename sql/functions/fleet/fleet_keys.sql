-- Collectors' keys as an identity of hosts: which of them speak for machines that they were not granted.

create or replace function evenkeel.misused_keys()
returns table (key_id integer, identity text, host_id uuid, asked_name text, note text) language sql stable
as $$
    select k.key_id, 'agent-key ' || left(encode(k.public_key, 'hex'), 16), hk.host_id, null::text, k.note
    from evenkeel.collector_key k
    join evenkeel.host_key hk using (key_id)
    where k.status = 'set apart'
    union all
    -- One machine may collect many hosts with its key. A machine that differs in two of three marks is another one.
    select k.key_id, 'agent-key ' || left(encode(k.public_key, 'hex'), 16), hk.host_id, e.host_name, ''
    from evenkeel.enrolment e
    join evenkeel.collector_key k using (key_id)
    join evenkeel.host_key hk using (key_id)
    where k.status <> 'set apart'
      and (case when '' in (e.machine_sid, hk.machine_sid) or e.machine_sid = hk.machine_sid then 0 else 1 end
           + case when '' in (e.machine_guid, hk.machine_guid) or e.machine_guid = hk.machine_guid then 0 else 1 end
           + case when '' in (e.key_location, hk.key_location) or e.key_location = hk.key_location then 0 else 1 end) >= 2
$$;
comment on function evenkeel.misused_keys() is
    'Hosts whose collector''s key is used from more than one machine: set apart, or asking for another host (asked_name) from a machine '
    'that is not the one it was enrolled on.';

create or replace function evenkeel.queue_hosts_of_key()
returns trigger language plpgsql
as $$
begin
    insert into evenkeel.judge_queue (host_id)
    select i.host_id from evenkeel.host_key hk join evenkeel.host_inventory_current i using (host_id)
    where hk.key_id = coalesce(new.key_id, old.key_id)
    order by 1
    on conflict do nothing;
    return null;
end
$$;
comment on function evenkeel.queue_hosts_of_key() is 'What becomes of a key bears on the findings of its hosts.';

create or replace trigger collector_key_status after update of status on evenkeel.collector_key
    for each row when (old.status is distinct from new.status) execute function evenkeel.queue_hosts_of_key();
create or replace trigger enrolment_asked after insert or delete on evenkeel.enrolment
    for each row execute function evenkeel.queue_hosts_of_key();
