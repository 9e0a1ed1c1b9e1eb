/* Offers that are opened before the database sees anything of them, and those that are refused. */

#include "aggregator/store/request.h"

#include "proto/envelope.h"
#include "proto/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define END_OF_TIME (INT64_C(4102444800) * SECOND) /* 2100-01-01 */

static uint8_t host_id[16] = {1}, digest_bytes[DIGEST_BYTES + 1] = {2};

static ProtobufCBinaryData field(void *data, size_t length)
{
    return (ProtobufCBinaryData){.data = data, .len = length};
}

static Evenkeel__Offer good_offer(void)
{
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    offer.host_id = field(host_id, sizeof host_id);
    offer.sequence = 1;
    offer.taken_at = INT64_C(1700000000) * SECOND;
    offer.inventory = offer.facts = offer.times = field(digest_bytes, DIGEST_BYTES);
    return offer;
}

/* The refusal of an offer, alone or repeated by a give; 0 where it is let in. The sentence goes to `sentence`. */
static Evenkeel__RefusalReason open_offer(Evenkeel__Offer *offer, bool within_give, char sentence[256])
{
    struct signing_key key;
    struct bytes sealed;
    struct error error = {0};
    Evenkeel__Request body = EVENKEEL__REQUEST__INIT;
    Evenkeel__Give give = EVENKEEL__GIVE__INIT;
    give.offer = offer;
    body.body_case = within_give ? EVENKEEL__REQUEST__BODY_GIVE : EVENKEEL__REQUEST__BODY_OFFER;
    if (within_give)
        body.give = &give;
    else
        body.offer = offer;
    crypto_sign_keypair(key.public_key, key.secret_key);
    assert_int_equal(envelope_seal(&key, &body, &sealed, &error), 0);
    struct request request = {.arena = arena_new(1 << 20)};
    int status = request_open(&request, sealed);
    Evenkeel__Reply *reply =
        status < 0 ? evenkeel__reply__unpack(NULL, request.reply.length, request.reply.data) : NULL;
    Evenkeel__RefusalReason reason = 0;
    *sentence = 0;
    if (status < 0) {
        assert_non_null(reply);
        assert_int_equal(reply->body_case, EVENKEEL__REPLY__BODY_REFUSED);
        reason = reply->refused->reason;
        assert_int_not_equal(reason, 0);
        snprintf(sentence, 256, "%.*s", (int)reply->refused->sentence.len, (char *)reply->refused->sentence.data);
        evenkeel__reply__free_unpacked(reply, NULL);
    }
    free((void *)request.reply.data);
    free((void *)sealed.data);
    arena_free(request.arena);
    return reason;
}

static void refuses(Evenkeel__Offer offer, Evenkeel__RefusalReason reason, const char *says)
{
    char sentence[256];
    for (int within_give = 0; within_give < 2; within_give++) {
        assert_int_equal(open_offer(&offer, within_give, sentence), reason);
        if (strstr(sentence, says) == NULL)
            fail_msg("'%s' does not say '%s'", sentence, says);
    }
}

static void lets_in(Evenkeel__Offer offer)
{
    char sentence[256];
    for (int within_give = 0; within_give < 2; within_give++)
        if (open_offer(&offer, within_give, sentence) != 0)
            fail_msg("refused: %s", sentence);
}

static void a_sound_offer_is_let_in(void **state)
{
    (void)state;
    lets_in(good_offer());
}

static void sequence_0_is_refused(void **state)
{
    (void)state;
    Evenkeel__Offer offer = good_offer();
    offer.sequence = 0;
    refuses(offer, EVENKEEL__REFUSAL_REASON__MALFORMED, "sequence is 0");
    offer.sequence = INT64_MAX; /* what the database can hold */
    lets_in(offer);
    offer.sequence = (uint64_t)INT64_MAX + 1;
    refuses(offer, EVENKEEL__REFUSAL_REASON__OVER_LIMIT, "sequence");
}

