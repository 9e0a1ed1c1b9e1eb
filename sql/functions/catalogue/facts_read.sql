-- Facts about levels and patches as projects publish them, read out of JSON, XML and tables into temporary tables of facts.

create or replace function evenkeel.facts_table(header text, divider text)
returns void language plpgsql
as $$
begin
    drop table if exists fact_table;
    execute format('create temporary table fact_table (%s) on commit drop',
                   (select string_agg(format('%I text', lower(btrim(trim(n), '"'))), ', ' order by place)
                    from string_to_table(header, divider) with ordinality t (n, place)));
    comment on table fact_table is
        'A row of a table, with the columns of its heading. Filled by the import; read by facts_bulletins, facts_history, '
        'facts_supersedence; ends with the transaction.';
end
$$;
comment on function evenkeel.facts_table(text, text) is
  'Makes the temporary table fact_table with the columns that a heading names, for COPY.';

create or replace function evenkeel.facts_supersedence(doc integer, path text)
returns void language plpgsql
as $$
begin
    insert into fact_supersedes
    select doc, 'KB' || t.kb, 'KB' || t.supersedes from fact_table t where t.kb ~ '^\d{5,7}$' and t.supersedes ~ '^\d{5,7}$';
    insert into fact_file values (doc, path, 'supersedence');
end
$$;
comment on function evenkeel.facts_supersedence(integer, text) is
  'Reads pairs of patches, the later and the one that it replaces, out of fact_table.';

create or replace function evenkeel.facts_history(doc integer, path text)
returns void language plpgsql
as $$
begin
    insert into fact_level (doc, server, build, ubr, kb)
    select doc, t.product like '%Server%', t.release::integer, t.revision::integer, 'KB' || t.kb
    from fact_table t where t.release ~ '^\d{4,5}$' and t.revision ~ '^\d{1,5}$' and t.kb ~ '^\d{5,7}$';
    insert into fact_rollup (doc, place, product, release, kind, kb)
    select doc, row_number() over (), t.product, t.release, t.kind, 'KB' || t.kb
    from fact_table t where coalesce(t.release, '') !~ '^\d' and t.kb ~ '^\d{5,7}$';
    insert into fact_file values (doc, path, 'levels');
end
$$;
comment on function evenkeel.facts_history(integer, text) is 'Reads updates by product and release out of fact_table.';

create or replace function evenkeel.facts_bulletins(doc integer, path text)
returns void language plpgsql
as $$
begin
    insert into fact_supersedes
    select distinct doc, 'KB' || t.bulletinkb, 'KB' || s
    from fact_table t cross join regexp_split_to_table(t.supersedes, '[;, ]+') s
    where t.bulletinkb ~ '^\d{5,7}$' and s ~ '^\d{5,7}$' and s <> t.bulletinkb and t.affectedproduct ilike '%windows%';
    insert into fact_bulletin
    select doc, 'KB' || t.bulletinkb, t.affectedproduct,
           min(case when t.dateposted ~ '^(19|20)\d{6}$' then to_date(t.dateposted, 'YYYYMMDD') end)
    from fact_table t where t.bulletinkb ~ '^\d{5,7}$' and t.affectedproduct ilike '%windows%' group by t.bulletinkb, t.affectedproduct;
    insert into fact_file values (doc, path, 'bulletins') on conflict do nothing;
end
$$;
comment on function evenkeel.facts_bulletins(integer, text) is
  'Reads security bulletins (wesng''s columns) out of fact_table: which patches there are, and what they replace.';

create or replace function evenkeel.facts_json(doc integer, path text, body jsonb)
returns void language plpgsql
as $$
declare
    first jsonb := case jsonb_typeof(body) when 'array' then body -> 0
                                           else (select value from jsonb_each(body) limit 1) end;
