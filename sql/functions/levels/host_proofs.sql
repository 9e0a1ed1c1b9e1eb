-- How far hosts' components confirm the level in question: counted once per chunk and level.

create or replace function evenkeel.count_proofs()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from state_chunk_proof;
    drop table if exists wanted_proof;
    create temporary table wanted_proof on commit drop as
    select w.*, exists (select from chunk_proof p join component k using (component_id)
                        where (p.chunk_id, p.ordinal, k.product_id) = (w.chunk_id, w.ordinal, w.product_id)) as counted
    from (select distinct c.chunk_id, r.product_id, r.ordinal
          from state_range r join state_host h using (host_id) cross join unnest(h.chunk_ids) c (chunk_id)
          where r.ordinal is not null) w
    where exists (select from state_level sl where (sl.chunk_id, sl.product_id) = (w.chunk_id, w.product_id));
    analyze wanted_proof;
    drop table if exists fresh_proof;
    create temporary table fresh_proof on commit drop as
    select w.chunk_id, fl.component_id, fl.product_id, w.ordinal,
           count(*) filter (where fl.confirmed @> w.ordinal and not fl.untouched @> w.ordinal)::integer as confirmed,
           count(*) filter (where fl.confirmed_by_fleet @> w.ordinal and not fl.confirmed @> w.ordinal
                              and not fl.untouched @> w.ordinal)::integer as by_fleet,
           count(*) filter (where fl.untouched @> w.ordinal)::integer as untouched,
           count(*) filter (where fl.ahead @> w.ordinal)::integer as ahead
    from wanted_proof w
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file_level fl on (fl.file_id, fl.product_id) = (u.file_id, w.product_id)
    where not w.counted
    group by w.chunk_id, fl.component_id, fl.product_id, w.ordinal;
    -- What is counted of chunks that a patch would make is kept for this state alone: their numbers are given again.
    insert into chunk_proof (chunk_id, component_id, ordinal, confirmed, by_fleet, untouched, ahead)
    select chunk_id, component_id, ordinal, confirmed, by_fleet, untouched, ahead
    from fresh_proof where chunk_id > 0 order by chunk_id, component_id, ordinal
    on conflict do nothing;
    -- Each chunk is looked up once, however many hosts hold it.
    insert into state_chunk_proof (chunk_id, component_id, product_id, ordinal, confirmed, by_fleet, untouched, ahead)
    select w.chunk_id, p.component_id, w.product_id, w.ordinal, p.confirmed, p.by_fleet, p.untouched, p.ahead
    from wanted_proof w
    join chunk_proof p on (p.chunk_id, p.ordinal) = (w.chunk_id, w.ordinal)
    join component k on (k.component_id, k.product_id) = (p.component_id, w.product_id)
    where w.counted
    union all
    select chunk_id, component_id, product_id, ordinal, confirmed, by_fleet, untouched, ahead from fresh_proof;
    analyze state_chunk_proof;
end
$$;
comment on function evenkeel.count_proofs() is
  'Fills state_chunk_proof: how far the chunks of the hosts of a state confirm the levels in question; counts what was not yet.';

create or replace function evenkeel.find_proofs()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    -- Of the links into the store those are gone whose files others replace.
    laid boolean := exists (select from state_overlay_chunk);
begin
    delete from state_proof;
    perform count_proofs();
    insert into state_proof (host_id, product_id, component_id, files, confirmed, by_fleet, by_store, untouched, ahead)
    select p.host_id, p.product_id, p.component_id, c.files, p.confirmed, p.by_fleet, 0, p.untouched, p.ahead
    -- Added up before it meets components: hosts have many chunks and few components.
    from (select h.host_id, h.product_id, p.component_id, sum(p.confirmed) as confirmed, sum(p.by_fleet) as by_fleet,
                 sum(p.untouched) as untouched, sum(p.ahead) as ahead
          from (select r.host_id, r.product_id, r.ordinal, unnest(s.chunk_ids) as chunk_id
                from state_range r join state_host s using (host_id) where r.ordinal is not null) h
          join state_chunk_proof p on (p.chunk_id, p.product_id, p.ordinal) = (h.chunk_id, h.product_id, h.ordinal)
          group by h.host_id, h.product_id, p.component_id) p
    join state_component c on (c.host_id, c.component_id, c.product_id) = (p.host_id, p.component_id, p.product_id);
    -- A link into the host's own component store, to the build that won, is no older than its level; so far as nothing else says it.
    update state_proof p set by_store = n.files
    from (select s.host_id, fl.product_id, fl.component_id, count(*)::integer as files
          from state_store s
          join state_range r using (host_id)
          join file_level fl on (fl.file_id, fl.product_id) = (s.file_id, r.product_id)
          where s.says in ('confirmed', 'same') and r.ordinal is not null
            and not fl.confirmed @> r.ordinal and not fl.confirmed_by_fleet @> r.ordinal and not fl.untouched @> r.ordinal
            and (not laid or (s.host_id, s.file_id) in (select f.host_id, f.file_id from state_file f))
          group by s.host_id, fl.product_id, fl.component_id) n
    where (n.host_id, n.product_id, n.component_id) = (p.host_id, p.product_id, p.component_id);
    -- A build of another Windows in the place of a component's file confirms nothing.
    insert into state_proof (host_id, product_id, component_id, files, confirmed, by_fleet, by_store, untouched, ahead)
    select s.host_id, s.product_id, pc.component_id, count(*), 0, 0, 0, 0, 0
    from state_foreign s join file f using (file_id) join path_component pc on (pc.path_id, pc.product_id) = (f.path_id, s.product_id)
    where s.counted
    group by s.host_id, s.product_id, pc.component_id;
    update state_component c set countable = p.files - p.untouched, confirmed = p.confirmed + p.by_fleet + p.by_store, ahead = p.ahead
    from state_proof p where (p.host_id, p.component_id) = (c.host_id, c.component_id);
    analyze state_proof;
end
$$;
comment on function evenkeel.find_proofs() is
  'Fills state_proof, and what state_component says of it: of how many files of each component the level in question is confirmed.';
