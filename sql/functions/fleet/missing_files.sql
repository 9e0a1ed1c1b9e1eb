-- What is not there on the hosts of a state: images of services, and files that their peers have. In steps with tables between them,
-- so that the planner knows how much there is; what can be is worked out once per chunk.

create or replace function evenkeel.missing_begin()
returns void language plpgsql
as $$
begin
    perform evenkeel.missing_open();
    delete from missing_chunk; delete from missing_list; delete from missing_named; delete from missing_want; delete from missing_need;
    delete from missing_spelled; delete from missing_there; delete from missing_absent; delete from missing_folder;
    delete from missing_seen; delete from missing_peer; delete from missing_common; delete from missing_part;
    delete from missing_incomplete; delete from missing_content; delete from missing_unmet;
    insert into missing_chunk select h.host_id, c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id);
    analyze missing_chunk;
end
$$;
comment on function evenkeel.missing_begin() is
    'Empties the relations of state_missing_services() and state_missing_peers(), and notes the chunks of the state.';

create or replace function evenkeel.missing_content_add()
returns void language plpgsql
as $$
begin
    -- Chunks of the hosts that lack something, those that were not looked into yet.
    insert into missing_content (chunk_id, location, folder)
    select k.chunk_id, p.location, substring(p.path from '^(.*)/')
    from (select distinct chunk_id from missing_chunk
          where host_id in (select f.host_id from state_facts f
                            where f.host_id in (select a.host_id from missing_absent a) and coalesce(f.facts -> 'covered', '[]') = '[]'
                            union select host_id from missing_incomplete)
          except select chunk_id from missing_content) k
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id);
    analyze missing_content;
end
$$;
comment on function evenkeel.missing_content_add() is 'What is in the chunks of hosts that lack something.';

create or replace function evenkeel.missing_needs()
returns void language plpgsql
as $$
begin
    -- Hosts installed alike have the same list of services.
    insert into missing_list (host_id, list)
    select f.host_id, md5((f.facts -> 'services')::text || evenkeel.service_places(f.facts)::text)::uuid
    from state_facts f
    where jsonb_typeof(f.facts -> 'services') = 'array';
    analyze missing_list;
    insert into missing_named
    with first_of as materialized (
        select distinct on (l.list) l.list, l.host_id from missing_list l order by l.list, l.host_id
    ), told as materialized (
        -- Taken out of the facts once: they may be large, and every look into them unpacks all of them.
        select l.list, evenkeel.service_places(f.facts) as places, f.facts -> 'services' as services
        from first_of l
        join state_facts f using (host_id)
    ), service as materialized (
        select t.list, t.places, s.name, coalesce(s.start, 3) as start, coalesce(s.type, 16) as type,
               c.what, coalesce(c.command, '') as command, c.what = 'ServiceDll' and s.image_path ~* '[\\/]syswow64[\\/]' as is_x86,
               case when c.command <> '' then '' else s.name end as nameless
        from told t
        cross join jsonb_to_recordset(t.services) s (name text, start bigint, type bigint, image_path text, service_dll text)
        cross join lateral (values ('ImagePath', s.image_path), ('ServiceDll', s.service_dll)) c (what, command)
        where coalesce(s.start, 0) <> 4 and (c.command <> '' or c.what = 'ImagePath')
    ), named as materialized (
        select d.*, i.path, i.candidates, i.folders
        from (select distinct s.what, s.command, s.nameless, s.type & 15 as type, s.is_x86, s.places from service s) d
        cross join lateral evenkeel.service_image(d.what, d.command, d.nameless, d.type, d.is_x86, d.places) i
        where i.path is not null
    )
    select s.list, s.name, s.start, s.type, s.what, s.command, n.path, n.candidates, n.folders
    from service s
    join named n on n.command = s.command and n.places = s.places and n.what = s.what and n.nameless = s.nameless
                    and n.type = s.type & 15 and n.is_x86 is not distinct from s.is_x86;
    insert into missing_want (want, path, candidates, folders)
    select row_number() over (), path, candidates, folders from (select distinct path, candidates, folders from missing_named) d;
    analyze missing_want;
    insert into missing_need (list, want, name, start, type, what, command)
    select n.list, w.want, n.name, n.start, n.type, n.what, n.command
    from missing_named n join missing_want w using (path, candidates, folders);
    analyze missing_need;
