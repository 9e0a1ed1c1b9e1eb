/*
 * A collector that says what a test wants it to say: whole reports, put together as messages, sealed and pushed with a
 * key of the host's own. For one program only.
 */

#ifndef EVENKEEL_REPORT_PEER_H
#define EVENKEEL_REPORT_PEER_H

#include "aggregator/store/digest_map.h"
#include "proto/arena.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/component_store.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPORT_ARENA_BYTES (512u << 20)
#define GIVE_BYTES (1u << 20)

struct report_file {
    const char *path;
    size_t image;
};

struct report_object {
    Evenkeel__ObjectKind kind;
    struct digest digest;
    struct bytes body;
};

/* What a host says. Everything lives in the arena. */
struct report {
    struct arena *arena;
    const char *host_name;
    const char *key_name; /* the key is made of it; NULL: of the host's name */
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    Evenkeel__MachineMarks *marks; /* NULL: none */
    Evenkeel__Image **images;
    size_t image_count;
    struct report_file *files;
    size_t file_count;
    struct bytes *store; /* paths of the component store; NULL: none */
    size_t store_count;
    Evenkeel__Offer offer; /* what is set here goes with the offer: taken_at, unreadable, schedule */
    uint64_t sequence;     /* 0: the next one */
    struct report_object *objects;
    size_t object_count;
    struct digest_map index;
    struct signing_key key;
    uint8_t host[16];
};

static nng_socket report_socket;
static int report_patience = 30; /* how often a busy aggregator is asked again, half a second later */

static void report_fatal(const char *why)
{
    fprintf(stderr, "report_client: %s\n", why);
    exit(3);
}

static void *report_take(struct report *report, size_t size)
{
    void *memory = arena_take(report->arena, size > 0 ? size : 1);
    if (memory == NULL)
        report_fatal("the report is larger than this program's memory for it");
    memset(memory, 0, size);
    return memory;
}

static ProtobufCBinaryData report_text(struct report *report, const char *text)
{
    size_t length = strlen(text);
    void *copy = arena_copy(report->arena, text, length);
    if (copy == NULL)
        report_fatal("no memory");
    return (ProtobufCBinaryData){.len = length, .data = copy};
}

static void report_connect(const char *url)
{
    if (nng_req0_open(&report_socket) != 0 ||
        nng_socket_set_ms(report_socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) != 0 ||
        nng_socket_set_ms(report_socket, NNG_OPT_RECVTIMEO, 120000) != 0 || nng_dial(report_socket, url, NULL, 0) != 0)
        report_fatal("nobody listens there");
}

static Evenkeel__Reply *report_ask(struct report *report, const Evenkeel__Request *request)
{
    struct bytes sealed;
    struct error error = {0};
    nng_msg *message;
    if (envelope_seal(&report->key, request, &sealed, &error) < 0)
        report_fatal(error.message);
    if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, sealed.data, sealed.length) != 0)
        report_fatal("no memory");
    free((void *)sealed.data);
    if (nng_sendmsg(report_socket, message, 0) != 0 || nng_recvmsg(report_socket, &message, 0) != 0)
        report_fatal("no answer");
    void *body = arena_copy(report->arena, nng_msg_body(message), nng_msg_len(message));
    Evenkeel__Reply *reply = evenkeel__reply__unpack(arena_allocator(report->arena), nng_msg_len(message), body);
    nng_msg_free(message);
    if (reply == NULL)
        report_fatal("nonsense for an answer");
    return reply;
}

static void report_add_object(struct report *report, Evenkeel__ObjectKind kind, struct bytes body)
{
    struct report_object *object = &report->objects[report->object_count];
    *object = (struct report_object){.kind = kind, .digest = digest_of(body), .body = body};
    bool added;
    size_t *at = digest_map_put(&report->index, &object->digest, &added);
    if (at == NULL)
        report_fatal("no memory");
    if (!added && report->objects[*at].kind == kind)
        return;
    *at = report->object_count++;
}

static struct digest report_add(struct report *report, Evenkeel__ObjectKind kind, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *body = report_take(report, length);
    protobuf_c_message_pack(message, body);
    report_add_object(report, kind, bytes_of(body, length));
    return digest_of(bytes_of(body, length));
}

static int report_compare_files(const void *a, const void *b)
{
    return strcmp(((const struct report_file *)a)->path, ((const struct report_file *)b)->path);
}

