/* evenkeel-collector push: one snapshot of a host, or of each of many, now. */

#include "commands.h"

#include "collector/agent/batch.h"
#include "collector/agent/push.h"
#include "options.h"
#include "proto/cleanup.h"

static void usage(FILE *out)
{
    fputs("usage: evenkeel-collector push [OPTION]...\n"
          "       evenkeel-collector push --hosts FILE [OPTION]...\n\n"
          "Takes one snapshot of a host's files and facts and gives it to an aggregator.\n\n",
          out);
    options_usage(out);
    fputs("  --config FILE      settings; options given here come on top\n"
          "  --hosts FILE       many hosts: a line for each with its name, the folder of\n"
          "                     its drive and, where that has no registry, its export,\n"
          "                     between tabs. The status is 0 only if all were accepted\n"
          "  --at-once N        with --hosts: so many at a time (default: 4, at most 64)\n",
          out);
}

static void report(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "evenkeel-collector: %s\n", sentence);
}

static int push_one(const struct options *options, struct error *error)
{
    struct push_result result;
    struct push_options push = {
        .config = &options->config,
        .root = options->root,
        .more = options->more,
        .more_count = options->more_count,
        .registry_file = options->registry_file,
        .report = report,
    };
    int status = push_snapshot(&push, &result, error);
    char passed_over[256];
    if (walk_counts_text(&result.walk, passed_over, sizeof passed_over)[0] != 0)
        fprintf(stderr, "evenkeel-collector: passed over: %s\n", passed_over);
    if (status == 0)
        batch_print(&result);
    return status;
}

int command_push(int argc, char **argv)
{
    struct error error = {0};
    _cleanup_(options_clear) struct options options;
    int status = options_parse(argc, argv, &options, &error);
    if (status > 0) {
        usage(stdout);
        return 0;
    }
    if (status == 0)
        status = options.hosts != NULL ? batch_push(&options, &error) : push_one(&options, &error);
    if (status < 0)
        fprintf(stderr, "evenkeel-collector push: %s\n", error.message);
    return status < 0;
}
