-- title: the files of a product belong to different levels
-- scope: host
-- reads: files, facts
-- rank: 2
-- counted: is of mixed levels | are of mixed levels
--
-- Subject: the product's code. Evidence:
--   product, declared       the product's name; the level that the registry declares, null where none is known
--   lower, upper            the file with the least upper end and the one with the greatest lower end: path, version, level, basis;
--                           'declared' stands for a side that is the registry's declaration
--   target                  the level to reach: the declared one, unless most files prove to be above it (the registry's text is what is
--                           old then) or none is declared: then the level that most files prove, else the greatest lower end; and where
--                           a patch that is there needs a higher one, that
--   target_ordinal          the same as a number
--   target_why              why that one, as a sentence's end
--   above                   {files, covered}: how many files prove the target where most files settle it; else null
--   coverage                {files, covered}
--   move                    all files that must move to reach the target: path, version, levels
--   move_count              how many there are; `move` names at most 200
with mixed as (
    select s.host_id, s.product_id, s.declared, s.files, s.covered, p.code, p.name,
           (select max(l.ordinal) + 1 from level l where l.product_id = p.product_id) as level_count
    from state_product s join product p using (product_id)
    where s.verdict = 'mixed'
), ranges as (
    select m.host_id, m.product_id, m.declared, c.place, c.chunk_id, cl.levels,
           min(upper(cl.levels)) over host as least_upper, max(lower(cl.levels)) over host as greatest_lower,
           bool_or(isempty(cl.levels)) over host as torn
    from mixed m
    join state_host h using (host_id)
    cross join unnest(h.chunk_ids) with ordinality c (chunk_id, place)
    join state_chunk_level cl on cl.chunk_id = c.chunk_id and cl.product_id = m.product_id
    window host as (partition by m.host_id, m.product_id)
), placed as (
    select r.*, min(r.place) filter (where upper(r.levels) = r.least_upper) over host as least_place,
           min(r.place) filter (where lower(r.levels) = r.greatest_lower) over host as greatest_place
    from ranges r
    window host as (partition by r.host_id, r.product_id)
), opened as materialized (
    -- Chunks lie in the order of paths: the first at either end holds the file to be named. Files that must move are in chunks that do not
    -- reach the target, and may be in those that are mixed themselves. All others need not be looked into.
    select distinct p.host_id, p.product_id, p.chunk_id
    from placed p
    where isempty(p.levels) or p.place in (p.least_place, p.greatest_place)
       -- Where nothing is declared all files are asked which level most of them prove.
       or p.declared is null or isempty(p.levels * p.declared)
), content as materialized (
    select o.host_id, o.product_id, c.file_ids from opened o join state_chunk c using (chunk_id)
), held as materialized (
    select o.host_id, o.product_id, f.file_id, fl.levels, fl.lower_basis, fl.upper_basis, pa.path, i.file_version
    from content o
    cross join unnest(o.file_ids) u (file_id)
    join file_level fl on fl.file_id = u.file_id and fl.product_id = o.product_id
    join file f on f.file_id = u.file_id
    join path pa on pa.path_id = f.path_id
    join image i on i.image_id = f.image_id
    -- What may be of any level is neither end, and need not move.
    where fl.levels <> '(,)'
    union all
    select m.host_id, m.product_id, f.file_id, sf.levels, '', sf.basis, pa.path, i.file_version
    from mixed m
    join state_foreign sf using (host_id, product_id)
    join file f on f.file_id = sf.file_id
    join path pa on pa.path_id = f.path_id
    join image i on i.image_id = f.image_id
), proven as (
    select h.host_id, h.product_id, lower(h.levels) as ordinal,
           count(*) over (partition by h.host_id, h.product_id order by lower(h.levels) desc) as files
    from held h where lower(h.levels) is not null
), raised as materialized (
    -- Files above the declared level are all in chunks that were opened. Reapplying that level would take most of what is right back.
    select p.host_id, p.product_id, max(p.ordinal) as ordinal,
           (array_agg(p.files order by p.ordinal desc))[1] as files
    from proven p join mixed m using (host_id, product_id)
    where p.ordinal >= upper(m.declared) and p.files * 2 > m.covered
    group by p.host_id, p.product_id
    union all
    (select distinct on (n.host_id, n.product_id) n.host_id, n.product_id, n.ordinal, n.files
     from (select c.host_id, c.product_id, c.covered, c.ordinal, count(*) filter (where h.levels @> c.ordinal) as files
           from (select distinct m.host_id, m.product_id, m.covered,
                        coalesce(lower(h.levels), (select min(l.ordinal) from level l where l.product_id = m.product_id)) as ordinal
                 from mixed m join held h using (host_id, product_id)
                 where m.declared is null and (lower(h.levels) is not null or upper(h.levels) is not null)) c
           join held h using (host_id, product_id)
           where lower(h.levels) is not null or upper(h.levels) is not null
           group by c.host_id, c.product_id, c.covered, c.ordinal) n
     where n.files * 2 > n.covered
     order by n.host_id, n.product_id, n.files desc, n.ordinal desc)
), needing as materialized (
    -- Once for all hosts: the greatest level that a patch needs.
    select distinct on (host_id, product_id) host_id, product_id, required, code
    from state_needs()
    order by host_id, product_id, required desc, code
), aim as materialized (
    -- With all columns of mixed: joined again it would look like one row to the planner, which would plan what follows for that.
    select m.*, t.ordinal as aim, t.why, case when t.by_files then r.files end as above, n.code as needed_by
    from mixed m
    left join raised r using (host_id, product_id)
    left join (select host_id, product_id, max(ordinal) as ordinal from proven group by host_id, product_id) g using (host_id, product_id)
    cross join lateral (select coalesce(r.ordinal, upper(m.declared) - 1, g.ordinal, 0) as ordinal) b
    left join needing n on n.host_id = m.host_id and n.product_id = m.product_id and n.required > b.ordinal
    cross join lateral target_choice(m.product_id, m.declared, r.ordinal, r.files, m.covered, b.ordinal, n.required, n.code) t
), behind as materialized (
    select r.host_id, r.product_id, c.file_ids
    from aim a
    join ranges r using (host_id, product_id)
    join state_chunk c using (chunk_id)
    where not r.levels @> a.aim and (r.host_id, r.product_id, r.chunk_id) not in (select host_id, product_id, chunk_id from opened)
), least as (
    select distinct on (host_id, product_id) host_id, product_id, path, file_version, upper(levels) - 1 as ordinal, upper_basis
    from held where upper(levels) is not null
    order by host_id, product_id, upper(levels), path
), greatest as (
    select distinct on (host_id, product_id) host_id, product_id, path, file_version, lower(levels) as ordinal, lower_basis
    from held where lower(levels) is not null
    order by host_id, product_id, lower(levels) desc, path
), sides as (
    -- Where the files agree among themselves, the registry's declaration is the other side.
    select a.*, l.path as lower_path, l.file_version as lower_version, l.ordinal as lower_ordinal, l.upper_basis,
           g.path as upper_path, g.file_version as upper_version, g.ordinal as upper_ordinal, g.lower_basis,
           coalesce(a.declared is not null and l.ordinal < lower(a.declared) and (g.ordinal is null or g.ordinal <= l.ordinal), false)
             as declared_above,
           coalesce(a.declared is not null and g.ordinal >= upper(a.declared) and (l.ordinal is null or l.ordinal >= g.ordinal), false)
             as declared_below,
           int4range(a.aim, a.aim + 1) as target
    from aim a
    left join least l using (host_id, product_id)
    left join greatest g using (host_id, product_id)
), all_held as (
    select h.host_id, h.product_id, h.levels, h.path, h.file_version from held h
    union all
    select b.host_id, b.product_id, fl.levels, pa.path, i.file_version
    from behind b
    cross join unnest(b.file_ids) u (file_id)
    join file_level fl on fl.file_id = u.file_id and fl.product_id = b.product_id and fl.levels <> '(,)'
    join file f on f.file_id = u.file_id
    join path pa on pa.path_id = f.path_id
    join image i on i.image_id = f.image_id
), moving as materialized (
    select h.host_id, h.product_id, count(*) as files,
           jsonb_agg(jsonb_build_object('path', h.path, 'version', version_text(h.file_version),
                                        'levels', level_range_text(h.product_id, h.levels)) order by h.path)
               filter (where h.place <= 200) as list
    from (select h.*, row_number() over (partition by h.host_id, h.product_id order by h.path) as place
          from all_held h join sides s using (host_id, product_id)
          where isempty(h.levels * s.target)) h
    group by h.host_id, h.product_id
), told as (
    select s.*, mv.files as move_files, mv.list,
           case when s.declared_below then jsonb_build_object('declared', true, 'level', level_range_text(s.product_id, s.declared))
                else jsonb_build_object('path', s.lower_path, 'version', version_text(s.lower_version),
                                        'level', level_name_at_most(s.product_id, s.lower_ordinal), 'basis', s.upper_basis) end
                                          as lower_side,
           case when s.declared_above then jsonb_build_object('declared', true, 'level', level_range_text(s.product_id, s.declared))
                else jsonb_build_object('path', s.upper_path, 'version', version_text(s.upper_version),
                                        'level', level_name_at_least(s.product_id, s.upper_ordinal), 'basis', s.lower_basis) end
                                          as upper_side
    from sides s
    left join moving mv using (host_id, product_id)
)
select host_id, code as subject, 'high' as severity,
       format('%s: %s against %s; %s to move to %s%s', name,
              case when declared_below then 'the registry declares ' || level_range_text(product_id, declared)
                   else format('%s %s is %s', lower_path, version_text(lower_version), lower_side ->> 'level') end,
              case when declared_above then 'the registry''s ' || level_range_text(product_id, declared)
                   else format('%s %s, which is %s', upper_path, version_text(upper_version), upper_side ->> 'level') end,
              case coalesce(move_files, 0) when 0 then 'no file' else evenkeel.counted(move_files, 'file') end,
              level_range_text(product_id, target),
              case when needed_by is not null then format(', which %s needs', needed_by)
                   when above is not null then format(', which %s of %s files are', above, covered) else '' end) as summary,
       jsonb_build_object('product', name, 'declared', level_range_text(product_id, declared),
                          'lower', lower_side, 'upper', upper_side,
                          'target', level_range_text(product_id, target), 'target_ordinal', upper(target) - 1, 'target_why', why,
                          'above', case when above is not null then jsonb_build_object('files', above, 'covered', covered) end,
                          'coverage', jsonb_build_object('files', files, 'covered', covered),
                          'move', coalesce(list, '[]'), 'move_count', coalesce(move_files, 0)) as evidence
from told
