-- How hosts stand to the patches of their products: by the files that they hold, and by what their registries list.
-- Hosts that agree in all that bears on it share one answer, worked out for one of them, the model.

create or replace function evenkeel.patch_number(code text)
returns text language sql immutable strict parallel safe
as $$ select coalesce(substring(upper(code) from '^(?:KB|Q)(\d{5,7})'), upper(code)) $$;
comment on function evenkeel.patch_number(text) is 'What names a patch whether it is called Q319733 or KB319733.';

create or replace function evenkeel.on_line(product integer, version evenkeel.version)
returns boolean language sql stable
as $$
    select exists (select from evenkeel.line l
                   where l.product_id = product
                     and evenkeel.version_major(version) = coalesce(l.major, evenkeel.version_major(version))
                     and evenkeel.version_minor(version) = coalesce(l.minor, evenkeel.version_minor(version))
                     and evenkeel.version_build(version) = coalesce(l.build, evenkeel.version_build(version))
                     and evenkeel.version_revision(version) between l.revision_from and l.revision_to)
$$;
comment on function evenkeel.on_line(integer, evenkeel.version) is
    'Whether the version belongs to what may be compared within the product.';

create or replace function evenkeel.judge_patches()
returns void language plpgsql
as $$
begin
    delete from state_model; delete from state_model_product; delete from state_model_file; delete from state_patch_entry;
    delete from state_patch_target; delete from state_patch_blind; delete from state_patch_pair; delete from state_patch_match;
    delete from state_patch_file; delete from state_model_best; delete from state_model_same; delete from state_model_standing;
    delete from state_model_superseded; delete from state_model_patch;
    perform evenkeel.find_patch_targets();
    perform evenkeel.compare_patch_targets();
    perform evenkeel.find_models();
    perform evenkeel.judge_models();
    perform evenkeel.doubt_updates();
end
$$;
comment on function evenkeel.judge_patches() is
    'Fills state_patch for the hosts of state_host, from their files and from what their registries list; and takes back from '
    'state_product what that does not bear out.';

create or replace function evenkeel.find_patch_targets()
returns void language plpgsql
as $$
begin
    insert into state_patch_entry (chunk_id, file_id)
    with held as materialized (
        select distinct c.chunk_id from state_host h cross join unnest(h.chunk_ids) c (chunk_id)
    ), wanted as materialized (
        select distinct t.product_id, pf.file
        from (select distinct product_id from state_product) s
        join evenkeel.patch t using (product_id)
        join evenkeel.patch_file pf using (patch_id)
        where pf.version is not null
    ), wanted_path as materialized (
        select pc.path_id
        from wanted w
        join evenkeel.path p on p.name = w.file
        join evenkeel.path_component pc on (pc.path_id, pc.product_id) = (p.path_id, w.product_id)
        union
        select pc.path_id
        from wanted w
        join evenkeel.path p on md5(p.location) = md5(w.file) and p.location = w.file
        join evenkeel.path_component pc on (pc.path_id, pc.product_id) = (p.path_id, w.product_id)
    )
    select held.chunk_id, f.file_id
    from held
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join evenkeel.file f using (file_id)
    where f.path_id in (select path_id from wanted_path);
    analyze state_patch_entry;

    insert into state_patch_target (file_id, product_id, name, location, version, machine, on_line, qfe)
    select f.file_id, pc.product_id, p.name, p.location, i.file_version, i.machine, evenkeel.on_line(pc.product_id, i.file_version),
           evenkeel.is_qfe_build(pc.product_id, p.name, p.location, i.file_version)
    from (select distinct file_id from state_patch_entry) e
    join evenkeel.file f using (file_id)
    join evenkeel.path_component pc using (path_id)
    join evenkeel.path p using (path_id)
    join evenkeel.image i using (image_id)
    where i.file_version is not null
      and pc.product_id in (select product_id from state_product)
      and exists (select from evenkeel.patch_file pf join evenkeel.patch t using (patch_id)
                  where pf.file in (p.name, p.location) and pf.version is not null and t.product_id = pc.product_id);
    analyze state_patch_target;

    insert into state_patch_blind (file_id, patch_id)
    select distinct f.file_id, t.patch_id
    from (select distinct file_id from state_patch_entry) e
    join evenkeel.file f using (file_id)
    join evenkeel.path_component pc using (path_id)
    join evenkeel.path p using (path_id)
    join evenkeel.image i using (image_id)
    join evenkeel.patch_file pf on pf.file in (p.name, p.location) and pf.version is not null
    join evenkeel.patch t on t.patch_id = pf.patch_id and t.product_id = pc.product_id
    where i.file_version is null and pc.product_id in (select product_id from state_product);
    analyze state_patch_blind;
