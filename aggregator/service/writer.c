/* The writer: one thread that stores what waits. */

#include "writer.h"

#include "aggregator/base/log.h"
#include "aggregator/base/monotonic.h"
#include "penalties.h"
#include "turns.h"
#include "waiting.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* A batch is as large as what has come in while the one before was committed, up to these. */
#define BATCH_REQUESTS (WRITER_QUEUE_REQUESTS / 3 * 2)
#define BATCH_WIRE_BYTES (48u << 20)
/* Requests that wait for others are looked at this often, where nothing else comes. */
#define HELD_MILLISECONDS 5
/* Who rests goes on where nobody else asked for so long. */
#define QUIET_MILLISECONDS 200

struct writer {
    struct writer_options options;
    char *dsn;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the queue and `stopping` */
    pthread_cond_t changed;
    struct waiting waiting;
    bool stopping;
    int64_t deadline; /* microseconds of the monotonic clock; when stopping */
    struct writer_counters counters;
    struct penalties penalties; /* the thread's own, as what follows */
    struct turns turns;
    int64_t others_at; /* when a request was last taken of who need not rest */
};

static void answer(struct writer *writer, struct request *request)
{
    if (request->refusal != 0)
        atomic_fetch_add(&writer->counters.refused[request->refusal], 1);
    atomic_fetch_sub(&writer->counters.queued_requests, 1);
    request->answered(request);
}

static unsigned seconds_since(const atomic_llong *moment)
{
    long long since = atomic_load(moment);
    int64_t passed = monotonic_now() - since;
    return since != 0 && passed > 0 ? (unsigned)(passed / MONOTONIC_SECOND) : 0;
}

unsigned writer_failing_seconds(const struct writer_counters *counters)
{
    unsigned failing = seconds_since(&counters->failing_since), storing = seconds_since(&counters->storing_since);
    return failing > storing ? failing : storing;
}

/* Notes that the database takes nothing, or that it does. */
static void note_failing(struct writer *writer, bool failing)
{
    long long none = 0;
    if (!failing)
        atomic_store(&writer->counters.failing_since, 0);
    else
        atomic_compare_exchange_strong(&writer->counters.failing_since, &none, monotonic_now());
}

static void answer_busy(struct writer *writer, struct request *request)
{
    request->refusal = 0;
    request_busy(request, WRITER_RETRY_SECONDS, writer_failing_seconds(&writer->counters) >= WRITER_BROKEN_SECONDS);
    atomic_fetch_add(&writer->counters.busy, 1);
    answer(writer, request);
}