begin
    if jsonb_typeof(body) = 'object' and jsonb_typeof(first -> 'windowsVersions') = 'object' then
        perform evenkeel.facts_winbindex(doc, path, body);
    elsif jsonb_typeof(body -> 'Data') = 'array' and body -> 'Data' -> 0 ? 'Version' then
        perform evenkeel.facts_builds(doc, body);
        insert into fact_file values (doc, path, 'builds');
    elsif jsonb_typeof(first) = 'array' and first -> 0 ? 'Build' then
        insert into fact_level select doc, true, l.* from jsonb_each(body) e cross join evenkeel.facts_levels(e.value) l;
        insert into fact_file values (doc, path, 'levels');
    elsif jsonb_typeof(body) = 'array' and first -> 'Value' -> 0 ? 'Build' then
        insert into fact_level
        select doc, e ->> 'Key' like '%Server%', l.* from jsonb_array_elements(body) e cross join evenkeel.facts_levels(e -> 'Value') l;
        insert into fact_file values (doc, path, 'levels');
    else
        raise exception 'nothing that is known: JSON of levels (Build, KB), of SQL Server''s builds (Data, Version), or of Winbindex '
                        '(windowsVersions) is';
    end if;
end
$$;
comment on function evenkeel.facts_json(integer, text, jsonb) is
  'Reads a JSON document of one of the kinds that are known by their shape; an error where it is none.';

create or replace function evenkeel.facts_levels(updates jsonb)
returns table (build integer, ubr integer, kb text, released date, preview boolean, out_of_band boolean) language sql immutable
as $$
    select split_part(u ->> 'Build', '.', 1)::integer, split_part(u ->> 'Build', '.', 2)::integer, upper(u ->> 'KB'),
           replace(u ->> 'Date', '/', '-')::date, coalesce((u ->> 'Preview')::boolean, false), coalesce((u ->> 'OutOfBand')::boolean, false)
    from jsonb_array_elements(updates) u
    where u ->> 'Build' ~ '^\d{4,5}\.\d{1,5}$' and u ->> 'KB' ~* '^KB\d{5,7}$' and u ->> 'Date' ~ '^\d{4}[-/]\d{2}[-/]\d{2}$'
$$;
comment on function evenkeel.facts_levels(jsonb) is 'Updates as ms-windows-versions lists them.';

create or replace function evenkeel.facts_builds(doc integer, body jsonb)
returns void language sql
as $$
    insert into fact_build
    select doc, b ->> 'Version', case jsonb_typeof(b -> 'SP') when 'array' then b -> 'SP' ->> -1 else b ->> 'SP' end,
           b ->> 'CU', substring(b ->> 'KBList' from '\m\d{6,7}\M'),
           case when b ->> 'ReleaseDate' ~ '^\d{4}-\d{2}-\d{2}' then left(b ->> 'ReleaseDate', 10)::date end,
             coalesce((b ->> 'Retired')::boolean, false)
    from jsonb_array_elements(body -> 'Data') b where b ->> 'Version' ~ '^\d+\.\d+\.\d+'
$$;
comment on function evenkeel.facts_builds(integer, jsonb) is 'Builds of SQL Server as dbatools lists them.';

create or replace function evenkeel.facts_winbindex(doc integer, path text, body jsonb)
returns void language plpgsql
as $$
begin
    insert into fact_index (doc, file, architecture, version, windows, kb, release)
    select distinct doc, lower(regexp_replace(path, '^.*/|\.json(\.gz)?$', '', 'g')), (i.value -> 'fileInfo' ->> 'machineType')::integer,
           evenkeel.version_of(substring(i.value -> 'fileInfo' ->> 'version' from '^\d+\.\d+\.\d+\.\d+')), lower(w.key), upper(u.key),
           u.value -> 'updateInfo' ->> 'releaseVersion'
    from jsonb_each(body) i
    cross join jsonb_each(i.value -> 'windowsVersions') w
    cross join jsonb_each(w.value) u
    where i.value -> 'fileInfo' ->> 'version' ~ '^\d{1,5}(\.\d{1,5}){3}( |$)'
      and jsonb_typeof(i.value -> 'fileInfo' -> 'machineType') = 'number';
    insert into fact_file values (doc, path, 'index');
end
$$;
comment on function evenkeel.facts_winbindex(integer, text, jsonb) is
  'Reads what Winbindex knows of one file name: its versions, and the updates that bring each. Builds whose version it does not know are '
  'left out.';
