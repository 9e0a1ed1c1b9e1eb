-- The drift report's parts at their edges; tests/integration/report has a whole fleet.
begin;
select plan(44);
\ir fixture.psql

delete from evenkeel.baseline;
delete from evenkeel.patch;
delete from evenkeel.check_definition where code <> 'mixed-level';
insert into evenkeel.baseline (product_id, ordinal, file, relation, version, kind, source)
select evenkeel.product_number('windows-2003'), o, f, '=', evenkeel.version_of(6, 0, 3790, r), 'captured', 'golden'
from (values (0, 0), (1, 1830), (2, 3959)) v (o, r) cross join (values ('iisutil.dll'), ('w3core.dll'), ('asp.dll'), ('w3tp.dll'), ('w3comlog.dll'), ('w3cache.dll')) x (f);

create function fixture.web(name text, iisutil integer, w3core integer, asp integer default 3959, extra jsonb default '{}') returns void language sql as $$
    select fixture.host(name, jsonb_build_object('c:/windows/system32/inetsrv/iisutil.dll', '6.0.3790.' || iisutil,
        'c:/windows/system32/inetsrv/w3core.dll', '6.0.3790.' || w3core, 'c:/windows/system32/inetsrv/asp.dll', '6.0.3790.' || asp)
        || '{"c:/windows/system32/inetsrv/w3tp.dll": "6.0.3790.3959", "c:/windows/system32/inetsrv/w3comlog.dll": "6.0.3790.3959",
             "c:/windows/system32/inetsrv/w3cache.dll": "6.0.3790.3959"}' || extra,
        '{"service_pack": "Service Pack 2", "current_version": "5.2", "current_build": 3790}')
$$;
create function fixture.night() returns void language plpgsql as $$
begin
    perform fixture.judge();
    update evenkeel.host_inventory_past set valid_from = valid_from - interval '1 day', valid_to = valid_to - interval '1 day';
    update evenkeel.host_inventory_current set valid_from = valid_from - interval '1 day';
    update evenkeel.host_facts_current set valid_from = valid_from - interval '1 day';
    update evenkeel.host_product_history set valid_from = valid_from - interval '1 day', valid_to = valid_to - interval '1 day';
    update evenkeel.finding set opened_at = opened_at - interval '1 day', closed_at = closed_at - interval '1 day', evidence_at = evidence_at - interval '1 day';
    update evenkeel.finding_past set opened_at = opened_at - interval '1 day', valid_to = valid_to - interval '1 day';
end $$;

select fixture.web('a', 3959, 3959), fixture.web('b', 3959, 3959), fixture.web('sick', 0, 3959), fixture.web('worse', 0, 3959);
select fixture.night(), fixture.night();

select is(evenkeel.report_drift(ops.moment('yesterday')) ->> 'sentence', 'No host became mixed; 0 of 4 hosts changed', 'a quiet night is one quiet sentence');

select fixture.web('a', 3959, 4611), fixture.web('b', 3959, 4611, 3959, '{"c:/windows/system32/other.dll": "1.0.0.0"}');
select fixture.web('sick', 3959, 3959), fixture.web('worse', 0, 0);
select fixture.judge();
select is(evenkeel.report_drift(ops.moment('yesterday')) ->> 'sentence', '1 host was mended; 4 of 4 hosts changed', 'who was mended is told first');
select results_eq($$ select kind, what, hosts, host_names from evenkeel.report_changes(now() - interval '1 day') where what like 'w3core.dll 6.0.3790.4611' $$,
    $$ values ('newer', 'w3core.dll 6.0.3790.4611', 2::bigint, array['a', 'b']) $$,
    'the same file to the same version is one line, although one of the hosts changed in more than that');
select results_eq($$ select kind, hosts from evenkeel.report_changes(now() - interval '1 day') where what = 'other.dll 1.0.0.0' $$,
    $$ values ('added', 1::bigint) $$, 'and what it changed besides is another line');
select results_eq($$ select kind, what from evenkeel.report_changes(now() - interval '1 day') order by hosts, what limit 1 $$,
    $$ values ('level', 'Windows Server 2003 SP2') $$, 'a file that a level ships is told under the level');
