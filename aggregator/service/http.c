/* The HTTP side: a server in front of a few threads, each with a connection to the database of its own. */

#include "http.h"

#include "aggregator/base/log.h"
#include "aggregator/base/monotonic.h"
#include "aggregator/pages/pages.h"
#include "aggregator/report/report.h"
#include "aggregator/report/report_archive.h"
#include "clerk.h"
#include "http_server.h"
#include "metrics.h"

#include "proto/cleanup.h"
#include "proto/loopback.h"

#include <fcntl.h>
#include <limits.h>
#include <nng/nng.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Pages that are made at once, and requests that may wait for them; more are told 503 at once. So those who look can't
 * take the places that health and metrics need. */
#define PAGES_AT_ONCE 3
#define PAGES_WAITING 16
/* A report is made every night: an older file means that the timer does not run, and a fresh one is made instead. */
#define FILE_SECONDS (26 * 3600)
/* A report that was made on request is good for so long. */
#define MADE_SECONDS 300
#define PAGE_BYTES_MAXIMUM (64u << 20)

enum route { ROUTE_REPORT, ROUTE_HEALTH, ROUTE_METRICS, ROUTE_ARCHIVE, ROUTE_PAGES, ROUTES };

/* The archive's is what its pages' begin with. */
static const char *const paths[ROUTE_PAGES] = {
    [ROUTE_REPORT] = "/", [ROUTE_HEALTH] = "/healthz", [ROUTE_METRICS] = "/metrics", [ROUTE_ARCHIVE] = "/reports/"};

struct http {
    struct http_server *server;
    char *dsn, *read_dsn, *report; /* read_dsn NULL: pages are off */
    struct connections_counters connections;
    struct metrics_sources sources;
    bool loopback;
    struct clerk *quick, *slow, *pages; /* health and metrics; the report and those that are kept; pages */
    /* The report that was made, the slow clerk's alone. */
    char *page;
    size_t page_length;
    int64_t made_at; /* by the monotonic clock */
};

/* The bytes of a page's file, from malloc; NULL where it is not there, older than so many seconds or can't be read. */
static char *read_page(const char *path, int64_t oldest, size_t *length)
{
    struct stat status;
    _cleanup_close_ int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > PAGE_BYTES_MAXIMUM || time(NULL) - status.st_mtime > oldest)
        return NULL;
    char *page = malloc((size_t)status.st_size);
    *length = 0;
    while (page != NULL && *length < (size_t)status.st_size) {
        ssize_t got = read(fd, page + *length, (size_t)status.st_size - *length);
        if (got <= 0) {
            free(page);
            return NULL;
        }
        *length += (size_t)got;
    }
    return page;
}

static int make_report(struct http *http, PGconn *connection, struct error *error)
{
    char *page;
    size_t length;
    if (report_drift_page(connection, &(struct report_asked){.since = "yesterday"}, &page, &length, error) < 0)
        return -1;
    free(http->page);
    http->page = page;
    http->page_length = length;
    http->made_at = monotonic_now();
    return 0;
}

static void answer_report(struct http *http, PGconn *connection, const struct http_request *request,
                          struct error *error)
{
    size_t length = 0;
    _cleanup_free_ char *file = read_page(http->report, FILE_SECONDS, &length);
    bool stale = http->page == NULL || monotonic_now() - http->made_at > MADE_SECONDS * MONOTONIC_SECOND;
    if (file != NULL)
        http_answer(request, 200, "text/html; charset=utf-8", file, length);
    else if (stale && (connection == NULL || make_report(http, connection, error) < 0))
        http_answer_text(request, 503, error->message);
    else
        http_answer(request, 200, "text/html; charset=utf-8", http->page, http->page_length);
}

/* The file of the archive that a path names: the index where it names the archive itself. */
static const char *archive_page(const char *path)
{
    const char *name = path + strlen(paths[ROUTE_ARCHIVE]);
    return *name != 0 ? name : "index.html";
}

