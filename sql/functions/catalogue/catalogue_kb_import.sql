-- An import: staged articles and lists become staged rows of the catalogue, and a line for each file says what was taken.

create or replace function evenkeel.kb_stage_patches()
returns void language plpgsql
as $$
begin
    -- What an article does not say, the catalogue may know from elsewhere: that stays.
    insert into stage_patches (code, product, title, required_levels, supersedes, contained_in, restart, released, os_builds, source)
    select k.code, k.product, coalesce(nullif(old.title, ''), 'Update of ' || min(q.name) filter (where q.beside), old.title),
           coalesce((select string_agg(distinct_level.code, '|' order by distinct_level.ordinal)
                     from (select distinct n.code, n.ordinal from kb_needed n join kb_patch o using (doc, product_id)
                           where o.code = k.code and n.product_id = k.product_id and n.ordinal is not null) distinct_level),
                    (select string_agg(l.code, '|' order by l.ordinal) from evenkeel.level l
                     where l.product_id = k.product_id and l.ordinal = any (old.required_levels))),
           array_to_string(old.supersedes, '|'),
           coalesce((select l.code from evenkeel.level l where l.product_id = k.product_id and l.ordinal = (
                         select min(b.ordinal) from kb_bound b join kb_patch o using (doc, product_id)
                         where o.code = k.code and b.product_id = k.product_id
                         having bool_and(b.believed))),
                    (select l.code from evenkeel.level l where l.product_id = k.product_id and l.ordinal = old.contained_in)),
           coalesce(old.restart, true)::text, max(k.released)::text,
           case when bool_or(q.beside) then coalesce(min(evenkeel.kb_windows(k.doc)), 'none') end,
           coalesce(old.source, k.code)
    from kb_patch k
    join evenkeel.product q using (product_id)
    left join lateral (select t.* from evenkeel.patch t where t.product_id = k.product_id
                       and evenkeel.patch_number(t.code) = evenkeel.patch_number(k.code) limit 1) old on true
    group by k.code, k.product, k.product_id, old.title, old.required_levels, old.supersedes, old.contained_in, old.restart, old.source;

    insert into stage_patch_files (patch, product, file, version, machine, branch, size, dated, platform)
    select distinct k.code, k.product, r.file, evenkeel.version_text(r.version), r.machine, nullif(r.branch, ''), r.size::text,
           r.dated::text, nullif(r.platform, '')
    from kb_patch k join kb_placed r using (doc, product_id);

    insert into stage_baselines (product, level, file, relation, version, machine, kind, source)
    select distinct product, level, file, '>=', evenkeel.version_text(version), machine, 'article', patch
    from kb_bound where believed
    union
    select distinct product, level_before, file, '<=', evenkeel.version_text(version), machine, 'article', patch
    from kb_bound where believed and level_before is not null;
end
$$;
comment on function evenkeel.kb_stage_patches() is
  'Stages patches, their tables and the bounds on levels that follow from ''first corrected in''.';

create or replace function evenkeel.kb_windows(doc integer)
returns text language sql stable
as $$
    -- Beside its own files a list of .NET Framework's names a few with the version of the Windows that it is for.
    select string_agg(distinct w.build::text, '|' order by w.build::text)
    from (select l.build as line, generate_series(p.os_build, coalesce(p.os_build_to, p.os_build)) as build
          from list_build b
          join evenkeel.line l on evenkeel.version_build(b.stem << 16) = l.build
                              and evenkeel.version_major(b.stem << 16) = coalesce(l.major, evenkeel.version_major(b.stem << 16))
                              and evenkeel.version_minor(b.stem << 16) = coalesce(l.minor, evenkeel.version_minor(b.stem << 16))
          join evenkeel.product p on p.product_id = l.product_id and p.follows_os and p.os_build is not null
          where b.doc = kb_windows.doc
            and not exists (select from list_beside o where (o.doc, o.stem) = (b.doc, b.stem) and o.beside is not null)) w
    having count(distinct w.line) = 1
$$;
comment on function evenkeel.kb_windows(integer) is
  'The builds of the one Windows that a staged list also names files of, as 19041|19042; null: it names none, or several.';

