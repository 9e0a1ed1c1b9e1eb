/* The database's logins that an installation needs: evenkeel_ingest for serve, evenkeel_read for reports and
 * Grafana. */

#ifndef EVENKEEL_INIT_LOGINS_H
#define EVENKEEL_INIT_LOGINS_H

#include "aggregator/base/database.h"

#include "proto/error.h"

/* Where the passwords of 'scram' come from: never from the command line, which others on the machine see. */
#define INIT_LOGINS_INGEST "EVENKEEL_INGEST_PASSWORD"
#define INIT_LOGINS_READ "EVENKEEL_READ_PASSWORD"

/* Whether that is a way to log in: peer or scram. */
bool init_logins_is_way(const char *way);

/*
 * Lets both roles log in, both or none: by the name of the machine's user (peer), or by a password out of the
 * environment (scram), of which the database gets the verifier alone. A role that logs in already stays as it is.
 * Prints what was done, and for peer the lines that pg_hba.conf and pg_ident.conf want.
 */
int init_logins_make(PGconn *connection, const char *way, struct error *error);

#endif
