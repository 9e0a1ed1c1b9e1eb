/* The store's content: chunks and images are looked up by digest, and stored where they are new. */

#include "store_content.h"

#include "image_rows.h"

#include "proto/cleanup.h"

/* How many of a snapshot's chunks decide whether it waits: as many as some 20,000 files have. */
#define WAIT_CHUNKS 512

/* Finds those of the digests that the database holds. */
static PGresult *look_up(struct store *store, const char *statement, const struct buffer *digests, struct error *error)
{
    return database_query(store->connection, statement, &PARAMETER_BINARY(TYPE_BYTEA_ARRAY, *digests), 1, true, error);
}

static int look_up_chunks(struct store *store, const struct buffer *digests, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = look_up(
        store,
        "select digest, chunk_id, cardinality(file_ids) from evenkeel.chunk where digest = any ($1) and reading = ''",
        digests, error);
    for (int row = 0; rows != NULL && row < PQntuples(rows); row++) {
        struct digest digest;
        struct known_chunk *known =
            digest_from(database_bytes(rows, row, 0), &digest) ? digest_map_put(&store->chunks, &digest, NULL) : NULL;
        if (known == NULL)
            return store_no_memory(error);
        *known = (struct known_chunk){.chunk_id = database_i64(rows, row, 1),
                                      .entries = (uint32_t)database_i32(rows, row, 2)};
    }
    return rows != NULL ? 0 : -1;
}

static int look_up_images(struct store *store, const struct buffer *digests, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        look_up(store, "select digest, image_id from evenkeel.image where digest = any ($1)", digests, error);
    for (int row = 0; rows != NULL && row < PQntuples(rows); row++) {
        struct digest digest;
        int32_t *image_id =
            digest_from(database_bytes(rows, row, 0), &digest) ? digest_map_put(&store->images, &digest, NULL) : NULL;
        if (image_id == NULL)
            return store_no_memory(error);
        *image_id = database_i32(rows, row, 1);
    }
    return rows != NULL ? 0 : -1;
}

bool store_should_wait(struct store *store, const struct request *request, int64_t now)
{
    struct digest unknown[WAIT_CHUNKS];
    size_t count = 0;
    uint32_t host;
    const Evenkeel__Inventory *inventory = NULL;
    if (request->held_since != 0 && now - request->held_since >= ASKED_MICROSECONDS)
        return false;
    for (size_t i = 0; i < request->object_count; i++)
        if (request->objects[i].kind == EVENKEEL__OBJECT_KIND__INVENTORY &&
            digest_equal(&request->objects[i].digest, &request->inventory))
            inventory = (const Evenkeel__Inventory *)request->objects[i].message;
    if (inventory == NULL)
        return false;
    for (size_t at = 0; at < inventory->chunks.len && count < WAIT_CHUNKS; at += DIGEST_BYTES) {
        memcpy(unknown[count].bytes, inventory->chunks.data + at, DIGEST_BYTES);
        count += store_chunk(store, &unknown[count]) == NULL;
    }
    memcpy(&host, request->offer->host_id.data, sizeof host);
    return asked_of_others(&store->asked, unknown, count, host, now);
}

/* What the store remembers of a chunk's files: looked up once, since its memory of them is large. */
static int find_files(struct batch *batch, struct new_chunk *chunk, struct error *error)
{
    chunk->file_ids = arena_take(batch->arena, chunk->decoded->count * sizeof *chunk->file_ids);
    if (chunk->file_ids == NULL)
        return store_no_memory(error);
    for (size_t i = 0; i < chunk->decoded->count; i++) {
        const struct decoded_entry *entry = &chunk->decoded->entries[i];
        struct digest key = store_file_key(&entry->path_digest, &entry->image);
        const int32_t *file_id = digest_map_get(&batch->store->files, &key);
        chunk->file_ids[i] = file_id != NULL ? *file_id : 0;
    }
    return 0;
}

