-- title: a patch is present while a component that it needs is below the lowest level it may be installed on
-- scope: host
--
-- Present is a patch that the registry lists or that files prove (evenkeel.judge_models()). Below is a component of its product of
-- which a file is at most at a lower level, and the product itself where the registry declares a lower level.
--
-- Subject: the patch's code. Evidence:
--   patch, title, product   the patch; the product's name
--   required                the lowest level that it may be installed on
--   listed                  the registry lists it
--   declared                the level that the registry declares, null where none is known
--   below                   files below the required level: path, version, component, level, basis
--   below_count             how many there are; `below` names at most 200
with demanding as (
    select s.*, t.code, t.title, t.product_id, p.name as product, sp.declared,
           (select min(r) from unnest(t.required_levels) r) as required
    from state_patch s
    join patch t using (patch_id)
    join product p using (product_id)
    join state_product sp on sp.host_id = s.host_id and sp.product_id = t.product_id
    where s.state in ('installed', 'partial', 'superseded') and (s.listed or s.proven) and (s.same_files > 0 or s.listed)
      and t.required_levels <> '{}'
), above_first as (
    select * from demanding where required > 0
), highest as (
    select host_id, product_id, max(required) as required from above_first group by host_id, product_id
), low_chunk as (
    -- Of chunks whose files contradict each other all are looked at.
    select h.host_id, h.product_id, h.required, cl.chunk_id
    from highest h
    join state_host s using (host_id)
    cross join unnest(s.chunk_ids) c (chunk_id)
    join state_chunk_level cl on cl.chunk_id = c.chunk_id and cl.product_id = h.product_id
    where isempty(cl.levels) or upper(cl.levels) <= h.required
), low_file as (
    select distinct l.host_id, l.product_id, pa.path, i.file_version, fl.component_id, upper(fl.levels) - 1 as ordinal, fl.upper_basis
    from low_chunk l
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file_level fl on fl.file_id = u.file_id and fl.product_id = l.product_id
    join file f on f.file_id = u.file_id
    join path pa using (path_id)
    join image i using (image_id)
    where upper(fl.levels) <= l.required
), below as (
    select a.host_id, a.patch_id, l.*, row_number() over (partition by a.host_id, a.patch_id order by l.path) as place
    from above_first a
    join lateral (select lf.path, lf.file_version, lf.component_id, lf.ordinal, lf.upper_basis
                  from low_file lf
                  where lf.host_id = a.host_id and lf.product_id = a.product_id and lf.ordinal < a.required) l on true
), listing as (
    select host_id, patch_id, count(*) as files,
           min(format('%s %s', path, version_text(file_version))) filter (where place = 1) as first_file,
           min(ordinal) filter (where place = 1) as first_ordinal,
           jsonb_agg(jsonb_build_object('path', path, 'version', version_text(file_version), 'component', c.code,
                                        'level', level_name_at_most(c.product_id, ordinal), 'basis', upper_basis) order by path)
               filter (where place <= 200) as list
    from below join component c using (component_id)
    group by host_id, patch_id
), told as (
    select a.*, coalesce(l.files, 0) as files, l.first_file, l.first_ordinal, coalesce(l.list, '[]') as list,
           row_number() over (partition by a.host_id, a.code order by l.files desc nulls last, a.product_id) as place
    from above_first a
    left join listing l using (host_id, patch_id)
    where l.files > 0 or upper(a.declared) <= a.required
)
select host_id, code as subject, 'high' as severity,
       format('%s, which needs %s or later, is %s, but %s', code,
              (select l.code from level l where l.product_id = told.product_id and l.ordinal = told.required),
              case when listed then 'listed as installed' else 'there by its files' end,
              case when files > 0 then format('%s is %s%s', first_file, level_name_at_most(product_id, first_ordinal),
                        case when files > 1 then format(', and so %s %s more', case when files = 2 then 'is' else 'are' end, files - 1) else '' end)
                   else format('the registry declares %s', level_range_text(product_id, declared)) end) as summary,
       jsonb_build_object('patch', code, 'title', title, 'product', product,
                          'required', (select l.code from level l where l.product_id = told.product_id and l.ordinal = told.required),
                          'listed', listed, 'declared', level_range_text(product_id, declared), 'below', list, 'below_count', files) as evidence
from told
where place = 1
