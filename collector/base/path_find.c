/* Finds a file on a disk whose file system minds the case of letters, although the host it belongs to does not. */

#include "collector/platform/platform.h"
#include "path.h"
#include "proto/cleanup.h"

#include <string.h>

static void close_directory(struct platform_directory **directory)
{
    platform_directory_close(*directory);
}

static bool folds_to(const char *name, const char *folded, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != folded[i])
            return false;
    }
    return name[length] == 0;
}

/* The entry that `part` names: 1, 0 or -1 as path_find(). */
static int find_entry(struct platform_directory *directory, const char *part, size_t length, char **found,
                      enum platform_kind *kind, struct error *error)
{
    const char *name;
    enum platform_kind entry_kind;
    int got;

    *found = NULL;
    while ((got = platform_directory_next(directory, &name, &entry_kind, error)) == 1) {
        if (entry_kind == PLATFORM_LINK || entry_kind == PLATFORM_OTHER || !folds_to(name, part, length))
            continue;
        if (*found != NULL && strcmp(*found, name) <= 0)
            continue;
        free(*found);
        *found = strdup(name);
        if (*found == NULL)
            return error_set(error, ERROR_MEMORY, "out of memory looking for '%.*s': give the collector more",
                             (int)length, part);
        *kind = entry_kind;
    }
    if (got == -1) {
        free(*found);
        *found = NULL;
        return -1;
    }
    return *found != NULL;
}

int path_find(const char *root, const char *path, char **found, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    _cleanup_free_ char *here = strdup(root);

    *found = NULL;
    if (here == NULL || strlen(path) > PATH_LENGTH_LIMIT)
        return error_set(error, ERROR_LIMIT, "can't look for a path of %zu bytes: too long", strlen(path));
    if (platform_directory_open(root, &directory, error) == -1)
        return -1;
    while (*path == '/')
        path++;
    while (*path != 0) {
        _cleanup_free_ char *name = NULL;
        enum platform_kind kind = PLATFORM_OTHER;
        size_t length = strcspn(path, "/");
        int got = find_entry(directory, path, length, &name, &kind, error);
        if (got != 1)
            return got;
        char *next = path_join(here, name);
        if (next == NULL)
            return error_set(error, ERROR_MEMORY, "out of memory looking for '%s': give the collector more", path);
        free(here);
        here = next;
        path += length;
        while (*path == '/')
            path++;
        if (*path == 0)
            break;
        if (kind != PLATFORM_DIRECTORY)
            return 0;
        struct platform_directory *inner;
        if (platform_directory_open_in(directory, name, &inner, error) == -1)
            return -1;
        platform_directory_close(directory);
        directory = inner;
    }
    *found = here;
    here = NULL;
    return 1;
}
