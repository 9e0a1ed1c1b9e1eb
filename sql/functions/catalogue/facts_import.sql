-- Published facts as rows of the catalogue. What the catalogue knows already stays as it is: facts add, and fill what was left open.

create or replace function evenkeel.facts_stage_levels()
returns void language plpgsql
as $$
begin
    -- Builds that an enablement package tells apart are one product with one line of files.
    create temporary table fact_level_of on commit drop as
    select f.doc, p.product_id, p.code as product, f.ubr as ordinal, f.kb, f.released, coalesce(f.preview, false) as preview,
           coalesce(f.out_of_band, false) as out_of_band, p.os_build, f.build, p.name, l.ordinal is not null as known, l.kb as known_kb,
           l.released as known_released
    from fact_level f
    join evenkeel.product p on f.build between p.os_build and coalesce(p.os_build_to, p.os_build) and p.level_kind = 'cumulative update'
                           and f.server = coalesce(2 = any (p.product_types), true)
    left join evenkeel.level l on l.product_id = p.product_id and l.ordinal = f.ubr;
    insert into stage_levels (product, ordinal, code, name, ubr, released, kb, preview, out_of_band, line, base, source)
    select distinct on (f.product_id, f.ordinal) f.product, f.ordinal, coalesce(l.code, format('%s.%s', f.os_build, f.ordinal)),
           coalesce(l.name, format('%s %s.%s', f.name, f.build, f.ordinal)), f.ordinal, coalesce(l.released, f.released),
           case when coalesce(l.kb, '') = '' then f.kb else l.kb end, coalesce(l.preview, f.preview),
             coalesce(l.out_of_band, f.out_of_band),
           nullif(l.line, ''), (select b.code from evenkeel.level b where (b.product_id, b.ordinal) = (l.product_id, l.base_ordinal)),
           coalesce(l.source, regexp_replace(d.path, '^.*/', ''))
    from fact_level_of f
    join fact_file d using (doc)
    left join evenkeel.level l on l.product_id = f.product_id and l.ordinal = f.ordinal
    where not f.known or (f.known_kb = '' and l.ubr is distinct from (select q.rtm_revision from evenkeel.product q
      where q.product_id = f.product_id))
       or (f.known_released is null and f.released is not null)
    order by f.product_id, f.ordinal, f.released nulls last, f.build desc;
    insert into stage_patches (code, product, title, level, released, source)
    select distinct on (f.kb, f.product) f.kb, f.product, format('Cumulative update %s.%s', f.os_build, f.ordinal),
      format('%s.%s', f.os_build, f.ordinal),
           f.released, regexp_replace(d.path, '^.*/', '')
    from fact_level_of f join fact_file d using (doc)
    where not exists (select from evenkeel.patch t where t.product_id = f.product_id and t.code = f.kb)
    order by f.kb, f.product, f.ordinal desc;
    insert into kb_told
    select doc, 0, 1, format('%s is said to be %s %s.%s, which the catalogue has as %s: that stays', kb, product, os_build, ordinal,
                             known_kb)
    from fact_level_of where known and known_kb <> '' and known_kb <> kb
    order by doc, product, ordinal;
    insert into kb_told
    select doc, 0, 0, format('%s of %s, %s new', evenkeel.counted(count(distinct (product_id, ordinal)), 'level'),
                             evenkeel.counted(count(distinct product_id), 'product'),
                               count(distinct (product_id, ordinal)) filter (where not known))
    from fact_level_of group by doc;
end
$$;
comment on function evenkeel.facts_stage_levels() is
  'Stages the levels of cumulative updates, and their patches, that the catalogue lacks or knows less of.';

