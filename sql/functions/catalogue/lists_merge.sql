-- Lists of cumulative updates as intervals of levels: a file's version is stored once for all the levels that ship it, so that hundreds of
-- lists take little room, and asking for one file costs the same however many there are.

create or replace function evenkeel.list_intervals(for_product integer, for_architecture integer)
returns void language plpgsql
as $$
begin
    insert into list_name (file)
    select distinct s.file from evenkeel.shipped s
    where s.product_id = for_product and s.architecture is not distinct from for_architecture and s.edition_id is null
    on conflict do nothing;
    analyze list_new; analyze list_name;
    insert into list_interval (file, version, first_ordinal, last_ordinal)
    with stated as (
        select n.file_id, p.place, s.version::bigint as version
        from evenkeel.shipped s
        join list_name n using (file)
        join list_place p on p.ordinal between s.first_ordinal and s.last_ordinal and not p.fresh
        where s.product_id = for_product and s.architecture is not distinct from for_architecture and s.edition_id is null
        union
        select n.file_id, p.place, n.version from list_new n join list_place p using (ordinal)
    ), builds as (
        select file_id, place, array_agg(version order by version) as versions from stated group by file_id, place
    ), begun as (
        select file_id, place, versions,
               lag(place) over w is distinct from place - 1 or lag(versions) over w is distinct from versions as begins
        from builds window w as (partition by file_id order by place)
    ), island as (
        select file_id, place, versions, count(*) filter (where begins) over (partition by file_id order by place) as island from begun
    ), run as (
        select file_id, min(place) as first_place, max(place) as last_place, min(versions) as versions from island group by file_id, island
    )
    select n.file, v.version, f.ordinal, l.ordinal
    from run r
    join list_name n using (file_id)
    join list_place f on f.place = r.first_place
    join list_place l on l.place = r.last_place
    cross join unnest(r.versions) v (version);
end
$$;
comment on function evenkeel.list_intervals(integer, integer) is
  'Fills list_interval: what a product''s lists for one architecture say together, those that are stored and those that are stated now '
  '(list_new) at the levels of list_place. The same lists give the same rows, in whichever order they come.';

create or replace function evenkeel.list_counts()
returns table (ordinal integer, files bigint) language sql
as $$
    -- Those that began so far, without those that ended before: each interval is looked at once, however many lists there are.
    with run as (
        select distinct file, first_ordinal, last_ordinal from list_interval
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

create or replace function evenkeel.list_store(for_product integer, for_architecture integer)
returns bigint language plpgsql
as $$
declare
    gone bigint;
    come bigint;
begin
    delete from evenkeel.shipped s
    where s.product_id = for_product and s.architecture is not distinct from for_architecture and s.edition_id is null
      and not exists (select from list_interval i
                      where (i.file, i.version, i.first_ordinal, i.last_ordinal) = (s.file, s.version, s.first_ordinal, s.last_ordinal));
    get diagnostics gone = row_count;
    insert into evenkeel.shipped (product_id, architecture, first_ordinal, last_ordinal, version, file)
    select for_product, for_architecture, i.first_ordinal, i.last_ordinal, i.version, i.file
    from list_interval i
    where not exists (select from evenkeel.shipped s
                      where s.product_id = for_product and s.architecture is not distinct from for_architecture and s.edition_id is null
                        and (i.file, i.version, i.first_ordinal, i.last_ordinal) = (s.file, s.version, s.first_ordinal, s.last_ordinal))
    order by i.file, i.first_ordinal;
    get diagnostics come = row_count;
    return gone + come;
end
$$;
comment on function evenkeel.list_store(integer, integer) is
  'Stores list_interval as what a product''s lists for one architecture say; returns how many rows changed.';

-- The rows of many lists are far more than can be told beforehand; joined one by one, 160 lists would be read 160 times.
create or replace function evenkeel.list_take(for_product integer, for_architecture integer)
returns void language plpgsql set enable_nestloop = off
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
    analyze list_place; analyze list_name;
    insert into list_new (file_id, ordinal, version)
    select n.file_id, p.ordinal, r.version
    from list_part p
    join list_stem s on (s.doc, s.product_id) = (p.doc, p.product_id) and s.architecture is not distinct from p.architecture
    join list_row r on r.doc = s.doc and coalesce(r.section, -1) = coalesce(s.section, -1) and r.version >> 16 = s.stem
    join list_name n on n.file = r.file
    where p.product_id = for_product and p.architecture is not distinct from for_architecture and (r.version & 65535) <= p.ordinal;
    perform evenkeel.list_intervals(for_product, for_architecture);
end
$$;
comment on function evenkeel.list_take(integer, integer) is
  'Fills list_interval with what the staged lists for a product and architecture say, beside those that are stored.';

create or replace function evenkeel.list_merge()
returns bigint language plpgsql
as $$
declare
    pair record;
    worked_out text := '';
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
        select p.product_id, p.architecture,
               concat_ws(' ', p.architecture, string_agg(p.doc || ':' || p.ordinal, ' ' order by p.ordinal),
                         (select string_agg(l.ordinal || '=' || l.source || '=' || l.files, ' ' order by l.ordinal)
                          from evenkeel.level_list l
                          where l.product_id = p.product_id and l.architecture is not distinct from p.architecture)) as lists
        from list_part p group by p.product_id, p.architecture order by 3, 1
    loop
        if worked_out <> pair.lists then
            perform evenkeel.list_take(pair.product_id, pair.architecture);
            worked_out := pair.lists;
        end if;
        changed := changed + evenkeel.list_store(pair.product_id, pair.architecture);
        insert into evenkeel.level_list as o (product_id, ordinal, architecture, source, files, edition_id)
        select p.product_id, p.ordinal, p.architecture, p.kb, c.files, f.edition_id
        from list_part p join kb_file f using (doc) join evenkeel.list_counts() c using (ordinal)
        where p.product_id = pair.product_id and p.architecture is not distinct from pair.architecture
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
        perform evenkeel.list_intervals(pair.product_id, pair.architecture);
        perform evenkeel.list_store(pair.product_id, pair.architecture);
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
returns void language sql
as $$
    with part as materialized (
        select doc, product_id, product, build, ordinal, array_agg(architecture order by architecture) as architectures
        from list_part group by 1, 2, 3, 4, 5
    ), kind as (
        select distinct product_id, architectures from part
    ), run as materialized (
        -- The levels that name a file (0), and those that do so as the one before did (1), whichever architecture it is for.
        select k.product_id, k.architectures, v.later, unnest(range_agg(int4range(s.first_ordinal + v.later, s.last_ordinal + 1))) as levels
        from kind k
        join evenkeel.shipped s on s.product_id = k.product_id and s.edition_id is null
                               and (s.architecture = any (k.architectures)
                                    or s.architecture is null and array_position(k.architectures, null) is not null)
        cross join (values (0), (1)) v (later)
        where s.first_ordinal + v.later <= s.last_ordinal
        group by k.product_id, k.architectures, v.later, s.file
    ), edge as materialized (
        select product_id, architectures, later, at, sum(n) as n
        from (select product_id, architectures, later, lower(levels) as at, 1 as n from run
              union all select product_id, architectures, later, upper(levels), -1 from run) e
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
