/* SHA-256 through the system's own library: OpenSSL on Linux (sha256_linux.c), CNG on Windows (sha256_windows.c). */

#ifndef EVENKEEL_SHA256_H
#define EVENKEEL_SHA256_H

#include "proto/error.h"

#include <stddef.h>
#include <stdint.h>

struct sha256; /* opaque */

/* A hash may be used for one file after the other. Free with sha256_free(). */
int sha256_new(struct sha256 **hash, struct error *error);

int sha256_start(struct sha256 *hash, struct error *error);
int sha256_add(struct sha256 *hash, const void *data, size_t length, struct error *error);
int sha256_end(struct sha256 *hash, uint8_t digest[32], struct error *error);

void sha256_free(struct sha256 *hash); /* NULL is allowed */

static inline void cleanup_sha256(struct sha256 **hash)
{
    sha256_free(*hash);
}

#endif
