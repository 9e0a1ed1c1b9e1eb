/* evenkeel catalog: loads what is known of products, levels and patches; reads what is published about them. */

#include "aggregator/catalogue/catalog_import.h"
#include "aggregator/catalogue/catalog_load.h"
#include "aggregator/catalogue/catalog_update.h"
#include "aggregator/kb/kb_article.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] = "usage: evenkeel catalog update --from DIR [--product P] [--dry-run]\n"
                           "       evenkeel catalog status [--lists|--contradictions] [--format F]\n"
                           "       evenkeel catalog show [SOURCE] [--product P] [--format text|json|csv]\n"
                           "       evenkeel catalog remove SOURCE [--product P]\n"
                           "       evenkeel catalog load DIR\n"
                           "       evenkeel catalog import-kb [OPTION]... FILE...\n"
                           "\n"
                           "  update           reads all that a folder holds of what is published, each\n"
                           "                   file by its content: lists of files (CSV), Winbindex, levels,\n"
                           "                   builds, supersedence, mssecure.xml, wesng's ZIP\n"
                           "  status           levels known, lists missing for levels that hosts declare\n"
                           "                   (--lists alone), sources that disagree (--contradictions)\n"
                           "  show             the sources of all statements; what one source states\n"
                           "  remove SOURCE    takes out all that an article, a host or a file states\n"
                           "  load DIR         merges the .csv files of a folder; what one says no more goes\n"
                           "  import-kb FILE   takes articles (text, HTML) and lists of files (CSV), all of\n"
                           "                   them or none\n"
                           "  --product P      only what belongs to this product, windows-2019\n"
                           "  --level LEVEL    the build that a list is of, 17763.6054, where neither its\n"
                           "                   article nor its highest revision is that\n"
                           "  --kb KB          the article of a list, where its name does not say it\n"
                           "  --dry-run        says what would be taken, and changes nothing\n"
                           "  --format tsv     import-kb: prints the rows read, and touches no database";

struct options {
    const char *dsn, *format, *product, *level, *article, *from;
    bool dry_run, quiet, lists, contradictions;
};

static void print_change(const struct catalog_change *change)
{
    for (int i = 0; i < change->count; i++)
        printf("%s%lld %s", i > 0 ? ", " : "changed: ", change->changed[i], change->tables[i]);
    printf("\n");
}

static int load(PGconn *connection, const char *directory, struct error *error)
{
    struct catalog_change change;
    if (database_execute(connection, "begin", error) < 0 ||
        catalog_load(connection, directory, NULL, &change, error) < 0 ||
        database_execute(connection, "commit", error) < 0)
        return -1;
    print_change(&change);
    return 0;
}

/* KB4577668, or its number alone. */
static int article_number(const char *text, uint32_t *number, struct error *error)
{
    const char *digits = text;
    while (*digits != 0 && strchr("KBQkbq", *digits) != NULL)
        digits++;
    size_t length = strspn(digits, "0123456789");
    if (length < 5 || length > 7 || digits[length] != 0)
        return error_set(error, ERROR_USAGE, "'%s' is no article: a number of 5 to 7 digits is, such as KB4577668",
                         text);
    *number = (uint32_t)strtoul(digits, NULL, 10);
    return 0;
}

static int import(PGconn *connection, const struct options *options, const char *const *paths, size_t count,
                  struct error *error)
{
    struct catalog_change change;
    struct catalog_import import = {
        .product = options->product, .level = options->level, .out = stdout, .problems = stderr};
    if (options->article != NULL && article_number(options->article, &import.article, error) < 0)
        return -1;
    if (database_execute(connection, "begin", error) < 0 ||
        catalog_import(connection, paths, count, &import, &change, error) < 0 ||
        database_execute(connection, options->dry_run ? "rollback" : "commit", error) < 0)
        return -1;
    if (options->dry_run)
        printf("a dry run; otherwise ");
    print_change(&change);
    return 0;
}

static int update(PGconn *connection, const struct options *options, struct error *error)
{
    struct catalog_change change = {0};
    struct catalog_update update = {.directory = options->from,
                                    .product = options->product,
                                    .quiet = options->quiet,
                                    .out = stdout,
                                    .problems = stderr};
    if (options->product != NULL) {
        struct parameter product = PARAMETER_TEXT(options->product);
        _cleanup_(cleanup_result) PGresult *known =
            database_query(connection, "select evenkeel.product_number($1)", &product, 1, false, error);
        if (known == NULL)
            return -1;
    }
    if (database_execute(connection, "begin", error) < 0 || catalog_update(connection, &update, &change, error) < 0 ||
        database_execute(connection, options->dry_run ? "rollback" : "commit", error) < 0)
        return -1;
    if (update.taken + update.as_before == 0)
        return error_set(error, ERROR_FORMAT, "nothing was read of the %zu %s below '%s'", update.files,
                         plural((long long)update.files, "file", "files"), options->from);
    printf("%s%zu %s read, %zu as before, %zu not read; %lld %s of the catalogue changed\n",
           options->dry_run ? "a dry run; otherwise " : "", update.taken,
           plural((long long)update.taken, "file", "files"), update.as_before, update.not_read, change.total,
           plural(change.total, "row", "rows"));
    return 0;
}

