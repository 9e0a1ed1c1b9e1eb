-- What each kind of step does to a host's files, and to what its registry says.

create or replace function evenkeel.plan_put()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.make_files(array_agg(path_id order by path_id, image_id), array_agg(image_id order by path_id, image_id))
    from plan_change where image_id is not null and file_id is null;
    update plan_change c set file_id = f.file_id from file f where (f.path_id, f.image_id) = (c.path_id, c.image_id);
    insert into plan_file (path_id, file_id) select path_id, file_id from plan_change
    on conflict (path_id) do update set file_id = excluded.file_id;
    delete from plan_change;
end
$$;
comment on function evenkeel.plan_put() is 'Lays what is in plan_change over the host''s files.';

create or replace function evenkeel.plan_changes()
returns boolean language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$ select exists (select from plan_file where file_id is distinct from before) $$;
comment on function evenkeel.plan_changes() is 'Whether the step in hand changes a file.';

create or replace function evenkeel.plan_take_back()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    delete from plan_file where was is null and before is null;
    update plan_file set file_id = before where file_id is distinct from before;
$$;
comment on function evenkeel.plan_take_back() is 'Takes the step in hand off the host''s files.';

create or replace function evenkeel.plan_say(said jsonb)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$ update plan_facts set facts = facts || said where has_registry $$;
comment on function evenkeel.plan_say(jsonb) is 'Makes the registry of the host say that, if it was read.';

create or replace function evenkeel.plan_list(code text, listed boolean)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select evenkeel.plan_say(jsonb_build_object('hotfixes', h.others
        || case when listed then jsonb_build_array(coalesce(h.entry, jsonb_build_object('id', code, 'source', 'hotfix', 'service_pack', '',
                                                                                        'install_date', ''))) else '[]' end))
    from (select coalesce(jsonb_agg(x) filter (where patch_number(x ->> 'id') <> patch_number(code)), '[]') as others,
                 (jsonb_agg(x) filter (where patch_number(x ->> 'id') = patch_number(code))) -> 0 as entry
          from plan_facts f cross join jsonb_array_elements(coalesce(f.facts -> 'hotfixes', '[]')) x) h
$$;
comment on function evenkeel.plan_list(text, boolean) is 'Makes the registry list a hotfix, or list it no longer.';

create or replace function evenkeel.plan_image(wanted text, place text, machine integer, version evenkeel.version)
returns integer language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- Builds of one version are the same in all languages; of others the one that most places hold.
    select coalesce((select i.image_id
                     from path p join file f using (path_id) join image i using (image_id)
                     where p.name = wanted and i.file_version = plan_image.version and i.machine = plan_image.machine
                     group by i.image_id
                     order by i.has_symbols desc, bool_or(p.location = place) desc, count(*) desc, i.image_id limit 1),
                    evenkeel.table_image(wanted, version, plan_image.machine))
$$;
comment on function evenkeel.plan_image(text, text, integer, evenkeel.version) is
    'The image of that name, machine and version that is known, from that place of hosts where there is any; else one of whose symbols '
    'nothing is known.';

create or replace function evenkeel.plan_images_differ(wanted text, machine integer, version evenkeel.version)
returns boolean language sql stable
as $$
    select count(distinct row(i.export_names, i.export_ordinals, i.forwarders,
                              (select array_agg(row(m.dll, m.delay, m.names, m.ordinals)::text order by m.position)
                               from evenkeel.image_import m where m.image_id = i.image_id))::text) > 1
    from evenkeel.path p join evenkeel.file f using (path_id) join evenkeel.image i using (image_id)
    where p.name = wanted and i.file_version = plan_images_differ.version and i.machine = plan_images_differ.machine and i.has_symbols
$$;
comment on function evenkeel.plan_images_differ(text, integer, evenkeel.version) is
    'Whether images of that name, machine and version import or export not all the same.';

create or replace function evenkeel.plan_shipped(product integer, reached integer, files integer[])
returns table (file_id integer, version evenkeel.version)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- For files of another Windows in the product's places too.
    with implied as materialized (
        select m.file_id, max(m.shipped) as shipped from implied_statements() m
        where m.product_id = product and reached between m.first_ordinal and m.last_ordinal
        group by m.file_id
    )
    select u.file_id, coalesce(told.version, implied.shipped)
    from unnest(files) u (file_id)
    join evenkeel.file f using (file_id)
    join evenkeel.path p using (path_id)
    join evenkeel.image i using (image_id)
    left join lateral (select max(s.version) as version from evenkeel.statements_at(product, p.name, p.location, i.machine, reached) s
                       where s.relation = '=') told on true
    left join implied on implied.file_id = u.file_id
