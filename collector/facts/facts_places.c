/* Where a host keeps its Windows, its programs and its profiles: as its registry says, and only then by usual names. */

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "facts_build.h"
#include "proto/cleanup.h"

#define FOLDERS_LIMIT 256 /* of a drive that are looked at for another Windows */

static void close_directory(struct platform_directory **directory)
{
    platform_directory_close(*directory);
}

/* The first drive's letter is what the registry says of the Windows that is on it. */
static void settle_letter(struct collection *collection, const char *windows)
{
    _cleanup_free_ char *found = NULL;
    struct error problem = {0};
    const char *root = collection->drives[0].root;
    for (size_t i = 1; i < collection->drive_count; i++)
        if (collection->drives[i].letter == windows[0])
            return;
    if (root != NULL && path_find(root, windows + strlen("c:/"), &found, &problem) == 1)
        collection->drives[0].letter = windows[0];
}

static bool has_drive(const struct collection *collection, char letter)
{
    for (size_t i = 0; i < collection->drive_count; i++)
        if (collection->drives[i].letter == letter)
            return true;
    return collection->drives[0].root == NULL;
}

/* A folder that the registry names as the Windows directory. */
static int take_declared(struct collection *collection, const struct facts_options *options, const char *windows,
                         struct error *error)
{
    struct error problem = {0};
    char drive[] = {windows[0], ':', 0};
    bool any_disk = options->root != NULL || platform_system_drive() != NULL;

    if (options->drive == 0)
        settle_letter(collection, windows);
    if (facts_set(collection, &collection->facts->windows_directory, windows, error) == -1)
        return -1;
    if (!any_disk)
        return 0;
    if (!has_drive(collection, windows[0]))
        return facts_not_seen(collection, EVENKEEL__NOT_SEEN_KIND__OTHER_DRIVE, drive, 1, error);
    int got = facts_find(collection, windows, &collection->windows, &problem);
    if (got == -1)
        string_list_note(collection->problems, "%s", problem.message);
    if (got == 0)
        string_list_note(
            collection->problems,
            "the registry names '%s' as the Windows directory, which is not there: check --drive, and that "
            "the registry is this disk's",
            windows);
    return got == 1 ? 0 : facts_not_seen(collection, EVENKEEL__NOT_SEEN_KIND__NO_FOLDER, windows, 1, error);
}

/* Where the registry names none, a folder of a usual name that holds a system32. */
static int guess_windows(struct collection *collection, const struct facts_options *options, struct error *error)
{
    static const char *const folders[] = {"windows", "winnt"};

    if (options->root == NULL && platform_system_drive() == NULL)
        return 0;
    for (size_t d = 0; d < collection->drive_count; d++)
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
            struct error problem = {0};
            char path[32], inner[48];
            _cleanup_free_ char *found = NULL;
            snprintf(path, sizeof path, "%c:/%s", collection->drives[d].letter, folders[i]);
            snprintf(inner, sizeof inner, "%s/system32", path);
            int got = facts_find(collection, inner, &found, &problem);
            if (got == 1)
                got = facts_find(collection, path, &collection->windows, &problem);
            if (got == -1)
                string_list_note(collection->problems, "%s", problem.message);
            if (got != 1)
                continue;
            if (facts_set(collection, &collection->facts->windows_directory, path, error) == -1)
                return -1;
            return facts_not_seen(collection, EVENKEEL__NOT_SEEN_KIND__GUESSED, path, 1, error);
        }
    return 0;
}

static int find_windows(struct collection *collection, const struct facts_options *options, struct error *error)
{
    _cleanup_free_ char *windows = NULL;
    if (collection->registry != NULL) {
        _cleanup_(facts_close_key) struct registry_key *key =
            facts_key(collection, "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion");
        _cleanup_free_ char *text = key == NULL ? NULL : facts_string(collection, key, "SystemRoot");
        windows = text == NULL ? NULL : facts_path(collection, text);
    }
    if (windows != NULL && windows[1] == ':' && windows[2] == '/' && windows[3] != 0)
        return take_declared(collection, options, windows, error);
    return guess_windows(collection, options, error);
}

