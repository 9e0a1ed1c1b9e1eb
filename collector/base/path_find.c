/* Finds a file on a disk whose file system minds the case of letters, although the host it belongs to does not. */

#include "collector/platform/platform.h"
#include "path.h"
#include "proto/cleanup.h"
#include "proto/limits.h"
#include "string_list.h"

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

/* What the entries are that `part` names, in byte order. */
static int find_entries(struct platform_directory *directory, const char *part, size_t length,
                        struct string_list *found, struct error *error)
{
    const char *name;
    enum platform_kind kind;
    int got;

    while ((got = platform_directory_next(directory, &name, &kind, error)) == 1) {
        if (kind == PLATFORM_LINK || kind == PLATFORM_OTHER || !folds_to(name, part, length))
            continue;
        if (string_list_add(found, name, error) == -1)
            return -1;
        for (size_t i = found->count - 1; i > 0 && strcmp(found->items[i - 1], found->items[i]) > 0; i--) {
            char *swapped = found->items[i];
            found->items[i] = found->items[i - 1];
            found->items[i - 1] = swapped;
        }
    }
    return got;
}

/* Looks for the rest of the path in `directory`, which is at `here`; each folder of a name is gone into until it is
 * found. */
static int find_below(struct platform_directory *directory, const char *here, const char *path, char **found,
                      struct error *error)
{
    _cleanup_(string_list_clear) struct string_list names = {0};
    size_t length = strcspn(path, "/"), next = length + strspn(path + length, "/");

    if (find_entries(directory, path, length, &names, error) == -1)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        _cleanup_(close_directory) struct platform_directory *inner = NULL;
        _cleanup_free_ char *place = path_join(here, names.items[i]);
        struct platform_stat stat;
        if (place == NULL)
            return error_set(error, ERROR_MEMORY, "out of memory looking for '%s': give the collector more", path);
        if (path[next] == 0) {
            *found = place;
            place = NULL;
            return 1;
        }
        if (platform_directory_stat(directory, names.items[i], &stat, error) == -1)
            return -1;
        if (stat.kind != PLATFORM_DIRECTORY)
            continue;
        if (platform_directory_open_in(directory, names.items[i], &inner, error) == -1)
            return -1;
        int got = find_below(inner, place, path + next, found, error);
        if (got != 0)
            return got;
    }
    return 0;
}

int path_find(const char *root, const char *path, char **found, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;

    *found = NULL;
    if (strlen(path) > LIMIT_PATH_BYTES)
        return error_set(error, ERROR_LIMIT, "can't look for a path of %zu bytes: too long", strlen(path));
    if (platform_directory_open(root, &directory, error) == -1)
        return -1;
    path += strspn(path, "/");
    if (*path != 0)
        return find_below(directory, root, path, found, error);
    *found = strdup(root);
    return *found != NULL ? 1 : error_set(error, ERROR_MEMORY, "out of memory looking for '%s'", root);
}