static void a_time_that_no_honest_clock_shows_is_refused(void **state)
{
    (void)state;
    Evenkeel__Offer offer = good_offer();
    offer.taken_at = END_OF_TIME + 1;
    refuses(offer, EVENKEEL__REFUSAL_REASON__OVER_LIMIT, "collector's clock this was taken at 2100-01-01 00:00:00 UTC");
    offer.taken_at = INT64_MAX;
    refuses(offer, EVENKEEL__REFUSAL_REASON__OVER_LIMIT, "clock this was taken at 294247-01-10 04:00:54 UTC");
    offer.taken_at = INT64_MIN;
    refuses(offer, EVENKEEL__REFUSAL_REASON__OVER_LIMIT, "clock this was taken at -290308-");
    offer.taken_at = END_OF_TIME; /* a clock that is far ahead is shown, not refused */
    lets_in(offer);
}

static void marks_are_a_digest_or_nothing(void **state)
{
    (void)state;
    static const size_t wrong[] = {1, 16, DIGEST_BYTES - 1, DIGEST_BYTES + 1};
    Evenkeel__Offer offer = good_offer();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        offer.marks = field(digest_bytes, wrong[i]);
        refuses(offer, EVENKEEL__REFUSAL_REASON__MALFORMED, "marks");
    }
    offer.marks = field(digest_bytes, DIGEST_BYTES);
    lets_in(offer);
}

static void host_and_digests_have_their_length(void **state)
{
    (void)state;
    Evenkeel__Offer offer = good_offer();
    offer.host_id = field(host_id, 15);
    refuses(offer, EVENKEEL__REFUSAL_REASON__MALFORMED, "host_id has 15 bytes");
    offer = good_offer();
    offer.inventory = field(digest_bytes, DIGEST_BYTES - 1);
    refuses(offer, EVENKEEL__REFUSAL_REASON__MALFORMED, "digests");
    offer = good_offer();
    offer.facts = field(digest_bytes, 0);
    refuses(offer, EVENKEEL__REFUSAL_REASON__MALFORMED, "digests");
    offer = good_offer();
    offer.times = field(digest_bytes, DIGEST_BYTES + 1);
    refuses(offer, EVENKEEL__REFUSAL_REASON__MALFORMED, "digests");
}

static void what_is_wanted_is_told_by_kind(void **state)
{
    (void)state;
    static struct digest digests[3] = {{{1}}, {{2}}, {{3}}};
    struct wanted wanted[OBJECT_KINDS] = {0};
    struct request request = {.arena = arena_new(1 << 20)};
    for (int kind = 1; kind < OBJECT_KINDS; kind++) /* none of every third kind, else one or two */
        wanted[kind] = (struct wanted){.digests = digests + kind % 2, .count = (size_t)(kind % 3)};
    request_want(&request, wanted);
    Evenkeel__Reply *reply = evenkeel__reply__unpack(NULL, request.reply.length, request.reply.data);
    assert_non_null(reply);
    assert_int_equal(reply->body_case, EVENKEEL__REPLY__BODY_WANT);
    size_t at = 0;
    for (int kind = 1; kind < OBJECT_KINDS; kind++) {
        if (kind % 3 == 0)
            continue;
        assert_true(at < reply->want->n_wanted);
        const Evenkeel__Wanted *one = reply->want->wanted[at++];
        assert_int_equal(one->kind, kind);
        assert_int_equal(one->digests.len, kind % 3 * DIGEST_BYTES);
        assert_memory_equal(one->digests.data, digests + kind % 2, one->digests.len);
    }
    assert_int_equal(at, reply->want->n_wanted);
    assert_int_equal(OBJECT_KINDS, evenkeel__object_kind__descriptor.n_values);
    evenkeel__reply__free_unpacked(reply, NULL);
    free((void *)request.reply.data);
    arena_free(request.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_offer_is_let_in),
        cmocka_unit_test(sequence_0_is_refused),
        cmocka_unit_test(a_time_that_no_honest_clock_shows_is_refused),
        cmocka_unit_test(marks_are_a_digest_or_nothing),
        cmocka_unit_test(host_and_digests_have_their_length),
        cmocka_unit_test(what_is_wanted_is_told_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
