-- What was made faster gives what the plain way gives, on a random fleet: each host judged by itself, each verdict from its files one by one.
begin;
select plan(7);
\ir fixture.psql
\ir catalogue.psql
\ir random_fleet.psql

select fixture.random_fleet(0.21, 3, 30, 6);
select fixture.place_host('random ' || g, (select jsonb_object_agg(path, fixture.pick(regexp_replace(path, '^.*/', ''))) from fixture.place where random() < 0.4),
                          fixture.random_facts(), true)
from generate_series(1, 12) g;
select fixture.host('declares less', jsonb_object_agg('c:/app/' || f, '9.1.100.20'), fixture.runs('')) from unnest(array['a.dll', 'b.dll', 'c.dll']) f;
select fixture.host('older Windows''s', jsonb_object_agg('c:/app/' || f, '9.0.100.10'), fixture.runs('Service Pack 2')) from unnest(array['a.dll', 'b.dll', 'c.dll']) f;
select fixture.host('newer Windows''s', jsonb_object_agg('c:/app/' || f, '9.1.100.20'), '{"current_version": "9.0"}') from unnest(array['a.dll', 'b.dll', 'c.dll']) f;
select fixture.host('empty', '{}', fixture.runs('Service Pack 2'));
select fixture.host('without a registry', '{"c:/app/a.dll": "9.1.100.20"}', null);
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
select fixture.judge();

-- Levels, file by file.
create temporary table held as
select i.host_id, u.file_id
from evenkeel.host_inventory_current i cross join unnest(i.chunk_ids) c (chunk_id) join evenkeel.chunk using (chunk_id) cross join unnest(file_ids) u (file_id);
create temporary table foreign_file as
select h.host_id, p.product_id, f.file_id,
       (select min(b.ordinal) from evenkeel.baseline b
        where b.product_id = p.product_id and b.file in (pa.name, pa.location) and b.relation <> '<=' and i.file_version < b.version) as bound
from held h
join evenkeel.file f using (file_id)
join evenkeel.path pa using (path_id)
join evenkeel.path_component pc using (path_id)
join evenkeel.image i using (image_id)
join evenkeel.host_facts_current fa on fa.host_id = h.host_id
join evenkeel.product p on p.product_id = pc.product_id and p.os_version = fa.os_version and fa.os_version <> ''
where exists (select from evenkeel.file_level fl join evenkeel.product q using (product_id) where fl.file_id = f.file_id and q.os_version not in ('', fa.os_version))
  and not exists (select from evenkeel.file_level fl where fl.file_id = f.file_id and fl.product_id = p.product_id)
  and exists (select from evenkeel.baseline b where b.product_id = p.product_id and b.file in (pa.name, pa.location));
create temporary table plain as
with said as (
    select h.host_id, fl.product_id, fl.levels, fl.covered::integer, fl.hint from held h join evenkeel.file_level fl using (file_id)
    union all
    select host_id, product_id, int4range(null, bound), (bound is not null)::integer, null from foreign_file
), together as (
    select host_id, product_id, range_intersect_agg(levels) as levels, count(*)::integer as files, sum(covered)::integer as covered, max(hint) as hint
    from said group by host_id, product_id
), declaring as (
    select t.host_id, t.product_id, t.files, t.covered, t.hint, p.follows_os, p.coverage_share::numeric as share, d.declared, t.levels as of_files,
           t.levels * int4range(0, (select max(l.ordinal) + 1 from evenkeel.level l where l.product_id = p.product_id)) * coalesce(d.declared, '(,)') as levels
    from together t
    join evenkeel.product p using (product_id)
    left join evenkeel.host_facts_current f using (host_id)
    left join lateral (select int4range(min(l.ordinal), max(l.ordinal) + 1) as declared
                       from evenkeel.level l
                       where p.follows_os and f.has_registry and f.os_version <> '' and l.product_id = p.product_id and l.service_pack = f.service_pack
                       having count(*) > 0) d on true
    where p.os_version = '' or coalesce(f.os_version, '') in ('', p.os_version)
), at_level as (
    select d.*, case when not isempty(d.levels) and (d.declared is not null or lower(d.of_files) is not null) then lower(d.levels) end as ordinal
    from declaring d
), component as (
    -- Each component by itself: how many of its files could be older than the level ships them, are proven not to be, are newer.
    select a.host_id, a.product_id, a.share, pc.component_id, count(*) filter (where not coalesce(fl.untouched @> a.ordinal, false)) as countable,
           count(*) filter (where fl.confirmed @> a.ordinal and not fl.untouched @> a.ordinal) as confirmed,
           count(*) filter (where fl.ahead @> a.ordinal) as ahead
    from at_level a
    join (select host_id, product_id, file_id from held join evenkeel.file_level using (file_id)
          union all select host_id, product_id, file_id from foreign_file) x using (host_id, product_id)
    left join evenkeel.file_level fl on (fl.file_id, fl.product_id) = (x.file_id, a.product_id)
    join evenkeel.file f on f.file_id = x.file_id
    join evenkeel.path_component pc on (pc.path_id, pc.product_id) = (f.path_id, a.product_id)
    where a.ordinal is not null
    group by a.host_id, a.product_id, a.share, pc.component_id
), share as (
    select host_id, product_id, bool_and(countable = 0 or confirmed >= share * countable) and sum(countable) > 0
           and not bool_or(ahead > (1 - share) * countable) as enough
    from component group by host_id, product_id
)
select a.host_id, a.product_id, a.levels, a.declared, a.files, a.covered,
       case when isempty(a.levels) then 'mixed'
            when not coalesce(s.enough, false) or a.follows_os and a.declared is null or a.hint >= coalesce(upper(a.levels * a.declared), upper(a.of_files)) then 'unknown'
            else 'level' end as verdict
