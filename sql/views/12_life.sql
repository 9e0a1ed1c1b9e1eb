-- What was decided of hosts, as dashboards see it.

create or replace view ops.host_event as
select h.name as host, e.happened_at, e.event, e.detail, e.done_by, e.host_id
from evenkeel.host_event e
join evenkeel.host h using (host_id);
comment on view ops.host_event is 'A row per host that was retired, restored or renamed, or came back, and each time that it was.';
comment on column ops.host_event.host is 'The name that the host has now.';
comment on column ops.host_event.happened_at is 'When.';
comment on column ops.host_event.event is
  'retired; restored: a person took that back, or let its key report again; came back: it reported although it was retired; renamed.';
comment on column ops.host_event.detail is 'Why it was retired, since when it had been, what it was called before.';
comment on column ops.host_event.done_by is 'By whom; the role of the aggregator where it came by itself.';
comment on column ops.host_event.host_id is 'The host.';

create or replace view ops.retired_host as
select h.name as host, h.retired_at, h.retired_because, c.seen_at as last_seen, h.host_id
from evenkeel.host h
left join evenkeel.host_checkin c using (host_id)
where h.retired_at is not null and h.merged_into is null;
comment on view ops.retired_host is
  'A row per host that is retired: it is in no verdict, check or count, until it reports again or is restored. Its history stays.';
comment on column ops.retired_host.host is 'Its name, which it keeps.';
comment on column ops.retired_host.retired_at is 'Since when.';
comment on column ops.retired_host.retired_because is 'Why.';
comment on column ops.retired_host.last_seen is 'When its last snapshot was accepted; null: never.';
comment on column ops.retired_host.host_id is 'Its identity.';
