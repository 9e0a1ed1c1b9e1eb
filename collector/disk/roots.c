/* Which folders of a host's drive belong in an inventory. */

#include "roots.h"

#include "collector/base/path.h"
#include "proto/cleanup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum holding {
    OWN,    /* the host's own binaries, with all below */
    FILES,  /* the host's own binaries, this folder alone */
    BACKUP, /* copies of them, left out with all below; taken in by its name */
};

/* Folders from the drive's own on, folded. '|' divides alternatives of one name, '*' stands for any part of a name. */
static const struct {
    enum holding holding;
    const char *name;
    const char *pattern;
} table[] = {
    {OWN, NULL, "windows|winnt/system32"},
    {OWN, NULL, "windows|winnt/syswow64"},
    {FILES, NULL, "windows|winnt"},
    {OWN, NULL, "program files"},
    {OWN, NULL, "program files (x86)"},
    {OWN, NULL, "program files (arm)"},

    {BACKUP, "winsxs", "windows|winnt/winsxs"},
    {BACKUP, "dllcache", "windows|winnt/system32/dllcache"},
    {BACKUP, "servicepackfiles", "windows|winnt/servicepackfiles"},
    {BACKUP, "ntuninstall", "windows|winnt/$ntuninstall*$"},
    {BACKUP, "ntservicepackuninstall", "windows|winnt/$ntservicepackuninstall*$"},
    {BACKUP, "hf_mig", "windows|winnt/$hf_mig$"},
    {BACKUP, "softwaredistribution", "windows|winnt/softwaredistribution"},
    {BACKUP, "installer", "windows|winnt/installer"},
    {BACKUP, "driverstore", "windows|winnt/system32/driverstore/filerepository"},
    {BACKUP, "reinstallbackups", "windows|winnt/system32/reinstallbackups"},
    {BACKUP, "config", "windows|winnt/system32/config"},
    {BACKUP, "installshield", "program files|program files (x86)/installshield installation information"},
    {BACKUP, "windows.old", "windows.old"},
};

#define TABLE_ROWS (sizeof table / sizeof *table)

struct row {
    char *path; /* folded */
    char *written;
    bool matched;
};

struct roots {
    bool included[TABLE_ROWS];
    bool keep_all;
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

static bool name_matches(const char *pattern, const char *pattern_end, const char *text, const char *text_end)
{
    for (;;) {
        const char *bar = memchr(pattern, '|', (size_t)(pattern_end - pattern));
        if (name_is(pattern, bar != NULL ? bar : pattern_end, text, text_end))
            return true;
        if (bar == NULL)
            return false;
        pattern = bar + 1;
    }
}

static const char *end_of_name(const char *text)
{
    return text + strcspn(text, "/");
}

static enum match match(const char *pattern, const char *path)
{
    for (;;) {
        const char *pattern_end = end_of_name(pattern), *path_end = end_of_name(path);
        if (!name_matches(pattern, pattern_end, path, path_end))
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

struct roots *roots_new(void)
{
    return calloc(1, sizeof(struct roots));
}

void roots_free(struct roots *roots)
{
    if (roots == NULL)
        return;
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

void roots_keep_all(struct roots *roots)
{
    roots->keep_all = true;
}

unsigned roots_choose(struct roots *roots, unsigned above, const char *path)
{
    unsigned choice = above & ROOTS_TREE ? ROOTS_FILES | ROOTS_TREE : 0;
    bool left_out = false;

    for (size_t i = 0; i < TABLE_ROWS; i++) {
        bool backup = table[i].holding == BACKUP;
        if ((roots->own_count > 0 && !backup) || (backup && !roots->included[i] && roots->keep_all))
            continue;
        enum match found = match(table[i].pattern, path);
        if (backup && !roots->included[i])
            left_out |= found == MATCH_EXACT;
        else if (found == MATCH_ABOVE)
            choice |= ROOTS_WAY;
        else if (found == MATCH_EXACT)
            choice |= table[i].holding == FILES ? ROOTS_FILES : ROOTS_FILES | ROOTS_TREE;
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

const char *roots_backup_name(unsigned index, const char **pattern)
{
    for (size_t i = 0; i < TABLE_ROWS; i++)
        if (table[i].holding == BACKUP && index-- == 0) {
            *pattern = table[i].pattern;
            return table[i].name;
        }
    return NULL;
}
