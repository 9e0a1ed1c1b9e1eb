/* A request as the aggregator works on it. */

#include "request.h"

#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/component_store.h"
#include "proto/envelope.h"
#include "proto/field_limits.h"
#include "proto/host_name.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void reply_pack(struct request *request, const Evenkeel__Reply *reply)
{
    request->let_in =
        reply->body_case == EVENKEEL__REPLY__BODY_ACCEPTED || reply->body_case == EVENKEEL__REPLY__BODY_WANT;
    free((void *)request->reply.data);
    object_pack(&reply->base, &request->reply);
}

void request_refuse(struct request *request, Evenkeel__RefusalReason reason, uint64_t sequence, const char *sentence)
{
    Evenkeel__Refused refused = EVENKEEL__REFUSED__INIT;
    refused.reason = reason;
    refused.sequence = sequence;
    refused.sentence = (ProtobufCBinaryData){.len = strlen(sentence), .data = (uint8_t *)sentence};
    Evenkeel__Reply reply = EVENKEEL__REPLY__INIT;
    reply.body_case = EVENKEEL__REPLY__BODY_REFUSED;
    reply.refused = &refused;
    reply_pack(request, &reply);
    request->refusal = reason;
}

void request_accept(struct request *request, int64_t valid_from, bool changed)
{
    Evenkeel__Accepted accepted = EVENKEEL__ACCEPTED__INIT;
    accepted.valid_from = valid_from;
    accepted.changed = changed;
    Evenkeel__Reply reply = EVENKEEL__REPLY__INIT;
    reply.body_case = EVENKEEL__REPLY__BODY_ACCEPTED;
    reply.accepted = &accepted;
    reply_pack(request, &reply);
}

void request_enrolled(struct request *request, struct bytes host_id, bool approved, uint64_t sequence)
{
    Evenkeel__Enrolled enrolled = EVENKEEL__ENROLLED__INIT;
    enrolled.host_id = (ProtobufCBinaryData){.len = host_id.length, .data = (uint8_t *)host_id.data};
    enrolled.approved = approved;
    enrolled.sequence = sequence;
    Evenkeel__Reply reply = EVENKEEL__REPLY__INIT;
    reply.body_case = EVENKEEL__REPLY__BODY_ENROLLED;
    reply.enrolled = &enrolled;
    reply_pack(request, &reply);
}

void request_busy(struct request *request, unsigned retry_after_seconds, bool broken)
{
    Evenkeel__Busy busy = EVENKEEL__BUSY__INIT;
    busy.retry_after = retry_after_seconds;
    busy.broken = broken;
    Evenkeel__Reply reply = EVENKEEL__REPLY__INIT;
    reply.body_case = EVENKEEL__REPLY__BODY_BUSY;
    reply.busy = &busy;
    reply_pack(request, &reply);
}

void request_want(struct request *request, const struct wanted wanted[OBJECT_KINDS])
{
    Evenkeel__Wanted kinds[OBJECT_KINDS];
    Evenkeel__Wanted *list[OBJECT_KINDS];
    Evenkeel__Want want = EVENKEEL__WANT__INIT;
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        if (wanted[kind].count == 0)
            continue;
        Evenkeel__Wanted *one = &kinds[want.n_wanted];
        evenkeel__wanted__init(one);
        one->kind = (Evenkeel__ObjectKind)kind;
        one->digests =
            (ProtobufCBinaryData){.len = wanted[kind].count * DIGEST_BYTES, .data = wanted[kind].digests[0].bytes};
        list[want.n_wanted++] = one;
    }
    want.wanted = list;
    Evenkeel__Reply reply = EVENKEEL__REPLY__INIT;
    reply.body_case = EVENKEEL__REPLY__BODY_WANT;
    reply.want = &want;
    reply_pack(request, &reply);
}

struct entry_sink {
    struct arena *arena;
    struct decoded_chunk *chunk;
    bool failed;
};