end
$$;
comment on function evenkeel.find_patch_targets() is 'The component files of the state that stand in some patch''s table.';

create or replace function evenkeel.compare_patch_targets()
returns void language plpgsql
as $$
begin
    insert into state_patch_pair (file_id, product_id, patch_id, branch, brought, dated)
    with named as (
        select t.file_id, t.product_id, t.version, t.machine, t.on_line, pf.patch_id, pf.branch, pf.version as brought, pf.dated,
               pf.machine as for_machine
        from state_patch_target t join evenkeel.patch_file pf on pf.file = t.name
        union all
        select t.file_id, t.product_id, t.version, t.machine, t.on_line, pf.patch_id, pf.branch, pf.version, pf.dated, pf.machine
        from state_patch_target t join evenkeel.patch_file pf on pf.file = t.location and t.location <> t.name
    ), pair as materialized (
        select n.*
        from named n
        join evenkeel.patch t on t.patch_id = n.patch_id and t.product_id = n.product_id
        where n.brought is not null and (n.for_machine is null or n.for_machine = n.machine)
    ), line_of as materialized (
        select product_id, brought, evenkeel.on_line(product_id, brought) as on_line
        from (select distinct product_id, brought from pair where version >> 16 <> brought >> 16) d
    )
    select p.file_id, p.product_id, p.patch_id, p.branch, p.brought, p.dated
    from pair p
    left join line_of l on l.product_id = p.product_id and l.brought = p.brought and p.version >> 16 <> p.brought >> 16
    where case when p.version >> 16 = p.brought >> 16 then (p.version & 32768) = (p.brought & 32768) else p.on_line and l.on_line end;
    analyze state_patch_pair;

    insert into state_patch_match (file_id, product_id, dated, shipped, may_ship)
    select m.file_id, m.product_id, m.dated,
           exists (select from evenkeel.baseline b
                   where b.product_id = m.product_id and b.file in (m.name, m.location) and b.relation = '='
                     and b.version = m.version and (b.machine is null or b.machine = m.machine))
           or m.on_line and exists (select from evenkeel.level_rule r
                                    where r.product_id = m.product_id and r.relation = '='
                                      and evenkeel.rule_holds('=', r.minor, r.build, r.revision, m.version)),
           array(select l.ordinal from evenkeel.level l
                 where l.product_id = m.product_id and l.released >= m.dated
                   and not exists (select from evenkeel.baseline b
                                   where b.product_id = m.product_id and b.file in (m.name, m.location) and b.ordinal = l.ordinal
                                     and (b.machine is null or b.machine = m.machine)
                                     and case b.relation when '=' then b.version <> m.version when '>=' then b.version > m.version
                                                         else b.version < m.version end))
    from (select t.*, p.dated
          from (select distinct file_id, product_id, brought, dated from state_patch_pair) p
          join state_patch_target t on t.file_id = p.file_id and t.product_id = p.product_id and t.version = p.brought) m;
    analyze state_patch_match;

    insert into state_patch_file (file_id, patch_id, branch, relation, brought, shipped, may_ship)
    with branch_of as materialized (
        -- What no branch is named for belongs to every one of the patch's.
        select distinct pf.patch_id, pf.branch
        from (select distinct patch_id from state_patch_pair) p join evenkeel.patch_file pf using (patch_id)
        where pf.branch <> ''
    ), compared as materialized (
        select p.file_id, p.product_id, p.patch_id, coalesce(b.branch, '') as branch,
               case when bool_or(t.version = p.brought) then 0 when min(t.version) < min(p.brought) then -1 else 1 end as relation,
               min(p.brought) as brought, min(p.dated) filter (where t.version = p.brought) as dated
        from state_patch_pair p
        join state_patch_target t using (file_id, product_id)
        left join branch_of b on b.patch_id = p.patch_id and p.branch in ('', b.branch)
        group by p.file_id, p.product_id, p.patch_id, coalesce(b.branch, '')
    )
    select c.file_id, c.patch_id, c.branch, c.relation, c.brought, false, '{}'
    from compared c where c.relation <> 0
    union all
    select c.file_id, c.patch_id, c.branch, c.relation, c.brought, m.shipped, m.may_ship
    from compared c
    join state_patch_match m on m.file_id = c.file_id and m.product_id = c.product_id
         and coalesce(m.dated, 'infinity') = coalesce(c.dated, 'infinity')
    where c.relation = 0;
    create index if not exists state_patch_file_file on state_patch_file (file_id);
    analyze state_patch_file;
