-- What a host's own component store says of its files.

create or replace function evenkeel.store_component_store(store_digest bytea, paths bytea[])
returns void language sql
as $$
    insert into evenkeel.component_store (digest, path_digests) values (store_digest, paths) on conflict (digest) do nothing
$$;
comment on function evenkeel.store_component_store(bytea, bytea[]) is
    'Keeps a component store that a collector gave: the digests of its files'' paths.';

create or replace function evenkeel.wire_version(number numeric)
returns evenkeel.version language sql immutable strict parallel safe
as $$ select (number - 9223372036854775808)::bigint $$;
comment on function evenkeel.wire_version(numeric) is
    'A version as messages have it, a << 48 | b << 32 | c << 16 | d, as the database does.';

create or replace function evenkeel.store_reaches(facts jsonb)
returns boolean language sql stable parallel safe
as $$
    with newest as (
        select evenkeel.wire_version(n.value::numeric) as version
        from jsonb_array_elements_text(case jsonb_typeof(facts -> 'store_newest')
                                       when 'array' then facts -> 'store_newest' else '[]' end) n
    ), line as (
        select evenkeel.version_build(version) as build, evenkeel.version_revision(version) as revision,
               (facts ->> 'current_build')::integer as declared
        from newest
        where evenkeel.version_major(version) || '.' || evenkeel.version_minor(version) = facts ->> 'current_version'
    )
    select coalesce(bool_or(case
        -- An enablement package changes the build that is declared, and not the files': 19041 to 19045, 22621 and 22631, 26100 and 26200.
        when facts ->> 'current_version' = '10.0'
        then build between declared - 100 and declared and (facts ->> 'has_ubr')::boolean and revision >= (facts ->> 'ubr')::integer
        -- Before, the build tells the service pack; updates made 6003 of Server 2008 SP2's 6002.
        else build = declared or (declared = 6003 and build = 6002) end), false)
    from line
$$;
comment on function evenkeel.store_reaches(jsonb) is
    'Whether something in the host''s component store is as new as what its registry declares. Where nothing is, the store proves '
    'nothing of that level.';

create or replace function evenkeel.find_component_stores()
returns void language plpgsql
as $$
begin
    delete from state_store_host;
    delete from state_outside;
    insert into state_store_host (host_id, store_id, reaches)
    -- Of an update that is only laid over the host its store has nothing.
    select f.host_id, s.store_id, evenkeel.store_reaches(f.facts) and not exists (select from state_update u where u.host_id = f.host_id)
    from state_facts f
    join evenkeel.component_store s on s.digest = decode(f.facts ->> 'component_store', 'hex')
    where f.facts ->> 'component_store' <> '';
    analyze state_store_host;
    perform evenkeel.match_component_stores();
    insert into state_outside (host_id, file_id, path, version, winner, copy, same_size, one_link, older)
    with told as materialized (
        select f.host_id, o.path, evenkeel.wire_version(o.winner) as winner, evenkeel.wire_version(nullif(o.copy, 0)) as copy,
               o.same_size, o.one_link
        from state_store_host h
        join state_facts f using (host_id)
        cross join jsonb_to_recordset(case jsonb_typeof(f.facts -> 'outside_store')
                                      when 'array' then f.facts -> 'outside_store' else '[]' end)
            o (path text, winner numeric, copy numeric, same_size boolean, one_link boolean)
    ), held as materialized (
        select t.host_id, f.file_id, p.path, f.image_id
        from (select distinct host_id from told) t
        join evenkeel.host_inventory_current v using (host_id)
        cross join unnest(v.chunk_ids) k (chunk_id)
        join evenkeel.chunk c using (chunk_id)
        cross join unnest(c.file_ids) u (file_id)
        join evenkeel.file f using (file_id)
        join evenkeel.path p using (path_id)
    )
    select t.host_id, h.file_id, t.path, m.file_version, t.winner, t.copy, t.same_size, t.one_link,
           -- Where the copy's own version was not read: components are numbered as their files are. Of another a.b.c nothing is known.
           coalesce(case when t.copy is not null then m.file_version < t.copy and m.file_version >> 16 = t.copy >> 16
                         else m.file_version < t.winner and m.file_version >> 16 = t.winner >> 16 and not t.same_size end, false)
    from told t
    join held h using (host_id, path)
    join evenkeel.image m using (image_id)
    on conflict do nothing;
    analyze state_outside;
