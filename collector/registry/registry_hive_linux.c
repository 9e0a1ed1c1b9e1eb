/* The registry of a disk that is offline: its hive files, read through libhivex. */

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "hive_replay.h"
#include "proto/cleanup.h"
#include "registry_source.h"

#include <errno.h>
#include <hivex.h>

#define WINDOWS_FOLDER_LIMIT 256 /* folders of a drive that are tried as the Windows directory */

struct hives {
    struct registry base;
    hive_h *open[REGISTRY_HIVE_COUNT]; /* in the order of registry_hive_names; NULL: not there */
};

struct hive_key {
    struct registry_key base;
    hive_h *hive;
    hive_node_h node;
    hive_node_h *children; /* ended by 0; NULL until asked for */
    hive_value_h *values;
    size_t child_count, value_count;
};

/* What is found broken only now is noted of its hive as what its opening told. */
static int hive_error(struct registry *registry, const hive_h *hive, struct error *error, const char *what,
                      const char *name)
{
    struct hives *hives = (struct hives *)registry;
    for (size_t i = 0; errno != ENOMEM && i < REGISTRY_HIVE_COUNT; i++)
        if (hives->open[i] == hive)
            registry->defects[i] |= REGISTRY_DAMAGED;
    return error_set(error, errno == ENOMEM ? ERROR_MEMORY : ERROR_FORMAT,
                     "can't read %s '%.200s' of a registry hive: %s; check the disk for errors", what, name,
                     strerror(errno));
}

/* Windows' time, 100 ns since 1601-01-01, as ours. */
static int64_t unix_time(int64_t filetime)
{
    const int64_t between = 11644473600LL * 1000000;
    return filetime / 10 > between ? filetime / 10 - between : 0;
}

static void key_close(struct registry_key *base)
{
    struct hive_key *key = (struct hive_key *)base;
    free(key->children);
    free(key->values);
    free(key->base.name);
    free(key);
}

/* `name` is owned by the key from now on, also on -1. */
static int open_node(struct registry *registry, hive_h *hive, hive_node_h node, char *name, struct registry_key **key,
                     struct error *error)
{
    struct hive_key *opened = calloc(1, sizeof *opened);
    if (opened == NULL || name == NULL) {
        free(opened);
        free(name);
        return error_set(error, ERROR_MEMORY, "out of memory opening a registry key: give the collector more");
    }
    opened->base.registry = registry;
    opened->base.name = name;
    int64_t written = hivex_node_timestamp(hive, node);
    opened->base.written = written > 0 ? unix_time(written) : 0;
    opened->hive = hive;
    opened->node = node;
    *key = &opened->base;
    return 1;
}

static int key_open(struct registry *registry, struct registry_key *parent, const char *path, struct registry_key **key,
                    struct error *error)
{
    struct hives *hives = (struct hives *)registry;
    hive_h *hive = NULL;
    hive_node_h node = 0;
    _cleanup_free_ char *part = NULL;
    size_t depth = 0;

    if (parent != NULL) {
        hive = ((struct hive_key *)parent)->hive;
        node = ((struct hive_key *)parent)->node;
    } else {
        size_t length = strcspn(path, "\\");
        for (size_t i = 0; i < REGISTRY_HIVE_COUNT; i++)
            if (registry_names_match(path, length, registry_hive_names[i], strlen(registry_hive_names[i])))
                hive = hives->open[i];
        if (hive == NULL)
            return 0;
        node = hivex_root(hive);
        if (node == 0)
            return hive_error(registry, hive, error, "the root of", path);
        part = strndup(path, length);
        if (part == NULL)
            return error_set(error, ERROR_MEMORY, "out of memory opening a registry key: give the collector more");
        path += length;
    }
    for (path += *path == '\\'; *path != 0; path += *path == '\\') {
        size_t length = strcspn(path, "\\");
        free(part);
        part = strndup(path, length);
        if (part == NULL || ++depth > REGISTRY_DEPTH_LIMIT)
            return error_set(error, ERROR_LIMIT, "can't open the registry key '%.200s': too deep", path);
        errno = 0;
        node = hivex_node_get_child(hive, node, part);
        if (node == 0)
            return errno == 0 ? 0 : hive_error(registry, hive, error, "the key", part);
        path += length;
    }
    char *name = part != NULL ? part : strdup(parent->name);
    part = NULL;
    return open_node(registry, hive, node, name, key, error);
}

static int key_child(struct registry_key *base, size_t index, struct registry_key **child, struct error *error)
{
    struct hive_key *key = (struct hive_key *)base;

    if (key->children == NULL) {
        key->children = hivex_node_children(key->hive, key->node);
        if (key->children == NULL)
            return index == 0 ? hive_error(base->registry, key->hive, error, "the keys below", base->name) : 0;
        while (key->children[key->child_count] != 0)
            key->child_count++;
    }
    if (index >= key->child_count)
        return 0;
    char *name = hivex_node_name(key->hive, key->children[index]);
    if (name == NULL)
        return hive_error(base->registry, key->hive, error, "the name of a key below", base->name);
    return open_node(base->registry, key->hive, key->children[index], name, child, error);
}

/* `name` is owned by the value from now on, also on -1. */
static int read_value(struct hive_key *key, hive_value_h handle, char *name, struct registry_value *value,
                      struct error *error)
{
    hive_type type;
    size_t length;

