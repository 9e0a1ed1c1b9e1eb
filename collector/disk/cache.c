/* What was read of files before. */

#include "cache.h"

#include "proto/cleanup.h"
#include "proto/digest.h"
#include "proto/limits.h"
#include "version.h"

#include <sodium.h>
#include <string.h>

#define STAT_BYTES 41 /* five numbers and the flags */
#define PE_BYTES 26   /* machine, two numbers of four bytes, two versions */
#define SHA256_BYTES 32
#define LENGTH_BYTES 4
#define ENTRY_BYTES (4 + LIMIT_PATH_BYTES + STAT_BYTES + PE_BYTES + SHA256_BYTES + LENGTH_BYTES)
#define HEADER_BYTES 128

enum { FLAG_PE = 1, FLAG_VERSION = 2, FLAG_SHA256 = 4 };

/* A path that front-coding builds on. */
struct path {
    uint8_t text[LIMIT_PATH_BYTES];
    size_t length;
};

struct cache {
    char *path, *next_path;
    char header[HEADER_BYTES];

    FILE *old;     /* NULL: there is none, or none of use */
    uint64_t left; /* bytes of entries not read yet */
    bool current;  /* the entry below was read and not passed yet */
    struct path old_path;
    struct platform_stat stat;
    struct cache_entry entry;
    uint8_t *image; /* the entry's packed image */
    size_t image_size;

    FILE *next;
    struct path next_path_text;
    crypto_generichash_state digest;
    bool failed; /* to write */
};

/* ---- numbers ---- */

static uint8_t *put_number(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint64_t get_number(const uint8_t **at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)(*at)[i] << (8 * i);
    *at += bytes;
    return value;
}

/* ---- the old file ---- */

/* Whether the file is whole and of this kind; then it stands at its first entry. */
static bool old_check(struct cache *cache)
{
    uint8_t block[16384], found[DIGEST_BYTES], expected[DIGEST_BYTES];
    size_t header = strlen(cache->header);
    crypto_generichash_state digest;
    crypto_generichash_init(&digest, NULL, 0, DIGEST_BYTES);
    if (fseeko(cache->old, 0, SEEK_END) != 0)
        return false;
    off_t length = ftello(cache->old);
    if (length < (off_t)(header + DIGEST_BYTES))
        return false;
    rewind(cache->old);
    for (uint64_t left = (uint64_t)length - DIGEST_BYTES, first = 1; left > 0; first = 0) {
        size_t part = left < sizeof block ? (size_t)left : sizeof block;
        if (fread(block, 1, part, cache->old) != part)
            return false;
        if (first && (part < header || memcmp(block, cache->header, header) != 0))
            return false;
        crypto_generichash_update(&digest, block, part);
        left -= part;
    }
    crypto_generichash_final(&digest, found, sizeof found);
    if (fread(expected, 1, sizeof expected, cache->old) != sizeof expected ||
        memcmp(found, expected, sizeof found) != 0 || fseeko(cache->old, (off_t)header, SEEK_SET) != 0)
        return false;
    cache->left = (uint64_t)length - header - DIGEST_BYTES;
    return true;
}

static bool old_read(struct cache *cache, void *data, size_t length)
{
    if (length > cache->left || fread(data, 1, length, cache->old) != length)
        return false;
    cache->left -= length;
    return true;
}

static bool old_read_image(struct cache *cache)
{
    uint8_t bytes[LENGTH_BYTES];
    const uint8_t *at = bytes;
    if (!old_read(cache, bytes, LENGTH_BYTES))
        return false;
    size_t length = get_number(&at, LENGTH_BYTES);
    if (length > LIMIT_OBJECT_BYTES)
        return false;
    if (length > cache->image_size) {
        uint8_t *larger = realloc(cache->image, length);
        if (larger == NULL)
            return false;
        cache->image = larger;
        cache->image_size = length;
    }
    cache->entry.image = bytes_of(cache->image, length);
    return old_read(cache, cache->image, length);
}

