-- A key asks to speak for a host: what is known of it, what grants, tokens and names say to that.

create or replace function evenkeel.bind_key(host uuid, key integer, wanted text, glob text)
returns void language plpgsql
as $$
declare
    asked evenkeel.enrolment;
begin
    select * into asked from evenkeel.enrolment e where e.key_id = key and lower(e.host_name) = lower(wanted);
    insert into evenkeel.host_key (host_id, key_id, asked_name, name_glob, machine_sid, machine_guid, key_location, marks, computer_name,
                                   collector_version)
    values (host, key, wanted, glob, coalesce(asked.machine_sid, ''), coalesce(asked.machine_guid, ''), coalesce(asked.key_location, ''),
            coalesce(asked.marks, ''), coalesce(asked.computer_name, ''), coalesce(asked.collector_version, ''))
    on conflict (host_id, key_id) do update set asked_name = excluded.asked_name;
    delete from evenkeel.enrolment e where e.key_id = key and lower(e.host_name) = lower(wanted);
end
$$;
comment on function evenkeel.bind_key(uuid, integer, text, text) is
  'Lets a key speak for a host that it calls so, with the marks that it asked with.';

create or replace function evenkeel.let_in(key integer, wanted text, glob text)
returns uuid language plpgsql
as $$
declare
    made uuid;
begin
    -- Two that ask for one name at the same moment wait for each other here, and the second gets none.
    insert into evenkeel.host (name) values (wanted)
    on conflict (lower(name)) where merged_into is null and not shares_name do nothing
    returning host_id into made;
    if made is null then
        return null;
    end if;
    perform evenkeel.bind_key(made, key, wanted, glob);
    return made;
end
$$;
comment on function evenkeel.let_in(integer, text, text) is
  'Makes the host of that name and lets the key speak for it, which may call it otherwise within the glob; returns its host_id, null '
  'where another host has the name.';

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
comment on function evenkeel.key_was_copied(integer, uuid, text, text, bytea) is
  'Whether a machine with these marks that enrols has the key from another one: judged as admit() judges offers by the host that the key '
  'is known to speak for under that name, or, where it is none (null), by the only host that it speaks for.';

create or replace function evenkeel.enroll_known(key integer, wanted text, sid text, guid text, location bytea, marks_digest bytea,
                                                 computer text,
                                                 version text, out reason integer, out host_id uuid)
language plpgsql
as $$
declare
    same uuid;
begin
    reason := 0;
    host_id := evenkeel.host_of_key(key, wanted);
    if host_id is null then
        same := evenkeel.host_of_machine(key, sid, guid, location, computer);
    end if;
    if evenkeel.key_was_copied(key, coalesce(host_id, same), sid, guid, location) then
        update evenkeel.collector_key k set note = 'a copy was refused on another machine' where k.key_id = key;
        host_id := null;
        reason := evenkeel.refusal_reason__key_set_apart();
    elsif same is not null then
        perform evenkeel.rename_by_key(key, same, wanted, sid, guid, location, marks_digest, computer, version);
        host_id := same;
    end if;
end
$$;
comment on function evenkeel.enroll_known(integer, text, text, text, bytea, bytea, text, text) is
  'The host that an approved key knows under that name, or that is the same machine under another; refused (reason) where the key was '
  'copied.';

create or replace function evenkeel.use_token(token_given bytea, wanted text)
returns text language sql
as $$
    update evenkeel.token t set uses_left = t.uses_left - 1
    where t.token_digest = sha256(token_given) and t.uses_left > 0 and t.expires_at > now()
      and lower(wanted) ~ evenkeel.glob_regex(lower(t.host_glob))
    returning t.host_glob
$$;
comment on function evenkeel.use_token(bytea, text) is
  'Takes one use of a token that lets in a host of that name; returns the names that it is for, null where it is no such token.';

create or replace function evenkeel.make_place(asking_key integer, asking_from text, most integer)
returns boolean language plpgsql
as $$
declare
    largest record;
    oldest evenkeel.enrolment;
begin
    -- Renames are of hosts that are let in, and as many as these.
    if (select count(*) from evenkeel.enrolment e where e.host_id is null) < most then
        return true;
    end if;
    select e.asked_from, count(*) as places into largest
    from evenkeel.enrolment e where e.host_id is null group by e.asked_from
    order by 2 desc, min(e.requested_at), 1 limit 1;
    -- Who has fewer takes one of them, till they have the same.
    if (select count(*) from evenkeel.enrolment e where e.host_id is null and e.asked_from = asking_from) + 1 >= largest.places then
        return false;
    end if;
    select e.* into oldest
    from evenkeel.enrolment e
    where e.host_id is null and e.asked_from = largest.asked_from
    order by e.requested_at, e.key_id, e.host_name limit 1;
    delete from evenkeel.enrolment e where (e.key_id, e.host_name) = (oldest.key_id, oldest.host_name);
    -- Its key goes, too, if nothing else is known of it, it is not the one that asks, and nobody has it in hand.
    delete from evenkeel.collector_key k
    where k.key_id in (select c.key_id from evenkeel.collector_key c
                       where c.key_id = oldest.key_id and c.key_id is distinct from asking_key and c.status = 'pending'
                         and not exists (select from evenkeel.enrolment e where e.key_id = c.key_id)
                         and not exists (select from evenkeel.key_grant g where g.key_id = c.key_id)
                         and not exists (select from evenkeel.host_key h where h.key_id = c.key_id)
                       for update skip locked);
    return true;
