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
        'missing_peers_find, state_missing_peers; ends with the transaction.';
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
        'missing_peers_find; read by missing_peers_find; ends with the transaction.';
    create temporary table missing_common (product_id integer, peers text, location text, component_id integer, hosts integer,
                                           holders integer) on commit delete rows;
    comment on table missing_common is
        'A file that nearly all of such peers have: hosts is how many there are, holders how many have it. Filled by '
        'missing_peers_find; read by missing_peers_find, state_missing_peers; ends with the transaction.';
    create temporary table missing_part (product_id integer, peers text, chunk_id bigint, files bigint) on commit delete rows;
    comment on table missing_part is
        'How many of these files a chunk holds. Filled by missing_peers_find; read by missing_peers_find; ends with the transaction.';
    create temporary table missing_incomplete (host_id uuid, product_id integer, peers text) on commit delete rows;
    comment on table missing_incomplete is
        'A host whose chunks hold fewer of them than there are. Filled by missing_peers_find; read by missing_content_add, '
        'missing_peers_find, state_missing_peers; ends with the transaction.';
    create temporary table missing_content (chunk_id bigint, location text, folder text) on commit delete rows;
    comment on table missing_content is
        'Where a file lies in a chunk of a host that lacks something. Filled by missing_content_add; read by missing_content_add, '
        'missing_forget_unseen, missing_peers_find, state_missing_peers; ends with the transaction.';
    create temporary table missing_unmet (host_id uuid, product_id integer, location text, component_id integer, hosts integer,
                                          holders integer) on commit delete rows;
    comment on table missing_unmet is
        'One of these files that such a host does not have. Filled by missing_peers_find; read by state_missing_peers; ends with the '
        'transaction.';
end
$$;
comment on function evenkeel.missing_open() is 'Makes the relations in which it is looked for what is not there.';

create or replace function evenkeel.version_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.version_compared') is not null then
        return;
    end if;
    create temporary table version_compared (host_id uuid not null, component_id integer not null) on commit delete rows;
    comment on table version_compared is
        'A component of a host of the state that is to be compared with that of others. Filled by version_compare; read by '
        'state_version_sets, version_compare, version_find_parts; ends with the transaction.';
    create temporary table version_holding (host_id uuid not null, chunk_id bigint not null) on commit delete rows;
    comment on table version_holding is
        'A chunk of such a host. Filled by version_compare; read by state_version_sets, version_find_parts; ends with the transaction.';
    create temporary table version_part (like evenkeel.chunk_version_set) on commit delete rows;
    comment on table version_part is
        'What such a chunk adds to a version set, as evenkeel.chunk_version_set keeps it. Filled by version_find_parts; read by '
        'state_version_sets, version_find_parts; ends with the transaction.';
end
$$;
comment on function evenkeel.version_open() is 'Makes the relations in which version sets are put together.';

