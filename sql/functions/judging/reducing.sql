-- Fleet checks compare hosts. A judge notes the keys of the hosts that it judged and what it changed (fleet_key, fleet_change), in the
-- hosts' own transaction and without waiting for anybody; one session at a time takes these changes in bounded steps, and judges all hosts
-- on which they bear. Whoever commits a change after a step looked finds it handled by a later one: two hosts that share a key are both
-- seen then.

create or replace function evenkeel.fleet_check_query(fleet_check text, part integer)
returns text language sql stable
as $$
    select (regexp_split_to_array(d.key_query, '\n-- widen *\n'))[part]
    from evenkeel.check_definition d where d.code = fleet_check
$$;
comment on function evenkeel.fleet_check_query(text, integer) is
    'Of a fleet check, the query for keys (1), and that for the hosts to be judged again (2); null: it has none.';

create or replace function evenkeel.note_fleet_keys()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    definition record;
begin
    create temporary table if not exists state_gone_key (host_id uuid not null, check_code text not null, key text not null)
        on commit delete rows;
    delete from state_gone_key;
    for definition in select code from evenkeel.check_definition where scope = 'fleet' order by code loop
        delete from state_host_key;
        execute format('insert into state_host_key (host_id, key) select distinct host_id, key from (%s) k where key <> ''''',
                       evenkeel.fleet_check_query(definition.code, 1));
        analyze state_host_key;
        with gone as (
            delete from evenkeel.fleet_key k using state_host h
            where k.host_id = h.host_id and k.check_code = definition.code
              and not exists (select from state_host_key n where n.host_id = k.host_id and n.key = k.key)
            returning k.host_id, k.check_code, k.key
        )
        insert into state_gone_key select host_id, check_code, key from gone;
        insert into evenkeel.fleet_key (host_id, check_code, key) select host_id, definition.code, key from state_host_key
        on conflict do nothing;
    end loop;
    insert into evenkeel.fleet_change (host_id, gone)
    select h.host_id, coalesce((select jsonb_object_agg(g.check_code, g.keys)
                                from (select check_code, jsonb_agg(key) as keys from state_gone_key s
                                      where s.host_id = h.host_id group by check_code) g), '{}')
    from state_host h;
end
$$;
comment on function evenkeel.note_fleet_keys() is
    'Notes the keys of the hosts of state_host for the fleet checks, and that these are to be judged for them.';

create or replace function evenkeel.reduce_fleet_check(fleet_check text, changes bigint[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    widen text := evenkeel.fleet_check_query(fleet_check, 2);
    judged uuid[];
begin
    delete from state_host; delete from state_key; delete from state_host_key; delete from state_finding;
    insert into state_host
    select i.host_id, i.chunk_ids from evenkeel.host_inventory_current i
    where i.host_id in (select c.host_id from evenkeel.fleet_change c where c.change_id = any (changes));
    insert into state_host_key
    select k.host_id, k.key from evenkeel.fleet_key k join state_host h using (host_id) where k.check_code = fleet_check;
    -- A key of a host that came, or went, or whose host's evidence may have changed.
    insert into state_key
    select key from state_host_key
    union
    select g.key from evenkeel.fleet_change c cross join lateral jsonb_array_elements_text(c.gone -> fleet_check) g (key)
    where c.change_id = any (changes);
    analyze state_host_key, state_key;
    if widen is null then
        select array_agg(distinct k.host_id) into judged
        from evenkeel.fleet_key k join state_key s using (key) where k.check_code = fleet_check;
    else
        execute format('select array_agg(distinct host_id) from (%s) w', widen) into judged;
    end if;
    insert into state_host
    select i.host_id, i.chunk_ids from evenkeel.host_inventory_current i where i.host_id = any (judged)
    on conflict (host_id) do nothing;
    analyze state_host;
    perform evenkeel.run_check(fleet_check);
    perform evenkeel.bound_findings();
    perform evenkeel.store_findings(array[fleet_check]);
end
$$;
comment on function evenkeel.reduce_fleet_check(text, bigint[]) is
    'Judges one fleet check for the hosts of these changes, and again for every host that shares a key with them. A check whose key query '
    'goes on after a line ''-- widen'' names these further hosts itself (host_id), where sharing a key does not make a host''s verdict '
    'depend on the other.';

create or replace function evenkeel.reduce_changes(changes bigint[])
returns void language plpgsql
as $$
declare
    definition record;
    hosts uuid[] := array(select distinct c.host_id from evenkeel.fleet_change c where c.change_id = any (changes));
begin
    for definition in select d.code from evenkeel.check_definition d where d.scope = 'fleet' order by d.code loop
        perform evenkeel.reduce_fleet_check(definition.code, changes);
    end loop;
    delete from evenkeel.fleet_change c where c.change_id = any (changes);
    perform evenkeel.peers_changed(hosts);
    update evenkeel.peer_refresh set judged = judged + cardinality(hosts), levels_judged = levels_judged + cardinality(hosts);
end
$$;
comment on function evenkeel.reduce_changes(bigint[]) is 'Judges all fleet checks for these changes, which are done with then.';

create or replace function evenkeel.reduce_apart(changes bigint[])
returns void language plpgsql
as $$
begin
    perform evenkeel.work_apart(changes::text[], 'select evenkeel.reduce_changes($1::bigint[])',
                                'select evenkeel.drop_change($1::bigint, $2)');
end
$$;
comment on function evenkeel.reduce_apart(bigint[]) is
    'Judges the fleet checks for these changes; a host that makes one fail is set aside, and the others are judged all the same.';

create or replace function evenkeel.drop_change(change bigint, failure text)
returns void language plpgsql
as $$
declare
    host uuid;
begin
    delete from evenkeel.fleet_change c where c.change_id = change returning c.host_id into host;
    if host is not null then
        perform evenkeel.set_aside(host, failure);
    end if;
end
$$;
comment on function evenkeel.drop_change(bigint, text) is 'Sets a host aside whose fleet checks can''t be judged, or take too long.';

create or replace function evenkeel.reduce_choose(most integer)
returns bigint[] language sql stable
as $$
    -- Hosts that take long come last, each by itself.
    select coalesce(
        (select array_agg(c.change_id)
         from (select c.change_id from evenkeel.fleet_change c
               where not exists (select from evenkeel.slow_host s where s.host_id = c.host_id)
               order by c.change_id limit most) c),
        (select array[min(c.change_id)] from evenkeel.fleet_change c having count(*) > 0))
$$;
comment on function evenkeel.reduce_choose(integer) is 'Up to so many of the changes that wait; null: there is none.';

create or replace function evenkeel.reduce_batch(changes bigint[])
returns integer language plpgsql strict
as $$
begin
    perform evenkeel.state_open();
    perform evenkeel.lock_catalogue_shared();
    if not evenkeel.lock_fleet_checks() then
        return 0;
    end if;
    select array_agg(c.change_id order by c.change_id) into changes
    from evenkeel.fleet_change c where c.change_id = any (changes);
    if changes is not null then
        perform evenkeel.reduce_apart(changes);
    end if;
    return coalesce(cardinality(changes), 0);
end
$$;
comment on function evenkeel.reduce_batch(bigint[]) is
    'Judges the fleet checks for those of these changes that wait still; returns how many, and 0 while somebody else is at it.';

create or replace function evenkeel.reduce_fleet(most integer)
returns integer language sql
as $$ select coalesce(evenkeel.reduce_batch(evenkeel.reduce_choose(most)), 0) $$;
comment on function evenkeel.reduce_fleet(integer) is
    'Judges the fleet checks for up to so many of the changes that judges left; returns how many, and 0 while somebody else is at it.';
