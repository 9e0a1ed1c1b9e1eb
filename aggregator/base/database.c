/* A connection to PostgreSQL. */

#include "database.h"

#include "settings_file.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARAMETERS_MAXIMUM 16

/* SQLSTATE; PostgreSQL documentation, appendix A. */
#define LOCK_NOT_AVAILABLE "55P03"
#define QUERY_CANCELED "57014"
#define READ_ONLY "25006"
#define INSUFFICIENT_PRIVILEGE "42501"
#define UNIQUE_VIOLATION "23505"
#define TRANSACTION_ROLLBACK "40"   /* the class: deadlocks */
#define INSUFFICIENT_RESOURCES "53" /* the class: a full disk, too many connections */
#define OUT_OF_MEMORY "53200"       /* what one statement asks for, not what is there */

int database_state_directory(char *directory, size_t size, struct error *error)
{
    const char *given = getenv("EVENKEEL_STATE"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length;
    if (given != NULL && *given != 0)
        length = snprintf(directory, size, "%s", given);
    else if (geteuid() == 0)
        length = snprintf(directory, size, "/var/lib/evenkeel");
    else if (state != NULL && *state != 0)
        length = snprintf(directory, size, "%s/evenkeel", state);
    else if (home != NULL && *home != 0)
        length = snprintf(directory, size, "%s/.local/state/evenkeel", home);
    else
        return error_set(error, ERROR_USAGE, "no state directory: set EVENKEEL_STATE or HOME");
    if (length < 0 || (size_t)length >= size)
        return error_set(error, ERROR_LIMIT, "the state directory's path is too long");
    return 0;
}

static const char *settings_file = "aggregator.env";

void database_settings_file(const char *name)
{
    settings_file = name;
}

/* 1 where the units' settings name the database, or have it where Debian has it; 0 where there are none. */
static int dsn_of_units(const char *state, char *dsn, size_t size, struct error *error)
{
    const char *folder = getenv("EVENKEEL_ETC");
    char path[1200], cluster[1100];
    snprintf(path, sizeof path, "%s/%s", folder != NULL && *folder != 0 ? folder : "/etc/evenkeel", settings_file);
    snprintf(cluster, sizeof cluster, "%s/run", state);
    switch (settings_file_value(path, "EVENKEEL_DSN", dsn, size)) {
    case SETTINGS_FILE_LONG:
        return error_set(error, ERROR_LIMIT, "EVENKEEL_DSN in '%.200s' is longer than %zu bytes", path, size);
    case SETTINGS_FILE_SAYS:
        return 1;
    case SETTINGS_FILE_THERE:
        /* A private cluster that somebody made is meant more than a package that is installed. */
        if (*state != 0 && access(cluster, F_OK) == 0)
            return 0;
        snprintf(dsn, size, "host=/run/postgresql dbname=evenkeel");
        return 1;
    case SETTINGS_FILE_NONE:
        break;
    }
    return 0;
}

int database_dsn(const char *given, char *dsn, size_t size, struct error *error)
{
    const char *environment = getenv("EVENKEEL_DSN");
    char directory[1024] = "";
    int length;
    if (given == NULL && environment != NULL && *environment != 0)
        given = environment;
    if (given != NULL) {
        length = snprintf(dsn, size, "%s", given);
    } else {
        struct error none = {0};
        int home = database_state_directory(directory, sizeof directory, &none);
        int units = dsn_of_units(directory, dsn, size, error);
        if (units != 0)
            return units > 0 ? 0 : -1;
        if (home < 0)
            return error_set(error, none.code, "%s", none.message);
        length = snprintf(dsn, size, "host=%s/run port=5432 dbname=evenkeel user=evenkeel", directory);
    }
    if (length < 0 || (size_t)length >= size)
        return error_set(error, ERROR_LIMIT, "the connection string is longer than %zu bytes", size);
    return 0;
}

/* libpq's messages end with a line break and may have several lines; the first says it. */
static void first_line(const char *message, char *line, size_t size)
{
    size_t length = strcspn(message, "\n");
    snprintf(line, size, "%.*s", (int)length, message);
}

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static const char *application_name = "evenkeel";

void database_application_name(const char *name)
{
    application_name = name;
}

static const char *session_kind = "any";

void database_session_kind(const char *kind)
{
    session_kind = kind;
}

int database_is_standby(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *standby =
        database_query(connection, "select pg_is_in_recovery()", NULL, 0, true, error);
    return standby != NULL ? database_bool(standby, 0, 0) : -1;
}

/* Why there is no connection, and what to do: mostly the user of the machine is none of the database's. */
static void explain_refusal(PGconn *connection, const char *line, struct error *error)
{
    const char *user = PQuser(connection) != NULL ? PQuser(connection) : "";
    if (strstr(line, "FATAL:  role ") != NULL && strstr(line, " does not exist") != NULL)
        error_set(
            error, ERROR_NETWORK,
            "the database has no user '%s': run this as one that it has (sudo -u evenkeel-admin evenkeel ..., for "
            "who owns it), or name one with user=evenkeel_read in --dsn or EVENKEEL_DSN",
            user);
    else if (strstr(line, "Peer authentication failed") != NULL)
        error_set(error, ERROR_NETWORK,
                  "the database lets nobody of this machine's user in as '%s': run this as that user (sudo -u %s), or "
                  "name another with user= in --dsn or EVENKEEL_DSN; 'evenkeel init --logins peer' prints the lines of "
                  "pg_ident.conf that let one in",
                  user, user);
    else
        error_set(error, ERROR_NETWORK,
                  "can't reach the database: %s (start it, or name another with --dsn or EVENKEEL_DSN)", line);
}

static PGconn *connect_to(const char *dsn, const char *kind, struct error *error)
{
    /* What stands before the connection string is a default, what stands behind it holds whatever that says. A server
     * that vanished without a word is noticed within a minute or two. */
    static const char *const keywords[] = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                           "keepalives_count", "tcp_user_timeout", "target_session_attrs",
                                           "dbname",           "application_name", NULL};
    const char *const values[] = {"10", "60", "10", "3", "60000", kind, dsn, application_name, NULL};
    PGconn *connection = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(connection) != CONNECTION_OK) {
        char line[400];
        first_line(PQerrorMessage(connection), line, sizeof line);
        explain_refusal(connection, line, error);
        PQfinish(connection);
        return NULL;
    }
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    return connection;
}

