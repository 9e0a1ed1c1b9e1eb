/* What an aggregator last accepted of a host. */

#include "accepted.h"

#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/object.h"

#include <errno.h>
#include <string.h>

/* One object at a time, packed and unpacked, and again as its own message. */
#define OBJECT_BUDGET (8u << 20)

/* A growing list of digests. */
struct digests {
    struct digest *items;
    size_t count, size;
};

struct comparison {
    struct digests old_chunks;
    struct digests images; /* of old chunks that are gone, sorted: their files mostly are where they were */
    bool same_inventory, same_facts, same_times;
    size_t gone; /* old chunks */
    struct exchange_ahead *ahead;
    size_t ahead_count;
    bool too_much;
    bool failed; /* for lack of memory */
};

static void comparison_clear(struct comparison *comparison)
{
    free(comparison->old_chunks.items);
    free(comparison->images.items);
    free(comparison->ahead);
}

static bool digests_add(struct digests *digests, const struct digest *digest)
{
    if (digests->count == digests->size) {
        size_t size = digests->size > 0 ? 2 * digests->size : 64;
        struct digest *items = realloc(digests->items, size * sizeof *items);
        if (items == NULL)
            return false;
        digests->items = items;
        digests->size = size;
    }
    digests->items[digests->count++] = *digest;
    return true;
}

static void digests_sort(struct digests *digests)
{
    if (digests->count > 0)
        qsort(digests->items, digests->count, sizeof *digests->items, digest_compare);
}

static bool digests_have(const struct digests *digests, const struct digest *digest)
{
    return digests->count > 0 &&
           bsearch(digest, digests->items, digests->count, sizeof *digests->items, digest_compare) != NULL;
}

static bool is_named(const struct digest *digest, ProtobufCBinaryData field)
{
    struct digest named;
    return digest_from(bytes_of_field(field), &named) && digest_equal(&named, digest);
}

/* An object of the snapshot that it must have, for its offer or its inventory names it. */
static int must_get(struct snapshot *snapshot, const struct digest *digest, struct arena *arena,
                    Evenkeel__Object **object, struct error *error)
{
    int found = snapshot_get(snapshot, digest, arena, object, error);
    return found != 0 ? found : error_set(error, ERROR_FORMAT, "a snapshot's file is damaged: it lacks what it names");
}

/* ---- what was accepted ---- */

/* The next object of a file: 1, 0 at its end, or where it is damaged. */
static int read_object(FILE *file, struct arena *arena, Evenkeel__Object **object)
{
    uint8_t length_bytes[4];
    uint32_t length;
    struct error error;
    if (fread(length_bytes, 1, sizeof length_bytes, file) != sizeof length_bytes)
        return 0;
    bytes_u32(bytes_of(length_bytes, sizeof length_bytes), 0, &length);
    uint8_t *packed = length <= LIMIT_MESSAGE_BYTES ? arena_take(arena, length) : NULL;
    if (packed == NULL || fread(packed, 1, length, file) != length)
        return 0;
    *object = (Evenkeel__Object *)object_unpack(&evenkeel__object__descriptor, bytes_of(packed, length), arena, &error);
    return *object != NULL;
}

static bool add_old_image(void *context, const struct chunk_entry *entry)
{
    struct comparison *comparison = context;
    comparison->failed |= !digests_add(&comparison->images, &entry->image);
    return !comparison->failed;
}

static int read_chunk(ProtobufCBinaryData body, bool (*visit)(void *context, const struct chunk_entry *entry),
                      void *context, struct arena *arena, struct error *error)
{
    Evenkeel__Chunk *chunk =
        (Evenkeel__Chunk *)object_unpack(&evenkeel__chunk__descriptor, bytes_of_field(body), arena, error);
    return chunk != NULL ? chunk_read(chunk, visit, context, error) : -1;
}

