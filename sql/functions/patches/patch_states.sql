-- The state of each patch on each model, from what of it is there, is listed, and is proven.

create or replace function evenkeel.choose_branches()
returns void language plpgsql
as $$
begin
    insert into state_model_best (model, patch_id, branch, same_files, newer_files, older_files, product_id, required_levels, levels,
                                  least_level)
    with branch_level as materialized (
        -- 'SP2QFE' is for SP2.
        select distinct on (x.patch_id, x.branch) x.patch_id, x.branch, l.ordinal
        from (select distinct patch_id, branch from state_patch_file where branch <> '') x
        join evenkeel.patch t using (patch_id)
        join evenkeel.level l on l.product_id = t.product_id and starts_with(lower(x.branch), lower(l.code))
        order by x.patch_id, x.branch, length(l.code) desc
    ), foreign_patch as materialized (
        -- Of another Windows' update of .NET Framework a host may well have a file or two, by its own.
        select mp.model, t.patch_id
        from evenkeel.patch t
        join state_model_product mp using (product_id)
        join state_facts f on f.host_id = mp.model
        where t.os_builds is not null and not coalesce(f.os_build, 0) = any (t.os_builds)
          and not exists (select from jsonb_array_elements_text(f.hotfix_ids) h (code)
                          where evenkeel.patch_number(h.code) = evenkeel.patch_number(t.code))
    ), counted as materialized (
        select mf.model, pf.patch_id, pf.branch, count(*) filter (where pf.relation = 0) as same_files,
               count(*) filter (where pf.relation > 0) as newer_files, count(*) filter (where pf.relation < 0) as older_files
        from state_model_file mf
        join state_patch_file pf using (file_id)
        where not exists (select from foreign_patch o where (o.model, o.patch_id) = (mf.model, pf.patch_id))
        group by mf.model, pf.patch_id, pf.branch
    ), on_qfe as materialized (
        select distinct mf.model, pf.patch_id
        from state_model_file mf
        join state_patch_file pf using (file_id)
        join evenkeel.patch t using (patch_id)
        join state_patch_target g on g.file_id = mf.file_id and g.product_id = t.product_id
        where g.qfe
    )
    -- One branch is enough: one for the host's level before others; QFE where files are builds of that; then the one that lacks least.
    select distinct on (c.model, c.patch_id) c.model, c.patch_id, c.branch, c.same_files, c.newer_files, c.older_files, t.product_id,
           t.required_levels, mp.levels, coalesce((select min(r) from unnest(t.required_levels) r), 0)
    from counted c
    join evenkeel.patch t using (patch_id)
    join state_model_product mp on mp.model = c.model and mp.product_id = t.product_id
    left join branch_level bl on bl.patch_id = c.patch_id and bl.branch = c.branch
    left join on_qfe q on q.model = c.model and q.patch_id = c.patch_id
    order by c.model, c.patch_id, coalesce(bl.ordinal <@ mp.levels, bl.ordinal is null) desc,
             q.model is not null and not evenkeel.is_qfe_branch(c.branch), c.older_files, c.same_files desc, c.branch;
    analyze state_model_best;

    insert into state_model_same (model, patch_id, file_id, least_level, whole, proof)
    select b.model, b.patch_id, pf.file_id, b.least_level, b.older_files = 0,
           not pf.shipped and not exists (select from unnest(pf.may_ship) o where o <@ b.levels)
    from state_patch_file pf
    join state_model_file mf using (file_id)
    join state_model_best b on b.model = mf.model and b.patch_id = pf.patch_id and b.branch = pf.branch
    where pf.relation = 0;
    analyze state_model_same;
end
$$;
comment on function evenkeel.choose_branches() is 'Fills state_model_best and state_model_same.';

create or replace function evenkeel.weigh_patches()
returns void language plpgsql
as $$
begin
    insert into state_model_standing (model, patch_id, listed, any_proof, proven, branch, same_files, newer_files, older_files, compared,
                                      blind, required_levels, levels)
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
    )
    select coalesce(b.model, l.model), coalesce(b.patch_id, l.patch_id), l.patch_id is not null, p.patch_id is not null,
           coalesce(p.proven, false), coalesce(b.branch, ''), coalesce(b.same_files, 0), coalesce(b.newer_files, 0),
           coalesce(b.older_files, 0), b.patch_id is not null,
           exists (select from state_patch_blind x join state_model_file mf on mf.file_id = x.file_id
                   where mf.model = coalesce(b.model, l.model) and x.patch_id = coalesce(b.patch_id, l.patch_id)),
           b.required_levels, b.levels
    from state_model_best b
    full join listed l using (model, patch_id)
    left join proven p on p.model = b.model and p.patch_id = b.patch_id;
    analyze state_model_standing;

    insert into state_model_superseded (model, patch_id, by_code)
    with recursive whole as materialized (
        select model, patch_id from state_model_standing
        where compared and older_files = 0 and not blind and (listed or any_proof)
    ), closure as (
        select t.patch_id, t.product_id, evenkeel.patch_number(s.code) as number
        from evenkeel.patch t cross join unnest(t.supersedes) s (code)
        where t.patch_id in (select patch_id from whole)
        union
        select c.patch_id, c.product_id, evenkeel.patch_number(s.code)
        from closure c
        join evenkeel.patch t on t.product_id = c.product_id and evenkeel.patch_number(t.code) = c.number
        cross join unnest(t.supersedes) s (code)
    ), replaced as materialized (
        select c.patch_id as by_patch, t.patch_id
        from closure c
        join evenkeel.patch t on t.product_id = c.product_id and evenkeel.patch_number(t.code) = c.number
        where t.patch_id <> c.patch_id
    )
    select w.model, r.patch_id, min(t.code)
    from whole w
    join replaced r on r.by_patch = w.patch_id
    join evenkeel.patch t on t.patch_id = w.patch_id
    group by w.model, r.patch_id;
    analyze state_model_superseded;
