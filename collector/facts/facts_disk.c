/* What a host's disk tells of it besides its binaries: names of machine keys, and the metabase. */

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "facts_build.h"
#include "proto/cleanup.h"
#include "proto/digest.h"

#include <sodium.h>
#include <stdio.h>

#define FOLDERS_LIMIT 256     /* of one folder that are looked into for machine keys */
#define READ_SIZE (64U << 10) /* bytes of the metabase in memory at a time */

/* A machine key's file. */
struct key_file {
    char *name; /* lower case */
    int64_t modified;
};

struct key_files {
    struct key_file *items;
    size_t count;
};

static void free_key_files(struct key_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i].name);
    free(files->items);
}

static void close_directory(struct platform_directory **directory)
{
    platform_directory_close(*directory);
}

/* Time of a file; 0, and a problem, where it can't be opened: its name is a fact all the same. */
static int64_t modified_at(struct collection *collection, struct platform_directory *directory, const char *name)
{
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    struct platform_stat stat;
    struct error problem = {0};

    if (platform_file_open_in(directory, name, &file, &problem) == 0 && platform_file_stat(&file, &stat, &problem) == 0)
        return stat.modified;
    string_list_note(collection->problems, "time of a machine key not known: %s", problem.message);
    return 0;
}

static int add_key_file(struct collection *collection, struct platform_directory *directory, const char *name,
                        struct key_files *files, struct error *error)
{
    if (files->count > LIMIT_LIST_ENTRIES)
        return 0;
    if ((files->count & (files->count - 1)) == 0) {
        size_t room = files->count == 0 ? 1 : files->count * 2;
        struct key_file *items = realloc(files->items, room * sizeof *items);
        if (items == NULL)
            return facts_out_of_memory(error);
        files->items = items;
    }
    struct key_file *file = &files->items[files->count];
    file->name = strdup(name);
    if (file->name == NULL)
        return facts_out_of_memory(error);
    file->modified = modified_at(collection, directory, name);
    facts_lower(file->name);
    files->count++;
    return 0;
}

/* Lists a folder of machine keys, a folded path: 1, 0 where it is not there, -1 on a problem (noted) or error.
 */
static int list_keys(struct collection *collection, const char *folder, struct key_files *files, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    _cleanup_free_ char *found = NULL;
    const char *name;
    enum platform_kind kind;
    struct error problem = {0};

    int got = facts_find(collection, folder, &found, &problem);
    if (got == 1 && platform_directory_open(found, &directory, &problem) == -1)
        got = -1;
    while (got == 1) {
        int next = platform_directory_next(directory, &name, &kind, &problem);
        if (next == 0)
            return 1;
        if (next == -1)
            got = -1;
        else if ((kind == PLATFORM_FILE || kind == PLATFORM_PACKED) &&
                 add_key_file(collection, directory, name, files, error) == -1)
            return -1;
    }
    if (got == -1)
        string_list_note(collection->problems, "machine keys: %s", problem.message);
    return got;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_name(const void *a, const void *b)
{
    const struct key_file *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->modified > y->modified) - (x->modified < y->modified);
}

/* Both messages' lists, in one order and of one length. */
static int set_keys(struct collection *collection, struct key_files *files, struct error *error)
{
    Evenkeel__Facts *facts = collection->facts;
    Evenkeel__Times *times = collection->times;

    if (files->count == 0)
        return 0;
    qsort(files->items, files->count, sizeof *files->items, by_name);
    facts->machine_keys = calloc(files->count, sizeof *facts->machine_keys);
    if (facts->machine_keys == NULL)
        return facts_out_of_memory(error);
    for (size_t i = 0; i < files->count; i++) {
        if (i > 0 && strcmp(files->items[i - 1].name, files->items[i].name) == 0)
            continue;
        if (facts->n_machine_keys == LIMIT_LIST_ENTRIES) {
            string_list_note(collection->problems, "more than %u machine keys: the rest was left out",
                             LIMIT_LIST_ENTRIES);
            break;
        }
        if (facts_set(collection, &facts->machine_keys[facts->n_machine_keys], files->items[i].name, error) == -1)
            return -1;
        facts->n_machine_keys++;
        Evenkeel__FileTime *time = malloc(sizeof *time);
        if (time == NULL)
            return facts_out_of_memory(error);
        evenkeel__file_time__init(time);
        time->modified = files->items[i].modified;
        if (facts_append(collection, "machine keys", &times->n_machine_keys, &times->machine_keys, &time->base,
                         error) == -1)
            return -1;
    }
    return 0;
}

/* Below the system's drive; profiles lie elsewhere in other languages. */
static const char *const usual[] = {"programdata", "documents and settings/all users/application data"};

