/* A host's component store. */

#include "component_store.h"

#include "collector/base/path.h"
#include "collector/facts/not_seen.h"
#include "collector/pe/pe.h"
#include "component_name.h"
#include "proto/cleanup.h"
#include "proto/component_store.h"
#include "proto/limits.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_LIMIT (1u << 20) /* files of winners that are held, 24 bytes each */

struct winner_file {
    uint64_t identity;
    name_hash name;
    uint32_t folder;
    uint32_t next; /* of those whose names share a slot, plus 1; 0: none */
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

/* Numbers, in an open-addressed table that is at most half full; 0 is none of them. */
struct set {
    uint64_t *slots;
    size_t size; /* a power of two; 0: empty */
    uint64_t multiplier;
};

struct component_store {
    struct name_key key;
    struct list winners; /* name_hash of a component */
    struct list newest;  /* uint64_t: per a.b.c the greatest version */
    struct list folders; /* struct winner_folder */
    struct list files;   /* struct winner_file */
    struct list seen;    /* struct seen_file */
    struct set won;      /* of the first indexed_winners of winners */
    size_t indexed_winners;
};

struct component_store *component_store_new(void)
{
    struct component_store *store = calloc(1, sizeof *store);
    if (store != NULL)
        randombytes_buf(&store->key, sizeof store->key);
    return store;
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
    free(store->won.slots);
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

static size_t power_of_two(size_t least)
{
    size_t size = 16;
    while (size < least)
        size *= 2;
    return size;
}

/* Room for `count` numbers. They may be chosen by whoever made the disk; the multiplier can't. */
static int set_new(struct set *set, size_t count, struct error *error)
{
    set->size = power_of_two(2 * count);
    set->slots = calloc(set->size, sizeof *set->slots);
    randombytes_buf(&set->multiplier, sizeof set->multiplier);
    set->multiplier |= 1;
    return set->slots != NULL ? 0 : error_set(error, ERROR_MEMORY, "no memory for a component store");
}

/* The number's slot, or the free one where it would be. */
static uint64_t *set_slot(const struct set *set, uint64_t number)
{
    size_t at = (size_t)(number * set->multiplier >> 32) & (set->size - 1);
    while (set->slots[at] != 0 && set->slots[at] != number)
        at = (at + 1) & (set->size - 1);
    return &set->slots[at];
}

static bool set_holds(const struct set *set, uint64_t number)
{
    return number != 0 && set->size > 0 && *set_slot(set, number) == number;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

bool component_store_skips(const char *name)
{
    return component_name_skips(name);
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
    struct component_name component;
    if (!component_name_of_winner(&store->key, key, version, &component))
        return 0;
    name_hash *added = list_add(&store->winners, sizeof *added, error);
    if (added == NULL || note_newest(store, component.version, error) < 0)
        return -1;
    *added = component.hash;
    return 0;
}

/* Looks winners up by hash from now on, until more of them come. */
static int index_winners(struct component_store *store, struct error *error)
{
    const name_hash *winners = store->winners.items;
    if (store->indexed_winners == store->winners.count)
        return 0;
    free(store->won.slots);
    store->won = (struct set){0};
    if (set_new(&store->won, store->winners.count, error) < 0)
        return -1;
    for (size_t i = 0; i < store->winners.count; i++)
        *set_slot(&store->won, winners[i]) = winners[i];
    store->indexed_winners = store->winners.count;
    return 0;
}

int component_store_folder(struct component_store *store, const char *name, struct error *error)
{
    struct component_name component;
    if (store->winners.count == 0 || !component_name_of_folder(&store->key, name, &component))
        return 0;
    if (index_winners(store, error) < 0)
        return -1;
    if (!set_holds(&store->won, component.hash))
        return 0;
    struct winner_folder *folder = list_add(&store->folders, sizeof *folder, error);
    if (folder == NULL)
        return -1;
    *folder = (struct winner_folder){.name = strdup(name), .version = component.version, .machine = component.machine};
    return folder->name != NULL ? 1 : error_set(error, ERROR_MEMORY, "no memory for a component store");
}

int component_store_file(struct component_store *store, const char *name, uint64_t identity, struct error *error)
{
    if (store->files.count >= FILES_LIMIT)
        return 0;
    struct winner_file *file = list_add(&store->files, sizeof *file, error);
    if (file == NULL)
        return -1;
    *file = (struct winner_file){.identity = identity,
                                 .name = name_hash_folded(&store->key, name),
                                 .folder = (uint32_t)store->folders.count - 1};
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
    struct set identities;      /* of the store's files */
    uint32_t *names;            /* by the end of a name's hash the first of the store's files, plus 1; 0: none */
    size_t names_size;          /* a power of two */
    enum standing *standings;   /* of store->seen */
    struct list linked_folders; /* name_hash: folders that hold a link into the store */
};

static void comparison_clear(struct comparison *comparison)
{
    free(comparison->identities.slots);
    free(comparison->names);
    free(comparison->standings);
    free(comparison->linked_folders.items);
}

/* Makes the store's files be found by identity and by name. */
static int index_files(struct comparison *comparison, struct error *error)
{
    struct list *files = &comparison->store->files;
    struct winner_file *file = files->items;
    comparison->names_size = power_of_two(files->count);
    comparison->names = calloc(comparison->names_size, sizeof *comparison->names);
    if (comparison->names == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    if (set_new(&comparison->identities, files->count, error) < 0)
        return -1;
    for (size_t i = 0; i < files->count; i++) {
        uint32_t *first = &comparison->names[file[i].name & (comparison->names_size - 1)];
        file[i].next = *first;
        *first = (uint32_t)i + 1;
        if (file[i].identity != 0)
            *set_slot(&comparison->identities, file[i].identity) = file[i].identity;
    }
    return 0;
}

static size_t folder_length(const struct seen_file *file)
{
    return (size_t)(strrchr(file->path, '/') - file->path);
}

static name_hash folder_hash(const struct comparison *comparison, const struct seen_file *file)
{
    return name_hash_of(&comparison->store->key, file->path, folder_length(file));
}

static const struct winner_folder *folder_of(const struct component_store *store, const struct winner_file *file)
{
    return (const struct winner_folder *)store->folders.items + file->folder;
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
    const struct winner_file *files = comparison->store->files.items;
    const char *name = file->path + folder_length(file) + 1;
    const name_hash wanted = name_hash_of(&comparison->store->key, name, strlen(name));
    bool any = false;
    for (uint32_t at = comparison->names[wanted & (comparison->names_size - 1)]; at != 0; at = files[at - 1].next) {
        const struct winner_folder *folder = folder_of(comparison->store, &files[at - 1]);
        if (files[at - 1].name != wanted || folder->machine != file->machine)
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
        if (strncmp(file->path, windows, length) != 0 || file->path[length] != '/')
            continue;
        if (file->device == comparison->device && set_holds(&comparison->identities, file->identity)) {
            comparison->standings[i] = LINKED;
            name_hash *folder = list_add(&comparison->linked_folders, sizeof *folder, error);
            if (folder == NULL) {
                *status = -1;
                return false;
            }
            *folder = folder_hash(comparison, file);
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
        name_hash folder = folder_hash(comparison, file);
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
    if (comparison.standings == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a component store");
    if (index_files(&comparison, error) < 0)
        return -1;
    if (!find_standings(&comparison, windows, error, &status))
        return status < 0 ? -1 : not_seen_add(facts, EVENKEEL__NOT_SEEN_KIND__NO_STORE, "links", 1, error);
    if (add_outside(&comparison, facts, error) < 0)
        return -1;
    return pack(&comparison, facts, packed, error);
}
