/* The signed envelope. */

#include "envelope.h"

#include "cleanup.h"
#include "limits.h"
#include "object.h"

/* Separates these signatures from any other use of the same key; the NUL is part of it. */
static const char context[] = "evenkeel request 1";

static void signing_start(crypto_sign_state *state, struct bytes payload)
{
    crypto_sign_init(state);
    crypto_sign_update(state, (const uint8_t *)context, sizeof context);
    crypto_sign_update(state, payload.data, payload.length);
}

int envelope_seal(const struct signing_key *key, const Evenkeel__Request *request, struct bytes *sealed,
                  struct error *error)
{
    struct bytes payload;
    *sealed = (struct bytes){0};
    if (!object_pack(&request->base, &payload))
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    _cleanup_free_ void *payload_data = (void *)payload.data;

    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_state state;
    signing_start(&state, payload);
    crypto_sign_final_create(&state, signature, NULL, key->secret_key);

    Evenkeel__Envelope envelope = EVENKEEL__ENVELOPE__INIT;
    envelope.version = ENVELOPE_VERSION;
    envelope.key = (ProtobufCBinaryData){.len = sizeof key->public_key, .data = (uint8_t *)key->public_key};
    envelope.signature = (ProtobufCBinaryData){.len = sizeof signature, .data = signature};
    envelope.payload = (ProtobufCBinaryData){.len = payload.length, .data = payload_data};
    if (!object_pack(&envelope.base, sealed))
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    if (sealed->length > LIMIT_MESSAGE_BYTES) {
        error_set(error, ERROR_LIMIT, "a request of %zu bytes is over the limit of %u", sealed->length,
                  LIMIT_MESSAGE_BYTES);
        free((void *)sealed->data);
        *sealed = (struct bytes){0};
        return -1;
    }
    return 0;
}

int envelope_open(struct bytes sealed, struct arena *arena, struct bytes *key, Evenkeel__Request **request,
                  Evenkeel__RefusalReason *reason, struct error *error)
{
    *reason = EVENKEEL__REFUSAL_REASON__OVER_LIMIT;
    if (sealed.length > LIMIT_MESSAGE_BYTES)
        return error_set(error, ERROR_LIMIT, "a message of %zu bytes is over the limit of %u", sealed.length,
                         LIMIT_MESSAGE_BYTES);

    /* The version comes first: a later one may have another form, and should be told so rather than 'malformed'. */
    *reason = EVENKEEL__REFUSAL_REASON__MALFORMED;
    Evenkeel__Envelope *envelope = evenkeel__envelope__unpack(arena_allocator(arena), sealed.length, sealed.data);
    if (envelope == NULL)
        return error_set(error, ERROR_FORMAT, "a message of %zu bytes is no envelope, or was cut", sealed.length);
    if (envelope->version != ENVELOPE_VERSION) {
        *reason = EVENKEEL__REFUSAL_REASON__UNKNOWN_VERSION;
        return error_set(error, ERROR_FORMAT,
                         "protocol version %u is not known here, only %d: upgrade the older of the two",
                         envelope->version, ENVELOPE_VERSION);
    }
    envelope = (Evenkeel__Envelope *)object_unpack(&evenkeel__envelope__descriptor, sealed, arena, error);
    if (envelope == NULL)
        return -1;
    if (envelope->key.len != crypto_sign_PUBLICKEYBYTES || envelope->signature.len != crypto_sign_BYTES)
        return error_set(error, ERROR_FORMAT, "an envelope's key or signature has the wrong length");

    *reason = EVENKEEL__REFUSAL_REASON__WRONG_SIGNATURE;
    crypto_sign_state state;
    signing_start(&state, bytes_of_field(envelope->payload));
    if (crypto_sign_final_verify(&state, envelope->signature.data, envelope->key.data) != 0)
        return error_set(error, ERROR_FORMAT, "an envelope's signature does not fit its key and bytes");

    *reason = EVENKEEL__REFUSAL_REASON__MALFORMED;
    *request = (Evenkeel__Request *)object_unpack(&evenkeel__request__descriptor, bytes_of_field(envelope->payload),
                                                  arena, error);
    if (*request == NULL)
        return -1;
    *key = bytes_of_field(envelope->key);
    return 0;
}
