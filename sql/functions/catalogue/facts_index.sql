-- What an index by file names (Winbindex) says, as intervals of levels: of one name all that is known, of a level only that name.

create or replace function evenkeel.index_find_levels(only_product text)
returns void language plpgsql
as $$
begin
    create temporary table index_update on commit drop as
    select u.windows, u.kb, u.release, p.product_id, p.code as product,
           case when u.kb = 'BASE' then p.rtm_revision else coalesce(known.ordinal, split_part(u.release, '.', 2)::integer) end as ordinal,
           p.os_build, p.name
    from (select distinct windows, kb, case when release ~ '^\d{4,5}\.\d{1,5}$' then release end as release from fact_index) u
    join evenkeel.product p on p.level_kind = 'cumulative update' and (only_product is null or p.code = only_product)
    left join lateral (select l.ordinal from evenkeel.level l where l.product_id = p.product_id and l.kb = u.kb
                       order by l.ordinal desc limit 1) known on true
    where case when u.kb = 'BASE'
               -- The files that a release came with; of those that share an earlier one's they are not the earlier one's.
               then p.rtm_revision is not null and p.code in ('windows-10-' || u.windows, 'windows-' || u.windows)
               else known.ordinal is not null
                    or split_part(u.release, '.', 1)::integer between p.os_build and coalesce(p.os_build_to, p.os_build)
                       and p.product_types = array[1] and not exists (select from evenkeel.level l where l.kb = u.kb) end;
    comment on table index_update is
        'An update that an index names, and the product and level that it is. Filled by index_find_levels; read by index_merge; ends '
        'with the transaction.';
end
$$;
comment on function evenkeel.index_find_levels(text) is 'Fills index_update: the products and levels of the updates that the indexes name.';

create or replace function evenkeel.index_merge(only_product text)
returns bigint language plpgsql
as $$
declare
    changed bigint := 0;
    n bigint;
begin
    perform evenkeel.index_find_levels(only_product);
    insert into evenkeel.level (product_id, ordinal, code, name, ubr, kb, source)
    select distinct on (u.product_id, u.ordinal) u.product_id, u.ordinal, format('%s.%s', u.os_build, u.ordinal),
           format('%s %s', u.name, coalesce(u.release, format('%s.%s', u.os_build, u.ordinal))), u.ordinal, case
             when u.kb ~ '^KB\d{5,7}$' then u.kb else '' end, 'Winbindex'
    from index_update u
    where not exists (select from evenkeel.level l where (l.product_id, l.ordinal) = (u.product_id, u.ordinal))
    order by u.product_id, u.ordinal, u.kb;
    get diagnostics n = row_count; changed := changed + n;
    create temporary table index_interval on commit drop as
    with stated as (
        select i.doc, u.product_id, i.architecture, i.file, u.ordinal, array_agg(distinct i.version::bigint) as versions
        from fact_index i
        join index_update u on (u.windows, u.kb) = (i.windows, i.kb)
        where evenkeel.on_line(u.product_id, i.version) group by 1, 2, 3, 4, 5
    ), island as (
        select s.*, row_number() over (partition by doc, product_id, architecture, file order by ordinal)
                    - row_number() over (partition by doc, product_id, architecture, file, versions order by ordinal) as island
        from stated s
    ), run as (
        select doc, product_id, architecture, file, versions, min(ordinal) as first_ordinal, max(ordinal) as last_ordinal
        from island group by doc, product_id, architecture, file, versions, island
    )
    select r.doc, evenkeel.edition_of(evenkeel.index_edition(r.doc, r.file)) as edition_id, r.product_id, r.architecture, r.file, v.version,
           r.first_ordinal, r.last_ordinal
    from run r cross join unnest(r.versions) v (version);
    comment on table index_interval is
        'A files version and the levels, first to last, that ship it, as an index has it. Filled by index_merge; read by index_merge, '
        'index_tell; ends with the transaction.';
    perform evenkeel.shipped_scratch();
    insert into shipped_now (stem, architecture, edition_id, file, products, first_ordinals, last_ordinals, revisions)
    select stem, architecture, edition_id, file, array_agg(product_id order by product_id), first_ordinals, last_ordinals, revisions
    from (select i.version >> 16 as stem, i.architecture, i.edition_id, i.file, i.product_id,
                 array_agg(i.first_ordinal order by i.first_ordinal, i.version) as first_ordinals,
                 array_agg(i.last_ordinal order by i.first_ordinal, i.version) as last_ordinals,
                 array_agg((i.version & 65535)::integer order by i.first_ordinal, i.version) as revisions
          from (select distinct version, architecture, edition_id, file, product_id, first_ordinal, last_ordinal from index_interval) i
          group by 1, 2, 3, 4, 5) s
    group by stem, architecture, edition_id, file, first_ordinals, last_ordinals, revisions;
    changed := changed + evenkeel.shipped_store(
        array(select p.product_id from evenkeel.product p where only_product is null or p.code = only_product), null,
        array(select distinct edition_id from index_interval));
    perform evenkeel.index_tell();
    return changed;
end
$$;
comment on function evenkeel.index_merge(text) is 'Merges the indexes that were read into the catalogue; returns how many rows changed.';

create or replace function evenkeel.index_edition(document integer, file text)
returns text language sql stable
as $$
    -- Winbindex has an index of its own for ARM64, whose files are called alike.
    select 'Winbindex ' || case when exists (select from fact_index i where i.doc = document
                                             and i.architecture = evenkeel.pe_machine_arm64()) then 'arm64 ' else '' end || file
$$;
comment on function evenkeel.index_edition(integer, text) is 'The edition that an index of a file''s builds is.';

create or replace function evenkeel.index_tell()
returns void language sql
as $$
    insert into kb_told
    select d.doc, 0, case when count(x.version) > 0 then 0 else 1 end,
           case when count(x.version) > 0
                then format('index of %s: %s of %s, for %s', min(i.file), evenkeel.counted(count(distinct x.version), 'build'),
                            evenkeel.counted(count(distinct x.product_id), 'product'),
                              string_agg(distinct evenkeel.machine_name(x.architecture), ' and '))
                else 'nothing taken: no build in it is on the line of a product of the catalogue' end
    from fact_file d
    left join (select distinct doc, file from fact_index) i using (doc)
    left join index_interval x on x.doc = d.doc
    where d.kind = 'index' group by d.doc
$$;
comment on function evenkeel.index_tell() is 'Adds a line for each index: how many builds it gave.';
