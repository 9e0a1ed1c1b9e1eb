-- title: a patch is present while a component that it needs is below the lowest level it may be installed on
-- scope: host
-- reads: files, facts
-- rank: 3
-- counted: has a patch below the level that it needs | have a patch below the level that it needs
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
--   below_count             how many there are; `below` names at most 50
with demanding as (
    select s.*, t.code, t.title, t.product_id, p.name as product, sp.declared,
           (select min(r) from unnest(t.required_levels) r) as required
    from state_patch s
    join patch t using (patch_id)
    join product p using (product_id)
    join state_product sp on sp.host_id = s.host_id and sp.product_id = t.product_id
    where s.state in ('installed', 'partial', 'superseded') and (s.listed or s.proven) and (s.same_files > 0 or s.listed)
      and t.required_levels <> '{}'
), above_first as materialized (
    select * from demanding where required > 0
), highest as (
    select host_id, product_id, max(required) as required from above_first group by host_id, product_id
), low_chunk as materialized (
    -- Of chunks whose files contradict each other all are looked at.
    select h.host_id, h.product_id, h.required, cl.chunk_id
    from highest h
    join state_host s using (host_id)
    cross join unnest(s.chunk_ids) c (chunk_id)
    join state_chunk_level cl on cl.chunk_id = c.chunk_id and cl.product_id = h.product_id
    where isempty(cl.levels) or upper(cl.levels) <= h.required
), low_file as materialized (
    select distinct l.host_id, l.product_id, f.file_id, f.path_id, f.image_id, fl.component_id, upper(fl.levels) - 1 as ordinal,
      fl.upper_basis
    from low_chunk l
    join state_chunk sc using (chunk_id)
    cross join unnest(sc.file_ids) u (file_id)
    join file_level fl on fl.file_id = u.file_id and fl.product_id = l.product_id
    join file f on f.file_id = u.file_id
    where upper(fl.levels) <= l.required
), wanted_level as materialized (
    select distinct host_id, product_id, required from above_first
), below as materialized (
    select w.host_id, w.product_id, w.required, l.component_id, l.image_id, l.ordinal, l.upper_basis, pa.path,
           row_number() over (partition by w.host_id, w.product_id, w.required order by pa.path) as place,
           count(*) over (partition by w.host_id, w.product_id, w.required) as files
    from wanted_level w
    join low_file l on l.host_id = w.host_id and l.product_id = w.product_id and l.ordinal < w.required
    join path pa using (path_id)
), listing as materialized (
    select b.host_id, b.product_id, b.required, min(b.files) as files,
           min(format('%s %s', b.path, version_text(i.file_version))) filter (where b.place = 1) as first_file,
           min(b.ordinal) filter (where b.place = 1) as first_ordinal,
           jsonb_agg(jsonb_build_object('path', b.path, 'version', version_text(i.file_version), 'component', c.code,
                                        'level', level_name_at_most(c.product_id, b.ordinal), 'basis', b.upper_basis)
                                          order by b.path) as list
    from below b
    join component c using (component_id)
    join image i using (image_id)
    where b.place <= 50
    group by b.host_id, b.product_id, b.required
), told as (
    select a.*, coalesce(l.files, 0) as files, l.first_file, l.first_ordinal, coalesce(l.list, '[]') as list,
           row_number() over (partition by a.host_id, a.code order by l.files desc nulls last, a.product_id) as place
    from above_first a
    left join listing l using (host_id, product_id, required)
    where l.files > 0 or upper(a.declared) <= a.required
)
select host_id, code as subject, 'high' as severity,
       format('%s, which needs %s or later, is %s, but %s', code,
              (select l.code from level l where l.product_id = told.product_id and l.ordinal = told.required),
              case when listed then 'listed as installed' else 'there by its files' end,
              case when files > 0 then format('%s is %s%s', first_file, level_name_at_most(product_id, first_ordinal),
                        case when files > 1 then format(', and so %s %s more', case when files = 2 then 'is' else 'are' end, files - 1)
                          else '' end)
                   else format('the registry declares %s', level_range_text(product_id, declared)) end) as summary,
       jsonb_build_object('patch', code, 'title', title, 'product', product,
                          'required', (select l.code from level l where l.product_id = told.product_id and l.ordinal = told.required),
                          'listed', listed, 'declared', level_range_text(product_id, declared), 'below', list, 'below_count', files)
                            as evidence
from told
where place = 1
