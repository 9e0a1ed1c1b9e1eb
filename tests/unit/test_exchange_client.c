/* What the collector says to an aggregator and what it does with the answers; the peer is a real nng REP socket. */

#include "collector/exchange.h"
#include "collector/transport.h"
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

/* ---- tests ---- */

static void an_unchanged_host_is_one_request_of_under_400_bytes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed = false;
    fixture_start(&fixture, accept_it);
    uint8_t digest[DIGEST_BYTES] = {1};
    ProtobufCBinaryData field = {.data = digest, .len = sizeof digest};
    fixture.offer.facts = fixture.offer.times = fixture.offer.marks = field;
    fixture.offer.taken_at = 1700000000000000;
    fixture.offer.schedule = 86400;
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    const struct exchange_traffic *traffic = exchange_traffic(fixture.exchange);
    assert_int_equal(traffic->requests, 1);
    assert_in_range(traffic->sent + traffic->received, 200, 399);
    assert_true(changed);
    fixture_stop(&fixture);
}

static void want_all_at_once(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    if (peer->given < OBJECT_COUNT)
        want(peer, EVENKEEL__OBJECT_KIND__IMAGE, images + peer->given, OBJECT_COUNT - peer->given, reply);
    else
        accept_it(peer, request, reply);
}

static void many_objects_are_given_in_batches(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, want_all_at_once);
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_int_equal(fixture.peer.given, OBJECT_COUNT);
    assert_int_equal(fixture.peer.requests, 1 + OBJECT_COUNT / 8);
    assert_in_range(fixture.peer.largest, LIMIT_GIVE_BYTES / 2, LIMIT_GIVE_BYTES + 4096);
    fixture_stop(&fixture);
}

static void what_will_be_wanted_goes_with_the_first_request(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, accept_it);
    struct exchange_ahead ahead[] = {{EVENKEEL__OBJECT_KIND__IMAGE, images[5]},
                                     {EVENKEEL__OBJECT_KIND__INVENTORY, fixture.inventory}};
    fixture.ahead = ahead;
    fixture.ahead_count = 2;
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_int_equal(fixture.peer.requests, 1);
    assert_int_equal(fixture.peer.given, 2);
    assert_int_equal(fixture.peer.kinds[0], EVENKEEL__OBJECT_KIND__IMAGE);
    fixture_stop(&fixture);
}

static void what_does_not_fit_into_the_first_request_waits_to_be_wanted(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    struct exchange_ahead ahead[OBJECT_COUNT];
    fixture_start(&fixture, want_all_at_once);
    for (size_t i = 0; i < OBJECT_COUNT; i++)
        ahead[i] = (struct exchange_ahead){EVENKEEL__OBJECT_KIND__IMAGE, images[i]};
    fixture.ahead = ahead;
    fixture.ahead_count = OBJECT_COUNT;
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_int_equal(fixture.peer.given, OBJECT_COUNT);
    assert_in_range(fixture.peer.largest, LIMIT_GIVE_BYTES / 2, LIMIT_GIVE_BYTES + 4096);
    fixture_stop(&fixture);
}

static void refuse_what_was_not_wanted(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    if (request->body_case == EVENKEEL__REQUEST__BODY_OFFER) {
        accept_it(peer, request, reply);
        return;
    }
    evenkeel__refused__init(&peer->refused);
    peer->refused.reason = EVENKEEL__REFUSAL_REASON__WRONG_DIGEST;
    reply->body_case = EVENKEEL__REPLY__BODY_REFUSED;
    reply->refused = &peer->refused;
}

static void where_nothing_is_welcome_ahead_the_offer_is_made_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, refuse_what_was_not_wanted);
    struct exchange_ahead ahead = {EVENKEEL__OBJECT_KIND__IMAGE, images[5]};
    fixture.ahead = &ahead;
    fixture.ahead_count = 1;
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_int_equal(fixture.peer.requests, 2);
    fixture_stop(&fixture);
}

