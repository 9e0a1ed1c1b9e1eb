/* The collector's own key. */

#include "collector/key.h"

#include "collector/path.h"
#include "collector/platform.h"
#include "proto/cleanup.h"
#include "proto/limits.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LINE "evenkeel-collector key 1\n"
#define SEED_HEX (2 * crypto_sign_SEEDBYTES)
#define FILE_BYTES (sizeof FIRST_LINE - 1 + SEED_HEX + 1) /* the line, the seed and a line break */

static int key_from_seed(const uint8_t *seed, struct signing_key *key)
{
    return crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
}

static int key_make(const char *path, struct signing_key *key, struct error *error)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    char text[FILE_BYTES + 1];
    randombytes_buf(seed, sizeof seed);
    memcpy(text, FIRST_LINE, sizeof FIRST_LINE - 1);
    sodium_bin2hex(text + sizeof FIRST_LINE - 1, SEED_HEX + 1, seed, sizeof seed);
    text[FILE_BYTES - 1] = '\n';
    int status = platform_file_replace(path, text, FILE_BYTES, error);
    if (status == 0)
        key_from_seed(seed, key);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(text, sizeof text);
    return status;
}

static int key_read(const char *path, const struct platform_file *file, struct signing_key *key, struct error *error)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    char text[FILE_BYTES + 1];
    int is_private = platform_file_private(file, error);
    if (is_private < 0)
        return -1;
    if (is_private == 0)
        return error_set(error, ERROR_USAGE,
                         "the key file '%s' can be read by others: if nobody else had it, 'chmod 600 %s', else remove "
                         "it and enrol anew",
                         path, path);
    int64_t length = platform_file_read_at(file, text, sizeof text, 0, error);
    if (length < 0)
        return -1;
    size_t seed_length = 0;
    bool sound =
        length == (int64_t)FILE_BYTES && memcmp(text, FIRST_LINE, sizeof FIRST_LINE - 1) == 0 &&
        sodium_hex2bin(seed, sizeof seed, text + sizeof FIRST_LINE - 1, SEED_HEX, NULL, &seed_length, NULL) == 0 &&
        seed_length == sizeof seed;
    if (sound)
        key_from_seed(seed, key);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(text, sizeof text);
    return sound ? 0
                 : error_set(error, ERROR_FORMAT,
                             "'%s' is no key file, or a damaged one: put the right one back, or remove it and enrol "
                             "anew",
                             path);
}

int key_load(const char *state, struct signing_key *key, struct error *error)
{
    _cleanup_free_ char *path = path_join(state, "key");
    if (path == NULL || sodium_init() < 0)
        return error_set(error, ERROR_MEMORY, "no memory for a key");
    struct error problem = {0};
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    if (platform_file_open(path, &file, &problem) == 0)
        return key_read(path, &file, key, error);
    if (problem.code == ERROR_NOT_FOUND)
        return key_make(path, key, error);
    return error_set(error, problem.code, "%s", problem.message);
}

int key_location(const char *state, struct digest *location, struct error *error)
{
    uint64_t volume;
    char text[LIMIT_HOST_NAME_BYTES + 32], name[LIMIT_HOST_NAME_BYTES + 1];
    if (platform_volume(state, &volume, error) < 0 || platform_host_name(name, sizeof name, error) < 0)
        return -1;
    int length = snprintf(text, sizeof text, "%016llx %s", (unsigned long long)volume, name);
    *location = digest_of(bytes_of(text, (size_t)length));
    return 0;
}
