/* evenkeel report: what changed since last night, for a person. */

#include "aggregator/report/report.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char help[] = "usage: evenkeel report drift [--since WHEN] [--name NAME]\n"
                           "                             [--hosts GLOB]... [--group G]... [--except GLOB]...\n"
                           "                             [--format text|html|json|csv] [-o FILE]\n"
                           "                             [--archive DIR] [--base-url URL] [--quiet]\n\n"
                           "Prints what is dangerous now, whatever its age, with the next step of its\n"
                           "plan; then what changed in the fleet: findings that are new, worse, closed or\n"
                           "waived, changes gathered by what they are, outliers and silent hosts.\n"
                           "  --since WHEN   yesterday (24 hours ago; default), monday, '3 days',\n"
                           "                 2026-06-01, '2026-06-01 08:00'; last-report: where the last\n"
                           "                 one ended, so that early, late and missed ones leave no gap\n"
                           "  --name NAME    whose last report that is (default: nightly); one choice each\n"
                           "  --hosts GLOB   of these only (name, host_id or glob), of --group G, without\n"
                           "                 --except GLOB, of --hosts-file FILE (one a line; - is stdin)\n"
                           "  --format F     text; html: one page that needs nothing else; json and csv: all\n"
                           "                 of it (default: as FILE ends: .html, .json, .csv; else text)\n"
                           "  -o FILE        write there, whole or not at all (default: stdout); 'evenkeel\n"
                           "                 serve' shows the page report.html of its state directory\n"
                           "  --archive DIR  keep the page there, too, under its time, and renew the index\n"
                           "                 that leads to all that are kept; 'evenkeel serve' shows the\n"
                           "                 directory 'reports' beside its page as /reports/\n"
                           "  --base-url URL where 'evenkeel serve --read-dsn' shows pages: the page's hosts\n"
                           "                 and checks lead there\n"
                           "  --quiet        no progress";

#define NAME_DEFAULT "nightly"

static bool format_of(const char *word, enum report_format *format)
{
    static const char *const words[] = {
        [REPORT_TEXT] = "text", [REPORT_HTML] = "html", [REPORT_JSON] = "json", [REPORT_CSV] = "csv"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            *format = (enum report_format)i;
            return true;
        }
    }
    cli_fail_usage("report", "there is no format '%s': text, html, json and csv are", word);
    return false;
}

/* What a file's name ends in; text where that says nothing. */
static enum report_format format_of_file(const char *path)
{
    static const struct {
        const char *ending;
        enum report_format format;
    } endings[] = {{".html", REPORT_HTML}, {".htm", REPORT_HTML}, {".json", REPORT_JSON}, {".csv", REPORT_CSV}};
    const char *ending = path != NULL ? strrchr(path, '.') : NULL;
    for (size_t i = 0; ending != NULL && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(ending, endings[i].ending) == 0)
            return endings[i].format;
    return REPORT_TEXT;
}

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    bool shown = true;
    for (const char *at = name; *at != 0 && shown;)
        at = utf8_step(at, &shown);
    return shown && length > 0 && length <= 100;
}

static bool is_base(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    return scheme > 0 && url[scheme] != 0 && url[strcspn(url, " \"'<>?#\t\n")] == 0;
}

/* Where the report goes. */
struct wanted {
    enum report_format format;
    const char *path, *archive; /* NULL: to stdout; not kept */
};

static int write_report(PGconn *connection, const struct report_asked *asked, const struct wanted *wanted,
                        struct error *error)
{
    if (wanted->archive == NULL)
        return report_drift_file(connection, asked, wanted->format, wanted->path, error);
    bool same = wanted->format == REPORT_HTML && wanted->path != NULL;
    if (report_drift_kept(connection, asked, wanted->archive, same ? wanted->path : NULL, error) < 0)
        return -1;
    return same ? 0 : report_drift_file(connection, asked, wanted->format, wanted->path, error);
}

/* The end is remembered once the report is where it was to go, so that one that fails is made again. */
static int follow(PGconn *connection, const char *name, const char *choice, const struct wanted *wanted,
                  struct error *error)
{
    struct report_span span;
    if (report_next(connection, name, choice, &span, error) < 0 ||
        write_report(connection, &(struct report_asked){span.since, span.until, choice}, wanted, error) < 0)
        return -1;
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(error, ERROR_IO, "can't write the report: %s", strerror(errno));
    return report_told(connection, name, choice, &span, error);
}