/* Reads the file of the last time against the chunks of now. False where it is no use. */
static bool read_accepted(FILE *file, const struct digests *new_chunks, const Evenkeel__Offer *offer,
                          struct comparison *comparison)
{
    bool whole = false;
    for (;;) {
        struct error error;
        Evenkeel__Object *object;
        _cleanup_(cleanup_arena) struct arena *arena = arena_new(OBJECT_BUDGET);
        if (arena == NULL || read_object(file, arena, &object) == 0)
            break;
        struct digest digest = digest_of(bytes_of_field(object->body));
        switch (object->kind) {
        case EVENKEEL__OBJECT_KIND__FACTS:
            comparison->same_facts = is_named(&digest, offer->facts);
            break;
        case EVENKEEL__OBJECT_KIND__TIMES:
            comparison->same_times = is_named(&digest, offer->times);
            break;
        case EVENKEEL__OBJECT_KIND__INVENTORY:
            comparison->same_inventory = is_named(&digest, offer->inventory);
            whole = true;
            break;
        case EVENKEEL__OBJECT_KIND__CHUNK:
            if (!digests_add(&comparison->old_chunks, &digest))
                return false;
            if (!digests_have(new_chunks, &digest) &&
                (++comparison->gone > ACCEPTED_CHUNK_LIMIT ||
                 read_chunk(object->body, add_old_image, comparison, arena, &error) < 0))
                return false;
            break;
        default:
            return false;
        }
    }
    digests_sort(&comparison->old_chunks);
    digests_sort(&comparison->images);
    return whole && !comparison->failed;
}

/* ---- what is new ---- */

static void add_ahead(struct comparison *comparison, Evenkeel__ObjectKind kind, const struct digest *digest)
{
    for (size_t i = 0; i < comparison->ahead_count; i++)
        if (digest_equal(&comparison->ahead[i].digest, digest))
            return;
    comparison->too_much |= comparison->ahead_count == ACCEPTED_AHEAD_LIMIT;
    if (!comparison->too_much)
        comparison->ahead[comparison->ahead_count++] = (struct exchange_ahead){kind, *digest};
}

static bool add_new_image(void *context, const struct chunk_entry *entry)
{
    struct comparison *comparison = context;
    if (!digests_have(&comparison->images, &entry->image))
        add_ahead(comparison, EVENKEEL__OBJECT_KIND__IMAGE, &entry->image);
    return !comparison->too_much;
}

static void add_field(struct comparison *comparison, bool same, Evenkeel__ObjectKind kind, ProtobufCBinaryData field)
{
    struct digest digest;
    if (!same && digest_from(bytes_of_field(field), &digest))
        add_ahead(comparison, kind, &digest);
}

