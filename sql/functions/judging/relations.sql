-- The working relations of judging: a state, that is the hosts that are to be judged, what they hold, and what follows. Checks read
-- these only, so that they give findings over what is, and risk over what would be: state_chunk may hold chunks that a patch would make.
-- Which checks read one is not said with it: a new check changes no other file.

create or replace function evenkeel.state_open()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', false), set_config('jit', 'off', false);
    if to_regclass('pg_temp.state_host') is not null then
        return;
    end if;
    create temporary table state_host (host_id uuid primary key, chunk_ids bigint[] not null) on commit delete rows;
    comment on table state_host is
        'A host that is judged, and the chunks that it holds, or would. Filled by judge_clock, judge_hosts, '
        'overlay_state, plan_judge, reduce_fleet_check, run_check_apart, set_aside; read by all who judge; ends with the transaction.';
    -- No plan depends on which chunks are held.
    alter table state_host alter chunk_ids set statistics 0;
    create temporary table state_overlay_chunk (chunk_id bigint primary key, file_ids integer[] not null) on commit delete rows;
    comment on table state_overlay_chunk is
        'A chunk that a patch would make (its number is negative), as evenkeel.chunk has those that are. Filled by overlay_chunks, '
        'overlay_state; read by find_alike, find_proofs, overlay_chunks, overlay_imports, overlay_levels, overlay_state, risk_blind, '
        'view state_chunk; ends with the transaction.';
    create temporary table state_overlay_chunk_level (like evenkeel.chunk_level including indexes) on commit delete rows;
    comment on table state_overlay_chunk_level is
        'What chunk_level would have of such a chunk. Filled by overlay_levels; read by overlay_levels, view state_chunk_level; ends '
        'with the transaction.';
    perform evenkeel.state_open_levels();
    perform evenkeel.level_state_open();
    create temporary table state_product (like evenkeel.host_product including defaults) on commit delete rows;
    comment on table state_product is
        'The verdict on a product of a host, as evenkeel.host_product keeps it. Filled by copy_alike, doubt_content, doubt_updates, '
        'find_products, set_aside; read by all who judge; ends with the transaction.';
    create temporary table state_finding (
        host_id uuid not null, check_code text not null, subject text not null, severity text not null,
        summary text not null, evidence jsonb not null
    ) on commit delete rows;
    comment on table state_finding is
        'What a check finds of a host of the state, before it is bounded and stored. Filled by bound_findings, run_check; read by '
        'bound_findings, plan_answer, plan_fresh_of, plan_keep, plan_lay, plan_remains, risk_find, store_findings; ends with the '
        'transaction.';
    create temporary table state_host_key (host_id uuid not null, key text not null) on commit delete rows;
    comment on table state_host_key is
        'A key of a fleet check that a host of the state has now. Filled by note_fleet_keys, reduce_fleet_check; read by count_evidence, '
        'note_fleet_keys, reduce_fleet_check; ends with the transaction.';
    create temporary table state_key (key text primary key) on commit delete rows;
    comment on table state_key is
        'A key of a fleet check that a host of the state has, had, or shares. Filled by reduce_fleet_check; read by reduce_fleet_check; '
        'ends with the transaction.';
    perform evenkeel.patch_state_open();
    perform evenkeel.state_open_views();
    perform evenkeel.component_store_open();
end
$$;
comment on function evenkeel.state_open() is 'Prepares a session for judging: the temporary relations of a state, all empty.';

create or replace function evenkeel.state_open_levels()
returns void language plpgsql
as $$
begin
    create temporary table state_level (
        chunk_id bigint not null, component_id integer not null, product_id integer not null, files integer not null,
          covered integer not null,
        unread integer not null, greatest_lower integer not null, least_upper integer not null, hint integer, revision integer,
        likeness_high bigint, likeness_low bigint
    ) on commit delete rows;
    comment on table state_level is
        'What chunk_level has of a chunk of the state, once for all hosts that hold it, without what is foreign to them. Filled by '
        'find_chunk_levels; read by count_proofs, find_alike, find_foreign_files, find_hints, find_levels, find_unread_files; ends with '
        'the transaction.';
    create temporary table state_component (like evenkeel.host_component including defaults) on commit delete rows;
    comment on table state_component is
        'What the files of a component of a host allow together, as evenkeel.host_component keeps it. Filled by copy_alike, find_levels, '
        'find_proofs; read by copy_alike, find_foreign_files, find_proofs, find_ranges, judge_hosts, mixed_by_store, part_alike, '
        'product_fits; ends with the transaction.';
    create temporary table state_declaration (
        host_id uuid not null, os_version text not null, os_build integer not null, inetstp_major integer not null,
          has_registry boolean not null,
        service_pack text not null, ubr integer, product_type integer not null, installation_type text not null, hotpatch text not null,
        markers text[], dotnet_release integer, not_seen boolean not null
    ) on commit delete rows;
    comment on table state_declaration is
        'What the registry of a host declares of its Windows: version, build, service pack, UBR, edition; markers: hotfixes that tell '
        'levels apart; dotnet_release: that of .NET Framework, null: not told. Filled by find_declarations; read by declared_levels, '
        'declared_releases, find_alike, find_foreign_files, find_hotpatched, find_products, find_ranges, part_alike, product_fits; ends '
        'with the transaction.';
    create temporary table state_foreign (
        host_id uuid not null, product_id integer not null, file_id integer not null, levels int4range not null, basis text not null,
        counted boolean not null default true
    ) on commit delete rows;
    comment on table state_foreign is
        'A file of a host that belongs to another Windows than its own, or to another edition, and so says nothing of it: its range, and '
        'why; or one of which something else than the catalogue tells the range. Filled by find_foreign_files, find_store_ends; read by '
        'find_based_ranges, find_proofs, find_ranges, find_store_doubts, find_trouble, mixed_by_store, product_fits, risk_unlike; ends '
        'with the transaction.';
    create temporary table state_unread (
        host_id uuid not null, product_id integer not null, files integer not null, path text not null
    ) on commit delete rows;
    comment on table state_unread is
        'How many files of a product a host has whose version could not be read, and one of them. Filled by find_unread_files; read '
        'by find_products; ends with the transaction.';
