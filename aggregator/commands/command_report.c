/* evenkeel report: what changed since last night, for a person. */

#include "aggregator/report/report.h"
#include "cli.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char help[] = "usage: evenkeel report drift [--since WHEN] [--format text|html|json|csv]\n"
                           "                             [-o FILE] [--quiet]\n\n"
                           "Prints what changed in the fleet: findings that are new, worse, closed or\n"
                           "waived, then changes gathered by what they are, outliers and silent hosts.\n"
                           "  --since WHEN   yesterday (24 hours ago; default), monday, '3 days',\n"
                           "                 2026-06-01, '2026-06-01 08:00'\n"
                           "  --format F     text; html: one page that needs nothing else; json and csv: all\n"
                           "                 of it (default: as FILE ends: .html, .json, .csv; else text)\n"
                           "  -o FILE        write there, whole or not at all (default: stdout); 'evenkeel\n"
                           "                 serve' shows the page report.html of its state directory\n"
                           "  --quiet        no progress";

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

int command_report(int argc, char **argv)
{
    enum { OPTION_SINCE = 256, OPTION_FORMAT };
    static const struct option options[] = {{"since", required_argument, NULL, OPTION_SINCE},
                                            {"format", required_argument, NULL, OPTION_FORMAT},
                                            {"output", required_argument, NULL, 'o'},
                                            CLI_OPTIONS,
                                            {0}};
    const char *since = "yesterday", *path = NULL;
    enum report_format format = REPORT_TEXT;
    bool format_given = false;
    struct cli cli = {.command = "report", .help = help, .letters = "o:"};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_SINCE:
            since = optarg;
            break;
        case OPTION_FORMAT:
            if (!format_of(optarg, &format))
                return EXIT_STATUS_ERROR;
            format_given = true;
            break;
        case 'o':
            path = optarg;
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
    if (!format_given)
        format = format_of_file(path);
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli.dsn, &error);
    if (connection == NULL || cli_judge(connection, cli.quiet, &error) < 0 ||
        report_drift_file(connection, since, format, path, &error) < 0)
        return cli_fail("report", &error);
    return EXIT_STATUS_OK;
}