from at_level a left join share s using (host_id, product_id);
select ok((select count(distinct verdict) = 3 and bool_or(isempty(levels) and declared is not null) from plain)
          and exists (select from foreign_file where bound is not null) and exists (select from foreign_file where bound is null),
          'the fleet has hosts at a level, mixed and unknown ones, and files of another Windows');
select is((select array_agg(h.name order by h.name)
           from plain n full join evenkeel.host_product s using (host_id, product_id) join evenkeel.host h using (host_id)
           where (n.levels, n.declared, n.files, n.covered) is distinct from (s.levels, s.declared, s.files, s.covered)
              -- A file without a readable version makes unknown what all others would make a level.
              or n.verdict is distinct from s.verdict and not (n.verdict = 'level' and s.missing ~ '^cannot read the version')
                 -- and what waits for a restart is looked at as it will be then.
                 and not (n.verdict = 'mixed' and s.missing ~ 'wait for a restart')),
          null, 'verdicts, levels and coverage are those of the files one by one');
select is((select array_agg(h.name order by h.name)
           from plain n join evenkeel.host h using (host_id) join evenkeel.product p using (product_id)
           where not exists (select from evenkeel.host_product s where s.host_id = n.host_id and s.product_id = n.product_id and s.missing ~ 'wait for a restart')
             and (n.verdict = 'mixed') is distinct from exists (select from evenkeel.finding f where f.host_id = n.host_id and f.subject = p.code
                                                                  and f.check_code = 'mixed-level' and f.closed_at = 'infinity')),
          null, 'whoever is mixed has the finding, and nobody else');
select is((select array_agg(h.name order by h.name)
           from plain n
           join evenkeel.host h using (host_id)
           join evenkeel.product p using (product_id)
           join evenkeel.finding f on f.host_id = n.host_id and f.subject = p.code and f.check_code = 'mixed-level' and f.closed_at = 'infinity'
           cross join lateral (select fl.levels from held o join evenkeel.file_level fl using (file_id) where o.host_id = n.host_id and fl.product_id = n.product_id
                               union all
                               select int4range(null, bound) from foreign_file o where o.host_id = n.host_id and o.product_id = n.product_id) x
           where n.declared is not null
           group by h.name, p.code, f.evidence, n.declared
           having (f.evidence ->> 'move_count')::integer <> (
               select count(*) from unnest(array_agg(x.levels)) o (levels)
               where isempty(o.levels * coalesce((
                   -- A greater one that a patch which is there needs.
                   select int4range(max(k.lowest), max(k.lowest) + 1)
                   from (select h.name, (select min(r) from unnest(t.required_levels) r) as lowest
                         from evenkeel.host o join evenkeel.host_patch hp using (host_id) cross join unnest(hp.patch_ids, hp.states) u (patch_id, state)
                         join evenkeel.patch t using (patch_id) join evenkeel.product q using (product_id)
                         where o.name = h.name and q.code = p.code and u.state in ('installed', 'partial', 'superseded')) k
                   where k.lowest = (f.evidence ->> 'target_ordinal')::integer and f.evidence ->> 'target_why' like '% needs it'
                   having count(*) > 0), (
                   -- The greatest level above the declared one that more than half of the files prove.
                   select int4range(max(b.bottom), max(b.bottom) + 1)
                   from (select lower(a.levels) as bottom from unnest(array_agg(x.levels)) a (levels)) b
                   where b.bottom >= upper(n.declared)
                     and 2 * (select count(*) from unnest(array_agg(x.levels)) a (levels) where lower(a.levels) >= b.bottom)
                         > (f.evidence #>> '{coverage,covered}')::integer
                   having count(*) > 0), n.declared)))),
          null, 'and names as many files to move as do not fit the level to reach');

-- Risk, host by host.
create temporary table together (patch text, host text, verdict text, reason text, findings jsonb, kept jsonb, replaced integer);
create temporary table alone (like together);
create temporary table led (patch text, hosts bigint, leads bigint);
create function fixture.ask() returns void language plpgsql as $$
declare
    asked text;
begin
    for asked in select t.code from evenkeel.patch t where t.source = 'test' order by t.code loop
        insert into together select asked, r.host, r.verdict, r.reason, r.findings, r.kept, r.replaced from ops.risk(asked, 'host *') r;
        perform evenkeel.risk_open(asked, 'host *'), evenkeel.overlay_focus(), evenkeel.risk_alike('1 day');
        insert into led select asked, count(*), count(distinct lead) from pg_temp.risk_kind;
        update pg_temp.risk_kind set lead = host_id;
        while evenkeel.risk_next(2000, '1 day') > 0 loop
        end loop;
        insert into alone
        select asked, h.name, r.verdict, r.reason, r.findings, r.kept, r.replaced from pg_temp.risk_result r join evenkeel.host h using (host_id);
    end loop;
end $$;
select fixture.ask();
select is((select count(distinct verdict) from alone), 4::bigint, 'patches that are safe, at risk, unknown and not applicable');
select cmp_ok((select sum(leads) from led), '<', (select sum(hosts) from led) * 0.85, 'and hosts that they change alike');
select is((select array_agg(patch || ' ' || host || ': ' || coalesce(t.verdict, '') || ', alone ' || coalesce(a.verdict, '') order by patch, host)
           from together t full join alone a using (patch, host)
           where (t.verdict, t.reason, t.findings, t.kept, t.replaced) is distinct from (a.verdict, a.reason, a.findings, a.kept, a.replaced)),
          null, 'come out as each does by itself');

select * from finish();
rollback;
