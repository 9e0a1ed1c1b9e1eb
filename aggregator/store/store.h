/*
 * The store: a batch of requests becomes rows, in few statements and one transaction, however many requests there are.
 * Objects are looked up by digest, first in bounded tables in memory, then in the database.
 */

#ifndef EVENKEEL_STORE_H
#define EVENKEEL_STORE_H

#include "request.h"

struct store; /* opaque; one thread */

struct store_options {
    bool trust_on_first_use;
    int64_t upload_quota; /* bytes of objects that a host may upload a day */
    int32_t most_pending; /* enrolments that may wait for approval */
    size_t staging_bytes; /* memory for objects of unfinished snapshots; what has no room waits in the database */
};

#define STORE_UPLOAD_QUOTA ((int64_t)256 << 20) /* twenty times what a first snapshot of a large server takes */
#define STORE_MOST_PENDING 1000                 /* what a person can look through */
#define STORE_STAGING_SHARE 4                   /* of the memory of requests: 128 MiB of 512, some 250 new hosts */

/* Connects, and prepares the session; NULL with *error. */
struct store *store_open(const char *dsn, const struct store_options *options, struct error *error);
void store_close(struct store *store); /* NULL is allowed */

/*
 * Whether a request had better wait, for ASKED_MICROSECONDS at most: much of what the inventory that it brings refers
 * to was just asked of other hosts, and would be asked of this one, too. `now` is in microseconds of the monotonic
 * clock.
 */
bool store_should_wait(struct store *store, const struct request *request, int64_t now);

/* What a batch did. */
struct store_outcome {
    unsigned snapshots; /* new states: their hosts wait to be judged */
    unsigned accepted, unchanged, wants, enrolled;
    unsigned coming;            /* of those that something is wanted of: offers of hosts of which nothing is here */
    unsigned came_back;         /* hosts that were retired */
    char came_back_names[1000]; /* theirs, with host_ids, for a person; cut where they are many */
};

/*
 * Stores a batch of requests, at most one snapshot per host, and fills every reply; all is committed on success. On
 * failure -1 with *error, nothing is stored and no reply may be used: ERROR_NETWORK asks for a new store, anything else
 * for smaller batches.
 */
int store_batch(struct store *store, struct request **requests, size_t count, struct store_outcome *outcome,
                struct error *error);

/*
 * Counts what a refused snapshot brought against its sender's quota: what the database refuses costs whoever sent it.
 * -1 with *error.
 */
int store_count_refused(struct store *store, const struct request *request, struct error *error);

#endif
