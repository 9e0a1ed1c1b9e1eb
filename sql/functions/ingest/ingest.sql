-- From objects to rows: called by the aggregator's writer within one transaction per batch.

create or replace function evenkeel.ingest_begin()
returns bigint language plpgsql
as $$
begin
    perform evenkeel.lock_catalogue_shared();
    return (select epoch from evenkeel.content_epoch);
end
$$;
comment on function evenkeel.ingest_begin() is
  'Keeps prune and catalogue changes out until the transaction ends; returns the epoch of content ids.';

create or replace function evenkeel.store_paths(path_digests bytea[], paths text[], givers uuid[] default null)
returns table (ord integer, path_id integer) language plpgsql
as $$
declare
    new_paths integer[];
    new_givers uuid[];
begin
    with given as (
        select distinct on (g.digest) g.digest, g.path, g.giver
        from unnest(path_digests, paths, givers) g (digest, path, giver) order by g.digest
    ), inserted as (
        insert into evenkeel.path as p (digest, path, location, name)
        select g.digest, g.path, evenkeel.path_location(g.path), substring(g.path from '[^/]*$')
        from given g
        where not exists (select from evenkeel.path k where k.digest = g.digest and k.reading = '')
        order by g.digest
        on conflict (digest, reading) do nothing
        returning p.path_id, p.digest
    )
    select array_agg(i.path_id), array_agg(g.giver) into new_paths, new_givers from inserted i join given g using (digest);
    if new_paths is not null then
        perform evenkeel.match_paths(new_paths, new_givers);
    end if;
    return query
    select g.ord::integer, p.path_id
    from unnest(path_digests) with ordinality g (digest, ord) join evenkeel.path p on p.digest = g.digest and p.reading = '' order by g.ord;
end
$$;
comment on function evenkeel.store_paths(bytea[], text[], uuid[]) is
  'The path_id of each path as it is usually read, making those that are not there yet and binding them to components; givers: the hosts '
  'that sent them.';

create or replace function evenkeel.store_files(paths integer[], images integer[])
returns table (ord integer, file_id integer) language plpgsql
as $$
begin
    with inserted as (
        insert into evenkeel.file as f (path_id, image_id)
        select distinct g.path_id, g.image_id from unnest(paths, images) g (path_id, image_id)
        where not exists (select from evenkeel.file k where (k.path_id, k.image_id) = (g.path_id, g.image_id))
        order by 1, 2
        on conflict (path_id, image_id) do nothing
        returning f.file_id
    )
    insert into evenkeel.unjudged_file select i.file_id from inserted i;
    return query
    select g.ord::integer, f.file_id
    from unnest(paths, images) with ordinality g (path_id, image_id, ord) join evenkeel.file f using (path_id, image_id)
    order by g.ord;
end
$$;
comment on function evenkeel.store_files(integer[], integer[]) is
  'The file_id of each image at a path, making those that are not there yet; what is new waits in unjudged_file.';

create or replace function evenkeel.chunk_ends(digests bytea[])
returns table (digest bytea, first_path text, last_path text) language sql stable
as $$
    select c.digest, p.path, q.path
    from evenkeel.chunk c
    join evenkeel.file f on f.file_id = c.file_ids[1]
    join evenkeel.path p on p.path_id = f.path_id
    join evenkeel.file g on g.file_id = c.file_ids[cardinality(c.file_ids)]
    join evenkeel.path q on q.path_id = g.path_id
    where c.digest = any (digests) and c.reading = ''
$$;
comment on function evenkeel.chunk_ends(bytea[]) is 'The first and the last path of each of these chunks.';

create or replace function evenkeel.resolve_files(path_digests bytea[], paths text[], images integer[])
returns table (ord integer, file_id integer) language plpgsql
as $$
begin
    return query
    select s.ord, s.file_id
    from evenkeel.store_files(array(select p.path_id from evenkeel.store_paths(path_digests, paths) p order by p.ord), images) s;
    perform evenkeel.judge_content();
end
$$;
comment on function evenkeel.resolve_files(bytea[], text[], integer[]) is
  'The file_id of each (path, image), making paths and files that are not there yet, with all content judged that waits for it.';

create or replace function evenkeel.accept_snapshots()
returns table (host_id uuid, valid_from timestamptz, came_back text) language plpgsql
as $$
declare
    moment timestamptz;
    back jsonb;
