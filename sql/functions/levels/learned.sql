-- What levels ship, learned from the fleet where levels are numbers: what nearly all healthy hosts that declare one hold.

create or replace function evenkeel.teaching_hosts(product integer, level integer)
returns table (host_id uuid, inventory bytea, chunk_ids bigint[])
language sql stable
as $$
    -- Whole, at rest, themselves, not mixed, and not of a hotpatch: that is not all of what a level ships.
    select p.host_id, i.digest, i.chunk_ids
    from evenkeel.host_product p
    join evenkeel.host h on h.host_id = p.host_id and h.merged_into is null
    join evenkeel.host_inventory_current i on i.host_id = p.host_id
    join evenkeel.host_facts_current f on f.host_id = p.host_id
    join evenkeel.host_checkin k on k.host_id = p.host_id
    where p.product_id = product and p.declared = int4range(level, level + 1) and p.verdict <> 'mixed' and k.unreadable = 0
      and evenkeel.not_seen_doubt(f.facts) is null
      and coalesce(jsonb_array_length(f.facts -> 'pending_renames'), 0) = 0 and not coalesce((f.facts ->> 'reboot_pending')::boolean, false)
      and not evenkeel.stands_on_unknown(product, level, coalesce(f.facts ->> 'hotpatch', ''))
      and not exists (select from evenkeel.finding c where c.host_id = p.host_id and c.check_code = 'cloned-identity'
                      and c.closed_at = 'infinity')
      and not exists (select from evenkeel.judge_queue q where q.host_id = p.host_id)
      and not exists (select from evenkeel.fleet_change c where c.host_id = p.host_id)
$$;
comment on function evenkeel.teaching_hosts(integer, integer) is
    'Hosts that what a level ships may be learned from: wholly seen, no restart pending, no clones, not mixed, not of a hotpatch, '
    'judged as they are.';

create or replace function evenkeel.held_in_common(product integer, level integer)
returns table (location text, machine integer, version bigint, holders bigint, hosts bigint)
language sql stable
as $$
    with teaching as materialized (
        select * from evenkeel.teaching_hosts(product, level)
    ), held as materialized (
        -- Hosts of one chunk together: a file is counted once per chunk.
        select u.chunk_id, count(*) as hosts, array_agg(distinct t.inventory) as inventories
        from teaching t cross join unnest(t.chunk_ids) u (chunk_id) group by u.chunk_id
    ), file_held as (
        select pa.location, i.machine, i.file_version as version, sum(h.hosts) as hosts
        from held h
        join evenkeel.chunk c using (chunk_id)
        cross join unnest(c.file_ids) u (file_id)
        join evenkeel.file_level fl on fl.file_id = u.file_id and fl.product_id = product and fl.revision <= level
        join evenkeel.file f on f.file_id = u.file_id
        join evenkeel.path pa using (path_id)
        join evenkeel.image i using (image_id)
        group by pa.location, i.machine, i.file_version
    ), ranked as (
        select f.*, sum(f.hosts) over (partition by f.location, f.machine) as holders,
               row_number() over (partition by f.location, f.machine order by f.hosts desc, f.version) as place
        from file_held f
    )
    select r.location, r.machine, r.version, r.holders::bigint, r.hosts::bigint
    from ranked r
    where r.place = 1 and r.holders >= evenkeel.setting('learn.hosts')::integer
      and r.hosts >= evenkeel.setting('learn.share')::numeric * r.holders
      and (select count(distinct inventory) from teaching) >= evenkeel.setting('learn.inventories')::integer
$$;
comment on function evenkeel.held_in_common(integer, integer) is
    'The build of each file that nearly all hosts that a level may be learned from hold.';

create or replace function evenkeel.learn_level(product integer, level integer)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    is_new boolean;
    changed text[];
    below text[];
begin
    perform evenkeel.lock_change(), evenkeel.lock_catalogue();
    perform set_config('client_min_messages', 'warning', true);
    drop table if exists learned;
    insert into evenkeel.level (product_id, ordinal, code, name, ubr, source)
    select p.product_id, level, format('%s.%s', p.os_build, level), format('%s %s.%s', p.name, p.os_build, level), level,
      'declared by hosts'
    from evenkeel.product p where p.product_id = product and exists (select from evenkeel.held_in_common(product, level))
    on conflict do nothing;
    is_new := found;
    create temporary table learned on commit drop as
    select c.*, format('%s of %s at %s', c.hosts, evenkeel.counted(c.holders, 'host'), evenkeel.level_name(product, level)) as source,
           exists (select from evenkeel.statement s
                   where s.product_id = product and s.file in (c.location, regexp_replace(c.location, '^.*/', '')) and s.relation = '='
                     and s.last_ordinal < level and s.version > c.version and (s.machine is null or s.machine = c.machine)
                     and not exists (select from evenkeel.statement o where o.product_id = product and o.file = s.file and o.relation = '='
                                       and o.version <= c.version and s.last_ordinal between o.first_ordinal and o.last_ordinal)) as below
    from evenkeel.held_in_common(product, level) c;
    select array_agg(location order by location) filter (where l.below) into below from learned l;
    with gone as (
        -- It stays when its hosts move on; what they hold instead replaces it.
        delete from evenkeel.baseline b using learned l
        where b.product_id = product and b.ordinal = level and b.kind = 'learned' and b.file = l.location and b.machine = l.machine
          and b.version <> l.version and not l.below
        returning b.file
    ), come as (
        insert into evenkeel.baseline (product_id, ordinal, file, relation, version, machine, kind, source)
        select product, level, l.location, '=', l.version, l.machine, 'learned', l.source from learned l
        where not l.below
          and not exists (select from evenkeel.baseline b where b.product_id = product and b.ordinal = level and b.file = l.location
                            and b.relation = '=' and b.version = l.version and b.machine = l.machine)
        returning file
    ), overtaken as (
        -- Learned in whichever order: what a higher level was thought to ship older is not believed of it any more.
        delete from evenkeel.baseline b using learned l
        where b.product_id = product and b.ordinal > level and b.kind = 'learned' and b.file = l.location and b.machine = l.machine
          and b.version < l.version and not l.below
        returning b.ordinal, b.file
    ), told as (
        update evenkeel.learned_level n set refused = array(select distinct f from unnest(n.refused || o.files) f order by f)
        from (select ordinal, array_agg(file) as files from overtaken group by ordinal) o
        where n.product_id = product and n.ordinal = o.ordinal
    )
    select array_agg(distinct file) into changed
    from (select file from gone union all select file from come union all select file from overtaken) c;
    update evenkeel.learned_level set refused = coalesce(below, '{}') where product_id = product and ordinal = level;
    if is_new then
        -- It has another name now, and the level above it another one below, which something has to be newer than.
        insert into evenkeel.judge_queue (host_id)
        select p.host_id
        from evenkeel.host_product p join evenkeel.host_inventory_current i using (host_id)
        where p.product_id = product
          and (p.at_ordinal is null or p.at_ordinal >= level
               and p.at_ordinal <= coalesce((select min(l.ordinal) from evenkeel.level l
                                             where l.product_id = product and l.line = '' and l.ordinal > level), p.at_ordinal))
        order by 1
        on conflict do nothing;
    end if;
    if changed is null then
        return false;
    end if;
    perform evenkeel.refresh_files(array(select f.file_id from evenkeel.path p join evenkeel.file f using (path_id)
                                         where p.location = any (changed)));
    return true;
