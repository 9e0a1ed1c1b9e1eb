/* evenkeel risk: what a patch would break, before it rolls out. */

#include "aggregator/base/progress.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Hosts per step: enough to share what is computed once, few enough that progress shows. */
#define HOSTS_PER_STEP "5000"
/* A host that is asked for again between judging and the answer is waited for this often. */
#define ANSWERS_TRIED 5

static const char help[] = "usage: evenkeel risk PATCH [OPTION]...\n"
                           "       evenkeel risk PATCH [HOSTS] --accept CHECK --reason TEXT --until DATE\n"
                           "       evenkeel risk PATCH [HOSTS] --accept CHECK --remove\n"
                           "       evenkeel risk PATCH --accepted\n\n"
                           "Says of every host what the checks would find with the patch on it and do not\n"
                           "find without it. A host that is named and not known is unknown.\n\n"
                           "  --hosts NAME      these hosts: a name, host_id or glob; may be repeated\n"
                           "  --hosts-file FILE names, one a line; - is standard input\n"
                           "  --group GROUP     the hosts of a group; may be repeated\n"
                           "  --except NAME     but not these; may be repeated\n"
                           "  --max-age AGE     an older snapshot says nothing (default: 48h; also 30m, 7d)\n"
                           "  --format FORMAT   text, json or csv; json has all evidence, and remedies\n"
                           "  --quiet           no progress\n"
                           "  --accept CHECK    accept what it would find (--subject S: that only) until\n"
                           "                    --until DATE; --by NAME: who; --remove: no longer\n"
                           "  --accepted        what is accepted of the patch\n\n"
                           "Exit status: 0 safe, accepted or not applicable everywhere, 2 at risk somewhere,\n"
                           "3 nothing at risk but something unknown, 1 error.";

struct question {
    const char *dsn, *patch, *age;
    struct cli_choice *choice;
    enum cli_format format;
    bool quiet;
    const char *check, *subject, *reason, *until, *person; /* of what is accepted; NULL: nothing is */
    bool remove, accepted;
    bool fleet; /* asked of a fleet database */
};

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

