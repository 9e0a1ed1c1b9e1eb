-- API sets that a patch's files import and the files before them did not: whether a Windows that maps such names has this one.
--
-- Which sets a Windows has, and what is in them, stands in its apisetschema.dll, which isn't collected. Those of Windows 7 and of the
-- universal C runtime are known by name. Of another one vouches what the host held before: a file that imports it, or that is called so. Of
-- a symbol of a set: a file that imports it from there, or a DLL of the system that exports it, for sets hold nothing else. What nothing
-- vouches for may be there: no finding, and not safe either.

create or replace function evenkeel.api_set_contract(dll text)
returns text language sql immutable strict parallel safe
as $$ select regexp_replace(dll, '-\d+\.dll$', '') $$;
comment on function evenkeel.api_set_contract(text) is
    'The name of an API set without its last number, by which Windows 10 looks for it: api-ms-win-core-file-l1-2.';

create or replace function evenkeel.api_set_known(dll text, windows integer)
returns boolean language sql immutable parallel safe
as $$
    select case when windows < 1000 then evenkeel.api_set_from(dll) = 601
                else evenkeel.api_set_from(evenkeel.api_set_contract(dll) || '-0.dll') = 601
                     or dll ~ ('^api-ms-win-crt-(conio|convert|environment|filesystem|heap|locale|math|multibyte|private|process|runtime|'
                               || 'stdio|string|time|utility)-l1-1-\d+\.dll$') end
$$;
comment on function evenkeel.api_set_known(text, integer) is
    'Whether it is known by its name that a Windows (1000: 10.0) which maps API sets has this one.';

create or replace function evenkeel.risk_api_wants()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with landing as (
        select l.plan, l.file_id, p.path, n.image_id, o.image_id as old_image
        from overlay_landing l
        join file o on o.file_id = l.file_id
        join file n on n.file_id = l.new_file_id
        join path p on p.path_id = n.path_id
        where l.action = 'replace'
        union all
        select n.plan, null, p.path, n.image_id, null from overlay_new n join path p using (path_id)
    )
    insert into risk_api_want (plan, file_id, path, machine, dll, symbol)
    select distinct l.plan, l.file_id, l.path, i.machine, d.dll, s.symbol
    from landing l
    join image i on i.image_id = l.image_id
    join image_import m on m.image_id = l.image_id
    cross join lateral (select evenkeel.import_dll(m.dll) as dll) d
    cross join lateral (select unnest(m.names) union all select '#' || o from unnest(m.ordinals) o) s (symbol)
    where m.dll ~* '^(api|ext)-ms-'
      and not exists (select from image_import w
                      where w.image_id = l.old_image and evenkeel.import_dll(w.dll) = d.dll
                        and evenkeel.names_symbol(s.symbol, w.names, w.ordinals))
$$;
comment on function evenkeel.risk_api_wants() is 'Fills risk_api_want: what the files that the plans bring want of API sets anew.';

create or replace function evenkeel.risk_api_left()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with wanted as materialized (
        select n.need_id, n.dll, n.symbols
        from import_need n
        where n.api_set_from is not null
          and evenkeel.api_set_contract(n.dll) in (select evenkeel.api_set_contract(dll) from risk_api_want)
    ), host as materialized (
        select o.host_id, o.plan, i.chunk_ids, evenkeel.windows_number(f.os_version) as windows
        from overlay_host o join host_inventory_current i using (host_id) join host_facts_current f using (host_id)
        where o.plan in (select plan from risk_api_want)
    ), importing as materialized (
        -- Each chunk is looked through once, however many hosts hold it.
        select distinct k.chunk_id, w.dll, s.symbol
        from (select distinct unnest(chunk_ids) as chunk_id from host) c
        join chunk_imports k using (chunk_id)
        cross join unnest(k.need_ids) n (need_id)
        join wanted w using (need_id)
        cross join lateral (select '' union all select unnest(w.symbols)) s (symbol)
        where s.symbol = '' or s.symbol in (select symbol from risk_api_want)
    ), vouched as materialized (
        -- Windows 10 looks for a set without its last number.
        select distinct h.host_id, case when h.windows < 1000 then i.dll else evenkeel.api_set_contract(i.dll) end as name, i.symbol
        from host h cross join unnest(h.chunk_ids) u (chunk_id) join importing i using (chunk_id)
    ), named as materialized (
        select h.host_id, h.windows, h.chunk_ids, w.*,
               case when h.windows < 1000 then w.dll else evenkeel.api_set_contract(w.dll) end as name
        from host h join risk_api_want w using (plan)
        where evenkeel.api_set_from(w.dll) <= h.windows
    )
    insert into risk_api_left (host_id, plan, path, machine, dll, symbol, known)
    select w.host_id, w.plan, w.path, w.machine, w.dll, w.symbol,
           evenkeel.api_set_known(w.dll, w.windows)
           or exists (select from vouched v where (v.host_id, v.name, v.symbol) = (w.host_id, w.name, ''))
    from named w
    where not exists (select from vouched v where (v.host_id, v.name, v.symbol) = (w.host_id, w.name, w.symbol))
      and (w.file_id is null or exists (select from chunk c where c.file_ids @> array[w.file_id] and c.chunk_id = any (w.chunk_ids)))
