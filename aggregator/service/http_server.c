/* HTTP/1.1 for reading. */

#include "http_server.h"

#include "aggregator/base/buffer.h"
#include "aggregator/base/url.h"

#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LAST_ANSWERS_MILLISECONDS 500

struct http_server {
    struct connections *connections;
    struct http_server_options options;
    atomic_uint unsent; /* answers that were not taken yet */
};

/* Of one connection: a request's bytes, then its answer's. */
struct exchange {
    char text[HTTP_REQUEST_BYTES + 1];
    size_t length;
    bool head; /* HEAD: the body is not sent */
    bool answering;
    struct buffer answer;
};

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {431, "Request Header Fields Too Large"},
                   {503, "Service Unavailable"},
                   {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

void http_answer(const struct http_request *request, unsigned status, const char *type, const void *body, size_t length)
{
    struct exchange *exchange = connection_state(request->connection);
    struct http_server *server = connection_context(request->connection);
    struct buffer *answer = &exchange->answer;
    char date[64];
    struct tm now;
    time_t seconds = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &now));
    buffer_format(answer,
                  "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
                  "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                  "Content-Security-Policy: frame-ancestors 'none'\r\n%s\r\n",
                  status, reason_of(status), date, type, length,
                  status == 405   ? "Allow: GET, HEAD\r\n"
                  : status == 503 ? "Retry-After: 5\r\n"
                                  : "");
    if (!exchange->head)
        buffer_put(answer, body, length);
    exchange->answering = true;
    atomic_fetch_add(&server->unsent, 1);
    if (answer->failed)
        connection_end(request->connection, CONNECTION_GONE);
    else
        connection_send(request->connection, answer->data, answer->length);
    connection_release(request->connection);
}

void http_answer_text(const struct http_request *request, unsigned status, const char *text)
{
    http_answer(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* Where the value of the last header of a name begins, behind the request line; NULL where there is none. *count says
 * how often it is there. */
static char *find_header(char *text, const char *name, unsigned *count)
{
    char *value = NULL;
    size_t length = strlen(name);
    *count = 0;
    for (char *line = text; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        value = line + length + 1 + strspn(line + length + 1, " \t");
        ++*count;
    }
    return value;
}

/* The request out of its text, which is cut up; the status to refuse it with, or 0. */
static unsigned parse(struct exchange *exchange, struct http_request *request)
{
    char *text = exchange->text;
    unsigned hosts;
    text[exchange->length] = 0;
    if (strlen(text) != exchange->length)
        return 400;
    request->host = find_header(text, "Host", &hosts);
    if (hosts > 0)
        *strstr(request->host, "\r\n") = 0;
    text[strcspn(text, "\r\n")] = 0;
    char *target = strchr(text, ' '), *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL)
        return 400;
    *target++ = 0;
    *version++ = 0;
    if (strncmp(version, "HTTP/1.", 7) != 0)
        return strncmp(version, "HTTP/", 5) == 0 ? 505 : 400;
    exchange->head = strcmp(text, "HEAD") == 0;
    if (!exchange->head && strcmp(text, "GET") != 0)
        return 405;
    if (hosts > 1 || (hosts == 0 && strcmp(version, "HTTP/1.0") != 0))
        return 400;
    if (strncasecmp(target, "http://", 7) == 0) {
        target += 7;
        target += strcspn(target, "/");
    }
    char *query = strchr(target, '?');
    request->query = "";
    if (query != NULL) {
        *query = 0;
        request->query = query + 1;
    }
    request->path = target;
    return *target == '/' && url_decode(target, false) ? 0 : 400;
}

static void receive_more(struct connection *connection, struct exchange *exchange)
{
    connection_receive(connection, exchange->text + exchange->length, 1, HTTP_REQUEST_BYTES - exchange->length, true);
}

static void opened(struct connection *connection)
{
    receive_more(connection, connection_state(connection));
}

static void received(struct connection *connection, size_t length)
{
    struct exchange *exchange = connection_state(connection);
    const struct http_server *server = connection_context(connection);
    struct http_request request = {.connection = connection};
    exchange->length += length;
    char *blank = memmem(exchange->text, exchange->length, "\r\n\r\n", 4);
    if (blank == NULL && exchange->length < HTTP_REQUEST_BYTES) {
        receive_more(connection, exchange);
        return;
    }
    connection_opened(connection);
    connection_trust(connection, NULL); /* who has asked keeps its place for the answer */
    connection_hold(connection);
    if (blank != NULL)
        exchange->length = (size_t)(blank + 4 - exchange->text);
    unsigned status = blank == NULL ? 431 : parse(exchange, &request);
    if (status != 0)
        http_answer_text(&request, status, reason_of(status));
    else
        server->options.asked(server->options.context, &request);
}

static void sent(struct connection *connection)
{
    connection_finish(connection);
}

static void freed(struct connection *connection)
{
    struct exchange *exchange = connection_state(connection);
    struct http_server *server = connection_context(connection);
    buffer_clear(&exchange->answer);
    if (exchange->answering)
        atomic_fetch_sub(&server->unsent, 1);
}

static const struct connection_kind http_kind = {
    .state_bytes = sizeof(struct exchange), .opened = opened, .received = received, .sent = sent, .freed = freed};

struct http_server *http_server_start(const struct http_server_options *options, struct error *error)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        error_set(error, ERROR_MEMORY, "no memory for HTTP");
        return NULL;
    }
    server->options = *options;
    struct connections_options places = {
        .name = "http", .kind = &http_kind, .context = server, .most = HTTP_CONNECTIONS};
    server->connections = connections_new(&places, options->counters, error);
    if (server->connections == NULL) {
        free(server);
        return NULL;
    }
    char url[512];
    snprintf(url, sizeof url, "tcp%.*s", (int)sizeof url - 8, options->url + strlen("http"));
    url[strcspn(url + strlen("tcp://"), "/") + strlen("tcp://")] = 0;
    int failed = -connections_listen(server->connections, url, NULL);
    if (failed > 0) {
        error_set(error, failed == NNG_EADDRINUSE ? ERROR_BUSY : ERROR_NETWORK,
                  "can't listen on '%s': %s; name another address with --http, or --http off", options->url,
                  nng_strerror(failed));
        http_server_free(server);
        return NULL;
    }
    connections_start(server->connections);
    return server;
}

void http_server_close(struct http_server *server)
{
    if (server != NULL)
        connections_close(server->connections);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    connections_close(server->connections);
    nng_time last = nng_clock() + LAST_ANSWERS_MILLISECONDS;
    while (atomic_load(&server->unsent) > 0 && nng_clock() < last)
        nng_msleep(10);
    connections_free(server->connections);
    free(server);
}