end
$$;
comment on function evenkeel.missing_needs() is 'The files that services of the state''s hosts run from, but those of disabled ones.';

create or replace function evenkeel.missing_find()
returns void language plpgsql
as $$
begin
    insert into missing_spelled
    with spelling as materialized (
        select w.want, c.spelled, evenkeel.is_short_path(c.spelled) as short, substring(c.spelled from '[^/]*$') as name
        from missing_want w cross join unnest(w.candidates) c (spelled)
    ), spelled_path as (
        select s.want, p.path_id from spelling s join evenkeel.path p on p.name = s.name and p.path = s.spelled where not s.short
        union
        select s.want, p.path_id
        from spelling s join evenkeel.path p on p.name = s.name and p.path ~ evenkeel.short_path_regex(s.spelled)
        where s.short and not evenkeel.is_short_path(s.name)
        union
        select s.want, p.path_id
        from spelling s
        join evenkeel.path p on starts_with(p.name, left(s.name, 1)) and p.path ~ evenkeel.short_path_regex(s.spelled)
        where s.short and evenkeel.is_short_path(s.name)
    )
    select s.want, count(*) over (partition by s.want) > 1, s.path_id from spelled_path s;
    analyze missing_spelled;
    insert into missing_there (chunk_id, want)
    with spelled_file as materialized (
        select s.want, f.file_id from missing_spelled s join evenkeel.file f using (path_id)
    )
    select distinct k.chunk_id, s.want
    from (select distinct m.chunk_id from missing_chunk m) k
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join spelled_file s using (file_id);
    analyze missing_there;

    -- Hosts whose chunks hold as many of the files as their list names need no closer look, but for files that are nowhere, and those that
    -- may lie at several places.
    insert into missing_absent (host_id, want, path)
    with need as materialized (
        select distinct n.list, n.want, n.want not in (select t.want from missing_there t) as nowhere,
               n.want in (select s.want from missing_spelled s where s.several) as several
        from missing_need n
    ), total as materialized (
        select n.list, count(*) as files from need n where not n.nowhere and not n.several group by n.list
    ), part as materialized (
        select n.list, t.chunk_id, count(*) as files
        from need n join missing_there t using (want) where not n.several group by n.list, t.chunk_id
    ), held as materialized (
        select l.host_id, sum(p.files) as files
        from missing_list l
        join missing_chunk c using (host_id)
        join part p on p.list = l.list and p.chunk_id = c.chunk_id
        group by l.host_id
    ), incomplete as materialized (
        select l.host_id, l.list
        from missing_list l join total t using (list) left join held h using (host_id)
        where coalesce(h.files, 0) <> t.files
    ), looked as materialized (
        select i.host_id, n.want from incomplete i join need n using (list) where not n.nowhere and not n.several
        union all
        select l.host_id, n.want from missing_list l join need n using (list) where n.several and not n.nowhere
    )
    select a.host_id, a.want, w.path
    from (select l.host_id, n.want from missing_list l join need n using (list) where n.nowhere
          union all
          (select host_id, want from looked
           except
           select c.host_id, t.want from missing_chunk c join missing_there t using (chunk_id)
           where t.want in (select want from looked) and c.host_id in (select host_id from looked))) a
    join missing_want w using (want);
    analyze missing_absent;
end
$$;
comment on function evenkeel.missing_find() is
  'The files of missing_needs() that are on no disk of the host, as far as these were collected.';

