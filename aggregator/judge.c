/* The judge. */

#include "judge.h"

#include "database.h"
#include "log.h"

#include "proto/cleanup.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

/* Hosts per transaction: enough to share the work on common chunks, few enough that findings are visible within
 * seconds. */
#define HOSTS_PER_BATCH "500"
#define CLOCK_SECONDS 60
/* The queue is looked at this often even unasked: another aggregator or a change of the catalogue may have filled it.
 */
#define IDLE_SECONDS 2

struct judge {
    char *dsn;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the two flags */
    pthread_cond_t changed;
    bool awake, stopping;
};

/* Sleeps until woken or for so long; false when stopping. */
static bool rest(struct judge *judge, int seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&judge->lock);
    while (!judge->awake && !judge->stopping && pthread_cond_timedwait(&judge->changed, &judge->lock, &until) == 0)
        ;
    judge->awake = false;
    bool goes_on = !judge->stopping;
    pthread_mutex_unlock(&judge->lock);
    return goes_on;
}

/* Judges one batch: how many hosts it had, or -1. */
static int judge_once(PGconn *connection, struct error *error)
{
    /* New content first and by itself: so its lock is held for short. */
    _cleanup_(cleanup_result) PGresult *content =
        database_query(connection, "select evenkeel.judge_content()", NULL, 0, true, error);
    if (content == NULL)
        return -1;
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.judge_queued(" HOSTS_PER_BATCH ")", NULL, 0, true, error);
    return rows != NULL ? database_i32(rows, 0, 0) : -1;
}

static void *run(void *context)
{
    struct judge *judge = context;
    PGconn *connection = NULL;
    time_t clock_judged = 0;
    bool complained = false;
    for (bool goes_on = true; goes_on;) {
        struct error error = {0};
        int judged = -1;
        if (connection == NULL)
            connection = database_open(judge->dsn, &error);
        if (connection != NULL)
            judged = judge_once(connection, &error);
        if (judged == 0 && time(NULL) - clock_judged >= CLOCK_SECONDS) {
            _cleanup_(cleanup_result) PGresult *rows =
                database_query(connection, "select evenkeel.judge_clock()", NULL, 0, true, &error);
            clock_judged = time(NULL);
            judged = rows != NULL ? 0 : -1;
        }
        if (judged < 0 && !complained)
            log_line(LOG_PRIORITY_ERROR, "judging-failed", "message=\"%s\"", error.message);
        complained = judged < 0;
        if (connection != NULL && PQstatus(connection) != CONNECTION_OK) {
            PQfinish(connection);
            connection = NULL;
        }
        goes_on = rest(judge, judged > 0 ? 0 : IDLE_SECONDS);
    }
    PQfinish(connection);
    return NULL;
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
    pthread_cond_init(&judge->changed, NULL);
    int failed = pthread_create(&judge->thread, NULL, run, judge);
    if (failed != 0) {
        error_set(error, ERROR_IO, "can't start the judge: %s", strerror(failed));
        free(judge->dsn);
        free(judge);
        return NULL;
    }
    return judge;
}

void judge_wake(struct judge *judge)
{
    pthread_mutex_lock(&judge->lock);
    judge->awake = true;
    pthread_cond_signal(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
}

void judge_stop(struct judge *judge)
{
    if (judge == NULL)
        return;
    pthread_mutex_lock(&judge->lock);
    judge->stopping = true;
    pthread_cond_signal(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
    pthread_join(judge->thread, NULL);
    pthread_cond_destroy(&judge->changed);
    pthread_mutex_destroy(&judge->lock);
    free(judge->dsn);
    free(judge);
}
