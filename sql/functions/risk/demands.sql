-- The levels that a patch may be installed on, against those of hosts.

create or replace function evenkeel.required_text(product integer, required integer[])
returns text language sql stable
as $$
    with named as (
        select l.ordinal, l.code, row_number() over (order by l.ordinal) as place, count(*) over () as many,
               max(l.ordinal) over () - min(l.ordinal) over () + 1 = count(*) over ()
               and max(l.ordinal) over () = (select max(o.ordinal) from evenkeel.level o where o.product_id = product) as upwards
        from evenkeel.level l where l.product_id = product and l.ordinal = any (required)
    )
    select case when bool_or(upwards) then format('needs %s or later', min(code) filter (where place = 1))
                else 'is for ' || string_agg(case when place = 1 then '' when place = many then ' or ' else ', ' end || code, ''
                                             order by ordinal)
                     || ' only' end
    from named
$$;
comment on function evenkeel.required_text(integer, integer[]) is
    'What a patch says of its levels: is for SP1, SP2 or SP4 only; needs SP2 or later, where these are all from one on.';

create or replace function evenkeel.risk_demands(hosts uuid[])
returns table (host_id uuid, patch_id integer, code text, title text, product text, required text, lowest text, fit text, level text,
               declared text)
language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select b.host_id, t.patch_id, t.code, t.title, p.name, required_text(p.product_id, t.required_levels),
           (select l.code from level l where l.product_id = p.product_id and l.ordinal = f.lowest),
           case when isempty(held.levels) or not f.none then 'maybe' when upper(held.levels) <= f.lowest then 'below' else 'other' end,
           case when isempty(held.levels) then 'its files disagree' else level_range_text(p.product_id, held.levels) end,
           level_range_text(p.product_id, b.declared)
    from host_product b
    join overlay_patch o using (product_id)
    join product p using (product_id)
    join patch t on t.patch_id = o.patch_id
    cross join lateral (select coalesce(b.declared, b.levels) as levels) held
    cross join lateral (
        select coalesce(bool_and(l.ordinal = any (t.required_levels)), false) as all_of,
               not coalesce(bool_or(l.ordinal = any (t.required_levels)), false) as none,
               (select min(r) from unnest(t.required_levels) r) as lowest
        from level l where l.product_id = p.product_id and l.ordinal <@ held.levels) f
    where b.host_id = any (hosts) and t.required_levels <> '{}' and not f.all_of
    union all
    select b.host_id, t.patch_id, t.code, t.title, 'Windows',
           case t.os_builds when '{}' then 'is for one Windows that is not known'
                            else 'is for Windows of build ' || array_to_string(t.os_builds, ' or ') end, null,
           case when t.os_builds = '{}' or coalesce(c.os_build, 0) = 0 then 'maybe' else 'other' end,
           case when coalesce(c.os_build, 0) > 0 then 'build ' || c.os_build else 'of an unknown build' end, null
    from host_product b
    join overlay_patch o using (product_id)
    join patch t on t.patch_id = o.patch_id
    left join host_facts_current c using (host_id)
    where b.host_id = any (hosts) and t.os_builds is not null and not coalesce(c.os_build, 0) = any (t.os_builds)
$$;
comment on function evenkeel.risk_demands(uuid[]) is
    'The hosts, by what is declared or else by what their files say, that are at no level which the patch may be installed on (fit '
    'below: all of these are above; other: it is for others), or may be (maybe).';
