-- What place a path is, on a host that keeps its Windows or its programs elsewhere than under usual names, or has a second one beside it.

create or replace function evenkeel.windows_of_path(path text)
returns text language sql immutable strict parallel safe
as $$ select substring(path from '^([a-z]:/(?:windows|winnt))/') $$;
comment on function evenkeel.windows_of_path(text) is 'The Windows directory that a path lies in by the usual names; null: none.';

create or replace function evenkeel.host_reading(facts jsonb)
returns text language plpgsql immutable parallel safe
as $$
declare
    -- A name with a bar in it is none that Windows takes.
    windows text := case when facts ->> 'windows_directory' like '%|%' then '' else coalesce(facts ->> 'windows_directory', '') end;
    places jsonb := evenkeel.program_places(facts);
    folders text := concat('|', places ->> 'programs', '|', places ->> 'common', '|', places ->> 'programs_x86',
                           '|', places ->> 'common_x86');
begin
    if folders = '|c:/program files|c:/program files/common files|c:/program files (x86)|c:/program files (x86)/common files'
       or folders ~ '\|(\||$)' or folders ~ '(\|[^|]*){5}' then
        return windows;
    end if;
    return windows || folders;
end
$$;
comment on function evenkeel.host_reading(jsonb) is
  'How a host reads its paths: its Windows directory (empty: as the usual names say), and where its program_places() are not the usual '
  'ones, |programs|common|programs_x86|common_x86.';

create or replace function evenkeel.reading_windows(reading text)
returns text language sql immutable strict parallel safe
as $$ select split_part(reading, '|', 1) $$;
comment on function evenkeel.reading_windows(text) is 'The Windows directory of a host_reading(); empty: not known.';

create or replace function evenkeel.reading_programs(reading text)
returns text language sql immutable strict parallel safe
as $$ select coalesce(substring(reading from '\|.*$'), '') $$;
comment on function evenkeel.reading_programs(text) is
  'The folders of programs of a host_reading(), each behind a bar; empty: the usual ones.';

create or replace function evenkeel.usual_program_path(path text, programs text)
returns text language sql immutable strict parallel safe
as $$
    -- The longest folder that it lies in; a folder that is only called as the usual one is none of the host's.
    select case when programs = '' then path
                else coalesce((select f.usual || substr(path, length(f.folder) + 1)
                               from (values (split_part(programs, '|', 2), 'c:/program files'),
                                            (split_part(programs, '|', 3), 'c:/program files/common files'),
                                            (split_part(programs, '|', 4), 'c:/program files (x86)'),
                                            (split_part(programs, '|', 5), 'c:/program files (x86)/common files')) f (folder, usual)
                               where starts_with(path, f.folder || '/')
                               order by length(f.folder) desc, f.usual limit 1),
                              regexp_replace(path, '^c(?=:/program files(?: \(x86\))?/)', '-')) end
$$;
comment on function evenkeel.usual_program_path(text, text) is
  'A path below the folders of programs of a reading, with those called as they usually are: c:/program files, c:/program files (x86) and '
  'common files in either. One that lies below another folder of such a name gets - for its drive.';

create or replace function evenkeel.path_location(path text, reading text)
returns text language sql immutable parallel safe
as $$
    select case when coalesce(r.windows, '') = '' then evenkeel.path_location(r.below)
                when starts_with(path, r.windows || '/') then '%windir%' || substr(path, length(r.windows) + 1)
                else r.below end
    from (select evenkeel.reading_windows(reading) as windows,
                 coalesce(evenkeel.usual_program_path(path, evenkeel.reading_programs(reading)), path) as below) r
$$;
comment on function evenkeel.path_location(text, text) is
  'The path with the host''s Windows directory written %windir% and its folders of programs called as usual; where they are not known, '
  'directories of usual names.';

