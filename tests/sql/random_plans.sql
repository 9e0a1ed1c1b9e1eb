-- What a plan promises is so: random broken hosts, each made as its plan leaves it and judged anew, as a host that reported that.
begin;
select plan(8);
\ir fixture.psql
\ir catalogue.psql
\ir random_fleet.psql
\ir risk.psql
\set seed 0.52

select fixture.random_fleet(:seed, 4, 24, 6) \g /dev/null
-- Patches whose b.dll calls what some builds of a.dll export; hosts that have a part of one, or such a file of no patch.
update evenkeel.image set export_names = array_append(export_names, 'Five') where image_id in (select b.image_id from fixture.build b where b.name = 'a.dll') and random() < 0.5;
select fixture.payload('app', 'KB' || k, jsonb_build_object('b.dll', fixture.pe('9.1.100.' || 50 + k, array['One', 'Two', 'Three', 'Four', '#7'], fixture.wants('a.dll', 'Five')),
                                                            'c.dll', fixture.pe('9.1.100.' || 50 + k, array['One', 'Two', 'Three', 'Four', '#7'])), '{RTM,SP1,SP2}')
from generate_series(21, 23) k \g /dev/null
update evenkeel.patch set supersedes = '{KB21}' where code = 'KB22';
create temporary table held as
select h.name, jsonb_object_agg(p.path, f.image_id) as files
from evenkeel.host h join evenkeel.host_inventory_current i using (host_id) cross join unnest(i.chunk_ids) c (chunk_id) join evenkeel.chunk k using (chunk_id)
cross join unnest(k.file_ids) u (file_id) join evenkeel.file f using (file_id) join evenkeel.path p using (path_id) group by h.name;
select fixture.place_host(h.name, h.files || jsonb_build_object('c:/app/a.dll', fixture.pick('a.dll', '9.1.%.20'))
                                  || case when n % 3 < 2 then jsonb_build_object('c:/app/b.dll', fixture.pick('b.dll', '9.1.%.20'), 'c:/app/c.dll',
                                       (select f.image_id from evenkeel.patch_file f join evenkeel.patch t using (patch_id) where t.code = 'KB' || 21 + n % 3 and f.file = 'c.dll'))
                                     else jsonb_build_object('c:/app/b.dll', fixture.image('9.1.100.90', array['One', 'Two', 'Three', 'Four', '#7'], fixture.wants('a.dll', 'Five'))) end,
                          f.facts || jsonb_build_object('hotfixes', case when n % 3 < 2 then jsonb_build_array(jsonb_build_object('id', 'KB' || 21 + n % 3)) else '[]' end), false)
from (select *, row_number() over (order by name) as n from held) h join evenkeel.host k using (name) join evenkeel.host_facts_current f using (host_id)
where h.n % 2 = 0 \g /dev/null
-- The registry lists more than is whole.
update evenkeel.host_facts f set facts = jsonb_set(f.facts, '{hotfixes}', (select jsonb_agg(jsonb_build_object('id', k)) from unnest(fixture.some(array['KB1', 'KB2', 'KB3', 'KB4', 'KB5', 'KB6'], 0.35)) k))
where f.valid_to = 'infinity' and random() < 0.4 and f.facts -> 'hotfixes' = '[]';
update evenkeel.host_facts f set facts = f.facts || '{"hotfixes": []}' where f.facts -> 'hotfixes' = 'null';
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host on conflict do nothing;
select fixture.judge() \g /dev/null

