/* The signed envelope: what opens, and which refusal fits what does not. */

#include "hex.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/object.h"

static struct signing_key key;
static struct arena *arena;

static int fresh_arena(void **state)
{
    (void)state;
    arena = arena_new(LIMIT_UNPACKED_BYTES);
    return arena == NULL;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct bytes seal_offer(uint64_t sequence)
{
    struct error error = {0};
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    offer.host_id = field_of("0123456789abcdef");
    offer.sequence = sequence;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    request.body_case = EVENKEEL__REQUEST__BODY_OFFER;
    request.offer = &offer;
    struct bytes sealed;
    assert_int_equal(envelope_seal(&key, &request, &sealed, &error), 0);
    return sealed;
}

/* The refusal that `sealed` meets; REFUSAL_UNKNOWN where it opens. */
static Evenkeel__RefusalReason refusal(struct bytes sealed)
{
    struct error error = {0};
    struct bytes sender;
    Evenkeel__Request *request;
    Evenkeel__RefusalReason reason;
    if (envelope_open(sealed, arena, &sender, &request, &reason, &error) == 0)
        return EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN;
    assert_int_not_equal(error.code, ERROR_NONE);
    return reason;
}

/* Opens an envelope, lets `change` alter it and packs it again. */
static struct bytes changed(struct bytes sealed, void (*change)(Evenkeel__Envelope *envelope))
{
    struct bytes again;
    Evenkeel__Envelope *envelope = evenkeel__envelope__unpack(NULL, sealed.length, sealed.data);
    assert_non_null(envelope);
    change(envelope);
    assert_true(object_pack(&envelope->base, &again));
    evenkeel__envelope__free_unpacked(envelope, NULL);
    return again;
}

static void expect_refusal(void (*change)(Evenkeel__Envelope *envelope), Evenkeel__RefusalReason reason)
{
    struct bytes sealed = seal_offer(7), again = changed(sealed, change);
    assert_int_equal(refusal(again), reason);
    free((void *)again.data);
    free((void *)sealed.data);
}

static void envelope_opens_as_it_was_sealed(void **state)
{
    (void)state;
    struct error error = {0};
    struct bytes sealed = seal_offer(7), sender;
    Evenkeel__Request *request;
    Evenkeel__RefusalReason reason;
    assert_int_equal(envelope_open(sealed, arena, &sender, &request, &reason, &error), 0);
    assert_int_equal(sender.length, sizeof key.public_key);
    assert_memory_equal(sender.data, key.public_key, sizeof key.public_key);
    assert_int_equal(request->body_case, EVENKEEL__REQUEST__BODY_OFFER);
    assert_int_equal(request->offer->sequence, 7);
    free((void *)sealed.data);
}

static void same_request_has_the_same_bytes(void **state)
{
    (void)state;
    struct bytes once = seal_offer(7), again = seal_offer(7), other = seal_offer(8);
    assert_int_equal(once.length, again.length);
    assert_memory_equal(once.data, again.data, once.length);
    assert_int_equal(once.length, other.length);
    assert_memory_not_equal(once.data, other.data, once.length);
    free((void *)once.data);
    free((void *)again.data);
    free((void *)other.data);
}

static void flip_signature(Evenkeel__Envelope *envelope)
{
    envelope->signature.data[0] ^= 1;
}

static void flip_payload(Evenkeel__Envelope *envelope)
{
    envelope->payload.data[envelope->payload.len - 1] ^= 1;
}

static void flip_key(Evenkeel__Envelope *envelope)
{
    envelope->key.data[5] ^= 1;
}

static void sign_without_context(Evenkeel__Envelope *envelope)
{
    crypto_sign_state state;
    crypto_sign_init(&state);
    crypto_sign_update(&state, envelope->payload.data, envelope->payload.len);
    crypto_sign_final_create(&state, envelope->signature.data, NULL, key.secret_key);
}

static void whatever_was_not_signed_is_a_wrong_signature(void **state)
{
    (void)state;
    expect_refusal(flip_signature, EVENKEEL__REFUSAL_REASON__WRONG_SIGNATURE);
    expect_refusal(flip_payload, EVENKEEL__REFUSAL_REASON__WRONG_SIGNATURE);
    expect_refusal(flip_key, EVENKEEL__REFUSAL_REASON__WRONG_SIGNATURE);
    expect_refusal(sign_without_context, EVENKEEL__REFUSAL_REASON__WRONG_SIGNATURE);
}

static void next_version(Evenkeel__Envelope *envelope)
{
    envelope->version++;
}

static void no_version(Evenkeel__Envelope *envelope)
{
    envelope->version = 0;
}

static void another_version_is_told_so_whatever_else_it_holds(void **state)
{
    (void)state;
    expect_refusal(next_version, EVENKEEL__REFUSAL_REASON__UNKNOWN_VERSION);
    expect_refusal(no_version, EVENKEEL__REFUSAL_REASON__UNKNOWN_VERSION);
    const uint8_t later[] = {0x08, 2, 0x7a, 1, 'x'}; /* version 2 with a field that is not known here */
    assert_int_equal(refusal(bytes_of(later, sizeof later)), EVENKEEL__REFUSAL_REASON__UNKNOWN_VERSION);
}

static void shorten_key(Evenkeel__Envelope *envelope)
{
    envelope->key.len--;
}

static void shorten_signature(Evenkeel__Envelope *envelope)
{
    envelope->signature.len--;
}

static void keys_and_signatures_of_another_length_are_malformed(void **state)
{
    (void)state;
    expect_refusal(shorten_key, EVENKEEL__REFUSAL_REASON__MALFORMED);
    expect_refusal(shorten_signature, EVENKEEL__REFUSAL_REASON__MALFORMED);
}

static void an_envelope_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct bytes sealed = seal_offer(7);
    for (size_t length = 0; length < sealed.length; length++) {
        uint8_t *cut = malloc(length > 0 ? length : 1);
        memcpy(cut, sealed.data, length);
        assert_int_not_equal(refusal(bytes_of(cut, length)), EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN);
        free(cut);
    }
    free((void *)sealed.data);
}

