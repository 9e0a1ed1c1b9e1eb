/* What the collector says to an aggregator and what it does with the answers; the peer is a real nng REP socket. */

#include "exchange_peer.h"

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
    assert_true(platform_now() - start >= 1000000);
    assert_int_equal(fixture.peer.requests, 2);
    assert_int_equal(fixture.peer.sequences[1], fixture.peer.sequences[2]);
    fixture_stop(&fixture);
}

static void broken_for_ever(struct peer *peer, const Evenkeel__Request *request, Evenkeel__Reply *reply)
{
    (void)request;
    evenkeel__busy__init(&peer->busy);
    peer->busy.retry_after = 1;
    peer->busy.broken = true;
    reply->body_case = EVENKEEL__REPLY__BODY_BUSY;
    reply->busy = &peer->busy;
}

static void an_aggregator_that_says_it_is_broken_is_called_so(void **state)
{
    (void)state;
    struct fixture fixture;
    struct error error = {0};
    bool changed;
    fixture_start(&fixture, broken_for_ever);
    assert_int_equal(fixture_push(&fixture, &changed, &error), -1);
    assert_int_equal(error.code, ERROR_BUSY);
    assert_non_null(strstr(error.message, "has stored nothing for a while: tell whoever runs it"));
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
        cmocka_unit_test(an_aggregator_that_says_it_is_broken_is_called_so),
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
