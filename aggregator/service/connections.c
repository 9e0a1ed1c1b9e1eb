/* Who is connected. */

#include "connections.h"

#include "aggregator/base/monotonic.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct peer {
    nng_pipe pipe;
    int64_t heard_at; /* by the monotonic clock */
};

struct connections {
    pthread_mutex_t lock; /* guards the peers */
    struct peer *peers;
    size_t most;
    atomic_size_t *count;
    atomic_ullong *refused;
    bool retired;
    struct connections *next; /* in `retired` */
};

/* nng tells of a pipe's end at any time after its socket was closed: what it tells that to must stay. */
static struct connections *retired;

static struct peer *find(struct connections *connections, nng_pipe pipe)
{
    for (size_t i = 0; i < *connections->count; i++)
        if (connections->peers[i].pipe.id == pipe.id)
            return &connections->peers[i];
    return NULL;
}

/* Who has been silent for longest, where that is long enough to give its place away. */
static struct peer *find_silent(struct connections *connections, int64_t now)
{
    struct peer *silent = &connections->peers[0];
    for (size_t i = 1; i < *connections->count; i++)
        if (connections->peers[i].heard_at < silent->heard_at)
            silent = &connections->peers[i];
    return now - silent->heard_at > CONNECTIONS_SILENT_SECONDS * MONOTONIC_SECOND ? silent : NULL;
}

static void came(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct connections *connections = context;
    nng_pipe closed = NNG_PIPE_INITIALIZER;
    struct peer newcomer = {.pipe = pipe, .heard_at = monotonic_now()};
    (void)event;
    pthread_mutex_lock(&connections->lock);
    if (connections->retired) {
        closed = pipe;
    } else if (*connections->count < connections->most) {
        connections->peers[(*connections->count)++] = newcomer;
    } else {
        struct peer *silent = find_silent(connections, newcomer.heard_at);
        closed = silent != NULL ? silent->pipe : pipe;
        if (silent != NULL)
            *silent = newcomer;
        ++*connections->refused;
    }
    pthread_mutex_unlock(&connections->lock);
    if (nng_pipe_id(closed) > 0)
        nng_pipe_close(closed);
}

static void went(nng_pipe pipe, nng_pipe_ev event, void *context)
{
    struct connections *connections = context;
    (void)event;
    pthread_mutex_lock(&connections->lock);
    struct peer *peer = connections->retired ? NULL : find(connections, pipe);
    if (peer != NULL)
        *peer = connections->peers[--*connections->count];
    pthread_mutex_unlock(&connections->lock);
}

void connections_heard(struct connections *connections, nng_pipe from)
{
    pthread_mutex_lock(&connections->lock);
    struct peer *peer = find(connections, from);
    if (peer != NULL)
        peer->heard_at = monotonic_now();
    pthread_mutex_unlock(&connections->lock);
}

struct connections *connections_new(nng_socket socket, size_t most, atomic_size_t *count, atomic_ullong *refused,
                                    struct error *error)
{
    struct connections *connections = calloc(1, sizeof *connections);
    if (connections == NULL || (connections->peers = calloc(most, sizeof *connections->peers)) == NULL) {
        free(connections);
        error_set(error, ERROR_MEMORY, "no memory for %zu connections", most);
        return NULL;
    }
    pthread_mutex_init(&connections->lock, NULL);
    connections->most = most;
    connections->count = count;
    connections->refused = refused;
    int failed = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_PRE, came, connections);
    if (failed == 0)
        failed = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, went, connections);
    if (failed == 0)
        return connections;
    error_set(error, ERROR_IO, "can't watch connections: %s", nng_strerror(failed));
    connections_free(connections);
    return NULL;
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    pthread_mutex_lock(&connections->lock);
    connections->retired = true;
    free(connections->peers);
    connections->peers = NULL;
    pthread_mutex_unlock(&connections->lock);
    connections->next = retired;
    retired = connections;
}
