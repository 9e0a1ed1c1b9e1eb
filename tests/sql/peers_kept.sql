-- What is kept of which hosts hold which files is what a count of the whole fleet gives: a seeded fleet, changed at random (hosts added,
-- changed, retired, restored, merged, failing; levels, architectures, components, settings; content pruned), and counted in steps of a few
-- hosts that are broken off in between. The full count stands here, as what it is held against.
begin;
select plan(14);
\ir fixture.psql
\ir catalogue.psql
\if :{?seed}
\else
\set seed 0.42
\endif
select setseed(:seed) \g /dev/null

-- The full count: groups, how many of a group hold a path, and the files to be known, by those known before.
create view fixture.full_group as
select m.product_id, m.peers, count(*)::integer as hosts, array_agg(m.host_id) as members
from (select hp.product_id, hp.host_id, evenkeel.peers_of(hp.levels, hp.declared, hp.verdict, f.facts) as peers
      from evenkeel.deciding_product hp
      join evenkeel.host h using (host_id)
      left join evenkeel.host_facts_current f using (host_id)
      where h.merged_into is null) m
where m.peers is not null group by m.product_id, m.peers;
create view fixture.full_path as
select g.product_id, g.peers, f.path_id, count(*)::integer as holders
from fixture.full_group g
cross join unnest(g.members) m (host_id)
join evenkeel.host_inventory_current i using (host_id)
cross join unnest(i.chunk_ids) c (chunk_id)
join evenkeel.chunk k using (chunk_id)
cross join unnest(k.file_ids) u (file_id)
join evenkeel.file f using (file_id)
join evenkeel.path_component pc on pc.path_id = f.path_id and pc.product_id = g.product_id
group by g.product_id, g.peers, f.path_id;
create table fixture.known (like evenkeel.peer_file);
create view fixture.full_peer_file as
select g.product_id, g.peers, p.location, min(pc.component_id) as component_id, g.hosts, sum(c.holders)::integer as holders
from fixture.full_group g
join fixture.full_path c using (product_id, peers)
join evenkeel.path p using (path_id)
join evenkeel.path_component pc on pc.path_id = p.path_id and pc.product_id = g.product_id
cross join (select evenkeel.setting('missing-file.peers')::integer as enough, evenkeel.setting('missing-file.others')::float8 as share) s
where g.hosts > s.enough
   or (g.hosts = s.enough and exists (select from fixture.known o where (o.product_id, o.peers) = (g.product_id, g.peers)))
group by g.product_id, g.peers, p.location, g.hosts, s.enough, s.share
having (g.hosts - sum(c.holders) <= 1 + floor((g.hosts - 1) * s.share)
        or (g.hosts - sum(c.holders) = 2 + floor((g.hosts - 1) * s.share)
            and exists (select from fixture.known o where (o.product_id, o.peers, o.location) = (g.product_id, g.peers, p.location))))
   and (sum(c.holders) >= s.enough
        or (sum(c.holders) = s.enough - 1
            and exists (select from fixture.known o where (o.product_id, o.peers, o.location) = (g.product_id, g.peers, p.location))));

create function fixture.chance(share float8) returns boolean language sql volatile as $$ select random() < share $$;
create function fixture.one(choices text[]) returns text language sql volatile as $$
    select choices[1 + floor(random() * cardinality(choices))::integer]
$$;
select fixture.product(code, array['RTM', 'SP1', 'SP2']) from unnest(array['web', 'db', 'box']) code \g /dev/null
select fixture.ships(code, 'SP1 core.dll = 9.1.100.2', 'SP2 core.dll = 9.1.100.3') from unnest(array['web', 'db', 'box']) code \g /dev/null
create table fixture.name (path text, share float8);
insert into fixture.name
select format('c:/%s/%s%s%s.dll', code, case when n % 4 = 0 then 'base/' when n % 4 = 1 then 'more/' else '' end, 'f', n),
       (array[1, 0.97, 0.9, 0.75])[1 + n % 4]
from unnest(array['web', 'db', 'box']) code cross join generate_series(1, 12) n;

-- A host in two or three chunks, each of the files of one product.
create function fixture.random_host(host_name text) returns void language plpgsql as $$
declare
    id uuid;
    pack integer := floor(random() * 1.6);
    part text;
    files jsonb;
    given integer[];
    chunk bigint;
