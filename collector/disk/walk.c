/* Visits the files of a tree in byte order of their folded paths. */

#include "walk.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/program_name.h"

#include <stdlib.h>
#include <string.h>

/* Where a name lies in its directory's text, as an offset since the text moves while it grows. */
struct name {
    uint32_t offset;
    uint16_t length;
    uint8_t kind; /* enum platform_kind */
};

/* The names of one directory. */
struct names {
    char *text;
    size_t text_length, text_size;
    struct name *entries;
    size_t count, size;
};

struct walker {
    const struct walk_options *options;
    struct walk_counts *counts;
    size_t prefix; /* bytes of it in `path` */
    char path[LIMIT_PATH_BYTES + 1];
    char found[LIMIT_PATH_BYTES + 1];
};

static void names_clear(struct names *names)
{
    free(names->text);
    free(names->entries);
}

static void *grown(void *array, size_t *size, size_t needed, size_t element, size_t first)
{
    if (needed <= *size)
        return array;
    size_t next = *size > 0 ? *size + *size / 2 : first;
    if (next < needed)
        next = needed;
    void *moved = realloc(array, next * element);
    if (moved != NULL)
        *size = next;
    return moved;
}

static int names_add(struct names *names, const char *name, size_t length, enum platform_kind kind, struct error *error)
{
    char *text = grown(names->text, &names->text_size, names->text_length + length + 1, 1, 2048);
    if (text != NULL)
        names->text = text;
    struct name *entries = grown(names->entries, &names->size, names->count + 1, sizeof *entries, 64);
    if (entries != NULL)
        names->entries = entries;
    if (text == NULL || entries == NULL || names->text_length + length >= UINT32_MAX)
        return error_set(error, ERROR_MEMORY, "no memory for the names of a directory");
    names->entries[names->count++] =
        (struct name){.offset = (uint32_t)names->text_length, .length = (uint16_t)length, .kind = (uint8_t)kind};
    memcpy(text + names->text_length, name, length + 1);
    names->text_length += length + 1;
    return 0;
}

static unsigned char folded(unsigned char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (unsigned char)(letter + ('a' - 'A')) : letter;
}

/* Order of two names by their folded bytes; `a_end` and `b_end` are the letter behind each, 0 or '/'. */
static int compare_folded(const char *text, const struct name *a, const struct name *b, unsigned char a_end,
                          unsigned char b_end)
{
    const unsigned char *left = (const unsigned char *)text + a->offset;
    const unsigned char *right = (const unsigned char *)text + b->offset;
    size_t shorter = a->length < b->length ? a->length : b->length;
    for (size_t i = 0; i < shorter; i++)
        if (left[i] != right[i] && folded(left[i]) != folded(right[i]))
            return folded(left[i]) < folded(right[i]) ? -1 : 1;
    unsigned char left_next = a->length > shorter ? folded(left[shorter]) : a_end;
    unsigned char right_next = b->length > shorter ? folded(right[shorter]) : b_end;
    return left_next != right_next ? (left_next < right_next ? -1 : 1)
                                   : (a->length > b->length) - (a->length < b->length);
}

/* What the entries being sorted lie in: qsort hands nothing through, and qsort_r is not the same everywhere. */
static _Thread_local const char *sorted_text;

/* Names that fold to the same stand side by side, the first in byte order first. */
static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = compare_folded(sorted_text, left, right, 0, 0);
    return order != 0 ? order : strcmp(sorted_text + left->offset, sorted_text + right->offset);
}

static int compare_paths(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = compare_folded(sorted_text, left, right, left->kind == PLATFORM_DIRECTORY ? '/' : 0,
                               right->kind == PLATFORM_DIRECTORY ? '/' : 0);
    return order != 0 ? order : strcmp(sorted_text + left->offset, sorted_text + right->offset);
}

static void names_sort(struct names *names, int (*compare)(const void *a, const void *b))
{
    sorted_text = names->text;
    if (names->count > 0)
        qsort(names->entries, names->count, sizeof *names->entries, compare);
}

