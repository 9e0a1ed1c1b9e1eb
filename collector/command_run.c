/* evenkeel-collector run: the agent in the foreground. */

#include "collector/commands.h"

#include "collector/options.h"
#include "collector/run.h"
#include "collector/stop.h"
#include "proto/cleanup.h"

static void usage(FILE *out)
{
    fputs(
        "usage: evenkeel-collector run [OPTION]...\n\n"
        "Takes snapshots of a host by schedule and gives them to an aggregator, until it is told to stop. What could\n"
        "not be given yet waits on the disk.\n\n",
        out);
    options_usage(out);
    fputs("  --schedule N       seconds from one snapshot to the next (default: 86400, once a day)\n"
          "  --config FILE      settings, instead of those of the installation; options given here come on top\n",
          out);
}

static void announce(enum run_weight weight, const char *sentence)
{
    fprintf(stderr, "evenkeel-collector: %s%s\n", weight == RUN_NEWS ? "" : "warning: ", sentence);
    fflush(stderr);
}

int command_run(int argc, char **argv)
{
    struct error error = {0};
    _cleanup_(options_clear) struct options options;
    int status = options_parse(argc, argv, &options, &error);
    if (status > 0) {
        usage(stdout);
        return 0;
    }
    if (status == 0) {
        stop_arm();
        status = run_agent(&options, announce, &error);
    }
    if (status < 0)
        fprintf(stderr, "evenkeel-collector run: %s\n", error.message);
    return status < 0;
}
