-- Lists of cumulative updates as intervals of levels: a file's version is stored once for all the levels that ship it, so that hundreds of
-- lists take little room, and asking for one file costs the same however many there are.

create or replace function evenkeel.list_gather(for_product integer, for_architecture integer)
returns void language plpgsql set work_mem = '128MB'
as $$
begin
    insert into list_name (file)
    select s.file from evenkeel.shipped_file s
    where for_product = any (s.products) and s.architecture is not distinct from for_architecture and s.edition_id is null
    on conflict do nothing;
    analyze list_name; analyze list_place;
    insert into list_at (at, version)
    select n.file_id::bigint << 32 | p.place, s.stem << 16 | i.revision
    from evenkeel.shipped_file s
    join list_name n using (file)
    cross join unnest(s.first_ordinals, s.last_ordinals, s.revisions) i (first_ordinal, last_ordinal, revision)
    join list_place p on p.ordinal between i.first_ordinal and i.last_ordinal and not p.fresh
    where for_product = any (s.products) and s.architecture is not distinct from for_architecture and s.edition_id is null;
end
$$;
comment on function evenkeel.list_gather(integer, integer) is
  'Adds to list_at what the stored lists of a product for one architecture say, at the levels of list_place whose lists stay.';

-- Nearly every list has one build of a name: these are gone through in order once. Where one has several, they are compared as a whole.
create or replace function evenkeel.list_intervals()
returns void language plpgsql set work_mem = '128MB'
as $$
begin
    analyze list_at;
    insert into list_begun (at, version, before, several)
    select at, version, before, before = at
    from (select at, version, lag(at) over w as before, lag(version) over w as was from list_at window w as (order by at, version)) x
    where (before, was) is distinct from (at - 1, version) and (before, was) is distinct from (at, version);
    analyze list_begun;
    insert into list_interval (file_id, version, first_ordinal, last_ordinal)
    with several as materialized (
        select distinct at >> 32 as file from list_begun where several
    ), builds as (
        select at, array_agg(distinct version order by version) as versions from list_at
        where at >> 32 in (select file from several) group by at
    ), begun as (
        select at, versions, before
        from (select at, versions, lag(at) over w as before, lag(versions) over w as was from builds window w as (order by at)) x
        where (before, was) is distinct from (at - 1, versions)
    ), run as (
        -- A run ends with what is before the next one.
        select * from (select at, array[version] as versions,
                              coalesce(lead(before) over (order by at, version), (select max(at) from list_at)) as until from list_begun) x
        where at >> 32 not in (select file from several)
        union all
        select at, versions, coalesce(lead(before) over (order by at), (select max(at) from builds)) from begun
    )
    select (r.at >> 32)::integer, v.version, f.ordinal, l.ordinal
    from run r
    join list_place f on f.place = r.at & 4294967295
    join list_place l on l.place = r.until & 4294967295
    cross join unnest(r.versions) v (version);
end
$$;
comment on function evenkeel.list_intervals() is
  'Fills list_interval: what list_at says, as intervals of levels. The same lists give the same rows, in whichever order they come.';

create or replace function evenkeel.list_counts()
returns table (ordinal integer, files bigint) language sql
as $$
    -- Those that began so far, without those that ended before: each interval is looked at once, however many lists there are.
    with run as (
        select distinct file_id, first_ordinal, last_ordinal from list_interval
    ), begun as (
        select first_ordinal as ordinal, count(*) as n from run group by 1
    ), ended as (
        select last_ordinal as ordinal, count(*) as n from run group by 1
    )
    select p.ordinal, (coalesce(sum(b.n) over so_far, 0) - coalesce(sum(e.n) over so_far, 0) + coalesce(e.n, 0))::bigint
    from list_place p left join begun b using (ordinal) left join ended e using (ordinal)
    window so_far as (order by p.ordinal)
$$;
comment on function evenkeel.list_counts() is 'How many files the lists of list_interval name at each level of list_place.';

create or replace function evenkeel.list_store(for_products integer[], for_architecture integer)
returns bigint language plpgsql set work_mem = '128MB'
as $$
begin
    perform evenkeel.shipped_scratch();
    insert into shipped_now (stem, architecture, file, products, first_ordinals, last_ordinals, revisions)
    select r.stem, for_architecture, n.file, evenkeel.integers_without(for_products, '{}'), r.first_ordinals, r.last_ordinals, r.revisions
    from (select file_id, version >> 16 as stem, array_agg(first_ordinal order by first_ordinal, version) as first_ordinals,
                 array_agg(last_ordinal order by first_ordinal, version) as last_ordinals,
                 array_agg((version & 65535)::integer order by first_ordinal, version) as revisions
          from list_interval group by file_id, version >> 16) r
    join list_name n using (file_id);
    return evenkeel.shipped_store(for_products, for_architecture, null);
end
$$;
comment on function evenkeel.list_store(integer[], integer) is
  'Stores list_interval as what these products'' lists for one architecture say; returns how many rows changed.';