create or replace function evenkeel.evidence_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.evidence_set') is not null then
        return;
    end if;
    create temporary table evidence_set (place integer, hosts integer, host_id uuid, chunk_ids bigint[]) on commit delete rows;
    comment on table evidence_set is
        'A version set that many hosts have, and for each a host to look at. Filled by evidence_gather; read by '
        'evidence_find_families, evidence_gather; ends with the transaction.';
    create temporary table evidence_item (place integer, location text, version bigint) on commit delete rows;
    comment on table evidence_item is
        'The version that a file has in such a set; of files of which no two versions are common none. Filled by evidence_gather; '
        'read by evidence_find_bonds, evidence_find_families, evidence_gather; ends with the transaction.';
    create temporary table evidence_family (family text, files bigint, locations text[]) on commit delete rows;
    comment on table evidence_family is
        'Files that divide the sets alike, called by the first of them. Filled by evidence_find_families; read by '
        'evidence_find_bonds, evidence_find_families, evidence_find_leads; ends with the transaction.';
    create temporary table evidence_member (family text, place integer, member bigint, hosts integer) on commit delete rows;
    comment on table evidence_member is
        'The version that a familys first file has in a set: it stands for the others. Filled by evidence_find_families; read by '
        'evidence_find_bonds, evidence_find_leads; ends with the transaction.';
    create temporary table evidence_lead (family text, member bigint, lead text, lead_member bigint) on commit delete rows;
    comment on table evidence_lead is
        'A family that keeps to a larger one but for few hosts: which of its versions goes with which of that ones. Filled by '
        'evidence_find_leads; read by evidence_find_bonds, evidence_find_leads; ends with the transaction.';
    create temporary table evidence_bond (like evenkeel.version_bond) on commit delete rows;
    comment on table evidence_bond is
        'Two versions that go together, as evenkeel.version_bond keeps them. Filled by evidence_find_bonds; read by '
        'evidence_find_bonds, evidence_keep; ends with the transaction.';
    create temporary table evidence_version (like evenkeel.version_family) on commit delete rows;
    comment on table evidence_version is
        'The family and version that a files version stands for, as evenkeel.version_family keeps it. Filled by evidence_find_bonds; '
        'read by evidence_keep; ends with the transaction.';
end
$$;
comment on function evenkeel.evidence_open() is 'Makes the relations in which it is learnt which versions go together.';

create or replace function evenkeel.peers_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.peer_now') is not null then
        return;
    end if;
    create temporary table peer_member (host_id uuid, product_id integer, peers text) on commit delete rows;
    comment on table peer_member is
        'A product of a host whose level is known, and with whom it is compared. Filled by peers_find_now; read by peers_find_now; ends '
        'with the transaction.';
    create temporary table peer_now (host_id uuid, groups integer[], counted_from timestamptz, fingerprint integer, chunk_ids bigint[])
        on commit delete rows;
    comment on table peer_now is
        'A host as it is to be counted. Filled by peers_find_now; read by peers_add_held, peers_count, peers_find_now, '
        'peers_mark; ends with the transaction.';
    create temporary table peer_before (like peer_now) on commit delete rows;
    comment on table peer_before is
        'A host as it was counted. Filled by peers_count; read by peers_add_held, peers_count, peers_mark; ends with the transaction.';
    create temporary table peer_held (groups integer[], chunk_id bigint, holders integer) on commit delete rows;
    comment on table peer_held is
        'How many hosts of some groups hold a chunk, more or fewer than before. Filled by peers_add_held; read by peers_add; ends with the '
        'transaction.';
    create temporary table peer_moved (group_id integer, path_id integer, holders integer) on commit delete rows;
    comment on table peer_moved is
        'How many hosts of a group hold a path, more or fewer than before. Filled by peers_add; read by peers_add; ends with the '
        'transaction.';
    create temporary table fresh_peer_file (product_id integer, peers text, location text, component_id integer, hosts integer,
                                            holders integer) on commit delete rows;
    comment on table fresh_peer_file is
        'A file that the hosts of a group have, but for a few, as evenkeel.peer_file keeps it. Filled by peers_find_files; read by '
        'peers_publish_group; ends with the transaction.';
    create temporary table peer_slice (host_id uuid, group_id integer, chunk_ids bigint[]) on commit delete rows;
    comment on table peer_slice is
        'A host of a group of which some files are fresh. Filled by peers_look; read by peers_look; ends with the transaction.';
    create temporary table peer_deficit (group_id integer, location text, path_id integer) on commit delete rows;
    comment on table peer_deficit is
        'A file of these that somebody lacks, and a path of it. Filled by peers_look; read by peers_look; ends with the transaction.';
    create temporary table peer_entry (group_id integer, chunk_id bigint, files bigint) on commit delete rows;
    comment on table peer_entry is
        'How many of these files a chunk holds. Filled by peers_look; read by peers_look; ends with the transaction.';
end
$$;
comment on function evenkeel.peers_open() is 'Makes the relations in which it is counted and told which files like hosts have.';
