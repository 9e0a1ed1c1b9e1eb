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

create or replace function evenkeel.patch_state_open()
returns void language plpgsql
as $$
begin
    create temporary table state_model (host_id uuid primary key, model uuid not null) on commit delete rows;
    create temporary table state_model_product (model uuid, product_id integer, levels int4range not null,
        primary key (model, product_id)) on commit delete rows;
    create temporary table state_model_file (model uuid, file_id integer, primary key (model, file_id)) on commit delete rows;
    -- What of the state bears on patches at all: all that follows looks here, and no more into chunks.
    create temporary table state_patch_entry (chunk_id bigint not null, file_id integer not null) on commit delete rows;
    create temporary table state_patch_target (file_id integer not null, product_id integer not null, name text not null,
        location text not null, version bigint not null, machine integer not null, on_line boolean not null) on commit delete rows;
    -- Tables between two steps, so that the planner knows their size.
    create temporary table state_patch_pair (file_id integer, product_id integer, patch_id integer, branch text, brought bigint not null,
        dated date) on commit delete rows;
    create temporary table state_patch_match (file_id integer, product_id integer, dated date, shipped boolean not null,
        may_ship integer[] not null) on commit delete rows;
    create temporary table state_model_best (model uuid, patch_id integer, branch text not null, same_files integer not null,
        newer_files integer not null, older_files integer not null, product_id integer not null, required_levels integer[] not null,
        levels int4range not null, least_level integer not null) on commit delete rows;
    create temporary table state_model_same (model uuid, patch_id integer, file_id integer, least_level integer not null, whole boolean not null,
        proof boolean not null) on commit delete rows;
    -- relation: -1 older than what the patch brings, 0 the same, 1 newer. shipped: some level ships exactly this. may_ship: levels
    -- that came out after the file was made and of which nothing says that they ship another version.
    create temporary table state_patch_file (file_id integer, patch_id integer, branch text, relation smallint not null,
        brought bigint not null, shipped boolean not null, may_ship integer[] not null) on commit delete rows;
    create temporary table state_model_patch (model uuid, patch_id integer, state text not null, listed boolean not null,
        proven boolean not null, branch text not null, same_files integer not null, newer_files integer not null,
        older_files integer not null, superseded_by text, primary key (model, patch_id)) on commit delete rows;
    create temporary view state_patch as
        select m.host_id, m.model, p.patch_id, p.state, p.listed, p.proven, p.branch, p.same_files, p.newer_files, p.older_files,
               p.superseded_by
        from state_model m join state_model_patch p using (model);
end
$$;
comment on function evenkeel.patch_state_open() is
    'Makes the relations of a state that judge_patches() fills; checks read state_patch (host, patch: state, listed by the registry, '
    'proven by files, best branch, counts) and, by its model, the files in state_model_file and state_patch_file.';

create or replace function evenkeel.judge_patches()
returns void language plpgsql
as $$
begin
    delete from state_model; delete from state_model_product; delete from state_model_file; delete from state_patch_entry; delete from state_patch_target;
    delete from state_patch_pair; delete from state_patch_match; delete from state_patch_file; delete from state_model_best;
    delete from state_model_same; delete from state_model_patch;
    perform evenkeel.find_patch_targets();
    perform evenkeel.compare_patch_targets();
    perform evenkeel.find_models();
    perform evenkeel.judge_models();
end
$$;
comment on function evenkeel.judge_patches() is
    'Fills state_patch for the hosts of state_host, from their files and from what their registries list.';

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
        from wanted w join evenkeel.path p on p.name = w.file join evenkeel.path_component pc on (pc.path_id, pc.product_id) = (p.path_id, w.product_id)
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

    insert into state_patch_target (file_id, product_id, name, location, version, machine, on_line)
    select f.file_id, pc.product_id, p.name, p.location, i.file_version, i.machine, evenkeel.on_line(pc.product_id, i.file_version)
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
end
$$;
comment on function evenkeel.find_patch_targets() is 'The component files of the state that stand in some patch''s table.';