/* The path that a value holds into *field; what holds none leaves it as it is. */
static int set_place(struct collection *collection, const char *key_path, const char *name, ProtobufCBinaryData *field,
                     struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key =
        field->len > 0 || collection->registry == NULL ? NULL : facts_key(collection, key_path);
    _cleanup_free_ char *text = key == NULL ? NULL : facts_string(collection, key, name);
    _cleanup_free_ char *path = text == NULL ? NULL : facts_path(collection, text);
    return path == NULL || path[1] != ':' ? 0 : facts_set(collection, field, path, error);
}

static int collect_folders(struct collection *collection, struct error *error)
{
    static const char folders[] = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion";
    static const char profile_list[] = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
    static const char shell[] = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Explorer\\Shell Folders";
    static const char user_shell[] = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders";
    Evenkeel__Facts *facts = collection->facts;

    if (set_place(collection, folders, "ProgramFilesDir", &facts->program_files, error) == -1 ||
        set_place(collection, folders, "ProgramFilesDir (x86)", &facts->program_files_x86, error) == -1 ||
        set_place(collection, folders, "CommonFilesDir", &facts->common_files, error) == -1 ||
        set_place(collection, profile_list, "ProfilesDirectory", &facts->profiles, error) == -1 ||
        set_place(collection, shell, "Common AppData", &facts->common_data, error) == -1 ||
        set_place(collection, user_shell, "Common AppData", &facts->common_data, error) == -1)
        return -1;
    return set_place(collection, profile_list, "ProgramData", &facts->common_data, error);
}

/* What no Windows is without, and hardly another folder has: any of them in its system32. */
static bool holds_windows(const char *folder)
{
    static const char *const marks[] = {"system32/ntdll.dll", "system32/ntoskrnl.exe", "system32/config/software"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        _cleanup_free_ char *found = NULL;
        struct error problem = {0};
        if (path_find(folder, marks[i], &found, &problem) == 1)
            return true;
    }
    return false;
}

/* Further installations in the top folders of a drive. */
static int find_others(struct collection *collection, const char *root, char letter, struct string_list *others,
                       struct error *error)
{
    _cleanup_(close_directory) struct platform_directory *directory = NULL;
    ProtobufCBinaryData own = collection->facts->windows_directory;
    struct error problem = {0};
    const char *name;
    enum platform_kind kind;

    if (platform_directory_open(root, &directory, &problem) == -1)
        return 0;
    for (size_t seen = 0; platform_directory_next(directory, &name, &kind, &problem) == 1;) {
        if (kind != PLATFORM_DIRECTORY || ++seen > FOLDERS_LIMIT)
            continue;
        _cleanup_free_ char *path = NULL, *folder = path_join(root, name);
        if (asprintf(&path, "%c:/%s", letter, name) == -1)
            path = NULL;
        if (path == NULL || folder == NULL)
            return facts_out_of_memory(error);
        path_fold(path);
        bool is_own = own.len == strlen(path) && memcmp(own.data, path, own.len) == 0;
        if (!is_own && holds_windows(folder) && string_list_add(others, path, error) == -1)
            return -1;
    }
    return 0;
}

static int collect_others(struct collection *collection, struct error *error)
{
    _cleanup_(string_list_clear) struct string_list others = {0};
    for (size_t i = 0; i < collection->drive_count; i++) {
        const struct facts_drive *drive = &collection->drives[i];
        const char running[] = {drive->letter, ':', '/', 0};
        const char *root = drive->root != NULL ? drive->root : platform_system_drive() != NULL ? running : NULL;
        if (root != NULL && find_others(collection, root, drive->letter, &others, error) == -1)
            return -1;
    }
    for (size_t i = 0; i < others.count; i++)
        string_list_note(collection->problems, "'%s' holds another Windows than the host's, which is not judged",
                         others.items[i]);
    return facts_set_list(collection, &others, true, "other Windows installations", &collection->facts->n_other_windows,
                          &collection->facts->other_windows, error);
}

int facts_collect_places(struct collection *collection, const struct facts_options *options, struct error *error)
{
    if (find_windows(collection, options, error) == -1 || collect_folders(collection, error) == -1)
        return -1;
    return collection->facts->windows_directory.len == 0 ? 0 : collect_others(collection, error);
}
