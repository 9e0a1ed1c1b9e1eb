/* What the collector remembers of a host between two pushes. */

#include "host.h"

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "proto/cleanup.h"
#include "proto/host_name.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define FILE_FORMAT "evenkeel-collector host 1\nid %s\nsequence %" PRIu64 "\n"
#define FILE_BYTES 128
#define ID_HEX (2 * HOST_ID_BYTES + 1)

/* 'hosts/<hex>' in the state directory: a name itself may hold what file systems don't allow. */
char *host_path(const char *state, const struct signing_key *key, const char *name, struct error *error)
{
    uint8_t text[sizeof key->public_key + LIMIT_HOST_NAME_BYTES];
    size_t length = strlen(name);
    memcpy(text, key->public_key, sizeof key->public_key);
    memcpy(text + sizeof key->public_key, name, length);
    struct digest digest = digest_of(bytes_of(text, sizeof key->public_key + length));
    char hex[DIGEST_HEX_SIZE];
    digest_hex(&digest, hex);
    hex[32] = 0;

    _cleanup_free_ char *directory = path_join(state, "hosts");
    char *path = NULL;
    if (directory != NULL && platform_make_directory(directory, error) < 0)
        return NULL;
    if (directory == NULL || (path = path_join(directory, hex)) == NULL)
        error_set(error, ERROR_MEMORY, "no memory for a path");
    return path;
}

int host_load(const char *state, const struct signing_key *key, const char *name, struct host *host,
              struct error *error)
{
    *host = (struct host){0};
    if (host_name_check(bytes_of(name, strlen(name)), error) < 0)
        return -1;
    strcpy(host->name, name);
    _cleanup_free_ char *path = host_path(state, key, name, error);
    if (path == NULL)
        return -1;

    struct error problem = {0};
    char text[FILE_BYTES + 1], id[ID_HEX];
    size_t id_length;
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    if (platform_file_open(path, &file, &problem) < 0)
        return problem.code == ERROR_NOT_FOUND ? 0 : error_set(error, problem.code, "%s", problem.message);
    int64_t length = platform_file_read_at(&file, text, FILE_BYTES, 0, error);
    if (length < 0)
        return -1;
    text[length] = 0;
    host->enrolled =
        sscanf(text, "evenkeel-collector host 1\nid %32[0-9a-f]\nsequence %" SCNu64, id, &host->sequence) == 2 &&
        sodium_hex2bin(host->id, sizeof host->id, id, strlen(id), NULL, &id_length, NULL) == 0 &&
        id_length == HOST_ID_BYTES;
    return 0;
}

int host_save(const char *state, const struct signing_key *key, const struct host *host, struct error *error)
{
    char text[FILE_BYTES], id[ID_HEX];
    _cleanup_free_ char *path = host_path(state, key, host->name, error);
    if (path == NULL)
        return -1;
    sodium_bin2hex(id, sizeof id, host->id, sizeof host->id);
    int length = snprintf(text, sizeof text, FILE_FORMAT, id, host->sequence);
    return platform_file_replace(path, text, (size_t)length, error);
}
