-- Editions: what states a row of the catalogue. A row stays as long as any edition states it.

create or replace function evenkeel.edition_settle(target text, keys text[], stays text default 'false')
returns bigint language plpgsql
as $$
declare
    same text := (select string_agg(format('coalesce(t.%1$I::text, '''') = coalesce(s.%1$I::text, '''')', k), ' and ') from unnest(keys) k);
    removed bigint;
begin
    -- `settled` holds what the editions at hand state, by these keys; those of `settling` are at hand, for all rows or for those of one
    -- scope.
    analyze settled;
    execute format('update evenkeel.%1$I t set editions = array_append(t.editions, s.edition_id)
                    from settled s where %2$s and not s.edition_id = any (t.editions)', target, same);
    drop table if exists stale;
    execute format('create temporary table stale on commit drop as
                    select t.ctid as place, array_agg(g.edition_id) as editions, count(*) = cardinality(min(t.editions)) as last
                    from evenkeel.%1$I t
                    join settling g on g.edition_id = any (t.editions) and (g.scope is null or g.scope = t.%3$I)
                    left join settled s on s.edition_id = g.edition_id and %2$s
                    where s.edition_id is null
                    group by t.ctid', target, same, keys[1]);
    execute format('delete from evenkeel.%1$I t using stale x where t.ctid = x.place and x.last and not (%2$s)', target, stays);
    get diagnostics removed = row_count;
    execute format('update evenkeel.%1$I t set editions = array(select e from unnest(t.editions) e where not e = any (x.editions))
                    from stale x where t.ctid = x.place and (not x.last or %2$s)', target, stays);
    drop table settled, settling;
    return removed;
end
$$;
comment on function evenkeel.edition_settle(text, text[], text) is
  'Takes note of what the editions at hand state (temporary tables settled and settling) in a table with such keys, and removes the rows '
  'that no edition states any more, but those that stay for another reason; returns how many.';

create or replace function evenkeel.catalog_sources(only_product text default null)
returns table (source text, product text, kind text, statements bigint, editions text) language sql stable
as $$
    with stated as (
        select b.source, b.product_id, 'statement' as kind, b.editions from evenkeel.baseline b
        union all
        select t.source, t.product_id, 'patch file', f.editions from evenkeel.patch t join evenkeel.patch_file f using (patch_id)
        union all
        select t.source, t.product_id, 'patch', t.editions from evenkeel.patch t
        union all
        select k.source, k.product_id, 'known name', k.editions from evenkeel.known_file k
    ), counted as (
        select s.source, s.product_id, s.kind, count(*) as statements, array_agg(distinct e.edition_id) as editions
        from stated s left join lateral unnest(s.editions) e (edition_id) on true
        group by s.source, s.product_id, s.kind
        union all
        select l.source, l.product_id, 'list', sum(l.files), array_agg(distinct l.edition_id) from evenkeel.level_list l
        group by l.source, l.product_id
        union all
        select e.name, s.product_id, 'index', count(*), array[e.edition_id]
        from evenkeel.shipped s join evenkeel.edition e using (edition_id) group by e.edition_id, e.name, s.product_id
    )
    select c.source, p.code, c.kind, c.statements,
           coalesce((select string_agg(e.name, ', ' order by e.name) from evenkeel.edition e where e.edition_id = any (c.editions)), '')
    from counted c join evenkeel.product p using (product_id)
    where only_product is null or p.code = only_product
    order by 1, 2, 3
$$;
comment on function evenkeel.catalog_sources(text) is 'What each source states, by product and kind, and the files that it was read from.';

create or replace function evenkeel.catalog_statements(given_source text, only_product text default null)
returns table (product text, level text, file text, relation text, version text, machine text, kind text, source text) language sql stable
as $$
    select p.code, s.level, s.file, s.relation, evenkeel.version_text(s.version), coalesce(evenkeel.machine_name(s.machine), ''), s.kind,
      s.source
    from (select b.product_id, l.code as level, b.ordinal, b.file, b.relation, b.version, b.machine, b.kind, b.source
          from evenkeel.baseline b join evenkeel.level l using (product_id, ordinal)
          where b.source = given_source
             or exists (select from evenkeel.edition e where e.name = given_source and e.edition_id = any (b.editions))
          union all
          select t.product_id, t.code, 0, f.file, 'brings', f.version, f.machine, 'patch', t.source
          from evenkeel.patch t join evenkeel.patch_file f using (patch_id)
          where t.source = given_source
             or exists (select from evenkeel.edition e where e.name = given_source and e.edition_id = any (f.editions))
          union all
          select i.product_id, l.code, l.ordinal, s.file, '=', s.version, s.architecture, 'list', i.source
          from evenkeel.level_list i
          join evenkeel.level l using (product_id, ordinal)
          join evenkeel.shipped s on s.product_id = i.product_id and s.architecture is not distinct from i.architecture
            and s.edition_id is null
                                 and i.ordinal between s.first_ordinal and s.last_ordinal
          where i.source = given_source
          union all
          select s.product_id, evenkeel.level_range_text(s.product_id, int4range(s.first_ordinal, s.last_ordinal, '[]')), s.first_ordinal,
            s.file, '=',
                 s.version, s.architecture, 'index', e.name
          from evenkeel.shipped s join evenkeel.edition e using (edition_id) where e.name = given_source) s
    join evenkeel.product p using (product_id)
    where only_product is null or p.code = only_product
    order by p.code, s.ordinal, s.level, s.file, s.version, s.machine
$$;
comment on function evenkeel.catalog_statements(text, text) is 'All that a source, or a file of the catalogue, states.';

create or replace function evenkeel.catalog_remove(given_source text, only_product text default null)
returns bigint language plpgsql
as $$
declare
    products integer[] := array(select product_id from evenkeel.product where only_product is null or code = only_product);
    given_edition integer := (select edition_id from evenkeel.edition where name = given_source);
    lists integer[];
    removed bigint := 0;
    n bigint;
begin
    if only_product is not null then
        perform evenkeel.product_number(only_product);
    end if;
    delete from evenkeel.baseline b where b.product_id = any (products) and (b.source = given_source or b.editions = array[given_edition]);
    get diagnostics n = row_count; removed := removed + n;
    delete from evenkeel.known_file k
    where k.product_id = any (products) and (k.source = given_source or k.editions = array[given_edition]);
    get diagnostics n = row_count; removed := removed + n;
    delete from evenkeel.patch t where t.product_id = any (products) and (t.source = given_source or t.editions = array[given_edition]);
    get diagnostics n = row_count; removed := removed + n;
    removed := removed + evenkeel.shipped_withdraw(products, given_edition);
    lists := array(select distinct l.product_id from evenkeel.level_list l
                   where l.product_id = any (products) and (l.source = given_source or l.edition_id = given_edition));
    if lists <> '{}' then
        removed := removed + evenkeel.list_remove(given_source, given_edition, lists);
    end if;
    if removed = 0 then
        raise exception 'nothing in the catalogue is from ''%''%; ''evenkeel catalog show'' lists the sources', given_source,
            coalesce(' for ' || only_product, '');
    end if;
    -- Files that were read before are read again when they come again: what is removed may have come from any of them.
    update evenkeel.edition set digest = null where digest is not null;
    perform evenkeel.catalog_refresh();
    return removed;
end
$$;
comment on function evenkeel.catalog_remove(text, text) is
  'Removes all that a source, or a file that the catalogue was loaded from, states; returns how many rows that were, an error where none '
  'are.';

create or replace function evenkeel.baseline_statements(only_product text, only_level text, only_source text, only_file text)
returns table (product text, level text, file text, relation text, version text, machine text, kind text, source text) language sql stable
as $$
    select p.code, l.code, b.file, b.relation, evenkeel.version_text(b.version), coalesce(evenkeel.machine_name(b.machine), ''), b.kind,
      b.source
    from evenkeel.baseline b join evenkeel.product p using (product_id) join evenkeel.level l using (product_id, ordinal)
    where (only_product is null or p.product_id = evenkeel.product_number(only_product))
      and (only_level is null or lower(l.code) = lower(only_level))
      and (only_source is null or b.source = only_source)
      and (only_file is null or b.file = lower(only_file) or b.file like '%/' || lower(only_file))
    order by p.code, b.ordinal, b.file, b.relation, b.version, b.machine, b.source
$$;
comment on function evenkeel.baseline_statements(text, text, text, text) is
  'What single statements say of what levels ship, by product, level, source and file (null: any); updates'' lists are not among them.';

create or replace function evenkeel.baseline_remove(given_source text, only_product text, only_level text)
returns bigint language plpgsql
as $$
declare
    removed bigint;
begin
    delete from evenkeel.baseline b
    where b.source = given_source
      and (only_product is null or b.product_id = evenkeel.product_number(only_product))
      and (only_level is null or exists (select from evenkeel.level l where (l.product_id, l.ordinal) = (b.product_id, b.ordinal)
                                         and lower(l.code) = lower(only_level)));
    get diagnostics removed = row_count;
    if removed = 0 then
        raise exception 'no statement is from ''%''%; ''evenkeel baseline show'' lists them with their sources', given_source,
            concat(' for ' || only_product, ' at ' || only_level);
    end if;
    perform evenkeel.catalog_refresh();
    return removed;
end
$$;
comment on function evenkeel.baseline_remove(text, text, text) is
  'Removes the statements of a source (host web-01, media /mnt, an article) on what levels ship; an error where there are none.';
