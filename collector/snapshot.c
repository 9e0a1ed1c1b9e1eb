/* A snapshot being taken. */

#include "collector/snapshot.h"

#include "collector/image.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* Where an object lies. Its name is kept as a keyed hash of eight bytes under a key of this run's own: nobody can craft
 * two objects that collide, and by chance two of a million do once in tens of millions of runs. */
struct slot {
    uint64_t name;
    uint64_t place; /* 0: free; else its offset in the file plus 1, shifted left by one, plus 1 once it was given */
};

struct snapshot {
    FILE *file;
    uint64_t length; /* of the file */
    struct pe_options options;
    struct pe_image image;

    struct slot *slots;
    size_t slot_count, used; /* slot_count is a power of two */
    uint8_t slot_key[crypto_shorthash_KEYBYTES];

    struct chunk_builder *chunk;
    struct digest *chunks;
    size_t chunks_length, chunks_size;
    struct snapshot_counts counts;
};

int snapshot_new(FILE *file, const struct pe_options *options, struct snapshot **snapshot, struct error *error)
{
    struct snapshot *made = *snapshot = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a snapshot");
    made->file = file;
    made->options = *options;
    made->slot_count = 1024;
    made->slots = calloc(made->slot_count, sizeof *made->slots);
    made->chunk = chunk_builder_new();
    if (made->slots != NULL && made->chunk != NULL && sodium_init() >= 0) {
        crypto_shorthash_keygen(made->slot_key);
        return 0;
    }
    snapshot_free(made);
    *snapshot = NULL;
    return error_set(error, ERROR_MEMORY, "no memory for a snapshot");
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    pe_image_clear(&snapshot->image);
    chunk_builder_free(snapshot->chunk);
    free(snapshot->slots);
    free(snapshot->chunks);
    free(snapshot);
}

const struct snapshot_counts *snapshot_counts(const struct snapshot *snapshot)
{
    return &snapshot->counts;
}

/* ---- where objects lie ---- */

