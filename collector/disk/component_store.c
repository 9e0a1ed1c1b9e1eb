/* A host's component store. */

#include "component_store.h"

#include "collector/base/path.h"
#include "collector/facts/not_seen.h"
#include "collector/pe/pe.h"
#include "proto/cleanup.h"
#include "proto/component_store.h"
#include "proto/limits.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_LIMIT (1u << 20) /* files of winners that are held, 24 bytes each */

/* Names are compared by their hashes: two of a host's hundred thousand meet by chance once in a billion hosts. */
typedef uint64_t name_hash;

struct winner_file {
    uint64_t identity;
    name_hash name;
    uint32_t folder;
};

struct winner_folder {
    char *name;
    uint64_t version;
    uint16_t machine;
};

struct seen_file {
    char *path;
    size_t length;
    uint64_t identity, size, device;
    uint32_t links;
    uint16_t machine;
};

/* A growing array. */
struct list {
    void *items;
    size_t count, room;
};

struct component_store {
    struct list winners; /* name_hash of machine, name, token, version, language */
    struct list newest;  /* uint64_t: per a.b.c the greatest version */
    struct list folders; /* struct winner_folder */
    struct list files;   /* struct winner_file */
    struct list seen;    /* struct seen_file */
    bool sorted;         /* winners are */
};

struct component_store *component_store_new(void)
{
    return calloc(1, sizeof(struct component_store));
}

void component_store_free(struct component_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->folders.count; i++)
        free(((struct winner_folder *)store->folders.items)[i].name);
    for (size_t i = 0; i < store->seen.count; i++)
        free(((struct seen_file *)store->seen.items)[i].path);
    free(store->winners.items);
    free(store->newest.items);
    free(store->folders.items);
    free(store->files.items);
    free(store->seen.items);
    free(store);
}

/* Room for one more item, which is counted; NULL with *error. */
static void *list_add(struct list *list, size_t size, struct error *error)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 256;
        void *items = realloc(list->items, room * size);
        if (items == NULL) {
            error_set(error, ERROR_MEMORY, "no memory for a component store");
            return NULL;
        }
        list->items = items;
        list->room = room;
    }
    return (char *)list->items + size * list->count++;
}

static name_hash hash_of(const char *text, size_t length)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES];
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)text, length, key);
    return hash;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* ---- names of components ---- */

bool component_store_skips(const char *name)
{
    return strncmp(name, "msil_", strlen("msil_")) == 0 || strstr(name, ".resources_") != NULL ||
           strstr(name, ".inf_") != NULL;
}

static uint16_t machine_of(const char *name)
{
    static const struct {
        const char *start;
        uint16_t machine;
    } machines[] = {
        {"amd64_", PE_MACHINE_AMD64}, {"x86_", PE_MACHINE_I386},    {"wow64_", PE_MACHINE_I386},
        {"ia64_", PE_MACHINE_IA64},   {"arm64_", PE_MACHINE_ARM64},
    };
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (strncmp(name, machines[i].start, strlen(machines[i].start)) == 0)
            return machines[i].machine;
    return 0;
}

/* Parts of a name from its end on, divided by '_': part[0] is the last. False where there are fewer. */
static bool last_parts(const char *name, const char *part[], size_t count)
{
    const char *end = name + strlen(name);
    for (size_t i = 0; i < count; i++) {
        while (end > name && end[-1] != '_')
            end--;
        if (end == name)
            return false;
        part[i] = end--;
    }
    return true;
}

static bool read_version(const char *text, uint64_t *version)
{
    unsigned parts[4];
    int end = 0;
    if (sscanf(text, "%5u.%5u.%5u.%5u%n", &parts[0], &parts[1], &parts[2], &parts[3], &end) != 4 || text[end] != 0)
        return false;
    *version = 0;
    for (size_t i = 0; i < 4; i++) {
        if (parts[i] > UINT16_MAX)
            return false;
        *version = *version << 16 | parts[i];
    }
    return true;
}

/* The hash of a component's version: `start` is machine, name and token, with '_' behind. */
static bool component_hash(const char *start, size_t start_length, const char *version, const char *language,
                           size_t language_length, name_hash *hash)
{
    char text[512];
    int length =
        snprintf(text, sizeof text, "%.*s%s_%.*s", (int)start_length, start, version, (int)language_length, language);
    if (length < 0 || (size_t)length >= sizeof text)
        return false;
    *hash = hash_of(text, (size_t)length);
    return true;
}

static int note_newest(struct component_store *store, uint64_t version, struct error *error)
{
    uint64_t *newest = store->newest.items;
    for (size_t i = 0; i < store->newest.count; i++)
        if (newest[i] >> 16 == version >> 16) {
            if (newest[i] < version)
                newest[i] = version;
            return 0;
        }
    if (store->newest.count == LIMIT_STORE_LINES)
        return 0;
    uint64_t *added = list_add(&store->newest, sizeof *added, error);
    if (added == NULL)
        return -1;
    *added = version;
    return 0;
}

