-- An import: staged articles and lists become staged rows of the catalogue, and a line for each file says what was taken.

create or replace function evenkeel.kb_stage_patches()
returns void language plpgsql
as $$
begin
    -- What an article does not say, the catalogue may know from elsewhere: that stays.
    insert into stage_patches (code, product, title, required_levels, supersedes, contained_in, restart, released, source)
    select k.code, k.product, old.title,
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
           coalesce(old.restart, true)::text, max(k.released)::text, coalesce(old.source, k.code)
    from kb_patch k
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
comment on function evenkeel.kb_stage_patches() is 'Stages patches, their tables and the bounds on levels that follow from ''first corrected in''.';

create or replace function evenkeel.kb_stage_lists()
returns void language plpgsql
as $$
begin
    insert into stage_levels (product, ordinal, code, name, ubr, source)
    select distinct on (k.product_id, k.ubr) k.product, k.ubr::text, format('%s.%s', k.build, k.ubr),
           format('%s %s.%s', p.name, k.build, k.ubr), k.ubr::text,
           case when f.number > 0 then evenkeel.kb_code(f.number) else 'file list' end
    from kb_level k join evenkeel.product p using (product_id) join kb_file f using (doc)
    where not exists (select from evenkeel.level l where l.product_id = k.product_id and l.ordinal = k.ubr)
    order by k.product_id, k.ubr, k.doc;

    -- An x64 list also names the 32-bit files of SysWOW64, and does not say which they are.
    insert into stage_baselines (product, level, file, relation, version, machine, kind, source)
    select distinct r.product, format('%s.%s', k.build, k.ubr), r.file, '=', evenkeel.version_text(r.version), m.machine, 'article',
           case when f.number > 0 then evenkeel.kb_code(f.number) else 'file list' end
    from kb_listed r
    join kb_level k using (doc, product_id)
    join kb_file f using (doc)
    cross join unnest(case r.machine when 'x64' then array['x64', 'x86'] else array[r.machine] end) m (machine)
    where r.revision <= k.ubr;
end
$$;
comment on function evenkeel.kb_stage_lists() is 'Stages the levels that lists of cumulative updates are, and the exact versions that these ship, older ones among them.';

create or replace function evenkeel.kb_tell(only_product text)
returns void language plpgsql
as $$
begin
    insert into kb_told
    select k.doc, 0, 0, concat_ws(', ', format('%s: %s: %s', k.code, k.product, evenkeel.counted(count(distinct r.file), 'file')),
               'for ' || nullif(string_agg(distinct r.machine, ' and '), ''),
               'needs ' || (select string_agg(distinct n.code, ' or ' order by n.code) from kb_needed n where (n.doc, n.product_id) = (k.doc, k.product_id)),
               (select 'contained in ' || s.contained_in from stage_patches s where (s.code, s.product) = (k.code, k.product) limit 1),
               (select evenkeel.counted(count(*), 'bound') || ' on levels' from stage_baselines b
                where b.source = k.code and b.product = k.product having count(*) > 0))
    from kb_patch k left join kb_placed r using (doc, product_id)
    group by k.doc, k.code, k.product, k.product_id;

    insert into kb_told
    select k.doc, 0, 0, format('%s %s.%s (%s): %s for %s, %s of them older than the update', k.product, k.build, k.ubr,
               case when k.given then 'as named' else 'the highest revision in it' end,
               evenkeel.counted(count(distinct r.file), 'file'), coalesce(string_agg(distinct r.machine, ' and '), 'any machine'),
               count(distinct r.file) filter (where r.revision < k.ubr))
    from kb_level k join kb_listed r using (doc, product_id)
    group by k.doc, k.product, k.build, k.ubr, k.given;

    insert into kb_told
    select f.doc, 0, 1, format('nothing taken: %s', case when exists (select from kb_row r where r.doc = f.doc)
               then 'no version in its table is on the line of ' || coalesce(only_product, 'a product of the catalogue') else 'it has no table of files' end)
    from kb_file f where not exists (select from kb_told t where t.doc = f.doc and t.severity = 0);
end
$$;
comment on function evenkeel.kb_tell(text) is 'Adds a line for each file that says what was taken of it.';

create or replace function evenkeel.counted(number bigint, noun text)
returns text language sql immutable strict parallel safe
as $$ select number || ' ' || noun || case when number = 1 then '' else 's' end $$;
comment on function evenkeel.counted(bigint, text) is '1 file, 2 files.';

create or replace function evenkeel.kb_import(only_product text, given_level text)
returns table (doc integer, line integer, severity integer, sentence text) language plpgsql
as $$
begin
    if only_product is not null then
        perform evenkeel.product_number(only_product);
    end if;
    if given_level is not null and given_level !~ '^\d{1,5}\.\d{1,5}$' then
        raise exception 'level ''%'' is not BUILD.UBR, such as 17763.6054', given_level;
    end if;
    analyze kb_row;
    perform evenkeel.catalog_stage();
    perform evenkeel.kb_place_rows(only_product);
    perform evenkeel.kb_read_patches();
    perform evenkeel.kb_read_lists(given_level);
    perform evenkeel.kb_stage_patches();
    perform evenkeel.kb_stage_lists();
    perform evenkeel.kb_tell(only_product);
    return query select t.doc, t.line, t.severity, t.sentence from kb_told t order by t.doc, t.severity desc, t.line, t.sentence;
end
$$;
comment on function evenkeel.kb_import(text, text) is 'Stages what the staged articles and lists bring to the catalogue, for catalog_merge(); returns what was taken of each file (severity 0) and what could not be believed or taken (1), by file and line.';
