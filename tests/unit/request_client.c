/*
 * One request of a collector that may be honest or not, as a program: says who asks, for which host, under which
 * number, with which marks and which fault, and prints the answer in one line. Shell tests put stories together from
 * it.
 *
 *   request_client URL enroll|offer|give|push [OPTION]...
 *
 * --tell has the marks tell the host's name, as collectors do; --when has the answer tell since when what was accepted
 * holds.
 *
 * enroll asks for --name; offer offers the snapshot --state (a number: each is another snapshot of one file); give
 * sends all its objects with it; push offers and gives what is wanted until the answer is something else.
 */

#include "proto/arena.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <getopt.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <string.h>

#define OVERSIZE (LIMIT_MESSAGE_BYTES + 1000)

static struct call {
    const char *name, *token, *fault, *computer;
    struct signing_key key;
    uint8_t host[16];
    uint64_t sequence;
    unsigned state;
    int64_t taken_at;
    Evenkeel__MachineMarks marks;
    bool has_marks;
} call = {.name = "host", .fault = "", .sequence = 1, .state = 1, .taken_at = (int64_t)1700000000 * 1000000};

static struct {
    struct bytes bodies[8];
    struct digest digests[8];
    Evenkeel__Object objects[8], *list[8];
    size_t count;
} snapshot;

static nng_socket peer;
static bool tells_when;

static void fatal(const char *why)
{
    fprintf(stderr, "request_client: %s\n", why);
    exit(3);
}

static ProtobufCBinaryData field(const void *data, size_t length)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)data, .len = length};
}

static ProtobufCBinaryData text(const char *value)
{
    return field(value, strlen(value));
}

static bool fault(const char *name)
{
    return strcmp(call.fault, name) == 0;
}

/* ---- the snapshot ---- */

static size_t add_bytes(Evenkeel__ObjectKind kind, struct bytes body)
{
    size_t at = snapshot.count++;
    snapshot.bodies[at] = body;
    snapshot.digests[at] = digest_of(body);
    evenkeel__object__init(&snapshot.objects[at]);
    snapshot.objects[at].kind = kind;
    snapshot.objects[at].body = field(body.data, body.length);
    snapshot.list[at] = &snapshot.objects[at];
    return at;
}

static size_t add(Evenkeel__ObjectKind kind, const ProtobufCMessage *message)
{
    struct bytes body;
    if (!object_pack(message, &body))
        fatal("no memory");
    return add_bytes(kind, body);
}

enum { INVENTORY = 2, FACTS = 3, TIMES = 4, MARKS = 5 };

/* As many as make an image of 1.5 MB, which takes several times as much memory once it is decoded. */
static void add_exports(Evenkeel__Image *image)
{
    enum { EXPORTS = 50000, NAME_BYTES = 24 };
    static Evenkeel__Export exports[EXPORTS], *list[EXPORTS];
    static char names[EXPORTS][NAME_BYTES];
    for (uint32_t i = 0; i < EXPORTS; i++) {
        snprintf(names[i], NAME_BYTES, "%s%05u", call.name, i);
        evenkeel__export__init(&exports[i]);
        exports[i].ordinal = i + 1;
        exports[i].name = text(names[i]);
        list[i] = &exports[i];
    }
    image->exports = list;
    image->n_exports = EXPORTS;
}

/* A chunk of one file. */
static struct bytes make_chunk(const char *path, const struct digest *image)
{
    struct chunk_builder *builder = chunk_builder_new();
    struct error error = {0};
    struct bytes body;
    bool complete;
    if (builder == NULL || chunk_builder_add(builder, bytes_of(path, strlen(path)), image, &complete, &error) < 0 ||
        chunk_builder_take(builder, &body, &error) < 0)
        fatal(error.message);
    chunk_builder_free(builder);
    return body;
}

