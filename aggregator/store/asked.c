/* Which chunks hosts were just asked for. */

#include "asked.h"

/* Forgotten together beyond this: five seconds' worth at the fastest. */
#define MOST_CHUNKS (1u << 16)

/* When a chunk was last asked for, and of whom. */
struct asking {
    int64_t at;
    uint32_t host;
};

void asked_clear(struct asked *asked)
{
    digest_map_clear(&asked->chunks);
}

bool asked_of_others(struct asked *asked, const struct digest *chunks, size_t count, uint32_t host, int64_t now)
{
    size_t elsewhere = 0;
    asked->chunks.value_size = sizeof(struct asking);
    for (size_t i = 0; i < count; i++) {
        const struct asking *last = digest_map_get(&asked->chunks, &chunks[i]);
        elsewhere += last != NULL && last->host != host && now - last->at < ASKED_MICROSECONDS;
    }
    if (elsewhere > 0 && elsewhere >= count / 4)
        return true;
    if (asked->chunks.count > MOST_CHUNKS)
        asked_clear(asked);
    for (size_t i = 0; i < count; i++) {
        struct asking *asking = digest_map_put(&asked->chunks, &chunks[i], NULL);
        if (asking != NULL)
            *asking = (struct asking){.at = now, .host = host};
    }
    return false;
}
