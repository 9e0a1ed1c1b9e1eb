/* evenkeel check: what is wrong now, and what is not known. */

#include "cli.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>

/* Findings first, then what is unknown, as rows of the same columns. Waived findings are shown by --waived only. $1 and
 * $3, where not null, are the hosts and the one check. */
static const char query[] =
    "select host, \"check\", subject, severity, %s"
    " from (select host, check_name as \"check\", subject, severity, summary, evidence, opened_at,"
    "              case severity when 'high' then 0 when 'medium' then 1 else 2 end as place"
    "       from ops.finding where (waived_until is null or $2::boolean) and ($1::uuid[] is null or host_id = any "
    "($1::uuid[]))"
    "       union all"
    "       select u.host, 'unknown', u.product, 'low', u.missing, jsonb_build_object('missing', u.missing),"
    "              null::timestamptz, 3"
    "       from evenkeel.shown_unknown($1) u"
    "       union all"
    "       select b.host, 'unknown', b.check_code, 'low', b.says,"
    "              jsonb_strip_nulls(jsonb_build_object('missing', b.says, 'files', b.files)), null, 3"
    "       from evenkeel.shown_unanswered($1) b) r"
    " where $3::text is null or \"check\" = $3"
    " order by place, host, \"check\", subject";

/* The same of a fleet database, which asks all cells. */
static const char fleet_query[] =
    "select cell, host, \"check\", subject, severity, %s from evenkeel.over_cells_check($1, $2::boolean, $3)";

static int count_of(PGconn *connection, const char *statement, const struct parameter *parameters, int parameter_count,
                    long long *count, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, statement, parameters, parameter_count, true, error);
    if (rows == NULL)
        return -1;
    *count = database_i64(rows, 0, 0);
    return 0;
}

/* What one host's collector did not see: of many hosts the report tells it. */
static int print_not_seen(PGconn *connection, const char *hosts, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select not_seen from ops.host where host_id = any ($1::uuid[]) and not_seen <> ''",
                       &PARAMETER_TEXT(hosts), 1, true, error);
    for (int i = 0; rows != NULL && i < PQntuples(rows); i++)
        printf("not seen: %s\n", PQgetvalue(rows, i, 0));
    return rows != NULL ? 0 : -1;
}

/* Of how many files nothing is said, for they are no product's; per host. */
static int print_unassigned(PGconn *connection, const char *hosts, bool of_one, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection,
                       "select host, unassigned, files, count(*) over () from evenkeel.shown_unassigned($1)"
                       " order by 2 desc, 1 limit 8",
                       &PARAMETER_TEXT(hosts), 1, true, error);
    if (rows == NULL || PQntuples(rows) == 0)
        return rows != NULL ? 0 : -1;
    long long left = database_i64(rows, 0, 3) - PQntuples(rows);
    for (int i = 0; i < PQntuples(rows); i++) {
        fputs(i == 0 ? "files of no product: " : ", ", stdout);
        if (!of_one) {
            utf8_print(PQgetvalue(rows, i, 0), stdout);
            putchar(' ');
        }
        printf("%lld of %lld", (long long)database_i64(rows, i, 1), (long long)database_i64(rows, i, 2));
    }
    if (left > 0)
        printf(", and some of %lld more %s", left, plural(left, "host", "hosts"));
    putchar('\n');
    return 0;
}

/* What stands beside Windows leaves a host's verdict as it is: not told host by host, but that it is so. */
static int print_beside(PGconn *connection, const char *hosts, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection,
                       "select product_name, count(*) from ops.host_product where beside and verdict = 'unknown'"
                       " and ($1::uuid[] is null or host_id = any ($1::uuid[])) group by 1 order by 2 desc, 1",
                       &PARAMETER_TEXT(hosts), 1, true, error);
    if (rows == NULL)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        long long count = database_i64(rows, i, 1);
        fputs(i == 0 ? "unknown beside that: " : ", ", stdout);
        utf8_print(PQgetvalue(rows, i, 0), stdout);
        printf(" of %lld %s%s", count, count == 1 ? "host" : "hosts",
               i + 1 == PQntuples(rows) ? " (evenkeel check --host says why)\n" : "");
    }
    return 0;
}

/* What is asked for; NULL: all of it. */
struct chosen {
    const char *host, *check;
    struct cli_choice *choice;
    bool waived, fleet;
};

/* The hosts as one array; its value is null where all are meant. NULL with *error. */
static PGresult *hosts_of(PGconn *connection, const struct chosen *chosen, struct error *error)
{
    struct cli_host host;
    if (chosen->host == NULL)
        return cli_chosen(connection, chosen->choice, error);
    if (cli_host(connection, chosen->host, &host, error) < 0)
        return NULL;
    return database_query(connection, "select array[$1::uuid]::text", &PARAMETER_TEXT(host.host_id), 1, false, error);
}

static int check_chosen(PGconn *connection, const struct chosen *chosen, const char *ids, long long *hosts,
                        struct error *error)
{
    if (count_of(connection, "select count(*) from ops.host where $1::uuid[] is null or host_id = any ($1::uuid[])",
                 &PARAMETER_TEXT(ids), 1, hosts, error) < 0)
        return -1;
    if (*hosts == 0)
        return error_set(error, ERROR_NOT_FOUND, "no host has reported yet: run 'evenkeel-collector push'");
    if (chosen->check == NULL || strcmp(chosen->check, "unknown") == 0)
        return 0;
    _cleanup_(cleanup_result) PGresult *named =
        database_query(connection, "select evenkeel.waiver_check($1)", &PARAMETER_TEXT(chosen->check), 1, false, error);
    return named != NULL ? 0 : -1;
}

