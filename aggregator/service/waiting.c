/* The requests that wait for the writer. */

#include "waiting.h"

#include "proto/cleanup.h"

#include <stdint.h>
#include <stdlib.h>

struct share {
    const void *source;
    size_t requests;
    struct request **latest; /* what points to the latest of them */
};

void waiting_clear(struct waiting *waiting)
{
    waiting->first = NULL;
    waiting->last = &waiting->first;
}

void waiting_add(struct waiting *waiting, struct request *request)
{
    request->next = NULL;
    *waiting->last = request;
    waiting->last = &request->next;
}

/* Open addressing; there is room for more sources than requests. */
static struct share *share_of(struct share *shares, size_t size, const void *source)
{
    size_t at = (uintptr_t)source / sizeof(void *) * 2654435761u % size;
    while (shares[at].requests > 0 && shares[at].source != source)
        at = (at + 1) % size;
    shares[at].source = source;
    return &shares[at];
}

struct request *waiting_displace(struct waiting *waiting, const struct request *newcomer)
{
    size_t count = 0;
    for (const struct request *at = waiting->first; at != NULL; at = at->next)
        count++;
    size_t size = 2 * count + 1;
    _cleanup_free_ struct share *shares = calloc(size, sizeof *shares);
    const struct share *most = NULL;
    if (shares == NULL)
        return NULL;
    for (struct request **at = &waiting->first; *at != NULL; at = &(*at)->next) {
        struct share *share = share_of(shares, size, (*at)->source);
        share->requests++;
        share->latest = at;
        if (most == NULL || share->requests > most->requests)
            most = share;
    }
    if (most == NULL || most->requests < share_of(shares, size, newcomer->source)->requests + 2)
        return NULL;
    struct request *displaced = *most->latest;
    *most->latest = displaced->next;
    if (waiting->last == &displaced->next)
        waiting->last = most->latest;
    return displaced;
}
