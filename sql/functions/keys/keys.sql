-- What a person decides about keys: approve, revoke, grant. Errors are sentences for that person.

create or replace function evenkeel.key_fingerprint(public_key bytea)
returns text language sql immutable strict parallel safe
as $$ select left(encode(public_key, 'hex'), 16) $$;
comment on function evenkeel.key_fingerprint(bytea) is 'How a key is called: the first 16 hexadecimal digits of its public key.';

create or replace function evenkeel.is_fingerprint(word text, public_key bytea)
returns boolean language sql immutable strict parallel safe
as $$ select word ~ '^[0-9a-fA-F]{8,64}$' and starts_with(encode(public_key, 'hex'), lower(word)) $$;
comment on function evenkeel.is_fingerprint(text, bytea) is 'Whether a word of at least 8 hexadecimal digits starts the public key.';

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
                               or exists (select from regexp_matches(m.part[1], '(.)-([^]])', 'g') r (ends) where r.ends[1] > r.ends[2] collate "C")) then
        raise exception '''%'' is no glob of hosts that can match: write a name, or *, ?, [ab], [a-z] and [!a]', word
            using errcode = 'invalid_parameter_value';
    end if;
    return word;
end
$$;
comment on function evenkeel.host_glob(text) is 'The glob or name as it is written; an error where it is empty, or a bracket in it is not part of a set of characters.';

create or replace function evenkeel.names_host(word text, host_name text)
returns boolean language sql immutable strict parallel safe
as $$ select host_name = word or (evenkeel.is_glob(word) and lower(host_name) ~ evenkeel.glob_regex(lower(word))) $$;
comment on function evenkeel.names_host(text, text) is 'Whether a word is the host''s name, or a glob that matches it.';

create or replace function evenkeel.approve(word text)
returns table (host text, key text, host_id uuid) language plpgsql
as $$
declare
    keys text[];
    asked record;
begin
    if not evenkeel.is_glob(word) then
        select array_agg(distinct evenkeel.key_fingerprint(k.public_key)) into keys
        from evenkeel.enrolment e join evenkeel.collector_key k using (key_id) where e.host_name = word;
        if cardinality(keys) > 1 then
            raise exception 'several keys ask for ''%'': name one of % (''evenkeel hosts pending'' tells their machines)',
                word, array_to_string(keys, ', ');
        end if;
    end if;
    for asked in
        select e.key_id, e.host_name, k.public_key
        from evenkeel.enrolment e join evenkeel.collector_key k using (key_id)
        where k.status in ('pending', 'approved')
          and (evenkeel.names_host(word, e.host_name) or evenkeel.is_fingerprint(word, k.public_key))
        order by e.host_name, e.key_id
        for update of e, k
    loop
        update evenkeel.collector_key k set status = 'approved', status_since = now(), note = 'approved by ' || session_user
        where k.key_id = asked.key_id and k.status = 'pending';
        host := asked.host_name;
        key := evenkeel.key_fingerprint(asked.public_key);
        host_id := evenkeel.grant_host(asked.key_id, asked.host_name);
        return next;
    end loop;
    if host is null then
        raise exception 'no enrolment of ''%'' waits for approval: ''evenkeel hosts pending'' lists those that do', word;
    end if;
end
$$;
comment on function evenkeel.approve(text) is 'Approves the waiting enrolments of a host name, a glob of names, or a key.';

create or replace function evenkeel.key_of(word text)
returns evenkeel.collector_key language plpgsql
as $$
declare
    keys integer[];
    found evenkeel.collector_key;
begin
    select array_agg(k.key_id) into keys from evenkeel.collector_key k where evenkeel.is_fingerprint(word, k.public_key);
    if keys is null then
        select array_agg(distinct k.key_id) into keys
        from evenkeel.collector_key k
        where k.status <> 'revoked'
          and (exists (select from evenkeel.host_key hk join evenkeel.host h using (host_id) where hk.key_id = k.key_id and h.name = word)
               or exists (select from evenkeel.enrolment e where e.key_id = k.key_id and e.host_name = word));
    end if;
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
comment on function evenkeel.key_of(text) is 'The one key of that fingerprint, or that speaks for or asks for a host of that name.';

create or replace function evenkeel.revoke(word text, reason text default '')
returns table (key text, hosts text) language plpgsql
as $$
declare
    revoked evenkeel.collector_key := evenkeel.key_of(word);
    others bigint;
begin
    select count(*) into others
    from evenkeel.host_key hk join evenkeel.host h using (host_id) where hk.key_id = revoked.key_id and h.name <> word;
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
returns table (key text, host text, host_id uuid) language plpgsql
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
    for wanted in
        select h.host_id, h.name from evenkeel.host h
        where h.merged_into is null and evenkeel.names_host(glob, h.name)
          and not exists (select from evenkeel.host_key hk where hk.host_id = h.host_id and hk.key_id = granted.key_id)
        order by h.name
    loop
        insert into evenkeel.host_key (host_id, key_id) values (wanted.host_id, granted.key_id);
        delete from evenkeel.enrolment e where e.key_id = granted.key_id and e.host_name = wanted.name;
    end loop;
    for wanted in
        select e.host_name from evenkeel.enrolment e
        where e.key_id = granted.key_id and evenkeel.names_host(glob, e.host_name) order by e.host_name
    loop
        perform evenkeel.grant_host(granted.key_id, wanted.host_name, true);
    end loop;
    return query
    select evenkeel.key_fingerprint(granted.public_key), h.name, h.host_id
    from evenkeel.host_key hk join evenkeel.host h using (host_id)
    where hk.key_id = granted.key_id and evenkeel.names_host(glob, h.name)
    order by h.name;
end
$$;
comment on function evenkeel.grant_hosts(text, text) is 'Lets one key speak for the hosts of that name or glob, those that exist and those that it will enrol.';

create or replace function evenkeel.host_named(word text)
returns uuid language plpgsql stable
as $$
declare
    hosts uuid[];
begin
    select array_agg(h.host_id) into hosts
    from evenkeel.host h where h.merged_into is null and (h.name = word or h.host_id::text = lower(word));
    if hosts is null then
        raise exception 'there is no host ''%'': ''evenkeel hosts list'' names all', word;
    elsif cardinality(hosts) > 1 then
        raise exception '% hosts are called ''%'': name one by its host_id: %', cardinality(hosts), word, array_to_string(hosts, ', ');
    end if;
    return hosts[1];
end
$$;
comment on function evenkeel.host_named(text) is 'The one host of that name or host_id.';