-- The files and facts of a host before the first hotfix of its plan, and after all of it; the patch of that hotfix, and whether it is left out.
create function fixture.laid(host uuid) returns table (stage text, path text, name text, image_id integer, version evenkeel.version, machine integer, symbols boolean, facts jsonb, patch text, leaves boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    first record;
begin
    perform evenkeel.plan_begin(host);
    perform evenkeel.plan_lay_levels(host);
    return query select 'before', pa.path, pa.name, i.image_id, i.file_version::evenkeel.version, i.machine, i.has_symbols, (select f.facts from pg_temp.plan_facts f), '', false
                 from pg_temp.plan_file p join evenkeel.path pa using (path_id) join evenkeel.file f on f.file_id = p.file_id join evenkeel.image i on i.image_id = f.image_id;
    perform evenkeel.plan_reset(host);
    perform evenkeel.plan_lay(host);
    return query select 'after', pa.path, pa.name, i.image_id, i.file_version::evenkeel.version, i.machine, i.has_symbols, (select f.facts from pg_temp.plan_facts f), '', false
                 from pg_temp.plan_file p join evenkeel.path pa using (path_id) join evenkeel.file f on f.file_id = p.file_id join evenkeel.image i on i.image_id = f.image_id;
    return query select 'hotfix', '', '', null::integer, null::evenkeel.version, null::integer, null::boolean, null::jsonb, s.subject, s.left_out is not null
                 from pg_temp.plan_step s where s.stage = 61 and s.laid order by s.number limit 1;
    raise exception using errcode = 'EVK00';
exception when sqlstate 'EVK00' then
    null;
end $$;
create temporary table broken as
select h.host_id, h.name from evenkeel.host h where exists (select from ops.finding f where f.host_id = h.host_id and f.waived_until is null) order by h.name;
create temporary table told as select b.name as host, p.* from broken b cross join lateral evenkeel.plan(b.host_id) p;
create temporary table laid as select b.name as host, l.* from broken b cross join lateral fixture.laid(b.host_id) l;
-- An image that stands for one of several is nothing that a host reports.
delete from laid where host in (select l.host from laid l where l.symbols and not exists (select from evenkeel.image i where i.image_id = l.image_id));
update laid set image_id = evenkeel.table_image(name, version, machine) where image_id is not null and image_id not in (select i.image_id from evenkeel.image i);
select fixture.place_host(stage || ' ' || host, jsonb_object_agg(path, image_id), facts, false) from laid where stage <> 'hotfix' group by stage, host, facts \g /dev/null
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host where name ~ '^(before|after) ' on conflict do nothing;
select fixture.judge() \g /dev/null

create temporary view ends as select distinct host from laid where stage = 'after';
create temporary view remains as
select t.host, substring(t.what from '^(.*) remains$') as finding from told t where t.action = 'then' and t.what like '% remains' and t.host in (table ends);
-- What peers have is another matter once there are twice as many.
create temporary view found as
select e.host, f.check_name || ' ' || f.subject as finding, f.severity
from ends e join ops.finding f on f.host = 'after ' || e.host
where f.check_name in ('mixed-level', 'partial-patch', 'patch-below-prerequisite', 'pending-reboot', 'unresolved-import') or f.check_name = 'missing-file' and f.subject like '%/%';

select diag(format('%s broken hosts, %s of them judged anew; %s leave a step out, %s find nothing then, on %s something remains, of %s not all is known',
    (select count(*) from broken), (select count(*) from ends), count(distinct host) filter (where action = 'leave out' and why like 'with it %'),
    count(distinct host) filter (where what like 'nothing is found%'), count(distinct host) filter (where what like '% remains'), count(distinct host) filter (where action = 'unknown'))) from told;
select cmp_ok((select count(*) from ends), '>=', 8::bigint, 'there are broken hosts whose plans can be followed');
select ok(exists (select from told where action = 'leave out' and why like 'with it %') and exists (select from told where what like 'nothing is found%') and exists (select from remains),
          'some leave a patch out, some mend all, some do not');
select is((select array_agg(b.name) from broken b where b.name not in (select t.host from told t where t.action in ('then', 'unknown'))), null, 'every plan says what is found then');
select is((select array_agg(f.host || ': ' || f.finding) from found f where f.severity = 'high' and (f.host, f.finding) not in (select r.host, r.finding from remains r)), null,
          'what is found on a host that followed its plan, the plan named');
select is((select array_agg(r.host || ': ' || r.finding) from remains r where (r.host, r.finding) not in (select f.host, f.finding from found f)
             and r.finding !~ '^(cloned-identity|group-skew|outlier|machine-key-mismatch|silent-host) ' and r.finding not like 'missing-file %'), null, 'and what it named is found');
select is((select array_agg(n.host || ': ' || p.missing)
           from (select distinct t.host from told t where t.what = 'nothing is found' and t.host in (table ends)) n
           join evenkeel.host a on a.name = 'after ' || n.host join evenkeel.host_product p on p.host_id = a.host_id and p.verdict = 'unknown'
           join evenkeel.host b on b.name = n.host
           where not exists (select from evenkeel.host_product q where q.host_id = b.host_id and q.product_id = p.product_id and q.verdict = 'unknown')), null,
          'where nothing is found, and nothing said to be unknown, all could be judged');
create temporary table asked as
select l.host, l.patch, l.leaves, (select r.findings @> '[{"new": true}]' from ops.risk(l.patch, 'before ' || l.host) r) as at_risk
from laid l where l.stage = 'hotfix' and l.host in (table ends);
select cmp_ok((select count(*) from asked), '>=', 4::bigint, 'of some the first hotfix can be asked of risk');
select is((select array_agg(host || ' ' || patch || case when leaves then ' is left out' else ' is a step' end) from asked where leaves is distinct from at_risk), null,
          'and it is left out where risk finds something new');
select * from finish();
rollback;
