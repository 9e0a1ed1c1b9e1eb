-- What the functions of this folder leave for each other while hosts are judged; all of it ends with the transaction.

create or replace function evenkeel.level_state_open()
returns void language plpgsql
as $$
begin
    create temporary table state_alike (host_id uuid not null, lead uuid not null) on commit delete rows;
    comment on table state_alike is
        'A host of the state and the one that is judged for it, itself where none is. Filled by find_alike, part_alike; read by '
        'copy_alike, find_alike, find_levels, view state_lead_facts; ends with the transaction.';
    create temporary table state_range (
        host_id uuid not null, product_id integer not null, levels int4range not null, greatest_lower integer not null,
        least_upper integer not null, hint integer, revision integer, declared int4range, base_ordinal integer, ordinal integer,
        files integer not null, covered integer not null, undecided text
    ) on commit delete rows;
    comment on table state_range is
        'Per host and product that it may have: what its files and its registry allow together. Filled by copy_alike, find_based_ranges, '
        'find_ranges; read by copy_alike, count_proofs, doubt_updates, find_based_ranges, find_crowded, find_doubts, find_hints, '
        'find_hotfix_doubts, find_hotpatched, find_products, find_proofs, find_ranges, find_restarted, find_stale_declarations, '
        'find_store_doubts, find_trouble, mixed_by_store, part_alike, unproven_declarations; ends with the transaction.';
    create temporary table state_update (host_id uuid primary key, ubr integer not null) on commit delete rows;
    comment on table state_update is
        'What a host of the state will declare once the update is in that is laid over it. Filled by overlay_state; read by '
        'find_component_stores, find_declarations; ends with the transaction.';
    create temporary table state_trouble (host_id uuid not null, product_id integer not null, doubt_from integer, hotfix text,
                                          renames jsonb)
        on commit delete rows;
    comment on table state_trouble is
        'A host whose levels contradict each other, but that lists hotfixes of unknown files or waits for a restart: it is looked at '
        'file by file. Filled by find_trouble; read by find_doubts, find_hotfix_doubts, find_restarted, find_trouble, risk_unlike; ends '
        'with the transaction.';
    create temporary table state_trouble_file (
        host_id uuid not null, product_id integer not null, path_id integer not null, file_id integer not null, levels int4range not null,
        exact_from integer, upper_basis text not null, lower_basis text not null
    ) on commit delete rows;
    comment on table state_trouble_file is
        'A file of a host of state_trouble. Filled by find_trouble; read by find_hotfix_doubts, find_restarted; ends with the '
        'transaction.';
    create temporary table state_doubt (host_id uuid not null, product_id integer not null, kind text not null, sentence text not null)
        on commit delete rows;
    comment on table state_doubt is
        'Why a verdict that looks proven is not: only an unproven end makes the range empty (hint, hotfix), the restart that is waited '
        'for mends it (restart), the host may be hotpatched (hotpatch), the component store speaks against it (store), several instances '
        'count together (instances), or only what a registry declares that is out of date contradicts its files (registry). Filled by '
        'find_crowded, find_hints, find_hotfix_doubts, find_hotpatched, find_restarted, find_stale_declarations, find_store_doubts; read '
        'by find_products, find_restarted, part_alike, risk_unlike; ends with the transaction.';
    create temporary table state_chunk_proof (
        chunk_id bigint not null, component_id integer not null, product_id integer not null, ordinal integer not null,
        confirmed integer not null, by_fleet integer not null, untouched integer not null, ahead integer not null
    ) on commit delete rows;
    comment on table state_chunk_proof is
        'As chunk_proof, of the chunks of the hosts of the state at the levels in question, those that a patch would make too. Filled '
        'by count_proofs; read by find_proofs; ends with the transaction.';
    create temporary table state_proof (
        host_id uuid not null, product_id integer not null, component_id integer not null, files integer not null,
          confirmed integer not null,
        by_fleet integer not null, by_store integer not null, untouched integer not null, ahead integer not null
    ) on commit delete rows;
    comment on table state_proof is
        'Per component of a host: of how many files the level in question is confirmed. Filled by find_proofs; read by '
        'component_gaps, find_proofs; ends with the transaction.';
end
$$;
comment on function evenkeel.level_state_open() is 'Makes the temporary relations of this folder, all empty.';

create or replace function evenkeel.content_open()
returns void language plpgsql
as $$
begin
    if to_regclass('pg_temp.content_held') is not null then
        return;
    end if;
    create temporary table content_held (
        file_id integer not null, product_id integer not null, component_id integer not null, level_kind text not null, name text not null,
        location text, machine integer, version bigint, revision integer, number integer, at_release boolean not null,
        on_line boolean not null, blind boolean not null, damaged boolean not null
    ) on commit delete rows;
    comment on table content_held is
        'A file to be judged, per product whose components hold its path: as held_files() has it. Filled by hold_files; read by '
        'exact_ends, file_confirmations, file_ranges, find_statements, implied_statements, patch_ends, rule_ends, upper_ends; ends with '
        'the transaction.';
    create temporary table content_told (
        file_id integer not null, product_id integer not null, at_release boolean not null, relation text not null,
        compared integer not null, rank integer not null, learned boolean not null, single boolean not null, levels int4multirange not null
    ) on commit delete rows;
    comment on table content_told is
        'The levels of which it is stated what they ship in the place of a file of content_held, for its machine: by relation and by how '
        'that compares to the file''s own version (-1: older, 0: the same, 1: newer). rank: as statement_rank() and by place; single: '
        'each of the levels has a statement of its own; else those of them that have a list. Filled by find_statements; read by '
        'exact_ends, file_confirmations, implied_statements, upper_ends; ends with the transaction.';
end
$$;
comment on function evenkeel.content_open() is 'Makes the temporary relations by which files are judged, where they are not there yet.';
