/* Paths, and files, which are images at paths. */

#include "file_rows.h"

#include "proto/cleanup.h"

/* Whether a chunk's files can be had: it has a body, and all images are known by now. */
static bool is_whole(const struct store *store, const struct new_chunk *chunk)
{
    for (size_t i = 0; chunk->decoded != NULL && i < chunk->decoded->count; i++)
        if (chunk->file_ids[i] == 0 && digest_map_get(&store->images, &chunk->decoded->entries[i].image) == NULL)
            return false;
    return chunk->decoded != NULL;
}

/* A file that the store's memory lacks. */
struct new_file {
    struct digest key;
    int32_t path_id, image_id;
};

struct file_list {
    struct new_file *files; /* in the batch's arena */
    size_t count, size;
};

/* A row per thing that was asked for, in that order. */
static int check_count(const PGresult *rows, size_t count, struct error *error)
{
    if ((size_t)PQntuples(rows) == count)
        return 0;
    return error_set(error, ERROR_DATABASE, "%zu rows were asked for, %d came back", count, PQntuples(rows));
}

static int resolve_paths(struct store *store, const struct digest *keys, size_t count,
                         const struct parameter parameters[3], struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        store->connection, "select ord, path_id from evenkeel.store_paths($1, $2, $3)", parameters, 3, true, error);
    if (rows == NULL || check_count(rows, count, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int32_t *path_id = digest_map_put(&store->paths, &keys[i], NULL);
        if (path_id == NULL)
            return store_no_memory(error);
        *path_id = database_i32(rows, (int)i, 1);
    }
    return 0;
}

/* Finds or stores the paths of whole chunks that are not in the store's memory. */
static int store_new_paths(struct batch *batch, struct error *error)
{
    struct store *store = batch->store;
    _cleanup_(buffer_clear) struct buffer digests = {0};
    _cleanup_(buffer_clear) struct buffer paths = {0};
    _cleanup_(buffer_clear) struct buffer givers = {0};
    _cleanup_(digest_map_clear) struct digest_map asked = {0};
    struct buffer_array digest_array = buffer_array_begin(&digests, TYPE_BYTEA, false),
                        path_array = buffer_array_begin(&paths, TYPE_TEXT, false),
                        giver_array = buffer_array_begin(&givers, TYPE_UUID, false);
    size_t count = 0, size = 0;
    struct digest *keys = NULL;
    for (size_t c = 0; c < batch->new_chunk_count; c++) {
        const struct new_chunk *chunk = &batch->new_chunks[c];
        for (size_t i = 0; chunk->is_whole && i < chunk->decoded->count; i++) {
            const struct decoded_entry *entry = &chunk->decoded->entries[i];
            bool added;
            if (chunk->file_ids[i] != 0 || digest_map_get(&store->paths, &entry->path_digest) != NULL)
                continue;
            if (digest_map_put(&asked, &entry->path_digest, &added) == NULL)
                return store_no_memory(error);
            if (!added)
                continue;
            keys = store_grown(batch->arena, keys, count, &size, sizeof *keys);
            if (keys == NULL)
                return store_no_memory(error);
            keys[count++] = entry->path_digest;
            buffer_field_bytes(&digests, bytes_of(entry->path_digest.bytes, DIGEST_BYTES));
            buffer_field_bytes(&paths, entry->path);
            buffer_field_bytes(&givers, bytes_of_field(chunk->giver->offer->host_id));
        }
    }
    if (count == 0)
        return 0;
    buffer_array_end(&digests, digest_array, count);
    buffer_array_end(&paths, path_array, count);
    buffer_array_end(&givers, giver_array, count);
    if (digests.failed || paths.failed || givers.failed)
        return store_no_memory(error);
    struct parameter parameters[] = {PARAMETER_BINARY(TYPE_BYTEA_ARRAY, digests),
                                     PARAMETER_BINARY(TYPE_TEXT_ARRAY, paths),
                                     PARAMETER_BINARY(TYPE_UUID_ARRAY, givers)};
    return resolve_paths(store, keys, count, parameters, error);
}

static int file_list_add(struct file_list *list, struct batch *batch, const struct digest *key,
                         const struct decoded_entry *entry, struct error *error)
{
    list->files = store_grown(batch->arena, list->files, list->count, &list->size, sizeof *list->files);
    if (list->files == NULL)
        return store_no_memory(error);
    const struct store *store = batch->store;
    list->files[list->count++] = (struct new_file){
        .key = *key,
        .path_id = *(const int32_t *)digest_map_get(&store->paths, &entry->path_digest),
        .image_id = *(const int32_t *)digest_map_get(&store->images, &entry->image),
    };
    return 0;
}

/* Which files of whole chunks the store's memory lacks. Those of images that this batch stored can't be in the database
 * either; of the others it must tell. */
