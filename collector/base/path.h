/* Paths as Evenkeel names them: UTF-8, '/' between the parts, folded, from the drive letter
 * ('c:/windows/system32/ntdll.dll'). */

#ifndef EVENKEEL_PATH_H
#define EVENKEEL_PATH_H

#include "proto/error.h"

/* Longest path that any part of the collector follows, in bytes: NT's 32,767 UTF-16 units are at most three bytes each.
 */
#define PATH_LENGTH_LIMIT 98304

/*
 * Folds in place: ASCII letters to lower case, backslashes to '/', nothing else. Other letters stay as they are, so
 * that the result depends on no locale and no Unicode version; it decides identity.
 */
void path_fold(char *path);

/* "directory/name" with exactly one '/' between them, to be freed; NULL where memory is out. */
char *path_join(const char *directory, const char *name);

/*
 * Finds the file or directory `path` (folded, relative, '/' between the parts) below the directory `root`, whatever the
 * case of its letters on the disk: 1 and *found (the path as it is on the disk, to be freed), 0 where there is none, -1
 * where a directory on the way can't be read. Links below the root are not followed. Of several names that fold to the
 * same, each is gone into in byte order, and the first place where the path is found counts. A path over
 * LIMIT_PATH_BYTES is an error: no inventory holds one either.
 */
int path_find(const char *root, const char *path, char **found, struct error *error);

#endif
