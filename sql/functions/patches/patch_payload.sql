-- A patch's payload as rows of the catalogue.

create or replace function evenkeel.payload_location(below text)
returns text language sql stable
as $$
    -- Where a file goes is said by its folders, if they are a Windows host's: by their names, or because hosts have such a folder. A folder
    -- 'wow' holds what a 64-bit Windows gets for 32-bit programs, each file under its name with a w before it.
    select case when wow.name is not null then '%windir%/syswow64/' || wow.name
                when w.rest is not null then '%windir%/' || w.rest
                when b.below ~ '^(system32|syswow64)/' then '%windir%/' || b.below
                when b.below ~ '^(program files|program files \(x86\))/' then 'c:/' || b.below
                when b.below like '%/%'
                     and exists (select from evenkeel.path p where starts_with(p.path, 'c:/' || evenkeel.folder_of(b.below) || '/'))
                then 'c:/' || b.below end
    from (select regexp_replace(payload_location.below, '^(.*/)?(sp\d+|rtm)?(gdr|qfe)/', '') as below) b,
         lateral (select substring(b.below from '^(?:.*/)?wow/w([^/]+)$') as name) wow,
         lateral (select substring(b.below from '^(?:.*/)?(?:windows|winnt|%windir%)/(.+)$') as rest) w
$$;
comment on function evenkeel.payload_location(text) is
    'path.location of a file of a payload, from its path below the payload''s folder; null where that says nothing.';

create or replace function evenkeel.payload_name(below text)
returns text language sql immutable parallel safe
as $$ select coalesce(substring(below from '^(?:.*/)?wow/w([^/]+)$'), substring(below from '[^/]*$')) $$;
comment on function evenkeel.payload_name(text) is 'The name under which a file of a payload lands.';

create or replace function evenkeel.payload_branch(below text)
returns text language sql immutable parallel safe
as $$
    -- From Vista to Windows 8 the folder of a component says build and revision: those from 20000 on are of the branch LDR.
    select upper(coalesce(
        substring(below from '^(?:.*/)?((?:sp\d+|rtm)?(?:gdr|qfe))/'),
        (select case m[1] when '6000' then 'rtm' when '7600' then 'rtm' when '6001' then 'sp1' when '7601' then 'sp1' when '6002' then 'sp2'
                          else '' end || case when m[2]::integer >= 20000 then 'ldr' else 'gdr' end
         from regexp_match(below, '_6\.[0-2]\.(6000|6001|6002|7600|7601|9200)\.(\d{1,5})_[^/]*/') m where m is not null), ''))
$$;
comment on function evenkeel.payload_branch(text) is
    'The branch of a file of a payload, SP2GDR, SP1LDR, by the folders that it lies in; empty where they say none.';

create or replace function evenkeel.payload_product()
returns text language plpgsql
as $$
declare
    fitting text[];
begin
    -- What is for an instance of a product is for the product.
    select array_agg(code order by code) into fitting
    from (select q.code, rank() over (order by count(distinct f.path) desc) as place
          from payload_file f
          join evenkeel.image i using (image_id)
          join evenkeel.path h on h.name = substring(f.path from '[^/]*$')
          join evenkeel.path_component pc using (path_id)
          join evenkeel.product p using (product_id)
          join evenkeel.product q on q.product_id = coalesce(p.unit_of, p.product_id)
          where exists (select from evenkeel.line l
                        where l.product_id = p.product_id
                          and evenkeel.version_major(i.file_version) = coalesce(l.major, evenkeel.version_major(i.file_version))
                          and evenkeel.version_minor(i.file_version) = coalesce(l.minor, evenkeel.version_minor(i.file_version))
                          and evenkeel.version_build(i.file_version) = coalesce(l.build, evenkeel.version_build(i.file_version)))
          group by q.code) r
    where place = 1;
    if cardinality(fitting) = 1 then
        return fitting[1];
    end if;
    raise exception 'which product the patch is for does not show from its files%: name it with --product',
        coalesce(' (' || array_to_string(fitting, ' or ') || ')', '');
end
$$;
comment on function evenkeel.payload_product() is
    'The product whose files those of payload_file are, by their names and versions; an error where that is not one.';