end
$$;
comment on function evenkeel.compare_patch_targets() is
    'Each of these files against each table that it stands in. Only versions of one line are compared: of the same three first parts '
    'and the same side of 0x8000, or both on the product''s line. A file that is named with several versions is older only if it is '
    'older than all.';

create or replace function evenkeel.find_models()
returns void language plpgsql
as $$
begin
    insert into state_model (host_id, model)
    with part as materialized (
        select e.chunk_id, md5(array_agg(e.file_id order by e.file_id)::text) as part
        from state_patch_entry e
        where e.file_id in (select file_id from state_patch_target union select file_id from state_patch_blind)
        group by e.chunk_id
    ), files_of as (
        select h.host_id, string_agg(p.part, ' ' order by p.part) as files
        from state_host h
        cross join unnest(h.chunk_ids) c (chunk_id)
        join part p using (chunk_id)
        group by h.host_id
    ), products_of as (
        select s.host_id, concat_ws(' ', string_agg(format('%s %s %s', s.product_id, s.levels, s.declared), ' ' order by s.product_id),
                                    max(f.os_build) filter (where q.beside)) as products
        from state_product s join evenkeel.product q using (product_id) left join state_facts f using (host_id) group by s.host_id
    ), known as materialized (
        select distinct evenkeel.patch_number(t.code) as number
        from evenkeel.patch t where t.product_id in (select product_id from state_product)
    ), listed_of as (
        select f.host_id, string_agg(distinct k.number, ' ' order by k.number) as listed
        from state_facts f
        cross join jsonb_array_elements_text(f.hotfix_ids) h (code)
        join known k on k.number = evenkeel.patch_number(h.code)
        group by f.host_id
    )
    select host_id, first_value(host_id) over (partition by f.files, p.products, l.listed order by host_id)
    from products_of p
    left join files_of f using (host_id)
    left join listed_of l using (host_id);
    analyze state_model;

    -- A mixed host has no level but the declared one; where that is not known either, it may be any.
    insert into state_model_product (model, product_id, levels)
    select s.host_id, s.product_id, case when not isempty(s.levels) then s.levels else coalesce(s.declared, int4range(null, null)) end
    from state_product s
    where s.host_id in (select model from state_model);
    analyze state_model_product;

    insert into state_model_file (model, file_id)
    select distinct h.host_id, e.file_id
    from (select distinct model from state_model) m
    join state_host h on h.host_id = m.model
    cross join unnest(h.chunk_ids) c (chunk_id)
    join state_patch_entry e using (chunk_id)
    where e.file_id in (select file_id from state_patch_target union select file_id from state_patch_blind);
    analyze state_model_file;
end
$$;
comment on function evenkeel.find_models() is
    'Hosts that hold the same of these files, at the same levels, with the same patches listed, get one model.';
