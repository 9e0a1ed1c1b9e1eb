-- Risk: what the checks find on hosts with a patch laid over them and not without it.

create or replace function evenkeel.risk_open(patch_code text, host_glob text)
returns bigint language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.lock_catalogue_shared();
    perform evenkeel.overlay_plan(patch_code, host_glob);
    perform evenkeel.overlay_close();
    -- A host that never sent anything is among those that were asked for.
    insert into overlay_host (host_id, place, since)
    select h.host_id, (select count(*) from overlay_host) + row_number() over (order by h.host_id), array[null, null]::timestamptz[]
    from host h
    where h.merged_into is null and (host_glob is null or lower(h.name) ~ evenkeel.glob_regex(lower(host_glob)))
      and not exists (select from overlay_host o where o.host_id = h.host_id);
    if to_regclass('pg_temp.risk_result') is null then
        create temporary table risk_result (
            host_id uuid primary key, verdict text not null, reason text not null, findings jsonb not null default '[]',
            kept jsonb not null default '[]', replaced integer not null default 0);
    end if;
    delete from risk_result;
    return (select count(*) from overlay_host);
end
$$;
comment on function evenkeel.risk_open(text, text) is
    'Begins to judge what a patch would do; returns how many hosts there are. Commit behind it, then call risk_next() in one '
    'transaction until it returns 0.';

create or replace function evenkeel.risk_next(most integer, max_age interval)
returns bigint language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    hosts uuid[];
    definition record;
    payload boolean := (select bool_and(has_payload) from overlay_patch);
    -- A table says nothing of imports.
    imports boolean := (select bool_or(has_payload) from overlay_patch);
begin
    perform evenkeel.lock_catalogue_shared();
    if not exists (select from state_focus) then
        perform evenkeel.overlay_focus();
        perform evenkeel.risk_alike(max_age);
    end if;
    select array_agg(host_id) into hosts
    from (select host_id from risk_kind k
          where k.lead = k.host_id and not exists (select from risk_result r where r.host_id = k.host_id) order by place limit most) n;
    if hosts is null then
        perform evenkeel.overlay_close();
        return 0;
    end if;
    perform evenkeel.overlay_chunks(hosts);
    perform evenkeel.overlay_state(hosts);
    perform evenkeel.risk_passed_over(hosts, max_age);
    delete from state_host h using risk_result r where r.host_id = h.host_id;
    if exists (select from state_host) then
        -- Hosts that were judged before: all their content was, too, and nothing need be waited for.
        perform evenkeel.judge_levels();
        perform evenkeel.judge_patches();
        -- A check that reads no files can find nothing else than before.
        for definition in select code from check_definition d
                          where d.scope = 'host' and 'files' = any (d.reads) and (imports or not 'imports' = any (d.reads)) order by code loop
            perform evenkeel.run_check(definition.code);
        end loop;
        analyze state_finding;
        perform evenkeel.risk_compare(payload);
    end if;
    perform evenkeel.risk_settle(hosts);
    return cardinality(hosts) + evenkeel.risk_spread(hosts);
end
$$;
comment on function evenkeel.risk_next(integer, interval) is
    'Judges up to so many hosts more into risk_result, and with each those that a patch would change alike; returns how many.';

create or replace function evenkeel.risk_settle(hosts uuid[])
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with moved as materialized (
        select o.host_id
        from overlay_host o
        left join host_inventory_current i using (host_id)
        left join host_facts_current f using (host_id)
        where o.host_id = any (hosts) and o.since is distinct from array[i.valid_from, f.valid_from]
    ), parted as (
        -- What such a host came to says nothing of those that were like it before.
        update risk_kind k set lead = k.host_id where k.lead in (select host_id from moved) and k.lead <> k.host_id
    )
    update risk_result r set verdict = 'unknown', reason = 'it reported something else while this was worked out: ask again', findings = '[]'
    where r.host_id in (select host_id from moved)
$$;
comment on function evenkeel.risk_settle(uuid[]) is
    'Takes back what was said of these hosts where what they hold, or say of themselves, is not what it was when risk_open() looked.';