static void report(struct walker *walker, size_t found_length, const char *name, const char *why)
{
    if (walker->options->report == NULL)
        return;
    char sentence[sizeof((struct error *)0)->message];
    struct error shown = {0};
    error_set(&shown, ERROR_IO, "'%.*s%.*s%s': %s", (int)walker->prefix, walker->path, (int)found_length, walker->found,
              name, why);
    memcpy(sentence, shown.message, sizeof sentence);
    walker->options->report(walker->options->context, sentence);
}

static bool name_allowed(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\')
            return false;
    return bytes_are_utf8(bytes_of(name, length));
}

static void count_unnameable(struct walker *walker, const char *name, bool is_directory)
{
    walker->counts->unnameable++;
    walker->counts->hidden += is_directory || is_program_name(name);
}

/* The names in `directory`, sorted, without those that are passed over. */
static int names_list(struct walker *walker, struct platform_directory *directory, size_t found_length,
                      struct names *names, struct error *error)
{
    const struct walk_options *options = walker->options;
    const char *name;
    enum platform_kind kind;
    struct error problem = {0};
    int got;
    while ((got = platform_directory_next(directory, &name, &kind, &problem)) > 0) {
        size_t length = strlen(name);
        if (kind == PLATFORM_LINK) {
            walker->counts->links++;
        } else if (kind == PLATFORM_OTHER) {
            walker->counts->others++;
        } else if (options->strict && !name_allowed(name, length)) {
            count_unnameable(walker, name, kind == PLATFORM_DIRECTORY);
            report(walker, found_length, name, "passed over, its name is no plain UTF-8");
        } else if (length >= LIMIT_PATH_BYTES) {
            count_unnameable(walker, name, kind == PLATFORM_DIRECTORY);
            report(walker, found_length, name, "passed over, its name is too long");
        } else if (names_add(names, name, length, kind, error) < 0) {
            return -1;
        }
    }
    if (got < 0) {
        walker->counts->unreadable++;
        walker->counts->hidden++;
        report(walker, found_length, "", problem.message);
    }
    if (options->fold && names->count > 0) {
        names_sort(names, compare_names);
        size_t kept = 1;
        for (size_t i = 1; i < names->count; i++) {
            const struct name *entry = &names->entries[i];
            if (compare_folded(names->text, &names->entries[kept - 1], entry, 0, 0) == 0) {
                walker->counts->duplicates++;
                report(walker, found_length, names->text + entry->offset,
                       "passed over, another name differs from it in case only");
            } else {
                names->entries[kept++] = *entry;
            }
        }
        names->count = kept;
    }
    names_sort(names, compare_paths);
    return 0;
}

/* Writes `name` behind the first `length` bytes of both paths, with '/' behind a directory's; false if too long. */
static bool paths_set(struct walker *walker, size_t path_length, size_t found_length, const char *name, size_t length,
                      bool directory)
{
    if (path_length + length + directory > LIMIT_PATH_BYTES || found_length + length + directory > LIMIT_PATH_BYTES)
        return false;
    char *path = walker->path + path_length, *found = walker->found + found_length;
    memcpy(found, name, length);
    memcpy(path, name, length);
    if (walker->options->fold)
        for (size_t i = 0; i < length; i++)
            path[i] = (char)folded((unsigned char)path[i]);
    if (directory)
        found[length] = path[length] = '/';
    found[length + directory] = path[length + directory] = 0;
    return true;
}

/* What of the entry whose path is set is wanted; the path is shown to the roots without its '/'. */
static unsigned choose(struct walker *walker, unsigned above, size_t path_end, bool directory)
{
    struct roots *roots = walker->options->roots;
    if (roots == NULL)
        return ROOTS_FILES | ROOTS_TREE;
    if (!directory)
        return roots_choose_file(roots, above, walker->path + walker->prefix) ? ROOTS_FILES : 0;
    walker->path[path_end] = 0;
    unsigned choice = roots_choose(roots, above, walker->path + walker->prefix);
    walker->path[path_end] = '/';
    return choice;
}

static int walk_directory(struct walker *walker, struct platform_directory *directory, size_t path_length,
                          size_t found_length, unsigned choice, struct error *error);

