-- A state: the hosts that are to be judged, what they hold, and what follows. Checks read these relations only, so that they give
-- findings over what is, and risk over what would be: state_chunk may hold chunks that a patch would make.

create or replace function evenkeel.state_open()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', false), set_config('jit', 'off', false);
    if to_regclass('pg_temp.state_host') is not null then
        return;
    end if;
    create temporary table state_host (host_id uuid primary key, chunk_ids bigint[] not null) on commit delete rows;
    -- No plan depends on which chunks are held.
    alter table state_host alter chunk_ids set statistics 0;
    create temporary table state_overlay_chunk (chunk_id bigint primary key, file_ids integer[] not null) on commit delete rows;
    create temporary table state_overlay_chunk_level (like evenkeel.chunk_level including indexes) on commit delete rows;
    create temporary table state_level (
        chunk_id bigint not null, component_id integer not null, product_id integer not null, files integer not null,
          covered integer not null,
        unread integer not null, greatest_lower integer not null, least_upper integer not null, hint integer, revision integer
    ) on commit delete rows;
    create temporary table state_component (like evenkeel.host_component including defaults) on commit delete rows;
    create temporary table state_declaration (
        host_id uuid not null, os_version text not null, os_build integer not null, inetstp_major integer not null,
          has_registry boolean not null,
        service_pack text not null, ubr integer, product_type integer not null, installation_type text not null, hotpatch text not null,
        markers text[]
    ) on commit delete rows;
    create temporary table state_foreign (
        host_id uuid not null, product_id integer not null, file_id integer not null, levels int4range not null, basis text not null
    ) on commit delete rows;
    create temporary table state_unread (
        host_id uuid not null, product_id integer not null, files integer not null, path text not null
    ) on commit delete rows;
    perform evenkeel.level_state_open();
    create temporary table state_product (like evenkeel.host_product including defaults) on commit delete rows;
    create temporary table state_finding (
        host_id uuid not null, check_code text not null, subject text not null, severity text not null,
        summary text not null, evidence jsonb not null
    ) on commit delete rows;
    create temporary table state_key (key text primary key) on commit delete rows;
    perform evenkeel.patch_state_open();

    create temporary view state_chunk as select chunk_id, file_ids from evenkeel.chunk;
    create temporary view state_chunk_level as select * from evenkeel.chunk_level;
    -- A check that some host makes fail must not meet that one while others are judged: it reads the hosts of the state and no more.
    create temporary view state_facts with (security_barrier) as
        select f.* from evenkeel.host_facts_current f join state_host h using (host_id);
    create temporary view state_file as
        select h.host_id, f.file_id, f.path_id, f.image_id
        from state_host h
        cross join unnest(h.chunk_ids) c (chunk_id)
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join evenkeel.file f using (file_id);
    perform evenkeel.component_store_open();
end
$$;
comment on function evenkeel.state_open() is 'Prepares a session for judging: the temporary relations of a state, all empty.';

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

create or replace function evenkeel.judge_state()
returns void language plpgsql
as $$
begin
    while evenkeel.judge_content_of(array(select h.host_id from state_host h), 100000) > 0 loop
    end loop;
    perform evenkeel.find_component_stores();
    perform evenkeel.judge_levels();
    perform evenkeel.judge_patches();
end
$$;
comment on function evenkeel.judge_state() is 'Fills state_component, state_product and state_patch for the hosts of state_host.';
