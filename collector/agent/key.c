/* The collector's own key. */

#include "key.h"

#include "collector/base/path.h"
#include "collector/platform/platform.h"
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
    int is_own = platform_file_own(file, error), is_private = is_own < 0 ? -1 : platform_file_private(file, error);
    if (is_own < 0 || is_private < 0)
        return -1;
    if (is_own == 0)
        return error_set(error, ERROR_USAGE,
                         "the key file '%s' belongs to another user, and this collector runs as root: remove it and "
                         "enrol anew",
                         path);
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

bool key_exists(const char *state)
{
    struct error problem = {0};
    _cleanup_free_ char *path = path_join(state, "key");
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    return path != NULL && (platform_file_open(path, &file, &problem) == 0 || problem.code != ERROR_NOT_FOUND);
}

int key_load(const char *state, struct signing_key *key, struct error *error)
{
    _cleanup_free_ char *path = path_join(state, "key");
    if (path == NULL || sodium_init() < 0)
        return error_set(error, ERROR_MEMORY, "no memory for a key");
    int is_own = platform_directory_own(state, error);
    if (is_own < 0)
        return -1;
    if (is_own == 0)
        return error_set(error, ERROR_USAGE,
                         "the state directory '%s' belongs to another user, or others may write it, and this collector "
                         "runs as root: 'chown root %s && chmod go-w %s', or name another with --state",
                         state, state, state);
    struct error problem = {0};
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    if (platform_file_open(path, &file, &problem) == 0)
        return key_read(path, &file, key, error);
    if (problem.code == ERROR_NOT_FOUND)
        return key_make(path, key, error);
    return error_set(error, problem.code, "%s", problem.message);
}

int key_renew(const char *state, struct signing_key *key, struct error *error)
{
    _cleanup_free_ char *path = path_join(state, "key");
    if (path == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a key");
    return key_make(path, key, error);
}

/* Three lines of a digest each, in hexadecimal; '-' where the mark is empty. */
#define MARKS 3
#define MACHINE_FORMAT "evenkeel-collector machine 1\nsid %s\nguid %s\nkey %s\n"
#define MACHINE_SCAN "evenkeel-collector machine 1\nsid %64s\nguid %64s\nkey %64s"
#define MACHINE_BYTES 256

static void mark_text(ProtobufCBinaryData mark, char text[DIGEST_HEX_SIZE])
{
    struct digest digest = digest_of(bytes_of(mark.data, mark.len));
    if (mark.len > 0)
        digest_hex(&digest, text);
    else
        strcpy(text, "-");
}

static void marks_text(const Evenkeel__MachineMarks *marks, char text[MARKS][DIGEST_HEX_SIZE])
{
    mark_text(marks->machine_sid, text[0]);
    mark_text(marks->machine_guid, text[1]);
    mark_text(marks->key_location, text[2]);
}

static int machine_write(const char *path, char marks[MARKS][DIGEST_HEX_SIZE], struct error *error)
{
    char text[MACHINE_BYTES];
    int length = snprintf(text, sizeof text, MACHINE_FORMAT, marks[0], marks[1], marks[2]);
    return platform_file_replace(path, text, (size_t)length, error);
}

/* What was noted: 1, 0 where that is nothing or not readable as such, -1 with *error. */
static int machine_read(const char *path, char marks[MARKS][DIGEST_HEX_SIZE], struct error *error)
{
    char text[MACHINE_BYTES];
    struct error problem = {0};
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    if (platform_file_open(path, &file, &problem) < 0)
        return problem.code == ERROR_NOT_FOUND ? 0 : error_set(error, problem.code, "%s", problem.message);
    int64_t length = platform_file_read_at(&file, text, sizeof text - 1, 0, error);
    if (length < 0)
        return -1;
    text[length] = 0;
    return sscanf(text, MACHINE_SCAN, marks[0], marks[1], marks[2]) == MARKS;
}

int key_check_machine(const char *state, const Evenkeel__MachineMarks *marks, bool *copied, struct error *error)
{
    char here[MARKS][DIGEST_HEX_SIZE], noted[MARKS][DIGEST_HEX_SIZE];
    _cleanup_free_ char *path = path_join(state, "machine");
    *copied = false;
    if (path == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    int known = machine_read(path, noted, error), differ = 0;
    if (known < 0)
        return -1;
    marks_text(marks, here);
    bool changed = known == 0;
    for (int i = 0; known > 0 && i < MARKS; i++) {
        if (strcmp(here[i], "-") == 0)
            strcpy(here[i], noted[i]); /* what can't be read today stays known */
        bool same = strcmp(here[i], noted[i]) == 0;
        differ += !same && strcmp(noted[i], "-") != 0;
        changed |= !same;
    }
    *copied = differ >= 2;
    return *copied || !changed ? 0 : machine_write(path, here, error);
}

int key_note_machine(const char *state, const Evenkeel__MachineMarks *marks, struct error *error)
{
    char here[MARKS][DIGEST_HEX_SIZE];
    _cleanup_free_ char *path = path_join(state, "machine");
    if (path == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    marks_text(marks, here);
    return machine_write(path, here, error);
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
