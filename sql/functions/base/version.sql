-- Versions between text, numbers and their order-preserving form (domain evenkeel.version).

create or replace function evenkeel.version_of(major integer, minor integer, build integer, revision integer)
returns evenkeel.version language sql immutable strict parallel safe
as $$
    select (((major::bigint - 32768) << 48) | (minor::bigint << 32) | (build::bigint << 16) | revision::bigint)::evenkeel.version
$$;
comment on function evenkeel.version_of(integer, integer, integer, integer) is 'The version major.minor.build.revision.';

create or replace function evenkeel.version_of(printed text)
returns evenkeel.version language plpgsql immutable strict parallel safe
as $$
declare
    parts text[] := string_to_array(trim(printed), '.');
begin
    if printed !~ '^\s*\d{1,5}(\.\d{1,5}){1,3}\s*$' or 65535 < any (parts::integer[]) then
        raise exception '''%'' is no version: two to four numbers up to 65535, divided by dots, are expected', printed
            using errcode = 'invalid_text_representation';
    end if;
    return evenkeel.version_of(parts[1]::integer, parts[2]::integer, coalesce(parts[3], '0')::integer, coalesce(parts[4], '0')::integer);
end
$$;
comment on function evenkeel.version_of(text) is 'The version printed as a.b.c.d; missing parts are 0.';

create or replace function evenkeel.version_major(version evenkeel.version)
returns integer language sql immutable strict parallel safe as $$ select ((version >> 48) + 32768)::integer $$;
comment on function evenkeel.version_major(evenkeel.version) is 'a of a.b.c.d.';

create or replace function evenkeel.version_minor(version evenkeel.version)
returns integer language sql immutable strict parallel safe as $$ select ((version >> 32) & 65535)::integer $$;
comment on function evenkeel.version_minor(evenkeel.version) is 'b of a.b.c.d.';

create or replace function evenkeel.version_build(version evenkeel.version)
returns integer language sql immutable strict parallel safe as $$ select ((version >> 16) & 65535)::integer $$;
comment on function evenkeel.version_build(evenkeel.version) is 'c of a.b.c.d.';

create or replace function evenkeel.version_revision(version evenkeel.version)
returns integer language sql immutable strict parallel safe as $$ select (version & 65535)::integer $$;
comment on function evenkeel.version_revision(evenkeel.version) is 'd of a.b.c.d.';

create or replace function evenkeel.version_text(version evenkeel.version)
returns text language sql immutable strict parallel safe
as $$
    select ((version >> 48) + 32768) || '.' || ((version >> 32) & 65535) || '.' || ((version >> 16) & 65535) || '.' || (version & 65535)
$$;
comment on function evenkeel.version_text(evenkeel.version) is 'a.b.c.d.';
