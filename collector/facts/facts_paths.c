/* Where a host looks for its files, and which it will move at the next start: folded paths from the drive letter. */

#include "collector/base/path.h"
#include "facts_build.h"
#include "proto/cleanup.h"

#include <stdio.h>

#define EXPANSION_LIMIT 1000 /* variables in one text, nested ones too: text must not be able to grow without end */

/* Text being expanded. */
struct expansion {
    struct collection *collection;
    struct registry_key *environment; /* NULL: none */
    struct string_list done;          /* pieces, one after the other */
    size_t length;
    size_t left; /* variables that may still be expanded */
};

static void free_expansion(struct expansion *expansion)
{
    string_list_clear(&expansion->done);
    registry_key_close(expansion->environment);
}

/* strndup(), which Windows has not. */
static char *copy_of(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

static bool is_name(const char *name, size_t length, const char *other)
{
    for (size_t i = 0; i < length; i++)
        if ((name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]) != other[i])
            return false;
    return other[length] == 0;
}

static char *windows_directory(const struct collection *collection)
{
    ProtobufCBinaryData directory = collection->facts->windows_directory;
    return directory.len == 0 ? NULL : copy_of((const char *)directory.data, directory.len);
}

/* What a variable stands for, to be freed; NULL where it is not known. */
static char *variable(struct expansion *expansion, const char *name, size_t length)
{
    static const char folders[] = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion";
    static const char profiles[] = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
    static const struct {
        const char *variable, *key, *value;
    } values[] = {
        {"programfiles", folders, "ProgramFilesDir"},
        {"programfiles(x86)", folders, "ProgramFilesDir (x86)"},
        {"programw6432", folders, "ProgramFilesDir"},
        {"commonprogramfiles", folders, "CommonFilesDir"},
        {"commonprogramfiles(x86)", folders, "CommonFilesDir (x86)"},
        {"programdata", profiles, "ProgramData"},
        {"allusersprofile", profiles, "ProgramData"},
    };
    struct collection *collection = expansion->collection;

    if (is_name(name, length, "systemroot") || is_name(name, length, "windir"))
        return windows_directory(collection);
    if (is_name(name, length, "systemdrive")) {
        _cleanup_free_ char *windows = windows_directory(collection);
        return windows == NULL ? NULL : copy_of(windows, strlen("c:"));
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (!is_name(name, length, values[i].variable))
            continue;
        _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, values[i].key);
        return key == NULL ? NULL : facts_string(collection, key, values[i].value);
    }
    _cleanup_free_ char *copy = copy_of(name, length);
    return copy == NULL || expansion->environment == NULL ? NULL
                                                          : facts_string(collection, expansion->environment, copy);
}

static int put(struct expansion *expansion, const char *text, size_t length, struct error *error)
{
    expansion->length += length;
    if (expansion->length > LIMIT_TEXT_BYTES)
        return error_set(error, ERROR_LIMIT, "a path is too long once its variables are filled in");
    return length == 0 ? 0 : string_list_take(&expansion->done, copy_of(text, length), error);
}

/* Puts `text` with its %VARIABLES% filled in; one that is not known stays as it is. */
static int expand(struct expansion *expansion, const char *text, int depth, struct error *error)
{
    while (*text != 0) {
        const char *start = strchr(text, '%');
        const char *end = start == NULL ? NULL : strchr(start + 1, '%');
        if (end == NULL)
            return put(expansion, text, strlen(text), error);
        if (put(expansion, text, (size_t)(start - text), error) == -1)
            return -1;
        _cleanup_free_ char *value = NULL;
        if (expansion->left > 0 && depth < 8) {
            expansion->left--;
            value = variable(expansion, start + 1, (size_t)(end - start - 1));
        }
        if (value == NULL) {
            if (put(expansion, start, (size_t)(end - start), error) == -1)
                return -1;
            text = end; /* which may be where a variable starts */
            if (strchr(text + 1, '%') == NULL)
                return put(expansion, text, strlen(text), error);
            continue;
        }
        if (expand(expansion, value, depth + 1, error) == -1)
            return -1;
        text = end + 1;
    }
    return 0;
}

/* `text` with its variables filled in, to be freed; NULL where it gets too long, which is a problem. */
static char *expanded(struct collection *collection, const char *text)
{
    _cleanup_(free_expansion) struct expansion expansion = {.collection = collection, .left = EXPANSION_LIMIT};
    struct error problem = {0};

    expansion.environment = facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment");
    if (expand(&expansion, text, 0, &problem) == -1) {
        string_list_note(collection->problems, "%s", problem.message);
        return NULL;
    }
    char *whole = malloc(expansion.length + 1);
    if (whole == NULL)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < expansion.done.count; i++) {
        size_t length = strlen(expansion.done.items[i]);
        memcpy(whole + used, expansion.done.items[i], length);
        used += length;
    }
    whole[used] = 0;
    return whole;
}

/* Whether a folded path starts at a drive or a share: others mean nothing without the process that uses them. */
static bool is_absolute(const char *path)
{
    return (path[0] >= 'a' && path[0] <= 'z' && path[1] == ':' && path[2] == '/') || (path[0] == '/' && path[1] == '/');
}

/* Folds and takes blanks, quotes and slashes at the end away, in place; 'c:/' keeps its slash. */
static void tidy(char *path)
{
    size_t used = 0;
    path_fold(path);
    for (const char *from = path + strspn(path, " \t"); *from != 0; from++)
        if (*from != '"')
            path[used++] = *from;
    while (used > 0 && (path[used - 1] == ' ' || path[used - 1] == '\t'))
        used--;
    while (used > 3 && path[used - 1] == '/')
        used--;
    path[used] = 0;
}

