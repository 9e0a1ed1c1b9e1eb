/* A batch on its way: what its steps share. */

#include "store_batch.h"

#include "proto/cleanup.h"

const struct object *store_at_hand(const struct arrival *snapshot, Evenkeel__ObjectKind kind,
                                   const struct digest *digest)
{
    for (size_t i = 0; i < snapshot->request->object_count; i++)
        if (snapshot->request->objects[i].kind == kind && digest_equal(&snapshot->request->objects[i].digest, digest))
            return &snapshot->request->objects[i];
    for (size_t i = 0; i < snapshot->upload_count; i++)
        if (snapshot->uploads[i].kind == kind && digest_equal(&snapshot->uploads[i].digest, digest))
            return &snapshot->uploads[i];
    return NULL;
}

const struct new_chunk *store_new_chunk(const struct batch *batch, const struct digest *digest)
{
    const size_t *place = digest_map_get(&batch->chunk_index, digest);
    return place != NULL && *place > 0 ? &batch->new_chunks[*place - 1] : NULL;
}

struct digest store_file_key(const struct digest *path, const struct digest *image)
{
    struct digest key;
    memcpy(key.bytes, path->bytes, DIGEST_BYTES / 2);
    memcpy(key.bytes + DIGEST_BYTES / 2, image->bytes, DIGEST_BYTES / 2);
    return key;
}

int64_t *store_take_ids(struct batch *batch, const char *sequence, size_t count, struct error *error)
{
    char number[32];
    snprintf(number, sizeof number, "%zu", count);
    struct parameter parameters[] = {PARAMETER_TEXT(sequence), PARAMETER_TEXT(number)};
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(batch->store->connection, "select nextval($1::regclass) from generate_series(1, $2::integer)",
                       parameters, 2, true, error);
    if (rows == NULL)
        return NULL;
    int64_t *ids = arena_take(batch->arena, count * sizeof *ids);
    if (ids == NULL)
        store_no_memory(error);
    for (size_t i = 0; ids != NULL && i < count; i++)
        ids[i] = database_i64(rows, (int)i, 0);
    return ids;
}

void *store_grown(struct arena *arena, void *array, size_t count, size_t *size, size_t element)
{
    if (count < *size)
        return array;
    size_t wider = *size == 0 ? 64 : 2 * *size;
    void *copy = arena_take(arena, wider * element);
    if (copy != NULL && count > 0)
        memcpy(copy, array, count * element);
    if (copy != NULL)
        *size = wider;
    return copy;
}
