/*
 * A fleet in one process: many hosts that talk to a real aggregator through the real protocol over real nng, each with
 * a key of its own. Files are images that no disk holds, at the levels of Windows Server 2003; one host in a hundred
 * has an iisutil.dll of RTM on SP2 and must be found mixed, no other.
 *
 *   simulate --url URL [--hosts N] [--files F] [--in-flight K] [--differ chunks|random|none] [--rounds ROUND,...]
 *            [--name PREFIX] [--first I] [--pause SECONDS] [--stepwise] [--prepared]
 *
 * Rounds: enroll (nothing else), first, unchanged, change (another build of one file), mix (iisutil.dll goes to RTM, or
 * back where it was), patch (one update for all hosts: two thirds of the files are others, the same on all), browser
 * (the like of 1 %), with a pause in between; stepwise: each when a line comes from standard input. Prints one line per
 * round: hosts, requests, bytes both ways, seconds, when it began, and how long hosts waited, the median, the 99th
 * percentile and the longest. They share as many connections as what is in flight needs. With --prepared, what hosts
 * will send in a round is made before its clock starts: their own work, of which no aggregator sees anything, is not
 * measured then.
 * Exit 0 only if every snapshot was accepted.
 */

#include "simulated_fleet.h"

#include "aggregator/service/peer.h"
#include "proto/arena.h"
#include "proto/chunk.h"
#include "proto/cleanup.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <getopt.h>
#include <inttypes.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUSY_MILLISECONDS = 200 }; /* of rest after 'busy', whatever the answer says: it is a bench */

/* One conversation in flight. */
struct talk {
    nng_ctx context;
    nng_aio *aio;
    struct host *host;
    int steps;
    bool rests; /* after 'busy' */
    double began;
};

static struct host *hosts;
static double *waited; /* by host, in this round: seconds until it was accepted */
static bool prepared;  /* what hosts send is made before the clock starts */
static nng_socket request_socket;
static atomic_uint next_host, accepted, busy, failed, talking;
static atomic_ullong requests, sent_bytes, received_bytes;
static enum round {
    ROUND_ENROLL,
    ROUND_FIRST,
    ROUND_UNCHANGED,
    ROUND_CHANGE,
    ROUND_MIX,
    ROUND_PATCH,
    ROUND_BROWSER
} current_round;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void send_request(struct talk *talk, const Evenkeel__Request *request)
{
    struct bytes sealed;
    struct error error = {0};
    nng_msg *message;
    if (envelope_seal(&talk->host->key, request, &sealed, &error) < 0)
        fatal("seal", error.message);
    if (nng_msg_alloc(&message, 0) != 0 || nng_msg_append(message, sealed.data, sealed.length) != 0)
        fatal("message", "no memory");
    atomic_fetch_add(&requests, 1);
    atomic_fetch_add(&sent_bytes, sealed.length);
    free((void *)sealed.data);
    nng_aio_set_msg(talk->aio, message);
    nng_ctx_send(talk->context, talk->aio);
}

static void fill_offer(const struct talk *talk, Evenkeel__Offer *offer)
{
    evenkeel__offer__init(offer);
    offer->host_id = (ProtobufCBinaryData){.len = 16, .data = talk->host->id};
    offer->sequence = talk->host->sequence;
    offer->inventory =
        (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = (uint8_t *)talk->host->snapshot.inventory_digest.bytes};
    offer->facts =
        (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = (uint8_t *)talk->host->snapshot.facts_digest.bytes};
    offer->times =
        (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = (uint8_t *)talk->host->snapshot.times_digest.bytes};
    offer->taken_at = (int64_t)1700000000 * 1000000 + (int64_t)talk->host->sequence;
}

static void send_offer(struct talk *talk)
{
    Evenkeel__Offer offer;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    fill_offer(talk, &offer);
    request.body_case = EVENKEEL__REQUEST__BODY_OFFER;
    request.offer = &offer;
    send_request(talk, &request);
}

static void send_enroll(struct talk *talk)
{
    char name[64];
    Evenkeel__Enroll enroll = EVENKEEL__ENROLL__INIT;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    snprintf(name, sizeof name, "%s%06u", fleet.prefix, talk->host->number);
    enroll.host_name = text(name);
    request.body_case = EVENKEEL__REQUEST__BODY_ENROLL;
    request.enroll = &enroll;
    send_request(talk, &request);
}

