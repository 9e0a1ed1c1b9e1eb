/* Digests to row numbers: a hash table without an order, for one thread. Digests are uniform, so their first bytes are
 * the hash. */

#ifndef EVENKEEL_DIGEST_MAP_H
#define EVENKEEL_DIGEST_MAP_H

#include "proto/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest_value {
    int64_t id;
    uint32_t count; /* what the caller makes of it */
};

/* Start with {0}. */
struct digest_map {
    struct digest_slot *slots;
    size_t count, size;
};

void digest_map_clear(struct digest_map *map); /* frees; the map may be used again */

/* The value, or NULL where there is none; valid until the next put. */
struct digest_value *digest_map_get(const struct digest_map *map, const struct digest *digest);

/* The value of a digest, made with {0} where it is new; *added tells (may be NULL). NULL where there is no memory. */
struct digest_value *digest_map_put(struct digest_map *map, const struct digest *digest, bool *added);

#endif
