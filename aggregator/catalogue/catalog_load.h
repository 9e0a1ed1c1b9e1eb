/* Loading a directory of CSV files into the catalogue. */

#ifndef EVENKEEL_CATALOG_LOAD_H
#define EVENKEEL_CATALOG_LOAD_H

#include "aggregator/base/database.h"

#include <stdbool.h>

#define CATALOG_TABLES 10

struct catalog_change {
    char tables[CATALOG_TABLES][24]; /* 'products', ... */
    long long changed[CATALOG_TABLES];
    int count;
    long long total;
};

/*
 * Loads those of products, levels, lines, components, rules, known_files, baselines, patches and patch_files (.csv,
 * with a header that names any of their columns) that `directory` holds, in the transaction at hand, and has everything
 * judged again that changes with them. Each is an edition of the file that it is below `edition` (NULL: the folder's
 * whole path): what that one stated when it was loaded before and states no more goes. -1 with *error that names file
 * and line.
 */
int catalog_load(PGconn *connection, const char *directory, const char *edition, struct catalog_change *change,
                 struct error *error);

/* Merges what lies in the staging tables (evenkeel.catalog_stage()), and has everything judged again that changes with
 * it. */
int catalog_merge_staged(PGconn *connection, struct catalog_change *change, struct error *error);

#endif
