-- Which files and hosts a change of the catalogue touches. Triggers note what changes, whoever changes it; in doubt they note more.

create or replace function evenkeel.note_catalogue_change()
returns trigger language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    -- Which edition says so bears on nothing.
    columns text := (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
                     where a.attrelid = tg_relid and a.attnum > 0 and not a.attisdropped and a.attname <> 'editions');
begin
    execute format('insert into evenkeel.catalogue_change (product_id, file) select distinct %s, %s from (%s) t %s on conflict do nothing',
                   tg_argv[0], tg_argv[1],
                   case tg_op when 'INSERT' then 'table came' when 'DELETE' then 'table went'
                              else format('(select %1$s from went except all select %1$s from came)
                                           union all (select %1$s from came except all select %1$s from went)', columns) end,
                   coalesce(tg_argv[2], ''));
    return null;
end
$$;
comment on function evenkeel.note_catalogue_change() is
  'Notes in catalogue_change whom a change of a table bears on: the product and the file are expressions on its rows t, after which more '
  'may be joined, or left out.';

-- What a product is, and where its files lie, decides on which hosts it is; of an instance, which is made when its first file comes, that
-- is decided by its product.
do $$
declare
    told record;
    event text;
begin
    for told in
        select * from (values
            ('product', 'case when t.unit_of is not null then t.product_id end', 'null::text', '', ''),
            ('component', 'case when p.unit_of is not null then t.product_id end', 'null::text',
             'left join evenkeel.product p using (product_id)', ''),
            ('line', 'case when p.unit_of is not null then t.product_id end', 'null::text',
             'left join evenkeel.product p using (product_id)', ''),
            ('level_rule', 't.product_id', 'null::text', '', ''),
            ('level_list', 't.product_id', 'null::text', '', ''),
            ('shipped_file', 'p.product_id', 'null::text', 'cross join unnest(t.products) p (product_id)', ''),
            ('patch', 't.product_id', 'null::text', '', ''),
            -- The files of a patch that is gone go with it. Names, and images, tell that imports matter, whoever's they are.
            ('patch_file', 'n.of_product', 'n.of_file',
             'left join evenkeel.patch p using (patch_id) cross join lateral ('
             'select p.product_id as of_product, null::text as of_file where p.product_id is not null '
             'union all select null, regexp_replace(t.file, ''^.*/'', '''') '
             'union all select null, l.name from evenkeel.file f join evenkeel.path l using (path_id) '
             'where f.image_id = t.image_id) n', ''),
            ('known_file', 't.product_id', 't.file', '', ''),
            -- What is learnt judges by itself whom it touches (refresh_files).
            ('level', 't.product_id', 'null::text', '', 'where t.source <> ''declared by hosts'''),
            ('baseline', 't.product_id', 't.file', '', 'where t.kind <> ''learned''')
        ) v (name, product, file, joined, learnt)
    loop
        foreach event in array array['insert', 'update', 'delete'] loop
            execute format('create or replace trigger %I after %s on evenkeel.%I referencing %s for each statement '
                           'execute function evenkeel.note_catalogue_change(%L, %L, %L)',
                           told.name || '_change_' || event, event, told.name,
                           case event when 'insert' then 'new table as came' when 'delete' then 'old table as went'
                                      else 'old table as went new table as came' end,
                           told.product, told.file, told.joined || case event when 'insert' then told.learnt else '' end);
        end loop;
    end loop;
end
$$;

create or replace function evenkeel.take_catalogue_changes()
returns boolean language plpgsql
as $$
begin
    drop table if exists catalogue_touched;
    create temporary table catalogue_touched on commit drop as
    select c.product_id, c.file from evenkeel.catalogue_change c limit 0;
    comment on table catalogue_touched is
        'What of the catalogue changed since the last time, as catalogue_change has it. Filled by take_catalogue_changes; read by '
        'files_importing, files_named, files_touched, find_touched_hosts, hosts_of_strangers, '
        'take_catalogue_changes; ends with the transaction.';
    with taken as (delete from evenkeel.catalogue_change returning product_id, file)
    insert into catalogue_touched select t.product_id, t.file from taken t;
    analyze catalogue_touched;
    return exists (select from catalogue_touched where product_id is null and file is null);
end
$$;
comment on function evenkeel.take_catalogue_changes() is
  'Takes what changed of the catalogue over into catalogue_touched; whether that may touch everything.';

create or replace function evenkeel.files_named()
returns integer[] language sql
as $$
    select coalesce(array_agg(distinct f.file_id), '{}')
    from (select t.product_id, p.path_id from catalogue_touched t join evenkeel.path p on p.name = t.file
          union
          select t.product_id, p.path_id
          from catalogue_touched t join evenkeel.path p on md5(p.location) = md5(t.file) and p.location = t.file) n
    join evenkeel.path_component using (path_id, product_id)
    join evenkeel.file f using (path_id)
$$;
comment on function evenkeel.files_named() is 'The files of which something is said otherwise by their name or place.';

create or replace function evenkeel.files_touched()
returns integer[] language sql
as $$
    with whole as materialized (
        select product_id from catalogue_touched where file is null
    )
    select coalesce(array_agg(t.file_id), '{}')
    from (select unnest(evenkeel.files_named()) as file_id
          union
          select l.file_id from evenkeel.file_level l join whole using (product_id)
          union
          -- What a list names is the product's, whatever its version is.
          select f.file_id
          from whole w
          join evenkeel.shipped_file s on w.product_id = any (s.products)
          join evenkeel.path p on p.name = s.file
          join evenkeel.path_component l on (l.path_id, l.product_id) = (p.path_id, w.product_id)
          join evenkeel.file f on f.path_id = p.path_id
          union
          -- So is what a patch names, be it another company's.
          select f.file_id
          from (select distinct w.product_id, b.file
                from whole w join evenkeel.patch k using (product_id) join evenkeel.patch_file b using (patch_id)) w
          cross join lateral (select p.path_id from evenkeel.path p where p.name = w.file
                              union all
                              select p.path_id from evenkeel.path p where md5(p.location) = md5(w.file) and p.location = w.file) p
          join evenkeel.path_component l on (l.path_id, l.product_id) = (p.path_id, w.product_id)
          join evenkeel.file f on f.path_id = p.path_id) t
$$;
comment on function evenkeel.files_touched() is
  'The files of which the catalogue may say something else than before, where it does not of all.';

create or replace function evenkeel.chunks_holding(files integer[])
returns setof bigint language plpgsql stable
as $$
begin
    -- A join reads all chunks once; for a few files their index finds them sooner.
    if cardinality(files) > 200 then
        return query select distinct c.chunk_id from evenkeel.chunk c cross join unnest(c.file_ids) u (file_id)
                     join unnest(files) f (file_id) using (file_id);
    elsif files <> '{}' then
        return query select c.chunk_id from evenkeel.chunk c where c.file_ids && files;
    end if;
end
$$;
comment on function evenkeel.chunks_holding(integer[]) is 'The chunks that hold any of these files.';

create or replace function evenkeel.files_importing()
returns integer[] language sql
as $$
    select coalesce(array_agg(distinct f.file_id), '{}')
    from catalogue_touched t
    join evenkeel.path p on p.name = t.file
    join evenkeel.file f using (path_id)
    where t.product_id is null
      and not exists (select from evenkeel.path_component pc join evenkeel.product q using (product_id)
                      where pc.path_id = p.path_id and not q.beside)
$$;
comment on function evenkeel.files_importing() is
  'The files of which a patch may say now, or say no more, that it matters what they import (imports_matter).';

create or replace function evenkeel.hosts_of_strangers()
returns table (host_id uuid) language plpgsql
as $$
begin
    drop table if exists touched_stranger;
    create temporary table touched_stranger on commit drop as
    select distinct w.os_version, c.chunk_id
    from (select distinct p.os_version from catalogue_touched t join evenkeel.product p using (product_id)
          where t.file is null and p.os_version <> '') w
    join evenkeel.product o on o.os_version not in ('', w.os_version)
    join evenkeel.chunk_level c on c.product_id = o.product_id;
    comment on table touched_stranger is
        'A chunk with files of a Windows that is not of this version. Filled by hosts_of_strangers; read by hosts_of_strangers; ends with '
        'the transaction.';
    if not exists (select from touched_stranger) then
        return;
    end if;
    analyze touched_stranger;
    return query
    select distinct f.host_id
    from catalogue_touched t
    join evenkeel.product p on p.product_id = t.product_id and p.os_version <> ''
    join evenkeel.host_facts_current f on f.os_version = p.os_version
     and (p.os_build is null or f.os_build between p.os_build and coalesce(p.os_build_to, p.os_build))
    join evenkeel.host_inventory_current i on i.host_id = f.host_id
    cross join unnest(i.chunk_ids) u (chunk_id)
    join touched_stranger s on s.chunk_id = u.chunk_id and s.os_version = p.os_version
    where t.file is null
      and not exists (select from evenkeel.host_product h where h.host_id = f.host_id and h.product_id = p.product_id);
end
$$;
comment on function evenkeel.hosts_of_strangers() is
  'Hosts that may get a Windows product of which anything may be said otherwise by files of another Windows alone (find_foreign_files).';

create or replace function evenkeel.find_touched_hosts(everything boolean)
returns void language plpgsql
as $$
begin
    drop table if exists touched_host;
    create temporary table touched_host (host_id uuid) on commit drop;
    comment on table touched_host is
        'A host that is judged again by the changed catalogue. Filled by find_touched_hosts; read by catalog_refresh; ends with the '
        'transaction.';
    if everything then
        insert into touched_host select host_id from evenkeel.host_inventory_current;
        return;
    end if;
    insert into touched_host
    select p.host_id
    from evenkeel.host_product p join evenkeel.product q using (product_id)
    join catalogue_touched t on t.file is null and t.product_id in (p.product_id, q.unit_of)
    union
    -- Of whom nothing is known anything may be learnt.
    select i.host_id
    from evenkeel.host_inventory_current i
    where exists (select from catalogue_touched where file is null)
      and not exists (select from evenkeel.host_product p where p.host_id = i.host_id)
    union
    -- Whoever holds a file that is named, whether or not that changes its levels: patches are told by it, too.
    select i.host_id
    from evenkeel.host_inventory_current i cross join unnest(i.chunk_ids) u (chunk_id)
    join (select h as chunk_id from evenkeel.chunks_holding(evenkeel.files_named() || evenkeel.files_importing()) h
          union select chunk_id from changed_chunk) c using (chunk_id)
    union
    -- What waits for a restart is judged where it will lie, of which the host may hold nothing yet.
    select p.host_id
    from evenkeel.host_product p
    join evenkeel.host_facts_current f using (host_id)
    where isempty(p.levels) and p.product_id in (select t.product_id from catalogue_touched t) and f.facts -> 'pending_renames' <> '[]'
    union
    select s.host_id from evenkeel.hosts_of_strangers() s;
end
$$;
comment on function evenkeel.find_touched_hosts(boolean) is
  'Fills touched_host: all hosts, or those that hold a file that is named or a chunk of changed_chunk, have a product of which anything '
  'may be said otherwise, or may have it by files that are another''s.';
