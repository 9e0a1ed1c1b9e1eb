/* A folder of what is published about Windows' levels, taken into the catalogue at once. */

#include "catalog_update.h"

#include "catalog_import.h"
#include "catalog_stage.h"
#include "packed.h"

#include "aggregator/base/progress.h"
#include "aggregator/base/sql_files.h"
#include "proto/cleanup.h"
#include "proto/digest.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FILES_LIMIT 100000u
#define HEAD_BYTES 4096u /* of a file, where what it is must show */

/* The files of the folder, by their names below it. */
struct names {
    char **paths;       /* whole */
    const char **below; /* into `paths`: below the folder */
    size_t count, size;
};

static void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->paths[i]);
    free(names->paths);
    free(names->below);
}

static int names_add(struct names *names, const char *path, size_t skipped, struct error *error)
{
    if (names->count == names->size) {
        size_t size = names->size == 0 ? 256 : 2 * names->size;
        char **paths = realloc(names->paths, size * sizeof *paths);
        names->paths = paths != NULL ? paths : names->paths;
        const char **below = realloc(names->below, size * sizeof *below);
        names->below = below != NULL ? below : names->below;
        if (paths == NULL || below == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for the names of files");
        names->size = size;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for the names of files");
    names->paths[names->count] = copy;
    names->below[names->count++] = copy + skipped;
    return 0;
}

static void close_tree(FTS **tree)
{
    if (*tree != NULL)
        fts_close(*tree);
}

static int by_name(const FTSENT **left, const FTSENT **right)
{
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

static int list_files(const char *directory, struct names *names, struct error *error)
{
    char whole[PATH_MAX];
    if (realpath(directory, whole) == NULL)
        return error_set(error, ERROR_NOT_FOUND, "can't read '%s': %s", directory, strerror(errno));
    char *const roots[] = {whole, NULL};
    _cleanup_(close_tree) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (tree == NULL)
        return error_set(error, ERROR_IO, "can't read '%s': %s", directory, strerror(errno));
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            return error_set(error, ERROR_IO, "can't read '%s': %s", entry->fts_path, strerror(entry->fts_errno));
        if (entry->fts_info != FTS_F)
            continue;
        if (names->count == FILES_LIMIT)
            return error_set(error, ERROR_LIMIT, "'%s' holds more than %u files", directory, FILES_LIMIT);
        const char *name = strrchr(entry->fts_path, '/');
        size_t skipped = entry->fts_level == 0 ? (size_t)(name - entry->fts_path) + 1 : strlen(whole) + 1;
        if (names_add(names, entry->fts_path, skipped, error) < 0)
            return -1;
    }
    return 0;
}

struct reading {
    PGconn *connection;
    struct catalog_stage stage;
    int32_t number;
    const char *path, *below; /* of the file at hand */
    FILE *problems;
};

static void reading_clear(struct reading *reading)
{
    catalog_stage_clear(&reading->stage);
}

/* PostgreSQL tells where in the text something is wrong in its context ('JSON data, line 2: …', 'COPY fact_table, line
 * 2'), where lines of its own functions stand, too ('function f() line 19'), or in its detail (XML). */
static int fail_at_line(PGconn *connection, const PGresult *result, struct error *error)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *line = context != NULL ? strstr(context, ", line ") : NULL;
    if (line != NULL)
        line += strlen(", ");
    else if (detail != NULL)
        line = strstr(detail, "line ");
    size_t length = line != NULL ? strcspn(line, ",:\n") : 0;
    return error_set(error, ERROR_FORMAT, "%.*s%s%s", (int)length, line != NULL ? line : "", line != NULL ? ": " : "",
                     message != NULL ? message : PQerrorMessage(connection));
}

/* A document that PostgreSQL reads whole: JSON and XML. */
static int take_document(struct reading *reading, const char *statement, const char *text, struct error *error)
{
    char number[16];
    snprintf(number, sizeof number, "%d", (int)reading->number);
    const char *values[] = {number, reading->below, text};
    _cleanup_(cleanup_result) PGresult *result =
        PQexecParams(reading->connection, statement, 3, NULL, values, NULL, NULL, 0);
    return PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : fail_at_line(reading->connection, result, error);
}

/* A table with a heading, between tabs or commas; `take` works from a temporary table of its columns, all of them text.
 */
static int take_table(struct reading *reading, struct bytes text, char divider, const char *take, struct error *error)
{
    char header[1000], number[16], copy[128];
    size_t length = 0;
    while (length < text.length && length < sizeof header - 1 && text.data[length] != '\n' && text.data[length] != '\r')
        length++;
    snprintf(header, sizeof header, "%.*s", (int)length, (const char *)text.data);
    snprintf(number, sizeof number, "%d", (int)reading->number);
    const char *divided[] = {header, divider == '\t' ? "\t" : ","}, *taken[] = {number, reading->below};
    _cleanup_(cleanup_result) PGresult *made =
        PQexecParams(reading->connection, "select evenkeel.facts_table($1, $2)", 2, NULL, divided, NULL, NULL, 0);
    if (PQresultStatus(made) != PGRES_TUPLES_OK)
        return fail_at_line(reading->connection, made, error);
    snprintf(copy, sizeof copy, "copy fact_table from stdin (format csv, header, delimiter %s)",
             divider == '\t' ? "e'\\t'" : "','");
    _cleanup_(cleanup_result) PGresult *begun = PQexec(reading->connection, copy);
    if (PQresultStatus(begun) != PGRES_COPY_IN)
        return fail_at_line(reading->connection, begun, error);
    bool sent = PQputCopyData(reading->connection, (const char *)text.data, (int)text.length) == 1;
    PQputCopyEnd(reading->connection, sent ? NULL : "not sent whole");
    int outcome = 0;
    for (PGresult *result = PQgetResult(reading->connection); result != NULL;
         result = PQgetResult(reading->connection)) {
        if (outcome == 0 && PQresultStatus(result) != PGRES_COMMAND_OK)
            outcome = fail_at_line(reading->connection, result, error);
        PQclear(result);
    }
    if (outcome < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *result = PQexecParams(reading->connection, take, 2, NULL, taken, NULL, NULL, 0);
    return PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : fail_at_line(reading->connection, result, error);
}

/* An article, or a list of files. */
static int take_article(struct reading *reading, struct bytes text, struct error *error)
{
    _cleanup_(kb_document_clear) struct kb_document document = {.article = ""};
    if (kb_read(text, reading->path, &document, error) < 0)
        return -1;
    if (document.row_count == 0 && document.requirement_count == 0)
        return error_set(
            error, ERROR_FORMAT,
            "nothing that is known: no list of files, no article with a table, no list of levels or builds");
    for (size_t i = 0; i < document.problem_count; i++)
        fprintf(reading->problems, "%s:%u: %s\n", reading->below, document.problems[i].line,
                document.problems[i].sentence);
    catalog_stage_add(&reading->stage, reading->number, reading->path, &document, 0);
    return catalog_stage_copy(&reading->stage, reading->connection, error);
}

static bool begins(struct bytes text, const char *words)
{
    size_t length = strlen(words);
    return text.length >= length && memcmp(text.data, words, length) == 0;
}

static bool head_holds(struct bytes text, const char *words)
{
    return memmem(text.data, text.length < HEAD_BYTES ? text.length : HEAD_BYTES, words, strlen(words)) != NULL;
}

static bool first_line_holds(struct bytes text, const char *words)
{
    const uint8_t *end = memchr(text.data, '\n', text.length < HEAD_BYTES ? text.length : HEAD_BYTES);
    return memmem(text.data, end != NULL ? (size_t)(end - text.data) : 0, words, strlen(words)) != NULL;
}

static int take(void *context, const char *name, struct bytes content, struct error *error);

/* What is in a ZIP besides CSV is its own affair. */
static int take_member(void *context, const char *name, struct bytes content, struct error *error)
{
    const char *dot = strrchr(name, '.');
    struct error reason = {0};
    if (dot == NULL || strcasecmp(dot, ".csv") != 0 || take(context, name, content, &reason) == 0)
        return 0;
    return error_set(error, reason.code, "'%s' in it: %s", name, reason.message);
}

/* Recognises a file, or what was packed in it, by its content; it has a NUL behind it where it is text. */
static int take(void *context, const char *name, struct bytes content, struct error *error)
{
    struct reading *reading = context;
    (void)name;
    if (packed_is_zip(content))
        return packed_unzip(content, take_member, reading, error);
    struct bytes text = content;
    if (begins(text, "\xef\xbb\xbf"))
        text = bytes_of(content.data + 3, content.length - 3);
    size_t blank = strspn((const char *)text.data, " \t\r\n");
    struct bytes body = bytes_of(text.data + blank, text.length - blank);
    if (begins(body, "{") || begins(body, "["))
        return take_document(reading, "select evenkeel.facts_json($1::integer, $2, $3::jsonb)", (const char *)body.data,
                             error);
    if (head_holds(body, "<BulletinDatastore"))
        return take_document(reading, "select evenkeel.facts_mssecure($1::integer, $2, $3::xml)",
                             (const char *)body.data, error);
    if (begins(body, "kb\tsupersedes"))
        return take_table(reading, body, '\t', "select evenkeel.facts_supersedence($1::integer, $2)", error);
    if (begins(body, "product\trelease\tkind\trevision\tkb"))
        return take_table(reading, body, '\t', "select evenkeel.facts_history($1::integer, $2)", error);
    if (first_line_holds(body, "BulletinKB") && first_line_holds(body, "Supersedes"))
        return take_table(reading, body, ',', "select evenkeel.facts_bulletins($1::integer, $2)", error);
    return take_article(reading, content, error);
}

static int read_file(struct reading *reading, bool *as_before, struct error *error)
{
    size_t length, unpacked;
    _cleanup_free_ char *data = sql_files_read(reading->path, &length, error);
    _cleanup_free_ char *text = NULL;
    if (data == NULL)
        return -1;
    struct digest digest = digest_of(bytes_of(data, length));
    char number[16];
    snprintf(number, sizeof number, "%d", (int)reading->number);
    struct parameter parameters[] = {
        {.value = digest.bytes, .length = DIGEST_BYTES, .binary = true, .type = TYPE_BYTEA},
        PARAMETER_TEXT(number),
        PARAMETER_TEXT(reading->path)};
    _cleanup_(cleanup_result) PGresult *known =
        database_query(reading->connection,
                       "with noted as (insert into update_file (doc, path, digest) values ($2::integer, $3, $1))"
                       " select 1 from evenkeel.edition where digest = $1 limit 1",
                       parameters, 3, true, error);
    if (known == NULL)
        return -1;
    *as_before = PQntuples(known) > 0;
    if (*as_before)
        return 0;
    struct bytes content = bytes_of(data, length);
    if (packed_is_gzip(content)) {
        if (packed_gunzip(content, &text, &unpacked, error) < 0)
            return -1;
        content = bytes_of(text, unpacked);
    }
    return take(reading, reading->path, content, error);
}

/* One file, or nothing of it. */
static int read_one(struct reading *reading, struct catalog_update *update, struct error *error)
{
    struct error reason = {0};
    bool as_before = false;
    if (database_execute(reading->connection, "savepoint file", error) < 0)
        return -1;
    if (read_file(reading, &as_before, &reason) == 0) {
        update->as_before += as_before;
        if (as_before)
            fprintf(update->out, "%s: as before\n", reading->below);
        else
            update->taken++;
        return database_execute(reading->connection, "release file", error);
    }
    catalog_stage_clear(&reading->stage);
    if (PQstatus(reading->connection) != CONNECTION_OK)
        return error_set(error, ERROR_NETWORK, "%s", reason.message);
    fprintf(update->problems, "%s: not read: %s\n", reading->below, reason.message);
    update->not_read++;
    return database_execute(reading->connection, "rollback to file; release file", error);
}

/* What the facts say, then what the lists say, whose levels may be among the facts. */
static int merge(PGconn *connection, const struct names *names, struct catalog_update *update,
                 struct catalog_change *change, struct error *error)
{
    struct catalog_import import = {.product = update->product, .out = update->out, .problems = update->problems};
    struct catalog_import_outcome outcome;
    struct parameter product = PARAMETER_TEXT(update->product);
    _cleanup_(cleanup_result) PGresult *facts =
        database_query(connection, "select evenkeel.facts_import($1::text)", &product, 1, true, error);
    if (facts == NULL || catalog_import_tell(connection, names->below, names->count, &import, &outcome, error) < 0 ||
        catalog_merge_staged(connection, change, error) < 0)
        return -1;
    update->not_read += outcome.refused;
    long long before = database_i64(facts, 0, 0);
    if (before > 0 && change->total == 0 &&
        database_execute(connection, "select evenkeel.catalog_refresh()", error) < 0)
        return -1;
    change->total += before;
    return update->product == NULL ? database_execute(connection, "select evenkeel.update_remember()", error) : 0;
}

int catalog_update(PGconn *connection, struct catalog_update *update, struct catalog_change *change,
                   struct error *error)
{
    _cleanup_(names_clear) struct names names = {0};
    _cleanup_(reading_clear) struct reading reading = {.connection = connection, .problems = update->problems};
    struct progress progress = progress_begin(update->quiet);
    if (list_files(update->directory, &names, error) < 0 ||
        database_execute(connection, "select evenkeel.lock_change(), evenkeel.kb_stage(), evenkeel.facts_stage()",
                         error) < 0)
        return -1;
    update->files = names.count;
    if (names.count == 0)
        return error_set(error, ERROR_NOT_FOUND, "'%s' holds no files", update->directory);
    for (size_t i = 0; i < names.count; i++) {
        reading.number = (int32_t)i;
        reading.path = names.paths[i];
        reading.below = names.below[i];
        progress_show(&progress, "reading %zu of %zu: %s", i + 1, names.count, reading.below);
        int status = read_one(&reading, update, error);
        if (status < 0) {
            progress_end(&progress);
            return -1;
        }
    }
    progress_end(&progress);
    progress_show(&progress, "working out what %zu files say", update->taken);
    int status = update->taken > 0 ? merge(connection, &names, update, change, error) : 0;
    progress_end(&progress);
    return status;
}