static struct slot *slot_of(struct slot *slots, size_t count, uint64_t name)
{
    size_t at = name & (count - 1);
    while (slots[at].place != 0 && slots[at].name != name)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static struct slot *find(const struct snapshot *snapshot, const struct digest *digest)
{
    uint64_t name;
    _Static_assert(sizeof name == crypto_shorthash_BYTES, "a slot holds a whole short hash");
    crypto_shorthash((uint8_t *)&name, digest->bytes, sizeof digest->bytes, snapshot->slot_key);
    struct slot *slot = slot_of(snapshot->slots, snapshot->slot_count, name);
    if (slot->place == 0)
        slot->name = name;
    return slot;
}

/* Room for one more object: the table is at most four fifths full. */
static int make_room(struct snapshot *snapshot, struct error *error)
{
    if ((snapshot->used + 1) * 5 <= snapshot->slot_count * 4)
        return 0;
    size_t count = 2 * snapshot->slot_count;
    struct slot *slots = calloc(count, sizeof *slots);
    if (slots == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for %zu objects", count);
    for (size_t i = 0; i < snapshot->slot_count; i++)
        if (snapshot->slots[i].place != 0)
            *slot_of(slots, count, snapshot->slots[i].name) = snapshot->slots[i];
    free(snapshot->slots);
    snapshot->slots = slots;
    snapshot->slot_count = count;
    return 0;
}

/* ---- adding ---- */

int snapshot_put(struct snapshot *snapshot, Evenkeel__ObjectKind kind, struct bytes body, struct digest *digest,
                 struct error *error)
{
    *digest = digest_of(body);
    if (body.length > LIMIT_OBJECT_BYTES)
        return error_set(error, ERROR_LIMIT, "the host's %s have %zu bytes; %u are allowed", object_kind_name(kind),
                         body.length, LIMIT_OBJECT_BYTES);
    if (make_room(snapshot, error) < 0)
        return -1;
    struct slot *slot = find(snapshot, digest);
    if (slot->place != 0)
        return 0;

    Evenkeel__Object object = EVENKEEL__OBJECT__INIT;
    object.kind = kind;
    object.body = (ProtobufCBinaryData){.data = (uint8_t *)body.data, .len = body.length};
    struct bytes packed;
    if (!object_pack(&object.base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for an object of %zu bytes", body.length);
    _cleanup_free_ void *packed_data = (void *)packed.data;
    uint8_t length[4] = {(uint8_t)packed.length, (uint8_t)(packed.length >> 8), (uint8_t)(packed.length >> 16),
                         (uint8_t)(packed.length >> 24)};
    if (fwrite(length, 1, sizeof length, snapshot->file) != sizeof length ||
        fwrite(packed.data, 1, packed.length, snapshot->file) != packed.length)
        return error_set(error, ERROR_IO, "can't write the snapshot's objects: %s", strerror(errno));
    slot->place = (snapshot->length + 1) << 1;
    snapshot->used++;
    snapshot->length += sizeof length + packed.length;
    if (kind == EVENKEEL__OBJECT_KIND__IMAGE)
        snapshot->counts.images++;
    return 0;
}

static int put_chunk(struct snapshot *snapshot, struct error *error)
{
    struct bytes packed;
    if (chunk_builder_take(snapshot->chunk, &packed, error) < 0)
        return -1;
    _cleanup_free_ void *packed_data = (void *)packed.data;
    if (packed.length == 0)
        return 0;
    if (snapshot->chunks_length == LIMIT_INVENTORY_CHUNKS)
        return error_set(error, ERROR_LIMIT,
                         "the host has more than the %u chunks (about two million PE files) that "
                         "are allowed; name fewer folders with 'root' in the configuration",
                         LIMIT_INVENTORY_CHUNKS);
    if (snapshot->chunks_length == snapshot->chunks_size) {
        size_t size = snapshot->chunks_size > 0 ? 2 * snapshot->chunks_size : 64;
        struct digest *chunks = realloc(snapshot->chunks, size * sizeof *chunks);
        if (chunks == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for %zu chunks", size);
        snapshot->chunks = chunks;
        snapshot->chunks_size = size;
    }
    snapshot->counts.chunks++;
    return snapshot_put(snapshot, EVENKEEL__OBJECT_KIND__CHUNK, packed, &snapshot->chunks[snapshot->chunks_length++],
                        error);
}

/* The hash is of no use for what is no PE, so it is only asked for once that is known. */
static int read_image(struct snapshot *snapshot, const struct walk_file *walked, struct error *error)
{
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    struct platform_stat stat;
    struct pe_options options = snapshot->options;
    if (platform_file_open_in(walked->directory, walked->name, &file, error) < 0 ||
        platform_file_stat(&file, &stat, error) < 0)
        return -1;
    if (options.hash) {
        options.hash = options.symbols = false;
        if (pe_read(&file, stat.size, &options, &snapshot->image, error) < 0)
            return -1;
        if (!snapshot->image.is_pe)
            return 0;
    }
    return pe_read(&file, stat.size, &snapshot->options, &snapshot->image, error);
}

int snapshot_visit(struct snapshot *snapshot, const struct walk_file *walked, struct error *error)
{
    if (read_image(snapshot, walked, error) < 0)
        return error != NULL && error->code == ERROR_MEMORY ? -1 : 1;
    if (!snapshot->image.is_pe)
        return 0;

    _cleanup_free_ uint8_t *packed = NULL;
    size_t length;
    struct digest digest;
    bool complete;
    if (image_pack(&snapshot->image, &packed, &length, error) < 0 ||
        snapshot_put(snapshot, EVENKEEL__OBJECT_KIND__IMAGE, bytes_of(packed, length), &digest, error) < 0 ||
        chunk_builder_add(snapshot->chunk, walked->path, &digest, &complete, error) < 0)
        return -1;
    snapshot->counts.files++;
    return complete ? put_chunk(snapshot, error) : 0;
}

int snapshot_end(struct snapshot *snapshot, struct digest *digest, struct error *error)
{
    if (put_chunk(snapshot, error) < 0)
        return -1;
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = (ProtobufCBinaryData){.data = (uint8_t *)snapshot->chunks,
                                             .len = snapshot->chunks_length * sizeof *snapshot->chunks};
    struct bytes packed;
    if (!object_pack(&inventory.base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for an inventory");
    _cleanup_free_ void *packed_data = (void *)packed.data;
    if (snapshot_put(snapshot, EVENKEEL__OBJECT_KIND__INVENTORY, packed, digest, error) < 0)
        return -1;
    if (fflush(snapshot->file) != 0)
        return error_set(error, ERROR_IO, "can't write the snapshot's objects: %s", strerror(errno));
    return 0;
}

/* ---- getting ---- */

int snapshot_get(struct snapshot *snapshot, const struct digest *digest, struct arena *arena, Evenkeel__Object **object,
                 struct error *error)
{
    *object = NULL;
    const struct slot *slot = find(snapshot, digest);
    if (slot->place == 0)
        return 0;
    uint8_t length_bytes[4];
    uint32_t length;
    off_t offset = (off_t)((slot->place >> 1) - 1);
    if (fseeko(snapshot->file, offset, SEEK_SET) != 0 ||
        fread(length_bytes, 1, sizeof length_bytes, snapshot->file) != sizeof length_bytes)
        return error_set(error, ERROR_IO, "can't read the snapshot's objects again: %s", strerror(errno));
    bytes_u32(bytes_of(length_bytes, sizeof length_bytes), 0, &length);
    if (length > LIMIT_MESSAGE_BYTES)
        return error_set(error, ERROR_FORMAT, "the snapshot's file was changed by another program; push again");
    uint8_t *packed = arena_take(arena, length);
    if (packed == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for an object of %u bytes", length);
    if (fread(packed, 1, length, snapshot->file) != length)
        return error_set(error, ERROR_IO, "can't read the snapshot's objects again: %s", strerror(errno));
    *object = evenkeel__object__unpack(arena_allocator(arena), length, packed);
    if (*object == NULL)
        return error_set(error, ERROR_FORMAT, "the snapshot's file was changed by another program; push again");
    struct digest found = digest_of(bytes_of_field((*object)->body));
    if (!digest_equal(&found, digest))
        return error_set(error, ERROR_FORMAT, "the snapshot's file was changed by another program; push again");
    return 1;
}

bool snapshot_give(struct snapshot *snapshot, const struct digest *digest)
{
    struct slot *slot = find(snapshot, digest);
    bool given = slot->place & 1;
    if (slot->place != 0)
        slot->place |= 1;
    return given;
}

void snapshot_ungive(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->slot_count; i++)
        snapshot->slots[i].place &= ~(uint64_t)1;
}