void writer_submit(struct writer *writer, struct request *request)
{
    atomic_fetch_add(&writer->counters.requests, 1);
    size_t waiting = atomic_fetch_add(&writer->counters.queued_requests, 1);
    pthread_mutex_lock(&writer->lock);
    struct request *turned_away = NULL;
    if (writer->stopping || seconds_since(&writer->counters.storing_since) >= WRITER_PATIENCE_SECONDS) {
        turned_away = request;
    } else if (waiting >= WRITER_QUEUE_REQUESTS) {
        turned_away = waiting_displace(&writer->waiting, request);
        if (turned_away != NULL)
            atomic_fetch_add(&writer->counters.displaced, 1);
        else
            turned_away = request;
    }
    if (turned_away != request) {
        waiting_add(&writer->waiting, request);
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    if (turned_away != NULL)
        answer_busy(writer, turned_away);
}

static bool same_host(const struct request *a, const struct request *b)
{
    return a->kind == REQUEST_SNAPSHOT && b->kind == REQUEST_SNAPSHOT &&
           memcmp(a->offer->host_id.data, b->offer->host_id.data, 16) == 0;
}

/* host_ids of a batch, open addressing; a second request of a host waits for the next batch. */
struct host_set {
    const struct request *slots[4 * BATCH_REQUESTS];
};

static bool host_set_add(struct host_set *set, const struct request *request)
{
    if (request->kind != REQUEST_SNAPSHOT)
        return true;
    uint32_t hash;
    memcpy(&hash, request->offer->host_id.data, sizeof hash);
    size_t size = sizeof set->slots / sizeof *set->slots;
    for (size_t at = hash % size;; at = (at + 1) % size) {
        if (set->slots[at] == NULL) {
            set->slots[at] = request;
            return true;
        }
        if (same_host(set->slots[at], request))
            return false;
    }
}

/* Who sent it: a key may speak for several hosts, and what one of them has costs that one. */
static struct digest sender_of(const struct request *request)
{
    uint8_t text[32 + 16] = {0};
    memcpy(text, request->key.data, request->key.length < 32 ? request->key.length : 32);
    if (request->kind == REQUEST_SNAPSHOT)
        memcpy(text + 32, request->offer->host_id.data, 16);
    return digest_of(bytes_of(text, sizeof text));
}

/* Until when a request has to wait because its sender took much; 0: it has not. */
static int64_t rest_of(const struct writer *writer, const struct request *request, int64_t now)
{
    if (request->bytes < TURNS_BYTES || writer->turns.count == 0)
        return 0;
    struct digest sender = sender_of(request);
    return turns_rest(&writer->turns, &sender, now);
}

/* Takes a batch of what waits. Where all that waits has to rest it is none, and `until` says how long. */
static size_t take_waiting(struct writer *writer, struct request *batch[BATCH_REQUESTS], struct host_set *hosts,
                           int64_t *until)
{
    int64_t now = monotonic_now();
    int64_t quiet_at = writer->others_at + QUIET_MILLISECONDS * MONOTONIC_MILLISECOND;
    bool all = writer->stopping || now >= quiet_at;
    size_t count = 0, bytes = 0;
    memset(hosts, 0, sizeof *hosts);
    *until = quiet_at;
    struct request **at = &writer->waiting.first;
    while (*at != NULL && count < BATCH_REQUESTS && bytes < BATCH_WIRE_BYTES) {
        struct request *request = *at;
        int64_t rest = rest_of(writer, request, now);
        if (rest != 0 && !all && rest < *until)
            *until = rest;
        if ((rest != 0 && !all) || !host_set_add(hosts, request)) {
            at = &request->next;
            continue;
        }
        if (rest == 0)
            writer->others_at = now;
        *at = request->next;
        batch[count++] = request;
        bytes += request->bytes;
    }
    writer->waiting.last = &writer->waiting.first;
    while (*writer->waiting.last != NULL)
        writer->waiting.last = &(*writer->waiting.last)->next;
    return count;
}

/* Waits for requests and takes a batch; 0 when stopping and nothing waits. */
static size_t take(struct writer *writer, struct request *batch[BATCH_REQUESTS], struct host_set *hosts)
{
    size_t count = 0;
    int64_t until;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (writer->waiting.first == NULL && !writer->stopping)
            pthread_cond_wait(&writer->changed, &writer->lock);
        if (writer->waiting.first == NULL || (count = take_waiting(writer, batch, hosts, &until)) > 0)
            break;
        monotonic_wait(&writer->changed, &writer->lock, until);
    }
    pthread_mutex_unlock(&writer->lock);
    return count;
}

/* Each pays by its bytes. */
static void charge(struct writer *writer, struct request **batch, size_t count, int64_t started)
{
    int64_t now = monotonic_now();
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += batch[i]->bytes;
    for (size_t i = 0; i < count; i++) {
        if (batch[i]->bytes < TURNS_BYTES)
            continue;
        struct digest sender = sender_of(batch[i]);
        turns_charge(&writer->turns, &sender,
                     (int64_t)((double)(now - started) * (double)batch[i]->bytes / (double)bytes), now);
    }
}

static void count_outcome(struct writer *writer, const struct store_outcome *outcome, int64_t started)
{
    struct writer_counters *counters = &writer->counters;
    atomic_fetch_add(&counters->batches, 1);
    atomic_fetch_add(&counters->accepted, outcome->accepted);
    atomic_fetch_add(&counters->unchanged, outcome->unchanged);
    atomic_fetch_add(&counters->wants, outcome->wants);
    atomic_fetch_add(&counters->enrolled, outcome->enrolled);
    atomic_fetch_add(&counters->commit_microseconds, (unsigned long long)(monotonic_now() - started));
    if (outcome->snapshots + outcome->coming > 0 && writer->options.stored != NULL)
        writer->options.stored(writer->options.context, outcome->snapshots + outcome->coming);
}

