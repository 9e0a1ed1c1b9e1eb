/* Visits the files of a tree in byte order of their folded paths. */

#include "walk.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/program_name.h"

#include <stdlib.h>
#include <string.h>

/* A directory that is walked; several of them where their paths fold to the same. */
struct source {
    struct platform_directory *directory;
    char *found; /* its path as it is spelled; NULL where there is no other, for then walker->found holds it */
};

struct sources {
    struct source *items;
    size_t count;
};

/* Where a name lies in the text of all, as an offset since the text moves while it grows. */
struct name {
    uint32_t offset;
    uint16_t length;
    uint8_t kind;    /* enum platform_kind */
    uint32_t source; /* which of the directories it is in */
};

/* The names of the directories of one path. */
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

static int names_add(struct names *names, const char *name, size_t length, enum platform_kind kind, size_t source,
                     struct error *error)
{
    char *text = grown(names->text, &names->text_size, names->text_length + length + 1, 1, 2048);
    if (text != NULL)
        names->text = text;
    struct name *entries = grown(names->entries, &names->size, names->count + 1, sizeof *entries, 64);
    if (entries != NULL)
        names->entries = entries;
    if (text == NULL || entries == NULL || names->text_length + length >= UINT32_MAX)
        return error_set(error, ERROR_MEMORY, "no memory for the names of a directory");
    names->entries[names->count++] = (struct name){.offset = (uint32_t)names->text_length,
                                                   .length = (uint16_t)length,
                                                   .kind = (uint8_t)kind,
                                                   .source = (uint32_t)source};
    memcpy(text + names->text_length, name, length + 1);
    names->text_length += length + 1;
    return 0;
}

static unsigned char folded(unsigned char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (unsigned char)(letter + ('a' - 'A')) : letter;
}

/* The letter that stands behind a name in a path. */
static unsigned char end_of(const struct name *name)
{
    return name->kind == PLATFORM_DIRECTORY ? '/' : 0;
}

/* Order of the paths that two names make, by their folded bytes. */
static int compare_folded(const char *text, const struct name *a, const struct name *b)
{
    const unsigned char *left = (const unsigned char *)text + a->offset;
    const unsigned char *right = (const unsigned char *)text + b->offset;
    size_t shorter = a->length < b->length ? a->length : b->length;
    for (size_t i = 0; i < shorter; i++)
        if (left[i] != right[i] && folded(left[i]) != folded(right[i]))
            return folded(left[i]) < folded(right[i]) ? -1 : 1;
    unsigned char left_next = a->length > shorter ? folded(left[shorter]) : end_of(a);
    unsigned char right_next = b->length > shorter ? folded(right[shorter]) : end_of(b);
    return left_next != right_next ? (left_next < right_next ? -1 : 1)
                                   : (a->length > b->length) - (a->length < b->length);
}

/* What the entries being sorted lie in: qsort hands nothing through, and qsort_r is not the same everywhere. */
static _Thread_local const char *sorted_text;

/* Names that fold to the same stand side by side, in byte order of their whole paths as they are spelled. */
static int compare_paths(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = compare_folded(sorted_text, left, right);
    if (order == 0)
        order = (left->source > right->source) - (left->source < right->source);
    return order != 0 ? order : strcmp(sorted_text + left->offset, sorted_text + right->offset);
}

