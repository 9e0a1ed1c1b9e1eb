/* What the subcommands share: options, the connection, and how they end. */

#ifndef EVENKEEL_CLI_H
#define EVENKEEL_CLI_H

#include "aggregator/base/database.h"
#include "commands.h"

#include <getopt.h>
#include <stdbool.h>

/* Values of the options that every command has, and of --format; commands start their own codes at 256. */
enum { CLI_DSN = 1, CLI_HELP = 2, CLI_QUIET = 3, CLI_FORMAT = 4 };
#define CLI_OPTIONS                                                                                                    \
    {"dsn", required_argument, NULL, CLI_DSN}, {"help", no_argument, NULL, CLI_HELP},                                  \
    {                                                                                                                  \
        "quiet", no_argument, NULL, CLI_QUIET                                                                          \
    }

#define CLI_FORMAT_OPTION                                                                                              \
    {                                                                                                                  \
        "format", required_argument, NULL, CLI_FORMAT                                                                  \
    }

enum cli_format { CLI_TEXT, CLI_JSON, CLI_CSV };

#define CLI_OPTIONS_MAXIMUM 32 /* that one command has */

/* What the options that commands share say: set the first four, and let cli_option() fill in the rest. */
struct cli {
    const char *command, *help;
    const char *letters;         /* of options that have one, as getopt() reads them; NULL: none */
    const char *const *repeated; /* names of options whose values add up, NULL behind them; NULL: none */
    const char *dsn;             /* NULL: not given */
    enum cli_format format;
    bool quiet;
    bool ended; /* --help was asked for, or an option is wrong, and that is printed: end with `status` */
    int status;
    const char *values[CLI_OPTIONS_MAXIMUM]; /* as given so far, in the order of the command's options */
};

/*
 * The next option that is the command's own, with optarg; -1 where there are no more, or where `ended`, as where an
 * option that takes one value is given twice.
 */
int cli_option(struct cli *cli, int argc, char **argv, const struct option *options);

/* Prints "evenkeel COMMAND: sentence" to stderr and returns EXIT_STATUS_ERROR. */
int cli_fail(const char *command, const struct error *error);
int cli_fail_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The connection of a command: opened and checked, with the messages' level set. NULL with *error. */
PGconn *cli_connect(const char *dsn, struct error *error);

/* text, json or csv; false for anything else, with the sentence already printed. */
bool cli_format_of(const char *command, const char *word, enum cli_format *format);

/*
 * Prints the rows of a query: as a table (table_print()), as a JSON array of objects, or as CSV with a header. JSON and
 * CSV are made by PostgreSQL. *rows counts them. -1 with *error.
 */
int cli_print(PGconn *connection, const char *query, const struct parameter *parameters, size_t count,
              enum cli_format format, int *rows, struct error *error);

/* Judges all hosts that wait for it, so that what is asked next is up to date; with progress on a terminal unless
 * quiet. */
int cli_judge(PGconn *connection, bool quiet, struct error *error);

/* Likewise without what changes with the clock alone, such as who has been silent. */
int cli_judge_hosts(PGconn *connection, bool quiet, struct error *error);

#endif