static struct digest mixed_inventory;

static void want_inventory_and_an_image(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    if (peer->given > 0) {
        accept_it(peer, request, reply);
        return;
    }
    want(peer, EVENKEEL__OBJECT_KIND__INVENTORY, &mixed_inventory, 1, reply);
    evenkeel__wanted__init(&peer->wanted_kinds[1]);
    peer->wanted_kinds[1].kind = EVENKEEL__OBJECT_KIND__IMAGE;
    peer->wanted_kinds[1].digests = (ProtobufCBinaryData){.data = images[3].bytes, .len = DIGEST_BYTES};
    peer->wanted_pointers[1] = &peer->wanted_kinds[1];
    peer->want.n_wanted = 2;
}

static void images_are_given_before_the_inventory(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, want_inventory_and_an_image);
    mixed_inventory = fixture.inventory;
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_int_equal(fixture.peer.given, 2);
    assert_int_equal(fixture.peer.kinds[0], EVENKEEL__OBJECT_KIND__IMAGE);
    assert_int_equal(fixture.peer.kinds[1], EVENKEEL__OBJECT_KIND__INVENTORY);
    fixture_stop(&fixture);
}

static void want_the_first_for_ever(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    (void)request;
    want(peer, EVENKEEL__OBJECT_KIND__IMAGE, images, 1, reply);
}

static void an_aggregator_that_wants_the_same_again_is_not_obeyed_for_ever(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, want_the_first_for_ever);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
    assert_non_null(strstr(error.message, "wants the same image again"));
    assert_int_equal(fixture.peer.requests, 2);
    fixture_stop(&fixture);
}

static void want_a_stranger(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    static const struct digest stranger = {{0xaa}};
    (void)request;
    want(peer, EVENKEEL__OBJECT_KIND__CHUNK, &stranger, 1, reply);
}

static void an_object_that_the_snapshot_does_not_have_is_not_given(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, want_a_stranger);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_non_null(strstr(error.message, "wants chunk that this snapshot doesn't have"));
    fixture_stop(&fixture);
}

static void refuse_numbers_up_to_90(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    if (request->offer->sequence > 90) {
        accept_it(peer, request, reply);
        return;
    }
    evenkeel__refused__init(&peer->refused);
    peer->refused.reason = EVENKEEL__REFUSAL_REASON__OLD_SEQUENCE;
    peer->refused.sequence = 90;
    reply->body_case = EVENKEEL__REPLY__BODY_REFUSED;
    reply->refused = &peer->refused;
}

static void a_collector_that_was_set_back_goes_on_from_the_number_it_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, refuse_numbers_up_to_90);
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_int_equal(fixture.peer.requests, 2);
    assert_int_equal(fixture.peer.sequences[1], 6);
    assert_int_equal(fixture.peer.sequences[2], 91);
    assert_int_equal(fixture.host.sequence, 91);
    fixture_stop(&fixture);
}

static void refuse_every_number(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    evenkeel__refused__init(&peer->refused);
    peer->refused.reason = EVENKEEL__REFUSAL_REASON__OLD_SEQUENCE;
    peer->refused.sequence = request->offer->sequence + 100;
    reply->body_case = EVENKEEL__REPLY__BODY_REFUSED;
    reply->refused = &peer->refused;
}

static void offers_end_where_every_number_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, refuse_every_number);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_int_equal(error.code, ERROR_REFUSED);
    assert_in_range(fixture.peer.requests, 2, 5);
    fixture_stop(&fixture);
}

static void refuse_as_revoked(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    static uint8_t sentence[] = "the key was revoked\x1b[2J";
    (void)request;
    evenkeel__refused__init(&peer->refused);
    peer->refused.reason = EVENKEEL__REFUSAL_REASON__KEY_REVOKED;
    peer->refused.sentence = (ProtobufCBinaryData){.data = sentence, .len = sizeof sentence - 1};
    reply->body_case = EVENKEEL__REPLY__BODY_REFUSED;
    reply->refused = &peer->refused;
}

