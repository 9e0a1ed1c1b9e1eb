-- Who may report what: enrolment, and the admission of a batch of offers.
-- Reasons are those of RefusalReason in proto/evenkeel.proto; 0 is 'admitted'.
--
-- Three marks tell machines apart: the host's SID, its MachineGuid, and where the key file lies (volume and machine name). One that is
-- empty on either side says nothing. Two that differ mean that the key file was copied: that machine is refused and enrols anew, the one
-- that the key belongs to stays heard. A key that speaks for several hosts reads foreign disks, and a host set up anew has a new SID and
-- GUID; so there the place of the key file must be among what differs. One mark alone is a MachineGuid that was reset, a renamed
-- machine, or a key file that moved. But where the place differs and the number was used before, both machines are at work: the key is
-- set apart.

create or replace function evenkeel.marks_differ(
    sid text, guid text, location bytea, other_sid text, other_guid text, other_location bytea)
returns integer language sql immutable parallel safe
as $$
    select (sid <> '' and other_sid <> '' and sid <> other_sid)::integer
           + (guid <> '' and other_guid <> '' and guid <> other_guid)::integer
           + (location <> '' and other_location <> '' and location <> other_location)::integer
$$;
comment on function evenkeel.marks_differ(text, text, bytea, text, text, bytea) is 'How many of the three marks of a machine differ; null where one is not known.';

create or replace function evenkeel.host_of_key(key integer, wanted_name text, sid text, guid text, location bytea)
returns uuid language sql stable
as $$
    select hk.host_id
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = key and h.merged_into is null
      and (h.name = wanted_name
           or exists (select from evenkeel.host m where m.merged_into = h.host_id and m.name = wanted_name)
           -- The same machine under another name: the key is its own, and lies on a machine of another name than before.
           or (sid <> '' and guid <> '' and (hk.machine_sid, hk.machine_guid) = (sid, guid)
               and location <> '' and hk.key_location <> '' and hk.key_location <> location
               and not exists (select from evenkeel.host_key o where o.key_id = key and o.host_id <> hk.host_id)))
    order by h.name = wanted_name desc, h.created_at
    limit 1
$$;
comment on function evenkeel.host_of_key(integer, text, text, text, bytea) is 'The host that a key already speaks for under that name, or that was merged or renamed since; null: none.';

create or replace function evenkeel.key_was_copied(key integer, host uuid, sid text, guid text, location bytea)
returns boolean language sql stable
as $$
    select coalesce(bool_or(evenkeel.marks_differ(sid, guid, location, hk.machine_sid, hk.machine_guid, hk.key_location) >= 2
                            and ((location <> '' and hk.key_location <> '' and location <> hk.key_location)
                                 or (host is not null and others.count = 0))), false)
    from evenkeel.host_key hk,
         lateral (select count(*) from evenkeel.host_key o where o.key_id = key and o.host_id <> hk.host_id) others
    where hk.key_id = key and (hk.host_id = host or (host is null and others.count = 0))
$$;
comment on function evenkeel.key_was_copied(integer, uuid, text, text, bytea) is 'Whether a machine with these marks that enrols has the key from another one: judged as admit() judges offers by the host that the key is known to speak for under that name, or, where it is none (null), by the only host that it speaks for.';

create or replace function evenkeel.grant_host(key integer, wanted_name text, may_exist boolean default false)
returns uuid language plpgsql
as $$
declare
    asked evenkeel.enrolment;
    found uuid;
begin
    select hk.host_id into found
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = key and h.name = wanted_name and h.merged_into is null;
    if found is null then
        select * into asked from evenkeel.enrolment e where e.key_id = key and e.host_name = wanted_name;
        if may_exist then
            select (array_agg(h.host_id))[1] into found
            from evenkeel.host h where h.name = wanted_name and h.merged_into is null having count(*) = 1;
        end if;
        if found is null then
            insert into evenkeel.host (name) values (wanted_name) returning host_id into found;
        end if;
        insert into evenkeel.host_key (host_id, key_id, machine_sid, machine_guid, key_location, marks)
        values (found, key, coalesce(asked.machine_sid, ''), coalesce(asked.machine_guid, ''), coalesce(asked.key_location, ''),
                coalesce(asked.marks, ''));
    end if;
    delete from evenkeel.enrolment e where e.key_id = key and e.host_name = wanted_name;
    return found;
