/* The judge. */

#include "judge.h"

#include "aggregator/base/database.h"
#include "aggregator/base/log.h"
#include "aggregator/base/monotonic.h"

#include "proto/cleanup.h"

#include <pthread.h>
#include <string.h>

/* Hosts per transaction: enough to share the work on common chunks, few enough that findings are visible within
 * seconds. */
#define HOSTS_PER_BATCH 500
/* A batch that took too long is divided by this until the host that is to blame stands alone. */
#define BATCH_DIVISOR 8
/* What a host of a batch takes, until the first were judged. Of fewer than so many each takes mostly what a batch takes
 * at all, which says nothing of a full one. */
#define USUAL_MICROSECONDS 2000
#define TELLING_HOSTS 16
#define CLOCK_MICROSECONDS 60000000
/* The queue is looked at this often even unasked: another aggregator or a change of the catalogue may have filled it.
 */
#define IDLE_SECONDS 2
/* Where more hosts than a few come in, judging waits until they pause, or for so long: what is taken in is safe then,
 * and is judged the cheaper the more of it there is. */
#define FEW_HOSTS 16
#define PAUSE_MICROSECONDS 1500000
#define PATIENCE_MICROSECONDS 30000000

/* What one of the threads does again and again, on a connection of its own. */
struct duty {
    struct judge *judge;
    int (*work)(struct duty *duty, PGconn *connection, struct error *error); /* 1: go on, 0: rest, -1: failed */
    const char *failure;                                                     /* how the log calls it */
    const char *prepare;                                                     /* run first in a session; NULL: nothing */
    bool is_woken;                                                           /* rests until judge_wake(), too */
    int64_t clock_due;                                                       /* by the monotonic clock */
    int most;                                                                /* hosts that the next batch may have */
    int64_t usual;                                                           /* microseconds that a host took lately */
    pthread_t thread;
    bool started;
    PGcancel *cancel; /* guarded by the judge's lock; ends what the database does for this duty */
};

struct judge {
    char *dsn;
    struct duty judging;  /* hosts whose state changed: nothing that takes long may stand before them */
    struct duty slow;     /* hosts that take long, or could not be judged before: one at a time */
    struct duty learning; /* the clock, and what the whole fleet teaches, which takes the longer the larger it is */
    pthread_mutex_t lock; /* guards the flags */
    pthread_cond_t changed;
    bool awake, stopping;
    unsigned arrived; /* hosts since the last pause */
    int64_t arrived_at;
};

/* Sleeps until woken or for so long; false when stopping. */
static bool rest(const struct duty *duty, int seconds)
{
    struct judge *judge = duty->judge;
    int64_t until = monotonic_now() + seconds * MONOTONIC_SECOND;
    pthread_mutex_lock(&judge->lock);
    while (!(duty->is_woken && judge->awake) && !judge->stopping &&
           monotonic_wait(&judge->changed, &judge->lock, until))
        ;
    if (duty->is_woken)
        judge->awake = false;
    bool goes_on = !judge->stopping;
    pthread_mutex_unlock(&judge->lock);
    return goes_on;
}

/* Lets the taking in of many hosts come first; false when stopping. */
static bool wait_for_pause(struct judge *judge)
{
    int64_t began = monotonic_now();
    pthread_mutex_lock(&judge->lock);
    while (!judge->stopping && judge->arrived > FEW_HOSTS) {
        int64_t now = monotonic_now(), quiet = now - judge->arrived_at;
        if (quiet >= PAUSE_MICROSECONDS) {
            judge->arrived = 0;
            break;
        }
        if (now - began >= PATIENCE_MICROSECONDS)
            break;
        monotonic_wait(&judge->changed, &judge->lock, judge->arrived_at + PAUSE_MICROSECONDS);
    }
    bool goes_on = !judge->stopping;
    pthread_mutex_unlock(&judge->lock);
    return goes_on;
}

static bool is_stopping(struct judge *judge)
{
    pthread_mutex_lock(&judge->lock);
    bool stopping = judge->stopping;
    pthread_mutex_unlock(&judge->lock);
    return stopping;
}

