/* evenkeel risk: what a patch would break, before it rolls out. */

#include "aggregator/base/progress.h"
#include "cli.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Hosts per step: enough to share what is computed once, few enough that progress shows. */
#define HOSTS_PER_STEP "5000"

static const char help[] = "usage: evenkeel risk PATCH [OPTION]...\n\n"
                           "Says of every host what the checks would find with the patch on it and do not\n"
                           "find without it.\n\n"
                           "  --hosts GLOB      only hosts whose names match\n"
                           "  --max-age AGE     an older snapshot says nothing (default: 48h; also 30m, 7d)\n"
                           "  --format FORMAT   text, json or csv; json has all evidence\n"
                           "  --quiet           no progress\n\n"
                           "Exit status: 0 safe or not applicable everywhere, 2 at risk somewhere, 3 nothing\n"
                           "at risk but something unknown, 1 error.";

#define ORDER                                                                                                          \
    " order by case r.verdict when 'at risk' then 0 when 'unknown' then 1 when 'safe' then 2 else 3 end, h.name"
static const char text_query[] =
    "select h.name as host, r.verdict, r.reason from risk_result r join evenkeel.host h using (host_id)" ORDER;
static const char full_query[] = "select h.name as host, r.verdict, r.reason, r.findings, r.kept, r.replaced, "
                                 "h.host_id from risk_result r join evenkeel.host h using (host_id)" ORDER;

/* "48h" as PostgreSQL's "48 hours"; -1 where it is no age. */
static int age_of(const char *word, char *interval, size_t size, struct error *error)
{
    static const struct {
        char unit;
        const char *name;
    } units[] = {{'m', "minutes"}, {'h', "hours"}, {'d', "days"}};
    unsigned number;
    char unit, rest;
    if (word[0] >= '0' && word[0] <= '9' && strlen(word) < 8 && sscanf(word, "%u%c%c", &number, &unit, &rest) == 2 &&
        number > 0)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (units[i].unit == unit) {
                snprintf(interval, size, "%u %s", number, units[i].name);
                return 0;
            }
    return error_set(error, ERROR_USAGE, "'%s' is no age: 48h, 30m or 7d are", word);
}

/* Judges all hosts into risk_result. */
static int judge(const char *dsn, PGconn *connection, const char *patch, const char *hosts, const char *max_age,
                 bool quiet, long long *total, struct error *error)
{
    _cleanup_(progress_end) struct progress progress = progress_begin(quiet);
    struct parameter parameters[] = {PARAMETER_TEXT(patch), PARAMETER_TEXT(hosts)};
    /* Between the two transactions neither prune nor a change of the catalogue may take away what the first one worked
     * out: a session beside this one keeps them out. */
    _cleanup_(cleanup_connection) PGconn *keeper = cli_connect(dsn, error);
    if (keeper == NULL || database_execute(keeper, "begin; select evenkeel.lock_catalogue_shared()", error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *opened =
        database_query(connection, "select evenkeel.risk_open($1, $2)", parameters, 2, true, error);
    if (opened == NULL)
        return -1;
    *total = database_i64(opened, 0, 0);
    /* What risk_open() stored is committed by now, so that snapshots with the same files need not wait for the long
     * part. */
    if (database_execute(connection, "begin", error) < 0)
        return -1;
    for (long long done = 0, step = 1; step > 0; done += step) {
        progress_show(&progress, "judged %lld of %lld hosts", done, *total);
        _cleanup_(cleanup_result) PGresult *rows =
            database_query(connection, "select evenkeel.risk_next(" HOSTS_PER_STEP ", $1::interval)",
                           &PARAMETER_TEXT(max_age), 1, true, error);
        if (rows == NULL)
            return -1;
        step = database_i64(rows, 0, 0);
    }
    return database_execute(connection, "commit", error);
}

/* The counts, in words, and the exit status that follows. */
static int summary(PGconn *connection, const char *patch, long long total, FILE *out, int *status, struct error *error)
{
    static const char *const verdicts[] = {"at risk", "unknown", "safe", "not applicable"};
    _cleanup_(cleanup_result) PGresult *counts = database_query(
        connection,
        "select count(*) filter (where verdict = 'at risk'), count(*) filter (where verdict = 'unknown'),"
        " count(*) filter (where verdict = 'safe'), count(*) filter (where verdict = 'not applicable') from "
        "risk_result",
        NULL, 0, true, error);
    if (counts == NULL)
        return -1;
    if (out != NULL) {
        fprintf(out, "%s on %lld %s:", patch, total, total == 1 ? "host" : "hosts");
        for (int i = 0; i < 4; i++)
            fprintf(out, "%s %lld %s", i > 0 ? "," : "", (long long)database_i64(counts, 0, i), verdicts[i]);
        fprintf(out, "\n");
    }
    *status = database_i64(counts, 0, 0) > 0   ? EXIT_STATUS_FOUND
              : database_i64(counts, 0, 1) > 0 ? EXIT_STATUS_UNKNOWN
                                               : EXIT_STATUS_OK;
    return 0;
}

static int risk(const char *dsn, PGconn *connection, const char *patch, const char *hosts, const char *age,
                enum cli_format format, bool quiet, int *status, struct error *error)
{
    char interval[32];
    long long total;
    int rows;
    if (age_of(age, interval, sizeof interval, error) < 0)
        return -1;
    struct parameter parameters[] = {PARAMETER_TEXT(patch)};
    _cleanup_(cleanup_result) PGresult *known = database_query(
        connection, "select count(*) from evenkeel.patch where code = upper($1)", parameters, 1, true, error);
    if (known == NULL)
        return -1;
    if (database_i64(known, 0, 0) == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no patch '%s': add its payload with 'evenkeel patch add', or its table with "
                         "'evenkeel catalog import-kb'",
                         patch);
    if (cli_judge_hosts(connection, quiet, error) < 0 ||
        judge(dsn, connection, patch, hosts, interval, quiet, &total, error) < 0)
        return -1;
    if (total == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         hosts != NULL ? "no host is called like '%s'; 'evenkeel hosts list' names all"
                                       : "no host has reported yet: run 'evenkeel-collector push'",
                         hosts);
    if (summary(connection, patch, total, format == CLI_TEXT ? stdout : NULL, status, error) < 0)
        return -1;
    return cli_print(connection, format == CLI_TEXT ? text_query : full_query, NULL, 0, format, &rows, error);
}

int command_risk(int argc, char **argv)
{
    enum { HOSTS = 256, MAX_AGE };
    static const struct option options[] = {{"hosts", required_argument, NULL, HOSTS},
                                            {"max-age", required_argument, NULL, MAX_AGE},
                                            CLI_FORMAT_OPTION,
                                            CLI_OPTIONS,
                                            {0}};
    const char *hosts = NULL, *age = "48h";
    int status = EXIT_STATUS_OK;
    struct cli cli = {.command = "risk", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case HOSTS:
            hosts = optarg;
            break;
        case MAX_AGE:
            age = optarg;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    if (optind + 1 != argc)
        return cli_fail_usage("risk", "name one patch, such as KB973917");
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli.dsn, &error);
    if (connection == NULL ||
        risk(cli.dsn, connection, argv[optind], hosts, age, cli.format, cli.quiet, &status, &error) < 0)
        return cli_fail("risk", &error);
    return status;
}