    if (name == NULL)
        return hive_error(key->base.registry, key->hive, error, "the name of a value of", key->base.name);
    value->name = name;
    if (hivex_value_type(key->hive, handle, &type, &length) == -1)
        hive_error(key->base.registry, key->hive, error, "the value", name);
    else if (length > REGISTRY_VALUE_LIMIT)
        error_set(error, ERROR_LIMIT, "the registry value '%.200s' has %zu bytes, more than is read", name, length);
    else if ((value->data = (uint8_t *)hivex_value_value(key->hive, handle, &type, &length)) == NULL)
        hive_error(key->base.registry, key->hive, error, "the value", name);
    else {
        value->type = type;
        value->length = length;
        return 1;
    }
    registry_value_clear(value);
    return -1;
}

static int value_read(struct registry_key *base, const char *name, struct registry_value *value, struct error *error)
{
    struct hive_key *key = (struct hive_key *)base;
    errno = 0;
    hive_value_h handle = hivex_node_get_value(key->hive, key->node, name);
    if (handle == 0)
        return errno == 0 ? 0 : hive_error(key->base.registry, key->hive, error, "the value", name);
    return read_value(key, handle, hivex_value_key(key->hive, handle), value, error);
}

static int value_at(struct registry_key *base, size_t index, struct registry_value *value, struct error *error)
{
    struct hive_key *key = (struct hive_key *)base;

    if (key->values == NULL) {
        key->values = hivex_node_values(key->hive, key->node);
        if (key->values == NULL)
            return index == 0 ? hive_error(base->registry, key->hive, error, "the values of", base->name) : 0;
        while (key->values[key->value_count] != 0)
            key->value_count++;
    }
    if (index >= key->value_count)
        return 0;
    return read_value(key, key->values[index], hivex_value_key(key->hive, key->values[index]), value, error);
}

static void clear_hives(struct hives *hives)
{
    for (size_t i = 0; i < REGISTRY_HIVE_COUNT; i++) {
        if (hives->open[i] != NULL)
            hivex_close(hives->open[i]);
        hives->open[i] = NULL;
    }
}

static void close_hives(struct registry *registry)
{
    clear_hives((struct hives *)registry);
    free(registry);
}

/*
 * SYSTEM and SOFTWARE must be there; a folder with only one of them is no Windows directory. One of them must be
 * readable: what the other would say is not known then.
 */
static int open_config(const char *config, struct hives *hives, unsigned *lost, struct string_list *problems,
                       struct error *error)
{
    char *paths[REGISTRY_HIVE_COUNT] = {NULL};
    int result = 1;
    unsigned here = 0;

    for (size_t i = 0; i < REGISTRY_HIVE_COUNT && result == 1; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s", registry_hive_names[i]);
        path_fold(name);
        int got = path_find(config, name, &paths[i], error);
        if (got != 1 && i < 2)
            result = got;
    }
    for (size_t i = 0; i < REGISTRY_HIVE_COUNT && result == 1; i++) {
        struct error problem = {0};
        if (paths[i] == NULL || hive_open(paths[i], &hives->open[i], &hives->base.defects[i], problems, &problem) == 0)
            continue;
        hives->base.defects[i] = REGISTRY_DAMAGED;
        string_list_note(problems, "%s", problem.message);
        here |= 1U << i;
        if ((here & 3) == 3)
            result = 0;
    }
    if (result == 0)
        *lost |= here;
    for (size_t i = 0; i < REGISTRY_HIVE_COUNT; i++)
        free(paths[i]);
    if (result != 1)
        clear_hives(hives);
    return result;
}

static void close_directory(struct platform_directory **directory)
{
    platform_directory_close(*directory);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders that may be the Windows directory, folded: the usual names first, then the drive's others. */
static int list_folders(const char *root, struct string_list *folders, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    const char *name;
    enum platform_kind kind;
    int got;

    if (platform_directory_open(root, &directory, error) == -1)
        return -1;
    if (string_list_add(folders, "windows", error) == -1 || string_list_add(folders, "winnt", error) == -1)
        return -1;
    while ((got = platform_directory_next(directory, &name, &kind, error)) == 1) {
        if (kind != PLATFORM_DIRECTORY || folders->count >= WINDOWS_FOLDER_LIMIT)
            continue;
        if (string_list_add(folders, name, error) == -1)
            return -1;
        char *folded = folders->items[folders->count - 1];
        path_fold(folded);
        if (strcmp(folded, "windows") == 0 || strcmp(folded, "winnt") == 0)
            free(folders->items[--folders->count]);
    }
    qsort(folders->items + 2, folders->count - 2, sizeof *folders->items, by_name);
    return got;
}

int registry_open_host(const char *root, struct registry **registry, unsigned *lost, struct string_list *problems,
                       struct error *error)
{
    static const struct registry_verbs verbs = {
        .key_open = key_open,
        .key_child = key_child,
        .key_close = key_close,
        .value_read = value_read,
        .value_at = value_at,
        .close = close_hives,
    };
    _cleanup_(string_list_clear) struct string_list folders = {0};
    int result = 0;

    *registry = NULL;
    *lost = 0;
    if (root == NULL)
        return 0;
    if (list_folders(root, &folders, error) == -1)
        return -1;
    struct hives *hives = calloc(1, sizeof *hives);
    if (hives == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory opening a registry: give the collector more");
    hives->base.verbs = &verbs;
    for (size_t i = 0; i < folders.count && result == 0; i++) {
        struct error problem = {0};
        _cleanup_free_ char *inner = path_join(folders.items[i], "system32/config");
        _cleanup_free_ char *config = NULL;
        int got = inner == NULL ? 0 : path_find(root, inner, &config, &problem);
        if (got == 1)
            got = open_config(config, hives, lost, problems, &problem);
        if (got == -1)
            string_list_note(problems, "%s", problem.message);
        result = got == 1;
    }
    if (result == 0) {
        close_hives(&hives->base);
        return 0;
    }
    registry_find_control_set(&hives->base);
    *registry = &hives->base;
    return 1;
}