PGconn *database_connect(const char *dsn, struct error *error)
{
    return connect_to(dsn, session_kind, error);
}

int database_check_schema(PGconn *connection, struct error *error)
{
    /* The function is there since who only looks may ask too; before, the table is all there is. What init makes anew
     * is another row each time: the session keeps which one it began with. */
    _cleanup_(cleanup_result) PGresult *asked = database_query(
        connection, "select to_regprocedure('evenkeel.schema_version()') is not null", NULL, 0, true, error);
    if (asked == NULL)
        return -1;
    _cleanup_(cleanup_result) PGresult *newest =
        database_query(connection,
                       database_bool(asked, 0, 0)
                           ? "select evenkeel.schema_version(),"
                             " coalesce(nullif(current_setting('evenkeel.made', true), ''),"
                             "  set_config('evenkeel.made', p.xmin::text, false)) = p.xmin::text"
                             " from pg_catalog.pg_proc p where p.oid = to_regprocedure('evenkeel.schema_version()')"
                           : "select coalesce(max(number), 0), true from evenkeel.migration",
                       NULL, 0, true, error);
    if (newest == NULL)
        return -1;
    if (PQntuples(newest) == 0)
        return error_set(error, ERROR_DATABASE, "the database's functions are being made anew ('evenkeel init')");
    int version = database_i32(newest, 0, 0);
    if (version > DATABASE_SCHEMA_VERSION)
        return error_set(error, ERROR_DATABASE,
                         "the database is at schema %d, this program knows up to %d: upgrade this program", version,
                         DATABASE_SCHEMA_VERSION);
    if (version < DATABASE_SCHEMA_VERSION)
        return error_set(error, ERROR_DATABASE,
                         "the database is at schema %d, this program needs %d: run 'evenkeel init'", version,
                         DATABASE_SCHEMA_VERSION);
    if (!database_bool(newest, 0, 1))
        return error_set(error, ERROR_DATABASE,
                         "'evenkeel init' made the database's functions anew: this session is opened again");
    return 0;
}