int store_find_chunks(struct batch *batch, struct error *error)
{
    struct store *store = batch->store;
    _cleanup_(buffer_clear) struct buffer unknown = {0};
    struct buffer_array array = buffer_array_begin(&unknown, TYPE_BYTEA, false);
    size_t count = 0;
    bool stores = false;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct arrival *snapshot = &batch->snapshots[s];
        for (size_t i = 0; i < snapshot->chunk_count; i++) {
            const struct digest *digest = &snapshot->chunk_digests[i];
            bool added;
            if (store_chunk(store, digest) != NULL)
                continue;
            if (digest_map_put(&batch->chunk_index, digest, &added) == NULL)
                return store_no_memory(error);
            stores = stores || store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, digest) != NULL;
            if (!added)
                continue;
            buffer_field_bytes(&unknown, bytes_of(digest->bytes, DIGEST_BYTES));
            count++;
        }
    }
    if (count == 0)
        return 0;
    buffer_array_end(&unknown, array, count);
    if (unknown.failed)
        return store_no_memory(error);
    /* Another aggregator may be storing the same at this moment: it is waited for, and what it stored is found. */
    if (stores && database_execute(store->connection, "select evenkeel.lock_storing()", error) < 0)
        return -1;
    if (look_up_chunks(store, &unknown, error) < 0)
        return -1;

    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct arrival *snapshot = &batch->snapshots[s];
        for (size_t i = 0; i < snapshot->chunk_count; i++) {
            const struct digest *digest = &snapshot->chunk_digests[i];
            if (store_chunk(store, digest) != NULL)
                continue;
            size_t *place = digest_map_get(&batch->chunk_index, digest);
            if (*place == 0) {
                batch->new_chunks = store_grown(batch->arena, batch->new_chunks, batch->new_chunk_count,
                                                &batch->new_chunk_size, sizeof *batch->new_chunks);
                if (batch->new_chunks == NULL)
                    return store_no_memory(error);
                batch->new_chunks[batch->new_chunk_count++] = (struct new_chunk){.digest = *digest};
                *place = batch->new_chunk_count;
            }
            struct new_chunk *chunk = &batch->new_chunks[*place - 1];
            const struct object *body =
                chunk->decoded == NULL ? store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, digest) : NULL;
            if (body == NULL)
                continue;
            chunk->decoded = &body->chunk;
            chunk->giver = snapshot->request;
            if (find_files(batch, chunk, error) < 0)
                return -1;
        }
    }
    return 0;
}

/* Which images of new chunks are not in the store's memory: into `image_index`, without a place. */
static int gather_images(struct batch *batch, struct buffer *unknown, struct error *error)
{
    struct buffer_array array = buffer_array_begin(unknown, TYPE_BYTEA, false);
    size_t count = 0;
    for (size_t c = 0; c < batch->new_chunk_count; c++) {
        const struct new_chunk *chunk = &batch->new_chunks[c];
        for (size_t i = 0; chunk->decoded != NULL && i < chunk->decoded->count; i++) {
            const struct decoded_entry *entry = &chunk->decoded->entries[i];
            bool added;
            if (chunk->file_ids[i] != 0 || digest_map_get(&batch->store->images, &entry->image) != NULL)
                continue;
            if (digest_map_put(&batch->image_index, &entry->image, &added) == NULL)
                return store_no_memory(error);
            if (added)
                buffer_field_bytes(unknown, bytes_of(entry->image.bytes, DIGEST_BYTES));
            count += added;
        }
    }
    buffer_array_end(unknown, array, count);
    return unknown->failed ? store_no_memory(error) : (int)(count > 0);
}

int store_new_images(struct batch *batch, struct error *error)
{
    struct store *store = batch->store;
    _cleanup_(buffer_clear) struct buffer unknown = {0};
    int any = gather_images(batch, &unknown, error);
    if (any <= 0)
        return any;
    if (look_up_images(store, &unknown, error) < 0)
        return -1;

    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct request *request = batch->snapshots[s].request;
        for (size_t i = 0; i < request->object_count; i++) {
            const struct object *object = &request->objects[i];
            size_t *place = object->kind == EVENKEEL__OBJECT_KIND__IMAGE
                                ? digest_map_get(&batch->image_index, &object->digest)
                                : NULL;
            if (place == NULL || *place != 0 || digest_map_get(&store->images, &object->digest) != NULL)
                continue;
            batch->new_images = store_grown(batch->arena, batch->new_images, batch->new_image_count,
                                            &batch->new_image_size, sizeof *batch->new_images);
            if (batch->new_images == NULL)
                return store_no_memory(error);
            batch->new_images[batch->new_image_count++] =
                (struct new_image){.digest = object->digest, .image = (const Evenkeel__Image *)object->message};
            *place = batch->new_image_count;
        }
    }
    size_t count = batch->new_image_count;
    if (count == 0)
        return 0;
    int64_t *ids = store_take_ids(batch, "evenkeel.image_image_id_seq", count, error);
    if (ids == NULL)
        return -1;
    _cleanup_(buffer_clear) struct buffer images = {0};
    _cleanup_(buffer_clear) struct buffer imports = {0};
    for (size_t i = 0; i < count; i++) {
        image_rows_put(&images, ids[i], &batch->new_images[i].digest, batch->new_images[i].image);
        image_rows_put_imports(&imports, ids[i], batch->new_images[i].image);
    }
    if (image_rows_copy(store->connection, &images, &imports, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int32_t *image_id = digest_map_put(&store->images, &batch->new_images[i].digest, NULL);
        if (image_id == NULL)
            return store_no_memory(error);
        *image_id = (int32_t)ids[i];
    }
    return 0;
}

