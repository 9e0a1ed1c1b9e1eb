-- The page of the fleet.

create or replace function evenkeel.page_hosts(shown uuid[])
returns table (host_id uuid, host text, verdict text, os text, declared_level text, missing text, last_seen timestamptz, high bigint,
               medium bigint, low bigint, waived bigint, worst text, worst_check text, worst_is_waived boolean)
language sql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select h.host_id, h.host, h.verdict, h.os, h.declared_level, h.missing, h.last_seen, coalesce(f.high, 0), coalesce(f.medium, 0),
           coalesce(f.low, 0), coalesce(f.waived, 0), f.worst, f.worst_check, coalesce(f.worst_is_waived, false)
    from unnest(shown) with ordinality s (host_id, place)
    cross join lateral (select o.host_id, o.host, o.verdict, o.os, o.declared_level, o.missing, o.last_seen
                        from ops.host o where o.host_id = s.host_id offset 0) h
    left join lateral (
        select count(*) filter (where o.severity = 'high' and not o.waived) as high,
               count(*) filter (where o.severity = 'medium' and not o.waived) as medium,
               count(*) filter (where o.severity = 'low' and not o.waived) as low, count(*) filter (where o.waived) as waived,
               (array_agg(o.summary order by o.place))[1] as worst, (array_agg(o.check_code order by o.place))[1] as worst_check,
               bool_and(o.waived) as worst_is_waived
        from (select f.*, w.host_id is not null as waived,
                     row_number() over (order by w.host_id is not null, severity_rank(f.severity) desc, d.rank, f.subject) as place
              from finding f
              left join waiver w on (w.host_id, w.check_code, w.subject) = (f.host_id, f.check_code, f.subject) and w.until > now()
              left join check_definition d on d.code = f.check_code
              where f.host_id = s.host_id and f.closed_at = 'infinity') o) f on true
    order by s.place
$$;
comment on function evenkeel.page_hosts(uuid[]) is 'A row per host, in that order, as lists of pages show it: verdict, worst finding.';

create or replace function evenkeel.group_members(label text)
returns table (host_id uuid) language sql stable
as $$
    select c.host_id
    from (select f.host_id from evenkeel.host_facts_current f where lower(f.facts ->> 'groups')::jsonb ? lower(group_members.label)
          union select l.host_id from evenkeel.host_label l where lower(l.label) = lower(group_members.label) and not l.taken_off) c
    where exists (select from evenkeel.host_group g where g.host_id = c.host_id and lower(g.label) = lower(group_members.label))
$$;
comment on function evenkeel.group_members(text) is 'The hosts of a group, found by the index of the groups that collectors name.';

create or replace function evenkeel.page_fleet_hosts(verdict text, "group" text, product integer, search text, with_level boolean,
                                                     most integer)
returns uuid[] language plpgsql stable set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    kind text;
    source text;
    chosen uuid[] := '{}';
    found_now uuid[];
begin
    foreach kind in array array['mixed', 'unknown', 'level'] loop
        continue when cardinality(chosen) >= most or (verdict is not null and verdict <> kind) or (kind = 'level' and not with_level);
        -- As shown_host has it, in the order of an index: most hosts are level, and the first are wanted.
        source := case
            when kind = 'level' then format($from$
                (select * from host h
                 where h.merged_into is null and h.retired_at is null and %s
                   and not coalesce((select c.state_at is distinct from h.judged_state from host_checkin c
                                     where c.host_id = h.host_id), h.judged_state is not null)) h$from$,
                case when product is null then 'h.verdict = ''level'''
                     else format('exists (select from host_product p '
                                 'where (p.host_id, p.product_id, p.verdict) = (h.host_id, %s, ''level''))',
                                 product) end)
            when product is null then format('(select * from shown_host s where s.shown = %L) h', kind)
            when kind = 'mixed' then format('shown_host h '
                                            'join host_product p on (p.host_id, p.product_id, p.verdict) = (h.host_id, %s, %L)',
                                            product, kind)
            else format($from$
                (select s.* from shown_host s join host_product p on (p.host_id, p.product_id, p.verdict) = (s.host_id, %1$s, 'unknown')
                 union all
                 select s.* from shown_host s join host_product p on (p.host_id, p.product_id, p.verdict) = (s.host_id, %1$s, 'level')
                 where s.pending) h$from$, product) end;
        execute format('select array_agg(n.host_id order by n.name, n.host_id)'
                       ' from (select h.host_id, h.name from %s where true %s %s order by h.name, h.host_id limit %s) n',
                       source, case when search is not null then format('and strpos(lower(h.name), lower(%L)) > 0', search) end,
                       case when "group" is not null
                            then format('and h.host_id in (select g.host_id from group_members(%L) g)', "group") end,
                       most - cardinality(chosen)) into found_now;
        chosen := chosen || found_now;
    end loop;
    return chosen;
end
$$;
comment on function evenkeel.page_fleet_hosts(text, text, integer, text, boolean, integer) is
    'The first so many hosts, worst first and then by name, each kind of verdict by its index.';

create or replace function evenkeel.page_fleet(verdict text, "group" text, product text, search text, page integer)
returns jsonb language plpgsql stable set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    whole constant boolean := coalesce(verdict, "group", product, search) is null and page is null;
    per_page constant integer := case when whole then 25 else 100 end;
    number constant integer := coalesce(page, 1);
    product_number integer;
    chosen uuid[];
begin
    select p.product_id into product_number from product p where p.code = page_fleet.product;
    if product is not null and product_number is null then
        return jsonb_build_object('absent', format('The catalogue has no product ''%s''.', product));
    end if;
    if "group" is not null and not exists (select from group_members("group")) then
        return jsonb_build_object('absent', format('No host is in a group ''%s''.', "group"));
    end if;
    chosen := page_fleet_hosts(verdict, "group", product_number, search, not whole, per_page * number + 1);
    return jsonb_build_object(
        'page', 'fleet', 'at', now(),
        'filter', jsonb_build_object('verdict', verdict, 'group', "group", 'product', product, 'search', search), 'number', number,
        'whole', whole, 'per_page', per_page, 'more', cardinality(chosen) > per_page * number,
        'hosts', (select coalesce(jsonb_agg(to_jsonb(h)), '[]') from page_hosts(chosen[per_page * (number - 1) + 1:per_page * number]) h),
        'summary', fleet_summary());
end
$$;
comment on function evenkeel.page_fleet(text, text, text, text, integer) is
    'The page of the fleet as one document: hosts, worst first, of one verdict, group, product or part of a name (null: '
    'any), a hundred a page, and the fleet in numbers; without anything asked for the first 25 that are not '
    'level. Of a product, verdict is that on the product. absent: what there is not.';
