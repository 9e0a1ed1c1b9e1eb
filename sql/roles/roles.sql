-- Three roles without login, to be granted to those who log in. Made where the role that runs 'evenkeel init' may make roles; granted
-- anew each time, so that a table that is new is not forgotten, and one that is in no list can be written by its owner only.
--   evenkeel_owner   administers: all commands but init, which the database's owner runs
--   evenkeel_ingest  serves: takes snapshots in and judges them; writes neither the catalogue nor what people decided, and lets nobody in:
--                    keys, names, grants and tokens are written by enroll(), admit() and count_offers() alone
--   evenkeel_read    looks: the views of the schema ops

do $$
declare
    may_make boolean := (select rolsuper or rolcreaterole from pg_roles where rolname = current_user);
    wanted text;
    columns text;
    written constant text[] := array[
        'host_checkin', 'upload',
        'path', 'image', 'image_import', 'file', 'chunk', 'host_inventory', 'host_facts', 'host_times',
        'path_component', 'file_level', 'chunk_level', 'chunk_proof', 'chunk_version_set', 'learned_level',
        'unjudged_file', 'unjudged_chunk', 'chunk_imports', 'import_need', 'import_pair',
        'component_store', 'chunk_store', 'host_component', 'host_product', 'host_product_history', 'host_patch',
        'host_patch_past', 'peer_file', 'peer_refresh', 'peer_round', 'peer_group', 'peer_set', 'peer_host', 'peer_path', 'peer_change',
        'peer_was',
        'version_family', 'version_bond', 'version_evidence', 'judge_queue', 'judge_partition', 'fleet_key', 'fleet_change',
        'finding', 'finding_past', 'not_judged', 'not_judged_object', 'slow_host', 'host_due', 'report_mark',
        'fleet_summary'];
begin
    foreach wanted in array array['evenkeel_owner', 'evenkeel_ingest', 'evenkeel_read'] loop
        if may_make and not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
    end loop;
    if (select count(*) from pg_roles where rolname in ('evenkeel_owner', 'evenkeel_ingest', 'evenkeel_read')) < 3 then
        return;
    end if;

    revoke all on all tables in schema evenkeel from evenkeel_ingest, evenkeel_read;
    grant usage on schema evenkeel, ops to evenkeel_owner, evenkeel_ingest, evenkeel_read;
    grant select on all tables in schema ops to evenkeel_owner, evenkeel_ingest, evenkeel_read;

    grant select, insert, update, delete on all tables in schema evenkeel to evenkeel_owner;
    revoke insert, update, delete on evenkeel.migration from evenkeel_owner;
    grant usage, select on all sequences in schema evenkeel to evenkeel_owner, evenkeel_ingest;

    grant select on all tables in schema evenkeel to evenkeel_ingest;
    foreach wanted in array written loop
        execute format('grant insert, update, delete on evenkeel.%I to evenkeel_ingest', wanted);
    end loop;
    for wanted in select evenkeel.lock_table(o.lock) from evenkeel.lock_order() o loop
        execute format('grant update on evenkeel.%I to evenkeel_ingest', wanted);
    end loop;
    select string_agg(quote_ident(a.attname), ', ') into columns
    from pg_attribute a
    where a.attrelid = 'evenkeel.host'::regclass and a.attnum > 0 and not a.attisdropped
      and a.attname not in ('host_id', 'name', 'created_at', 'merged_into', 'shares_name', 'is_named');
    execute format('grant update (%s) on evenkeel.host to evenkeel_ingest', columns);
    grant update (changed_at) on evenkeel.host_key to evenkeel_ingest;
    grant insert on evenkeel.host_event to evenkeel_ingest;
    for wanted in select p.oid::regprocedure from pg_proc p
                  where p.pronamespace = 'evenkeel'::regnamespace and p.proname = 'enroll_trusting' loop
        execute format('revoke execute on function %s from public', wanted);
        execute format('grant execute on function %s to evenkeel_owner', wanted);
    end loop;

    -- Who serves takes hosts in, makes instances known, and learns, without a right to write these tables; nobody else does either: who
    -- only looks could set keys apart, or fill the places of those who wait for approval.
    for wanted in select p.oid::regprocedure from pg_proc p
                  where p.pronamespace = 'evenkeel'::regnamespace
                    and p.proname in ('make_units', 'refresh_units', 'learn_level', 'enroll', 'admit', 'count_offers', 'count_refused',
                                      'index_content') loop
        execute format('revoke execute on function %s from public', wanted);
        execute format('grant execute on function %s to evenkeel_owner, evenkeel_ingest', wanted);
    end loop;
    -- It has the owner's rights, and asks cells in his name.
    revoke execute on function evenkeel.update_fleet() from public;
    grant execute on function evenkeel.update_fleet() to evenkeel_owner, evenkeel_ingest;

    -- A view reads tables as its owner, but the functions that it calls would read them as whoever looks.
    for wanted in
        select distinct p.oid::regprocedure
        from pg_depend d
        join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
        join pg_class v on v.oid = r.ev_class and v.relnamespace = 'ops'::regnamespace
        join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
        where p.pronamespace = 'evenkeel'::regnamespace and p.provolatile = 's'
    loop
        execute format('alter function %s security definer set search_path = pg_catalog, pg_temp', wanted);
    end loop;
    -- So would those that commands call which only look.
    for wanted in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'evenkeel'::regnamespace
          and p.proname in ('plan', 'host_named', 'present_host', 'report_drift', 'report_hosts', 'waiver_host',
                            'catalog_status', 'catalog_missing_lists', 'catalog_contradictions', 'catalog_sources', 'catalog_statements',
                            'baseline_statements', 'page_fleet', 'page_host', 'page_host_named', 'page_findings', 'page_file', 'page_patch')
    loop
        execute format('alter function %s security definer set search_path = evenkeel, pg_catalog, pg_temp', wanted);
    end loop;
end
$$;
