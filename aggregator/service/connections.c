/* Who is connected: the doors, the places, and a thread that ends what is at its end. */

#include "connections_inside.h"

#include "aggregator/base/log.h"
#include "aggregator/base/monotonic.h"

#include <stdlib.h>
#include <string.h>

#define DOORS_MAXIMUM 16
/* Newcomers of an address that may be let in at once: nng's threads work on what comes in turn, and a rush of messages
 * must not leave everybody else standing outside. */
#define ENTRIES 16
#define LOOK_MILLISECONDS 250 /* how often it is looked for what is late */
#define LOG_SECONDS 60        /* between two lines on the same kind of end */

/* One that is waited for. */
struct entry {
    struct door *door;
    nng_aio *accepting;
    bool resting; /* under the set's lock: nobody is accepted until the set's thread goes on with that */
};

/* An address that is listened on. */
struct door {
    struct connections *set;
    nng_stream_listener *listener;
    bool local;
    struct entry entries[ENTRIES];
};

/* Connections in the order in which they came here, or were heard last. */
struct list {
    struct connection *first, *last;
    size_t count;
    struct tally *sources; /* how many each address has; NULL where that is not counted */
};

struct connections {
    struct connections_options options;
    struct connections_counters *counters;
    struct door doors[DOORS_MAXIMUM];
    int door_count;
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows, and what connections_inside.h names */
    pthread_cond_t changed;
    struct list levels[LEVELS];
    struct list ended;
    size_t count;           /* in all levels */
    size_t held;            /* these, and what is not freed yet */
    struct tally *vouching; /* how many trusted ones each key has */
    bool started, closed, stopping;
    unsigned long long untold[CONNECTION_ENDS];
    int64_t told_at[CONNECTION_ENDS]; /* 0: never */
    char last_address[CONNECTION_ENDS][64];
};

static const struct {
    const char *name, *sentence;
} ends[CONNECTION_ENDS] = {
    [CONNECTION_LATE] = {"late", "did not finish the handshake in time"},
    [CONNECTION_STALLED] = {"stalled", "fell silent in the midst of a message"},
    [CONNECTION_UNREAD] = {"unread", "did not read what they had asked for"},
    [CONNECTION_MALFORMED] = {"malformed", "did not speak the protocol"},
    [CONNECTION_DISPLACED] = {"displaced", "gave their places to others, for all were taken"},
    [CONNECTION_TURNED_AWAY] = {"turned-away", "found no place: all are held by others that speak"},
};

const char *connection_end_name(enum connection_end end)
{
    return ends[end].name;
}

const struct connection_kind *connections_kind(const struct connections *set)
{
    return set->options.kind;
}

void *connections_context(const struct connections *set)
{
    return set->options.context;
}

/* What follows is called under the set's lock, but for what begins with connections_, accepted() and run(). */

static void append(struct list *list, struct connection *connection)
{
    connection->previous = list->last;
    connection->next = NULL;
    if (list->last != NULL)
        list->last->next = connection;
    else
        list->first = connection;
    list->last = connection;
    list->count++;
    connection->has_source = list->sources != NULL && tally_add(list->sources, &connection->source);
}

static void take_out(struct list *list, struct connection *connection)
{
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        list->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    else
        list->last = connection->previous;
    list->count--;
    if (connection->has_source)
        tally_drop(list->sources, &connection->source);
    connection->has_source = false;
}

static void end_one(struct connections *set, struct connection *connection, enum connection_end end)
{
    if (connection->end != CONNECTION_OPEN)
        return;
    connection->end = end;
    take_out(&set->levels[connection->level], connection);
    if (connection->has_key)
        tally_drop(set->vouching, &connection->key);
    if (connection->level == LEVEL_OPENING)
        atomic_fetch_sub(&set->counters->opening, 1);
    atomic_fetch_sub(&set->counters->open, 1);
    atomic_fetch_add(&set->counters->ended[end], 1);
    set->count--;
    append(&set->ended, connection);
    if (ends[end].name != NULL) {
        set->untold[end]++;
        memcpy(set->last_address[end], connection->address, sizeof connection->address);
    }
    pthread_cond_signal(&set->changed);
}

