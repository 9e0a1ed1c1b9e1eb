-- Where forwarders lead, symbol by symbol: a graph in which every symbol has at most one way on. Each symbol is followed once, however
-- many lead to it, and a circle is cut where it closes, so that the work grows with the number of forwarders and no faster. Without nested
-- loops, for the planner can't know how many there are.

create or replace function evenkeel.chains_begin()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
begin
    truncate imports_node, imports_way, imports_expanded restart identity;
    insert into imports_node (context_id, dll, symbol, to_dll, to_symbol, ended, deep)
    with pair as materialized (
        select distinct p.* from imports_open_step o join import_pair p using (need_id, image_id)
    ), lacking as materialized (
        select p.need_id, p.image_id, m.symbol, p.blind from pair p cross join unnest(p.missing) m (symbol)
    ), led as materialized (
        select p.need_id, p.image_id, f.symbol, n.dll, f.target, n.api_set_from
        from pair p
        cross join unnest(p.forwarded, p.forward_needs, p.forward_symbols) f (symbol, onward, target)
        join import_need n on n.need_id = f.onward
    )
    select distinct on (o.context_id, n.dll, x.symbol) o.context_id, n.dll, x.symbol, l.dll, l.target,
           case when o.image_id is null then case when r.gone then 'gone' else 'unreachable' end
                when m.symbol is not null then case when m.blind then 'blind' else 'missing' end end, o.deep
    from imports_open_step o
    join imports_context c using (context_id)
    join import_need n using (need_id)
    join imports_resolved r on r.context_id = o.context_id and r.dll = n.dll
    cross join unnest(n.symbols) x (symbol)
    left join lacking m on m.need_id = o.need_id and m.image_id = o.image_id and m.symbol = x.symbol
    left join led l on l.need_id = o.need_id and l.image_id = o.image_id and l.symbol = x.symbol
              and (l.api_set_from <= c.windows) is not true
    where o.image_id is null or m.symbol is not null or l.dll is not null
    order by o.context_id, n.dll, x.symbol, o.deep;
    analyze imports_node;
end
$$;
comment on function evenkeel.chains_begin() is 'Fills imports_node with the symbols of imports_open_step that are not there, or lead on.';

create or replace function evenkeel.chains_expand()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
declare
    -- Through more DLLs no chain of an honest host leads.
    rounds integer := 64;
begin
    loop
        truncate imports_frontier;
        insert into imports_frontier (context_id, dll)
        select distinct n.context_id, n.to_dll
        from imports_node n
        where n.deep and n.to_dll is not null
          and not exists (select from imports_expanded e where e.context_id = n.context_id and e.dll = n.to_dll);
        exit when not found;
        rounds := rounds - 1;
        if rounds < 0 then
            update imports_node n set ended = 'unreachable' where n.deep
                and exists (select from imports_frontier f where f.context_id = n.context_id and f.dll = n.to_dll);
            return;
        end if;
        insert into imports_name select distinct dll, false from imports_frontier on conflict (name) do nothing;
        truncate imports_asked;
        insert into imports_asked select context_id, dll from imports_frontier;
        perform evenkeel.imports_find_files();
        perform evenkeel.imports_pick();

        -- All forwarders of an image at once, then what of the targets is not there.
        insert into imports_node (context_id, dll, symbol, to_dll, to_symbol, deep)
        select f.context_id, f.dll, w.symbol, w.to_dll, w.to_symbol, true
        from imports_frontier f
        join imports_context c using (context_id)
        join imports_resolved r using (context_id, dll)
        join (select i.image_id, left(e, strpos(e, '=') - 1) as symbol,
                     evenkeel.import_dll(substring(substr(e, strpos(e, '=') + 1) from '^(.*)\.')) as to_dll,
                     substring(e from '[^.]*$') as to_symbol
              from (select distinct image_id from imports_frontier join imports_resolved using (context_id, dll)) k
              join image i using (image_id) cross join unnest(i.forwarders) e
              where substr(e, strpos(e, '=') + 1) like '%.%') w using (image_id)
        where (evenkeel.api_set_from(w.to_dll) <= c.windows) is not true
          and not exists (select from imports_node n where n.context_id = f.context_id and n.dll = f.dll and n.symbol = w.symbol);
        insert into imports_node (context_id, dll, symbol, ended, deep)
        select distinct n.context_id, n.to_dll, n.to_symbol,
               case when r.image_id is null then case when r.gone then 'gone' else 'unreachable' end
                    when evenkeel.exports_unread(i.has_symbols, i.defects) then 'blind' else 'missing' end, true
        from imports_node n
        join imports_frontier f on f.context_id = n.context_id and f.dll = n.to_dll
        join imports_resolved r on r.context_id = f.context_id and r.dll = f.dll
        left join image i on i.image_id = r.image_id
        left join (select i.image_id, s.symbol
                   from (select distinct image_id from imports_frontier join imports_resolved using (context_id, dll)) k
                   join image i using (image_id)
                   cross join lateral (select unnest(i.export_names)
                                       union all select '#' || o from unnest(i.export_ordinals) o) s (symbol)) x
                  on x.image_id = r.image_id and x.symbol = n.to_symbol
        where n.deep and x.symbol is null
          and not exists (select from imports_node k where k.context_id = n.context_id and k.dll = n.to_dll and k.symbol = n.to_symbol);
        insert into imports_expanded select context_id, dll from imports_frontier;
        analyze imports_node; analyze imports_expanded;
    end loop;
