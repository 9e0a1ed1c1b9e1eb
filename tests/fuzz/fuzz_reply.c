/*
 * libFuzzer target: what an aggregator answers, or somebody in its place. The input is answer after answer, each behind
 * its length in two bytes, little-endian; the first byte picks what is asked. The collector ends, whatever it is told,
 * and gives nothing but objects of its snapshot. This file takes the place of collector/transport.c.
 */

#include "collector/agent/exchange.h"
#include "collector/agent/transport.h"
#include "proto/object.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

#define REQUESTS_MAXIMUM 100 /* of one exchange; an object is given once, and an offer made a few times */

static struct bytes answers;
static unsigned requests;

int transport_check(const char *url, const char *ca, bool allow_plain, struct error *error)
{
    (void)url, (void)ca, (void)allow_plain, (void)error;
    return 0;
}

int transport_open(const char *url, const char *ca, uint32_t timeout, struct transport **transport, struct error *error)
{
    (void)url, (void)ca, (void)timeout, (void)error;
    *transport = (struct transport *)&answers;
    return 0;
}

void transport_close(struct transport *transport)
{
    (void)transport;
}

int transport_request(struct transport *transport, struct bytes request, struct bytes *answer, struct error *error)
{
    (void)transport, (void)request;
    require(++requests < REQUESTS_MAXIMUM);
    if (answers.length < 2)
        return error_set(error, ERROR_NETWORK, "no more answers");
    cut(answers, answer, &answers);
    return 0;
}

void transport_sleep(uint32_t milliseconds)
{
    (void)milliseconds;
}

/* Three objects whose bytes say what they are; the seeds want them by their digests. */
static struct snapshot *small_snapshot(FILE *file, struct digest digests[3])
{
    static const Evenkeel__ObjectKind kinds[] = {EVENKEEL__OBJECT_KIND__IMAGE, EVENKEEL__OBJECT_KIND__CHUNK,
                                                 EVENKEEL__OBJECT_KIND__INVENTORY};
    static const struct pe_options none;
    struct snapshot *snapshot;
    struct error error = {0};
    require(snapshot_new(file, &none, &snapshot, &error) == 0);
    for (size_t i = 0; i < 3; i++) {
        const char *body = object_kind_name(kinds[i]);
        require(snapshot_put(snapshot, kinds[i], bytes_of(body, strlen(body)), &digests[i], &error) == 0);
    }
    fflush(file);
    return snapshot;
}

static void push(struct exchange *exchange, struct host *host, size_t ahead_count)
{
    static char room[4096];
    FILE *file = fmemopen(room, sizeof room, "w+");
    struct digest digests[3];
    struct snapshot *snapshot = small_snapshot(file, digests);
    const struct exchange_ahead ahead = {EVENKEEL__OBJECT_KIND__IMAGE, digests[0]};
    Evenkeel__Offer offer = EVENKEEL__OFFER__INIT;
    offer.inventory = (ProtobufCBinaryData){.data = digests[2].bytes, .len = DIGEST_BYTES};
    Evenkeel__RefusalReason reason;
    struct error error = {0};
    bool changed;
    host->enrolled = true;
    require(exchange_push(exchange, host, snapshot, &offer, &ahead, ahead_count, &changed, &reason, &error) == 0 ||
            error.code != ERROR_NONE);
    snapshot_free(snapshot);
    fclose(file);
}

static void enroll(struct exchange *exchange, struct host *host)
{
    Evenkeel__MachineMarks marks = EVENKEEL__MACHINE_MARKS__INIT;
    Evenkeel__RefusalReason reason;
    struct error error = {0};
    bool approved;
    require(exchange_enroll(exchange, host, &marks, "token", &approved, &reason, &error) == 0 ||
            error.code != ERROR_NONE);
    require(host->enrolled == approved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct signing_key key;
    static const char *const urls[] = {"tcp://127.0.0.1:1", "tcp://127.0.0.1:2"};
    const struct exchange_options options = {.urls = urls, .url_count = 2, .key = &key};
    struct exchange *exchange;
    struct host host = {.name = "web-01"};
    struct error error = {0};
    if (size == 0 || sodium_init() < 0)
        return 0;
    crypto_sign_seed_keypair(key.public_key, key.secret_key, (const uint8_t *)"the same key, whatever it is asked");
    answers = bytes_of(data + 1, size - 1);
    requests = 0;
    require(exchange_new(&options, &exchange, &error) == 0);
    if (data[0] & 1)
        enroll(exchange, &host);
    else
        push(exchange, &host, data[0] >> 1 & 1);
    exchange_free(exchange);
    return 0;
}
