-- Who may report what: the admission of a batch of offers.
-- Reasons are those of RefusalReason in proto/evenkeel.proto; 0 is 'admitted'.
--
-- Three marks tell machines apart: the host's SID, its MachineGuid, and where the key file lies (volume and machine name). One that is
-- empty on either side says nothing. Two that differ mean that the key file was copied: that machine is refused and enrols anew, the one
-- that the key belongs to stays heard. A key that speaks for several hosts reads foreign disks, and a host set up anew has a new SID and
-- GUID; so there the place of the key file must be among what differs. One mark alone is a MachineGuid that was reset, a renamed
-- machine, or a key file that moved. But where the place differs and the number was used before, both machines are at work: the key is
-- set apart.
--
-- What is written of keys, and of whom they may speak for, is written here and by enroll() alone: with their owner's rights, for the
-- aggregator's own role may not.

create or replace function evenkeel.marks_differ(
    sid text, guid text, location bytea, other_sid text, other_guid text, other_location bytea)
returns integer language sql immutable parallel safe
as $$
    select (sid <> '' and other_sid <> '' and sid <> other_sid)::integer
           + (guid <> '' and other_guid <> '' and guid <> other_guid)::integer
           + (location <> '' and other_location <> '' and location <> other_location)::integer
$$;
comment on function evenkeel.marks_differ(text, text, bytea, text, text, bytea) is
  'How many of the three marks of a machine differ; null where one is not known.';

create or replace function evenkeel.admit(
    keys bytea[], hosts uuid[], sequences bigint[], offers bytea[], inventories bytea[], all_facts bytea[], all_times bytea[],
    taken bigint[], all_marks bytea[], sids text[], guids text[], locations bytea[], names text[], uploads bigint[], quota bigint)
returns table (ord integer, reason integer, key_id integer, highest bigint, same_inventory boolean, same_facts boolean,
               same_times boolean, marks_wanted boolean, old boolean, answered bigint)
language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
begin
    -- Locked in the order of the hosts, so that two aggregators can't wait for each other.
    perform from evenkeel.host_key hk where hk.host_id = any (hosts) order by hk.host_id, hk.key_id for update;
    return query
    with asked as (
        select a.*
        from unnest(keys, hosts, sequences, offers, inventories, all_facts, all_times, taken, all_marks, sids, guids, locations, names,
                    uploads)
             with ordinality as a (public_key, host_id, sequence, offer, inventory, facts, times, taken_at, marks, sid, guid, location,
                                   told_name, upload, ord)
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
               coalesce(c.times = a.times, false) as same_times,
               case when a.sequence = hk.sequence and a.offer = hk.offer then hk.changed_at end as changed_at
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
                    when n.told_name <> '' and not evenkeel.is_called(n.key_id, n.host_id, n.told_name)
                      then evenkeel.refusal_reason__other_name()
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
           coalesce(j.marks_wanted, false), coalesce(j.used, false), (extract(epoch from j.changed_at) * 1000000)::bigint
    from judged j
    order by j.ord;
end
$$;
comment on function evenkeel.admit(bytea[], uuid[], bigint[], bytea[], bytea[], bytea[], bytea[], bigint[], bytea[], text[], text[],
                                   bytea[], text[], bigint[], bigint) is
  'Judges a batch of offers, at most one per host: refuses by key, grant, marks, name, sequence and quota, tells what is the same as '
  'before, and whether the marks must be given first. An old offer that is not refused yet waits for its marks only. One that comes '
  'again after it has changed its host tells when that was, in microseconds since 1970: it gets the same answer.';

create or replace function evenkeel.count_offers(
    keys integer[], hosts uuid[], sequences bigint[], offers bytea[], all_marks bytea[], sids text[], guids text[], locations bytea[],
    names text[], versions text[], computers text[], uploads bigint[])
returns void language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    update evenkeel.host_key hk
    set sequence = greatest(hk.sequence, a.sequence),
        offer = case when a.sequence > hk.sequence then a.offer else hk.offer end,
        changed_at = case when a.sequence > hk.sequence then null else hk.changed_at end,
        marks = case when a.sid is not null then a.marks else hk.marks end,
        machine_sid = coalesce(nullif(a.sid, ''), hk.machine_sid),
        machine_guid = coalesce(nullif(a.guid, ''), hk.machine_guid),
        key_location = coalesce(nullif(a.location, ''), hk.key_location),
        asked_name = coalesce(nullif(hk.asked_name, ''), a.told_name, ''),
        collector_version = coalesce(a.version, hk.collector_version),
        computer_name = coalesce(nullif(a.computer, ''), hk.computer_name),
        uploaded_on = current_date,
        uploaded_bytes = case when hk.uploaded_on = current_date then hk.uploaded_bytes else 0 end + a.upload
    from unnest(keys, hosts, sequences, offers, all_marks, sids, guids, locations, names, versions, computers, uploads)
         a (key_id, host_id, sequence, offer, marks, sid, guid, location, told_name, version, computer, upload)
    where hk.host_id = a.host_id and hk.key_id = a.key_id
      and (a.sequence > hk.sequence or a.sid is not null or a.upload > 0)
$$;
comment on function evenkeel.count_offers(integer[], uuid[], bigint[], bytea[], bytea[], text[], text[], bytea[], text[], text[], text[],
                                          bigint[]) is
  'Counts admitted offers: their sequence numbers, the marks, name and version that came with them, the bytes of their objects.';

create or replace function evenkeel.count_refused(asking_key bytea, host uuid, bytes bigint)
returns void language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
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
