/* A host's component store: which versions of components won, by its registry, and the files in their folders. */

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
        if (kind == PLATFORM_FILE && is_program_name(file) &&
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

int facts_collect_store(struct collection *collection, struct facts_store *found, struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    struct error problem = {0};
    const char *name;
    enum platform_kind kind;

    found->there = collection->registry != NULL && has_store(collection->facts);
    if (!found->there)
        return 0;
    if (collect_winners(collection, found->store, error) == -1)
        return -1;
    if (collection->windows == NULL)
        return 0;
    int got = path_find(collection->windows, "winsxs", &found->folder, &problem);
    if (got == 1 && platform_directory_open(found->folder, &directory, &problem) == -1)
        got = -1;
    while (got == 1 && (got = platform_directory_next(directory, &name, &kind, &problem)) == 1) {
        if (kind != PLATFORM_DIRECTORY)
            continue;
        int wins = component_store_folder(found->store, name, error);
        if (wins == -1 || (wins == 1 && collect_files(collection, directory, name, found->store, error) == -1))
            return -1;
    }
    if (got == -1)
        string_list_note(collection->problems, "WinSxS: %s", problem.message);
    return 0;
}
