-- Content is judged once for the fleet, in pieces that hold nobody up, and one file or chunk that can't be judged does not keep the others
-- from it.

create or replace function evenkeel.judge_files_apart(files integer[])
returns void language plpgsql
as $$
begin
    perform evenkeel.work_apart(files::text[], 'select evenkeel.judge_files($1::integer[])',
                                'select evenkeel.set_object_aside(''file'', $1, $2)');
end
$$;
comment on function evenkeel.judge_files_apart(integer[]) is 'Judges files; one that makes that fail is set aside.';

create or replace function evenkeel.judge_chunks_apart(chunks bigint[])
returns void language plpgsql
as $$
begin
    perform evenkeel.work_apart(chunks::text[], 'select evenkeel.judge_chunks($1::bigint[])',
                                'select evenkeel.set_object_aside(''chunk'', $1, $2)');
end
$$;
comment on function evenkeel.judge_chunks_apart(bigint[]) is 'Judges chunks; one that makes that fail is set aside.';

create or replace function evenkeel.set_apart_importers(hosts uuid[], chunks bigint[], files integer[])
returns void language sql
as $$
    with heavy as materialized (
        -- What the files of a folder import of one DLL is looked up and followed together.
        select n.chunk_id, max(n.names) as names
        from (select c.chunk_id, m.dll, sum(cardinality(m.names) + cardinality(m.ordinals)) as names
              from evenkeel.chunk c cross join unnest(c.file_ids) u (file_id)
              join (select distinct unnest(files) as file_id) fresh using (file_id)
              join evenkeel.file f using (file_id)
              join evenkeel.image_import m using (image_id)
              where c.chunk_id = any (chunks)
              group by c.chunk_id, m.dll) n
        where n.names > (select evenkeel.setting('judge.big-import')::integer)
        group by n.chunk_id
    ), holding as materialized (
        select i.host_id, max(h.names) as names
        from evenkeel.host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id) join heavy h using (chunk_id)
        where i.host_id = any (hosts) and exists (select from heavy)
        group by i.host_id
    )
    insert into evenkeel.slow_host (host_id, reason)
    select g.host_id, format('new files that import %s names of one DLL', g.names)
    from holding g
    -- What many hold is an application of theirs: it is followed once for all of them.
    where (select count(*) from holding) <= 4
    on conflict do nothing
$$;
comment on function evenkeel.set_apart_importers(uuid[], bigint[], integer[]) is
    'Puts those of these hosts among the slow ones that hold, in these chunks, such of these new files as import so much that to follow '
    'it takes long, unless many do. Who is quick even so goes back after one turn there.';

create or replace function evenkeel.judge_content_of(hosts uuid[], most integer)
returns integer language plpgsql
as $$
declare
    chunks bigint[];
    files integer[];
begin
    if not exists (select from evenkeel.unjudged_chunk) then
        return 0;
    end if;
    -- A session's first content comes before its first state, and to compile what judges it takes longer than to run it.
    perform set_config('jit', 'off', true);
    perform evenkeel.lock_catalogue_shared();
    -- What another session is judging is still to be seen here: then it is waited for. Of other hosts' content nobody waits for anything.
    if not exists (select from evenkeel.host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id)
                   join evenkeel.unjudged_chunk using (chunk_id) where i.host_id = any (hosts)) then
        return 0;
    end if;
    perform evenkeel.lock_content();
    -- Hosts alike hold the same chunks. Whole chunks, so that no file is left behind whose chunk is told to be judged.
    with held as (
        select distinct u.chunk_id
        from evenkeel.host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id)
        where i.host_id = any (hosts)
    ), waiting as (
        select u.chunk_id, sum(cardinality(c.file_ids)) over (order by u.chunk_id) as files
        from evenkeel.unjudged_chunk u join held using (chunk_id) join evenkeel.chunk c using (chunk_id)
    ), taken as (
        delete from evenkeel.unjudged_chunk u using waiting w
        where u.chunk_id = w.chunk_id and (w.files <= most or w.chunk_id = (select min(f.chunk_id) from waiting f))
        returning u.chunk_id
    )
    select array_agg(chunk_id) into chunks from taken;
    if chunks is null then
        return 0;
    end if;
    with taken as (
        delete from evenkeel.unjudged_file u
        using (select distinct f.file_id from evenkeel.chunk c cross join unnest(c.file_ids) f (file_id) where c.chunk_id = any (chunks)) h
        where u.file_id = h.file_id
        returning u.file_id
    )
    select array_agg(file_id) into files from taken;
    if files is not null then
        perform evenkeel.judge_files_apart(files);
    end if;
    perform evenkeel.judge_chunks_apart(chunks);
    perform evenkeel.set_apart_importers(hosts, chunks, files);
    return cardinality(chunks) + coalesce(cardinality(files), 0);
end
$$;
comment on function evenkeel.judge_content_of(uuid[], integer) is
    'Judges content that these hosts hold and that waits for it, chunks of so many files together at a time; returns how much, 0: '
    'nothing waits any more.';

create or replace function evenkeel.doubt_content()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not exists (select from not_judged_object where kind in ('file', 'chunk')) then
        return;
    end if;
    update state_product p
    set verdict = case p.verdict when 'level' then 'unknown' else p.verdict end,
        missing = concat_ws('; ', nullif(p.missing, ''), d.missing)
    from (
        select h.host_id, format('%s could not be judged (%s)', min(o.what), left(min(o.error), 300)) as missing
        from (
            select c.chunk_id, format('its file %s', pa.path) as what, n.error
            from not_judged_object n
            join file f on f.file_id = case when n.kind = 'file' then n.object::integer end
            join path pa using (path_id)
            join chunk c on c.file_ids @> array[f.file_id]
            where n.kind = 'file'
            union all
            select case when n.kind = 'chunk' then n.object::bigint end, format('a run of its files (chunk %s)', n.object), n.error
            from not_judged_object n where n.kind = 'chunk'
        ) o
        join state_host h on h.chunk_ids @> array[o.chunk_id]
        group by h.host_id
    ) d
    where p.host_id = d.host_id;
end
$$;
comment on function evenkeel.doubt_content() is
    'Hosts of state_host that hold content which could not be judged are not level: of it nothing is known.';