static int check(PGconn *connection, const struct chosen *chosen, enum cli_format format, bool quiet, int *status,
                 struct error *error)
{
    long long hosts, findings, unknown, waived;
    int rows;
    char statement[sizeof query + 96];
    _cleanup_(cleanup_result) PGresult *given = hosts_of(connection, chosen, error);
    if (given == NULL)
        return -1;
    const char *ids = PQgetisnull(given, 0, 0) ? NULL : PQgetvalue(given, 0, 0);
    if (check_chosen(connection, chosen, ids, &hosts, error) < 0 || cli_judge(connection, quiet, error) < 0)
        return -1;
    struct parameter parameters[] = {PARAMETER_TEXT(ids), PARAMETER_TEXT(chosen->waived ? "true" : "false"),
                                     PARAMETER_TEXT(chosen->check)};
    struct parameter counted[] = {PARAMETER_TEXT(ids), PARAMETER_TEXT(chosen->check)};
    /* On a terminal the last column is the one that is cut. */
    snprintf(statement, sizeof statement, chosen->fleet ? fleet_query : query,
             format == CLI_TEXT ? "coalesce(to_char(opened_at, 'YYYY-MM-DD HH24:MI TZ'), '') as since, summary"
                                : "summary, evidence, opened_at");
    if (cli_print(connection, statement, parameters, 3, format, &rows, error) < 0 ||
        count_of(connection,
                 "select count(*) from ops.finding where waived_until is null and ($1::uuid[] is null or host_id = any "
                 "($1::uuid[])) and ($2::text is null or check_name = $2)",
                 counted, 2, &findings, error) < 0 ||
        count_of(
            connection,
            "select count(*) from ops.finding where waived_until is not null and ($1::uuid[] is null or host_id = any "
            "($1::uuid[])) and ($2::text is null or check_name = $2)",
            counted, 2, &waived, error) < 0 ||
        count_of(connection,
                 "select count(*) from ops.host where ($1::uuid[] is null or host_id = any ($1::uuid[]))"
                 " and (verdict = 'unknown' or host_id in (select host_id from evenkeel.shown_unanswered($1)))",
                 counted, 1, &unknown, error) < 0)
        return -1;
    if (format == CLI_TEXT && !quiet) {
        printf("%s%lld %s; %lld %s; %lld %s", rows > 0 ? "\n" : "", hosts, plural(hosts, "host", "hosts"), findings,
               plural(findings, "finding", "findings"), unknown, plural(unknown, "host unknown", "hosts unknown"));
        if (waived > 0)
            printf("; %lld waived%s", waived, chosen->waived ? "" : " (--waived shows them)");
        putchar('\n');
    }
    if (format == CLI_TEXT && !quiet && chosen->check == NULL) {
        bool of_one = ids != NULL && hosts == 1;
        if ((!of_one && print_beside(connection, ids, error) < 0) ||
            print_unassigned(connection, ids, of_one, error) < 0)
            return -1;
    }
    if (format == CLI_TEXT && ids != NULL && hosts == 1 && print_not_seen(connection, ids, error) < 0)
        return -1;
    *status = findings > 0 ? EXIT_STATUS_FOUND : unknown > 0 ? EXIT_STATUS_UNKNOWN : EXIT_STATUS_OK;
    return 0;
}

static const char help[] = "usage: evenkeel check [--host HOST | --hosts GLOB]... [--group G]...\n"
                           "                      [--except GLOB]... [--check CODE] [--waived]\n"
                           "                      [--format text|json|csv] [--quiet]\n\n"
                           "Prints what is found wrong, and what can't be judged and why.\n"
                           "  --host HOST   that host only, by name or host_id\n"
                           "  --hosts GLOB  hosts of that name, host_id or glob; may be repeated, and so may\n"
                           "                --group G, the hosts of a group, and --except GLOB\n"
                           "  --hosts-file FILE  names, one a line; - is stdin\n"
                           "  --check CODE  findings of that check only, as mixed-level; unknown: what can't\n"
                           "                be judged\n"
                           "  --format F    text (default), json or csv, with all evidence\n"
                           "  --waived      show waived findings too\n"
                           "  --quiet       no progress\n\n"
                           "Exit status: 0 all is level, 2 something is found, 3 nothing is found but\n"
                           "something is unknown, 1 error.";

int command_check(int argc, char **argv)
{
    enum { OPTION_HOST = 256, OPTION_CHECK, OPTION_WAIVED };
    static const struct option options[] = {{"host", required_argument, NULL, OPTION_HOST},
                                            CLI_CHOICE_OPTIONS,
                                            {"check", required_argument, NULL, OPTION_CHECK},
                                            CLI_FORMAT_OPTION,
                                            {"waived", no_argument, NULL, OPTION_WAIVED},
                                            CLI_OPTIONS,
                                            {0}};
    struct chosen chosen = {0};
    int status = EXIT_STATUS_ERROR;
    _cleanup_(cli_clear) struct cli cli = {.command = "check", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_HOST:
            chosen.host = optarg;
            break;
        case OPTION_CHECK:
            chosen.check = optarg;
            break;
        case OPTION_WAIVED:
            chosen.waived = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    if (optind < argc)
        return cli_fail_usage("check", "'%s' is too much", argv[optind]);
    chosen.choice = &cli.choice;
    if (chosen.host != NULL && cli_choice_is_given(&cli.choice))
        return cli_fail_usage("check", "--host names one host: use --hosts beside --group, --except and --hosts-file");
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect_either(cli.dsn, &chosen.fleet, &error);
    if (connection == NULL || check(connection, &chosen, cli.format, cli.quiet, &status, &error) < 0)
        return cli_fail("check", &error);
    return status;
}
