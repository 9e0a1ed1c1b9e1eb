/* The folders of WinSxS: assemblies, and a host's component store: which versions of components won, by its registry,
 * and the files in their folders. */

#include "collector/base/path.h"
#include "collector/disk/component_store.h"
#include "collector/platform/platform.h"
#include "facts_build.h"
#include "proto/cleanup.h"
#include "proto/program_name.h"

#include <stdlib.h>

static void close_directory(struct platform_directory **directory)
{
    platform_directory_close(*directory);
}

/* A component's key has one for each line of its versions ('10.0'), whose default value is the version that won. */
static int collect_winner(struct collection *collection, struct registry_key *component, struct component_store *store,
                          struct error *error)
{
    for (size_t i = 0;; i++) {
        _cleanup_(facts_close_key) struct registry_key *line = NULL;
        if (!facts_child(collection, component, i, &line))
            return 0;
        _cleanup_free_ char *version = line == NULL ? NULL : facts_string(collection, line, "");
        if (version != NULL && component_store_winner(store, registry_key_name(component), version, error) == -1)
            return -1;
    }
}

static int collect_winners(struct collection *collection, struct component_store *store, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *winners =
        facts_key(collection, "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\SideBySide\\Winners");
    for (size_t i = 0; winners != NULL; i++) {
        _cleanup_(facts_close_key) struct registry_key *component = NULL;
        if (!facts_child(collection, winners, i, &component))
            break;
        if (component == NULL || component_store_skips(registry_key_name(component)))
            continue;
        if (collect_winner(collection, component, store, error) == -1)
            return -1;
    }
    return 0;
}

static int collect_files(struct collection *collection, struct platform_directory *above, const char *name,
                         struct component_store *store, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    struct error problem = {0};
    const char *file;
    enum platform_kind kind;
    int got = platform_directory_open_in(above, name, &directory, &problem);
    while (got >= 0 && (got = platform_directory_next(directory, &file, &kind, &problem)) == 1)
        if ((kind == PLATFORM_FILE || kind == PLATFORM_PACKED) && is_program_name(file) &&
            component_store_file(store, file, platform_directory_identity(directory), error) == -1)
            return -1;
    if (got == -1)
        string_list_note(collection->problems, "WinSxS: %s", problem.message);
    return 0;
}

/* Only from Windows Vista on are system files links into it. */
static bool has_store(const Evenkeel__Facts *facts)
{
    return facts->current_version.len > 1 &&
           (facts->current_version.data[0] >= '6' || facts->current_version.data[1] != '.');
}

/* Components that Windows is serviced from, .NET's and drivers lie in WinSxS, too, but no program loads DLLs from them.
 */
static bool is_assembly(const char *name)
{
    const char *after = strchr(name, '_');
    if (after == NULL || strncmp(name, "msil_", strlen("msil_")) == 0)
        return false;
    return strncmp(after, "_microsoft-windows-", strlen("_microsoft-windows-")) != 0 &&
           strstr(after, ".inf_") == NULL && strstr(after, ".resources_") == NULL;
}

static int add_assembly(struct string_list *assemblies, const char *name, struct error *error)
{
    if (string_list_add(assemblies, name, error) == -1)
        return -1;
    facts_lower(assemblies->items[assemblies->count - 1]);
    if (!is_assembly(assemblies->items[assemblies->count - 1]))
        free(assemblies->items[--assemblies->count]);
    return 0;
}

/* Goes through the folders of WinSxS once, for both. */
static int collect_folders(struct collection *collection, struct platform_directory *directory,
                           struct component_store *store, struct string_list *assemblies, struct error *error)
{
    struct error problem = {0};
    const char *name;
    enum platform_kind kind;
    int got;
    while ((got = platform_directory_next(directory, &name, &kind, &problem)) == 1) {
        if (kind != PLATFORM_DIRECTORY)
            continue;
        if (add_assembly(assemblies, name, error) == -1)
            return -1;
        int wins = store != NULL ? component_store_folder(store, name, error) : 0;
        if (wins == -1 || (wins == 1 && collect_files(collection, directory, name, store, error) == -1))
            return -1;
    }
    if (got == -1)
        string_list_note(collection->problems, "WinSxS: %s", problem.message);
    return 0;
}

int facts_collect_winsxs(struct collection *collection, struct facts_store *found, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    _cleanup_(string_list_clear) struct string_list assemblies = {0};
    _cleanup_free_ char *folder = NULL;
    struct error problem = {0};

    if (found != NULL)
        found->there = collection->registry != NULL && has_store(collection->facts);
    struct component_store *store = found != NULL && found->there ? found->store : NULL;
    if (store != NULL && collect_winners(collection, store, error) == -1)
        return -1;
    if (collection->windows == NULL)
        return 0;
    int got = path_find(collection->windows, "winsxs", &folder, &problem);
    if (got == 1 && platform_directory_open(folder, &directory, &problem) == -1)
        got = -1;
    if (got == -1)
        string_list_note(collection->problems, "WinSxS: %s", problem.message);
    if (got == 1 && collect_folders(collection, directory, store, &assemblies, error) == -1)
        return -1;
    if (store != NULL) {
        found->folder = folder;
        folder = NULL;
    }
    return facts_set_list(collection, &assemblies, true, "assemblies", &collection->facts->n_assemblies,
                          &collection->facts->assemblies, error);
}