create or replace function evenkeel.location_path(location text, reading text)
returns text language sql immutable parallel safe
as $$
    select case when location like '\%windir\%/%'
                then coalesce(nullif(evenkeel.reading_windows(reading), ''), 'c:/windows') || substr(location, length('%windir%') + 1)
                else coalesce((select f.folder || substr(location, length(f.usual) + 1)
                               from (values (split_part(reading, '|', 2), 'c:/program files'),
                                            (split_part(reading, '|', 3), 'c:/program files/common files'),
                                            (split_part(reading, '|', 4), 'c:/program files (x86)'),
                                            (split_part(reading, '|', 5), 'c:/program files (x86)/common files')) f (folder, usual)
                               where f.folder <> '' and starts_with(location, f.usual || '/')
                               order by length(f.usual) desc limit 1), location) end
$$;
comment on function evenkeel.location_path(text, text) is 'Where a location lies on hosts with this host_reading().';

create or replace function evenkeel.path_reading(path text, reading text)
returns text language sql immutable parallel safe
as $$
    select case when l.location = evenkeel.path_location(path) then ''
                when l.location = path then '-'
                when l.location like '\%windir\%/%' and starts_with(path, evenkeel.reading_windows(reading) || '/')
                then evenkeel.reading_windows(reading)
                else evenkeel.reading_programs(reading) end
    from (select evenkeel.path_location(path, reading) as location) l
$$;
comment on function evenkeel.path_reading(text, text) is 'Which row of path is the host''s, evenkeel.path.reading.';

create or replace function evenkeel.store_paths_read(digests bytea[], paths text[], host_reading text, giver uuid default null)
returns void language plpgsql
as $$
declare
    made integer[];
begin
    with given as (
        select distinct on (g.digest) g.digest, g.path, evenkeel.path_reading(g.path, host_reading) as reading
        from unnest(digests, paths) g (digest, path)
        order by g.digest
    ), inserted as (
        insert into evenkeel.path as p (digest, path, location, name, reading)
        select g.digest, g.path, evenkeel.path_location(g.path, host_reading), substring(g.path from '[^/]*$'), g.reading
        from given g
        where not exists (select from evenkeel.path k where (k.digest, k.reading) = (g.digest, g.reading))
        order by g.digest
        on conflict (digest, reading) do nothing
        returning p.path_id
    )
    select array_agg(i.path_id) into made from inserted i;
    if made is not null then
        perform evenkeel.match_paths(made, array_fill(giver, array[cardinality(made)]));
    end if;
end
$$;
comment on function evenkeel.store_paths_read(bytea[], text[], text, uuid) is
  'Makes the rows of these paths as hosts with that host_reading() read them, where they are not there yet, and binds them to '
  'components; giver: the host that has them.';

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

create or replace function evenkeel.chunk_reading(chunk evenkeel.chunk, host_reading text)
returns text language plpgsql stable
as $$
declare
    windows text := evenkeel.reading_windows(host_reading);
    programs text := evenkeel.reading_programs(host_reading);
begin
    -- Of either only what some path of the chunk is read by.
    if windows = '' or coalesce(chunk.usual_windows, evenkeel.usual_windows_of(chunk.file_ids)) <@ array[windows]
       and (evenkeel.windows_of_path(windows || '/') is not null
            or not exists (select from unnest(chunk.file_ids) u (file_id) join evenkeel.file f using (file_id)
                           join evenkeel.path p using (path_id)
                           where starts_with(p.path, windows || '/'))) then
        windows := '';
    end if;
    if programs <> ''
       and not exists (select from unnest(chunk.file_ids) u (file_id) join evenkeel.file f using (file_id)
                       join evenkeel.path p using (path_id)
                       where evenkeel.usual_program_path(p.path, programs) <> p.path) then
        programs := '';
    end if;
    return windows || programs;
end
$$;
comment on function evenkeel.chunk_reading(evenkeel.chunk, text) is
  'Which row of chunk is the host''s, evenkeel.chunk.reading: as much of the host''s reading as any path of it is read by otherwise than '
  'usual.';