static void names_sort(struct names *names)
{
    sorted_text = names->text;
    if (names->count > 0)
        qsort(names->entries, names->count, sizeof *names->entries, compare_paths);
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

/* `length`: where in walker->path that path ends. */
static void unseen(struct walker *walker, enum walk_unseen why, size_t length)
{
    if (walker->options->unseen == NULL)
        return;
    if (length > walker->prefix && walker->path[length - 1] == '/')
        length--;
    char kept = walker->path[length];
    walker->path[length] = 0;
    walker->options->unseen(walker->options->context, why, walker->path);
    walker->path[length] = kept;
}

static void count_unnameable(struct walker *walker, size_t path_length, const char *name, bool is_directory)
{
    walker->counts->unnameable++;
    if (!is_directory && !is_program_name(name))
        return;
    walker->counts->hidden++;
    unseen(walker, WALK_UNNAMEABLE, path_length);
}

/* The names in one of the directories, without those that are passed over. */
static int names_list(struct walker *walker, const struct source *source, size_t index, size_t path_length,
                      size_t found_length, struct names *names, struct error *error)
{
    const char *name;
    enum platform_kind kind;
    struct error problem = {0};
    int got;
    while ((got = platform_directory_next(source->directory, &name, &kind, &problem)) > 0) {
        size_t length = strlen(name);
        if (kind == PLATFORM_OTHER) {
            walker->counts->others++;
        } else if (walker->options->strict && !name_allowed(name, length)) {
            count_unnameable(walker, path_length, name, kind == PLATFORM_DIRECTORY);
            report(walker, found_length, name, "passed over, its name is no plain UTF-8");
        } else if (length >= LIMIT_PATH_BYTES) {
            count_unnameable(walker, path_length, name, kind == PLATFORM_DIRECTORY);
            report(walker, found_length, name, "passed over, its name is too long");
        } else if (names_add(names, name, length, kind, index, error) < 0) {
            return -1;
        }
    }
    if (got < 0) {
        walker->counts->unreadable++;
        walker->counts->hidden++;
        report(walker, found_length, "", problem.message);
        unseen(walker, WALK_UNREADABLE, path_length);
    }
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

/* What was found in `source` is spelled as that is. */
static void spell(struct walker *walker, const struct source *source, size_t found_length)
{
    if (source->found != NULL)
        memcpy(walker->found, source->found, found_length);
}

/* What of the entry whose path is set is wanted; the path is shown to the roots without its '/'. */
static unsigned choose(struct walker *walker, unsigned above, size_t path_end, bool directory)
{
    struct roots *roots = walker->options->roots;
    if (roots == NULL)
        return ROOTS_FILES | ROOTS_TREE;
    if (!directory)
        return roots_choose_file(roots, above, walker->path + walker->prefix) ? ROOTS_FILES : 0;
    char kept = walker->path[path_end];
    walker->path[path_end] = 0;
    unsigned choice = roots_choose(roots, above, walker->path + walker->prefix);
    walker->path[path_end] = kept;
    return choice;
}

static int walk_directories(struct walker *walker, const struct sources *sources, size_t path_length,
                            size_t found_length, unsigned choice, struct error *error);

/* The file whose paths are set. */
static struct walk_file file_at(const struct walker *walker, struct platform_directory *directory, size_t path_length,
                                size_t found_length, size_t length)
{
    return (struct walk_file){.path = bytes_of(walker->path, path_length + length),
                              .found = bytes_of(walker->found, found_length + length),
                              .directory = directory,
                              .name = walker->found + found_length};
}

static int visit_file(struct walker *walker, struct platform_directory *directory, size_t path_length,
                      size_t found_length, size_t length, struct error *error)
{
    struct error problem = {0};
    struct walk_file file = file_at(walker, directory, path_length, found_length, length);
    const char *name = file.name;
    int visited = walker->options->visit(walker->options->context, &file, &problem);
    if (visited < 0) {
        if (error != NULL)
            *error = problem;
        return -1;
    }
    if (visited > 0) {
        /* Who runs a program lets others read it; what is kept from all others is data, such as a database's. */
        walker->counts->unreadable++;
        report(walker, found_length, name, problem.message);
        if (is_program_name(name)) {
            walker->counts->hidden++;
            unseen(walker, WALK_UNREADABLE, path_length + length);
        }
    } else {
        walker->counts->files++;
    }
    return 0;
}

/* Sets the paths to one of the files of a path: only where it was found differs. */
static void set_found(struct walker *walker, const struct sources *sources, const struct names *names,
                      const struct name *name, size_t found_length)
{
    spell(walker, &sources->items[name->source], found_length);
    memcpy(walker->found + found_length, names->text + name->offset, name->length + 1);
}

/* Which of the files of one path is visited. */
static size_t choose_file(struct walker *walker, const struct sources *sources, const struct names *names,
                          const struct name *first, size_t count, size_t path_length, size_t found_length)
{
    size_t chosen = 0;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; walker->options->rank != NULL && count > 1 && i < count; i++) {
        set_found(walker, sources, names, &first[i], found_length);
        struct walk_file file =
            file_at(walker, sources->items[first[i].source].directory, path_length, found_length, first[i].length);
        uint64_t rank = walker->options->rank(walker->options->context, &file);
        if (rank < least) {
            least = rank;
            chosen = i;
        }
    }
    return chosen;
}

/* Files of one path: one is visited, the others are told. */
static int visit_files(struct walker *walker, const struct sources *sources, const struct names *names,
                       const struct name *first, size_t count, size_t path_length, size_t found_length,
                       struct error *error)
{
    size_t chosen = choose_file(walker, sources, names, first, count, path_length, found_length);
    set_found(walker, sources, names, &first[chosen], found_length);
    int status = visit_file(walker, sources->items[first[chosen].source].directory, path_length, found_length,
                            first[chosen].length, error);
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (i == chosen)
            continue;
        spell(walker, &sources->items[first[i].source], found_length);
        walker->counts->duplicates++;
        report(walker, found_length, names->text + first[i].offset,
               "passed over, another name differs from it in case only");
        unseen(walker, WALK_SAME_PATH, path_length + first->length);
    }
    return status;
}

static void sources_close(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        platform_directory_close(sources->items[i].directory);
        free(sources->items[i].found);
    }
    free(sources->items);
}