/* How many microseconds a query says that the next turn may take. */
static int read_turn(PGconn *connection, const char *query, const struct parameter *parameters, size_t count,
                     int64_t *microseconds, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(connection, query, parameters, count, true, error);
    if (rows == NULL)
        return -1;
    *microseconds = database_i64(rows, 0, 0);
    return 0;
}

/* Runs a query that the server ends after so long; *late says whether it did. NULL with *error. */
static PGresult *query_within(PGconn *connection, int64_t microseconds, const char *query,
                              const struct parameter *parameters, size_t count, bool *late, struct error *error)
{
    char statement[64];
    struct error ignored;
    *late = false;
    snprintf(statement, sizeof statement, "set statement_timeout = %lld", (long long)(microseconds / 1000 + 1));
    if (database_execute(connection, statement, error) < 0)
        return NULL;
    int64_t began = monotonic_now();
    PGresult *rows = database_query(connection, query, parameters, count, true, error);
    *late = rows == NULL && error->code == ERROR_BUSY && monotonic_now() - began >= microseconds;
    if (database_execute(connection, "set statement_timeout = 0", rows != NULL ? error : &ignored) < 0) {
        PQclear(rows);
        return NULL;
    }
    return rows;
}

/* After a batch that took too long: whoever is to blame, or may be, is judged apart from now on, else batches get
 * smaller until it stands alone. */
static int defer_slow(struct duty *duty, PGconn *connection, struct error *error)
{
    char most[16];
    snprintf(most, sizeof most, "%d", duty->most);
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.defer_slow($1::integer)", &PARAMETER_TEXT(most), 1, true, error);
    if (rows == NULL)
        return -1;
    int deferred = database_i32(rows, 0, 0);
    log_line(LOG_PRIORITY_WARNING, "judging-slow", "hosts=%d deferred=%d", duty->most, deferred);
    if (deferred == 0)
        duty->most = duty->most > BATCH_DIVISOR ? duty->most / BATCH_DIVISOR : 1;
    return 1;
}

/* New content of the hosts that are judged next, first and by itself: so its lock is held for short. */
static int judge_content(struct judge *judge, PGconn *connection, struct error *error)
{
    char most[16];
    snprintf(most, sizeof most, "%d", HOSTS_PER_BATCH);
    for (int judged = 1; judged > 0 && !is_stopping(judge);) {
        _cleanup_(cleanup_result) PGresult *content = database_query(
            connection, "select evenkeel.judge_queued_content($1::integer)", &PARAMETER_TEXT(most), 1, true, error);
        if (content == NULL)
            return -1;
        judged = database_i32(content, 0, 0);
        if (judged > 0 && database_execute(connection, "select evenkeel.index_content()", error) < 0)
            return -1;
    }
    return 0;
}

/* Content that no host holds any more, once nobody waits for anything. */
static int judge_rest(PGconn *connection, struct error *error)
{
    return database_execute(connection,
                            "select case when n.host is null then evenkeel.judge_content() end "
                            "from evenkeel.judge_slow_next() n",
                            error);
}

/* Judges one batch. */
static int judge_once(struct duty *duty, PGconn *connection, struct error *error)
{
    int64_t turn;
    char most[16], usual[24];
    bool late;
    if (!wait_for_pause(duty->judge))
        return 0;
    snprintf(most, sizeof most, "%d", duty->most);
    snprintf(usual, sizeof usual, "%lld", (long long)duty->usual);
    struct parameter parameters[] = {PARAMETER_TEXT(most), PARAMETER_TEXT(usual)};
    if (judge_content(duty->judge, connection, error) < 0 ||
        read_turn(connection, "select evenkeel.judge_turn($1::integer, $2::bigint)", parameters, 2, &turn, error) < 0)
        return -1;
    int64_t began = monotonic_now();
    _cleanup_(cleanup_result) PGresult *rows =
        query_within(connection, turn, "select evenkeel.judge_queued($1::integer)", parameters, 1, &late, error);
    if (late)
        return defer_slow(duty, connection, error);
    if (rows == NULL)
        return -1;
    int judged = database_i32(rows, 0, 0);
    if (judged >= TELLING_HOSTS)
        duty->usual = (3 * duty->usual + (monotonic_now() - began) / judged) / 4;
    if (judged > 0 && duty->most < HOSTS_PER_BATCH)
        duty->most = duty->most * BATCH_DIVISOR < HOSTS_PER_BATCH ? duty->most * BATCH_DIVISOR : HOSTS_PER_BATCH;
    return judged > 0 ? 1 : judge_rest(connection, error);
}