create or replace function evenkeel.risk_landed()
returns table (host_id uuid, file_id integer, path_id integer, path text, old_image integer, new_image integer)
language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with changed as materialized (
        select o.overlay_id as chunk_id, l.new_file_id as file_id, f.image_id as old_image
        from overlay_chunk o
        join chunk c using (chunk_id)
        cross join unnest(c.file_ids) u (file_id)
        join overlay_landing l on l.plan = o.plan and l.file_id = u.file_id and l.action = 'replace'
        join file f on f.file_id = l.file_id
        where o.overlay_id is not null
        union all
        select a.overlay_id, u.file_id, null from overlay_added a cross join unnest(a.file_ids) u (file_id)
    )
    select h.host_id, f.file_id, f.path_id, p.path, c.old_image, f.image_id
    from state_host h
    cross join unnest(h.chunk_ids) u (chunk_id)
    join changed c using (chunk_id)
    join file f using (file_id)
    join path p using (path_id)
    where u.chunk_id < 0
$$;
comment on function evenkeel.risk_landed() is
    'The files that the patch would put on the hosts of state_host, and the image that each would replace; null: it is new there.';

create or replace function evenkeel.risk_already()
returns table (host_id uuid, check_code text, subject text, severity text, summary text, evidence jsonb)
language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with touched as materialized (
        select distinct l.host_id, p.code, c.code as component
        from (select host_id, path_id from evenkeel.risk_landed()
              union
              -- Files that the patch changes to what is not known.
              select s.host_id, w.path_id
              from state_host s
              join overlay_host h using (host_id)
              cross join unnest(s.chunk_ids) u (chunk_id)
              join overlay_chunk o on o.plan = h.plan and coalesce(o.overlay_id, o.chunk_id) = u.chunk_id and o.doubt is not null
              cross join unnest(o.path_ids) w (path_id)) l
        join path_component pc using (path_id)
        join component c using (component_id)
        join product p on p.product_id = c.product_id
    )
    select f.host_id, f.check_code, f.subject, f.severity, f.summary, f.evidence
    from finding f join state_host h using (host_id)
    where f.closed_at = 'infinity'
      and case f.check_code
          when 'mixed-level' then exists (select from touched t where t.host_id = f.host_id and t.code = f.subject)
          when 'partial-patch' then exists (select from jsonb_array_elements(f.evidence -> 'older') e
                                            join path pa on pa.name = substring(e ->> 'path' from '[^/]*$') and pa.path = e ->> 'path'
                                            join path_component pc using (path_id)
                                            join component c using (component_id)
                                            join product p on p.product_id = c.product_id
                                            join touched t on t.host_id = f.host_id and t.code = p.code and t.component = c.code)
          when 'pending-reboot' then jsonb_array_length(case jsonb_typeof(f.evidence -> 'components') when 'array' then f.evidence -> 'components' else '[]' end) = 0
               or exists (select from jsonb_array_elements(f.evidence -> 'components') e join touched t
                          on t.host_id = f.host_id and t.code = e ->> 'product' and t.component = e ->> 'component')
               or exists (select from jsonb_array_elements(f.evidence -> 'renames') e join evenkeel.risk_landed() l
                          on l.host_id = f.host_id and l.path = coalesce(nullif(e ->> 'to', ''), e ->> 'from'))
          else false end
$$;
comment on function evenkeel.risk_already() is
    'Findings of hosts of state_host that are already mixed, half patched or waiting for a restart where the patch would land.';

create or replace function evenkeel.image_unread(has_symbols boolean, defects integer)
returns boolean language sql immutable parallel safe
as $$
    select not has_symbols
           or defects & (evenkeel.pe_defect_truncated() | evenkeel.pe_defect_exports() | evenkeel.pe_defect_imports()
                         | evenkeel.pe_defect_delay_imports() | evenkeel.pe_defect_symbol_limit() | evenkeel.pe_defect_read_limit()) <> 0
$$;
comment on function evenkeel.image_unread(boolean, integer) is 'Imports or exports of an image were not read, or not all of them.';

create or replace function evenkeel.risk_unread()
returns table (host_id uuid, says text) language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select l.host_id, format('imports of %s could not be read', min(l.path))
    from evenkeel.risk_landed() l
    join image i on i.image_id = l.new_image
    where evenkeel.image_unread(i.has_symbols, i.defects)
    group by l.host_id
