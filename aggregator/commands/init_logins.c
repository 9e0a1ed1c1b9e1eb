/* The database's logins that an installation needs. */

#include "init_logins.h"

#include "aggregator/base/buffer.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_LEAST 12

struct login {
    const char *role, *variable, *use;
    bool made;
};

bool init_logins_is_way(const char *way)
{
    return strcmp(way, "peer") == 0 || strcmp(way, "scram") == 0;
}

/* Adds the clause that sets the password. */
static int put_password(PGconn *connection, struct buffer *statement, const struct login *login, struct error *error)
{
    const char *password = getenv(login->variable);
    if (password == NULL || strlen(password) < PASSWORD_LEAST)
        return error_set(error, ERROR_USAGE, "%s: set %s to a password of %d bytes or more, in the environment",
                         login->role, login->variable, PASSWORD_LEAST);
    char *verifier = PQencryptPasswordConn(connection, password, login->role, "scram-sha-256");
    char *literal = verifier != NULL ? PQescapeLiteral(connection, verifier, strlen(verifier)) : NULL;
    if (literal != NULL)
        buffer_format(statement, " password %s", literal);
    PQfreemem(literal);
    PQfreemem(verifier);
    return literal != NULL ? 0 : error_set(error, ERROR_DATABASE, "can't make a verifier of %s", login->variable);
}

/* Adds the statement for a role, unless it logs in already. */
static int put_login(PGconn *connection, struct buffer *statement, struct login *login, const char *way,
                     struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select rolcanlogin from pg_roles where rolname = $1", &PARAMETER_TEXT(login->role),
                       1, true, error);
    if (rows == NULL)
        return -1;
    if (PQntuples(rows) == 0)
        return error_set(error, ERROR_DATABASE, "there is no role %s: run init as a database user who may make roles",
                         login->role);
    if (database_bool(rows, 0, 0))
        return 0;
    login->made = true;
    buffer_format(statement, "alter role %s login", login->role);
    if (strcmp(way, "scram") == 0 && put_password(connection, statement, login, error) < 0)
        return -1;
    buffer_put_text(statement, ";");
    return 0;
}

static void print_peer(PGconn *connection, const struct login *logins, size_t count)
{
    printf("\npg_hba.conf, before its other lines for 'local':\n"
           "local  \"%s\"  evenkeel_ingest,evenkeel_read  peer map=evenkeel\n"
           "pg_ident.conf, for the machine's user that the service runs as:\n",
           PQdb(connection));
    for (size_t i = 0; i < count; i++)
        printf("evenkeel  evenkeel  %s\n", logins[i].role);
    printf("Then: select pg_reload_conf()\n");
}

int init_logins_make(PGconn *connection, const char *way, struct error *error)
{
    struct login logins[] = {
        {"evenkeel_ingest", INIT_LOGINS_INGEST, "serve", false},
        {"evenkeel_read", INIT_LOGINS_READ, "reports and Grafana", false},
    };
    size_t count = sizeof logins / sizeof *logins;
    _cleanup_(buffer_clear) struct buffer statement = {0};
    for (size_t i = 0; i < count; i++)
        if (put_login(connection, &statement, &logins[i], way, error) < 0)
            return -1;
    buffer_put(&statement, "", 1);
    if (statement.failed)
        return error_set(error, ERROR_MEMORY, "no memory for a statement");
    if (database_execute(connection, (const char *)statement.data, error) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        printf("%s, for %s: %s\n", logins[i].role, logins[i].use,
               logins[i].made ? "logs in now" : "logs in already, and stays as it is");
    if (strcmp(way, "peer") == 0 && (logins[0].made || logins[1].made))
        print_peer(connection, logins, count);
    return 0;
}
