-- Hosts that come out alike: what their files say of levels adds up to the same, and what they declare is the same. One of them is judged,
-- their lead, and the others come out as it does.

create or replace function evenkeel.find_alike()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set work_mem = '64MB'
as $$
declare
    hosts bigint := (select count(*) from state_host);
    -- What a store confirms is told by the files that hosts had before a patch was laid over them.
    laid boolean := exists (select from state_overlay_chunk);
begin
    delete from state_alike;
    if hosts > 3 then
        insert into state_alike (host_id, lead)
        with base as materialized (
            -- One of each kind: most hosts hold what it holds but for a few chunks, and say what it says but for what these say.
            select b.host_id, b.chunk_ids, cardinality(b.chunk_ids) as chunks, b.chunk_ids[1] as first
            from state_host b
            where b.ctid in (select min(k.ctid) from state_host k group by cardinality(k.chunk_ids), k.chunk_ids[1])
        ), base_said as (
            select b.chunks, b.first, sum(sl.likeness_high) as high, sum(sl.likeness_low) as low
            from (select chunks, first, unnest(chunk_ids) as chunk_id from base) b
            join state_level sl using (chunk_id)
            group by b.chunks, b.first
        ), differs as (
            select p.host_id, c.chunk_id, c.own
            from (select h.host_id, unnest(h.chunk_ids) as own, unnest(b.chunk_ids) as instead
                  from state_host h join base b on b.chunks = cardinality(h.chunk_ids) and b.first = h.chunk_ids[1]) p
            cross join lateral (values (p.own, true), (p.instead, false)) c (chunk_id, own)
            where p.own <> p.instead
        ), difference as (
            select d.host_id,
                   coalesce(sum(sl.likeness_high) filter (where d.own), 0) - coalesce(sum(sl.likeness_high) filter (where not d.own), 0)
                     as high,
                   coalesce(sum(sl.likeness_low) filter (where d.own), 0) - coalesce(sum(sl.likeness_low) filter (where not d.own), 0)
                     as low
            from differs d join state_level sl using (chunk_id)
            group by d.host_id
        ), told as (
            select h.host_id, row(coalesce(b.high, 0) + coalesce(a.high, 0), coalesce(b.low, 0) + coalesce(a.low, 0),
                                  d.os_version, d.os_build, d.inetstp_major, d.has_registry, d.service_pack,
                                  d.ubr, d.product_type, d.installation_type, d.hotpatch, d.markers, d.dotnet_release,
                                  s.store_id, s.reaches, case when s.host_id is not null then hash_array_extended(h.chunk_ids, 2) end,
                                  -- What it did not see, or has beside its store, is told of no other.
                                  case when d.not_seen or k.unreadable > 0 or s.host_id is not null and laid or o.host_id is not null
                                       then h.host_id end) as said
            from state_host h
            left join base_said b on b.chunks = cardinality(h.chunk_ids) and b.first = h.chunk_ids[1]
            left join difference a using (host_id)
            left join state_declaration d using (host_id)
            left join host_checkin k using (host_id)
            left join state_store_host s using (host_id)
            left join (select distinct host_id from state_outside) o using (host_id)
        )
        select host_id, first_value(host_id) over (partition by hash_record_extended(said, 0), hash_record_extended(said, 1)
                                                   order by host_id)
        from told;
        if (select count(*) from state_alike where lead = host_id) * 2 <= hosts then
            analyze state_alike;
            return;
        end if;
        -- Where few are alike it is not worth while.
        delete from state_alike;
    end if;
    insert into state_alike (host_id, lead) select host_id, host_id from state_host;
    analyze state_alike;
end
$$;
comment on function evenkeel.find_alike() is 'Fills state_alike: for each host of the state the one that is judged for it.';

create or replace function evenkeel.part_alike()
returns boolean language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- Contradictions and doubts name files, and are looked at file by file; so are files of another Windows. Which instances of a product
    -- a host has is told by paths, of files that may say nothing of levels, too.
    update state_alike a set lead = a.host_id
    where a.lead <> a.host_id
      and a.lead in (select host_id from state_range where isempty(levels)
                     union select host_id from state_doubt
                     union select r.host_id
                           from state_range r join product p on p.product_id = r.product_id and p.unit_of is null
                           join component c on c.product_id = p.product_id cross join unnest(c.include) g (glob)
                           where g.glob like '%{%'
                     union select c.host_id
                           from state_component c join product q using (product_id) join state_declaration f using (host_id)
                           where q.os_version <> '' and f.os_version <> '' and f.os_version <> q.os_version);
    if not found then
        return false;
    end if;
    analyze state_alike;
    return true;
end
$$;
comment on function evenkeel.part_alike() is
  'Parts hosts from leads that something is told of by name; returns whether there were any: then these are to be judged, too.';

create or replace function evenkeel.copy_alike()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    if not exists (select from state_alike where lead <> host_id) then
        return;
    end if;
    insert into state_component (host_id, component_id, product_id, levels, files, covered, hint, revision, countable, confirmed, ahead)
    select a.host_id, c.component_id, c.product_id, c.levels, c.files, c.covered, c.hint, c.revision, c.countable, c.confirmed, c.ahead
    from state_alike a join state_component c on c.host_id = a.lead where a.host_id <> a.lead;
    -- What is asked of ranges later is asked of these.
    insert into state_range (host_id, product_id, levels, greatest_lower, least_upper, hint, revision, declared, base_ordinal, ordinal,
                             files, covered, undecided)
    select a.host_id, r.product_id, r.levels, r.greatest_lower, r.least_upper, r.hint, r.revision, r.declared, r.base_ordinal, r.ordinal,
           r.files, r.covered, r.undecided
    from state_alike a join state_range r on r.host_id = a.lead join product q on q.product_id = r.product_id and q.beside
    where a.host_id <> a.lead;
    insert into state_product (host_id, product_id, levels, declared, files, covered, verdict, missing, at_ordinal, countable, confirmed,
                               proof)
    select a.host_id, p.product_id, p.levels, p.declared, p.files, p.covered, p.verdict, p.missing, p.at_ordinal, p.countable, p.confirmed,
           p.proof
    from state_alike a join state_product p on p.host_id = a.lead where a.host_id <> a.lead;
    analyze state_component; analyze state_product;
end
$$;
comment on function evenkeel.copy_alike() is 'Gives hosts what came out of those that were judged for them.';