end
$$;
comment on function evenkeel.weigh_patches() is 'Fills state_model_standing and state_model_superseded.';

create or replace function evenkeel.judge_models()
returns void language plpgsql
as $$
begin
    perform evenkeel.choose_branches();
    perform evenkeel.weigh_patches();
    insert into state_model_patch (model, patch_id, state, listed, proven, branch, same_files, newer_files, older_files, superseded_by)
    select s.model, s.patch_id, v.state, s.listed, s.proven, s.branch, s.same_files, s.newer_files, s.older_files, u.by_code
    from state_model_standing s
    left join state_model_superseded u on u.model = s.model and u.patch_id = s.patch_id
    cross join lateral (
        select w.state
        from (values (1, 'unknown', s.blind and s.older_files = 0 and u.by_code is null),
                     (2, 'installed', not s.compared),
                     (3, 'installed', s.older_files = 0 and s.same_files > 0 and (s.listed or s.any_proof)),
                     (4, 'superseded', s.older_files = 0 or u.by_code is not null),
                     (5, 'partial', s.listed or s.proven),
                     (6, 'missing', s.required_levels = '{}' or exists (select from unnest(s.required_levels) r where r <@ s.levels))
             ) w (place, state, holds)
        where w.holds order by w.place limit 1) v;
    analyze state_model_patch;
end
$$;
comment on function evenkeel.judge_models() is
    'The state of each patch on each model. unknown: no file of it is older, but one is there whose version could not be read. '
    'installed: every file of its table that is there is the same or newer, and the registry lists it or a file proves it (or it is '
    'listed and none of its files is there). superseded: nothing of it is older, but nothing proves it, or a patch present whole '
    'replaces it. partial: listed or proven, and files are older. missing: files are older. A file proves a patch only if it is at '
    'exactly its version, no level ships that or may have shipped it, and no other patch present whole explains it.';

create or replace function evenkeel.store_patches()
returns void language sql
as $$
    with now_is as materialized (
        select clock_timestamp() as moment
    ), found as materialized (
        select m.host_id, p.*
        from state_model m
        join (select model, array_agg(patch_id order by patch_id) as patch_ids, array_agg(state order by patch_id) as states,
                     array_agg(listed order by patch_id) as listed,
                     array_agg(least(same_files, 32767)::smallint order by patch_id) as same_files,
                     array_agg(least(newer_files, 32767)::smallint order by patch_id) as newer_files,
                     array_agg(least(older_files, 32767)::smallint order by patch_id) as older_files
              from state_model_patch group by model) p using (model)
    ), left_behind as (
        insert into evenkeel.host_patch_past (host_id, valid_from, valid_to, patch_ids, states)
        select o.host_id, o.since, greatest(t.moment, o.since + interval '1 microsecond'), o.patch_ids, o.states
        from now_is t
        cross join state_host h
        join evenkeel.host_patch o using (host_id)
        left join found n using (host_id)
        where (o.patch_ids, o.states) is distinct from (n.patch_ids, n.states)
    ), gone as (
        delete from evenkeel.host_patch o using state_host h
        where o.host_id = h.host_id and not exists (select from found n where n.host_id = o.host_id)
    )
    insert into evenkeel.host_patch as o (host_id, patch_ids, states, listed, same_files, newer_files, older_files, since)
    select n.host_id, n.patch_ids, n.states, n.listed, n.same_files, n.newer_files, n.older_files,
           greatest(t.moment, (select max(p.valid_to) from evenkeel.host_patch_past p where p.host_id = n.host_id))
    from now_is t cross join found n
    on conflict (host_id) do update
        set patch_ids = excluded.patch_ids, states = excluded.states, listed = excluded.listed, same_files = excluded.same_files,
            newer_files = excluded.newer_files, older_files = excluded.older_files,
            since = case when (o.patch_ids, o.states) is distinct from (excluded.patch_ids, excluded.states)
                         then greatest((select t.moment from now_is t), o.since + interval '1 microsecond') else o.since end
        where (o.patch_ids, o.states, o.listed, o.same_files, o.newer_files, o.older_files)
              is distinct from (excluded.patch_ids, excluded.states, excluded.listed, excluded.same_files, excluded.newer_files,
                                excluded.older_files)
$$;
comment on function evenkeel.store_patches() is
    'Keeps what judge_patches() found, for ops.patch_state, and what was found before, for ops.patch_progress().';
