/* evenkeel plan: the way back of one host, in order. */

#include "cli.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel plan HOST [--format text|json|csv] [--quiet]\n\n"
                           "Prints, in order, what brings a host back to one level: the service pack to\n"
                           "reapply, the hotfixes to reapply after it and those to leave out, files to\n"
                           "restore, identities to renew, and when to restart. Each step is laid over the\n"
                           "host as 'evenkeel risk' lays a patch: one after which something new would be\n"
                           "found is left out. Then it says what is found after all steps: nothing, or what\n"
                           "remains and why, and what could not be judged. Findings that are waived ask for\n"
                           "nothing. What can't be planned because too little is known of the host is said\n"
                           "last. In json and csv what is found then is a row with the action 'then', what\n"
                           "is unknown one with the action 'unknown'; the latter is on stderr, too.\n"
                           "  HOST   its name, whichever the case, or its host_id\n\n"
                           "Exit status: 0, whether there is something to do or not; 1 error.";

static PGresult *query_host(PGconn *connection, const char *statement, const char *host_id, struct error *error)
{
    return database_query(connection, statement, &PARAMETER_TEXT(host_id), 1, false, error);
}

/* What a person reads: numbered steps, with the reason below each, and what is found then, which is no step. */
static void print_steps(const PGresult *steps)
{
    for (int row = 0; row < PQntuples(steps); row++) {
        const char *action = PQgetvalue(steps, row, 1);
        if (strcmp(action, "then") == 0 || strcmp(action, "unknown") == 0)
            printf("%s: %s\n    %s\n", action, PQgetvalue(steps, row, 2), PQgetvalue(steps, row, 3));
        else
            printf("%2s. %s: %s\n    %s\n", PQgetvalue(steps, row, 0), action, PQgetvalue(steps, row, 2),
                   PQgetvalue(steps, row, 3));
    }
}

/* What the steps say nothing of; each line begins with `prefix`. */
static int print_rest(PGconn *connection, const char *host, const char *host_id, const char *prefix, FILE *out,
                      struct error *error)
{
    _cleanup_(cleanup_result) PGresult *state =
        query_host(connection,
                   "select coalesce((select case when pending then 'unknown' else verdict end from ops.host"
                   "                  where host_id = $1::uuid), 'unknown'),"
                   " (select missing from ops.host where host_id = $1::uuid),"
                   " (select count(*) from ops.finding where host_id = $1::uuid and waived_until is not null)",
                   host_id, error);
    if (state == NULL)
        return -1;
    if (strcmp(PQgetvalue(state, 0, 0), "unknown") == 0)
        fprintf(out, "%snot all is known of %s: %s\n", prefix, host, PQgetvalue(state, 0, 1));
    if (strcmp(PQgetvalue(state, 0, 2), "0") != 0)
        fprintf(out, "%swaived findings that were left alone: %s ('evenkeel waive list' names them)\n", prefix,
                PQgetvalue(state, 0, 2));
    return 0;
}

static int print_text(PGconn *connection, const char *host, const char *host_id, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *steps = query_host(
        connection, "select step, action, what, why from evenkeel.plan($1::uuid) order by step", host_id, error);
    if (steps == NULL)
        return -1;
    if (PQntuples(steps) == 0) {
        _cleanup_(cleanup_result) PGresult *known = query_host(
            connection,
            "select exists (select from ops.host where host_id = $1::uuid and verdict <> 'unknown' and not pending)",
            host_id, error);
        if (known == NULL)
            return -1;
        printf("%s: nothing %sto do\n", host, strcmp(PQgetvalue(known, 0, 0), "t") == 0 ? "" : "is known ");
    }
    print_steps(steps);
    return print_rest(connection, host, host_id, "", stdout, error);
}

/* For programs, to which no row means nothing to do: what is unknown is a row too. */
static const char rows_query[] =
    "with s as materialized (select step, action, what, why from evenkeel.plan($1::uuid))"
    " select step, action, what, why from s"
    " union all"
    " select (select count(*) from s)::integer + 1, 'unknown', 'not all is known of ' || host, missing"
    " from ops.host where host_id = $1::uuid and (verdict = 'unknown' or pending)"
    " order by step";

/* The host that the word names, once all that waits is judged. In a session of its own: what runs with the owner's
 * rights lays nothing over a host where temporary relations of another are, as judging leaves them. */
static int judged_host(const struct cli *cli, const char *word, struct cli_host *host, struct error *error)
{
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli->dsn, error);
    if (connection == NULL || cli_host(connection, word, host, error) < 0)
        return -1;
    return cli_judge(connection, cli->quiet, error);
}

static int plan(const struct cli *cli, const char *word, struct error *error)
{
    struct cli_host host;
    enum cli_format format = cli->format;
    int rows;
    if (judged_host(cli, word, &host, error) < 0)
        return -1;
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli->dsn, error);
    if (connection == NULL)
        return -1;
    if (format == CLI_TEXT)
        return print_text(connection, host.name, host.host_id, error);
    if (cli_print(connection, rows_query, &PARAMETER_TEXT(host.host_id), 1, format, &rows, error) < 0)
        return -1;
    return print_rest(connection, host.name, host.host_id, "evenkeel plan: ", stderr, error);
}

int command_plan(int argc, char **argv)
{
    static const struct option options[] = {CLI_FORMAT_OPTION, CLI_OPTIONS, {0}};
    struct cli cli = {.command = "plan", .help = help};
    struct error error = {0};
    cli_option(&cli, argc, argv, options);
    if (cli.ended)
        return cli.status;
    if (optind == argc)
        return cli_fail_usage("plan", "name the host");
    if (optind + 1 < argc)
        return cli_fail_usage("plan", "'%s' is too much", argv[optind + 1]);
    return plan(&cli, argv[optind], &error) < 0 ? cli_fail("plan", &error) : EXIT_STATUS_OK;
}
