/* Loading a directory of CSV files into the catalogue. */

#ifndef EVENKEEL_CATALOG_LOAD_H
#define EVENKEEL_CATALOG_LOAD_H

#include "aggregator/base/database.h"

#include <stdbool.h>

struct catalog_change {
    char tables[8][24]; /* 'products', ... */
    long long changed[8];
    int count;
    long long total;
};

/*
 * Loads those of products, levels, lines, components, rules, baselines, patches and patch_files (.csv, with a header)
 * that `directory` holds, in the transaction at hand, and has everything judged again that changes with them. -1 with
 * *error that names file and line.
 */
int catalog_load(PGconn *connection, const char *directory, struct catalog_change *change, struct error *error);

/* Merges what lies in the staging tables (evenkeel.catalog_stage()), and has everything judged again that changes with
 * it. */
int catalog_merge_staged(PGconn *connection, struct catalog_change *change, struct error *error);

#endif
