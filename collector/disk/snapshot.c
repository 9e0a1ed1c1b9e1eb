/* A snapshot being taken. */

#include "snapshot.h"

#include "collector/pe/image.h"
#include "component_store.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"
#include "proto/program_name.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

/*
 * Where an object lies, in twelve bytes. Its name is kept as 56 bits of a keyed hash under a key of this run's own:
 * nobody can craft two objects that collide, by chance two of 200,000 do in one of four million runs, and then this
 * push fails and the next one, with another key, does not.
 */
struct slot {
    uint32_t name_low;
    uint32_t name_high : 24, place_high : 8;
    uint32_t place_low; /* place 0: free; else the offset in the file plus 1, shifted left by one, plus 1 once given */
};

#define PLACE_BITS 40
#define OBJECT_BUDGET (8u << 20) /* one object, packed and unpacked */
#define SHARDS 64u               /* tables that grow one at a time, so that there are never two of the whole */

/* An open-addressed hash table. */
struct shard {
    struct slot *slots;
    uint32_t size, used; /* size is a power of two */
};

struct snapshot {
    FILE *file;
    uint64_t length; /* of the file */
    struct pe_options options;
    struct pe_image image;
    struct cache *cache;           /* NULL: none */
    struct component_store *store; /* NULL: none */