static int missing_lists(PGconn *connection, enum cli_format format, struct error *error)
{
    int rows;
    if (cli_print(connection, "select * from evenkeel.catalog_missing_lists()", NULL, 0, format, &rows, error) < 0)
        return -1;
    if (rows == 0 && format == CLI_TEXT)
        printf("no host declares a level of whose files nothing is known\n");
    return 0;
}

static int contradictions(PGconn *connection, enum cli_format format, struct error *error)
{
    int rows;
    if (cli_print(connection, "select * from evenkeel.catalog_contradictions()", NULL, 0, format, &rows, error) < 0)
        return -1;
    if (rows == 0 && format == CLI_TEXT)
        printf("no source contradicts another\n");
    return 0;
}

/* Contradictions are never settled silently. */
static int count_contradictions(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *result =
        database_query(connection, "select count(*) from evenkeel.catalog_contradictions()", NULL, 0, false, error);
    if (result == NULL)
        return -1;
    if (strcmp(PQgetvalue(result, 0, 0), "0") != 0)
        printf("%s of the catalogue's statements contradict others: evenkeel catalog status --contradictions\n",
               PQgetvalue(result, 0, 0));
    return 0;
}

static int status(PGconn *connection, const struct options *options, enum cli_format format, struct error *error)
{
    int rows;
    if (options->contradictions)
        return contradictions(connection, format, error);
    if (options->lists)
        return missing_lists(connection, format, error);
    if (cli_print(connection, "select * from evenkeel.catalog_status()", NULL, 0, format, &rows, error) < 0)
        return -1;
    if (format != CLI_TEXT)
        return 0;
    printf("\n");
    if (missing_lists(connection, format, error) < 0)
        return -1;
    return count_contradictions(connection, error);
}

static int show(PGconn *connection, const struct options *options, const char *source, enum cli_format format,
                struct error *error)
{
    int rows;
    struct parameter parameters[] = {PARAMETER_TEXT(options->product), PARAMETER_TEXT(source)};
    if (source == NULL)
        return cli_print(connection, "select * from evenkeel.catalog_sources($1::text)", parameters, 1, format, &rows,
                         error);
    if (cli_print(connection, "select * from evenkeel.catalog_statements($2::text, $1::text)", parameters, 2, format,
                  &rows, error) < 0)
        return -1;
    if (rows == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "nothing in the catalogue is from '%s'; 'evenkeel catalog show' lists the sources", source);
    return 0;
}

static int take_out(PGconn *connection, const struct options *options, const char *source, struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(source), PARAMETER_TEXT(options->product)};
    _cleanup_(cleanup_result) PGresult *removed =
        database_query(connection, "select evenkeel.catalog_remove($1::text, $2::text)", parameters, 2, false, error);
    if (removed == NULL)
        return -1;
    printf("%s rows from %s are removed; a file that says so, loaded again, brings them back\n",
           PQgetvalue(removed, 0, 0), source);
    return 0;
}

/* What changes a catalogue: `words` are the action and what it is about. */
static int change(PGconn *connection, const struct options *options, int count, char **words, struct error *error)
{
    if (strcmp(words[0], "import-kb") == 0)
        return import(connection, options, (const char *const *)words + 1, (size_t)count - 1, error);
    if (strcmp(words[0], "load") == 0)
        return load(connection, words[1], error);
    if (strcmp(words[0], "update") == 0)
        return update(connection, options, error);
    return take_out(connection, options, words[1], error);
}

/* The same in every cell of a fleet database, so that all judge by one catalogue; who is asked is whoever runs this. A
 * cell that does not take it keeps no other from it. */
