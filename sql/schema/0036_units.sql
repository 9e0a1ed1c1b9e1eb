-- A product that may be on a host several times is judged instance by instance: each instance that hosts have is a product of its own,
-- which has all of the catalogue from the one that it is of.

alter table evenkeel.product
    add column unit_of integer references evenkeel.product on delete cascade,
    add column unit text not null default '',
    add constraint product_unit unique (unit_of, unit);
comment on column evenkeel.product.unit_of is
  'The product that this is an instance of: what the catalogue says of that one holds of it; null: it is none.';
comment on column evenkeel.product.unit is 'Which instance, as it is called in paths: mssql15.sales; empty: it is none.';

insert into evenkeel.setting (name, value, meaning) values
    ('units.most', '500', 'So many instances of a product, by name over the whole fleet, are judged apart; of more, files count for it.')
on conflict do nothing;

-- What is bound already is bound anew, for this makes the shipped catalogue differ, which is merged next.
update evenkeel.product set source = 'shipped before' where source = 'shipped' and code like 'sql-server-%';
