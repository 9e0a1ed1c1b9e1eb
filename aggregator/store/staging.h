/*
 * Objects of snapshots that are not complete yet, in memory between a host's gives. Nothing was promised for them: what
 * is lost here, with the process or for want of room, is wanted from the host again.
 */

#ifndef EVENKEEL_STAGING_H
#define EVENKEEL_STAGING_H

#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct staged_object {
    Evenkeel__ObjectKind kind;
    struct digest digest;
    struct bytes body;          /* its own memory; of a chunk only the length */
    struct decoded_chunk chunk; /* its own memory; for chunks, which need not be decoded again */
    size_t held;                /* bytes of either */
    struct staged_object *next;
};

struct staged_host {
    uint8_t host_id[16];
    int64_t touched; /* by the monotonic clock */
    struct staged_object *objects;
    struct staged_host *next;
};

#define STAGING_BUCKETS 1024

/* Start with {.limit = ...}; one thread. */
struct staging {
    size_t limit, bytes; /* of bodies and decoded chunks */
    struct staged_host *buckets[STAGING_BUCKETS];
};

/* What waits for a host, NULL: nothing. Valid until something of that host is put, dropped or forgotten. */
const struct staged_host *staging_find(const struct staging *staging, const uint8_t host_id[16]);

/*
 * Keeps a copy of an object, of a chunk as it is decoded; one that is kept already stays. False where there is no room,
 * even after hosts that were not heard of for STAGING_SECONDS were forgotten.
 */
#define STAGING_SECONDS 120
bool staging_put(struct staging *staging, const uint8_t host_id[16], const struct object *object);

void staging_drop(struct staging *staging, const uint8_t host_id[16], const struct digest *digest);
void staging_forget(struct staging *staging, const uint8_t host_id[16]);
void staging_clear(struct staging *staging);

#endif
