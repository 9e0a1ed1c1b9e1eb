-- What follows from a change of the catalogue: paths are bound to components again, and only what changes is judged again.

create or replace function evenkeel.catalog_refresh()
returns integer language plpgsql
as $$
declare
    queued integer;
begin
    perform evenkeel.lock_catalogue();
    perform set_config('client_min_messages', 'warning', true), set_config('jit', 'off', true);
    -- Of an earlier change within the same transaction.
    drop table if exists fresh_path_component, fresh_file_level, changed_file, changed_chunk;

    create temporary table fresh_path_component on commit drop as
    select b.* from evenkeel.bound_paths(null) b;
    delete from evenkeel.path_component o
    where not exists (select from fresh_path_component n where (n.path_id, n.product_id, n.component_id) = (o.path_id, o.product_id, o.component_id));
    insert into evenkeel.path_component (path_id, product_id, component_id, instance)
    select path_id, product_id, component_id, instance from fresh_path_component
    on conflict (path_id, product_id) do update set component_id = excluded.component_id, instance = excluded.instance
    where (path_component.component_id, path_component.instance) is distinct from (excluded.component_id, excluded.instance);

    create temporary table fresh_file_level (like evenkeel.file_level) on commit drop;
    insert into fresh_file_level (file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
                                  hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead)
    select file_id, product_id, component_id, levels, covered, unread, blind, lower_basis, upper_basis,
           hint, hint_basis, exact_from, revision, confirmed, confirmed_by_fleet, untouched, ahead
    from evenkeel.file_ranges(array(select distinct f.file_id from evenkeel.file f join evenkeel.path_component using (path_id)));
    create temporary table changed_file (file_id integer primary key) on commit drop;
    insert into changed_file
    select file_id from (table evenkeel.file_level except table fresh_file_level) gone
    union select file_id from (table fresh_file_level except table evenkeel.file_level) come;
    delete from evenkeel.file_level o
    where not exists (select from fresh_file_level n where (n.file_id, n.product_id) = (o.file_id, o.product_id));
    delete from evenkeel.file_level o using changed_file c where o.file_id = c.file_id;
    insert into evenkeel.file_level select n.* from fresh_file_level n join changed_file using (file_id);

    create temporary table changed_chunk on commit drop as
    select c.chunk_id from evenkeel.chunk c where c.file_ids && array(select file_id from changed_file);
    delete from evenkeel.chunk_level using changed_chunk where chunk_level.chunk_id = changed_chunk.chunk_id;
    perform evenkeel.judge_chunks(array(select chunk_id from changed_chunk));

    -- Patches, levels and products bear on verdicts without changing any range, so every host is judged again where the catalogue itself
    -- changed; judging shares all that was computed per chunk.
    insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current order by host_id
    on conflict do nothing;
    get diagnostics queued = row_count;
    perform evenkeel.retry_not_judged();
    return queued;
end
$$;
comment on function evenkeel.catalog_refresh() is 'After a change of the catalogue: binds paths to components and judges files and chunks again where that changes anything, and queues the hosts.';
