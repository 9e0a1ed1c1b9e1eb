/* Memory for one request. */

#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Small enough for a check-in's few hundred bytes, doubled up to the maximum as a request turns out to be larger. */
#define BLOCK_FIRST (4u << 10)
#define BLOCK_MAXIMUM (1u << 20)
#define ALIGNMENT 16u

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) uint8_t data[];
};

struct arena {
    struct block *newest;
    size_t left; /* of the budget */
    size_t held; /* in all blocks */
    size_t next_size;
    bool spent;
    ProtobufCAllocator allocator;
};

static void *allocator_take(void *data, size_t size)
{
    return arena_take(data, size);
}

static void allocator_keep(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

struct arena *arena_new(size_t budget)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        return NULL;
    arena->left = budget;
    arena->next_size = BLOCK_FIRST;
    arena->allocator = (ProtobufCAllocator){.alloc = allocator_take, .free = allocator_keep, .allocator_data = arena};
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *block = arena->newest, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void *arena_take(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > arena->left) {
        arena->spent = true;
        return NULL;
    }
    struct block *block = arena->newest;
    if (block == NULL || block->size - block->used < size) {
        size_t block_size = size > arena->next_size ? size : arena->next_size;
        block = malloc(sizeof *block + block_size);
        if (block == NULL)
            return NULL;
        *block = (struct block){.next = arena->newest, .size = block_size};
        arena->held += sizeof *block + block_size;
        arena->newest = block;
        if (arena->next_size < BLOCK_MAXIMUM)
            arena->next_size *= 2;
    }
    arena->left -= size;
    void *taken = block->data + block->used;
    block->used += size;
    return taken;
}

void *arena_copy(struct arena *arena, const void *data, size_t length)
{
    char *copy = length < SIZE_MAX ? arena_take(arena, length + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = 0;
    return copy;
}

bool arena_spent(const struct arena *arena)
{
    return arena->spent;
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->held;
}

ProtobufCAllocator *arena_allocator(struct arena *arena)
{
    return &arena->allocator;
}
