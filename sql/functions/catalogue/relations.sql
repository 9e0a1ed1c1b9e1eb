-- The working relations of the catalogue: what is staged by an import, and handed on from step to step until it is merged. Those whose
-- columns follow from a query are made, and declared, by the function with that query.

create or replace function evenkeel.catalog_stage()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    create temporary table if not exists stage_products (code text, name text, os_version text, os_build text, os_build_to text,
        product_types text, installation_types text, inetstp_major text, follows_os text, level_kind text, coverage_share text,
        rtm_revision text, beside text, source text) on commit drop;
    comment on table stage_products is
        'A row of products.csv, or of a document, as text. Filled by the import; read by catalog_verify_references, merge_products; '
        'ends with the transaction.';
    create temporary table if not exists stage_levels (product text, ordinal text, code text, name text, service_pack text,
        marker_hotfix text, ubr text, released text, kb text, preview text, out_of_band text, line text, base text, complete text,
        source text) on commit drop;
    comment on table stage_levels is
        'A row of levels.csv, or a level that a document tells of, as text. Filled by facts_stage_builds, facts_stage_levels, the '
        'import; read by catalog_verify_references, facts_stage_builds, merge_levels; ends with the transaction.';
    create temporary table if not exists stage_lines (product text, major text, minor text, build text, revision_from text,
        revision_to text, source text) on commit drop;
    comment on table stage_lines is
        'A row of lines.csv as text. Filled by the import; read by catalog_verify_references, merge_lines, staged_editions; ends with '
        'the transaction.';
    create temporary table if not exists stage_components (product text, code text, name text, include text, exclude text,
        declared text, source text) on commit drop;
    comment on table stage_components is
        'A row of components.csv as text. Filled by the import; read by catalog_verify_references, merge_components, staged_editions; '
        'ends with the transaction.';
    create temporary table if not exists stage_rules (product text, level text, relation text, minor text, build text, revision text,
        source text) on commit drop;
    comment on table stage_rules is
        'A row of rules.csv as text. Filled by the import; read by catalog_verify_references, merge_rules, staged_editions; ends with '
        'the transaction.';
    create temporary table if not exists stage_known_files (product text, file text, source text) on commit drop;
    comment on table stage_known_files is
        'A row of known_files.csv as text. Filled by the import; read by catalog_verify_references, merge_known_files, '
        'staged_editions; ends with the transaction.';
    create temporary table if not exists stage_baselines (product text, level text, file text, relation text, version text,
        machine text, kind text, source text) on commit drop;
    comment on table stage_baselines is
        'A row of baselines.csv, or what a document tells of a levels file, as text. Filled by kb_stage_patches, the import; read by '
        'catalog_verify_references, kb_tell, merge_baselines, staged_editions; ends with the transaction.';
    create temporary table if not exists stage_patches (code text, product text, title text, level text, required_levels text,
        supersedes text, contained_in text, restart text, released text, os_builds text, source text) on commit drop;
    comment on table stage_patches is
        'A row of patches.csv, or a patch that a document tells of, as text. Filled by facts_stage_levels, facts_stage_mssecure, '
        'facts_stage_patches, kb_stage_patches, the import; read by catalog_verify_references, complete_payloads, '
        'facts_stage_mssecure, facts_stage_patches, kb_tell, merge_patches, staged_editions; ends with the transaction.';
    create temporary table if not exists stage_patch_files (patch text, product text, file text, version text, machine text,
        branch text, size text, dated text, platform text) on commit drop;
    comment on table stage_patch_files is
        'A row of patch_files.csv, or of a documents table, as text. Filled by facts_stage_mssecure, kb_stage_patches, the import; '
        'read by catalog_verify_references, merge_patch_files; ends with the transaction.';
    -- The edition that a staged file is; without one a row belongs to that of its source.
    create temporary table if not exists stage_edition (file text primary key, edition_id integer not null, columns text) on commit drop;
    comment on table stage_edition is
        'The edition that a staged file is, and its columns; without one a row belongs to the edition of its source. Filled by '
        'catalog_edition; read by catalog_refuse, settle_scope, staged_edition, staged_editions; ends with the transaction.';
    create temporary table if not exists stage_list_change (changed bigint) on commit drop;
    comment on table stage_list_change is
        'How many intervals a list changed. Filled by kb_import; read by catalog_merge; ends with the transaction.';
