/* evenkeel baseline: what a level ships, taken from a healthy host or from media. */

#include "aggregator/payload/object_stream.h"
#include "aggregator/store/digest_map.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/object.h"
#include "proto/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What of an image is captured. */
struct tree_image {
    int64_t version;
    int32_t machine;
    bool has_version;
};

/* A tree's files on their way into the temporary table capture_file. */
struct tree {
    struct digest_map images; /* digest -> struct tree_image */
    struct buffer rows;
    size_t files;
};

static void tree_clear(struct tree *tree)
{
    digest_map_clear(&tree->images);
    buffer_clear(&tree->rows);
}

static int take_image(struct tree *tree, const struct object *object, struct error *error)
{
    const Evenkeel__Image *image = (const Evenkeel__Image *)object->message;
    struct tree_image *taken = digest_map_put(&tree->images, &object->digest, NULL);
    if (taken == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for the images of a tree");
    *taken = (struct tree_image){.version = (int64_t)(image->file_version ^ (1ull << 63)),
                                 .machine = (int32_t)image->machine,
                                 .has_version = image->has_version};
    return 0;
}

static int take_object(void *context, const struct object *object, struct error *error)
{
    struct tree *tree = context;
    if (object->kind == EVENKEEL__OBJECT_KIND__IMAGE)
        return take_image(tree, object, error);
    for (size_t i = 0; object->kind == EVENKEEL__OBJECT_KIND__CHUNK && i < object->chunk.count; i++) {
        const struct decoded_entry *entry = &object->chunk.entries[i];
        const struct tree_image *image = digest_map_get(&tree->images, &entry->image);
        if (image == NULL)
            return error_set(error, ERROR_FORMAT, "evenkeel-collector named an image that it did not give");
        tree->files++;
        if (!image->has_version)
            continue;
        buffer_put_i16(&tree->rows, 3);
        buffer_field_bytes(&tree->rows, entry->path);
        buffer_field_i64(&tree->rows, image->version);
        buffer_field_i32(&tree->rows, image->machine);
    }
    return 0;
}

static int fill_from_root(PGconn *connection, const char *root, struct error *error)
{
    _cleanup_(tree_clear) struct tree tree = {.images = DIGEST_MAP(struct tree_image)};
    if (object_stream_read((const char *const[]){"--root", root, NULL}, take_object, &tree, error) < 0)
        return -1;
    if (tree.files == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "'%s' holds no Windows binaries: name a folder that holds a Windows or WINNT folder", root);
    return database_copy(connection, "copy capture_file (path, file_version, machine) from stdin (format binary)",
                         &tree.rows, error);
}

/* A host that is mixed, or declares another level, would teach the whole fleet something wrong. */
static int check_host(PGconn *connection, const char *host_id, const char *host, const char *product, const char *level,
                      struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(host_id), PARAMETER_TEXT(product), PARAMETER_TEXT(level)};
    _cleanup_(cleanup_result) PGresult *judged = database_query(
        connection,
        "select verdict = 'mixed', "
        "coalesce(evenkeel.level_range_text(product_id, declared), ''), "
        "coalesce(declared @> evenkeel.level_ordinal($2, $3), true) "
        "from evenkeel.host_product where host_id = $1::uuid and product_id = evenkeel.product_number($2)",
        parameters, 3, false, error);
    if (judged == NULL)
        return -1;
    if (PQntuples(judged) > 0 && strcmp(PQgetvalue(judged, 0, 2), "t") != 0)
        return error_set(error, ERROR_USAGE,
                         "'%s' declares %s, not %s: capture that from a host that is at %s, or use --force", host,
                         PQgetvalue(judged, 0, 1), level, level);
    if (PQntuples(judged) > 0 && strcmp(PQgetvalue(judged, 0, 0), "t") == 0)
        return error_set(error, ERROR_USAGE,
                         "'%s' is mixed: a baseline is taken from a healthy host ('evenkeel plan %s'), or use --force",
                         host, host);
    return 0;
}

/* Of what the host has only what its service pack left there is taken. */
static int keep_service_pack_files(PGconn *connection, const struct cli_host *host, const char *product,
                                   struct error *error)
{
    _cleanup_(cleanup_result) PGresult *kept = database_query(
        connection, "select evenkeel.capture_service_pack_files($1)", &PARAMETER_TEXT(product), 1, true, error);
    if (kept == NULL)
        return -1;
    if (database_i32(kept, 0, 0) == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "of '%s' no ServicePackFiles folder was pushed: set 'include = servicepackfiles' in its "
                         "collector's configuration and push it again, or capture the host itself",
                         host->name);
    return 0;
}

