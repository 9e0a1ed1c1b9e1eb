/*
 * Which folders of a host's drive belong in an inventory: those that hold its own binaries, and not those that merely
 * back them up, so that a backup copy never counts as installed.
 */

#ifndef EVENKEEL_ROOTS_H
#define EVENKEEL_ROOTS_H

#include "collector/base/string_list.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>

struct roots; /* opaque */

/* What to do with a directory: bits. None of them: it is not entered. */
enum roots_choice {
    ROOTS_WAY = 1 << 0,   /* ask for each of its directories and files */
    ROOTS_FILES = 1 << 1, /* its files are wanted */
    ROOTS_TREE = 1 << 2,  /* and so is all below, but what is left out */
};

/* Where a host keeps its Windows and its programs: folded paths, from the drive letter or below any drive. */
struct roots_places {
    const char *const *windows; /* one, where it is known */
    size_t windows_count;
    const char *const *programs;
    size_t programs_count;
};

/* The usual names, for a host of which nothing else is known. */
const struct roots_places *roots_usual_places(void);

/* The built-in table at the usual places: a Windows host's own folders, without its backups. NULL where there is no
 * memory. */
struct roots *roots_new(void);
void roots_free(struct roots *roots); /* NULL is allowed */

/* The built-in table at these places instead, as far as they are on `drive`. */
int roots_place(struct roots *roots, char drive, const struct roots_places *places, struct error *error);

/* *drive becomes the letter that `text` names ('d' or 'D:'), in lower case. */
int roots_drive(const char *text, char *drive, struct error *error);

/* Takes in one of the backups after all, by its name in the table; ERROR_USAGE with the names where it is none. */
int roots_include(struct roots *roots, const char *name, struct error *error);

/*
 * Adds an own folder or file ('Windows/System32' or 'D:/Apps', any case, either slash), which replaces the built-in
 * folders; backups stay left out unless they are named themselves. A drive letter must be `drive`.
 */
int roots_add(struct roots *roots, char drive, const char *path, struct error *error);

/* The built-in folders are not wanted, even where no own one was added: those are on another drive. */
void roots_only_own(struct roots *roots);

/* Nothing is left out any more: what is asked for by name at the command line is wanted as it is. */
void roots_keep_all(struct roots *roots);

/* For the drive's top directory. */
unsigned roots_choose_top(struct roots *roots);

/* `path` is folded and without the drive ('windows/system32'); `above` is what was chosen for the directory above. */
unsigned roots_choose(struct roots *roots, unsigned above, const char *path);

/* Whether a file in a directory chosen with `above` is wanted. */
bool roots_choose_file(struct roots *roots, unsigned above, const char *path);

/* An own folder or file that no path matched so far, as it was added; NULL where there is none. */
const char *roots_unmatched(const struct roots *roots);

/* Adds the folders that were matched so far, and those for programs whether they are there or not, with '/' and a star
 * behind them for their files alone, or two stars for all below. */
int roots_covered(const struct roots *roots, char drive, struct string_list *covered, struct error *error);

/* The backups' names and folders in turn, for --help; NULL behind the last. */
const char *roots_backup_name(unsigned index, const char **pattern);

#endif