end
$$;
comment on function evenkeel.catalog_stage() is 'Makes the staging tables that the CSV files of a catalogue are copied into.';

create or replace function evenkeel.kb_stage()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    create temporary table kb_file (doc integer primary key, path text not null, article text not null, number integer not null,
        is_list boolean not null, edition text not null default '', edition_id integer) on commit drop;
    comment on table kb_file is
        'An article or a list that is imported. number: of the article, 0: none; edition: what its rows are stated by. Filled by '
        'list_import, the import; read by kb_place_rows, kb_read_patches, kb_tell, list_find_levels, list_find_products, list_merge, '
        'list_refuse_doubles; ends with the transaction.';
    create temporary table kb_section (doc integer, section integer, line integer, banner text, architecture text) on commit drop;
    comment on table kb_section is
        'A heading within a file, and the architecture that it is of. Filled by the import; read by kb_place_rows, '
        'list_find_products; ends with the transaction.';
    create temporary table kb_row (doc integer, line integer, table_number integer, section integer, dated text, version bigint,
        printed text, size bigint, file text, platform text) on commit drop;
    comment on table kb_row is
        'A row of a table of files as it was read; of a list only those that may be told of. Filled by kb_rows_of_lists, the import; '
        'read by kb_place_rows, kb_tell; ends with the transaction.';
    create temporary table kb_requirement (doc integer, line integer, product text, levels text, or_later boolean) on commit drop;
    comment on table kb_requirement is
        'A sentence on what must be installed first. Filled by the import; read by kb_place_rows, kb_read_patches; ends with the '
        'transaction.';
    create temporary table kb_corrected (doc integer, line integer, product text, service_pack text) on commit drop;
    comment on table kb_corrected is
        'A sentence on the service pack in which it was first corrected. Filled by the import; read by kb_read_patches; ends with the '
        'transaction.';
    -- What is told to a person: of a line where it is a problem (severity 1), of a file where it is what was taken (0), or why it is
    -- refused (2).
    create temporary table kb_told (doc integer, line integer, severity integer, sentence text) on commit drop;
    comment on table kb_told is
        'What is told to a person: of a line where it is a problem (severity 1), of a file where it is what was taken (0), or why it '
        'is refused (2). Filled by facts_stage_builds, facts_stage_levels, facts_stage_mssecure, facts_stage_patches, index_tell, '
        'kb_place_rows, kb_read_patches, kb_refuse_articles, kb_tell, list_find_levels, list_find_products, list_refuse_doubles, '
        'list_tell; read by kb_import, kb_tell, update_remember; ends with the transaction.';
    perform evenkeel.list_stage();
end
$$;
comment on function evenkeel.kb_stage() is
  'Makes the temporary tables that articles and lists are staged in as they were read; an import fills them and calls kb_import().';

create or replace function evenkeel.list_stage()
returns void language sql
as $$
    create temporary table list_row (doc integer, section integer, line integer, version bigint, file text, dated text, size bigint)
      on commit drop;
    comment on table list_row is
        'A row of a list, slim, for there are millions; its file is in kb_file, its section in kb_section. Filled by the import; read '
        'by kb_import, kb_rows_of_lists, kb_tell, list_find_builds, list_find_levels, list_merge, list_take; ends with the '
        'transaction.';
$$;
comment on function evenkeel.list_stage() is
  'Makes the temporary table that rows of lists are staged in: those of their files in kb_file, and of their sections in kb_section.';

create or replace function evenkeel.list_scratch()
returns void language plpgsql
as $$
begin
    -- What is stated now, by level, with files by number; the levels that have a list then.
    create temporary table if not exists list_name (file_id integer generated always as identity primary key, file text not null unique)
      on commit drop;
    comment on table list_name is
        'The number of a files name. Filled by list_gather, list_merge; read by list_gather, list_store, list_take; ends with the '
        'transaction.';
    create temporary table if not exists list_at (at bigint, version bigint) on commit drop;
    comment on table list_at is
        'A files version at a level that has a list: at holds the number of its name and, in its last 32 bits, the place of the level. '
        'Filled by list_gather, list_take; read by list_intervals; ends with the transaction.';
    create temporary table if not exists list_begun (at bigint, version bigint, before bigint, several boolean) on commit drop;
    comment on table list_begun is
        'Such a row whose version the place before does not have, and the row before; several: its place has another version, too. Filled '
        'by list_intervals; read by list_intervals; ends with the transaction.';
    create temporary table if not exists list_place (ordinal integer primary key, place integer not null, fresh boolean not null)
      on commit drop;
    comment on table list_place is
        'A level that has a list then, and its place in their order; fresh: its list is one of those at hand. Filled by list_remove, '
        'list_take; read by list_counts, list_gather, list_intervals, list_take; ends with the transaction.';
    create temporary table if not exists list_interval (file_id integer, version bigint, first_ordinal integer, last_ordinal integer)
      on commit drop;
    comment on table list_interval is
        'A files version and the levels, first to last, that ship it. Filled by list_intervals; read by list_counts, list_store; ends '
        'with the transaction.';
    truncate list_at, list_begun, list_place, list_interval;
