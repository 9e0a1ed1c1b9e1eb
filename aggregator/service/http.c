/* The HTTP side: nng's server in front of two threads, each with a connection to the database of its own. */

#include "http.h"

#include "aggregator/base/log.h"
#include "aggregator/base/monotonic.h"
#include "aggregator/report/report.h"
#include "metrics.h"

#include "proto/cleanup.h"
#include "proto/loopback.h"

#include <fcntl.h>
#include <nng/nng.h>
#include <nng/supplemental/http/http.h>
#include <nng/supplemental/util/platform.h>
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

enum route { ROUTE_REPORT, ROUTE_HEALTH, ROUTE_METRICS, ROUTES };

struct waiting {
    nng_aio *aio;
    enum route route;
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
    nng_http_server *server;
    nng_http_handler *handlers[ROUTES];
    size_t handler_count; /* those that the server has */
    char *dsn, *report;
    const struct writer_counters *counters;
    bool loopback;
    struct clerk quick, slow; /* health and metrics; the report */
    /* The report that was made, the slow clerk's alone. */
    char *page;
    size_t page_length;
    int64_t made_at; /* by the monotonic clock */
};

static void respond(nng_aio *aio, uint16_t status, const char *type, const void *body, size_t length)
{
    nng_http_res *response;
    int failed = nng_http_res_alloc(&response);
    if (failed == 0) {
        if ((failed = nng_http_res_set_status(response, status)) != 0 ||
            (failed = nng_http_res_set_header(response, "Content-Type", type)) != 0 ||
            (failed = nng_http_res_set_header(response, "Cache-Control", "no-store")) != 0 ||
            (failed = nng_http_res_set_header(response, "X-Content-Type-Options", "nosniff")) != 0 ||
            (failed = nng_http_res_set_header(response, "Content-Security-Policy", "frame-ancestors 'none'")) != 0 ||
            (failed = nng_http_res_copy_data(response, body, length)) != 0)
            nng_http_res_free(response);
        else
            nng_aio_set_output(aio, 0, response);
    }
    nng_aio_finish(aio, failed);
}

static void respond_text(nng_aio *aio, uint16_t status, const char *text)
{
    respond(aio, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* The report file's bytes, from malloc; NULL where it is not there, too old or can't be read. */
static char *read_report(const char *path, size_t *length)
{
    struct stat status;
    _cleanup_close_ int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > PAGE_BYTES_MAXIMUM || time(NULL) - status.st_mtime > FILE_SECONDS)
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
    char *page = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&page, &length);
    if (out == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a report");
    int result = report_drift(connection, "yesterday", REPORT_HTML, out, error);
    if (fclose(out) != 0 && result == 0)
        result = error_set(error, ERROR_MEMORY, "no memory for a report");
    if (result < 0) {
        free(page);
        return -1;
    }
    free(http->page);
    http->page = page;
    http->page_length = length;
    http->made_at = monotonic_now();
    return 0;
}

static void answer_report(struct http *http, PGconn *connection, nng_aio *aio, struct error *error)
{
    size_t length = 0;
    _cleanup_free_ char *file = read_report(http->report, &length);
    bool stale = http->page == NULL || monotonic_now() - http->made_at > MADE_SECONDS * MONOTONIC_SECOND;
    if (file != NULL)
        respond(aio, 200, "text/html; charset=utf-8", file, length);
    else if (stale && (connection == NULL || make_report(http, connection, error) < 0))
        respond_text(aio, 503, error->message);
    else
        respond(aio, 200, "text/html; charset=utf-8", http->page, http->page_length);
}

static void answer_metrics(struct http *http, PGconn *connection, nng_aio *aio)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL)
        metrics_write(http->counters, connection, out);
    if (out != NULL && fclose(out) == 0)
        respond(aio, 200, "text/plain; version=0.0.4; charset=utf-8", text, length);
    else
        respond_text(aio, 503, "no memory\n");
    free(text);
}

/* The connection, tried before it is relied on: one that a restart of the database ended is replaced. NULL with *error.
 */
static PGconn *living(struct http *http, PGconn **connection, struct error *error)
{
    if (*connection != NULL && database_execute(*connection, "select 1", error) < 0) {
        PQfinish(*connection);
        *connection = NULL;
    }
    if (*connection == NULL)
        *connection = database_open(http->dsn, error);
    return *connection;
}