$$;
comment on function evenkeel.risk_unread() is
    'Hosts on which a file of the patch would land whose imports could not be read, and the first such file.';

create or replace function evenkeel.exports_may_go(has_symbols boolean, defects integer, names text[], ordinals integer[], forwarders text[],
                                                   new_names text[], new_ordinals integer[], new_forwarders text[])
returns boolean language sql immutable parallel safe
as $$
    select evenkeel.image_unread(has_symbols, defects) or not names <@ new_names or not ordinals <@ new_ordinals
           -- Where a forwarder leads to may lack it.
           or not new_forwarders <@ forwarders
$$;
comment on function evenkeel.exports_may_go(boolean, integer, text[], integer[], text[], text[], integer[], text[]) is
    'Whether who imports from an image may lack something once another takes its place, as far as the two images tell.';

create or replace function evenkeel.risk_removed()
returns table (host_id uuid, says text) language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with landed as materialized (
        -- A file that is new takes the place of one of that name that the loader would find in another folder.
        select r.host_id, r.path, r.new_image, coalesce(r.old_image, o.image_id) as old_image
        from evenkeel.risk_landed() r
        left join path other on r.old_image is null and other.name = substring(r.path from '[^/]*$') and other.path <> r.path
        left join file o on o.path_id = other.path_id
        where r.old_image is not null or o.image_id is not null
    ), removing as materialized (
        select p.old_image, p.new_image, n.machine
        from (select distinct old_image, new_image from landed) p
        join image o on o.image_id = p.old_image
        join image n on n.image_id = p.new_image and n.machine = o.machine
        where evenkeel.exports_may_go(o.has_symbols, o.defects, o.export_names, o.export_ordinals, o.forwarders,
                                      n.export_names, n.export_ordinals, n.forwarders)
    ), losing as materialized (
        select distinct l.host_id, l.path, r.machine from landed l join removing r using (old_image, new_image)
    ), silent as materialized (
        select f.file_id, p.path, i.machine
        from image i
        join file f using (image_id)
        join path p using (path_id)
        where evenkeel.image_unread(i.has_symbols, i.defects)
          and i.machine in (select machine from removing)
          and exists (select from path_component pc where pc.path_id = f.path_id)
    ), held as materialized (
        -- Each chunk is looked through once, however many hosts hold it.
        select c.chunk_id, s.path, s.machine
        from (select distinct u.chunk_id from state_host h cross join unnest(h.chunk_ids) u (chunk_id)
              where h.host_id in (select l.host_id from losing l)) c
        join state_chunk sc using (chunk_id)
        cross join unnest(sc.file_ids) u (file_id)
        join silent s using (file_id)
    )
    select l.host_id, min(format('imports of %s were not read: it may need what %s would no longer export', s.path, l.path))
    from losing l
    join state_host h using (host_id)
    cross join unnest(h.chunk_ids) u (chunk_id)
    join held s on s.chunk_id = u.chunk_id and s.machine = l.machine and s.path <> l.path
    group by l.host_id
$$;
comment on function evenkeel.risk_removed() is
    'Hosts on which the patch takes exports away, or may, while the imports of some component file were not read, and the first such '
    'file.';