/* Judges one of the hosts that take long or could not be judged before; one that takes too long even so is given up.
 */
static int judge_slow_once(struct duty *duty, PGconn *connection, struct error *error)
{
    int64_t turn;
    bool late;
    if (read_turn(connection,
                  "select (extract(epoch from evenkeel.setting('judge.slow-turn')::interval) * 1000000)::bigint", NULL,
                  0, &turn, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *next = database_query(
        connection, "select host::text, waits_since::text from evenkeel.judge_slow_next()", NULL, 0, false, error);
    if (next == NULL)
        return -1;
    if (PQntuples(next) == 0 || PQgetisnull(next, 0, 0))
        return 0;
    struct parameter parameters[] = {PARAMETER_TEXT(PQgetvalue(next, 0, 0)), PARAMETER_TEXT(PQgetvalue(next, 0, 1))};
    for (int judged = 1; judged > 0 && !is_stopping(duty->judge);) {
        _cleanup_(cleanup_result) PGresult *content = database_query(
            connection, "select evenkeel.judge_content_of(array[$1::uuid], 20000)", parameters, 1, true, error);
        if (content == NULL)
            return -1;
        judged = database_i32(content, 0, 0);
    }
    _cleanup_(cleanup_result) PGresult *rows =
        query_within(connection, turn, "select evenkeel.judge_slow($1::uuid)::integer", parameters, 1, &late, error);
    if (!late)
        return rows == NULL ? -1 : database_i32(rows, 0, 0);
    log_line(LOG_PRIORITY_WARNING, "host-not-judged", "host=%s reason=slow", PQgetvalue(next, 0, 0));
    _cleanup_(cleanup_result) PGresult *given_up =
        database_query(connection,
                       "select evenkeel.give_up($1::uuid, $2::timestamptz, 'its turn took longer than ' || "
                       "evenkeel.setting('judge.slow-turn'))",
                       parameters, 2, true, error);
    return given_up == NULL ? -1 : 1;
}

/* Hosts that are silent for longer than the setting allows, so many a minute as their names fit the log. */
static int retire_silent(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *retired =
        database_query(connection,
                       "select count(*)::integer, coalesce(string_agg(host || ' (' || host_id || ')', ', ' order by "
                       "host), '') from evenkeel.retire_silent(20)",
                       NULL, 0, true, error);
    if (retired == NULL)
        return -1;
    if (database_i32(retired, 0, 0) > 0)
        log_line(LOG_PRIORITY_NOTICE, "hosts-retired", "hosts=%d names=%s", database_i32(retired, 0, 0),
                 JOURNAL_QUOTED(PQgetvalue(retired, 0, 1)));
    return 0;
}

/* Judges what changes with the clock when it is time, then learns one thing from the fleet. */
static int learn_once(struct duty *duty, PGconn *connection, struct error *error)
{
    if (!wait_for_pause(duty->judge))
        return 0;
    if (monotonic_now() >= duty->clock_due) {
        duty->clock_due = monotonic_now() + CLOCK_MICROSECONDS;
        _cleanup_(cleanup_result) PGresult *clock =
            database_query(connection, "select evenkeel.judge_clock()", NULL, 0, true, error);
        if (clock == NULL || retire_silent(connection, error) < 0)
            return -1;
    }
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.learn_from_fleet()::integer", NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    bool learnt = database_i32(rows, 0, 0) != 0;
    if (learnt)
        judge_wake(duty->judge, 0);
    return learnt;
}

static void set_cancel(struct duty *duty, PGcancel *cancel)
{
    pthread_mutex_lock(&duty->judge->lock);
    PQfreeCancel(duty->cancel);
    duty->cancel = cancel;
    pthread_mutex_unlock(&duty->judge->lock);
}

/* A session of the duty's own; NULL with *error. */
static PGconn *open_session(const struct duty *duty, struct error *error)
{
    PGconn *connection = database_open(duty->judge->dsn, error);
    if (connection != NULL && duty->prepare != NULL && database_execute(connection, duty->prepare, error) < 0) {
        PQfinish(connection);
        connection = NULL;
    }
    return connection;
}

static void *run(void *context)
{
    struct duty *duty = context;
    PGconn *connection = NULL;
    bool complained = false;
    for (bool goes_on = true; goes_on;) {
        struct error error = {0};
        int done = -1;
        if (connection == NULL && (connection = open_session(duty, &error)) != NULL)
            set_cancel(duty, PQgetCancel(connection));
        if (connection != NULL && database_check_schema(connection, &error) < 0) {
            /* Upgraded under this program: opened again it is refused until the program is upgraded, too. */
            set_cancel(duty, NULL);
            PQfinish(connection);
            connection = NULL;
        }
        if (connection != NULL)
            done = duty->work(duty, connection, &error);
        if (done < 0 && !complained && !is_stopping(duty->judge))
            log_line(LOG_PRIORITY_ERROR, duty->failure, "message=%s", JOURNAL_QUOTED(error.message));
        complained = done < 0;
        /* Gone, or a standby by now. */
        if (connection != NULL &&
            (PQstatus(connection) != CONNECTION_OK || (done < 0 && error.code == ERROR_NETWORK))) {
            PQfinish(connection);
            connection = NULL;
        }
        goes_on = rest(duty, done > 0 ? 0 : IDLE_SECONDS);
    }
    set_cancel(duty, NULL);
    PQfinish(connection);
    return NULL;
}

/* Ends the threads that were started and frees all; what the database does for learning, or for a host that takes long,
 * is cut short. */
static void clear(struct judge *judge)
{
    char unused[256];
    struct duty *const duties[] = {&judge->judging, &judge->slow, &judge->learning};
    pthread_mutex_lock(&judge->lock);
    judge->stopping = true;
    for (size_t i = 0; i < sizeof duties / sizeof *duties; i++)
        if (duties[i] != &judge->judging && duties[i]->cancel != NULL)
            PQcancel(duties[i]->cancel, unused, sizeof unused);
    pthread_cond_broadcast(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
    for (size_t i = 0; i < sizeof duties / sizeof *duties; i++)
        if (duties[i]->started)
            pthread_join(duties[i]->thread, NULL);
    pthread_cond_destroy(&judge->changed);
    pthread_mutex_destroy(&judge->lock);
    free(judge->dsn);
    free(judge);
}

static int start(struct duty *duty)
{
    int failed = pthread_create(&duty->thread, NULL, run, duty);
    duty->started = failed == 0;
    return failed;
}

struct judge *judge_start(const char *dsn, struct error *error)
{
    struct judge *judge = calloc(1, sizeof *judge);
    if (judge == NULL || (judge->dsn = strdup(dsn)) == NULL) {
        free(judge);
        error_set(error, ERROR_MEMORY, "no memory for the judge");
        return NULL;
    }
    pthread_mutex_init(&judge->lock, NULL);
    monotonic_condition(&judge->changed);
    judge->judging = (struct duty){.judge = judge,
                                   .work = judge_once,
                                   .failure = "judging-failed",
                                   .is_woken = true,
                                   .most = HOSTS_PER_BATCH,
                                   .usual = USUAL_MICROSECONDS};
    judge->slow = (struct duty){.judge = judge,
                                .work = judge_slow_once,
                                .failure = "judging-apart-failed",
                                .prepare = "select evenkeel.open_private_caches()"};
    judge->learning = (struct duty){.judge = judge, .work = learn_once, .failure = "learning-failed"};
    int failed = start(&judge->judging);
    if (failed == 0 && (failed = start(&judge->slow)) == 0)
        failed = start(&judge->learning);
    if (failed != 0) {
        error_set(error, ERROR_IO, "can't start the judge: %s", strerror(failed));
        clear(judge);
        return NULL;
    }
    return judge;
}

void judge_wake(struct judge *judge, unsigned hosts)
{
    pthread_mutex_lock(&judge->lock);
    judge->awake = true;
    judge->arrived += hosts;
    if (hosts > 0)
        judge->arrived_at = monotonic_now();
    pthread_cond_broadcast(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
}

void judge_stop(struct judge *judge)
{
    if (judge != NULL)
        clear(judge);
}