end
$$;
comment on function evenkeel.grant_host(integer, text, boolean) is 'Lets a key speak for the host of that name, making the host where there is none yet, or where it must not be one that another key speaks for; returns its host_id.';

create or replace function evenkeel.enroll(
    asking_key bytea, wanted_name text, token_digest_given bytea, sid text, guid text, location bytea, marks_digest bytea,
    trust boolean, most_pending integer,
    out reason integer, out host_id uuid, out approved boolean, out sequence bigint)
language plpgsql
as $$
declare
    key evenkeel.collector_key;
    by_token boolean := false;
    by_grant boolean := false;
begin
    reason := 0; approved := false; sequence := 0;
    select * into key from evenkeel.collector_key k where k.public_key = asking_key for update;
    if key.status in ('revoked', 'set apart') then
        reason := case key.status when 'revoked' then evenkeel.refusal_reason__key_revoked() else evenkeel.refusal_reason__key_set_apart() end;
        return;
    end if;
    if key.status = 'approved' then
        host_id := evenkeel.host_of_key(key.key_id, wanted_name, sid, guid, location);
        if evenkeel.key_was_copied(key.key_id, host_id, sid, guid, location) then
            update evenkeel.collector_key k set note = 'a copy was refused on another machine' where k.key_id = key.key_id;
            host_id := null;
            reason := evenkeel.refusal_reason__key_set_apart();
            return;
        end if;
        if host_id is not null then
            update evenkeel.host h set name = wanted_name
            where h.host_id = enroll.host_id and h.name <> wanted_name
              and not exists (select from evenkeel.host m where m.merged_into = h.host_id and m.name = wanted_name);
            approved := true;
            select hk.sequence into sequence from evenkeel.host_key hk where hk.host_id = enroll.host_id and hk.key_id = key.key_id;
            return;
        end if;
        by_grant := exists (select from evenkeel.key_grant g
                            where g.key_id = key.key_id and lower(wanted_name) ~ evenkeel.glob_regex(lower(g.host_glob)));
    end if;
    if token_digest_given is not null and not by_grant then
        update evenkeel.token t set uses_left = t.uses_left - 1
        where t.token_digest = token_digest_given and t.uses_left > 0 and t.expires_at > now()
          and lower(wanted_name) ~ evenkeel.glob_regex(lower(t.host_glob));
        by_token := found;
        if not by_token then
            reason := evenkeel.refusal_reason__token_invalid();
            return;
        end if;
    end if;
    if not (trust or by_token or by_grant)
       and not exists (select from evenkeel.enrolment e where e.key_id = key.key_id and e.host_name = wanted_name)
       and (select count(*) from evenkeel.enrolment) >= most_pending then
        reason := evenkeel.refusal_reason__over_limit();
        return;
    end if;
    if key.key_id is null then
        insert into evenkeel.collector_key (public_key) values (asking_key) on conflict (public_key) do nothing;
        select * into key from evenkeel.collector_key k where k.public_key = asking_key for update;
    end if;
    insert into evenkeel.enrolment (key_id, host_name, machine_sid, machine_guid, key_location, marks)
    values (key.key_id, wanted_name, sid, guid, location, marks_digest)
    on conflict (key_id, host_name) do update
        set requested_at = now(), machine_sid = excluded.machine_sid, machine_guid = excluded.machine_guid,
            key_location = excluded.key_location, marks = excluded.marks;
    if trust or by_token or by_grant then
        update evenkeel.collector_key k set status = 'approved', status_since = now(),
               note = case when by_token then 'by enrolment token' else 'trusted on first use' end
        where k.key_id = key.key_id and k.status = 'pending';
        host_id := evenkeel.grant_host(key.key_id, wanted_name, by_grant);
        approved := true;
        select hk.sequence into sequence from evenkeel.host_key hk where hk.host_id = enroll.host_id and hk.key_id = key.key_id;
    end if;