static void report_add_chunk(struct report *report, struct chunk_builder *builder, struct digest *digests,
                             size_t *count)
{
    struct bytes body;
    struct error error = {0};
    if (chunk_builder_take(builder, &body, &error) < 0)
        report_fatal(error.message);
    if (body.length == 0)
        return;
    uint8_t *copy = report_take(report, body.length);
    memcpy(copy, body.data, body.length);
    free((void *)body.data);
    digests[(*count)++] = digest_of(bytes_of(copy, body.length));
    report_add_object(report, EVENKEEL__OBJECT_KIND__CHUNK, bytes_of(copy, body.length));
}

static void report_add_store(struct report *report)
{
    struct bytes body;
    struct error error = {0};
    struct digest *digest = report_take(report, sizeof *digest);
    if (component_store_pack(report->store, report->store_count, &body, &error) < 0)
        report_fatal(error.message);
    void *copy = arena_copy(report->arena, body.data, body.length);
    if (copy == NULL)
        report_fatal("no memory");
    *digest = digest_of(body);
    report_add_object(report, EVENKEEL__OBJECT_KIND__COMPONENT_STORE, bytes_of(copy, body.length));
    free((void *)body.data);
    report->facts->component_store = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digest->bytes};
}

/* Packs all objects; files may be in any order, a path only once. */
static void report_pack(struct report *report)
{
    struct digest *images = report_take(report, (report->image_count + 1) * sizeof *images);
    struct digest *chunks = report_take(report, (report->file_count + 1) * sizeof *chunks);
    size_t chunk_count = 0;
    report->objects = report_take(report, (report->image_count + report->file_count + 6) * sizeof *report->objects);
    for (size_t i = 0; i < report->image_count; i++)
        images[i] = report_add(report, EVENKEEL__OBJECT_KIND__IMAGE, &report->images[i]->base);
    struct chunk_builder *builder = chunk_builder_new();
    qsort(report->files, report->file_count, sizeof *report->files, report_compare_files);
    for (size_t i = 0; i < report->file_count; i++) {
        const struct report_file *file = &report->files[i];
        struct error error = {0};
        bool complete;
        if (i > 0 && strcmp(file->path, file[-1].path) == 0)
            continue;
        if (chunk_builder_add(builder, bytes_of(file->path, strlen(file->path)), &images[file->image], &complete,
                              &error) < 0)
            report_fatal(error.message);
        if (complete)
            report_add_chunk(report, builder, chunks, &chunk_count);
    }
    report_add_chunk(report, builder, chunks, &chunk_count);
    chunk_builder_free(builder);
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = (ProtobufCBinaryData){.len = chunk_count * DIGEST_BYTES, .data = chunks[0].bytes};
    struct digest *digests = report_take(report, 4 * sizeof *digests);
    if (report->store != NULL)
        report_add_store(report);
    digests[0] = report_add(report, EVENKEEL__OBJECT_KIND__INVENTORY, &inventory.base);
    digests[1] = report_add(report, EVENKEEL__OBJECT_KIND__FACTS, &report->facts->base);
    digests[2] = report_add(report, EVENKEEL__OBJECT_KIND__TIMES, &report->times->base);
    report->offer.inventory = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digests[0].bytes};
    report->offer.facts = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digests[1].bytes};
    report->offer.times = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digests[2].bytes};
    if (report->marks != NULL) {
        digests[3] = report_add(report, EVENKEEL__OBJECT_KIND__MACHINE_MARKS, &report->marks->base);
        report->offer.marks = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digests[3].bytes};
    }
}

/* The object of that kind and name, also where two kinds pack to the same bytes. */
static const struct report_object *report_object(const struct report *report, Evenkeel__ObjectKind kind,
                                                 const struct digest *digest)
{
    const size_t *at = digest_map_get(&report->index, digest);
    if (at != NULL && report->objects[*at].kind == kind)
        return &report->objects[*at];
    for (size_t i = 0; at != NULL && i < report->object_count; i++)
        if (report->objects[i].kind == kind && digest_equal(&report->objects[i].digest, digest))
            return &report->objects[i];
    report_fatal("the aggregator wants what was never offered");
    return NULL;
}

static Evenkeel__Reply *report_give(struct report *report, const Evenkeel__Want *want)
{
    Evenkeel__Give give = EVENKEEL__GIVE__INIT;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    size_t bytes = 0;
    give.offer = &report->offer;
    give.objects = report_take(report, LIMIT_WANTED_DIGESTS * sizeof *give.objects);
    for (size_t w = 0; w < want->n_wanted; w++)
        for (size_t at = 0; at < want->wanted[w]->digests.len; at += DIGEST_BYTES) {
            struct digest digest;
            memcpy(digest.bytes, want->wanted[w]->digests.data + at, DIGEST_BYTES);
            const struct report_object *object = report_object(report, want->wanted[w]->kind, &digest);
            if (bytes > 0 && bytes + object->body.length > GIVE_BYTES)
                continue;
            bytes += object->body.length + 64;
            Evenkeel__Object *given = report_take(report, sizeof *given);
            evenkeel__object__init(given);
            given->kind = object->kind;
            given->body = (ProtobufCBinaryData){.len = object->body.length, .data = (uint8_t *)object->body.data};
            give.objects[give.n_objects++] = given;
        }
    request.body_case = EVENKEEL__REQUEST__BODY_GIVE;
    request.give = &give;
    return report_ask(report, &request);
}