create or replace function evenkeel.patch_code(written text)
returns text language plpgsql immutable
as $$
begin
    if written !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' then
        raise exception '''%'' is no patch''s code: letters, digits, dots, hyphens and underscores are, such as KB973917 or MS09-061',
            left(written, 80);
    end if;
    return upper(written);
end
$$;
comment on function evenkeel.patch_code(text) is 'A patch''s code as the catalogue has it; an error where it is none.';

create or replace function evenkeel.patch_lowers(patch integer)
returns text language sql stable
as $$
    -- The level that the files look like: what an exact statement or a rule would say of them.
    with proven as (
        select pf.file, pf.version,
               least((select min(b.ordinal) from evenkeel.baseline b
                      where b.product_id = t.product_id and b.file in (pf.file, regexp_replace(pf.file, '^.*/', '')) and b.relation = '='
                        and b.version = pf.version and (b.machine is null or pf.machine is null or b.machine = pf.machine)),
                     (select max(r.ordinal) from evenkeel.level_rule r
                      where r.product_id = t.product_id and r.relation <> '<=' and evenkeel.on_line(t.product_id, pf.version)
                        and evenkeel.rule_holds(r.relation, r.minor, r.build, r.revision, pf.version))) as ordinal
        from evenkeel.patch t
        join evenkeel.patch_file pf using (patch_id)
        where t.patch_id = patch_lowers.patch and t.required_levels = '{}' and pf.version is not null
    )
    select format('it does not say what it needs, so it proves no level, and no host is called safe. '
                  '%s of its files look like %s''s or newer, such as %s %s: if it may be installed on %s only, say so: --requires %s',
                  count(*), max(l.code), (array_agg(p.file order by p.file))[1],
                  evenkeel.version_text((array_agg(p.version order by p.file))[1]), max(l.code), max(l.code))
    from (select * from proven where ordinal > 0 and ordinal = (select max(ordinal) from proven)) p
    cross join (select product_id from evenkeel.patch where patch_id = patch_lowers.patch) t
    join evenkeel.level l on l.product_id = t.product_id and l.ordinal = p.ordinal
    having count(*) > 0
$$;
comment on function evenkeel.patch_lowers(integer) is
    'Says that a patch without required levels proves nothing, and which level its files look like; null: nothing to say.';

create or replace function evenkeel.store_patch(patch_code text, patch_product text, patch_title text, required text[],
                                                superseded text[], needs_restart boolean, origin text, out patch_id integer,
                                                  out product text, out files integer)
language plpgsql
as $$
declare
    number integer;
begin
    if evenkeel.patch_number(patch_code) in (select evenkeel.patch_number(w) from unnest(superseded) w) then
        raise exception '''%'' can''t supersede itself: --supersedes names the patches that it replaces', patch_code;
    end if;
    if patch_product is null then
        select case when count(*) = 1 then min(p.code) end into product
        from evenkeel.patch t join evenkeel.product p using (product_id) where t.code = upper(patch_code) and p.unit_of is null;
        product := coalesce(product, evenkeel.payload_product());
    else
        product := patch_product;
    end if;
    -- Its instances are told with it.
    select q.product_id, q.code into number, product
    from evenkeel.product p join evenkeel.product q on q.product_id = coalesce(p.unit_of, p.product_id)
    where p.product_id = evenkeel.product_number(product);
    insert into evenkeel.patch as o (code, product_id, title, required_levels, supersedes, restart, has_payload, os_builds, source)
    values (evenkeel.patch_code(patch_code), number, coalesce(patch_title, ''),
            coalesce((select array_agg(distinct evenkeel.level_ordinal(product, r)) from unnest(required) r), '{}'),
            coalesce((select array_agg(distinct upper(s)) from unnest(superseded) s), '{}'), coalesce(needs_restart, true), true,
            -- Its files don't say for which Windows they are.
            (select case when q.beside then '{}'::integer[] end from evenkeel.product q where q.product_id = number), origin)
    on conflict (code, product_id) do update
        set title = coalesce(nullif(excluded.title, ''), o.title),
            required_levels = case when excluded.required_levels <> '{}' then excluded.required_levels else o.required_levels end,
            supersedes = case when excluded.supersedes <> '{}' then excluded.supersedes else o.supersedes end,
            restart = case when needs_restart is null then o.restart else excluded.restart end, has_payload = true,
            source = excluded.source
    returning o.patch_id into patch_id;

    perform evenkeel.store_payload(patch_id);
    select sum(1 + cardinality(f.other_images)) into files
    from evenkeel.patch_file f where f.patch_id = store_patch.patch_id and f.image_id is not null;
    files := coalesce(files, 0);
end
$$;
comment on function evenkeel.store_patch(text, text, text, text[], text[], boolean, text) is
    'Makes the files of the temporary table payload_file (path, image_id; null: what lies there is none that could be read) the payload '
    'of a patch; what is not given stays as the catalogue has it.';

create or replace function evenkeel.store_payload(patch integer)
returns void language sql
as $$
    -- What the table names stays, whatever this payload has of it.
    delete from evenkeel.patch_file f where f.patch_id = patch and not f.listed;
    update evenkeel.patch_file f set image_id = null, other_images = '{}', payload_paths = '{}'
    where f.patch_id = patch and f.image_id is not null;
    insert into evenkeel.patch_file (patch_id, file, version, machine, branch, size, image_id, listed, other_images, payload_paths)
    select patch, g.file, g.version, g.machine, g.branch, g.sizes[1], g.images[1], false,
           array(select distinct o from unnest(g.images) o where o <> g.images[1] order by 1), g.paths
    from (select coalesce(evenkeel.payload_location(f.below), evenkeel.payload_name(f.below)) as file, i.file_version as version, i.machine,
                 evenkeel.payload_branch(f.below) as branch, array_agg(i.size order by f.below) as sizes,
                 array_agg(f.image_id order by f.below) as images, array_agg(f.below order by f.below) as paths
          from (select substr(path, 4) as below, image_id from payload_file) f
          left join evenkeel.image i using (image_id)
          group by 1, 2, 3, 4) g
    on conflict on constraint patch_file_patch_id_file_version_machine_branch_platform_key do update
        set image_id = excluded.image_id, size = excluded.size, other_images = excluded.other_images, payload_paths = excluded.payload_paths
$$;
comment on function evenkeel.store_payload(integer) is 'Gives a patch the files of payload_file.';

create or replace function evenkeel.payload_places(patch integer)
returns table (path text, image_id integer) language sql stable
as $$
    select replace(f.file, '%windir%', w.windows), g.image_id
    from evenkeel.patch_file f
    cross join unnest(f.image_id || f.other_images) g (image_id)
    cross join unnest(case when f.file like '\%windir\%/%' then array['c:/windows', 'c:/winnt'] else array[''] end) w (windows)
    where f.patch_id = patch and f.image_id is not null and f.file like '%/%'
$$;
comment on function evenkeel.payload_places(integer) is
    'Where a payload says that its files go, on hosts of either name of the Windows directory.';
