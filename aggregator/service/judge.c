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
#define CLOCK_HOSTS 5000
/* The queue is looked at this often even unasked: another aggregator or a change of the catalogue may have filled it.
 */
#define IDLE_SECONDS 2
/* Where more hosts than a few come in, judging waits until they pause, or for so long: what is taken in is safe then,
 * and is judged the cheaper the more of it there is. */
#define FEW_HOSTS 16
#define PAUSE_MICROSECONDS 1500000
#define PATIENCE_MICROSECONDS 5000000
/* A host that takes long waits until no other is judged here, or until it waits for so long. */
#define GIVE_WAY_MICROSECONDS 30000000

/* What there is to do. */
enum call { CALL_NONE, CALL_ARRIVED, CALL_JUDGED };

/* What one of the threads does again and again, on a connection of its own. */
struct duty {
    struct judge *judge;                                                     /* shared by all */
    int (*work)(struct duty *duty, PGconn *connection, struct error *error); /* 1: go on, 0: rest, -1: failed */
    const char *failure;                                                     /* how the log calls it */
    const char *prepare;                                                     /* run first in a session; NULL: nothing */
    enum call woken_by;                                                      /* what ends its rest */
    bool awake;                                                              /* guarded by the judge's lock */
    bool finishes;                                                           /* what it is at when all is to stop */
    bool judging;                                                            /* hosts; guarded by the judge's lock */
    int64_t clock_due;                                                       /* by the monotonic clock */
    int most;                                                                /* hosts that the next batch may have */
    int64_t usual;                                                           /* microseconds that a host took lately */
    pthread_t thread;
    bool started;
    PGcancel *cancel; /* guarded by the judge's lock; ends what the database does for this duty */
};

struct judge {
    char *dsn;
    /* The first of them are so many judges of hosts whose state changed: nothing that takes long may stand before
     * these.
     */
    struct duty duties[JUDGES_MOST + 3];
    size_t duty_count;
    unsigned judges;
    pthread_mutex_t lock; /* guards the flags */
    pthread_cond_t changed;
    bool stopping;
    unsigned arrived; /* hosts since the last pause */
    int64_t arrived_at;
};

/* Ends the rest of the duties that such a call is for. */
static void call_out(struct judge *judge, enum call call)
{
    pthread_mutex_lock(&judge->lock);
    for (size_t i = 0; i < judge->duty_count; i++)
        judge->duties[i].awake = judge->duties[i].awake || judge->duties[i].woken_by == call;
    pthread_cond_broadcast(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
}

/* Sleeps until woken or for so long; false when stopping. */
static bool rest(struct duty *duty, int seconds)
{
    struct judge *judge = duty->judge;
    int64_t until = monotonic_now() + seconds * MONOTONIC_SECOND;
    pthread_mutex_lock(&judge->lock);
    while (!duty->awake && !judge->stopping && monotonic_wait(&judge->changed, &judge->lock, until))
        ;
    duty->awake = false;
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
        if (now - began >= PATIENCE_MICROSECONDS) {
            /* Others than those who were waited for, or somebody who comes again and again. */
            judge->arrived = 0;
            break;
        }
        monotonic_wait(&judge->changed, &judge->lock, judge->arrived_at + PAUSE_MICROSECONDS);
    }
    bool goes_on = !judge->stopping;
    pthread_mutex_unlock(&judge->lock);
    return goes_on;
}

/* Whether hosts are being judged, or about to be. The judge's lock is held. */
static bool is_busy(const struct judge *judge)
{
    for (unsigned i = 0; i < judge->judges; i++)
        if (judge->duties[i].judging)
            return true;
    return judge->arrived > FEW_HOSTS && monotonic_now() - judge->arrived_at < PAUSE_MICROSECONDS;
}

static void set_judging(struct duty *duty, bool judging)
{
    pthread_mutex_lock(&duty->judge->lock);
    duty->judging = judging;
    pthread_cond_broadcast(&duty->judge->changed);
    pthread_mutex_unlock(&duty->judge->lock);
}

