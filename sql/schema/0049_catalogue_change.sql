-- What of the catalogue changed since hosts were last judged by it, so that only those are judged again whom it touches.

create table evenkeel.catalogue_change (
    product_id integer,
    file text,
    unique nulls not distinct (product_id, file)
);
comment on table evenkeel.catalogue_change is
  'What of the catalogue changed, until catalog_refresh() judges by it what that touches. Written by the triggers of the catalogue.';
comment on column evenkeel.catalogue_change.product_id is
  'The product; null: of a file, any; else all, for whether a host has one may have changed.';
comment on column evenkeel.catalogue_change.file is
  'The file of which something is said otherwise, as baseline.file has it, or, where the product is null, a name that patches bring; null: '
  'anything may be, of the product''s files and levels.';
insert into evenkeel.catalogue_change (product_id, file) values (null, null);