select is((select kind from evenkeel.report_changes(now() - interval '1 day') limit 1), 'older', 'what fell back comes first');
insert into evenkeel.patch (code, product_id, title, source) values ('KB9', evenkeel.product_number('windows-2003'), 'the ninth', 'test');
insert into evenkeel.patch_file (patch_id, file, version) select patch_id, 'w3core.dll', evenkeel.version_of('6.0.3790.4611') from evenkeel.patch;
select results_eq($$ select what, title, hosts from evenkeel.report_changes(now() - interval '1 day') where kind = 'patch' $$,
    $$ values ('KB9', 'the ninth', 2::bigint) $$, 'once the catalogue knows the patch, the line has its name');

select results_eq($$ select section, host, why from evenkeel.report_findings(now() - interval '1 day') order by 1 $$,
    $$ values ('closed', 'sick', null), ('worsened', 'worse', 'from 1 to 2') $$, 'closed and worsened; what stayed as it was is not told');
select is((select before_summary like '%1 file to move%' from evenkeel.report_findings(now() - interval '1 day') where section = 'worsened'), true,
    'what got worse is told with what it said before');
select results_eq($$ select host, was, is_now from evenkeel.report_verdicts(now() - interval '1 day') $$, $$ values ('sick', 'mixed', 'level') $$,
    'verdicts that changed, and only those');

-- There and back again between two reports.
select fixture.night();
select fixture.web('a', 0, 4611);
select fixture.judge();
select fixture.web('a', 3959, 4611);
select fixture.judge();
select is_empty($$ select * from evenkeel.report_changes(now() - interval '12 hours') $$, 'what changed and changed back is no change');
select results_eq($$ select section, host, check_code, is_new, closed_at is not null from evenkeel.report_findings(now() - interval '12 hours') $$,
    $$ values ('passed', 'a', 'mixed-level', true, true) $$, 'a finding that came and went since is told as that');
select results_eq($$ select section, host from evenkeel.report_findings(now() - interval '12 hours',
                                                                       (select opened_at from evenkeel.finding where closed_at <> 'infinity' order by opened_at desc limit 1)) $$,
    $$ values ('new', 'a') $$, 'a report that ended between tells that it came');
select results_eq($$ select section, host from evenkeel.report_findings((select opened_at from evenkeel.finding where closed_at <> 'infinity' order by opened_at desc limit 1)) $$,
    $$ values ('closed', 'a') $$, 'and the next one that it went');
select is(evenkeel.report_drift(now() - interval '12 hours') ->> 'sentence', 'No host became mixed; 1 of 4 hosts changed', 'that the host stirred is counted');

select results_eq($$ select kind, file_count, host_names from evenkeel.report_changes(now() - interval '12 hours',
                                                                                       (select max(valid_to) from evenkeel.host_inventory_past) - interval '1 microsecond') $$,
    $$ values ('older', 1::bigint, array['a']) $$, 'one that ended between tells the files as they were then');
