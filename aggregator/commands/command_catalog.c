/* evenkeel catalog: loads what is known of products, levels and patches; reads knowledge-base articles. */

#include "aggregator/catalogue/catalog_import.h"
#include "aggregator/catalogue/catalog_load.h"
#include "aggregator/kb/kb_article.h"
#include "cli.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel catalog load DIR\n"
                           "       evenkeel catalog import-kb [--product P] [--level BUILD.UBR] [--dry-run]\n"
                           "                                  FILE...\n"
                           "       evenkeel catalog import-kb --format tsv FILE...\n\n"
                           "  load DIR         merges products, levels, lines, components, rules, baselines,\n"
                           "                   patches and patch_files (.csv) of that folder\n"
                           "  import-kb FILE   takes knowledge-base articles (text, HTML, pasted pages) and\n"
                           "                   'File information' lists (CSV) into the catalogue, all of\n"
                           "                   them or none: patches, the levels they need, what they prove\n"
                           "                   of levels; of a list the level that it is\n"
                           "  --product P      only what belongs to this product, windows-2019\n"
                           "  --level LEVEL    the build that a list is of, 17763.6054, where its highest\n"
                           "                   revision is not that\n"
                           "  --dry-run        says what would be taken, and changes nothing\n"
                           "  --format tsv     prints the rows that were read, and touches no database";

struct options {
    const char *dsn, *format, *product, *level;
    bool dry_run;
};

static void print_change(const struct catalog_change *change)
{
    for (int i = 0; i < change->count; i++)
        printf("%s%lld %s", i > 0 ? ", " : "changed: ", change->changed[i], change->tables[i]);
    printf("\n");
}

static int load(const struct options *options, const char *directory, struct error *error)
{
    struct catalog_change change;
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(options->dsn, error);
    if (connection == NULL || database_execute(connection, "begin", error) < 0 ||
        catalog_load(connection, directory, &change, error) < 0 || database_execute(connection, "commit", error) < 0)
        return -1;
    print_change(&change);
    return 0;
}

static int import(const struct options *options, const char *const *paths, size_t count, struct error *error)
{
    struct catalog_change change;
    struct catalog_import import = {
        .product = options->product, .level = options->level, .out = stdout, .problems = stderr};
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(options->dsn, error);
    if (connection == NULL || database_execute(connection, "begin", error) < 0 ||
        catalog_import(connection, paths, count, &import, &change, error) < 0 ||
        database_execute(connection, options->dry_run ? "rollback" : "commit", error) < 0)
        return -1;
    if (options->dry_run)
        printf("a dry run; otherwise ");
    print_change(&change);
    return 0;
}

static int run(const struct options *options, int count, char **words, struct error *error)
{
    const char *const *files = (const char *const *)words + 1;
    if (count == 2 && strcmp(words[0], "load") == 0)
        return load(options, words[1], error);
    if (count < 2 || strcmp(words[0], "import-kb") != 0)
        return error_set(error, ERROR_USAGE, "say 'load DIR' or 'import-kb FILE...'");
    if (strcmp(options->format, "tsv") == 0)
        return kb_print_tsv(files, (size_t)count - 1, stdout, stderr, error);
    if (options->format[0] != '\0')
        return error_set(error, ERROR_USAGE, "import-kb has no format '%s', only tsv", options->format);
    if (options->level != NULL && count != 2)
        return error_set(error, ERROR_USAGE, "--level names the level of one list: import the others by themselves");
    return import(options, files, (size_t)count - 1, error);
}

int command_catalog(int argc, char **argv)
{
    enum { OPTION_FORMAT = 256, OPTION_PRODUCT, OPTION_LEVEL, OPTION_DRY_RUN };
    static const struct option known[] = {{"format", required_argument, NULL, OPTION_FORMAT},
                                          {"product", required_argument, NULL, OPTION_PRODUCT},
                                          {"level", required_argument, NULL, OPTION_LEVEL},
                                          {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
                                          CLI_OPTIONS,
                                          {0}};
    struct options options = {.format = ""};
    struct cli cli = {.command = "catalog", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, known)) != -1;) {
        switch (option) {
        case OPTION_FORMAT:
            options.format = optarg;
            break;
        case OPTION_PRODUCT:
            options.product = optarg;
            break;
        case OPTION_LEVEL:
            options.level = optarg;
            break;
        case OPTION_DRY_RUN:
            options.dry_run = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    options.dsn = cli.dsn;
    if (run(&options, argc - optind, argv + optind, &error) == 0)
        return EXIT_STATUS_OK;
    return error.code == ERROR_USAGE ? cli_fail_usage("catalog", "%s", error.message) : cli_fail("catalog", &error);
}
