/* Front-coded lists of paths. */

#include "component_store.h"

#include "chunk.h"
#include "cleanup.h"
#include "limits.h"
#include "object.h"

#include <string.h>

static size_t shared_start(struct bytes a, struct bytes b)
{
    size_t shorter = a.length < b.length ? a.length : b.length, shared = 0;
    while (shared < shorter && a.data[shared] == b.data[shared])
        shared++;
    return shared;
}

int component_store_pack(const struct bytes *paths, size_t count, struct bytes *packed, struct error *error)
{
    _cleanup_free_ uint32_t *shared = malloc((count + 1) * sizeof *shared);
    _cleanup_free_ ProtobufCBinaryData *suffixes = malloc((count + 1) * sizeof *suffixes);
    struct bytes previous = {0};
    *packed = (struct bytes){0};
    if (shared == NULL || suffixes == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    for (size_t i = 0; i < count; i++) {
        shared[i] = (uint32_t)shared_start(previous, paths[i]);
        suffixes[i].data = (uint8_t *)paths[i].data + shared[i];
        suffixes[i].len = paths[i].length - shared[i];
        previous = paths[i];
    }
    Evenkeel__ComponentStore store = EVENKEEL__COMPONENT_STORE__INIT;
    store.n_shared = store.n_suffixes = count;
    store.shared = shared;
    store.suffixes = suffixes;
    return object_pack(&store.base, packed) ? 0 : error_set(error, ERROR_MEMORY, "no memory for a component store");
}

int component_store_read(const Evenkeel__ComponentStore *store, bool (*visit)(void *context, struct bytes path),
                         void *context, struct error *error)
{
    size_t count = store->n_suffixes;
    if (count > LIMIT_STORE_FILES)
        return error_set(error, ERROR_LIMIT, "a component store has %zu files; %u are allowed", count,
                         LIMIT_STORE_FILES);
    if (store->n_shared != count)
        return error_set(error, ERROR_FORMAT, "a component store's lists differ in length");
    uint8_t paths[2][LIMIT_PATH_BYTES]; /* this file's and the one before */
    size_t lengths[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        uint8_t *path = paths[i % 2];
        struct bytes previous = bytes_of(paths[(i + 1) % 2], lengths[(i + 1) % 2]);
        size_t shared = store->shared[i];
        struct bytes suffix = bytes_of_field(store->suffixes[i]);
        if (shared > previous.length || suffix.length == 0 || suffix.length > LIMIT_PATH_BYTES - shared)
            return error_set(error, ERROR_FORMAT, "file %zu of a component store is not front-coded", i);
        if (shared > 0)
            memcpy(path, previous.data, shared);
        memcpy(path + shared, suffix.data, suffix.length);
        lengths[i % 2] = shared + suffix.length;
        struct bytes whole = bytes_of(path, lengths[i % 2]);
        if (!chunk_path_valid(whole))
            return error_set(error, ERROR_FORMAT, "file %zu of a component store has no valid path", i);
        bool rises = i == 0 || (shared < whole.length &&
                                (shared == previous.length || previous.data[shared] < whole.data[shared]));
        if (!rises || shared != shared_start(previous, whole))
            return error_set(error, ERROR_FORMAT, "file %zu of a component store is out of order or not front-coded",
                             i);
        if (!visit(context, whole))
            return 0;
    }
    return 0;
}
