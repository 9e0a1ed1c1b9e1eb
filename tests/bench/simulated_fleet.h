/* The files of simulated hosts, as simulate.c reports them: which builds at which paths, in which chunks. For one
 * program only. */

#ifndef EVENKEEL_SIMULATED_FLEET_H
#define EVENKEEL_SIMULATED_FLEET_H

#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/envelope.h"
#include "proto/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum differ { DIFFER_NONE, DIFFER_CHUNKS, DIFFER_RANDOM };
enum { LEVELS = 3, SP1 = 1, SP2 = 2 };
enum { BUILDS = 16 }; /* 0, and one more with each update that comes to all hosts */

static const uint16_t revisions[LEVELS] = {0, 1830, 3959};
static const char *const service_packs[LEVELS] = {"", "Service Pack 1", "Service Pack 2"};

/* A chunk or an image, as it would be given. */
struct simulated_object {
    struct digest digest;
    struct bytes body;
};

/* Objects, in the order of their digests once all are there. */
struct object_list {
    struct simulated_object *objects;
    size_t count, size;
};

/* What all hosts have in common. */
static struct fleet {
    unsigned files, hosts, first;
    enum differ differ;
    const char *prefix;
    char (*paths)[64];
    struct digest *images[BUILDS][LEVELS]; /* [build][level][file], variant 0 */
    unsigned *chunk_starts;                /* chunk -> its first file; one more at the end */
    unsigned chunks;
    struct digest *chunk_digests[BUILDS][LEVELS];
    unsigned char *raised[BUILDS]; /* [build][file]: how many updates brought it */
    unsigned builds;               /* the last of them */
    struct object_list objects;    /* of all these */
} fleet;

/* What a host has to say, and the objects that are not the fleet's. */
struct snapshot {
    struct digest inventory_digest, facts_digest, times_digest;
    struct bytes inventory, facts, times;
    struct object_list objects;
};

/* One host, and the state of its current conversation. */
struct host {
    unsigned number;
    unsigned version; /* rises with each change */
    unsigned build;   /* of the fleet's builds */
    bool flipped;     /* mixed although its number says level, or the other way round */
    struct signing_key key;
    uint8_t id[16];
    uint64_t sequence;
    bool enrolled;
    struct snapshot snapshot;
};

static void fatal(const char *what, const char *why)
{
    fprintf(stderr, "simulate: %s: %s\n", what, why);
    exit(1);
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint64_t x = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return (uint32_t)(x >> 32);
}

static ProtobufCBinaryData text(const char *value)
{
    return (ProtobufCBinaryData){.len = strlen(value), .data = (uint8_t *)value};
}

static struct bytes packed(const ProtobufCMessage *message)
{
    struct bytes bytes;
    if (!object_pack(message, &bytes))
        fatal("pack", "no memory");
    return bytes;
}

static struct bytes image_bytes(unsigned file, unsigned level, unsigned build, uint32_t variant)
{
    char version[64];
    const char *name = strrchr(fleet.paths[file], '/') + 1;
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    uint64_t major = strcmp(name, "iisutil.dll") == 0 ? 6 : 5, minor = major == 6 ? 0 : 2;
    uint64_t revision = revisions[level] + 10 * fleet.raised[build][file];
    snprintf(version, sizeof version, "%u.%u.3790.%u (srv03_sp%u)", (unsigned)major, (unsigned)minor,
             (unsigned)revision, level);
    image.size = 40960 + file;
    image.machine = 0x14c;
    image.time_date_stamp = 0x40000000 + level * 0x1000000 + ((uint32_t)fleet.raised[build][file] << 20) + variant;
    image.size_of_image = 45056 + file;
    image.checksum = mix(file, variant);
    image.characteristics = 0x2102;
    image.has_version = true;
    image.file_version = image.product_version = major << 48 | minor << 32 | (uint64_t)3790 << 16 | revision;
    image.file_version_string = text(version);
    image.product_version_string = text(version);
    image.product_name = text("Microsoft Windows Operating System");
    image.company_name = text("Microsoft Corporation");
    image.original_filename = text(name);
    image.file_description = text("A file of the simulated fleet");
    return packed(&image.base);
}

static unsigned level_of(const struct host *host)
{
    return host->number % 2 == 0 ? SP1 : SP2;
}

static bool is_mixed(const struct host *host)
{
    return (host->number % 100 == 7) != host->flipped;
}

