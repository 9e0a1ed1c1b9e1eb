-- Which products of a host its verdict goes by.

create or replace view evenkeel.deciding_product as
select p.host_id, p.product_id, p.levels, p.declared, p.verdict, p.missing, p.proof, p.confirmed, p.countable
from evenkeel.host_product p
join evenkeel.product q using (product_id)
where not q.beside;
comment on view evenkeel.deciding_product is
    'A row per host and product that it has and that decides what is said of the host: host_product without what stands beside Windows '
    '(.NET Framework), of which only mixed counts.';
comment on column evenkeel.deciding_product.host_id is 'The host.';
comment on column evenkeel.deciding_product.product_id is 'The product.';
comment on column evenkeel.deciding_product.levels is 'As host_product.levels.';
comment on column evenkeel.deciding_product.declared is 'As host_product.declared.';
comment on column evenkeel.deciding_product.verdict is 'As host_product.verdict.';
comment on column evenkeel.deciding_product.missing is 'As host_product.missing.';
comment on column evenkeel.deciding_product.proof is 'As host_product.proof.';
comment on column evenkeel.deciding_product.confirmed is 'As host_product.confirmed.';
comment on column evenkeel.deciding_product.countable is 'As host_product.countable.';
