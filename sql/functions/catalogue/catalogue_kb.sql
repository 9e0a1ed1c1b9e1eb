-- What knowledge-base articles and lists of cumulative updates prove, as rows of the catalogue: the files are staged as they were
-- read, each version goes to the product whose line it is on, and what cannot be believed is told rather than taken.

create or replace function evenkeel.kb_code(number integer)
returns text language sql immutable strict parallel safe
as $$ select case when number < 820000 then 'Q' else 'KB' end || number $$;
comment on function evenkeel.kb_code(integer) is
  'How the registry calls the hotfix of an article: Q294774; from the middle of 2003 on KB884872.';

create or replace function evenkeel.kb_machine(printed text)
returns text language sql immutable strict parallel safe
as $$
    select case when printed ~* '\m(x64|amd64)\M' then 'x64' when printed ~* '\mia-?64\M|\mitanium' then 'ia64'
                when printed ~* '\marm64\M' then 'arm64' when printed ~* '\malpha\M' then 'alpha'
                when printed ~* '\m(x86|i[x3-6]86|x386|intel)\M' then 'x86' end
$$;
comment on function evenkeel.kb_machine(text) is 'The machine that a platform column or a section''s banner names clearly; null otherwise.';

create or replace function evenkeel.kb_branch(printed text)
returns text language sql immutable strict parallel safe
as $$ select coalesce(upper(substring(printed from '(?i)\m(?:RTM|SP[0-9])? ?(?:GDR|QFE|LDR)\M')),
                      upper(substring(printed from '(?i)\mSP[0-9]\M')), '') $$;
comment on function evenkeel.kb_branch(text) is 'SP2QFE, GDR or a service-pack section; empty where none is named.';

create or replace function evenkeel.release_level(product integer, version evenkeel.version)
returns text language sql stable
as $$
    select l.code
    from evenkeel.level l
    left join evenkeel.level_rule r on (r.product_id, r.ordinal) = (l.product_id, l.ordinal) and r.relation = '>='
    where l.product_id = product
      and (evenkeel.rule_holds('>=', r.minor, r.build, r.revision, version)
           or l.ordinal = (select min(f.ordinal) from evenkeel.level f where f.product_id = product))
    order by l.ordinal desc limit 1
$$;
comment on function evenkeel.release_level(integer, evenkeel.version) is
  'The greatest level that a product''s rules read out of a version; its first one where they read none.';