static bool entry_take(void *context, const struct chunk_entry *entry)
{
    struct entry_sink *sink = context;
    uint8_t *path = arena_copy(sink->arena, entry->path.data, entry->path.length);
    sink->failed = path == NULL;
    if (sink->failed)
        return false;
    sink->chunk->entries[sink->chunk->count++] = (struct decoded_entry){
        .path = bytes_of(path, entry->path.length), .path_digest = entry->path_digest, .image = entry->image};
    return true;
}

static int decode_chunk(struct object *object, struct arena *arena, struct error *error)
{
    const Evenkeel__Chunk *chunk = (const Evenkeel__Chunk *)object->message;
    struct entry_sink sink = {.arena = arena, .chunk = &object->chunk};
    size_t count = chunk->n_suffixes <= CHUNK_ENTRIES ? chunk->n_suffixes : 0;
    object->chunk = (struct decoded_chunk){.entries = arena_take(arena, count * sizeof *object->chunk.entries)};
    if (count > 0 && object->chunk.entries == NULL)
        return error_set(error, ERROR_LIMIT, "a chunk needs more memory than is allowed");
    if (chunk_read(chunk, entry_take, &sink, error) < 0)
        return -1;
    return sink.failed ? error_set(error, ERROR_LIMIT, "a chunk's paths need more memory than is allowed") : 0;
}

static bool any_path(void *context, struct bytes path)
{
    (void)context;
    (void)path;
    return true;
}

int request_decode_object(struct object *object, struct arena *arena, Evenkeel__RefusalReason *reason,
                          struct error *error)
{
    *reason = EVENKEEL__REFUSAL_REASON__MALFORMED;
    const ProtobufCMessageDescriptor *descriptor = object_descriptor(object->kind);
    if (descriptor == NULL)
        return error_set(error, ERROR_FORMAT, "an object is of the unknown kind %d", (int)object->kind);
    if (object->body.length > LIMIT_OBJECT_BYTES) {
        *reason = EVENKEEL__REFUSAL_REASON__OVER_LIMIT;
        return error_set(error, ERROR_LIMIT, "of %s, %zu bytes came; %u are allowed", object_kind_name(object->kind),
                         object->body.length, LIMIT_OBJECT_BYTES);
    }
    object->digest = digest_of(object->body);
    object->message = object_unpack(descriptor, object->body, arena, error);
    if (object->message == NULL)
        return -1;
    int checked = 0;
    switch (object->kind) {
    case EVENKEEL__OBJECT_KIND__IMAGE:
        checked = object_check_image((const Evenkeel__Image *)object->message, error);
        break;
    case EVENKEEL__OBJECT_KIND__CHUNK:
        checked = decode_chunk(object, arena, error);
        break;
    case EVENKEEL__OBJECT_KIND__INVENTORY:
        checked = object_check_inventory((const Evenkeel__Inventory *)object->message, error);
        break;
    case EVENKEEL__OBJECT_KIND__FACTS:
        checked = object_check_facts((const Evenkeel__Facts *)object->message, error);
        break;
    case EVENKEEL__OBJECT_KIND__TIMES:
        checked = object_check_times((const Evenkeel__Times *)object->message, error);
        break;
    case EVENKEEL__OBJECT_KIND__MACHINE_MARKS:
        checked = object_check_marks((const Evenkeel__MachineMarks *)object->message, error);
        break;
    case EVENKEEL__OBJECT_KIND__COMPONENT_STORE:
        checked = component_store_read((const Evenkeel__ComponentStore *)object->message, any_path, NULL, error);
        break;
    default:
        break;
    }
    if (checked < 0 && error->code == ERROR_LIMIT)
        *reason = EVENKEEL__REFUSAL_REASON__OVER_LIMIT;
    return checked;
}