$$;
comment on function evenkeel.plan_shipped(integer, integer, integer[]) is
    'What a level is known to ship exactly in the place of each of these files, which content_held holds; null: not known.';

create or replace function evenkeel.plan_land_level(product integer, reached integer)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- What is of another level, or older than the level has it, gets the level's build; newer builds of the level are hotfixes and stay.
    -- Where no build is stated a rule tells the number that the level's builds have.
    perform hold_files(array(select p.file_id from plan_file p
                             join path_component pc on pc.path_id = p.path_id and pc.product_id = product));
    perform find_statements();
    insert into plan_change (path_id, image_id)
    with held as materialized (
        select p.path_id, p.file_id, pa.name, pa.location, i.machine, i.file_version, fl.levels
        from plan_file p
        join path_component pc on pc.path_id = p.path_id and pc.product_id = product
        join file f on f.file_id = p.file_id
        join path pa on pa.path_id = p.path_id
        join image i on i.image_id = f.image_id
        left join file_level fl on (fl.file_id, fl.product_id) = (p.file_id, product)
    ), moving as materialized (
        select h.*, s.version as shipped, coalesce(not h.levels @> reached, false) as other
        from held h
        join evenkeel.plan_shipped(product, reached, array(select file_id from held)) s using (file_id)
    ), found as materialized (
        select m.*, coalesce(m.shipped, case when m.other then r.version end) as version
        from moving m
        left join lateral (
            select evenkeel.version_of(format('%s.%s.%s.%s', evenkeel.version_major(m.file_version),
                                              coalesce(l.minor, evenkeel.version_minor(m.file_version)),
                                              coalesce(l.build, evenkeel.version_build(m.file_version)), l.revision)) as version
            from level_rule l where l.product_id = product and l.ordinal = reached and l.relation <> '<=' and m.file_version is not null
            order by l.revision desc limit 1) r on true
        where m.other or m.shipped is not null and coalesce(m.file_version < m.shipped, true)
    )
    select path_id, evenkeel.plan_image(name, location, machine, version) from found where version is distinct from file_version;
    insert into plan_doubt (place, says)
    select 2, format('what %s ships as %s%s is not known: %s', evenkeel.level_name(product, reached), min(pa.path),
                     case when count(*) > 1 then ' and ' || evenkeel.counted(count(*) - 1, 'more file') else '' end,
                     evenkeel.settles(product, reached))
    from plan_change c join path pa using (path_id) join image i using (image_id)
    where i.file_version is null
    having count(*) > 0
    on conflict do nothing;
    insert into plan_doubt (place, says)
    select 3, format('there are several builds of %s %s, which differ in what they import or export: which of them %s ships is not known',
                     pa.path, version_text(i.file_version), evenkeel.level_name(product, reached))
    from plan_change c join path pa using (path_id) join image i using (image_id)
    where evenkeel.plan_images_differ(pa.name, i.machine, i.file_version)
    on conflict do nothing;
    perform evenkeel.plan_put();
    -- The registry says so then.
    perform evenkeel.plan_say(case p.level_kind when 'cumulative update' then jsonb_build_object('ubr', reached, 'has_ubr', true)
                              else jsonb_build_object('service_pack', l.service_pack) end)
    from product p left join level l on l.product_id = p.product_id and l.ordinal = reached
    where p.product_id = product and p.follows_os
      and (p.level_kind = 'cumulative update' or p.level_kind = 'service pack' and l.ordinal = reached);
    perform evenkeel.plan_list(l.marker_hotfix, true) from level l
    where l.product_id = product and l.ordinal = reached and l.marker_hotfix <> '';
    insert into overlay_reached (product_id, levels) values (product, int4range(reached, reached + 1))
    on conflict (product_id) do update set levels = excluded.levels;
end
$$;
comment on function evenkeel.plan_land_level(integer, integer) is
    'Lays a level over the host: each of the product''s files that is older than the level ships it, or of another level, becomes what '
    'the level is known to ship.';

