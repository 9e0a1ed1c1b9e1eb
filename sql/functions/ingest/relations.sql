-- The working relations of ingest.

create or replace function evenkeel.ingest_open()
returns void language plpgsql
as $$
begin
    -- A plan that was made while tables were small would read them whole for as long as the session lives.
    perform set_config('client_min_messages', 'warning', false), set_config('jit', 'off', false),
            set_config('plan_cache_mode', 'force_custom_plan', false);
    create temporary table if not exists ingest_snapshot (
        host_id uuid, taken_at timestamptz, schedule_seconds integer, unreadable integer,
        inventory bytea, files integer, chunk_ids bigint[],
        facts_digest bytea, facts_body bytea, facts jsonb, times_digest bytea, times jsonb, key_id integer
    ) on commit delete rows;
    comment on table ingest_snapshot is
        'A snapshot of the batch that is stored: its inventorys and facts digests, and what was made of them; without chunk_ids what '
        'the host had last stays. Filled by accept_snapshots, the aggregator; read by accept_snapshots; ends with the transaction.';
end
$$;
comment on function evenkeel.ingest_open() is 'Prepares a session for the aggregator''s writer.';
