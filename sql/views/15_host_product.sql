-- What is judged of hosts, product by product.

create or replace view ops.host_product as
select h.name as host,
       p.code as product,
       case when s.verdict = 'level' and h.pending then 'unknown' else s.verdict end as verdict,
       evenkeel.level_range_text(p.product_id, s.levels) as level_range,
       evenkeel.level_range_text(p.product_id, s.declared) as declared_level,
       s.proof,
       s.confirmed,
       s.countable,
       s.files,
       s.missing,
       p.beside,
       p.name as product_name,
       h.host_id
from evenkeel.shown_host h
join evenkeel.host_product s using (host_id)
join evenkeel.product p using (product_id);
comment on view ops.host_product is 'A row per host and product that it has.';
comment on column ops.host_product.host is 'The host''s name.';
comment on column ops.host_product.product is 'The product''s code; of one of several instances with its name.';
comment on column ops.host_product.verdict is 'level, mixed or unknown. Never level while the host''s state is newer than that verdict.';
comment on column ops.host_product.level_range is 'The levels that its files and its registry allow; none: they contradict each other.';
comment on column ops.host_product.declared_level is 'The level that the registry declares, where the catalogue knows it.';
comment on column ops.host_product.proof is 'On what the verdict rests: catalogue, store, fleet; empty: on nothing.';
comment on column ops.host_product.confirmed is 'Files that are proven not older than the level in question ships them.';
comment on column ops.host_product.countable is 'Of how many that could be said.';
comment on column ops.host_product.files is 'Files of its components.';
comment on column ops.host_product.missing is 'What would have to be known for a better verdict; empty: nothing.';
comment on column ops.host_product.beside is
  'It stands beside Windows (.NET Framework): unknown it leaves the host''s verdict to the other products.';
comment on column ops.host_product.product_name is 'How people call the product.';
comment on column ops.host_product.host_id is 'The host''s identity.';