/* Judges the hosts that were asked for into risk_result. */
static int judge(PGconn *connection, const struct question *question, const char *max_age, long long *total,
                 struct error *error)
{
    _cleanup_(progress_end) struct progress progress = progress_begin(question->quiet);
    struct parameter parameters[4] = {PARAMETER_TEXT(question->patch)};
    cli_choice_parameters(question->choice, parameters + 1);
    /* Between the two transactions neither prune nor a change of the catalogue may take away what the first one worked
     * out: a session beside this one keeps them out. */
    _cleanup_(cleanup_connection) PGconn *keeper = cli_connect(question->dsn, error);
    if (keeper == NULL || database_execute(keeper, "begin; select evenkeel.lock_catalogue_shared()", error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *opened =
        database_query(connection, "select evenkeel.risk_open($1, $2, $3, $4)", parameters, 4, true, error);
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

/* The same, once all hosts are judged as they are. What the fleet teaches, or another host brings, may ask for a host
 * again between the two: it is asked for again then, rather than told to be unknown. Under a storm of reports that
 * would not end, so the last of a few answers stands; and the first where others have hosts in hand, which were waited
 * for. */
static int judge_all(PGconn *connection, const struct question *question, const char *max_age, long long *total,
                     struct error *error)
{
    for (int tries = 0; tries < ANSWERS_TRIED; tries++) {
        int waiting = cli_judge_hosts(connection, question->quiet, error);
        if (waiting < 0 || judge(connection, question, max_age, total, error) < 0)
            return -1;
        if (waiting > 0)
            break;
        _cleanup_(cleanup_result) PGresult *early =
            database_query(connection, "select count(*) from evenkeel.risk_answer() where reason = 'not judged yet'",
                           NULL, 0, true, error);
        if (early == NULL)
            return -1;
        if (database_i64(early, 0, 0) == 0)
            break;
    }
    return 0;
}

/* The counts, in words, and the exit status that follows. */
static int summary(PGconn *connection, const char *patch, long long total, FILE *out, int *status, struct error *error)
{
    static const char *const verdicts[] = {"at risk", "unknown", "accepted", "safe", "not applicable"};
    _cleanup_(cleanup_result) PGresult *counts = database_query(
        connection,
        "select count(*) filter (where verdict = 'at risk'), count(*) filter (where verdict = 'unknown'),"
        " count(*) filter (where verdict = 'accepted'), count(*) filter (where verdict = 'safe'),"
        " count(*) filter (where verdict = 'not applicable') from evenkeel.risk_answer()",
        NULL, 0, true, error);
    if (counts == NULL)
        return -1;
    if (out != NULL) {
        fprintf(out, "%s on %lld %s:", patch, total, plural(total, "host", "hosts"));
        for (int i = 0; i < 5; i++)
            if (i != 2 || database_i64(counts, 0, i) > 0)
                fprintf(out, "%s %lld %s", i > 0 ? "," : "", (long long)database_i64(counts, 0, i), verdicts[i]);
        fprintf(out, "\n");
    }
    *status = database_i64(counts, 0, 0) > 0   ? EXIT_STATUS_FOUND
              : database_i64(counts, 0, 1) > 0 ? EXIT_STATUS_UNKNOWN
                                               : EXIT_STATUS_OK;
    return 0;
}

static int print_document(PGconn *connection, const struct question *question, struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(question->patch), PARAMETER_TEXT(question->age)};
    _cleanup_(cleanup_result) PGresult *document =
        database_query(connection, "select jsonb_pretty(evenkeel.risk_document($1, $2))", parameters, 2, false, error);
    if (document == NULL)
        return -1;
    puts(PQgetvalue(document, 0, 0));
    return 0;
}

static int answer(PGconn *connection, const struct question *question, long long total, int *status,
                  struct error *error)
{
    int rows;
    bool text = question->format == CLI_TEXT;
    if (summary(connection, question->patch, total, text ? stdout : NULL, status, error) < 0)
        return -1;
    if (question->format == CLI_JSON)
        return print_document(connection, question, error);
    return cli_print(connection,
                     text ? "select host, verdict, reason from evenkeel.risk_answer()"
                          : "select host, verdict, reason, step, findings, kept, replaced, host_id from "
                            "evenkeel.risk_answer()",
                     NULL, 0, question->format, &rows, error);
}

static int print_accepted(PGconn *connection, const struct question *question, struct error *error)
{
    int rows;
    if (cli_print(connection,
                  "select host, check_name as \"check\", subject, until::timestamptz(0) as until, accepted_by, reason, "
                  "ended, host_id"
                  " from ops.risk_acceptance where patch = upper($1) order by host, check_name, subject",
                  &PARAMETER_TEXT(question->patch), 1, question->format, &rows, error) < 0)
        return -1;
    if (rows == 0 && question->format == CLI_TEXT && !question->quiet)
        printf("nothing is accepted of %s\n", question->patch);
    return 0;
}

static int say_accepted(PGresult *number, const struct question *question)
{
    if (number == NULL)
        return -1;
    int findings = database_i32(number, 0, 0);
    if (!question->quiet)
        printf("%s: %d %s\n", question->patch, findings,
               question->remove ? plural(findings, "finding is no longer accepted", "findings are no longer accepted")
                                : plural(findings, "finding is accepted", "findings are accepted"));
    return 0;
}

/* What is accepted is what would be found now: that is worked out before. */
static int accept(PGconn *connection, const struct question *question, struct error *error)
{
    struct parameter words[] = {PARAMETER_TEXT(question->patch),   PARAMETER_TEXT(question->check),
                                PARAMETER_TEXT(question->subject), PARAMETER_TEXT(question->reason),
                                PARAMETER_TEXT(question->until),   PARAMETER_TEXT(question->person)};
    _cleanup_(cleanup_result) PGresult *number = database_query(
        connection, "select evenkeel.risk_accept($1, $2, $3, $4, evenkeel.waiver_end($5), $6)", words, 6, true, error);
    return say_accepted(number, question);
}

static int no_longer_accept(PGconn *connection, const struct question *question, struct error *error)
{
    struct parameter words[6] = {PARAMETER_TEXT(question->patch)};
    cli_choice_parameters(question->choice, words + 1);
    words[4] = PARAMETER_TEXT(question->check);
    words[5] = PARAMETER_TEXT(question->subject);
    _cleanup_(cleanup_result) PGresult *number =
        database_query(connection, "select evenkeel.risk_reject($1, $2, $3, $4, $5, $6)", words, 6, true, error);
    return say_accepted(number, question);
}

/* A fleet database has each cell work out its own hosts, as they were last judged. */
static int risk_of_cells(PGconn *connection, const struct question *question, const char *max_age, int *status,
                         struct error *error)
{
    static const char *const verdicts[] = {"at risk", "unknown", "accepted", "safe", "not applicable"};
    int rows;
    if (question->accepted || question->check != NULL)
        return error_set(error, ERROR_USAGE,
                         "this is a fleet database: what is accepted of a host is kept in its cell; run it there "
                         "('evenkeel fleet list' tells where each is)");
    _cleanup_(cleanup_result) PGresult *chosen = cli_chosen(connection, question->choice, error);
    if (chosen == NULL)
        return -1;
    struct parameter words[] = {PARAMETER_TEXT(question->patch),
                                PARAMETER_TEXT(PQgetisnull(chosen, 0, 0) ? NULL : PQgetvalue(chosen, 0, 0)),
                                PARAMETER_TEXT(max_age)};
    _cleanup_(cleanup_result) PGresult *counts = database_query(
        connection, "select * from evenkeel.cells_risk($1, $2::uuid[], $3::interval)", words, 3, true, error);
    if (counts == NULL)
        return -1;
    if (question->format == CLI_TEXT) {
        printf("%s:", question->patch);
        for (int i = 0; i < 5; i++)
            printf("%s %lld %s", i > 0 ? "," : "", (long long)database_i64(counts, 0, i), verdicts[i]);
        putchar('\n');
    }
    *status = database_i64(counts, 0, 0) > 0   ? EXIT_STATUS_FOUND
              : database_i64(counts, 0, 1) > 0 ? EXIT_STATUS_UNKNOWN
                                               : EXIT_STATUS_OK;
    return cli_print(connection,
                     question->format == CLI_TEXT ? "select cell, host, verdict, reason from evenkeel.cells_risk_rows()"
                                                  : "select * from evenkeel.cells_risk_rows()",
                     NULL, 0, question->format, &rows, error);
}

static int risk(PGconn *connection, const struct question *question, int *status, struct error *error)
{
    char interval[32];
    long long total;
    if (age_of(question->age, interval, sizeof interval, error) < 0)
        return -1;
    int standby = database_is_standby(connection, error);
    if (standby < 0)
        return -1;
    if (question->fleet && standby == 0)
        return risk_of_cells(connection, question, interval, status, error);
    if (standby > 0 && !question->accepted)
        return error_set(error, ERROR_USAGE,
                         "this database is a standby, and risk needs tables of its own: name the primary, or all "
                         "servers with target_session_attrs=read-write (--dsn or EVENKEEL_DSN)");
    _cleanup_(cleanup_result) PGresult *known = database_query(connection, "select evenkeel.patch_is_known($1)",
                                                               &PARAMETER_TEXT(question->patch), 1, true, error);
    if (known == NULL)
        return -1;
    if (!database_bool(known, 0, 0))
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no patch '%s': add its payload with 'evenkeel patch add', or its table with "
                         "'evenkeel catalog import-kb'",
                         question->patch);
    if (question->accepted)
        return print_accepted(connection, question, error);
    if (question->remove)
        return no_longer_accept(connection, question, error);
    bool may = false;
    if (cli_may_judge(connection, &may, error) < 0)
        return -1;
    if (!may)
        return error_set(error, ERROR_USAGE,
                         "'%s' only looks, and risk judges the hosts that wait first, which takes the rights of "
                         "evenkeel_owner; what is known by the verdicts as they stand: select * from ops.risk('%s')",
                         PQuser(connection), question->patch);
    if (judge_all(connection, question, interval, &total, error) < 0)
        return -1;
    if (total == 0)
        return error_set(error, ERROR_NOT_FOUND, "no host has reported yet: run 'evenkeel-collector push'");
    return question->check != NULL ? accept(connection, question, error)
                                   : answer(connection, question, total, status, error);
}

/* What is said of acceptances: true where it goes together, else with the sentence printed. */
static bool check_acceptance(const struct question *question)
{
    bool told = question->subject != NULL || question->reason != NULL || question->until != NULL ||
                question->person != NULL || question->remove;
    if (question->check == NULL && told)
        cli_fail_usage("risk", "--subject, --reason, --until, --by and --remove are for --accept only");
    else if (question->check != NULL && question->accepted)
        cli_fail_usage("risk", "--accepted lists what is accepted, and --accept adds to it: say one of them");
    else if (question->check != NULL && !cli_choice_is_given(question->choice))
        cli_fail_usage("risk", "--accept needs hosts (--hosts, --hosts-file, --group)");
    else if (question->remove && (question->reason != NULL || question->until != NULL || question->person != NULL))
        cli_fail_usage("risk", "--remove takes neither --reason nor --until nor --by");
    else if (question->check != NULL && !question->remove && (question->reason == NULL || question->until == NULL))
        cli_fail_usage("risk", "what is accepted needs a reason and an end (--reason, --until)");
    else
        return true;
    return false;
}

int command_risk(int argc, char **argv)
{
    enum { MAX_AGE = 256, ACCEPT, SUBJECT, REASON, UNTIL, BY, REMOVE, ACCEPTED };
    static const struct option options[] = {CLI_CHOICE_OPTIONS,
                                            {"max-age", required_argument, NULL, MAX_AGE},
                                            {"accept", required_argument, NULL, ACCEPT},
                                            {"subject", required_argument, NULL, SUBJECT},
                                            {"reason", required_argument, NULL, REASON},
                                            {"until", required_argument, NULL, UNTIL},
                                            {"by", required_argument, NULL, BY},
                                            {"remove", no_argument, NULL, REMOVE},
                                            {"accepted", no_argument, NULL, ACCEPTED},
                                            CLI_FORMAT_OPTION,
                                            CLI_OPTIONS,
                                            {0}};
    int status = EXIT_STATUS_OK;
    _cleanup_(cli_clear) struct cli cli = {.command = "risk", .help = help};
    struct question question = {.age = "48h", .choice = &cli.choice};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case MAX_AGE:
            question.age = optarg;
            break;
        case ACCEPT:
            question.check = optarg;
            break;
        case SUBJECT:
            question.subject = optarg;
            break;
        case REASON:
            question.reason = optarg;
            break;
        case UNTIL:
            question.until = optarg;
            break;
        case BY:
            question.person = optarg;
            break;
        case REMOVE:
            question.remove = true;
            break;
        case ACCEPTED:
            question.accepted = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    if (optind + 1 != argc)
        return cli_fail_usage("risk", "name one patch, such as KB973917");
    question.dsn = cli.dsn;
    question.patch = argv[optind];
    question.format = cli.format;
    question.quiet = cli.quiet;
    if (!check_acceptance(&question))
        return EXIT_STATUS_ERROR;
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect_either(cli.dsn, &question.fleet, &error);
    if (connection == NULL || risk(connection, &question, &status, &error) < 0)
        return cli_fail("risk", &error);
    return status;
}