static const char keys_folder[] = "microsoft/crypto/rsa/machinekeys";

/* Lists the machine keys below a folder of all users' application data: whether that folder is there at all. */
static int list_keys_of(struct collection *collection, const char *folder, struct key_files *files, bool *there,
                        bool *failed, struct error *error)
{
    struct error problem = {0}, fatal = {0};
    _cleanup_free_ char *found = NULL;
    int got = facts_find(collection, folder, &found, &problem);
    if (got == -1)
        string_list_note(collection->problems, "machine keys: %s", problem.message);
    *failed |= got == -1;
    if (got != 1)
        return 0;
    *there = true;
    _cleanup_free_ char *keys = path_join(folder, keys_folder);
    if (keys == NULL)
        return facts_out_of_memory(error);
    got = list_keys(collection, keys, files, &fatal);
    if (fatal.code != ERROR_NONE)
        return error_set(error, fatal.code, "%s", fatal.message);
    *failed |= got == -1;
    return 0;
}

/*
 * The folders of a folder, as folded paths; none where it is not there. Windows writes the names of a profile's folders
 * in its own language, so that of all of them the one counts that holds the keys.
 */
static int list_folders(struct collection *collection, const char *path, struct string_list *folders,
                        struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    _cleanup_free_ char *found = NULL;
    struct error problem = {0};
    const char *name;
    enum platform_kind kind;

    if (facts_find(collection, path, &found, &problem) != 1 ||
        platform_directory_open(found, &directory, &problem) == -1)
        return 0;
    while (platform_directory_next(directory, &name, &kind, &problem) == 1 && folders->count < FOLDERS_LIMIT) {
        if (kind != PLATFORM_DIRECTORY)
            continue;
        if (string_list_take(folders, path_join(path, name), error) == -1)
            return -1;
        path_fold(folders->items[folders->count - 1]);
    }
    if (folders->count > 0)
        qsort(folders->items, folders->count, sizeof *folders->items, compare_text);
    return 0;
}

/* Folders below one of all users' profile that hold machine keys. */
static int find_in_profile(struct collection *collection, const char *profile, struct string_list *places,
                           struct error *error)
{
    _cleanup_(string_list_clear) struct string_list folders = {0};
    if (list_folders(collection, profile, &folders, error) == -1)
        return -1;
    for (size_t i = 0; i < folders.count; i++) {
        struct error problem = {0};
        _cleanup_free_ char *keys = path_join(folders.items[i], keys_folder), *found = NULL;
        if (keys == NULL)
            return facts_out_of_memory(error);
        if (facts_find(collection, keys, &found, &problem) != 0 &&
            string_list_add(places, folders.items[i], error) == -1)
            return -1;
    }
    return 0;
}

/* All users' profile as Windows before Vista has it in its registry, to be freed; NULL where it says none. */
static char *declared_profile(struct collection *collection)
{
    ProtobufCBinaryData profiles = collection->facts->profiles;
    char *profile = NULL;

    if (collection->registry == NULL || profiles.len == 0)
        return NULL;
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList");
    _cleanup_free_ char *name = key == NULL ? NULL : facts_string(collection, key, "AllUsersProfile");
    if (name == NULL || name[0] == 0 ||
        asprintf(&profile, "%.*s/%s", (int)profiles.len, (const char *)profiles.data, name) == -1)
        return NULL;
    path_fold(profile);
    return profile;
}

/* What that profile holds: the folder of its English name, and whatever holds keys. */
static int declared_places(struct collection *collection, const char *profile, struct string_list *places,
                           struct error *error)
{
    if (string_list_take(places, path_join(profile, "application data"), error) == -1)
        return -1;
    return find_in_profile(collection, profile, places, error);
}

/* Where the registry does not say it: usual names, and below them whatever holds keys. */
static int usual_places(struct collection *collection, struct string_list *places, struct error *error)
{
    const struct facts_drive *drive = &collection->drives[0];
    ProtobufCBinaryData windows = collection->facts->windows_directory;
    _cleanup_(string_list_clear) struct string_list folders = {0};
    char top[] = {windows.len > 0 ? (char)windows.data[0] : drive->letter, ':', '/', 0};

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (string_list_take(places, path_join(top, usual[i]), error) == -1)
            return -1;
    if (list_folders(collection, top, &folders, error) == -1)
        return -1;
    if (windows.len > 0) {
        _cleanup_free_ char *profiles = NULL;
        if (asprintf(&profiles, "%.*s/profiles", (int)windows.len, (const char *)windows.data) == -1)
            profiles = NULL;
        if (profiles == NULL || string_list_add(&folders, profiles, error) == -1)
            return facts_out_of_memory(error);
    }
    for (size_t i = 0; i < folders.count; i++) {
        _cleanup_free_ char *profile = path_join(folders.items[i], "all users");
        if (profile == NULL)
            return facts_out_of_memory(error);
        if (find_in_profile(collection, profile, places, error) == -1)
            return -1;
    }
    return 0;
}

