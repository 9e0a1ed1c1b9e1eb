-- What follows from a change of the catalogue: paths are bound to components again, and only what changes is judged again. That is worked
-- out while hosts go on to report and are judged, by the catalogue before; who changes it keeps them out for the end alone, when what they
-- stored meanwhile is looked at.

create or replace function evenkeel.catalogue_fence(out last_path integer, out last_file integer, out last_chunk bigint,
                                                    out waiting_files integer[], out waiting_chunks bigint[])
language plpgsql
as $$
begin
    -- Under the lock nobody stores anything: whatever has a higher number came later. It ends with the block that fails on purpose.
    perform evenkeel.lock_catalogue();
    last_path := coalesce((select max(path_id) from evenkeel.path), 0);
    last_file := coalesce((select max(file_id) from evenkeel.file), 0);
    last_chunk := coalesce((select max(chunk_id) from evenkeel.chunk), 0);
    waiting_files := array(select file_id from evenkeel.unjudged_file);
    waiting_chunks := array(select chunk_id from evenkeel.unjudged_chunk);
    raise sqlstate 'EKEND';
exception when sqlstate 'EKEND' then
    return;
end
$$;
comment on function evenkeel.catalogue_fence() is
  'The highest numbers of paths, files and chunks that are stored, and what of them waits to be judged, at a moment when nobody stores.';

create or replace function evenkeel.refresh_changed(files integer[], except_chunks bigint[], until_chunk bigint)
returns void language plpgsql
as $$
begin
    create temporary table if not exists changed_chunk (chunk_id bigint primary key) on commit drop;
    comment on table changed_chunk is
        'A chunk that was judged again after a change of the catalogue. Filled by refresh_changed; read by find_touched_hosts, '
        'refresh_changed, refresh_later; ends with the transaction.';
    insert into changed_chunk
    select c from evenkeel.chunks_holding(files) c where c <= until_chunk and c <> all (except_chunks);
    delete from evenkeel.chunk_level using changed_chunk where chunk_level.chunk_id = changed_chunk.chunk_id;
    perform evenkeel.judge_chunks(array(select chunk_id from changed_chunk));
end
$$;
comment on function evenkeel.refresh_changed(integer[], bigint[], bigint) is
  'Judges the chunks that hold one of the files again, up to a number and without some, and notes them in changed_chunk.';

create or replace function evenkeel.refresh_known(last_path integer, last_file integer, waiting integer[],
                                                  out changed integer[], out everything boolean)
language plpgsql
as $$
declare
    touched integer[];
    products integer[];
    instances text[];
    hosts uuid[];
begin
    perform evenkeel.refresh_units();
    everything := evenkeel.take_catalogue_changes();
    -- Of an earlier change within the same transaction.
    drop table if exists fresh_path_component, fresh_file_level, changed_chunk, rebound_path;
    create temporary table rebound_path on commit drop as
    select path_id, product_id, 0 as bound from evenkeel.path_component limit 0;
    comment on table rebound_path is
        'A path that is bound to a product, 1, or was, -1. Filled by refresh_known, refresh_later; read by catalog_refresh, '
        'refresh_known; ends with the transaction.';
    create temporary table fresh_path_component on commit drop as
    select b.* from evenkeel.bound_paths(null) b where b.path_id <= last_path;
    select array_agg(f.product_id), array_agg(f.instance), array_agg(l.given_by) into products, instances, hosts
    from fresh_path_component f join evenkeel.product p using (product_id) join evenkeel.path l using (path_id)
    where f.instance <> '' and p.unit_of is null;
    if products is not null then
        perform evenkeel.make_units(products, instances, hosts);
        update fresh_path_component f set product_id = u.product_id, component_id = o.component_id
        from evenkeel.product u, evenkeel.component c, evenkeel.component o
        where f.instance <> '' and u.unit_of = f.product_id and u.unit = f.instance
          and c.component_id = f.component_id and (o.product_id, o.code) = (u.product_id, c.code);
    end if;
    with gone as (
        delete from evenkeel.path_component o
        where o.path_id <= last_path
          and not exists (select from fresh_path_component n
                          where (n.path_id, n.product_id, n.component_id) = (o.path_id, o.product_id, o.component_id))
        returning o.path_id, o.product_id
    )
    insert into rebound_path (path_id, product_id, bound) select g.path_id, g.product_id, -1 from gone g;
    insert into rebound_path (path_id, product_id, bound)
    select f.path_id, f.product_id, 1 from fresh_path_component f
    where not exists (select from evenkeel.path_component o where (o.path_id, o.product_id) = (f.path_id, f.product_id));
    insert into evenkeel.path_component (path_id, product_id, component_id, instance)
    select path_id, product_id, component_id, instance from fresh_path_component
    on conflict (path_id, product_id) do update set component_id = excluded.component_id, instance = excluded.instance
    where (path_component.component_id, path_component.instance) is distinct from (excluded.component_id, excluded.instance);

    everything := everything or exists (select from rebound_path);
    if everything then
        select array(select distinct f.file_id from evenkeel.file f join evenkeel.path_component using (path_id)
                     where f.file_id <= last_file and f.file_id <> all (waiting)
                     union select l.file_id from evenkeel.file_level l where l.file_id <= last_file and l.file_id <> all (waiting))
          into touched;
    else
        touched := array(select f from unnest(evenkeel.files_touched()) f where f <= last_file and f <> all (waiting));
    end if;
    create temporary table fresh_file_level (like evenkeel.file_level) on commit drop;
    insert into fresh_file_level (file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
                                  hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead)
    select file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
           hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead
    from evenkeel.file_ranges(touched);
    with kept as (
        select l.* from evenkeel.file_level l join unnest(touched) t (file_id) using (file_id)
    )
    select array(select file_id from (table kept except table fresh_file_level) gone
                 union select file_id from (table fresh_file_level except table kept) come) into changed;
    delete from evenkeel.file_level o using unnest(changed) c (file_id) where o.file_id = c.file_id;
    insert into evenkeel.file_level select n.* from fresh_file_level n join unnest(changed) c (file_id) using (file_id);
