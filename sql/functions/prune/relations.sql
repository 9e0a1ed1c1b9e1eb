-- The working relations of prune.

create or replace function evenkeel.prune_open()
returns void language plpgsql
as $$
begin
    create temporary table if not exists prune_candidate (kind text not null, id bigint not null, primary key (kind, id));
    comment on table prune_candidate is
        'A chunk, file, image, path or component store that nothing referred to when it was looked for. Filled by prune_find; read by '
        'prune_find, prune_remove; ends with the session.';
    create temporary table if not exists prune_mark (at timestamptz not null);
    comment on table prune_mark is
        'The moment of the search: what was used later stays. One row. Filled by prune_mark; read by prune_remove; ends with the '
        'session.';
end
$$;
comment on function evenkeel.prune_open() is 'Prepares a session for a search for content that no host refers to.';
