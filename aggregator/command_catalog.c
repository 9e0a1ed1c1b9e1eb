/* evenkeel catalog: loads what is known of products, levels and patches; reads knowledge-base articles. */

#include "catalog_load.h"
#include "cli.h"
#include "kb_article.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: evenkeel catalog load DIR\n"
    "       evenkeel catalog import-kb --format tsv FILE...\n\n"
    "  load DIR         merges products, levels, lines, components, rules, baselines, patches and patch_files (.csv) "
    "of that folder\n"
    "  import-kb FILE   reads knowledge-base articles (text, HTML, pasted pages) and 'File information' lists (CSV);\n"
    "                   with --format tsv it prints what it read and touches no database";

static int load(const char *dsn, const char *directory, struct error *error)
{
    struct catalog_change change;
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(dsn, error);
    if (connection == NULL || database_execute(connection, "begin", error) < 0 ||
        catalog_load(connection, directory, &change, error) < 0 || database_execute(connection, "commit", error) < 0)
        return -1;
    for (int i = 0; i < change.count; i++)
        printf("%s%lld %s", i > 0 ? ", " : "changed: ", change.changed[i], change.tables[i]);
    printf("\n");
    return 0;
}

int command_catalog(int argc, char **argv)
{
    enum { OPTION_FORMAT = 256 };
    static const struct option options[] = {{"format", required_argument, NULL, OPTION_FORMAT}, CLI_OPTIONS, {0}};
    const char *dsn = NULL, *format = "";
    struct error error = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case OPTION_FORMAT:
            format = optarg;
            break;
        case CLI_DSN:
            dsn = optarg;
            break;
        case CLI_QUIET:
            break;
        case CLI_HELP:
            puts(help);
            return EXIT_STATUS_OK;
        default:
            return EXIT_STATUS_ERROR;
        }
    }
    const char *action = optind < argc ? argv[optind] : "";
    if (strcmp(action, "load") == 0 && optind + 2 == argc)
        return load(dsn, argv[optind + 1], &error) == 0 ? EXIT_STATUS_OK : cli_fail("catalog", &error);
    if (strcmp(action, "import-kb") == 0 && optind + 1 < argc && strcmp(format, "tsv") == 0)
        return kb_print_tsv((const char *const *)argv + optind + 1, (size_t)(argc - optind - 1), stdout, stderr,
                            &error) == 0
                   ? EXIT_STATUS_OK
                   : cli_fail("catalog", &error);
    return cli_fail_usage("catalog", "say 'load DIR' or 'import-kb --format tsv FILE...'");
}
