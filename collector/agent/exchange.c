/* Offer, want, give. */

#include "exchange.h"

#include "proto/arena.h"
#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"
#include "transport.h"

#include <sodium.h>
#include <string.h>

/* An answer names at most LIMIT_WANTED_DIGESTS digests. */
#define REPLY_BUDGET (2u << 20)

/* Objects of one give, packed and unpacked. */
#define GIVE_BUDGET (3 * LIMIT_MESSAGE_BYTES + 4 * LIMIT_GIVE_BYTES)

#define BUSY_ATTEMPTS 6        /* that one request is sent again after 'busy' */
#define BUSY_WAIT_MAXIMUM 120u /* seconds, whatever the aggregator says */
#define OFFER_ATTEMPTS 4       /* that an offer is made anew as a refusal demands */

struct exchange {
    struct exchange_options options;
    struct transport *transport; /* NULL: not connected */
    size_t url;                  /* index of the aggregator being talked to */
    struct exchange_traffic traffic;
};

int exchange_new(const struct exchange_options *options, struct exchange **exchange, struct error *error)
{
    *exchange = NULL;
    if (options->url_count == 0)
        return error_set(error, ERROR_USAGE,
                         "no aggregator is named: give --aggregator URL, or 'aggregator = URL' in "
                         "the configuration");
    for (size_t i = 0; i < options->url_count; i++)
        if (transport_check(options->urls[i], options->ca, options->allow_plain, error) < 0)
            return -1;
    *exchange = calloc(1, sizeof **exchange);
    if (*exchange == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for an exchange");
    (*exchange)->options = *options;
    if ((*exchange)->options.timeout == 0)
        (*exchange)->options.timeout = EXCHANGE_TIMEOUT;
    return 0;
}

void exchange_free(struct exchange *exchange)
{
    if (exchange == NULL)
        return;
    transport_close(exchange->transport);
    free(exchange);
}

const struct exchange_traffic *exchange_traffic(const struct exchange *exchange)
{
    return &exchange->traffic;
}

static const char *url_of(const struct exchange *exchange)
{
    return exchange->options.urls[exchange->url];
}

/* Connects to the first aggregator that answers, from the current one on. */
static int connect_any(struct exchange *exchange, struct error *error)
{
    struct error first = {0};
    if (exchange->transport != NULL)
        return 0;
    for (size_t tried = 0; tried < exchange->options.url_count; tried++) {
        struct error problem = {0};
        if (transport_open(url_of(exchange), exchange->options.ca, exchange->options.timeout, &exchange->transport,
                           &problem) == 0)
            return 0;
        if (first.code == ERROR_NONE)
            first = problem;
        exchange->url = (exchange->url + 1) % exchange->options.url_count;
    }
    return error_set(error, first.code, "%s", first.message);
}

/* One message there and one back, in the arena. */
static int round_trip(struct exchange *exchange, struct bytes sealed, struct arena *arena, Evenkeel__Reply **reply,
                      struct error *error)
{
    struct bytes answer;
    exchange->traffic.requests++;
    exchange->traffic.sent += sealed.length + TRANSPORT_FRAMING;
    if (transport_request(exchange->transport, sealed, &answer, error) < 0) {
        transport_close(exchange->transport);
        exchange->transport = NULL;
        exchange->url = (exchange->url + 1) % exchange->options.url_count;
        return -1;
    }
    exchange->traffic.received += answer.length + TRANSPORT_FRAMING;
    *reply = evenkeel__reply__unpack(arena_allocator(arena), answer.length, answer.data);
    if (*reply == NULL || (*reply)->body_case == EVENKEEL__REPLY__BODY__NOT_SET)
        return error_set(error, ERROR_FORMAT,
                         "the answer from %s is not one of an aggregator, or of a newer one: check the URL, and the "
                         "versions of both programs",
                         url_of(exchange));
    return 0;
}

/* Seconds that a busy aggregator asked for, and up to as many again, so that not all come back at once. */
static void wait_busy(uint32_t seconds)
{
    if (seconds == 0)
        seconds = 1;
    if (seconds > BUSY_WAIT_MAXIMUM)
        seconds = BUSY_WAIT_MAXIMUM;
    transport_sleep(seconds * 1000 + randombytes_uniform(seconds * 1000));
}

/* Sends a request until it gets an answer other than 'busy'. */
static int ask(struct exchange *exchange, const Evenkeel__Request *request, struct arena *arena,
               Evenkeel__Reply **reply, struct error *error)
{
    struct bytes sealed;
    if (envelope_seal(exchange->options.key, request, &sealed, error) < 0)
        return -1;
    _cleanup_free_ void *sealed_data = (void *)sealed.data;
    for (int attempt = 0; attempt < BUSY_ATTEMPTS; attempt++) {
        if (round_trip(exchange, sealed, arena, reply, error) < 0)
            return -1;
        if ((*reply)->body_case != EVENKEEL__REPLY__BODY_BUSY)
            return 0;
        wait_busy((*reply)->busy->retry_after);
    }
    if ((*reply)->busy->broken)
        return error_set(error, ERROR_BUSY,
                         "the aggregator at %s has stored nothing for a while: tell whoever runs it to look at its log "
                         "and /healthz, then push again",
                         url_of(exchange));
    return error_set(error, ERROR_BUSY, "the aggregator at %s is busy: push again later", url_of(exchange));
}

/* Whether it comes of the aggregator being the older one: that calls malformed what it does not know, and takes the
 * same bytes once it is upgraded. */
static bool is_older(const Evenkeel__Refused *refusal)
{
    static const char unknown[] = OBJECT_UNKNOWN_FIELDS;
    size_t length = sizeof unknown - 1;
    return refusal->reason == EVENKEEL__REFUSAL_REASON__MALFORMED && refusal->sentence.len >= length &&
           memcmp(refusal->sentence.data + refusal->sentence.len - length, unknown, length) == 0;
}

static int refused(const struct exchange *exchange, const Evenkeel__Refused *refusal, Evenkeel__RefusalReason *reason,
                   struct error *error)
{
    bool older = is_older(refusal);
    *reason = older ? EVENKEEL__REFUSAL_REASON__UNKNOWN_VERSION : refusal->reason;
    if (older)
        return error_set(error, ERROR_REFUSED,
                         "the aggregator at %s is older than this collector and takes nothing from it ('%.*s'): "
                         "upgrade the aggregator first, or run a collector of its version until then",
                         url_of(exchange), (int)(refusal->sentence.len < 200 ? refusal->sentence.len : 200),
                         (const char *)refusal->sentence.data);
    return error_set(error, ERROR_REFUSED, "the aggregator at %s refuses: %.*s", url_of(exchange),
                     (int)(refusal->sentence.len < 400 ? refusal->sentence.len : 400),
                     refusal->sentence.len > 0 ? (const char *)refusal->sentence.data : "");
}

static int unexpected(const struct exchange *exchange, struct error *error)
{
    return error_set(error, ERROR_FORMAT, "the aggregator at %s gave an answer that doesn't fit the request",
                     url_of(exchange));
}

int exchange_enroll(struct exchange *exchange, struct host *host, const Evenkeel__MachineMarks *marks,
                    const char *token, bool *approved, Evenkeel__RefusalReason *reason, struct error *error)
{
    *approved = false;
    *reason = EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN;
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(REPLY_BUDGET);
    if (arena == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    Evenkeel__Enroll enroll = EVENKEEL__ENROLL__INIT;
    enroll.host_name = (ProtobufCBinaryData){.data = (uint8_t *)host->name, .len = strlen(host->name)};
    enroll.token = (ProtobufCBinaryData){.data = (uint8_t *)token, .len = token != NULL ? strlen(token) : 0};
    enroll.marks = (Evenkeel__MachineMarks *)marks;
    enroll.taken_at = platform_now();
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    request.body_case = EVENKEEL__REQUEST__BODY_ENROLL;
    request.enroll = &enroll;

    Evenkeel__Reply *reply;
    if (connect_any(exchange, error) < 0 || ask(exchange, &request, arena, &reply, error) < 0)
        return -1;
    if (reply->body_case == EVENKEEL__REPLY__BODY_REFUSED)
        return refused(exchange, reply->refused, reason, error);
    const Evenkeel__Enrolled *enrolled = reply->enrolled;
    if (reply->body_case != EVENKEEL__REPLY__BODY_ENROLLED ||
        (enrolled->approved && enrolled->host_id.len != HOST_ID_BYTES))
        return unexpected(exchange, error);
    *approved = host->enrolled = enrolled->approved;
    if (enrolled->approved)
        memcpy(host->id, enrolled->host_id.data, HOST_ID_BYTES);
    if (host->sequence < enrolled->sequence)
        host->sequence = enrolled->sequence;
    return 0;
}

/* ---- giving ---- */

/* What one give carries. */
struct batch {
    Evenkeel__Object *objects[LIMIT_WANTED_DIGESTS];
    size_t count, bytes;
    bool full;
};

static int batch_add(struct exchange *exchange, struct snapshot *snapshot, Evenkeel__ObjectKind kind,
                     const struct digest *digest, struct arena *arena, struct batch *batch, struct error *error)
{
    Evenkeel__Object *object;
    int found = snapshot_get(snapshot, digest, arena, &object, error);
    if (found < 0)
        return -1;
    if (found == 0 || object->kind != kind)
        return error_set(error, ERROR_FORMAT, "the aggregator at %s wants %s that this snapshot doesn't have",
                         url_of(exchange), object_kind_name(kind));
    batch->full = batch->count == LIMIT_WANTED_DIGESTS ||
                  (batch->count > 0 && batch->bytes + object->body.len > LIMIT_GIVE_BYTES);
    if (batch->full)
        return 0;
    if (snapshot_give(snapshot, digest))
        return error_set(error, ERROR_FORMAT,
                         "the aggregator at %s wants the same %s again that it was just given: 'evenkeel fsck' there "
                         "checks its database",
                         url_of(exchange), object_kind_name(kind));
    batch->objects[batch->count++] = object;
    batch->bytes += object->body.len;
    return 0;
}

/* What others name stands before what names it, so that nothing is ever stored that points nowhere. */
static const Evenkeel__ObjectKind giving_order[] = {
    EVENKEEL__OBJECT_KIND__IMAGE,     EVENKEEL__OBJECT_KIND__CHUNK,         EVENKEEL__OBJECT_KIND__FACTS,
    EVENKEEL__OBJECT_KIND__TIMES,     EVENKEEL__OBJECT_KIND__MACHINE_MARKS, EVENKEEL__OBJECT_KIND__COMPONENT_STORE,
    EVENKEEL__OBJECT_KIND__INVENTORY,
};

static int batch_fill(struct exchange *exchange, struct snapshot *snapshot, const Evenkeel__Want *want,
                      struct arena *arena, struct batch *batch, struct error *error)
{
    *batch = (struct batch){0};
    for (size_t order = 0; order < sizeof giving_order / sizeof *giving_order; order++)
        for (size_t i = 0; i < want->n_wanted; i++) {
            const Evenkeel__Wanted *wanted = want->wanted[i];
            if (wanted->kind != giving_order[order])
                continue;
            for (size_t at = 0; at < wanted->digests.len && !batch->full; at += DIGEST_BYTES) {
                struct digest digest;
                if (wanted->digests.len - at < DIGEST_BYTES)
                    return unexpected(exchange, error);
                memcpy(digest.bytes, wanted->digests.data + at, DIGEST_BYTES);
                if (batch_add(exchange, snapshot, wanted->kind, &digest, arena, batch, error) < 0)
                    return -1;
            }
        }
    return batch->count > 0 ? 0 : unexpected(exchange, error);
}

static int ask_give(struct exchange *exchange, Evenkeel__Offer *offer, struct batch *batch, struct arena *answers,
                    Evenkeel__Reply **reply, struct error *error)
{
    Evenkeel__Give give = EVENKEEL__GIVE__INIT;
    give.offer = offer;
    give.objects = batch->objects;
    give.n_objects = batch->count;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    request.body_case = EVENKEEL__REQUEST__BODY_GIVE;
    request.give = &give;
    return ask(exchange, &request, answers, reply, error);
}

/* The offer, alone or with what is given ahead of any want. */
static int ask_offer(struct exchange *exchange, struct snapshot *snapshot, Evenkeel__Offer *offer,
                     const struct exchange_ahead *ahead, size_t ahead_count, struct arena *answers,
                     Evenkeel__Reply **reply, struct error *error)
{
    _cleanup_free_ struct batch *batch = calloc(1, sizeof *batch);
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(GIVE_BUDGET);
    if (batch == NULL || arena == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    for (size_t i = 0; i < ahead_count && !batch->full; i++)
        if (batch_add(exchange, snapshot, ahead[i].kind, &ahead[i].digest, arena, batch, error) < 0)
            return -1;
    if (batch->count > 0 && !batch->full)
        return ask_give(exchange, offer, batch, answers, reply, error);
    snapshot_ungive(snapshot);
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    request.body_case = EVENKEEL__REQUEST__BODY_OFFER;
    request.offer = offer;
    return ask(exchange, &request, answers, reply, error);
}

/* Gives what is wanted until the answer is something else; the last answer is in *answers. */
static int give_all(struct exchange *exchange, struct snapshot *snapshot, Evenkeel__Offer *offer,
                    struct arena **answers, Evenkeel__Reply **reply, struct error *error)
{
    _cleanup_free_ struct batch *batch = malloc(sizeof *batch);
    if (batch == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    while ((*reply)->body_case == EVENKEEL__REPLY__BODY_WANT) { /* each turn gives at least one object not given yet */
        _cleanup_(cleanup_arena) struct arena *arena = arena_new(GIVE_BUDGET);
        struct arena *next = arena_new(REPLY_BUDGET);
        if (arena == NULL || next == NULL) {
            arena_free(next);
            return error_set(error, ERROR_MEMORY, "no memory for a request");
        }
        int status = batch_fill(exchange, snapshot, (*reply)->want, arena, batch, error);
        arena_free(*answers);
        *answers = next;
        if (status < 0)
            return -1;
        if (ask_give(exchange, offer, batch, next, reply, error) < 0)
            return -1;
    }
    return 0;
}

/* One offer with all that follows from it: 0 accepted, 1 to be made anew, with nothing ahead or a later number, or -1.
 */
static int offer_once(struct exchange *exchange, struct host *host, struct snapshot *snapshot, Evenkeel__Offer *offer,
                      const struct exchange_ahead *ahead, size_t ahead_count, bool *changed,
                      Evenkeel__RefusalReason *reason, struct error *error)
{
    _cleanup_(cleanup_arena) struct arena *answers = arena_new(REPLY_BUDGET);
    if (answers == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a request");
    offer->host_id = (ProtobufCBinaryData){.data = host->id, .len = HOST_ID_BYTES};
    offer->sequence = ++host->sequence;

    Evenkeel__Reply *reply;
    snapshot_ungive(snapshot);
    if (ask_offer(exchange, snapshot, offer, ahead, ahead_count, answers, &reply, error) < 0 ||
        give_all(exchange, snapshot, offer, &answers, &reply, error) < 0)
        return -1;
    if (reply->body_case == EVENKEEL__REPLY__BODY_ACCEPTED) {
        *changed = reply->accepted->changed;
        return 0;
    }
    if (reply->body_case != EVENKEEL__REPLY__BODY_REFUSED)
        return unexpected(exchange, error);
    refused(exchange, reply->refused, reason, error);
    if (*reason == EVENKEEL__REFUSAL_REASON__WRONG_DIGEST && ahead_count > 0)
        return 1; /* what was given ahead was not welcome */
    if (*reason != EVENKEEL__REFUSAL_REASON__OLD_SEQUENCE || reply->refused->sequence < host->sequence)
        return -1;
    host->sequence = reply->refused->sequence;
    return 1;
}

int exchange_push(struct exchange *exchange, struct host *host, struct snapshot *snapshot, Evenkeel__Offer *offer,
                  const struct exchange_ahead *ahead, size_t ahead_count, bool *changed,
                  Evenkeel__RefusalReason *reason, struct error *error)
{
    struct error problem = {0};
    *reason = EVENKEEL__REFUSAL_REASON__REFUSAL_UNKNOWN;
    *changed = false;
    size_t networks = 0;
    for (int attempt = 0; attempt < OFFER_ATTEMPTS;) {
        if (connect_any(exchange, error) < 0)
            return -1;
        int status = offer_once(exchange, host, snapshot, offer, ahead, ahead_count, changed, reason, &problem);
        if (status == 0)
            return 0;
        if (*reason == EVENKEEL__REFUSAL_REASON__WRONG_DIGEST)
            ahead_count = 0;
        if (status > 0)
            attempt++;
        else if (problem.code != ERROR_NETWORK || ++networks >= exchange->options.url_count)
            break;
    }
    return error_set(error, problem.code, "%s", problem.message);
}
