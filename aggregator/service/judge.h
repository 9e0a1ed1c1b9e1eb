/*
 * The judge: threads that judge the hosts whose state changed, one that compares those with others (the fleet checks),
 * one for hosts that take longer than a turn allows or could not be judged before, and one that judges what changes
 * with the clock alone, every minute, and learns from the whole fleet. What one host makes fail, or take long, keeps
 * none of the others. Several aggregators share all of it: who is at what, the database knows.
 */

#ifndef EVENKEEL_JUDGE_H
#define EVENKEEL_JUDGE_H

#include "proto/error.h"

struct judge; /* opaque; its functions may be called from any thread */

#define JUDGES_MOST 16 /* more would find no part of the hosts: evenkeel.judge_partition */

/* With so many threads, 1 to JUDGES_MOST, for hosts whose state changed, each with a session; NULL with *error. */
struct judge *judge_start(const char *dsn, unsigned judges, struct error *error);
void judge_wake(struct judge *judge, unsigned hosts); /* so many came in, or are at it */
void judge_stop(
    struct judge *judge); /* finishes the batch at hand, drops what is being learnt; the queue stays in the database */

#endif
