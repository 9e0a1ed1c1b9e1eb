-- A host's steps laid over it one after the other, each judged as risk judges a patch: what breaks something is no step.

create or replace function evenkeel.plan_begin(planned uuid)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    perform evenkeel.plan_open();
    insert into plan_step (number, stage, place, action, what, why, product_id, ordinal, restart, file_path, subject)
    select * from evenkeel.plan_steps(planned);
    perform evenkeel.plan_reset(planned);
end
$$;
comment on function evenkeel.plan_begin(uuid) is 'Begins to lay the plan of a host over it: its steps, and the host as it is.';

create or replace function evenkeel.plan_reset(planned uuid)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    delete from plan_file; delete from plan_facts; delete from plan_found; delete from plan_fresh; delete from plan_doubt;
    delete from overlay_reached;
    insert into plan_file (path_id, was, before, file_id)
    select f.path_id, u.file_id, u.file_id, u.file_id
    from host_inventory_current i
    cross join unnest(i.chunk_ids) c (chunk_id)
    join chunk k using (chunk_id)
    cross join unnest(k.file_ids) u (file_id)
    join file f on f.file_id = u.file_id
    where i.host_id = planned
    on conflict (path_id) do nothing;
    analyze plan_file;
    insert into plan_facts (host_id, valid_from, valid_to, taken_at, digest, body, facts)
    select f.host_id, f.valid_from, f.valid_to, f.taken_at, f.digest, f.body, f.facts from host_facts_current f where f.host_id = planned;
    insert into plan_found (check_code, subject, severity, symbols)
    select f.check_code, f.subject, f.severity, coalesce(f.evidence -> 'symbols', '[]')
    from finding f join check_definition d on d.code = f.check_code
    where f.host_id = planned and f.closed_at = 'infinity' and d.scope = 'host';
    update plan_step set laid = false, instead = null, left_out = case when stage = 50 then left_out end;
end
$$;
comment on function evenkeel.plan_reset(uuid) is 'Takes all steps off the host again; of levels that are left out that stays.';

create or replace function evenkeel.plan_judge(planned uuid)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    definition record;
begin
    delete from overlay_host; delete from overlay_landing; delete from overlay_new; delete from overlay_plan_file;
    insert into overlay_host (host_id, plan, reading, place)
    select f.host_id, '0::', evenkeel.host_reading(f.facts), 1 from plan_facts f;
    insert into overlay_landing (plan, file_id, action, brought, image_id, new_file_id)
    select '0::', p.was, case when p.file_id is null then 'remove' else 'replace' end, i.file_version, i.image_id, p.file_id
    from plan_file p left join file f on f.file_id = p.file_id left join image i on i.image_id = f.image_id
    where p.was is not null and p.file_id is distinct from p.was;
    insert into overlay_new (plan, reading, name, machine, path_id, image_id, file_id)
    select '0::', h.reading, pa.name, i.machine, p.path_id, i.image_id, p.file_id
    from overlay_host h cross join plan_file p
    join path pa on pa.path_id = p.path_id
    join file f on f.file_id = p.file_id
    join image i on i.image_id = f.image_id
    where p.was is null;
    perform evenkeel.overlay_focus();
    -- All that the host imports is looked at, for what fails now may be mended.
    delete from state_focus;
    perform evenkeel.overlay_chunks(array[planned]), evenkeel.overlay_state(array[planned]);
    insert into state_host select i.host_id, i.chunk_ids from host_inventory_current i where i.host_id = planned on conflict do nothing;
    perform evenkeel.judge_state();
    for definition in select code from check_definition where scope = 'host' order by code loop
        perform evenkeel.run_check(definition.code);
    end loop;
end
$$;
comment on function evenkeel.plan_judge(uuid) is 'Fills state_finding and state_product with the host as it is after the steps so far.';