end
$$;
comment on function evenkeel.find_component_stores() is
    'Fills state_store for the hosts of state_host, by what their collectors saw of their own component stores.';

create or replace function evenkeel.match_component_stores()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    insert into chunk_store (chunk_id, store_id, file_ids)
    with pair as materialized (
        select distinct k.chunk_id, h.store_id
        from state_store_host h
        join evenkeel.host_inventory_current i using (host_id)
        cross join unnest(i.chunk_ids) k (chunk_id)
        where not exists (select from chunk_store c where c.chunk_id = k.chunk_id and c.store_id = h.store_id)
    ), owned as materialized (
        select s.store_id, p.path_id
        from (select distinct store_id from pair) w
        join evenkeel.component_store s using (store_id)
        cross join unnest(s.path_digests) d (digest)
        join evenkeel.path p on p.digest = d.digest
    )
    select q.chunk_id, q.store_id, coalesce(array_agg(f.file_id) filter (where o.path_id is not null), '{}')
    from pair q
    join evenkeel.chunk c using (chunk_id)
    cross join unnest(c.file_ids) u (file_id)
    join evenkeel.file f using (file_id)
    left join owned o on o.store_id = q.store_id and o.path_id = f.path_id
    group by q.chunk_id, q.store_id
    order by q.chunk_id, q.store_id
    on conflict do nothing;
end
$$;
comment on function evenkeel.match_component_stores() is
    'Works out, for the hosts of state_store_host, which files of their chunks servicing owns, where no host had that chunk with '
    'that store before.';

create or replace function evenkeel.find_store_ends()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not exists (select from state_outside where older) then
        return;
    end if;
    -- What won belongs to the declared update where the store reaches it. While a restart is waited for, or where a hotpatch may be in,
    -- the store is ahead of the files by its trade.
    insert into state_foreign (host_id, product_id, file_id, levels, basis, counted)
    select o.host_id, fl.product_id, o.file_id, int4range(null, f.ubr), 
           format('servicing put %s there (component store)', version_text(o.copy)), false
    from state_outside o
    join state_store_host s on s.host_id = o.host_id and s.reaches
    join host_facts_current f on f.host_id = o.host_id
    join file_level fl using (file_id)
    join product p on p.product_id = fl.product_id and p.follows_os and p.level_kind = 'cumulative update'
    join state_file h on h.host_id = o.host_id and h.file_id = o.file_id
    where o.older and o.copy is not null and f.ubr > 0 and coalesce(upper(fl.levels) > f.ubr, true)
      and coalesce(f.facts ->> 'hotpatch', '') = '' and not coalesce((f.facts ->> 'reboot_pending')::boolean, false);
    analyze state_foreign;
end
$$;
comment on function evenkeel.find_store_ends() is
    'Adds to state_foreign the files that are older than all copies that won of that name and machine: at most below the declared update.';

create or replace function evenkeel.find_store_doubts()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- By the component's version alone: likely, and not proven.
    insert into state_doubt (host_id, product_id, kind, sentence)
    select distinct on (o.host_id, fl.product_id) o.host_id, fl.product_id, 'store',
           format('%s %s is no link into the component store, and older than the component that won there (%s)%s', o.path,
                  version_text(o.version), version_text(o.winner),
                  case when o.copy is null then ': update the collector, which then tells the version of its file' else '' end)
    from state_outside o
    join state_range r using (host_id)
    join product p on p.product_id = r.product_id and p.follows_os
    join file_level fl on fl.file_id = o.file_id and fl.product_id = r.product_id
    join state_file h on h.host_id = o.host_id and h.file_id = o.file_id
    where o.older and not isempty(r.levels)
      and not exists (select from state_foreign s where (s.host_id, s.product_id, s.file_id) = (o.host_id, r.product_id, o.file_id))
      and coalesce(upper(fl.levels) > lower(r.declared), true)
    order by o.host_id, fl.product_id, o.path
$$;
comment on function evenkeel.find_store_doubts() is
    'Adds to state_doubt the hosts that have a file which is likely to be older than what servicing put there.';