static bool old_read_entry(struct cache *cache)
{
    uint8_t bytes[STAT_BYTES + PE_BYTES + SHA256_BYTES];
    struct cache_entry *entry = &cache->entry;
    const uint8_t *at = bytes;
    if (!old_read(cache, bytes, 4))
        return false;
    size_t shared = get_number(&at, 2), rest = get_number(&at, 2);
    if (shared > cache->old_path.length || rest > sizeof cache->old_path.text - shared ||
        !old_read(cache, cache->old_path.text + shared, rest) || !old_read(cache, bytes, STAT_BYTES))
        return false;
    cache->old_path.length = shared + rest;
    at = bytes;
    cache->stat = (struct platform_stat){.kind = PLATFORM_FILE};
    cache->stat.size = get_number(&at, 8);
    cache->stat.modified = (int64_t)get_number(&at, 8);
    cache->stat.changed = (int64_t)get_number(&at, 8);
    cache->stat.device = get_number(&at, 8);
    cache->stat.identity = get_number(&at, 8);
    unsigned flags = *at;
    *entry = (struct cache_entry){
        .is_pe = flags & FLAG_PE, .has_version = flags & FLAG_VERSION, .has_sha256 = flags & FLAG_SHA256};
    at = bytes;
    if (entry->is_pe) {
        if (!old_read(cache, bytes, PE_BYTES))
            return false;
        entry->machine = (uint16_t)get_number(&at, 2);
        entry->time_date_stamp = (uint32_t)get_number(&at, 4);
        entry->checksum = (uint32_t)get_number(&at, 4);
        entry->file_version = get_number(&at, 8);
        entry->product_version = get_number(&at, 8);
    }
    if (entry->has_sha256 && !old_read(cache, entry->sha256, SHA256_BYTES))
        return false;
    return !entry->is_pe || old_read_image(cache);
}

static bool old_next(struct cache *cache)
{
    cache->current = cache->left > 0 && old_read_entry(cache);
    if (!cache->current)
        cache->left = 0;
    return cache->current;
}

static unsigned char folded(unsigned char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (unsigned char)(letter + ('a' - 'A')) : letter;
}

/* The walk's order, but for names that differ in case only; a mistake there costs a file's being read again. */
static int compare(const struct path *old, struct bytes path)
{
    size_t shorter = old->length < path.length ? old->length : path.length;
    for (size_t i = 0; i < shorter; i++)
        if (old->text[i] != path.data[i] && folded(old->text[i]) != folded(path.data[i]))
            return folded(old->text[i]) < folded(path.data[i]) ? -1 : 1;
    if (old->length != path.length)
        return old->length < path.length ? -1 : 1;
    return memcmp(old->text, path.data, path.length);
}

bool cache_find(struct cache *cache, struct bytes path, const struct platform_stat *stat, struct cache_entry *entry)
{
    if (cache->old == NULL)
        return false;
    while (cache->current || old_next(cache)) {
        int order = compare(&cache->old_path, path);
        if (order > 0)
            return false;
        cache->current = false;
        if (order < 0)
            continue;
        *entry = cache->entry;
        return cache->stat.size == stat->size && cache->stat.modified == stat->modified &&
               cache->stat.changed == stat->changed && cache->stat.device == stat->device &&
               cache->stat.identity == stat->identity;
    }
    return false;
}

/* ---- the new file ---- */

static void next_write(struct cache *cache, const void *data, size_t length)
{
    crypto_generichash_update(&cache->digest, data, length);
    cache->failed |= fwrite(data, 1, length, cache->next) != length;
}

void cache_put(struct cache *cache, struct bytes path, const struct platform_stat *stat,
               const struct cache_entry *entry)
{
    uint8_t bytes[ENTRY_BYTES], *at = bytes;
    struct path *before = &cache->next_path_text;
    int64_t last = stat->modified > stat->changed ? stat->modified : stat->changed;
    if (path.length > LIMIT_PATH_BYTES || platform_now() - last < CACHE_SETTLED)
        return;
    size_t shared = 0;
    while (shared < path.length && shared < before->length && path.data[shared] == before->text[shared])
        shared++;
    at = put_number(at, shared, 2);
    at = put_number(at, path.length - shared, 2);
    memcpy(at, path.data + shared, path.length - shared);
    at += path.length - shared;
    memcpy(before->text, path.data, path.length);
    before->length = path.length;

    at = put_number(at, stat->size, 8);
    at = put_number(at, (uint64_t)stat->modified, 8);
    at = put_number(at, (uint64_t)stat->changed, 8);
    at = put_number(at, stat->device, 8);
    at = put_number(at, stat->identity, 8);
    *at++ = (uint8_t)((entry->is_pe ? FLAG_PE : 0) | (entry->has_version ? FLAG_VERSION : 0) |
                      (entry->has_sha256 ? FLAG_SHA256 : 0));
    if (entry->is_pe) {
        at = put_number(at, entry->machine, 2);
        at = put_number(at, entry->time_date_stamp, 4);
        at = put_number(at, entry->checksum, 4);
        at = put_number(at, entry->file_version, 8);
        at = put_number(at, entry->product_version, 8);
    }
    if (entry->has_sha256) {
        memcpy(at, entry->sha256, SHA256_BYTES);
        at += SHA256_BYTES;
    }
    if (entry->is_pe)
        at = put_number(at, entry->image.length, LENGTH_BYTES);
    next_write(cache, bytes, (size_t)(at - bytes));
    if (entry->is_pe && entry->image.length > 0)
        next_write(cache, entry->image.data, entry->image.length);
}