static PGconn *open_at(const char *dsn, const char *kind, bool *fleet, struct error *error)
{
    _cleanup_(cleanup_connection) PGconn *connection = connect_to(dsn, kind, error);
    if (connection == NULL)
        return NULL;
    _cleanup_(cleanup_result) PGresult *there =
        database_query(connection, "select to_regclass('evenkeel.migration') is not null", NULL, 0, true, error);
    if (there == NULL)
        return NULL;
    if (!database_bool(there, 0, 0)) {
        error_set(error, ERROR_DATABASE, "the database is not initialised: run 'evenkeel init'");
        return NULL;
    }
    if (database_check_schema(connection, error) < 0)
        return NULL;
    _cleanup_(cleanup_result) PGresult *is_fleet =
        database_query(connection, "select evenkeel.is_fleet()", NULL, 0, true, error);
    if (is_fleet == NULL)
        return NULL;
    *fleet = database_bool(is_fleet, 0, 0);
    PGconn *opened = connection;
    connection = NULL;
    return opened;
}

PGconn *database_open_either(const char *dsn, bool *fleet, struct error *error)
{
    return open_at(dsn, session_kind, fleet, error);
}

static PGconn *open_one(const char *dsn, const char *kind, struct error *error)
{
    bool fleet = false;
    PGconn *connection = open_at(dsn, kind, &fleet, error);
    if (connection == NULL || !fleet)
        return connection;
    PQfinish(connection);
    error_set(
        error, ERROR_USAGE,
        "this is a fleet database, which holds no host: run it in the cell that does ('evenkeel fleet list' tells "
        "where each is, 'evenkeel hosts list' who is in which)");
    return NULL;
}

PGconn *database_open(const char *dsn, struct error *error)
{
    return open_one(dsn, session_kind, error);
}

PGconn *database_open_reading(const char *dsn, struct error *error)
{
    PGconn *connection = open_one(dsn, "any", error);
    if (connection != NULL && database_execute(connection, "set default_transaction_read_only = on", error) < 0) {
        PQfinish(connection);
        connection = NULL;
    }
    return connection;
}

/* Where nothing can be written: the server is a standby, or the session was made so. */
static int fail_reading(PGconn *connection, const char *line, struct error *error)
{
    const char *standby = PQparameterStatus(connection, "in_hot_standby");
    if (standby != NULL && strcmp(standby, "on") == 0)
        return error_set(error, ERROR_NETWORK,
                         "this database is a standby, which takes no changes: name the primary, or all servers with "
                         "target_session_attrs=read-write (--dsn or EVENKEEL_DSN)");
    return error_set(error, ERROR_NETWORK,
                     "%s: this session of '%s' may only read (default_transaction_read_only of the server, the "
                     "database, the role or PGOPTIONS, or a page, which writes nothing)",
                     line, PQuser(connection));
}

static int fail(PGconn *connection, const PGresult *result, struct error *error)
{
    char line[400];
    const char *primary = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    first_line(primary != NULL ? primary : PQerrorMessage(connection), line, sizeof line);
    if (PQstatus(connection) != CONNECTION_OK)
        return error_set(error, ERROR_NETWORK, "the database went away: %s", line);
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (state == NULL)
        return error_set(error, ERROR_DATABASE, "%s", line);
    if (strcmp(state, LOCK_NOT_AVAILABLE) == 0 || strcmp(state, QUERY_CANCELED) == 0 ||
        (strncmp(state, INSUFFICIENT_RESOURCES, 2) == 0 && strcmp(state, OUT_OF_MEMORY) != 0))
        return error_set(error, ERROR_BUSY, "%s", line);
    if (strcmp(state, READ_ONLY) == 0)
        return fail_reading(connection, line, error);
    if (strcmp(state, UNIQUE_VIOLATION) == 0 || strncmp(state, TRANSACTION_ROLLBACK, 2) == 0)
        return error_set(error, ERROR_CONFLICT, "%s", line);
    if (strcmp(state, INSUFFICIENT_PRIVILEGE) == 0)
        return error_set(error, ERROR_DATABASE,
                         "%s ('%s' lacks that right; evenkeel_read is for looking, evenkeel_ingest for 'serve', "
                         "evenkeel_owner for all other commands but 'init', which the database's owner runs)",
                         line, PQuser(connection));
    return error_set(error, ERROR_DATABASE, "%s", line);
}

