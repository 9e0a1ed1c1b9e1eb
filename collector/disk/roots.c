/* Which folders of a host's drive belong in an inventory. */

#include "roots.h"

#include "collector/base/path.h"
#include "proto/cleanup.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum holding {
    OWN,    /* the host's own binaries, with all below */
    FILES,  /* the host's own binaries, this folder alone */
    BACKUP, /* copies of them, left out with all below; taken in by its name */
};

enum place { DRIVE, WINDOWS, PROGRAMS };

/* Folders below a place, folded; '*' stands for any part of a name. */
static const struct {
    enum holding holding;
    enum place place;
    const char *name;
    const char *pattern;
} table[] = {
    {OWN, WINDOWS, NULL, "system32"},
    {OWN, WINDOWS, NULL, "syswow64"},
    {FILES, WINDOWS, NULL, ""},
    /* What .NET Framework's updates bring; below lie languages, and what is compiled on the host. */
    {FILES, WINDOWS, NULL, "microsoft.net/framework/v1.1.4322"},
    {FILES, WINDOWS, NULL, "microsoft.net/framework/v2.0.50727"},
    {FILES, WINDOWS, NULL, "microsoft.net/framework/v4.0.30319"},
    {FILES, WINDOWS, NULL, "microsoft.net/framework/v4.0.30319/wpf"},
    {FILES, WINDOWS, NULL, "microsoft.net/framework64/v2.0.50727"},
    {FILES, WINDOWS, NULL, "microsoft.net/framework64/v4.0.30319"},
    {FILES, WINDOWS, NULL, "microsoft.net/framework64/v4.0.30319/wpf"},
    {FILES, WINDOWS, NULL, "microsoft.net/frameworkarm64/v4.0.30319"},
    {FILES, WINDOWS, NULL, "microsoft.net/frameworkarm64/v4.0.30319/wpf"},
    {OWN, PROGRAMS, NULL, ""},

    {BACKUP, WINDOWS, "winsxs", "winsxs"},
    {BACKUP, WINDOWS, "dllcache", "system32/dllcache"},
    {BACKUP, WINDOWS, "servicepackfiles", "servicepackfiles"},
    {BACKUP, WINDOWS, "ntuninstall", "$ntuninstall*$"},
    {BACKUP, WINDOWS, "ntservicepackuninstall", "$ntservicepackuninstall*$"},
    {BACKUP, WINDOWS, "hf_mig", "$hf_mig$"},
    {BACKUP, WINDOWS, "softwaredistribution", "softwaredistribution"},
    {BACKUP, WINDOWS, "installer", "installer"},
    {BACKUP, WINDOWS, "driverstore", "system32/driverstore/filerepository"},
    {BACKUP, WINDOWS, "reinstallbackups", "system32/reinstallbackups"},
    {BACKUP, WINDOWS, "config", "system32/config"},
    {BACKUP, PROGRAMS, "installshield", "installshield installation information"},
    {BACKUP, DRIVE, "windows.old", "windows.old"},
};

#define TABLE_ROWS (sizeof table / sizeof *table)

static const char *const usual_windows[] = {"windows", "winnt"};
static const char *const usual_programs[] = {"program files", "program files (x86)", "program files (arm)"};

/* A row of the table at one of its places. */
struct built_in {
    size_t row;
    char *place; /* the place's path without the drive; nothing in it is a pattern; "" for the drive's top */
    bool matched;
};

struct row {
    char *path; /* folded */
    char *written;
    bool matched;
};

struct roots {
    bool included[TABLE_ROWS];
    bool keep_all, only_own;
    struct built_in *built_in;
    size_t built_in_count;
    struct row *own;
    size_t own_count;
};

enum match { MATCH_NONE, MATCH_ABOVE /* the path leads to the pattern */, MATCH_EXACT };

/* Whether [text, text_end) is [pattern, pattern_end), where one '*' stands for any run of letters. */
static bool name_is(const char *pattern, const char *pattern_end, const char *text, const char *text_end)
{
    size_t pattern_length = (size_t)(pattern_end - pattern), text_length = (size_t)(text_end - text);
    const char *star = memchr(pattern, '*', pattern_length);
    if (star == NULL)
        return pattern_length == text_length && memcmp(pattern, text, text_length) == 0;
    size_t before = (size_t)(star - pattern), after = pattern_length - before - 1;
    return text_length >= before + after && memcmp(pattern, text, before) == 0 &&
           memcmp(star + 1, text_end - after, after) == 0;
}

static const char *end_of_name(const char *text)
{
    return text + strcspn(text, "/");
}

static enum match match(const char *pattern, const char *path)
{
    for (;;) {
        const char *pattern_end = end_of_name(pattern), *path_end = end_of_name(path);
        if (!name_is(pattern, pattern_end, path, path_end))
            return MATCH_NONE;
        if (*path_end == 0)
            return *pattern_end == 0 ? MATCH_EXACT : MATCH_ABOVE;
        if (*pattern_end == 0)
            return MATCH_NONE;
        pattern = pattern_end + 1;
        path = path_end + 1;
    }
}