create or replace function evenkeel.kb_place_rows(only_product text)
returns void language plpgsql
as $$
begin
    create temporary table kb_placed on commit drop as
    select r.doc, r.line, r.table_number, r.section, nullif(r.dated, '')::date as dated, v.version, r.size,
           lower(regexp_replace(r.file, '^.*[\\/]', '')) as file, r.platform, p.product_id, p.code as product, p.level_kind,
           coalesce(evenkeel.kb_machine(r.platform), evenkeel.kb_machine(s.architecture)) as machine,
           coalesce(nullif(evenkeel.kb_branch(r.platform), ''), evenkeel.kb_branch(s.banner), '') as branch,
           coalesce(s.banner ~ '\mSSU\M', false) as servicing_stack, coalesce(p.product_id is not null, false) as on_line
    from kb_row r
    left join kb_section s using (doc, section)
    -- Two numbers are a version string as Explorer shows it (4.00), which names no build.
    cross join lateral (select case when r.printed ~ '^\s*\d+(\.\d+){2,3}' then r.version::evenkeel.version end as version) v
    left join lateral (
        select p.product_id, p.code, p.level_kind
        from evenkeel.line l join evenkeel.product p using (product_id)
        where evenkeel.version_major(v.version) = coalesce(l.major, evenkeel.version_major(v.version))
          and evenkeel.version_minor(v.version) = coalesce(l.minor, evenkeel.version_minor(v.version))
          and evenkeel.version_build(v.version) = coalesce(l.build, evenkeel.version_build(v.version))
          and evenkeel.version_revision(v.version) between l.revision_from and l.revision_to
        order by p.code limit 1) p on true;
    comment on table kb_placed is
        'A staged row that belongs to a product, by the line that its version is on or by its table. Filled by kb_place_rows; read by '
        'kb_place_rows, kb_read_patches, kb_refuse_articles, kb_stage_patches, kb_tell; ends with the transaction.';

    -- A section's machine is Windows', not each file's; the release tells the parts of what stands beside Windows apart.
    update kb_placed r set machine = null, branch = coalesce(evenkeel.release_level(r.product_id, r.version), '')
    from evenkeel.product p where p.product_id = r.product_id and p.beside;

    -- Of Windows 2000's hotfixes none is below revision 1000: 5.0.2195.35 in an article is a .3536 that lost its end in print.
    insert into kb_told
    select doc, line, 1, format('%s %s is cut off in print or below what any hotfix of %s has: its version is left out',
                                file, evenkeel.version_text(version), product)
    from kb_placed where product = 'windows-2000' and evenkeel.version_revision(version) between 2 and 999;
    update kb_placed set version = null, on_line = false
    where product = 'windows-2000' and evenkeel.version_revision(version) between 2 and 999;
    -- Builds of IIS 4.0 have three digits; 4.2.1671 is a line of its own.
    insert into kb_told
    select doc, line, 1, format('%s %s is on another line than IIS 4.0: left out', file, evenkeel.version_text(version))
    from kb_placed where product = 'windows-nt-4.0' and evenkeel.version_minor(version) = 2 and evenkeel.version_build(version) > 999;
    delete from kb_placed where product = 'windows-nt-4.0' and evenkeel.version_minor(version) = 2
      and evenkeel.version_build(version) > 999;

    -- A row whose version tells no product belongs to that of its table, if there is only one.
    update kb_placed r set product_id = t.product_id, product = t.product, level_kind = 'service pack'
    from (select doc, table_number, section, min(product_id) as product_id, min(product) as product
          from kb_placed where on_line and level_kind = 'service pack' group by doc, table_number, section
          having count(distinct product_id) = 1) t
    where r.product_id is null and (r.doc, r.table_number, coalesce(r.section, -1)) = (t.doc, t.table_number, coalesce(t.section, -1));
    -- An article that says what it must be installed on is a patch of that product even where its table prints no versions.
    create temporary table kb_article_product on commit drop as
    select doc, product_id, product from kb_placed where level_kind = 'service pack'
    union
    select r.doc, p.product_id, p.code from kb_requirement r join evenkeel.product p on lower(p.name) = lower(r.product)
    where p.level_kind = 'service pack';
    comment on table kb_article_product is
        'A product that an article brings a patch for. Filled by kb_place_rows; read by kb_place_rows, kb_read_patches; ends with the '
        'transaction.';
    update kb_placed r set product_id = a.product_id, product = a.product, level_kind = 'service pack'
    from (select doc, min(product_id) as product_id, min(product) as product from kb_article_product
          group by doc having count(*) = 1) a
    where r.product_id is null and r.doc = a.doc and exists (select from kb_requirement q where q.doc = r.doc);
    delete from kb_placed where product is null or product <> coalesce(only_product, product);
    insert into kb_told
    select f.doc, 0, 1, 'no article number: name the file after it, as in KB5044288.csv; no patch can be made of it'
    from kb_file f where f.number = 0 and exists (select from kb_article_product a where a.doc = f.doc);
    delete from kb_placed r using kb_file f where f.doc = r.doc and f.number = 0 and r.level_kind = 'service pack';
    delete from kb_article_product a using kb_file f
    where f.doc = a.doc and (f.number = 0 or a.product <> coalesce(only_product, a.product));
    analyze kb_placed;
end
$$;
comment on function evenkeel.kb_place_rows(text) is
  'Fills kb_placed, the staged rows that belong to a product by the line that their version is on, and kb_article_product, the products '
  'that articles bring patches for.';