end
$$;
comment on function evenkeel.state_open_levels() is 'The part of state_open() that is of what files and registry say.';

create or replace function evenkeel.state_open_views()
returns void language plpgsql
as $$
begin
    create temporary view state_chunk as select chunk_id, file_ids from evenkeel.chunk;
    comment on view state_chunk is
        'A chunk of evenkeel.chunk; once state_overlay_open() was called, of state_overlay_chunk, too. Read by all who judge; ends '
        'with the session.';
    create temporary view state_chunk_level as select * from evenkeel.chunk_level;
    comment on view state_chunk_level is
        'The same of chunk_level and state_overlay_chunk_level. Read by find_chunk_levels; ends with the session.';
    -- A check that some host makes fail must not meet that one while others are judged: it reads the hosts of the state and no more.
    create temporary view state_facts with (security_barrier) as
        select f.* from evenkeel.host_facts_current f join state_host h using (host_id);
    comment on view state_facts is
        'The facts of a host of the state. Read by all who judge; ends with the session.';
    create temporary view state_lead_facts with (security_barrier) as
        select f.* from evenkeel.host_facts_current f join state_alike a on a.host_id = f.host_id and a.lead = f.host_id;
    comment on view state_lead_facts is
        'The same of a host that is judged for itself. Read by find_products, find_stale_declarations, find_trouble, unseen_places; ends '
        'with the session.';
    create temporary view state_file as
        select h.host_id, f.file_id, f.path_id, f.image_id
        from state_host h
        cross join unnest(h.chunk_ids) c (chunk_id)
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file f using (file_id);
    comment on view state_file is
        'A file of a host of the state. Read by find_proofs, find_store_doubts, find_store_ends; '
        'ends with the session.';
end
$$;
comment on function evenkeel.state_open_views() is 'The part of state_open() that is of what hosts are and hold.';

create or replace function evenkeel.state_overlay_open()
returns void language plpgsql
as $$
begin
    -- Only a session that lays patches over hosts pays for it: the planner knows the size of a table, and not that of a union.
    if pg_get_viewdef('pg_temp.state_chunk'::regclass) ~ 'state_overlay_chunk' then
        return;
    end if;
    create or replace temporary view state_chunk as
        select chunk_id, file_ids from evenkeel.chunk
        union all select chunk_id, file_ids from state_overlay_chunk;
    create or replace temporary view state_chunk_level as
        select * from evenkeel.chunk_level
        union all select * from state_overlay_chunk_level;
end
$$;
comment on function evenkeel.state_overlay_open() is
  'Lets state_chunk and state_chunk_level hold the chunks that a patch would make, too, from now on.';

create or replace function evenkeel.component_store_open()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    create temporary table state_store_host (host_id uuid primary key, store_id integer not null, reaches boolean not null)
        on commit delete rows;
    comment on table state_store_host is
        'A host of the state that told of its component store; reaches: something in that is as new as what the registry declares. '
        'Filled by find_component_stores; read by find_alike, find_component_stores, find_store_ends, match_component_stores, view '
        'state_store; ends with the transaction.';
    create temporary table state_outside (host_id uuid not null, file_id integer not null, path text not null, version evenkeel.version,
        winner evenkeel.version not null, copy evenkeel.version, same_size boolean not null, one_link boolean not null,
        older boolean not null,
        primary key (host_id, file_id)) on commit delete rows;
    comment on table state_outside is
        'A file that the collector found not to be a link to the build that won in the component store, and that build; older: than all '
        'that won. Filled by find_component_stores; read by find_alike, find_doubts, find_store_doubts, find_store_ends, risk_unlike, '
        'view state_store; ends with the transaction.';
    create temporary view state_store as
        select h.host_id, u.file_id, 'confirmed' as says
        from state_store_host h
        join evenkeel.host_inventory_current i using (host_id)
        cross join unnest(i.chunk_ids) k (chunk_id)
        join chunk_store c on c.chunk_id = k.chunk_id and c.store_id = h.store_id
        cross join unnest(c.file_ids) u (file_id)
        where h.reaches and not exists (select from state_outside o where o.host_id = h.host_id and o.file_id = u.file_id)
        union all
        select o.host_id, o.file_id, case when o.older then 'older' when o.version = o.copy and h.reaches then 'same' else 'outside' end
        from state_outside o join state_store_host h using (host_id);
    comment on view state_store is
        'What its component store says of a file of a host: confirmed, same, older or outside. Read by find_proofs; ends with the session.';
end
$$;
comment on function evenkeel.component_store_open() is
    'Makes the relations of a state that find_component_stores() fills. state_store says of a host''s files: confirmed (a link to '
    'the build that won, in a store that is as new as what is declared), same (not put there by servicing, but of the version of the '
    'copy that won), older (than all that won of that name and machine), outside '
    '(not put there by servicing); of all others nothing follows.';
