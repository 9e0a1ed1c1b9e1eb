/* The files of simulated hosts, as simulate.c reports them: which builds at which paths, in which chunks. For one
 * program only. */

#ifndef EVENKEEL_SIMULATED_FLEET_H
#define EVENKEEL_SIMULATED_FLEET_H

#include "proto/chunk.h"
#include "proto/envelope.h"
#include "proto/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum differ { DIFFER_NONE, DIFFER_CHUNKS, DIFFER_RANDOM };
enum { LEVELS = 3, SP1 = 1, SP2 = 2 };

static const uint16_t revisions[LEVELS] = {0, 1830, 3959};
static const char *const service_packs[LEVELS] = {"", "Service Pack 1", "Service Pack 2"};

/* What all hosts have in common. */
static struct fleet {
    unsigned files, hosts, first;
    enum differ differ;
    const char *prefix;
    char (*paths)[64];
    struct digest *images[LEVELS]; /* [level][file], variant 0 */
    unsigned *chunk_starts;        /* chunk -> its first file; one more at the end */
    unsigned chunks;
    struct digest *chunk_digests[LEVELS];
} fleet;

/* One host, and the state of its current conversation. */
struct host {
    unsigned number;
    unsigned version; /* rises with each change */
    bool flipped;     /* mixed although its number says level, or the other way round */
    struct signing_key key;
    uint8_t id[16];
    uint64_t sequence;
    bool enrolled;
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

static struct bytes image_bytes(unsigned file, unsigned level, uint32_t variant)
{
    char version[64];
    const char *name = strrchr(fleet.paths[file], '/') + 1;
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    uint64_t major = strcmp(name, "iisutil.dll") == 0 ? 6 : 5, minor = major == 6 ? 0 : 2;
    snprintf(version, sizeof version, "%u.%u.3790.%u (srv03_sp%u)", (unsigned)major, (unsigned)minor, revisions[level],
             level);
    image.size = 40960 + file;
    image.machine = 0x14c;
    image.time_date_stamp = 0x40000000 + level * 0x1000000 + variant;
    image.size_of_image = 45056 + file;
    image.checksum = mix(file, variant);
    image.characteristics = 0x2102;
    image.has_version = true;
    image.file_version = image.product_version = major << 48 | minor << 32 | (uint64_t)3790 << 16 | revisions[level];
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

static struct digest held_digest(const struct host *host, unsigned chunk, unsigned file)
{
    unsigned level;
    uint32_t variant;
    held(host, chunk, file, &level, &variant);
    if (variant == 0)
        return fleet.images[level][file];
    struct bytes bytes = image_bytes(file, level, variant);
    struct digest digest = digest_of(bytes);
    free((void *)bytes.data);
    return digest;
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
    for (unsigned level = 0; level < LEVELS; level++) {
        fleet.images[level] = calloc(fleet.files, sizeof **fleet.images);
        fleet.chunk_digests[level] = calloc(fleet.chunks, sizeof **fleet.chunk_digests);
        for (unsigned file = 0; file < fleet.files; file++) {
            struct bytes bytes = image_bytes(file, level, 0);
            fleet.images[level][file] = digest_of(bytes);
            free((void *)bytes.data);
        }
        for (unsigned chunk = 0; chunk < fleet.chunks; chunk++) {
            struct bytes bytes = chunk_bytes(fleet.images[level], chunk);
            fleet.chunk_digests[level][chunk] = digest_of(bytes);
            free((void *)bytes.data);
        }
    }
}

static void free_fleet(void)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        free(fleet.images[level]);
        free(fleet.chunk_digests[level]);
    }
    free(fleet.paths);
    free(fleet.chunk_starts);
}

#endif