/* Of which hosts, for struct report_asked; its value is null where all are meant. NULL with *error. */
static PGresult *choice_of(PGconn *connection, struct cli_choice *choice, struct error *error)
{
    struct parameter parameters[3];
    cli_choice_parameters(choice, parameters);
    return database_query(connection, "select evenkeel.report_choice($1::text[], $2::text[], $3::text[])::text",
                          parameters, 3, false, error);
}

int command_report(int argc, char **argv)
{
    enum { OPTION_SINCE = 256, OPTION_NAME, OPTION_FORMAT, OPTION_ARCHIVE, OPTION_BASE };
    static const struct option options[] = {{"since", required_argument, NULL, OPTION_SINCE},
                                            {"name", required_argument, NULL, OPTION_NAME},
                                            {"format", required_argument, NULL, OPTION_FORMAT},
                                            {"output", required_argument, NULL, 'o'},
                                            {"base-url", required_argument, NULL, OPTION_BASE},
                                            {"archive", required_argument, NULL, OPTION_ARCHIVE},
                                            CLI_CHOICE_OPTIONS,
                                            CLI_OPTIONS,
                                            {0}};
    const char *since = "yesterday", *name = NULL;
    struct wanted wanted = {.format = REPORT_TEXT};
    bool format_given = false;
    _cleanup_(cli_clear) struct cli cli = {.command = "report", .help = help, .letters = "o:"};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_SINCE:
            since = optarg;
            break;
        case OPTION_NAME:
            name = optarg;
            break;
        case OPTION_FORMAT:
            if (!format_of(optarg, &wanted.format))
                return EXIT_STATUS_ERROR;
            format_given = true;
            break;
        case 'o':
            wanted.path = optarg;
            break;
        case OPTION_BASE:
            if (!is_base(optarg))
                return cli_fail_usage("report", "--base-url '%s' is no address of pages: write http://127.0.0.1:8471",
                                      optarg);
            optarg[strlen(optarg) - (optarg[strlen(optarg) - 1] == '/')] = 0;
            report_base_url(optarg);
            break;
        case OPTION_ARCHIVE:
            wanted.archive = optarg;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    if (optind >= argc)
        return cli_fail_usage("report", "which report? 'drift' is the one there is");
    if (strcmp(argv[optind], "drift") != 0)
        return cli_fail_usage("report", "there is no report '%s': 'drift' is the one there is", argv[optind]);
    if (optind + 1 < argc)
        return cli_fail_usage("report", "'%s' is too much", argv[optind + 1]);
    bool follows = strcmp(since, "last-report") == 0;
    if (!follows && strncasecmp(since, "last", 4) == 0)
        return cli_fail_usage("report", "'%s' is no time: last-report is where the last one ended", since);
    if (name != NULL && !follows)
        return cli_fail_usage("report", "--name goes with --since last-report");
    if (follows && name == NULL && cli_choice_is_given(&cli.choice))
        return cli_fail_usage("report",
                              "reports of some hosts since the last one have a name of their own: --name NAME");
    if (!is_name(name != NULL ? name : NAME_DEFAULT))
        return cli_fail_usage("report", "--name wants 1 to 100 bytes of text in one line");
    if (!format_given)
        wanted.format = format_of_file(wanted.path);
    bool fleet;
    _cleanup_(cleanup_result) PGresult *chosen = NULL;
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect_either(cli.dsn, &fleet, &error);
    if (connection == NULL || (chosen = choice_of(connection, &cli.choice, &error)) == NULL ||
        cli_judge(connection, cli.quiet, &error) < 0)
        return cli_fail("report", &error);
    const char *choice = PQgetisnull(chosen, 0, 0) ? NULL : PQgetvalue(chosen, 0, 0);
    if ((follows ? follow(connection, name != NULL ? name : NAME_DEFAULT, choice, &wanted, &error)
                 : write_report(connection, &(struct report_asked){since, NULL, choice}, &wanted, &error)) < 0)
        return cli_fail("report", &error);
    return EXIT_STATUS_OK;
}
