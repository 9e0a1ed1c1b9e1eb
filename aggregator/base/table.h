/* A query's rows as a table for people. */

#ifndef EVENKEEL_TABLE_H
#define EVENKEEL_TABLE_H

#include <libpq-fe.h>
#include <stdbool.h>

/*
 * Prints all rows with their columns' names to stdout, complete and in columns as wide as they need. On a terminal the
 * lines fit its width: a long last column is wrapped, below the others where these leave too little room, and other
 * columns are cut. There verdicts and severities are coloured, too, unless NO_COLOR is set (no-color.org).
 */
void table_print(const PGresult *rows);

#endif