create or replace function evenkeel.store_chunk_read(chunks bigint[], host_reading text, giver uuid)
returns void language plpgsql
as $$
begin
    -- Paths, then files, then chunks; each is made by whoever comes first.
    perform evenkeel.store_paths_read(array_agg(p.digest), array_agg(p.path), host_reading, giver)
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
          join evenkeel.path r on r.digest = p.digest and r.reading = evenkeel.path_reading(p.path, host_reading)
          where c.chunk_id = any (chunks)) e;
    with inserted as (
        insert into evenkeel.chunk as k (digest, file_ids, reading, usual_windows)
        select c.digest, array_agg(n.file_id order by u.place), host_reading, c.usual_windows
        from evenkeel.chunk c
        cross join unnest(c.file_ids) with ordinality u (file_id, place)
        join evenkeel.file f using (file_id)
        join evenkeel.path p using (path_id)
        join evenkeel.path r on r.digest = p.digest and r.reading = evenkeel.path_reading(p.path, host_reading)
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
comment on function evenkeel.store_chunk_read(bigint[], text, uuid) is
  'Makes the rows of these chunks, which a host has, as hosts with that host_reading() (empty: as usual) read them.';

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

create or replace function evenkeel.chunks_as_read(chunks bigint[], host_reading text, host uuid default null)
returns bigint[] language plpgsql
as $$
declare
    own text := evenkeel.one_windows(chunks, evenkeel.reading_windows(host_reading));
    programs text := coalesce(evenkeel.reading_programs(host_reading), '');
    missing bigint[];
    read_as bigint[];
begin
    -- Nearly always: usual names, and nothing in another folder that is called so.
    if programs = '' and (own = '' or evenkeel.windows_of_path(own || '/') is not null)
       and not exists (select from evenkeel.chunk c
                       where c.chunk_id = any (chunks)
                         and (c.reading <> '' or (own <> '' and (c.usual_windows is null or not c.usual_windows <@ array[own])))) then
        return chunks;
    end if;
    create temporary table if not exists reading_wanted (chunk_id bigint, digest bytea, reading text, given text) on commit delete rows;
    delete from reading_wanted;
    insert into reading_wanted
    select c.chunk_id, c.digest, evenkeel.chunk_reading(c, own || programs), c.reading
    from evenkeel.chunk c where c.chunk_id = any (chunks);
    if not exists (select from reading_wanted w where w.reading <> w.given) then
        return chunks;
    end if;
    for own in select distinct w.reading from reading_wanted w where w.reading <> w.given loop
        select array_agg(w.chunk_id) into missing
        from reading_wanted w
        where w.reading = own and w.reading <> w.given
          and not exists (select from evenkeel.chunk k where (k.digest, k.reading) = (w.digest, w.reading));
        if missing is not null then
            perform evenkeel.store_chunk_read(missing, own, host);
        end if;
    end loop;
    select array_agg(k.chunk_id order by u.place) into read_as
    from unnest(chunks) with ordinality u (chunk_id, place)
    join reading_wanted w using (chunk_id)
    join evenkeel.chunk k on (k.digest, k.reading) = (w.digest, w.reading);
    return read_as;
end
$$;
comment on function evenkeel.chunks_as_read(bigint[], text, uuid) is
  'A host''s chunks, each by the row that reads its paths as a host with that host_reading() (null: not known) does; makes those that '
  'are not there yet.';

create or replace function evenkeel.read_again()
returns bigint language plpgsql
as $$
declare
    changed bigint;
begin
    perform evenkeel.peers_keep(array(select r.host_id from evenkeel.host_to_read r));
    with changing as (
        update evenkeel.host_inventory i set chunk_ids = n.chunk_ids
        from evenkeel.host_to_read r
        join evenkeel.host_inventory_current c using (host_id)
        join evenkeel.host_facts_current f using (host_id)
        cross join lateral (select evenkeel.chunks_as_read(c.chunk_ids, evenkeel.host_reading(f.facts), c.host_id) as chunk_ids offset 0) n
        where i.host_id = r.host_id and i.valid_to = 'infinity' and i.chunk_ids <> n.chunk_ids
        returning i.host_id
    ), queued as (
        insert into evenkeel.judge_queue (host_id) select host_id from changing on conflict do nothing
    )
    select count(*) into changed from changing;
    delete from evenkeel.host_to_read;
    return changed;
end
$$;
comment on function evenkeel.read_again() is 'Reads the chunks of the hosts of host_to_read as these read them; how many changed.';