create or replace function evenkeel.kb_rows_of_lists()
returns void language plpgsql
as $$
begin
    -- A list of a product whose levels are service packs is a patch's table; of one that stands beside Windows, so far as it is of that.
    create temporary table list_beside on commit drop as
    select b.doc, b.stem, max(case when p.beside then p.code end) as beside
    from list_build b
    join evenkeel.line l on evenkeel.version_major(b.stem << 16) = coalesce(l.major, evenkeel.version_major(b.stem << 16))
     and evenkeel.version_minor(b.stem << 16) = coalesce(l.minor, evenkeel.version_minor(b.stem << 16))
     and evenkeel.version_build(b.stem << 16) = coalesce(l.build, evenkeel.version_build(b.stem << 16))
    join evenkeel.product p using (product_id)
    where p.level_kind = 'service pack'
    group by b.doc, b.stem;
    comment on table list_beside is
        'A build that a list names and that a product has whose levels are service packs; beside: one that stands beside '
        'Windows. Filled by kb_rows_of_lists; read by kb_rows_of_lists, kb_windows; ends with the transaction.';
    insert into kb_row (doc, line, table_number, section, dated, version, printed, size, file, platform)
    select r.doc, r.line, 0, r.section, r.dated, r.version, coalesce(evenkeel.version_text(r.version), ''), r.size, r.file, ''
    from list_row r
    where r.doc in (select b.doc from list_beside b where b.beside is null)
       or (r.doc, r.version >> 16) in (select b.doc, b.stem from list_beside b where b.beside is not null);
end
$$;
comment on function evenkeel.kb_rows_of_lists() is
  'Stages the rows of lists that name builds of service-pack products as those of articles.';

create or replace function evenkeel.kb_tell(only_product text)
returns void language plpgsql
as $$
begin
    insert into kb_told
    select k.doc, 0, 0, concat_ws(', ', format('%s: %s: %s', k.code, k.product, evenkeel.counted(count(distinct r.file), 'file')),
               'for ' || nullif(string_agg(distinct r.machine, ' and '), ''),
               'needs ' || (select string_agg(distinct n.code, ' or ' order by n.code) from kb_needed n
                            where (n.doc, n.product_id) = (k.doc, k.product_id)),
               (select 'contained in ' || s.contained_in from stage_patches s where (s.code, s.product) = (k.code, k.product) limit 1),
               (select evenkeel.counted(count(*), 'bound') || ' on levels' from stage_baselines b
                where b.source = k.code and b.product = k.product having count(*) > 0))
    from kb_patch k left join kb_placed r using (doc, product_id)
    group by k.doc, k.code, k.product, k.product_id;

    insert into kb_told
    select f.doc, 0, 1, format('nothing taken: %s', case when exists (select from kb_row r where r.doc = f.doc)
                               or exists (select from list_row r where r.doc = f.doc)
               then 'no version in its table is on the line of ' || coalesce(only_product, 'a product of the catalogue')
                 else 'it has no table of files' end)
    from kb_file f where not exists (select from kb_told t where t.doc = f.doc and t.severity <> 1);
end
$$;
comment on function evenkeel.kb_tell(text) is 'Adds a line for each file that says what was taken of it.';

create or replace function evenkeel.kb_import(only_product text, given_level text)
returns table (doc integer, line integer, severity integer, sentence text) language plpgsql
as $$
declare
    lists bigint;
begin
    if only_product is not null then
        perform evenkeel.product_number(only_product);
    end if;
    if given_level is not null and given_level !~ '^\d{1,5}\.\d{1,5}$' then
        raise exception 'level ''%'' is not BUILD.UBR, such as 17763.6054', given_level;
    end if;
    if given_level is not null and not exists (select from list_row) then
        raise exception 'a level is named for a list (CSV), and there is none';
    end if;
    perform evenkeel.list_find_builds();
    perform evenkeel.kb_rows_of_lists();
    analyze kb_row;
    perform evenkeel.catalog_stage();
    perform evenkeel.kb_place_rows(only_product);
    perform evenkeel.kb_read_patches();
    perform evenkeel.kb_refuse_articles();
    perform evenkeel.kb_stage_patches();
    lists := evenkeel.list_import(only_product, given_level);
    perform evenkeel.kb_tell(only_product);
    insert into stage_list_change values (lists);
    return query select t.doc, t.line, t.severity, t.sentence from kb_told t order by t.doc, t.severity desc, t.line, t.sentence;
end
$$;
comment on function evenkeel.kb_import(text, text) is
  'Stages what the staged articles and lists bring to the catalogue, for catalog_merge(); returns what was taken of each file (severity '
  '0) and what could not be believed or taken (1), by file and line.';