/* All that waits: what holds up this batch would hold up the next, and a collector waits for an answer only so long. */
static void answer_waiting_busy(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct request *waiting = writer->waiting.first;
    waiting_clear(&writer->waiting);
    pthread_mutex_unlock(&writer->lock);
    for (struct request *next; waiting != NULL; waiting = next) {
        next = waiting->next;
        answer_busy(writer, waiting);
    }
}

static bool is_stopping(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool stopping = writer->stopping;
    pthread_mutex_unlock(&writer->lock);
    return stopping;
}

/* Whether the time to drain what waits is over. */
static bool is_late(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool late = writer->stopping && monotonic_now() > writer->deadline;
    pthread_mutex_unlock(&writer->lock);
    return late;
}

static void refuse_unstorable(struct request *request, const char *reason)
{
    char sentence[sizeof((struct error){0}.message) + 160];
    snprintf(sentence, sizeof sentence,
             "the database can't take this (%s): what is known of the host stays as it was; tell whoever runs the "
             "aggregator",
             reason);
    request_refuse(request, EVENKEEL__REFUSAL_REASON__NOT_STORED, 0, sentence);
}

/* A request that the database refused alone as it did in company. It costs the sender: its bytes are counted, and for a
 * while it is refused without another try. */
static void give_up(struct writer *writer, struct store *store, struct request *request, const char *reason)
{
    struct digest sender = sender_of(request);
    struct error error = {0};
    penalties_add(&writer->penalties, &sender, reason, monotonic_now());
    if (store_count_refused(store, request, &error) < 0)
        log_line(LOG_PRIORITY_WARNING, "not-counted", "message=%s", JOURNAL_QUOTED(error.message));
    refuse_unstorable(request, reason);
    answer(writer, request);
}

/* Answers those whose penalty goes on; the rest moves up. Returns how many are left. */
static size_t refuse_penalised(struct writer *writer, struct request **batch, size_t count)
{
    size_t left = 0;
    if (writer->penalties.count == 0)
        return count;
    int64_t now = monotonic_now();
    for (size_t i = 0; i < count; i++) {
        struct digest sender = sender_of(batch[i]);
        const struct penalty *penalty = penalties_find(&writer->penalties, &sender, now);
        if (penalty == NULL) {
            batch[left++] = batch[i];
            continue;
        }
        refuse_unstorable(batch[i], penalty->reason);
        answer(writer, batch[i]);
    }
    return left;
}

/*
 * Stores a batch; where that fails although the database is there, once more (another aggregator may have stored the
 * same object at the same moment), then half by half, so that one that the database can't take does not keep the others
 * out but is refused, and too many at once become few enough. The store is given up on a lost connection.
 */
static void store_all(struct writer *writer, struct store **store, struct request **batch, size_t count, bool again)
{
    struct store_outcome outcome;
    struct error error = {0};
    int64_t started = monotonic_now();
    if (*store != NULL && store_batch(*store, batch, count, &outcome, &error) == 0) {
        note_failing(writer, false);
        count_outcome(writer, &outcome, started);
        charge(writer, batch, count, started);
        if (outcome.came_back > 0)
            log_line(LOG_PRIORITY_NOTICE, "hosts-came-back", "hosts=%u names=%s", outcome.came_back,
                     JOURNAL_QUOTED(outcome.came_back_names));
        for (size_t i = 0; i < count; i++)
            answer(writer, batch[i]);
        return;
    }
    if (*store != NULL) {
        atomic_fetch_add(&writer->counters.failures, 1);
        log_line(error.code == ERROR_NETWORK ? LOG_PRIORITY_ERROR : LOG_PRIORITY_WARNING, "batch-failed",
                 "requests=%zu message=%s", count, JOURNAL_QUOTED(error.message));
    }
    for (size_t i = 0; i < count; i++)
        batch[i]->refusal = 0;
    /* Something holds a lock, or this program is stopping: later is the honest answer for all of them. */
    bool try_on = *store != NULL && error.code != ERROR_NETWORK && error.code != ERROR_BUSY && !is_late(writer);
    if (try_on && again && (error.code == ERROR_DATABASE || error.code == ERROR_CONFLICT)) {
        store_all(writer, store, batch, count, false);
    } else if (try_on && count > 1) {
        store_all(writer, store, batch, count / 2, true);
        store_all(writer, store, batch + count / 2, count - count / 2, true);
    } else if (try_on && error.code == ERROR_DATABASE) {
        /* It is the request's fault, not the database's. */
        note_failing(writer, false);
        give_up(writer, *store, batch[0], error.message);
    } else {
        note_failing(writer, !is_late(writer));
        if (error.code == ERROR_NETWORK) {
            store_close(*store);
            *store = NULL;
        }
        for (size_t i = 0; i < count; i++)
            answer_busy(writer, batch[i]);
        if (error.code == ERROR_BUSY)
            answer_waiting_busy(writer);
    }
}