end
$$;
comment on function evenkeel.learn_level(integer, integer) is
    'States what nearly all healthy hosts that declare a level hold, and judges anew what that touches; false: nothing new. '
    'What is older than a lower level''s is not learned, and noted in learned_level.refused.';

create or replace function evenkeel.refresh_files(files integer[])
returns integer language plpgsql
as $$
declare
    queued integer;
begin
    perform set_config('client_min_messages', 'warning', true);
    drop table if exists known_file_level, changed_file, touched_chunk;
    create temporary table known_file_level on commit drop as select * from evenkeel.file_level where file_id = any (files);
    perform evenkeel.judge_files(files);
    create temporary table changed_file on commit drop as
    select distinct file_id from (
        (select * from evenkeel.file_level where file_id = any (files) except table known_file_level)
        union all (table known_file_level except select * from evenkeel.file_level where file_id = any (files))) c;
    -- A join over what chunks hold finds many files faster than the index does, which rechecks every chunk.
    create temporary table touched_chunk on commit drop as
    select distinct c.chunk_id from evenkeel.chunk c cross join unnest(c.file_ids) u (file_id) join changed_file using (file_id);
    perform evenkeel.judge_chunks(array(select chunk_id from touched_chunk));
    insert into evenkeel.judge_queue (host_id)
    select distinct i.host_id from evenkeel.host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id)
    join touched_chunk using (chunk_id)
    order by 1
    on conflict do nothing;
    get diagnostics queued = row_count;
    return queued;
end
$$;
comment on function evenkeel.refresh_files(integer[]) is
    'Judges files anew, the chunks that hold those of them that changed, and queues the hosts that hold these; returns how many.';

create or replace function evenkeel.learn_next_level()
returns boolean language plpgsql
as $$
declare
    begun timestamptz := clock_timestamp();
    due record;
begin
    if not exists (select from evenkeel.peer_refresh where levels_judged > 0
                                                       and clock_timestamp() >= levels_at + levels_took * 100) then
        return false;
    end if;
    -- The level of which most hosts came or went since it was last looked at.
    select p.product_id, lower(p.declared) as ordinal, count(*)::integer as hosts into due
    from evenkeel.host_product p
    join evenkeel.product q on q.product_id = p.product_id and q.follows_os and q.level_kind = 'cumulative update'
    left join evenkeel.learned_level l on l.product_id = p.product_id and l.ordinal = lower(p.declared)
    where p.verdict <> 'mixed' and upper(p.declared) = lower(p.declared) + 1
    group by p.product_id, p.declared, l.hosts, l.learned_at
    having count(*) >= evenkeel.setting('learn.hosts')::integer
       and (l.learned_at is null or count(*) <> l.hosts
            or exists (select from evenkeel.host_inventory_current i join evenkeel.host_product n using (host_id)
                       where i.valid_from > l.learned_at and n.product_id = p.product_id and n.declared = p.declared))
    order by l.learned_at nulls first, p.product_id, 2
    limit 1;
    if due is null or due.product_id is null then
        update evenkeel.peer_refresh set levels_at = clock_timestamp(), levels_took = clock_timestamp() - begun, levels_judged = 0;
        -- Whoever compares hosts writes that row, too: nothing else is learnt before this commits.
        return true;
    end if;
    insert into evenkeel.learned_level (product_id, ordinal, hosts, learned_at)
      values (due.product_id, due.ordinal, due.hosts, clock_timestamp())
    on conflict (product_id, ordinal) do update set hosts = excluded.hosts, learned_at = excluded.learned_at;
    perform evenkeel.learn_apart(format('level %s of product %s', due.ordinal, due.product_id),
                                 format('select evenkeel.learn_level(%s, %s)', due.product_id, due.ordinal));
    return true;
end
$$;
comment on function evenkeel.learn_next_level() is
  'Learns one level for which that is due, or notes that for none it is; false: it is not time to look.';
