-- The level that a host's files of a product have to reach, and why that one: what check, plan, report, risk and the views name.

create or replace function evenkeel.state_needs()
returns table (host_id uuid, product_id integer, required integer, code text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select s.host_id, t.product_id, n.lowest, t.code
    from state_patch s
    join patch t using (patch_id)
    cross join lateral (select min(r) as lowest from unnest(t.required_levels) r) n
    where s.state in ('installed', 'partial', 'superseded') and (s.listed or s.proven) and (s.same_files > 0 or s.listed) and n.lowest > 0
$$;
comment on function evenkeel.state_needs() is
  'The patches that are there on the hosts of state_host, and the lowest level that each may be installed on, as the check '
  'patch-below-prerequisite has it.';

create or replace function evenkeel.target_choice(product integer, declared int4range, most integer, most_files bigint, covered integer,
                                                  base integer, needed integer, needed_by text)
returns table (ordinal integer, why text, by_files boolean)
language sql stable
as $$
    select coalesce(needed, base),
           case when needed is not null then format('%s, which is there, needs it', needed_by)
                when most is not null and declared is not null
                then format('%s of %s %s it, and what the registry declares, %s, is older', most_files, evenkeel.counted(covered, 'file'),
                            case most_files when 1 then 'proves' else 'prove' end,
                            evenkeel.level_range_text(product, declared))
                when most is not null then format('%s of %s %s it, and nothing declares a level', most_files,
                                                 evenkeel.counted(covered, 'file'),
                                                 case most_files when 1 then 'proves' else 'prove' end)
                when declared is not null then 'the registry declares it, and most files are not above it'
                else 'nothing declares a level, and no greater one is proven by a file' end,
           needed is null and most is not null
$$;
comment on function evenkeel.target_choice(integer, int4range, integer, bigint, integer, integer, integer, text) is
  'The level to reach, why that, and whether files settle it. most: the greatest level, above the declared one if there is one, that '
  'most_files, over half of the files that prove anything, prove; base: the level without needed, the greater one that the patch '
  'needed_by needs; null: none does.';

create or replace function evenkeel.target_levels(host uuid)
returns table (product_id integer, ordinal integer, declared integer, why text)
language sql stable
as $$
    with mixed as (
        -- What files prove was counted as the host was judged.
        select p.product_id, (f.evidence ->> 'target_ordinal')::integer as ordinal, f.evidence ->> 'target_why' as why
        from evenkeel.finding f
        join evenkeel.product p on p.code = f.subject
        where f.host_id = target_levels.host and f.check_code = 'mixed-level' and f.closed_at = 'infinity'
    ), needed as (
        select distinct on (t.product_id) t.product_id, l.ordinal, t.code
        from evenkeel.finding f
        join evenkeel.patch t on t.code = f.subject
        join evenkeel.level l on l.product_id = t.product_id and l.code = f.evidence ->> 'required'
        where f.host_id = target_levels.host and f.check_code = 'patch-below-prerequisite' and f.closed_at = 'infinity'
        order by t.product_id, l.ordinal desc, t.code
    )
    select hp.product_id, c.ordinal, upper(hp.declared) - 1, c.why
    from evenkeel.host_product hp
    left join mixed m using (product_id)
    left join needed n using (product_id)
    left join lateral (
        -- Nothing is declared, and nothing contradicts: what some file proves to be at least there.
        select max(lower(fl.levels)) as ordinal
        from evenkeel.host_inventory_current i
        cross join unnest(i.chunk_ids) u (chunk_id)
        join evenkeel.chunk k using (chunk_id)
        join evenkeel.file_level fl on fl.file_id = any (k.file_ids) and fl.product_id = hp.product_id
        where i.host_id = target_levels.host and m.ordinal is null and hp.declared is null and hp.at_ordinal is null) proven on true
    left join lateral (select max(l.ordinal) as ordinal from evenkeel.level l where l.product_id = hp.product_id) last on true
    cross join lateral (select coalesce(upper(hp.declared) - 1, hp.at_ordinal, proven.ordinal, last.ordinal) as ordinal) b
    cross join lateral (
        select m.ordinal, m.why where m.ordinal is not null
        union all
        select t.ordinal, t.why
        from evenkeel.target_choice(hp.product_id, hp.declared, null, null, null, b.ordinal, 
                                    case when n.ordinal > b.ordinal then n.ordinal end,                                    n.code) t
        where m.ordinal is null) c
    where hp.host_id = target_levels.host
$$;
comment on function evenkeel.target_levels(uuid) is
  'Per product of a host the level that its files have to reach, and why: as the finding mixed-level says where there is one; else the '
  'declared level, or what files prove, or a greater one that a patch which is there needs. declared: what the registry declares.';
