-- Numbers that C and SQL share: what is stored and what travels keeps its number for good.
begin;
select plan(7);

create temporary table pinned as
select split_part(p, '=', 1) as name, split_part(p, '=', 2)::integer as value
from unnest(array[
    'pe_defect_optional_header=1', 'pe_defect_sections=2', 'pe_defect_truncated=4', 'pe_defect_resources=8', 'pe_defect_version=16',
    'pe_defect_strings=32', 'pe_defect_exports=64', 'pe_defect_imports=128', 'pe_defect_delay_imports=256', 'pe_defect_symbol_limit=512',
    'pe_defect_read_limit=1024', 'pe_defect_unread_imports=1927', 'pe_defect_unread_exports=1603', 'pe_defect_cut=7',
    'pe_defect_unread_version=1055',
    'pe_machine_i386=332', 'pe_machine_alpha=388', 'pe_machine_ia64=512', 'pe_machine_amd64=34404', 'pe_machine_arm64=43620',
    'pe_hybrid_untold=0', 'pe_hybrid_none=1', 'pe_hybrid_arm64ec=2', 'pe_hybrid_arm64x=3',
    'object_kind__object_kind_unknown=0', 'object_kind__image=1', 'object_kind__chunk=2', 'object_kind__inventory=3', 'object_kind__facts=4',
    'object_kind__times=5', 'object_kind__machine_marks=6', 'object_kind__component_store=7',
    'refusal_reason__refusal_unknown=0', 'refusal_reason__malformed=1', 'refusal_reason__unknown_version=2', 'refusal_reason__wrong_signature=3',
    'refusal_reason__wrong_digest=4',
    'refusal_reason__over_limit=5', 'refusal_reason__key_unknown=6', 'refusal_reason__key_pending=7', 'refusal_reason__key_revoked=8',
    'refusal_reason__other_host=9', 'refusal_reason__old_sequence=10', 'refusal_reason__key_set_apart=11',
    'refusal_reason__token_invalid=12', 'refusal_reason__other_name=13', 'refusal_reason__not_stored=20',
    'product_type__workstation=1', 'product_type__server=2', 'product_type__domain_controller=3',
    'chunk_entries=1024', 'digest_bytes=32', 'limit_inventory_chunks=32768']) p;
create function value_of(name text) returns integer language plpgsql as $$
declare
    value integer;
begin
    execute format('select evenkeel.%I()', name) into value;
    return value;
end $$;

select is_empty($$ select name, value, value_of(name) from pinned where value_of(name) is distinct from value $$,
                'each has the number that it always had');
select is_empty($$ select proname from pg_proc
                   where pronamespace = 'evenkeel'::regnamespace and pronargs = 0 and proname ~ '^(pe_defect_|object_kind__|refusal_reason__)'
                     and proname not in (select name from pinned) $$, 'and there is none beside');
select is_empty($$
    select p.proname from pg_proc p
    where p.pronamespace = 'evenkeel'::regnamespace and p.pronargs = 0
      and p.proname ~ '^(pe_defect_|pe_hybrid_|pe_machine_|object_kind__|refusal_reason__|limit_)'
      and (p.provolatile <> 'i' or p.prolang <> (select oid from pg_language where lanname = 'sql')
           or p.proconfig is not null or p.prosecdef)
$$, 'the planner can put the number in the place of each function');
select is_empty($$
    select p.oid::regprocedure, m
    from pg_proc p cross join lateral substring(p.prosrc from '(?:defects|hybrid|machine|reason|verdict|\mkind) *(?:&|<>|:?=) *\(?\d+') m
    where p.pronamespace in ('evenkeel'::regnamespace, 'ops'::regnamespace) and m !~ ' 0$'
$$, 'no function compares one with a bare number');
select is((select count(*) from (values ('x86'), ('x64'), ('ia64'), ('arm64'), ('alpha')) m (name)
           where evenkeel.machine_name(evenkeel.machine_number(name)) = name), 5::bigint,
          'a machine''s name becomes a number and is a name again');

select is_empty($$
    select p.oid::regprocedure
    from pg_proc p
    where p.pronamespace in ('evenkeel'::regnamespace, 'ops'::regnamespace) and p.prosrc ~ 'pe_defect_(?!(unread_(imports|exports|version)|cut)\M)'
$$, 'which defects leave imports or exports unread is said in the reader''s header alone');
select is((select array_agg(bit order by bit) from generate_series(0, 30) bit
           where evenkeel.image_unread(true, (1 << bit), 332, 0)),
          (select array_agg(bit order by bit) from generate_series(0, 30) bit
           where (value_of('pe_defect_unread_imports') | value_of('pe_defect_unread_exports')) & (1 << bit) <> 0),
          'and goes for the whole image');

select * from finish();
rollback;
