/* Importing knowledge-base articles and lists of cumulative updates into the catalogue. */

#ifndef EVENKEEL_CATALOG_IMPORT_H
#define EVENKEEL_CATALOG_IMPORT_H

#include "catalog_load.h"

#include <stdio.h>

struct catalog_import {
    const char *product; /* take the rows of this product only; NULL: of all */
    const char *level;   /* BUILD.UBR, the level that a list is; NULL: as its article or its highest revision tells */
    uint32_t article;    /* the number of a list's article, where neither its text nor its name tell; 0: they do */
    FILE *out;           /* a line for each file: what was taken */
    FILE *problems;      /* FILE:LINE: what could not be read or believed */
};

/*
 * Reads the files paths[0..count) and merges what they prove into the catalogue, in the transaction at hand, which the
 * caller commits or rolls back: all of them or none. Patches with their tables, required levels and bounds come of
 * articles (sql/functions/catalogue/catalogue_kb.sql says what is believed), levels and what they ship of CSV lists. -1
 * with *error where a file can't be read at all, or nothing is taken of any.
 */
int catalog_import(PGconn *connection, const char *const *paths, size_t count, const struct catalog_import *import,
                   struct catalog_change *change, struct error *error);

/* How many files something was taken of, and how many were refused. */
struct catalog_import_outcome {
    size_t taken, refused;
};

/*
 * Has what lies in evenkeel.kb_stage()'s tables worked out, of the files paths[0..count), and prints what was taken of
 * each and what could not be believed. -1 with *error.
 */
int catalog_import_tell(PGconn *connection, const char *const *paths, size_t count, const struct catalog_import *import,
                        struct catalog_import_outcome *outcome, struct error *error);

#endif