create or replace function evenkeel.facts_stage_patches()
returns void language plpgsql
as $$
begin
    -- Each rollup holds the one before it.
    insert into stage_patches (code, product, title, required_levels, supersedes, source)
    select distinct on (r.kb, r.product_id) r.kb, r.code, case r.kind when 'rollup' then 'Monthly rollup'
      else 'Security only update' end, r.level,
           case when r.kind = 'rollup' then r.before end, regexp_replace(d.path, '^.*/', '')
    from (select f.*, p.product_id, p.code, (select l.code from evenkeel.level l where l.product_id = p.product_id
                                               and lower(l.code) = lower(coalesce(nullif(f.release, ''), 'RTM'))) as level,
                 lag(f.kb) over (partition by f.doc, f.product, f.kind order by f.place) as before
          from fact_rollup f join evenkeel.product p on p.name = f.product and p.level_kind = 'service pack') r
    join fact_file d using (doc)
    where not exists (select from evenkeel.patch t where t.product_id = r.product_id and t.code = r.kb)
    order by r.kb, r.product_id, r.place;
    insert into stage_patches (code, product, required_levels, released, source)
    select distinct on (b.kb, p.product_id) b.kb, p.code,
           (select l.code from evenkeel.level l where l.product_id = p.product_id
              and l.code = coalesce('SP' || substring(b.product from 'Service Pack (\d)'), 'RTM')), b.dated,
                regexp_replace(d.path, '^.*/', '')
    from fact_bulletin b
    join fact_file d using (doc)
    join lateral (select p.* from evenkeel.product p
                  -- Which of a Windows' updates are .NET Framework's as well their lists say.
                  where p.level_kind = 'service pack' and not p.beside
                    and b.product ~ ('^(Microsoft )?' || replace(p.name, '.', '\.') || '\M')
                  order by length(p.name) desc limit 1) p on true
    where not exists (select from evenkeel.patch t where t.product_id = p.product_id
                      and evenkeel.patch_number(t.code) = evenkeel.patch_number(b.kb))
      and not exists (select from stage_patches s where s.code = b.kb and s.product = p.code)
    order by b.kb, p.product_id, b.dated;
    insert into kb_told
    select d.doc, 0, 0, concat_ws(', ',
                                  evenkeel.counted((select count(distinct (t.code, t.supersedes)) from fact_supersedes t
                                                    where t.doc = d.doc), 'pair')
                                     || ' of patches, the later and the one that it replaces',
                                  (select evenkeel.counted(count(distinct b.kb), 'bulletin') from fact_bulletin b where b.doc = d.doc
                                   having count(*) > 0))
    from fact_file d where d.kind in ('supersedence', 'bulletins');
    insert into kb_told
    select f.doc, 0, 0, evenkeel.counted(count(distinct (f.product, f.kb)), 'rollup') || ' known by name' from fact_rollup f group by f.doc;
end
$$;
comment on function evenkeel.facts_stage_patches() is 'Stages patches that are known by their names alone, where the catalogue lacks them.';

