/* An aggregator that answers as a test wants, over a real nng REP socket, and a snapshot of a few large objects to push
 * to it.
 */

#ifndef EVENKEEL_TESTS_EXCHANGE_PEER_H
#define EVENKEEL_TESTS_EXCHANGE_PEER_H

#include "collector/agent/exchange.h"
#include "collector/agent/transport.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PEER_REQUESTS 64
#define OBJECT_COUNT 24
#define OBJECT_BYTES 60000u /* packed images of about this size: eight fit into one give */

struct peer;

/* Answers request number `peer->requests` (from 1); NULL as body means raw bytes in peer->raw. */
typedef void answer_function(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply);

struct peer {
    nng_socket socket;
    pthread_t thread;
    char url[64];
    answer_function *answer;
    int requests;
    size_t largest;                                 /* request in bytes */
    uint64_t sequences[PEER_REQUESTS];              /* of offers, alone or in a give */
    Evenkeel__ObjectKind kinds[PEER_REQUESTS * 16]; /* of what was given, in order */
    size_t given;
    bool silent, raw;
    /* what answers point to */
    uint8_t host_id[HOST_ID_BYTES];
    struct digest wanted[OBJECT_COUNT];
    Evenkeel__Enrolled enrolled;
    Evenkeel__Accepted accepted;
    Evenkeel__Refused refused;
    Evenkeel__Busy busy;
    Evenkeel__Want want;
    Evenkeel__Wanted wanted_kinds[2], *wanted_pointers[2];
};

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void peer_note(struct peer *peer, const Evenkeel__Request *request)
{
    const Evenkeel__Offer *offer = request->body_case == EVENKEEL__REQUEST__BODY_OFFER  ? request->offer
                                   : request->body_case == EVENKEEL__REQUEST__BODY_GIVE ? request->give->offer
                                                                                        : NULL;
    if (offer != NULL)
        peer->sequences[peer->requests] = offer->sequence;
    if (request->body_case == EVENKEEL__REQUEST__BODY_GIVE)
        for (size_t i = 0; i < request->give->n_objects; i++)
            peer->kinds[peer->given++] = request->give->objects[i]->kind;
}

static void *peer_run(void *context)
{
    struct peer *peer = context;
    nng_msg *message;
    while (nng_recvmsg(peer->socket, &message, 0) == 0) {
        struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
        struct bytes key, sealed = bytes_of(nng_msg_body(message), nng_msg_len(message));
        Evenkeel__Request *request;
        Evenkeel__RefusalReason reason;
        struct error error = {0};
        assert_int_equal(envelope_open(sealed, arena, &key, &request, &reason, &error), 0);
        peer->requests++;
        if (sealed.length > peer->largest)
            peer->largest = sealed.length;
        peer_note(peer, request);
        Evenkeel__Reply reply = EVENKEEL__REPLY__INIT;
        peer->answer(peer, request, &reply);
        nng_msg_clear(message);
        if (peer->raw) {
            nng_msg_append(message, "\xff\xff nonsense", 11);
        } else {
            struct bytes packed;
            object_pack(&reply.base, &packed);
            nng_msg_append(message, packed.data, packed.length);
            free((void *)packed.data);
        }
        arena_free(arena);
        if (peer->silent || nng_sendmsg(peer->socket, message, 0) != 0)
            nng_msg_free(message);
    }
    return NULL;
}

