/* Many hosts from one machine: those whose disks it can reach, a few at a time. */

#ifndef EVENKEEL_BATCH_H
#define EVENKEEL_BATCH_H

#include "collector/commands/options.h"
#include "proto/error.h"
#include "push.h"

/* The line that tells a person what a push came to, to stdout. */
void batch_print(const struct push_result *result);

/*
 * Pushes every host of options->hosts, options->at_once of them at a time. A line is printed per host: of those that
 * were accepted to stdout, of the others to stderr. -1 where the file is wrong, before anything is pushed, or where a
 * host was not accepted.
 */
int batch_push(const struct options *options, struct error *error);

#endif
