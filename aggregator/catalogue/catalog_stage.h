/* What was read of articles and lists, on its way into the staging tables of an import. */

#ifndef EVENKEEL_CATALOG_STAGE_H
#define EVENKEEL_CATALOG_STAGE_H

#include "aggregator/base/buffer.h"
#include "aggregator/base/database.h"
#include "aggregator/kb/kb_article.h"

enum {
    CATALOG_STAGE_FILE,
    CATALOG_STAGE_SECTION,
    CATALOG_STAGE_ROW,
    CATALOG_STAGE_LIST,
    CATALOG_STAGE_REQUIREMENT,
    CATALOG_STAGE_CORRECTED,
    CATALOG_STAGE_COUNT
};

/* Rows as COPY takes them, one buffer a table. Clear with catalog_stage_clear(). */
struct catalog_stage {
    struct buffer rows[CATALOG_STAGE_COUNT];
};

/*
 * Adds what was read of the file at `path`; `number` is the file's in all rows. `article` overrides the number that the
 * document names (0: it doesn't).
 */
void catalog_stage_add(struct catalog_stage *stage, int32_t number, const char *path,
                       const struct kb_document *document, uint32_t article);

/* Copies the rows into the tables that evenkeel.kb_stage() made, and empties the buffers. -1 with *error. */
int catalog_stage_copy(struct catalog_stage *stage, PGconn *connection, struct error *error);

void catalog_stage_clear(struct catalog_stage *stage);

#endif
