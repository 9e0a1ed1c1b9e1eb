-- What was true at the midnights past and is now: verdicts, findings and patches, counted. These read with their owner's rights, as views
-- do. What lasted from one time to another is first gathered by the days that it began and ended on, so that the cost is that of the
-- changes; a night in which the aggregator stood still is as good as any other. Nights before anything was known are null, never 0.

create or replace function evenkeel.past_nights(nights integer)
returns table (night timestamptz, is_now boolean) language sql stable
as $$
    select case when n = 0 then now() else date_trunc('day', now()) - make_interval(days => n - 1) end, n = 0
    from generate_series(0, greatest(nights, 1)) n
    where n = 0 or date_trunc('day', now()) - make_interval(days => n - 1) < now()
$$;
comment on function evenkeel.past_nights(integer) is 'The midnights of so many nights, and now.';

create or replace function evenkeel.night_before(moment timestamptz)
returns timestamptz language sql stable
as $$ select date_trunc('day', moment - interval '1 microsecond') $$;
comment on function evenkeel.night_before(timestamptz) is
  'The last midnight before a time: what began then was not there at that one, what ended then was.';

create or replace function evenkeel.patch_numbers(patch text)
returns integer[] language plpgsql stable
as $$
declare
    ids integer[];
begin
    select array_agg(p.patch_id) into ids from evenkeel.patch p where p.code = upper(patch);
    if ids is null then
        raise exception 'the catalogue has no patch ''%''; ''evenkeel patch list'' names all', patch using errcode = 'no_data_found';
    end if;
    return ids;
end
$$;
comment on function evenkeel.patch_numbers(text) is
  'The patches of that code, one per product; an error where there is none, for an empty answer would read as ''nobody lacks it''.';

create or replace function ops.patch_progress(patch text, nights integer default 30)
returns table (night timestamptz, state text, hosts bigint)
language sql stable security definer set jit = off set search_path = evenkeel, pg_catalog, pg_temp
as $$
    select evenkeel.patch_numbers(patch_progress.patch);
    with asked as materialized (
        select evenkeel.patch_numbers(patch_progress.patch) as ids
    ), state as (
        select s.state, s.place
        from unnest(array['partial', 'missing', 'unknown', 'installed', 'superseded']) with ordinality s (state, place)
    ), held as (
        -- Of several products that a patch is for, the state that asks for most counts.
        select v.valid_from, v.valid_to,
               (select s.state from unnest(v.patch_ids, v.states) u (patch_id, state) join state s on s.state = u.state
                where u.patch_id = any (a.ids) order by s.place limit 1) as state
        from asked a
        cross join (select p.host_id, p.since as valid_from, timestamptz 'infinity' as valid_to, p.patch_ids, p.states from host_patch p
                    union all
                    select p.host_id, p.valid_from, p.valid_to, p.patch_ids, p.states
                    from host_patch_past p where p.valid_to > (select min(w.night) from evenkeel.past_nights(nights) w)) v
        join shown_host h using (host_id)
        where v.patch_ids && a.ids
    ), gathered as materialized (
        select evenkeel.night_before(h.valid_from) as after, evenkeel.night_before(h.valid_to) as until, h.state, count(*) as hosts
        from held h group by 1, 2, 3
    ), known as materialized (
        select min(h.valid_from) as since from held h
    )
    select w.night, s.state,
           case when w.night >= k.since or (w.is_now and k.since is not null) then coalesce(sum(g.hosts), 0)::bigint end
    from evenkeel.past_nights(nights) w
    cross join state s
    cross join known k
    left join gathered g on g.state = s.state and g.until >= w.night and (w.is_now or g.after < w.night)
                            and (not w.is_now or g.until = 'infinity')
    group by w.night, w.is_now, s.state, s.place, k.since
    order by w.night, s.place
$$;
comment on function ops.patch_progress(text, integer) is
  'How many hosts stood how to a patch at midnight of each of so many nights, and now: partial, missing, unknown, installed or superseded '
  '(see ops.patch_state; hosts that it does not concern are left out). hosts is null for nights before anything was known of it.';

