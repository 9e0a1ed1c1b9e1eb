-- Who may report what: enrolment, and the admission of a batch of offers.
-- Reasons are the numbers of RefusalReason in proto/evenkeel.proto; 0 is 'admitted'.

create or replace function evenkeel.grant_host(key integer, wanted_name text)
returns uuid language plpgsql
as $$
declare
    asked evenkeel.enrolment;
    found uuid;
begin
    select hk.host_id into found
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = key and h.name = wanted_name and h.merged_into is null;
    if found is not null then
        return found;
    end if;
    select * into asked from evenkeel.enrolment e where e.key_id = key and e.host_name = wanted_name;
    insert into evenkeel.host (name) values (wanted_name) returning host_id into found;
    insert into evenkeel.host_key (host_id, key_id, machine_sid, machine_guid, key_location)
    values (found, key, coalesce(asked.machine_sid, ''), coalesce(asked.machine_guid, ''), coalesce(asked.key_location, ''));
    delete from evenkeel.enrolment e where e.key_id = key and e.host_name = wanted_name;
    return found;
end
$$;
comment on function evenkeel.grant_host(integer, text) is 'Lets a key speak for the host of that name that it enrolled, making the host where there is none yet; returns its host_id.';

create or replace function evenkeel.enroll(
    asking_key bytea, wanted_name text, token_digest_given bytea, sid text, guid text, location bytea, trust boolean,
    out reason integer, out host_id uuid, out approved boolean, out sequence bigint)
language plpgsql
as $$
declare
    key evenkeel.collector_key;
    by_token boolean := false;
begin
    reason := 0; approved := false; sequence := 0;
    insert into evenkeel.collector_key (public_key) values (asking_key) on conflict (public_key) do nothing;
    select * into key from evenkeel.collector_key k where k.public_key = asking_key for update;
    if key.status in ('revoked', 'set apart') then
        reason := case key.status when 'revoked' then 8 else 11 end;
        return;
    end if;
    if token_digest_given is not null then
        update evenkeel.token t set uses_left = t.uses_left - 1
        where t.token_digest = token_digest_given and t.uses_left > 0 and t.expires_at > now()
          and lower(wanted_name) ~ evenkeel.glob_regex(lower(t.host_glob))
          and not exists (select from evenkeel.host_key hk join evenkeel.host h using (host_id)
                          where hk.key_id = key.key_id and h.name = wanted_name);
        by_token := found;
        if not by_token and not exists (select from evenkeel.host_key hk join evenkeel.host h using (host_id)
                                        where hk.key_id = key.key_id and h.name = wanted_name) then
            reason := 12;
            return;
        end if;
    end if;
    if not exists (select from evenkeel.host_key hk join evenkeel.host h using (host_id)
                   where hk.key_id = key.key_id and h.name = wanted_name and h.merged_into is null) then
        insert into evenkeel.enrolment (key_id, host_name, machine_sid, machine_guid, key_location)
        values (key.key_id, wanted_name, sid, guid, location)
        on conflict (key_id, host_name) do update
            set requested_at = now(), machine_sid = excluded.machine_sid, machine_guid = excluded.machine_guid,
                key_location = excluded.key_location;
    end if;
    if trust or by_token then
        update evenkeel.collector_key k set status = 'approved', status_since = now(),
               note = case when trust then 'trusted on first use' else 'by enrolment token' end
        where k.key_id = key.key_id and k.status = 'pending';
        key.status := 'approved';
        host_id := evenkeel.grant_host(key.key_id, wanted_name);
    else
        select hk.host_id into host_id from evenkeel.host_key hk join evenkeel.host h using (host_id)
        where hk.key_id = key.key_id and h.name = wanted_name and h.merged_into is null;
    end if;
    approved := key.status = 'approved' and host_id is not null;
    if approved then
        select hk.sequence into sequence from evenkeel.host_key hk where hk.host_id = enroll.host_id and hk.key_id = key.key_id;
    else
        host_id := null;
    end if;
end
$$;
comment on function evenkeel.enroll(bytea, text, bytea, text, text, bytea, boolean) is 'A key asks to speak for a host. Known pairs get their host_id again; new ones wait for approval, unless a token or trust on first use approves them.';

create or replace function evenkeel.admit(
    keys bytea[], hosts uuid[], sequences bigint[], offers bytea[], inventories bytea[], all_facts bytea[], all_times bytea[],
    taken bigint[], schedules integer[], unreadables integer[])
returns table (ord integer, reason integer, highest bigint, unchanged boolean, same_inventory boolean, same_facts boolean,
               same_times boolean)
language plpgsql
as $$
begin
    -- Locked in the order of the hosts, so that two aggregators can't wait for each other.
    perform from evenkeel.host_key hk where hk.host_id = any (hosts) order by hk.host_id, hk.key_id for update;
    return query
    with asked as (
        select a.*
        from unnest(keys, hosts, sequences, offers, inventories, all_facts, all_times, taken, schedules, unreadables)
             with ordinality as a (public_key, host_id, sequence, offer, inventory, facts, times, taken_at, schedule, unreadable, ord)
    ), judged as (
        select a.*, k.key_id, hk.sequence as seen,
               case when k.key_id is null then 6
                    when k.status = 'pending' then 7
                    when k.status = 'revoked' then 8
                    when k.status = 'set apart' then 11
                    when hk.host_id is null then 9
                    when a.sequence < hk.sequence or (a.sequence = hk.sequence and a.offer <> hk.offer) then 10
                    else 0 end as reason,
               coalesce(c.inventory = a.inventory, false) as same_inventory,
               coalesce(c.facts = a.facts, false) as same_facts,
               coalesce(c.times = a.times, false) as same_times
        from asked a
        left join evenkeel.collector_key k on k.public_key = a.public_key
        left join evenkeel.host_key hk on hk.host_id = a.host_id and hk.key_id = k.key_id
        left join evenkeel.host_checkin c on c.host_id = hk.host_id
    ), counted as (
        update evenkeel.host_key hk set sequence = j.sequence, offer = j.offer
        from judged j
        where j.reason = 0 and hk.host_id = j.host_id and hk.key_id = j.key_id and hk.sequence <> j.sequence
    ), seen as (
        update evenkeel.host_checkin c
        set seen_at = greatest(clock_timestamp(), c.seen_at), taken_at = to_timestamp(j.taken_at / 1000000.0),
            schedule_seconds = j.schedule, unreadable = j.unreadable
        from judged j
        where j.reason = 0 and j.same_inventory and j.same_facts and j.same_times and c.host_id = j.host_id
    )
    select j.ord::integer, j.reason, coalesce(j.seen, 0), j.same_inventory and j.same_facts and j.same_times,
           j.same_inventory, j.same_facts, j.same_times
    from judged j
    order by j.ord;
end
$$;
comment on function evenkeel.admit(bytea[], uuid[], bigint[], bytea[], bytea[], bytea[], bytea[], bigint[], integer[], integer[]) is 'Admits a batch of offers, at most one per host: refuses by key, grant and sequence, counts the sequence, and checks in the hosts that have nothing new.';
