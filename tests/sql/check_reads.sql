-- What a check says that it reads, in its header, is what it reads, itself or through functions: risk goes by it.
begin;
select plan(6);
\ir sources.psql
\ir fixture.psql
\ir catalogue.psql
\ir risk.psql

-- What a relation stands for. Relations that are of no host (the catalogue, other hosts' findings, content as such) stand for nothing.
create function source.kinds(relation text) returns text[] language sql as $$
    select case when relation ~ '^(image_import|chunk_imports|import_|imports_|state_overlay_need|state_overlay_chunk_imports)' then '{imports}'
                when relation in ('state_facts', 'state_declaration', 'host_facts', 'host_facts_current', 'host_times', 'host_checkin') then '{facts}'
                -- What was worked out of files and of what the registry says.
                when relation ~ '^(state_product|state_model|state_patch|state_store|state_outside|host_product|host_patch)' then '{files,facts}'
                when relation in ('state_host', 'state_key', 'state_finding', 'state_host_key') then '{}'
                when relation ~ '^(state_|host_inventory|host_component|chunk|file|version_)' then '{files}'
                else '{}' end::text[]
$$;
create function source.read_by(code text) returns text[] language sql as $$
    select array_agg(distinct kind order by kind)
    from (select unnest(source.kinds(u.relation)) as kind
          from source.reached('check ' || code) r (name) join source.use u on u.name = r.name and u.use = 'reads'
          union
          select 'files' from source.reached('check ' || code) r (name) join source.text t on t.name = r.name where t.body ~ '\mchunk_ids\M') k
$$;
select bag_eq($$ select code, source.read_by(code) from evenkeel.check_definition $$,
              $$ select code, array(select unnest(reads) order by 1) from evenkeel.check_definition $$, 'every check reads what it says, no more and no less');

-- A check that reads only through a function is run by risk; one that says it reads facts alone is not.
set local check_function_bodies = off;
create function evenkeel.what_lies_there() returns table (host_id uuid, path text) language sql as $$
    select s.host_id, p.path from pg_temp.state_file s join evenkeel.path p using (path_id) join evenkeel.image i using (image_id)
    where i.file_version = evenkeel.version_of('9.1.100.30')
$$;
insert into evenkeel.check_definition (code, scope, title, key_query, query, reads)
select code, 'host', 'a test''s own', '', $$select host_id, path as subject, 'high' as severity, 'there is ' || path as summary, '{}'::jsonb as evidence
                                           from evenkeel.what_lies_there()$$, reads
from (values ('through-function', '{files}'::text[]), ('of-facts', '{facts}')) c (code, reads);
select fixture.product('app', array['RTM', 'SP1', 'SP2'], true, 0.1);
select fixture.ships('app', 'SP2 a.dll = 9.1.100.20');
select fixture.payload('app', 'KB1', jsonb_build_object('a.dll', fixture.pe('9.1.100.30', '{One}')));
select evenkeel.catalog_refresh();
select fixture.host('plain', jsonb_build_object('c:/app/a.dll', fixture.pe('9.1.100.20', '{One}')), fixture.runs('Service Pack 2'));
select fixture.judge();
select is(fixture.risk('KB1', 'plain'), 'at risk: there is c:/app/a.dll', 'a check that reads files through a function is run over what would be');
select is((select jsonb_path_query_array(findings, '$[*].check') from ops.risk('KB1', 'plain')), '["through-function"]', 'one that reads facts alone is not');

select is((select count(*) from evenkeel.check_definition where reads = '{}'), 0::bigint, 'no check says nothing');
-- Which keys of evidence functions and views read, and which the checks' queries make.
create temporary table evidence_read as
select distinct t.name, m[1] as key
from (select name, body from source.text where is_function
      union all select schemaname || '.' || viewname, definition from pg_views where schemaname in ('evenkeel', 'ops')) t (name, body)
cross join regexp_matches(t.body, '\mevidence (?:->>?|#>>?) ''\{?([a-z_]+)', 'g') m;
select cmp_ok((select count(*) from evidence_read), '>', 30::bigint, 'functions and views read evidence');
select is_empty($$ select name, key from evidence_read e
                   where not exists (select from evenkeel.check_definition d where strpos(d.query, quote_literal(key)) > 0) $$,
                'of which some check makes each key');

select * from finish();
rollback;
