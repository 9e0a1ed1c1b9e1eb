-- What hosts are called, and who may call them so. A key knows a host by the name that it enrolled it under (host_key.asked_name), whatever
-- people call it. Names are compared without regard to case.

create or replace function evenkeel.name_holder(wanted text)
returns uuid language sql stable
as $$
    select coalesce(h.merged_into, h.host_id)
    from evenkeel.host h where lower(h.name) = lower(wanted)
    order by h.merged_into is not null, h.shares_name, h.created_at
    limit 1
$$;
comment on function evenkeel.name_holder(text) is
  'The host that has that name, or that one of that name was merged into; null: the name is free.';

create or replace function evenkeel.other_keys(host uuid, key integer)
returns text language sql stable
as $$
    select string_agg(evenkeel.key_fingerprint(k.public_key), ', ' order by k.key_id)
    from evenkeel.host_key hk join evenkeel.collector_key k using (key_id)
    where hk.host_id = host and hk.key_id <> key and k.status <> 'revoked'
$$;
comment on function evenkeel.other_keys(uuid, integer) is 'The keys beside that one that speak for a host and are not revoked; null: none.';

create or replace function evenkeel.is_called(key integer, host uuid, told text)
returns boolean language sql stable
as $$
    select coalesce(bool_or(lower(told) in (lower(hk.asked_name), case when hk.asked_name = '' then lower(h.name) end)
                            or exists (select from evenkeel.host m where m.merged_into = h.host_id and lower(m.name) = lower(told))), false)
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = key and hk.host_id = host
$$;
comment on function evenkeel.is_called(integer, uuid, text) is
  'Whether that is the name under which the key knows the host, or one of a host that was merged into it.';

create or replace function evenkeel.host_of_key(key integer, wanted text)
returns uuid language sql stable
as $$
    select hk.host_id
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = key and h.merged_into is null and evenkeel.is_called(key, hk.host_id, wanted)
    order by lower(hk.asked_name) = lower(wanted) desc, h.created_at
    limit 1
$$;
comment on function evenkeel.host_of_key(integer, text) is 'The host that a key speaks for under that name; null: none.';

create or replace function evenkeel.host_of_machine(key integer, sid text, guid text, location bytea, computer text)
returns uuid language sql stable
as $$
    -- Where the key lies on a machine of another name it is that machine's own. A disk that is read from elsewhere was renamed where its
    -- registry says so; or it is a clone, which its collector finds out when it comes to tell the old name again.
    select (array_agg(hk.host_id))[1]
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = key and h.merged_into is null and sid <> '' and guid <> '' and (hk.machine_sid, hk.machine_guid) = (sid, guid)
    having count(*) = 1 and not bool_or(hk.has_twin)
       and (bool_and(computer <> '' and lower(hk.computer_name) not in ('', lower(computer)))
            or (bool_and(location <> '' and hk.key_location <> '' and hk.key_location <> location)
                and (select count(*) from evenkeel.host_key o where o.key_id = key) = 1))
$$;
comment on function evenkeel.host_of_machine(integer, text, text, bytea, text) is
  'The one host of a key that has this SID and this MachineGuid, and so is the same machine under whatever name; null: none that is '
  'surely so.';

create or replace function evenkeel.may_be_called(key integer, host uuid, wanted text)
returns boolean language sql stable
as $$
    select exists (select from evenkeel.key_grant g where g.key_id = key and lower(wanted) ~ evenkeel.glob_regex(lower(g.host_glob)))
        or exists (select from evenkeel.host_key hk
                   where hk.key_id = key and hk.host_id = host and hk.name_glob <> ''
                     and lower(wanted) ~ evenkeel.glob_regex(lower(hk.name_glob)))
$$;
comment on function evenkeel.may_be_called(integer, uuid, text) is
  'Whether what the key was granted, or the token that let the host in, covers that name.';

create or replace function evenkeel.take_name(host uuid, wanted text)
returns boolean language plpgsql
as $$
declare
    holder uuid := evenkeel.name_holder(wanted);
    before text;
begin
    if holder is not null and holder <> host then
        return false;
    end if;
    select h.name into before from evenkeel.host h where h.host_id = host;
    update evenkeel.host h set name = wanted, shares_name = false where h.host_id = host;
    insert into evenkeel.host_event (host_id, event, detail) select host, 'renamed', 'from ' || before where before <> wanted;
    return true;
exception when unique_violation then
    -- Another host took it at the same moment.
    return false;
end
$$;
comment on function evenkeel.take_name(uuid, text) is
  'Gives a host a name that is free, or its own in other letters, which is noted; false where another host has it.';

create or replace function evenkeel.ask(
    key integer, wanted text, host uuid, sid text, guid text, location bytea, marks_digest bytea, computer text, version text,
    asked_from text default '')
returns void language plpgsql
as $$
begin
    delete from evenkeel.enrolment e
    where e.key_id = key and e.host_name <> wanted and (lower(e.host_name) = lower(wanted) or e.host_id = host);
    insert into evenkeel.enrolment (key_id, host_name, host_id, machine_sid, machine_guid, key_location, marks, computer_name,
                                    collector_version, asked_from)
    values (key, wanted, host, sid, guid, location, marks_digest, computer, version, ask.asked_from)
    on conflict (key_id, host_name) do update
        set requested_at = now(), host_id = excluded.host_id, machine_sid = excluded.machine_sid, machine_guid = excluded.machine_guid,
            key_location = excluded.key_location, marks = excluded.marks, computer_name = excluded.computer_name,
            collector_version = excluded.collector_version, asked_from = excluded.asked_from;
end
$$;
comment on function evenkeel.ask(integer, text, uuid, text, text, bytea, bytea, text, text, text) is
  'Notes that a key wants a host to be let in under that name, or one of its own to be called so; of each of these only the last wish is '
  'kept.';

create or replace function evenkeel.rename_by_key(
    key integer, host uuid, wanted text, sid text, guid text, location bytea, marks_digest bytea, computer text, version text)
returns void language plpgsql
as $$
declare
    known evenkeel.host_key;
    named_by_person boolean;
begin
    select hk.* into known from evenkeel.host_key hk where hk.key_id = key and hk.host_id = host for update;
    select h.is_named into named_by_person from evenkeel.host h where h.host_id = host;
    -- A disk whose old name comes back is one of two that look alike: they are told apart by their names from now on.
    update evenkeel.host_key hk
    set former_name = known.asked_name, asked_name = wanted, computer_name = coalesce(nullif(computer, ''), hk.computer_name),
        has_twin = hk.has_twin or (lower(known.former_name) = lower(wanted) and location = known.key_location)
    where hk.key_id = key and hk.host_id = host;
    delete from evenkeel.enrolment e where e.key_id = key and e.host_id = host;
    if not named_by_person and not (evenkeel.may_be_called(key, host, wanted) and evenkeel.take_name(host, wanted))
       and not exists (select from evenkeel.host h where h.host_id = host and lower(h.name) = lower(wanted)) then
        perform evenkeel.ask(key, wanted, host, sid, guid, location, marks_digest, computer, version);
    end if;
end
$$;
comment on function evenkeel.rename_by_key(integer, uuid, text, text, text, bytea, bytea, text, text) is
  'A key calls its host otherwise than before: it is known to the key by that name, and is called so where grant or token cover it and '
  'the name is free; else that waits for a person. What a person called it stays.';