create or replace function evenkeel.kb_read_patches()
returns void language plpgsql
as $$
begin
    create temporary table kb_patch on commit drop as
    select a.doc, a.product_id, a.product, f.number, evenkeel.kb_code(f.number) as code, max(r.dated) as released
    from kb_article_product a
    join kb_file f using (doc)
    left join kb_placed r using (doc, product_id)
    group by a.doc, a.product_id, a.product, f.number;
    comment on table kb_patch is
        'A patch among the placed rows. Filled by kb_read_patches; read by kb_read_patches, kb_stage_patches, kb_tell; ends with the '
        'transaction.';

    -- A sentence without a product speaks of the article's only one.
    create temporary table kb_needed on commit drop as
    select distinct k.doc, k.product_id, l.ordinal, l.code, r.line, w.word
    from kb_requirement r
    join kb_patch k using (doc)
    join evenkeel.product p using (product_id)
    cross join unnest(string_to_array(r.levels, ';')) w (word)
    left join evenkeel.level l on l.product_id = k.product_id
         and (lower(l.code) = lower(w.word) or r.or_later and l.ordinal > (select min(m.ordinal) from evenkeel.level m
              where m.product_id = k.product_id and lower(m.code) = any (string_to_array(lower(r.levels), ';'))))
    where lower(r.product) = lower(p.name) or r.product = '' and (select count(*) from kb_patch o where o.doc = k.doc) = 1;
    comment on table kb_needed is
        'A level that a patch needs; ordinal null: the catalogue has none of that name (word). Filled by kb_read_patches; read by '
        'kb_read_patches, kb_stage_patches, kb_tell; ends with the transaction.';
    -- What stands beside Windows says by its files' builds for which releases it is.
    insert into kb_needed (doc, product_id, ordinal, code)
    select distinct k.doc, k.product_id, l.ordinal, l.code
    from kb_patch k
    join evenkeel.product p on p.product_id = k.product_id and p.beside
    join (select distinct doc, product_id, branch from kb_placed where branch <> '') r on (r.doc, r.product_id) = (k.doc, k.product_id)
    join evenkeel.level b on b.product_id = k.product_id and b.code = r.branch
    join evenkeel.level l on l.product_id = k.product_id and l.ordinal >= b.ordinal
                         and l.ordinal < coalesce((select min(u.ordinal) from evenkeel.level_rule u
                                                   where u.product_id = k.product_id and u.relation = '>='
                                                     and u.ordinal > b.ordinal), 2147483647)
    where not exists (select from kb_needed n where (n.doc, n.product_id) = (k.doc, k.product_id));
    insert into kb_told
    select distinct n.doc, n.line, 1, format('requires %s, which is no level of %s in the catalogue', n.word, k.product)
    from kb_needed n join kb_patch k using (doc, product_id) where n.ordinal is null;

    -- 'First corrected in' speaks of the article, not of each table in it: a row counts only with a date, and one not after the pack.
    create temporary table kb_bound on commit drop as
    select k.doc, k.product_id, k.product, k.code as patch, c.line, l.ordinal, l.code as level,
           -- The level before has at most this version where the fix was made after it: lines run side by side, and a fix made earlier
           -- may well have a lower number than the pack that lacks it.
           case when r.dated > b.released then b.code end as level_before,
           r.file, r.version, r.machine, r.dated, l.released, coalesce(r.dated <= l.released, false) as believed
    from kb_corrected c
    join kb_patch k using (doc)
    join evenkeel.product p on p.product_id = k.product_id and lower(p.name) = lower(c.product)
    join evenkeel.level l on l.product_id = k.product_id and lower(l.code) = lower(c.service_pack)
    left join lateral (select b.code, b.released from evenkeel.level b where b.product_id = k.product_id and b.ordinal < l.ordinal
                       order by b.ordinal desc limit 1) b on true
    join kb_placed r on r.doc = k.doc and r.product_id = k.product_id and r.on_line and r.version is not null;
    comment on table kb_bound is
        'What first corrected in says of a file at a level; believed: its date allows it. Filled by kb_read_patches; read by '
        'kb_read_patches, kb_stage_patches; ends with the transaction.';
    insert into kb_told
    select distinct c.doc, c.line, 1, format('first corrected in %s %s, which is no level of the catalogue', c.product, c.service_pack)
    from kb_corrected c
    join kb_patch k using (doc)
    join evenkeel.product p on p.product_id = k.product_id and lower(p.name) = lower(c.product)
    where not exists (select from evenkeel.level l where l.product_id = p.product_id and lower(l.code) = lower(c.service_pack));
    insert into kb_told
    select doc, line, 1, format('first corrected in %s %s is not believed of %s of its files, %s', product, level, count(distinct file),
                                case when released is null then 'since the catalogue has no release date of ' || level
                                     else format('dated after its release on %s or not dated', released) end)
    from kb_bound where not believed group by doc, line, product, level, released;
end
$$;
comment on function evenkeel.kb_read_patches() is
  'Fills kb_patch, kb_needed and kb_bound: the patches among the placed rows, the levels that they need, and what ''first corrected in'' '
  'proves of levels.';

create or replace function evenkeel.kb_refuse_articles()
returns void language sql
as $$
    insert into kb_told
    select distinct on (r.doc, r.product_id) r.doc, r.line, 1,
           format('an article about %s: its levels are made of the lists (CSV) of cumulative updates only', r.product)
    from kb_placed r where r.level_kind = 'cumulative update'
    order by r.doc, r.product_id, r.line
$$;
comment on function evenkeel.kb_refuse_articles() is
  'Tells of articles about products whose levels are cumulative updates: their tables are no levels.';
