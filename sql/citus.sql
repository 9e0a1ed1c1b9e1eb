-- Spreads an initialised database over the nodes of a Citus cluster (12 or later):
--
--     evenkeel init && psql -v ON_ERROR_STOP=1 -f citus.sql "$(evenkeel dsn)"
--
-- Run it once, on the coordinator, while no aggregator serves; aggregators go on talking to the coordinator. What belongs to one host is
-- distributed by host_id, so that a host's rows lie together and its queries go to one node; content, catalogue and what fleet
-- checks reduce the fleet to lie on every node, so that any host's rows can be joined to them there. With -v placement_only=1 it only
-- defines evenkeel.placement and spreads nothing.

create or replace view evenkeel.placement as
select c.oid::regclass as relation,
       case
           -- Who may report is decided, and what is to be judged is queued, on the coordinator alone: few and short rows, some with
           -- triggers, which only stay possible there.
           when c.relname in ('collector_key', 'token', 'judge_queue', 'unjudged_file', 'unjudged_chunk')
             or exists (select from pg_constraint k where k.conrelid = c.oid and k.confrelid = 'evenkeel.collector_key'::regclass) then 'local'
           -- A host's key is looked up by the key's value, over all hosts.
           when c.relname = 'fleet_key' then 'reference'
           when exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'host_id' and not a.attisdropped) then 'distributed'
           else 'reference'
       end as placement
from pg_class c
where c.relnamespace = 'evenkeel'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition;
comment on view evenkeel.placement is 'Where a table lies when the database is spread over machines.';
comment on column evenkeel.placement.relation is 'The table.';
comment on column evenkeel.placement.placement is 'distributed: by host_id; reference: whole on every node; local: on the coordinator.';

\if :{?placement_only}
\else

create extension if not exists citus;

-- index_content() reaches the coordinator's own tables only: on nodes, what waits beside this index is merged by who stores it.
alter index evenkeel.chunk_files reset (gin_pending_list_limit);

-- Reference tables first: foreign keys lead from one to another, and never from one to a distributed table.
do $$
declare
    relation regclass;
begin
    for relation in
        -- A table before those that refer to it.
        with recursive referring as (
            select p.relation, 0 as depth from evenkeel.placement p where p.placement = 'reference'
            union all
            select k.conrelid, r.depth + 1
            from referring r join pg_constraint k on k.contype = 'f' and k.confrelid = r.relation and k.conrelid <> r.relation
        )
        select r.relation from referring r group by r.relation order by max(r.depth), r.relation::text
    loop
        perform create_reference_table(relation);
    end loop;
    perform create_distributed_table('evenkeel.host', 'host_id');
    for relation in
        select p.relation from evenkeel.placement p
        where p.placement = 'distributed' and p.relation <> 'evenkeel.host'::regclass
        order by p.relation::text
    loop
        perform create_distributed_table(relation, 'host_id', colocate_with => 'evenkeel.host');
    end loop;
end
$$;

\endif
