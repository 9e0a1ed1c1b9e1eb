/* evenkeel fleet: the cells of a fleet database. */

#include "cli.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel fleet [list] [--format text|json|csv]\n"
                           "       evenkeel fleet add DSN [--name CELL]\n"
                           "       evenkeel fleet remove CELL\n"
                           "       evenkeel fleet update\n\n"
                           "A fleet database holds no host: it asks the databases that do, its cells, and\n"
                           "answers as they do, with a column that names the cell.\n"
                           "  list         whether each cell answers, and its hosts (default); those of a\n"
                           "               cell that does not answer are unknown\n"
                           "  add DSN      adds a cell; the first one makes of this database, which must\n"
                           "               have no host, a fleet database. The database server connects\n"
                           "               there, by the password file of its user: DSN has none\n"
                           "  remove CELL  takes a cell out of the fleet; nothing changes in the cell\n"
                           "  update       counts the cells' hosts, and tells each which identities of its\n"
                           "               hosts others have, for cloned-identity; check and report do too\n"
                           "  --name CELL  what it is called (default: the first part of its host's name)\n\n"
                           "Exit status: 0; 3 a cell does not answer; 1 error.";

static void free_conninfo(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

/* Adds keyword='value', as libpq reads it. */
static void put_setting(struct buffer *dsn, const char *keyword, const char *value)
{
    buffer_format(dsn, "%s%s='", dsn->length > 0 ? " " : "", keyword);
    for (const char *at = value; *at != 0; at++) {
        if (*at == '\'' || *at == '\\')
            buffer_put(dsn, "\\", 1);
        buffer_put(dsn, at, 1);
    }
    buffer_put(dsn, "'", 1);
}

/* A connection string as the fleet database keeps it, and the cell's name where none is given. */
static int read_dsn(const char *given, struct buffer *dsn, char *name, size_t size, struct error *error)
{
    char *problem = NULL;
    _cleanup_(free_conninfo) PQconninfoOption *options = PQconninfoParse(given, &problem);
    if (options == NULL) {
        error_set(error, ERROR_USAGE, "'%s' is no connection string: %.*s", given,
                  (int)strcspn(problem != NULL ? problem : "", "\n"), problem != NULL ? problem : "");
        PQfreemem(problem);
        return -1;
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val == NULL || *option->val == 0)
            continue;
        if (strcmp(option->keyword, "password") == 0 || strcmp(option->keyword, "sslpassword") == 0)
            return error_set(error, ERROR_USAGE,
                             "a connection string with a password in it would be seen by others: put the password into "
                             "the password file (.pgpass) of the user that the fleet's PostgreSQL runs as");
        if (strcmp(option->keyword, "options") == 0 || strcmp(option->keyword, "application_name") == 0)
            return error_set(error, ERROR_USAGE,
                             "'%s' is set by Evenkeel itself: leave it out of the connection string", option->keyword);
        put_setting(dsn, option->keyword, option->val);
        if (strcmp(option->keyword, "host") == 0 && *name == 0 && option->val[0] != '/')
            snprintf(name, size, "%.*s", (int)strcspn(option->val, ".,"), option->val);
    }
    buffer_put(dsn, "", 1);
    if (dsn->failed)
        return error_set(error, ERROR_MEMORY, "no memory for a connection string");
    if (*name == 0)
        return error_set(error, ERROR_USAGE, "say what the cell is called: --name CELL");
    return 0;
}

/* What the server says of it: one statement, one transaction. */
static int add(PGconn *connection, const char *given, const char *named, bool quiet, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer dsn = {0};
    char name[256] = "";
    if (named != NULL)
        snprintf(name, sizeof name, "%s", named);
    if (read_dsn(given, &dsn, name, sizeof name, error) < 0)
        return -1;
    struct parameter words[] = {PARAMETER_TEXT(name), PARAMETER_TEXT((const char *)dsn.data)};
    _cleanup_(cleanup_result) PGresult *hosts =
        database_query(connection, "select evenkeel.add_cell($1, $2)", words, 2, true, error);
    if (hosts == NULL)
        return -1;
    if (!quiet)
        printf("cell %s is added: %lld %s\n", name, (long long)database_i64(hosts, 0, 0),
               plural(database_i64(hosts, 0, 0), "host", "hosts"));
    return 0;
}