static void a_refusal_is_told_in_the_aggregators_words_without_control_characters(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, refuse_as_revoked);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_int_equal(error.code, ERROR_REFUSED);
    assert_non_null(strstr(error.message, "refuses: the key was revoked?[2J"));
    fixture_stop(&fixture);
}

static void busy_once(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    if (peer->requests > 1) {
        accept_it(peer, request, reply);
        return;
    }
    evenkeel__busy__init(&peer->busy);
    peer->busy.retry_after = 1;
    reply->body_case = EVENKEEL__REPLY__BODY_BUSY;
    reply->busy = &peer->busy;
}

static void a_busy_aggregator_is_asked_the_same_again_after_the_wait(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, busy_once);
    int64_t start = platform_now();
    assert_int_equal(fixture_push(&fixture, &changed, &error), 0);
    assert_in_range(platform_now() - start, 1000000, 4000000);
    assert_int_equal(fixture.peer.requests, 2);
    assert_int_equal(fixture.peer.sequences[1], fixture.peer.sequences[2]);
    fixture_stop(&fixture);
}

static void answer_nonsense(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    (void)request;
    (void)reply;
    peer->raw = true;
}

static void an_answer_that_is_none_is_an_error_that_names_the_url(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, answer_nonsense);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
    assert_non_null(strstr(error.message, fixture.peer.url));
    fixture_stop(&fixture);
}

static void say_nothing(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    accept_it(peer, request, reply);
    peer->silent = true;
}

static void an_aggregator_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, say_nothing);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_int_equal(error.code, ERROR_NETWORK);
    assert_non_null(strstr(error.message, "does not answer"));
    assert_int_equal(fixture.peer.requests, 1);
    fixture_stop(&fixture);
}

static void where_nobody_listens_the_next_aggregator_is_tried(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    char nobody[64];
    bool changed;
    Evenkeel__RefusalReason reason;
    fixture_start(&fixture, accept_it);
    snprintf(nobody, sizeof nobody, "tcp://127.0.0.1:%d", free_port());
    const char *urls[] = {nobody, fixture.peer.url};
    assert_int_equal(fixture_connect(&fixture, urls, 2, &error), 0);
    assert_int_equal(exchange_push(fixture.exchange, &fixture.host, fixture.snapshot, &fixture.offer, NULL, 0, &changed,
                                   &reason, &error),
                     0);
    fixture_stop(&fixture);
}

static void an_aggregator_that_is_not_there_is_named_with_the_remedy(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    char nobody[64];
    bool changed;
    Evenkeel__RefusalReason reason;
    fixture_start(&fixture, accept_it);
    snprintf(nobody, sizeof nobody, "tcp://127.0.0.1:%d", free_port());
    const char *urls[] = {nobody};
    assert_int_equal(fixture_connect(&fixture, urls, 1, &error), 0);
    assert_int_equal(exchange_push(fixture.exchange, &fixture.host, fixture.snapshot, &fixture.offer, NULL, 0, &changed,
                                   &reason, &error),
                     -1);
    assert_int_equal(error.code, ERROR_NETWORK);
    assert_non_null(strstr(error.message, nobody));
    assert_non_null(strstr(error.message, "is 'evenkeel serve' running there?"));
    fixture_stop(&fixture);
}

static void enrolment_brings_the_hosts_id_and_the_number_to_go_on_from(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool approved = false;
    Evenkeel__RefusalReason reason;
    fixture_start(&fixture, enroll_it);
    fixture.host.enrolled = false;
    const char *urls[] = {fixture.peer.url};
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    assert_int_equal(fixture_connect(&fixture, urls, 1, &error), 0);
    assert_int_equal(exchange_enroll(fixture.exchange, &fixture.host, &marks, "token", &approved, &reason, &error), 0);
    assert_true(approved);
    assert_true(fixture.host.enrolled);
    assert_memory_equal(fixture.host.id, fixture.peer.host_id, HOST_ID_BYTES);
    assert_int_equal(fixture.host.sequence, 41);
    fixture_stop(&fixture);
}

