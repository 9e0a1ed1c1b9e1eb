-- Risk: what the checks find on hosts with a patch laid over them and not without it.

create or replace function evenkeel.risk_open(patch_code text, hosts text[], groups text[], excepted text[])
returns bigint language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    chosen uuid[];
begin
    perform evenkeel.lock_catalogue_shared();
    perform evenkeel.check_choice(hosts, groups, excepted);
    chosen := array(select c.host_id from evenkeel.chosen_hosts(hosts, groups, excepted) c);
    perform evenkeel.overlay_open();
    delete from overlay_reached;
    perform evenkeel.overlay_plan(patch_code, chosen);
    perform evenkeel.overlay_close();
    -- A host that never sent anything is among those that were asked for.
    insert into overlay_host (host_id, place, since)
    select h.host_id, (select count(*) from overlay_host) + row_number() over (order by h.host_id), array[null, null]::timestamptz[]
    from host h
    where h.host_id in (select unnest(chosen)) and not exists (select from overlay_host o where o.host_id = h.host_id);
    perform evenkeel.risk_result_open();
    delete from risk_result;
    delete from risk_stranger;
    insert into risk_stranger select s.host, s.reason from evenkeel.strange_hosts(hosts, excepted) s;
    return (select count(*) from overlay_host) + (select count(*) from risk_stranger);
end
$$;
comment on function evenkeel.risk_open(text, text[], text[], text[]) is
    'Begins to judge what a patch would do on the hosts that are chosen, as evenkeel.chosen_hosts(); '
    'returns how many there are. Commit behind it, then call risk_next() in one '
    'transaction until it returns 0.';

create or replace function evenkeel.risk_open(patch_code text, host_glob text)
returns bigint language sql
as $$ select evenkeel.risk_open(patch_code, case when host_glob is not null then array[host_glob] end, null, null) $$;
comment on function evenkeel.risk_open(text, text) is 'The same for hosts by one name or glob; null: all.';

create or replace function evenkeel.risk_next(most integer, max_age interval)
returns bigint language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    hosts uuid[];
    definition record;
    -- What the same code is called for products that no host here has says nothing of these.
    payload boolean := (select bool_and(p.has_payload) from overlay_patch p
                        where exists (select from overlay_host h where format(' %s', h.plan) like format('%% %s:%%', p.patch_id)));
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
          where k.lead = k.host_id and not exists (select from risk_result r where r.host_id = k.host_id)
          order by place limit most) n;
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
        perform evenkeel.find_component_stores();
        perform evenkeel.judge_levels();
        perform evenkeel.judge_patches();
        -- A check that reads no files can find nothing else than before.
        for definition in select code from check_definition d
                          where d.scope = 'host' and 'files' = any (d.reads) and (imports or not 'imports' = any (d.reads))
                          order by code loop
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
    update risk_result r
    set verdict = 'unknown', reason = 'it reported something else while this was worked out: ask again', findings = '[]', step = ''
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
          when 'pending-reboot' then
               jsonb_array_length(case jsonb_typeof(f.evidence -> 'components') when 'array' then f.evidence -> 'components'
                                  else '[]' end) = 0
               or exists (select from jsonb_array_elements(f.evidence -> 'components') e join touched t
                          on t.host_id = f.host_id and t.code = e ->> 'product' and t.component = e ->> 'component')
               or exists (select from jsonb_array_elements(f.evidence -> 'renames') e join evenkeel.risk_landed() l
                          on l.host_id = f.host_id and l.path in (e ->> 'from', e ->> 'to'))
          else false end
$$;
comment on function evenkeel.risk_already() is
    'Findings of hosts of state_host that are already mixed, half patched or waiting for a restart where the patch would land.';
