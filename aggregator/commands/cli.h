/* What the subcommands share: options, the connection, and how they end. */

#ifndef EVENKEEL_CLI_H
#define EVENKEEL_CLI_H

#include "aggregator/base/database.h"
#include "commands.h"

#include <getopt.h>
#include <stdbool.h>

/* Values of the options that every command has, and of --format; commands start their own codes at 256. */
enum { CLI_DSN = 1, CLI_HELP, CLI_QUIET, CLI_FORMAT, CLI_HOSTS, CLI_HOSTS_FILE, CLI_GROUP, CLI_EXCEPT };
#define CLI_OPTIONS                                                                                                    \
    {"dsn", required_argument, NULL, CLI_DSN}, {"help", no_argument, NULL, CLI_HELP},                                  \
    {                                                                                                                  \
        "quiet", no_argument, NULL, CLI_QUIET                                                                          \
    }

#define CLI_FORMAT_OPTION                                                                                              \
    {                                                                                                                  \
        "format", required_argument, NULL, CLI_FORMAT                                                                  \
    }

/* Of commands that are about some hosts of many; all but the file may be repeated. */
#define CLI_CHOICE_OPTIONS                                                                                             \
    {"hosts", required_argument, NULL, CLI_HOSTS}, {"hosts-file", required_argument, NULL, CLI_HOSTS_FILE},            \
        {"group", required_argument, NULL, CLI_GROUP},                                                                 \
    {                                                                                                                  \
        "except", required_argument, NULL, CLI_EXCEPT                                                                  \
    }

enum cli_format { CLI_TEXT, CLI_JSON, CLI_CSV };

#define CLI_OPTIONS_MAXIMUM 32 /* that one command has */

/* Which hosts: names, host_ids and globs, groups, and names that are left out. As PostgreSQL's text arrays, empty where
 * not given; cli_choice_parameters() closes them. */
struct cli_choice {
    struct buffer hosts, groups, excepted;
};

/* What the options that commands share say: set the first four, and let cli_option() fill in the rest. */
struct cli {
    const char *command, *help;
    const char *letters;         /* of options that have one, as getopt() reads them; NULL: none */
    const char *const *repeated; /* names of options whose values add up, NULL behind them; NULL: none */
    const char *dsn;             /* NULL: not given */
    struct cli_choice choice;    /* free with cli_clear() where CLI_CHOICE_OPTIONS are taken */
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

/* Three parameters for evenkeel.chosen_hosts() and its like; null where not given. They live as long as the choice. */
void cli_choice_parameters(struct cli_choice *choice, struct parameter parameters[3]);
bool cli_choice_is_given(const struct cli_choice *choice);

/* Frees the choice of a command that takes CLI_CHOICE_OPTIONS. */
void cli_clear(struct cli *cli);

/* The one host that a word names: its host_id and its name, cut where it is longer than any. -1 with *error. */
struct cli_host {
    char host_id[40], name[300];
};
int cli_host(PGconn *connection, const char *word, struct cli_host *host, struct error *error);

/* The hosts of a choice as one of PostgreSQL's arrays of uuid, to be freed with PQclear(); its value is null where
 * nothing was chosen, which means all. NULL with *error, also where one that is named is not there. */
PGresult *cli_chosen(PGconn *connection, struct cli_choice *choice, struct error *error);

/* Adds a name to one of the lists of a choice. */
void cli_choice_add(struct buffer *list, const char *word, size_t length);

/* Adds the names of a file to choice->hosts: one a line, '#' begins a comment; "-" is stdin. -1 with *error, also where
 * it names none. */
int cli_choice_read(struct cli_choice *choice, const char *path, struct error *error);

/* Prints "evenkeel COMMAND: sentence" to stderr and returns EXIT_STATUS_ERROR. */
int cli_fail(const char *command, const struct error *error);
int cli_fail_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The connection of a command: opened and checked, with the messages' level set. NULL with *error. */
PGconn *cli_connect(const char *dsn, struct error *error);

/* The same of commands that a fleet database answers too; others are refused there. *fleet tells whether it is one. */
PGconn *cli_connect_either(const char *dsn, bool *fleet, struct error *error);

/* text, json or csv; false for anything else, with the sentence already printed. */
bool cli_format_of(const char *command, const char *word, enum cli_format *format);

/* Times that people read and write are of the environment's time zone (TZ) from here on, where the server knows it, and
 * of the database's again; what is judged and stored in between must not depend on it. */
void cli_follow_zone(PGconn *connection);
void cli_leave_zone(PGconn *connection);

/*
 * Prints the rows of a query: as a table (table_print()), as a JSON array of objects, or as CSV with a header. JSON and
 * CSV are made by PostgreSQL. Times are of the environment's time zone, and say which. *rows counts them. -1 with
 * *error.
 */
int cli_print(PGconn *connection, const char *query, const struct parameter *parameters, size_t count,
              enum cli_format format, int *rows, struct error *error);

/* Whether this login may judge, or only looks (evenkeel_read). */
int cli_may_judge(PGconn *connection, bool *may, struct error *error);

/* Judges all hosts that wait for it, where this login may; otherwise, and where an aggregator still has some in hand
 * after a minute, tells how many wait. So that what is asked next is up to date; with progress on a terminal unless
 * quiet. */
int cli_judge(PGconn *connection, bool quiet, struct error *error);

/* Likewise without what changes with the clock alone, such as who has been silent. 1: an aggregator still has some. */
int cli_judge_hosts(PGconn *connection, bool quiet, struct error *error);

#endif
