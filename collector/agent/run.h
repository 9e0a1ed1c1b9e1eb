/* The agent: snapshots by schedule, through the spool, to whichever aggregator answers; in the foreground or as a
 * service. */

#ifndef EVENKEEL_RUN_H
#define EVENKEEL_RUN_H

#include "collector/commands/options.h"
#include "proto/error.h"

/* What is worth telling whoever looks after the host. */
enum run_weight { RUN_NEWS, RUN_WARNING, RUN_FAILURE };

/*
 * Runs until stop_asked(), then 0, or stop_reload_asked(), then 1; -1 with *error only for what no later try can mend,
 * as settings that are wrong, and before anything was done. What happens meanwhile is told by `tell`.
 */
int run_agent(const struct options *options, void (*tell)(enum run_weight weight, const char *sentence),
              struct error *error);

#endif