static int gather_files(struct batch *batch, struct file_list *fresh, struct file_list *others, struct error *error)
{
    _cleanup_(digest_map_clear) struct digest_map asked = {0};
    for (size_t c = 0; c < batch->new_chunk_count; c++) {
        const struct new_chunk *chunk = &batch->new_chunks[c];
        for (size_t i = 0; chunk->is_whole && i < chunk->decoded->count; i++) {
            const struct decoded_entry *entry = &chunk->decoded->entries[i];
            if (chunk->file_ids[i] != 0)
                continue;
            struct digest key = store_file_key(&entry->path_digest, &entry->image);
            bool added;
            if (digest_map_put(&asked, &key, &added) == NULL)
                return store_no_memory(error);
            const size_t *place = digest_map_get(&batch->image_index, &entry->image);
            bool is_new = place != NULL && *place > 0;
            if (added && file_list_add(is_new ? fresh : others, batch, &key, entry, error) < 0)
                return -1;
        }
    }
    return 0;
}

static int remember_file(struct store *store, const struct digest *key, int32_t id, struct error *error)
{
    int32_t *file_id = digest_map_put(&store->files, key, NULL);
    if (file_id == NULL)
        return store_no_memory(error);
    *file_id = id;
    return 0;
}

static int resolve_files(struct store *store, const struct file_list *list, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer paths = {0};
    _cleanup_(buffer_clear) struct buffer images = {0};
    if (list->count == 0)
        return 0;
    struct buffer_array path_array = buffer_array_begin(&paths, TYPE_INT4, false),
                        image_array = buffer_array_begin(&images, TYPE_INT4, false);
    for (size_t i = 0; i < list->count; i++) {
        buffer_field_i32(&paths, list->files[i].path_id);
        buffer_field_i32(&images, list->files[i].image_id);
    }
    buffer_array_end(&paths, path_array, list->count);
    buffer_array_end(&images, image_array, list->count);
    if (paths.failed || images.failed)
        return store_no_memory(error);
    struct parameter parameters[] = {PARAMETER_BINARY(TYPE_INT4_ARRAY, paths),
                                     PARAMETER_BINARY(TYPE_INT4_ARRAY, images)};
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        store->connection, "select ord, file_id from evenkeel.store_files($1, $2)", parameters, 2, true, error);
    if (rows == NULL || check_count(rows, list->count, error) < 0)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (remember_file(store, &list->files[i].key, database_i32(rows, (int)i, 1), error) < 0)
            return -1;
    return 0;
}

static int copy_files(struct batch *batch, const struct file_list *list, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer rows = {0};
    _cleanup_(buffer_clear) struct buffer unjudged = {0};
    if (list->count == 0)
        return 0;
    int64_t *ids = store_take_ids(batch, "evenkeel.file_file_id_seq", list->count, error);
    if (ids == NULL)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        buffer_put_i16(&rows, 3);
        buffer_field_i32(&rows, (int32_t)ids[i]);
        buffer_field_i32(&rows, list->files[i].path_id);
        buffer_field_i32(&rows, list->files[i].image_id);
        buffer_put_i16(&unjudged, 1);
        buffer_field_i32(&unjudged, (int32_t)ids[i]);
        if (remember_file(batch->store, &list->files[i].key, (int32_t)ids[i], error) < 0)
            return -1;
    }
    if (rows.failed || unjudged.failed)
        return store_no_memory(error);
    PGconn *connection = batch->store->connection;
    if (database_copy(connection, "copy evenkeel.file from stdin (format binary)", &rows, error) < 0)
        return -1;
    return database_copy(connection, "copy evenkeel.unjudged_file from stdin (format binary)", &unjudged, error);
}

/* The files of whole chunks that were not known before. */
static void fill_files(struct batch *batch)
{
    for (size_t c = 0; c < batch->new_chunk_count; c++) {
        const struct new_chunk *chunk = &batch->new_chunks[c];
        for (size_t i = 0; chunk->is_whole && i < chunk->decoded->count; i++) {
            const struct decoded_entry *entry = &chunk->decoded->entries[i];
            struct digest key = store_file_key(&entry->path_digest, &entry->image);
            if (chunk->file_ids[i] == 0)
                chunk->file_ids[i] = *(const int32_t *)digest_map_get(&batch->store->files, &key);
        }
    }
}

int file_rows_store(struct batch *batch, struct error *error)
{
    struct file_list fresh = {0}, others = {0};
    for (size_t c = 0; c < batch->new_chunk_count; c++)
        batch->new_chunks[c].is_whole = is_whole(batch->store, &batch->new_chunks[c]);
    if (store_new_paths(batch, error) < 0 || gather_files(batch, &fresh, &others, error) < 0 ||
        resolve_files(batch->store, &others, error) < 0 || copy_files(batch, &fresh, error) < 0)
        return -1;
    fill_files(batch);
    return 0;
}