static void time_text(time_t moment, char *text, size_t size)
{
    struct tm parts;
    if (gmtime_r(&moment, &parts) == NULL || strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        snprintf(text, size, "%lld seconds since 1970", (long long)moment);
}

/* Whoever reads the sentence has only one of the two clocks before him. */
static int check_clock(int64_t taken_at, struct error *error)
{
    if (taken_at >= 0 && taken_at <= FIELD_CLOCK_MOST)
        return 0;
    char told[64], here[64];
    time_text((time_t)(taken_at / 1000000), told, sizeof told);
    time_text(time(NULL), here, sizeof here);
    return error_set(error, ERROR_LIMIT,
                     "by the collector's clock this was taken at %s, the aggregator's says %s: set the clock of the "
                     "collector's machine (times from 1970 to 2100 are allowed)",
                     told, here);
}

/* Numbers and digests of an offer that the database would choke on are refused here. */
static int check_offer(struct request *request, struct error *error)
{
    const Evenkeel__Offer *offer = request->offer;
    if (offer->host_id.len != 16)
        return error_set(error, ERROR_FORMAT, "an offer's host_id has %zu bytes instead of 16: enrol first",
                         offer->host_id.len);
    if (!digest_from(bytes_of_field(offer->inventory), &request->inventory) ||
        !digest_from(bytes_of_field(offer->facts), &request->facts) ||
        !digest_from(bytes_of_field(offer->times), &request->times))
        return error_set(error, ERROR_FORMAT, "an offer's digests must have %d bytes", DIGEST_BYTES);
    if (offer->sequence == 0)
        return error_set(error, ERROR_FORMAT, "an offer's sequence is 0: the first has the number 1");
    if (check_clock(offer->taken_at, error) < 0 || field_limits_check(&offer->base, error) < 0)
        return -1;
    struct bytes packed;
    if (!object_pack(&offer->base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory for an offer");
    request->offer_digest = digest_of(packed);
    free((void *)packed.data);
    return 0;
}

static int check_enroll(const Evenkeel__Enroll *enroll, struct error *error)
{
    if (host_name_check(bytes_of_field(enroll->host_name), error) < 0)
        return -1;
    return field_limits_check(&enroll->base, error);
}

static int open_body(struct request *request, const Evenkeel__Request *body, Evenkeel__RefusalReason *reason,
                     struct error *error)
{
    *reason = EVENKEEL__REFUSAL_REASON__MALFORMED;
    request->kind = REQUEST_SNAPSHOT;
    switch (body->body_case) {
    case EVENKEEL__REQUEST__BODY_ENROLL:
        request->kind = REQUEST_ENROLL;
        request->enroll = body->enroll;
        return check_enroll(body->enroll, error);
    case EVENKEEL__REQUEST__BODY_OFFER:
        request->offer = body->offer;
        return check_offer(request, error);
    case EVENKEEL__REQUEST__BODY_GIVE:
        break;
    default:
        return error_set(error, ERROR_FORMAT, "a request has no body");
    }
    const Evenkeel__Give *give = body->give;
    if (give->offer == NULL)
        return error_set(error, ERROR_FORMAT, "a give lacks its offer");
    request->offer = give->offer;
    if (check_offer(request, error) < 0)
        return -1;
    request->objects = arena_take(request->arena, give->n_objects * sizeof *request->objects);
    if (give->n_objects > 0 && request->objects == NULL)
        return error_set(error, ERROR_LIMIT, "a give of %zu objects needs more memory than is allowed",
                         give->n_objects);
    for (size_t i = 0; i < give->n_objects; i++) {
        struct object *object = &request->objects[i];
        *object = (struct object){.kind = give->objects[i]->kind, .body = bytes_of_field(give->objects[i]->body)};
        if (request_decode_object(object, request->arena, reason, error) < 0)
            return -1;
        request->object_count++;
    }
    return 0;
}

int request_open(struct request *request, struct bytes sealed)
{
    Evenkeel__Request *body;
    Evenkeel__RefusalReason reason;
    struct error error = {0};
    request->bytes = sealed.length;
    if (envelope_open(sealed, request->arena, &request->key, &body, &reason, &error) == 0 &&
        open_body(request, body, &reason, &error) == 0)
        return 0;
    if (error.code == ERROR_LIMIT && reason == EVENKEEL__REFUSAL_REASON__MALFORMED)
        reason = EVENKEEL__REFUSAL_REASON__OVER_LIMIT;
    request_refuse(request, reason, 0, error.message);
    return -1;
}
