/* The options of push, run and enroll. */

#ifndef EVENKEEL_OPTIONS_H
#define EVENKEEL_OPTIONS_H

#include "collector/facts/facts.h"
#include "collector/settings/config.h"
#include "proto/error.h"

#include <stdio.h>

struct options {
    struct config config;
    const char *root, *registry_file;                  /* as in collector/push.h */
    struct facts_drive more[FACTS_DRIVES_MAXIMUM - 1]; /* further roots and their drives */
    size_t more_count;
    bool drive_first;  /* --drive stood before any --root */
    const char *hosts; /* push: a file of hosts; NULL: one host */
    unsigned at_once;  /* push: how many of them at a time */
};

#define OPTIONS_AT_ONCE_DEFAULT 4u
#define OPTIONS_AT_ONCE_MAXIMUM 64u

/* How those that push and run have in common are told by --help. */
void options_usage(FILE *out);

/*
 * Fills *options, which options_clear() empties: 0, 1 where --help is asked for, or -1. argv[0] is 'push', 'run' or
 * 'enroll'. Settings come from --config, or else from where an installation leaves them unless it is 'push'; options
 * come on top.
 */
int options_parse(int argc, char **argv, struct options *options, struct error *error);
void options_clear(struct options *options);

#endif
