/*
 * The judge: a thread that judges the hosts whose state changed, one for those of them that take longer than a turn
 * allows or could not be judged before, and one that judges what changes with the clock alone, every minute, and learns
 * from the whole fleet. What one host makes fail, or take long, keeps none of the others.
 */

#ifndef EVENKEEL_JUDGE_H
#define EVENKEEL_JUDGE_H

#include "proto/error.h"

struct judge; /* opaque; its functions may be called from any thread */

struct judge *judge_start(const char *dsn, struct error *error); /* NULL with *error */
void judge_wake(struct judge *judge, unsigned hosts);            /* so many came in, or are at it */
void judge_stop(
    struct judge *judge); /* finishes the batch at hand, drops what is being learnt; the queue stays in the database */

#endif