static struct bytes body_of(const struct snapshot *snapshot, Evenkeel__ObjectKind kind, const struct digest *digest)
{
    struct bytes own;
    switch (kind) {
    case EVENKEEL__OBJECT_KIND__INVENTORY:
        return snapshot->inventory;
    case EVENKEEL__OBJECT_KIND__FACTS:
        return snapshot->facts;
    case EVENKEEL__OBJECT_KIND__TIMES:
        return snapshot->times;
    default:
        own = find_object(&snapshot->objects, digest);
        return own.data != NULL ? own : find_object(&fleet.objects, digest);
    }
}

static void send_give(struct talk *talk, const Evenkeel__Want *want)
{
    Evenkeel__Offer offer;
    Evenkeel__Give give = EVENKEEL__GIVE__INIT;
    Evenkeel__Request request = EVENKEEL__REQUEST__INIT;
    _cleanup_free_ Evenkeel__Object *objects = calloc(LIMIT_WANTED_DIGESTS, sizeof *objects);
    _cleanup_free_ Evenkeel__Object **list = calloc(LIMIT_WANTED_DIGESTS, sizeof *list);
    const struct snapshot *snapshot = &talk->host->snapshot;
    size_t bytes = 0;
    fill_offer(talk, &offer);
    give.offer = &offer;
    give.objects = list;
    for (size_t i = 0; i < want->n_wanted; i++) {
        const Evenkeel__Wanted *wanted = want->wanted[i];
        for (size_t at = 0; at < wanted->digests.len && bytes < LIMIT_GIVE_BYTES; at += DIGEST_BYTES) {
            struct digest digest;
            memcpy(digest.bytes, wanted->digests.data + at, DIGEST_BYTES);
            struct bytes body = body_of(snapshot, wanted->kind, &digest);
            Evenkeel__Object *object = &objects[give.n_objects];
            evenkeel__object__init(object);
            object->kind = wanted->kind;
            object->body = (ProtobufCBinaryData){.len = body.length, .data = (uint8_t *)body.data};
            list[give.n_objects++] = object;
            bytes += body.length;
        }
    }
    request.body_case = EVENKEEL__REQUEST__BODY_GIVE;
    request.give = &give;
    send_request(talk, &request);
}

/* As a collector does of whose host nothing was accepted yet: what no other host can have given goes with the offer. */
static void send_first(struct talk *talk)
{
    struct {
        Evenkeel__ObjectKind kind;
        const struct digest *digest;
    } ahead[] = {{EVENKEEL__OBJECT_KIND__FACTS, &talk->host->snapshot.facts_digest},
                 {EVENKEEL__OBJECT_KIND__TIMES, &talk->host->snapshot.times_digest},
                 {EVENKEEL__OBJECT_KIND__INVENTORY, &talk->host->snapshot.inventory_digest}};
    enum { AHEAD = sizeof ahead / sizeof *ahead };
    Evenkeel__Wanted kinds[AHEAD], *list[AHEAD];
    Evenkeel__Want want = EVENKEEL__WANT__INIT;
    for (size_t i = 0; i < AHEAD; i++) {
        evenkeel__wanted__init(&kinds[i]);
        kinds[i].kind = ahead[i].kind;
        kinds[i].digests = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = (uint8_t *)ahead[i].digest->bytes};
        list[i] = &kinds[i];
    }
    want.wanted = list;
    want.n_wanted = AHEAD;
    send_give(talk, &want);
}

static void send_snapshot(struct talk *talk)
{
    if (current_round == ROUND_FIRST)
        send_first(talk);
    else
        send_offer(talk);
}

static void talk_begin(struct talk *talk)
{
    talk->steps = 0;
    if (talk->host->enrolled && current_round != ROUND_ENROLL)
        send_snapshot(talk);
    else
        send_enroll(talk);
}

/* Lets a host come to what it has in this round. */
static void prepare(struct host *host)
{
    if (current_round == ROUND_CHANGE)
        host->version++;
    if (current_round == ROUND_MIX)
        host->flipped = !host->flipped;
    host->build = fleet.builds;
    if (current_round != ROUND_ENROLL) {
        make_snapshot(host);
        host->sequence++;
    }
}

/* Takes the next host of the round, or ends this talk. */
static void talk_next(struct talk *talk)
{
    unsigned number = atomic_fetch_add(&next_host, 1);
    if (talk->host != NULL)
        clear_snapshot(talk->host);
    talk->host = NULL;
    if (number >= fleet.hosts) {
        atomic_fetch_sub(&talking, 1);
        return;
    }
    talk->host = &hosts[number];
    if (!prepared)
        prepare(talk->host);
    talk->began = seconds_now();
    talk_begin(talk);
}

