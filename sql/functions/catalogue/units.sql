-- Instances of products as units: a product row each, made when the first path of an instance is stored, with copies of what the
-- catalogue says of the product itself. All that is keyed by product then judges, shows and plans instances apart.

create or replace function evenkeel.unit_file(product integer, unit text, file text)
returns text language sql stable parallel safe
as $$
    -- A place names the instance that it was captured of; a name alone is any instance's.
    select coalesce((select replace(file, '/' || m.found[1] || '/', '/' || unit || '/')
                     from evenkeel.component c cross join unnest(c.include) g (glob)
                     cross join lateral (select regexp_match(file, evenkeel.component_regex(g.glob)) as found) m
                     where c.product_id = product and g.glob like '%{%' and m.found is not null limit 1), file)
$$;
comment on function evenkeel.unit_file(integer, text, text) is 'A file of a product as it is called in one of its instances.';

create or replace function evenkeel.copy_to_units(target regclass, units integer[], left_out text[] default '{}',
                                                  file text default 'b.file')
returns void language plpgsql
as $$
declare
    columns text[] := array(select a.attname::text from pg_attribute a
                            where a.attrelid = target and a.attnum > 0 and not a.attisdropped
                              and a.attname <> all (left_out || array['product_id', 'editions', 'edition_id']) order by a.attnum);
    told text := (select string_agg(case when c = 'file' then file else format('b.%I', c) end, ', ' order by ord)
                  from unnest(columns) with ordinality u (c, ord));
    held text := (select string_agg(format('t.%I', c), ', ' order by ord) from unnest(columns) with ordinality u (c, ord));
    listed text := (select string_agg(quote_ident(c), ', ' order by ord) from unnest(columns) with ordinality u (c, ord));
