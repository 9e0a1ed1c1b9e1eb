-- The files of an update, with what they export and import, taken from a host that has it: what came with it, or all that its level ships.

create or replace function evenkeel.update_states(host uuid, product integer, patch_code text, at_ordinal integer)
returns table (before_chunks bigint[], after_chunks bigint[]) language sql stable
as $$
    with said as (
        select f.valid_from, f.valid_to,
               case when at_ordinal is not null then coalesce(f.ubr = at_ordinal, false)
                    else exists (select from jsonb_array_elements_text(f.hotfix_ids) h
                                 where evenkeel.patch_number(h) = evenkeel.patch_number(patch_code)) end as has_it
        from evenkeel.host_facts f where f.host_id = host
    ), came as (
        -- The time from which the host says that it has the update, and until when; null: it always did, as far as is known.
        select s.valid_from, (select min(l.valid_from) from said l where not l.has_it and l.valid_from > s.valid_from) as ended,
               exists (select from said l where not l.has_it and l.valid_from < s.valid_from) as came_later
        from said s where s.has_it order by s.valid_from limit 1
    )
    select (select i.chunk_ids from evenkeel.host_inventory i
            where c.came_later and i.host_id = host and i.valid_from < c.valid_from order by i.valid_from desc limit 1),
           -- Files may have come with a restart behind what the registry said: the last state counts.
           (select i.chunk_ids from evenkeel.host_inventory i
            where i.host_id = host and i.valid_from < coalesce(c.ended, 'infinity') order by i.valid_from desc limit 1)
    from came c
$$;
comment on function evenkeel.update_states(uuid, integer, text, integer) is
  'What a host held before it had an update (null: that is not known), and what it held with it; no row: it never had it.';

create or replace function evenkeel.payload_from_host(host uuid, patch_code text, product text, out took text, out files bigint,
                                                      out blind bigint)
language plpgsql
as $$
declare
    number integer := evenkeel.product_number(product);
    at_ordinal integer := coalesce(
        (select t.level_ordinal from evenkeel.patch t where t.code = upper(patch_code) and t.product_id = number),
        (select l.ordinal from evenkeel.level l where l.product_id = number and l.kb = upper(patch_code) order by l.ordinal desc limit 1));
    state record;
begin
    select * into state from evenkeel.update_states(host, number, patch_code, at_ordinal);
    if not found or state.after_chunks is null then
        raise exception 'this host never said that it has %: %', patch_code,
            case when at_ordinal is null then 'its registry lists no such hotfix'
                 else format('it declared no revision %s (the level of %s)', at_ordinal, patch_code) end;
    end if;
    insert into payload_file (path, image_id)
    select 'c:/' || evenkeel.place_in_payload(p.location), f.image_id
    from (select distinct u.file_id from unnest(state.after_chunks) c (chunk_id) join evenkeel.chunk k using (chunk_id)
          cross join unnest(k.file_ids) u (file_id)
          except
          select u.file_id from unnest(state.before_chunks) c (chunk_id) join evenkeel.chunk k using (chunk_id)
          cross join unnest(k.file_ids) u (file_id)) x
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id)
    join evenkeel.image i using (image_id)
    where i.file_version is not null and evenkeel.on_line(number, i.file_version) and p.location !~ '/(winsxs|softwaredistribution)/'
      and case when state.before_chunks is not null then true
               when exists (select from evenkeel.statement s where s.product_id = number and s.kind = 'list'
                            and at_ordinal between s.first_ordinal and s.last_ordinal)
               then exists (select from evenkeel.statement s
                            where s.product_id = number and s.file = p.name and s.kind = 'list' and s.version = i.file_version
                              and at_ordinal between s.first_ordinal and s.last_ordinal and (s.machine is null or s.machine = i.machine))
               when at_ordinal is not null then evenkeel.version_revision(i.file_version) = at_ordinal
               else exists (select from evenkeel.patch_file pf join evenkeel.patch t using (patch_id)
                            where t.code = upper(patch_code) and t.product_id = number and pf.file in (p.name, p.location)
                              and pf.version = i.file_version) end;
    get diagnostics files = row_count;
    if files = 0 then
        raise exception 'no file of % that % brings was found on this host%', product, patch_code,
            case when state.before_chunks is not null then ': nothing differs between its states before and after' else '' end;
    end if;
    took := case when state.before_chunks is not null then 'what differs between its states before and after'
                 else 'all files of that level, since no state before it is known' end;
    blind := (select count(*) from payload_file f join evenkeel.image i using (image_id)
              where evenkeel.image_unread(i.has_symbols, i.defects, i.machine, i.hybrid));