/* Opens one of the directories of a path; what can't be opened is told. */
static int open_directory(struct walker *walker, const struct source *parent, const char *name, size_t path_end,
                          size_t found_end, bool alone, struct sources *opened, struct error *error)
{
    struct error problem = {0};
    struct platform_directory *directory;
    if (platform_directory_open_in(parent->directory, name, &directory, &problem) < 0) {
        walker->counts->unreadable++;
        walker->counts->hidden++;
        report(walker, found_end, "", problem.message);
        unseen(walker, WALK_UNREADABLE, path_end);
        return 0;
    }
    char *found = alone ? NULL : malloc(found_end + 1);
    opened->items[opened->count++] = (struct source){.directory = directory, .found = found};
    if (found == NULL)
        return alone ? 0 : error_set(error, ERROR_MEMORY, "no memory to walk a directory");
    memcpy(found, walker->found, found_end + 1);
    return 0;
}

/* Directories of one path, as the one that they are to Windows. */
static int visit_directories(struct walker *walker, const struct sources *sources, const struct names *names,
                             const struct name *first, size_t count, size_t path_length, size_t found_length,
                             unsigned choice, struct error *error)
{
    _cleanup_(sources_close) struct sources opened = {.items = calloc(count, sizeof *opened.items)};
    size_t path_end = path_length + first->length + 1, found_end = found_length + first->length + 1;
    if (opened.items == NULL)
        return error_set(error, ERROR_MEMORY, "no memory to walk a directory");
    for (size_t i = 0; i < count; i++) {
        const char *name = names->text + first[i].offset;
        spell(walker, &sources->items[first[i].source], found_length);
        paths_set(walker, path_length, found_length, name, first->length, true);
        if (open_directory(walker, &sources->items[first[i].source], name, path_end, found_end, count == 1, &opened,
                           error) < 0)
            return -1;
    }
    return opened.count == 0 ? 0 : walk_directories(walker, &opened, path_end, found_end, choice, error);
}

/* A link is never followed: whether it would lead to a directory or to a file, what is wanted there is not seen. */
static void pass_link(struct walker *walker, unsigned above, const char *name, size_t path_end, size_t found_length)
{
    walker->counts->links++;
    if (walker->options->unseen == NULL)
        return;
    if (choose(walker, above, path_end, true) == 0 && choose(walker, above, path_end, false) == 0)
        return;
    report(walker, found_length, name, "a link or junction, which is not followed: what it leads to was not seen");
    unseen(walker, WALK_LINK, path_end);
}

/* What Windows can read, and whoever mounted its disk can't. A disk may hold thousands of them: one is reported. */
static void pass_packed(struct walker *walker, unsigned above, const char *name, size_t path_end, size_t found_length)
{
    if (choose(walker, above, path_end, false) == 0)
        return;
    if (walker->counts->packed++ == 0)
        report(
            walker, found_length, name,
            "packed by Windows (CompactOS or deduplication), which what this disk is mounted with can't read; see NTFS "
            "in evenkeel-collector(1); further such files are counted");
    if (is_program_name(name))
        unseen(walker, WALK_PACKED, path_end);
}

static int walk_directories(struct walker *walker, const struct sources *sources, size_t path_length,
                            size_t found_length, unsigned choice, struct error *error)
{
    _cleanup_(names_clear) struct names names = {0};
    walker->counts->directories += sources->count;
    for (size_t i = 0; i < sources->count; i++) {
        spell(walker, &sources->items[i], found_length);
        if (names_list(walker, &sources->items[i], i, path_length, found_length, &names, error) < 0)
            return -1;
    }
    names_sort(&names);
    for (size_t i = 0, count; i < names.count; i += count) {
        const struct name *first = &names.entries[i];
        const char *name = names.text + first->offset;
        bool is_directory = first->kind == PLATFORM_DIRECTORY;
        for (count = 1; walker->options->fold && i + count < names.count && first->kind == first[count].kind &&
                        compare_folded(names.text, first, &first[count]) == 0;)
            count++;
        spell(walker, &sources->items[first->source], found_length);
        if (!paths_set(walker, path_length, found_length, name, first->length, is_directory)) {
            count_unnameable(walker, path_length, name, is_directory);
            report(walker, found_length, name, "passed over, its path is too long");
            continue;
        }
        size_t path_end = path_length + first->length;
        if (first->kind == PLATFORM_LINK) {
            pass_link(walker, choice, name, path_end, found_length);
            continue;
        }
        if (first->kind == PLATFORM_PACKED) {
            pass_packed(walker, choice, name, path_end, found_length);
            continue;
        }
        unsigned chosen = choose(walker, choice, path_end, is_directory);
        if (chosen == 0)
            continue;
        int status =
            is_directory
                ? visit_directories(walker, sources, &names, first, count, path_length, found_length, chosen, error)
                : visit_files(walker, sources, &names, first, count, path_length, found_length, error);
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
    const struct sources top = {.items = &(struct source){.directory = directory}, .count = 1};
    int status = walk_directories(walker, &top, prefix, 0, choice, error);
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
        {counts->duplicates, "whose path differs from another in case only"},
        {counts->links, "links (never followed)"},
        {counts->packed, "packed by Windows, not readable here"},
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