PGresult *database_query(PGconn *connection, const char *statement, const struct parameter *parameters, size_t count,
                         bool binary, struct error *error)
{
    const char *values[PARAMETERS_MAXIMUM] = {0};
    int lengths[PARAMETERS_MAXIMUM] = {0}, formats[PARAMETERS_MAXIMUM] = {0};
    Oid types[PARAMETERS_MAXIMUM] = {0};
    if (count > PARAMETERS_MAXIMUM) {
        error_set(error, ERROR_LIMIT, "a statement has %zu parameters", count);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = parameters[i].value;
        lengths[i] = (int)parameters[i].length;
        formats[i] = parameters[i].binary;
        types[i] = parameters[i].type;
    }
    PGresult *result = PQexecParams(connection, statement, (int)count, types, values, lengths, formats, binary ? 1 : 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        fail(connection, result, error);
        PQclear(result);
        return NULL;
    }
    return result;
}

int database_execute(PGconn *connection, const char *statements, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *result = PQexec(connection, statements);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
        return fail(connection, result, error);
    return 0;
}

/* Keeps a warning's sentence, as struct error's message. */
static void keep_warning(void *context, const PGresult *notice)
{
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        first_line(primary != NULL ? primary : "a warning", context, sizeof((struct error){0}.message));
}

int database_commit(PGconn *connection, struct error *error)
{
    char warning[sizeof((struct error){0}.message)] = "";
    PQsetNoticeReceiver(connection, keep_warning, warning);
    _cleanup_(cleanup_result) PGresult *result = PQexec(connection, "commit");
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return fail(connection, result, error);
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        return error_set(error, ERROR_DATABASE, "the transaction was rolled back");
    if (*warning != 0)
        return error_set(error, ERROR_BUSY, "no standby has it: %.300s", warning);
    return 0;
}

int database_wait_for_no_standby(PGconn *connection, struct error *error)
{
    return database_execute(connection,
                            "select set_config('synchronous_commit', 'local', false)"
                            " where current_setting('synchronous_commit') <> 'off'",
                            error);
}

int database_copy(PGconn *connection, const char *statement, const struct buffer *rows, struct error *error)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* 11 bytes of signature, flags, no extension; 19
                                                                        with the literal's own NUL */
    static const char trailer[] = "\377\377";
    if (rows->failed)
        return error_set(error, ERROR_MEMORY, "no memory for the rows of a COPY");
    _cleanup_(cleanup_result) PGresult *begun = PQexec(connection, statement);
    if (PQresultStatus(begun) != PGRES_COPY_IN)
        return fail(connection, begun, error);
    bool sent = PQputCopyData(connection, header, sizeof header) == 1;
    /* libpq takes an int; rows of one batch are far below that, but let no batch depend on it. */
    const size_t step = 1u << 26;
    for (size_t at = 0; sent && at < rows->length; at += step) {
        size_t length = rows->length - at < step ? rows->length - at : step;
        sent = PQputCopyData(connection, (const char *)rows->data + at, (int)length) == 1;
    }
    sent = sent && PQputCopyData(connection, trailer, sizeof trailer - 1) == 1;
    PQputCopyEnd(connection, sent ? NULL : "not sent whole");
    int outcome = 0;
    for (PGresult *result = PQgetResult(connection); result != NULL; result = PQgetResult(connection)) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            outcome = fail(connection, result, error);
        PQclear(result);
    }
    return sent || outcome < 0 ? outcome : fail(connection, NULL, error);
}