/* Enrols under the host's name; NULL, or the answer where the host is not let in. */
static Evenkeel__Reply *report_enroll(struct report *report)
{
    Evenkeel__Enroll enroll = EVENKEEL__ENROLL__INIT;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    const char *key_name = report->key_name != NULL ? report->key_name : report->host_name;
    struct digest seed = digest_of(bytes_of(key_name, strlen(key_name)));
    crypto_sign_seed_keypair(report->key.public_key, report->key.secret_key, seed.bytes);
    enroll.host_name = report_text(report, report->host_name);
    enroll.marks = report->marks;
    request.body_case = EVENKEEL__REQUEST__BODY_ENROLL;
    request.enroll = &enroll;
    Evenkeel__Reply *reply = report_ask(report, &request);
    if (reply->body_case != EVENKEEL__REPLY__BODY_ENROLLED || !reply->enrolled->approved)
        return reply;
    memcpy(report->host, reply->enrolled->host_id.data, sizeof report->host);
    report->offer.host_id = (ProtobufCBinaryData){.len = sizeof report->host, .data = report->host};
    report->offer.sequence = report->sequence != 0 ? report->sequence : reply->enrolled->sequence + 1;
    return NULL;
}

/* Offers, and gives what is wanted until the answer is something else. */
static const Evenkeel__Reply *report_exchange(struct report *report)
{
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    Evenkeel__Reply *reply;
    report_pack(report);
    request.body_case = EVENKEEL__REQUEST__BODY_OFFER;
    request.offer = &report->offer;
    reply = report_ask(report, &request);
    for (int busy = 0; busy < report_patience; busy += reply->body_case == EVENKEEL__REPLY__BODY_BUSY) {
        if (reply->body_case == EVENKEEL__REPLY__BODY_BUSY) {
            nng_msleep(500);
            reply = report_ask(report, &request);
        } else if (reply->body_case == EVENKEEL__REPLY__BODY_WANT) {
            reply = report_give(report, reply->want);
        } else {
            break;
        }
    }
    return reply;
}

static const Evenkeel__Reply *report_push(struct report *report)
{
    const Evenkeel__Reply *reply = report_enroll(report);
    return reply != NULL ? reply : report_exchange(report);
}

/* An empty report of a host of that name, taken now. */
static void report_begin(struct report *report, const char *host_name)
{
    *report =
        (struct report){.arena = arena_new(REPORT_ARENA_BYTES), .host_name = host_name, .index = DIGEST_MAP(size_t)};
    if (report->arena == NULL)
        report_fatal("no memory");
    report->facts = report_take(report, sizeof *report->facts);
    report->times = report_take(report, sizeof *report->times);
    evenkeel__facts__init(report->facts);
    evenkeel__times__init(report->times);
    evenkeel__offer__init(&report->offer);
    report->offer.taken_at = (int64_t)time(NULL) * 1000000;
}

static void report_end(struct report *report)
{
    digest_map_clear(&report->index);
    arena_free(report->arena);
}

/* 'accepted', 'refused OVER_LIMIT sentence', ... in a buffer that the next call uses again. */
static const char *report_answer(const Evenkeel__Reply *reply)
{
    static char line[700];
    switch (reply->body_case) {
    case EVENKEEL__REPLY__BODY_ACCEPTED:
        snprintf(line, sizeof line, "accepted");
        break;
    case EVENKEEL__REPLY__BODY_REFUSED:
        snprintf(
            line, sizeof line, "refused %s %.*s",
            protobuf_c_enum_descriptor_get_value(&evenkeel__refusal_reason__descriptor, (int)reply->refused->reason)
                ->name,
            (int)reply->refused->sentence.len, (const char *)reply->refused->sentence.data);
        break;
    case EVENKEEL__REPLY__BODY_ENROLLED:
        snprintf(line, sizeof line, "pending");
        break;
    case EVENKEEL__REPLY__BODY_BUSY:
        snprintf(line, sizeof line, "busy");
        break;
    default:
        snprintf(line, sizeof line, "unfinished");
    }
    return line;
}

#endif
