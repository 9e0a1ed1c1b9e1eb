/*
 * libFuzzer target: what the collector keeps on its disk and finds damaged there, or written by another. The first byte
 * picks the file, its highest bit whether the digest that ends some of them is put right, so that what lies behind it
 * is reached.
 */

#include "collector/agent/accepted.h"
#include "collector/agent/host.h"
#include "collector/agent/key.h"
#include "collector/agent/spool.h"
#include "collector/disk/cache.h"
#include "proto/limits.h"
#include "proto/object.h"
#include "tests/fuzz/fuzz.h"
#include "version.h"

#include <sodium.h>
#include <sys/stat.h>

#define SPOOLED "spool/00000000000000000001.snapshot"
#define SPOOL_BYTES (1u << 20)
#define OBJECT_BUDGET (8u << 20)

/* ---- the cache: entries behind the right header ---- */

#define CACHE_HEADER "evenkeel-collector cache 2 " EVENKEEL_VERSION " image\n"

static void put_cache(struct bytes bytes)
{
    size_t header = strlen(CACHE_HEADER), length = header + bytes.length;
    uint8_t *whole = malloc(length + DIGEST_BYTES);
    memcpy(whole, CACHE_HEADER, header);
    memcpy(whole + header, bytes.data, bytes.length);
    struct digest digest = digest_of(bytes_of(whole, length));
    memcpy(whole + length, digest.bytes, DIGEST_BYTES);
    put_file("cache", bytes_of(whole, length + DIGEST_BYTES));
    free(whole);
}

static void read_cache(struct bytes bytes, bool whole)
{
    static const char *const paths[] = {"c:/a", "c:/windows/system32/a.dll", "c:/windows/system32/b.dll", "\xff"};
    const struct platform_stat stat = {.size = 1, .modified = 1, .changed = 1, .device = 1, .identity = 1};
    struct cache *cache;
    struct error error = {0};
    if (whole)
        put_cache(bytes);
    else
        put_file("cache", bytes);
    require(cache_open("cache", "image", &cache, &error) == 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct cache_entry entry;
        struct bytes path = bytes_of(paths[i], strlen(paths[i]));
        if (!cache_find(cache, path, &stat, &entry))
            continue;
        require(entry.image.length <= LIMIT_OBJECT_BYTES);
        for (size_t k = 0; k < entry.image.length; k++)
            *(volatile const uint8_t *)&entry.image.data[k];
        cache_put(cache, path, &stat, &entry);
    }
    require(cache_commit(cache, &error) == 0);
    cache_close(cache);
    require(cache_open("cache", "image", &cache, &error) == 0);
    cache_close(cache);
}

/* ---- snapshots: those that wait, and what was accepted ---- */

static void read_some(struct snapshot *snapshot, const struct digest *digest)
{
    struct error error = {0};
    struct arena *arena = arena_new(OBJECT_BUDGET);
    Evenkeel__Object *object;
    require(snapshot_get(snapshot, digest, arena, &object, &error) >= 0 || error.code != ERROR_NONE);
    arena_free(arena);
}

static Evenkeel__Offer offer_of(const struct spool_offer *taken)
{
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    offer.inventory = (ProtobufCBinaryData){.data = (uint8_t *)taken->inventory.bytes, .len = DIGEST_BYTES};
    offer.facts = (ProtobufCBinaryData){.data = (uint8_t *)taken->facts.bytes, .len = DIGEST_BYTES};
    offer.times = (ProtobufCBinaryData){.data = (uint8_t *)taken->times.bytes, .len = DIGEST_BYTES};
    return offer;
}

static void compare(struct snapshot *snapshot, const struct spool_offer *taken)
{
    Evenkeel__Offer offer = offer_of(taken);
    struct exchange_ahead *ahead;
    struct error error = {0};
    size_t count;
    if (accepted_compare("accepted", snapshot, &offer, &ahead, &count, &error) < 0) {
        require(error.code != ERROR_NONE);
        return;
    }
    require(count <= ACCEPTED_AHEAD_LIMIT);
    free(ahead);
    require(accepted_save("accepted", snapshot, &offer, &error) == 0 || error.code != ERROR_NONE);
}

