-- Branches of a patch: GDR and QFE (LDR, from Vista on), of which an installer keeps a file on the one that it is of.

create or replace function evenkeel.is_qfe_branch(branch text)
returns boolean language sql immutable parallel safe
as $$ select branch ~* '(qfe|ldr)$' $$;
comment on function evenkeel.is_qfe_branch(text) is 'Whether a branch of a patch is QFE, or LDR as it is called from Vista on.';

create or replace function evenkeel.is_gdr_branch(branch text)
returns boolean language sql immutable parallel safe
as $$ select branch ~* 'gdr$' $$;
comment on function evenkeel.is_gdr_branch(text) is 'Whether a branch of a patch is GDR.';

create or replace function evenkeel.branch_side(branch text)
returns text language sql immutable parallel safe
as $$ select case when evenkeel.is_gdr_branch(branch) then 'gdr' when evenkeel.is_qfe_branch(branch) then 'qfe' else '' end $$;
comment on function evenkeel.branch_side(text) is 'gdr, qfe, or empty: the side that a branch of a patch is on.';

create or replace function evenkeel.branch_stem(branch text)
returns text language sql immutable parallel safe
as $$ select upper(regexp_replace(branch, '(gdr|qfe|ldr)$', '', 'i')) $$;
comment on function evenkeel.branch_stem(text) is 'SP2 of SP2GDR: a branch without its side.';

create or replace function evenkeel.is_qfe_build(product integer, name text, location text, version evenkeel.version)
returns boolean language sql stable
as $$
    select case when evenkeel.version_build(version) in (6000, 6001, 6002, 7600, 7601, 9200)
                then evenkeel.version_revision(version) >= 20000
                -- What both branches bring, or a level ships, is of either.
                when exists (select from evenkeel.baseline b
                             where b.product_id = product and b.file in (name, location) and b.relation = '='
                               and b.version = is_qfe_build.version)
                     or (evenkeel.on_line(product, version)
                         and exists (select from evenkeel.level_rule r
                                     where r.product_id = product and r.revision = evenkeel.version_revision(is_qfe_build.version)))
                                       then false
                else (select case when not bool_or(not evenkeel.is_qfe_branch(f.branch)) then true
                                  when count(*) > 0 then false end
                      from evenkeel.patch_file f join evenkeel.patch t using (patch_id)
                      where f.file in (name, location) and f.version = is_qfe_build.version and t.product_id = product) end
$$;
comment on function evenkeel.is_qfe_build(integer, text, text, evenkeel.version) is
    'Whether a file is a build of the QFE branch: by its number from Vista to Windows 8, before by what the tables of patches call it; '
    'null: not known.';
