-- Hosts that are there no longer: retired, restored, come back. What a retired host held ends at that moment, as any state ends that is
-- followed by another: so all that goes by what hosts hold now leaves it out by itself, and its history stays. It is asked for all anew
-- when it reports again, for nothing is the same as what it has.

create or replace function evenkeel.forget_verdicts(hosts uuid[])
returns void language plpgsql
as $$
begin
    -- Hosts that shared something with them are judged again.
    insert into evenkeel.judge_queue (host_id)
    select distinct o.host_id
    from evenkeel.fleet_key k join evenkeel.fleet_key o on (o.check_code, o.key) = (k.check_code, k.key)
    where k.host_id = any (hosts) and not o.host_id = any (hosts)
    union
    -- group-skew compares hosts of different keys, too: these begin with the same, as its file says.
    select o.host_id
    from evenkeel.fleet_key k join evenkeel.fleet_key o on o.check_code = k.check_code and left(o.key, -37) = left(k.key, -37)
    where k.check_code = 'group-skew' and k.host_id = any (hosts) and not o.host_id = any (hosts)
    on conflict do nothing;
    delete from evenkeel.fleet_key k where k.host_id = any (hosts);
    delete from evenkeel.host_patch p where p.host_id = any (hosts);
    delete from evenkeel.host_component c where c.host_id = any (hosts);
    delete from evenkeel.host_product p where p.host_id = any (hosts);
    delete from evenkeel.judge_queue q where q.host_id = any (hosts);
    delete from evenkeel.not_judged n where n.host_id = any (hosts);
    delete from evenkeel.slow_host s where s.host_id = any (hosts);
    perform evenkeel.peers_changed(hosts);
end
$$;
comment on function evenkeel.forget_verdicts(uuid[]) is
  'Takes away what was judged of hosts that hold nothing any more, and has those judged again that shared something with them.';

create or replace function evenkeel.retire_hosts(retired uuid[], because text)
returns void language plpgsql
as $$
declare
    moment timestamptz;
begin
    -- Who judges, or takes in, has these hosts in hand as they were.
    perform evenkeel.lock_clock(true);
    perform evenkeel.lock_change(), evenkeel.lock_catalogue();
    perform from evenkeel.host_key hk where hk.host_id = any (retired) order by hk.host_id, hk.key_id for update;
    select array_agg(h.host_id order by h.host_id) into retired
    from evenkeel.host h where h.host_id = any (retired) and h.merged_into is null and h.retired_at is null;
    -- One moment for all, by which what ended then is known again; later than any state began, whatever the clock did.
    select greatest(clock_timestamp(), max(t.began) + interval '1 microsecond') into moment
    from (select i.valid_from as began from evenkeel.host_inventory_current i where i.host_id = any (retired)
          union all select f.valid_from from evenkeel.host_facts_current f where f.host_id = any (retired)
          union all select p.valid_from from evenkeel.host_product_history p where p.host_id = any (retired) and p.valid_to = 'infinity'
          union all select f.opened_at from evenkeel.finding f where f.host_id = any (retired) and f.closed_at = 'infinity'
          union all select p.since from evenkeel.host_patch p where p.host_id = any (retired)) t;
    update evenkeel.host_inventory i set valid_to = moment where i.host_id = any (retired) and i.valid_to = 'infinity';
    update evenkeel.host_facts f set valid_to = moment where f.host_id = any (retired) and f.valid_to = 'infinity';
    update evenkeel.host_product_history p set valid_to = moment where p.host_id = any (retired) and p.valid_to = 'infinity';
    insert into evenkeel.host_patch_past (host_id, valid_from, valid_to, patch_ids, states)
    select p.host_id, p.since, moment, p.patch_ids, p.states
    from evenkeel.host_patch p where p.host_id = any (retired);
    update evenkeel.finding f set closed_at = moment, closed_because = 'its host was retired'
    where f.host_id = any (retired) and f.closed_at = 'infinity';
    update evenkeel.host_checkin c set inventory = '', facts = '', times = '' where c.host_id = any (retired);
    delete from evenkeel.upload u where u.host_id = any (retired);
    perform evenkeel.forget_verdicts(retired);
    update evenkeel.host h
    set retired_at = moment, retired_because = because, verdict = 'unknown', judged_at = null, judged_state = null
    where h.host_id = any (retired);
    insert into evenkeel.host_event (host_id, happened_at, event, detail) select r, moment, 'retired', because from unnest(retired) r;
end
$$;
comment on function evenkeel.retire_hosts(uuid[], text) is
  'Retires hosts: what they hold, their verdicts and findings end now. Those that are retired already stay as they are.';

