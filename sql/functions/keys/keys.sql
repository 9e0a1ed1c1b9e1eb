-- What a person decides about keys: approve, revoke, grant. Errors are sentences for that person.

create or replace function evenkeel.key_fingerprint(public_key bytea)
returns text language sql immutable strict parallel safe
as $$ select left(encode(public_key, 'hex'), 16) $$;
comment on function evenkeel.key_fingerprint(bytea) is 'How a key is called: the first 16 hexadecimal digits of its public key.';

create or replace function evenkeel.is_fingerprint(word text, public_key bytea)
returns boolean language sql immutable strict parallel safe
as $$ select word ~ '^[0-9a-fA-F]{8,64}$' and starts_with(encode(public_key, 'hex'), lower(word)) $$;
comment on function evenkeel.is_fingerprint(text, bytea) is 'Whether a word of at least 8 hexadecimal digits starts the public key.';

create or replace function evenkeel.is_key(word text)
returns boolean language sql stable
as $$
    select word ~ '^[0-9a-fA-F]{16,64}$' and exists (select from evenkeel.collector_key k where evenkeel.is_fingerprint(word, k.public_key))
$$;
comment on function evenkeel.is_key(text) is
  'Whether a word is a key''s whole fingerprint, or more of it: it stands for that key then, whatever hosts are called.';

create or replace function evenkeel.is_glob(word text)
returns boolean language sql immutable strict parallel safe
as $$ select word ~ '[*?[]' $$;
comment on function evenkeel.is_glob(text) is 'Whether a word is a glob rather than a name.';

create or replace function evenkeel.host_glob(word text)
returns text language plpgsql immutable
as $$
begin
    -- A set of characters is what glob_regex() takes for one.
    if word = '' or exists (select from regexp_matches(word, '\[!?[^][]+\]|[][]', 'g') m (part)
                            where m.part[1] !~ '^\[!?[^]!]+\]$'
                               or exists (select from regexp_matches(m.part[1], '(.)-([^]])', 'g') r (ends)
                                          where r.ends[1] > r.ends[2] collate "C")) then
        raise exception '''%'' is no glob of hosts that can match: write a name, or *, ?, [ab], [a-z] and [!a]', word
            using errcode = 'invalid_parameter_value';
    end if;
    return word;
end
$$;
comment on function evenkeel.host_glob(text) is
  'The glob or name as it is written; an error where it is empty, or a bracket in it is not part of a set of characters.';

create or replace function evenkeel.names_host(word text, host_name text)
returns boolean language sql immutable strict parallel safe
as $$ select lower(host_name) = lower(word) or (evenkeel.is_glob(word) and lower(host_name) ~ evenkeel.glob_regex(lower(word))) $$;
comment on function evenkeel.names_host(text, text) is 'Whether a word is the host''s name, or a glob that matches it.';

create or replace function evenkeel.give_name(key integer, wanted text, renamed uuid, replace boolean, out done text, out host_id uuid)
language plpgsql
as $$
declare
    holder uuid := evenkeel.name_holder(wanted);
    others text := evenkeel.other_keys(holder, key);
begin
    if holder is null then
        done := case when renamed is null then 'approved' else 'renamed' end;
        host_id := renamed;
        if renamed is null then
            host_id := evenkeel.let_in(key, wanted, '');
        elsif not evenkeel.take_name(renamed, wanted) then
            host_id := null;
        end if;
    elsif replace or (others is null and renamed is null) then
        -- The host of that name goes on, heard through this key alone.
        done := case when others is null then 'approved' else 'replaced' end;
        host_id := holder;
        delete from evenkeel.host_key hk where hk.host_id = holder and hk.key_id <> key;
        delete from evenkeel.upload u where u.host_id = holder;
        if renamed is not null and renamed <> holder then
            perform evenkeel.merge_hosts(renamed::text, holder::text);
        end if;
        perform evenkeel.bind_key(holder, key, wanted, '');
    end if;
    if host_id is null then
        done := 'waits';
        host_id := evenkeel.name_holder(wanted);
    else
        delete from evenkeel.enrolment e where e.key_id = key and lower(e.host_name) = lower(wanted);
    end if;
end
$$;
comment on function evenkeel.give_name(integer, text, uuid, boolean) is
  'Lets a key speak for the host of that name, or calls its own host (renamed) so. Where another host has the name nothing is done '
  '(waits) unless it is to be replaced: then that host''s other keys are forgotten, and its history goes on with what this key reports.';

create or replace function evenkeel.approve(word text, replace boolean default false)
returns table (done text, host text, key text, host_id uuid) language plpgsql
as $$
declare
    keys text[];
    asked record;
    found_any boolean := false;
    stays text;
    by_key boolean := evenkeel.is_key(word);
begin
    if not evenkeel.is_glob(word) then
        select array_agg(distinct evenkeel.key_fingerprint(k.public_key)) into keys
        from evenkeel.enrolment e join evenkeel.collector_key k using (key_id)
        where (lower(e.host_name) = lower(word) and not by_key) or evenkeel.is_fingerprint(word, k.public_key);
        if cardinality(keys) > 1 then
            raise exception 'several keys ask for ''%'': name one of % (''evenkeel hosts pending'' tells their machines)',
                word, array_to_string(keys, ', ');
        end if;
    elsif replace then
        raise exception '--replace takes one host name or key, and no glob like ''%''', word;
    end if;
    for asked in
        select e.key_id, e.host_name, e.host_id as renamed, k.public_key
        from evenkeel.enrolment e join evenkeel.collector_key k using (key_id)
        where k.status in ('pending', 'approved')
          and ((evenkeel.names_host(word, e.host_name) and not by_key) or evenkeel.is_fingerprint(word, k.public_key))
        order by e.host_name, e.key_id
        for update of e, k
    loop
        host := asked.host_name;
        key := evenkeel.key_fingerprint(asked.public_key);
        select g.done, g.host_id into done, host_id from evenkeel.give_name(asked.key_id, asked.host_name, asked.renamed, replace) g;
        if done <> 'waits' then
            found_any := true;
            update evenkeel.collector_key k set status = 'approved', status_since = now(), note = 'approved by ' || session_user
            where k.key_id = asked.key_id and k.status = 'pending';
        else
            stays := coalesce(stays, format('another host is called ''%s''%s: if %s takes its place, use --replace; if they are two, '
                                            'rename one of them (''evenkeel hosts rename'')',
                host, coalesce(' (its key is ' || evenkeel.other_keys(host_id, asked.key_id) || ')', ''), key));
        end if;
        return next;
    end loop;
    if not found_any then
        raise exception '%', coalesce(stays, format('no enrolment of ''%s'' waits for approval: ''evenkeel hosts pending'' lists those '
                                                    'that do', word));
    end if;
