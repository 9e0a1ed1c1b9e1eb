/* What a host may be called: one rule for the collector that says the name and the aggregator that is told it. */

#ifndef EVENKEEL_HOST_NAME_H
#define EVENKEEL_HOST_NAME_H

#include "bytes.h"
#include "error.h"

/*
 * 0 where `name` may be a host's name, else -1 with a sentence that says what is wrong with it. It has 1 to
 * LIMIT_HOST_NAME_BYTES bytes of UTF-8 and nothing that would let a host pass for another in a list or a command:
 * no characters that can't be shown or seen, no blank at an end, no dot behind it, no *, ? or [ as in a glob, and it is
 * not written as a host_id.
 */
int host_name_check(struct bytes name, struct error *error);

#endif
