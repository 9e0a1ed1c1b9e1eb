/*
 * What was read of files before, by path, size, times and inode, so that files which did not change need not be opened
 * again. The file is sorted as the walk is and read in step with it; a new one is written beside it and takes its place
 * at the end. Memory holds one entry.
 *
 * The file: a line 'evenkeel-collector cache 2 VERSION KIND', entries, and the BLAKE2b-256 digest of all that. One that
 * is damaged, or of another version of the collector or another kind, counts as empty. An entry, numbers little-endian:
 * how many bytes its path shares with the one before and how many follow (2 bytes each), those, five numbers of 8 bytes
 * (size, modified, changed, device, identity), one byte of flags, and for a PE what struct cache_entry has, the packed
 * image behind its length in 4 bytes.
 */

#ifndef EVENKEEL_CACHE_H
#define EVENKEEL_CACHE_H

#include "collector/pe/pe.h"
#include "collector/platform/platform.h"
#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>

/* A file that changed less than this ago may change again without another time: it is not kept. Microseconds. */
#define CACHE_SETTLED 2000000

struct cache; /* opaque */

/* What is kept of one file. */
struct cache_entry {
    bool is_pe;
    struct bytes image; /* the packed image, by cache_find() valid until its next call; empty where it was not packed */
    bool has_version, has_sha256;
    uint16_t machine;
    uint32_t time_date_stamp, checksum;
    uint64_t file_version, product_version;
    uint8_t sha256[32];
};

/* `kind` tells what was read ('tsv', 'image hash symbols'): entries of one are of no use for another. */
int cache_open(const char *path, const char *kind, struct cache **cache, struct error *error);

/* Whether the file at `path` is known with just this *stat; asked for path after path, in the order of the walk. */
bool cache_find(struct cache *cache, struct bytes path, const struct platform_stat *stat, struct cache_entry *entry);

/* Keeps what was found or read anew for the next time. */
void cache_put(struct cache *cache, struct bytes path, const struct platform_stat *stat,
               const struct cache_entry *entry);

/* The new file takes the old one's place; -1 where it could not be written, which leaves the old one. */
int cache_commit(struct cache *cache, struct error *error);

/* Without cache_commit() before, nothing is kept. NULL is allowed. */
void cache_close(struct cache *cache);

/* Between an entry and what the PE reader fills in; of an image only what a line of TSV has comes back. */
void cache_entry_from_image(const struct pe_image *image, struct cache_entry *entry);
void cache_entry_to_image(const struct cache_entry *entry, uint64_t size, struct pe_image *image);

#endif