static int visit_file(struct walker *walker, struct platform_directory *directory, size_t path_length,
                      size_t found_length, size_t length, struct error *error)
{
    struct error problem = {0};
    const char *name = walker->found + found_length;
    struct walk_file file = {.path = bytes_of(walker->path, path_length + length),
                             .found = bytes_of(walker->found, found_length + length),
                             .directory = directory,
                             .name = name};
    int visited = walker->options->visit(walker->options->context, &file, &problem);
    if (visited < 0) {
        if (error != NULL)
            *error = problem;
        return -1;
    }
    if (visited > 0) {
        /* Who runs a program lets others read it; what is kept from all others is data, such as a database's. */
        walker->counts->unreadable++;
        walker->counts->hidden += is_program_name(name);
        report(walker, found_length, name, problem.message);
    } else {
        walker->counts->files++;
    }
    return 0;
}

static int visit_directory(struct walker *walker, struct platform_directory *parent, const char *name,
                           size_t path_length, size_t found_length, unsigned choice, struct error *error)
{
    struct error problem = {0};
    struct platform_directory *directory;
    if (platform_directory_open_in(parent, name, &directory, &problem) < 0) {
        walker->counts->unreadable++;
        walker->counts->hidden++;
        report(walker, found_length, "", problem.message);
        return 0;
    }
    int status = walk_directory(walker, directory, path_length, found_length, choice, error);
    platform_directory_close(directory);
    return status;
}

static int walk_directory(struct walker *walker, struct platform_directory *directory, size_t path_length,
                          size_t found_length, unsigned choice, struct error *error)
{
    _cleanup_(names_clear) struct names names = {0};
    walker->counts->directories++;
    if (names_list(walker, directory, found_length, &names, error) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const struct name *entry = &names.entries[i];
        const char *name = names.text + entry->offset;
        bool is_directory = entry->kind == PLATFORM_DIRECTORY;
        if (!paths_set(walker, path_length, found_length, name, entry->length, is_directory)) {
            count_unnameable(walker, name, is_directory);
            report(walker, found_length, name, "passed over, its path is too long");
            continue;
        }
        size_t path_end = path_length + entry->length, found_end = found_length + entry->length;
        unsigned chosen = choose(walker, choice, path_end, is_directory);
        if (chosen == 0)
            continue;
        int status = is_directory ? visit_directory(walker, directory, name, path_end + 1, found_end + 1, chosen, error)
                                  : visit_file(walker, directory, path_length, found_length, entry->length, error);
        if (status < 0)
            return -1;
    }
    return 0;
}

int walk(struct platform_directory *directory, const struct walk_options *options, struct walk_counts *counts,
         struct error *error)
{
    size_t prefix = strlen(options->prefix);
    if (prefix >= LIMIT_PATH_BYTES)
        return error_set(error, ERROR_LIMIT, "the path '%.100s...' is too long", options->prefix);
    struct walker *walker = calloc(1, sizeof *walker);
    if (walker == NULL)
        return error_set(error, ERROR_MEMORY, "no memory to walk a tree");
    walker->options = options;
    walker->counts = counts;
    walker->prefix = prefix;
    memcpy(walker->path, options->prefix, prefix + 1);
    unsigned choice = options->roots != NULL ? roots_choose_top(options->roots) : ROOTS_FILES | ROOTS_TREE;
    int status = walk_directory(walker, directory, prefix, 0, choice, error);
    free(walker);
    return status;
}

const char *walk_counts_text(const struct walk_counts *counts, char *buffer, size_t capacity)
{
    const struct {
        uint64_t count;
        const char *what;
    } parts[] = {
        {counts->unreadable, "unreadable"},
        {counts->unnameable, "with a name or path that can't be told"},
        {counts->duplicates, "whose name differs from another in case only"},
        {counts->links, "links (never followed)"},
        {counts->others, "devices or pipes"},
    };
    size_t length = 0;
    buffer[0] = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count > 0 && length < capacity)
            length += (size_t)snprintf(buffer + length, capacity - length, "%s%llu %s", length > 0 ? ", " : "",
                                       (unsigned long long)parts[i].count, parts[i].what);
    return buffer;
}
