/*
 * A chunk: a run of (path, image) entries of a host's path-sorted list of PE files, as an object of its own.
 *
 * A chunk ends after a path for which the last byte of BLAKE2b-256(path) has its low 6 bits zero, and at CHUNK_ENTRIES
 * entries. The rule looks at one path only, so a file that appears, vanishes or changes touches one chunk (two where it
 * was or becomes a boundary), and hosts installed alike cut their lists at the same places: 64 entries on average.
 */

#ifndef EVENKEEL_CHUNK_H
#define EVENKEEL_CHUNK_H

#include "bytes.h"
#include "digest.h"
#include "error.h"
#include "evenkeel.pb-c.h"
#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

#define CHUNK_ENTRIES LIMIT_CHUNK_ENTRIES
#define CHUNK_BOUNDARY_MASK 0x3f /* low 6 bits: one path in 64 is a boundary */

/* Whether a chunk ends after this folded path. */
bool chunk_ends_after(struct bytes path);

/*
 * Whether `path` is in the form that identity asks for: UTF-8, a lower-case drive letter, ':', '/', then names divided
 * by single slashes, no ASCII capitals, no control characters, no backslash, no '.' or '..', at most LIMIT_PATH_BYTES.
 */
bool chunk_path_valid(struct bytes path);

struct chunk_builder; /* opaque: collects the entries of one chunk */

struct chunk_builder *chunk_builder_new(void); /* NULL where there is no memory */
void chunk_builder_free(struct chunk_builder *builder);

/*
 * Adds an entry; paths must rise in byte order, across chunks too. *complete tells that the chunk ends here: take it
 * with chunk_builder_take() before the next entry. -1 with *error where the path is not valid or does not rise.
 */
int chunk_builder_add(struct chunk_builder *builder, struct bytes path, const struct digest *image, bool *complete,
                      struct error *error);

/*
 * *packed becomes the chunk's canonical bytes (from malloc, the caller frees them) and the builder is empty again;
 * false with *packed empty where there are no entries. -1 on lack of memory.
 */
int chunk_builder_take(struct chunk_builder *builder, struct bytes *packed, struct error *error);

/* One entry as read; `path` belongs to the reader and lives until the next entry. */
struct chunk_entry {
    struct bytes path;
    struct digest path_digest; /* the chunk rule needs it anyway */
    struct digest image;
};

/*
 * Calls `visit` for every entry in order until it answers false. Checks on the way what makes a chunk canonical: counts
 * that agree, paths valid, rising, front-coded with the longest shared start, and no boundary but at the end. 0, or -1
 * with *error.
 */
int chunk_read(const Evenkeel__Chunk *chunk, bool (*visit)(void *context, const struct chunk_entry *entry),
               void *context, struct error *error);

#endif