/* Which build of a file a host holds: its level, and a variant of the same version; 0 is everybody's. */
static void held(const struct host *host, unsigned chunk, unsigned file, unsigned *level, uint32_t *variant)
{
    *level = file == 0 && is_mixed(host) ? 0 : level_of(host);
    *variant = 0;
    if (fleet.differ == DIFFER_CHUNKS && file == fleet.chunk_starts[chunk] && fleet.chunks > 2 &&
        (chunk == 1 + mix(host->number, 1) % (fleet.chunks - 2) || chunk == fleet.chunks - 1))
        *variant = 1 + host->number;
    if (fleet.differ == DIFFER_RANDOM && mix(host->number, file + 7) % 20 == 0)
        *variant = 1 + mix(file, host->number) % 16;
    if (host->version > 0 && file == fleet.files / 2)
        *variant = 0x800000 + host->number + host->version * 0x1000;
}

static struct digest add_object(struct object_list *list, struct bytes body)
{
    if (list->count == list->size) {
        list->size = list->size == 0 ? 16 : 2 * list->size;
        list->objects = realloc(list->objects, list->size * sizeof *list->objects);
        if (list->objects == NULL)
            fatal("objects", "no memory");
    }
    struct simulated_object *object = &list->objects[list->count++];
    *object = (struct simulated_object){.digest = digest_of(body), .body = body};
    return object->digest;
}

static int compare_objects(const void *a, const void *b)
{
    return memcmp(((const struct simulated_object *)a)->digest.bytes,
                  ((const struct simulated_object *)b)->digest.bytes, DIGEST_BYTES);
}

static void sort_objects(struct object_list *list)
{
    if (list->count > 0)
        qsort(list->objects, list->count, sizeof *list->objects, compare_objects);
}

/* The body of the object with this digest; empty where it is not in the list. */
static struct bytes find_object(const struct object_list *list, const struct digest *digest)
{
    struct simulated_object key = {.digest = *digest};
    const struct simulated_object *found =
        list->count > 0 ? bsearch(&key, list->objects, list->count, sizeof *list->objects, compare_objects) : NULL;
    return found != NULL ? found->body : (struct bytes){0};
}

static void clear_objects(struct object_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((void *)list->objects[i].body.data);
    free(list->objects);
    *list = (struct object_list){0};
}

/* A chunk's bytes where the files are these images. */
static struct bytes chunk_bytes(const struct digest *images, unsigned chunk)
{
    struct chunk_builder *builder = chunk_builder_new();
    struct error error = {0};
    struct bytes bytes;
    bool complete;
    for (unsigned file = fleet.chunk_starts[chunk]; file < fleet.chunk_starts[chunk + 1]; file++) {
        struct bytes path = bytes_of(fleet.paths[file], strlen(fleet.paths[file]));
        if (builder == NULL || chunk_builder_add(builder, path, &images[file], &complete, &error) < 0)
            fatal("chunk", error.message);
    }
    if (chunk_builder_take(builder, &bytes, &error) < 0)
        fatal("chunk", error.message);
    chunk_builder_free(builder);
    return bytes;
}

/* Which files a host has, and as one of the fleet's chunks or as a chunk of its own. */
static void make_inventory(const struct host *host, struct snapshot *snapshot)
{
    unsigned of_host = level_of(host);
    _cleanup_free_ struct digest *images = malloc(fleet.files * sizeof *images);
    _cleanup_free_ struct digest *digests = calloc(fleet.chunks, sizeof *digests);
    for (unsigned chunk = 0; images != NULL && digests != NULL && chunk < fleet.chunks; chunk++) {
        bool is_own = false;
        for (unsigned file = fleet.chunk_starts[chunk]; file < fleet.chunk_starts[chunk + 1]; file++) {
            unsigned level;
            uint32_t variant;
            held(host, chunk, file, &level, &variant);
            is_own |= variant != 0 || level != of_host;
            images[file] = variant == 0
                               ? fleet.images[host->build][level][file]
                               : add_object(&snapshot->objects, image_bytes(file, level, host->build, variant));
        }
        digests[chunk] = is_own ? add_object(&snapshot->objects, chunk_bytes(images, chunk))
                                : fleet.chunk_digests[host->build][of_host][chunk];
    }
    sort_objects(&snapshot->objects);
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = (ProtobufCBinaryData){.len = fleet.chunks * DIGEST_BYTES, .data = digests[0].bytes};
    snapshot->inventory = packed(&inventory.base);
}