create or replace function evenkeel.facts_stage_mssecure()
returns void language plpgsql
as $$
begin
    create temporary table fact_secure_file on commit drop as
    select f.doc, f.code, f.product, f.file, evenkeel.version_text(v.version) as version, f.dated, f.size
    from fact_patch_file f
    cross join lateral (select evenkeel.version_of(f.version) as version) v
    join evenkeel.product p on p.code = f.product
    where evenkeel.on_line(p.product_id, v.version)
      and not (f.product = 'windows-nt-4.0' and evenkeel.version_minor(v.version) = 2 and evenkeel.version_build(v.version) > 999)
      -- What is below any hotfix of Windows 2000 lost its end in print.
      and not (f.product = 'windows-2000' and evenkeel.version_revision(v.version) between 2 and 999);
    insert into stage_patches (code, product, title, required_levels, supersedes, contained_in, released, source)
    select p.code, p.product, p.bulletin, case when p.whole then array_to_string(p.requires, '|') end,
      nullif(array_to_string(p.supersedes, '|'), ''),
           case when cardinality(p.fixed) = 1 and p.fixed[1] <> 'RTM' and not p.fixed[1] = any (p.requires) then p.fixed[1] end, p.released,
           'mssecure.xml ' || p.bulletin
    from fact_patch p
    where (p.supersedes <> '{}' or exists (select from fact_secure_file f where (f.code, f.product) = (p.code, p.product)))
      and not exists (select from evenkeel.patch t join evenkeel.product q using (product_id) where t.code = p.code and q.code = p.product);
    -- The table of an article says itself which version a file has.
    insert into stage_patch_files (patch, product, file, version, size, dated, platform)
    select distinct f.code, f.product, f.file, f.version, case when f.size ~ '^\d+$' then f.size end, case
      when f.dated ~ '^\d{4}-\d\d-\d\d$' then f.dated end,
           'mssecure.xml'
    from fact_secure_file f
    where not exists (select from evenkeel.patch t join evenkeel.product q using (product_id) join evenkeel.patch_file e using (patch_id)
                      where t.code = f.code and q.code = f.product and e.file = f.file)
      and (exists (select from stage_patches s where s.code = f.code and s.product = f.product)
           or exists (select from evenkeel.patch t join evenkeel.product q using (product_id)
                      where t.code = f.code and q.code = f.product));
    insert into kb_told
    select d.doc, 0, 0, format('%s with %s and versions, %s',
                               evenkeel.counted((select count(distinct (p.code, p.product)) from fact_patch p where p.doc = d.doc),
                                                'patch'),
                               evenkeel.counted((select count(distinct (f.file, f.version)) from fact_secure_file f where f.doc = d.doc),
                                                'file'),
                               (select count(*) from stage_patches s where s.source like 'mssecure.xml %') || ' of them new')
    from fact_file d where d.kind = 'mssecure';
end
$$;
comment on function evenkeel.facts_stage_mssecure() is 'Stages the patches and files of mssecure.xml that the catalogue lacks.';

create or replace function evenkeel.facts_stage_builds()
returns void language plpgsql
as $$
begin
    create temporary table fact_build_of on commit drop as
    with numbered as (
        select b.doc, b.version, b.pack, b.cu, b.kb, b.released, b.retired, p.product_id, p.code as product, p.name,
               split_part(b.version, '.', 3)::integer << 16 as ordinal
        from fact_build b
        join evenkeel.product p on p.level_kind = 'build'
                               and p.name = 'SQL Server ' || case when b.version like '10.50.%' then '2008 R2'
                                   else (array['2008', '2012', '2014', '2016', '2017', '2019', '2022', '2025'])
                                        [array_position(array['10', '11', '12', '13', '14', '15', '16', '17'],
                                                        split_part(b.version, '.', 1))] end
    )
    select n.*, count(*) filter (where n.pack ~ '^(RTM|SP\d)$') over w as packs,
           max(n.ordinal) filter (where n.pack ~ '^(RTM|SP\d)$') over w as pack_ordinal,
             max(n.ordinal) filter (where n.cu is not null) over w as cu_ordinal
    from numbered n window w as (partition by n.product_id order by n.ordinal, n.version);
    insert into stage_levels (product, ordinal, code, name, released, kb, line, base, source)
    select distinct on (f.product_id, f.ordinal) f.product, f.ordinal, t.code, f.name || ' ' || t.words, f.released, 'KB' || f.kb, t.line,
      t.base,
           regexp_replace(d.path, '^.*/', '')
    from fact_build_of f
    join fact_file d using (doc)
    left join fact_build_of k on (k.doc, k.product_id, k.ordinal) = (f.doc, f.product_id, f.pack_ordinal) and k.pack ~ '^(RTM|SP\d)$'
    left join fact_build_of c on (c.doc, c.product_id, c.ordinal) = (f.doc, f.product_id, f.cu_ordinal) and f.cu_ordinal > f.pack_ordinal
      and c.cu is not null
    cross join lateral (select case when k.pack = 'RTM' then c.cu else k.pack || '-' || c.cu end as cu) u
    cross join lateral (
        select case when f.pack ~ '^(RTM|SP\d)$' then f.pack when f.cu is not null then u.cu else f.version end as code,
               case when f.pack ~ '^(RTM|SP\d)$' then f.pack when f.cu is not null then replace(u.cu, '-', ' ')
                    when u.cu is not null then replace(u.cu, '-', ' ') || ' + ' || f.version
                      else k.pack || ' GDR ' || f.version end as words,
               case when f.pack is null and f.cu is null and u.cu is null then 'GDR' end as line,
               case when f.pack ~ '^(RTM|SP\d)$' or f.cu is not null then null when u.cu is not null then u.cu else k.pack end as base) t
    where f.packs > 0 and (f.pack ~ '^(RTM|SP\d)$' or f.cu is not null or f.kb is not null and not (f.retired and u.cu is null))
      and not exists (select from evenkeel.level l where l.product_id = f.product_id and (l.ordinal = f.ordinal or l.code = t.code))
    order by f.product_id, f.ordinal;
    insert into kb_told
    select d.doc, 0, 0, format('%s of SQL Server, %s new',
                               evenkeel.counted((select count(*) from fact_build_of f where f.doc = d.doc), 'build'),
                               (select count(*) from stage_levels s where s.source = regexp_replace(d.path, '^.*/', '')))
    from fact_file d where d.kind = 'builds';
