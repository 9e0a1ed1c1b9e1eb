/* Taking a snapshot: a host's files and facts, written as objects to a file. */

#ifndef EVENKEEL_TAKE_H
#define EVENKEEL_TAKE_H

#include "collector/disk/snapshot.h"
#include "collector/disk/walk.h"
#include "collector/facts/facts.h"
#include "collector/settings/config.h"
#include "evenkeel.pb-c.h"
#include "proto/arena.h"
#include "proto/digest.h"
#include "proto/error.h"
#include "spool.h"

struct take_options {
    const struct config *config;
    const char *root;               /* folder that holds the host's system drive; NULL: the running system's */
    const struct facts_drive *more; /* further drives of the host, with their letters */
    size_t more_count;
    const char *registry_file;                           /* .reg export for the facts; NULL: the registry below root */
    const char *cache;                                   /* directory for what was read before; NULL: read everything */
    const struct digest *location;                       /* where the collector's key is, collector/key.h */
    void (*report)(void *context, const char *sentence); /* what was passed over on the way */
    void *context;
    char *not_seen; /* filled with what was not seen, NOT_SEEN_TEXT_BYTES of not_seen_text(); NULL: nobody wants it */
    char *drives;   /* filled with the letters of the drives that were looked at, rising; NULL: nobody wants them */
    bool (*stopped)(void); /* asked now and then; true ends it with an error. NULL: goes on */
};

/* What can be told to be wrong without a look at files: a root that is not there, settings that name no folder. */
int take_check(const struct take_options *options, struct error *error);

/*
 * Writes the objects to `file`, from where *snapshot can read them again, and fills *offer and *counts. Free the
 * snapshot with snapshot_free(); it is NULL on -1.
 */
int take_snapshot(const struct take_options *options, FILE *file, struct snapshot **snapshot, struct spool_offer *offer,
                  struct walk_counts *counts, struct error *error);

/* What tells the host from others, without a look at its files: fills offer->host, and *marks, which lies in `arena`.
 */
int take_identity(const struct take_options *options, struct arena *arena, Evenkeel__MachineMarks **marks,
                  struct spool_offer *offer, struct error *error);

#endif