static int collect_search_path(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment");
    _cleanup_(string_list_clear) struct string_list folders = {0};
    _cleanup_free_ char *raw = key == NULL ? NULL : facts_string(collection, key, "Path");
    _cleanup_free_ char *whole = raw == NULL ? NULL : expanded(collection, raw);

    for (const char *at = whole; at != NULL && *at != 0; at += *at == ';') {
        size_t length = strcspn(at, ";");
        char *folder = copy_of(at, length);
        at += length;
        if (string_list_take(&folders, folder, error) == -1)
            return -1;
        tidy(folder);
        bool seen = !is_absolute(folder);
        for (size_t i = 0; i + 1 < folders.count && !seen; i++)
            seen = strcmp(folders.items[i], folder) == 0;
        if (seen)
            free(folders.items[--folders.count]);
    }
    return facts_set_list(collection, &folders, false, "folders in PATH", &collection->facts->n_search_path,
                          &collection->facts->search_path, error);
}

static int collect_known_dlls(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\KnownDLLs");
    _cleanup_(string_list_clear) struct string_list names = {0};
    struct error problem = {0};
    int got = 0;

    for (size_t i = 0; key != NULL; i++) {
        _cleanup_(registry_value_clear) struct registry_value value = {0};
        got = registry_value_at(key, i, &value, &problem);
        if (got != 1)
            break;
        facts_lower(value.name);
        if (strncmp(value.name, "dlldirectory", strlen("dlldirectory")) == 0)
            continue; /* where they lie, not one of them */
        char *name = registry_value_string(&value);
        if (name == NULL || name[0] == 0) {
            free(name);
            continue;
        }
        facts_lower(name);
        if (string_list_take(&names, name, error) == -1)
            return -1;
    }
    if (got == -1)
        string_list_note(collection->problems, "%s", problem.message);
    return facts_set_list(collection, &names, true, "KnownDLLs", &collection->facts->n_known_dlls,
                          &collection->facts->known_dlls, error);
}

/* NT's object names as paths: '!\??\C:\x', '*1\??\C:\x', '\SystemRoot\x'; in place where it gets shorter. */
static char *nt_path(struct collection *collection, const char *name)
{
    static const char *const drives[] = {"/?\?/", "//?/", "/dosdevices/", "/global?\?/"};
    _cleanup_free_ char *copy = strdup(name);
    char *result = NULL;

    if (copy == NULL)
        return NULL;
    path_fold(copy);
    char *at = copy;
    if (*at == '*') /* a number of flags */
        at += 1 + strspn(at + 1, "0123456789");
    if (*at == '!') /* replaces a file that is there */
        at++;
    if (strncmp(at, "/systemroot/", strlen("/systemroot/")) == 0) {
        _cleanup_free_ char *windows = windows_directory(collection);
        return windows == NULL ? strdup(at) : path_join(windows, at + strlen("/systemroot/"));
    }
    for (size_t i = 0; i < sizeof drives / sizeof *drives; i++)
        if (strncmp(at, drives[i], strlen(drives[i])) == 0) {
            at += strlen(drives[i]);
            break;
        }
    if (strncmp(at, "unc/", strlen("unc/")) == 0)
        return asprintf(&result, "//%s", at + strlen("unc/")) == -1 ? NULL : result;
    return strdup(at);
}

static int add_rename(struct collection *collection, const char *from, const char *to, struct error *error)
{
    _cleanup_free_ char *from_path = nt_path(collection, from);
    _cleanup_free_ char *to_path = nt_path(collection, to);
    Evenkeel__PendingRename *rename = malloc(sizeof *rename);

    if (rename == NULL)
        return facts_out_of_memory(error);
    evenkeel__pending_rename__init(rename);
    if (from_path == NULL || to_path == NULL) {
        free(rename);
        return facts_out_of_memory(error);
    }
    if (facts_set(collection, &rename->from, from_path, error) == -1 ||
        facts_set(collection, &rename->to, to_path, error) == -1) {
        evenkeel__pending_rename__free_unpacked(rename, NULL);
        return -1;
    }
    return facts_append(collection, "pending renames", &collection->facts->n_pending_renames,
                        &collection->facts->pending_renames, &rename->base, error);
}

static int compare_renames(const void *a, const void *b)
{
    const Evenkeel__PendingRename *x = *(void *const *)a, *y = *(void *const *)b;
    int order = facts_compare(x->from, y->from);
    return order != 0 ? order : facts_compare(x->to, y->to);
}

/* Pairs of names; an empty second name means that the file is to be deleted. */
static int collect_renames(struct collection *collection, struct error *error)
{
    static const char *const values[] = {"PendingFileRenameOperations", "PendingFileRenameOperations2"};
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\Session Manager");

    for (size_t i = 0; key != NULL && i < sizeof values / sizeof *values; i++) {
        _cleanup_(string_list_clear) struct string_list names = {0};
        if (facts_strings(collection, key, values[i], &names, error) == -1)
            return -1;
        for (size_t n = 0; n < names.count; n += 2) {
            const char *to = n + 1 < names.count ? names.items[n + 1] : "";
            if (names.items[n][0] != 0 && add_rename(collection, names.items[n], to, error) == -1)
                return -1;
        }
    }
    facts_sort(&collection->facts->n_pending_renames, &collection->facts->pending_renames, compare_renames);
    return 0;
}

char *facts_path(struct collection *collection, const char *text)
{
    char *path = expanded(collection, text);
    if (path == NULL)
        return NULL;
    tidy(path);
    if (is_absolute(path))
        return path;
    free(path);
    return NULL;
}

int facts_collect_paths(struct collection *collection, struct error *error)
{
    if (collect_search_path(collection, error) == -1 || collect_known_dlls(collection, error) == -1)
        return -1;
    return collect_renames(collection, error);
}
