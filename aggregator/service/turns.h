/*
 * Whose requests took much of the writer's time: they rest between two of them while others ask, so that a host with a
 * million new files costs the others a part of the time and not most of it. Alone it goes on at once.
 */

#ifndef EVENKEEL_TURNS_H
#define EVENKEEL_TURNS_H

#include "proto/digest.h"

#include <stddef.h>
#include <stdint.h>

/* Smaller requests are not counted: they are many, and each takes little. */
#define TURNS_BYTES (64u << 10)
/* What a sender may take before it rests, and in what time half of it is forgotten, in microseconds. */
#define TURNS_FREE INT64_C(1000000)
#define TURNS_HALF INT64_C(30000000)
/* How many times as long as its last request took it rests, and at most, well below what a collector waits for an
 * answer. */
#define TURNS_REST 7
#define TURNS_REST_MOST INT64_C(15000000)
/* Senders that are known at a time; who took least makes room for another. */
#define TURNS_SENDERS 64

struct turn {
    struct digest sender;    /* of its key and host */
    int64_t taken;           /* microseconds, as of `at` */
    int64_t at, rests_until; /* by the monotonic clock */
};

/* Start with {0}; one thread. */
struct turns {
    struct turn list[TURNS_SENDERS];
    size_t count;
};

/* Notes that a request of this sender took so long, and ended now. */
void turns_charge(struct turns *turns, const struct digest *sender, int64_t took, int64_t now);

/* Until when the sender rests; 0: it does not. */
int64_t turns_rest(const struct turns *turns, const struct digest *sender, int64_t now);

#endif
