/* Threads that answer HTTP requests one after the other, each with a connection to the database of its own. */

#ifndef EVENKEEL_CLERK_H
#define EVENKEEL_CLERK_H

#include "aggregator/base/database.h"
#include "http_server.h"

#define CLERK_THREADS_MAXIMUM 4
#define CLERK_WAITING_MAXIMUM 64

struct clerk; /* opaque */

struct clerk_options {
    unsigned threads; /* requests that are answered at once */
    size_t waiting;   /* requests that may wait beside these */
    /* Must lead to one http_answer(). *connection is the thread's own, NULL at first, closed at the end. */
    void (*answer)(void *context, PGconn **connection, const struct http_request *request);
    void *context;
};

/* NULL with *error. */
struct clerk *clerk_start(const struct clerk_options *options, struct error *error);

/* Hands a request over, which it then answers; false where too many wait, and the request is still the caller's. */
bool clerk_take(struct clerk *clerk, const struct http_request *request);

/* Answers what waits with 503 and waits for what is being answered. NULL is allowed, here and below. */
void clerk_stop(struct clerk *clerk);
/* After clerk_stop(), and once nobody can be in clerk_take() any more. */
void clerk_free(struct clerk *clerk);

#endif
