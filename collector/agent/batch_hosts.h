/*
 * The file of 'push --hosts': a line per host, its name, the folder that holds its system drive, and, where there is no
 * registry below that, its registry export, with tabs between them. Empty lines, and those that start with '#', say
 * nothing.
 */

#ifndef EVENKEEL_BATCH_HOSTS_H
#define EVENKEEL_BATCH_HOSTS_H

#include "proto/error.h"

#include <stddef.h>
#include <stdio.h>

#define BATCH_HOSTS_MAXIMUM 100000u

struct batch_host {
    char *name, *root, *registry_file; /* the last may be NULL */
    unsigned line;
};

/* Plain data; `{0}` is empty. */
struct batch_hosts {
    struct batch_host *items;
    size_t count, room;
};

/*
 * Reads `file`, called `name` in messages: at least one host, each name once. -1 with the line that is wrong. Clear in
 * any case.
 */
int batch_hosts_read(FILE *file, const char *name, struct batch_hosts *hosts, struct error *error);
void batch_hosts_clear(struct batch_hosts *hosts);

#endif
