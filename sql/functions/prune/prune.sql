-- Removing what is no longer wanted, a bounded step at a time, each its own transaction, while snapshots go on being taken in.
-- Content is looked for without any lock; each step then keeps ingest out, looks again at its few candidates, and removes.

create or replace function evenkeel.prune_history(keep interval, most integer)
returns integer language plpgsql
as $$
declare
    oldest timestamptz := now() - keep;
    removed integer;
    total integer := 0;
begin
    delete from evenkeel.host_inventory_past i where (i.host_id, i.valid_to) in (
        select p.host_id, p.valid_to from evenkeel.host_inventory_past p
        where p.valid_to < oldest
          -- As long as it is what the host was counted as.
          and not exists (select from evenkeel.peer_host c where (c.host_id, c.counted_from) = (p.host_id, p.valid_from)) limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.host_facts_past f where (f.host_id, f.valid_to) in (
        select p.host_id, p.valid_to from evenkeel.host_facts_past p where p.valid_to < oldest limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.finding f where (f.host_id, f.check_code, f.subject, f.opened_at) in (
        select p.host_id, p.check_code, p.subject, p.opened_at from evenkeel.finding p
        where p.closed_at < oldest and p.closed_at <> 'infinity' limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.finding_past f where (f.host_id, f.check_code, f.subject, f.opened_at, f.valid_to) in (
        select p.host_id, p.check_code, p.subject, p.opened_at, p.valid_to from evenkeel.finding_past p
        where p.valid_to < oldest limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.host_product_history h where (h.host_id, h.product_id, h.valid_to) in (
        select p.host_id, p.product_id, p.valid_to from evenkeel.host_product_history p
        where p.valid_to < oldest and p.valid_to <> 'infinity' limit most);
    get diagnostics removed = row_count; total := total + removed;
    -- That a host was retired explains why a state of it ended.
    delete from evenkeel.host_event e where (e.host_id, e.happened_at, e.event) in (
        select p.host_id, p.happened_at, p.event from evenkeel.host_event p
        where p.happened_at < oldest
          and not exists (select from evenkeel.host_inventory_past i where (i.host_id, i.valid_to) = (p.host_id, p.happened_at))
          and not exists (select from evenkeel.host_facts_past f where (f.host_id, f.valid_to) = (p.host_id, p.happened_at))
          and not exists (select from evenkeel.host h where (h.host_id, h.retired_at) = (p.host_id, p.happened_at)) limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.host_patch_past h where (h.host_id, h.valid_to) in (
        select p.host_id, p.valid_to from evenkeel.host_patch_past p where p.valid_to < oldest limit most);
    get diagnostics removed = row_count; total := total + removed;
    return total;
end
$$;
comment on function evenkeel.prune_history(interval, integer) is
    'Removes up to so many states, findings and events of each kind that ended longer ago; returns how many.';

create or replace function evenkeel.prune_waiting(most integer)
returns integer language plpgsql
as $$
declare
    removed integer;
    total integer := 0;
begin
    delete from evenkeel.upload u where (u.host_id, u.digest) in (
        select w.host_id, w.digest from evenkeel.upload w where w.received_at < now() - interval '7 days' limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.enrolment e where (e.key_id, e.host_name) in (
        select w.key_id, w.host_name from evenkeel.enrolment w where w.requested_at < now() - interval '30 days' limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.collector_key k where k.key_id in (
        select w.key_id from evenkeel.collector_key w
        where w.status = 'pending' and w.first_seen < now() - interval '30 days'
          and not exists (select from evenkeel.enrolment e where e.key_id = w.key_id)
          and not exists (select from evenkeel.key_grant g where g.key_id = w.key_id)
          and not exists (select from evenkeel.host_key h where h.key_id = w.key_id) limit most);
    get diagnostics removed = row_count; total := total + removed;
    delete from evenkeel.token t where t.expires_at < now() - interval '30 days';
    get diagnostics removed = row_count;
    return total + removed;
end
$$;
comment on function evenkeel.prune_waiting(integer) is
    'Removes unfinished uploads of a week ago, and enrolments and tokens of a month ago; returns how many.';

create or replace function evenkeel.prune_mark()
returns void language plpgsql
as $$
begin
    perform evenkeel.prune_open();
    delete from prune_candidate;
    delete from prune_mark;
    -- With the lock no snapshot is under way: what is committed later is no older than this (an hour is for a clock that is set back).
    perform evenkeel.lock_change(), evenkeel.lock_catalogue();
    insert into prune_mark values (clock_timestamp() - interval '1 hour');
end
$$;
comment on function evenkeel.prune_mark() is 'Begins a search for content that no host refers to.';

create or replace function evenkeel.prune_find(wanted_kind text)
returns bigint language plpgsql
as $$
begin
    case wanted_kind
    when 'chunk' then
        insert into prune_candidate
        -- What an aggregator knows a chunk by stays as long as any host reads that chunk, as usual or otherwise.
        select 'chunk', c.chunk_id
        from (select chunk_id from evenkeel.chunk
              except select unnest(chunk_ids) from evenkeel.host_inventory except select unnest(chunk_ids) from evenkeel.peer_was) c
        where not exists (select from evenkeel.chunk k join evenkeel.chunk r using (digest)
                          where k.chunk_id = c.chunk_id and k.reading = '' and r.reading <> '');
    when 'file' then
        insert into prune_candidate
        select 'file', f.file_id from (select file_id from evenkeel.file except select unnest(file_ids) from evenkeel.chunk) f;
    when 'image' then
        insert into prune_candidate
        select 'image', i.image_id from evenkeel.image i
        where not exists (select from evenkeel.file f where f.image_id = i.image_id)
          and not exists (select from evenkeel.patch_file p where p.image_id = i.image_id)
          and i.image_id not in (select unnest(p.other_images) from evenkeel.patch_file p);
    when 'path' then
        insert into prune_candidate
        select 'path', p.path_id from evenkeel.path p where not exists (select from evenkeel.file f where f.path_id = p.path_id);
    when 'component store' then
        insert into prune_candidate
        select 'component store', s.store_id from evenkeel.component_store s
        where s.digest not in (select decode(f.facts ->> 'component_store', 'hex') from evenkeel.host_facts f
                               where f.facts ->> 'component_store' <> '');
    end case;
    return (select count(*) from prune_candidate where kind = wanted_kind);
end
$$;
comment on function evenkeel.prune_find(text) is
    'Notes the chunks, files, images, paths or component stores that nothing refers to; returns how many there are.';

create or replace function evenkeel.digests_under_way()
returns setof bytea language sql stable
as $$
    -- A snapshot that is not complete yet has its inventory waiting, whose digests end its body; and the chunks that lack images,
    -- whose image digests end theirs. Reading backwards may take more than those, which keeps some content for longer and no more.
    select substring(u.body from octet_length(u.body) - evenkeel.digest_bytes() * n + 1 for evenkeel.digest_bytes())
    from evenkeel.upload u cross join generate_series(1, octet_length(u.body) / evenkeel.digest_bytes()) n
    where u.kind = evenkeel.object_kind__inventory()
       or (u.kind = evenkeel.object_kind__chunk() and n <= evenkeel.chunk_entries())
$$;
comment on function evenkeel.digests_under_way() is 'Digests of chunks and images that unfinished snapshots refer to.';

create or replace function evenkeel.prune_remove(wanted_kind text, most integer)
returns integer language plpgsql
as $$
declare
    batch bigint[];
    gone bigint[];
    units integer[];
begin
    if wanted_kind = 'file' then
        -- Before the lock that nobody stores anything under.
        perform evenkeel.index_content();
    end if;
    perform evenkeel.lock_change(), evenkeel.lock_catalogue();
    with taken as (
        delete from prune_candidate c
        where c.kind = wanted_kind and c.id in (select o.id from prune_candidate o where o.kind = wanted_kind order by o.id limit most)
        returning c.id
    )
    select array_agg(id) into batch from taken;
    if batch is null then
        return -1;
    end if;
    case wanted_kind
    when 'chunk' then
        delete from evenkeel.chunk c where c.chunk_id = any (batch)
          and c.digest not in (select evenkeel.digests_under_way())
          and c.chunk_id not in (select unnest(i.chunk_ids) from evenkeel.host_inventory_current i
                                 where i.valid_from >= (select at from prune_mark)
                                 union all
                                 select unnest(i.chunk_ids) from evenkeel.host_inventory_past i
                                 where i.valid_to > (select at from prune_mark) and i.valid_from >= (select at from prune_mark));
        select array_agg(b) into gone from unnest(batch) b where not exists (select from evenkeel.chunk c where c.chunk_id = b);
        delete from evenkeel.chunk_level l where l.chunk_id = any (gone);
        delete from evenkeel.chunk_proof l where l.chunk_id = any (gone);
        delete from evenkeel.chunk_version_set l where l.chunk_id = any (gone);
        delete from evenkeel.unjudged_chunk l where l.chunk_id = any (gone);
        delete from evenkeel.chunk_imports l where l.chunk_id = any (gone);
        delete from evenkeel.chunk_store l where l.chunk_id = any (gone);
    when 'file' then
        delete from evenkeel.file f where f.file_id = any (batch)
          and not exists (select from evenkeel.chunk c where c.file_ids @> array[f.file_id]);
        select array_agg(b) into gone from unnest(batch) b where not exists (select from evenkeel.file f where f.file_id = b);
        delete from evenkeel.file_level l where l.file_id = any (gone);
        delete from evenkeel.unjudged_file l where l.file_id = any (gone);
    when 'image' then
        delete from evenkeel.image i where i.image_id = any (batch)
          and not exists (select from evenkeel.file f where f.image_id = i.image_id)
          and not exists (select from evenkeel.patch_file p where p.image_id = i.image_id)
          and i.image_id not in (select unnest(p.other_images) from evenkeel.patch_file p)
          and i.digest not in (select evenkeel.digests_under_way());
        select array_agg(b) into gone from unnest(batch) b where not exists (select from evenkeel.image i where i.image_id = b);
        delete from evenkeel.image_import l where l.image_id = any (gone);
        delete from evenkeel.import_pair l where l.image_id = any (gone);
    when 'path' then
        delete from evenkeel.path p where p.path_id = any (batch)
          and not exists (select from evenkeel.file f where f.path_id = p.path_id);
        select array_agg(b) into gone from unnest(batch) b where not exists (select from evenkeel.path p where p.path_id = b);
        with unbound as (delete from evenkeel.path_component l where l.path_id = any (gone) returning l.product_id)
        select array_agg(distinct p.product_id) into units
        from unbound b join evenkeel.product p on p.product_id = b.product_id and p.unit_of is not null;
        -- An instance that no path tells of any more makes room for others.
        if units is not null then
            with gone as (
                delete from evenkeel.product p
                where p.product_id = any (units)
                  and p.product_id not in (select c.product_id from evenkeel.path_component c where c.product_id = any (units))
                returning p.product_id
            )
            select array_agg(product_id) into units from gone;
            update evenkeel.shipped_file s set products = evenkeel.integers_without(s.products, units) where s.products && units;
        end if;
    when 'component store' then
        delete from evenkeel.component_store s where s.store_id = any (batch)
          and s.digest not in (select decode(f.facts ->> 'component_store', 'hex') from evenkeel.host_facts f
                               where f.facts ->> 'component_store' <> '');
        select array_agg(b) into gone from unnest(batch) b where not exists (select from evenkeel.component_store s where s.store_id = b);
        delete from evenkeel.chunk_store l where l.store_id = any (gone);
    end case;
    if gone is not null then
        update evenkeel.content_epoch set epoch = epoch + 1;
    end if;
    return coalesce(cardinality(gone), 0);
end
$$;
comment on function evenkeel.prune_remove(text, integer) is
    'Removes up to so many of the noted candidates that still nothing refers to, and what was derived from them; returns how many, -1 '
    'when no candidate is left.';