create or replace function evenkeel.finding_nights(nights integer)
returns table (night timestamptz, check_name text, severity text, open bigint, opened bigint, closed bigint)
language sql stable security definer set jit = off set search_path = pg_catalog, pg_temp
as $$
    with first_night as materialized (
        select min(w.night) as night from evenkeel.past_nights(nights) w
    ), found as materialized (
        select f.host_id, f.check_code, f.subject, f.severity, f.opened_at, f.closed_at
        from evenkeel.finding f join evenkeel.shown_host h using (host_id)
        where f.closed_at > (select evenkeel.night_before(n.night) from first_night n)
    ), worse as materialized (
        -- What it was before it got worse or better.
        select p.host_id, p.check_code, p.subject, p.opened_at, p.severity, p.valid_to,
               coalesce(lag(p.valid_to) over (partition by p.host_id, p.check_code, p.subject, p.opened_at order by p.valid_to),
                        p.opened_at) as valid_from
        from evenkeel.finding_past p join found f using (host_id, check_code, subject, opened_at)
    ), lasted as (
        select w.check_code, w.severity, w.valid_from, w.valid_to from worse w
        union all
        select f.check_code, f.severity,
               coalesce((select max(w.valid_to) from worse w where (w.host_id, w.check_code, w.subject, w.opened_at)
                                                                  = (f.host_id, f.check_code, f.subject, f.opened_at)), f.opened_at),
               f.closed_at
        from found f
    ), gathered as materialized (
        select l.check_code, l.severity, evenkeel.night_before(l.valid_from) as after, evenkeel.night_before(l.valid_to) as until,
               l.valid_to = 'infinity' as is_open, count(*) as findings
        from lasted l group by 1, 2, 3, 4, 5
    ), kind as (
        select distinct g.check_code, g.severity from gathered g
    ), known as materialized (
        select least((select min(p.valid_from) from evenkeel.host_product_history p),
                     (select min(f.opened_at) from evenkeel.finding f)) as since
    ), event as materialized (
        select f.check_code, f.severity, evenkeel.night_before(f.opened_at) as after, 1 as opened, 0 as closed from found f
        union all
        select f.check_code, f.severity, evenkeel.night_before(f.closed_at), 0, 1 from found f where f.closed_at <> 'infinity'
    ), changed as materialized (
        select e.check_code, e.severity, e.after, sum(e.opened) as opened, sum(e.closed) as closed from event e group by 1, 2, 3
    )
    select w.night, k.check_code, k.severity,
           case when w.night >= n.since or w.is_now then
               (select coalesce(sum(g.findings), 0)::bigint from gathered g
                where g.check_code = k.check_code and g.severity = k.severity
                  and case when w.is_now then g.is_open else g.after < w.night and g.until >= w.night end) end,
           case when w.night >= n.since or w.is_now then coalesce(c.opened, 0)::bigint end,
           case when w.night >= n.since or w.is_now then coalesce(c.closed, 0)::bigint end
    from (select p.night, p.is_now, coalesce(lag(p.night) over (order by p.night), evenkeel.night_before(p.night)) as after
          from evenkeel.past_nights(nights) p) w
    cross join kind k
    cross join known n
    left join changed c on c.check_code = k.check_code and c.severity = k.severity and c.after = w.after
$$;
comment on function evenkeel.finding_nights(integer) is
  'Findings by check and severity: open at midnight of each of so many nights, and now; opened and closed in the day that ended then. Null '
  'before anything was known.';

create or replace function evenkeel.verdict_nights(nights integer, by_group boolean)
returns table (night timestamptz, label text, product text, hosts bigint, level bigint, mixed bigint, unknown bigint, silent bigint)
language sql stable security definer set jit = off set search_path = pg_catalog, pg_temp
as $$
    with wanted as materialized (
        select w.night, w.is_now from evenkeel.past_nights(nights) w
    ), member as materialized (
        select h.host_id, h.pending, coalesce(g.label, '') as label
        from evenkeel.shown_host h
        left join (select s.host_id, s.label from evenkeel.group_host s where by_group) g using (host_id)
        where not by_group or g.host_id is not null
    ), lasted as materialized (
        -- A verdict that is older than the host's state is none now, as in ops.host.
        select m.label, p.product_id, p.host_id, p.valid_from, p.valid_to, p.verdict,
               case when m.pending and p.verdict = 'level' then 'unknown' else p.verdict end as now_verdict
        from evenkeel.host_product_history p join member m using (host_id)
        where p.valid_to > (select min(w.night) from wanted w)
    ), silence as materialized (
        select f.host_id, f.opened_at, f.closed_at from evenkeel.finding f
        where f.check_code = 'silent-host' and f.closed_at > (select min(w.night) from wanted w)
    ), spoken as (
        select l.label, l.product_id, l.verdict, l.now_verdict, l.valid_from, l.valid_to, false as silent, 1 as step from lasted l
        union all
        -- While it is silent it counts as that alone: taken from its verdict, and added to the silent.
        select l.label, l.product_id, l.verdict, l.now_verdict, greatest(l.valid_from, s.opened_at), least(l.valid_to, s.closed_at),
               t.silent, t.step
        from lasted l join silence s on s.host_id = l.host_id and s.opened_at < l.valid_to and s.closed_at > l.valid_from
        cross join (values (true, 1), (false, -1)) t (silent, step)
    ), gathered as materialized (
        select s.label, s.product_id, s.verdict, s.now_verdict, s.silent, evenkeel.night_before(s.valid_from) as after,
               evenkeel.night_before(s.valid_to) as until, s.valid_to = 'infinity' as holds, sum(s.step) as hosts
        from spoken s group by 1, 2, 3, 4, 5, 6, 7, 8
    ), known as materialized (
        select l.label, l.product_id, min(l.valid_from) as since from lasted l group by 1, 2
    ), counted as (
        select w.night, w.is_now or w.night >= k.since as known, k.label, k.product_id, g.silent,
               case when w.is_now then g.now_verdict else g.verdict end as verdict, sum(g.hosts) as hosts
        from wanted w
        cross join known k
        left join gathered g on g.label = k.label and g.product_id = k.product_id
                                and case when w.is_now then g.holds else g.after < w.night and g.until >= w.night end
        group by 1, 2, 3, 4, 5, 6
    )
    select c.night, c.label, p.code, case when c.known then coalesce(sum(c.hosts), 0)::bigint end,
           case when c.known then coalesce(sum(c.hosts) filter (where not c.silent and c.verdict = 'level'), 0)::bigint end,
           case when c.known then coalesce(sum(c.hosts) filter (where not c.silent and c.verdict = 'mixed'), 0)::bigint end,
           case when c.known then coalesce(sum(c.hosts) filter (where not c.silent and c.verdict = 'unknown'), 0)::bigint end,
           case when c.known then coalesce(sum(c.hosts) filter (where c.silent), 0)::bigint end
    from counted c join evenkeel.product p using (product_id)
    group by c.night, c.label, p.code, c.known
$$;
comment on function evenkeel.verdict_nights(integer, boolean) is
  'Hosts by verdict on a product, at midnight of each of so many nights and now; of all hosts, or by the groups that they are in today.';
