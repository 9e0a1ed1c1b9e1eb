-- title: a patch is listed, or files prove it, but other files of its table are there and older
-- scope: host
-- reads: files, facts
-- rank: 3
-- counted: has a patch in part | have a patch in part
--
-- What makes a patch partial is worked out by evenkeel.judge_models(), for this check, patch-below-prerequisite and ops.patch_state.
--
-- Subject: the patch's code. Evidence:
--   patch, title, product   the patch; the names of the products
--   listed                  the registry lists it
--   branch                  the branch of its table that fits best, '': it has none
--   older                   files that are older: path, version, brought
--   older_count             how many there are; `older` names at most 200
--   same                    files at exactly its version (at most 20): path, version
--   same_count, newer_count how many files are at its version, and how many are newer
with partial as (
    select s.*, t.code, t.title, p.name as product
    from state_patch s
    join patch t using (patch_id)
    join product p using (product_id)
    where s.state = 'partial'
), held as (
    select m.model, m.patch_id, pf.relation, pa.path, i.file_version, pf.brought,
           row_number() over (partition by m.model, m.patch_id, pf.relation order by pa.path) as place
    from (select distinct model, patch_id, branch from partial) m
    join state_patch_file pf using (patch_id, branch)
    join state_model_file mf on mf.model = m.model and mf.file_id = pf.file_id
    join file f on f.file_id = pf.file_id
    join path pa using (path_id)
    join image i using (image_id)
    where pf.relation <= 0
), listing as (
    select model, patch_id,
           jsonb_agg(jsonb_build_object('path', path, 'version', version_text(file_version), 'brought', version_text(brought))
                     order by path)
               filter (where relation < 0 and place <= 200) as older,
           jsonb_agg(jsonb_build_object('path', path, 'version', version_text(file_version)) order by path)
               filter (where relation = 0 and place <= 20) as same,
           min(format('%s is %s instead of %s', path, version_text(file_version), version_text(brought))) filter (where relation < 0
             and place = 1)
               as first_older,
           min(format('%s %s', path, version_text(file_version))) filter (where relation = 0 and place = 1) as first_same
    from held
    group by model, patch_id
), told as (
    -- One patch may have a table for each of several products.
    select p.host_id, p.code, min(p.title) as title, array_agg(distinct p.product) as products, bool_or(p.listed) as listed,
           min(p.branch) as branch, sum(p.older_files) as older_count, sum(p.same_files) as same_count, sum(p.newer_files) as newer_count,
           min(l.first_older) as first_older, min(l.first_same) as first_same,
           jsonb_path_query_array(jsonb_agg(l.older order by p.patch_id) , '$[*][*]') as older,
           jsonb_path_query_array(jsonb_agg(coalesce(l.same, '[]') order by p.patch_id), '$[*][*]') as same
    from partial p
    join listing l using (model, patch_id)
    group by p.host_id, p.code
)
select host_id, code as subject, case when listed then 'high' else 'medium' end as severity,
       format('%s is %s, but %s%s', code, case when listed then 'listed as installed'
              else format('proven by %s', first_same) end, first_older,
              case when older_count > 1 then format(', and %s more %s older', older_count - 1, case when older_count = 2 then 'file is'
                                                    else 'files are' end)
                   else '' end) as summary,
       jsonb_build_object('patch', code, 'title', title, 'product', array_to_string(products, ', '), 'listed', listed, 'branch', branch,
                          'older', older, 'older_count', older_count, 'same', same, 'same_count', same_count,
                          'newer_count', newer_count) as evidence
from told