static void answer(struct http *http, PGconn **connection, const struct waiting *request)
{
    struct error error = {0};
    bool healthy = living(http, connection, &error) != NULL;
    if (request->route == ROUTE_REPORT)
        answer_report(http, *connection, request->aio, &error);
    else if (request->route == ROUTE_METRICS)
        answer_metrics(http, *connection, request->aio);
    else
        respond_text(request->aio, healthy ? 200 : 503, healthy ? "ok\n" : error.message);
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
        struct waiting request = clerk->waiting[0];
        memmove(&clerk->waiting[0], &clerk->waiting[1], --clerk->count * sizeof request);
        pthread_mutex_unlock(&clerk->lock);
        answer(clerk->http, &connection, &request);
        pthread_mutex_lock(&clerk->lock);
    }
    for (size_t i = 0; i < clerk->count; i++)
        respond_text(clerk->waiting[i].aio, 503, "stopping\n");
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

/* On one of nng's threads, which must not wait: what needs the database is handed on. */
static void take(nng_aio *aio, enum route route)
{
    nng_http_req *request = nng_aio_get_input(aio, 0);
    struct http *http = nng_http_handler_get_data(nng_aio_get_input(aio, 1));
    const char *host = nng_http_req_get_header(request, "Host");
    if (http->loopback && host != NULL && !loopback_is_authority(host)) {
        respond_text(aio, 403,
                     "This address is for this machine only; a proxy in front of it must send 'Host: localhost'.\n");
        return;
    }
    struct clerk *clerk = route == ROUTE_REPORT ? &http->slow : &http->quick;
    pthread_mutex_lock(&clerk->lock);
    bool taken = !clerk->stopping && clerk->count < WAITING_MAXIMUM;
    if (taken) {
        clerk->waiting[clerk->count++] = (struct waiting){.aio = aio, .route = route};
        pthread_cond_signal(&clerk->changed);
    }
    pthread_mutex_unlock(&clerk->lock);
    if (!taken)
        respond_text(aio, 503, "too many wait; come again later\n");
}

static void take_report(nng_aio *aio)
{
    take(aio, ROUTE_REPORT);
}

static void take_health(nng_aio *aio)
{
    take(aio, ROUTE_HEALTH);
}

static void take_metrics(nng_aio *aio)
{
    take(aio, ROUTE_METRICS);
}

static int add_route(struct http *http, const char *path, void (*handle)(nng_aio *), struct error *error)
{
    nng_http_handler *handler;
    int failed = nng_http_handler_alloc(&handler, path, handle);
    if (failed == 0 && ((failed = nng_http_handler_set_data(handler, http, NULL)) != 0 ||
                        (failed = nng_http_server_add_handler(http->server, handler)) != 0))
        nng_http_handler_free(handler);
    if (failed != 0)
        return error_set(error, ERROR_MEMORY, "can't prepare HTTP: %s", nng_strerror(failed));
    http->handlers[http->handler_count++] = handler;
    return 0;
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
    int failed = nng_http_server_hold(&http->server, url);
    if (failed != 0)
        return error_set(error, ERROR_USAGE, "can't listen on '%s': %s", options->url, nng_strerror(failed));
    if (add_route(http, "/", take_report, error) < 0 || add_route(http, "/healthz", take_health, error) < 0 ||
        add_route(http, "/metrics", take_metrics, error) < 0)
        return -1;
    failed = nng_http_server_start(http->server);
    if (failed != 0)
        return error_set(error, failed == NNG_EADDRINUSE ? ERROR_BUSY : ERROR_NETWORK,
                         "can't listen on '%s': %s; name another address with --http, or --http off", options->url,
                         nng_strerror(failed));
    return 0;
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
    http->counters = options->counters;
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
    clerk_stop(&http->quick);
    clerk_stop(&http->slow);
    /* Without handlers nothing new comes in; nng forgets a request that is under way when its server stops, so the last
     * answers get a moment to leave. The clerks' locks live until then. */
    if (http->server != NULL) {
        for (size_t i = 0; i < http->handler_count; i++)
            if (nng_http_server_del_handler(http->server, http->handlers[i]) == 0)
                nng_http_handler_free(http->handlers[i]);
        nng_msleep(100);
        nng_http_server_stop(http->server);
        nng_http_server_release(http->server);
    }
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
