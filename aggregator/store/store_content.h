/* Chunks and images: looked up by digest, and stored where they are new. */

#ifndef EVENKEEL_STORE_CONTENT_H
#define EVENKEEL_STORE_CONTENT_H

#include "store_batch.h"

/*
 * Finds the ids of all chunks that the batch's inventories name; the rest become new_chunks, with the files that are
 * remembered of those that have a body.
 */
int store_find_chunks(struct batch *batch, struct error *error);

/* Finds or stores the images of new chunks that have a body. */
int store_new_images(struct batch *batch, struct error *error);

/* Stores the new chunks of which all is known, once file_rows has their files. */
int store_new_chunks(struct batch *batch, struct error *error);

#endif
