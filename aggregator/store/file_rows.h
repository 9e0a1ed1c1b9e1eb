/* Paths, and files, which are images at paths: those of new chunks become rows. */

#ifndef EVENKEEL_FILE_ROWS_H
#define EVENKEEL_FILE_ROWS_H

#include "store_batch.h"

/*
 * Tells which new chunks are whole, all of their images being known by now, and finds or stores the files of these:
 * their `file_ids` are complete then.
 */
int file_rows_store(struct batch *batch, struct error *error);

#endif
