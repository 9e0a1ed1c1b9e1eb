/*
 * What a snapshot could not see, as Facts.not_seen (proto/evenkeel.proto): each reason with its place, counted, sorted
 * by kind and place, so that the same host says the same. It is part of the facts: what was not seen reaches the
 * verdict.
 */

#ifndef EVENKEEL_NOT_SEEN_H
#define EVENKEEL_NOT_SEEN_H

#include "evenkeel.pb-c.h"
#include "proto/error.h"

#include <stddef.h>
#include <stdint.h>

#define NOT_SEEN_PLACES 64u       /* of one kind; further ones are counted under the empty place */
#define NOT_SEEN_WHAT_BYTES 1024u /* of a place; a longer one is counted under the empty place */

/*
 * Counts `count` things of `kind` at `what` (well-formed UTF-8; NULL: no place of its own). Entries of one kind and
 * place are added up; the list stays sorted. 0, or -1 with ERROR_MEMORY.
 */
int not_seen_add(Evenkeel__Facts *facts, Evenkeel__NotSeenKind kind, const char *what, uint64_t count,
                 struct error *error);

#define NOT_SEEN_TEXT_BYTES 1024u

/*
 * Sums up what was not seen, for a person: how much of each kind, and one place as an example. Empty where all was
 * seen; what does not fit is cut. Returns `text`.
 */
char *not_seen_text(const Evenkeel__Facts *facts, char *text, size_t size);

#endif
