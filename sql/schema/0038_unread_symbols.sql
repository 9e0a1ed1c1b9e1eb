-- What a file imports, or exports, or its version, is not known where its headers or tables could not be read: what was said of such
-- files goes.

do $$
declare
    files integer[] := array(
        select f.file_id from evenkeel.image i join evenkeel.file f using (image_id)
        where i.defects & (evenkeel.pe_defect_unread_imports() | evenkeel.pe_defect_unread_exports()
                           | evenkeel.pe_defect_unread_version()) <> 0);
    chunks bigint[] := array(select c.chunk_id from evenkeel.chunk c where c.file_ids && files);
begin
    if files = '{}' then
        return;
    end if;
    delete from evenkeel.import_pair p where p.image_id in (select f.image_id from evenkeel.file f where f.file_id = any (files));
    insert into evenkeel.unjudged_file select unnest(files) on conflict do nothing;
    insert into evenkeel.unjudged_chunk select unnest(chunks) on conflict do nothing;
    insert into evenkeel.judge_queue (host_id)
    select i.host_id from evenkeel.host_inventory_current i where i.chunk_ids && chunks on conflict do nothing;
end
$$;