/* ROUTES where there is none. */
static enum route route_of(const char *path)
{
    enum route route = ROUTE_REPORT;
    if (strncmp(path, paths[ROUTE_ARCHIVE], strlen(paths[ROUTE_ARCHIVE])) == 0)
        return report_archive_holds(archive_page(path)) ? ROUTE_ARCHIVE : ROUTES;
    if (pages_holds(path))
        return ROUTE_PAGES;
    while (route < ROUTE_PAGES && strcmp(path, paths[route]) != 0)
        route++;
    return route < ROUTE_PAGES ? route : ROUTES;
}

/* A page of the directory 'reports' beside the report. */
static void answer_archive(const struct http *http, const struct http_request *request)
{
    char path[PATH_MAX];
    size_t length = 0;
    const char *slash = http->report != NULL ? strrchr(http->report, '/') : NULL;
    int beside = slash != NULL ? (int)(slash - http->report) + 1 : 0;
    bool fits = http->report != NULL && (size_t)snprintf(path, sizeof path, "%.*sreports/%s", beside, http->report,
                                                         archive_page(request->path)) < sizeof path;
    _cleanup_free_ char *page = fits ? read_page(path, INT64_MAX, &length) : NULL;
    if (page != NULL)
        http_answer(request, 200, "text/html; charset=utf-8", page, length);
    else
        http_answer_text(request, 404,
                         "No such report is kept: 'evenkeel report drift --archive DIR' keeps them, DIR being the "
                         "directory 'reports' beside the page that is shown.\n");
}

static void answer_metrics(struct http *http, PGconn *connection, const struct http_request *request)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL)
        metrics_write(&http->sources, connection, out);
    if (out != NULL && fclose(out) == 0)
        http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", text, length);
    else
        http_answer_text(request, 503, "no memory\n");
    free(text);
}

/* The connection, tried before it is relied on: one that a restart of the database ended is replaced. NULL with *error.
 */
static PGconn *living(struct http *http, PGconn **connection, struct error *error)
{
    if (*connection != NULL && database_check_schema(*connection, error) < 0) {
        PQfinish(*connection);
        *connection = NULL;
    }
    if (*connection == NULL)
        *connection = database_open(http->dsn, error);
    return *connection;
}

/* Whether the aggregator does what it is for: the database is there and takes what comes, and verdicts follow. */
static void answer_health(const struct http *http, PGconn *connection, const struct http_request *request,
                          struct error *error)
{
    unsigned failing = writer_failing_seconds(http->sources.writer);
    if (connection != NULL && failing >= WRITER_BROKEN_SECONDS) {
        error_set(
            error, ERROR_DATABASE,
            "nothing that collectors send was stored for %u seconds: see the log for batch-failed, and whether the "
            "standby is there that commits wait for",
            failing);
        connection = NULL;
    }
    _cleanup_(cleanup_result) PGresult *late =
        connection != NULL ? database_query(connection, "select evenkeel.judging_is_late()", NULL, 0, false, error)
                           : NULL;
    bool healthy = late != NULL && PQgetisnull(late, 0, 0);
    if (late != NULL && !healthy)
        error_set(error, ERROR_BUSY, "%s", PQgetvalue(late, 0, 0));
    http_answer_text(request, healthy ? 200 : 503, healthy ? "ok\n" : error->message);
}

static void answer(void *context, PGconn **connection, const struct http_request *request)
{
    struct http *http = context;
    struct error error = {0};
    enum route route = route_of(request->path);
    if (route == ROUTE_ARCHIVE) {
        answer_archive(http, request);
        return;
    }
    living(http, connection, &error);
    if (route == ROUTE_REPORT)
        answer_report(http, *connection, request, &error);
    else if (route == ROUTE_METRICS)
        answer_metrics(http, *connection, request);
    else
        answer_health(http, *connection, request, &error);
}

static void answer_page(void *context, PGconn **connection, const struct http_request *request)
{
    const struct http *http = context;
    struct page page;
    pages_make(http->read_dsn, connection, request->path, request->query, &page);
    http_answer(request, page.status, page.type, page.body, page.length);
    page_clear(&page);
}

static void refuse(const struct http_request *request, unsigned status, const char *sentence)
{
    struct page page;
    pages_refuse(status, sentence, &page);
    http_answer(request, page.status, page.type, page.body, page.length);
    page_clear(&page);
}

