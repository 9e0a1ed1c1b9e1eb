/* A connection to PostgreSQL, its statements with binary parameters and results, and errors as sentences with a remedy.
 */

#ifndef EVENKEEL_DATABASE_H
#define EVENKEEL_DATABASE_H

#include "buffer.h"
#include "proto/error.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>

/* The schema that this program works with, DATABASE_SCHEMA_VERSION, is the number of the newest file in sql/schema:
 * CMake defines it. */

/*
 * The connection string: `given` (from --dsn), else EVENKEEL_DSN, else what the settings file of the units says (where
 * that is there and says nothing, and there is no private cluster, the database that the units use), else the private
 * cluster's socket below the state directory. Written to `dsn`, cut never: -1 with *error where it does not fit.
 */
int database_dsn(const char *given, char *dsn, size_t size, struct error *error);

/* Which file of /etc/evenkeel (EVENKEEL_ETC) that is: aggregator.env unless told; the name must live as long. */
void database_settings_file(const char *name);

/* The state directory of the private cluster: EVENKEEL_STATE, /var/lib/evenkeel for root, else below XDG_STATE_HOME or
 * ~/.local/state. */
int database_state_directory(char *directory, size_t size, struct error *error);

/* How the connections that are made from now on are named in pg_stat_activity; the name must live as long. */
void database_application_name(const char *name);

/* Which of several servers of a connection string the connections that are made from now on go to, where that does not
 * say it itself: libpq's target_session_attrs, 'any' at first; what must write says 'read-write'. */
void database_session_kind(const char *kind);

/* Whether the server is a standby, where nothing can be changed: 1 or 0, -1 with *error. */
int database_is_standby(PGconn *connection, struct error *error);

/* Connects; NULL with *error. Close with PQfinish() (or _cleanup_(cleanup_connection)). */
PGconn *database_connect(const char *dsn, struct error *error);

/* Connects as database_connect() and refuses a database that is not initialised, or at an older or newer schema, or a
 * fleet database, which holds no host. */
PGconn *database_open(const char *dsn, struct error *error);

/* The same for a session that changes nothing, whoever it logs in as: a standby will do. */
PGconn *database_open_reading(const char *dsn, struct error *error);

/* The same, and takes a fleet database too: *fleet tells. */
PGconn *database_open_either(const char *dsn, bool *fleet, struct error *error);

/* Refuses a database that is at an older or newer schema than this program: an upgrade may come while it runs. Also one
 * whose functions were made anew since this session asked first: relations that it keeps are of the earlier ones, and
 * another session has none. */
int database_check_schema(PGconn *connection, struct error *error);

/* One parameter: text or binary; a null value is SQL's null. */
struct parameter {
    const void *value;
    size_t length;
    bool binary;
    Oid type; /* 0: let the server find out */
};

#define PARAMETER_TEXT(text) ((struct parameter){.value = (text)})
#define PARAMETER_BINARY(oid, buffer)                                                                                  \
    ((struct parameter){.value = (buffer).data, .length = (buffer).length, .binary = true, .type = (oid)})

/*
 * Runs one statement; the result (binary or text values) is the caller's to PQclear(), NULL with *error on failure. The
 * error quotes the server's primary message; ERROR_NETWORK where the connection is gone, or the server is no primary
 * any more, ERROR_BUSY where a lock was not had in time, the statement was cancelled or the server has no room,
 * ERROR_CONFLICT where another session stored the same or stood in the way, ERROR_DATABASE where it does not take what
 * it was given.
 */
PGresult *database_query(PGconn *connection, const char *statement, const struct parameter *parameters, size_t count,
                         bool binary, struct error *error);

/* Runs one or more statements without parameters and without interest in their rows. */
int database_execute(PGconn *connection, const char *statements, struct error *error);

/*
 * Commits the session's transaction. ERROR_BUSY where that is only half done: the server waited for a standby that it
 * has to wait for, was told not to (pg_cancel_backend(), statement_timeout), and says 'committed' with a warning.
 * Whether what was written outlives that server nobody knows.
 */
int database_commit(PGconn *connection, struct error *error);

/*
 * What the session commits from now on waits for no standby, unless its transaction says otherwise, and is as durable
 * on its own server as before. A session whose last act is to drop its temporary tables could not end else where a
 * standby lacks, and would keep its server from being stopped.
 */
int database_wait_for_no_standby(PGconn *connection, struct error *error);

/* COPY ... FROM STDIN (FORMAT binary) of rows that were put together with buffer_field_...(); adds header and trailer.
 */
int database_copy(PGconn *connection, const char *statement, const struct buffer *rows, struct error *error);

/* Copies what COPY ... TO STDOUT gives to `out`, whole: what broke off, at whichever end, is an error. *rows (NULL:
 * nobody asks) is how many there were. */
int database_copy_out(PGconn *connection, const char *statement, FILE *out, int *rows, struct error *error);

/*
 * All that stands in a table, or comes from a function, as CSV with its columns' names. Text that a spreadsheet would
 * take for a formula (it begins with = + - @, their wide forms, or a control character) begins with an apostrophe.
 */
int database_copy_csv(PGconn *connection, const char *source, FILE *out, int *rows, struct error *error);

/* Values out of binary results. */
int32_t database_i32(const PGresult *result, int row, int column);
int64_t database_i64(const PGresult *result, int row, int column);
bool database_bool(const PGresult *result, int row, int column);
struct bytes database_bytes(const PGresult *result, int row, int column);

void cleanup_connection(PGconn **connection);
void cleanup_result(PGresult **result);

#endif
