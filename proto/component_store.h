/* The message ComponentStore: a list of paths that rise in byte order, front-coded as those of a chunk. */

#ifndef EVENKEEL_COMPONENT_STORE_H
#define EVENKEEL_COMPONENT_STORE_H

#include "bytes.h"
#include "error.h"
#include "evenkeel.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

/* *packed becomes the canonical bytes (from malloc, the caller frees them) of `count` rising paths; -1 on lack of
 * memory. */
int component_store_pack(const struct bytes *paths, size_t count, struct bytes *packed, struct error *error);

/*
 * Calls `visit` for every path in order until it answers false; the path lives until the next. Checks on the way that
 * paths are valid (chunk_path_valid()), rise, and share their longest start with the one before. 0, or -1 with *error.
 */
int component_store_read(const Evenkeel__ComponentStore *store, bool (*visit)(void *context, struct bytes path),
                         void *context, struct error *error);

#endif