end
$$;
comment on function evenkeel.approve(text, boolean) is
  'Approves the waiting enrolments, and renames, of a host name, a glob of names, or a key; those whose name another host has stay '
  'waiting, unless they are to replace it.';

create or replace function evenkeel.key_of(word text)
returns evenkeel.collector_key language plpgsql
as $$
declare
    keys integer[];
    found evenkeel.collector_key;
begin
    select array_agg(k.key_id) into keys
    from evenkeel.collector_key k
    where evenkeel.is_fingerprint(word, k.public_key)
       or (k.status <> 'revoked' and not evenkeel.is_key(word)
           and (exists (select from evenkeel.host_key hk join evenkeel.host h using (host_id)
                        where hk.key_id = k.key_id and lower(word) in (lower(h.name), h.host_id::text))
                or exists (select from evenkeel.enrolment e where e.key_id = k.key_id and lower(e.host_name) = lower(word))));
    if keys is null then
        raise exception 'no key is called ''%'' or speaks for a host of that name: ''evenkeel hosts keys'' lists all', word;
    elsif cardinality(keys) > 1 then
        raise exception '''%'' stands for several keys: name one of %', word,
            (select string_agg(evenkeel.key_fingerprint(k.public_key), ', ' order by k.key_id)
             from evenkeel.collector_key k where k.key_id = any (keys));
    end if;
    select * into found from evenkeel.collector_key k where k.key_id = keys[1] for update;
    return found;
end
$$;
comment on function evenkeel.key_of(text) is
  'The one key of that fingerprint, or that speaks for a host of that name or host_id, or asks for one.';

create or replace function evenkeel.revoke(word text, reason text default '')
returns table (key text, hosts text) language plpgsql
as $$
declare
    revoked evenkeel.collector_key := evenkeel.key_of(word);
    others bigint;
begin
    select count(*) into others
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = revoked.key_id and lower(word) not in (lower(h.name), h.host_id::text);
    if others > 0 and not evenkeel.is_fingerprint(word, revoked.public_key) then
        raise exception 'the key of ''%'' speaks for % other hosts too: to revoke it for all of them, name it: %', word, others,
            evenkeel.key_fingerprint(revoked.public_key);
    end if;
    update evenkeel.collector_key k
    set status = 'revoked', status_since = now(), note = 'revoked by ' || session_user || coalesce(': ' || nullif(reason, ''), '')
    where k.key_id = revoked.key_id;
    delete from evenkeel.enrolment e where e.key_id = revoked.key_id;
    delete from evenkeel.key_grant g where g.key_id = revoked.key_id;
    return query
    select evenkeel.key_fingerprint(revoked.public_key),
           coalesce(string_agg(h.name, ', ' order by h.name), '')
    from evenkeel.host_key hk join evenkeel.host h using (host_id) where hk.key_id = revoked.key_id;
end
$$;
comment on function evenkeel.revoke(text, text) is 'Revokes one key: it is refused from the next request on.';

create or replace function evenkeel.grant_hosts(word text, glob text)
returns table (done text, key text, host text, host_id uuid) language plpgsql
as $$
declare
    granted evenkeel.collector_key := evenkeel.key_of(word);
    wanted record;
begin
    perform evenkeel.host_glob(glob);
    if granted.status in ('revoked', 'set apart') then
        raise exception 'the key % is %: it can''t be granted anything', evenkeel.key_fingerprint(granted.public_key), granted.status;
    end if;
    update evenkeel.collector_key k set status = 'approved', status_since = now(), note = 'approved by ' || session_user
    where k.key_id = granted.key_id and k.status = 'pending';
    insert into evenkeel.key_grant (key_id, host_glob) values (granted.key_id, glob) on conflict do nothing;
    key := evenkeel.key_fingerprint(granted.public_key);
    for wanted in
        select e.host_name, e.host_id from evenkeel.enrolment e
        where e.key_id = granted.key_id and evenkeel.names_host(glob, e.host_name) and evenkeel.name_holder(e.host_name) is null
        order by e.host_name
    loop
        perform evenkeel.give_name(granted.key_id, wanted.host_name, wanted.host_id, false);
    end loop;
    for wanted in
        select h.host_id, h.name, hk.key_id is not null as its
        from evenkeel.host h left join evenkeel.host_key hk on hk.host_id = h.host_id and hk.key_id = granted.key_id
        where h.merged_into is null and evenkeel.names_host(glob, h.name) order by h.name
    loop
        done := case when wanted.its then 'granted' else 'not granted' end;
        host := wanted.name;
        host_id := wanted.host_id;
        return next;
    end loop;
end
$$;
comment on function evenkeel.grant_hosts(text, text) is
  'Lets one key speak for the hosts of that name or glob that it asks for, now or later; those that exist under another key are named, '
  'and not granted.';

create or replace function evenkeel.rename_host(word text, wanted text)
returns table (host text, host_id uuid) language plpgsql
as $$
declare
    renamed uuid := evenkeel.seen_host(word);
begin
    -- As host_name_check() of the programs has it, but for what only they know of Unicode.
    if octet_length(wanted) not between 1 and 255 or wanted ~ '[[:cntrl:]]|^\s|\s$|\.$' or evenkeel.is_glob(wanted)
       or lower(wanted) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception '''%'' can''t be a host''s name: 1 to 255 bytes, no control character, none of *, ? and [, no blank at an end, no '
          'dot behind it, and not the form of a host_id', wanted;
    end if;
    if not evenkeel.take_name(renamed, wanted) then
        raise exception 'another host is called ''%'' (its host_id is %): rename or merge that one first', wanted,
          evenkeel.name_holder(wanted);
    end if;
    update evenkeel.host h set is_named = true where h.host_id = renamed;
    return query select h.name, h.host_id from evenkeel.host h where h.host_id = renamed;
end
$$;
comment on function evenkeel.rename_host(text, text) is
  'Calls a host otherwise, for people: its collector knows it by the name that it uses.';

create or replace function evenkeel.host_named(word text)
returns uuid language plpgsql stable
as $$
declare
    hosts uuid[];
begin
    select array_agg(h.host_id) into hosts
    from evenkeel.host h where h.merged_into is null and (lower(h.name) = lower(word) or h.host_id::text = lower(word));
    if hosts is null then
        raise exception 'there is no host ''%''; ''evenkeel hosts list'' names all', word using errcode = 'no_data_found';
    elsif cardinality(hosts) > 1 then
        raise exception '% hosts are called ''%'': name one by its host_id: %', cardinality(hosts), word, array_to_string(hosts, ', ')
            using errcode = 'cardinality_violation';
    end if;
    return hosts[1];
end
$$;
comment on function evenkeel.host_named(text) is 'The one host of that name or host_id, retired or not; an error where there are several.';

create or replace function evenkeel.seen_host(word text)
returns uuid language sql stable
as $$
    select coalesce((select case when count(*) = 1 then (array_agg(h.host_id))[1] end
                     from evenkeel.host h where h.merged_into is null and h.retired_at is null and lower(h.name) = lower(word)),
                    evenkeel.host_named(word))
$$;
comment on function evenkeel.seen_host(text) is
  'The one host of that name or host_id. One that is there stands before those of its name that are retired: a machine that was made '
  'anew is called as the old one.';
