/*
 * Senders whose requests the database refused: for a while they are told so without asking it again, since every such
 * request costs the batches of others a second try. The first time for PENALTY_SECONDS, then twice as long each time.
 */

#ifndef EVENKEEL_PENALTIES_H
#define EVENKEEL_PENALTIES_H

#include "proto/digest.h"

#include <stdint.h>

#define PENALTY_SECONDS 60
#define PENALTY_SECONDS_MOST 3600
/* As many as there may be at a time; the one that ends first makes room for another. */
#define PENALTIES_MOST 1024
#define PENALTY_REASON_BYTES 256

struct penalty {
    struct digest sender; /* of its key and host */
    int64_t until;        /* by the monotonic clock, in microseconds */
    uint32_t seconds;     /* how long it was given */
    char reason[PENALTY_REASON_BYTES];
};

/* Start with {0}; one thread. */
struct penalties {
    struct penalty *list; /* from malloc */
    size_t count;
};

/* The sender's penalty; NULL where it has none at this time. */
const struct penalty *penalties_find(const struct penalties *penalties, const struct digest *sender, int64_t now);

/* Gives a sender one, twice as long as its last unless that ended longer ago than it lasted; nothing where memory is
 * out. */
void penalties_add(struct penalties *penalties, const struct digest *sender, const char *reason, int64_t now);

void penalties_clear(struct penalties *penalties); /* frees; may be used again */

#endif