end
$$;
comment on function evenkeel.enroll(bytea, text, bytea, text, text, bytea, bytea, boolean, integer) is 'A key asks to speak for a host. Known pairs get their host_id again; new ones wait for approval, at most so many, unless a token, a grant or trust on first use approves them. A refusal leaves nothing behind but a note on a key that was copied.';

create or replace function evenkeel.admit(
    keys bytea[], hosts uuid[], sequences bigint[], offers bytea[], inventories bytea[], all_facts bytea[], all_times bytea[],
    taken bigint[], all_marks bytea[], sids text[], guids text[], locations bytea[], uploads bigint[], quota bigint)
returns table (ord integer, reason integer, key_id integer, highest bigint, same_inventory boolean, same_facts boolean,
               same_times boolean, marks_wanted boolean, old boolean)
language plpgsql
as $$
begin
    -- Locked in the order of the hosts, so that two aggregators can't wait for each other.
    perform from evenkeel.host_key hk where hk.host_id = any (hosts) order by hk.host_id, hk.key_id for update;
    return query
    with asked as (
        select a.*
        from unnest(keys, hosts, sequences, offers, inventories, all_facts, all_times, taken, all_marks, sids, guids, locations, uploads)
             with ordinality as a (public_key, host_id, sequence, offer, inventory, facts, times, taken_at, marks, sid, guid, location,
                                   upload, ord)
    ), known as (
        select a.*, k.key_id, k.status, hk.host_id is not null as granted, hk.sequence as seen,
               a.sequence < hk.sequence or (a.sequence = hk.sequence and a.offer <> hk.offer) as used,
               a.sid is null and a.marks not in ('', hk.marks) as marks_wanted,
               evenkeel.marks_differ(a.sid, a.guid, a.location, hk.machine_sid, hk.machine_guid, hk.key_location) as differ,
               coalesce(a.location <> '' and hk.key_location <> '' and a.location <> hk.key_location, false) as moved,
               exists (select from evenkeel.host_key o where o.key_id = k.key_id and o.host_id <> hk.host_id) as speaks_for_several,
               case when hk.uploaded_on = current_date then hk.uploaded_bytes else 0 end + a.upload as uploaded,
               coalesce(to_timestamp(a.taken_at / 1000000.0) > c.taken_at, true) as fresh,
               coalesce(c.inventory = a.inventory, false) as same_inventory,
               coalesce(c.facts = a.facts, false) as same_facts,
               coalesce(c.times = a.times, false) as same_times
        from asked a
        left join evenkeel.collector_key k on k.public_key = a.public_key
        left join evenkeel.host_key hk on hk.host_id = a.host_id and hk.key_id = k.key_id
        left join evenkeel.host_checkin c on c.host_id = hk.host_id
    ), judged as (
        select n.*,
               -- What was sent before and comes again is older than what was accepted since: that sets no key apart.
               n.status = 'approved' and n.granted and n.used and n.moved and n.fresh and n.differ < 2 as parallel,
               case when n.key_id is null then evenkeel.refusal_reason__key_unknown()
                    when n.status = 'pending' then evenkeel.refusal_reason__key_pending()
                    when n.status = 'revoked' then evenkeel.refusal_reason__key_revoked()
                    when n.status = 'set apart' then evenkeel.refusal_reason__key_set_apart()
                    when not n.granted then evenkeel.refusal_reason__other_host()
                    when n.differ >= 2 and (n.moved or not n.speaks_for_several) then evenkeel.refusal_reason__key_set_apart()
                    when n.used and n.moved and n.fresh then evenkeel.refusal_reason__key_set_apart()
                    when n.used and not n.marks_wanted then evenkeel.refusal_reason__old_sequence()
                    when n.upload > 0 and n.uploaded > quota then evenkeel.refusal_reason__over_limit()
                    else 0 end as verdict
        from known n
    ), noted as (
        update evenkeel.collector_key k
        set status = case when j.parallel then 'set apart' else k.status end,
            status_since = case when j.parallel then now() else k.status_since end,
            note = case when j.parallel then 'used from two machines' else 'a copy was refused on another machine' end
        from (select j.key_id, bool_or(j.parallel) as parallel from judged j
              where j.verdict = evenkeel.refusal_reason__key_set_apart() group by j.key_id) j
        where k.key_id = j.key_id and k.status = 'approved' and (j.parallel or k.note <> 'a copy was refused on another machine')
    )
    select j.ord::integer, j.verdict, j.key_id, coalesce(j.seen, 0), j.same_inventory, j.same_facts, j.same_times,
           coalesce(j.marks_wanted, false), coalesce(j.used, false)
    from judged j
    order by j.ord;