static int add_new(struct comparison *comparison, struct snapshot *snapshot, const struct digests *new_chunks,
                   const Evenkeel__Offer *offer, struct error *error)
{
    size_t changed = 0;
    for (size_t i = 0; !comparison->same_inventory && i < new_chunks->count; i++) {
        if (digests_have(&comparison->old_chunks, &new_chunks->items[i]))
            continue;
        comparison->too_much |= ++changed > ACCEPTED_CHUNK_LIMIT;
        if (comparison->too_much)
            return 0;
        _cleanup_(cleanup_arena) struct arena *arena = arena_new(OBJECT_BUDGET);
        Evenkeel__Object *object;
        if (arena == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for a chunk");
        if (must_get(snapshot, &new_chunks->items[i], arena, &object, error) < 0 ||
            read_chunk(object->body, add_new_image, comparison, arena, error) < 0)
            return -1;
        add_ahead(comparison, EVENKEEL__OBJECT_KIND__CHUNK, &new_chunks->items[i]);
    }
    add_field(comparison, comparison->same_facts, EVENKEEL__OBJECT_KIND__FACTS, offer->facts);
    add_field(comparison, comparison->same_times, EVENKEEL__OBJECT_KIND__TIMES, offer->times);
    add_field(comparison, comparison->same_inventory, EVENKEEL__OBJECT_KIND__INVENTORY, offer->inventory);
    return 0;
}

/* The chunks of the snapshot's inventory, in its order. */
static int chunks_of(struct snapshot *snapshot, const Evenkeel__Offer *offer, struct digests *chunks,
                     struct error *error)
{
    struct digest digest;
    Evenkeel__Object *object;
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(OBJECT_BUDGET);
    if (arena == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for an inventory");
    if (!digest_from(bytes_of_field(offer->inventory), &digest))
        return error_set(error, ERROR_FORMAT, "an offer names no inventory");
    if (must_get(snapshot, &digest, arena, &object, error) < 0)
        return -1;
    Evenkeel__Inventory *inventory = (Evenkeel__Inventory *)object_unpack(&evenkeel__inventory__descriptor,
                                                                          bytes_of_field(object->body), arena, error);
    if (inventory == NULL)
        return -1;
    for (size_t at = 0; at + DIGEST_BYTES <= inventory->chunks.len; at += DIGEST_BYTES) {
        memcpy(digest.bytes, inventory->chunks.data + at, DIGEST_BYTES);
        if (!digests_add(chunks, &digest))
            return error_set(error, ERROR_MEMORY, "no memory for an inventory");
    }
    return 0;
}

/* Of a host of which nothing was accepted yet nothing can be known there but chunks and images that others have. */
static void add_first(struct comparison *comparison, const Evenkeel__Offer *offer)
{
    add_field(comparison, false, EVENKEEL__OBJECT_KIND__FACTS, offer->facts);
    add_field(comparison, false, EVENKEEL__OBJECT_KIND__TIMES, offer->times);
    add_field(comparison, false, EVENKEEL__OBJECT_KIND__INVENTORY, offer->inventory);
}

/* What is new against the accepted state in `file`. */
static int add_changes(struct comparison *comparison, FILE *file, struct snapshot *snapshot,
                       const Evenkeel__Offer *offer, struct error *error)
{
    struct digests chunks = {0};
    int status = chunks_of(snapshot, offer, &chunks, error);
    _cleanup_free_ struct digest *items = chunks.items;
    if (status < 0)
        return -1;
    digests_sort(&chunks);
    if (read_accepted(file, &chunks, offer, comparison))
        return add_new(comparison, snapshot, &chunks, offer, error);
    comparison->too_much = true; /* it can't be compared: nothing goes ahead */
    return 0;
}

int accepted_compare(const char *path, struct snapshot *snapshot, const Evenkeel__Offer *offer,
                     struct exchange_ahead **ahead, size_t *count, struct error *error)
{
    _cleanup_(comparison_clear) struct comparison comparison = {0};
    *ahead = NULL;
    *count = 0;
    comparison.ahead = malloc(ACCEPTED_AHEAD_LIMIT * sizeof *comparison.ahead);
    if (comparison.ahead == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    _cleanup_fclose_ FILE *file = platform_stream(path, "r", NULL);
    if (file == NULL)
        add_first(&comparison, offer);
    else if (add_changes(&comparison, file, snapshot, offer, error) < 0)
        return -1;
    if (comparison.too_much)
        return 0;
    *ahead = comparison.ahead;
    *count = comparison.ahead_count;
    comparison.ahead = NULL;
    return 0;
}

/* ---- keeping ---- */

static int copy_object(struct snapshot *snapshot, const struct digest *digest, FILE *file, struct error *error)
{
    Evenkeel__Object *object;
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(OBJECT_BUDGET);
    if (arena == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for an object");
    if (must_get(snapshot, digest, arena, &object, error) < 0)
        return -1;
    return snapshot_write(file, object->kind, bytes_of_field(object->body), NULL, error);
}

static int copy_all(struct snapshot *snapshot, const Evenkeel__Offer *offer, FILE *file, struct error *error)
{
    struct digests chunks = {0};
    int status = chunks_of(snapshot, offer, &chunks, error);
    _cleanup_free_ struct digest *items = chunks.items;
    const ProtobufCBinaryData others[] = {offer->facts, offer->times, offer->inventory};
    for (size_t i = 0; status == 0 && i < chunks.count; i++)
        status = copy_object(snapshot, &chunks.items[i], file, error);
    for (size_t i = 0; status == 0 && i < sizeof others / sizeof *others; i++) {
        struct digest digest;
        if (digest_from(bytes_of_field(others[i]), &digest))
            status = copy_object(snapshot, &digest, file, error);
    }
    if (status == 0 && fflush(file) != 0)
        return error_set(error, ERROR_IO, "can't write what was accepted: %s", strerror(errno));
    return status;
}

int accepted_save(const char *path, struct snapshot *snapshot, const Evenkeel__Offer *offer, struct error *error)
{
    _cleanup_free_ char *next = NULL;
    if (asprintf(&next, "%s.new", path) < 0) {
        next = NULL;
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    }
    FILE *file = platform_stream(next, "w", error);
    if (file == NULL)
        return -1;
    int status = copy_all(snapshot, offer, file, error);
    fclose(file);
    if (status == 0)
        return platform_rename(next, path, error);
    platform_remove(next, NULL);
    return -1;
}
