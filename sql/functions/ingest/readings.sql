-- What place a path is, on a host that keeps its Windows elsewhere than under a usual name, or has a second one beside it.

create or replace function evenkeel.windows_of_path(path text)
returns text language sql immutable strict parallel safe
as $$ select substring(path from '^([a-z]:/(?:windows|winnt))/') $$;
comment on function evenkeel.windows_of_path(text) is 'The Windows directory that a path lies in by the usual names; null: none.';

create or replace function evenkeel.path_location(path text, windows text)
returns text language sql immutable parallel safe
as $$
    select case when coalesce(windows, '') = '' then evenkeel.path_location(path)
                when starts_with(path, windows || '/') then '%windir%' || substr(path, length(windows) + 1)
                else path end
$$;
comment on function evenkeel.path_location(text, text) is
  'The path with the host''s Windows directory written %windir%; where that is not known, a directory of a usual name.';

create or replace function evenkeel.path_reading(path text, windows text)
returns text language sql immutable parallel safe
as $$
    select case when evenkeel.path_location(path, windows) = evenkeel.path_location(path) then ''
                when starts_with(path, windows || '/') then windows
                else '-' end
$$;
comment on function evenkeel.path_reading(text, text) is 'Which row of path is the host''s, evenkeel.path.reading.';

create or replace function evenkeel.store_paths_read(digests bytea[], paths text[], windows text)
returns void language plpgsql
as $$
declare
    made integer[];
begin
    with given as (
        select distinct on (g.digest) g.digest, g.path, evenkeel.path_reading(g.path, windows) as reading
        from unnest(digests, paths) g (digest, path)
        order by g.digest
    ), inserted as (
        insert into evenkeel.path as p (digest, path, location, name, reading)
        select g.digest, g.path, evenkeel.path_location(g.path, windows), substring(g.path from '[^/]*$'), g.reading
        from given g
        where not exists (select from evenkeel.path k where (k.digest, k.reading) = (g.digest, g.reading))
        order by g.digest
        on conflict (digest, reading) do nothing
        returning p.path_id
    )
    select array_agg(i.path_id) into made from inserted i;
    if made is not null then
        perform evenkeel.match_paths(made);
    end if;
end
$$;
comment on function evenkeel.store_paths_read(bytea[], text[], text) is
  'Makes the rows of these paths as a host with that Windows directory reads them, where they are not there yet, and binds them to '
  'components.';

create or replace function evenkeel.usual_windows_of(files integer[])
returns text[] language sql stable
as $$
    select coalesce(array_agg(distinct w.folder), '{}')
    from unnest(files) u (file_id)
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id)
    cross join lateral (select evenkeel.windows_of_path(p.path) as folder) w
    where w.folder is not null
$$;
comment on function evenkeel.usual_windows_of(integer[]) is
  'The folders called as the Windows directory usually is that these files lie in.';

create or replace function evenkeel.chunk_reading(chunk evenkeel.chunk, windows text)
returns text language plpgsql stable
as $$
begin
    if coalesce(windows, '') = '' or coalesce(chunk.usual_windows, evenkeel.usual_windows_of(chunk.file_ids)) <@ array[windows]
       and (evenkeel.windows_of_path(windows || '/') is not null
            or not exists (select from unnest(chunk.file_ids) u (file_id) join evenkeel.file f using (file_id)
                           join evenkeel.path p using (path_id)
                           where starts_with(p.path, windows || '/'))) then
        return '';
    end if;
    return windows;
end
$$;
comment on function evenkeel.chunk_reading(evenkeel.chunk, text) is
  'Which row of chunk is the host''s, evenkeel.chunk.reading: the Windows directory if any path of it is read otherwise than usual '
  'there.';