create or replace function evenkeel.retire_host(word text, because text default '')
returns table (host text, host_id uuid, findings bigint, speaks text) language plpgsql
as $$
declare
    named uuid := evenkeel.seen_host(word);
    known evenkeel.host;
begin
    -- Before its row, which judges write under these.
    perform evenkeel.lock_clock(true);
    perform evenkeel.lock_change(), evenkeel.lock_catalogue();
    select * into known from evenkeel.host h where h.host_id = named for update;
    if known.retired_at is not null then
        raise exception '''%'' is retired since % (%)', word, evenkeel.moment_text(known.retired_at), known.retired_because;
    end if;
    perform evenkeel.retire_hosts(array[named], coalesce(nullif(trim(because), ''), 'retired by ' || session_user));
    return query
    select h.name, h.host_id,
           (select count(*) from evenkeel.finding f where f.host_id = named and f.closed_at = h.retired_at),
           coalesce((select string_agg(evenkeel.key_fingerprint(k.public_key), ', ' order by k.key_id)
                     from evenkeel.host_key hk join evenkeel.collector_key k using (key_id)
                     where hk.host_id = named and k.status = 'approved'), '')
    from evenkeel.host h where h.host_id = named;
end
$$;
comment on function evenkeel.retire_host(text, text) is
  'Retires a host: returns how many findings were closed with it, and the keys that may still speak for it, which would bring it back.';

create or replace function evenkeel.moment_text(at timestamptz)
returns text language sql stable parallel safe
as $$ select to_char(at, 'YYYY-MM-DD HH24:MI') || to_char(at, ' TZ') $$;
comment on function evenkeel.moment_text(timestamptz) is 'A time in the session''s time zone, which is told.';

create or replace function evenkeel.unretire(named uuid)
returns boolean language plpgsql
as $$
declare
    since timestamptz;
begin
    perform from evenkeel.host_key hk where hk.host_id = named order by hk.host_id, hk.key_id for update;
    select h.retired_at into since from evenkeel.host h where h.host_id = named for update;
    if since is null then
        return false;
    end if;
    update evenkeel.host_inventory i set valid_to = 'infinity' where i.host_id = named and i.valid_to = since;
    update evenkeel.host_facts f set valid_to = 'infinity' where f.host_id = named and f.valid_to = since;
    update evenkeel.host_product_history p set valid_to = 'infinity' where p.host_id = named and p.valid_to = since;
    -- How it stood to patches lasts until it is judged.
    update evenkeel.host_patch_past p set valid_to = clock_timestamp() where p.host_id = named and p.valid_to = since;
    update evenkeel.finding f set closed_at = 'infinity', closed_because = null
    where f.host_id = named and f.closed_at = since and f.closed_because is not null;
    update evenkeel.host_checkin c
    set inventory = coalesce((select i.digest from evenkeel.host_inventory_current i where i.host_id = named), ''),
        facts = coalesce((select f.digest from evenkeel.host_facts_current f where f.host_id = named), ''),
        times = coalesce((select t.digest from evenkeel.host_times t where t.host_id = named), ''), state_at = clock_timestamp()
    where c.host_id = named;
    update evenkeel.host h set retired_at = null, retired_because = null where h.host_id = named;
    insert into evenkeel.judge_queue (host_id)
    select i.host_id from evenkeel.host_inventory_current i where i.host_id = named
    on conflict do nothing;
    return true;
end
$$;
comment on function evenkeel.unretire(uuid) is
  'A retired host holds what it held, as if it had not been retired, and is judged again; false where it was not retired.';

create or replace function evenkeel.restore_keys(keys integer[])
returns void language sql
as $$
    update evenkeel.collector_key k
    set status = case when exists (select from evenkeel.host_key hk where hk.key_id = k.key_id) then 'approved' else 'pending' end,
        status_since = now(), note = 'restored by ' || session_user
    where k.key_id = any (keys);
    insert into evenkeel.host_event (host_id, event, detail)
    select hk.host_id, 'restored', 'its key ' || evenkeel.key_fingerprint(k.public_key) || ' may report again'
    from evenkeel.host_key hk join evenkeel.collector_key k using (key_id) where hk.key_id = any (keys);
$$;
comment on function evenkeel.restore_keys(integer[]) is 'Lets revoked keys report again, for the hosts that they spoke for.';

create or replace function evenkeel.restore(word text)
returns table (done text, host text, host_id uuid, key text) language plpgsql
as $$
declare
    named uuid;
    keys integer[];
    names text;
    was_retired boolean := false;
begin
    select array_agg(k.key_id) into keys
    from evenkeel.collector_key k where evenkeel.is_fingerprint(word, k.public_key) and k.status = 'revoked';
    if keys is null then
        named := evenkeel.host_named(word);
        was_retired := evenkeel.unretire(named);
        select array_agg(hk.key_id) into keys
        from evenkeel.host_key hk join evenkeel.collector_key k using (key_id) where hk.host_id = named and k.status = 'revoked';
    end if;
    select string_agg(evenkeel.key_fingerprint(k.public_key), ', ' order by k.key_id) into names
    from evenkeel.collector_key k where k.key_id = any (keys);
    if was_retired then
        -- That it is there again says nothing of a key that was revoked.
        insert into evenkeel.host_event (host_id, event, detail) values (named, 'restored', 'no longer retired');
        return query select 'restored', h.name, h.host_id, '' from evenkeel.host h where h.host_id = named;
        return query select 'stays revoked', h.name, h.host_id, names from evenkeel.host h where h.host_id = named and names is not null;
        return;
    elsif keys is null then
        raise exception '''%'' is not retired, and no key of it is revoked: there is nothing to restore', word;
    elsif cardinality(keys) > 1 then
        raise exception '''%'' stands for several revoked keys: name one of %', word, names;
    elsif named is not null and exists (select from evenkeel.host_key hk where hk.key_id = keys[1] and hk.host_id <> named) then
        raise exception 'the key of ''%'' speaks for other hosts too: to restore it for all of them, name it: %', word, names;
    end if;
    perform evenkeel.restore_keys(keys);
    return query
    select 'may report again', coalesce(h.name, ''), h.host_id, names
    from evenkeel.collector_key k left join evenkeel.host_key hk using (key_id) left join evenkeel.host h using (host_id)
    where k.key_id = keys[1] order by h.name;
end
$$;
comment on function evenkeel.restore(text) is
  'Takes back what retired a host, or else what revoked its key: by the host''s name or host_id, or by the key. What the key was granted '
  'beside is to be granted again.';

create or replace function evenkeel.retire_silent(most integer)
returns table (host text, host_id uuid, last_seen timestamptz) language plpgsql
as $$
declare
    wanted text := lower(trim(evenkeel.setting('retire-after')));
    oldest timestamptz;
    silent uuid[];
begin
    if wanted = 'never' then
        return;
    end if;
    -- Counted from when any host was last heard of: an aggregator that stood still, or a clock that jumped, retires nobody.
    select least(now(), max(c.seen_at)) - wanted::interval into oldest from evenkeel.host_checkin c;
    select array_agg(s.host_id) into silent
    from (select h.host_id
          from evenkeel.host h left join evenkeel.host_checkin c using (host_id)
          where h.merged_into is null and h.retired_at is null and coalesce(c.seen_at, h.created_at) < oldest
            -- Whom a person restored is given the time anew.
            and not exists (select from evenkeel.host_event e
                            where e.host_id = h.host_id and e.event = 'restored' and e.happened_at >= oldest)
            -- Not before its schedule allows, nor while a person accepts that it is silent.
            and (c.seen_at is null
                 or exists (select from evenkeel.finding f
                            where f.host_id = h.host_id and f.check_code = 'silent-host' and f.closed_at = 'infinity'
                              and not exists (select from evenkeel.waiver w
                                              where (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject)
                                                and w.until > now())))
          order by h.host_id limit most) s;
    if silent is null then
        return;
    end if;
    perform evenkeel.retire_hosts(silent, format('silent for longer than %s (the setting retire-after)', wanted));
    return query
    select h.name, h.host_id, c.seen_at
    from evenkeel.host h left join evenkeel.host_checkin c using (host_id)
    where h.host_id = any (silent) order by h.name, h.host_id;
end
$$;
comment on function evenkeel.retire_silent(integer) is
  'Retires up to so many hosts that are silent for longer than the setting retire-after allows, and tells them.';

create or replace function evenkeel.present_host(word text)
returns uuid language plpgsql stable
as $$
declare
    named uuid := evenkeel.seen_host(word);
    known evenkeel.host;
begin
    select * into known from evenkeel.host h where h.host_id = named;
    if known.retired_at is not null then
        raise exception '''%'' is retired since % (%): evenkeel hosts restore %', word, evenkeel.moment_text(known.retired_at),
            known.retired_because, word using errcode = 'no_data_found';
    end if;
    return named;
end
$$;
comment on function evenkeel.present_host(text) is 'The one host of that name or host_id, which is not retired.';