-- The rows of many lists are far more than can be told beforehand; joined one by one, 160 lists would be read 160 times.
create or replace function evenkeel.list_take(for_product integer, for_architecture integer)
returns void language plpgsql set enable_nestloop = off set work_mem = '128MB'
as $$
begin
    perform evenkeel.list_scratch();
    insert into list_place (ordinal, place, fresh)
    select ordinal, row_number() over (order by ordinal), bool_or(fresh)
    from (select p.ordinal, true as fresh from list_part p where p.product_id = for_product
          and p.architecture is not distinct from for_architecture
          union all
          select l.ordinal, false from evenkeel.level_list l where l.product_id = for_product
            and l.architecture is not distinct from for_architecture) x
    group by ordinal;
    perform evenkeel.list_gather(for_product, for_architecture);
    insert into list_at (at, version)
    select n.file_id::bigint << 32 | l.place, r.version
    from list_part p
    join list_place l using (ordinal)
    join list_stem s on (s.doc, s.product_id) = (p.doc, p.product_id) and s.architecture is not distinct from p.architecture
    join list_row r on r.doc = s.doc and coalesce(r.section, -1) = coalesce(s.section, -1) and r.version >> 16 = s.stem
    join list_name n on n.file = r.file
    where p.product_id = for_product and p.architecture is not distinct from for_architecture and (r.version & 65535) <= p.ordinal;
    perform evenkeel.list_intervals();
end
$$;
comment on function evenkeel.list_take(integer, integer) is
  'Fills list_interval with what the staged lists for a product and architecture say, beside those that are stored.';

create or replace function evenkeel.list_merge()
returns bigint language plpgsql
as $$
declare
    pair record;
    changed bigint := 0;
    n bigint;
begin
    insert into evenkeel.level (product_id, ordinal, code, name, ubr, kb, source)
    select distinct on (p.product_id, p.ordinal) p.product_id, p.ordinal, format('%s.%s', p.build, p.ordinal),
      format('%s %s.%s', q.name, p.build, p.ordinal),
           p.ordinal, p.kb, case when p.kb <> '' then p.kb else 'file list' end
    from list_part p join evenkeel.product q using (product_id)
    order by p.product_id, p.ordinal, p.doc
    on conflict do nothing;
    get diagnostics n = row_count; changed := changed + n;
    perform evenkeel.list_scratch();
    insert into list_name (file) select distinct file from list_row on conflict do nothing;
    -- A client and a server that share all their lists are worked out once.
    for pair in
        select array_agg(product_id order by product_id) as products, architecture
        from (select p.product_id, p.architecture, string_agg(p.doc || ':' || p.ordinal, ' ' order by p.ordinal) as come,
                     (select string_agg(l.ordinal || '=' || l.source || '=' || l.files, ' ' order by l.ordinal)
                      from evenkeel.level_list l
                      where l.product_id = p.product_id and l.architecture is not distinct from p.architecture) as held
              from list_part p group by p.product_id, p.architecture) x
        group by come, held, architecture order by 1, 2
    loop
        perform evenkeel.list_take(pair.products[1], pair.architecture);
        changed := changed + evenkeel.list_store(pair.products, pair.architecture);
        insert into evenkeel.level_list as o (product_id, ordinal, architecture, source, files, edition_id)
        select p.product_id, p.ordinal, p.architecture, p.kb, c.files, f.edition_id
        from evenkeel.list_counts() c join list_part p using (ordinal) join kb_file f using (doc)
        where p.product_id = any (pair.products) and p.architecture is not distinct from pair.architecture
        on conflict (product_id, ordinal, architecture) do update set source = excluded.source, files = excluded.files,
          edition_id = excluded.edition_id
        where (o.source, o.files) is distinct from (excluded.source, excluded.files);
        get diagnostics n = row_count; changed := changed + n;
    end loop;
    return changed + evenkeel.list_settle();
end
$$;
comment on function evenkeel.list_merge() is
  'Merges the staged lists into the catalogue: levels, intervals, patches; returns how many rows are new, changed or gone.';

create or replace function evenkeel.list_settle()
returns bigint language plpgsql
as $$
declare
    changed bigint := 0;
    n bigint;
begin
    update evenkeel.level l set complete = exists (select from evenkeel.level_list i
                                                   where (i.product_id, i.ordinal) = (l.product_id, l.ordinal))
    from evenkeel.product p
    where p.product_id = l.product_id and p.level_kind = 'cumulative update'
      and l.complete <> exists (select from evenkeel.level_list i where (i.product_id, i.ordinal) = (l.product_id, l.ordinal));
    get diagnostics n = row_count; changed := changed + n;
    -- A list is a patch, too: what it brings is known, what that imports is not.
    insert into evenkeel.patch as o (code, product_id, title, level_ordinal, released, source)
    select distinct on (i.source, i.product_id) i.source, i.product_id, 'Cumulative update ' || l.code, i.ordinal, l.released, i.source
    from evenkeel.level_list i join evenkeel.level l using (product_id, ordinal)
    where i.source <> ''
    order by i.source, i.product_id, i.ordinal desc
    on conflict (code, product_id) do update set level_ordinal = excluded.level_ordinal where o.level_ordinal is null;
    get diagnostics n = row_count;
    return changed + n;
