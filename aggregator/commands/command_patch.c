/* evenkeel patch: what patches bring: their payloads, so that it is known what they import and export. */

#include "aggregator/payload/payload.h"
#include "aggregator/store/digest_map.h"
#include "aggregator/store/image_rows.h"
#include "cli.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel patch add CODE --payload PATH [OPTION]...\n"
                           "       evenkeel patch add CODE --from-host NAME [--product P]\n"
                           "       evenkeel patch list [--format text|json|csv]\n"
                           "       evenkeel patch show CODE [--format text|json|csv]\n"
                           "\n"
                           "  add    reads the files of a patch, so that 'evenkeel risk CODE' knows what\n"
                           "         they import and export; list names all patches, show the files of one\n"
                           "\n"
                           "  --payload PATH      the folder of its files, or its package: cabinet, .msu,\n"
                           "                      self-extracting .exe, .msi, .wim, .dl_; folders like\n"
                           "                      WINDOWS/system32 in it say where new files go, SP2GDR and\n"
                           "                      SP2QFE name its branches\n"
                           "  --from-host NAME    the files of a cumulative update as a host has them that\n"
                           "                      got it: what changed then, or all files of that level\n"
                           "  --product P         whose files these are (default: as the catalogue or the\n"
                           "                      files' names and versions tell)\n"
                           "  --requires LEVEL    a level that it may be installed on; may be repeated\n"
                           "  --supersedes CODE   a patch that it replaces; may be repeated\n"
                           "  --title TEXT        what it is about\n"
                           "  --no-restart        no restart is needed after it";

/* A text[] parameter that options add to. */
struct texts {
    struct buffer buffer;
    struct buffer_array array;
    size_t count;
};

static void texts_add(struct texts *texts, const char *text)
{
    if (texts->count++ == 0)
        texts->array = buffer_array_begin(&texts->buffer, TYPE_TEXT, false);
    buffer_field_bytes(&texts->buffer, bytes_of(text, strlen(text)));
}

static struct parameter texts_parameter(struct texts *texts)
{
    if (texts->count == 0)
        return (struct parameter){.type = TYPE_TEXT_ARRAY, .binary = true};
    buffer_array_end(&texts->buffer, texts->array, texts->count);
    return PARAMETER_BINARY(TYPE_TEXT_ARRAY, texts->buffer);
}

static void texts_clear(struct texts *texts)
{
    buffer_clear(&texts->buffer);
}

/* A payload on its way into the database. */
struct reading {
    PGconn *connection;
    struct digest_map images; /* digest -> int32_t image_id */
    struct buffer image_rows, import_rows, file_rows;
    size_t new_images;
};

static void reading_clear(struct reading *reading)
{
    digest_map_clear(&reading->images);
    buffer_clear(&reading->image_rows);
    buffer_clear(&reading->import_rows);
    buffer_clear(&reading->file_rows);
}

