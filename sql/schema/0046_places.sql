-- Who waits to be let in, from where.

alter table evenkeel.enrolment add column asked_from text not null default '';
comment on column evenkeel.enrolment.asked_from is
    'The address that it last asked from, of IPv6 the network (/64); empty: not known. Who may have how many places goes by it.';

-- Made anew with another argument.
drop function if exists evenkeel.enroll(bytea, text, bytea, text, text, bytea, bytea, text, text, integer),
    evenkeel.enroll_trusting(bytea, text, bytea, text, text, bytea, bytea, text, text, boolean, integer),
    evenkeel.ask(integer, text, uuid, text, text, bytea, bytea, text, text);
