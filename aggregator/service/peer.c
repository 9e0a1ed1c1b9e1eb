/* A collector on its connection. */

#include "peer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HELLO_BYTES 8
#define HEAD_BYTES 9 /* of a message: its length in 8 bytes, over ipc behind a 1 */
/* Read at once: of those that are not known yet little, so that others get their turn between. */
#define READ_BYTES (16u << 10)
#define READ_TRUSTED_BYTES (256u << 10)

static const uint8_t our_hello[HELLO_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
static const uint8_t their_hello[HELLO_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

struct answer {
    struct answer *next;
    size_t length;
    uint8_t bytes[];
};

struct peer {
    /* What is received; received() alone, and who goes on with it. */
    enum { PEER_HELLO, PEER_HEAD, PEER_BODY } stage;
    uint8_t head[HEAD_BYTES];
    uint8_t *buffer; /* a message on its way: `received` of `length` bytes */
    size_t length, received;

    pthread_mutex_t lock; /* guards what follows */
    bool ready;           /* the hello is sent */
    unsigned requests;    /* under way */
    size_t bytes;         /* of these and their answers */
    bool resting;         /* nothing is received since the share is used up */
    struct answer *first, **last;
    bool sending;
};

static struct peer_duty *duty_of(struct connection *connection)
{
    return connection_context(connection);
}

static size_t head_bytes(struct connection *connection)
{
    return connection_is_local(connection) ? HEAD_BYTES : HEAD_BYTES - 1;
}

static void receive_head(struct connection *connection, struct peer *peer)
{
    peer->stage = PEER_HEAD;
    connection_receive(connection, peer->head, head_bytes(connection), head_bytes(connection), false);
}

static void receive_body(struct connection *connection, struct peer *peer)
{
    size_t left = peer->length - peer->received;
    size_t most = connection_is_trusted(connection) ? READ_TRUSTED_BYTES : READ_BYTES;
    connection_receive(connection, peer->buffer + peer->received, 1, left < most ? left : most, true);
}

static void opened(struct connection *connection)
{
    struct peer *peer = connection_state(connection);
    pthread_mutex_init(&peer->lock, NULL);
    peer->last = &peer->first;
    peer->sending = true;
    connection_send(connection, our_hello, sizeof our_hello);
    connection_receive(connection, peer->head, HELLO_BYTES, HELLO_BYTES, false);
}

static bool has_share(const struct peer *peer, const struct peer_duty *duty)
{
    return peer->requests < PEER_REQUESTS && peer->bytes < duty->share;
}

/* Under the peer's lock. */
static void send_next(struct connection *connection, struct peer *peer)
{
    if (peer->sending || peer->first == NULL)
        return;
    peer->sending = true;
    connection_send(connection, peer->first->bytes, peer->first->length);
}

static void sent(struct connection *connection)
{
    struct peer *peer = connection_state(connection);
    struct peer_duty *duty = duty_of(connection);
    struct answer *done = NULL;
    pthread_mutex_lock(&peer->lock);
    if (peer->ready) {
        done = peer->first;
        peer->first = done->next;
        if (peer->first == NULL)
            peer->last = &peer->first;
        peer->requests--;
        peer->bytes -= done->length;
        if (peer->requests == 0)
            connection_answered(connection);
        atomic_fetch_sub(&duty->unsent, 1);
    }
    peer->ready = true;
    peer->sending = false;
    send_next(connection, peer);
    bool goes_on = peer->resting && has_share(peer, duty);
    if (goes_on)
        peer->resting = false;
    pthread_mutex_unlock(&peer->lock);
    free(done);
    if (goes_on)
        receive_head(connection, peer);
}

/* The numbers in front of a request end with one whose highest bit is set; devices on the way may each have put one. */
static bool read_trace(struct peer_message *message)
{
    for (size_t at = 0; at + 4 <= message->body.length && at + 4 <= sizeof message->trace; at += 4)
        if ((message->body.data[at] & 0x80) != 0) {
            message->trace_length = at + 4;
            memcpy(message->trace, message->body.data, at + 4);
            return bytes_slice(message->body, at + 4, message->body.length - at - 4, &message->body);
        }
    return false;
}

static void take_message(struct connection *connection, struct peer *peer)
{
    struct peer_duty *duty = duty_of(connection);
    struct peer_message *message = calloc(1, sizeof *message);
    if (message != NULL) {
        message->connection = connection;
        message->buffer = peer->buffer;
        message->body = bytes_of(peer->buffer, peer->length);
        message->charged = peer->length;
        peer->buffer = NULL;
    }
    if (message == NULL || !read_trace(message)) {
        connection_end(connection, message == NULL ? CONNECTION_GONE : CONNECTION_MALFORMED);
        if (message != NULL)
            free(message->buffer);
        free(message);
        return;
    }
    connection_hold(connection);
    pthread_mutex_lock(&peer->lock);
    peer->requests++;
    peer->bytes += message->charged;
    connection_asked(connection);
    pthread_mutex_unlock(&peer->lock);
    duty->asked(duty->context, message);
    pthread_mutex_lock(&peer->lock);
    peer->resting = !has_share(peer, duty);
    bool goes_on = !peer->resting;
    pthread_mutex_unlock(&peer->lock);
    if (goes_on)
        receive_head(connection, peer);
}

static void take_head(struct connection *connection, struct peer *peer)
{
    bool local = connection_is_local(connection);
    uint64_t length = 0;
    for (size_t i = local ? 1 : 0; i < head_bytes(connection); i++)
        length = length << 8 | peer->head[i];
    if ((local && peer->head[0] != 1) || length < 4 || length > duty_of(connection)->longest) {
        connection_end(connection, CONNECTION_MALFORMED);
        return;
    }
    /* Of memory that was not written to the system gives none, so that a promise of much costs little. */
    peer->buffer = malloc((size_t)length);
    if (peer->buffer == NULL) {
        connection_end(connection, CONNECTION_GONE);
        return;
    }
    peer->stage = PEER_BODY;
    peer->length = (size_t)length;
    peer->received = 0;
    receive_body(connection, peer);
}

static void received(struct connection *connection, size_t length)
{
    struct peer *peer = connection_state(connection);
    switch (peer->stage) {
    case PEER_HELLO:
        if (memcmp(peer->head, their_hello, HELLO_BYTES) != 0) {
            connection_end(connection, CONNECTION_MALFORMED);
            return;
        }
        connection_opened(connection);
        receive_head(connection, peer);
        return;
    case PEER_HEAD:
        take_head(connection, peer);
        return;
    case PEER_BODY:
        peer->received += length;
        if (peer->received < peer->length)
            receive_body(connection, peer);
        else
            take_message(connection, peer);
        return;
    }
}

static void freed(struct connection *connection)
{
    struct peer *peer = connection_state(connection);
    for (struct answer *answer = peer->first, *next; answer != NULL; answer = next) {
        next = answer->next;
        free(answer);
        atomic_fetch_sub(&duty_of(connection)->unsent, 1);
    }
    free(peer->buffer);
    pthread_mutex_destroy(&peer->lock);
}

const struct connection_kind peer_kind = {
    .state_bytes = sizeof(struct peer), .opened = opened, .received = received, .sent = sent, .freed = freed};

void peer_charge(struct peer_message *message, size_t bytes)
{
    struct peer *peer = connection_state(message->connection);
    message->charged += bytes;
    pthread_mutex_lock(&peer->lock);
    peer->bytes += bytes;
    pthread_mutex_unlock(&peer->lock);
}

static struct answer *answer_new(const struct peer_message *message, struct bytes body)
{
    size_t head = head_bytes(message->connection);
    uint64_t length = message->trace_length + body.length;
    struct answer *answer = malloc(sizeof *answer + head + length);
    if (answer == NULL)
        return NULL;
    answer->next = NULL;
    answer->length = head + length;
    answer->bytes[0] = 1;
    for (size_t i = 0; i < 8; i++)
        answer->bytes[head - 8 + i] = (uint8_t)(length >> (56 - 8 * i));
    memcpy(answer->bytes + head, message->trace, message->trace_length);
    memcpy(answer->bytes + head + message->trace_length, body.data, body.length);
    return answer;
}

void peer_answer(struct peer_message *message, struct bytes body)
{
    struct connection *connection = message->connection;
    struct peer *peer = connection_state(connection);
    struct peer_duty *duty = duty_of(connection);
    struct answer *answer = body.data != NULL ? answer_new(message, body) : NULL;
    if (answer == NULL)
        connection_end(connection, CONNECTION_GONE);
    pthread_mutex_lock(&peer->lock);
    peer->bytes -= message->charged;
    if (answer != NULL) {
        peer->bytes += answer->length;
        *peer->last = answer;
        peer->last = &answer->next;
        atomic_fetch_add(&duty->unsent, 1);
        send_next(connection, peer);
    }
    pthread_mutex_unlock(&peer->lock);
    free(message->buffer);
    free(message);
    connection_release(connection);
}
