-- Keys and enrolments as people see them.

create or replace view ops.collector_key as
select evenkeel.key_fingerprint(k.public_key) as key, k.status, k.status_since,
       coalesce(h.hosts, 0) as hosts, coalesce(h.names, '') as speaks_for, coalesce(g.globs, '') as may_enrol, k.note, k.first_seen
from evenkeel.collector_key k
left join lateral (
    select count(*) as hosts, string_agg(n.name, ', ' order by n.name) filter (where n.place <= 5) || case when count(*) > 5 then ', ...'
      else '' end as names
    from (select h.name, row_number() over (order by h.name) as place
          from evenkeel.host_key hk join evenkeel.host h using (host_id) where hk.key_id = k.key_id) n
    having count(*) > 0
) h on true
left join lateral (
    select string_agg(g.host_glob, ', ' order by g.host_glob) as globs from evenkeel.key_grant g where g.key_id = k.key_id
) g on true;
comment on view ops.collector_key is 'A row per key that collectors sign with.';
comment on column ops.collector_key.key is 'How it is called: the start of the public key.';
comment on column ops.collector_key.status is 'pending, approved, revoked, or set apart (used from two machines).';
comment on column ops.collector_key.status_since is 'Since when.';
comment on column ops.collector_key.hosts is 'How many hosts it may speak for.';
comment on column ops.collector_key.speaks_for is 'The first of their names.';
comment on column ops.collector_key.may_enrol is 'Names that it was granted beyond those.';
comment on column ops.collector_key.note is 'Why its status is what it is.';
comment on column ops.collector_key.first_seen is 'When it first asked.';

create or replace view ops.enrolment as
select e.host_name as host, evenkeel.key_fingerprint(k.public_key) as key, e.requested_at, e.machine_sid, e.machine_guid,
       (select count(*) from evenkeel.host h where lower(h.name) = lower(e.host_name) and h.merged_into is null) as hosts_of_that_name,
       case when e.host_id is null then 'to be let in' else 'to be called so instead of ' || (select h.name from evenkeel.host h
         where h.host_id = e.host_id) end as asks,
       coalesce(n.taken_by, '') as taken_by, e.asked_from
from evenkeel.enrolment e
join evenkeel.collector_key k using (key_id)
cross join lateral (
    select coalesce(evenkeel.other_keys(h.holder, k.key_id), case when h.holder <> e.host_id or e.host_id is null then h.holder::text end)
      as taken_by
    from (select evenkeel.name_holder(e.host_name) as holder) h
) n;
comment on view ops.enrolment is 'A row per enrolment that waits for approval, and per rename that does.';
comment on column ops.enrolment.host is 'The name that is asked for.';
comment on column ops.enrolment.key is 'Which key asks.';
comment on column ops.enrolment.requested_at is 'When it last asked.';
comment on column ops.enrolment.machine_sid is 'The SID that it states.';
comment on column ops.enrolment.machine_guid is 'The MachineGuid that it states.';
comment on column ops.enrolment.hosts_of_that_name is 'How many hosts of that name there are already.';
comment on column ops.enrolment.asks is 'What for: to be let in, or to be called so instead of the name that the key''s host has.';
comment on column ops.enrolment.asked_from is
  'The address that it asked from, of IPv6 the network; empty: not known. Who has fewer places than another address takes one of its.';
comment on column ops.enrolment.taken_by is
  'Who has that name: the keys that speak for the host of that name, its host_id where none does; empty: it is free. Who is approved in '
  'its place takes it over: evenkeel hosts approve --replace.';
