/* SHA-256 by OpenSSL's libcrypto. */

#include "sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD_CTX *context;
};

static int refuse(struct error *error)
{
    return error_set(error, ERROR_IO, "libcrypto refuses SHA-256; look at its configuration, openssl.cnf");
}

int sha256_new(struct sha256 **hash, struct error *error)
{
    *hash = calloc(1, sizeof **hash);
    EVP_MD_CTX *context = *hash != NULL ? EVP_MD_CTX_new() : NULL;
    if (context == NULL) {
        free(*hash);
        *hash = NULL;
        return error_set(error, ERROR_MEMORY, "no memory left for a hash");
    }
    (*hash)->context = context;
    return 0;
}

int sha256_start(struct sha256 *hash, struct error *error)
{
    return EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1 ? 0 : refuse(error);
}

int sha256_add(struct sha256 *hash, const void *data, size_t length, struct error *error)
{
    return EVP_DigestUpdate(hash->context, data, length) == 1 ? 0 : refuse(error);
}

int sha256_end(struct sha256 *hash, uint8_t digest[32], struct error *error)
{
    unsigned length = 32;
    return EVP_DigestFinal_ex(hash->context, digest, &length) == 1 ? 0 : refuse(error);
}

void sha256_free(struct sha256 *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}