create or replace function evenkeel.missing_forget_unseen()
returns void language plpgsql
as $$
begin
    -- A folder that was not looked into is unknown, not empty: what a collector says it looked into, or where it does not say, folders of
    -- which other files were collected.
    insert into missing_folder
    with looked as materialized (
        -- Once per host, for facts may be large.
        select f.host_id, jsonb_build_object('covered', coalesce(f.facts -> 'covered', '[]'), 'not_seen', f.facts -> 'not_seen') as facts
        from state_facts f where f.host_id in (select a.host_id from missing_absent a)
    )
    select o.host_id, o.folder, evenkeel.is_short_path(o.folder), l.facts
    from (select distinct a.host_id, u.folder
          from missing_absent a join missing_want w using (want) cross join unnest(w.folders) u (folder)) o
    join looked l using (host_id);
    analyze missing_folder;
    insert into missing_seen
    select m.host_id, m.folder
    from missing_folder m
    cross join lateral jsonb_array_elements_text(m.facts -> 'covered') c (glob)
    cross join lateral (select regexp_replace(c.glob, '/\*+$', '') as root, c.glob like '%/**' as deep) g
    where case when g.deep then evenkeel.may_lie_in(m.folder, g.root)
               else m.folder = g.root or m.short and g.root ~ evenkeel.short_path_regex(m.folder) end
      -- Copies of files, which are left out below folders that are taken in.
      and m.folder !~ ('/(system32/(dllcache|driverstore/filerepository|reinstallbackups|config)'
                       || '|installshield installation information)(/|$)')
    union
    select m.host_id, m.folder
    from missing_folder m
    join missing_chunk c using (host_id)
    join missing_content k
        on k.chunk_id = c.chunk_id and (k.folder = m.folder or m.short and k.folder ~ evenkeel.short_path_regex(m.folder))
    where m.facts -> 'covered' = '[]';
    delete from missing_absent a
    using missing_want w
    where w.want = a.want
      and (exists (select from unnest(w.folders) o (folder)
                   where (a.host_id, o.folder) not in (select s.host_id, s.folder from missing_seen s))
           or exists (select from missing_folder m cross join lateral evenkeel.not_seen_entries(m.facts) n
                      where m.host_id = a.host_id and m.folder = any (w.folders)
                        and n.kind in ('link', 'same_path', 'unreadable', 'unnameable', 'packed', 'unknown')
                        and (n.what = '' or n.what = a.path or n.what = any (w.candidates)
                             or evenkeel.may_lie_in(m.folder, n.what))));
end
$$;
comment on function evenkeel.missing_forget_unseen() is 'Takes files out of missing_absent that may lie where nobody looked.';

create or replace function evenkeel.state_missing_services()
returns table (host_id uuid, path text, name text, start bigint, type bigint, what text, command text) language plpgsql
as $$
begin
    perform evenkeel.missing_begin();
    perform evenkeel.missing_needs();
    perform evenkeel.missing_find();
    perform evenkeel.missing_content_add();
    perform evenkeel.missing_forget_unseen();
    return query
    select a.host_id, a.path, n.name, n.start, n.type, n.what, n.command
    from missing_absent a
    join missing_list l using (host_id)
    join missing_need n on n.list = l.list and n.want = a.want;
end
$$;
comment on function evenkeel.state_missing_services() is
    'Services of the state''s hosts, but disabled ones, whose file is not there although its folder was looked into.';

create or replace function evenkeel.missing_peers_find()
returns void language plpgsql
as $$
begin
    insert into missing_peer (host_id, product_id, peers)
    select p.host_id, p.product_id, p.peers
    from (select s.host_id, s.product_id, evenkeel.peers_of(s.levels, s.declared, s.verdict, f.facts) as peers
          from state_product s join state_facts f using (host_id)) p
    where p.peers is not null;
    analyze missing_peer;
    insert into missing_common
    select pf.product_id, pf.peers, pf.location, pf.component_id, pf.hosts, pf.holders
    from (select distinct m.product_id, m.peers from missing_peer m) g
    join evenkeel.peer_file pf using (product_id, peers);
    analyze missing_common;
    if not exists (select from missing_common) then
        return;
    end if;
    insert into missing_part (product_id, peers, chunk_id, files)
    select m.product_id, m.peers, e.chunk_id, count(*)
    from (select k.chunk_id, p.location
          from (select distinct c.chunk_id from missing_chunk c) k
          join state_chunk sc using (chunk_id)
          cross join unnest(sc.file_ids) u (file_id)
          join evenkeel.file f using (file_id)
          join evenkeel.path p using (path_id)) e
    join missing_common m using (location)
    group by m.product_id, m.peers, e.chunk_id;
    analyze missing_part;
    insert into missing_incomplete (host_id, product_id, peers)
    with held as materialized (
        select pe.host_id, pe.product_id, pe.peers, sum(mp.files) as files
        from missing_part mp
        join missing_chunk c using (chunk_id)
        join missing_peer pe on pe.host_id = c.host_id and pe.product_id = mp.product_id and pe.peers = mp.peers
        group by pe.host_id, pe.product_id, pe.peers
    ), total as materialized (
        select m.product_id, m.peers, count(*) as files from missing_common m group by m.product_id, m.peers
    )
    select pe.host_id, pe.product_id, pe.peers
    from missing_peer pe
    join total t on t.product_id = pe.product_id and t.peers = pe.peers
    left join held h on h.host_id = pe.host_id and h.product_id = pe.product_id
    where coalesce(h.files, 0) < t.files;
    analyze missing_incomplete;
    perform evenkeel.missing_content_add();

    insert into missing_unmet (host_id, product_id, location, component_id, hosts, holders)
    with gap as materialized (
        select x.host_id, m.product_id, m.location
        from missing_incomplete x join missing_common m using (product_id, peers)
        except
        select x.host_id, x.product_id, k.location
        from missing_incomplete x
        join missing_chunk c on c.host_id = x.host_id
        join missing_content k on k.chunk_id = c.chunk_id
    )
    select g.host_id, g.product_id, g.location, m.component_id, m.hosts, m.holders
    from gap g
    join missing_incomplete x on x.host_id = g.host_id and x.product_id = g.product_id
    join missing_common m on m.product_id = x.product_id and m.peers = x.peers and m.location = g.location;
    analyze missing_unmet;