static void make_snapshot(void)
{
    static char large[LIMIT_TEXT_BYTES + 1];
    char description[64];
    snprintf(description, sizeof description, "state %u", call.state);
    memset(large, 'x', sizeof large);
    Evenkeel__Image image = EVENKEEL__IMAGE__INIT;
    image.size = 4096;
    image.machine = 0x14c;
    image.file_description = fault("limit") ? field(large, sizeof large) : text(description);
    if (fault("large"))
        add_exports(&image);
    size_t at = add(EVENKEEL__OBJECT_KIND__IMAGE, &image.base);

    /* A chunk that stands behind the other in the inventory, where its path stands before it or behind it. */
    bool has_more = fault("order") || fault("none");
    struct bytes more =
        make_chunk(fault("order") ? "c:/windows/system32/a.dll" : "c:/windows/x.dll", &snapshot.digests[at]);
    at = add_bytes(EVENKEEL__OBJECT_KIND__CHUNK, make_chunk("c:/windows/system32/one.dll", &snapshot.digests[at]));

    struct digest chunks[2] = {snapshot.digests[at], has_more ? digest_of(more) : snapshot.digests[at]};
    Evenkeel__Inventory inventory = EVENKEEL__INVENTORY__INIT;
    inventory.chunks = field(chunks[0].bytes, (has_more || fault("twice") ? 2 : 1) * DIGEST_BYTES);
    add(EVENKEEL__OBJECT_KIND__INVENTORY, &inventory.base);
    Evenkeel__Facts facts = EVENKEEL__FACTS__INIT;
    facts.computer_name = text(call.computer != NULL ? call.computer : call.name);
    add(EVENKEEL__OBJECT_KIND__FACTS, &facts.base);
    Evenkeel__Times times = EVENKEEL__TIMES__INIT;
    times.metabase = 1;
    add(EVENKEEL__OBJECT_KIND__TIMES, &times.base);
    add(EVENKEEL__OBJECT_KIND__MACHINE_MARKS, &call.marks.base);
    if (has_more)
        add_bytes(EVENKEEL__OBJECT_KIND__CHUNK, more);
    else
        free((void *)more.data);
}

/* ---- requests ---- */

static struct bytes seal(const Evenkeel__Request *request)
{
    struct bytes sealed, payload;
    struct error error = {0};
    if (!fault("unknown-field")) {
        if (envelope_seal(&call.key, request, &sealed, &error) < 0)
            fatal(error.message);
        return sealed;
    }
    /* A field that no version has, honestly signed. */
    if (!object_pack(&request->base, &payload))
        fatal("no memory");
    uint8_t *longer = malloc(payload.length + 2);
    memcpy(longer, payload.data, payload.length);
    longer[payload.length] = 15 << 3;
    longer[payload.length + 1] = 1;
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_state state;
    static const char context[] = "evenkeel request 1";
    crypto_sign_init(&state);
    crypto_sign_update(&state, (const uint8_t *)context, sizeof context);
    crypto_sign_update(&state, longer, payload.length + 2);
    crypto_sign_final_create(&state, signature, NULL, call.key.secret_key);
    Evenkeel__Envelope envelope = EVENKEEL__ENVELOPE__INIT;
    envelope.version = ENVELOPE_VERSION;
    envelope.key = field(call.key.public_key, sizeof call.key.public_key);
    envelope.signature = field(signature, sizeof signature);
    envelope.payload = field(longer, payload.length + 2);
    if (!object_pack(&envelope.base, &sealed))
        fatal("no memory");
    free(longer);
    free((void *)payload.data);
    return sealed;
}

static nng_msg *damaged(struct bytes sealed)
{
    nng_msg *message;
    if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, sealed.data, sealed.length) != 0)
        fatal("no memory");
    uint8_t *bytes = nng_msg_body(message);
    if (fault("signature"))
        bytes[40] ^= 1; /* version 2 bytes, key 34, then the signature's own 2 */
    if (fault("version"))
        bytes[1] = 9;
    if (fault("cut"))
        nng_msg_chop(message, 7);
    if (fault("not-canonical"))
        nng_msg_append(message, "\x08\x01", 2); /* the version, once more */
    if (fault("oversize")) {
        static uint8_t more[OVERSIZE];
        nng_msg_append(message, more, sizeof more);
    }
    return message;
}

/* The answer, in the arena; NULL where there is none. */
static Evenkeel__Reply *ask(const Evenkeel__Request *request, struct arena *arena)
{
    struct bytes sealed = seal(request);
    nng_msg *message = damaged(sealed);
    free((void *)sealed.data);
    if (nng_sendmsg(peer, message, 0) != 0 || nng_recvmsg(peer, &message, 0) != 0)
        return NULL;
    const void *body = arena_copy(arena, nng_msg_body(message), nng_msg_len(message));
    Evenkeel__Reply *reply = evenkeel__reply__unpack(arena_allocator(arena), nng_msg_len(message), body);
    nng_msg_free(message);
    return reply;
}