end
$$;
comment on function evenkeel.make_place(integer, text, integer) is
  'Whether one more may wait for approval, of which there are so many places. Where all are taken, who asks from an address that has fewer '
  'than another takes one of that other: of the address that has the most that one which asked longest ago.';

create or replace function evenkeel.enroll_trusting(
    asking_key bytea, wanted_name text, token_given bytea, sid text, guid text, location bytea, marks_digest bytea, computer text,
      version text,
    trust boolean, most_pending integer, asked_from text default '',
    out reason integer, out host_id uuid, out approved boolean, out sequence bigint)
language plpgsql
as $$
declare
    key evenkeel.collector_key;
    glob text;
    admitted text;
    free boolean := evenkeel.name_holder(wanted_name) is null;
begin
    reason := 0; approved := false; sequence := 0;
    select * into key from evenkeel.collector_key k where k.public_key = asking_key for update;
    if key.status in ('revoked', 'set apart') then
        reason := case key.status when 'revoked' then evenkeel.refusal_reason__key_revoked()
          else evenkeel.refusal_reason__key_set_apart() end;
        return;
    end if;
    if key.status = 'approved' then
        select k.reason, k.host_id into reason, host_id
        from evenkeel.enroll_known(key.key_id, wanted_name, sid, guid, location, marks_digest, computer, version) k;
        approved := host_id is not null;
        select hk.sequence into sequence from evenkeel.host_key hk where hk.host_id = enroll_trusting.host_id and hk.key_id = key.key_id;
        if approved or reason <> 0 then
            return;
        end if;
        if evenkeel.may_be_called(key.key_id, null, wanted_name) then
            admitted := 'grant';
        end if;
    end if;
    if token_given is not null and admitted is null then
        glob := evenkeel.use_token(token_given, wanted_name);
        admitted := 'token';
        if glob is null then
            reason := evenkeel.refusal_reason__token_invalid();
            return;
        end if;
    elsif trust and admitted is null then
        glob := '*';
        admitted := 'trust';
    end if;
    -- Whatever lets a key in, it does not take a name from another host: that waits for a person.
    if (admitted is null or not free)
       and not exists (select from evenkeel.enrolment e where e.key_id = key.key_id and lower(e.host_name) = lower(wanted_name))
       and not evenkeel.make_place(key.key_id, asked_from, most_pending) then
        reason := evenkeel.refusal_reason__over_limit();
    else
        if key.key_id is null then
            insert into evenkeel.collector_key (public_key) values (asking_key) on conflict (public_key) do nothing;
            select * into key from evenkeel.collector_key k where k.public_key = asking_key for update;
        end if;
        perform evenkeel.ask(key.key_id, wanted_name, null, sid, guid, location, marks_digest, computer, version, asked_from);
        if admitted is not null and free then
            host_id := evenkeel.let_in(key.key_id, wanted_name, coalesce(glob, ''));
        end if;
    end if;
    if host_id is null then
        update evenkeel.token t set uses_left = t.uses_left + 1 where admitted = 'token' and t.token_digest = sha256(token_given);
        return;
    end if;
    update evenkeel.collector_key k set status = 'approved', status_since = now(),
           note = case admitted when 'token' then 'by enrolment token' else 'trusted on first use' end
    where k.key_id = key.key_id and k.status = 'pending';
    approved := true;
end
$$;
comment on function evenkeel.enroll_trusting(bytea, text, bytea, text, text, bytea, bytea, text, text, boolean, integer, text) is
  'A key asks to speak for a host. Known pairs get their host_id again; new ones wait for approval, at most so many (make_place), unless '
  'a token, a grant or trust on first use lets them in under a name that no other host has. A refusal leaves nothing behind but a note '
  'on a key that was copied.';

create or replace function evenkeel.enroll(
    asking_key bytea, wanted_name text, token_given bytea, sid text, guid text, location bytea, marks_digest bytea, computer text,
      version text,
    most_pending integer, asked_from text default '',
    out reason integer, out host_id uuid, out approved boolean, out sequence bigint)
language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select * from evenkeel.enroll_trusting(asking_key, wanted_name, token_given, sid, guid, location, marks_digest, computer, version,
                                           false, most_pending, asked_from)
$$;
comment on function evenkeel.enroll(bytea, text, bytea, text, text, bytea, bytea, text, text, integer, text) is
  'As enroll_trusting(), trusting nobody: what the aggregator''s role may call.';
