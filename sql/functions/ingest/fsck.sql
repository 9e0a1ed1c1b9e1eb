-- What 'evenkeel fsck' reads: content to be packed again and compared with its name, and rows that contradict each other.

create or replace function evenkeel.fsck_chunks(after bigint, most integer)
returns table (chunk_id bigint, digest bytea, place integer, path text, path_digest bytea, image bytea) language sql stable
as $$
    with batch as (
        select c.chunk_id, c.digest, c.file_ids from evenkeel.chunk c where c.chunk_id > after order by c.chunk_id limit most
    )
    select b.chunk_id, b.digest, u.place::integer, p.path, p.digest, i.digest
    from batch b
    left join lateral unnest(b.file_ids) with ordinality u (file_id, place) on true
    left join evenkeel.file f on f.file_id = u.file_id
    left join evenkeel.path p on p.path_id = f.path_id
    left join evenkeel.image i on i.image_id = f.image_id
    order by b.chunk_id, u.place
$$;
comment on function evenkeel.fsck_chunks(bigint, integer) is 'The entries of the next chunks in their order; null where a row is missing.';

create or replace function evenkeel.fsck_inventories(after_host uuid, after_time timestamptz, most integer)
returns table (host_id uuid, valid_to timestamptz, digest bytea, files integer, counted bigint, chunks bytea, missing bigint)
language sql stable
as $$
    with batch as (
        select i.* from evenkeel.host_inventory i
        where (i.host_id, i.valid_to) > (after_host, after_time) order by i.host_id, i.valid_to limit most
    )
    select b.host_id, b.valid_to, b.digest, b.files, coalesce(c.counted, 0), coalesce(c.chunks, ''), coalesce(c.missing, 0)
    from batch b
    left join lateral (
        select sum(cardinality(k.file_ids)) as counted, string_agg(k.digest, ''::bytea order by u.place) as chunks,
               count(*) filter (where k.chunk_id is null) as missing
        from unnest(b.chunk_ids) with ordinality u (chunk_id, place) left join evenkeel.chunk k on k.chunk_id = u.chunk_id
    ) c on true
    order by b.host_id, b.valid_to
$$;
comment on function evenkeel.fsck_inventories(uuid, timestamptz, integer) is
  'The next inventories with the digests of their chunks, one behind the other.';

create or replace function evenkeel.fsck_contradictions()
returns table (subject text, problem text) language sql stable
as $$
    with history as (
        select 'inventory' as kind, host_id, valid_from, valid_to, digest,
               lead(valid_from) over w as next_from, lead(digest) over w as next_digest
        from evenkeel.host_inventory window w as (partition by host_id order by valid_from, valid_to)
        union all
        select 'facts', host_id, valid_from, valid_to, digest, lead(valid_from) over w, lead(digest) over w
        from evenkeel.host_facts window w as (partition by host_id order by valid_from, valid_to)
    ), found as (
        select host_id, format('the history of its %s has a gap from %s to %s', kind, valid_to, next_from) as problem
        from history
        where valid_to < next_from
          and not exists (select from evenkeel.host_event e
                          where e.host_id = history.host_id and e.event = 'retired' and e.happened_at = valid_to)
        union all
        select host_id, format('two states of its %s overlap from %s to %s', kind, next_from, valid_to)
        from history where valid_to > next_from
        union all
        select host_id, format('its %s did not change at %s, but has two rows', kind, next_from)
        from history where valid_to = next_from and digest = next_digest
        union all
        select host_id, format('its %s ended at %s and nothing followed', kind, valid_to)
        from history
        where next_from is null and valid_to <> 'infinity'
          and not exists (select from evenkeel.host r where r.host_id = history.host_id and r.retired_at = valid_to)
        union all
        select c.host_id, 'its last check-in states another ' || x.kind || ' than is current'
        from evenkeel.host_checkin c
        left join evenkeel.host_inventory_current i using (host_id)
        left join evenkeel.host_facts_current f using (host_id)
        left join evenkeel.host_times t using (host_id)
        cross join lateral (values ('inventory', c.inventory, i.digest), ('facts', c.facts, f.digest), ('times', c.times, t.digest))
                   x (kind, stated, stored)
        where c.inventory <> '' and x.stated is distinct from x.stored
        union all
        select t.host_id, 'it has ' || t.kind || ', but is no host'
        from (select host_id, 'an inventory' as kind from evenkeel.host_inventory_current
              union all select host_id, 'facts' from evenkeel.host_facts_current
              union all select host_id, 'a check-in' from evenkeel.host_checkin
              union all select host_id, 'a key' from evenkeel.host_key) t
        where not exists (select from evenkeel.host h where h.host_id = t.host_id)
        union all
        select k.host_id, 'a key that is not there may speak for it'
        from evenkeel.host_key k where not exists (select from evenkeel.collector_key c where c.key_id = k.key_id)
    )
    select 'host ' || coalesce(h.name || ' (' || f.host_id || ')', f.host_id::text), f.problem
    from found f left join evenkeel.host h using (host_id)
    union all
    select 'host ' || h.name || ' (' || n.host_id || ')',
           format('it could not be judged since %s (%s), tried %s', n.since, n.error, case n.tries when 1 then 'once'
                  else n.tries || ' times' end)
    from evenkeel.not_judged n join evenkeel.host h using (host_id)
    union all
    select n.kind || ' ' || n.object || coalesce(format(' (%s)', p.path), ''), format('could not be judged since %s (%s)', n.since, n.error)
    from evenkeel.not_judged_object n
    left join evenkeel.file f on f.file_id = case when n.kind = 'file' then n.object::integer end
    left join evenkeel.path p using (path_id)
    union all
    select 'file ' || f.file_id, 'its path or its image is not there'
    from evenkeel.file f
    where not exists (select from evenkeel.path p where p.path_id = f.path_id)
       or not exists (select from evenkeel.image i where i.image_id = f.image_id)
    order by 1, 2
$$;
comment on function evenkeel.fsck_contradictions() is
  'Gaps, overlaps and duplicates in histories, rows that refer to what is not there, and what could not be judged.';