/* An own row names a path as it is; nothing in it is a pattern. */
static enum match match_own(const char *own, const char *path)
{
    size_t length = strlen(path);
    if (strncmp(own, path, length) != 0)
        return MATCH_NONE;
    return own[length] == 0 ? MATCH_EXACT : own[length] == '/' ? MATCH_ABOVE : MATCH_NONE;
}

/* Likewise for a pattern below a place. */
static enum match match_below(const char *place, const char *pattern, const char *path)
{
    size_t length = strlen(place);
    if (length == 0)
        return match(pattern, path);
    if (strncmp(place, path, length) == 0 && path[length] == '/')
        return *pattern == 0 ? MATCH_NONE : match(pattern, path + length + 1);
    enum match found = match_own(place, path);
    return found == MATCH_EXACT && *pattern != 0 ? MATCH_ABOVE : found;
}

static void clear_built_in(struct roots *roots)
{
    for (size_t i = 0; i < roots->built_in_count; i++)
        free(roots->built_in[i].place);
    free(roots->built_in);
    roots->built_in = NULL;
    roots->built_in_count = 0;
}

/* The table's rows of this kind at `path`, which starts with a drive letter or is below any. */
static int build(struct roots *roots, char drive, enum place place, const char *path, struct error *error)
{
    if (path[0] != 0 && path[1] == ':') {
        if (path[0] != drive)
            return 0;
        path += path[2] == '/' ? 3 : 2;
    }
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        if (table[i].place != place)
            continue;
        struct built_in *rows = realloc(roots->built_in, (roots->built_in_count + 1) * sizeof *rows);
        if (rows != NULL)
            roots->built_in = rows;
        char *copy = strdup(path);
        if (rows == NULL || copy == NULL) {
            free(copy);
            return error_set(error, ERROR_MEMORY, "no memory for a folder's name");
        }
        rows[roots->built_in_count++] = (struct built_in){.row = i, .place = copy};
    }
    return 0;
}

int roots_place(struct roots *roots, char drive, const struct roots_places *places, struct error *error)
{
    clear_built_in(roots);
    if (build(roots, drive, DRIVE, "", error) < 0)
        return -1;
    for (size_t i = 0; i < places->windows_count; i++)
        if (build(roots, drive, WINDOWS, places->windows[i], error) < 0)
            return -1;
    for (size_t i = 0; i < places->programs_count; i++)
        if (build(roots, drive, PROGRAMS, places->programs[i], error) < 0)
            return -1;
    return 0;
}

const struct roots_places *roots_usual_places(void)
{
    static const struct roots_places places = {.windows = usual_windows,
                                               .windows_count = sizeof usual_windows / sizeof *usual_windows,
                                               .programs = usual_programs,
                                               .programs_count = sizeof usual_programs / sizeof *usual_programs};
    return &places;
}

struct roots *roots_new(void)
{
    struct roots *roots = calloc(1, sizeof *roots);
    if (roots == NULL || roots_place(roots, 'c', roots_usual_places(), NULL) == 0)
        return roots;
    roots_free(roots);
    return NULL;
}

void roots_free(struct roots *roots)
{
    if (roots == NULL)
        return;
    clear_built_in(roots);
    for (size_t i = 0; i < roots->own_count; i++) {
        free(roots->own[i].path);
        free(roots->own[i].written);
    }
    free(roots->own);
    free(roots);
}

int roots_drive(const char *text, char *drive, struct error *error)
{
    char letter = (char)(text[0] | 0x20);
    if (letter < 'a' || letter > 'z' || (text[1] != 0 && strcmp(text + 1, ":") != 0))
        return error_set(error, ERROR_USAGE, "'%s' is no drive letter; write it as in '--drive d'", text);
    *drive = letter;
    return 0;
}

int roots_include(struct roots *roots, const char *name, struct error *error)
{
    char names[400] = "";
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        if (table[i].holding != BACKUP)
            continue;
        if (strcasecmp(name, table[i].name) == 0) {
            roots->included[i] = true;
            return 0;
        }
        strncat(names, names[0] != 0 ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, table[i].name, sizeof names - strlen(names) - 1);
    }
    return error_set(error, ERROR_USAGE, "there is no backup folder called '%s' to include; there are %s", name, names);
}

