/* evenkeel prune: removes history beyond what is kept, and content that no host refers to, while the aggregator goes
 * on. */

#include "aggregator/base/progress.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Rows per step: a step keeps snapshots waiting, so it must be over within some tens of milliseconds. */
#define STEP_ROWS 1000
#define KEEP_DEFAULT "400d"
#define KEEP_DAYS_MAXIMUM 36500

/* '400d', or a number of days alone. */
static bool days_of(const char *text, int *days)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    *days = (int)number;
    return end != text && (*end == 0 || strcmp(end, "d") == 0) && errno == 0 && number >= 0 &&
           number <= KEEP_DAYS_MAXIMUM;
}

/* Runs a statement of one integer until it returns less than `least`; *total adds them up. */
static int repeat(PGconn *connection, const char *statement, int least, const char *what, struct progress *progress,
                  long long *total, struct error *error)
{
    *total = 0;
    for (int rows = least; rows >= least;) {
        progress_show(progress, "removed %lld %s", *total, what);
        _cleanup_(cleanup_result) PGresult *done = database_query(connection, statement, NULL, 0, true, error);
        if (done == NULL)
            return -1;
        rows = database_i32(done, 0, 0);
        *total += rows > 0 ? rows : 0;
    }
    return 0;
}

static int prune_content(PGconn *connection, const char *kind, struct progress *progress, long long *removed,
                         struct error *error)
{
    char statement[128], what[32];
    snprintf(statement, sizeof statement, "select evenkeel.prune_find('%s')", kind);
    if (database_execute(connection, statement, error) < 0)
        return -1;
    snprintf(statement, sizeof statement, "select evenkeel.prune_remove('%s', %d)", kind, STEP_ROWS);
    snprintf(what, sizeof what, "%ss", kind);
    return repeat(connection, statement, 0, what, progress, removed, error);
}

static int prune(PGconn *connection, int days, bool quiet, struct error *error)
{
    /* What names others goes before what is named. */
    static const char *const kinds[] = {"chunk", "file", "image", "path", "component store"};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    long long history, waiting, content[KINDS];
    char statement[128];
    _cleanup_(progress_end) struct progress progress = progress_begin(quiet);
    snprintf(statement, sizeof statement, "select evenkeel.prune_history(interval '%d days', %d)", days, STEP_ROWS);
    if (repeat(connection, statement, 1, "states and findings", &progress, &history, error) < 0)
        return -1;
    snprintf(statement, sizeof statement, "select evenkeel.prune_waiting(%d)", STEP_ROWS);
    if (repeat(connection, statement, 1, "unfinished uploads and enrolments", &progress, &waiting, error) < 0 ||
        database_execute(connection, "select evenkeel.prune_mark()", error) < 0)
        return -1;
    for (size_t i = 0; i < KINDS; i++)
        if (prune_content(connection, kinds[i], &progress, &content[i], error) < 0)
            return -1;
    progress_end(&progress);
    if (!quiet)
        printf("removed %lld %s older than %d %s; %lld %s; %lld %s, %lld %s, %lld %s, %lld %s that no host refers to\n",
               history, plural(history, "state or finding", "states and findings"), days, plural(days, "day", "days"),
               waiting, plural(waiting, "unfinished upload or enrolment", "unfinished uploads and enrolments"),
               content[0], plural(content[0], "chunk", "chunks"), content[1], plural(content[1], "file", "files"),
               content[2], plural(content[2], "image", "images"), content[3], plural(content[3], "path", "paths"));
    return 0;
}

static const char help[] = "usage: evenkeel prune [--keep DAYS] [--yes] [--quiet]\n\n"
                           "Removes history that is older, uploads that were not finished for a week, and\n"
                           "files that no host's present or past refers to any more. Safe while the\n"
                           "aggregator runs.\n"
                           "  --keep DAYS   how long history is kept, like 90d (default: " KEEP_DEFAULT ");\n"
                           "                with 0 all of it goes, for which --yes is needed\n"
                           "  --yes         all history is to go";

int command_prune(int argc, char **argv)
{
    enum { OPTION_KEEP = 256, OPTION_YES };
    static const struct option options[] = {
        {"keep", required_argument, NULL, OPTION_KEEP}, {"yes", no_argument, NULL, OPTION_YES}, CLI_OPTIONS, {0}};
    bool sure = false;
    const char *keep = KEEP_DEFAULT;
    int days;
    struct cli cli = {.command = "prune", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_KEEP:
            keep = optarg;
            break;
        case OPTION_YES:
            sure = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    if (optind < argc)
        return cli_fail_usage("prune", "'%s' is too much", argv[optind]);
    if (!days_of(keep, &days))
        return cli_fail_usage("prune", "--keep '%s' is no number of days like 400d", keep);
    if (days == 0 && !sure)
        return cli_fail_usage(
            "prune",
            "--keep '%s' removes all history, for good: what hosts held before, and findings that are "
            "closed; if that is meant, add --yes",
            keep);
    database_settings_file("prune.env");
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli.dsn, &error);
    if (connection == NULL || prune(connection, days, cli.quiet, &error) < 0)
        return cli_fail("prune", &error);
    return EXIT_STATUS_OK;
}
