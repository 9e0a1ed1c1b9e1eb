/*
 * The snapshots that no aggregator has accepted yet, each a file of its own in one directory. A file is there whole or
 * not at all, also after a power failure, and goes when its snapshot was accepted. The directory is bounded in size:
 * when it is full the oldest states are merged into the next ones, that is, dropped, and the newest never is.
 *
 * The file: a snapshot's objects (collector/snapshot.h), four zero bytes, text that says what is offered, and the
 * text's length in four bytes, little-endian. The text's last line is the BLAKE2b-256 digest of the lines before it.
 * It is text, not a message of protobuf: whoever looks at a snapshot that waits sees in its last lines whose it is and
 * of when. And snapshots of older collectors have to be read as before, so a message would need a second reader beside
 * this.
 */

#ifndef EVENKEEL_SPOOL_H
#define EVENKEEL_SPOOL_H

#include "proto/digest.h"
#include "proto/error.h"
#include "proto/limits.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct spool; /* opaque; one program at a time may have a directory open */

/* What is offered, besides its objects. Plain data. */
struct spool_offer {
    char host[LIMIT_HOST_NAME_BYTES + 1];
    int64_t taken_at;
    uint32_t unreadable;
    uint64_t files, chunks; /* counts, for a person */
    struct digest inventory, facts, times, marks;
};

/* Makes the directory where there is none, and removes what was left unfinished in it. */
int spool_open(const char *path, uint64_t limit, struct spool **spool, struct error *error);
void spool_close(struct spool *spool); /* NULL is allowed */

/* How many snapshots wait, and the bytes that they take: more than the limit only where there is but one. */
size_t spool_count(const struct spool *spool);
uint64_t spool_bytes(const struct spool *spool);

/* An empty file for the next snapshot's objects, which stays the spool's. One at a time. */
int spool_begin(struct spool *spool, FILE **file, struct error *error);

/*
 * The snapshot is on the disk when this returns 0. *merged says how many older states had to go to make room; one that
 * is the same as the newest so far takes its place, which merges nothing. On -1 nothing has changed and the unfinished
 * file is gone.
 */
int spool_end(struct spool *spool, const struct spool_offer *offer, size_t *merged, struct error *error);
void spool_abandon(struct spool *spool);

/* The oldest snapshot: 1 with its objects in *file (the caller's to close) and *offer, 0 where none waits, -1. A file
 * that is damaged is ERROR_FORMAT; spool_drop() removes it. */
int spool_oldest(struct spool *spool, FILE **file, struct spool_offer *offer, struct error *error);

/* The oldest snapshot goes. */
int spool_drop(struct spool *spool, struct error *error);

#endif