/* The text that ends a file of the spool, behind the objects: with its length, and its digest if it is to be right. */
static void put_spooled(struct bytes objects, struct bytes text, bool whole)
{
    FILE *file = fopen(SPOOLED, "wb");
    char sum[DIGEST_HEX_SIZE];
    struct digest digest = digest_of(text);
    digest_hex(&digest, sum);
    uint32_t length = (uint32_t)text.length + (whole ? 4 + 64 + 1 : 0);
    require(file != NULL);
    fwrite(objects.data, 1, objects.length, file);
    fwrite("\0\0\0\0", 1, 4, file);
    fwrite(text.data, 1, text.length, file);
    if (whole) {
        fprintf(file, "sum %s\n", sum);
        fwrite((uint8_t[4]){(uint8_t)length, (uint8_t)(length >> 8)}, 1, 4, file);
    }
    require(fclose(file) == 0);
}

static void take_oldest(struct spool *spool)
{
    struct spool_offer taken;
    struct error error = {0};
    struct snapshot *snapshot;
    FILE *file;
    if (spool_oldest(spool, &file, &taken, &error) != 1) {
        require(error.code == ERROR_FORMAT);
        return;
    }
    require(strlen(taken.host) <= LIMIT_HOST_NAME_BYTES);
    if (snapshot_open(file, &snapshot, &error) == 0) {
        read_some(snapshot, &taken.marks);
        read_some(snapshot, &taken.inventory);
        compare(snapshot, &taken);
        snapshot_free(snapshot);
    } else {
        require(error.code != ERROR_NONE);
    }
    fclose(file);
}

/* Three parts: the objects, the text, and the file of what was accepted. */
static void read_spool(struct bytes bytes, bool whole)
{
    struct bytes objects, text, rest;
    struct spool *spool;
    struct error error = {0};
    cut(bytes, &objects, &rest);
    cut(rest, &text, &rest);
    mkdir("spool", 0700);
    put_spooled(objects, text, whole);
    put_file("accepted", rest);
    require(spool_open("spool", SPOOL_BYTES, &spool, &error) == 0 && spool_count(spool) == 1);
    take_oldest(spool);
    require(spool_drop(spool, &error) == 0 && spool_count(spool) == 0);
    spool_close(spool);
}

/* ---- small files ---- */

static void read_key(struct bytes bytes, bool whole)
{
    struct signing_key key, again;
    struct error error = {0};
    (void)whole;
    put_file("key", bytes);
    if (key_load(".", &key, &error) == 0)
        require(key_load(".", &again, &error) == 0 && memcmp(&key, &again, sizeof key) == 0);
    else
        require(error.code == ERROR_FORMAT);
}

static void read_machine(struct bytes bytes, bool whole)
{
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    struct error error = {0};
    bool copied;
    (void)whole;
    marks.machine_sid = (ProtobufCBinaryData){.data = (uint8_t *)"sid", .len = 3};
    marks.machine_guid = (ProtobufCBinaryData){.data = (uint8_t *)"guid", .len = 4};
    put_file("machine", bytes);
    require(key_check_machine(".", &marks, &copied, &error) == 0);
    require(key_note_machine(".", &marks, &error) == 0);
    require(key_check_machine(".", &marks, &copied, &error) == 0 && !copied);
}

static void read_host(struct bytes bytes, bool whole)
{
    static const struct signing_key key;
    struct host host, again;
    struct error error = {0};
    (void)whole;
    char *path = host_path(".", &key, "web-01", &error);
    put_file(path, bytes);
    free(path);
    require(host_load(".", &key, "web-01", &host, &error) == 0);
    require(host_save(".", &key, &host, &error) == 0 && host_load(".", &key, "web-01", &again, &error) == 0);
    require(again.sequence == host.sequence && memcmp(again.id, host.id, sizeof host.id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct bytes bytes, bool whole) = {read_cache, read_spool, read_key, read_machine,
                                                                      read_host};
    if (size > 0 && sodium_init() >= 0)
        readers[(data[0] & 0x7f) % 5](bytes_of(data + 1, size - 1), !(data[0] & 0x80));
    return 0;
}
