/*
 * Objects of a tree on this machine: runs `evenkeel-collector scan --format objects` and reads what it writes: per
 * object a length (32 bits, little-endian), then a packed Object of evenkeel.proto; images before the chunks that name
 * them; the inventory is last.
 */

#ifndef EVENKEEL_OBJECT_STREAM_H
#define EVENKEEL_OBJECT_STREAM_H

#include "aggregator/store/request.h"

/*
 * Calls `visit` for every object, decoded as request.h has it and valid during the call only, until it returns -1 (with
 * *error). `arguments` (ended by NULL) go to scan after '--format objects'. -1 with *error too where the collector is
 * not found, fails, or stops early.
 */
int object_stream_read(const char *const *arguments,
                       int (*visit)(void *context, const struct object *object, struct error *error), void *context,
                       struct error *error);

#endif