$$;
comment on function evenkeel.risk_api_left() is 'Fills risk_api_left: what of risk_api_want no file of a host imports already.';

create or replace function evenkeel.risk_api_exporters()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into risk_api_exporter (host_id, machine, dll, symbol)
    with giving as materialized (
        select f.file_id, i.machine, case when p.name ~ '^(api|ext)-ms-' then p.name else '' end as dll, s.symbol
        from path p
        join file f using (path_id)
        join image i using (image_id)
        cross join lateral (select w.symbol from (select distinct symbol from risk_api_left) w where w.symbol = any (i.export_names)
                            union all select '' where p.name ~ '^(api|ext)-ms-') s
        where p.name in (select dll from risk_api_left)
           or (p.location ~ '^%windir%/(system32|syswow64)/[^/]+\.dll$' and i.export_names && array(select symbol from risk_api_left))
    )
    select distinct i.host_id, g.machine, g.dll, g.symbol
    from giving g
    join chunk c on c.file_ids @> array[g.file_id]
    join (select l.host_id, u.chunk_id
          from (select distinct host_id from risk_api_left) l
          join host_inventory_current h using (host_id) cross join unnest(h.chunk_ids) u (chunk_id)) i using (chunk_id)
    union
    -- What the patch brings itself.
    select l.host_id, i.machine, case when pf.name = l.dll then pf.name else '' end, s.symbol
    from risk_api_left l
    join overlay_plan_file pf using (plan)
    join image i on i.image_id = pf.image_id
    cross join lateral (select l.symbol where l.symbol = any (i.export_names) union all select '' where pf.name = l.dll) s
$$;
comment on function evenkeel.risk_api_exporters() is 'Fills risk_api_exporter: who on a host could give what risk_api_left names.';

create or replace function evenkeel.risk_api_doubts()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.risk_api_wants();
    if not exists (select from risk_api_want) then
        return;
    end if;
    perform evenkeel.index_content();
    perform evenkeel.risk_api_left();
    if not exists (select from risk_api_left) then
        return;
    end if;
    perform evenkeel.risk_api_exporters();
    analyze risk_api_left; analyze risk_api_exporter;
    insert into risk_api_doubt (host_id, says)
    select l.host_id, min(format(case when k.there then '%s would import %s!%s, which no file does yet and no DLL of the system exports: '
                                                        'whether that API set has it is not known'
                                      else '%s would import %s, an API set that no file of this host imports yet: whether its Windows has '
                                           'it is not known' end, l.path, l.dll, l.symbol))
    from risk_api_left l
    cross join lateral (select l.known or exists (select from risk_api_exporter e
                                                  where (e.host_id, e.machine, e.dll) = (l.host_id, l.machine, l.dll)) as there) k
    where not k.there
       or not exists (select from risk_api_exporter e
                      where (e.host_id, e.machine, e.symbol) = (l.host_id, l.machine, l.symbol) and e.dll in ('', l.dll))
    group by l.host_id;
    analyze risk_api_doubt;
end
$$;
comment on function evenkeel.risk_api_doubts() is
    'Fills risk_api_doubt: hosts on which a plan''s files want something of API sets that nothing there vouches for.';
