/* Requests from outside: the first byte tells whether the rest is a whole envelope or a payload yet to be signed. */

#include "aggregator/store/request.h"
#include "proto/envelope.h"
#include "proto/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct signing_key key;

static void open_envelope(struct bytes sealed, bool signed_here)
{
    struct error error = {0};
    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    struct bytes sender;
    Evenkeel__Request *request;
    Evenkeel__RefusalReason reason;
    if (envelope_open(sealed, arena, &sender, &request, &reason, &error) == 0) {
        if (sender.length != sizeof key.public_key)
            abort();
    } else if (error.code == ERROR_NONE || (signed_here && reason == EVENKEEL__REFUSAL_REASON__WRONG_SIGNATURE)) {
        abort();
    }
    arena_free(arena);
}

/* All that the aggregator looks at before it asks the database. */
static void open_request(struct bytes sealed)
{
    struct request request = {.arena = arena_new(LIMIT_UNPACKED_BYTES)};
    if (request_open(&request, sealed) == 0) {
        if (request.reply.data != NULL || (request.enroll == NULL) == (request.offer == NULL))
            abort();
    } else if (request.reply.length == 0 || request.refusal == EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN) {
        abort();
    }
    free((void *)request.reply.data);
    arena_free(request.arena);
}

static void open_signed(struct bytes payload)
{
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_state state;
    crypto_sign_init(&state);
    crypto_sign_update(&state, (const uint8_t *)"evenkeel request 1", sizeof "evenkeel request 1");
    crypto_sign_update(&state, payload.data, payload.length);
    crypto_sign_final_create(&state, signature, NULL, key.secret_key);

    Evenkeel__Envelope envelope = EVENKEEL__ENVELOPE__INIT;
    envelope.version = ENVELOPE_VERSION;
    envelope.key = (ProtobufCBinaryData){.len = sizeof key.public_key, .data = key.public_key};
    envelope.signature = (ProtobufCBinaryData){.len = sizeof signature, .data = signature};
    envelope.payload = (ProtobufCBinaryData){.len = payload.length, .data = (uint8_t *)payload.data};
    size_t length = evenkeel__envelope__get_packed_size(&envelope);
    uint8_t *packed = malloc(length);
    evenkeel__envelope__pack(&envelope, packed);
    open_envelope(bytes_of(packed, length), true);
    open_request(bytes_of(packed, length));
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = "the same key in every run";
    if (size == 0 || sodium_init() < 0)
        return 0;
    crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    if (data[0] & 1)
        open_signed(bytes_of(data + 1, size - 1));
    else {
        open_envelope(bytes_of(data + 1, size - 1), false);
        open_request(bytes_of(data + 1, size - 1));
    }
    return 0;
}
