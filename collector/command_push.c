/* evenkeel-collector push: one snapshot of a host, now. */

#include "collector/commands.h"

#include "collector/push.h"
#include "collector/roots.h"
#include "proto/cleanup.h"

#include <getopt.h>
#include <string.h>

static void usage(FILE *out)
{
    fputs("usage: evenkeel-collector push [OPTION]...\n\n"
          "Takes one snapshot of a host's files and facts and gives it to an aggregator.\n\n"
          "  --root DIR         the folder that holds the host's system drive (default: this Windows' own)\n"
          "  --drive LETTER     the letter of that drive (default: c)\n"
          "  --host NAME        the host's name (default: its computer name)\n"
          "  --aggregator URL   where to: tls+tcp://HOST:PORT, or tcp:// on this machine; may be repeated\n"
          "  --ca FILE          certificates to check the aggregator by, for tls+tcp\n"
          "  --facts FILE       the host's registry export (.reg), where there is no registry below DIR\n"
          "  --group LABEL      a group of hosts that should be alike; may be repeated\n"
          "  --include NAME     a backup folder that is wanted nevertheless; 'scan --help' lists them\n"
          "  --hash             read whole files for their SHA-256\n"
          "  --state DIR        where key, state and spool are kept\n"
          "  --config FILE      settings; options given here come on top\n",
          out);
}

static void report(const char *sentence)
{
    fprintf(stderr, "evenkeel-collector: %s\n", sentence);
}

/* Options that are settings of the configuration file too. */
static const struct {
    int option;
    const char *key;
} settings[] = {
    {'d', "drive"}, {'h', "host"}, {'a', "aggregator"}, {'c', "ca"}, {'g', "group"}, {'i', "include"}, {'s', "state"},
};

/* Fills *config and *push; 0, 1 where help was shown, or -1. The file first, so that options come on top of it. */
static int parse(int argc, char **argv, struct config *config, struct push_options *push, struct error *error)
{
    enum { ROOT = 1, FACTS, CONFIG, HASH, HELP };
    static const struct option options[] = {
        {"root", required_argument, NULL, ROOT},
        {"facts", required_argument, NULL, FACTS},
        {"config", required_argument, NULL, CONFIG},
        {"hash", no_argument, NULL, HASH},
        {"help", no_argument, NULL, HELP},
        {"drive", required_argument, NULL, 'd'},
        {"host", required_argument, NULL, 'h'},
        {"aggregator", required_argument, NULL, 'a'},
        {"ca", required_argument, NULL, 'c'},
        {"group", required_argument, NULL, 'g'},
        {"include", required_argument, NULL, 'i'},
        {"state", required_argument, NULL, 's'},
        {0},
    };
    static const char *see_help = "'evenkeel-collector push --help' tells the options";
    opterr = 0;
    bool aggregators_replaced = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return error_set(error, ERROR_USAGE, "'%s' is no option, or lacks its value; %s", argv[optind - 1],
                             see_help);
        if (option == HELP) {
            usage(stdout);
            return 1;
        }
        if (option == CONFIG && config_load(optarg, config, error) < 0)
            return -1;
    }
    if (optind < argc)
        return error_set(error, ERROR_USAGE, "'%s' is no option; %s", argv[optind], see_help);
    optind = 1;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == ROOT)
            push->root = optarg;
        else if (option == FACTS)
            push->registry_file = optarg;
        else if (option == HASH)
            config->hash = true;
        if (option == 'a' && !aggregators_replaced) {
            string_list_clear(&config->aggregators);
            aggregators_replaced = true;
        }
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
            if (settings[i].option == option && config_set(config, settings[i].key, optarg, error) < 0)
                return -1;
    }
    return 0;
}

static void print_result(const struct push_result *result)
{
    printf("%s: accepted (%s), %llu files in %llu chunks; sent %llu bytes, received %llu bytes, %llu requests\n",
           result->host, result->changed ? "changed" : "unchanged", (unsigned long long)result->snapshot.files,
           (unsigned long long)result->snapshot.chunks, (unsigned long long)result->traffic.sent,
           (unsigned long long)result->traffic.received, (unsigned long long)result->traffic.requests);
}

int command_push(int argc, char **argv)
{
    struct error error = {0};
    struct push_result result = {0};
    _cleanup_(config_clear) struct config config;
    config_init(&config);
    struct push_options push = {.config = &config, .report = report};
    int status = parse(argc, argv, &config, &push, &error);
    if (status == 0) {
        status = push_snapshot(&push, &result, &error);
        char passed_over[256];
        if (walk_counts_text(&result.walk, passed_over, sizeof passed_over)[0] != 0)
            fprintf(stderr, "evenkeel-collector: passed over: %s\n", passed_over);
        if (status == 0)
            print_result(&result);
    }
    if (status < 0)
        fprintf(stderr, "evenkeel-collector push: %s\n", error.message);
    return status < 0;
}