create or replace function evenkeel.risk_passed_over(hosts uuid[], max_age interval)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with already as materialized (
        select distinct a.host_id from evenkeel.risk_already() a
    )
    insert into risk_result (host_id, verdict, reason, kept)
    select host_id, verdict, reason, kept
    from (
        select o.host_id, coalesce(t.kept, '[]') as kept,
               case when waiting.says is not null or stale.says is not null then 'unknown'
                    when products.codes is null and not other.known then 'unknown'
                    when products.codes is null then 'not applicable'
                    when t.doubt is not null and (superseding.codes is null or exists (select from already a where a.host_id = o.host_id)) then null
                    when doubt.says is not null and superseding.codes is null and (o.plan is null or t.host_id is null or t.replaced = 0 and t.added = '{}')
                    then 'unknown'
                    when o.plan is null or t.host_id is null or t.replaced = 0 and t.added = '{}'
                         or superseding.codes is not null and not exists (select from already a where a.host_id = o.host_id)
                    then 'not applicable' end as verdict,
               case when waiting.says is not null then waiting.says
                    when stale.says is not null then stale.says
                    when products.codes is null and not other.known
                    then 'which products are here is not known: no product of it could be judged'
                    when products.codes is null
                    then 'another product: ' || (select string_agg(distinct p.name, ', ') from overlay_patch join product p using (product_id)) || ' is not here'
                    when doubt.says is not null and superseding.codes is null then doubt.says
                    when o.plan is null then 'brings nothing for the level of this host'
                    when superseding.codes is not null then 'superseded by ' || superseding.codes || ', which is installed'
                    when t.host_id is null then 'none of its files is here'
                    when t.same > 0 and t.kept = '[]' then format('already there: %s of %s files', t.same, t.same)
                    when t.same > 0 then format('already there: %s files as it brings them, %s newer', t.same, jsonb_array_length(t.kept))
                    else format('superseded: %s of its files are here, all newer, such as %s %s', jsonb_array_length(t.kept), t.kept -> 0 ->> 'path',
                                t.kept -> 0 ->> 'version') end as reason
        from overlay_host o
        join risk_kind k using (host_id)
        left join overlay_touch t using (host_id)
        left join host_checkin c using (host_id)
        left join host_facts_current f using (host_id)
        cross join lateral (select string_agg(p.patch_id::text, ' ') as codes from overlay_patch p join host_product hp using (product_id)
                            where hp.host_id = o.host_id) products
        -- Superseded is a patch for several products only where it is for all of them that are here.
        cross join lateral (select case when bool_and(x.code is not null) then string_agg(distinct x.code, ', ') end as codes
                            from overlay_patch p
                            join host_product here on here.host_id = o.host_id and here.product_id = p.product_id
                            left join lateral (
                                select min(s.code) as code
                                from patch own
                                join patch s on s.product_id = p.product_id and own.code = any (s.supersedes) and s.code <> own.code
                                join host_patch hp on hp.host_id = o.host_id
                                cross join unnest(hp.patch_ids, hp.states, hp.same_files, hp.newer_files) st (patch_id, state, same_files, newer_files)
                                -- Listed is not enough: its files must be there.
                                where own.patch_id = p.patch_id and st.patch_id = s.patch_id and st.state = 'installed'
                                  and st.same_files + st.newer_files > 0) x on true) superseding
        cross join lateral (select coalesce(t.doubt, o.doubt, untold.says,
                                            case when c.unreadable > 0 then evenkeel.unreadable_text(c.unreadable) end) as says
                            from (select min(format('what %s brings is not known: add its payload (evenkeel patch add)', own.code)) as says
                                  from overlay_patch p join patch own using (patch_id)
                                  join host_product here on here.host_id = o.host_id and here.product_id = p.product_id
                                  where not exists (select from patch_file pf where pf.patch_id = p.patch_id)) untold) doubt
        -- What could not be read may be the files of another product.
        cross join lateral (select (coalesce(c.unreadable, 0) = 0 and exists (select from host_product hp where hp.host_id = o.host_id and hp.verdict <> 'unknown'))
                                   or (f.has_registry
                                       and exists (select from product p where p.os_version <> '' and p.os_version = f.os_version
                                                     and (p.os_build is null or p.os_build = f.os_build))
                                       and not exists (select from overlay_patch op join product p using (product_id)
                                                       where (p.os_version = '' or p.os_version = f.os_version)
                                                         and (p.os_build is null or p.os_build = coalesce(f.os_build, p.os_build))))
                                   is true as known) other
        cross join lateral (select case when c.seen_at is null or not exists (select from host_inventory_current i where i.host_id = o.host_id)
                                        then 'no snapshot yet: push one'
                                        when k.waiting or exists (select from judge_queue q where q.host_id = o.host_id) then 'not judged yet' end as says) waiting
        cross join lateral (select evenkeel.risk_stale(c.taken_at, c.seen_at, max_age) as says) stale
        where o.host_id = any (hosts)
    ) x
    where verdict is not null
$$;
comment on function evenkeel.risk_passed_over(uuid[], interval) is
    'Hosts of which it is plain without judging: the patch does not apply, or their snapshot is too old.';