create or replace function evenkeel.store_chunk_read(chunks bigint[], windows text)
returns void language plpgsql
as $$
begin
    -- Paths, then files, then chunks; each is made by whoever comes first.
    perform evenkeel.store_paths_read(array_agg(p.digest), array_agg(p.path), windows)
    from (select distinct p.digest, p.path
          from evenkeel.chunk c
          cross join unnest(c.file_ids) u (file_id)
          join evenkeel.file f using (file_id)
          join evenkeel.path p using (path_id)
          where c.chunk_id = any (chunks)) p;
    perform evenkeel.store_files(array_agg(e.path_id order by e.path_id, e.image_id), array_agg(e.image_id order by e.path_id, e.image_id))
    from (select distinct r.path_id, f.image_id
          from evenkeel.chunk c
          cross join unnest(c.file_ids) u (file_id)
          join evenkeel.file f using (file_id)
          join evenkeel.path p using (path_id)
          join evenkeel.path r on r.digest = p.digest and r.reading = evenkeel.path_reading(p.path, windows)
          where c.chunk_id = any (chunks)) e;
    with inserted as (
        insert into evenkeel.chunk as k (digest, file_ids, reading, usual_windows)
        select c.digest, array_agg(n.file_id order by u.place), windows, c.usual_windows
        from evenkeel.chunk c
        cross join unnest(c.file_ids) with ordinality u (file_id, place)
        join evenkeel.file f using (file_id)
        join evenkeel.path p using (path_id)
        join evenkeel.path r on r.digest = p.digest and r.reading = evenkeel.path_reading(p.path, windows)
        join evenkeel.file n on (n.path_id, n.image_id) = (r.path_id, f.image_id)
        where c.chunk_id = any (chunks)
        group by c.chunk_id
        order by c.digest
        on conflict (digest, reading) do nothing
        returning k.chunk_id
    )
    insert into evenkeel.unjudged_chunk select i.chunk_id from inserted i;
end
$$;
comment on function evenkeel.store_chunk_read(bigint[], text) is
  'Makes the rows of these chunks as hosts with that Windows directory (empty: as usual) read them.';

create or replace function evenkeel.one_windows(chunks bigint[], windows text)
returns text language sql stable
as $$
    -- Of several of a usual name the first counts.
    select case when coalesce(windows, '') <> '' then windows
                else coalesce((select min(w.folder)
                               from unnest(chunks) k (chunk_id)
                               join evenkeel.chunk c using (chunk_id)
                               cross join unnest(coalesce(c.usual_windows, evenkeel.usual_windows_of(c.file_ids))) w (folder)
                               having count(distinct w.folder) > 1), '') end
$$;
comment on function evenkeel.one_windows(bigint[], text) is
  'The Windows directory by which a host''s chunks are read: the one that it states; empty: as usual, for its paths lie in one of a '
  'usual name at most.';

create or replace function evenkeel.chunks_as_read(chunks bigint[], windows text)
returns bigint[] language plpgsql
as $$
declare
    own text := evenkeel.one_windows(chunks, windows);
    missing bigint[];
    read_as bigint[];
begin
    -- Nearly always: a usual name, and nothing in another folder that is called so.
    if (own = '' or evenkeel.windows_of_path(own || '/') is not null)
       and not exists (select from evenkeel.chunk c
                       where c.chunk_id = any (chunks)
                         and (c.reading <> '' or (own <> '' and (c.usual_windows is null or not c.usual_windows <@ array[own])))) then
        return chunks;
    end if;
    create temporary table if not exists reading_wanted (chunk_id bigint, digest bytea, reading text, given text) on commit delete rows;
    delete from reading_wanted;
    insert into reading_wanted
    select c.chunk_id, c.digest, evenkeel.chunk_reading(c, own), c.reading from evenkeel.chunk c where c.chunk_id = any (chunks);
    if not exists (select from reading_wanted w where w.reading <> w.given) then
        return chunks;
    end if;
    for own in select distinct w.reading from reading_wanted w where w.reading <> w.given loop
        select array_agg(w.chunk_id) into missing
        from reading_wanted w
        where w.reading = own and w.reading <> w.given
          and not exists (select from evenkeel.chunk k where (k.digest, k.reading) = (w.digest, w.reading));
        if missing is not null then
            perform evenkeel.store_chunk_read(missing, own);
        end if;
    end loop;
    select array_agg(k.chunk_id order by u.place) into read_as
    from unnest(chunks) with ordinality u (chunk_id, place)
    join reading_wanted w using (chunk_id)
    join evenkeel.chunk k on (k.digest, k.reading) = (w.digest, w.reading);
    return read_as;
end
$$;
comment on function evenkeel.chunks_as_read(bigint[], text) is
  'A host''s chunks, each by the row that reads its paths as a host with that Windows directory does; makes those that are not there '
  'yet.';
