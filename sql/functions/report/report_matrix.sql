-- How many hosts hold a component at which level.

create or replace function evenkeel.component_levels(chosen uuid[])
returns table (product text, component text, level text, hosts bigint, lowest_ordinal integer, highest_ordinal integer)
language sql stable
as $$
    select p.code, c.code, case when isempty(m.levels) then 'mixed' else evenkeel.level_range_text(p.product_id, m.levels) end,
           sum(m.hosts)::bigint, case when bool_and(not lower_inf(m.levels)) then min(lower(m.levels)) end,
           case when bool_and(not upper_inf(m.levels)) then max(upper(m.levels)) - 1 end
    from (select hc.product_id, hc.component_id, hc.levels, count(*) as hosts
          from evenkeel.host_component hc
          where chosen is null or hc.host_id in (select unnest(chosen))
          group by hc.product_id, hc.component_id, hc.levels) m
    join evenkeel.product p using (product_id)
    join evenkeel.component c using (component_id)
    group by 1, 2, 3
$$;
comment on function evenkeel.component_levels(uuid[]) is 'The rows of ops.level_matrix, of these hosts or all.';
