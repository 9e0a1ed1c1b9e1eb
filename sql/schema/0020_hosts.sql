-- Labels that people give hosts, and risk findings that people accept.

create table evenkeel.host_label (
    host_id uuid not null,
    label text not null check (label ~ '^[^[:cntrl:]*?\[]{1,255}$'),
    taken_off boolean not null default false,
    labelled_by text not null default session_user,
    labelled_at timestamptz not null default now(),
    primary key (host_id, label)
);
comment on table evenkeel.host_label is
    'A group that a person put a host into, or took it out of, beside those that its collector''s configuration names.';
comment on column evenkeel.host_label.host_id is 'The host.';
comment on column evenkeel.host_label.label is 'The group.';
comment on column evenkeel.host_label.taken_off is 'It is not in that group, whatever its collector says.';
comment on column evenkeel.host_label.labelled_by is 'By whom.';
comment on column evenkeel.host_label.labelled_at is 'When.';

create table evenkeel.risk_acceptance (
    patch text not null,
    host_id uuid not null,
    check_code text not null,
    subject text not null,
    severity text not null check (severity in ('high', 'medium', 'low')),
    symbols jsonb not null default '[]',
    reason text not null check (reason <> ''),
    accepted_by text not null default session_user,
    accepted_at timestamptz not null default now(),
    until timestamptz not null check (isfinite(until)),
    primary key (patch, host_id, check_code, subject)
);
create index risk_acceptance_host on evenkeel.risk_acceptance (host_id);
comment on table evenkeel.risk_acceptance is
    'What a patch would break on a host, and a person accepts for a time. It does not cover what is worse than what was accepted.';
comment on column evenkeel.risk_acceptance.patch is 'The patch''s code.';
comment on column evenkeel.risk_acceptance.host_id is 'The host.';
comment on column evenkeel.risk_acceptance.check_code is 'The check that would find it.';
comment on column evenkeel.risk_acceptance.subject is 'The finding''s subject.';
comment on column evenkeel.risk_acceptance.severity is 'How severe it was then.';
comment on column evenkeel.risk_acceptance.symbols is 'Of unresolved imports: the symbols that were missing then.';
comment on column evenkeel.risk_acceptance.reason is 'Why it is accepted.';
comment on column evenkeel.risk_acceptance.accepted_by is 'By whom.';
comment on column evenkeel.risk_acceptance.accepted_at is 'When.';
comment on column evenkeel.risk_acceptance.until is 'When it counts again.';