end
$$;
comment on function evenkeel.admit(bytea[], uuid[], bigint[], bytea[], bytea[], bytea[], bytea[], bigint[], bytea[], text[], text[], bytea[], bigint[], bigint) is 'Judges a batch of offers, at most one per host: refuses by key, grant, marks, sequence and quota, tells what is the same as before, and whether the marks must be given first. An old offer that is not refused yet waits for its marks only.';

create or replace function evenkeel.count_offers(
    keys integer[], hosts uuid[], sequences bigint[], offers bytea[], all_marks bytea[], sids text[], guids text[], locations bytea[],
    uploads bigint[])
returns void language sql
as $$
    update evenkeel.host_key hk
    set sequence = greatest(hk.sequence, a.sequence),
        offer = case when a.sequence > hk.sequence then a.offer else hk.offer end,
        marks = case when a.sid is not null then a.marks else hk.marks end,
        machine_sid = coalesce(nullif(a.sid, ''), hk.machine_sid),
        machine_guid = coalesce(nullif(a.guid, ''), hk.machine_guid),
        key_location = coalesce(nullif(a.location, ''), hk.key_location),
        uploaded_on = current_date,
        uploaded_bytes = case when hk.uploaded_on = current_date then hk.uploaded_bytes else 0 end + a.upload
    from unnest(keys, hosts, sequences, offers, all_marks, sids, guids, locations, uploads)
         a (key_id, host_id, sequence, offer, marks, sid, guid, location, upload)
    where hk.host_id = a.host_id and hk.key_id = a.key_id
      and (a.sequence > hk.sequence or a.sid is not null or a.upload > 0)
$$;
comment on function evenkeel.count_offers(integer[], uuid[], bigint[], bytea[], bytea[], text[], text[], bytea[], bigint[]) is 'Counts admitted offers: their sequence numbers, the marks that came with them, the bytes of their objects.';

create or replace function evenkeel.count_refused(asking_key bytea, host uuid, bytes bigint)
returns void language sql
as $$
    update evenkeel.host_key hk
    set uploaded_on = current_date, uploaded_bytes = case when hk.uploaded_on = current_date then hk.uploaded_bytes else 0 end + bytes
    from evenkeel.collector_key k
    where k.public_key = asking_key and hk.key_id = k.key_id and hk.host_id = host
$$;
comment on function evenkeel.count_refused(bytea, uuid, bigint) is
    'Counts the bytes of objects that could not be stored, as those that could.';

create or replace function evenkeel.check_in(hosts uuid[], taken bigint[], schedules integer[], unreadables integer[])
returns void language sql
as $$
    -- What could not be read bears on the verdict, and is no part of what is offered.
    insert into evenkeel.judge_queue (host_id)
    select c.host_id from evenkeel.host_checkin c join unnest(hosts, unreadables) a (host_id, unreadable) using (host_id)
    where c.unreadable <> a.unreadable order by c.host_id
    on conflict do nothing;
    update evenkeel.host_checkin c
    set seen_at = greatest(clock_timestamp(), c.seen_at), taken_at = to_timestamp(a.taken_at / 1000000.0),
        schedule_seconds = a.schedule, unreadable = a.unreadable,
        state_at = case when c.unreadable <> a.unreadable then clock_timestamp() else c.state_at end
    from unnest(hosts, taken, schedules, unreadables) a (host_id, taken_at, schedule, unreadable)
    where c.host_id = a.host_id
$$;
comment on function evenkeel.check_in(uuid[], bigint[], integer[], integer[]) is 'Notes that hosts were heard of which have nothing new.';