create or replace function evenkeel.plan_fresh_of(step integer)
returns table (check_code text, subject text, severity text, summary text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    select s.check_code, s.subject, s.severity, s.summary
    from state_finding s
    left join plan_found f using (check_code, subject)
    where (f.subject is null or not coalesce(s.evidence -> 'symbols', '[]') <@ f.symbols
           or evenkeel.severity_rank(s.severity) > evenkeel.severity_rank(f.severity))
      -- What a level takes back the hotfixes after it bring again, and its restart is a step of its own.
      and not (s.check_code in ('partial-patch', 'patch-below-prerequisite')
               and exists (select from plan_step l where l.number > step and l.stage = 61 and l.subject = s.subject and l.left_out is null))
      and not (s.check_code = 'mixed-level'
               and exists (select from plan_step l join product p using (product_id)
                           where l.number > step and l.stage = 50 and p.code = s.subject and l.left_out is null))
$$;
comment on function evenkeel.plan_fresh_of(integer) is
    'What is found after that step and was not before it, but for what later steps are there for.';

create or replace function evenkeel.plan_keep()
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    update plan_file set before = file_id where before is distinct from file_id;
    delete from plan_found;
    insert into plan_found (check_code, subject, severity, symbols)
    select s.check_code, s.subject, s.severity, coalesce(s.evidence -> 'symbols', '[]') from state_finding s;
$$;
comment on function evenkeel.plan_keep() is 'Keeps the step in hand: the next one goes on top of it.';

create or replace function evenkeel.plan_breaks(check_code text, summary text)
returns text language sql immutable
as $$
    select 'with it ' || case when check_code = 'unresolved-import'
                              then regexp_replace(regexp_replace(summary, ' imports ', ' would import '), ' needs ', ' would need ')
                              else format('%s would be found: %s', check_code, summary) end
$$;
comment on function evenkeel.plan_breaks(text, text) is 'Why a step is left out, by what would be found after it.';

create or replace function evenkeel.plan_try(planned uuid, step integer, code text)
returns text language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    said jsonb := (select f.facts from plan_facts f);
    reason text;
begin
    perform evenkeel.plan_land_patch(planned, code);
    if evenkeel.plan_changes() then
        perform evenkeel.plan_judge(planned);
        select evenkeel.plan_breaks(w.check_code, w.summary) into reason from evenkeel.plan_fresh_of(step) w
        order by evenkeel.severity_rank(w.severity) desc, w.check_code <> 'unresolved-import', w.subject limit 1;
        if reason is null then
            perform evenkeel.plan_keep();
        else
            perform evenkeel.plan_take_back();
            update plan_facts set facts = said;
        end if;
    end if;
    return reason;
end
$$;
comment on function evenkeel.plan_try(uuid, integer, text) is
    'Lays a patch over the host as that step; returns why it can''t be one, and takes it back then; null: it is.';

create or replace function evenkeel.plan_lay_hotfix(planned uuid, step integer, most integer)
returns integer language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    hotfix plan_step := (select s from plan_step s where s.number = step);
    reason text;
    other record;
    tried integer := 1;
begin
    if not exists (select from patch t join patch_table f using (patch_id) where t.code = hotfix.subject) then
        insert into plan_doubt (place, says)
        values (4, format('what %s brings is not known: import its table (evenkeel catalog import-kb), or add its payload (evenkeel patch '
                          'add)', hotfix.subject))
        on conflict do nothing;
        perform evenkeel.plan_list(hotfix.subject, true);
        return 0;
    elsif most <= 0 then
        insert into plan_doubt (place, says)
        values (5, format('%s and what comes after it was not laid over the host: there are too many steps', hotfix.subject))
        on conflict do nothing;
        return 0;
    end if;
    reason := evenkeel.plan_try(planned, step, hotfix.subject);
    if reason is not null then
        -- One that replaces it may do without what it lacks.
        for other in select t.code from patch t
                     join host_product hp on (hp.host_id, hp.product_id) = (planned, t.product_id)
                     cross join unnest(t.supersedes) s (code)
                     where patch_number(s.code) = patch_number(hotfix.subject) and t.has_payload and t.code <> hotfix.subject
                       and (t.required_levels = '{}'
                            or coalesce((select upper(r.levels) - 1 from overlay_reached r where r.product_id = t.product_id),
                                        upper(hp.declared) - 1, hp.at_ordinal) = any (t.required_levels))
                     order by t.released desc nulls last, t.code desc limit 3 loop
            tried := tried + 1;
            if evenkeel.plan_try(planned, step, other.code) is null then
                update plan_step set instead = other.code where number = step;
                exit;
            end if;
        end loop;
    end if;
    update plan_step set laid = true, left_out = reason where number = step;
    return tried;
end
$$;
comment on function evenkeel.plan_lay_hotfix(uuid, integer, integer) is
    'Lays a hotfix over the host, or one that replaces it where it breaks something; returns how many were tried, of at most so many.';

create or replace function evenkeel.plan_lay_levels(planned uuid)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    step plan_step;
    wanted text;
begin
    for step in select * from plan_step s where s.stage <= 50 and s.left_out is null order by s.number loop
        if step.stage = 10 then
            perform evenkeel.plan_land_renames();
        elsif step.stage = 40 then
            foreach wanted in array coalesce(string_to_array(step.file_path, E'\n'), '{}') loop
                perform evenkeel.plan_land_file(wanted);
            end loop;
        elsif step.action = 'install hotfix' then
            perform evenkeel.plan_lay_hotfix(planned, step.number, 1);
            continue;
        elsif step.stage = 45 then
            perform evenkeel.plan_list(step.subject, false);
        elsif step.stage = 50 then
            perform evenkeel.plan_land_level(step.product_id, step.ordinal);
        else
            continue;
        end if;
        if step.stage in (10, 50) then
            perform evenkeel.plan_judge(planned);
            insert into plan_fresh
            select step.number, w.check_code, w.subject, w.summary from evenkeel.plan_fresh_of(step.number) w
            where step.stage = 50 and w.severity = 'high';
            perform evenkeel.plan_keep();
        end if;
        update plan_file set before = file_id where before is distinct from file_id;
        update plan_step set laid = true where number = step.number;
    end loop;
end
$$;
comment on function evenkeel.plan_lay_levels(uuid) is
    'Lays over the host what comes before the hotfixes: what waits for a restart, files, levels.';

create or replace function evenkeel.plan_lay(planned uuid, most integer default 40)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    step integer;
    leaves integer;
    left_most integer;
begin
    loop
        left_most := most;
        perform evenkeel.plan_lay_levels(planned);
        for step in select s.number from plan_step s where s.stage = 61 order by s.number loop
            left_most := left_most - evenkeel.plan_lay_hotfix(planned, step, left_most);
        end loop;
        perform evenkeel.plan_judge(planned);
        -- What came with a level and no later step mended is that level's.
        select r.number into leaves
        from plan_fresh r join state_finding s using (check_code, subject)
        order by r.number, r.check_code <> 'unresolved-import', r.subject limit 1;
        exit when leaves is null;
        update plan_step p set left_out = (
            select evenkeel.plan_breaks(r.check_code, r.summary) from plan_fresh r join state_finding s using (check_code, subject)
            where r.number = leaves order by r.check_code <> 'unresolved-import', r.subject limit 1)
        where p.number = leaves;
        perform evenkeel.plan_reset(planned);
    end loop;
end
$$;
comment on function evenkeel.plan_lay(uuid, integer) is
    'Lays all steps over the host, at most so many hotfixes; state_finding and state_product are what is found then.';
