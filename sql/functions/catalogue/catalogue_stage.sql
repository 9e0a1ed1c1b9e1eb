-- The catalogue's CSV files as they are staged: all columns as text, so that a wrong value can be told by file and row.

create or replace function evenkeel.catalog_columns(file text)
returns text[] language sql stable
as $$
    select array_agg(attname::text order by attnum) from pg_attribute
    where attrelid = to_regclass('pg_temp.stage_' || file) and attnum > 0 and not attisdropped
$$;
comment on function evenkeel.catalog_columns(text) is
  'The columns that a CSV file of the catalogue may have, in their order; any may be left out.';

create or replace function evenkeel.edition_of(given_name text)
returns integer language plpgsql
as $$
declare
    found integer;
begin
    select edition_id into found from evenkeel.edition where name = given_name;
    if found is null then
        insert into evenkeel.edition (name) values (given_name) on conflict (name) do update set loaded_at = now()
        returning edition_id into found;
    end if;
    return found;
end
$$;
comment on function evenkeel.edition_of(text) is 'The number of an edition by its name; it gets one where it has none.';

create or replace function evenkeel.catalog_edition(staged_file text, name text, its_columns text default null)
returns void language sql
as $$
    insert into stage_edition (file, edition_id, columns) values (staged_file, evenkeel.edition_of(name), its_columns)
    on conflict (file) do update set edition_id = excluded.edition_id, columns = excluded.columns
$$;
comment on function evenkeel.catalog_edition(text, text, text) is
  'Says which edition the staged rows of a file are, and which columns it has: what that edition stated before and states no more goes '
  'with the merge.';

create or replace function evenkeel.staged_editions()
returns void language plpgsql
as $$
begin
    insert into evenkeel.edition (name)
    select distinct 'source ' || s.source
    from (select 'baselines' as file, source from stage_baselines union select 'patches', source from stage_patches
          union select 'patch_files', s.source from stage_patches s
          union select 'known_files', source from stage_known_files union select 'lines', source from stage_lines
          union select 'components', source from stage_components union select 'rules', source from stage_rules) s
    where s.file not in (select file from stage_edition)
    on conflict do nothing;
end
$$;
comment on function evenkeel.staged_editions() is
  'Gives a number to the editions that staged rows without a file belong to: those of their sources.';

create or replace function evenkeel.staged_edition(staged_file text, source text)
returns integer language sql stable
as $$
    select coalesce((select e.edition_id from stage_edition e where e.file = staged_file),
                    (select e.edition_id from evenkeel.edition e where e.name = 'source ' || source))
$$;
comment on function evenkeel.staged_edition(text, text) is 'The edition that a staged row belongs to.';
