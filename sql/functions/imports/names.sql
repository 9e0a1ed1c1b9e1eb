-- Names of DLLs as the loader takes them.

create or replace function evenkeel.folder_of(path text)
returns text language sql immutable strict parallel safe
as $$ select regexp_replace(path, '/[^/]*$', '') $$;
comment on function evenkeel.folder_of(text) is 'The path without its last part: c:/windows/system32';

create or replace function evenkeel.import_dll(written text)
returns text language sql immutable parallel safe
as $$
    -- No file has a longer name: what a damaged image imports so is told by its beginning, and found nowhere.
    select case when octet_length(written) > 255 then left(lower(written), 60) || '…' || md5(written)
                when written like '%.' then rtrim(lower(written), '.')
                else lower(written) || case when position('.' in written) = 0 then '.dll' else '' end end
$$;
comment on function evenkeel.import_dll(text) is
    'A DLL''s name as the loader looks for it: lower case, .dll where no extension is written; a dot at the end says that there is '
    'none. Cut where it is longer than any file''s.';

create or replace function evenkeel.imports_unread(has_symbols boolean, defects integer)
returns boolean language sql immutable parallel safe
as $$ select not has_symbols or defects & evenkeel.pe_defect_unread_imports() <> 0 $$;
comment on function evenkeel.imports_unread(boolean, integer) is 'What an image imports was not read, or not all of it.';

create or replace function evenkeel.exports_unread(has_symbols boolean, defects integer)
returns boolean language sql immutable parallel safe
as $$ select not has_symbols or defects & evenkeel.pe_defect_unread_exports() <> 0 $$;
comment on function evenkeel.exports_unread(boolean, integer) is 'What an image exports was not read, or not all of it.';

create or replace function evenkeel.api_set_from(dll text)
returns integer language sql immutable parallel safe
as $$
    -- The sets of Windows 7 are those that ReactOS tells of it (sdk/lib/apisets/apisets.table.c, APISET_WIN7).
    select case when dll !~ '^(api|ext)-ms-' then null
                when dll ~ '^api-ms-win-crt-' then 1000
                when dll ~ ('^api-ms-win-(core-(console|datetime|debug|delayload|errorhandling|fibers|file|handle|heap|interlocked|io|'
                            || 'libraryloader|localization|localregistry|memory|misc|namedpipe|processenvironment|processthreads|profile|'
                            || 'rtlsupport|string|synch|sysinfo|threadpool|ums|util|xstate)-l1|security-(base|lsalookup|sddl)-l1|'
                            || 'service-(core|management|winsvc)-l1|service-management-l2)-1-0\.dll$') then 601
                else 602 end
$$;
comment on function evenkeel.api_set_from(text) is
    'The first Windows (601: 6.1) that maps a name to a DLL of its own, where it is that of an API set: 6.2 for what Windows 7 has not, '
    '10.0 for those of the universal C runtime; older ones get them as files. Null: it is no API set.';

create or replace function evenkeel.windows_number(os_version text)
returns integer language sql immutable parallel safe
as $$ select 100 * substring(os_version from '^(\d{1,4})\.')::integer + substring(os_version from '^\d{1,4}\.(\d{1,2})')::integer $$;
comment on function evenkeel.windows_number(text) is '601 for 6.1; null where it can''t be told.';

create or replace function evenkeel.need_digest(dll text, symbols text[])
returns bytea language sql immutable strict parallel safe
as $$ select sha256(convert_to(dll || E'\n' || array_to_string(symbols, E'\n'), 'utf8')) $$;
comment on function evenkeel.need_digest(text, text[]) is 'The name of a need.';