int cache_open(const char *path, const char *kind, struct cache **cache, struct error *error)
{
    struct cache *made = *cache = calloc(1, sizeof *made);
    if (made == NULL || (made->path = strdup(path)) == NULL || asprintf(&made->next_path, "%s.new", path) < 0 ||
        sodium_init() < 0) {
        if (made != NULL && made->path != NULL)
            made->next_path = NULL; /* asprintf leaves it undefined */
        cache_close(made);
        *cache = NULL;
        return error_set(error, ERROR_MEMORY, "no memory for a cache");
    }
    snprintf(made->header, sizeof made->header, "evenkeel-collector cache 3 %s %s\n", EVENKEEL_VERSION, kind);
    struct error problem = {0};
    made->next = platform_stream(made->next_path, "w", &problem);
    if (made->next == NULL) {
        error_set(error, problem.code, "can't write the cache '%.200s': %.200s; name another file, or go without", path,
                  problem.message);
        cache_close(made);
        *cache = NULL;
        return -1;
    }
    made->old = platform_stream(path, "r", NULL);
    if (made->old != NULL && !old_check(made)) {
        fclose(made->old);
        made->old = NULL;
    }
    crypto_generichash_init(&made->digest, NULL, 0, DIGEST_BYTES);
    next_write(made, made->header, strlen(made->header));
    return 0;
}

int cache_commit(struct cache *cache, struct error *error)
{
    uint8_t digest[DIGEST_BYTES];
    crypto_generichash_final(&cache->digest, digest, sizeof digest);
    cache->failed |= fwrite(digest, 1, sizeof digest, cache->next) != sizeof digest;
    cache->failed |= fclose(cache->next) != 0;
    cache->next = NULL;
    if (cache->old != NULL)
        fclose(cache->old);
    cache->old = NULL;
    if (!cache->failed)
        return platform_rename(cache->next_path, cache->path, error);
    platform_remove(cache->next_path, NULL);
    return error_set(error, ERROR_IO, "can't write the cache '%s': is its disk full?", cache->path);
}

void cache_close(struct cache *cache)
{
    if (cache == NULL)
        return;
    if (cache->old != NULL)
        fclose(cache->old);
    if (cache->next != NULL) {
        fclose(cache->next);
        platform_remove(cache->next_path, NULL);
    }
    free(cache->image);
    free(cache->path);
    free(cache->next_path);
    free(cache);
}

/* ---- entries and images ---- */

static struct pe_version version_of(uint64_t number)
{
    return (struct pe_version){(uint16_t)(number >> 48), (uint16_t)(number >> 32), (uint16_t)(number >> 16),
                               (uint16_t)number};
}

void cache_entry_from_image(const struct pe_image *image, struct cache_entry *entry)
{
    *entry = (struct cache_entry){
        .is_pe = image->is_pe,
        .has_version = image->has_version,
        .has_sha256 = image->has_sha256,
        .machine = image->machine,
        .time_date_stamp = image->time_date_stamp,
        .checksum = image->checksum,
        .file_version = pe_version_number(image->file_version),
        .product_version = pe_version_number(image->product_version),
    };
    memcpy(entry->sha256, image->sha256, sizeof entry->sha256);
}

void cache_entry_to_image(const struct cache_entry *entry, uint64_t size, struct pe_image *image)
{
    *image = (struct pe_image){
        .is_pe = entry->is_pe,
        .size = size,
        .machine = entry->machine,
        .time_date_stamp = entry->time_date_stamp,
        .checksum = entry->checksum,
        .has_version = entry->has_version,
        .file_version = version_of(entry->file_version),
        .product_version = version_of(entry->product_version),
        .has_sha256 = entry->has_sha256,
    };
    memcpy(image->sha256, entry->sha256, sizeof image->sha256);
}
