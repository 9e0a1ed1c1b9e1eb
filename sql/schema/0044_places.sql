-- Who waits to be let in, from where.

alter table evenkeel.enrolment add column asked_from text not null default '';
comment on column evenkeel.enrolment.asked_from is
    'The address that it last asked from, of IPv6 the network (/64); empty: not known. Who may have how many places goes by it.';

-- Made anew with another argument.
drop function if exists evenkeel.enroll(bytea, text, bytea, text, text, bytea, bytea, text, text, integer),
    evenkeel.enroll_trusting(bytea, text, bytea, text, text, bytea, bytea, text, text, boolean, integer),
    evenkeel.ask(integer, text, uuid, text, text, bytea, bytea, text, text);

-- Which host made an instance known, so that one host can't use up those of all.
alter table evenkeel.path add column given_by uuid;
comment on column evenkeel.path.given_by is
    'Of a path that names an instance of a product: the host that sent it first; null: no instance, or not known.';
alter table evenkeel.product add column made_for uuid;
comment on column evenkeel.product.made_for is 'Of an instance: the host that sent the first of its paths; null: none, or not known.';
insert into evenkeel.setting (name, value, meaning) values
    ('units.host', '50', 'So many instances of a product one host may make known; of more, files count for the product, unknown there.')
on conflict do nothing;

-- Made anew with another argument.
drop function if exists evenkeel.store_paths(bytea[], text[]), evenkeel.match_paths(integer[]), evenkeel.make_units(integer[], text[]);

-- Called evenkeel.counted().
drop function if exists evenkeel.report_count(bigint, text, text);
