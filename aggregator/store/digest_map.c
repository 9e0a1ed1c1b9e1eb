/* What is known of digests. */

#include "digest_map.h"

#include <stdlib.h>
#include <string.h>

/* A slot: the value, rounded up to whole words, the digest, and a word that tells whether the slot is used. */
#define WORD sizeof(uint64_t)

static size_t rounded(size_t value_size)
{
    return (value_size + WORD - 1) / WORD * WORD;
}

static size_t slot_size(const struct digest_map *map)
{
    return rounded(map->value_size) + DIGEST_BYTES + WORD;
}

static struct digest *digest_in(const struct digest_map *map, uint8_t *slot)
{
    return (struct digest *)(slot + rounded(map->value_size));
}

static bool *used_in(const struct digest_map *map, uint8_t *slot)
{
    return (bool *)(slot + rounded(map->value_size) + DIGEST_BYTES);
}

void digest_map_clear(struct digest_map *map)
{
    free(map->slots);
    *map = (struct digest_map){.value_size = map->value_size};
}

static uint8_t *find(const struct digest_map *map, const struct digest *digest)
{
    /* Keys that are put together of two digests (store_file_key()) often share a half. */
    uint64_t first, second;
    memcpy(&first, digest->bytes, sizeof first);
    memcpy(&second, digest->bytes + DIGEST_BYTES / 2, sizeof second);
    for (size_t at = first ^ second;; at++) {
        uint8_t *slot = map->slots + (at & (map->size - 1)) * slot_size(map);
        if (!*used_in(map, slot) || digest_equal(digest_in(map, slot), digest))
            return slot;
    }
}

void *digest_map_get(const struct digest_map *map, const struct digest *digest)
{
    if (map->size == 0)
        return NULL;
    uint8_t *slot = find(map, digest);
    return *used_in(map, slot) ? slot : NULL;
}

static bool grow(struct digest_map *map)
{
    struct digest_map wider = {.size = map->size == 0 ? 64 : 2 * map->size, .value_size = map->value_size};
    wider.slots = calloc(wider.size, slot_size(map));
    if (wider.slots == NULL)
        return false;
    for (size_t i = 0; i < map->size; i++) {
        uint8_t *slot = map->slots + i * slot_size(map);
        if (*used_in(map, slot))
            memcpy(find(&wider, digest_in(map, slot)), slot, slot_size(map));
    }
    free(map->slots);
    map->slots = wider.slots;
    map->size = wider.size;
    return true;
}

void *digest_map_put(struct digest_map *map, const struct digest *digest, bool *added)
{
    if (4 * map->count >= 3 * map->size && !grow(map))
        return NULL;
    uint8_t *slot = find(map, digest);
    bool is_new = !*used_in(map, slot);
    if (added != NULL)
        *added = is_new;
    if (is_new) {
        *digest_in(map, slot) = *digest;
        *used_in(map, slot) = true;
        map->count++;
    }
    return slot;
}
