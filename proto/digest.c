/* The name of an object. */

#include "digest.h"

#include <sodium.h>

struct digest digest_of(struct bytes bytes)
{
    struct digest digest;
    crypto_generichash(digest.bytes, sizeof digest.bytes, bytes.data, bytes.length, NULL, 0);
    return digest;
}

bool digest_from(struct bytes bytes, struct digest *digest)
{
    if (bytes.length != DIGEST_BYTES)
        return false;
    memcpy(digest->bytes, bytes.data, DIGEST_BYTES);
    return true;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

int digest_compare(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_BYTES);
}

void digest_hex(const struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
    sodium_bin2hex(hex, DIGEST_HEX_SIZE, digest->bytes, DIGEST_BYTES);
}