begin
    -- The rows are locked since admission; the clock is read after that, so that validity times of a host never run backwards.
    moment := clock_timestamp();
    update ingest_snapshot s
    set chunk_ids = evenkeel.chunks_as_read(s.chunk_ids, evenkeel.host_reading(coalesce(s.facts, f.facts)), s.host_id)
    from ingest_snapshot o
    left join evenkeel.host_facts_current f using (host_id)
    where o.host_id = s.host_id and s.chunk_ids is not null;

    update evenkeel.host_inventory h set valid_to = greatest(moment, h.valid_from + interval '1 microsecond')
    from ingest_snapshot s
    where h.host_id = s.host_id and h.valid_to = 'infinity' and s.chunk_ids is not null and h.digest <> s.inventory;
    insert into evenkeel.host_inventory (host_id, valid_from, taken_at, digest, files, chunk_ids)
    select s.host_id, coalesce((select max(h.valid_to) from evenkeel.host_inventory_past h
                                where h.host_id = s.host_id and h.valid_to > moment), moment),
           s.taken_at, s.inventory, s.files, s.chunk_ids
    from ingest_snapshot s
    where s.chunk_ids is not null
      and not exists (select from evenkeel.host_inventory_current h where h.host_id = s.host_id);

    update evenkeel.host_facts h set valid_to = greatest(moment, h.valid_from + interval '1 microsecond')
    from ingest_snapshot s
    where h.host_id = s.host_id and h.valid_to = 'infinity' and s.facts is not null and h.digest <> s.facts_digest;
    insert into evenkeel.host_facts (host_id, valid_from, taken_at, digest, body, facts)
    select s.host_id, coalesce((select max(h.valid_to) from evenkeel.host_facts_past h where h.host_id = s.host_id and h.valid_to > moment),
                               moment),
           s.taken_at, s.facts_digest, s.facts_body, s.facts
    from ingest_snapshot s
    where s.facts is not null
      and not exists (select from evenkeel.host_facts_current h where h.host_id = s.host_id);

    -- Files that did not change are other places where the registry names other directories now.
    with moved as materialized (
        select i.host_id, n.chunk_ids
        from ingest_snapshot s
        join evenkeel.host_inventory_current i using (host_id)
        cross join lateral (select evenkeel.chunks_as_read(i.chunk_ids, evenkeel.host_reading(s.facts), i.host_id) as chunk_ids offset 0) n
        where s.chunk_ids is null and s.facts is not null and i.chunk_ids <> n.chunk_ids
    ), kept as materialized (
        select evenkeel.peers_keep(array(select m.host_id from moved m)) where exists (select from moved)
    )
    update evenkeel.host_inventory i set chunk_ids = m.chunk_ids
    from moved m, (select count(*) from kept) k
    where i.host_id = m.host_id and i.valid_to = 'infinity';

    insert into evenkeel.host_times as t (host_id, digest, times)
    select s.host_id, s.times_digest, s.times from ingest_snapshot s where s.times is not null
    on conflict on constraint host_times_pkey do update set digest = excluded.digest, times = excluded.times;

    insert into evenkeel.host_checkin as c (host_id, seen_at, taken_at, schedule_seconds, unreadable, inventory, facts, times, state_at)
    select s.host_id, moment, s.taken_at, s.schedule_seconds, s.unreadable, s.inventory, s.facts_digest, s.times_digest, moment
    from ingest_snapshot s
    on conflict on constraint host_checkin_pkey do update
        set seen_at = excluded.seen_at, taken_at = excluded.taken_at, schedule_seconds = excluded.schedule_seconds,
            unreadable = excluded.unreadable, inventory = excluded.inventory, facts = excluded.facts, times = excluded.times,
            state_at = excluded.state_at;

    with returned as (
        update evenkeel.host h set retired_at = null, retired_because = null
        from ingest_snapshot s, evenkeel.host o
        where h.host_id = s.host_id and o.host_id = h.host_id and o.retired_at is not null
        returning h.host_id, h.name, o.retired_at
    ), noted as (
        insert into evenkeel.host_event (host_id, happened_at, event, detail)
        select r.host_id, moment, 'came back', 'retired since ' || to_char(r.retired_at at time zone 'utc', 'YYYY-MM-DD HH24:MI') || ' UTC'
        from returned r
    )
    select jsonb_object_agg(r.host_id, r.name) into back from returned r;

    update evenkeel.host_key hk set changed_at = moment from ingest_snapshot s where hk.host_id = s.host_id and hk.key_id = s.key_id;
    insert into evenkeel.judge_queue (host_id) select s.host_id from ingest_snapshot s order by s.host_id
    on conflict do nothing;
    delete from evenkeel.upload u using ingest_snapshot s where u.host_id = s.host_id;

    return query select s.host_id, moment, back ->> s.host_id::text from ingest_snapshot s;
end
$$;
comment on function evenkeel.accept_snapshots() is
  'Makes the complete snapshots of ingest_snapshot their hosts'' current state, closes the state before, and queues the hosts to be '
  'judged. came_back is the name of a host that was retired until now.';
