-- Hotpatched hosts: what a hotpatch brings is newer than the update that it stands on, and not all of what lies between.

create or replace function evenkeel.stands_on_unknown(product integer, ubr integer, hotpatch text)
returns boolean language sql stable parallel safe
as $$
    -- An update of the catalogue's stands on the one below it. A level that is known from hosts alone may be a hotpatch's.
    select hotpatch <> '' and ubr is not null
           and not exists (select from evenkeel.level l
                           where l.product_id = product and l.ordinal = stands_on_unknown.ubr and l.source <> 'declared by hosts')
$$;
comment on function evenkeel.stands_on_unknown(integer, integer, text) is
  'Whether a host for which hotpatches are meant declares a UBR that may be a hotpatch''s, of which nobody says what it stands on.';

create or replace function evenkeel.find_hotpatched()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into state_doubt (host_id, product_id, kind, sentence)
    select r.host_id, r.product_id, 'hotpatch',
           format('hotpatches are on, and which update %s.%s stands on is not known: load it as a level with its line and its base '
                  '(evenkeel catalog load)', d.os_build, d.ubr)
    from state_range r
    join product p using (product_id)
    join state_declaration d using (host_id)
    where isempty(r.levels) and p.follows_os and p.level_kind = 'cumulative update'
      and stands_on_unknown(r.product_id, d.ubr, d.hotpatch)
$$;
comment on function evenkeel.find_hotpatched() is
  'Adds to state_doubt the hosts that contradict themselves, but may be hotpatched: their base is not known.';

create or replace function evenkeel.find_based_ranges()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Ranges that were put together say no more which files crossed: of these few hosts each file is asked.
    with based as materialized (
        select host_id, product_id, base_ordinal, declared from state_range where base_ordinal is not null and isempty(levels)
    ), held as (
        select b.*, fl.levels
        from based b
        join state_host h using (host_id)
        cross join unnest(h.chunk_ids) c (chunk_id)
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join file_level fl on (fl.file_id, fl.product_id) = (u.file_id, b.product_id)
        union all
        select b.*, s.levels from based b join state_foreign s using (host_id, product_id)
    ), ends as (
        select host_id, product_id,
               -- What a hotpatch brings is newer than the level that it stands on, and no contradiction.
               max(case when l > base_ordinal and l < upper(declared) then base_ordinal else l end) as greatest_lower,
               min(range_upper_end(levels)) as least_upper
        from held cross join lateral range_lower_end(levels) l
        group by host_id, product_id
    )
    update state_range r
    set greatest_lower = e.greatest_lower, least_upper = e.least_upper,
        levels = range_of_ends(greatest(e.greatest_lower, 0, lower(r.declared)), least(e.least_upper, upper(r.declared)))
    from ends e
    where (e.host_id, e.product_id) = (r.host_id, r.product_id)
$$;
comment on function evenkeel.find_based_ranges() is
  'Puts together again, file by file, what hosts say whose declared level stands on another than the one below it, where they seem to '
  'contradict themselves.';
