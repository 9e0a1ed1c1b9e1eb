/* Memory for one request: taken bit by bit up to a budget, given back all at once. */

#ifndef EVENKEEL_ARENA_H
#define EVENKEEL_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct arena; /* opaque; one thread at a time */

/* NULL where there is no memory. `budget` is in bytes and counts what is handed out, with alignment. */
struct arena *arena_new(size_t budget);
void arena_free(struct arena *arena); /* NULL is allowed */

/* `size` bytes aligned for any type, not cleared; NULL where the budget or the memory is spent. */
void *arena_take(struct arena *arena, size_t size);

/* Whether something was refused because the budget was spent. */
bool arena_spent(const struct arena *arena);

/* The bytes of memory that it holds, used or not. */
size_t arena_bytes(const struct arena *arena);

/* A copy of `length` bytes with a NUL behind it. */
void *arena_copy(struct arena *arena, const void *data, size_t length);

/* An allocator for protobuf-c whose unpack fails cleanly when the budget is spent; valid as long as the arena. */
ProtobufCAllocator *arena_allocator(struct arena *arena);

static inline void cleanup_arena(struct arena **arena)
{
    arena_free(*arena);
}

#endif
