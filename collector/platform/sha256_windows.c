/* SHA-256 by CNG. */

#include "windows.h"

#include "sha256.h"

#include <bcrypt.h>
#include <stdlib.h>

struct sha256 {
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash; /* NULL: not started */
};

static int refuse(struct error *error, NTSTATUS status)
{
    return error_set(error, ERROR_IO, "CNG refuses SHA-256 (status 0x%08lx)", (unsigned long)status);
}

int sha256_new(struct sha256 **hash, struct error *error)
{
    *hash = calloc(1, sizeof **hash);
    if (*hash == NULL)
        return error_set(error, ERROR_MEMORY, "no memory left for a hash");
    NTSTATUS status = BCryptOpenAlgorithmProvider(&(*hash)->algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0);
    if (status >= 0)
        return 0;
    free(*hash);
    *hash = NULL;
    return refuse(error, status);
}

static void drop(struct sha256 *hash)
{
    if (hash->hash != NULL)
        BCryptDestroyHash(hash->hash);
    hash->hash = NULL;
}

int sha256_start(struct sha256 *hash, struct error *error)
{
    drop(hash);
    NTSTATUS status = BCryptCreateHash(hash->algorithm, &hash->hash, NULL, 0, NULL, 0, 0);
    return status >= 0 ? 0 : refuse(error, status);
}

int sha256_add(struct sha256 *hash, const void *data, size_t length, struct error *error)
{
    while (length > 0) {
        ULONG part = length < (1u << 30) ? (ULONG)length : 1u << 30;
        NTSTATUS status = BCryptHashData(hash->hash, (PUCHAR)data, part, 0);
        if (status < 0)
            return refuse(error, status);
        data = (const char *)data + part;
        length -= part;
    }
    return 0;
}

int sha256_end(struct sha256 *hash, uint8_t digest[32], struct error *error)
{
    NTSTATUS status = BCryptFinishHash(hash->hash, digest, 32, 0);
    drop(hash);
    return status >= 0 ? 0 : refuse(error, status);
}

void sha256_free(struct sha256 *hash)
{
    if (hash == NULL)
        return;
    drop(hash);
    BCryptCloseAlgorithmProvider(hash->algorithm, 0);
    free(hash);
}