/* Until Windows NT 4.0 machine keys were kept in the registry alone. */
static bool keeps_key_files(const struct collection *collection)
{
    ProtobufCBinaryData version = collection->facts->current_version;
    return version.len == 0 || version.data[0] < '0' || version.data[0] >= '5' ||
           (version.len > 1 && version.data[1] != '.');
}

static int collect_machine_keys(struct collection *collection, struct error *error)
{
    _cleanup_(string_list_clear) struct string_list places = {0};
    _cleanup_(free_key_files) struct key_files files = {0};
    ProtobufCBinaryData own = collection->facts->common_data;
    _cleanup_free_ char *profile = own.len > 0 ? NULL : declared_profile(collection);
    bool there = false, failed = false;

    if (own.len > 0) {
        char *folder = NULL;
        if (asprintf(&folder, "%.*s", (int)own.len, (const char *)own.data) == -1)
            folder = NULL;
        if (string_list_take(&places, folder, error) == -1)
            return -1;
    } else if ((profile != NULL ? declared_places(collection, profile, &places, error)
                                : usual_places(collection, &places, error)) == -1) {
        return -1;
    }
    for (size_t i = 0; i < places.count; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || strcmp(places.items[k], places.items[i]) == 0;
        if (!again && list_keys_of(collection, places.items[i], &files, &there, &failed, error) == -1)
            return -1;
    }
    if ((failed || !there) && keeps_key_files(collection) && collection->windows != NULL &&
        facts_not_seen(collection, failed ? EVENKEEL__NOT_SEEN_KIND__UNREADABLE : EVENKEEL__NOT_SEEN_KIND__NO_FOLDER,
                       "machine keys", 1, error) == -1)
        return -1;
    collection->facts->machine_keys_read =
        !failed && (there || (collection->windows != NULL && !keeps_key_files(collection)));
    return set_keys(collection, &files, error);
}

/* Digest of a file's bytes, read piece by piece. */
static int digest_file(const struct platform_file *file, uint8_t digest[DIGEST_BYTES], struct error *error)
{
    crypto_generichash_state state;
    _cleanup_free_ uint8_t *piece = malloc(READ_SIZE);
    int64_t got;

    if (piece == NULL)
        return facts_out_of_memory(error);
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    for (uint64_t at = 0; (got = platform_file_read_at(file, piece, READ_SIZE, at, error)) > 0; at += (uint64_t)got) {
        if (at > FACTS_METABASE_LIMIT)
            return error_set(error, ERROR_LIMIT, "it grows without end");
        crypto_generichash_update(&state, piece, (unsigned long long)got);
    }
    crypto_generichash_final(&state, digest, DIGEST_BYTES);
    return got == 0 ? 0 : -1;
}

/* IIS 6.0 keeps the metabase as XML, IIS 4.0 and 5.0 in a format of their own; an upgrade leaves the old one behind. */
static int collect_metabase(struct collection *collection, struct error *error)
{
    static const char *const places[] = {"system32/inetsrv/metabase.xml", "system32/inetsrv/metabase.bin"};
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    _cleanup_free_ char *found = NULL;
    struct platform_stat stat;
    struct error problem = {0};
    int got = 0;

    for (size_t i = 0; i < sizeof places / sizeof *places && got == 0; i++)
        got = path_find(collection->windows, places[i], &found, &problem);
    if (got == 0)
        return 0;
    uint8_t *digest = malloc(DIGEST_BYTES);
    if (digest == NULL)
        return facts_out_of_memory(error);
    if (got == -1 || platform_file_open(found, &file, &problem) == -1 ||
        platform_file_stat(&file, &stat, &problem) == -1 || digest_file(&file, digest, &problem) == -1) {
        string_list_note(collection->problems, "metabase not read: %s", problem.message);
        free(digest);
        return 0;
    }
    collection->facts->metabase = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digest};
    collection->times->metabase = stat.modified;
    return 0;
}

int facts_collect_disk(struct collection *collection, struct error *error)
{
    if (collection->drives[0].root == NULL && platform_system_drive() == NULL)
        return 0;
    if (collect_machine_keys(collection, error) == -1)
        return -1;
    return collection->windows != NULL ? collect_metabase(collection, error) : 0;
}
