-- What is told of a plan: its steps, what is left out of it, and what is found then.

create or replace function evenkeel.plan_by_hand(check_code text, evidence jsonb)
returns text language sql stable
as $$
    select case check_code
        when 'unresolved-import' then format('by hand: bring %s and %s to builds that belong together, or take off the patch that brought '
                                             'it', evidence #>> '{importer,path}', evidence ->> 'dll')
        when 'partial-patch' then format('by hand: take %s off the host (its uninstaller), or install a patch that replaces it',
                                         evidence ->> 'patch')
        when 'patch-below-prerequisite' then format('by hand: take %s off the host, or bring the files to %s', evidence ->> 'patch',
                                                    evidence ->> 'required')
        when 'mixed-level' then 'by hand: replace the files that it names by those of the level, from its media'
        when 'missing-file' then 'by hand: copy it from the media, or disable the service that needs it'
        when 'outside-store' then 'by hand: let Windows repair its component store (sfc /scannow, dism /online /cleanup-image '
                                  '/restorehealth)'
        when 'pending-reboot' then 'by hand: restart the host again, and see which program asks for it' end
$$;
comment on function evenkeel.plan_by_hand(text, jsonb) is 'What to do about a finding that no step mends.';

create or replace function evenkeel.plan_doubts(planned uuid)
returns void language sql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    insert into plan_doubt (place, says)
    -- What of it is unknown now is told of the host, not of the plan.
    select 1, format('%s could not be judged after these steps: %s', p.name, s.missing)
    from state_product s
    join product p using (product_id)
    left join host_product b on (b.host_id, b.product_id) = (s.host_id, s.product_id)
    where s.verdict = 'unknown' and b.verdict is distinct from 'unknown'
    union
    select 1, format('which build of %s is there then is not known', pa.path)
    from plan_file p join path pa using (path_id) join file f on f.file_id = p.file_id join image i on i.image_id = f.image_id
    where p.file_id is distinct from p.was and i.file_version is null and not exists (select from plan_doubt d where d.place = 2)
    union
    -- An uninstaller puts back what it kept; where the hotfix comes again, that does not stay.
    select 4, format('which files are there once %s is off the host is not known: its uninstaller puts back what it kept', r.subject)
    from plan_step r
    where r.stage = 45 and r.laid
      and not exists (select from plan_step h where h.stage = 61 and h.subject = r.subject and h.laid
                                                and (h.left_out is null or h.instead is not null))
    union
    select 6, u.says from evenkeel.risk_unread() u
    union
    select 7, b.says from evenkeel.risk_blind() b
    union
    select 8, r.says from evenkeel.risk_removed() r
    on conflict do nothing
$$;
comment on function evenkeel.plan_doubts(uuid) is 'Adds to plan_doubt why the host can''t be judged wholly as it is after all steps.';

create or replace function evenkeel.plan_remains(planned uuid)
returns table (place bigint, what text, why text)
language sql stable set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
    with waived as (
        select w.check_code, w.subject from waiver w where w.host_id = planned and w.until > now()
    ), file_check as (
        select d.code from check_definition d where d.scope = 'host' and 'files' = any (d.reads)
    )
    select row_number() over (order by evenkeel.severity_rank(s.severity) desc, s.check_code, s.subject),
           s.check_code || ' ' || s.subject || ' remains',
           concat_ws('; ', s.summary, evenkeel.plan_by_hand(s.check_code, s.evidence))
    from state_finding s
    where s.check_code in (select code from file_check) and (s.check_code, s.subject) not in (select check_code, subject from waived)
    union all
    -- Identities, keys, groups: no file that a step brings says anything of them.
    select 1000000 + row_number() over (order by f.check_code, f.subject),
           f.check_code || ' ' || f.subject || ' remains until the host reports',
           'no file mends it: what the steps say of it is done by hand, and it is judged anew then'
    from finding f
    where f.host_id = planned and f.closed_at = 'infinity' and f.check_code not in (select code from file_check)
      and (f.check_code, f.subject) not in (select check_code, subject from waived)
$$;
comment on function evenkeel.plan_remains(uuid) is
    'What is found on the host after all steps that nobody waived, and what can''t be seen by files.';

create or replace function evenkeel.plan_says(planned uuid)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
declare
    remaining bigint;
    doubts bigint;
    moved bigint := (select count(*) from plan_file where file_id is distinct from was);
begin
    insert into plan_row (place, action, what, why)
    select 2000 + row_number() over (order by r.place), 'then', r.what, r.why from evenkeel.plan_remains(planned) r
    order by r.place limit 20;
    select count(*) into remaining from evenkeel.plan_remains(planned);
    if remaining > 20 then
        insert into plan_row (place, action, what, why)
        values (3000, 'then', evenkeel.counted(remaining - 20, 'more finding remains', 'more findings remain'), 'only 20 are named');
    end if;
    select count(*) into doubts from plan_doubt;
    if remaining = 0 and exists (select from plan_step) then
        insert into plan_row (place, action, what, why)
        values (2000, 'then', case when doubts = 0 then 'nothing is found' else 'nothing is found, as far as is known' end,
                format('the steps, laid over the host one after the other, change %s %s, and no check finds anything after them', moved,
                       case when moved = 1 then 'file' else 'files' end));
    end if;
    insert into plan_row (place, action, what, why)
    select 4000, 'unknown', 'not all is known of what is found then',
           (select string_agg(d.says, '; ' order by d.place, d.says)
            from (select p.place, p.says from plan_doubt p order by p.place, p.says limit 10) d)
           || case when doubts > 10 then format('; and %s more', doubts - 10) else '' end
    where doubts > 0;
end
$$;
comment on function evenkeel.plan_says(uuid) is 'Fills plan_row with what is found after all steps, and what could not be judged.';

create or replace function evenkeel.plan_answer(planned uuid)
returns void language plpgsql set search_path = pg_temp, evenkeel, pg_catalog, public
as $$
begin
    -- An import that is resolved by then need not be looked at again.
    delete from plan_step s
    where s.stage = 70 and not exists (select from state_finding f where f.check_code = 'unresolved-import' and f.subject = s.subject);
    insert into plan_row (place, action, what, why)
    select row_number() over (order by case when s.left_out is not null then 60 else s.stage end, s.place, s.number), w.action, w.what,
           w.why
    from plan_step s
    cross join lateral (
        select case when s.left_out is null then s.action else 'leave out' end as action, s.what,
               case when s.left_out is not null then s.left_out
                    when s.stage = 62 then (select string_agg(coalesce(h.instead, h.what), ', ' order by h.number)
                                                   || ' takes effect with it'
                                            from plan_step h
                                            where h.stage = 61 and h.restart and (h.left_out is null or h.instead is not null))
                    else s.why end as why
        union all
        select 'install hotfix', s.instead, format('it replaces %s, which is left out, and does without what that lacks', s.subject)
        where s.instead is not null) w
    -- Without what it is for, no restart.
    where not (s.stage = 51 and not exists (select from plan_step l where l.stage = 50 and l.left_out is null))
      and w.why is not null;
    perform evenkeel.plan_doubts(planned);
    perform evenkeel.plan_says(planned);
    update plan_row r set step = n.step
    from (select ctid, row_number() over (order by place, action <> 'leave out')::integer as step from plan_row) n where n.ctid = r.ctid;
end
$$;
comment on function evenkeel.plan_answer(uuid) is 'Fills plan_row once all steps are laid over the host.';

create or replace function evenkeel.plan_hindrance()
returns text language sql stable
as $$
    select case
        when pg_is_in_recovery() then 'this database is a standby: ask the primary'
        when current_setting('transaction_read_only')::boolean then 'the transaction may write nothing'
        -- What runs with the owner's rights must not meet temporary relations or types that the caller made under its names.
        when exists (select from pg_catalog.pg_class c where c.relnamespace = pg_my_temp_schema() and c.relowner <> current_user::regrole)
             or exists (select from pg_catalog.pg_type t where t.typnamespace = pg_my_temp_schema() and t.typowner <> current_user::regrole)
        then 'this session has temporary relations of its own: ask in a new one'
        when not has_table_privilege('evenkeel.judge_queue', 'delete') then format('%s only looks', current_user)
        when not exists (select from evenkeel.check_definition) then 'no check is loaded' end
$$;
comment on function evenkeel.plan_hindrance() is 'Why no steps can be laid over a host in this transaction; null: they can.';

create or replace function evenkeel.plan(planned uuid)
returns table (step integer, action text, what text, why text) language plpgsql
as $$
declare
    hindrance text := evenkeel.plan_hindrance();
begin
    if hindrance is not null then
        return query
        select s.number, s.action, s.what, s.why from evenkeel.plan_steps(planned) s
        union all
        select 1 + count(*)::integer, 'unknown', 'not all is known of what is found then',
               'the steps were not laid over the host: ' || hindrance
        from evenkeel.plan_steps(planned) having count(*) > 0
        order by 1;
        return;
    elsif not exists (select from evenkeel.plan_steps(planned)) then
        return;
    end if;
    begin
        perform evenkeel.lock_catalogue_shared();
        perform evenkeel.plan_begin(planned);
        perform evenkeel.plan_lay(planned);
        perform evenkeel.plan_answer(planned);
        return query select r.step, r.action, r.what, r.why from pg_temp.plan_row r order by r.step;
        raise exception using errcode = 'EVK00';
    exception when sqlstate 'EVK00' then
        -- What is returned stays returned. Locks, and what was stored on the way, go.
        null;
    end;
end
$$;
comment on function evenkeel.plan(uuid) is
    'The way back of a host as ordered steps: what its findings that are not waived ask for, each laid over the host as a patch is, '
    'without those after which something new is found. The last rows tell what is found then (action: then), and what could not be judged '
    '(unknown). No rows: nothing to do.';
