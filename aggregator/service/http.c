/* The HTTP side: a server in front of two threads, each with a connection to the database of its own. */

#include "http.h"

#include "aggregator/base/log.h"
#include "aggregator/base/monotonic.h"
#include "aggregator/report/report.h"
#include "aggregator/report/report_archive.h"
#include "http_server.h"
#include "metrics.h"

#include "proto/cleanup.h"
#include "proto/loopback.h"

#include <fcntl.h>
#include <limits.h>
#include <nng/nng.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Requests that may wait for a thread; more are told 503 at once. */
#define WAITING_MAXIMUM 64
/* A report is made every night: an older file means that the timer does not run, and a fresh one is made instead. */
#define FILE_SECONDS (26 * 3600)
/* A report that was made on request is good for so long. */
#define MADE_SECONDS 300
#define PAGE_BYTES_MAXIMUM (64u << 20)

enum route { ROUTE_REPORT, ROUTE_HEALTH, ROUTE_METRICS, ROUTE_ARCHIVE, ROUTES };

/* The archive's is what its pages' begin with. */
static const char *const paths[ROUTES] = {
    [ROUTE_REPORT] = "/", [ROUTE_HEALTH] = "/healthz", [ROUTE_METRICS] = "/metrics", [ROUTE_ARCHIVE] = "/reports/"};

struct waiting {
    struct http_request request;
    enum route route;
    char page[64]; /* of the archive */
};

/* A thread that answers what waits for it. */
struct clerk {
    struct http *http;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct waiting waiting[WAITING_MAXIMUM];
    size_t count;
    bool stopping;
};

struct http {
    struct http_server *server;
    char *dsn, *report;
    struct connections_counters connections;
    struct metrics_sources sources;
    bool loopback;
    struct clerk quick, slow; /* health and metrics; the report and those that are kept */
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
    if (report_drift_page(connection, "yesterday", &page, &length, error) < 0)
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

/* A page of the directory 'reports' beside the report. */
static void answer_archive(const struct http *http, const struct waiting *waiting)
{
    char path[PATH_MAX];
    size_t length = 0;
    const char *slash = http->report != NULL ? strrchr(http->report, '/') : NULL;
    int beside = slash != NULL ? (int)(slash - http->report) + 1 : 0;
    bool fits = http->report != NULL && (size_t)snprintf(path, sizeof path, "%.*sreports/%s", beside, http->report,
                                                         waiting->page) < sizeof path;
    _cleanup_free_ char *page = fits ? read_page(path, INT64_MAX, &length) : NULL;
    if (page != NULL)
        http_answer(&waiting->request, 200, "text/html; charset=utf-8", page, length);
    else
        http_answer_text(&waiting->request, 404,
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
        error_set(error, ERROR_DATABASE,
                  "nothing that collectors send was stored for %u seconds: see the log for batch-failed", failing);
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

static void answer(struct http *http, PGconn **connection, const struct waiting *waiting)
{
    struct error error = {0};
    if (waiting->route == ROUTE_ARCHIVE) {
        answer_archive(http, waiting);
        return;
    }
    living(http, connection, &error);
    if (waiting->route == ROUTE_REPORT)
        answer_report(http, *connection, &waiting->request, &error);
    else if (waiting->route == ROUTE_METRICS)
        answer_metrics(http, *connection, &waiting->request);
    else
        answer_health(http, *connection, &waiting->request, &error);
}

static void *clerk_run(void *context)
{
    struct clerk *clerk = context;
    PGconn *connection = NULL;
    pthread_mutex_lock(&clerk->lock);
    while (!clerk->stopping) {
        if (clerk->count == 0) {
            pthread_cond_wait(&clerk->changed, &clerk->lock);
            continue;
        }
        struct waiting waiting = clerk->waiting[0];
        memmove(&clerk->waiting[0], &clerk->waiting[1], --clerk->count * sizeof waiting);
        pthread_mutex_unlock(&clerk->lock);
        answer(clerk->http, &connection, &waiting);
        pthread_mutex_lock(&clerk->lock);
    }
    for (size_t i = 0; i < clerk->count; i++)
        http_answer_text(&clerk->waiting[i].request, 503, "stopping\n");
    clerk->count = 0;
    pthread_mutex_unlock(&clerk->lock);
    PQfinish(connection);
    return NULL;
}

static int clerk_start(struct clerk *clerk, struct http *http, struct error *error)
{
    clerk->http = http;
    pthread_mutex_init(&clerk->lock, NULL);
    pthread_cond_init(&clerk->changed, NULL);
    int failed = pthread_create(&clerk->thread, NULL, clerk_run, clerk);
    clerk->started = failed == 0;
    return failed == 0 ? 0 : error_set(error, ERROR_IO, "can't start a thread for HTTP: %s", strerror(failed));
}

static void clerk_stop(struct clerk *clerk)
{
    if (!clerk->started)
        return;
    pthread_mutex_lock(&clerk->lock);
    clerk->stopping = true;
    pthread_cond_signal(&clerk->changed);
    pthread_mutex_unlock(&clerk->lock);
    pthread_join(clerk->thread, NULL);
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
    while (route < ROUTES && strcmp(path, paths[route]) != 0)
        route++;
    return route;
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
    struct waiting waiting = {.request = *request, .route = route_of(request->path)};
    if (waiting.route == ROUTE_ARCHIVE)
        snprintf(waiting.page, sizeof waiting.page, "%s", archive_page(request->path));
    if (waiting.route == ROUTES) {
        http_answer_text(request, 404, "There is no such page.\n");
        return;
    }
    bool is_slow = waiting.route == ROUTE_REPORT || waiting.route == ROUTE_ARCHIVE;
    struct clerk *clerk = is_slow ? &http->slow : &http->quick;
    pthread_mutex_lock(&clerk->lock);
    bool taken = !clerk->stopping && clerk->count < WAITING_MAXIMUM;
    if (taken) {
        clerk->waiting[clerk->count++] = waiting;
        pthread_cond_signal(&clerk->changed);
    }
    pthread_mutex_unlock(&clerk->lock);
    if (!taken)
        http_answer_text(request, 503, "too many wait; come again later\n");
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
        (options->report != NULL && (http->report = strdup(options->report)) == NULL)) {
        http_stop(http);
        error_set(error, ERROR_MEMORY, "no memory for HTTP");
        return NULL;
    }
    http->sources = (struct metrics_sources){.writer = options->counters,
                                             .collectors = options->connections,
                                             .http = &http->connections,
                                             .certificate_end = options->certificate_end};
    if (clerk_start(&http->quick, http, error) < 0 || clerk_start(&http->slow, http, error) < 0 ||
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
    clerk_stop(&http->quick);
    clerk_stop(&http->slow);
    http_server_free(http->server); /* whose threads may still be in asked() until then */
    for (struct clerk *clerk = &http->quick; clerk != NULL; clerk = clerk == &http->quick ? &http->slow : NULL) {
        if (!clerk->started)
            continue;
        pthread_cond_destroy(&clerk->changed);
        pthread_mutex_destroy(&clerk->lock);
    }
    free(http->page);
    free(http->dsn);
    free(http->report);
    free(http);
}