static void fill_offer(Evenkeel__Offer *offer)
{
    evenkeel__offer__init(offer);
    offer->host_id = field(call.host, sizeof call.host);
    offer->sequence = call.sequence;
    offer->inventory = field(snapshot.digests[INVENTORY].bytes, DIGEST_BYTES);
    offer->facts = field(snapshot.digests[FACTS].bytes, DIGEST_BYTES);
    offer->times = field(snapshot.digests[TIMES].bytes, DIGEST_BYTES);
    offer->taken_at = call.taken_at;
    if (call.has_marks)
        offer->marks = field(snapshot.digests[MARKS].bytes, DIGEST_BYTES);
}

static Evenkeel__Reply *offer(struct arena *arena)
{
    Evenkeel__Offer body;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    fill_offer(&body);
    request.body_case = EVENKEEL__REQUEST__BODY_OFFER;
    request.offer = &body;
    return ask(&request, arena);
}

/* Gives the objects that are wanted; `want` NULL: all. */
static Evenkeel__Reply *give(const Evenkeel__Want *want, struct arena *arena)
{
    Evenkeel__Offer body;
    Evenkeel__Object *list[32], stranger = EVENKEEL__OBJECT__INIT;
    Evenkeel__Give give_body = EVENKEEL__GIVE__INIT;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    fill_offer(&body);
    give_body.offer = &body;
    give_body.objects = list;
    for (size_t i = 0; i < snapshot.count; i++) {
        bool wanted = want == NULL && (i != MARKS || call.has_marks);
        for (size_t k = 0; want != NULL && k < want->n_wanted; k++)
            for (size_t at = 0; at < want->wanted[k]->digests.len; at += DIGEST_BYTES)
                wanted |= want->wanted[k]->kind == snapshot.objects[i].kind &&
                          memcmp(want->wanted[k]->digests.data + at, snapshot.digests[i].bytes, DIGEST_BYTES) == 0;
        for (int times = fault("double") ? 2 : 1; wanted && times > 0; times--)
            list[give_body.n_objects++] = snapshot.list[i];
    }
    static const uint8_t empty_image[1] = {0};
    if (fault("unwanted")) {
        stranger.kind = EVENKEEL__OBJECT_KIND__IMAGE; /* the empty image, which nothing refers to */
        stranger.body = field(empty_image, 0);
        list[give_body.n_objects++] = &stranger;
    }
    request.body_case = EVENKEEL__REQUEST__BODY_GIVE;
    request.give = &give_body;
    return ask(&request, arena);
}

static Evenkeel__Reply *enroll(struct arena *arena)
{
    Evenkeel__Enroll body = EVENKEEL__ENROLL__INIT;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    body.host_name = text(call.name);
    if (call.token != NULL)
        body.token = text(call.token);
    if (call.has_marks)
        body.marks = &call.marks;
    request.body_case = EVENKEEL__REQUEST__BODY_ENROLL;
    request.enroll = &body;
    return ask(&request, arena);
}

/* ---- the answer, in a line ---- */

static void print(const Evenkeel__Reply *reply)
{
    if (reply == NULL) {
        puts("no answer");
        return;
    }
    switch (reply->body_case) {
    case EVENKEEL__REPLY__BODY_ENROLLED:
        if (reply->enrolled->approved) {
            char hex[33];
            sodium_bin2hex(hex, sizeof hex, reply->enrolled->host_id.data, reply->enrolled->host_id.len);
            printf("enrolled %s %llu\n", hex, (unsigned long long)reply->enrolled->sequence);
        } else {
            puts("pending");
        }
        break;
    case EVENKEEL__REPLY__BODY_ACCEPTED:
        printf("accepted %s", reply->accepted->changed ? "changed" : "unchanged");
        if (tells_when)
            printf(" at %lld", (long long)reply->accepted->valid_from);
        puts("");
        break;
    case EVENKEEL__REPLY__BODY_WANT:
        printf("want");
        for (size_t i = 0; i < reply->want->n_wanted; i++)
            printf(" %s", object_kind_name(reply->want->wanted[i]->kind));
        puts("");
        break;
    case EVENKEEL__REPLY__BODY_REFUSED:
        printf("refused %s %llu %.*s\n",
               protobuf_c_enum_descriptor_get_value(&evenkeel__refusal_reason__descriptor, (int)reply->refused->reason)
                   ->name,
               (unsigned long long)reply->refused->sequence, (int)reply->refused->sentence.len,
               (const char *)reply->refused->sentence.data);
        break;
    case EVENKEEL__REPLY__BODY_BUSY:
        printf("busy %u%s\n", reply->busy->retry_after, reply->busy->broken ? " broken" : "");
        break;
    default:
        puts("nonsense");
    }
}