/* Who goes for a newcomer; NULL: nobody. */
static struct connection *find_victim(struct connections *set, const struct connection *newcomer)
{
    struct tally_key source;
    const struct list *most = &set->levels[LEVEL_OPENING];
    for (int level = LEVEL_SILENT; level < LEVEL_TRUSTED; level++)
        if (set->levels[level].count > most->count)
            most = &set->levels[level];
    if (tally_greatest(most->sources, &source))
        for (struct connection *victim = most->first; victim != NULL && victim != newcomer; victim = victim->next)
            if (victim->has_source && memcmp(&victim->source, &source, sizeof source) == 0)
                return victim;
    if (most->first != NULL && most->first != newcomer)
        return most->first;
    struct connection *trusted = set->levels[LEVEL_TRUSTED].first;
    int64_t silent_since = newcomer->came_at - CONNECTIONS_SILENT_SECONDS * MONOTONIC_SECOND;
    return trusted != NULL && trusted->heard_at < silent_since ? trusted : NULL;
}

static void admit(struct connections *set, struct connection *connection)
{
    append(&set->levels[LEVEL_OPENING], connection);
    set->count++;
    set->held++;
    atomic_fetch_add(&set->counters->open, 1);
    atomic_fetch_add(&set->counters->opening, 1);
    if (set->closed) {
        end_one(set, connection, CONNECTION_GONE);
    } else if (set->count > set->options.most) {
        struct connection *victim = find_victim(set, connection);
        end_one(set, victim != NULL ? victim : connection,
                victim != NULL ? CONNECTION_DISPLACED : CONNECTION_TURNED_AWAY);
    }
}

void connections_ended(struct connections *set, struct connection *connection, enum connection_end end)
{
    pthread_mutex_lock(&set->lock);
    end_one(set, connection, end);
    pthread_mutex_unlock(&set->lock);
}

static void move(struct connections *set, struct connection *connection, enum connection_level level)
{
    if (connection->level == LEVEL_OPENING && level != LEVEL_OPENING)
        atomic_fetch_sub(&set->counters->opening, 1);
    take_out(&set->levels[connection->level], connection);
    append(&set->levels[level], connection);
    connection->level = level;
}

void connections_level(struct connections *set, struct connection *connection, enum connection_level level)
{
    pthread_mutex_lock(&set->lock);
    if (level == LEVEL_ASKING)
        connection->heard_at = monotonic_now();
    /* A trusted one stays that; when it is heard it goes to the end of its list. */
    if (connection->end == CONNECTION_OPEN && (connection->level != LEVEL_TRUSTED || level == LEVEL_ASKING))
        move(set, connection, connection->level == LEVEL_TRUSTED ? LEVEL_TRUSTED : level);
    pthread_mutex_unlock(&set->lock);
}

void connections_trust(struct connections *set, struct connection *connection, const struct tally_key *key)
{
    pthread_mutex_lock(&set->lock);
    bool may = connection->end == CONNECTION_OPEN && connection->level != LEVEL_TRUSTED;
    if (may && key != NULL) {
        may = tally_count(set->vouching, key) < CONNECTIONS_A_KEY && tally_add(set->vouching, key);
        connection->has_key = may;
        connection->key = *key;
    }
    if (may)
        move(set, connection, LEVEL_TRUSTED);
    pthread_mutex_unlock(&set->lock);
}

static void accepted(void *context)
{
    struct entry *entry = context;
    struct door *door = entry->door;
    struct connections *set = door->set;
    struct connection *connection = NULL;
    int result = nng_aio_result(entry->accepting);
    if (result == 0)
        connection = connection_new(set, set->options.kind, nng_aio_get_output(entry->accepting, 0), door->local);
    if (connection != NULL)
        connection_hold(connection);
    pthread_mutex_lock(&set->lock);
    if (connection != NULL)
        admit(set, connection);
    /* A cancelled one has a certificate of before. Without descriptors or memory, and while what gave up its place is
     * not freed yet, the next waits. */
    bool again = !set->closed && (connection != NULL || result == NNG_ECANCELED) && set->held <= set->options.most;
    entry->resting = !again;
    pthread_mutex_unlock(&set->lock);
    if (connection != NULL) {
        set->options.kind->opened(connection);
        connection_release(connection);
    }
    if (again)
        nng_stream_listener_accept(door->listener, entry->accepting);
}

