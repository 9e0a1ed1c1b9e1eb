/* Where a report goes. */

#ifndef EVENKEEL_REPORT_PLACE_H
#define EVENKEEL_REPORT_PLACE_H

#include "proto/error.h"

#include <stdio.h>

/* What is to be written, by whoever can: -1 with *error, after which what was written is of no use. */
struct report_source {
    int (*write)(const void *context, FILE *out, struct error *error);
    const void *context;
};

/*
 * Writes it to a file, whole or not at all: beside `path`, or beside what that links to, and renamed once it is on the
 * disk. What is there and is no file, as a device or a pipe, is written into. NULL or "-" is stdout, which is not
 * flushed. -1 with *error.
 */
int report_place(const struct report_source *source, const char *path, struct error *error);

#endif
