/*
 * A check's file: comment lines of a header ('-- title:', '-- scope:', '-- reads:', and for the report, where they are
 * there, '-- rank:' and '-- counted:'), then its query; a fleet check has two, its keys first, each after a line
 * '-- keys' and '-- verdict'. What it reads, itself or through functions,
 * decides whether a patch can change its verdict: 'files' (which builds lie where, and what follows of levels and
 * patches), 'imports' (what files call, which only a payload tells) and 'facts' (the registry, times, check-ins: all
 * that a patch leaves alone).
 */

#ifndef EVENKEEL_CHECK_FILE_H
#define EVENKEEL_CHECK_FILE_H

#include "proto/error.h"

/*
 * Points into the text that was parsed, which it changes; `reads` is as written, `keys` is empty for other scopes. NULL
 * where the file says nothing of it: `rank` is a digit, 1 for the worst; what one host has of it, and what more have,
 * follow a number ('1 host', '2 hosts').
 */
struct check_file {
    char *title, *scope, *reads, *rank, *counted_one, *counted_many, *keys, *verdict;
};

/* -1 with *error that names what lacks. */
int check_file_parse(const char *name, char *text, struct check_file *check, struct error *error);

#endif