end
$$;
comment on function evenkeel.payload_from_host(uuid, text, text) is
  'Fills the temporary table payload_file with the files of an update as a host has them; an error where it never had it. blind: of how '
  'many the exports and imports are not known.';

create or replace function evenkeel.patch_products(patch_code text)
returns text[] language sql stable
as $$
    select array_agg(distinct p.code order by p.code)
    from evenkeel.product p
    where exists (select from evenkeel.patch t where t.product_id = p.product_id and t.code = upper(patch_code))
       or exists (select from evenkeel.level l where l.product_id = p.product_id and l.kb = upper(patch_code))
$$;
comment on function evenkeel.patch_products(text) is 'The products that have a patch, or a level, of that code.';

create or replace function evenkeel.patch_product_on(host uuid, patch_code text)
returns text language plpgsql stable
as $$
declare
    -- Windows' updates of some years bring .NET Framework's files, too.
    fitting text[] := (select coalesce(array_agg(p.code order by p.code) filter (where not p.beside), array_agg(p.code order by p.code))
                       from evenkeel.host_product hp join evenkeel.product p using (product_id)
                       where hp.host_id = host and p.code = any (evenkeel.patch_products(patch_code)));
begin
    if cardinality(fitting) = 1 then
        return fitting[1];
    end if;
    raise exception 'which product of that host % is for is not known%: name it with --product', patch_code,
        coalesce(' (' || array_to_string(fitting, ' or ') || ')',
                 coalesce('; it is known for ' || array_to_string(evenkeel.patch_products(patch_code), ', '), ''));
end
$$;
comment on function evenkeel.patch_product_on(uuid, text) is 'The product of a host that a patch is for; an error where that is not one.';

create or replace view evenkeel.patch_table as
select f.patch_id, f.file, f.version, f.machine, f.branch, f.image_id, f.other_images, f.payload_paths
from evenkeel.patch_file f
union all
select t.patch_id, s.file, s.version::evenkeel.version, m.machine, '', null, '{}', '{}'
from evenkeel.patch t
join evenkeel.shipped s on s.product_id = t.product_id and t.level_ordinal between s.first_ordinal and s.last_ordinal
  and s.edition_id is null
cross join unnest(evenkeel.machines_on(s.architecture)) m (machine)
where exists (select from evenkeel.level_list l where (l.product_id, l.ordinal) = (t.product_id, t.level_ordinal));
comment on view evenkeel.patch_table is
  'The files that a patch brings: its table and payload, and of a cumulative update what its level''s list names.';
comment on column evenkeel.patch_table.patch_id is 'The patch.';
comment on column evenkeel.patch_table.file is 'A file name, or a path.location.';
comment on column evenkeel.patch_table.version is 'The version that it brings; null: not known.';
comment on column evenkeel.patch_table.machine is 'Only for images of this IMAGE_FILE_MACHINE_*; null: any.';
comment on column evenkeel.patch_table.branch is 'As patch_file.branch.';
comment on column evenkeel.patch_table.image_id is 'The image, where it was read.';
comment on column evenkeel.patch_table.other_images is 'As patch_file.other_images.';
comment on column evenkeel.patch_table.payload_paths is 'As patch_file.payload_paths.';