static void look_for_late(struct connections *set, struct list *list, int64_t now)
{
    for (struct connection *connection = list->first, *next; connection != NULL; connection = next) {
        next = connection->next;
        int64_t receive = connection->receive_until, send = connection->send_until, finish = connection->finish_until;
        if (connection->level == LEVEL_OPENING &&
            now - connection->came_at > CONNECTIONS_OPENING_SECONDS * MONOTONIC_SECOND)
            end_one(set, connection, CONNECTION_LATE);
        else if (receive != 0 && now > receive)
            end_one(set, connection, CONNECTION_STALLED);
        else if (send != 0 && now > send)
            end_one(set, connection, CONNECTION_UNREAD);
        else if (finish != 0 && now > finish)
            end_one(set, connection, CONNECTION_GONE);
    }
}

/* One line for a kind of end, and then no more than one a minute, however many there are. The lock is let go for it. */
static void tell(struct connections *set, int64_t now)
{
    for (int end = 0; end < CONNECTION_ENDS; end++) {
        bool told_lately = set->told_at[end] != 0 && now - set->told_at[end] < LOG_SECONDS * MONOTONIC_SECOND;
        if (set->untold[end] == 0 || (told_lately && !set->stopping))
            continue;
        unsigned long long count = set->untold[end];
        char address[sizeof set->last_address[end]];
        memcpy(address, set->last_address[end], sizeof address);
        set->untold[end] = 0;
        set->told_at[end] = now;
        pthread_mutex_unlock(&set->lock);
        log_line(LOG_PRIORITY_WARNING, "connections-dropped",
                 "listener=%s reason=%s connections=%llu last=%s message=%s", set->options.name, ends[end].name, count,
                 JOURNAL_QUOTED(address), JOURNAL_QUOTED(ends[end].sentence));
        pthread_mutex_lock(&set->lock);
    }
}

/* Frees the one that ended first; false where none did. The lock is let go for it. */
static bool free_ended(struct connections *set)
{
    struct connection *ended = set->ended.first;
    if (ended == NULL)
        return false;
    take_out(&set->ended, ended);
    pthread_mutex_unlock(&set->lock);
    connection_shut(ended);
    connection_release(ended);
    pthread_mutex_lock(&set->lock);
    set->held--;
    return true;
}

/* Goes on with letting in where that rested. The lock is let go for it. */
static void wake_doors(struct connections *set)
{
    for (int i = 0; i < set->door_count * ENTRIES; i++) {
        struct entry *entry = &set->doors[i / ENTRIES].entries[i % ENTRIES];
        if (!set->started || set->closed || !entry->resting || set->held > set->options.most)
            continue;
        entry->resting = false;
        pthread_mutex_unlock(&set->lock);
        nng_stream_listener_accept(entry->door->listener, entry->accepting);
        pthread_mutex_lock(&set->lock);
    }
}

static void *run(void *context)
{
    struct connections *set = context;
    int64_t next_look = 0;
    pthread_mutex_lock(&set->lock);
    while (!set->stopping || set->held > 0) {
        int64_t now = monotonic_now();
        if (now >= next_look) {
            next_look = now + LOOK_MILLISECONDS * MONOTONIC_MILLISECOND;
            for (int level = 0; level < LEVELS; level++)
                look_for_late(set, &set->levels[level], now);
            tell(set, now);
            wake_doors(set); /* those that failed, too */
        }
        bool freed = free_ended(set);
        if (freed && set->held == set->options.most)
            wake_doors(set);
        if (!freed)
            monotonic_wait(&set->changed, &set->lock, next_look);
    }
    tell(set, monotonic_now());
    pthread_mutex_unlock(&set->lock);
    return NULL;
}

static void free_tallies(struct connections *set)
{
    for (int level = 0; level < LEVEL_TRUSTED; level++)
        tally_free(set->levels[level].sources);
    tally_free(set->vouching);
}

static bool make_tallies(struct connections *set)
{
    bool made = (set->vouching = tally_new()) != NULL;
    for (int level = 0; level < LEVEL_TRUSTED; level++)
        made = (set->levels[level].sources = tally_new()) != NULL && made;
    return made;
}

