/* evenkeel fsck: whether everything that the database holds is whole, and is what its name says. */

#include "aggregator/base/progress.h"
#include "cli.h"

#include "proto/arena.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/object.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>

#define CHUNKS_PER_STEP "1000"
#define ROWS_PER_STEP "1000"
#define FACTS_BYTES (32u << 20)

struct fsck {
    PGconn *connection;
    bool quiet;
    long long chunks, inventories, facts, problems;
    struct progress progress;
};

static void report(struct fsck *fsck, const char *place, const char *problem)
{
    fsck->problems++;
    progress_end(&fsck->progress);
    printf("%s: %s\n", place, problem);
}

/* ---- chunks: packed again from their rows ---- */

/* Entries [first, end) of the rows are one chunk: what is wrong with it, NULL where nothing is. */
static const char *chunk_problem(const PGresult *rows, int first, int end, struct chunk_builder *builder,
                                 struct error *error)
{
    const char *problem = NULL;
    struct digest stored;
    struct bytes packed;
    bool complete;
    if (PQgetisnull(rows, first, 2))
        return "it has no files";
    for (int row = first; row < end && problem == NULL; row++) {
        struct bytes path = database_bytes(rows, row, 3);
        struct digest image, path_digest, computed = digest_of(path);
        if (PQgetisnull(rows, row, 3) || PQgetisnull(rows, row, 5))
            problem = "a file, path or image that it names is not there";
        else if (!digest_from(database_bytes(rows, row, 4), &path_digest) || !digest_equal(&path_digest, &computed))
            problem = "a path of it is not what its digest says";
        else if (!digest_from(database_bytes(rows, row, 5), &image))
            problem = "an image of it has no digest";
        else if (chunk_builder_add(builder, path, &image, &complete, error) < 0)
            problem = error->message;
    }
    if (chunk_builder_take(builder, &packed, error) < 0)
        return error->message;
    struct digest computed = digest_of(packed);
    free((void *)packed.data);
    if (problem == NULL && (!digest_from(database_bytes(rows, first, 1), &stored) || !digest_equal(&stored, &computed)))
        problem = "its files are not what its digest says";
    return problem;
}

static void report_chunk(struct fsck *fsck, int64_t chunk, const char *problem)
{
    char number[32], place[600];
    struct error ignored;
    snprintf(number, sizeof number, "%lld", (long long)chunk);
    /* Who is hit: the hosts that hold it now, as far as they fit into a line. */
    _cleanup_(cleanup_result) PGresult *hosts = database_query(
        fsck->connection,
        "select coalesce(string_agg(name, ', '), 'no host') from (select h.name from evenkeel.host h join "
        "evenkeel.host_inventory_current i using (host_id) where $1::bigint = any (i.chunk_ids) "
        "order by h.name limit 5) n",
        &PARAMETER_TEXT(number), 1, false, &ignored);
    snprintf(place, sizeof place, "chunk %s, of %.500s", number,
             hosts != NULL ? PQgetvalue(hosts, 0, 0) : "hosts unknown");
    report(fsck, place, problem);
}

static int check_chunks(struct fsck *fsck, struct error *error)
{
    char after[32] = "-1";
    for (;;) {
        _cleanup_(cleanup_result) PGresult *rows =
            database_query(fsck->connection, "select * from evenkeel.fsck_chunks($1::bigint, " CHUNKS_PER_STEP ")",
                           &PARAMETER_TEXT(after), 1, true, error);
        if (rows == NULL)
            return -1;
        int total = PQntuples(rows);
        progress_show(&fsck->progress, "checked %lld chunks", fsck->chunks);
        for (int first = 0, end; first < total; first = end) {
            int64_t chunk = database_i64(rows, first, 0);
            for (end = first + 1; end < total && database_i64(rows, end, 0) == chunk; end++)
                ;
            /* A builder of its own: paths rise within a chunk, not from one chunk to the next. */
            struct chunk_builder *builder = chunk_builder_new();
            struct error why = {0};
            if (builder == NULL)
                return error_set(error, ERROR_MEMORY, "no memory for a chunk");
            const char *problem = chunk_problem(rows, first, end, builder, &why);
            if (problem != NULL)
                report_chunk(fsck, chunk, problem);
            chunk_builder_free(builder);
            fsck->chunks++;
            snprintf(after, sizeof after, "%lld", (long long)chunk);
        }
        if (total == 0)
            return 0;
    }
}

/* ---- inventories ---- */

/* 'host NAME (ID), at TIME' of a state whose keys are in the first two columns. */
static void place_of(struct fsck *fsck, const struct parameter keys[2], char *place, size_t size)
{
    struct error ignored;
    _cleanup_(cleanup_result) PGresult *name =
        database_query(fsck->connection,
                       "select format('host %s (%s), until %s', coalesce((select h.name from evenkeel.host h where "
                       "h.host_id = $1), '?'), "
                       "$1, $2)",
                       keys, 2, false, &ignored);
    snprintf(place, size, "%s", name != NULL ? PQgetvalue(name, 0, 0) : "a host");
}

static const char *inventory_problem(const PGresult *rows, int row)
{
    struct digest stored;
    struct bytes packed, chunks = database_bytes(rows, row, 5);
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    if (database_i64(rows, row, 6) > 0)
        return "chunks of its inventory are not there";
    inventory.chunks = (ProtobufCBinaryData){.len = chunks.length, .data = (uint8_t *)chunks.data};
    if (!object_pack(&inventory.base, &packed))
        return "there is no memory to check its inventory";
    struct digest computed = digest_of(packed);
    free((void *)packed.data);
    if (!digest_from(database_bytes(rows, row, 2), &stored) || !digest_equal(&stored, &computed))
        return "the chunks of its inventory are not what its digest says";
    return database_i32(rows, row, 3) != database_i64(rows, row, 4) ? "its inventory counts another number of files"
                                                                    : NULL;
}