static void peer_start(struct peer *peer, answer_function *answer)
{
    *peer = (struct peer){.answer = answer};
    snprintf(peer->url, sizeof peer->url, "tcp://127.0.0.1:%d", free_port());
    memset(peer->host_id, 7, sizeof peer->host_id);
    assert_int_equal(nng_rep0_open(&peer->socket), 0);
    assert_int_equal(nng_listen(peer->socket, peer->url, NULL, 0), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

static void peer_stop(struct peer *peer)
{
    nng_close(peer->socket);
    pthread_join(peer->thread, NULL);
}

/* ---- answers ---- */

static void accept_it(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    (void)request;
    evenkeel__accepted__init(&peer->accepted);
    peer->accepted.valid_from = 1700000000000000;
    peer->accepted.changed = true;
    reply->body_case = EVENKEEL__REPLY__BODY_ACCEPTED;
    reply->accepted = &peer->accepted;
}

static void enroll_it(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    (void)request;
    evenkeel__enrolled__init(&peer->enrolled);
    peer->enrolled.host_id = (ProtobufCBinaryData){.data = peer->host_id, .len = sizeof peer->host_id};
    peer->enrolled.sequence = 41;
    peer->enrolled.approved = true;
    reply->body_case = EVENKEEL__REPLY__BODY_ENROLLED;
    reply->enrolled = &peer->enrolled;
}

static void want(struct peer *peer, Evenkeel__ObjectKind kind, const struct digest *digests, size_t count,
                 Evenkeel__Reply *reply)
{
    memcpy(peer->wanted, digests, count * sizeof *digests);
    evenkeel__want__init(&peer->want);
    evenkeel__wanted__init(&peer->wanted_kinds[0]);
    peer->wanted_kinds[0].kind = kind;
    peer->wanted_kinds[0].digests = (ProtobufCBinaryData){.data = peer->wanted[0].bytes, .len = count * DIGEST_BYTES};
    peer->wanted_pointers[0] = &peer->wanted_kinds[0];
    peer->want.n_wanted = 1;
    peer->want.wanted = peer->wanted_pointers;
    reply->body_case = EVENKEEL__REPLY__BODY_WANT;
    reply->want = &peer->want;
}

/* ---- a snapshot with OBJECT_COUNT images and one inventory ---- */

struct fixture {
    struct peer peer;
    FILE *spool;
    struct snapshot *snapshot;
    struct signing_key key;
    struct host host;
    struct exchange *exchange;
    Evenkeel__Offer offer;
    struct digest inventory;
    const struct exchange_ahead *ahead;
    size_t ahead_count;
};

static struct digest images[OBJECT_COUNT]; /* of the fixture's snapshot; the same in every test */

static void fixture_start(struct fixture *fixture, answer_function *answer)
{
    static uint8_t text[OBJECT_BYTES];
    *fixture = (struct fixture){0};
    peer_start(&fixture->peer, answer);
    crypto_sign_keypair(fixture->key.public_key, fixture->key.secret_key);
    fixture->spool = tmpfile();
    struct error error = {0};
    struct pe_options options = {0};
    assert_int_equal(snapshot_new(fixture->spool, &options, &fixture->snapshot, &error), 0);
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
        struct bytes packed;
        memset(text, 'a' + (int)i, sizeof text);
        image.file_description = (ProtobufCBinaryData){.data = text, .len = sizeof text};
        object_pack(&image.base, &packed);
        assert_int_equal(snapshot_put(fixture->snapshot, EVENKEEL__OBJECT_KIND__IMAGE, packed, &images[i], &error), 0);
        free((void *)packed.data);
    }
    assert_int_equal(snapshot_end(fixture->snapshot, &fixture->inventory, &error), 0);
    fixture->host = (struct host){.name = "WEB01", .enrolled = true, .sequence = 5};
    evenkeel__offer__init(&fixture->offer);
    fixture->offer.inventory = (ProtobufCBinaryData){.data = fixture->inventory.bytes, .len = DIGEST_BYTES};
}

static int fixture_connect(struct fixture *fixture, const char *const *urls, size_t count, struct error *error)
{
    struct exchange_options options = {.urls = urls, .url_count = count, .key = &fixture->key, .timeout = 2000};
    return exchange_new(&options, &fixture->exchange, error);
}

static int fixture_push(struct fixture *fixture, bool *changed, struct error *error)
{
    const char *urls[] = {fixture->peer.url};
    Evenkeel__RefusalReason reason;
    assert_int_equal(fixture_connect(fixture, urls, 1, error), 0);
    return exchange_push(fixture->exchange, &fixture->host, fixture->snapshot, &fixture->offer, fixture->ahead,
                         fixture->ahead_count, changed, &reason, error);
}

static void fixture_stop(struct fixture *fixture)
{
    exchange_free(fixture->exchange);
    peer_stop(&fixture->peer);
    snapshot_free(fixture->snapshot);
    fclose(fixture->spool);
}

#endif
