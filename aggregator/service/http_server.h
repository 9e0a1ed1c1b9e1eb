/*
 * HTTP/1.1 (RFC 9112) for reading: GET and HEAD, one request a connection. It has places of its own, so that nobody who
 * holds them takes anything from collectors; a request must be here, and an answer taken, in the time that
 * connections.h gives.
 */

#ifndef EVENKEEL_HTTP_SERVER_H
#define EVENKEEL_HTTP_SERVER_H

#include "connections.h"

#define HTTP_CONNECTIONS 64
#define HTTP_REQUEST_BYTES 8192u /* of a request with its headers */

/* One request that is waiting for its answer; what it points at stays until then. */
struct http_request {
    const char *path;  /* decoded; begins with '/' */
    const char *query; /* as it came, without its '?'; "" where there is none */
    const char *host;  /* the header; NULL: none */
    struct connection *connection;
};

struct http_server; /* opaque */

struct http_server_options {
    const char *url; /* http://ADDRESS:PORT, already looked at */
    /* Called on one of nng's threads, which must not wait; must lead to one http_answer(). `request` is copied by
     * whoever keeps it. */
    void (*asked)(void *context, const struct http_request *request);
    void *context;
    struct connections_counters *counters; /* must outlive it */
};

/* NULL with *error that names the address; ERROR_BUSY where it is taken. */
struct http_server *http_server_start(const struct http_server_options *options, struct error *error);

/* Lets nobody else in; what was asked may still be answered. */
void http_server_close(struct http_server *server);
/* Waits a moment for the last answers to leave, and frees all. All requests must be answered. NULL is allowed. */
void http_server_free(struct http_server *server);

/* Sends the answer, which is copied; for HEAD without the body. Once per request, from any thread. */
void http_answer(const struct http_request *request, unsigned status, const char *type, const void *body,
                 size_t length);
void http_answer_text(const struct http_request *request, unsigned status, const char *text);

#endif