static void bytes_behind_an_envelope_are_malformed(void **state)
{
    (void)state;
    struct bytes sealed = seal_offer(7);
    uint8_t *longer = malloc(sealed.length + 2);
    memcpy(longer, sealed.data, sealed.length);
    memcpy(longer + sealed.length, (const uint8_t[]){0x28, 1}, 2); /* an unknown field 5 */
    assert_int_equal(refusal(bytes_of(longer, sealed.length + 2)), EVENKEEL__REFUSAL_REASON__MALFORMED);
    memcpy(longer + sealed.length, (const uint8_t[]){0x08, 1}, 2); /* the version, again */
    assert_int_equal(refusal(bytes_of(longer, sealed.length + 2)), EVENKEEL__REFUSAL_REASON__MALFORMED);
    free(longer);
    free((void *)sealed.data);
}

/* A correctly signed payload is still foreign: it must be canonical itself. */
static void sign_unknown_field(Evenkeel__Envelope *envelope)
{
    const uint8_t payload[] = {0x12, 2, 0x78, 1};
    memcpy(envelope->payload.data, payload, sizeof payload);
    envelope->payload.len = sizeof payload;
    crypto_sign_state state;
    crypto_sign_init(&state);
    crypto_sign_update(&state, (const uint8_t *)"evenkeel request 1", 19);
    crypto_sign_update(&state, payload, sizeof payload);
    crypto_sign_final_create(&state, envelope->signature.data, NULL, key.secret_key);
}

static void a_signed_request_that_is_not_canonical_is_malformed(void **state)
{
    (void)state;
    expect_refusal(sign_unknown_field, EVENKEEL__REFUSAL_REASON__MALFORMED);
}

static void what_is_too_large_is_refused_before_it_is_read(void **state)
{
    (void)state;
    /* No memory of that length is there: only the length may be looked at. */
    struct bytes huge = {.data = (const uint8_t *)"x", .length = LIMIT_MESSAGE_BYTES + 1};
    assert_int_equal(refusal(huge), EVENKEEL__REFUSAL_REASON__OVER_LIMIT);
}

static void a_request_over_the_limit_is_not_sealed(void **state)
{
    (void)state;
    struct error error = {0};
    Evenkeel__Object object = EVENKEEL__OBJECT__INIT;
    object.kind = EVENKEEL__OBJECT_KIND__IMAGE;
    object.body.len = LIMIT_OBJECT_BYTES;
    object.body.data = calloc(1, LIMIT_MESSAGE_BYTES);
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    Evenkeel__Give give = EVENKEEL__GIVE__INIT;
    give.offer = &offer;
    give.n_objects = 1;
    give.objects = (Evenkeel__Object *[]){&object};
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    request.body_case = EVENKEEL__REQUEST__BODY_GIVE;
    request.give = &give;
    struct bytes sealed;
    assert_int_equal(envelope_seal(&key, &request, &sealed, &error), 0);
    assert_int_equal(refusal(sealed), EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN);
    free((void *)sealed.data);

    object.body.len = LIMIT_MESSAGE_BYTES;
    assert_int_equal(envelope_seal(&key, &request, &sealed, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_null(sealed.data);
    free(object.body.data);
}

static void a_small_budget_refuses_and_does_not_crash(void **state)
{
    (void)state;
    struct bytes sealed = seal_offer(7), sender;
    bool opened = false;
    for (size_t budget = 0; budget < 8192 && !opened; budget += 64) {
        struct error error = {0};
        struct arena *small = arena_new(budget);
        Evenkeel__Request *request;
        Evenkeel__RefusalReason reason;
        opened = envelope_open(sealed, small, &sender, &request, &reason, &error) == 0;
        arena_free(small);
    }
    assert_true(opened);
    free((void *)sealed.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelope_opens_as_it_was_sealed),
        cmocka_unit_test(same_request_has_the_same_bytes),
        cmocka_unit_test(whatever_was_not_signed_is_a_wrong_signature),
        cmocka_unit_test(another_version_is_told_so_whatever_else_it_holds),
        cmocka_unit_test(keys_and_signatures_of_another_length_are_malformed),
        cmocka_unit_test(an_envelope_cut_anywhere_is_refused),
        cmocka_unit_test(bytes_behind_an_envelope_are_malformed),
        cmocka_unit_test(a_signed_request_that_is_not_canonical_is_malformed),
        cmocka_unit_test(what_is_too_large_is_refused_before_it_is_read),
        cmocka_unit_test(a_request_over_the_limit_is_not_sealed),
        cmocka_unit_test(a_small_budget_refuses_and_does_not_crash),
    };
    if (sodium_init() < 0)
        return 1;
    crypto_sign_keypair(key.public_key, key.secret_key);
    return cmocka_run_group_tests(tests, fresh_arena, drop_arena);
}
