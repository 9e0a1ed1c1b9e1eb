-- Levels and ranges of levels in words.

create or replace function evenkeel.level_range_text(product integer, levels int4range)
returns text language sql stable
as $$
    select case
        when levels is null then null
        when isempty(levels) then 'none'
        when upper(levels) is not null and upper(levels) <= 0 then 'below ' || first.code
        when coalesce(lower(levels), 0) = coalesce(upper(levels) - 1, last.ordinal) then high.code
        else coalesce(low.code, first.code) || '..' || coalesce(high.code, last.code) end
    from (select code from evenkeel.level where product_id = product order by ordinal limit 1) first,
         (select code, ordinal from evenkeel.level where product_id = product order by ordinal desc limit 1) last
    left join evenkeel.level low on low.product_id = product and low.ordinal = lower(levels)
    left join evenkeel.level high on high.product_id = product and high.ordinal = coalesce(upper(levels) - 1, last.ordinal)
$$;
comment on function evenkeel.level_range_text(integer, int4range) is 'SP2, SP1..SP2, below RTM, or none.';

create or replace function evenkeel.level_name_at_most(product integer, ordinal integer)
returns text language sql stable
as $$
    select case when ordinal < 0 then 'below ' || (select code from evenkeel.level l where l.product_id = product order by l.ordinal limit 1)
                when ordinal = 0 then (select code from evenkeel.level l where l.product_id = product and l.ordinal = 0)
                else 'at most ' || (select code from evenkeel.level l where l.product_id = product and l.ordinal = level_name_at_most.ordinal) end
$$;
comment on function evenkeel.level_name_at_most(integer, integer) is 'at most SP1; RTM; below RTM.';

create or replace function evenkeel.level_name_at_least(product integer, ordinal integer)
returns text language sql stable
as $$
    select 'at least ' || (select code from evenkeel.level l where l.product_id = product and l.ordinal = level_name_at_least.ordinal)
$$;
comment on function evenkeel.level_name_at_least(integer, integer) is 'at least SP2.';