end
$$;
comment on function evenkeel.list_settle() is
  'Says of levels whether they have a list, and makes a patch of each list; returns how many rows changed.';

create or replace function evenkeel.list_remove(given_source text, edition integer, products integer[])
returns bigint language plpgsql
as $$
declare
    pair record;
    removed bigint := 0;
    n bigint;
begin
    for pair in select distinct l.product_id, l.architecture from evenkeel.level_list l
                where l.product_id = any (products) and (l.source = given_source or l.edition_id = edition) loop
        perform evenkeel.list_scratch();
        insert into list_place (ordinal, place, fresh)
        select l.ordinal, row_number() over (order by l.ordinal), false from evenkeel.level_list l
        where l.product_id = pair.product_id and l.architecture is not distinct from pair.architecture
          and not (l.source = given_source or coalesce(l.edition_id = edition, false));
        perform evenkeel.list_gather(pair.product_id, pair.architecture);
        perform evenkeel.list_intervals();
        perform evenkeel.list_store(array[pair.product_id], pair.architecture);
        delete from evenkeel.level_list l
        where l.product_id = pair.product_id and l.architecture is not distinct from pair.architecture
          and (l.source = given_source or l.edition_id = edition);
        get diagnostics n = row_count; removed := removed + n;
    end loop;
    perform evenkeel.list_settle();
    return removed;
end
$$;
comment on function evenkeel.list_remove(text, integer, integer[]) is
  'Removes lists by their source or their file; returns how many there were.';

create or replace function evenkeel.list_tell()
returns void language sql set work_mem = '128MB'
as $$
    with part as materialized (
        select doc, product_id, product, build, ordinal, array_agg(architecture order by architecture) as architectures
        from list_part group by 1, 2, 3, 4, 5
    ), kind as (
        select distinct product_id, architectures from part
    ), interval as materialized (
        -- Of one architecture the intervals of a file are the same or disjoint.
        select distinct k.product_id, k.architectures, s.file, i.first_ordinal, i.last_ordinal
        from kind k
        join evenkeel.shipped_file s on k.product_id = any (s.products) and s.edition_id is null
                                    and (s.architecture = any (k.architectures)
                                         or s.architecture is null and array_position(k.architectures, null) is not null)
        cross join unnest(s.first_ordinals, s.last_ordinals) i (first_ordinal, last_ordinal)
    ), run as (
        -- The levels that name a file (0), and those that do so as the one before did (1), whichever architecture it is for.
        select i.product_id, i.architectures, v.later, i.first_ordinal + v.later as began, i.last_ordinal + 1 as ended, i.files
        from (select product_id, architectures, first_ordinal, last_ordinal, count(*) as files from interval
              where cardinality(architectures) = 1 group by 1, 2, 3, 4) i
        cross join (values (0), (1)) v (later)
        where i.first_ordinal + v.later <= i.last_ordinal
        union all
        select product_id, architectures, later, lower(levels), upper(levels), 1
        from (select i.product_id, i.architectures, v.later,
                     unnest(range_agg(int4range(i.first_ordinal + v.later, i.last_ordinal + 1))) as levels
              from interval i cross join (values (0), (1)) v (later)
              where cardinality(i.architectures) > 1 and i.first_ordinal + v.later <= i.last_ordinal
              group by i.product_id, i.architectures, v.later, i.file) x
    ), edge as materialized (
        select product_id, architectures, later, at, sum(files) as n
        from (select product_id, architectures, later, began as at, files from run
              union all select product_id, architectures, later, ended, -files from run) e
        group by 1, 2, 3, 4
    )
    insert into kb_told
    select p.doc, 0, 0, format('%s %s.%s, %s, %s as before%s (%s)', p.product, p.build, p.ordinal,
                               evenkeel.counted(coalesce(e.files, 0)::bigint, 'file'), to_char(coalesce(e.same, 0), 'FM999,999,999'),
                               coalesce(', for ' || nullif((select string_agg(distinct evenkeel.machine_name(a), ' and ')
                                                            from unnest(p.architectures) a), ''), ''), l.how)
    from part p
    join list_level l using (doc, product_id)
    cross join lateral (select sum(e.n) filter (where e.later = 0) as files, sum(e.n) filter (where e.later = 1) as same
                        from edge e
                        where (e.product_id, e.architectures) = (p.product_id, p.architectures) and e.at <= p.ordinal) e
$$;
comment on function evenkeel.list_tell() is
  'Adds a line for each list and product: the level that it is of, how many files it names, and how many of these are as in the list '
  'before.';

create or replace function evenkeel.list_import(only_product text, given_level text)
returns bigint language plpgsql
as $$
declare
    changed bigint;
begin
    perform evenkeel.list_find_products(only_product);
    perform evenkeel.list_find_levels(given_level);
    update kb_file f set edition_id = evenkeel.edition_of(coalesce(nullif(f.edition, ''), f.path))
    where f.doc in (select doc from list_part);
    changed := evenkeel.list_merge();
    perform evenkeel.list_tell();
    return changed;
end
$$;
comment on function evenkeel.list_import(text, text) is
  'Takes the staged lists into the catalogue, and tells of each in kb_told; returns how many rows changed.';