create or replace function evenkeel.names_symbol(symbol text, names text[], ordinals integer[])
returns boolean language sql immutable parallel safe
as $$ select symbol = any (names) or (symbol like '#%' and substr(symbol, 2) = any (ordinals::text[])) $$;
comment on function evenkeel.names_symbol(text, text[], integer[]) is
    'Whether a symbol, #7 where it is an ordinal, is among names and ordinals.';

create or replace function evenkeel.risk_blind()
returns table (host_id uuid, says text) language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    -- What the patch's files import and the files that they replace did not, where nothing can be said of the DLL.
    with blind as (
        select distinct c.host_id, c.folder, c.machine, c.context_id, b.need_id, n.dll, b.symbol, b.reason, b.chain
        from imports_bad b join imports_context c using (context_id) join import_need n using (need_id)
        where b.reason in ('blind', 'unknown', 'unreachable')
    ), landed as (
        select distinct hc.host_id, p.path, evenkeel.folder_of(p.path) as folder, i.image_id, i.machine, l.old_image
        from (select host_id, chunk_id from imports_host_chunk where chunk_id < 0) hc
        join state_overlay_chunk o using (chunk_id)
        cross join unnest(o.file_ids) u (file_id)
        join (select new_file_id as file_id, f.image_id as old_image from overlay_landing l join file f using (file_id) where l.new_file_id is not null
              union select file_id, null from overlay_new) l using (file_id)
        join file f using (file_id)
        join path p using (path_id)
        join image i on i.image_id = f.image_id
        left join (select o2.overlay_id, c.file_ids from overlay_chunk o2 join chunk c using (chunk_id)) was on was.overlay_id = hc.chunk_id
        where l.old_image is null or exists (select from file x where x.image_id = l.old_image and x.path_id = p.path_id and x.file_id = any (was.file_ids))
    ), wanting as (
        select distinct l.host_id, l.path, b.dll, b.symbol, b.reason, b.chain
        from landed l
        join blind b using (host_id, folder, machine)
        join image_import m on m.image_id = l.image_id and evenkeel.import_dll(m.dll) = b.dll
             and (evenkeel.names_symbol(b.symbol, m.names, m.ordinals) or b.symbol = '')
        where not exists (select from image_import w where w.image_id = l.old_image and evenkeel.import_dll(w.dll) = b.dll
                            and (evenkeel.names_symbol(b.symbol, w.names, w.ordinals) or b.symbol = ''))
    ), becoming as materialized (
        -- What the files that they replace answered, and these may not.
        select distinct b.host_id, b.folder, b.machine, b.need_id, b.dll, b.symbol, b.reason, b.chain
        from blind b
        cross join jsonb_array_elements(b.chain) step
        join landed l on l.host_id = b.host_id and l.path = step ->> 'path'
        join image n on n.image_id = l.image_id
        left join image o on o.image_id = l.old_image
        cross join lateral (select coalesce(step ->> 'forwards', step ->> 'lacks') as symbol) asked
        where l.old_image is null
           or (evenkeel.names_symbol(asked.symbol, o.export_names, o.export_ordinals)
               and not exists (select from unnest(o.forwarders) w where starts_with(w, asked.symbol || '=') and w = any (n.forwarders)))
    ), relying as (
        select distinct b.host_id, p.path, b.dll, b.symbol, b.reason, b.chain
        from becoming b
        join imports_wanted w on (w.folder, w.machine, w.need_id) = (b.folder, b.machine, b.need_id)
        join imports_host_chunk hc on hc.host_id = b.host_id and hc.chunk_id = w.chunk_id
        join state_chunk sc on sc.chunk_id = w.chunk_id
        cross join unnest(sc.file_ids) u (file_id)
        join file f on f.file_id = u.file_id
        join path p on p.path_id = f.path_id and evenkeel.folder_of(p.path) = b.folder
        join image i on i.image_id = f.image_id and i.machine = b.machine
        join image_import m on m.image_id = i.image_id and evenkeel.import_dll(m.dll) = b.dll
             and (evenkeel.names_symbol(b.symbol, m.names, m.ordinals) or b.symbol = '')
        where evenkeel.imports_matter(p.path_id, p.name, p.location, i.image_id, i.file_version)
    )
    select t.host_id,
           min(format('%s would call %s!%s, and %s', w.path, w.dll, w.symbol,
                      case when w.reason = 'blind' then format('the exports of %s were not read: collect it with symbols', w.chain -> -1 ->> 'path')
                           else format('%s was not collected', coalesce(w.chain -> -1 ->> 'dll', w.dll)) end))
    from (select * from wanting union select * from relying) w
    join imports_twin t on t.lead = w.host_id
    group by t.host_id
