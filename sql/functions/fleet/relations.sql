-- The working relations of the fleet's checks.

create or replace function evenkeel.missing_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.missing_chunk') is not null then
        return;
    end if;
    create temporary table missing_chunk (host_id uuid, chunk_id bigint) on commit delete rows;
    comment on table missing_chunk is
        'A chunk of a host of the state. Filled by missing_begin; read by missing_content_add, missing_find, missing_forget_unseen, '
        'state_missing_peers; ends with the transaction.';
    create temporary table missing_list (host_id uuid, list uuid) on commit delete rows;
    comment on table missing_list is
        'A host that told of its services, and which list of them that is: hosts installed alike have the same. Filled by '
        'missing_needs; read by missing_find, missing_needs, state_missing_services; ends with the transaction.';
    create temporary table missing_need (list uuid, want integer, name text, start bigint, type bigint, what text, command text)
        on commit delete rows;
    comment on table missing_need is
        'A service of a list and the file that it runs from. Filled by missing_needs; read by missing_find, state_missing_services; '
        'ends with the transaction.';
    create temporary table missing_want (want integer, path text, candidates text[], folders text[]) on commit delete rows;
    comment on table missing_want is
        'A file that services run from, by number. Filled by missing_needs; read by missing_find, missing_forget_unseen, '
        'missing_needs; ends with the transaction.';
    create temporary table missing_named (list uuid, name text, start bigint, type bigint, what text, command text, path text,
                                          candidates text[], folders text[]) on commit delete rows;
    comment on table missing_named is
        'A service of a list that is not disabled, and where the file that it names may lie: as it is spelled (path), all spellings '
        '(candidates), the folders. Filled by missing_needs; read by missing_needs; ends with the transaction.';
    create temporary table missing_spelled (want integer, several boolean, path_id integer) on commit delete rows;
    comment on table missing_spelled is
        'A path that is a spelling of a wanted file; several: there are others. Filled by missing_find; read by missing_find; ends '
        'with the transaction.';
    create temporary table missing_there (chunk_id bigint, want integer) on commit delete rows;
    comment on table missing_there is
        'A chunk that holds a wanted file. Filled by missing_find; read by missing_find; ends with the transaction.';
    create temporary table missing_absent (host_id uuid, want integer, path text) on commit delete rows;
    comment on table missing_absent is
        'A file that a service of a host runs from and that none of its chunks holds. Filled by missing_find; read by '
        'missing_content_add, missing_forget_unseen, state_missing_peers, state_missing_services; ends with the transaction.';
    create temporary table missing_folder (host_id uuid, folder text, short boolean, facts jsonb) on commit delete rows;
    comment on table missing_folder is
        'A folder in which such a file would lie, and what the hosts collector told of where it looked. Filled by '
        'missing_forget_unseen; read by missing_forget_unseen; ends with the transaction.';
    create temporary table missing_seen (host_id uuid, folder text) on commit delete rows;
    comment on table missing_seen is
        'One of these that was looked into. Filled by missing_forget_unseen; read by missing_forget_unseen; ends with the '
        'transaction.';
    create temporary table missing_peer (host_id uuid, product_id integer, peers text) on commit delete rows;
    comment on table missing_peer is
        'A product of a host, and the others that it may be compared with: those of the same level and edition. Filled by '
        'state_missing_peers; read by state_missing_peers; ends with the transaction.';
    create temporary table missing_common (product_id integer, peers text, location text, component_id integer, hosts integer,
                                           holders integer) on commit delete rows;
    comment on table missing_common is
        'A file that nearly all of such peers have: hosts is how many there are, holders how many have it. Filled by '
        'state_missing_peers; read by state_missing_peers; ends with the transaction.';
    create temporary table missing_part (product_id integer, peers text, chunk_id bigint, files bigint) on commit delete rows;
    comment on table missing_part is
        'How many of these files a chunk holds. Filled by state_missing_peers; read by state_missing_peers; ends with the '
        'transaction.';
    create temporary table missing_incomplete (host_id uuid, product_id integer, peers text) on commit delete rows;
    comment on table missing_incomplete is
        'A host whose chunks hold fewer of them than there are. Filled by state_missing_peers; read by missing_content_add, '
        'state_missing_peers; ends with the transaction.';
    create temporary table missing_content (chunk_id bigint, location text, folder text) on commit delete rows;
    comment on table missing_content is
        'Where a file lies in a chunk of a host that lacks something. Filled by missing_content_add; read by missing_content_add, '
        'missing_forget_unseen, state_missing_peers; ends with the transaction.';
    create temporary table missing_unmet (host_id uuid, product_id integer, location text, component_id integer, hosts integer,
                                          holders integer) on commit delete rows;
    comment on table missing_unmet is
        'One of these files that such a host does not have. Filled by state_missing_peers; read by state_missing_peers; ends with the '
        'transaction.';
end
$$;
comment on function evenkeel.missing_open() is 'Makes the relations in which it is looked for what is not there.';
