/* What passes over one connection, and how long it may take. */

#include "connections_inside.h"

#include "aggregator/base/monotonic.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINISH_SECONDS 2

/* The peer's address as text, and what counts as one address: of IPv6 the first half, for one machine has all of it. */
static void name_source(struct connection *connection)
{
    nng_sockaddr peer;
    struct in6_addr whole = {0}, network = {0};
    snprintf(connection->address, sizeof connection->address, "%s", connection->local ? "this machine" : "?");
    memcpy(connection->network, connection->address, sizeof connection->network);
    if (connection->local || nng_stream_get_addr(connection->stream, NNG_OPT_REMADDR, &peer) != 0)
        return;
    if (peer.s_family == NNG_AF_INET) {
        memcpy(connection->source.bytes, &peer.s_in.sa_addr, sizeof peer.s_in.sa_addr);
        inet_ntop(AF_INET, &peer.s_in.sa_addr, connection->address, sizeof connection->address);
        memcpy(connection->network, connection->address, sizeof connection->network);
    } else if (peer.s_family == NNG_AF_INET6) {
        memcpy(&whole, peer.s_in6.sa_addr, sizeof whole);
        connection->source.bytes[8] = 6;
        memcpy(connection->source.bytes, &whole, IN6_IS_ADDR_V4MAPPED(&whole) ? 0 : 8);
        memcpy(&network, &whole, 8);
        inet_ntop(AF_INET6, &network, connection->network, sizeof connection->network - 4);
        strcat(connection->network, "/64");
        if (IN6_IS_ADDR_V4MAPPED(&whole)) {
            memcpy(connection->source.bytes, &whole.s6_addr[12], 4);
            inet_ntop(AF_INET, &whole.s6_addr[12], connection->network, sizeof connection->network);
        }
        inet_ntop(AF_INET6, &whole, connection->address, sizeof connection->address);
    }
}

static int64_t in_seconds(int64_t seconds)
{
    return monotonic_now() + seconds * MONOTONIC_SECOND;
}

/* Both under the connection's lock, and only while it is open: then the set stops them before it frees anything. */
static void receive_more(struct connection *connection)
{
    nng_iov iov = {.iov_buf = connection->into + connection->received,
                   .iov_len = connection->most - connection->received};
    nng_aio_set_iov(connection->receiving, 1, &iov);
    nng_stream_recv(connection->stream, connection->receiving);
}

static void send_more(struct connection *connection)
{
    nng_iov iov = {.iov_buf = (void *)connection->out, .iov_len = connection->left};
    nng_aio_set_iov(connection->sending, 1, &iov);
    nng_stream_send(connection->stream, connection->sending);
}

static void receive_step(void *context)
{
    struct connection *connection = context;
    if (nng_aio_result(connection->receiving) != 0) {
        connection_end(connection, CONNECTION_GONE);
        return;
    }
    bool complete = false;
    size_t received = 0;
    pthread_mutex_lock(&connection->lock);
    if (connection->end == CONNECTION_OPEN && connection->finishing) {
        connection->received = 0;
        receive_more(connection);
    } else if (connection->end == CONNECTION_OPEN) {
        connection->received += nng_aio_count(connection->receiving);
        received = connection->received;
        complete = received >= connection->least;
        connection->receive_until = complete ? 0 : in_seconds(CONNECTIONS_STALLED_SECONDS);
        if (!complete)
            receive_more(connection);
    }
    pthread_mutex_unlock(&connection->lock);
    if (complete)
        connections_kind(connection->set)->received(connection, received);
}

static void send_step(void *context)
{
    struct connection *connection = context;
    if (nng_aio_result(connection->sending) != 0) {
        connection_end(connection, CONNECTION_GONE);
        return;
    }
    bool complete = false;
    pthread_mutex_lock(&connection->lock);
    if (connection->end == CONNECTION_OPEN) {
        size_t sent = nng_aio_count(connection->sending);
        connection->out += sent;
        connection->left -= sent;
        complete = connection->left == 0;
        if (complete)
            connection->send_until = 0;
        else
            send_more(connection);
    }
    pthread_mutex_unlock(&connection->lock);
    if (complete)
        connections_kind(connection->set)->sent(connection);
}

