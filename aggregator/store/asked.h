/*
 * Which chunks hosts were just asked for. Where many hosts have the same news at once - the first ones of a fleet, or
 * all of them after a rollout - one is asked, and the others wait the moment that it takes.
 */

#ifndef EVENKEEL_ASKED_H
#define EVENKEEL_ASKED_H

#include "digest_map.h"

/* For how long a chunk counts as asked for, and a host waits at most. */
#define ASKED_MICROSECONDS 1000000

/* Start with {0}; one thread. */
struct asked {
    struct digest_map chunks;
};

/*
 * Whether a host had better wait: at least a quarter of these chunks, which the store lacks, were asked of others
 * within ASKED_MICROSECONDS. Where not, they count as asked of this host from now on. `now` is by the
 * monotonic clock.
 */
bool asked_of_others(struct asked *asked, const struct digest *chunks, size_t count, uint32_t host, int64_t now);

void asked_clear(struct asked *asked); /* frees; may be used again */

#endif
