-- Levels and ranges of levels in words. Ordinals may have gaps, and where levels are numbers one may be declared that the catalogue lacks.
-- In PL/pgSQL, which plans once per session: a function of SQL that another one calls is planned each time.

create or replace function evenkeel.level_name(product integer, ordinal integer)
returns text language plpgsql stable parallel safe
as $$
begin
    return (
        select coalesce((select l.code from evenkeel.level l where l.product_id = product and l.ordinal = level_name.ordinal),
                        case p.level_kind when 'cumulative update' then level_name.ordinal::text
                                          when 'build' then format('%s.%s', level_name.ordinal >> 16, level_name.ordinal & 65535) end,
                        (select l.code from evenkeel.level l where l.product_id = product and l.ordinal < level_name.ordinal
                         order by l.ordinal desc limit 1))
        from evenkeel.product p
        where p.product_id = product and level_name.ordinal is not null);
end
$$;
comment on function evenkeel.level_name(integer, integer) is
  'SP2; where levels are numbers and the catalogue has not this one, the number; else the level below it.';

create or replace function evenkeel.level_range_text(product integer, levels int4range)
returns text language plpgsql stable parallel safe
as $$
begin
    return (
        select case
            when levels is null then null
            when isempty(levels) then 'none'
            when upper(levels) - 1 = lower(levels) then evenkeel.level_name(product, lower(levels))
            when upper(levels) <= first.ordinal then 'below ' || first.code
            when coalesce(lower(levels), first.ordinal) >= high.ordinal then coalesce(low.code, high.code)
            else coalesce(low.code, first.code) || '..' || high.code end
        from (select code, ordinal from evenkeel.level where product_id = product order by ordinal limit 1) first
        left join lateral (select evenkeel.level_name(product, lower(levels)) as code where lower(levels) > first.ordinal) low on true
        left join lateral (select code, ordinal from evenkeel.level where product_id = product
                           and (upper(levels) is null or ordinal < upper(levels))
                           order by ordinal desc limit 1) high on true);
end
$$;
comment on function evenkeel.level_range_text(integer, int4range) is 'SP2, SP1..SP2, below RTM, or none.';

create or replace function evenkeel.level_name_at_most(product integer, ordinal integer)
returns text language sql stable parallel safe
as $$
    select case when reached.code is null then 'below ' || first.code
                when reached.ordinal = first.ordinal then reached.code
                else 'at most ' || reached.code end
    from (select l.code, l.ordinal from evenkeel.level l where l.product_id = product order by l.ordinal limit 1) first
    left join lateral (select l.code, l.ordinal from evenkeel.level l
                       where l.product_id = product and l.ordinal <= level_name_at_most.ordinal and l.line = ''
                       order by l.ordinal desc limit 1) reached on true
$$;
comment on function evenkeel.level_name_at_most(integer, integer) is 'at most SP1; RTM; below RTM.';

create or replace function evenkeel.level_name_at_least(product integer, ordinal integer)
returns text language sql stable parallel safe
as $$ select 'at least ' || evenkeel.level_name(product, ordinal) $$;
comment on function evenkeel.level_name_at_least(integer, integer) is 'at least SP2.';
