/* Images as rows of the tables image and image_import, for whoever stores what a collector read. */

#ifndef EVENKEEL_IMAGE_ROWS_H
#define EVENKEEL_IMAGE_ROWS_H

#include "aggregator/base/database.h"
#include "evenkeel.pb-c.h"
#include "proto/digest.h"

/* Adds the row of an image, or those of its imports, to rows for COPY. `id` is a fresh one of image_image_id_seq. */
void image_rows_put(struct buffer *rows, int64_t id, const struct digest *digest, const Evenkeel__Image *image);
void image_rows_put_imports(struct buffer *rows, int64_t id, const Evenkeel__Image *image);

/* Stores rows that were put together so; -1 with *error. */
int image_rows_copy(PGconn *connection, const struct buffer *images, const struct buffer *imports, struct error *error);

#endif