struct connection *connection_new(struct connections *set, const struct connection_kind *kind, nng_stream *stream,
                                  bool local)
{
    struct connection *connection = calloc(1, sizeof *connection + kind->state_bytes);
    if (connection == NULL || nng_aio_alloc(&connection->receiving, receive_step, connection) != 0 ||
        nng_aio_alloc(&connection->sending, send_step, connection) != 0) {
        if (connection != NULL && connection->receiving != NULL)
            nng_aio_free(connection->receiving);
        free(connection);
        nng_stream_close(stream);
        nng_stream_free(stream);
        return NULL;
    }
    connection->set = set;
    connection->stream = stream;
    connection->local = local;
    connection->references = 1;
    pthread_mutex_init(&connection->lock, NULL);
    connection->came_at = connection->heard_at = monotonic_now();
    name_source(connection);
    return connection;
}

void connection_shut(struct connection *connection)
{
    /* Whoever was about to begin a transfer has, by now, or sees that this is at its end. */
    pthread_mutex_lock(&connection->lock);
    pthread_mutex_unlock(&connection->lock);
    nng_stream_close(connection->stream);
    nng_aio_stop(connection->receiving);
    nng_aio_stop(connection->sending);
    nng_stream_free(connection->stream);
    nng_aio_free(connection->receiving);
    nng_aio_free(connection->sending);
}

void *connection_state(struct connection *connection)
{
    return connection->state;
}

void *connection_context(struct connection *connection)
{
    return connections_context(connection->set);
}

const char *connection_address(const struct connection *connection)
{
    return connection->network;
}

bool connection_is_local(const struct connection *connection)
{
    return connection->local;
}

bool connection_is_open(struct connection *connection)
{
    return connection->end == CONNECTION_OPEN;
}

void connection_hold(struct connection *connection)
{
    atomic_fetch_add(&connection->references, 1);
}

void connection_release(struct connection *connection)
{
    if (atomic_fetch_sub(&connection->references, 1) > 1)
        return;
    connections_kind(connection->set)->freed(connection);
    pthread_mutex_destroy(&connection->lock);
    free(connection);
}

void connection_receive(struct connection *connection, void *into, size_t least, size_t most, bool begun)
{
    pthread_mutex_lock(&connection->lock);
    if (connection->end == CONNECTION_OPEN && !connection->finishing) {
        connection->into = into;
        connection->received = 0;
        connection->least = least;
        connection->most = most;
        connection->receive_until = begun ? in_seconds(CONNECTIONS_STALLED_SECONDS) : 0;
        receive_more(connection);
    }
    pthread_mutex_unlock(&connection->lock);
}

void connection_send(struct connection *connection, const void *data, size_t length)
{
    pthread_mutex_lock(&connection->lock);
    if (connection->end == CONNECTION_OPEN && !connection->finishing) {
        connection->out = data;
        connection->left = length;
        connection->send_until =
            in_seconds(CONNECTIONS_UNREAD_SECONDS + (int64_t)(length / CONNECTIONS_UNREAD_BYTES_A_SECOND));
        send_more(connection);
    }
    pthread_mutex_unlock(&connection->lock);
}

void connection_opened(struct connection *connection)
{
    connections_level(connection->set, connection, LEVEL_SILENT);
}

void connection_asked(struct connection *connection)
{
    connections_level(connection->set, connection, LEVEL_ASKING);
}

void connection_answered(struct connection *connection)
{
    connections_level(connection->set, connection, LEVEL_SILENT);
}

void connection_trust(struct connection *connection, const struct tally_key *key)
{
    connections_trust(connection->set, connection, key);
}

bool connection_is_trusted(const struct connection *connection)
{
    return connection->level == LEVEL_TRUSTED;
}

void connection_finish(struct connection *connection)
{
    pthread_mutex_lock(&connection->lock);
    if (connection->end == CONNECTION_OPEN && !connection->finishing) {
        connection->finishing = true;
        connection->finish_until = in_seconds(FINISH_SECONDS);
        connection->receive_until = 0;
        connection->into = connection->rest;
        connection->received = 0;
        connection->most = sizeof connection->rest;
        receive_more(connection);
    }
    pthread_mutex_unlock(&connection->lock);
}

void connection_end(struct connection *connection, enum connection_end end)
{
    connections_ended(connection->set, connection, end);
}
