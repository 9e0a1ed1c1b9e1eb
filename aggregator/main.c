/* evenkeel: a table of subcommands. */

#include "aggregator/commands/commands.h"
#include "version.h"

#include "proto/output.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"init", command_init, "make or upgrade the schema, views, checks and the shipped catalogue"},
    {"serve", command_serve, "answer collectors until stopped"},
    {"dsn", command_dsn, "print the database's connection string, for psql"},
    {"hosts", command_hosts, "list hosts; approve, grant and revoke their keys"},
    {"catalog", command_catalog, "load products, levels and patches; read knowledge-base articles"},
    {"baseline", command_baseline, "take what a level ships from a healthy host or from media"},
    {"patch", command_patch, "add the payload of a patch; list patches and their files"},
    {"risk", command_risk, "say what a patch would break, before it rolls out"},
    {"check", command_check, "say which hosts are mixed, and what else is wrong"},
    {"report", command_report, "say what changed since last night: text, page, JSON or CSV"},
    {"plan", command_plan, "print the way back of a host: what to reapply and restore, in order"},
    {"waive", command_waive, "accept findings for a time, with a reason"},
    {"fleet", command_fleet, "ask several databases as one: add, remove and list their cells"},
    {"fsck", command_fsck, "check that all that is stored is whole and is what its name says"},
    {"prune", command_prune, "remove history beyond what is kept, and what no host refers to"},
};

static void usage(FILE *out)
{
    fputs("usage: evenkeel COMMAND [OPTION]...\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\nEvery command takes --dsn STRING (default: EVENKEEL_DSN, else the private\n"
          "cluster), --quiet for no progress, and --help.\n",
          out);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_STATUS_ERROR;
    }
    if (sodium_init() < 0) {
        fputs("evenkeel: libsodium can't start: no random numbers\n", stderr);
        return EXIT_STATUS_ERROR;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "--version") == 0) {
        puts("evenkeel " EVENKEEL_VERSION);
        return EXIT_STATUS_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_STATUS_OK;
    }
    fprintf(stderr, "evenkeel: there is no command '%s'; 'evenkeel --help' lists them\n", argv[1]);
    return EXIT_STATUS_ERROR;
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    return output_end("evenkeel", argc > 1 ? argv[1] : "", status, EXIT_STATUS_ERROR);
}
