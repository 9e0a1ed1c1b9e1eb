/* The payload of a patch. */

#include "payload.h"

#include "payload_unpack.h"

#include "proto/cleanup.h"
#include "proto/program_name.h"

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One pass over a tree: what is packed goes unpacked into `target`, at the place where it lay. */
struct pass {
    const char *source, *target;
    bool copies; /* programs that hold no cabinet go to `target` too */
    struct payload_budget *budget;
    unsigned packed;
};

static void close_tree(FTS **tree)
{
    if (*tree != NULL)
        fts_close(*tree);
}

static int copy_file(const char *from, const char *to, struct error *error)
{
    char block[1 << 16];
    _cleanup_fclose_ FILE *input = fopen(from, "rb");
    _cleanup_fclose_ FILE *output = input != NULL ? fopen(to, "wb") : NULL;
    if (output == NULL)
        return error_set(error, ERROR_IO, "can't copy '%s': %s", from, strerror(errno));
    for (size_t got; (got = fread(block, 1, sizeof block, input)) > 0;)
        if (fwrite(block, 1, got, output) != got)
            break;
    if (ferror(input) || ferror(output) || fflush(output) != 0)
        return error_set(error, ERROR_IO, "can't copy '%s': %s", from, strerror(errno));
    return 0;
}

/* Any program may be a package that unpacks itself; libraries are none. */
static bool may_hold_files(const char *path, enum payload_kind kind)
{
    const char *dot = strrchr(path, '.');
    return kind > PAYLOAD_PROGRAM || (kind == PAYLOAD_PROGRAM && dot != NULL && strcasecmp(dot, ".exe") == 0);
}

/* By its ending. A name with other than ASCII letters is none that patches have. */
static bool is_program(const char *path)
{
    for (const char *at = path; *at != 0; at++)
        if ((unsigned char)*at >= 0x80)
            return false;
    return is_program_name(path);
}

static int visit(struct pass *pass, const char *path, struct error *error)
{
    enum payload_kind kind = payload_kind_of(path);
    char target[PATH_MAX], folder[PATH_MAX];
    bool found = false;
    if (kind == PAYLOAD_OTHER && !(pass->copies && is_program(path)))
        return 0;
    const char *below = strlen(path) > strlen(pass->source) ? path + strlen(pass->source) : strrchr(path, '/');
    if (below == NULL || snprintf(target, sizeof target, "%s/%s", pass->target, below[0] == '/' ? below + 1 : below) >=
                             (int)sizeof target)
        return error_set(error, ERROR_LIMIT, "the path '%s' is too long", path);
    snprintf(folder, sizeof folder, "%s", target);
    *strrchr(folder, '/') = 0;
    if (payload_make_folders(pass->target, target, error) < 0)
        return -1;
    if (may_hold_files(path, kind) && payload_unpack(path, kind, folder, pass->budget, &found, error) < 0)
        return -1;
    pass->packed += found;
    if (found && !pass->copies && unlink(path) < 0)
        return error_set(error, ERROR_IO, "can't remove '%s': %s", path, strerror(errno));
    return !found && pass->copies ? copy_file(path, target, error) : 0;
}

static int walk_tree(const char *root, int (*file)(void *context, const char *path, struct error *error), void *context,
                     struct error *error)
{
    char *const roots[] = {(char *)root, NULL};
    _cleanup_(close_tree) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL)
        return error_set(error, ERROR_IO, "can't read '%s': %s", root, strerror(errno));
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            return error_set(error, ERROR_IO, "can't read '%s': %s", entry->fts_path, strerror(entry->fts_errno));
        if (entry->fts_info == FTS_F && file(context, entry->fts_path, error) < 0)
            return -1;
    }
    return 0;
}

static int visit_file(void *context, const char *path, struct error *error)
{
    return visit(context, path, error);
}

/* Whether anything in a tree needs unpacking. */
static int is_packed(void *context, const char *path, struct error *error)
{
    enum payload_kind kind = payload_kind_of(path);
    const char *dot = strrchr(path, '.');
    bool *packed = context;
    (void)error;
    *packed =
        *packed || kind > PAYLOAD_PROGRAM || (kind == PAYLOAD_PROGRAM && dot != NULL && strcasecmp(dot, ".exe") == 0);
    return 0;
}

