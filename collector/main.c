/* evenkeel-collector: a table of subcommands. */

#include "collector/commands/commands.h"
#include "collector/platform/platform.h"
#include "version.h"

#include "proto/output.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"scan", command_scan, "print which files are here, with their versions; needs nothing"},
    {"push", command_push, "take one snapshot of a host and give it to an aggregator, now"},
    {"enroll", command_enroll, "ask an aggregator to be let in, without a snapshot"},
    {"run", command_run, "the agent: take snapshots by schedule and ship them"},
    {"service", command_service, "install, remove, start or stop the agent as a Windows service"},
};

static void usage(FILE *out)
{
    fputs("usage: evenkeel-collector COMMAND [OPTION]...\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n'evenkeel-collector COMMAND --help' tells its options, --version the version.\n", out);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 1;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "--version") == 0) {
        puts("evenkeel-collector " EVENKEEL_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    fprintf(stderr, "evenkeel-collector: there is no command '%s'; 'evenkeel-collector --help' lists them\n", argv[1]);
    return 1;
}

int main(int argc, char **argv)
{
    platform_start(&argc, &argv);
    int status = run(argc, argv);
    return output_end("evenkeel-collector", argc > 1 ? argv[1] : "", status, 1);
}
