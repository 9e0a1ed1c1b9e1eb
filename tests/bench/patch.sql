-- Gives the files of a simulated fleet exports, and imports from each other; and makes a patch, with its payload, of 20 of them that lie
-- far apart, so that it touches as many chunks as it can.
begin;
update evenkeel.image set has_symbols = true, export_names = array(select 'Call' || n from generate_series(1, 10) n)
where company_name = 'Microsoft Corporation';
insert into evenkeel.image_import (image_id, position, dll, delay, names, ordinals)
select i.image_id, n.step, other.name, false, array['Call1', 'Call2', 'Call3'], '{}'
from evenkeel.image i
cross join lateral (select substring(i.original_filename from '[0-9]+')::integer as file) f
cross join generate_series(0, 2) n (step)
cross join lateral (select 'sim' || lpad((1 + (f.file + n.step) % (select count(*) - 1 from evenkeel.path))::text, 6, '0') || '.dll' as name) other
where i.company_name = 'Microsoft Corporation' and i.original_filename like 'sim%';
truncate evenkeel.chunk_imports, evenkeel.import_pair, evenkeel.import_need;

create temporary table bench_file as
select p.name, max(i.image_id) as like_image, max(i.file_version) + 1 as version
from (select name, row_number() over (order by name) - 1 as place, count(*) over () as files from evenkeel.path where name like 'sim%') p
join evenkeel.image i on i.original_filename = p.name and i.has_symbols
where p.place % greatest(p.files / 20, 1) = 0 and p.place < 20 * greatest(p.files / 20, 1)
group by p.name;
create temporary table bench_image as
select f.name, (select max(image_id) from evenkeel.image) + row_number() over (order by f.name) as image_id, f.like_image, f.version from bench_file f;
insert into evenkeel.image
select (jsonb_populate_record(i, jsonb_build_object('image_id', b.image_id, 'digest', sha256(convert_to('bench ' || b.name, 'utf8')), 'checksum', b.image_id,
                                                    'file_version', b.version, 'product_version', b.version))).*
from bench_image b join evenkeel.image i on i.image_id = b.like_image;
insert into evenkeel.image_import (image_id, position, dll, delay, names, ordinals)
select b.image_id, m.position, m.dll, m.delay, m.names || array['Call4'], m.ordinals
from bench_image b join evenkeel.image_import m on m.image_id = b.like_image;
select setval('evenkeel.image_image_id_seq', (select max(image_id) from evenkeel.image));
with made as (
    insert into evenkeel.patch (code, product_id, has_payload, source, required_levels)
    select 'BENCH', product_id, true, 'bench', array[evenkeel.level_ordinal(code, 'SP2')] from evenkeel.product where code = 'windows-2003'
    returning patch_id
)
insert into evenkeel.patch_file (patch_id, file, version, machine, image_id)
select m.patch_id, b.name, b.version, i.machine, b.image_id from made m cross join bench_image b join evenkeel.image i using (image_id);
commit;
