/* Whether an inventory's chunks make one path-sorted list. */

#include "store_order.h"

#include "proto/cleanup.h"

/* A chunk's first and last path; `last` is NULL where the chunk is not known yet. */
struct ends {
    struct bytes first, last;
};

static bool is_judged(const struct arrival *snapshot)
{
    return !snapshot->unchanged && !snapshot->old && !snapshot->same_inventory;
}

/* As store_file_key(): halves of both digests. */
static bool is_remembered(const struct batch *batch, const struct digest *pair)
{
    struct digest key = store_file_key(&pair[0], &pair[1]);
    return digest_map_get(&batch->store->orders, &key) != NULL;
}

/* The ends of the chunks at hand into `ends`, and the digests of those that the database holds into `known`. */
static int gather(const struct batch *batch, const struct digest *digest, struct digest_map *ends, struct buffer *known,
                  size_t *count, struct error *error)
{
    bool added;
    struct ends *chunk = digest_map_put(ends, digest, &added);
    if (chunk == NULL)
        return store_no_memory(error);
    if (!added)
        return 0;
    const struct new_chunk *given = store_new_chunk(batch, digest);
    if (store_chunk(batch->store, digest) != NULL) {
        buffer_field_bytes(known, bytes_of(digest->bytes, DIGEST_BYTES));
        (*count)++;
    } else if (given != NULL && given->decoded != NULL && given->decoded->count > 0) {
        chunk->first = given->decoded->entries[0].path;
        chunk->last = given->decoded->entries[given->decoded->count - 1].path;
    }
    return 0;
}

static int look_up(const struct batch *batch, struct digest_map *ends, const struct buffer *known, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(batch->store->connection, "select digest, first_path, last_path from evenkeel.chunk_ends($1)",
                       &PARAMETER_BINARY(TYPE_BYTEA_ARRAY, *known), 1, true, error);
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++) {
        struct digest digest;
        struct ends *chunk = digest_from(database_bytes(rows, row, 0), &digest) ? digest_map_get(ends, &digest) : NULL;
        struct bytes paths[2];
        for (int i = 0; chunk != NULL && i < 2; i++) {
            struct bytes path = database_bytes(rows, row, 1 + i);
            paths[i] = bytes_of(arena_copy(batch->arena, path.data, path.length), path.length);
            if (paths[i].data == NULL)
                return store_no_memory(error);
        }
        if (chunk != NULL)
            *chunk = (struct ends){paths[0], paths[1]};
    }
    return 0;
}

static int find_ends(const struct batch *batch, struct digest_map *ends, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer known = {0};
    struct buffer_array array = buffer_array_begin(&known, TYPE_BYTEA, false);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct arrival *snapshot = &batch->snapshots[s];
        for (size_t i = 1; is_judged(snapshot) && i < snapshot->chunk_count; i++) {
            const struct digest *pair = &snapshot->chunk_digests[i - 1];
            if (!is_remembered(batch, pair) && (gather(batch, &pair[0], ends, &known, &count, error) < 0 ||
                                                gather(batch, &pair[1], ends, &known, &count, error) < 0))
                return -1;
        }
    }
    if (count == 0)
        return 0;
    buffer_array_end(&known, array, count);
    return known.failed ? store_no_memory(error) : look_up(batch, ends, &known, error);
}

static bool is_behind(const struct ends *one, const struct ends *other)
{
    size_t common = one->last.length < other->first.length ? one->last.length : other->first.length;
    int order = memcmp(one->last.data, other->first.data, common);
    return order < 0 || (order == 0 && one->last.length < other->first.length);
}

/* The place of the first chunk that does not begin behind the one before it; 0: there is none. */
static int find_fault(const struct batch *batch, const struct arrival *snapshot, const struct digest_map *ends,
                      size_t *place, struct error *error)
{
    *place = 0;
    for (size_t i = 1; is_judged(snapshot) && i < snapshot->chunk_count; i++) {
        const struct digest *pair = &snapshot->chunk_digests[i - 1];
        const struct ends *one = digest_map_get(ends, &pair[0]), *other = digest_map_get(ends, &pair[1]);
        if (is_remembered(batch, pair) || one == NULL || other == NULL || one->last.data == NULL ||
            other->last.data == NULL)
            continue;
        if (!is_behind(one, other)) {
            *place = i;
            return 0;
        }
        struct digest key = store_file_key(&pair[0], &pair[1]);
        if (digest_map_put(&batch->store->orders, &key, NULL) == NULL)
            return store_no_memory(error);
    }
    return 0;
}

int store_check_order(struct batch *batch, bool *dropped, struct error *error)
{
    _cleanup_(digest_map_clear) struct digest_map ends = DIGEST_MAP(struct ends);
    size_t kept = 0, place;
    *dropped = false;
    if (find_ends(batch, &ends, error) < 0)
        return -1;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        if (find_fault(batch, &batch->snapshots[s], &ends, &place, error) < 0)
            return -1;
        if (place == 0) {
            batch->snapshots[kept++] = batch->snapshots[s];
            continue;
        }
        char sentence[160];
        snprintf(
            sentence, sizeof sentence,
            "chunk %zu of the inventory does not begin behind the end of chunk %zu: they are out of order, overlap, "
            "or are the same",
            place + 1, place);
        request_refuse(batch->snapshots[s].request, EVENKEEL__REFUSAL_REASON__MALFORMED, 0, sentence);
        *dropped = true;
    }
    batch->snapshot_count = kept;
    return 0;
}