end
$$;
comment on function evenkeel.facts_stage_builds() is
  'Stages the levels of SQL Server that the catalogue lacks: cumulative updates on their line, security updates of the release or a pack '
  'beside it.';

create or replace function evenkeel.facts_merge_supersedence()
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    insert into evenkeel.supersedence as o (code, supersedes, editions)
    select s.code, s.supersedes, array_agg(distinct evenkeel.edition_of(d.path))
    from fact_supersedes s join fact_file d using (doc) where s.code <> s.supersedes group by 1, 2
    on conflict (code, supersedes) do update
      set editions = array(select distinct e from unnest(o.editions || excluded.editions) e order by e)
    where not o.editions @> excluded.editions;
    update evenkeel.patch t set supersedes = u.supersedes
    from (select p.patch_id, array(select distinct x from unnest(p.supersedes || array_agg(s.supersedes)) x order by 1) as supersedes
          from evenkeel.patch p join evenkeel.supersedence s using (code) group by p.patch_id, p.supersedes) u
    where u.patch_id = t.patch_id and u.supersedes <> t.supersedes and not t.supersedes @> u.supersedes;
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function evenkeel.facts_merge_supersedence() is
  'Stores which patch replaces which, and adds it to the patches that are known; returns how many of these changed.';

create or replace function evenkeel.facts_import(only_product text)
returns bigint language plpgsql
as $$
declare
    n bigint;
begin
    perform evenkeel.catalog_stage();
    perform evenkeel.facts_stage_levels();
    perform evenkeel.facts_stage_patches();
    perform evenkeel.facts_stage_mssecure();
    perform evenkeel.facts_stage_builds();
    if only_product is not null then
        perform evenkeel.product_number(only_product);
        delete from stage_levels where product <> only_product;
        delete from stage_patches where product <> only_product;
        delete from stage_patch_files where product <> only_product;
    end if;
    select sum(changed) into n from evenkeel.catalog_merge();
    n := n + evenkeel.facts_merge_supersedence() + evenkeel.index_merge(only_product);
    delete from stage_levels; delete from stage_patches; delete from stage_patch_files;
    return n;
end
$$;
comment on function evenkeel.facts_import(text) is
  'Takes the facts that were read into the catalogue, and tells of each file in kb_told; returns how many rows changed.';

create or replace function evenkeel.update_remember()
returns void language sql
as $$
    insert into evenkeel.edition as o (name, digest)
    select f.path, (array_agg(f.digest))[1]
    from update_file f
    where exists (select from kb_told t where t.doc = f.doc and t.severity = 0) and not exists (select from kb_told t
      where t.doc = f.doc and t.severity = 2)
    group by f.path
    on conflict (name) do update set digest = excluded.digest, loaded_at = now() where o.digest is distinct from excluded.digest
$$;
comment on function evenkeel.update_remember() is 'Notes the files that something was taken of, so that they are not read again.';