$$;
comment on function evenkeel.risk_blind() is
    'Hosts on which something that the patch''s files newly import cannot be judged, or that others import from them and the files '
    'before them gave for certain; and the first such import.';

create or replace function evenkeel.risk_demands()
returns table (host_id uuid, code text, title text, product text, required text, below boolean, level text, declared text)
language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select h.host_id, t.code, t.title, p.name, l.code, not isempty(held.levels) and upper(held.levels) <= l.ordinal,
           case when isempty(held.levels) then 'its files disagree' else level_range_text(p.product_id, held.levels) end, level_range_text(p.product_id, b.declared)
    from state_host h
    join host_product b using (host_id)
    join overlay_patch o using (product_id)
    join product p using (product_id)
    join patch t on t.patch_id = o.patch_id
    join level l on l.product_id = p.product_id and l.ordinal = (select min(r) from unnest(t.required_levels) r)
    cross join lateral (select coalesce(b.declared, b.levels) as levels) held
    where l.ordinal > 0 and not coalesce(lower(held.levels) >= l.ordinal, false)
$$;
comment on function evenkeel.risk_demands() is
    'Hosts of state_host that are below the lowest level that the patch may be installed on, or may be: by what is declared, else by '
    'what their files say.';

create or replace function evenkeel.risk_compare(payload boolean)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with come as materialized (
        select s.host_id, s.check_code, s.subject, s.severity, s.summary, s.evidence
        from state_finding s
        left join finding f on (f.host_id, f.check_code, f.subject) = (s.host_id, s.check_code, s.subject) and f.closed_at = 'infinity'
        where (f.host_id is null
               -- The same importer and DLL, but more symbols than before.
               or not coalesce(s.evidence -> 'symbols', '[]') <@ coalesce(f.evidence -> 'symbols', '[]')
               or array_position(array['low', 'medium', 'high'], s.severity) > array_position(array['low', 'medium', 'high'], f.severity))
          -- That it would be half there is for want of knowing all that it brings.
          and not (s.check_code = 'partial-patch' and s.subject in (select t.code from overlay_patch join patch t using (patch_id))
                   and exists (select from overlay_touch t where t.host_id = s.host_id and t.doubt is not null))
    ), demand as materialized (
        select * from evenkeel.risk_demands()
    ), below as materialized (
        select d.host_id, 'patch-below-prerequisite' as check_code, d.code as subject, 'high' as severity,
               format('%s needs %s or later, and %s is %s here', d.code, d.required, d.product, d.level) as summary,
               jsonb_build_object('patch', d.code, 'title', d.title, 'product', d.product, 'required', d.required, 'listed', false,
                                  'declared', d.declared, 'below', '[]'::jsonb, 'below_count', 0) as evidence
        from demand d
        where d.below
          and not exists (select from come c where (c.host_id, c.check_code, c.subject) = (d.host_id, 'patch-below-prerequisite', d.code))
    ), mixed as materialized (
        select a.* from evenkeel.risk_already() a join state_host h using (host_id)
        union all
        -- A file that fails now, that the patch replaces, and that fails still.
        select f.host_id, f.check_code, f.subject, s.severity, s.summary, s.evidence
        from finding f
        join state_finding s on (s.host_id, s.check_code, s.subject) = (f.host_id, f.check_code, f.subject)
        where f.check_code = 'unresolved-import' and f.closed_at = 'infinity'
          and exists (select from evenkeel.risk_landed() l where l.host_id = f.host_id and l.path = f.evidence #>> '{importer,path}')
          and not exists (select from come c where (c.host_id, c.check_code, c.subject) = (f.host_id, f.check_code, f.subject))
    ), listed as (
        select host_id, jsonb_agg(jsonb_build_object('check', check_code, 'subject', subject, 'severity', severity, 'summary', summary,
                                                     'new', fresh, 'evidence', evidence)
                                  order by fresh desc, weight, subject) as findings,
               (array_agg(case when fresh then summary else format('already %s: %s',
                              case check_code when 'mixed-level' then 'mixed' when 'partial-patch' then 'half patched' when 'unresolved-import' then 'broken'
                                              else 'waiting for a restart' end, summary) end
                          order by fresh desc, weight, subject))[1] as first,
               (array_agg(format('reapply %s first', evidence ->> 'target') order by subject) filter (where check_code = 'mixed-level' and not fresh and evidence ->> 'target' is not null))[1] as advice,
               count(*) as total
        from (select *, true as fresh, case check_code when 'patch-below-prerequisite' then -1 when 'unresolved-import' then 0 when 'mixed-level' then 1 else 2 end
                                       + case severity when 'high' then 0 else 3 end as weight
              from (table come union all table below) c
              union all select *, false, 0 from mixed) x
        group by host_id
    ), unjudged as (
        select x.host_id, string_agg(x.says, '; ' order by x.place, x.says) as says
        from (select 1 as place, b.host_id, b.missing as says
              from host_product b join overlay_patch using (product_id) join state_host h using (host_id)
              where b.verdict = 'unknown'
              union all
              -- What the patch brings is on no baseline: nothing could be said of the host any more.
              select 2, s.host_id, format('after %s %s could not be judged: %s where it is installed%s', patch.code, p.name, s.missing,
                                          case when patch.silent then format(', or say what it needs (evenkeel patch add %s --requires)', patch.code) end)
              from state_product s join product p using (product_id) left join host_product b using (host_id, product_id)
              cross join (select min(t.code) as code, bool_or(t.required_levels = '{}') as silent from overlay_patch o join patch t using (patch_id)) patch
              where s.verdict = 'unknown' and b.verdict is distinct from 'unknown'
              union all
              select 3, d.host_id, format('it needs %s or later, and which level %s has is not known for certain: %s', d.required, d.product, d.level)
              from demand d where not d.below
              union all
              select 4, t.host_id, w.says
              from overlay_touch t join overlay_host o using (host_id)
              cross join lateral (values (t.doubt), (o.doubt)) w (says)
              where w.says is not null
              union all
              select 5, c.host_id, evenkeel.unreadable_text(c.unreadable)
              from host_checkin c join state_host h using (host_id)
              where c.unreadable > 0
                and not exists (select from host_product b join overlay_patch using (product_id) where b.host_id = c.host_id and b.verdict = 'unknown')) x
        group by x.host_id
    ), blind as (
        select host_id, string_agg(says, '; ' order by place, says) as says
        from (select 1 as place, b.* from evenkeel.risk_blind() b
              union all select 2, u.* from evenkeel.risk_unread() u where payload
              union all select 3, r.* from evenkeel.risk_removed() r where payload) x
        group by host_id
    )
    insert into risk_result (host_id, verdict, reason, findings, kept, replaced)
    select h.host_id,
           case when l.host_id is not null then 'at risk' when u.host_id is not null or b.host_id is not null or not payload then 'unknown' else 'safe' end,
           case when l.host_id is not null
                then concat_ws('; ', l.first, l.advice, case when l.total > 1 then format('and %s more', l.total - 1) end)
                when u.host_id is not null or b.host_id is not null or not payload
                then concat_ws('; ', case when not payload and t.doubt is null then 'no version risk, imports unknown: add the patch''s payload (evenkeel patch add)' end, u.says, b.says)
                else concat_ws('; ', format('%s %s replaced', t.replaced, case when t.replaced = 1 then 'file' else 'files' end),
                               case when t.added <> '{}' then format('%s added', cardinality(t.added)) end,
                               case when t.kept <> '[]' then format('keeps %s newer, such as %s %s', jsonb_array_length(t.kept), t.kept -> 0 ->> 'path',
                                                                    t.kept -> 0 ->> 'version') end) end,
           coalesce(l.findings, '[]'), t.kept, t.replaced + cardinality(t.added)
    from state_host h
    join overlay_touch t using (host_id)
    left join listed l using (host_id)
    left join unjudged u using (host_id)
    left join blind b using (host_id)
$$;
comment on function evenkeel.risk_compare(boolean) is 'Findings after minus findings before, for the hosts of state_host.';