int database_copy_out(PGconn *connection, const char *statement, FILE *out, int *rows, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *begun = PQexec(connection, statement);
    if (PQresultStatus(begun) != PGRES_COPY_OUT)
        return fail(connection, begun, error);
    char *row;
    int length, outcome = 0;
    while ((length = PQgetCopyData(connection, &row, 0)) > 0) {
        if (outcome == 0 && fwrite(row, 1, (size_t)length, out) != (size_t)length)
            outcome = error_set(error, ERROR_IO, "can't write the output: %s", strerror(errno));
        PQfreemem(row);
    }
    /* Only its end tells that it was whole. */
    bool ended = length == -1;
    for (PGresult *result = PQgetResult(connection); result != NULL; result = PQgetResult(connection)) {
        ended = ended && PQresultStatus(result) == PGRES_COMMAND_OK;
        if (rows != NULL)
            *rows = atoi(PQcmdTuples(result));
        if (PQresultStatus(result) != PGRES_COMMAND_OK && outcome == 0)
            outcome = fail(connection, result, error);
        PQclear(result);
    }
    return ended || outcome < 0 ? outcome : fail(connection, NULL, error);
}

/* One of the columns for COPY, which writes every value but text as it is. */
static void put_csv_column(struct buffer *statement, PGconn *connection, const PGresult *columns, int column)
{
    static const Oid texts[] = {18, 19, 25, 1042, 1043}; /* "char", name, text, char(n), varchar */
    bool text = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text = text || PQftype(columns, column) == texts[i];
    const char *name = PQfname(columns, column);
    char *quoted = PQescapeIdentifier(connection, name, strlen(name));
    if (column > 0)
        buffer_put_text(statement, ", ");
    if (quoted == NULL)
        statement->failed = true;
    else if (text)
        buffer_format(
            statement,
            "case when %s::text ~ '^[-=+@\\uff1d\\uff0b\\uff0d\\uff20\\t\\r\\n]' then '''' || %s else %s end as %s",
            quoted, quoted, quoted, quoted);
    else
        buffer_put_text(statement, quoted);
    PQfreemem(quoted);
}

int database_copy_csv(PGconn *connection, const char *source, FILE *out, int *rows, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer query = {0}, statement = {0};
    buffer_format(&query, "select * from %s s", source);
    buffer_put(&query, "", 1);
    if (query.failed)
        return error_set(error, ERROR_MEMORY, "no memory for a query");
    _cleanup_(cleanup_result) PGresult *prepared = PQprepare(connection, "", (const char *)query.data, 0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        return fail(connection, prepared, error);
    _cleanup_(cleanup_result) PGresult *columns = PQdescribePrepared(connection, "");
    if (PQresultStatus(columns) != PGRES_COMMAND_OK)
        return fail(connection, columns, error);
    buffer_put_text(&statement, "copy (select ");
    for (int column = 0; column < PQnfields(columns); column++)
        put_csv_column(&statement, connection, columns, column);
    buffer_format(&statement, " from %s s) to stdout (format csv, header)", source);
    buffer_put(&statement, "", 1);
    if (statement.failed)
        return error_set(error, ERROR_MEMORY, "no memory for a query");
    return database_copy_out(connection, (const char *)statement.data, out, rows, error);
}

int32_t database_i32(const PGresult *result, int row, int column)
{
    const uint8_t *at = (const uint8_t *)PQgetvalue(result, row, column);
    if (PQgetlength(result, row, column) != 4)
        return 0;
    return (int32_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3]);
}

int64_t database_i64(const PGresult *result, int row, int column)
{
    const uint8_t *at = (const uint8_t *)PQgetvalue(result, row, column);
    uint64_t value = 0;
    if (PQgetlength(result, row, column) != 8)
        return 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

bool database_bool(const PGresult *result, int row, int column)
{
    return PQgetlength(result, row, column) == 1 && *PQgetvalue(result, row, column) == 1;
}

struct bytes database_bytes(const PGresult *result, int row, int column)
{
    return bytes_of(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

void cleanup_connection(PGconn **connection)
{
    PQfinish(*connection);
}

void cleanup_result(PGresult **result)
{
    PQclear(*result);
}