/*
 * Puts back what had better wait until other hosts gave what it would be asked for, too; the rest moves up. Returns how
 * many are left.
 */
static size_t hold_back(struct writer *writer, struct store *store, struct request **batch, size_t count)
{
    struct waiting held;
    waiting_clear(&held);
    int64_t now = monotonic_now();
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct request *request = batch[i];
        if (request->kind != REQUEST_SNAPSHOT || !store_should_wait(store, request, now)) {
            batch[left++] = request;
            continue;
        }
        if (request->held_since == 0) {
            request->held_since = now;
            atomic_fetch_add(&writer->counters.held, 1);
        }
        waiting_add(&held, request);
    }
    if (held.first == NULL)
        return left;
    pthread_mutex_lock(&writer->lock);
    *writer->waiting.last = held.first;
    writer->waiting.last = held.last;
    if (left == 0 && !writer->stopping) {
        monotonic_wait(&writer->changed, &writer->lock, monotonic_now() + HELD_MILLISECONDS * MONOTONIC_MILLISECOND);
    }
    pthread_mutex_unlock(&writer->lock);
    return left;
}

static void *run(void *context)
{
    struct writer *writer = context;
    struct error error = {0};
    struct store *store = store_open(writer->dsn, &writer->options.store, &error);
    struct request **batch = calloc(BATCH_REQUESTS, sizeof *batch);
    struct host_set *hosts = malloc(sizeof *hosts);
    size_t count;
    while (batch != NULL && hosts != NULL && (count = take(writer, batch, hosts)) > 0) {
        bool late = is_late(writer);
        if (store == NULL && !late) {
            store = store_open(writer->dsn, &writer->options.store, &error);
            log_line(store != NULL ? LOG_PRIORITY_NOTICE : LOG_PRIORITY_ERROR,
                     store != NULL ? "reconnected" : "no-database", "message=%s",
                     JOURNAL_QUOTED(store != NULL ? "" : error.message));
        }
        if (late) {
            for (size_t i = 0; i < count; i++)
                answer_busy(writer, batch[i]);
        } else {
            size_t left = refuse_penalised(writer, batch, count);
            if (left > 0 && store != NULL && !is_stopping(writer))
                left = hold_back(writer, store, batch, left);
            if (left > 0) {
                atomic_store(&writer->counters.storing_since, monotonic_now());
                store_all(writer, &store, batch, left, true);
                atomic_store(&writer->counters.storing_since, 0);
            }
        }
    }
    free(batch);
    free(hosts);
    store_close(store);
    penalties_clear(&writer->penalties);
    return NULL;
}

struct writer *writer_start(const struct writer_options *options, struct error *error)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL || (writer->dsn = strdup(options->dsn)) == NULL) {
        free(writer);
        error_set(error, ERROR_MEMORY, "no memory for the writer");
        return NULL;
    }
    writer->options = *options;
    waiting_clear(&writer->waiting);
    pthread_mutex_init(&writer->lock, NULL);
    monotonic_condition(&writer->changed);
    int failed = pthread_create(&writer->thread, NULL, run, writer);
    if (failed != 0) {
        error_set(error, ERROR_IO, "can't start the writer: %s", strerror(failed));
        free(writer->dsn);
        free(writer);
        return NULL;
    }
    return writer;
}

struct writer_counters *writer_counters(struct writer *writer)
{
    return &writer->counters;
}

void writer_stop(struct writer *writer, unsigned seconds)
{
    pthread_mutex_lock(&writer->lock);
    writer->deadline = monotonic_now() + (int64_t)seconds * MONOTONIC_SECOND;
    writer->stopping = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
}

void writer_free(struct writer *writer)
{
    if (writer == NULL)
        return;
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer->dsn);
    free(writer);
}