end
$$;
comment on function evenkeel.missing_peers_find() is
    'Fills missing_unmet: what hosts of the state lack of the files that nearly all of their peers have.';

create or replace function evenkeel.state_missing_peers()
returns table (host_id uuid, product_id integer, location text, component_id integer, hosts integer, holders integer) language plpgsql
as $$
begin
    perform evenkeel.missing_peers_find();
    return query
    with component_total as materialized (
        select m.product_id, m.peers, m.component_id, count(*) as files from missing_common m group by m.product_id, m.peers, m.component_id
    ), component_gap as materialized (
        select u.host_id, u.product_id, u.component_id, count(*) as files from missing_unmet u
        group by u.host_id, u.product_id, u.component_id
    ), installed as materialized (
        -- Of a component most of whose files are not there none is missing: it is not installed.
        select g.host_id, g.product_id, g.component_id
        from component_gap g
        join missing_incomplete x on x.host_id = g.host_id and x.product_id = g.product_id
        join component_total t on t.product_id = x.product_id and t.peers = x.peers and t.component_id = g.component_id
        where g.files * 2 <= t.files
    ), place as materialized (
        -- Once per host, for facts may be large.
        select u.host_id, evenkeel.host_reading(f.facts) as reading
        from (select distinct m.host_id from missing_unmet m) u left join state_facts f using (host_id)
    ), collected as materialized (
        select distinct c.host_id, evenkeel.path_location(k.folder || '/', p.reading) as folder
        from (select distinct m.chunk_id, m.folder from missing_content m) k
        join missing_chunk c using (chunk_id)
        join place p on p.host_id = c.host_id
    ), hidden as materialized (
        -- What a link leads to, what could not be read and names that can't be told may be the file; of many such the places are not told.
        select p.host_id, case when n.what <> '' then evenkeel.path_location(n.what, p.reading) end as location
        from place p
        join state_facts f using (host_id)
        cross join lateral evenkeel.not_seen_entries(f.facts) n
        where n.kind in ('link', 'unnameable', 'unreadable', 'packed', 'unknown')
    ), of_services as materialized (
        select distinct a.host_id, evenkeel.path_location(a.path, p.reading) as location from missing_absent a join place p using (host_id)
    )
    select u.host_id, u.product_id, u.location, u.component_id, u.hosts, u.holders
    from missing_unmet u
    join installed i on i.host_id = u.host_id and i.product_id = u.product_id and i.component_id = u.component_id
    join collected c on c.host_id = u.host_id and c.folder = substring(u.location from '^(.*/)')
    where not exists (select from of_services a where a.host_id = u.host_id and a.location = u.location)
      and not exists (select from hidden h
                      where h.host_id = u.host_id
                        and (h.location is null or h.location = u.location
                             or h.location || '/' = substring(u.location from '^(.*/)')));
end
$$;
comment on function evenkeel.state_missing_peers() is
    'Files that the hosts of a product and level have but for a few, of which this is one (evenkeel.peer_file): how many hosts there are, '
    'and how many have it; images of services left out. To be called after state_missing_services().';