static int act(const char *action)
{
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(8u << 20);
    Evenkeel__Reply *reply;
    if (strcmp(action, "enroll") == 0) {
        reply = enroll(arena);
    } else if (strcmp(action, "give") == 0) {
        reply = give(NULL, arena);
    } else {
        reply = offer(arena);
        while (strcmp(action, "push") == 0 && reply != NULL && reply->body_case == EVENKEEL__REPLY__BODY_WANT)
            reply = give(reply->want, arena);
    }
    print(reply);
    return 0;
}

static void set_key(const char *number)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = {0};
    snprintf((char *)seed, sizeof seed, "%s", number);
    crypto_sign_seed_keypair(call.key.public_key, call.key.secret_key, seed);
}

static void set_host(const char *hex)
{
    size_t length;
    if (sodium_hex2bin(call.host, sizeof call.host, hex, strlen(hex), "-", &length, NULL) != 0 || length != 16)
        fatal("--host is no host_id");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"name", required_argument, NULL, 'n'},
        {"token", required_argument, NULL, 't'},
        {"host", required_argument, NULL, 'h'},
        {"sequence", required_argument, NULL, 'q'},
        {"state", required_argument, NULL, 's'},
        {"taken", required_argument, NULL, 'T'},
        {"sid", required_argument, NULL, 'S'},
        {"guid", required_argument, NULL, 'G'},
        {"location", required_argument, NULL, 'L'},
        {"fault", required_argument, NULL, 'f'},
        {"tell", no_argument, NULL, 'N'},
        {"computer", required_argument, NULL, 'c'},
        {"when", no_argument, NULL, 'W'},
        {0},
    };
    static struct digest location;
    bool tells_name = false;
    if (sodium_init() < 0 || argc < 3)
        fatal("usage: request_client URL enroll|offer|give|push [OPTION]...");
    evenkeel__machine_marks__init(&call.marks);
    set_key("1");
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'k':
            set_key(optarg);
            break;
        case 'n':
            call.name = optarg;
            break;
        case 't':
            call.token = optarg;
            break;
        case 'h':
            set_host(optarg);
            break;
        case 'q':
            call.sequence = strtoull(optarg, NULL, 10);
            break;
        case 's':
            call.state = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'T':
            call.taken_at = strtoll(optarg, NULL, 10) * 1000000;
            break;
        case 'S':
            call.marks.machine_sid = text(optarg);
            call.has_marks = true;
            break;
        case 'G':
            call.marks.machine_guid = text(optarg);
            call.has_marks = true;
            break;
        case 'L':
            location = digest_of(bytes_of(optarg, strlen(optarg)));
            call.marks.key_location = field(location.bytes, DIGEST_BYTES);
            call.has_marks = true;
            break;
        case 'f':
            call.fault = optarg;
            break;
        case 'N':
            tells_name = call.has_marks = true;
            break;
        case 'c':
            call.computer = optarg;
            break;
        case 'W':
            tells_when = true;
            break;
        default:
            return 3;
        }
    }
    if (optind + 2 != argc)
        fatal("a URL and an action are needed");
    if (tells_name) {
        call.marks.host_name = text(call.name);
        call.marks.computer_name = text(call.computer != NULL ? call.computer : call.name);
    }
    make_snapshot();
    if (nng_req0_open(&peer) != 0 || nng_socket_set_ms(peer, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) != 0 ||
        nng_socket_set_ms(peer, NNG_OPT_RECVTIMEO, 30000) != 0 || nng_dial(peer, argv[optind], NULL, 0) != 0)
        fatal("nobody listens there");
    int status = act(argv[optind + 1]);
    nng_close(peer);
    for (size_t i = 0; i < snapshot.count; i++)
        free((void *)snapshot.bodies[i].data);
    return status;
}