static int fill_from_host(PGconn *connection, const struct cli_host *host, const char *product, const char *level,
                          bool force, struct error *error)
{
    if (!force && check_host(connection, host->host_id, host->name, product, level, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *filled = database_query(
        connection, "select evenkeel.capture_from_host($1::uuid)", &PARAMETER_TEXT(host->host_id), 1, false, error);
    return filled != NULL ? 0 : -1;
}

static int count_waiting(PGconn *connection, const char *host_id, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *waits =
        database_query(connection, "select count(*)::integer from evenkeel.judge_queue where host_id = $1::uuid",
                       &PARAMETER_TEXT(host_id), 1, true, error);
    return waits != NULL ? database_i32(waits, 0, 0) : -1;
}

/* Of a host that was pushed a moment ago the verdict is still to come: check_host() would find nothing against it. */
static int judge_waiting(PGconn *connection, const struct cli_host *host, struct error *error)
{
    int waiting = count_waiting(connection, host->host_id, error);
    if (waiting <= 0)
        return waiting;
    if (cli_judge(connection, true, error) < 0 || (waiting = count_waiting(connection, host->host_id, error)) < 0)
        return -1;
    if (waiting > 0)
        return error_set(error, ERROR_BUSY,
                         "'%s' waits to be judged, and may be mixed: capture it once it is, or use --force",
                         host->name);
    return 0;
}

struct options {
    const char *product, *level, *host, *root, *source, *file;
    bool force, service_pack_files;
};

static int capture(PGconn *connection, const struct options *options, struct error *error)
{
    const char *product = options->product, *level = options->level, *word = options->host, *root = options->root;
    bool force = options->force;
    char origin[600];
    struct cli_host host;
    if (word != NULL && cli_host(connection, word, &host, error) < 0)
        return -1;
    snprintf(origin, sizeof origin, "%s %s%s", word != NULL ? "host" : "media", word != NULL ? host.name : root,
             options->service_pack_files ? "/ServicePackFiles" : "");
    if (word != NULL && !force && judge_waiting(connection, &host, error) < 0)
        return -1;
    if (database_execute(connection,
                         "begin; set local client_min_messages = warning;"
                         "create temporary table capture_file (path text, file_version bigint, machine integer, "
                         "time_date_stamp bigint not null default 0, location text) on commit drop",
                         error) < 0)
        return -1;
    struct parameter parameters[] = {PARAMETER_TEXT(product), PARAMETER_TEXT(level), PARAMETER_TEXT(origin)};
    /* The names are checked before a tree is read: a typing error should not cost minutes. */
    _cleanup_(cleanup_result) PGresult *known = database_query(
        connection, "select evenkeel.product_number($1), evenkeel.level_ordinal($1, $2)", parameters, 2, false, error);
    if (known == NULL ||
        (word != NULL ? fill_from_host(connection, &host, product, level, force, error)
                      : fill_from_root(connection, root, error)) < 0 ||
        (options->service_pack_files && keep_service_pack_files(connection, &host, product, error) < 0))
        return -1;
    _cleanup_(cleanup_result) PGresult *captured =
        database_query(connection, "select matched, added, exact from evenkeel.capture_baseline($1, $2, $3)",
                       parameters, 3, true, error);
    if (captured == NULL)
        return -1;
    int matched = database_i32(captured, 0, 0), added = database_i32(captured, 0, 1);
    if (matched == 0)
        return error_set(error, ERROR_NOT_FOUND, "no file of %s was found there: nothing to capture", product);
    if (database_execute(connection, "commit", error) < 0)
        return -1;
    printf("%s %s ships %d %s on %s, %d of them exactly so; %d of these statements %s new\n", product, level, matched,
           plural(matched, "file as it is", "files as they are"), origin, database_i32(captured, 0, 2), added,
           plural(added, "is", "are"));
    return 0;
}

static const char help[] = "usage: evenkeel baseline capture --product P --level L\n"
                           "                                 (--host NAME [--service-pack-files] |\n"
                           "                                 --root DIR) [--force]\n"
                           "       evenkeel baseline show [--product P] [--level L] [--source S]\n"
                           "                              [--file NAME] [--format text|json|csv]\n"
                           "       evenkeel baseline remove --source S [--product P] [--level L]\n\n"
                           "capture takes the versions of a product's files on a healthy host, or in a tree\n"
                           "or unpacked media, as what that level ships; captured again from the same place\n"
                           "they are taken anew. show lists what is stated, remove takes out what a source\n"
                           "states ('evenkeel catalog' does so for updates' lists).\n"
                           "  --product P   its code in the catalogue, windows-2003\n"
                           "  --level L     SP2\n"
                           "  --host NAME   a host that was pushed\n"
                           "  --service-pack-files  those that its service pack left in ServicePackFiles,\n"
                           "                not its own (the collector's include = servicepackfiles)\n"
                           "  --root DIR    a folder that stands for c:\n"
                           "  --source S    as show tells it: 'host web-01', 'media /mnt/sp2', Q254142\n"
                           "  --file NAME   a file's name\n"
                           "  --force       even from a host that is mixed, or declares another level";

static int show(PGconn *connection, const struct options *options, enum cli_format format, struct error *error)
{
    int rows;
    struct parameter parameters[] = {PARAMETER_TEXT(options->product), PARAMETER_TEXT(options->level),
                                     PARAMETER_TEXT(options->source), PARAMETER_TEXT(options->file)};
    return cli_print(connection, "select * from evenkeel.baseline_statements($1::text, $2::text, $3::text, $4::text)",
                     parameters, 4, format, &rows, error);
}

static int take_out(PGconn *connection, const struct options *options, struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(options->source), PARAMETER_TEXT(options->product),
                                     PARAMETER_TEXT(options->level)};
    _cleanup_(cleanup_result) PGresult *removed = database_query(
        connection, "select evenkeel.baseline_remove($1::text, $2::text, $3::text)", parameters, 3, false, error);
    if (removed == NULL)
        return -1;
    printf("%s statements from %s are removed; a file that says so, loaded again, brings them back\n",
           PQgetvalue(removed, 0, 0), options->source);
    return 0;
}

static int run(PGconn *connection, const char *action, const struct options *options, enum cli_format format,
               struct error *error)
{
    if (strcmp(action, "show") == 0)
        return show(connection, options, format, error);
    if (strcmp(action, "remove") == 0)
        return take_out(connection, options, error);
    return capture(connection, options, error);
}

int command_baseline(int argc, char **argv)
{
    enum { PRODUCT = 256, LEVEL, HOST, ROOT, SOURCE, NAME, FORCE, SERVICE_PACK_FILES };
    static const struct option known[] = {{"product", required_argument, NULL, PRODUCT},
                                          {"level", required_argument, NULL, LEVEL},
                                          {"host", required_argument, NULL, HOST},
                                          {"root", required_argument, NULL, ROOT},
                                          {"source", required_argument, NULL, SOURCE},
                                          {"file", required_argument, NULL, NAME},
                                          {"force", no_argument, NULL, FORCE},
                                          {"service-pack-files", no_argument, NULL, SERVICE_PACK_FILES},
                                          CLI_FORMAT_OPTION,
                                          CLI_OPTIONS,
                                          {0}};
    struct options options = {0};
    struct cli cli = {.command = "baseline", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, known)) != -1;) {
        switch (option) {
        case PRODUCT:
            options.product = optarg;
            break;
        case LEVEL:
            options.level = optarg;
            break;
        case HOST:
            options.host = optarg;
            break;
        case ROOT:
            options.root = optarg;
            break;
        case SOURCE:
            options.source = optarg;
            break;
        case NAME:
            options.file = optarg;
            break;
        case FORCE:
            options.force = true;
            break;
        case SERVICE_PACK_FILES:
            options.service_pack_files = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    const char *action = optind < argc ? argv[optind] : "";
    bool captures = strcmp(action, "capture") == 0, removes = strcmp(action, "remove") == 0;
    if (!captures && !removes && strcmp(action, "show") != 0)
        return cli_fail_usage("baseline", "say what to do: 'capture', 'show' or 'remove'");
    if (captures &&
        (options.product == NULL || options.level == NULL || (options.host == NULL) == (options.root == NULL)))
        return cli_fail_usage("baseline", "capture needs --product, --level and either --host or --root");
    if (options.service_pack_files && options.host == NULL)
        return cli_fail_usage("baseline", "--service-pack-files is for capture with --host");
    if (removes && options.source == NULL)
        return cli_fail_usage("baseline", "remove needs --source, as 'evenkeel baseline show' tells it");
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli.dsn, &error);
    if (connection == NULL || run(connection, action, &options, cli.format, &error) < 0)
        return cli_fail("baseline", &error);
    return EXIT_STATUS_OK;
}
