/* evenkeel-collector enroll: asks an aggregator to let this host in. */

#include "commands.h"

#include "collector/agent/push.h"
#include "options.h"
#include "proto/cleanup.h"

static void usage(FILE *out)
{
    fputs("usage: evenkeel-collector enroll [OPTION]...\n\n"
          "Asks an aggregator to let this host in, and sends nothing of its files. The\n"
          "status is 0 once it is let in, and 1 while a person has to approve it; ask again\n"
          "to hear whether that happened.\n\n"
          "  --root DIR         the folder of the host's system drive (default: this\n"
          "                     Windows' own)\n"
          "  --drive LETTER     the letter of that drive (default: as its registry says)\n"
          "  --host NAME        the host's name (default: its computer name)\n"
          "  --aggregator URL   where to: tls+tcp://HOST:PORT, or tcp:// on this machine;\n"
          "                     may be repeated\n"
          "  --ca FILE          certificates to check the aggregator by, for tls+tcp\n"
          "  --token TOKEN      enrolment token; without one a person has to approve\n"
          "  --facts FILE       the host's registry export (.reg), where DIR has none\n"
          "  --code-page N      the export's code page, where it is not Unicode\n"
          "  --state DIR        where key and state are kept\n"
          "  --config FILE      settings, instead of those of the installation; options\n"
          "                     given here come on top\n",
          out);
}

static void report(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "evenkeel-collector: %s\n", sentence);
}

static int enroll(const struct options *options, struct push_result *result, struct error *error)
{
    struct push_options push = {
        .config = &options->config,
        .root = options->root,
        .more = options->more,
        .more_count = options->more_count,
        .registry_file = options->registry_file,
        .report = report,
    };
    if (push_enroll(&push, result, error) < 0)
        return -1;
    if (result->waits)
        printf("%s: waits for approval: 'evenkeel hosts approve %s' where the aggregator runs (its key is %s)\n",
               result->host, result->host, result->key);
    else
        printf("%s: enrolled\n", result->host);
    return 0;
}

int command_enroll(int argc, char **argv)
{
    struct error error = {0};
    struct push_result result = {0};
    _cleanup_(options_clear) struct options options;
    int status = options_parse(argc, argv, &options, &error);
    if (status > 0) {
        usage(stdout);
        return 0;
    }
    if (status == 0)
        status = enroll(&options, &result, &error);
    if (status < 0)
        fprintf(stderr, "evenkeel-collector enroll: %s\n", error.message);
    return status < 0 || result.waits;
}