static int change_cells(PGconn *fleet, const struct options *options, int count, char **words, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *cells =
        database_query(fleet, "select name, dsn from evenkeel.cell order by name", NULL, 0, false, error);
    if (cells == NULL)
        return -1;
    int failed = 0;
    for (int row = 0; row < PQntuples(cells); row++) {
        struct error cause = {0};
        printf("cell %s: ", PQgetvalue(cells, row, 0));
        fflush(stdout);
        _cleanup_(cleanup_connection) PGconn *cell = database_open(PQgetvalue(cells, row, 1), &cause);
        if (cell != NULL && change(cell, options, count, words, &cause) == 0)
            continue;
        puts("not changed");
        fprintf(stderr, "evenkeel catalog: cell %s: %s\n", PQgetvalue(cells, row, 0), cause.message);
        failed++;
    }
    if (failed > 0)
        return error_set(error, ERROR_NETWORK,
                         "%d of %d cells have not taken it and judge by what they have: run it again, which changes "
                         "nothing in the others",
                         failed, PQntuples(cells));
    return 0;
}

static int run(const struct options *options, int count, char **words, struct error *error)
{
    const char *action = count > 0 ? words[0] : "";
    const char *const *files = (const char *const *)words + 1;
    bool imports = strcmp(action, "import-kb") == 0 && count > 1;
    enum cli_format format = CLI_TEXT;
    if (imports && strcmp(options->format, "tsv") == 0)
        return kb_print_tsv(files, (size_t)count - 1, stdout, stderr, error);
    if (imports && options->format[0] != '\0')
        return error_set(error, ERROR_USAGE, "import-kb has no format '%s', only tsv", options->format);
    if (imports && (options->level != NULL || options->article != NULL) && count != 2)
        return error_set(error, ERROR_USAGE, "%s: import the others by themselves",
                         options->level != NULL ? "--level names the level of one list"
                                                : "--kb names the article of one list");
    if (options->format[0] != '\0' && !cli_format_of("catalog", options->format, &format))
        return error_set(error, ERROR_USAGE, "there is no such format");
    bool known = imports || (count == 2 && (strcmp(action, "load") == 0 || strcmp(action, "remove") == 0)) ||
                 (count == 1 && (strcmp(action, "status") == 0 || strcmp(action, "update") == 0)) ||
                 (count >= 1 && count <= 2 && strcmp(action, "show") == 0);
    if (!known)
        return error_set(error, ERROR_USAGE,
                         "say 'update --from DIR', 'status', 'show [SOURCE]', 'remove SOURCE', 'load DIR' or "
                         "'import-kb FILE...'");
    if ((strcmp(action, "update") == 0) != (options->from != NULL))
        return error_set(error, ERROR_USAGE, "'update' takes the folder to read: update --from DIR");
    bool fleet = false, asks = strcmp(action, "status") == 0;
    _cleanup_(cleanup_connection) PGconn *connection =
        asks ? cli_connect(options->dsn, error) : cli_connect_either(options->dsn, &fleet, error);
    if (connection == NULL)
        return -1;
    if (asks)
        return status(connection, options, format, error);
    if (strcmp(action, "show") == 0)
        return show(connection, options, count == 2 ? words[1] : NULL, format, error);
    if (change(connection, options, count, words, error) < 0)
        return -1;
    return fleet ? change_cells(connection, options, count, words, error) : 0;
}

int command_catalog(int argc, char **argv)
{
    enum { FORMAT = 256, PRODUCT, LEVEL, DRY_RUN, FROM, ARTICLE, LISTS, CONTRADICTIONS };
    static const struct option known[] = {{"format", required_argument, NULL, FORMAT},
                                          {"product", required_argument, NULL, PRODUCT},
                                          {"level", required_argument, NULL, LEVEL},
                                          {"dry-run", no_argument, NULL, DRY_RUN},
                                          {"from", required_argument, NULL, FROM},
                                          {"kb", required_argument, NULL, ARTICLE},
                                          {"lists", no_argument, NULL, LISTS},
                                          {"contradictions", no_argument, NULL, CONTRADICTIONS},
                                          CLI_OPTIONS,
                                          {0}};
    struct options options = {.format = ""};
    struct cli cli = {.command = "catalog", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, known)) != -1;) {
        switch (option) {
        case FORMAT:
            options.format = optarg;
            break;
        case PRODUCT:
            options.product = optarg;
            break;
        case LEVEL:
            options.level = optarg;
            break;
        case DRY_RUN:
            options.dry_run = true;
            break;
        case FROM:
            options.from = optarg;
            break;
        case ARTICLE:
            options.article = optarg;
            break;
        case LISTS:
            options.lists = true;
            break;
        case CONTRADICTIONS:
            options.contradictions = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    options.dsn = cli.dsn;
    options.quiet = cli.quiet;
    if (run(&options, argc - optind, argv + optind, &error) == 0)
        return EXIT_STATUS_OK;
    return error.code == ERROR_USAGE ? cli_fail_usage("catalog", "%s", error.message) : cli_fail("catalog", &error);
}
