-- What commands ask of a fleet database. A function called over_cells_NAME stands there for evenkeel.NAME: see make_fleet().

create or replace function evenkeel.over_cells_shown_choice(hosts text[], groups text[], excepted text[])
returns uuid[] language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    names text[];
    ids uuid[];
    chosen uuid[];
    strange text;
    silent text;
begin
    if hosts is null and groups is null and excepted is null then
        return null;
    end if;
    -- Once of all cells.
    select array_agg(h.host), array_agg(h.host_id), string_agg(distinct h.cell, ', ') filter (where h.host_id is null)
        into names, ids, silent
    from ops.host h;
    select w.word into strange
    from unnest(coalesce(hosts, '{}') || coalesce(excepted, '{}')) w (word)
    where not exists (select from unnest(names, ids) h (name, host_id) where h.host_id is not null
                      and (evenkeel.names_host(w.word, h.name) or h.host_id::text = lower(w.word)))
    limit 1;
    if strange is not null then
        raise exception 'there is no host ''%'' in any cell%', strange,
            coalesce(format(' that answers; these do not: %s', silent), '; ''evenkeel hosts list'' names all')
            using errcode = 'no_data_found';
    end if;
    select coalesce(array_agg(h.host_id), '{}') into chosen
    from unnest(names, ids) h (name, host_id)
    where h.host_id is not null
      and ((hosts is null and groups is null)
           or exists (select from unnest(hosts) w (word) where evenkeel.names_host(w.word, h.name) or h.host_id::text = lower(w.word))
           or (groups is not null and h.host_id in (select g.host_id from ops.host_group g
                                                    where lower(g.group_name) in (select lower(w) from unnest(groups) w (w)))))
      and not exists (select from unnest(excepted) w (word)
                      where evenkeel.names_host(w.word, h.name) or h.host_id::text = lower(w.word));
    return chosen;
end
$$;
comment on function evenkeel.over_cells_shown_choice(text[], text[], text[]) is
    'As evenkeel.shown_choice(), over all cells.';

create or replace function evenkeel.over_cells_present_host(word text)
returns uuid language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    found uuid[] := evenkeel.over_cells_shown_choice(array[word], null, null);
begin
    if cardinality(found) > 1 then
        raise exception '% hosts of the cells are called ''%'': name one by its host_id: %', cardinality(found), word,
            array_to_string(found, ', ') using errcode = 'cardinality_violation';
    end if;
    return found[1];
end
$$;
comment on function evenkeel.over_cells_present_host(text) is 'As evenkeel.present_host(), over all cells.';

create or replace function evenkeel.over_cells_shown_unanswered(hosts uuid[])
returns table (host text, host_id uuid, check_code text, says text, files bigint)
language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select r.host, r.host_id, r.product, r.missing, r.files
    from evenkeel.of_cells(format('select host, host_id, check_code, says, files, null::text '
                                  'from evenkeel.shown_unanswered(%L::uuid[])', hosts), null::evenkeel.cell_row) r
$$;
comment on function evenkeel.over_cells_shown_unanswered(uuid[]) is 'As evenkeel.shown_unanswered(), over all cells.';

create or replace function evenkeel.over_cells_shown_unassigned(hosts uuid[])
returns table (host text, host_id uuid, unassigned bigint, files bigint)
language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select r.host, r.host_id, r.says::bigint, r.files
    from evenkeel.of_cells(format('select host, host_id, null::text, null::text, files, unassigned::text '
                                  'from evenkeel.shown_unassigned(%L::uuid[])', hosts), null::evenkeel.cell_row) r
$$;
comment on function evenkeel.over_cells_shown_unassigned(uuid[]) is 'As evenkeel.shown_unassigned(), over all cells.';

create or replace function evenkeel.over_cells_check(hosts uuid[], waived boolean, code text)
returns table (cell text, host text, "check" text, subject text, severity text, summary text, evidence jsonb, opened_at timestamptz)
language sql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select r.cell, r.host, r."check", r.subject, r.severity, r.summary, r.evidence, r.opened_at
    from (select f.cell, f.host, f.check_name as "check", f.subject, f.severity, f.summary, f.evidence, f.opened_at,
                 case f.severity when 'high' then 0 when 'medium' then 1 else 2 end as place
          from ops.finding f
          where (f.waived_until is null or waived) and (hosts is null or f.host_id = any (hosts) or f.check_name = 'silent-cell')
          union all
          select u.cell, u.host, 'unknown', u.product, 'low', u.missing, jsonb_build_object('missing', u.missing), null, 3
          from evenkeel.of_cells(format('select host, null::uuid, product, missing, null::bigint, null::text '
                                        'from evenkeel.shown_unknown(%L::uuid[])', hosts), null::evenkeel.cell_row) u
          union all
          select b.cell, b.host, 'unknown', b.product, 'low', b.missing,
                 jsonb_strip_nulls(jsonb_build_object('missing', b.missing, 'files', b.files)), null, 3
          from evenkeel.of_cells(format('select host, null::uuid, check_code, says, files, null::text '
                                        'from evenkeel.shown_unanswered(%L::uuid[])', hosts), null::evenkeel.cell_row) b) r
    where code is null or r."check" = code
    order by r.place, r.host, r."check", r.subject
$$;
comment on function evenkeel.over_cells_check(uuid[], boolean, text) is
    'What evenkeel check prints, over all cells: a cell that does not answer is a finding silent-cell of severity high.';

create or replace function evenkeel.cells_risk(asked text, hosts uuid[], max_age interval)
returns table (at_risk bigint, unknown bigint, accepted bigint, safe bigint, not_applicable bigint)
language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
begin
    drop table if exists pg_temp.cells_risk_row;
    create temporary table cells_risk_row on commit preserve rows as
    select r.* from ops.risk(asked, null, max_age) r where hosts is null or r.host_id is null or r.host_id = any (hosts);
    comment on table cells_risk_row is
        'What a patch would do to a host of some cell. Filled by cells_risk; read by cells_risk, cells_risk_rows; ends with the session.';
    grant select on cells_risk_row to public;
    return query
    select count(*) filter (where r.verdict = 'at risk'), count(*) filter (where r.verdict = 'unknown'),
           count(*) filter (where r.verdict = 'accepted'), count(*) filter (where r.verdict = 'safe'),
           count(*) filter (where r.verdict = 'not applicable')
    from pg_temp.cells_risk_row r;
end
$$;
comment on function evenkeel.cells_risk(text, uuid[], interval) is
    'Works out what a patch would do in all cells, for cells_risk_rows(); how many hosts are in which verdict.';

create or replace function evenkeel.cells_risk_rows()
returns table (cell text, host text, verdict text, reason text, step text, findings jsonb, kept jsonb, replaced integer, host_id uuid)
language sql
as $$
    -- With the caller's rights: a session may have put a view of its own in the place of this table.
    select r.cell, r.host, r.verdict, r.reason, r.step, r.findings, r.kept, r.replaced, r.host_id
    from pg_temp.cells_risk_row r
    order by array_position(array['at risk', 'unknown', 'accepted', 'safe'], r.verdict), r.host, r.host_id
$$;
comment on function evenkeel.cells_risk_rows() is 'What evenkeel risk prints, over all cells: a row per host, worst first.';