struct connections *connections_new(const struct connections_options *options, struct connections_counters *counters,
                                    struct error *error)
{
    struct connections *set = calloc(1, sizeof *set);
    if (set == NULL || !make_tallies(set)) {
        if (set != NULL)
            free_tallies(set);
        free(set);
        error_set(error, ERROR_MEMORY, "no memory for connections");
        return NULL;
    }
    set->options = *options;
    set->counters = counters;
    pthread_mutex_init(&set->lock, NULL);
    monotonic_condition(&set->changed);
    int failed = pthread_create(&set->thread, NULL, run, set);
    if (failed == 0)
        return set;
    error_set(error, ERROR_IO, "can't start a thread for connections: %s", strerror(failed));
    pthread_cond_destroy(&set->changed);
    pthread_mutex_destroy(&set->lock);
    free_tallies(set);
    free(set);
    return NULL;
}

static void free_door(struct door *door)
{
    for (int i = 0; i < ENTRIES; i++)
        if (door->entries[i].accepting != NULL)
            nng_aio_free(door->entries[i].accepting);
    nng_stream_listener_free(door->listener);
    *door = (struct door){0};
}

int connections_listen(struct connections *set, const char *url, nng_tls_config *tls)
{
    bool secure = strncmp(url, "tls+tcp", 7) == 0;
    if (set->door_count == DOORS_MAXIMUM)
        return -NNG_ENOMEM;
    struct door *door = &set->doors[set->door_count];
    *door = (struct door){.set = set, .local = strncmp(url, "ipc://", 6) == 0};
    if (!door->local && !secure && strncmp(url, "tcp", 3) != 0)
        return -NNG_ENOTSUP;
    int failed = nng_stream_listener_alloc(&door->listener, url);
    for (int i = 0; failed == 0 && i < ENTRIES; i++) {
        door->entries[i] = (struct entry){.door = door, .resting = true};
        failed = nng_aio_alloc(&door->entries[i].accepting, accepted, &door->entries[i]);
    }
    if (failed == 0 && secure)
        failed = nng_stream_listener_set_ptr(door->listener, NNG_OPT_TLS_CONFIG, tls);
    if (failed == 0 && !door->local) {
        nng_stream_listener_set_bool(door->listener, NNG_OPT_TCP_NODELAY, true);
        /* A machine that vanished gives its place up. */
        nng_stream_listener_set_bool(door->listener, NNG_OPT_TCP_KEEPALIVE, true);
    }
    if (failed == 0)
        failed = nng_stream_listener_listen(door->listener);
    if (failed != 0) {
        free_door(door);
        return -failed;
    }
    pthread_mutex_lock(&set->lock);
    int at = set->door_count++;
    pthread_mutex_unlock(&set->lock);
    return at;
}

int connections_set_tls(struct connections *set, int listener, nng_tls_config *tls)
{
    struct door *door = &set->doors[listener];
    int failed = nng_stream_listener_set_ptr(door->listener, NNG_OPT_TLS_CONFIG, tls);
    /* Those that are waited for have been given the one of before. */
    for (int i = 0; failed == 0 && i < ENTRIES; i++)
        nng_aio_cancel(door->entries[i].accepting);
    return failed;
}

void connections_start(struct connections *set)
{
    pthread_mutex_lock(&set->lock);
    set->started = true;
    wake_doors(set);
    pthread_mutex_unlock(&set->lock);
}

void connections_close(struct connections *set)
{
    pthread_mutex_lock(&set->lock);
    set->closed = true;
    pthread_mutex_unlock(&set->lock);
    for (int i = 0; i < set->door_count; i++) {
        nng_stream_listener_close(set->doors[i].listener);
        for (int k = 0; k < ENTRIES; k++)
            nng_aio_stop(set->doors[i].entries[k].accepting);
    }
}

void connections_free(struct connections *set)
{
    if (set == NULL)
        return;
    connections_close(set);
    pthread_mutex_lock(&set->lock);
    set->stopping = true;
    for (int level = 0; level < LEVELS; level++)
        while (set->levels[level].first != NULL)
            end_one(set, set->levels[level].first, CONNECTION_GONE);
    pthread_cond_signal(&set->changed);
    pthread_mutex_unlock(&set->lock);
    pthread_join(set->thread, NULL);
    for (int i = 0; i < set->door_count; i++)
        free_door(&set->doors[i]);
    pthread_cond_destroy(&set->changed);
    pthread_mutex_destroy(&set->lock);
    free_tallies(set);
    free(set);
}