/* Lets hosts that are quick to judge come first, until then at most; false when stopping. */
static bool give_way(struct judge *judge, int64_t until)
{
    pthread_mutex_lock(&judge->lock);
    while (!judge->stopping && is_busy(judge) && monotonic_now() < until) {
        int64_t looks_again = monotonic_now() + PAUSE_MICROSECONDS;
        monotonic_wait(&judge->changed, &judge->lock, looks_again < until ? looks_again : until);
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

/* The next batch is smaller than this one. */
static void shrink(struct duty *duty, int count)
{
    int most = count < duty->most ? count : duty->most;
    duty->most = most > BATCH_DIVISOR ? most / BATCH_DIVISOR : 1;
}

/* What so many hosts took tells how long others may; and the next batch may be larger again. */
static void count_done(struct duty *duty, int hosts, int64_t microseconds)
{
    if (hosts >= TELLING_HOSTS)
        duty->usual = (3 * duty->usual + microseconds / hosts) / 4;
    if (hosts > 0 && duty->most < HOSTS_PER_BATCH)
        duty->most = duty->most * BATCH_DIVISOR < HOSTS_PER_BATCH ? duty->most * BATCH_DIVISOR : HOSTS_PER_BATCH;
}

/* After a batch that took too long: whoever is to blame, or may be, is judged apart from now on, else batches get
 * smaller until it stands alone. */
static int defer_slow(struct duty *duty, PGconn *connection, const char *hosts, int count, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.defer_slow($1::uuid[])", &PARAMETER_TEXT(hosts), 1, true, error);
    if (rows == NULL)
        return -1;
    int deferred = database_i32(rows, 0, 0);
    log_line(LOG_PRIORITY_WARNING, "judging-slow", "hosts=%d deferred=%d", count, deferred);
    if (deferred == 0)
        shrink(duty, count);
    return 1;
}

/* New content of the hosts that are judged next, first and by itself: so its lock is held for short. */
static int judge_content(struct judge *judge, PGconn *connection, const char *hosts, struct error *error)
{
    for (int judged = 1; judged > 0 && !is_stopping(judge);) {
        _cleanup_(cleanup_result) PGresult *content = database_query(
            connection, "select evenkeel.judge_queued_content($1::uuid[])", &PARAMETER_TEXT(hosts), 1, true, error);
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
                            "select case when not exists (select from evenkeel.judge_queue) then "
                            "evenkeel.judge_content() end",
                            error);
}

/* The next batch out of a query that is given how many there may be, and how many judges share: (array, how many,
 * microseconds that a turn may take at least); an array that is null: there is none. NULL with *error. */
static PGresult *choose(const struct duty *duty, PGconn *connection, const char *query, size_t parameter_count,
                        struct error *error)
{
    char most[16], judges[16];
    snprintf(most, sizeof most, "%d", duty->most);
    snprintf(judges, sizeof judges, "%u", duty->judge->judges);
    struct parameter parameters[] = {PARAMETER_TEXT(most), PARAMETER_TEXT(judges)};
    return database_query(connection, query, parameters, parameter_count, false, error);
}

/* A host that is not done within three times what it usually takes, and a turn, keeps others waiting. */
static int64_t turn_of(const struct duty *duty, const PGresult *batch)
{
    return strtoll(PQgetvalue(batch, 0, 2), NULL, 10) + 3 * duty->usual * strtol(PQgetvalue(batch, 0, 1), NULL, 10);
}

/* Judges one batch. */
static int judge_once(struct duty *duty, PGconn *connection, struct error *error)
{
    bool late;
    if (!wait_for_pause(duty->judge))
        return 0;
    _cleanup_(cleanup_result) PGresult *batch =
        choose(duty, connection,
               "select c.hosts, cardinality(c.hosts), "
               "(extract(epoch from evenkeel.setting('judge.turn')::interval) * 1000000)::bigint "
               "from evenkeel.judge_choose($1::integer, $2::integer) c (hosts)",
               2, error);
    set_judging(duty, batch != NULL && !PQgetisnull(batch, 0, 0));
    if (batch == NULL)
        return -1;
    if (PQgetisnull(batch, 0, 0))
        return judge_rest(connection, error);
    const char *hosts = PQgetvalue(batch, 0, 0);
    if (judge_content(duty->judge, connection, hosts, error) < 0)
        return -1;
    int64_t began = monotonic_now();
    _cleanup_(cleanup_result) PGresult *rows =
        query_within(connection, turn_of(duty, batch), "select evenkeel.judge_batch($1::uuid[])",
                     &PARAMETER_TEXT(hosts), 1, &late, error);
    if (late)
        return defer_slow(duty, connection, hosts, (int)strtol(PQgetvalue(batch, 0, 1), NULL, 10), error);
    if (rows == NULL)
        return -1;
    count_done(duty, database_i32(rows, 0, 0), monotonic_now() - began);
    call_out(duty->judge, CALL_JUDGED);
    return 1;
}

/* Judges the fleet checks for what judges left. Of changes that take too long fewer are taken, until the host that is
 * to blame stands alone: that is given up. */
static int compare_once(struct duty *duty, PGconn *connection, struct error *error)
{
    bool late;
    _cleanup_(cleanup_result) PGresult *batch =
        choose(duty, connection,
               "select c.changes, cardinality(c.changes), (extract(epoch from evenkeel.setting(case when "
               "cardinality(c.changes) > 1 then 'judge.turn' else 'judge.slow-turn' end)::interval) * 1000000)::bigint "
               "from evenkeel.reduce_choose($1::integer) c (changes)",
               1, error);
    if (batch == NULL)
        return -1;
    if (PQgetisnull(batch, 0, 0))
        return 0;
    struct parameter changes = PARAMETER_TEXT(PQgetvalue(batch, 0, 0));
    int count = (int)strtol(PQgetvalue(batch, 0, 1), NULL, 10);
    int64_t began = monotonic_now();
    _cleanup_(cleanup_result) PGresult *rows = query_within(
        connection, turn_of(duty, batch), "select evenkeel.reduce_batch($1::bigint[])", &changes, 1, &late, error);
    if (!late && rows == NULL)
        return -1;
    if (!late) {
        count_done(duty, database_i32(rows, 0, 0), monotonic_now() - began);
        return database_i32(rows, 0, 0) > 0;
    }
    log_line(LOG_PRIORITY_WARNING, "comparing-slow", "hosts=%d", count);
    if (count > 1) {
        shrink(duty, count);
        return 1;
    }
    _cleanup_(cleanup_result) PGresult *given_up =
        database_query(connection,
                       "select evenkeel.drop_change(($1::bigint[])[1], 'to compare it with other hosts took longer "
                       "than ' || evenkeel.setting('judge.slow-turn'))",
                       &changes, 1, true, error);
    return given_up == NULL ? -1 : 1;
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
    _cleanup_(cleanup_result) PGresult *next =
        database_query(connection,
                       "select host::text, waits_since::text, (extract(epoch from waited) * 1000000)::bigint "
                       "from evenkeel.judge_slow_next()",
                       NULL, 0, false, error);
    if (next == NULL)
        return -1;
    if (PQntuples(next) == 0 || PQgetisnull(next, 0, 0))
        return 0;
    struct parameter parameters[] = {PARAMETER_TEXT(PQgetvalue(next, 0, 0)), PARAMETER_TEXT(PQgetvalue(next, 0, 1))};
    int64_t until = monotonic_now() + GIVE_WAY_MICROSECONDS - strtoll(PQgetvalue(next, 0, 2), NULL, 10);
    for (int judged = 1; judged > 0 && !is_stopping(duty->judge);) {
        if (!give_way(duty->judge, until))
            return 0;
        _cleanup_(cleanup_result) PGresult *content = database_query(
            connection, "select evenkeel.judge_content_of(array[$1::uuid], 20000)", parameters, 1, true, error);
        if (content == NULL)
            return -1;
        judged = database_i32(content, 0, 0);
    }
    if (!give_way(duty->judge, until))
        return 0;
    _cleanup_(cleanup_result) PGresult *rows =
        query_within(connection, turn, "select evenkeel.judge_slow($1::uuid)::integer", parameters, 1, &late, error);
    if (!late) {
        call_out(duty->judge, CALL_JUDGED);
        return rows == NULL ? -1 : database_i32(rows, 0, 0);
    }
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

/* What depends on the time alone, so many hosts in a transaction. */
static int judge_clock(struct judge *judge, PGconn *connection, struct error *error)
{
    for (int looked = CLOCK_HOSTS; looked >= CLOCK_HOSTS && !is_stopping(judge);) {
        char most[16];
        snprintf(most, sizeof most, "%d", CLOCK_HOSTS);
        _cleanup_(cleanup_result) PGresult *rows = database_query(
            connection, "select evenkeel.judge_clock($1::integer)", &PARAMETER_TEXT(most), 1, true, error);
        if (rows == NULL)
            return -1;
        looked = database_i32(rows, 0, 0);
    }
    return 0;
}

/* For pages, which can count for themselves if need be. Cut short at the stop it is no complaint. */
static void count_fleet(struct judge *judge, PGconn *connection)
{
    struct error error = {0};
    if (database_execute(connection, "select evenkeel.refresh_fleet_summary()", &error) < 0 && !is_stopping(judge))
        log_line(LOG_PRIORITY_WARNING, "fleet-not-counted", "message=%s", JOURNAL_QUOTED(error.message));
}

/* Judges what changes with the clock when it is time, then learns one thing from the fleet. */
static int learn_once(struct duty *duty, PGconn *connection, struct error *error)
{
    if (!wait_for_pause(duty->judge))
        return 0;
    if (monotonic_now() >= duty->clock_due) {
        duty->clock_due = monotonic_now() + CLOCK_MICROSECONDS;
        if (judge_clock(duty->judge, connection, error) < 0 || retire_silent(connection, error) < 0)
            return -1;
        count_fleet(duty->judge, connection);
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
    /* What a server that died had judged is judged again on the one that takes over: the queue goes with the verdicts.
     */
    if (connection != NULL && (database_wait_for_no_standby(connection, error) < 0 ||
                               (duty->prepare != NULL && database_execute(connection, duty->prepare, error) < 0))) {
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
            /* Upgraded under this program: opened again it is refused until the program is upgraded, too, if it must
             * be. */
            set_cancel(duty, NULL);
            PQfinish(connection);
            if ((connection = open_session(duty, &error)) != NULL)
                set_cancel(duty, PQgetCancel(connection));
        }
        if (connection != NULL)
            done = duty->work(duty, connection, &error);
        if (done < 0 && !complained && !is_stopping(duty->judge))
            log_line(LOG_PRIORITY_ERROR, duty->failure, "message=%s", JOURNAL_QUOTED(error.message));
        complained = done < 0;
        if (done < 0)
            set_judging(duty, false);
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
    pthread_mutex_lock(&judge->lock);
    judge->stopping = true;
    for (size_t i = 0; i < judge->duty_count; i++)
        if (!judge->duties[i].finishes && judge->duties[i].cancel != NULL)
            PQcancel(judge->duties[i].cancel, unused, sizeof unused);
    pthread_cond_broadcast(&judge->changed);
    pthread_mutex_unlock(&judge->lock);
    for (size_t i = 0; i < judge->duty_count; i++)
        if (judge->duties[i].started)
            pthread_join(judge->duties[i].thread, NULL);
    pthread_cond_destroy(&judge->changed);
    pthread_mutex_destroy(&judge->lock);
    free(judge->dsn);
    free(judge);
}

/* All before any thread starts, which reads them. */
static void add_duties(struct judge *judge)
{
    const struct duty judging = {.work = judge_once,
                                 .failure = "judging-failed",
                                 .woken_by = CALL_ARRIVED,
                                 .finishes = true,
                                 .most = HOSTS_PER_BATCH,
                                 .usual = USUAL_MICROSECONDS};
    const struct duty others[] = {{.work = compare_once,
                                   .failure = "comparing-failed",
                                   .woken_by = CALL_JUDGED,
                                   .finishes = true,
                                   .most = HOSTS_PER_BATCH,
                                   .usual = USUAL_MICROSECONDS},
                                  {.work = judge_slow_once,
                                   .failure = "judging-apart-failed",
                                   .prepare = "select evenkeel.open_private_caches()"},
                                  {.work = learn_once, .failure = "learning-failed"}};
    for (unsigned i = 0; i < judge->judges; i++)
        judge->duties[judge->duty_count++] = judging;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        judge->duties[judge->duty_count++] = others[i];
    for (size_t i = 0; i < judge->duty_count; i++)
        judge->duties[i].judge = judge;
}

struct judge *judge_start(const char *dsn, unsigned judges, struct error *error)
{
    struct judge *judge = calloc(1, sizeof *judge);
    if (judge == NULL || (judge->dsn = strdup(dsn)) == NULL) {
        free(judge);
        error_set(error, ERROR_MEMORY, "no memory for the judge");
        return NULL;
    }
    pthread_mutex_init(&judge->lock, NULL);
    monotonic_condition(&judge->changed);
    judge->judges = judges;
    add_duties(judge);
    for (size_t i = 0; i < judge->duty_count; i++) {
        int failed = pthread_create(&judge->duties[i].thread, NULL, run, &judge->duties[i]);
        judge->duties[i].started = failed == 0;
        if (failed != 0) {
            error_set(error, ERROR_IO, "can't start the judge: %s", strerror(failed));
            clear(judge);
            return NULL;
        }
    }
    return judge;
}

void judge_wake(struct judge *judge, unsigned hosts)
{
    pthread_mutex_lock(&judge->lock);
    judge->arrived += hosts;
    if (hosts > 0)
        judge->arrived_at = monotonic_now();
    pthread_mutex_unlock(&judge->lock);
    call_out(judge, CALL_ARRIVED);
}

void judge_stop(struct judge *judge)
{
    if (judge != NULL)
        clear(judge);
}