int roots_add(struct roots *roots, char drive, const char *path, struct error *error)
{
    struct row row = {.path = strdup(path), .written = strdup(path)};
    struct row *own = realloc(roots->own, (roots->own_count + 1) * sizeof *own);
    if (own != NULL)
        roots->own = own;
    if (own == NULL || row.path == NULL || row.written == NULL) {
        free(row.path);
        free(row.written);
        return error_set(error, ERROR_MEMORY, "no memory for a folder's name");
    }
    roots->own[roots->own_count++] = row;
    roots->only_own = true;

    path_fold(row.path);
    char *from = row.path, *to = row.path;
    if (from[0] != 0 && from[1] == ':') {
        if (from[0] != drive)
            return error_set(error, ERROR_USAGE, "'%s' is not on drive %c:; name that drive with --drive", path, drive);
        from += 2;
    }
    while (*from != 0) {
        const char *end = end_of_name(from);
        size_t length = (size_t)(end - from);
        if (length == 2 && memcmp(from, "..", 2) == 0)
            return error_set(error, ERROR_USAGE, "'%s' leads upwards; write the folder's path without '..'", path);
        if (length > 0 && !(length == 1 && from[0] == '.')) {
            if (to > row.path)
                *to++ = '/';
            memmove(to, from, length);
            to += length;
        }
        from += length + (*end != 0);
    }
    *to = 0;
    return 0;
}

void roots_only_own(struct roots *roots)
{
    roots->only_own = true;
}

void roots_keep_all(struct roots *roots)
{
    roots->keep_all = true;
}

unsigned roots_choose(struct roots *roots, unsigned above, const char *path)
{
    unsigned choice = above & ROOTS_TREE ? ROOTS_FILES | ROOTS_TREE : 0;
    bool left_out = false;

    for (size_t i = 0; i < roots->built_in_count; i++) {
        struct built_in *at = &roots->built_in[i];
        enum holding holding = table[at->row].holding;
        bool backup = holding == BACKUP, included = roots->included[at->row];
        if ((roots->only_own && !backup) || (backup && !included && roots->keep_all))
            continue;
        enum match found = match_below(at->place, table[at->row].pattern, path);
        at->matched |= found == MATCH_EXACT;
        if (backup && !included)
            left_out |= found == MATCH_EXACT;
        else if (found == MATCH_ABOVE)
            choice |= ROOTS_WAY;
        else if (found == MATCH_EXACT)
            choice |= holding == FILES ? ROOTS_FILES : ROOTS_FILES | ROOTS_TREE;
    }
    if (left_out)
        choice = 0;
    for (size_t i = 0; i < roots->own_count; i++) {
        enum match found = roots->own[i].path[0] == 0 ? MATCH_NONE : match_own(roots->own[i].path, path);
        roots->own[i].matched |= found == MATCH_EXACT;
        if (found == MATCH_ABOVE)
            choice |= ROOTS_WAY;
        else if (found == MATCH_EXACT)
            choice |= ROOTS_FILES | ROOTS_TREE;
    }
    return choice;
}

unsigned roots_choose_top(struct roots *roots)
{
    unsigned choice = ROOTS_WAY;
    for (size_t i = 0; i < roots->own_count; i++)
        if (roots->own[i].path[0] == 0) {
            roots->own[i].matched = true;
            choice |= ROOTS_FILES | ROOTS_TREE;
        }
    return choice;
}

bool roots_choose_file(struct roots *roots, unsigned above, const char *path)
{
    bool wanted = above & ROOTS_FILES;
    if (above & ROOTS_WAY)
        for (size_t i = 0; i < roots->own_count; i++)
            if (strcmp(roots->own[i].path, path) == 0)
                wanted = roots->own[i].matched = true;
    return wanted;
}

const char *roots_unmatched(const struct roots *roots)
{
    for (size_t i = 0; i < roots->own_count; i++)
        if (!roots->own[i].matched)
            return roots->own[i].written;
    return NULL;
}

static int cover(struct string_list *covered, char drive, const char *place, const char *inner, const char *end,
                 struct error *error)
{
    char *text = NULL;
    if (asprintf(&text, "%c:%s%s%s%s%s", drive, *place != 0 ? "/" : "", place, *inner != 0 ? "/" : "", inner, end) < 0)
        text = NULL;
    return string_list_take(covered, text, error);
}

int roots_covered(const struct roots *roots, char drive, struct string_list *covered, struct error *error)
{
    for (size_t i = 0; i < roots->own_count; i++)
        if (roots->own[i].matched && cover(covered, drive, roots->own[i].path, "", "/**", error) < 0)
            return -1;
    for (size_t i = 0; !roots->only_own && i < roots->built_in_count; i++) {
        const struct built_in *at = &roots->built_in[i];
        /* A disk without a folder for programs has none of the programs that would lie there. */
        bool looked = at->matched || table[at->row].place == PROGRAMS;
        if (looked && table[at->row].holding != BACKUP &&
            cover(covered, drive, at->place, table[at->row].pattern, table[at->row].holding == FILES ? "/*" : "/**",
                  error) < 0)
            return -1;
    }
    return 0;
}

const char *roots_backup_name(unsigned index, const char **pattern)
{
    for (size_t i = 0; i < TABLE_ROWS; i++)
        if (table[i].holding == BACKUP && index-- == 0) {
            *pattern = table[i].pattern;
            return table[i].name;
        }
    return NULL;
}
