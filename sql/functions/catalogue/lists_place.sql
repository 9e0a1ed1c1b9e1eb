-- Lists of cumulative updates: which product and level a list is of. Its rows are staged slim, for there are millions of them.

create or replace function evenkeel.list_find_builds()
returns void language plpgsql
as $$
begin
    analyze list_row;
    create temporary table list_build on commit drop as
    select doc, section, version >> 16 as stem, max(version & 65535)::integer as newest, count(*) as rows
    from list_row where version is not null group by 1, 2, 3;
    comment on table list_build is
        'A build that a section of a list names (the version without its last part), and how far its revisions go. Filled by '
        'list_find_builds; read by kb_rows_of_lists, kb_windows, list_find_products; ends with the transaction.';
end
$$;
comment on function evenkeel.list_find_builds() is
  'Fills list_build: the builds that each section of the staged lists names (the version without its last part), and how far they go.';

create or replace function evenkeel.list_find_products(only_product text)
returns void language plpgsql
as $$
begin
    create temporary table list_stem on commit drop as
    select s.doc, s.section, s.stem, s.newest, evenkeel.machine_number(evenkeel.kb_machine(n.architecture)) as architecture,
           case when n.banner ~ '\mSSU\M' then 'the servicing stack' when n.banner ~* '\.NET\M' then '.NET Framework'
                when n.banner ~* '\m(Defender|antimalware)\M' then 'Defender' end as apart,
           coalesce(n.banner, '') as banner, coalesce(n.line, 0) as line,
           p.product_id, p.code as product, p.level_kind, p.product_types, s.rows
    from list_build s
    left join kb_section n using (doc, section)
    join lateral (
        select p.* from evenkeel.line l join evenkeel.product p using (product_id)
        where evenkeel.version_major(s.stem << 16) = coalesce(l.major, evenkeel.version_major(s.stem << 16))
          and evenkeel.version_minor(s.stem << 16) = coalesce(l.minor, evenkeel.version_minor(s.stem << 16))
          and evenkeel.version_build(s.stem << 16) = coalesce(l.build, evenkeel.version_build(s.stem << 16))) p on true
    where p.level_kind = 'cumulative update' and (only_product is null or p.code = only_product);
    comment on table list_stem is
        'Such a build and a product that has it. Filled by list_find_products; read by list_find_levels, list_find_products, '
        'list_take; ends with the transaction.';
    analyze list_stem;
    insert into kb_told
    select doc, line, 1, format('''%s'' is %s, which has levels of its own: %s left out', banner, apart,
                                evenkeel.counted(sum(rows)::bigint, 'file'))
    from (select distinct doc, section, stem, line, banner, rows, apart from list_stem where apart is not null) s
    group by doc, line, banner, apart;
    delete from list_stem where apart is not null;
    -- A client and a server of one build are told apart by the article; where the catalogue doesn't know it, by the section's words.
    delete from list_stem t using kb_file f
    where f.doc = t.doc and exists (select from list_stem o join evenkeel.level l using (product_id)
                                    where o.doc = t.doc and l.kb = evenkeel.kb_code(f.number))
      and not exists (select from evenkeel.level l where l.product_id = t.product_id and l.kb = evenkeel.kb_code(f.number));
    delete from list_stem t
    where t.banner ~* '\mWindows\M' and t.product_types is not null
      and not case when t.product_types = array[1] then t.banner ~* '\mWindows (10|11)\M' else t.banner ~* '\mServer\M' end
      and exists (select from kb_file f where f.doc = t.doc
                  and not exists (select from evenkeel.level l where l.product_id = t.product_id and l.kb = evenkeel.kb_code(f.number)));
end
$$;
comment on function evenkeel.list_find_products(text) is
  'Fills list_stem: the builds in each section of the staged lists, and the products that have them.';

create or replace function evenkeel.list_find_levels(given_level text)
returns void language plpgsql
as $$
begin
    create temporary table list_level on commit drop as
    select g.*, coalesce(given.ubr, known.ordinal, g.newest) as ordinal, case when f.number > 0 then evenkeel.kb_code(f.number)
      else '' end as kb,
           case when given.ubr is not null then 'as named' when known.ordinal is not null then 'as its article tells'
                else 'the highest revision in it' end as how
    from (select doc, product_id, product, min(evenkeel.version_build(stem << 16)) as build, max(newest) as newest from list_stem
          group by 1, 2, 3) g
    join kb_file f using (doc)
    left join lateral (select split_part(given_level, '.', 2)::integer as ubr where split_part(given_level, '.', 1) = g.build::text) given
      on true
    left join lateral (select l.ordinal from evenkeel.level l
                       where l.product_id = g.product_id and f.number > 0 and l.kb = evenkeel.kb_code(f.number)
                         -- An update's number is the greatest that a file of it has: one that names newer files is none of that article.
                         and l.ordinal >= g.newest
                       order by l.ordinal desc limit 1) known on true;
    comment on table list_level is
        'The level that a list is for, for one of its products, and how that is known. Filled by list_find_levels; read by '
        'list_find_levels, list_tell; ends with the transaction.';
    analyze list_level;
    if given_level is not null and not exists (select from list_level where how = 'as named') then
        raise exception 'no file of build % is listed there; the list is of %', split_part(given_level, '.', 1),
            coalesce((select string_agg(distinct build::text, ', ') from list_level), 'no product of the catalogue');
    end if;
    insert into kb_told
    select distinct on (l.doc) l.doc, r.line, 1,
           format('%s %s is newer than %s.%s, the level that was named: newer files are left out', lower(r.file),
                  evenkeel.version_text(r.version),
                  l.build, l.ordinal)
    from list_level l
    join list_stem s using (doc, product_id)
    join list_row r on r.doc = s.doc and r.section is not distinct from s.section and r.version >> 16 = s.stem
    where l.newest > l.ordinal and (r.version & 65535) > l.ordinal order by l.doc, r.version & 65535 desc, r.line;
    insert into kb_told
    select distinct on (l.doc) l.doc, 0, 1,
      format('%s is %s.%s, but the list names files of %s.%s: it is taken for that level', l.kb, l.build, k.ordinal,
                                                  l.build, l.newest)
    from list_level l join evenkeel.level k on k.product_id = l.product_id and k.kb = l.kb and l.kb <> '' and k.ordinal < l.newest
    where l.how = 'the highest revision in it' order by l.doc, k.ordinal desc;
    create temporary table list_part on commit drop as
    select distinct l.doc, l.product_id, l.product, l.build, l.ordinal, l.kb, s.architecture
    from list_level l join list_stem s using (doc, product_id);
    comment on table list_part is
        'The same for one architecture. Filled by list_find_levels; read by list_import, list_merge, list_refuse_doubles, list_take, '
        'list_tell; ends with the transaction.';
    analyze list_part;
    perform evenkeel.list_refuse_doubles();
end
$$;
comment on function evenkeel.list_find_levels(text) is
  'Fills list_level, the level that each staged list is for each of its products: the named one, else that of its article, else the '
  'highest revision in it; and list_part, one row for each architecture.';

create or replace function evenkeel.list_refuse_doubles()
returns void language plpgsql
as $$
begin
    -- Two lists that claim one level, one of them perhaps loaded before: which of them is right is not for us to say.
    create temporary table list_double on commit drop as
    select p.doc, p.product_id, p.architecture,
           format('%s claims %s %s.%s%s, and so does %s: name the right level with --level, or remove the other (evenkeel catalog remove)',
                  case when p.kb <> '' then p.kb else 'this list' end, p.product, p.build, p.ordinal,
                  coalesce(' for ' || nullif(evenkeel.machine_name(p.architecture), ''), ''), o.who) as sentence
    from list_part p
    cross join lateral (
        select case when q.kb <> '' and q.kb <> p.kb then q.kb else f.path end as who
        from list_part q join kb_file f using (doc)
        where (q.product_id, q.ordinal) = (p.product_id, p.ordinal) and q.architecture is not distinct from p.architecture
          and q.doc <> p.doc
        union all
        select case when l.source <> '' then l.source else e.name end
        from evenkeel.level_list l join evenkeel.edition e using (edition_id)
        where (l.product_id, l.ordinal) = (p.product_id, p.ordinal) and l.architecture is not distinct from p.architecture
          and l.source <> p.kb
        limit 1) o;
    insert into kb_told select doc, 0, 2, min(sentence) from list_double group by doc;
    delete from list_part p using list_double d
    where (d.doc, d.product_id) = (p.doc, p.product_id) and d.architecture is not distinct from p.architecture;
end
$$;
comment on function evenkeel.list_refuse_doubles() is
  'Tells of lists that claim a level which another list claims, too, and leaves them out.';