    struct shard shards[SHARDS];
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
    made->chunk = chunk_builder_new();
    if (made->chunk != NULL && sodium_init() >= 0) {
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
    for (size_t i = 0; i < SHARDS; i++)
        free(snapshot->shards[i].slots);
    free(snapshot->chunks);
    free(snapshot);
}

const struct snapshot_counts *snapshot_counts(const struct snapshot *snapshot)
{
    return &snapshot->counts;
}

/* ---- where objects lie ---- */

static uint64_t slot_place(const struct slot *slot)
{
    return (uint64_t)slot->place_high << 32 | slot->place_low;
}

static void slot_set(struct slot *slot, uint64_t name, uint64_t place)
{
    *slot = (struct slot){.name_low = (uint32_t)name,
                          .name_high = (uint32_t)(name >> 32) & 0xffffff,
                          .place_high = (uint32_t)(place >> 32) & 0xff,
                          .place_low = (uint32_t)place};
}

/* The name's slot, or the free one where it would be. */
static struct slot *shard_slot(const struct shard *shard, uint32_t name_low, uint32_t name_high)
{
    uint32_t at = (name_low / SHARDS) & (shard->size - 1);
    for (;; at = (at + 1) & (shard->size - 1)) {
        struct slot *slot = &shard->slots[at];
        if (slot_place(slot) == 0 || (slot->name_low == name_low && slot->name_high == name_high))
            return slot;
    }
}

static uint64_t name_of(const struct snapshot *snapshot, const struct digest *digest)
{
    uint64_t name;
    _Static_assert(sizeof name == crypto_shorthash_BYTES, "a name takes a whole short hash");
    crypto_shorthash((uint8_t *)&name, digest->bytes, sizeof digest->bytes, snapshot->slot_key);
    return name;
}

/* NULL where there is no such object. */
static struct slot *find(struct snapshot *snapshot, const struct digest *digest)
{
    uint64_t name = name_of(snapshot, digest);
    const struct shard *shard = &snapshot->shards[name % SHARDS];
    struct slot *slot = shard->used > 0 ? shard_slot(shard, (uint32_t)name, (uint32_t)(name >> 32) & 0xffffff) : NULL;
    return slot != NULL && slot_place(slot) != 0 ? slot : NULL;
}

/* Room for one more object: a table is at most seven eighths full. */
static int make_room(struct shard *shard, struct error *error)
{
    if ((uint64_t)(shard->used + 1) * 8 <= (uint64_t)shard->size * 7)
        return 0;
    struct shard larger = {.size = shard->size > 0 ? 2 * shard->size : 16, .used = shard->used};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for %u objects", larger.size);
    for (uint32_t i = 0; i < shard->size; i++)
        if (slot_place(&shard->slots[i]) != 0)
            *shard_slot(&larger, shard->slots[i].name_low, shard->slots[i].name_high) = shard->slots[i];
    free(shard->slots);
    *shard = larger;
    return 0;
}

/* Notes that an object begins at `offset`. */
static int remember(struct snapshot *snapshot, const struct digest *digest, uint64_t offset, struct error *error)
{
    uint64_t name = name_of(snapshot, digest), place = (offset + 1) << 1;
    struct shard *shard = &snapshot->shards[name % SHARDS];
    if (place >> PLACE_BITS != 0)
        return error_set(error, ERROR_LIMIT, "the host's objects come to more than 512 GiB");
    if (make_room(shard, error) < 0)
        return -1;
    slot_set(shard_slot(shard, (uint32_t)name, (uint32_t)(name >> 32) & 0xffffff), name, place);
    shard->used++;
    return 0;
}

/* ---- adding ---- */

int snapshot_write(FILE *file, Evenkeel__ObjectKind kind, struct bytes body, uint64_t *written, struct error *error)
{
    Evenkeel__Object object = EVENKEEL__OBJECT__INIT;
    object.kind = kind;
    object.body = (ProtobufCBinaryData){.data = (uint8_t *)body.data, .len = body.length};
    struct bytes packed;
    if (!object_pack(&object.base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for an object of %zu bytes", body.length);
    _cleanup_free_ void *packed_data = (void *)packed.data;
    uint8_t length[4] = {(uint8_t)packed.length, (uint8_t)(packed.length >> 8), (uint8_t)(packed.length >> 16),
                         (uint8_t)(packed.length >> 24)};
    if (fwrite(length, 1, sizeof length, file) != sizeof length ||
        fwrite(packed.data, 1, packed.length, file) != packed.length)
        return error_set(error, ERROR_IO, "can't write the snapshot's objects: %s", strerror(errno));
    if (written != NULL)
        *written += sizeof length + packed.length;
    return 0;
}

int snapshot_put(struct snapshot *snapshot, Evenkeel__ObjectKind kind, struct bytes body, struct digest *digest,
                 struct error *error)
{
    *digest = digest_of(body);
    if (body.length > LIMIT_OBJECT_BYTES)
        return error_set(error, ERROR_LIMIT, "the host's %s have %zu bytes; %u are allowed", object_kind_name(kind),
                         body.length, LIMIT_OBJECT_BYTES);
    if (find(snapshot, digest) != NULL)
        return 0;
    uint64_t offset = snapshot->length;
    if (snapshot_write(snapshot->file, kind, body, &snapshot->length, error) < 0 ||
        remember(snapshot, digest, offset, error) < 0)
        return -1;
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

void snapshot_use_cache(struct snapshot *snapshot, struct cache *cache)
{
    snapshot->cache = cache;
}

void snapshot_use_store(struct snapshot *snapshot, struct component_store *store)
{
    snapshot->store = store;
}

const char *snapshot_cache_kind(const struct pe_options *options)
{
    return options->hash      ? options->symbols ? "image hash symbols" : "image hash"
           : options->symbols ? "image symbols"
                              : "image";
}

/*
 * No program begins with a page of zeros. One that does is damaged, or Windows packed it and what its disk is mounted
 * with knows nothing of that: it shows the hole that is in the place of the content. Neither is 'no program'.
 */
static int refuse_blank(const struct platform_file *file, struct error *error)
{
    uint8_t start[4096];
    int64_t length = platform_file_read_at(file, start, sizeof start, 0, error);
    for (int64_t i = 0; i < length; i++)
        if (start[i] != 0)
            return 0;
    return length <= 0 ? (int)length
                       : error_set(error, ERROR_FORMAT,
                                   "a program that begins with zeros: it is damaged, or packed by Windows, which what "
                                   "this disk is mounted with does not know; see NTFS in evenkeel-collector(1)");
}

/* What Windows keeps its memory in may hold anything, or nothing. */
static bool is_memory_file(const char *name)
{
    return strcasecmp(name, "pagefile.sys") == 0 || strcasecmp(name, "swapfile.sys") == 0 ||
           strcasecmp(name, "hiberfil.sys") == 0;
}

/* The hash is of no use for what is no PE, so it is only asked for once that is known. */
static int read_image(struct snapshot *snapshot, const struct walk_file *walked, struct platform_stat *stat,
                      struct error *error)
{
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    struct pe_options options = snapshot->options;
    if (platform_file_open_in(walked->directory, walked->name, &file, error) < 0 ||
        platform_file_stat(&file, stat, error) < 0)
        return -1;
    if (options.hash) {
        options.hash = options.symbols = false;
        if (pe_read(&file, stat->size, &options, &snapshot->image, error) < 0)
            return -1;
    }
    if ((!snapshot->options.hash || snapshot->image.is_pe) &&
        pe_read(&file, stat->size, &snapshot->options, &snapshot->image, error) < 0)
        return -1;
    bool program = is_program_name(walked->name) && !is_memory_file(walked->name);
    return snapshot->image.is_pe || !program ? 0 : refuse_blank(&file, error);
}

/* Adds a file by its packed image. */
static int add_file(struct snapshot *snapshot, const struct walk_file *walked, const struct platform_stat *stat,
                    uint16_t machine, struct bytes packed, struct error *error)
{
    struct digest digest;
    bool complete;
    if (snapshot_put(snapshot, EVENKEEL__OBJECT_KIND__IMAGE, packed, &digest, error) < 0 ||
        chunk_builder_add(snapshot->chunk, walked->path, &digest, &complete, error) < 0 ||
        (snapshot->store != NULL && component_store_see(snapshot->store, walked->path, stat, machine, error) < 0))
        return -1;
    snapshot->counts.files++;
    if (snapshot->options.hash && !pe_is_hashed(&snapshot->options, stat->size))
        snapshot->counts.unhashed++;
    return complete ? put_chunk(snapshot, error) : 0;
}

/* Adds a file that the cache knows: 1, 0 where it does not, or -1. */
static int add_cached(struct snapshot *snapshot, const struct walk_file *walked, struct error *error)
{
    struct platform_stat stat;
    struct cache_entry entry;
    if (platform_directory_stat(walked->directory, walked->name, &stat, NULL) < 0 ||
        !cache_find(snapshot->cache, walked->path, &stat, &entry) ||
        (!entry.is_pe &&
         is_program_name(walked->name)) || /* few, and earlier collectors took blank ones for no programs */
        (entry.is_pe && pe_is_hashed(&snapshot->options, stat.size) != entry.has_sha256))
        return 0;
    cache_put(snapshot->cache, walked->path, &stat, &entry);
    return entry.is_pe && add_file(snapshot, walked, &stat, entry.machine, entry.image, error) < 0 ? -1 : 1;
}

int snapshot_visit(struct snapshot *snapshot, const struct walk_file *walked, struct error *error)
{
    int cached = snapshot->cache != NULL ? add_cached(snapshot, walked, error) : 0;
    if (cached != 0)
        return cached < 0 ? -1 : 0;
    struct platform_stat stat;
    if (read_image(snapshot, walked, &stat, error) < 0)
        return error != NULL && error->code == ERROR_MEMORY ? -1 : 1;

    _cleanup_free_ uint8_t *packed = NULL;
    size_t length = 0;
    if (snapshot->image.is_pe && image_pack(&snapshot->image, &packed, &length, error) < 0)
        return -1;
    if (snapshot->cache != NULL) {
        struct cache_entry entry;
        cache_entry_from_image(&snapshot->image, &entry);
        entry.image = bytes_of(packed, length);
        cache_put(snapshot->cache, walked->path, &stat, &entry);
    }
    return snapshot->image.is_pe
               ? add_file(snapshot, walked, &stat, snapshot->image.machine, bytes_of(packed, length), error)
               : 0;
}

uint64_t snapshot_version(struct snapshot *snapshot, const struct walk_file *walked)
{
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    struct platform_stat stat;
    struct pe_options options = snapshot->options;
    options.hash = options.symbols = false;
    bool read = platform_file_open_in(walked->directory, walked->name, &file, NULL) == 0 &&
                platform_file_stat(&file, &stat, NULL) == 0 &&
                pe_read(&file, stat.size, &options, &snapshot->image, NULL) == 0;
    return read && snapshot->image.is_pe && snapshot->image.has_version
               ? pe_version_number(snapshot->image.file_version)
               : UINT64_MAX;
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

/* The packed object at the file's place, in the arena: 1, 0 behind the last, or -1. */
static int read_object(FILE *file, struct arena *arena, Evenkeel__Object **object, uint64_t *taken, struct error *error)
{
    uint8_t length_bytes[4];
    uint32_t length;
    size_t got = fread(length_bytes, 1, sizeof length_bytes, file);
    if (got == 0 && feof(file))
        return 0;
    bytes_u32(bytes_of(length_bytes, got), 0, &length);
    if (got == sizeof length_bytes && length == 0)
        return 0;
    uint8_t *packed = length <= LIMIT_MESSAGE_BYTES ? arena_take(arena, length) : NULL;
    if (packed != NULL && fread(packed, 1, length, file) == length)
        *object = evenkeel__object__unpack(arena_allocator(arena), length, packed);
    if (*object == NULL)
        return error_set(error, ERROR_FORMAT, "a snapshot's file is damaged");
    *taken = sizeof length_bytes + length;
    return 1;
}

int snapshot_open(FILE *file, struct snapshot **snapshot, struct error *error)
{
    static const struct pe_options none;
    int got;
    if (snapshot_new(file, &none, snapshot, error) < 0)
        return -1;
    do {
        _cleanup_(cleanup_arena) struct arena *arena = arena_new(OBJECT_BUDGET);
        Evenkeel__Object *object = NULL;
        uint64_t taken = 0;
        got = arena == NULL ? error_set(error, ERROR_MEMORY, "no memory for an object")
                            : read_object(file, arena, &object, &taken, error);
        if (got == 1) {
            struct digest digest = digest_of(bytes_of_field(object->body));
            if (remember(*snapshot, &digest, (*snapshot)->length, error) < 0)
                got = -1;
            (*snapshot)->length += taken;
        }
    } while (got == 1);
    if (got == 0)
        return 0;
    snapshot_free(*snapshot);
    *snapshot = NULL;
    return -1;
}

int snapshot_get(struct snapshot *snapshot, const struct digest *digest, struct arena *arena, Evenkeel__Object **object,
                 struct error *error)
{
    *object = NULL;
    const struct slot *slot = find(snapshot, digest);
    if (slot == NULL)
        return 0;
    uint8_t length_bytes[4];
    uint32_t length;
    off_t offset = (off_t)((slot_place(slot) >> 1) - 1);
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
    bool given = slot != NULL && (slot->place_low & 1);
    if (slot != NULL)
        slot->place_low |= 1;
    return given;
}

void snapshot_ungive(struct snapshot *snapshot)
{
    for (size_t i = 0; i < SHARDS; i++)
        for (uint32_t k = 0; k < snapshot->shards[i].size; k++)
            snapshot->shards[i].slots[k].place_low &= ~1u;
}