static void make_snapshot(struct host *host)
{
    struct snapshot *snapshot = &host->snapshot;
    char name[64], guid[64];
    make_inventory(host, snapshot);
    snapshot->inventory_digest = digest_of(snapshot->inventory);
    snprintf(name, sizeof name, "%s%06u", fleet.prefix, host->number);
    snprintf(guid, sizeof guid, "%08x-0000-4000-8000-%012x", host->number, mix(host->number, 3));
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.has_registry = true;
    facts.product_name = text("Microsoft Windows Server 2003");
    facts.current_version = text("5.2");
    facts.current_build = 3790;
    facts.product_type = EVENKEEL__PRODUCT_TYPE__SERVER;
    facts.service_pack = text(service_packs[level_of(host)]);
    facts.architecture = text("x86");
    facts.computer_name = text(name);
    facts.machine_guid = text(guid);
    facts.windows_directory = text("c:/windows");
    snapshot->facts = packed(&facts.base);
    snapshot->facts_digest = digest_of(snapshot->facts);
    Evenkeel__Times times = EVENKEEL__TIMES__INIT;
    times.machine_guid = 1000000;
    snapshot->times = packed(&times.base);
    snapshot->times_digest = digest_of(snapshot->times);
}

static void clear_snapshot(struct host *host)
{
    free((void *)host->snapshot.inventory.data);
    free((void *)host->snapshot.facts.data);
    free((void *)host->snapshot.times.data);
    clear_objects(&host->snapshot.objects);
    host->snapshot = (struct snapshot){0};
}

/* An update of the fleet: two thirds of the files as a Windows' monthly one, or 1 % that lie together as a browser's.
 */
enum update { UPDATE_NONE, UPDATE_WINDOWS, UPDATE_BROWSER };

static bool brings(enum update update, unsigned file)
{
    return update == UPDATE_WINDOWS ? file % 3 != 0 : update == UPDATE_BROWSER && file * 100 / fleet.files == 90;
}

/* The images and chunks of all hosts that have this update beside those before. */
static void make_build(enum update update)
{
    unsigned build = update == UPDATE_NONE ? 0 : ++fleet.builds;
    if (build >= BUILDS)
        fatal("update", "too many of them");
    fleet.raised[build] = calloc(fleet.files, 1);
    for (unsigned file = 0; file < fleet.files; file++)
        fleet.raised[build][file] = build > 0 ? fleet.raised[build - 1][file] + brings(update, file) : 0;
    for (unsigned level = 0; level < LEVELS; level++) {
        struct digest *images = fleet.images[build][level] = calloc(fleet.files, sizeof *images);
        struct digest *chunks = fleet.chunk_digests[build][level] = calloc(fleet.chunks, sizeof *chunks);
        if (images == NULL || chunks == NULL)
            fatal("build", "no memory");
        for (unsigned file = 0; file < fleet.files; file++)
            images[file] = build > 0 && !brings(update, file)
                               ? fleet.images[build - 1][level][file]
                               : add_object(&fleet.objects, image_bytes(file, level, build, 0));
        for (unsigned chunk = 0; chunk < fleet.chunks; chunk++)
            chunks[chunk] = add_object(&fleet.objects, chunk_bytes(images, chunk));
    }
    sort_objects(&fleet.objects);
}

static void make_fleet(void)
{
    fleet.paths = calloc(fleet.files, sizeof *fleet.paths);
    fleet.chunk_starts = calloc(fleet.files + 2, sizeof *fleet.chunk_starts);
    snprintf(fleet.paths[0], sizeof *fleet.paths, "c:/windows/system32/inetsrv/iisutil.dll");
    for (unsigned file = 1; file < fleet.files; file++)
        snprintf(fleet.paths[file], sizeof *fleet.paths, "c:/windows/system32/sim%06u.dll", file);
    for (unsigned file = 0; file < fleet.files; file++)
        if (file + 1 == fleet.files || file + 1 - fleet.chunk_starts[fleet.chunks] == CHUNK_ENTRIES ||
            chunk_ends_after(bytes_of(fleet.paths[file], strlen(fleet.paths[file]))))
            fleet.chunk_starts[++fleet.chunks] = file + 1;
    make_build(UPDATE_NONE);
}

static void free_fleet(void)
{
    for (unsigned i = 0; i < BUILDS * LEVELS; i++) {
        free(fleet.images[i / LEVELS][i % LEVELS]);
        free(fleet.chunk_digests[i / LEVELS][i % LEVELS]);
    }
    for (unsigned build = 0; build < BUILDS; build++)
        free(fleet.raised[build]);
    clear_objects(&fleet.objects);
    free(fleet.paths);
    free(fleet.chunk_starts);
}

#endif
