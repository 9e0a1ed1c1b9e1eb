/*
 * What the collector remembers of a host between two pushes, a small text file per key and host name in its state
 * directory. Losing it costs an enrolment and nothing else.
 */

#ifndef EVENKEEL_HOST_H
#define EVENKEEL_HOST_H

#include "proto/digest.h"
#include "proto/envelope.h"
#include "proto/error.h"
#include "proto/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_ID_BYTES 16

/* Plain data. */
struct host {
    char name[LIMIT_HOST_NAME_BYTES + 1];
    bool enrolled; /* id is known */
    uint8_t id[HOST_ID_BYTES];
    uint64_t sequence; /* the highest number used */
};

/* The file that holds it, to be freed; NULL with *error. Other files of the same host have this name and a suffix. */
char *host_path(const char *state, const struct signing_key *key, const char *name, struct error *error);

/* What is remembered; a host that is new, or whose file is damaged, is not enrolled. */
int host_load(const char *state, const struct signing_key *key, const char *name, struct host *host,
              struct error *error);

int host_save(const char *state, const struct signing_key *key, const struct host *host, struct error *error);

#endif