static int take_image(struct reading *reading, const struct object *object, struct error *error)
{
    _cleanup_(buffer_clear) struct buffer digest = {0};
    buffer_put(&digest, object->digest.bytes, DIGEST_BYTES);
    _cleanup_(cleanup_result) PGresult *known =
        database_query(reading->connection, "select image_id::bigint from evenkeel.image where digest = $1",
                       &PARAMETER_BINARY(17, digest), 1, true, error);
    if (known == NULL)
        return -1;
    bool fresh = PQntuples(known) == 0;
    _cleanup_(cleanup_result) PGresult *next =
        fresh
            ? database_query(reading->connection, "select nextval('evenkeel.image_image_id_seq')", NULL, 0, true, error)
            : NULL;
    if (fresh && next == NULL)
        return -1;
    int32_t *image_id = digest_map_put(&reading->images, &object->digest, NULL);
    if (image_id == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for the images of a payload");
    *image_id = (int32_t)database_i64(fresh ? next : known, 0, 0);
    if (fresh) {
        const Evenkeel__Image *image = (const Evenkeel__Image *)object->message;
        image_rows_put(&reading->image_rows, *image_id, &object->digest, image);
        image_rows_put_imports(&reading->import_rows, *image_id, image);
        reading->new_images++;
    }
    return 0;
}

static int take_object(void *context, const struct object *object, struct error *error)
{
    struct reading *reading = context;
    if (object->kind == EVENKEEL__OBJECT_KIND__IMAGE)
        return take_image(reading, object, error);
    for (size_t i = 0; object->kind == EVENKEEL__OBJECT_KIND__CHUNK && i < object->chunk.count; i++) {
        const struct decoded_entry *entry = &object->chunk.entries[i];
        const int32_t *image_id = digest_map_get(&reading->images, &entry->image);
        if (image_id == NULL)
            return error_set(error, ERROR_FORMAT, "evenkeel-collector named an image that it did not give");
        buffer_put_i16(&reading->file_rows, 2);
        buffer_field_bytes(&reading->file_rows, entry->path);
        buffer_field_i32(&reading->file_rows, *image_id);
    }
    return 0;
}

/* Stores the paths that the payload names, under their digests, so that files may be laid there. */
static int store_places(PGconn *connection, const char *patch, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *places =
        database_query(connection, "select path, image_id from evenkeel.payload_places($1::integer)",
                       &PARAMETER_TEXT(patch), 1, true, error);
    if (places == NULL)
        return -1;
    size_t count = (size_t)PQntuples(places);
    if (count == 0)
        return 0;
    _cleanup_(buffer_clear) struct buffer digests = {0};
    _cleanup_(buffer_clear) struct buffer paths = {0};
    _cleanup_(buffer_clear) struct buffer images = {0};
    struct buffer_array digest_array = buffer_array_begin(&digests, TYPE_BYTEA, false),
                        path_array = buffer_array_begin(&paths, TYPE_TEXT, false),
                        image_array = buffer_array_begin(&images, TYPE_INT4, false);
    for (size_t row = 0; row < count; row++) {
        struct bytes path = database_bytes(places, (int)row, 0);
        struct digest digest = digest_of(path);
        buffer_field_bytes(&digests, bytes_of(digest.bytes, DIGEST_BYTES));
        buffer_field_bytes(&paths, path);
        buffer_field_i32(&images, database_i32(places, (int)row, 1));
    }
    buffer_array_end(&digests, digest_array, count);
    buffer_array_end(&paths, path_array, count);
    buffer_array_end(&images, image_array, count);
    if (digests.failed || paths.failed || images.failed)
        return error_set(error, ERROR_MEMORY, "no memory for a payload's paths");
    struct parameter parameters[] = {PARAMETER_BINARY(TYPE_BYTEA_ARRAY, digests),
                                     PARAMETER_BINARY(TYPE_TEXT_ARRAY, paths),
                                     PARAMETER_BINARY(TYPE_INT4_ARRAY, images)};
    _cleanup_(cleanup_result) PGresult *stored = database_query(
        connection, "select count(*) from evenkeel.resolve_files($1, $2, $3)", parameters, 3, true, error);
    return stored != NULL ? 0 : -1;
}

/* Names the files of a payload that should be PE files, by their endings, and that the reading found none: it is not
 * known then what the patch brings there. */
static int take_unreadable(struct reading *reading, const struct payload *payload, const char *code,
                           struct error *error)
{
    _cleanup_(buffer_clear) struct buffer rows = {0};
    if (payload_programs(payload, &rows, error) < 0 ||
        database_execute(reading->connection, "create temporary table payload_program (path text) on commit drop",
                         error) < 0 ||
        database_copy(reading->connection, "copy payload_program (path) from stdin (format binary)", &rows, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *unread = database_query(
        reading->connection,
        "with unread as (insert into payload_file (path) select p.path from payload_program p"
        " where not exists (select from payload_file f where f.path = p.path) returning path)"
        " select count(*), string_agg(path, ', ' order by path) filter (where place <= 3)"
        " from (select substr(path, 4) as path, row_number() over (order by path) as place from unread) u",
        NULL, 0, false, error);
    if (unread == NULL)
        return -1;
    if (strcmp(PQgetvalue(unread, 0, 0), "0") != 0)
        fprintf(
            stderr,
            "evenkeel: %s: can't read as PE files: %s (%s in all); what the patch brings there is not known, and no "
            "host that has them will be called safe: add the payload with whole files\n",
            code, PQgetvalue(unread, 0, 1), PQgetvalue(unread, 0, 0));
    return 0;
}

struct addition {
    const char *code, *payload, *from_host, *product, *title;
    struct texts requires, supersedes;
    bool no_restart;
};

/* A statement of its own: one sees nothing of what it stores itself. */
static int tell_lowers(PGconn *connection, const char *code, const char *patch_id, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *lowers = database_query(connection, "select evenkeel.patch_lowers($1::integer)",
                                                                &PARAMETER_TEXT(patch_id), 1, false, error);
    if (lowers == NULL)
        return -1;
    if (!PQgetisnull(lowers, 0, 0))
        fprintf(stderr, "evenkeel: %s: %s\n", code, PQgetvalue(lowers, 0, 0));
    return 0;
}

/* Fills payload_file from a package or folder. */
static int fill_from_payload(PGconn *connection, const struct addition *addition, struct reading *reading,
                             const struct payload *payload, struct error *error)
{
    char name[256] = "";
    bool differences = false;
    /* First of all: what lies beside the differences, such as the servicing stack, is not what the update brings. */
    if (payload_differences(payload, name, sizeof name, &differences, error) < 0)
        return -1;
    if (differences)
        return error_set(error, ERROR_FORMAT,
                         "'%s' holds differences against other files (PSFX, such as '%s'), not files: what the update "
                         "brings can't be read from it. Take it from a host that has the update: evenkeel patch add %s "
                         "--from-host NAME",
                         addition->payload, name, addition->code);
    if (object_stream_read((const char *const[]){"--payload", payload->directory, NULL}, take_object, reading, error) <
        0)
        return -1;
    if (reading->new_images > 0 && image_rows_copy(connection, &reading->image_rows, &reading->import_rows, error) < 0)
        return -1;
    if (database_copy(connection, "copy payload_file (path, image_id) from stdin (format binary)", &reading->file_rows,
                      error) < 0)
        return -1;
    return take_unreadable(reading, payload, addition->code, error);
}

/* Fills payload_file from what a host holds, and says how; `product` becomes what of that host the patch is for. */
static int fill_from_host(PGconn *connection, const struct addition *addition, char *product, size_t size,
                          struct error *error)
{
    struct cli_host host;
    if (cli_host(connection, addition->from_host, &host, error) < 0)
        return -1;
    struct parameter parameters[] = {PARAMETER_TEXT(host.host_id), PARAMETER_TEXT(addition->code),
                                     PARAMETER_TEXT(addition->product)};
    _cleanup_(cleanup_result) PGresult *filled =
        database_query(connection,
                       "select w.product, p.took, p.files, p.blind"
                       " from (select coalesce($3::text, evenkeel.patch_product_on($1::uuid, $2)) as product) w,"
                       " evenkeel.payload_from_host($1::uuid, $2, w.product) p",
                       parameters, 3, false, error);
    if (filled == NULL)
        return -1;
    snprintf(product, size, "%s", PQgetvalue(filled, 0, 0));
    printf("%s: %s files of %s: %s\n", host.name, PQgetvalue(filled, 0, 2), product, PQgetvalue(filled, 0, 1));
    if (strcmp(PQgetvalue(filled, 0, 3), "0") != 0)
        fprintf(
            stderr,
            "evenkeel: %s: of %s of these exports or imports were left out by the collector, or could not be read; no "
            "host that has them will be called safe\n",
            addition->code, PQgetvalue(filled, 0, 3));
    return 0;
}

/* Makes what lies in payload_file the payload of the patch, and commits. */
static int store(PGconn *connection, struct addition *addition, struct parameter requires, struct parameter supersedes,
                 const char *product, size_t new_images, struct error *error)
{
    bool host = addition->from_host != NULL;
    struct parameter parameters[] = {PARAMETER_TEXT(addition->code),
                                     PARAMETER_TEXT(product),
                                     PARAMETER_TEXT(addition->title),
                                     requires,
                                     supersedes,
                                     PARAMETER_TEXT(addition->no_restart ? "false" : NULL),
                                     PARAMETER_TEXT(host ? addition->from_host : addition->payload),
                                     PARAMETER_TEXT(host ? "host " : "payload ")};
    _cleanup_(cleanup_result) PGresult *stored =
        database_query(connection,
                       "select patch_id, product, files"
                       " from evenkeel.store_patch($1, $2, $3, $4, $5, $6::boolean, $8::text || $7)",
                       parameters, 8, false, error);
    if (stored == NULL || store_places(connection, PQgetvalue(stored, 0, 0), error) < 0 ||
        database_execute(connection, "select evenkeel.catalog_refresh(); commit", error) < 0)
        return -1;
    const char *files = PQgetvalue(stored, 0, 2);
    printf("%s for %s brings %s %s, %zu of which %s not known before\n", addition->code, PQgetvalue(stored, 0, 1),
           files, plural(strtoll(files, NULL, 10), "file", "files"), new_images,
           plural((long long)new_images, "was", "were"));
    return tell_lowers(connection, addition->code, PQgetvalue(stored, 0, 0), error);
}

static int add(PGconn *connection, struct addition *addition, struct error *error)
{
    _cleanup_(reading_clear) struct reading reading = {.connection = connection, .images = DIGEST_MAP(int32_t)};
    _cleanup_(payload_close) struct payload payload = {0};
    struct parameter requires = texts_parameter(&addition->requires),
                     supersedes = texts_parameter(&addition->supersedes);
    struct parameter names[] = {PARAMETER_TEXT(addition->product), requires, PARAMETER_TEXT(addition->code)};
    char product[256] = "";
    /* Names are checked before anything is unpacked. */
    _cleanup_(cleanup_result) PGresult *checked = database_query(
        connection,
        "select case when $1::text is not null then evenkeel.product_number($1) end,"
        " (select max(evenkeel.level_ordinal($1, r)) from unnest($2::text[]) r where $1::text is not null),"
        " evenkeel.patch_code($3)",
        names, 3, false, error);
    if (checked == NULL || (addition->payload != NULL && payload_open(addition->payload, &payload, error) < 0) ||
        database_execute(
            connection,
            "begin; set local client_min_messages = warning; select evenkeel.lock_change(), evenkeel.lock_catalogue();"
            "create temporary table payload_file (path text, image_id integer) on commit drop",
            error) < 0)
        return -1;
    if ((addition->payload != NULL ? fill_from_payload(connection, addition, &reading, &payload, error)
                                   : fill_from_host(connection, addition, product, sizeof product, error)) < 0)
        return -1;
    return store(connection, addition, requires, supersedes, addition->payload != NULL ? addition->product : product,
                 reading.new_images, error);
}

static int show(PGconn *connection, const char *code, enum cli_format format, struct error *error)
{
    int rows;
    if (cli_print(connection, "select * from evenkeel.shown_patch_files($1)", &PARAMETER_TEXT(code), 1, format, &rows,
                  error) < 0)
        return -1;
    if (rows == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no patch '%s', or it has no files; 'evenkeel patch list' names all", code);
    return 0;
}

static int list(PGconn *connection, enum cli_format format, struct error *error)
{
    int rows;
    return cli_print(connection, "select * from evenkeel.shown_patches()", NULL, 0, format, &rows, error);
}

static int run(PGconn *connection, const char *action, struct addition *addition, enum cli_format format,
               struct error *error)
{
    if (strcmp(action, "add") == 0)
        return add(connection, addition, error);
    if (strcmp(action, "show") == 0)
        return show(connection, addition->code, format, error);
    return list(connection, format, error);
}

static void addition_clear(struct addition *addition)
{
    texts_clear(&addition->requires);
    texts_clear(&addition->supersedes);
}

int command_patch(int argc, char **argv)
{
    enum { PAYLOAD = 256, FROM_HOST, PRODUCT, REQUIRES, SUPERSEDES, TITLE, NO_RESTART };
    static const struct option options[] = {{"payload", required_argument, NULL, PAYLOAD},
                                            {"from-host", required_argument, NULL, FROM_HOST},
                                            {"product", required_argument, NULL, PRODUCT},
                                            {"requires", required_argument, NULL, REQUIRES},
                                            {"supersedes", required_argument, NULL, SUPERSEDES},
                                            {"title", required_argument, NULL, TITLE},
                                            {"no-restart", no_argument, NULL, NO_RESTART},
                                            CLI_FORMAT_OPTION,
                                            CLI_OPTIONS,
                                            {0}};
    _cleanup_(addition_clear) struct addition addition = {0};
    struct cli cli = {
        .command = "patch", .help = help, .repeated = (const char *const[]){"requires", "supersedes", NULL}};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case PAYLOAD:
            addition.payload = optarg;
            break;
        case FROM_HOST:
            addition.from_host = optarg;
            break;
        case PRODUCT:
            addition.product = optarg;
            break;
        case REQUIRES:
            texts_add(&addition.requires, optarg);
            break;
        case SUPERSEDES:
            texts_add(&addition.supersedes, optarg);
            break;
        case TITLE:
            addition.title = optarg;
            break;
        case NO_RESTART:
            addition.no_restart = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    const char *action = optind < argc ? argv[optind] : "";
    bool one = strcmp(action, "add") == 0 || strcmp(action, "show") == 0;
    if (!one && strcmp(action, "list") != 0)
        return cli_fail_usage("patch", "say what to do: 'add', 'list' or 'show'");
    if (optind + 1 + one != argc)
        return cli_fail_usage("patch", one ? "'%s' takes one patch, such as KB973917" : "'%s' takes nothing", action);
    addition.code = one ? argv[optind + 1] : NULL;
    if (strcmp(action, "add") == 0 && (addition.payload == NULL) == (addition.from_host == NULL))
        return cli_fail_usage("patch", "add needs --payload or --from-host, one of them");
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli.dsn, &error);
    if (connection == NULL || run(connection, action, &addition, cli.format, &error) < 0)
        return cli_fail("patch", &error);
    return EXIT_STATUS_OK;
}