create or replace function evenkeel.plan_land_patch(planned uuid, code text)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.overlay_plan(code, array[planned]);
    insert into plan_doubt (place, says)
    select 3, d.says
    from (select h.doubt as says from overlay_host h
          union all
          select l.doubt from overlay_host h join overlay_landing l using (plan) join plan_file p on p.file_id = l.file_id
          union all
          select e.says from overlay_host h join overlay_landing l using (plan) join plan_file p on p.file_id = l.file_id
          join overlay_either e on e.image_id = l.image_id where l.action = 'replace') d
    where d.says is not null
    on conflict do nothing;
    insert into plan_change (path_id, image_id, file_id)
    select p.path_id, l.image_id, l.new_file_id
    from overlay_host h join overlay_landing l using (plan) join plan_file p on p.file_id = l.file_id
    where l.action = 'replace';
    insert into plan_change (path_id, image_id, file_id)
    select n.path_id, n.image_id, n.file_id
    from overlay_host h
    join overlay_new n using (plan, reading)
    join path pa on pa.path_id = n.path_id
    join plan_facts f on f.host_id = h.host_id
    where not exists (select from plan_file p where p.path_id = n.path_id and p.file_id is not null)
      and evenkeel.overlay_fits(f.facts, n.machine, pa.location)
    on conflict do nothing;
    perform evenkeel.plan_put();
    perform evenkeel.plan_list(code, true);
end
$$;
comment on function evenkeel.plan_land_patch(uuid, text) is
    'Lays a patch over the host, by its payload or its table, as risk does, on top of the steps before it.';

create or replace function evenkeel.plan_land_file(wanted text)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    host_reading text := (select evenkeel.host_reading(f.facts) from plan_facts f);
    machine integer := (select case upper(coalesce(f.facts ->> 'architecture', '')) when 'AMD64' then evenkeel.pe_machine_amd64()
                               when 'ARM64' then evenkeel.pe_machine_arm64() when 'IA64' then evenkeel.pe_machine_ia64()
                               when 'ALPHA' then evenkeel.pe_machine_alpha() else evenkeel.pe_machine_i386() end from plan_facts f);
    id integer;
begin
    perform evenkeel.store_paths_read(array[sha256(convert_to(wanted, 'utf8'))], array[wanted], host_reading)
    where not exists (select from path p where p.name = substring(wanted from '[^/]*$') and p.path = wanted
                                           and p.reading = evenkeel.path_reading(wanted, host_reading));
    select p.path_id into id from path p
    where p.name = substring(wanted from '[^/]*$') and p.path = wanted and p.reading = evenkeel.path_reading(wanted, host_reading)
    order by p.path_id limit 1;
    insert into plan_change (path_id, image_id)
    values (id, evenkeel.table_image(substring(wanted from '[^/]*$'), null, machine));
    perform evenkeel.plan_put();
end
$$;
comment on function evenkeel.plan_land_file(text) is
    'Puts a file there that was missing; which build is not known until a level is laid over it.';

create or replace function evenkeel.plan_land_renames()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    waiting record;
    source integer;
    target integer;
    image integer;
begin
    for waiting in select r."from", nullif(r."to", '') as "to"
                   from plan_facts f
                   cross join jsonb_to_recordset(case jsonb_typeof(f.facts -> 'pending_renames')
                                                 when 'array' then f.facts -> 'pending_renames' else '[]' end) r ("from" text, "to" text)
                   limit 2000 loop
        select p.path_id, f.image_id into source, image
        from path pa join plan_file p using (path_id) join file f on f.file_id = p.file_id
        where pa.name = substring(waiting."from" from '[^/]*$') and pa.path = waiting."from";
        select p.path_id into target from path pa join plan_file p using (path_id)
        where pa.name = substring(waiting."to" from '[^/]*$') and pa.path = waiting."to";
        if waiting."to" is not null and target is not null then
            if image is null then
                select evenkeel.table_image(pa.name, null, i.machine) into image
                from plan_file p join path pa using (path_id) join file f on f.file_id = p.file_id join image i on i.image_id = f.image_id
                where p.path_id = target;
                insert into plan_doubt (place, says)
                values (1, format('%s, which becomes %s at the restart, was not collected', waiting."from", waiting."to"))
                on conflict do nothing;
            end if;
            insert into plan_change (path_id, image_id) select target, image where image is not null
            on conflict (path_id) do update set image_id = excluded.image_id;
        end if;
        if source is not null then
            insert into plan_change (path_id) values (source) on conflict (path_id) do update set image_id = null;
        end if;
        perform evenkeel.plan_put();
    end loop;
    perform evenkeel.plan_say('{"pending_renames": []}');
end
$$;
comment on function evenkeel.plan_land_renames() is 'Lays the renames that wait for a restart over the host, in their order.';
