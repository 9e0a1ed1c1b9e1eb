/* Objects of snapshots that are not complete yet: they wait in memory, or in the table upload where that has no room.
 */

#ifndef EVENKEEL_STORE_UPLOADS_H
#define EVENKEEL_STORE_UPLOADS_H

#include "store_batch.h"

/* Finds what earlier gives of the batch's hosts left behind: the `uploads` of its snapshots. */
int store_load_uploads(struct batch *batch, struct error *error);

/* Whether what would wait for the rest of a snapshot stays within its bound; otherwise the give is refused. */
bool store_may_wait(struct arrival *snapshot);

/* Drops what earlier gives left and nobody waits for: offers that were never completed must not pile up. */
int store_drop_uploads(struct batch *batch, struct error *error);

/* Keeps the objects of snapshots that are not complete. */
int store_stage_uploads(struct batch *batch, struct error *error);

#endif