create or replace function evenkeel.compare_patch_targets()
returns void language plpgsql
as $$
begin
    insert into state_patch_pair (file_id, product_id, patch_id, branch, brought, dated)
    with named as (
        select t.file_id, t.product_id, t.version, t.machine, t.on_line, pf.patch_id, pf.branch, pf.version as brought, pf.dated, pf.machine as for_machine
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
                                    where r.product_id = m.product_id and r.relation = '=' and r.revision = m.version & 65535),
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
    join state_patch_match m on m.file_id = c.file_id and m.product_id = c.product_id and coalesce(m.dated, 'infinity') = coalesce(c.dated, 'infinity')
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
        where e.file_id in (select file_id from state_patch_target)
        group by e.chunk_id
    ), files_of as (
        select h.host_id, string_agg(p.part, ' ' order by p.part) as files
        from state_host h
        cross join unnest(h.chunk_ids) c (chunk_id)
        join part p using (chunk_id)
        group by h.host_id
    ), products_of as (
        select s.host_id, string_agg(format('%s %s %s', s.product_id, s.levels, s.declared), ' ' order by s.product_id) as products
        from state_product s group by s.host_id
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
    where e.file_id in (select file_id from state_patch_target);
    analyze state_model_file;
end
$$;
comment on function evenkeel.find_models() is
    'Hosts that hold the same of these files, at the same levels, with the same patches listed, get one model.';

create or replace function evenkeel.judge_models()
returns void language plpgsql
as $$
begin
    insert into state_model_best (model, patch_id, branch, same_files, newer_files, older_files, product_id, required_levels, levels, least_level)
    with branch_level as materialized (
        -- 'SP2QFE' is for SP2.
        select distinct on (x.patch_id, x.branch) x.patch_id, x.branch, l.ordinal
        from (select distinct patch_id, branch from state_patch_file where branch <> '') x
        join evenkeel.patch t using (patch_id)
        join evenkeel.level l on l.product_id = t.product_id and starts_with(lower(x.branch), lower(l.code))
        order by x.patch_id, x.branch, length(l.code) desc
    ), counted as materialized (
        select mf.model, pf.patch_id, pf.branch, count(*) filter (where pf.relation = 0) as same_files,
               count(*) filter (where pf.relation > 0) as newer_files, count(*) filter (where pf.relation < 0) as older_files
        from state_model_file mf
        join state_patch_file pf using (file_id)
        group by mf.model, pf.patch_id, pf.branch
    )
    -- One branch is enough: one for the host's level before others, then the one that lacks least.
    select distinct on (c.model, c.patch_id) c.model, c.patch_id, c.branch, c.same_files, c.newer_files, c.older_files, t.product_id,
           t.required_levels, mp.levels, coalesce((select min(r) from unnest(t.required_levels) r), 0)
    from counted c
    join evenkeel.patch t using (patch_id)
    join state_model_product mp on mp.model = c.model and mp.product_id = t.product_id
    left join branch_level bl on bl.patch_id = c.patch_id and bl.branch = c.branch
    order by c.model, c.patch_id, coalesce(bl.ordinal <@ mp.levels, bl.ordinal is null) desc, c.older_files, c.same_files desc, c.branch;
    analyze state_model_best;

    insert into state_model_same (model, patch_id, file_id, least_level, whole, proof)
    select b.model, b.patch_id, pf.file_id, b.least_level, b.older_files = 0,
           not pf.shipped and not exists (select from unnest(pf.may_ship) o where o <@ b.levels)
    from state_patch_file pf
    join state_model_file mf using (file_id)
    join state_model_best b on b.model = mf.model and b.patch_id = pf.patch_id and b.branch = pf.branch
    where pf.relation = 0;
    analyze state_model_same;

    insert into state_model_patch (model, patch_id, state, listed, proven, branch, same_files, newer_files, older_files, superseded_by)
    with explanation as materialized (
        -- Files that patches, present whole, bring: the lowest level that one of these needs.
        select model, file_id, min(least_level) as least_level from state_model_same where whole group by model, file_id
    ), proven as materialized (
        -- A patch that is not whole is proven by a file that none explains; of those that are whole, the least demanding.
        select s.model, s.patch_id,
               bool_or(case when not s.whole then e.file_id is null else e.least_level >= s.least_level end) as proven
        from state_model_same s
        left join explanation e using (model, file_id)
        where s.proof
        group by s.model, s.patch_id
    ), listed as materialized (
        select distinct mp.model, t.patch_id
        from state_model_product mp
        join state_facts f on f.host_id = mp.model
        cross join jsonb_array_elements_text(f.hotfix_ids) h (code)
        join evenkeel.patch t on t.product_id = mp.product_id and evenkeel.patch_number(t.code) = evenkeel.patch_number(h.code)
    ), standing as materialized (
        select coalesce(b.model, l.model) as model, coalesce(b.patch_id, l.patch_id) as patch_id, l.patch_id is not null as listed,
               p.patch_id is not null as any_proof, coalesce(p.proven, false) as proven, coalesce(b.branch, '') as branch,
               coalesce(b.same_files, 0) as same_files, coalesce(b.newer_files, 0) as newer_files,
               coalesce(b.older_files, 0) as older_files, b.patch_id is not null as compared, b.required_levels, b.levels
        from state_model_best b
        full join listed l using (model, patch_id)
        left join proven p on p.model = b.model and p.patch_id = b.patch_id
    ), whole as materialized (
        select model, patch_id from standing
        where compared and older_files = 0 and (listed or any_proof)
    ), replaced as materialized (
        with recursive closure as (
            select t.patch_id, t.product_id, evenkeel.patch_number(s.code) as number
            from evenkeel.patch t cross join unnest(t.supersedes) s (code)
            where t.patch_id in (select patch_id from whole)
            union
            select c.patch_id, c.product_id, evenkeel.patch_number(s.code)
            from closure c
            join evenkeel.patch t on t.product_id = c.product_id and evenkeel.patch_number(t.code) = c.number
            cross join unnest(t.supersedes) s (code)
        )
        select c.patch_id as by_patch, t.patch_id
        from closure c
        join evenkeel.patch t on t.product_id = c.product_id and evenkeel.patch_number(t.code) = c.number
        where t.patch_id <> c.patch_id
    ), superseded as materialized (
        select w.model, r.patch_id, min(t.code) as by_code
        from whole w
        join replaced r on r.by_patch = w.patch_id
        join evenkeel.patch t on t.patch_id = w.patch_id
        group by w.model, r.patch_id
    ), stated as (
        select s.*, u.by_code,
               case when not s.compared then 'installed'
                    when s.older_files = 0 and s.same_files > 0 and (s.listed or s.any_proof) then 'installed'
                    when s.older_files = 0 or u.by_code is not null then 'superseded'
                    when s.listed or s.proven then 'partial'
                    when s.required_levels = '{}' or exists (select from unnest(s.required_levels) r where r <@ s.levels) then 'missing'
               end as state
        from standing s
        left join superseded u on u.model = s.model and u.patch_id = s.patch_id
    )
    select model, patch_id, state, listed, proven, branch, same_files, newer_files, older_files, by_code
    from stated
    where state is not null;
    analyze state_model_patch;
end
$$;
comment on function evenkeel.judge_models() is
    'The state of each patch on each model. installed: every file of its table that is there is the same or newer, and the registry '
    'lists it or a file proves it (or it is listed and none of its files can be compared). superseded: nothing of it is older, but '
    'nothing proves it, or a patch present whole replaces it. partial: listed or proven, and files are older. missing: files are older. '
    'A file proves a patch only if it is at exactly its version, no level ships that or may have shipped it, and no other patch present '
    'whole explains it.';

create or replace function evenkeel.store_patches()
returns void language sql
as $$
    delete from evenkeel.host_patch o using state_host h
    where o.host_id = h.host_id and not exists (select from state_patch s where s.host_id = o.host_id);
    insert into evenkeel.host_patch as o (host_id, patch_ids, states, listed, same_files, newer_files, older_files)
    select m.host_id, p.patch_ids, p.states, p.listed, p.same_files, p.newer_files, p.older_files
    from state_model m
    join (select model, array_agg(patch_id order by patch_id) as patch_ids, array_agg(state order by patch_id) as states,
                 array_agg(listed order by patch_id) as listed,
                 array_agg(least(same_files, 32767)::smallint order by patch_id) as same_files,
                 array_agg(least(newer_files, 32767)::smallint order by patch_id) as newer_files,
                 array_agg(least(older_files, 32767)::smallint order by patch_id) as older_files
          from state_model_patch group by model) p using (model)
    on conflict (host_id) do update
        set patch_ids = excluded.patch_ids, states = excluded.states, listed = excluded.listed, same_files = excluded.same_files,
            newer_files = excluded.newer_files, older_files = excluded.older_files
        where (o.patch_ids, o.states, o.listed, o.same_files, o.newer_files, o.older_files)
              is distinct from (excluded.patch_ids, excluded.states, excluded.listed, excluded.same_files, excluded.newer_files,
                                excluded.older_files)
$$;
comment on function evenkeel.store_patches() is 'Keeps what judge_patches() found, for ops.patch_state.';
