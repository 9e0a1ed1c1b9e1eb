/* Senders whose requests the database refused. */

#include "penalties.h"

#include "aggregator/base/monotonic.h"

#include <stdio.h>
#include <stdlib.h>

static struct penalty *entry_of(const struct penalties *penalties, const struct digest *sender)
{
    for (size_t i = 0; i < penalties->count; i++)
        if (digest_equal(&penalties->list[i].sender, sender))
            return &penalties->list[i];
    return NULL;
}

const struct penalty *penalties_find(const struct penalties *penalties, const struct digest *sender, int64_t now)
{
    const struct penalty *penalty = entry_of(penalties, sender);
    return penalty != NULL && now < penalty->until ? penalty : NULL;
}

/* A place for one more; NULL where memory is out. */
static struct penalty *make_room(struct penalties *penalties)
{
    if (penalties->list == NULL)
        penalties->list = calloc(PENALTIES_MOST, sizeof *penalties->list);
    if (penalties->list == NULL)
        return NULL;
    if (penalties->count < PENALTIES_MOST)
        return &penalties->list[penalties->count++];
    struct penalty *first = penalties->list;
    for (size_t i = 1; i < penalties->count; i++)
        if (penalties->list[i].until < first->until)
            first = &penalties->list[i];
    return first;
}

void penalties_add(struct penalties *penalties, const struct digest *sender, const char *reason, int64_t now)
{
    struct penalty *penalty = entry_of(penalties, sender);
    uint32_t seconds = PENALTY_SECONDS;
    if (penalty != NULL && now - penalty->until <= penalty->seconds * MONOTONIC_SECOND)
        seconds = penalty->seconds < PENALTY_SECONDS_MOST / 2 ? 2 * penalty->seconds : PENALTY_SECONDS_MOST;
    else if (penalty == NULL && (penalty = make_room(penalties)) == NULL)
        return;
    *penalty = (struct penalty){.sender = *sender, .seconds = seconds, .until = now + seconds * MONOTONIC_SECOND};
    snprintf(penalty->reason, sizeof penalty->reason, "%s", reason);
}

void penalties_clear(struct penalties *penalties)
{
    free(penalties->list);
    *penalties = (struct penalties){0};
}