begin
    execute format('with gone as (
                        select t.product_id, %3$s from %1$s t where t.product_id = any ($1)
                        except
                        select u.product_id, %2$s from %1$s b join evenkeel.product u on u.unit_of = b.product_id
                        where u.product_id = any ($1)
                    )
                    delete from %1$s t using gone where t.product_id = gone.product_id and (%3$s) is not distinct from (%5$s)',
                   target, told, held, listed, (select string_agg(format('gone.%I', c), ', ' order by ord)
                                                from unnest(columns) with ordinality u (c, ord))) using units;
    execute format('insert into %1$s (product_id, %4$s)
                    select u.product_id, %2$s from %1$s b join evenkeel.product u on u.unit_of = b.product_id
                    where u.product_id = any ($1)
                    except
                    select t.product_id, %3$s from %1$s t where t.product_id = any ($1)
                    on conflict do nothing', target, told, held, listed) using units;
end
$$;
comment on function evenkeel.copy_to_units(regclass, integer[], text[], text) is
  'Makes a table of the catalogue say of these instances what it says of their products, but for some columns.';

create or replace function evenkeel.refresh_units_of(units integer[])
returns void language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    update evenkeel.product u
    set (name, os_version, os_build, os_build_to, product_types, installation_types, inetstp_major, follows_os, level_kind, coverage_share,
         rtm_revision, beside, source)
        = (format('%s (%s)', b.name, upper(u.unit)), b.os_version, b.os_build, b.os_build_to, b.product_types, b.installation_types,
           b.inetstp_major, b.follows_os, b.level_kind, b.coverage_share, b.rtm_revision, b.beside, b.source)
    from evenkeel.product b
    where b.product_id = u.unit_of and u.product_id = any (units)
      and (u.name, u.os_version, u.os_build, u.os_build_to, u.product_types, u.installation_types, u.inetstp_major, u.follows_os,
           u.level_kind, u.coverage_share, u.rtm_revision, u.beside, u.source) is distinct from
          (format('%s (%s)', b.name, upper(u.unit)), b.os_version, b.os_build, b.os_build_to, b.product_types, b.installation_types,
           b.inetstp_major, b.follows_os, b.level_kind, b.coverage_share, b.rtm_revision, b.beside, b.source);
    insert into evenkeel.component as o (product_id, code, name, include, exclude, declared, source)
    select u.product_id, c.code, c.name, '{}', '{}', c.declared, c.source
    from evenkeel.component c join evenkeel.product u on u.unit_of = c.product_id
    where u.product_id = any (units)
    on conflict (product_id, code) do update set name = excluded.name, declared = excluded.declared, source = excluded.source
    where (o.name, o.declared, o.source) is distinct from (excluded.name, excluded.declared, excluded.source);
    delete from evenkeel.component c using evenkeel.product u
    where u.product_id = c.product_id and u.product_id = any (units)
      and not exists (select from evenkeel.component b where b.product_id = u.unit_of and b.code = c.code);
    perform evenkeel.copy_to_units('evenkeel.level', units);
    perform evenkeel.copy_to_units('evenkeel.line', units);
    perform evenkeel.copy_to_units('evenkeel.level_rule', units);
    perform evenkeel.copy_to_units('evenkeel.known_file', units);
    perform evenkeel.copy_to_units('evenkeel.baseline', units, file =>
        $file$case when b.file like '%/%' then evenkeel.unit_file(b.product_id, u.unit, b.file) else b.file end$file$);
    perform evenkeel.shipped_to_units(units);
    perform evenkeel.copy_to_units('evenkeel.patch', units, '{patch_id}');
    delete from evenkeel.patch_file t using evenkeel.patch p, evenkeel.product u
    where p.patch_id = t.patch_id and u.product_id = p.product_id and u.product_id = any (units)
      and not exists (select from evenkeel.patch s join evenkeel.patch_file b on b.patch_id = s.patch_id
                      where (s.code, s.product_id) = (p.code, u.unit_of)
                        and (b.file, b.version, b.machine, b.branch, b.size, b.dated, b.platform, b.image_id, b.listed, b.other_images,
                             b.payload_paths)
                            is not distinct from
                            (t.file, t.version, t.machine, t.branch, t.size, t.dated, t.platform, t.image_id, t.listed, t.other_images,
                             t.payload_paths));
    insert into evenkeel.patch_file (patch_id, file, version, machine, branch, size, dated, platform, image_id, listed, other_images,
                                     payload_paths)
    select p.patch_id, b.file, b.version, b.machine, b.branch, b.size, b.dated, b.platform, b.image_id, b.listed, b.other_images,
           b.payload_paths
    from evenkeel.patch p
    join evenkeel.product u on u.product_id = p.product_id and u.product_id = any (units)
    join evenkeel.patch s on (s.code, s.product_id) = (p.code, u.unit_of)
    join evenkeel.patch_file b on b.patch_id = s.patch_id
    on conflict do nothing;
end
$$;
comment on function evenkeel.refresh_units_of(integer[]) is 'Makes the catalogue say of these instances what it says of their products.';

create or replace function evenkeel.refresh_units()
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    units integer[] := array(select product_id from evenkeel.product where unit_of is not null);
begin
    if units <> '{}' then
        perform evenkeel.refresh_units_of(units);
    end if;
end
$$;
comment on function evenkeel.refresh_units() is 'Makes the catalogue say of each instance what it says of its product.';

create or replace function evenkeel.make_units(products integer[], instances text[], hosts uuid[])
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    made integer[];
    of_host constant integer := evenkeel.setting('units.host');
begin
    -- A folder is anybody's to name: what is no name of an instance is not taken for one, a host has its share, and no fleet has more than
    -- so many.
    with asked as (
        select distinct on (g.product_id, g.instance) g.product_id, g.instance, g.host
        from unnest(products, instances, hosts) g (product_id, instance, host)
        where g.instance ~ '^[[:alnum:]_.$#-]{1,64}$'
          and not exists (select from evenkeel.product u where u.unit_of = g.product_id and u.unit = g.instance)
        order by g.product_id, g.instance, g.host
    ), shared as (
        select a.*, row_number() over (partition by a.product_id, a.host order by a.instance)
                    + (select count(*) from evenkeel.product u where u.unit_of = a.product_id and u.made_for = a.host) as place_of_host
        from asked a
    ), placed as (
        -- Where there is no room for all, those of the hosts that have fewest come first.
        select s.*, row_number() over (partition by s.product_id order by case when s.host is not null then s.place_of_host else 0 end,
                                                                         s.instance)
                    + (select count(*) from evenkeel.product u where u.unit_of = s.product_id) as place
        from shared s where s.host is null or s.place_of_host <= of_host
    ), inserted as (
        insert into evenkeel.product (code, name, unit_of, unit, source, made_for)
        select format('%s/%s', b.code, upper(n.instance)), b.name, b.product_id, n.instance, b.source, n.host
        from placed n
        join evenkeel.product b on b.product_id = n.product_id and b.unit_of is null
        where n.place <= evenkeel.setting('units.most')::integer
        on conflict do nothing
        returning product_id
    )
    select array_agg(product_id) into made from inserted;
    -- These alone: whoever sends the path waits for it.
    if made is not null then
        perform evenkeel.refresh_units_of(made);
    end if;
end
$$;
comment on function evenkeel.make_units(integer[], text[], uuid[]) is
  'Makes products of these instances, which these hosts have, that are none yet; each has what the catalogue says of its product.';
