/* Digests to row numbers. */

#include "digest_map.h"

#include <stdlib.h>
#include <string.h>

struct digest_slot {
    struct digest digest;
    struct digest_value value;
    bool used;
};

void digest_map_clear(struct digest_map *map)
{
    free(map->slots);
    *map = (struct digest_map){0};
}

static struct digest_slot *find(struct digest_slot *slots, size_t size, const struct digest *digest)
{
    /* Keys that are put together of two digests (store_file_key()) often share a half. */
    uint64_t first, second;
    memcpy(&first, digest->bytes, sizeof first);
    memcpy(&second, digest->bytes + DIGEST_BYTES / 2, sizeof second);
    size_t at = (first ^ second) & (size - 1);
    while (slots[at].used && !digest_equal(&slots[at].digest, digest))
        at = (at + 1) & (size - 1);
    return &slots[at];
}

struct digest_value *digest_map_get(const struct digest_map *map, const struct digest *digest)
{
    if (map->size == 0)
        return NULL;
    struct digest_slot *slot = find(map->slots, map->size, digest);
    return slot->used ? &slot->value : NULL;
}

struct digest_value *digest_map_put(struct digest_map *map, const struct digest *digest, bool *added)
{
    if (4 * map->count >= 3 * map->size) {
        size_t size = map->size == 0 ? 64 : 2 * map->size;
        struct digest_slot *slots = calloc(size, sizeof *slots);
        if (slots == NULL)
            return NULL;
        for (size_t i = 0; i < map->size; i++)
            if (map->slots[i].used)
                *find(slots, size, &map->slots[i].digest) = map->slots[i];
        free(map->slots);
        map->slots = slots;
        map->size = size;
    }
    struct digest_slot *slot = find(map->slots, map->size, digest);
    if (added != NULL)
        *added = !slot->used;
    if (!slot->used) {
        *slot = (struct digest_slot){.digest = *digest, .used = true};
        map->count++;
    }
    return &slot->value;
}
