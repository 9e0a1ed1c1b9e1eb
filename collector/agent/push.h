/* One snapshot of one host, taken and given to an aggregator: in one go, or with a stay in the spool in between. */

#ifndef EVENKEEL_PUSH_H
#define EVENKEEL_PUSH_H

#include "collector/disk/snapshot.h"
#include "collector/disk/walk.h"
#include "collector/facts/facts.h"
#include "collector/facts/not_seen.h"
#include "collector/settings/config.h"
#include "exchange.h"
#include "host.h"
#include "proto/error.h"
#include "spool.h"

struct push_options {
    const struct config *config;
    const char *root;               /* folder that holds the host's system drive; NULL: the running system's */
    const struct facts_drive *more; /* further drives of the host, with their letters */
    size_t more_count;
    const char *registry_file; /* .reg export for the facts; NULL: the registry below root */
    uint32_t schedule;         /* seconds to the next one; 0: none planned */
    void (*report)(void *context,
                   const char *sentence); /* what was passed over on the way; NULL: nobody wants to know */
    void *context;
    bool (*stopped)(void); /* true: taking a snapshot ends; NULL: goes on */
};

/* Plain data: what a push came to. */
struct push_result {
    char host[LIMIT_HOST_NAME_BYTES + 1];
    bool changed;
    uint64_t files, chunks;
    struct walk_counts walk;
    char not_seen[NOT_SEEN_TEXT_BYTES]; /* not_seen_text(), where the snapshot was taken in one go */
    struct exchange_traffic traffic;
    bool waits;                     /* the host is enrolled, and a person has to approve its key */
    char key[17];                   /* how that key begins, in hexadecimal, where it waits */
    Evenkeel__RefusalReason reason; /* where it was refused */
};

/* 0 only where the aggregator has the snapshot in its database. */
int push_snapshot(const struct push_options *options, struct push_result *result, struct error *error);

/* Asks to be let in, whether or not the host was before; takes no snapshot. 0 where it may push from now on, or where
 * result->waits. */
int push_enroll(const struct push_options *options, struct push_result *result, struct error *error);

struct push; /* opaque: key, state directory and aggregators, for one snapshot after the other */

/* Everything in *options must live as long. ERROR_USAGE for what is wrong with them. */
int push_open(const struct push_options *options, struct push **push, struct error *error);
void push_close(struct push *push); /* NULL is allowed */

/* The directory that the collector keeps its own files in; and the digest of its key, which tells it from others. */
const char *push_state(const struct push *push);
struct digest push_identity(const struct push *push);

/* Takes a snapshot, whose objects are written to `file`. */
int push_take(struct push *push, FILE *file, struct spool_offer *offer, struct walk_counts *walk, struct error *error);

/* Gives one whose objects are in `file`; fills *result, but for `walk`. */
int push_give(struct push *push, FILE *file, const struct spool_offer *offer, struct push_result *result,
              struct error *error);

#endif