static void enroll_pending(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    enroll_it(peer, request, reply);
    peer->enrolled.approved = false;
    peer->enrolled.host_id = (ProtobufCBinaryData){0};
}

static void a_pending_key_has_no_host_yet(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool approved = true;
    Evenkeel__RefusalReason reason;
    fixture_start(&fixture, enroll_pending);
    fixture.host.enrolled = false;
    const char *urls[] = {fixture.peer.url};
    assert_int_equal(fixture_connect(&fixture, urls, 1, &error), 0);
    assert_int_equal(exchange_enroll(fixture.exchange, &fixture.host, NULL, NULL, &approved, &reason, &error), 0);
    assert_false(approved);
    assert_false(fixture.host.enrolled);
    fixture_stop(&fixture);
}

static void plain_tcp_goes_to_this_machine_only_unless_allowed(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(transport_check("tcp://127.0.0.1:8470", NULL, false, &error), 0);
    assert_int_equal(transport_check("tcp://localhost:8470", NULL, false, &error), 0);
    assert_int_equal(transport_check("tcp://192.0.2.7:8470", NULL, true, &error), 0);
    assert_int_equal(transport_check("tcp://192.0.2.7:8470", NULL, false, &error), -1);
    assert_non_null(strstr(error.message, "unencrypted"));
    assert_int_equal(transport_check("tcp://127.evil.example:8470", NULL, false, &error), -1);
    assert_int_equal(transport_check("tls+tcp://192.0.2.7:8470", "ca.pem", false, &error), 0);
    assert_int_equal(transport_check("tls+tcp://192.0.2.7:8470", NULL, false, &error), -1);
    assert_non_null(strstr(error.message, "ca = FILE"));
    assert_int_equal(transport_check("ipc:///run/evenkeel", NULL, true, &error), -1);
    assert_int_equal(transport_check("nonsense", NULL, true, &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unchanged_host_is_one_request_of_under_400_bytes),
        cmocka_unit_test(many_objects_are_given_in_batches),
        cmocka_unit_test(what_will_be_wanted_goes_with_the_first_request),
        cmocka_unit_test(what_does_not_fit_into_the_first_request_waits_to_be_wanted),
        cmocka_unit_test(where_nothing_is_welcome_ahead_the_offer_is_made_alone),
        cmocka_unit_test(images_are_given_before_the_inventory),
        cmocka_unit_test(an_aggregator_that_wants_the_same_again_is_not_obeyed_for_ever),
        cmocka_unit_test(an_object_that_the_snapshot_does_not_have_is_not_given),
        cmocka_unit_test(a_collector_that_was_set_back_goes_on_from_the_number_it_is_told),
        cmocka_unit_test(offers_end_where_every_number_is_refused),
        cmocka_unit_test(a_refusal_is_told_in_the_aggregators_words_without_control_characters),
        cmocka_unit_test(a_busy_aggregator_is_asked_the_same_again_after_the_wait),
        cmocka_unit_test(an_answer_that_is_none_is_an_error_that_names_the_url),
        cmocka_unit_test(an_aggregator_that_says_nothing_is_given_up),
        cmocka_unit_test(where_nobody_listens_the_next_aggregator_is_tried),
        cmocka_unit_test(an_aggregator_that_is_not_there_is_named_with_the_remedy),
        cmocka_unit_test(enrolment_brings_the_hosts_id_and_the_number_to_go_on_from),
        cmocka_unit_test(a_pending_key_has_no_host_yet),
        cmocka_unit_test(plain_tcp_goes_to_this_machine_only_unless_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