/* How long the folder is that a path lies in if that is called as the Windows directory usually is; 0: it is not. */
static size_t usual_windows(struct bytes path)
{
    static const char *const names[] = {":/windows/", ":/winnt/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (path.length > length && memcmp(path.data + 1, names[i], length) == 0)
            return length;
    }
    return 0;
}

/* evenkeel.chunk.usual_windows: paths are sorted, so that what lies in one folder stands together. */
static void put_usual_windows(struct buffer *rows, const struct decoded_chunk *chunk)
{
    struct buffer_array array = buffer_array_begin(rows, TYPE_TEXT, true);
    struct bytes last = {0};
    size_t count = 0;
    for (size_t i = 0; i < chunk->count; i++) {
        struct bytes folder = bytes_of(chunk->entries[i].path.data, usual_windows(chunk->entries[i].path));
        if (folder.length == 0 || (folder.length == last.length && memcmp(folder.data, last.data, folder.length) == 0))
            continue;
        buffer_field_bytes(rows, folder);
        last = folder;
        count++;
    }
    buffer_array_end(rows, array, count);
}

int store_new_chunks(struct batch *batch, struct error *error)
{
    struct store *store = batch->store;
    size_t count = 0;
    for (size_t c = 0; c < batch->new_chunk_count; c++)
        count += batch->new_chunks[c].is_whole;
    if (count == 0)
        return 0;
    int64_t *ids = store_take_ids(batch, "evenkeel.chunk_chunk_id_seq", count, error);
    if (ids == NULL)
        return -1;
    _cleanup_(buffer_clear) struct buffer rows = {0};
    _cleanup_(buffer_clear) struct buffer unjudged = {0};
    struct buffer_array unjudged_array = buffer_array_begin(&unjudged, TYPE_INT8, false);
    size_t taken = 0;
    for (size_t c = 0; c < batch->new_chunk_count; c++) {
        struct new_chunk *chunk = &batch->new_chunks[c];
        if (!chunk->is_whole)
            continue;
        chunk->chunk_id = ids[taken++];
        buffer_put_i16(&rows, 4);
        buffer_field_i64(&rows, chunk->chunk_id);
        buffer_field_bytes(&rows, bytes_of(chunk->digest.bytes, DIGEST_BYTES));
        struct buffer_array array = buffer_array_begin(&rows, TYPE_INT4, true);
        for (size_t i = 0; i < chunk->decoded->count; i++)
            buffer_field_i32(&rows, chunk->file_ids[i]);
        buffer_array_end(&rows, array, chunk->decoded->count);
        put_usual_windows(&rows, chunk->decoded);
        buffer_field_i64(&unjudged, chunk->chunk_id);
    }
    buffer_array_end(&unjudged, unjudged_array, count);
    if (rows.failed || unjudged.failed)
        return store_no_memory(error);
    if (database_copy(store->connection,
                      "copy evenkeel.chunk (chunk_id, digest, file_ids, usual_windows) from stdin (format binary)",
                      &rows, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *queued =
        database_query(store->connection, "insert into evenkeel.unjudged_chunk select unnest($1)",
                       &PARAMETER_BINARY(TYPE_INT8_ARRAY, unjudged), 1, true, error);
    if (queued == NULL)
        return -1;
    for (size_t c = 0; c < batch->new_chunk_count; c++) {
        const struct new_chunk *chunk = &batch->new_chunks[c];
        if (chunk->chunk_id == 0)
            continue;
        struct known_chunk *known = digest_map_put(&store->chunks, &chunk->digest, NULL);
        if (known == NULL)
            return store_no_memory(error);
        *known = (struct known_chunk){.chunk_id = chunk->chunk_id, .entries = (uint32_t)chunk->decoded->count};
    }
    return 0;
}
