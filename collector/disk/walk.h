/*
 * Visits the files of a tree, depth first, in byte order of their whole folded paths: a directory stands where its name
 * with a '/' behind it does ('a-b' before 'a/c'). Directories whose paths fold to the same are one, as they are to
 * Windows: what is in them is merged, and of files of the very same folded path the first counts, in byte order of the
 * paths as they are spelled. Nothing is held but the names in the directories on the way to the current one. Links and
 * junctions are never followed.
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
    uint64_t duplicates;  /* files whose folded path is that of another */
    uint64_t links;       /* not followed */
    uint64_t packed;      /* files in a form that only Windows reads, see PLATFORM_PACKED */
    uint64_t others;      /* devices, pipes, sockets */
};

/* Why something that was wanted is not seen. */
enum walk_unseen {
    WALK_UNREADABLE, /* the path of a directory, or of a file that is a program by its name */
    WALK_SAME_PATH,  /* the path of a file of which another spelling was visited */
    WALK_LINK,       /* the path of a link or junction */
    WALK_UNNAMEABLE, /* the path of the directory that holds a name which can't be told */
    WALK_PACKED,     /* the path of a packed file that is a program by its name */
};

struct walk_options {
    const char *prefix;  /* what paths start with: 'c:/', or the directory as the user called it with '/' behind */
    bool fold;           /* ASCII letters of paths to lower case; what folds to the same path is one */
    bool strict;         /* pass over names that are not UTF-8 or hold control characters or a backslash */
    struct roots *roots; /* which folders; NULL: all */
    void *context;

    /* 0: go on. 1: the file could not be read, *error says why; it is reported and counted. -1: stop with *error. */
    int (*visit)(void *context, const struct walk_file *file, struct error *error);

    /* Which of several files of one path is visited: the one with the least number, of equal ones the first. NULL: the
     * first in any case. */
    uint64_t (*rank)(void *context, const struct walk_file *file);

    /* One sentence on something that was passed over, with its path; NULL: nobody wants to know. */
    void (*report)(void *context, const char *sentence);

    /* The same for programs: what hides something that was wanted, by its path as walk_file has it, a directory's
     * without the '/' behind it. NULL: nobody wants to know. */
    void (*unseen)(void *context, enum walk_unseen why, const char *path);
};

/* -1 only where visit() said so, or memory ended; what can't be read is reported, and counted in *counts. */
int walk(struct platform_directory *directory, const struct walk_options *options, struct walk_counts *counts,
         struct error *error);

/* "2 unreadable, 1 link not followed" for what was passed over; "" for nothing. Returns `buffer`. */
const char *walk_counts_text(const struct walk_counts *counts, char *buffer, size_t capacity);

#endif
