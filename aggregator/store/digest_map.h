/* What is known of digests: a hash table without an order, for one thread. Digests are uniform, so they are their own
 * hash. */

#ifndef EVENKEEL_DIGEST_MAP_H
#define EVENKEEL_DIGEST_MAP_H

#include "proto/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start with {0} for a set, or with DIGEST_MAP(type) for values of a type, which are zeroed when they are made. */
struct digest_map {
    uint8_t *slots;
    size_t count, size, value_size;
};
#define DIGEST_MAP(type) ((struct digest_map){.value_size = sizeof(type)})

void digest_map_clear(struct digest_map *map); /* frees; the map may be used again */

/* A pointer to the value (of a set: to nothing that may be read), or NULL where the digest is not in; valid until the
 * next put. */
void *digest_map_get(const struct digest_map *map, const struct digest *digest);

/* The same, made where it is new; *added tells (may be NULL). NULL where there is no memory. */
void *digest_map_put(struct digest_map *map, const struct digest *digest, bool *added);

#endif
