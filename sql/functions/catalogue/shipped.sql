-- What lists and indexes say of files, as it is stored: one row for all the products that share it.

create or replace function evenkeel.shipped_scratch()
returns void language plpgsql
as $$
begin
    create temporary table if not exists shipped_now (like evenkeel.shipped_file including constraints) on commit drop;
    comment on table shipped_now is
        'All that lists or indexes say of some products now. Filled by index_merge, list_store; read by shipped_store; ends with the '
        'transaction.';
    truncate shipped_now;
end
$$;
comment on function evenkeel.shipped_scratch() is 'Makes, or empties, the temporary table that shipped_store() stores.';

create or replace function evenkeel.integers_without(integers integer[], without integer[])
returns integer[] language sql immutable strict parallel safe
as $$ select array(select i from unnest(integers) i where i <> all (without) order by i) $$;
comment on function evenkeel.integers_without(integer[], integer[]) is 'The numbers, rising, but for those.';

create or replace function evenkeel.shipped_withdraw(of_products integer[], of_edition integer)
returns bigint language plpgsql
as $$
declare
    withdrawn bigint;
begin
    select coalesce(sum(cardinality(s.revisions) * cardinality(array(select unnest(s.products) intersect select unnest(of_products)))), 0)
    into withdrawn
    from evenkeel.shipped_file s where s.edition_id = of_edition and s.products && of_products;
    delete from evenkeel.shipped_file s where s.edition_id = of_edition and s.products <@ of_products;
    update evenkeel.shipped_file s set products = evenkeel.integers_without(s.products, of_products)
    where s.edition_id = of_edition and s.products && of_products;
    return withdrawn;
end
$$;
comment on function evenkeel.shipped_withdraw(integer[], integer) is
  'Takes back what an index says of these products; returns how many statements that were.';

create or replace function evenkeel.shipped_store(of_products integer[], of_architecture integer, of_editions integer[])
returns bigint language plpgsql set enable_nestloop = off
as $$
declare
    changed bigint := 0;
    n bigint;
begin
    analyze shipped_now;
    -- A row stays for the products that are not asked about, and for those of which the same is said now.
    create temporary table shipped_kept on commit drop as
    select s.ctid as place, n.ctid as told, s.products as held,
           array(select unnest(evenkeel.integers_without(s.products, of_products)) union
                 select unnest(case when row_number() over (partition by n.ctid order by s.ctid) = 1 then n.products end)
                 order by 1) as products
    from evenkeel.shipped_file s
    left join shipped_now n
      on n.file = s.file and n.stem = s.stem and coalesce(n.architecture, -1) = coalesce(s.architecture, -1)
     and coalesce(n.edition_id, -1) = coalesce(s.edition_id, -1)
     and (n.first_ordinals, n.last_ordinals, n.revisions) = (s.first_ordinals, s.last_ordinals, s.revisions)
    where (s.products && of_products or n.file is not null)
      and case when of_editions is null then s.edition_id is null and s.architecture is not distinct from of_architecture
               else s.edition_id = any (of_editions) end;
    comment on table shipped_kept is
        'A stored row that may change, what of shipped_now is the same (told), and the products that it stays for. Filled by '
        'shipped_store; read by shipped_store; ends with the transaction.';
    delete from evenkeel.shipped_file s using shipped_kept k where s.ctid = k.place and k.products = '{}';
    get diagnostics n = row_count; changed := changed + n;
    update evenkeel.shipped_file s set products = k.products from shipped_kept k
    where s.ctid = k.place and k.products <> k.held and k.products <> '{}';
    get diagnostics n = row_count; changed := changed + n;
    insert into evenkeel.shipped_file (stem, architecture, edition_id, file, products, first_ordinals, last_ordinals, revisions)
    select n.stem, n.architecture, n.edition_id, n.file, n.products, n.first_ordinals, n.last_ordinals, n.revisions
    from shipped_now n
    where n.ctid not in (select k.told from shipped_kept k where k.told is not null)
    order by n.file;
    get diagnostics n = row_count;
    drop table shipped_kept;
    return changed + n;
end
$$;
comment on function evenkeel.shipped_store(integer[], integer, integer[]) is
  'Makes shipped_now all that is said of these products by lists for one architecture, or by these indexes; returns how many rows changed.';

create or replace function evenkeel.shipped_to_units(units integer[])
returns void language plpgsql
as $$
declare
    touched integer[] := units || array(select u.unit_of from evenkeel.product u
                                        where u.product_id = any (units) and u.unit_of is not null);
begin
    -- Another session may be making instances, too: what follows sees what it left.
    perform from evenkeel.shipped_file s where s.products && touched order by s.ctid for update;
    delete from evenkeel.shipped_file s
    where s.products <@ units
      and not exists (select from evenkeel.product u where u.product_id = any (units) and u.unit_of = any (s.products));
    with told as (
        select s.ctid as place, s.products as held,
               array(select unnest(evenkeel.integers_without(s.products, units))
                     union select u.product_id from evenkeel.product u
                           where u.product_id = any (units) and u.unit_of = any (s.products) order by 1) as products
        from evenkeel.shipped_file s
        where s.products && touched
    )
    update evenkeel.shipped_file s set products = t.products from told t where s.ctid = t.place and t.products <> t.held;
end
$$;
comment on function evenkeel.shipped_to_units(integer[]) is 'Makes lists say of these instances what they say of their products.';
