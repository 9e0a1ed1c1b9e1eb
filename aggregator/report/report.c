/* The drift report: fetched, written in the format asked for, put in its place. */

#include "report.h"

#include "report_html.h"
#include "report_text.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int copy_csv(PGconn *connection, const char *since, FILE *out, struct error *error)
{
    char source[1024];
    char *literal = PQescapeLiteral(connection, since, strlen(since));
    if (literal == NULL)
        return error_set(error, ERROR_FORMAT, "'%s' is no text", since);
    snprintf(source, sizeof source, "evenkeel.report_rows(evenkeel.report_drift(ops.moment(%s)))", literal);
    PQfreemem(literal);
    return database_copy_csv(connection, source, out, NULL, error);
}

static void delete_document(cJSON **document)
{
    cJSON_Delete(*document);
}

static int render(PGconn *connection, const char *since, enum report_format format, FILE *out, struct error *error)
{
    static const char *const queries[] = {
        [REPORT_JSON] = "select jsonb_pretty(evenkeel.report_drift(ops.moment($1)))",
        [REPORT_TEXT] = "select evenkeel.report_drift(ops.moment($1))::text",
        [REPORT_HTML] = ("select (d || jsonb_build_object('hosts', h))::text from evenkeel.report_hosts() h, "
                         "evenkeel.report_drift(ops.moment($1)) d"),
    };
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, queries[format], &PARAMETER_TEXT(since), 1, false, error);
    if (rows == NULL)
        return -1;
    if (format == REPORT_JSON) {
        utf8_print_json(PQgetvalue(rows, 0, 0), out);
        putc('\n', out);
        return 0;
    }
    _cleanup_(delete_document) cJSON *document =
        cJSON_ParseWithLength(PQgetvalue(rows, 0, 0), (size_t)PQgetlength(rows, 0, 0));
    if (document == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for the report");
    if (format == REPORT_HTML)
        report_html(document, out);
    else
        report_text(document, out);
    return 0;
}

int report_drift(PGconn *connection, const char *since, enum report_format format, FILE *out, struct error *error)
{
    if (strlen(since) > 200)
        return error_set(error, ERROR_USAGE, "'%.40s...' is no time", since);
    if (database_execute(connection, "begin isolation level repeatable read read only", error) < 0)
        return -1;
    int result =
        format == REPORT_CSV ? copy_csv(connection, since, out, error) : render(connection, since, format, out, error);
    struct error after = {0};
    if (database_execute(connection, "rollback", &after) < 0 && result == 0)
        result = error_set(error, after.code, "%s", after.message);
    return result;
}

/* Where the name in a directory is as durable as the file itself. */
static void sync_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

/* Also where an earlier write failed and the last one did not. */
static int flush(FILE *out)
{
    errno = 0;
    bool lost = fflush(out) != 0 || ferror(out);
    if (lost && errno == 0)
        errno = EIO;
    return lost ? -1 : 0;
}

/* Takes over `fd`, which *out is then, open behind all that was written. */
static int write_out(PGconn *connection, const char *since, enum report_format format, const char *path, int fd,
                     FILE **out, struct error *error)
{
    *out = fdopen(fd, "w");
    if (*out == NULL) {
        close(fd);
        return error_set(error, ERROR_MEMORY, "no memory for '%s'", path);
    }
    if (report_drift(connection, since, format, *out, error) < 0)
        return -1;
    return flush(*out) == 0 ? 0 : error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
}

/* A device, a pipe or a link that leads nowhere yet: nothing may take its place. */
static int write_into(PGconn *connection, const char *since, enum report_format format, const char *path, int flags,
                      struct error *error)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    _cleanup_fclose_ FILE *out = NULL;
    return write_out(connection, since, format, path, fd, &out, error);
}

static int write_beside(PGconn *connection, const char *since, enum report_format format, const char *path,
                        const char *temporary, int fd, struct error *error)
{
    _cleanup_fclose_ FILE *out = NULL;
    if (write_out(connection, since, format, path, fd, &out, error) < 0)
        return -1;
    if (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    sync_directory(path);
    return 0;
}

int report_drift_file(PGconn *connection, const char *since, enum report_format format, const char *path,
                      struct error *error)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return report_drift(connection, since, format, stdout, error);
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    if (is_there && !S_ISREG(status.st_mode))
        return write_into(connection, since, format, path, 0, error);
    if (!is_there && lstat(path, &status) == 0)
        return write_into(connection, since, format, path, O_CREAT, error);
    char temporary[PATH_MAX], target[PATH_MAX];
    if (is_there && realpath(path, target) != NULL)
        path = target;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary)
        return error_set(error, ERROR_LIMIT, "'%s' is too long a name", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    if (write_beside(connection, since, format, path, temporary, fd, error) < 0) {
        unlink(temporary);
        return -1;
    }
    return 0;
}