begin
    id := fixture.host(host_name, jsonb_build_object('c:/web/core.dll', '9.1.100.' || pack + 1),
                       fixture.runs(case when pack > 0 then 'Service Pack ' || pack else '' end)
                       || jsonb_build_object('architecture', case when fixture.chance(0.85) then 'x86' else 'AMD64' end, 'product_type', 'server'));
    foreach part in array array['web', 'db', 'box'] loop
        continue when part <> 'web' and fixture.chance(0.35);
        select jsonb_object_agg(n.path, '9.1.100.1') || jsonb_build_object('c:/' || part || '/core.dll', '9.1.100.' || pack + 1) into files
        from fixture.name n where n.path like 'c:/' || part || '/%' and fixture.chance(n.share);
        files := files - case when part = 'web' then 'c:/web/core.dll' else '' end;
        select array_agg(r.file_id order by r.file_id) into given
        from (select array_agg(sha256(convert_to(key, 'utf8'))) as digests, array_agg(key) as paths,
                     array_agg(fixture.image(value #>> '{}')) as images from jsonb_each(files)) f
        cross join lateral evenkeel.resolve_files(f.digests, f.paths, f.images) r;
        select c.chunk_id into chunk from evenkeel.chunk c where c.digest = sha256(convert_to(part || files::text, 'utf8'));
        if chunk is null then
            insert into evenkeel.chunk (digest, file_ids) values (sha256(convert_to(part || files::text, 'utf8')), given) returning chunk_id into chunk;
            perform evenkeel.judge_chunks(array[chunk]);
        end if;
        update evenkeel.host_inventory_current i set chunk_ids = i.chunk_ids || chunk where i.host_id = id;
    end loop;
end $$;
create function fixture.settle() returns void language plpgsql as $$
begin
    while evenkeel.judge_queued(1000) > 0 or evenkeel.reduce_fleet(1000) > 0 loop
    end loop;
end $$;
create function fixture.any_host() returns text language sql volatile as $$
    select name from evenkeel.host where merged_into is null and retired_at is null order by md5(name || random()) limit 1
$$;

create table fixture.seen (what text, round integer);
select set_config('fixture.round', '0', false) \g /dev/null
create function fixture.kinds() returns text[] language sql as $$
    select array['host', 'new', 'retire', 'in place', 'merge', 'prune', 'component', 'forged', 'aside', 'restore', 'others', 'glob', 'peers', 'forged',
                 'product']
$$;
create function fixture.change(what text) returns void language plpgsql as $$
declare
    host text := fixture.any_host();
    id uuid := (select h.host_id from evenkeel.host h where h.name = host);
begin
    insert into fixture.seen values (what, current_setting('fixture.round')::integer);
    case what
    when 'host' then perform fixture.random_host(fixture.any_host()) from generate_series(1, 4);
    when 'new' then perform fixture.random_host(format('new-%s-%s', (select count(*) from evenkeel.host), n)) from generate_series(1, 3) n;
    when 'retire' then
        perform evenkeel.retire_host(h.name) from evenkeel.host h join evenkeel.peer_host p using (host_id)
        where h.retired_at is null and h.merged_into is null order by h.name limit 1;
    when 'restore' then
        perform evenkeel.restore(h.name) from evenkeel.host h where h.retired_at is not null order by h.name limit 1;
    when 'merge' then perform evenkeel.merge_hosts(host, h.name) from evenkeel.host h
                              where h.merged_into is null and h.retired_at is null and h.name <> host order by h.name limit 1;
    when 'aside' then perform evenkeel.set_aside(id, 'test'); delete from evenkeel.not_judged;
    when 'glob' then
        update evenkeel.component c set include = case when c.include = '{c:/db/more/*}' then '{c:/db/nowhere/*}' else '{c:/db/more/*}' end::text[]
        where c.code = 'base' and c.product_id = evenkeel.product_number('db');
        perform evenkeel.catalog_refresh();
    when 'component' then
        update evenkeel.component c set include = case c.include when '{c:/web/base/*}' then '{c:/web/base/f4.dll}' else '{c:/web/base/*}' end::text[]
        where c.code = 'base' and c.product_id = evenkeel.product_number('web');
        update evenkeel.component c set include = case c.include when '{c:/web/*}' then '{c:/web/*,c:/web/base/*}' else '{c:/web/*}' end::text[]
        where c.code = 'app' and c.product_id = evenkeel.product_number('web');
        perform evenkeel.catalog_refresh();
    when 'peers' then update evenkeel.setting set value = fixture.one(array['3', '4', '5']) where name = 'missing-file.peers';
    when 'others' then update evenkeel.setting set value = fixture.one(array['0.05', '0.1', '0.2']) where name = 'missing-file.others';
    when 'in place' then
        -- As what reads paths again does.
        perform evenkeel.peers_keep(array[id]);
        update evenkeel.host_inventory_current i set chunk_ids = (select o.chunk_ids from evenkeel.host_inventory_current o order by md5(o.host_id::text || random()) limit 1)
        where i.host_id = id;
        insert into evenkeel.judge_queue (host_id) values (id) on conflict do nothing;
    when 'forged' then
        -- As nothing does: what was counted is not to be had any more.
        update evenkeel.host_inventory_current i set chunk_ids = i.chunk_ids[2:] where i.host_id = id;
        insert into evenkeel.judge_queue (host_id) values (id) on conflict do nothing;
    when 'prune' then
        -- What a host was counted as may be held by nobody any more.
        perform fixture.change('in place');
        -- All of it ended after this transaction began.
        perform evenkeel.prune_history('-1 day', 1000), evenkeel.prune_mark();
        update pg_temp.prune_mark set at = clock_timestamp();
        perform evenkeel.prune_find(k), evenkeel.prune_remove(k, 1000) from unnest(array['chunk', 'file', 'path']) k;
    when 'product' then
        delete from evenkeel.component c using evenkeel.product p where p.product_id = c.product_id and p.code = 'box';
        delete from evenkeel.product p where p.code = 'box';
        perform evenkeel.catalog_refresh();
    end case;
end $$;

create table fixture.differs (round integer, what text, detail text);
create table fixture.count (round integer, groups bigint, paths bigint, files bigint, findings bigint);
create view fixture.found as
select f.host_id, f.subject, f.severity, f.summary, f.evidence from evenkeel.finding f where f.check_code = 'missing-file' and f.closed_at = 'infinity';

-- Counts until it is done, a few hosts a step; with `break`, as one that is stopped between two steps: the next goes on.
create table fixture.cleared (round integer);
create function fixture.count_on(break float8) returns boolean language plpgsql as $$
begin
    if not (select under_way from evenkeel.peer_round) then
        perform evenkeel.peers_begin();
    end if;
    loop
        insert into fixture.cleared select current_setting('fixture.round')::integer from evenkeel.peer_round where stage = 'clear';
        if fixture.chance(break) then
            return false;
        elsif evenkeel.peers_step(3) = 'done' then
            return true;
        end if;
    end loop;
end $$;

create function fixture.compare(round integer) returns void language plpgsql as $$
begin
    insert into fixture.differs
    select round, 'group', x::text
    from ((select product_id, peers, hosts from fixture.full_group except select product_id, peers, hosts from evenkeel.peer_group)
          union all
          (select product_id, peers, hosts from evenkeel.peer_group except select product_id, peers, hosts from fixture.full_group)) x;
    insert into fixture.differs
    select round, 'set', x::text
    from ((select s.groups, s.members::bigint from evenkeel.peer_set s
           except select s.groups, count(*) from evenkeel.peer_host p join evenkeel.peer_set s using (set_id) group by s.groups)) x;
    insert into fixture.differs
    select round, 'path', x::text
    from ((select f.product_id, f.peers, f.path_id, f.holders from fixture.full_path f join evenkeel.peer_group g using (product_id, peers)
           where g.counted
           except select g.product_id, g.peers, p.path_id, p.holders from evenkeel.peer_path p join evenkeel.peer_group g using (group_id))
          union all
          (select g.product_id, g.peers, p.path_id, p.holders from evenkeel.peer_path p join evenkeel.peer_group g using (group_id)
           except select f.product_id, f.peers, f.path_id, f.holders from fixture.full_path f)) x;
    insert into fixture.differs
    select round, 'file', x::text
    from ((select * from fixture.full_peer_file
           except select product_id, peers, location, component_id, hosts, holders from evenkeel.peer_file)
          union all
          (select product_id, peers, location, component_id, hosts, holders from evenkeel.peer_file
           except select * from fixture.full_peer_file)) x;
    insert into fixture.count
    select round, (select count(*) from evenkeel.peer_group where counted), (select count(*) from evenkeel.peer_path),
           (select count(*) from evenkeel.peer_file), (select count(*) from fixture.found);
end $$;

create function fixture.round(round integer) returns void language plpgsql as $$
begin
    perform set_config('fixture.round', round::text, false);
    for i in 1..1 + floor(random() * 3)::integer loop
        -- Each kind in its turn, and some more of those of every day.
        perform fixture.change(case when i = 1 then (fixture.kinds())[1 + (round - 1) % cardinality(fixture.kinds())]
                                    else fixture.one(array['host', 'host', 'new', 'retire', 'in place', 'merge', 'prune', 'component']) end);
        if fixture.chance(0.3) then
            perform fixture.settle();
            perform fixture.count_on(0.25);
        end if;
    end loop;
    perform fixture.settle();
    -- What was under way, by counts of a moment ago, is brought to its end first.
    if (select under_way from evenkeel.peer_round) then
        perform fixture.count_on(0);
        perform fixture.settle();
    end if;
    truncate fixture.known;
    insert into fixture.known select * from evenkeel.peer_file;
    perform fixture.count_on(0);
    perform fixture.compare(round);
    -- What follows for hosts was found by judging those that were queued: all others say the same as before.
    perform fixture.settle();
    create temporary table queued_says as select * from fixture.found;
    insert into evenkeel.judge_queue (host_id) select i.host_id from evenkeel.host_inventory_current i;
    while evenkeel.judge_queued(1000) > 0 loop
    end loop;
    insert into fixture.differs
    select round, 'finding', x::text
    from ((select 'no more', q.* from queued_says q except select 'no more', f.* from fixture.found f)
          union all (select 'not yet', f.* from fixture.found f except select 'not yet', q.* from queued_says q)) x;
    drop table queued_says;
end $$;

select fixture.random_host('host-' || n) from generate_series(1, 24) n \g /dev/null
select fixture.settle() \g /dev/null

-- The first count takes several steps; until it is done, what was known before stays.
insert into evenkeel.peer_file (product_id, peers, location, component_id, hosts, holders)
select evenkeel.product_number('web'), '[1,2) x86 server', 'c:/web/f2.dll', c.component_id, 30, 29
from evenkeel.component c where c.product_id = evenkeel.product_number('web') and c.code = 'app';
select evenkeel.peers_begin() \g /dev/null
do $$
declare
    steps integer := 0;
begin
    while (select stage in ('clear', 'count') from evenkeel.peer_round) loop
        if (select count(*) from evenkeel.peer_file) <> 1 then
            insert into fixture.differs values (0, 'peer_file before the count is done', steps);
        end if;
        perform evenkeel.peers_step(3);
        steps := steps + 1;
    end loop;
    insert into fixture.seen values ('first steps', steps);
end $$;
select cmp_ok((select round from fixture.seen where what = 'first steps'), '>', 8, 'a fleet is counted in as many steps as it takes');
select is_empty($$ select * from fixture.differs $$, 'till then what was known before is known still');
select fixture.count_on(0) \g /dev/null
do $$
begin
    insert into fixture.known select * from evenkeel.peer_file;
    for r in 1..26 loop
        perform fixture.round(r);
    end loop;
end $$;
-- As after an upgrade: all is counted, and what is known of it was known before.
select set_config('fixture.round', '0', false) \g /dev/null
select fixture.settle(), fixture.count_on(0), fixture.settle(), fixture.count_on(0), fixture.settle() \g /dev/null
select isnt_empty($$ select from evenkeel.peer_file where holders < hosts $$, 'some hosts lack what others have');
update evenkeel.peer_round set stage = 'clear';
select fixture.count_on(0) \g /dev/null
select is_empty($$ select from evenkeel.judge_queue $$, 'who is counted anew is not judged again for that');
select is_empty($$ select * from fixture.differs where what = 'group' limit 20 $$, 'groups have as many hosts as the full count finds');
select is_empty($$ select * from fixture.differs where what = 'set' limit 20 $$, 'which of them hosts are in is kept for as long as hosts are');
select is_empty($$ select * from fixture.differs where what = 'path' limit 20 $$, 'so many of them hold a path');
select is_empty($$ select * from fixture.differs where what = 'file' limit 20 $$, 'and the same files are known');
select is_empty($$ select * from fixture.differs where what = 'finding' limit 20 $$, 'no host says something else when all are judged again');
select is_empty($$
    select c.round, array_agg(distinct s.what) from fixture.cleared c left join fixture.seen s using (round) where c.round > 0
    group by c.round having not array_agg(s.what) && '{glob,forged,product,peers}'
$$, 'all is counted anew for what asks for that alone: no other change');
select isnt_empty($$ select from fixture.seen s join fixture.cleared c using (round) where s.what = 'forged' $$, 'such as what nobody should do to an inventory');
select is((select count(distinct what) from fixture.seen where what <> 'first steps'), (select count(distinct k) from unnest(fixture.kinds()) k), 'all kinds of changes were made');
select cmp_ok((select min(least(groups, files)) from fixture.count where round < 14), '>', 1::bigint, 'there was something to compare');
select cmp_ok((select count(distinct findings) from fixture.count), '>', 3::bigint, 'and findings came and went');
\if :{?told}
select * from fixture.seen; select * from fixture.count;
\endif
select * from finish();
rollback;
