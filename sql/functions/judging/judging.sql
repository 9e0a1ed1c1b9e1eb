-- Judging the hosts whose state changed: host checks on them, and the keys by which fleet checks compare them with others.

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
    from (select s.host_id, case when bool_or(p.verdict = 'mixed') then 'mixed'
                                 -- What stands beside Windows makes no host level by itself, nor unknown.
                                 when coalesce(bool_or(p.verdict = 'unknown') filter (where not q.beside), true) then 'unknown'
                                 else 'level' end as verdict
          from state_host s left join state_product p using (host_id) left join product q using (product_id) group by s.host_id) w
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

    perform evenkeel.note_fleet_keys();
end
$$;
comment on function evenkeel.judge_hosts(uuid[]) is
    'Judges hosts by their current state: verdicts, host checks, and the keys of the fleet checks, which wait in fleet_change.';
