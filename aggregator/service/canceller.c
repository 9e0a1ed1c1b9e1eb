/* Cancels what this program still runs in the database. */

#include "canceller.h"

#include "aggregator/base/database.h"
#include "aggregator/base/monotonic.h"

#include "proto/cleanup.h"

#include <pthread.h>
#include <stdlib.h>

#define AGAIN_MILLISECONDS 300 /* a thread may have begun its next statement */

struct canceller {
    const char *dsn, *name;
    unsigned seconds;
    pthread_t thread;
    pthread_mutex_t lock; /* guards `ended` */
    pthread_cond_t changed;
    bool ended;
};

/* False once canceller_stop() was called. */
static bool rest(struct canceller *canceller, unsigned milliseconds)
{
    int64_t until = monotonic_now() + milliseconds * MONOTONIC_MILLISECOND;
    pthread_mutex_lock(&canceller->lock);
    while (!canceller->ended && monotonic_wait(&canceller->changed, &canceller->lock, until))
        ;
    bool goes_on = !canceller->ended;
    pthread_mutex_unlock(&canceller->lock);
    return goes_on;
}

static void *run(void *context)
{
    struct canceller *canceller = context;
    _cleanup_(cleanup_connection) PGconn *connection = NULL;
    struct error error = {0};
    if (!rest(canceller, canceller->seconds * 1000))
        return NULL;
    connection = database_connect(canceller->dsn, &error);
    do {
        if (connection == NULL)
            break;
        _cleanup_(cleanup_result) PGresult *done =
            database_query(connection,
                           "select pg_cancel_backend(pid) from pg_stat_activity"
                           " where application_name = $1 and pid <> pg_backend_pid() and state <> 'idle'",
                           &PARAMETER_TEXT(canceller->name), 1, false, &error);
    } while (rest(canceller, AGAIN_MILLISECONDS));
    return NULL;
}

struct canceller *canceller_start(const char *dsn, const char *name, unsigned seconds)
{
    struct canceller *canceller = calloc(1, sizeof *canceller);
    if (canceller == NULL)
        return NULL;
    *canceller = (struct canceller){.dsn = dsn, .name = name, .seconds = seconds};
    pthread_mutex_init(&canceller->lock, NULL);
    monotonic_condition(&canceller->changed);
    if (pthread_create(&canceller->thread, NULL, run, canceller) == 0)
        return canceller;
    pthread_cond_destroy(&canceller->changed);
    pthread_mutex_destroy(&canceller->lock);
    free(canceller);
    return NULL;
}

void canceller_stop(struct canceller *canceller)
{
    if (canceller == NULL)
        return;
    pthread_mutex_lock(&canceller->lock);
    canceller->ended = true;
    pthread_cond_signal(&canceller->changed);
    pthread_mutex_unlock(&canceller->lock);
    pthread_join(canceller->thread, NULL);
    pthread_cond_destroy(&canceller->changed);
    pthread_mutex_destroy(&canceller->lock);
    free(canceller);
}