int component_store_winner(struct component_store *store, const char *key, const char *version, struct error *error)
{
    const char *part[2]; /* hash, language */
    uint64_t number;
    name_hash hash;
    _cleanup_free_ char *folded = strdup(key);
    if (folded == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    path_fold(folded);
    if (component_store_skips(folded) || machine_of(folded) == 0 || !last_parts(folded, part, 2) ||
        !read_version(version, &number) ||
        !component_hash(folded, (size_t)(part[1] - folded), version, part[1], (size_t)(part[0] - 1 - part[1]), &hash))
        return 0;
    name_hash *added = list_add(&store->winners, sizeof *added, error);
    if (added == NULL || note_newest(store, number, error) < 0)
        return -1;
    *added = hash;
    store->sorted = false;
    return 0;
}

int component_store_folder(struct component_store *store, const char *name, struct error *error)
{
    const char *part[3]; /* hash, language, version */
    char version[32];
    uint64_t number;
    name_hash hash;
    _cleanup_free_ char *folded = strdup(name);
    if (folded == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    path_fold(folded);
    if (component_store_skips(folded) || machine_of(folded) == 0 || !last_parts(folded, part, 3))
        return 0;
    snprintf(version, sizeof version, "%.*s", (int)(part[1] - 1 - part[2]), part[2]);
    if (!read_version(version, &number) ||
        !component_hash(folded, (size_t)(part[2] - folded), version, part[1], (size_t)(part[0] - 1 - part[1]), &hash))
        return 0;
    if (!store->sorted && store->winners.count > 0)
        qsort(store->winners.items, store->winners.count, sizeof(name_hash), by_number);
    store->sorted = true;
    if (store->winners.count == 0 ||
        bsearch(&hash, store->winners.items, store->winners.count, sizeof hash, by_number) == NULL)
        return 0;
    struct winner_folder *folder = list_add(&store->folders, sizeof *folder, error);
    if (folder == NULL)
        return -1;
    *folder = (struct winner_folder){.name = strdup(name), .version = number, .machine = machine_of(folded)};
    return folder->name != NULL ? 1 : error_set(error, ERROR_MEMORY, "no memory for a component store");
}

int component_store_file(struct component_store *store, const char *name, uint64_t identity, struct error *error)
{
    _cleanup_free_ char *folded = strdup(name);
    if (folded == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    if (store->files.count >= FILES_LIMIT)
        return 0;
    struct winner_file *file = list_add(&store->files, sizeof *file, error);
    if (file == NULL)
        return -1;
    path_fold(folded);
    *file = (struct winner_file){
        .identity = identity, .name = hash_of(folded, strlen(folded)), .folder = (uint32_t)store->folders.count - 1};
    return 0;
}

int component_store_see(struct component_store *store, struct bytes path, const struct platform_stat *stat,
                        uint16_t machine, struct error *error)
{
    if (store->seen.count >= COMPONENT_STORE_SEEN)
        return 0;
    struct seen_file *file = list_add(&store->seen, sizeof *file, error);
    if (file == NULL)
        return -1;
    *file = (struct seen_file){.path = malloc(path.length + 1),
                               .length = path.length,
                               .identity = stat->identity,
                               .size = stat->size,
                               .device = stat->device,
                               .links = stat->links,
                               .machine = machine};
    if (file->path == NULL) {
        store->seen.count--;
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    }
    memcpy(file->path, path.data, path.length);
    file->path[path.length] = 0;
    return 0;
}

/* ---- comparing ---- */

/* What a file of the host is to the store. */
enum standing { STRANGER, LINKED, OUTSIDE };

struct comparison {
    struct component_store *store;
    const char *winsxs;
    uint64_t device;
    struct winner_file *by_name; /* the store's files, by name; store->files is by identity */
    enum standing *standings;    /* of store->seen */
    struct list linked_folders;  /* name_hash: folders that hold a link into the store */
};

static void comparison_clear(struct comparison *comparison)
{
    free(comparison->by_name);
    free(comparison->standings);
    free(comparison->linked_folders.items);
}

static int by_identity(const void *a, const void *b)
{
    const struct winner_file *x = a, *y = b;
    return (x->identity > y->identity) - (x->identity < y->identity);
}

static int by_name(const void *a, const void *b)
{
    const struct winner_file *x = a, *y = b;
    return (x->name > y->name) - (x->name < y->name);
}

static size_t folder_length(const struct seen_file *file)
{
    return (size_t)(strrchr(file->path, '/') - file->path);
}

static name_hash folder_hash(const struct seen_file *file)
{
    return hash_of(file->path, folder_length(file));
}

static const struct winner_folder *folder_of(const struct component_store *store, const struct winner_file *file)
{
    return (const struct winner_folder *)store->folders.items + file->folder;
}

/* The first of the store's files that has the name of the host's, or the end of them. */
static const struct winner_file *first_of_name(const struct comparison *comparison, const struct seen_file *file)
{
    size_t low = 0, high = comparison->store->files.count;
    const char *name = file->path + folder_length(file) + 1;
    name_hash wanted = hash_of(name, strlen(name));
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (comparison->by_name[middle].name < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    const struct winner_file *found = comparison->by_name + low;
    return low < comparison->store->files.count && found->name == wanted
               ? found
               : comparison->by_name + comparison->store->files.count;
}

/* The file version of a copy in the store; 0: it has none, or can't be read. */
static uint64_t version_of_copy(const char *path, uint64_t size)
{
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    _cleanup_(pe_image_clear) struct pe_image image = {0};
    const struct pe_options options = {0};
    if (platform_file_open(path, &file, NULL) < 0 || pe_read(&file, size, &options, &image, NULL) < 0)
        return 0;
    return image.has_version ? pe_version_number(image.file_version) : 0;
}

/* Compares with the copy in a folder of the store; what can't be looked at may be the same build. */
static void compare_copy(const struct comparison *comparison, const struct winner_folder *folder,
                         const struct seen_file *file, bool first, Evenkeel__OutsideStore *outside)
{
    struct platform_stat stat;
    const char *name = file->path + folder_length(file) + 1;
    _cleanup_free_ char *inner = path_join(folder->name, name);
    _cleanup_free_ char *path = inner == NULL ? NULL : path_join(comparison->winsxs, inner);
    _cleanup_free_ char *found = NULL;
    /* The name may be spelled otherwise there. */
    _cleanup_free_ char *above = path_join(comparison->winsxs, folder->name);
    const char *copy = path;
    bool seen = path != NULL && above != NULL;
    if (seen && platform_stat(path, &stat, NULL) < 0) {
        seen = path_find(above, name, &found, NULL) == 1 && platform_stat(found, &stat, NULL) == 0;
        copy = found;
    }
    const uint64_t version = seen ? version_of_copy(copy, stat.size) : 0;
    outside->same_size |= !seen || stat.size == file->size;
    if (first || version < outside->copy)
        outside->copy = version;
}

/* Fills *outside by all of the store's files of that name and machine; false where there is none. */
static bool compare_names(const struct comparison *comparison, const struct seen_file *file, bool look,
                          Evenkeel__OutsideStore *outside)
{
    const struct winner_file *end = comparison->by_name + comparison->store->files.count;
    const struct winner_file *first = first_of_name(comparison, file);
    bool any = false;
    for (const struct winner_file *at = first; at < end && at->name == first->name; at++) {
        const struct winner_folder *folder = folder_of(comparison->store, at);
        if (folder->machine != file->machine)
            continue;
        if (outside != NULL && (!any || folder->version < outside->winner))
            outside->winner = folder->version;
        if (outside != NULL && look)
            compare_copy(comparison, folder, file, !any, outside);
        any = true;
    }
    return any;
}

/* What each file is; false where so many are no links that links can't be seen there, as on a share or in a copy. */
static bool find_standings(struct comparison *comparison, const char *windows, struct error *error, int *status)
{
    struct component_store *store = comparison->store;
    size_t length = strlen(windows), counts[3] = {0};
    const struct seen_file *seen = store->seen.items;
    *status = 0;
    for (size_t i = 0; i < store->seen.count; i++) {
        const struct seen_file *file = &seen[i];
        const struct winner_file wanted = {.identity = file->identity};
        if (strncmp(file->path, windows, length) != 0 || file->path[length] != '/')
            continue;
        if (file->device == comparison->device && file->identity != 0 && store->files.count > 0 &&
            bsearch(&wanted, store->files.items, store->files.count, sizeof wanted, by_identity) != NULL) {
            comparison->standings[i] = LINKED;
            name_hash *folder = list_add(&comparison->linked_folders, sizeof *folder, error);
            if (folder == NULL) {
                *status = -1;
                return false;
            }
            *folder = folder_hash(file);
        } else if (compare_names(comparison, file, false, NULL)) {
            comparison->standings[i] = OUTSIDE;
        }
        if (folder_length(file) == length + strlen("/system32") &&
            strncmp(file->path + length, "/system32", strlen("/system32")) == 0)
            counts[comparison->standings[i]]++;
    }
    if (comparison->linked_folders.count > 0)
        qsort(comparison->linked_folders.items, comparison->linked_folders.count, sizeof(name_hash), by_number);
    return comparison->linked_folders.count > 0 && counts[LINKED] >= counts[OUTSIDE];
}

/* Files of the store's names that are no links count only where others are: elsewhere they are copies by their trade.
 */
static int add_outside(struct comparison *comparison, Evenkeel__Facts *facts, struct error *error)
{
    const struct seen_file *seen = comparison->store->seen.items;
    for (size_t i = 0; i < comparison->store->seen.count; i++) {
        const struct seen_file *file = &seen[i];
        if (comparison->standings[i] != OUTSIDE)
            continue;
        name_hash folder = folder_hash(file);
        if (bsearch(&folder, comparison->linked_folders.items, comparison->linked_folders.count, sizeof folder,
                    by_number) == NULL) {
            comparison->standings[i] = STRANGER;
            continue;
        }
        if (facts->n_outside_store == LIMIT_FOLDERS) {
            if (not_seen_add(facts, EVENKEEL__NOT_SEEN_KIND__CUT, "outside_store", 1, error) < 0)
                return -1;
            continue;
        }
        Evenkeel__OutsideStore *outside = malloc(sizeof *outside);
        Evenkeel__OutsideStore **grown =
            realloc(facts->outside_store, (facts->n_outside_store + 1) * sizeof *facts->outside_store);
        if (grown != NULL)
            facts->outside_store = grown;
        if (outside == NULL || grown == NULL) {
            free(outside);
            return error_set(error, ERROR_MEMORY, "no memory for a component store");
        }
        evenkeel__outside_store__init(outside);
        outside->path = (ProtobufCBinaryData){.data = (uint8_t *)strdup(file->path), .len = file->length};
        grown[facts->n_outside_store++] = outside;
        if (outside->path.data == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for a component store");
        outside->one_link = file->links == 1;
        compare_names(comparison, file, true, outside);
    }
    return 0;
}

static int pack(const struct comparison *comparison, Evenkeel__Facts *facts, struct bytes *packed, struct error *error)
{
    const struct component_store *store = comparison->store;
    const struct seen_file *seen = store->seen.items;
    _cleanup_free_ struct bytes *paths = malloc((store->seen.count + 1) * sizeof *paths);
    size_t count = 0;
    if (paths == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    for (size_t i = 0; i < store->seen.count; i++) {
        if (comparison->standings[i] == STRANGER)
            continue;
        if (count == LIMIT_STORE_FILES) {
            if (not_seen_add(facts, EVENKEEL__NOT_SEEN_KIND__CUT, "component_store", 1, error) < 0)
                return -1;
            continue;
        }
        paths[count++] = bytes_of(seen[i].path, seen[i].length);
    }
    facts->store_newest = malloc((store->newest.count + 1) * sizeof *facts->store_newest);
    if (facts->store_newest == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    qsort(store->newest.items, store->newest.count, sizeof(uint64_t), by_number);
    memcpy(facts->store_newest, store->newest.items, store->newest.count * sizeof(uint64_t));
    facts->n_store_newest = store->newest.count;
    return component_store_pack(paths, count, packed, error);
}

int component_store_end(struct component_store *store, const char *winsxs, Evenkeel__Facts *facts, struct bytes *packed,
                        struct error *error)
{
    _cleanup_(comparison_clear) struct comparison comparison = {.store = store, .winsxs = winsxs};
    char windows[LIMIT_FOLDER_BYTES + 1];
    struct platform_stat stat;
    int status;

    *packed = (struct bytes){0};
    if (winsxs == NULL || store->winners.count == 0 || store->files.count == 0 ||
        platform_stat(winsxs, &stat, NULL) < 0)
        return not_seen_add(facts, EVENKEEL__NOT_SEEN_KIND__NO_STORE, store->winners.count == 0 ? "winners" : "files",
                            1, error);
    snprintf(windows, sizeof windows, "%.*s", (int)facts->windows_directory.len,
             (const char *)facts->windows_directory.data);
    comparison.device = stat.device;
    comparison.standings = calloc(store->seen.count + 1, sizeof *comparison.standings);
    comparison.by_name = malloc(store->files.count * sizeof *comparison.by_name);
    if (comparison.standings == NULL || comparison.by_name == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    memcpy(comparison.by_name, store->files.items, store->files.count * sizeof *comparison.by_name);
    qsort(comparison.by_name, store->files.count, sizeof *comparison.by_name, by_name);
    qsort(store->files.items, store->files.count, sizeof *comparison.by_name, by_identity);
    if (!find_standings(&comparison, windows, error, &status))
        return status < 0 ? -1 : not_seen_add(facts, EVENKEEL__NOT_SEEN_KIND__NO_STORE, "links", 1, error);
    if (add_outside(&comparison, facts, error) < 0)
        return -1;
    return pack(&comparison, facts, packed, error);
}
