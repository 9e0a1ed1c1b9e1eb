-- Groups of hosts: labels of the collectors' configuration and those that people gave.

create or replace view evenkeel.host_group as
select f.host_id, g.label
from evenkeel.host_facts_current f
join evenkeel.host h on h.host_id = f.host_id and h.merged_into is null
cross join jsonb_array_elements_text(case jsonb_typeof(f.facts -> 'groups') when 'array' then f.facts -> 'groups' else '[]' end) g (label)
where not exists (select from evenkeel.host_label l where l.host_id = f.host_id and l.taken_off and lower(l.label) = lower(g.label))
union
select l.host_id, l.label
from evenkeel.host_label l join evenkeel.host h on h.host_id = l.host_id and h.merged_into is null and h.retired_at is null
where not l.taken_off;
comment on view evenkeel.host_group is 'A row per group that a host is in.';
comment on column evenkeel.host_group.host_id is 'The host.';
comment on column evenkeel.host_group.label is 'The group.';

create or replace view evenkeel.group_host as
select distinct g.host_id, min(g.label) over (partition by lower(g.label)) as label from evenkeel.host_group g;
comment on view evenkeel.group_host is
    'A row per group and host that is in it, in whatever letters its label is written: with the one of them that sorts first.';
comment on column evenkeel.group_host.host_id is 'The host.';
comment on column evenkeel.group_host.label is 'The group, the same for all its hosts.';

create or replace view ops.host_group as
select g.label as group_name, h.name as host, h.verdict, h.host_id,
       case when exists (select from evenkeel.host_label l where (l.host_id, l.label, l.taken_off) = (g.host_id, g.label, false))
            then 'label' else 'configuration' end as source
from evenkeel.host_group g join evenkeel.host h using (host_id);
comment on view ops.host_group is
    'A row per group that a host is in: as its collector''s configuration or a person (evenkeel hosts label) says.';
comment on column ops.host_group.group_name is 'The group''s label; groups are compared without regard to case.';
comment on column ops.host_group.source is
    'configuration: its collector''s configuration names the group; label: a person put it there (evenkeel hosts label).';
comment on column ops.host_group.host is 'The host''s name.';
comment on column ops.host_group.verdict is 'As last judged: level, mixed or unknown.';
comment on column ops.host_group.host_id is 'The host.';
