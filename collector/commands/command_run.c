/* evenkeel-collector run: the agent in the foreground. */

#include "commands.h"

#include "collector/agent/run.h"
#include "collector/platform/stop.h"
#include "options.h"
#include "proto/cleanup.h"
#include "proto/journal.h"

static void usage(FILE *out)
{
    fputs("usage: evenkeel-collector run [OPTION]...\n\n"
          "Takes snapshots of a host by schedule and gives them to an aggregator, until it\n"
          "is told to stop. What could not be given yet waits on the disk.\n\n",
          out);
    options_usage(out);
    fputs("  --schedule N       seconds between snapshots (default: 86400, once a day)\n"
          "  --config FILE      settings, instead of those of the installation; options\n"
          "                     given here come on top\n",
          out);
}

static void announce(enum run_weight weight, const char *sentence)
{
    static const struct {
        unsigned priority; /* of syslog(3) */
        const char *name;
    } levels[] = {[RUN_NEWS] = {6, "info"}, [RUN_WARNING] = {4, "warning"}, [RUN_FAILURE] = {3, "error"}};
    fprintf(stderr, "%slevel=%s message=%s\n", journal_prefix(levels[weight].priority), levels[weight].name,
            JOURNAL_QUOTED(sentence));
    fflush(stderr);
}

/* After a SIGHUP: with the settings as they are now or, where these can't be used, with those from before. */
static int run_with_new_settings(int argc, char **argv, struct options *options, struct error *error)
{
    struct error problem = {0};
    struct options fresh;
    stop_reload_begin();
    int status = options_parse(argc, argv, &fresh, &problem);
    if (status == 0) {
        announce(RUN_NEWS, "the settings were read again");
        status = run_agent(&fresh, announce, &problem);
    }
    if (status >= 0) {
        options_clear(options);
        *options = fresh;
        return status;
    }
    options_clear(&fresh);
    char sentence[sizeof problem.message + 64];
    snprintf(sentence, sizeof sentence, "%s; the settings from before stay", problem.message);
    announce(RUN_WARNING, sentence);
    return run_agent(options, announce, error);
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
        while (status > 0)
            status = run_with_new_settings(argc, argv, &options, &error);
    }
    if (status < 0)
        fprintf(stderr, "evenkeel-collector run: %s\n", error.message);
    return status < 0;
}
