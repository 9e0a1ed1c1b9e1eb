/* The agent. */

#include "run.h"

#include "agent.h"
#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "collector/platform/stop.h"
#include "proto/cleanup.h"
#include "proto/words.h"
#include "push.h"
#include "spool.h"

#include <sodium.h>
#include <stdarg.h>

struct run {
    struct push *push;
    struct spool *spool;
    struct platform_file lock; /* one agent per state directory */
    uint64_t spool_limit;      /* bytes */
    void (*tell)(enum run_weight weight, const char *sentence);
};

static void run_clear(struct run *run)
{
    spool_close(run->spool);
    push_close(run->push);
    platform_file_close(&run->lock);
}

static void announce(const struct run *run, enum run_weight weight, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void announce(const struct run *run, enum run_weight weight, const char *format, ...)
{
    char sentence[700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    run->tell(weight, sentence);
}

static void report(void *context, const char *sentence)
{
    announce(context, RUN_WARNING, "%s", sentence);
}

/* ---- duties ---- */

static int64_t now(void *context)
{
    (void)context;
    return platform_now();
}

static bool wait(void *context, uint32_t milliseconds)
{
    (void)context;
    return stop_wait(milliseconds) || stop_reload_asked();
}

static uint32_t draw(void *context, uint32_t bound)
{
    (void)context;
    return randombytes_uniform(bound);
}

static size_t waiting(void *context)
{
    return spool_count(((struct run *)context)->spool);
}

static int take_once(struct run *run, struct error *error)
{
    FILE *file;
    struct spool_offer offer;
    struct walk_counts walk = {0};
    size_t merged;
    if (spool_begin(run->spool, &file, error) < 0)
        return -1;
    if (push_take(run->push, file, &offer, &walk, error) < 0) {
        spool_abandon(run->spool);
        return -1;
    }
    if (spool_end(run->spool, &offer, &merged, error) < 0)
        return -1;
    char passed_over[256];
    if (walk_counts_text(&walk, passed_over, sizeof passed_over)[0] != 0)
        announce(run, RUN_WARNING, "passed over: %s", passed_over);
    if (merged > 0)
        announce(run, RUN_WARNING, "the spool is full: the %zu oldest states that wait were merged into the next",
                 merged);
    if (spool_bytes(run->spool) > run->spool_limit)
        announce(
            run, RUN_WARNING,
            "the newest state alone takes %llu bytes, more than the spool may hold: it is kept; raise 'spool-limit'",
            (unsigned long long)spool_bytes(run->spool));
    return 0;
}

/* Where the disk is full the older states make room for the newest. */
static int take(void *context, struct error *error)
{
    struct run *run = context;
    struct error problem = {0};
    while (take_once(run, &problem) < 0) {
        if (problem.code != ERROR_IO || stop_asked() || spool_count(run->spool) < 2 || spool_drop(run->spool, NULL) < 0)
            return error_set(error, problem.code, "no snapshot was taken: %s", problem.message);
        announce(run, RUN_WARNING, "the oldest state that waits was merged into the next, to make room: %s",
                 problem.message);
    }
    return 0;
}

static int drop(void *context, struct error *error)
{
    return spool_drop(((struct run *)context)->spool, error);
}

/* What an aggregator will say of these bytes tomorrow, too. */
static bool is_final(Evenkeel__RefusalReason reason)
{
    return reason == EVENKEEL__REFUSAL_REASON__MALFORMED || reason == EVENKEEL__REFUSAL_REASON__WRONG_DIGEST ||
           reason == EVENKEEL__REFUSAL_REASON__OVER_LIMIT;
}

static enum agent_answer give(void *context, struct error *error)
{
    struct run *run = context;
    struct spool_offer offer;
    struct push_result result = {0};
    FILE *file;
    int found = spool_oldest(run->spool, &file, &offer, error);
    if (found == 0)
        return AGENT_ACCEPTED;
    int status = found;
    if (found == 1) {
        status = push_give(run->push, file, &offer, &result, error);
        fclose(file);
    }
    if (status < 0 && error->code == ERROR_FORMAT && result.traffic.requests == 0) {
        announce(run, RUN_FAILURE, "%s; it is dropped", error->message);
        return spool_drop(run->spool, error) == 0 ? AGENT_ACCEPTED : AGENT_LATER;
    }
    if (status < 0)
        return error->code == ERROR_REFUSED && is_final(result.reason) ? AGENT_UNWELCOME : AGENT_LATER;
    announce(run, RUN_NEWS, "%s: accepted (%s), %llu %s; %zu more %s", result.host,
             result.changed ? "changed" : "unchanged", (unsigned long long)result.files,
             plural((long long)result.files, "file", "files"), spool_count(run->spool) - 1,
             plural((long long)spool_count(run->spool) - 1, "waits", "wait"));
    return spool_drop(run->spool, error) == 0 ? AGENT_ACCEPTED : AGENT_LATER;
}

/* ---- running ---- */

/* Two agents would take each other's snapshots and numbers for their own. */
static int lock_state(struct run *run, struct error *error)
{
    struct error problem = {0};
    _cleanup_free_ char *path = path_join(push_state(run->push), "lock");
    if (path == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    if (platform_lock(path, &run->lock, &problem) == 0)
        return 0;
    if (problem.code != ERROR_BUSY)
        return error_set(error, problem.code, "%s", problem.message);
    return error_set(error, ERROR_USAGE,
                     "another agent runs on the state directory '%s': end it, or name another directory with --state",
                     push_state(run->push));
}

static int start(struct run *run, const struct push_options *options, struct error *error)
{
    if (push_open(options, &run->push, error) < 0 || lock_state(run, error) < 0)
        return -1;
    _cleanup_free_ char *directory = path_join(push_state(run->push), "spool");
    if (directory == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    return spool_open(directory, run->spool_limit, &run->spool, error);
}

int run_agent(const struct options *options, void (*teller)(enum run_weight weight, const char *sentence),
              struct error *error)
{
    _cleanup_(run_clear) struct run run = {
        .tell = teller, .lock = PLATFORM_FILE_NONE, .spool_limit = (uint64_t)options->config.spool_limit << 20};
    struct push_options push = {
        .config = &options->config,
        .root = options->root,
        .more = options->more,
        .more_count = options->more_count,
        .registry_file = options->registry_file,
        .schedule = options->config.schedule,
        .report = report,
        .context = &run,
        .stopped = stop_asked,
    };
    struct agent_duties duties = {
        .context = &run,
        .now = now,
        .wait = wait,
        .random = draw,
        .take = take,
        .waiting = waiting,
        .give = give,
        .drop = drop,
        .report = report,
    };
    if (start(&run, &push, error) < 0)
        return -1;
    struct digest identity = push_identity(run.push);
    uint32_t number;
    bytes_u32(bytes_of(identity.bytes, sizeof identity.bytes), 0, &number);
    struct agent_schedule schedule = {options->config.schedule, number % options->config.schedule};
    announce(&run, RUN_NEWS, "started: a snapshot every %u s, %zu wait to be shipped", schedule.every,
             spool_count(run.spool));
    agent_run(&schedule, &duties);
    if (!stop_asked())
        return 1;
    announce(&run, RUN_NEWS, "stopped: %zu %s to be shipped", spool_count(run.spool),
             plural((long long)spool_count(run.spool), "snapshot waits", "snapshots wait"));
    return 0;
}
