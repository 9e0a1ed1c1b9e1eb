-- Judging the hosts whose state changed: host checks on them, fleet checks on all that share a changed key with them.

create or replace function evenkeel.judge_hosts(hosts uuid[])
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    checks text[];
    definition record;
    seen jsonb;
begin
    -- Before the state itself is read: what changes meanwhile counts as newer than the verdict.
    select jsonb_object_agg(c.host_id, c.state_at) into seen from evenkeel.host_checkin c where c.host_id = any (hosts);
    delete from state_host; delete from state_component; delete from state_product; delete from state_finding;
    insert into state_host select i.host_id, i.chunk_ids from evenkeel.host_inventory_current i where i.host_id = any (hosts);
    perform evenkeel.judge_state();
    perform evenkeel.doubt_content();

    -- Components of products that a host has not, by what it declares, are left out.
    delete from state_component c
    where not exists (select from state_product p where p.host_id = c.host_id and p.product_id = c.product_id);
    delete from evenkeel.host_component o using state_host h
    where o.host_id = h.host_id
      and not exists (select from state_component n where n.host_id = o.host_id and n.component_id = o.component_id);
    insert into evenkeel.host_component as o select * from state_component
    on conflict (host_id, component_id) do update
        set (product_id, levels, files, covered, hint, revision, countable, confirmed, ahead)
            = (excluded.product_id, excluded.levels, excluded.files, excluded.covered, excluded.hint, excluded.revision, excluded.countable,
               excluded.confirmed, excluded.ahead)
        where o is distinct from excluded;
    delete from evenkeel.host_product o using state_host h
    where o.host_id = h.host_id
      and not exists (select from state_product n where n.host_id = o.host_id and n.product_id = o.product_id);
    insert into evenkeel.host_product as o select * from state_product
    on conflict (host_id, product_id) do update
        set (levels, declared, files, covered, verdict, missing, at_ordinal, countable, confirmed, proof)
            = (excluded.levels, excluded.declared, excluded.files, excluded.covered, excluded.verdict, excluded.missing,
               excluded.at_ordinal,
               excluded.countable, excluded.confirmed, excluded.proof)
        where o is distinct from excluded;
    update evenkeel.host h set verdict = w.verdict, judged_at = clock_timestamp(), judged_state = (seen ->> h.host_id::text)::timestamptz
    from (select s.host_id, case when bool_or(p.verdict = 'mixed') then 'mixed' when coalesce(bool_or(p.verdict = 'unknown'), true)
          then 'unknown'
                                 else 'level' end as verdict
          from state_host s left join state_product p using (host_id) group by s.host_id) w
    where h.host_id = w.host_id;
    delete from evenkeel.not_judged n using state_host h where n.host_id = h.host_id;
    perform evenkeel.record_verdicts();
    perform evenkeel.store_patches();

    select coalesce(array_agg(code order by code), '{}') into checks from evenkeel.check_definition where scope = 'host';
    for definition in select code from evenkeel.check_definition where scope = 'host' order by code loop
        perform evenkeel.run_check(definition.code);
    end loop;
    perform evenkeel.bound_findings();
    perform evenkeel.store_findings(checks);

    for definition in select code from evenkeel.check_definition where scope = 'fleet' order by code loop
        perform evenkeel.judge_fleet_check(definition.code);
    end loop;
    -- Last, for whoever else judges waits for this row.
    update evenkeel.peer_refresh set judged = judged + cardinality(hosts), levels_judged = levels_judged + cardinality(hosts);
end
$$;
comment on function evenkeel.judge_hosts(uuid[]) is
    'Judges hosts by their current state: verdicts, host checks, and the fleet checks whose keys changed with them.';

create or replace function evenkeel.judge_fleet_check(fleet_check text)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    definition evenkeel.check_definition;
    parts text[];
    changed uuid[];
    judged uuid[];
begin
    perform evenkeel.lock_fleet_checks();
    select * into strict definition from evenkeel.check_definition d where d.code = fleet_check;
    parts := regexp_split_to_array(definition.key_query, '\n-- widen *\n');
    select coalesce(array_agg(host_id), '{}') into changed from state_host;
    delete from state_key; delete from state_finding;
    create temporary table if not exists state_host_key (host_id uuid not null, key text not null) on commit delete rows;
    delete from state_host_key;
    execute format('insert into state_host_key (host_id, key) select distinct host_id, key from (%s) k where key <> ''''', parts[1]);
    analyze state_host_key;

    -- A key of a host that came, or went, or whose host's evidence may have changed.
    insert into state_key
    select k.key from evenkeel.fleet_key k join state_host h using (host_id) where k.check_code = fleet_check
    union select key from state_host_key;
    delete from evenkeel.fleet_key k using state_host h
    where k.host_id = h.host_id and k.check_code = fleet_check
      and not exists (select from state_host_key n where n.host_id = k.host_id and n.key = k.key);
    insert into evenkeel.fleet_key (host_id, check_code, key) select host_id, fleet_check, key from state_host_key
    on conflict do nothing;
    analyze state_key;

    if parts[2] is null then
        select array_agg(distinct k.host_id) into judged
        from evenkeel.fleet_key k join state_key s using (key) where k.check_code = fleet_check;
    else
        execute format('select array_agg(distinct host_id) from (%s) w', parts[2]) into judged;
    end if;
    insert into state_host
    select i.host_id, i.chunk_ids from evenkeel.host_inventory_current i where i.host_id = any (judged)
    on conflict (host_id) do nothing;
    analyze state_host;
    perform evenkeel.run_check(fleet_check);
    perform evenkeel.bound_findings();
    perform evenkeel.store_findings(array[fleet_check]);
    -- The next fleet check starts from the hosts that changed, not from those that only shared a key with them.
    delete from state_host h where not h.host_id = any (changed);
end
$$;
comment on function evenkeel.judge_fleet_check(text) is
    'Judges one fleet check for the hosts of state_host, and again for every host that shares a key with them. A check whose key query '
    'goes on after a line ''-- widen'' names these further hosts itself (host_id), where sharing a key does not make a host''s verdict '
    'depend on the other.';

create or replace function evenkeel.judge_clock()
returns integer language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    checks text[];
    definition record;
begin
    perform evenkeel.state_open();
    if not evenkeel.lock_clock() then
        return 0;
    end if;
    delete from state_host; delete from state_finding;
    insert into state_host select host_id, '{}' from evenkeel.host_inventory_current;
    select coalesce(array_agg(code order by code), '{}') into checks from evenkeel.check_definition where scope = 'clock';
    for definition in select code from evenkeel.check_definition where scope = 'clock' order by code loop
        perform evenkeel.run_check_apart(definition.code);
    end loop;
    perform evenkeel.bound_findings();
    perform evenkeel.store_findings(checks);
    return cardinality(checks);
end
$$;
comment on function evenkeel.judge_clock() is 'Judges the checks that depend on the time alone, for all hosts; one aggregator at a time.';