end
$$;
comment on function evenkeel.chains_expand() is
    'Goes on where imports_follow() stopped: of every image that deep chains lead to all forwarders are taken at once.';

create or replace function evenkeel.chains_end()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
declare
    next integer[];
    -- Where each ends: 0 well, else the node; of a circle one of its nodes. Known first of those that end where they are.
    ends integer[];
    seen integer[];
    path integer[];
    length integer;
    here integer;
begin
    select array_agg(case when n.ended is null then coalesce(t.node, 0) end order by n.node),
           array_agg(case when n.ended is not null then n.node end order by n.node)
    into next, ends
    from imports_node n
    left join imports_node t on t.context_id = n.context_id and t.dll = n.to_dll and t.symbol = n.to_symbol;
    seen := array_fill(0, array[coalesce(cardinality(next), 0)]);
    path := seen;
    for start in 1 .. coalesce(cardinality(next), 0) loop
        here := start;
        length := 0;
        while here > 0 and ends[here] is null and seen[here] <> start loop
            seen[here] := start;
            length := length + 1;
            path[length] := here;
            here := next[here];
        end loop;
        here := case when here > 0 then coalesce(ends[here], here) else 0 end;
        for place in 1 .. length loop
            ends[path[place]] := here;
        end loop;
    end loop;
    insert into imports_way (node, next, at, reason)
    select n.node, w.next, w.at, case when w.at > 0 then coalesce(e.ended, 'circle') end
    from imports_node n
    join unnest(next, ends) with ordinality w (next, at, node) on w.node = n.node
    left join imports_node e on e.node = w.at;
    analyze imports_way;
end
$$;
comment on function evenkeel.chains_end() is
    'Finds for every symbol of imports_node how its chain ends: each is gone through once, however many lead to it.';

create or replace function evenkeel.imports_tell()
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public set enable_nestloop = off
as $$
begin
    perform evenkeel.chains_begin();
    perform evenkeel.chains_expand();
    perform evenkeel.chains_end();
    -- Of what one file wants of one DLL the first fifty chains are told step by step, sixteen steps of each; of the others only how they
    -- begin and end.
    insert into imports_bad (context_id, need_id, symbol, reason, chain)
    with recursive told_node as materialized (
        select n.node, w.next, n.ended,
               jsonb_build_object('path', pa.path, 'version', evenkeel.version_text(i.file_version), 'forwards', n.symbol,
                                  'to', n.to_dll || '!' || n.to_symbol) as step,
               case when r.image_id is null then jsonb_build_object('dll', n.dll)
                    else jsonb_build_object('path', pa.path, 'version', evenkeel.version_text(i.file_version), 'lacks', n.symbol)
                    end as stop
        from imports_node n
        join imports_way w on w.node = n.node and w.reason is not null
        join imports_resolved r on r.context_id = n.context_id and r.dll = n.dll
        left join path pa on pa.path_id = r.path_id
        left join image i on i.image_id = r.image_id
    ), asked as materialized (
        select s.context_id, s.need_id, k.dll, x.symbol
        from imports_open_step s
        join import_need k using (need_id)
        cross join unnest(k.symbols) x (symbol)
        where s.root
    ), root as materialized (
        select a.context_id, a.need_id, n.node, n.symbol, w.reason, n.ended, w.at,
               row_number() over (partition by a.context_id, a.need_id order by n.ended is not null, n.symbol) as place
        from asked a
        join imports_node n on n.context_id = a.context_id and n.dll = a.dll and n.symbol = a.symbol
        join imports_way w on w.node = n.node and w.reason is not null
    ), walk as (
        select r.node as root, r.at, r.node, array[r.node] as seen, false as again, '[]'::jsonb as chain
        from (select distinct node, at from root where place <= 50 and ended is null) r
        union all
        select w.root, w.at, n.next, w.seen || n.next, n.next = any (w.seen), w.chain || n.step
        from walk w
        join told_node n on n.node = w.node
        where n.ended is null and not w.again and cardinality(w.seen) <= 16
    ), told as materialized (
        -- Of one that is longer the end is told, too.
        select distinct on (w.root) w.root, w.chain || case when w.again or n.ended is not null then n.stop else e.stop end as chain
        from walk w join told_node n on n.node = w.node join told_node e on e.node = w.at
        order by w.root, cardinality(w.seen) desc
    )
    select r.context_id, r.need_id, r.symbol, r.reason,
           case when r.ended is not null then jsonb_build_array(n.stop) else coalesce(t.chain, jsonb_build_array(n.step, e.stop)) end
    from root r
    join told_node n on n.node = r.node
    join told_node e on e.node = r.at
    left join told t on t.root = r.node;
end
$$;
comment on function evenkeel.imports_tell() is 'Fills imports_bad: symbol by symbol, where each that is open ends.';