select is(evenkeel.report_drift(now() - interval '12 hours', (select max(valid_to) from evenkeel.host_inventory_past) - interval '1 microsecond')
          #>> '{counts,changed}', '1', 'and counts the host');

-- Dangerous now, whatever its age.
select results_eq($$ select check_code, hosts, host_names, open_for from evenkeel.report_dangerous() $$,
    $$ values ('mixed-level', 1::bigint, array['worse'], (select evenkeel.open_for(opened_at, now()) from evenkeel.finding
                                                          where closed_at = 'infinity' and check_code = 'mixed-level'
                                                            and host_id = (select host_id from evenkeel.host where name = 'worse'))) $$,
    'what is open and high is told, however long it has been open');
select is((select next_step from evenkeel.report_dangerous(0)), null, 'of more groups than are planned there is the command alone');
select is((select command from evenkeel.report_dangerous(0)), 'evenkeel plan worse', 'the command names the host');
insert into evenkeel.check_definition (code, scope, title, query, rank, counted_one, counted_many)
values ('unresolved-import', 'host', 'a', 'select', 1, 'can''t load what it imports', 'can''t load what they import'),
       ('missing-file', 'host', 'b', 'select', 4, 'lacks a file', 'lack a file');
select is(evenkeel.report_new_sentence('{"unresolved-import": 2, "missing-file": 1, "new-check": 3}'),
    '2 hosts can''t load what they import; 1 host lacks a file; 3 hosts have a new new-check', 'every check is counted in the headline, worst first');
select is(evenkeel.report_sentence('{"new_hosts": {"missing-file": 1}, "became_mixed": 0, "mended": 0, "lost": 0, "silent": 0, "changed": 1, "hosts": 4}'),
    '1 host lacks a file; 1 of 4 hosts changed', 'that no host became mixed is no news where another check found something');
select is(evenkeel.report_sentence('{"became_mixed": 0, "mended": 0, "lost": 1, "silent": 2, "changed": 1, "hosts": 4}'),
    '1 host can no longer be judged, 2 are silent; 1 of 4 hosts changed', 'whichever comes first says what it counts');
select is(evenkeel.report_sentence('{"became_mixed": 0, "mended": 0, "lost": 0, "silent": 2, "changed": 0, "hosts": 4}'),
    '2 hosts are silent; 0 of 4 hosts changed', 'the last, too');

-- Many at once: what is cut is cut per check, and said.
insert into evenkeel.host (name) select 'many-' || n from generate_series(1, 60) n;
insert into evenkeel.finding (host_id, check_code, subject, severity, summary, evidence, evidence_at, opened_at)
select h.host_id, c.code, case c.code when 'cloned-identity' then 'machine-sid S-1' else 'KB9' end, 'high',
       c.code || ' of ' || h.name, '{}', now(), now() - interval '5 days'
from evenkeel.host h cross join (values ('cloned-identity'), ('partial-patch')) c (code) where h.name like 'many-%';
insert into evenkeel.host (name, shares_name) values ('MANY-1', true);
select results_eq($$ select check_code, count(*), sum(hosts), max(cardinality(host_names)) from evenkeel.report_dangerous(0, 7, 30) group by 1 order by 1 $$,
    $$ values ('cloned-identity', 1::bigint, 60::numeric, 30), ('mixed-level', 1, 1, 1), ('partial-patch', 7, 7, 1) $$,
    'hosts that share an identity are one line; of what is alike in nothing so many lines of each check are shown, and none is crowded out');
select results_eq($$ select check_code, findings, hosts, command from evenkeel.report_dangers() order by 1 nulls last $$,
    $$ values ('cloned-identity', 60::bigint, 60::bigint, 'evenkeel check --check cloned-identity'), ('mixed-level', 1, 1, 'evenkeel check --check mixed-level'),
              ('partial-patch', 60, 60, 'evenkeel check --check partial-patch'), (null, 121, 61, null) $$,
    'all of them are counted, by check with the command that lists them, and each host once');
select is((select command from evenkeel.report_dangerous(0, 60) where host_names = array['many-1']),
    (select 'evenkeel plan ' || host_id from evenkeel.host where name = 'many-1'), 'a name that two hosts bear is no name for a command');
select is(evenkeel.report_drift(now() - interval '12 hours') #> '{counts,dangerous}', '61', 'and the report counts hosts, not lines');
delete from evenkeel.finding where host_id in (select host_id from evenkeel.host where lower(name) like 'many-%');
delete from evenkeel.host where lower(name) like 'many-%';

-- Groups: as collectors and people say, in whatever letters.
insert into evenkeel.host_label (host_id, label) select host_id, 'Farm' from evenkeel.host where name in ('a', 'worse');
update evenkeel.host_facts_current set facts = facts || '{"groups": ["farm", "other"]}'
where host_id in (select host_id from evenkeel.host where name in ('a', 'b'));
select results_eq($$ select * from evenkeel.report_groups(array(select host_id from evenkeel.host where name = 'worse'),
                                                          array(select host_id from evenkeel.host where name in ('b', 'sick'))) $$,
    $$ values ('Farm', 3::bigint, 1::bigint, 1::bigint, 0::bigint, 2::bigint, 1::bigint, 1::bigint), ('other', 2, 0, 0, 0, 2, 0, 1) $$,
    'of each group how many hosts are in danger, mixed, unknown and level, and what became of them; each host once');
select results_eq($$ select g ->> 'group_name', g ->> 'in_danger' from jsonb_array_elements(evenkeel.report_drift(now() - interval '12 hours') -> 'groups') g $$,
    $$ values ('Farm', '1'), ('other', '0') $$, 'the report tells them');
select results_eq($$ select subject, hosts, summary from evenkeel.report_rows(evenkeel.report_drift(now() - interval '12 hours')) where section = 'groups' $$,
    $$ values ('Farm', 3::bigint, '1 in danger, 1 mixed, 0 unknown, 2 level'), ('other', 2, '0 in danger, 0 mixed, 0 unknown, 2 level') $$, 'as rows, too');

select results_eq($$ select g ->> 'group', g ->> 'hosts', g ->> 'mixed', g ->> 'level' from jsonb_array_elements(evenkeel.fleet_summary_now() -> 'groups') g $$,
    $$ values ('Farm', '3', '1', '2'), ('other', '2', '0', '2') $$, 'the page of the fleet begins with the group of which most are mixed');
select is((select jsonb_array_length(evenkeel.report_hosts(count(*)::integer)) from ops.host), (select count(*)::integer from ops.host),
    'a page that may carry so many hosts carries them');
select is((select evenkeel.report_hosts(count(*)::integer - 1) from ops.host), null, 'and none at all where there are more, rather than some');

-- Waivers.
insert into evenkeel.waiver (host_id, check_code, subject, reason, until)
select host_id, 'mixed-level', 'windows-2003', 'known', now() + interval '1 day' from evenkeel.host where name = 'worse';
select results_eq($$ select section, reason from evenkeel.report_findings(now() - interval '12 hours') where section <> 'passed' $$, $$ values ('waived', 'known') $$,
    'a finding that is waived is told as that, with the reason');
select is_empty($$ select * from evenkeel.report_dangerous() $$, 'and is not among those that are dangerous');
update evenkeel.waiver set until = now() - interval '1 hour', waived_at = now() - interval '2 days';
select results_eq($$ select section, why from evenkeel.report_findings(now() - interval '12 hours') where section <> 'passed' $$, $$ values ('new', 'its waiver ended') $$,
    'when the waiver ends the finding is new again');
select is(evenkeel.report_drift(now() - interval '12 hours') -> 'not_seen', '[]', 'who saw all is not told');
update evenkeel.host_facts_current set facts = facts || '{"not_seen": [{"kind": "link", "what": "c:/a", "count": 1}]}'
where host_id in (select host_id from evenkeel.host where name in ('a', 'b'));
select is(evenkeel.report_drift(now() - interval '12 hours') -> 'not_seen',
    '[{"what": "c:/a is a link, and what it leads to was not followed", "hosts": 2, "host_names": ["a", "b"]}]', 'what was not seen is told with its hosts');
update evenkeel.host_inventory_current set files = files + 3 where host_id in (select host_id from evenkeel.host where name in ('a', 'b'));
select is(evenkeel.report_drift(now() - interval '12 hours') -> 'unassigned' -> 0 -> 'unassigned', (select to_jsonb(max(unassigned)) from ops.host),
          'files of no product are told, the most of a host first');
select results_eq($$ select n.host, u ->> 'unassigned', u ->> 'files'
                     from jsonb_array_elements(evenkeel.report_drift(now() - interval '12 hours') -> 'unassigned') u
                     cross join jsonb_array_elements_text(u -> 'host_names') n (host) order by 1 $$,
                  $$ select host, unassigned::text, files::text from ops.host where unassigned > 0 order by 1 $$, 'of each host as many as the view of hosts has');
update evenkeel.host_checkin set state_at = clock_timestamp() where host_id = (select host_id from evenkeel.host where name = 'b' and verdict = 'level');
select results_eq($$ select (c ->> 'level')::bigint, (c ->> 'mixed')::bigint, (c ->> 'unknown')::bigint
                     from evenkeel.report_drift(now() - interval '12 hours') d cross join lateral (select d -> 'counts') c (c) $$,
                  $$ select count(*) filter (where verdict = 'level'), count(*) filter (where verdict = 'mixed'), count(*) filter (where verdict = 'unknown')
                     from ops.host where exists (select from ops.host where host = 'b' and verdict = 'unknown') $$,
                  'a host that is level by what it reported before is not counted as level');
select is(evenkeel.report_drift(now() - interval '12 hours') -> 'unknown' -> 0 -> 'host_names', '["b"]', 'and is told among those that are unknown');
select throws_like($$ select evenkeel.report_drift(now() + interval '1 day') $$, '%about the future', 'there is no report about the future');
select * from finish();
rollback;