end
$$;
comment on function evenkeel.list_scratch() is 'Makes, or empties, the temporary tables that list_intervals() works from.';

create or replace function evenkeel.facts_stage()
returns void language plpgsql
as $$
begin
    perform set_config('client_min_messages', 'warning', true);
    -- Which file is what; facts_import() adds what it gave.
    create temporary table fact_file (doc integer primary key, path text, kind text) on commit drop;
    comment on table fact_file is
        'A document that was read, and of which kind it is. Filled by facts_bulletins, facts_history, facts_json, facts_mssecure, '
        'facts_supersedence, facts_winbindex; read by facts_merge_supersedence, facts_stage_builds, facts_stage_levels, '
        'facts_stage_mssecure, facts_stage_patches, index_tell; ends with the transaction.';
    create temporary table update_file (doc integer primary key, path text not null, digest bytea not null) on commit drop;
    comment on table update_file is
        'A document of a folder of updates, and its digest, by which it is known the next time. Filled by the import; read by '
        'update_remember; ends with the transaction.';
    create temporary table fact_level (doc integer, server boolean, build integer, ubr integer, kb text, released date, preview boolean,
        out_of_band boolean) on commit drop;
    comment on table fact_level is
        'A cumulative update as a list of Windows versions has it. Filled by facts_history, facts_json; read by facts_stage_levels; '
        'ends with the transaction.';
    create temporary table fact_rollup (doc integer, place integer, product text, release text, kind text, kb text) on commit drop;
    comment on table fact_rollup is
        'A rollup of an earlier Windows, in the order of its page. Filled by facts_history; read by facts_stage_patches; ends with '
        'the transaction.';
    create temporary table fact_supersedes (doc integer, code text, supersedes text) on commit drop;
    comment on table fact_supersedes is
        'A patch and one that it replaces. Filled by facts_bulletins, facts_supersedence; read by facts_merge_supersedence, '
        'facts_stage_patches; ends with the transaction.';
    create temporary table fact_bulletin (doc integer, kb text, product text, dated date) on commit drop;
    comment on table fact_bulletin is
        'A patch that a security bulletin names for a product. Filled by facts_bulletins; read by facts_stage_patches; ends with the '
        'transaction.';
    create temporary table fact_build (doc integer, version text, pack text, cu text, kb text, released date, retired boolean)
      on commit drop;
    comment on table fact_build is
        'A build of SQL Server. Filled by facts_builds; read by facts_stage_builds; ends with the transaction.';
    create temporary table fact_patch (doc integer, code text, bulletin text, product text, requires text[], fixed text[], whole boolean,
                                       released date,
        supersedes text[]) on commit drop;
    comment on table fact_patch is
        'A patch of mssecure.xml: the levels that it is for (requires), those that contain it (fixed); whole: each of its products '
        'has some. Filled by facts_mssecure_patches; read by facts_stage_mssecure; ends with the transaction.';
    create temporary table fact_patch_file (doc integer, code text, product text, file text, version text, dated text, size text)
      on commit drop;
    comment on table fact_patch_file is
        'A file of such a patch. Filled by facts_mssecure; read by facts_stage_mssecure; ends with the transaction.';
    create temporary table fact_index (doc integer, file text, architecture integer, version evenkeel.version, windows text, kb text,
                                       release text)
        on commit drop;
    comment on table fact_index is
        'A version of a file that an update brought, as an index by names has it. Filled by facts_winbindex; read by index_edition, '
        'index_find_levels, index_merge, index_tell; ends with the transaction.';
end
$$;
comment on function evenkeel.facts_stage() is 'Makes the temporary tables that published facts are read into.';
