/*
 * A check's file: comment lines of a header ('-- title:', '-- scope:'), then its query; a fleet check has two, its keys
 * first, each after a line '-- keys' and '-- verdict'.
 */

#ifndef EVENKEEL_CHECK_FILE_H
#define EVENKEEL_CHECK_FILE_H

#include "proto/error.h"

/* Points into the text that was parsed, which it changes; `keys` is empty for other scopes. */
struct check_file {
    char *title, *scope, *keys, *verdict;
};

/* -1 with *error that names what lacks. */
int check_file_parse(const char *name, char *text, struct check_file *check, struct error *error);

#endif