end
$$;
comment on function evenkeel.refresh_known(integer, integer, integer[]) is
  'Binds the paths up to a number again, and judges the files up to one that the change may touch, without those that wait for it; '
  'returns those of which something else is said, and whether the change may touch whatever there is.';

create or replace function evenkeel.refresh_later(last_path integer, last_file integer, last_chunk bigint, files integer[],
                                                  chunks bigint[])
returns void language plpgsql
as $$
declare
    later_paths integer[] := array(select path_id from evenkeel.path where path_id > last_path);
    later_files integer[] := array(select file_id from evenkeel.file where file_id > last_file union all select unnest(files)
                                   except select file_id from evenkeel.unjudged_file);
    later_chunks bigint[] := array(select chunk_id from evenkeel.chunk where chunk_id > last_chunk union all select unnest(chunks)
                                   except select chunk_id from evenkeel.unjudged_chunk);
begin
    -- Instances that came up since have the catalogue as it was.
    perform evenkeel.refresh_units();
    with gone as (delete from evenkeel.path_component o where o.path_id = any (later_paths) returning o.path_id, o.product_id)
    insert into rebound_path (path_id, product_id, bound) select g.path_id, g.product_id, -1 from gone g;
    perform evenkeel.match_paths(later_paths);
    insert into rebound_path (path_id, product_id, bound)
    select o.path_id, o.product_id, 1 from evenkeel.path_component o where o.path_id = any (later_paths);
    delete from evenkeel.file_level where file_id = any (later_files);
    perform evenkeel.judge_files(later_files);
    delete from evenkeel.chunk_level where chunk_id = any (later_chunks);
    perform evenkeel.judge_chunks(later_chunks);
    -- What hosts that were judged meanwhile counted of chunks that are others now.
    delete from evenkeel.chunk_proof p using changed_chunk c where p.chunk_id = c.chunk_id;
    -- Which component a path belongs to may have changed without any range; what is kept is of few chunks.
    delete from evenkeel.chunk_version_set;
end
$$;
comment on function evenkeel.refresh_later(integer, integer, bigint, integer[], bigint[]) is
  'Judges by the changed catalogue what was stored, or waited to be judged, since its fence.';

create or replace function evenkeel.catalog_refresh()
returns integer language plpgsql
as $$
declare
    begun constant timestamptz := clock_timestamp();
    known record;
    seen record;
    queued integer;
begin
    perform evenkeel.lock_change();
    perform set_config('client_min_messages', 'warning', true), set_config('jit', 'off', true);
    perform evenkeel.refresh_captures();
    select * into known from evenkeel.catalogue_fence();
    select * into seen from evenkeel.refresh_known(known.last_path, known.last_file, known.waiting_files);
    perform evenkeel.refresh_changed(seen.changed, known.waiting_chunks, known.last_chunk);
    perform evenkeel.find_touched_hosts(seen.everything);
    perform evenkeel.lock_catalogue();
    perform evenkeel.refresh_later(known.last_path, known.last_file, known.last_chunk, known.waiting_files, known.waiting_chunks);
    perform evenkeel.peers_bound(exists (select from rebound_path b group by b.path_id, b.product_id having sum(b.bound) <> 0));

    -- Who reported since was judged by the catalogue as it was, or waits.
    insert into evenkeel.judge_queue (host_id)
    select i.host_id from evenkeel.host_inventory_current i join evenkeel.host h using (host_id)
    where i.host_id in (select t.host_id from touched_host t) or h.judged_at >= begun or h.judged_at is null
       or i.host_id in (select q.host_id from evenkeel.judge_queue q)
    order by 1
    on conflict do nothing;
    get diagnostics queued = row_count;
    perform evenkeel.retry_not_judged();
    return queued;
end
$$;
comment on function evenkeel.catalog_refresh() is
  'After a change of the catalogue: binds paths to components and judges files and chunks again where that changes anything, beside '
  'hosts that report, and queues the hosts that it touches; returns how many.';
