/*
 * The agent's clockwork: when the next snapshot is taken, when what waits in the spool is offered, and how long it
 * holds back after a failure. What it does then are its duties, which the caller fills in.
 */

#ifndef EVENKEEL_AGENT_H
#define EVENKEEL_AGENT_H

#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_FIRST_WITHIN 60u      /* seconds after the start in which the first snapshot is taken */
#define AGENT_BACKOFF_FIRST 2000u   /* milliseconds: the longest wait after a first failure; doubles with every other */
#define AGENT_BACKOFF_LAST 3600000u /* and does not grow beyond this, nor beyond a quarter of the schedule */

enum agent_answer {
    AGENT_ACCEPTED,
    AGENT_LATER,     /* nobody there, or busy, or no leave yet */
    AGENT_UNWELCOME, /* this snapshot will never be taken */
};

struct agent_duties {
    void *context;
    int64_t (*now)(void *context);                                 /* microseconds since 1970; may jump either way */
    bool (*wait)(void *context, uint32_t milliseconds);            /* true: asked to return */
    uint32_t (*random)(void *context, uint32_t bound);             /* 0 to bound - 1 */
    int (*take)(void *context, struct error *error);               /* one more snapshot into the spool */
    size_t (*waiting)(void *context);                              /* how many are there */
    enum agent_answer (*give)(void *context, struct error *error); /* offers the oldest; gone if accepted */
    int (*drop)(void *context, struct error *error);               /* the oldest goes unaccepted */
    void (*report)(void *context, const char *sentence);
};

struct agent_schedule {
    uint32_t every;  /* seconds from one snapshot to the next */
    uint32_t offset; /* seconds into that time at which it is this host's turn, so that not all hosts come at once */
};

/* This host's turn: the first time after `now`, in microseconds, that lies `offset` after a multiple of `every`. */
int64_t agent_next(const struct agent_schedule *schedule, int64_t now);

/* Milliseconds below which the wait after so many failures in a row is drawn. */
uint32_t agent_backoff(const struct agent_schedule *schedule, unsigned failures);

/* Runs until wait() says so. */
void agent_run(const struct agent_schedule *schedule, const struct agent_duties *duties);

#endif