enum { TYPE_TIMESTAMPTZ = 1184 };

/* The keys of the last row of a step, to go on from: host_id and valid_to, binary. */
struct position {
    uint8_t host[16], time[8];
};

static void position_parameters(const struct position *position, struct parameter keys[2])
{
    keys[0] =
        (struct parameter){.value = position->host, .length = sizeof position->host, .binary = true, .type = TYPE_UUID};
    keys[1] = (struct parameter){
        .value = position->time, .length = sizeof position->time, .binary = true, .type = TYPE_TIMESTAMPTZ};
}

/* Goes through a table of states in steps; `problem` looks at one row. Columns 0 and 1 are host_id and valid_to. */
static int check_states(struct fsck *fsck, const char *statement, const char *(*problem)(const PGresult *rows, int row),
                        long long *count, struct error *error)
{
    /* -infinity, below all times. */
    struct position position = {.time = {0x80}};
    for (;;) {
        struct parameter keys[2];
        position_parameters(&position, keys);
        _cleanup_(cleanup_result) PGresult *rows = database_query(fsck->connection, statement, keys, 2, true, error);
        if (rows == NULL)
            return -1;
        int total = PQntuples(rows);
        progress_show(&fsck->progress, "checked %lld chunks, %lld inventories, %lld facts", fsck->chunks,
                      fsck->inventories, fsck->facts);
        for (int row = 0; row < total; row++) {
            const char *wrong = problem(rows, row);
            memcpy(position.host, database_bytes(rows, row, 0).data, sizeof position.host);
            memcpy(position.time, database_bytes(rows, row, 1).data, sizeof position.time);
            ++*count;
            if (wrong == NULL)
                continue;
            char place[600];
            place_of(fsck, keys, place, sizeof place);
            report(fsck, place, wrong);
        }
        if (total == 0)
            return 0;
    }
}

/* ---- facts ---- */

static const char *facts_problem(const PGresult *rows, int row)
{
    struct digest stored, computed = digest_of(database_bytes(rows, row, 3));
    if (!digest_from(database_bytes(rows, row, 2), &stored) || !digest_equal(&stored, &computed))
        return "its facts are not what their digest says";
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(FACTS_BYTES);
    struct error error = {0};
    if (arena == NULL ||
        object_unpack(&evenkeel__facts__descriptor, database_bytes(rows, row, 3), arena, &error) == NULL)
        return "its facts can't be read";
    return NULL;
}

static int check_contradictions(struct fsck *fsck, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        fsck->connection, "select subject, problem from evenkeel.fsck_contradictions()", NULL, 0, false, error);
    if (rows == NULL)
        return -1;
    for (int row = 0; row < PQntuples(rows); row++)
        report(fsck, PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1));
    return 0;
}

static int fsck(struct fsck *fsck, struct error *error)
{
    /* One view of all tables, so that what arrives meanwhile is neither half seen nor held up. */
    if (database_execute(fsck->connection, "begin isolation level repeatable read read only", error) < 0 ||
        check_chunks(fsck, error) < 0 ||
        check_states(fsck, "select * from evenkeel.fsck_inventories($1, $2, " ROWS_PER_STEP ")", inventory_problem,
                     &fsck->inventories, error) < 0 ||
        check_states(fsck,
                     "select host_id, valid_to, digest, body from evenkeel.host_facts where (host_id, valid_to) > ($1, "
                     "$2) order by host_id, valid_to limit " ROWS_PER_STEP,
                     facts_problem, &fsck->facts, error) < 0 ||
        check_contradictions(fsck, error) < 0)
        return -1;
    progress_end(&fsck->progress);
    if (!fsck->quiet)
        printf("%lld %s, %lld %s, %lld facts; %lld %s\n", fsck->chunks, plural(fsck->chunks, "chunk", "chunks"),
               fsck->inventories, plural(fsck->inventories, "inventory", "inventories"), fsck->facts, fsck->problems,
               plural(fsck->problems, "problem", "problems"));
    return database_execute(fsck->connection, "commit", error);
}

static const char help[] = "usage: evenkeel fsck [--quiet]\n\n"
                           "Packs every chunk, inventory and host's facts again and compares them with the\n"
                           "digests that they are stored under; looks for rows that are missing, and for\n"
                           "gaps, overlaps and duplicates in histories. Changes nothing; safe while the\n"
                           "aggregator runs.\n\n"
                           "Exit status: 0 all is whole, 2 something is not, 1 error.";

int command_fsck(int argc, char **argv)
{
    static const struct option options[] = {CLI_OPTIONS, {0}};
    struct cli cli = {.command = "fsck", .help = help};
    struct error error = {0};
    cli_option(&cli, argc, argv, options);
    if (cli.ended)
        return cli.status;
    struct fsck run = {.quiet = cli.quiet};
    if (optind < argc)
        return cli_fail_usage("fsck", "'%s' is too much", argv[optind]);
    _cleanup_(cleanup_connection) PGconn *connection = run.connection = cli_connect(cli.dsn, &error);
    run.progress = progress_begin(run.quiet);
    if (connection == NULL || fsck(&run, &error) < 0) {
        progress_end(&run.progress);
        return cli_fail("fsck", &error);
    }
    return run.problems > 0 ? EXIT_STATUS_FOUND : EXIT_STATUS_OK;
}
