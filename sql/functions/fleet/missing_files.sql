-- What is not there on the hosts of a state: images of services, and files that their peers have. In steps with tables between them,
-- so that the planner knows how much there is; what can be is worked out once per chunk.

create or replace function evenkeel.missing_state_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.missing_chunk') is null then
        create temporary table missing_chunk (host_id uuid, chunk_id bigint) on commit delete rows;
        create temporary table missing_list (host_id uuid, list uuid) on commit delete rows;
        create temporary table missing_need (list uuid, path text, name text, start bigint, type bigint, what text, command text)
            on commit delete rows;
        create temporary table missing_there (chunk_id bigint, path text) on commit delete rows;
        create temporary table missing_absent (host_id uuid, path text, folder text) on commit delete rows;
        create temporary table missing_peer (host_id uuid, product_id integer, peers text) on commit delete rows;
        create temporary table missing_common (product_id integer, peers text, location text, component_id integer, hosts integer, lacking uuid)
            on commit delete rows;
        create temporary table missing_part (product_id integer, peers text, chunk_id bigint, files bigint) on commit delete rows;
        create temporary table missing_incomplete (host_id uuid, product_id integer, peers text) on commit delete rows;
        create temporary table missing_content (chunk_id bigint, location text, folder text) on commit delete rows;
        create temporary table missing_unmet (host_id uuid, product_id integer, location text, component_id integer, hosts integer, lacking uuid)
            on commit delete rows;
    end if;
    delete from missing_chunk; delete from missing_list; delete from missing_need; delete from missing_there; delete from missing_absent; delete from missing_peer;
    delete from missing_common; delete from missing_part; delete from missing_incomplete; delete from missing_content; delete from missing_unmet;
    insert into missing_chunk select h.host_id, c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id);
    analyze missing_chunk;
end
$$;
comment on function evenkeel.missing_state_open() is 'Makes and empties the tables of state_missing_services() and state_missing_peers().';

create or replace function evenkeel.missing_content_add()
returns void language plpgsql
as $$
begin
    -- Chunks of the hosts that lack something, those that were not looked into yet.
    insert into missing_content (chunk_id, location, folder)
    select k.chunk_id, p.location, substring(p.path from '^(.*)/')
    from (select distinct chunk_id from missing_chunk
          where host_id in (select host_id from missing_absent union select host_id from missing_incomplete)
          except select chunk_id from missing_content) k
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id);
    analyze missing_content;
end
$$;
comment on function evenkeel.missing_content_add() is 'What is in the chunks of hosts that lack something.';

create or replace function evenkeel.state_missing_services()
returns table (host_id uuid, path text, name text, start bigint, type bigint, what text, command text) language plpgsql
as $$
begin
    perform evenkeel.missing_state_open();
    -- Hosts installed alike have the same list of services.
    insert into missing_list (host_id, list)
    select f.host_id, md5((f.facts -> 'services')::text || coalesce(f.facts ->> 'windows_directory', ''))::uuid
    from state_facts f
    where jsonb_typeof(f.facts -> 'services') = 'array';
    analyze missing_list;
    insert into missing_need (list, path, name, start, type, what, command)
    with first_of as materialized (
        select distinct on (l.list) l.list, l.host_id from missing_list l order by l.list, l.host_id
    ), service as materialized (
        select l.list, coalesce(f.facts ->> 'windows_directory', '') as windows, s.name, coalesce(s.start, 3) as start,
               coalesce(s.type, 16) as type, c.what, c.command
        from first_of l
        join state_facts f using (host_id)
        cross join jsonb_to_recordset(f.facts -> 'services') s (name text, start bigint, type bigint, image_path text, service_dll text)
        cross join lateral (values ('ImagePath', s.image_path), ('ServiceDll', s.service_dll)) c (what, command)
        where coalesce(s.start, 0) <> 4 and c.command <> ''
    ), named as materialized (
        select d.command, d.windows, evenkeel.service_file(d.command, d.windows) as path
        from (select distinct s.command, s.windows from service s) d
    )
    select s.list, n.path, s.name, s.start, s.type, s.what, s.command
    from service s join named n on n.command = s.command and n.windows = s.windows
    where n.path is not null;
    analyze missing_need;

    insert into missing_there (chunk_id, path)
    with spelling as materialized (
        -- What a 32-bit process finds: Windows turns system32 into syswow64 for it.
        select distinct n.path, s.spelled
        from (select distinct m.path from missing_need m) n
        cross join lateral (values (n.path), (regexp_replace(n.path, '^([a-z]:/[^/]+)/system32/', '\1/syswow64/'))) s (spelled)
    ), spelled_file as materialized (
        select s.path, f.file_id
        from spelling s
        join evenkeel.path p on p.name = substring(s.spelled from '[^/]*$') and p.path = s.spelled
        join evenkeel.file f using (path_id)
    ), entry as materialized (
        select k.chunk_id, u.file_id
        from (select distinct m.chunk_id from missing_chunk m) k
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        where u.file_id in (select s.file_id from spelled_file s)
    )
    select distinct e.chunk_id, s.path from entry e join spelled_file s using (file_id);
    analyze missing_there;

    -- Hosts whose chunks hold as many of the files as their list names, but for those that are nowhere, need no closer look.
    insert into missing_absent (host_id, path, folder)
    with need as materialized (
        select distinct n.list, n.path, n.path not in (select t.path from missing_there t) as nowhere from missing_need n
    ), total as materialized (
        select n.list, count(*) as files from need n where not n.nowhere group by n.list
    ), part as materialized (
        select n.list, t.chunk_id, count(*) as files from need n join missing_there t using (path) group by n.list, t.chunk_id
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
    )
    select a.host_id, a.path, substring(a.path from '^(.*)/')
    from (select l.host_id, n.path from missing_list l join need n using (list) where n.nowhere
          union all
          (select i.host_id, n.path from incomplete i join need n using (list) where not n.nowhere
           except select c.host_id, t.path from missing_chunk c join missing_there t using (chunk_id)
                  where c.host_id in (select i.host_id from incomplete i))) a;
    analyze missing_absent;
    perform evenkeel.missing_content_add();

    -- A folder of which nothing was collected is unknown, not empty.
    delete from missing_absent a
    where (a.host_id, a.folder) not in (
        select c.host_id, k.folder
        from missing_chunk c
        join (select distinct m.chunk_id, m.folder from missing_content m where m.folder in (select b.folder from missing_absent b)) k using (chunk_id));
    return query
    select a.host_id, a.path, n.name, n.start, n.type, n.what, n.command
    from missing_absent a
    join missing_list l using (host_id)
    join missing_need n on n.list = l.list and n.path = a.path;
