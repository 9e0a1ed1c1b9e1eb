-- Levels and ranges of levels in words. Ordinals may have gaps (those of cumulative updates are their revisions): an end that lies in
-- a gap is named by the level below it.

create or replace function evenkeel.level_range_text(product integer, levels int4range)
returns text language sql stable parallel safe
as $$
    select case
        when levels is null then null
        when isempty(levels) then 'none'
        when upper(levels) <= first.ordinal then 'below ' || first.code
        when coalesce(lower(levels), first.ordinal) >= high.ordinal then high.code
        else coalesce(low.code, first.code) || '..' || high.code end
    from (select code, ordinal from evenkeel.level where product_id = product order by ordinal limit 1) first
    left join lateral (select code from evenkeel.level where product_id = product and ordinal <= lower(levels)
                       order by ordinal desc limit 1) low on true
    left join lateral (select code, ordinal from evenkeel.level where product_id = product and (upper(levels) is null or ordinal < upper(levels)) order by ordinal desc limit 1) high on true
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
                       where l.product_id = product and l.ordinal <= level_name_at_most.ordinal
                       order by l.ordinal desc limit 1) reached on true
$$;
comment on function evenkeel.level_name_at_most(integer, integer) is 'at most SP1; RTM; below RTM.';

create or replace function evenkeel.level_name_at_least(product integer, ordinal integer)
returns text language sql stable parallel safe
as $$
    select 'at least ' || l.code from evenkeel.level l where l.product_id = product and l.ordinal <= level_name_at_least.ordinal
    order by l.ordinal desc limit 1
$$;
comment on function evenkeel.level_name_at_least(integer, integer) is 'at least SP2.';
