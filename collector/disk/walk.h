/*
 * Visits the files of a tree, depth first, in byte order of their whole folded paths: a directory stands where its name
 * with a '/' behind it does ('a-b' before 'a/c'). Nothing is held but the names in the directories on the way to the
 * current one. Links and junctions are never followed.
 */

#ifndef EVENKEEL_WALK_H
#define EVENKEEL_WALK_H

#include "collector/platform/platform.h"
#include "proto/bytes.h"
#include "proto/error.h"
#include "roots.h"

#include <stdbool.h>
#include <stdint.h>

/* One file. All of it is valid during the visit only; both paths end with a NUL. */
struct walk_file {
    struct bytes path;  /* after walk_options.prefix; folded if so wished */
    struct bytes found; /* below the opened directory, as it is spelled there */
    struct platform_directory *directory;
    const char *name; /* in that directory */
};

struct walk_counts {
    uint64_t files;       /* visited */
    uint64_t directories; /* entered */
    uint64_t unreadable;  /* directories and files that could not be read */
    uint64_t hidden;      /* of both, what may hold programs: directories, and files that are programs by their names */
    uint64_t unnameable;  /* names or paths that identity does not allow, see walk_options.strict */
    uint64_t duplicates;  /* names that fold to the name of another */
    uint64_t links;       /* not followed */
    uint64_t others;      /* devices, pipes, sockets */
};

struct walk_options {
    const char *prefix;  /* what paths start with: 'c:/', or the directory as the user called it with '/' behind */
    bool fold;           /* ASCII letters of paths to lower case; of names that fold to the same the first counts */
    bool strict;         /* pass over names that are not UTF-8 or hold control characters or a backslash */
    struct roots *roots; /* which folders; NULL: all */
    void *context;

    /* 0: go on. 1: the file could not be read, *error says why; it is reported and counted. -1: stop with *error. */
    int (*visit)(void *context, const struct walk_file *file, struct error *error);

    /* One sentence on something that was passed over, with its path; NULL: nobody wants to know. */
    void (*report)(void *context, const char *sentence);
};

/* -1 only where visit() said so, or memory ended; what can't be read is reported, and counted in *counts. */
int walk(struct platform_directory *directory, const struct walk_options *options, struct walk_counts *counts,
         struct error *error);

/* "2 unreadable, 1 link not followed" for what was passed over; "" for nothing. Returns `buffer`. */
const char *walk_counts_text(const struct walk_counts *counts, char *buffer, size_t capacity);

#endif