end
$$;
comment on function evenkeel.state_missing_services() is
    'Services of the state''s hosts, but disabled ones, whose file is not there although other files of its folder are.';

create or replace function evenkeel.state_missing_peers()
returns table (host_id uuid, product_id integer, location text, component_id integer, hosts integer) language plpgsql
as $$
begin
    insert into missing_peer (host_id, product_id, peers)
    select p.host_id, p.product_id, p.peers
    from (select s.host_id, s.product_id, evenkeel.peers_of(s.levels, s.declared, s.verdict, f.facts) as peers
          from state_product s join state_facts f using (host_id)) p
    where p.peers is not null;
    analyze missing_peer;
    insert into missing_common
    select pf.product_id, pf.peers, pf.location, pf.component_id, pf.hosts, pf.lacking
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

    insert into missing_unmet (host_id, product_id, location, component_id, hosts, lacking)
    with gap as materialized (
        select x.host_id, m.product_id, m.location
        from missing_incomplete x join missing_common m using (product_id, peers)
        except
        select x.host_id, x.product_id, k.location
        from missing_incomplete x
        join missing_chunk c on c.host_id = x.host_id
        join missing_content k on k.chunk_id = c.chunk_id
    )
    select g.host_id, g.product_id, g.location, m.component_id, m.hosts, m.lacking
    from gap g
    join missing_incomplete x on x.host_id = g.host_id and x.product_id = g.product_id
    join missing_common m on m.product_id = x.product_id and m.peers = x.peers and m.location = g.location;
    analyze missing_unmet;

    return query
    with component_total as materialized (
        select m.product_id, m.peers, m.component_id, count(*) as files from missing_common m group by m.product_id, m.peers, m.component_id
    ), component_gap as materialized (
        select u.host_id, u.product_id, u.component_id, count(*) as files from missing_unmet u group by u.host_id, u.product_id, u.component_id
    ), installed as materialized (
        -- Of a component most of whose files are not there none is missing: it is not installed.
        select g.host_id, g.product_id, g.component_id
        from component_gap g
        join missing_incomplete x on x.host_id = g.host_id and x.product_id = g.product_id
        join component_total t on t.product_id = x.product_id and t.peers = x.peers and t.component_id = g.component_id
        where g.files * 2 <= t.files
    ), collected as materialized (
        select distinct c.host_id, evenkeel.path_location(k.folder || '/', f.facts ->> 'windows_directory') as folder
        from (select distinct m.chunk_id, m.folder from missing_content m) k
        join missing_chunk c using (chunk_id)
        left join state_facts f on f.host_id = c.host_id
        where c.host_id in (select u.host_id from missing_unmet u)
    )
    select u.host_id, u.product_id, u.location, u.component_id, u.hosts - case when u.lacking is null then 0 else 1 end
    from missing_unmet u
    join installed i on i.host_id = u.host_id and i.product_id = u.product_id and i.component_id = u.component_id
    join collected c on c.host_id = u.host_id and c.folder = substring(u.location from '^(.*/)')
    where (u.lacking is null or u.lacking = u.host_id)
      and not exists (select from missing_absent a left join state_facts f using (host_id)
                      where a.host_id = u.host_id and evenkeel.path_location(a.path, f.facts ->> 'windows_directory') = u.location);
end
$$;
comment on function evenkeel.state_missing_peers() is
    'Files that all hosts of a product and level but this one have (evenkeel.peer_file), and how many these are; images of services '
    'left out. To be called after state_missing_services().';