static void talk_reply(struct talk *talk, struct bytes answer)
{
    _cleanup_(cleanup_arena) struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    Evenkeel__Reply *reply =
        arena != NULL ? evenkeel__reply__unpack(arena_allocator(arena), answer.length, answer.data) : NULL;
    atomic_fetch_add(&received_bytes, answer.length);
    if (reply == NULL || ++talk->steps > 100)
        fatal("reply", "not one of an aggregator, or no end of it");
    switch (reply->body_case) {
    case EVENKEEL__REPLY__BODY_ENROLLED:
        if (!reply->enrolled->approved)
            fatal("enrolment", "not approved: serve with --trust-on-first-use");
        memcpy(talk->host->id, reply->enrolled->host_id.data, 16);
        talk->host->enrolled = true;
        if (current_round != ROUND_ENROLL) {
            send_snapshot(talk);
            return;
        }
        atomic_fetch_add(&accepted, 1);
        break;
    case EVENKEEL__REPLY__BODY_WANT:
        send_give(talk, reply->want);
        return;
    case EVENKEEL__REPLY__BODY_ACCEPTED:
        atomic_fetch_add(&accepted, 1);
        break;
    case EVENKEEL__REPLY__BODY_BUSY:
        atomic_fetch_add(&busy, 1);
        talk->rests = true;
        nng_sleep_aio(BUSY_MILLISECONDS, talk->aio);
        return;
    default:
        fprintf(stderr, "host %u: refused: %.*s\n", talk->host->number,
                reply->body_case == EVENKEEL__REPLY__BODY_REFUSED ? (int)reply->refused->sentence.len : 0,
                reply->body_case == EVENKEEL__REPLY__BODY_REFUSED ? (const char *)reply->refused->sentence.data : "");
        atomic_fetch_add(&failed, 1);
    }
    waited[talk->host - hosts] = seconds_now() - talk->began;
    talk_next(talk);
}

