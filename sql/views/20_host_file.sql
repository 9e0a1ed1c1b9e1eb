-- Files of hosts as dashboards see them.

create or replace view ops.host_file as
select h.name as host,
       p.path,
       evenkeel.version_text(i.file_version) as file_version,
       evenkeel.version_text(i.product_version) as product_version,
       c.code as component,
       evenkeel.level_range_text(fl.product_id, fl.levels) as level_range,
       pr.code as product,
       i.size,
       i.machine,
       to_timestamp(i.time_date_stamp) as linked_at,
       fl.lower_basis,
       fl.upper_basis,
       h.host_id,
       i.image_id,
       evenkeel.level_name(fl.product_id, hp.at_ordinal) as level,
       case when hp.at_ordinal is null then null when fl.untouched @> hp.at_ordinal then 'as released'
            when fl.confirmed @> hp.at_ordinal then 'confirmed' when fl.confirmed_by_fleet @> hp.at_ordinal then 'confirmed by the fleet'
            else 'not confirmed' end as confirmed,
       fl.hint_basis,
       hp.at_ordinal as ordinal,
       lower(fl.levels) as lowest_ordinal,
       upper(fl.levels) - 1 as highest_ordinal
from evenkeel.host h
join evenkeel.host_inventory_current v using (host_id)
cross join unnest(v.chunk_ids) u (chunk_id)
join evenkeel.chunk k on k.chunk_id = u.chunk_id
cross join unnest(k.file_ids) w (file_id)
join evenkeel.file f on f.file_id = w.file_id
join evenkeel.path p on p.path_id = f.path_id
join evenkeel.image i on i.image_id = f.image_id
left join evenkeel.file_level fl on fl.file_id = f.file_id
left join evenkeel.host_product hp on (hp.host_id, hp.product_id) = (h.host_id, fl.product_id)
left join evenkeel.component c on c.component_id = fl.component_id
left join evenkeel.product pr on pr.product_id = fl.product_id;
comment on view ops.host_file is 'A row per PE file of a host, and per product that it may belong to.';
comment on column ops.host_file.host is 'The host''s name.';
comment on column ops.host_file.path is 'Where the file lies, folded, from the drive letter.';
comment on column ops.host_file.file_version is 'VS_FIXEDFILEINFO, a.b.c.d; null where the file has none.';
comment on column ops.host_file.product_version is 'VS_FIXEDFILEINFO, a.b.c.d; null where the file has none.';
comment on column ops.host_file.component is 'The component that it belongs to; null: none that is judged.';
comment on column ops.host_file.level_range is 'The levels that its version allows: SP2, SP1..SP2.';
comment on column ops.host_file.product is 'The product that component and levels belong to.';
comment on column ops.host_file.size is 'Bytes.';
comment on column ops.host_file.machine is 'IMAGE_FILE_MACHINE_*: 332 x86, 34404 x64.';
comment on column ops.host_file.linked_at is 'Link timestamp; not a time in reproducible builds.';
comment on column ops.host_file.lower_basis is 'What proves the lower end of the range.';
comment on column ops.host_file.upper_basis is 'What proves the upper end.';
comment on column ops.host_file.host_id is 'The host.';
comment on column ops.host_file.image_id is 'The image, for joins.';
comment on column ops.host_file.level is 'The level that the host''s product is to be proven at.';
comment on column ops.host_file.confirmed is
  'confirmed: proven not older than that level ships it; as released: it can''t be older; confirmed by the fleet; not confirmed.';
comment on column ops.host_file.hint_basis is 'Why a greater lower end is likely and not proven; empty: it is not.';
comment on column ops.host_file.ordinal is
  'Where that level stands among the product''s levels, a greater number being later; null: there is none to be proven.';
comment on column ops.host_file.lowest_ordinal is 'Where the lower end of level_range stands; null: open, or no product.';
comment on column ops.host_file.highest_ordinal is 'Where its upper end stands; null: open, or no product.';
