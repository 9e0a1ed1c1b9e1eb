/* The store's component stores: which files of a host Windows' servicing put there, once for all hosts alike. */

#include "store_components.h"

#include "proto/cleanup.h"
#include "proto/component_store.h"
#include "proto/object.h"

/* The digest that the facts at hand name; false: none. */
static bool named(const struct arrival *snapshot, struct digest *digest)
{
    const Evenkeel__Facts *facts = snapshot->facts != NULL ? (const Evenkeel__Facts *)snapshot->facts->message : NULL;
    return !snapshot->unchanged && !snapshot->old && facts != NULL &&
           digest_from(bytes_of_field(facts->component_store), digest);
}

int store_find_components(struct batch *batch, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer digests = {0};
    struct buffer_array array = buffer_array_begin(&digests, TYPE_BYTEA, false);
    size_t count = 0;
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        struct arrival *snapshot = &batch->snapshots[s];
        snapshot->component_store_wanted = named(snapshot, &snapshot->component_store);
        if (!snapshot->component_store_wanted)
            continue;
        buffer_field_bytes(&digests, bytes_of(snapshot->component_store.bytes, DIGEST_BYTES));
        count++;
    }
    if (count == 0)
        return 0;
    buffer_array_end(&digests, array, count);
    if (digests.failed)
        return store_no_memory(error);
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(batch->store->connection, "select digest from evenkeel.component_store where digest = any ($1)",
                       &PARAMETER_BINARY(TYPE_BYTEA_ARRAY, digests), 1, true, error);
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++)
        for (size_t s = 0; s < batch->snapshot_count; s++)
            if (memcmp(batch->snapshots[s].component_store.bytes, database_bytes(rows, row, 0).data, DIGEST_BYTES) == 0)
                batch->snapshots[s].component_store_wanted = false;
    return 0;
}

struct path_column {
    struct buffer *buffer;
    size_t count;
};

static bool put_path(void *context, struct bytes path)
{
    struct path_column *column = context;
    struct digest digest = digest_of(path);
    buffer_field_bytes(column->buffer, bytes_of(digest.bytes, DIGEST_BYTES));
    column->count++;
    return true;
}

static int store_one(struct store *store, const struct object *object, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer digest = {0};
    _cleanup_(buffer_clear) struct buffer paths = {0};
    struct buffer_array array = buffer_array_begin(&paths, TYPE_BYTEA, false);
    struct path_column column = {.buffer = &paths};
    if (component_store_read((const Evenkeel__ComponentStore *)object->message, put_path, &column, error) < 0)
        return -1;
    buffer_array_end(&paths, array, column.count);
    if (paths.failed)
        return store_no_memory(error);
    struct parameter parameters[] = {
        {.value = object->digest.bytes, .length = DIGEST_BYTES, .binary = true, .type = TYPE_BYTEA},
        PARAMETER_BINARY(TYPE_BYTEA_ARRAY, paths),
    };
    _cleanup_(cleanup_result) PGresult *done = database_query(
        store->connection, "select evenkeel.store_component_store($1, $2)", parameters, 2, true, error);
    return done != NULL ? 0 : -1;
}

int store_new_components(struct batch *batch, struct error *error)
{
    for (size_t s = 0; s < batch->snapshot_count; s++) {
        const struct arrival *snapshot = &batch->snapshots[s];
        if (!snapshot->complete || !snapshot->component_store_wanted)
            continue;
        const struct object *object =
            store_at_hand(snapshot, EVENKEEL__OBJECT_KIND__COMPONENT_STORE, &snapshot->component_store);
        if (object != NULL && store_one(batch->store, object, error) < 0)
            return -1;
    }
    return 0;
}