/* Alternates: a send completes, then a receive; nng calls it on its own threads. */
static void talk_step(void *context)
{
    struct talk *talk = context;
    int result = nng_aio_result(talk->aio);
    if (result != 0)
        fatal("nng", nng_strerror(result));
    if (talk->rests) {
        talk->rests = false;
        talk_begin(talk);
        return;
    }
    nng_msg *message = nng_aio_get_msg(talk->aio);
    if (message == NULL) {
        nng_ctx_recv(talk->context, talk->aio);
        return;
    }
    nng_aio_set_msg(talk->aio, NULL);
    talk_reply(talk, bytes_of(nng_msg_body(message), nng_msg_len(message)));
    nng_msg_free(message);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static void run_round(const char *name, struct talk *talks, unsigned in_flight)
{
    if (current_round == ROUND_PATCH || current_round == ROUND_BROWSER)
        make_build(current_round == ROUND_PATCH ? UPDATE_WINDOWS : UPDATE_BROWSER);
    for (unsigned i = 0; prepared && i < fleet.hosts; i++)
        prepare(&hosts[i]);
    double started = seconds_now();
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    atomic_store(&next_host, 0);
    atomic_store(&accepted, 0);
    atomic_store(&busy, 0);
    atomic_store(&requests, 0);
    atomic_store(&sent_bytes, 0);
    atomic_store(&received_bytes, 0);
    atomic_store(&talking, in_flight);
    for (unsigned i = 0; i < in_flight; i++)
        talk_next(&talks[i]);
    while (atomic_load(&talking) > 0)
        nng_msleep(5);
    double seconds = seconds_now() - started;
    qsort(waited, fleet.hosts, sizeof *waited, compare);
    printf("%s hosts=%u accepted=%u requests=%llu sent=%llu received=%llu seconds=%.3f hosts_per_second=%.0f busy=%u "
           "began=%.6f median_ms=%.3f p99_ms=%.3f longest_ms=%.3f\n",
           name, fleet.hosts, atomic_load(&accepted), atomic_load(&requests), atomic_load(&sent_bytes),
           atomic_load(&received_bytes), seconds, fleet.hosts / seconds, atomic_load(&busy),
           (double)clock.tv_sec + (double)clock.tv_nsec / 1e9, 1e3 * waited[fleet.hosts / 2],
           1e3 * waited[(size_t)fleet.hosts * 99 / 100], 1e3 * waited[fleet.hosts - 1]);
    fflush(stdout);
}

static enum round round_of(const char *name)
{
    static const char *const names[] = {"enroll", "first", "unchanged", "change", "mix", "patch", "browser"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum round)i;
    fatal(name, "there is no such round");
    return ROUND_FIRST;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},    {"hosts", required_argument, NULL, 'n'},
        {"files", required_argument, NULL, 'f'},  {"in-flight", required_argument, NULL, 'k'},
        {"differ", required_argument, NULL, 'd'}, {"rounds", required_argument, NULL, 'r'},
        {"name", required_argument, NULL, 'p'},   {"first", required_argument, NULL, 'i'},
        {"pause", required_argument, NULL, 's'},  {"stepwise", no_argument, NULL, 'w'},
        {"prepared", no_argument, NULL, 'b'},     {0}};
    const char *url = NULL;
    char *rounds = strdup("first,unchanged");
    unsigned in_flight = 256, pause_milliseconds = 0;
    bool stepwise = false;
    fleet.hosts = 1000;
    fleet.files = 300;
    fleet.differ = DIFFER_CHUNKS;
    fleet.prefix = "sim-";
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'u':
            url = optarg;
            break;
        case 'n':
            fleet.hosts = (unsigned)atoi(optarg);
            break;
        case 'f':
            fleet.files = (unsigned)atoi(optarg);
            break;
        case 'k':
            in_flight = (unsigned)atoi(optarg);
            break;
        case 'd':
            fleet.differ = strcmp(optarg, "chunks") == 0   ? DIFFER_CHUNKS
                           : strcmp(optarg, "random") == 0 ? DIFFER_RANDOM
                                                           : DIFFER_NONE;
            break;
        case 'r':
            free(rounds);
            rounds = strdup(optarg);
            break;
        case 'p':
            fleet.prefix = optarg;
            break;
        case 'i':
            fleet.first = (unsigned)atoi(optarg);
            break;
        case 'b':
            prepared = true;
            break;
        case 'w':
            stepwise = true;
            break;
        case 's':
            pause_milliseconds = (unsigned)(atof(optarg) * 1000);
            break;
        default:
            return 1;
        }
    }
    if (url == NULL || rounds == NULL || fleet.files < 1 || in_flight < 1 || sodium_init() < 0)
        fatal("usage", "simulate --url URL [OPTION]...; the head of its source tells the options");
    in_flight = in_flight < fleet.hosts ? in_flight : fleet.hosts;
    make_fleet();
    hosts = calloc(fleet.hosts, sizeof *hosts);
    waited = calloc(fleet.hosts, sizeof *waited);
    if (hosts == NULL || waited == NULL)
        fatal("hosts", "no memory");
    for (unsigned i = 0; i < fleet.hosts; i++) {
        hosts[i].number = fleet.first + i;
        crypto_sign_keypair(hosts[i].key.public_key, hosts[i].key.secret_key);
    }
    int result = nng_req0_open(&request_socket);
    if (result == 0)
        result = nng_socket_set_ms(request_socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    for (unsigned i = 0; result == 0 && i < in_flight; i += PEER_REQUESTS)
        result = nng_dial(request_socket, url, NULL, 0);
    if (result != 0)
        fatal(url, nng_strerror(result));
    struct talk *talks = calloc(in_flight, sizeof *talks);
    for (unsigned i = 0; talks != NULL && i < in_flight; i++)
        if (nng_ctx_open(&talks[i].context, request_socket) != 0 ||
            nng_aio_alloc(&talks[i].aio, talk_step, &talks[i]) != 0)
            fatal("contexts", "no memory");
    unsigned wrong = 0;
    for (char *round = strtok(rounds, ","); round != NULL; round = strtok(NULL, ",")) {
        current_round = round_of(round);
        nng_msleep((nng_duration)pause_milliseconds);
        for (int c = 0; stepwise && c != '\n';)
            if ((c = getchar()) == EOF)
                fatal(round, "standard input ended");
        run_round(round, talks, in_flight);
        wrong += fleet.hosts - atomic_load(&accepted);
    }
    for (unsigned i = 0; i < in_flight; i++)
        nng_aio_free(talks[i].aio);
    nng_close(request_socket);
    free(talks);
    free(hosts);
    free(waited);
    free_fleet();
    free(rounds);
    return wrong == 0 && atomic_load(&failed) == 0 ? 0 : 1;
}