static int unpack_all(const char *path, const char *directory, struct error *error)
{
    struct payload_budget budget = {.bytes = PAYLOAD_BYTES_LIMIT, .files = PAYLOAD_FILES_LIMIT};
    struct pass pass = {.source = path, .target = directory, .copies = true, .budget = &budget};
    if (walk_tree(path, visit_file, &pass, error) < 0)
        return -1;
    for (int depth = 1; pass.packed > 0; depth++) {
        if (depth > PAYLOAD_DEPTH_LIMIT)
            return error_set(error, ERROR_LIMIT, "'%s' holds packages within packages, more than %d deep", path,
                             PAYLOAD_DEPTH_LIMIT);
        pass = (struct pass){.source = directory, .target = directory, .budget = &budget};
        if (walk_tree(directory, visit_file, &pass, error) < 0)
            return -1;
    }
    return 0;
}

int payload_open(const char *path, struct payload *payload, struct error *error)
{
    struct stat stat_of;
    bool packed = false;
    payload->temporary = false;
    if (stat(path, &stat_of) < 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no '%s': name the folder of the patch's files, or its package", path);
    if (realpath(path, payload->directory) == NULL)
        return error_set(error, ERROR_IO, "can't read '%s': %s", path, strerror(errno));
    if (S_ISDIR(stat_of.st_mode)) {
        if (walk_tree(payload->directory, is_packed, &packed, error) < 0)
            return -1;
        if (!packed)
            return 0;
    } else if (payload_kind_of(path) == PAYLOAD_OTHER) {
        return error_set(
            error, ERROR_FORMAT,
            "'%s' is no package that is known (cabinet, .msu, self-extracting .exe, .msi, .wim, .dl_): unpack it and "
            "name the folder",
            path);
    }
    char source[PATH_MAX];
    const char *temporary = getenv("TMPDIR");
    memcpy(source, payload->directory, sizeof source);
    int length = snprintf(payload->directory, sizeof payload->directory, "%s/evenkeel-payload.XXXXXXXX",
                          temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    if (length >= (int)sizeof payload->directory || mkdtemp(payload->directory) == NULL)
        return error_set(error, ERROR_IO, "can't make a temporary folder: %s; TMPDIR names where", strerror(errno));
    payload->temporary = true;
    return unpack_all(source, payload->directory, error);
}

struct listing {
    const struct payload *payload;
    struct buffer *rows;
};

static int list_program(void *context, const char *path, struct error *error)
{
    const struct listing *listing = context;
    char name[PATH_MAX + 4];
    const char *below = path + strlen(listing->payload->directory);
    if (!is_program(below))
        return 0;
    int length = snprintf(name, sizeof name, "c:/%s", below[0] == '/' ? below + 1 : below);
    if (length >= (int)sizeof name)
        return error_set(error, ERROR_LIMIT, "the path '%s' is too long", path);
    for (char *at = name; *at != 0; at++)
        *at = (char)tolower((unsigned char)*at);
    buffer_put_i16(listing->rows, 1);
    buffer_field_bytes(listing->rows, bytes_of(name, (size_t)length));
    return 0;
}

int payload_programs(const struct payload *payload, struct buffer *rows, struct error *error)
{
    struct listing listing = {.payload = payload, .rows = rows};
    return walk_tree(payload->directory, list_program, &listing, error);
}

struct difference {
    const struct payload *payload;
    char *name;
    size_t size;
    bool found;
};

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);
    return length > end && strcasecmp(path + length - end, ending) == 0;
}

static int find_difference(void *context, const char *path, struct error *error)
{
    struct difference *difference = context;
    (void)error;
    if (difference->found)
        return 0;
    char head[8] = "";
    _cleanup_fclose_ FILE *file = fopen(path, "rb");
    size_t got = file != NULL ? fread(head, 1, sizeof head, file) : 0;
    /* Manifests are kept as differences against a common one, beside files that are whole. */
    bool is_difference = (got >= 4 && memcmp(head, "PA30", 4) == 0) || (got >= 8 && memcmp(head + 4, "PA30", 4) == 0);
    difference->found =
        ends_in(path, ".psf") || ends_in(path, ".cix.xml") || (is_difference && !ends_in(path, ".manifest"));
    if (difference->found)
        snprintf(difference->name, difference->size, "%s", path + strlen(difference->payload->directory) + 1);
    return 0;
}

int payload_differences(const struct payload *payload, char *name, size_t size, bool *found, struct error *error)
{
    struct difference difference = {.payload = payload, .name = name, .size = size};
    int status = walk_tree(payload->directory, find_difference, &difference, error);
    *found = difference.found;
    return status;
}

void payload_close(struct payload *payload)
{
    if (!payload->temporary)
        return;
    char *const roots[] = {payload->directory, NULL};
    _cleanup_(close_tree) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree != NULL && (entry = fts_read(tree)) != NULL;)
        if (entry->fts_info != FTS_D)
            remove(entry->fts_accpath);
    payload->temporary = false;
}
