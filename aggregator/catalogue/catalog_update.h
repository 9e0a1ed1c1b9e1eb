/* A folder of what is published about Windows' levels, taken into the catalogue at once. */

#ifndef EVENKEEL_CATALOG_UPDATE_H
#define EVENKEEL_CATALOG_UPDATE_H

#include "catalog_load.h"

#include <stdio.h>

struct catalog_update {
    const char *directory;
    const char *product; /* take what belongs to this product only; NULL: to all */
    bool quiet;          /* no progress on a terminal */
    FILE *out;           /* a line for each file: what it gave */
    FILE *problems;      /* FILE:LINE: what could not be read or believed */
    /* What came of it. */
    size_t files, taken, as_before, not_read;
};

/*
 * Reads all files below the folder, each recognised by what it holds: articles and lists of files; JSON of levels, of
 * SQL Server's builds or of Winbindex, gzipped or not; TSV of levels or of supersedence; mssecure.xml; wesng's CSV, in
 * its ZIP or out of it. A file that can't be read is told, and stops none of the others. In the transaction at hand.
 * -1 with *error where the folder, or the database, can't be read.
 */
int catalog_update(PGconn *connection, struct catalog_update *update, struct catalog_change *change,
                   struct error *error);

#endif
