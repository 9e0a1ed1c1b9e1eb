/* The agent's clockwork. */

#include "agent.h"

#include <stdio.h>

#define SECOND INT64_C(1000000)
#define WAIT_MAXIMUM 600000 /* milliseconds, after which the clock is looked at again: it may have been set */

struct agent {
    const struct agent_schedule *schedule;
    const struct agent_duties *duties;
    int64_t take_at, give_at; /* by now() */
    unsigned failures;        /* of give(), in a row */
};

int64_t agent_next(const struct agent_schedule *schedule, int64_t now)
{
    int64_t every = schedule->every * SECOND, offset = schedule->offset * SECOND % every;
    int64_t turns = (now - offset) / every;
    if ((now - offset) % every < 0)
        turns--; /* before 1970 */
    return (turns + 1) * every + offset;
}

uint32_t agent_backoff(const struct agent_schedule *schedule, unsigned failures)
{
    uint64_t last = (uint64_t)schedule->every * 1000 / 4;
    if (last > AGENT_BACKOFF_LAST)
        last = AGENT_BACKOFF_LAST;
    uint64_t bound = AGENT_BACKOFF_FIRST;
    for (unsigned i = 1; i < failures && bound < last; i++)
        bound *= 2;
    return (uint32_t)(bound < last ? bound : last > 0 ? last : 1);
}

static void report(const struct agent *agent, const char *sentence)
{
    agent->duties->report(agent->duties->context, sentence);
}

/* A clock that was set back must not put off what was due: nothing is ever further away than it was at first. */
static void mind_the_clock(struct agent *agent, int64_t now)
{
    int64_t next = agent_next(agent->schedule, now);
    int64_t backoff = agent_backoff(agent->schedule, agent->failures) * (SECOND / 1000);
    if (agent->take_at > next)
        agent->take_at = next;
    if (agent->give_at > now + backoff)
        agent->give_at = now + backoff;
}

static void take(struct agent *agent)
{
    struct error error = {0};
    if (agent->duties->take(agent->duties->context, &error) < 0)
        report(agent, error.message);
    agent->take_at = agent_next(agent->schedule, agent->duties->now(agent->duties->context));
}

static void hold_back(struct agent *agent)
{
    uint32_t bound = agent_backoff(agent->schedule, ++agent->failures);
    uint32_t wait = agent->duties->random(agent->duties->context, bound);
    agent->give_at = agent->duties->now(agent->duties->context) + wait * (SECOND / 1000);
}

static void give(struct agent *agent)
{
    const struct agent_duties *duties = agent->duties;
    struct error error = {0};
    enum agent_answer answer = duties->give(duties->context, &error);
    if (answer == AGENT_ACCEPTED) {
        agent->failures = 0;
        return;
    }
    if (agent->failures == 0 || answer == AGENT_UNWELCOME)
        report(agent, error.message);
    /* The newest state is never given up: an aggregator of tomorrow may take it. */
    if (answer == AGENT_UNWELCOME && duties->waiting(duties->context) > 1) {
        error = (struct error){0};
        if (duties->drop(duties->context, &error) == 0)
            return;
        report(agent, error.message);
    }
    hold_back(agent);
}

/* Milliseconds until something is due. */
static uint32_t pause_of(const struct agent *agent, int64_t now)
{
    int64_t due = agent->take_at;
    if (agent->duties->waiting(agent->duties->context) > 0 && agent->give_at < due)
        due = agent->give_at;
    int64_t pause = due > now ? (due - now + SECOND / 1000 - 1) / (SECOND / 1000) : 0;
    return (uint32_t)(pause < WAIT_MAXIMUM ? pause : WAIT_MAXIMUM);
}

void agent_run(const struct agent_schedule *schedule, const struct agent_duties *duties)
{
    struct agent agent = {.schedule = schedule, .duties = duties};
    int64_t now = duties->now(duties->context);
    uint32_t within = schedule->every < AGENT_FIRST_WITHIN ? schedule->every : AGENT_FIRST_WITHIN;
    agent.take_at = now + duties->random(duties->context, within * 1000) * (SECOND / 1000);
    agent.give_at = now;
    for (;;) {
        now = duties->now(duties->context);
        if (agent.take_at <= now)
            take(&agent);
        else if (agent.give_at <= now && duties->waiting(duties->context) > 0)
            give(&agent);
        now = duties->now(duties->context);
        mind_the_clock(&agent, now);
        if (duties->wait(duties->context, pause_of(&agent, now)))
            return;
    }
}
