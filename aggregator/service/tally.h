/* How many of something each of many holds, by a key of theirs: an address, a host's public key. */

#ifndef EVENKEEL_TALLY_H
#define EVENKEEL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_KEY_BYTES 16

struct tally_key {
    uint8_t bytes[TALLY_KEY_BYTES];
};

struct tally; /* opaque; for one thread at a time */

struct tally *tally_new(void);        /* NULL without memory */
void tally_free(struct tally *tally); /* NULL is allowed */

/* One more of that key's; false, and nothing counted, without memory. */
bool tally_add(struct tally *tally, const struct tally_key *key);
/* One less; the key must have been added. */
void tally_drop(struct tally *tally, const struct tally_key *key);

size_t tally_count(const struct tally *tally, const struct tally_key *key);
/* A key that holds the most; false where nobody holds any. */
bool tally_greatest(const struct tally *tally, struct tally_key *key);

#endif