static int remove_cell(PGconn *connection, const char *name, bool quiet, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *removed =
        database_query(connection, "select evenkeel.remove_cell($1)", &PARAMETER_TEXT(name), 1, true, error);
    if (removed == NULL)
        return -1;
    if (!quiet)
        printf("cell %s is no longer of this fleet\n", name);
    return 0;
}

static int silent_cells(PGconn *connection, int *status, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *silent =
        database_query(connection, "select count(*) from ops.cell where not answers", NULL, 0, true, error);
    if (silent == NULL)
        return -1;
    *status = database_i64(silent, 0, 0) > 0 ? EXIT_STATUS_UNKNOWN : EXIT_STATUS_OK;
    return 0;
}

static int list(PGconn *connection, enum cli_format format, int *status, struct error *error)
{
    int rows;
    bool owner = false;
    if (cli_may_judge(connection, &owner, error) < 0)
        return -1;
    /* Who only looks need not know where the cells are. */
    if (cli_print(
            connection,
            owner ? "select n.cell, n.answers, n.hosts, n.level, n.mixed, n.unknown, n.answered_at::timestamptz(0) "
                    "as answered_at, coalesce(n.error, '') as error, c.dsn "
                    "from ops.cell n join evenkeel.cell c on c.name = n.cell order by n.cell"
                  : "select cell, answers, hosts, level, mixed, unknown, answered_at::timestamptz(0) as answered_at, "
                    "coalesce(error, '') as error from ops.cell order by cell",
            NULL, 0, format, &rows, error) < 0)
        return -1;
    if (rows == 0 && format == CLI_TEXT)
        puts("no cell yet: 'evenkeel fleet add DSN' adds one");
    return silent_cells(connection, status, error);
}

static int run(const char *action, PGconn *connection, bool fleet, const char *word, const char *name,
               const struct cli *cli, int *status, struct error *error)
{
    if (strcmp(action, "add") == 0)
        return add(connection, word, name, cli->quiet, error);
    if (!fleet)
        return error_set(error, ERROR_USAGE,
                         "this is no fleet database: 'evenkeel fleet add DSN' makes one of a database without hosts");
    if (strcmp(action, "remove") == 0)
        return remove_cell(connection, word, cli->quiet, error);
    if (strcmp(action, "update") == 0)
        return cli_judge(connection, cli->quiet, error) < 0 ? -1 : silent_cells(connection, status, error);
    return list(connection, cli->format, status, error);
}

int command_fleet(int argc, char **argv)
{
    enum { OPTION_NAME = 256 };
    static const struct option options[] = {
        {"name", required_argument, NULL, OPTION_NAME}, CLI_FORMAT_OPTION, CLI_OPTIONS, {0}};
    const char *name = NULL;
    struct cli cli = {.command = "fleet", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;)
        if (option == OPTION_NAME)
            name = optarg;
    if (cli.ended)
        return cli.status;
    const char *action = optind < argc ? argv[optind++] : "list";
    bool adds = strcmp(action, "add") == 0, takes = adds || strcmp(action, "remove") == 0;
    if (!takes && strcmp(action, "list") != 0 && strcmp(action, "update") != 0)
        return cli_fail_usage("fleet", "there is no action '%s': add, remove, update and list are", action);
    if (takes && optind == argc)
        return cli_fail_usage("fleet",
                              adds ? "'add' takes a cell's connection string" : "'remove' takes a cell's name");
    if (optind + takes < argc)
        return cli_fail_usage("fleet", "'%s' is too much", argv[optind + takes]);
    if (name != NULL && !adds)
        return cli_fail_usage("fleet", "--name is for 'add' only");
    database_session_kind(strcmp(action, "list") == 0 ? "any" : "read-write");
    int status = EXIT_STATUS_OK;
    bool fleet = false;
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect_either(cli.dsn, &fleet, &error);
    if (connection == NULL || run(action, connection, fleet, argv[optind], name, &cli, &status, &error) < 0)
        return cli_fail("fleet", &error);
    return status;
}