/* On one of nng's threads, which must not wait: what needs the database is handed on. */
static void asked(void *context, const struct http_request *request)
{
    struct http *http = context;
    if (http->loopback && request->host != NULL && !loopback_is_authority(request->host)) {
        http_answer_text(
            request, 403,
            "This address is for this machine only; a proxy in front of it must send 'Host: localhost'.\n");
        return;
    }
    enum route route = route_of(request->path);
    if (route == ROUTES) {
        http_answer_text(request, 404, "There is no such page.\n");
    } else if (route == ROUTE_PAGES && http->pages == NULL) {
        refuse(
            request, 404,
            "Pages are off: 'evenkeel serve' shows them when --read-dsn (or EVENKEEL_READ_DSN) names the database as "
            "a role that may only read.");
    } else if (route == ROUTE_PAGES) {
        if (!clerk_take(http->pages, request))
            refuse(request, 503, "Too many pages are being made; try again in a moment.");
    } else if (!clerk_take(route == ROUTE_REPORT || route == ROUTE_ARCHIVE ? http->slow : http->quick, request)) {
        http_answer_text(request, 503, "too many wait; come again later\n");
    }
}

static void free_url(nng_url **url)
{
    if (*url != NULL)
        nng_url_free(*url);
}

static int listen_on(struct http *http, const struct http_options *options, struct error *error)
{
    _cleanup_(free_url) nng_url *url = NULL;
    if (nng_url_parse(&url, options->url) != 0 || strcmp(url->u_scheme, "http") != 0 || *url->u_hostname == 0)
        return error_set(error, ERROR_USAGE, "'%s' is no address for HTTP: write http://127.0.0.1:8471, or off",
                         options->url);
    http->loopback = loopback_is_host(url->u_hostname);
    if (!http->loopback && !options->allow_plain)
        return error_set(error, ERROR_USAGE,
                         "'%s' would show the report in plain text on a network: put a proxy with TLS in front of "
                         "http://127.0.0.1:8471, or --allow-plain if the network is trusted",
                         options->url);
    struct http_server_options server = {
        .url = options->url, .asked = asked, .context = http, .counters = &http->connections};
    http->server = http_server_start(&server, error);
    return http->server != NULL ? 0 : -1;
}

struct http *http_start(const struct http_options *options, struct error *error)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL || (http->dsn = strdup(options->dsn)) == NULL ||
        (options->read_dsn != NULL && (http->read_dsn = strdup(options->read_dsn)) == NULL) ||
        (options->report != NULL && (http->report = strdup(options->report)) == NULL)) {
        http_stop(http);
        error_set(error, ERROR_MEMORY, "no memory for HTTP");
        return NULL;
    }
    if (http->read_dsn != NULL)
        report_base_url("."); /* of a report that is made here, beside the pages */
    http->sources = (struct metrics_sources){.writer = options->counters,
                                             .collectors = options->connections,
                                             .http = &http->connections,
                                             .certificate_end = options->certificate_end};
    struct clerk_options one = {.threads = 1, .waiting = HTTP_CONNECTIONS, .answer = answer, .context = http};
    struct clerk_options few = {
        .threads = PAGES_AT_ONCE, .waiting = PAGES_WAITING, .answer = answer_page, .context = http};
    if ((http->quick = clerk_start(&one, error)) == NULL || (http->slow = clerk_start(&one, error)) == NULL ||
        (http->read_dsn != NULL && (http->pages = clerk_start(&few, error)) == NULL) ||
        listen_on(http, options, error) < 0) {
        http_stop(http);
        return NULL;
    }
    return http;
}

void http_stop(struct http *http)
{
    if (http == NULL)
        return;
    http_server_close(http->server);
    struct clerk *clerks[] = {http->quick, http->slow, http->pages};
    for (size_t i = 0; i < sizeof clerks / sizeof *clerks; i++)
        clerk_stop(clerks[i]);
    http_server_free(http->server); /* whose threads may still be in asked() until then */
    for (size_t i = 0; i < sizeof clerks / sizeof *clerks; i++)
        clerk_free(clerks[i]);
    free(http->page);
    free(http->dsn);
    free(http->read_dsn);
    free(http->report);
    free(http);
}
