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
#define HOSTS_PER_BATCH "500"
#define CLOCK_MICROSECONDS 60000000
/* The queue is looked at this often even unasked: another aggregator or a change of the catalogue may have filled it.
 */
#define IDLE_SECONDS 2
/* Where more hosts than a few come in, judging waits until they pause, or for so long: what is taken in is safe then,
 * and is judged the cheaper the more of it there is. */
#define FEW_HOSTS 16
#define PAUSE_MICROSECONDS 1500000
#define PATIENCE_MICROSECONDS 30000000

/* What one of the two threads does again and again, on a connection of its own. */
struct duty {
    struct judge *judge;
    int (*work)(struct duty *duty, PGconn *connection, struct error *error); /* 1: go on, 0: rest, -1: failed */
    const char *failure;                                                     /* how the log calls it */
    bool is_woken;                                                           /* rests until judge_wake(), too */
    int64_t clock_due;                                                       /* by the monotonic clock */
    pthread_t thread;
    PGcancel *cancel; /* guarded by the judge's lock; ends what the database does for this duty */
};

struct judge {
    char *dsn;
    struct duty judging;  /* hosts whose state changed: nothing that takes long may stand before them */
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

/* Judges one batch. */
static int judge_once(struct duty *duty, PGconn *connection, struct error *error)
{
    if (!wait_for_pause(duty->judge))
        return 0;
    /* New content first and by itself: so its lock is held for short. */
    _cleanup_(cleanup_result) PGresult *content =
        database_query(connection, "select evenkeel.judge_content()", NULL, 0, true, error);
    if (content == NULL)
        return -1;
    if (database_i32(content, 0, 0) > 0 && database_execute(connection, "select evenkeel.index_content()", error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.judge_queued(" HOSTS_PER_BATCH ")", NULL, 0, true, error);
    return rows == NULL ? -1 : database_i32(rows, 0, 0) > 0;
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
        if (clock == NULL)
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

static bool is_stopping(struct judge *judge)
{
    pthread_mutex_lock(&judge->lock);
    bool stopping = judge->stopping;
    pthread_mutex_unlock(&judge->lock);
    return stopping;
}

static void set_cancel(struct duty *duty, PGcancel *cancel)
{
    pthread_mutex_lock(&duty->judge->lock);
    PQfreeCancel(duty->cancel);
    duty->cancel = cancel;
    pthread_mutex_unlock(&duty->judge->lock);
}

static void *run(void *context)
{
    struct duty *duty = context;
    PGconn *connection = NULL;
    bool complained = false;
    for (bool goes_on = true; goes_on;) {
        struct error error = {0};
        int done = -1;
        if (connection == NULL && (connection = database_open(duty->judge->dsn, &error)) != NULL)
            set_cancel(duty, PQgetCancel(connection));
        if (connection != NULL)
            done = duty->work(duty, connection, &error);
        if (done < 0 && !complained && !is_stopping(duty->judge))
            log_line(LOG_PRIORITY_ERROR, duty->failure, "message=%s", JOURNAL_QUOTED(error.message));
        complained = done < 0;
        if (connection != NULL && PQstatus(connection) != CONNECTION_OK) {
            PQfinish(connection);
            connection = NULL;
        }
        goes_on = rest(duty, done > 0 ? 0 : IDLE_SECONDS);
    }
    set_cancel(duty, NULL);
    PQfinish(connection);
    return NULL;
}

/* Ends both threads and frees all; what the database does for learning is cut short. */
static void clear(struct judge *judge, bool judging, bool learning)
{
    char unused[256];
    pthread_mutex_lock(&judge->lock);
    judge->stopping = true;
    if (judge->learning.cancel != NULL)
        PQcancel(judge->learning.cancel, unused, sizeof unused);
    pthread_cond_broadcast(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
    if (judging)
        pthread_join(judge->judging.thread, NULL);
    if (learning)
        pthread_join(judge->learning.thread, NULL);
    pthread_cond_destroy(&judge->changed);
    pthread_mutex_destroy(&judge->lock);
    free(judge->dsn);
    free(judge);
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
    judge->judging = (struct duty){.judge = judge, .work = judge_once, .failure = "judging-failed", .is_woken = true};
    judge->learning = (struct duty){.judge = judge, .work = learn_once, .failure = "learning-failed"};
    int judging = pthread_create(&judge->judging.thread, NULL, run, &judge->judging);
    int learning = judging == 0 ? pthread_create(&judge->learning.thread, NULL, run, &judge->learning) : judging;
    if (learning != 0) {
        error_set(error, ERROR_IO, "can't start the judge: %s", strerror(learning));
        clear(judge, judging == 0, false);
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
        clear(judge, true, true);
}
