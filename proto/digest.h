/* The name of an object: BLAKE2b-256 of its bytes. */

#ifndef EVENKEEL_DIGEST_H
#define EVENKEEL_DIGEST_H

#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define DIGEST_HEX_SIZE (2 * DIGEST_BYTES + 1) /* with the terminating NUL */

/* Plain data. */
struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* BLAKE2b-256 without key or salt (RFC 7693), by libsodium's crypto_generichash. */
struct digest digest_of(struct bytes bytes);

/* *digest becomes a copy of `bytes`; false where they are not DIGEST_BYTES long. */
bool digest_from(struct bytes bytes, struct digest *digest);

bool digest_equal(const struct digest *a, const struct digest *b);

/* memcmp order, for sorting and searching; fit for qsort and bsearch. */
int digest_compare(const void *a, const void *b);

/* Writes lower-case hexadecimal with a NUL. */
void digest_hex(const struct digest *digest, char hex[DIGEST_HEX_SIZE]);

#endif
