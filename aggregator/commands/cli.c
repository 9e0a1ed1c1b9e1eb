/* What the subcommands share. */

#include "cli.h"

#include "aggregator/base/progress.h"
#include "aggregator/base/table.h"

#include "proto/cleanup.h"
#include "proto/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_fail(const char *command, const struct error *error)
{
    fprintf(stderr, "evenkeel %s: %s\n", command, error->message);
    return EXIT_STATUS_ERROR;
}

int cli_fail_usage(const char *command, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    fprintf(stderr, "evenkeel %s: ", command);
    utf8_print(sentence, stderr);
    fprintf(stderr, "; 'evenkeel %s --help' tells its options\n", command);
    return EXIT_STATUS_ERROR;
}

PGconn *cli_connect(const char *dsn, struct error *error)
{
    char text[2048];
    if (database_dsn(dsn, text, sizeof text, error) < 0)
        return NULL;
    return database_open(text, error);
}

PGconn *cli_connect_either(const char *dsn, bool *fleet, struct error *error)
{
    char text[2048];
    if (database_dsn(dsn, text, sizeof text, error) < 0)
        return NULL;
    return database_open_either(text, fleet, error);
}

bool cli_format_of(const char *command, const char *word, enum cli_format *format)
{
    static const char *const words[] = {[CLI_TEXT] = "text", [CLI_JSON] = "json", [CLI_CSV] = "csv"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            *format = (enum cli_format)i;
            return true;
        }
    }
    cli_fail_usage(command, "there is no format '%s': text, json and csv are", word);
    return false;
}

static int end(struct cli *cli, int status)
{
    cli->ended = true;
    cli->status = status;
    return -1;
}

/* Where a second value would take the place of the first one unseen: false, with the sentence printed. */
static bool note_value(struct cli *cli, const struct option *options, int option)
{
    size_t at = 0;
    while (options[at].name != NULL && options[at].val != option)
        at++;
    if (options[at].name == NULL || options[at].has_arg != required_argument || at >= CLI_OPTIONS_MAXIMUM)
        return true;
    if (option == CLI_HOSTS || option == CLI_GROUP || option == CLI_EXCEPT)
        return true;
    for (const char *const *name = cli->repeated; name != NULL && *name != NULL; name++)
        if (strcmp(options[at].name, *name) == 0)
            return true;
    const char *before = cli->values[at];
    cli->values[at] = optarg;
    if (before == NULL)
        return true;
    cli_fail_usage(cli->command, "--%s takes one value and has two, '%s' and '%s': run it once for each",
                   options[at].name, before, optarg);
    return false;
}

/* What getopt() did not take, in our words: `word` is the argument at which it stopped. */
static int fail_option(const char *command, const char *word, const struct option *options)
{
    size_t length = strcspn(word, "=");
    const char *begins[2] = {NULL, NULL};
    if (word[0] != '-' || word[1] != '-')
        return cli_fail_usage(command, "'%s' is no option, or lacks its value", word);
    for (const struct option *option = options; option->name != NULL; option++) {
        if (strlen(option->name) == length - 2 && memcmp(option->name, word + 2, length - 2) == 0)
            return word[length] == '=' ? cli_fail_usage(command, "--%s takes no value", option->name)
                                       : cli_fail_usage(command, "--%s lacks its value", option->name);
        if (strncmp(option->name, word + 2, length - 2) == 0)
            begins[begins[0] != NULL] = option->name;
    }
    if (begins[1] != NULL)
        return cli_fail_usage(command, "'%s' may be --%s or --%s: write it in full", word, begins[0], begins[1]);
    if (begins[0] != NULL)
        return cli_fail_usage(command, "--%s %s", begins[0],
                              word[length] == '=' ? "takes no value" : "lacks its value");
    return cli_fail_usage(command, "'%s' is no option", word);
}

int cli_option(struct cli *cli, int argc, char **argv, const struct option *options)
{
    opterr = 0;
    for (;;) {
        int option = getopt_long(argc, argv, cli->letters != NULL ? cli->letters : "", options, NULL);
        if (!note_value(cli, options, option))
            return end(cli, EXIT_STATUS_ERROR);
        switch (option) {
        case CLI_DSN:
            cli->dsn = optarg;
            break;
        case CLI_QUIET:
            cli->quiet = true;
            break;
        case CLI_FORMAT:
            if (!cli_format_of(cli->command, optarg, &cli->format))
                return end(cli, EXIT_STATUS_ERROR);
            break;
        case CLI_HOSTS:
            cli_choice_add(&cli->choice.hosts, optarg, strlen(optarg));
            break;
        case CLI_GROUP:
            cli_choice_add(&cli->choice.groups, optarg, strlen(optarg));
            break;
        case CLI_EXCEPT:
            cli_choice_add(&cli->choice.excepted, optarg, strlen(optarg));
            break;
        case CLI_HOSTS_FILE: {
            struct error error = {0};
            if (cli_choice_read(&cli->choice, optarg, &error) < 0)
                return end(cli, cli_fail(cli->command, &error));
            break;
        }
        case CLI_HELP:
            puts(cli->help);
            return end(cli, EXIT_STATUS_OK);
        case '?':
            return end(cli, fail_option(cli->command, argv[optind - 1], options));
        default:
            return option;
        }
    }
}

/* A query with its parameters in it, as literals: $1 to $9 stand in no text of our queries. */
static int fill_in(PGconn *connection, struct buffer *statement, const char *query, const struct parameter *parameters,
                   size_t count, struct error *error)
{
    for (const char *at = query; *at != 0; at++) {
        size_t place = *at == '$' && at[1] >= '1' && at[1] <= '9' ? (size_t)(at[1] - '0') : 0;
        if (place == 0 || place > count) {
            buffer_put(statement, at, 1);
            continue;
        }
        at++;
        const char *value = parameters[place - 1].value;
        char *literal = value != NULL ? PQescapeLiteral(connection, value, strlen(value)) : NULL;
        if (value != NULL && literal == NULL)
            return error_set(error, ERROR_FORMAT, "'%s' is no text", value);
        buffer_put_text(statement, literal != NULL ? literal : "null");
        PQfreemem(literal);
    }
    return 0;
}

static int print_csv(PGconn *connection, const char *query, const struct parameter *parameters, size_t count, int *rows,
                     struct error *error)
{
    /* COPY takes no parameters, and who only looks may make no table to copy from. */
    _cleanup_(buffer_clear) struct buffer source = {0};
    buffer_put_text(&source, "(");
    if (fill_in(connection, &source, query, parameters, count, error) < 0)
        return -1;
    buffer_put_text(&source, ")");
    buffer_put(&source, "", 1);
    if (source.failed)
        return error_set(error, ERROR_MEMORY, "no memory for a query");
    /* What a command did that prints what it did is undone where that can't be printed. */
    if (database_execute(connection, "begin", error) < 0 ||
        database_copy_csv(connection, (const char *)source.data, stdout, rows, error) < 0)
        return -1;
    return database_execute(connection, "commit", error);
}

void cli_follow_zone(PGconn *connection)
{
    const char *zone = getenv("TZ");
    if (zone != NULL && *zone == ':')
        zone++;
    /* In a transaction a zone that the server does not know would cost all of it. */
    if (zone == NULL || *zone == 0 || *zone == '/' || PQtransactionStatus(connection) != PQTRANS_IDLE)
        return;
    struct error ignored = {0};
    PQclear(database_query(connection, "select set_config('TimeZone', $1, false)", &PARAMETER_TEXT(zone), 1, false,
                           &ignored));
}

void cli_leave_zone(PGconn *connection)
{
    struct error ignored = {0};
    if (PQtransactionStatus(connection) == PQTRANS_IDLE)
        database_execute(connection, "reset TimeZone", &ignored);
}

static int print_rows(PGconn *connection, const char *query, const struct parameter *parameters, size_t count,
                      enum cli_format format, int *rows, struct error *error)
{
    if (format == CLI_CSV)
        return print_csv(connection, query, parameters, count, rows, error);
    _cleanup_(buffer_clear) struct buffer json = {0};
    if (format == CLI_JSON)
        buffer_format(&json, "select row_to_json(r) from (%s) r", query);
    buffer_put(&json, "", 1);
    if (json.failed)
        return error_set(error, ERROR_MEMORY, "no memory for a query");
    _cleanup_(cleanup_result) PGresult *result = database_query(
        connection, format == CLI_JSON ? (const char *)json.data : query, parameters, count, false, error);
    if (result == NULL)
        return -1;
    *rows = PQntuples(result);
    if (format == CLI_TEXT) {
        if (*rows > 0)
            table_print(result);
        return 0;
    }
    putchar('[');
    for (int row = 0; row < *rows; row++) {
        fputs(row > 0 ? ",\n" : "\n", stdout);
        utf8_print_json(PQgetvalue(result, row, 0), stdout);
    }
    printf("%s]\n", *rows > 0 ? "\n" : "");
    return 0;
}

int cli_print(PGconn *connection, const char *query, const struct parameter *parameters, size_t count,
              enum cli_format format, int *rows, struct error *error)
{
    cli_follow_zone(connection);
    int result = print_rows(connection, query, parameters, count, format, rows, error);
    cli_leave_zone(connection);
    return result;
}

/* Judges one of the hosts that are judged apart; *judged is 0 where none waits, or an aggregator has it in hand. */
static int judge_slow(PGconn *connection, int *judged, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        connection,
        "select evenkeel.judge_slow(n.host)::integer from evenkeel.judge_slow_next() n where n.host is not null", NULL,
        0, true, error);
    if (rows == NULL)
        return -1;
    *judged = PQntuples(rows) > 0 ? database_i32(rows, 0, 0) : 0;
    return 0;
}

/* Judges the fleet checks for what was judged, as far as no aggregator is at it. */
static int compare_hosts(PGconn *connection, struct error *error)
{
    for (int compared = 1; compared > 0;) {
        _cleanup_(cleanup_result) PGresult *rows =
            database_query(connection, "select evenkeel.reduce_fleet(500)", NULL, 0, true, error);
        if (rows == NULL)
            return -1;
        compared = database_i32(rows, 0, 0);
    }
    return 0;
}

int cli_may_judge(PGconn *connection, bool *may, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        connection, "select has_table_privilege('evenkeel.judge_queue', 'delete')", NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    *may = database_bool(rows, 0, 0);
    return 0;
}

/* Who looks is told how far what is shown is from what was reported. */
static void tell_waiting(long long hosts)
{
    if (hosts > 0)
        fprintf(
            stderr,
            "evenkeel: %lld of the hosts wait to be judged, and what is shown of them was found before: the aggregator "
            "judges them (see its log), or whoever has the rights of evenkeel_owner\n",
            hosts);
}

static int tell_pending(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select count(*) from ops.host where pending", NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    tell_waiting(database_i64(rows, 0, 0));
    return 0;
}

static int is_fleet(PGconn *connection, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows =
        database_query(connection, "select evenkeel.is_fleet()", NULL, 0, true, error);
    return rows != NULL ? database_bool(rows, 0, 0) : -1;
}

/* A fleet database judges nothing: it counts its cells' hosts, and hands down what one cell must know of others. What
 * failed is told and keeps nobody from looking. */
static int update_fleet(PGconn *connection, struct error *error)
{
    int standby = database_is_standby(connection, error);
    if (standby != 0)
        return standby < 0 ? -1 : 0;
    _cleanup_(cleanup_result) PGresult *told =
        database_query(connection, "select cell, problem from evenkeel.update_fleet()", NULL, 0, false, error);
    for (int row = 0; told != NULL && row < PQntuples(told); row++)
        fprintf(stderr, "evenkeel: cell %s: %s\n", PQgetvalue(told, row, 0), PQgetvalue(told, row, 1));
    return told != NULL ? 0 : -1;
}

/* For what an aggregator has in hand: a minute, or ten seconds where only hosts are left that are judged apart. */
enum { TURNS_WAITED = 600, TURNS_WAITED_APART = 100, TURN_MICROSECONDS = 100000 };

/* How many hosts others have in hand: to be judged with others or compared; to be judged apart. */
static int still_waiting(PGconn *connection, long long *ordinary, long long *apart, struct error *error)
{
    _cleanup_(cleanup_result) PGresult *rows = database_query(
        connection,
        "select count(*) filter (where s.host_id is null), count(s.host_id)"
        " from (select host_id from evenkeel.judge_queue union select host_id from evenkeel.fleet_change) q"
        " left join evenkeel.slow_host s using (host_id)",
        NULL, 0, true, error);
    if (rows == NULL)
        return -1;
    *ordinary = database_i64(rows, 0, 0);
    *apart = database_i64(rows, 0, 1);
    return 0;
}

/* Judges all that wait. 1: others have some of it in hand still, which is told. */
static int judge_waiting(PGconn *connection, bool quiet, struct error *error)
{
    _cleanup_(progress_end) struct progress progress = progress_begin(quiet);
    long total = 0;
    for (int judged = 1; judged > 0;) {
        progress_show(&progress, "judged %ld hosts", total);
        _cleanup_(cleanup_result) PGresult *rows =
            database_query(connection, "select evenkeel.judge_queued(500)", NULL, 0, true, error);
        if (rows == NULL)
            return -1;
        judged = database_i32(rows, 0, 0);
        /* Those that are judged one at a time come when no others wait. */
        if (judged == 0 && judge_slow(connection, &judged, error) < 0)
            return -1;
        total += judged;
    }
    if (compare_hosts(connection, error) < 0)
        return -1;
    /* A running aggregator may hold some of the queue at this moment: wait for it, but not for ever, and less for what
     * takes long. Whom it still holds then is shown as pending, and keeps nobody from asking about others. */
    long long ordinary, apart;
    for (int tries = 0;; tries++) {
        if (still_waiting(connection, &ordinary, &apart, error) < 0)
            return -1;
        if (ordinary + apart == 0 || tries >= (ordinary > 0 ? TURNS_WAITED : TURNS_WAITED_APART))
            break;
        usleep(TURN_MICROSECONDS);
    }
    if (ordinary + apart > 0) {
        tell_waiting(ordinary + apart);
        return 1;
    }
    return 0;
}

int cli_judge_hosts(PGconn *connection, bool quiet, struct error *error)
{
    /* On a standby the verdicts are those that the primary came to. */
    int standby = database_is_standby(connection, error);
    if (standby != 0)
        return standby < 0 ? -1 : 0;
    /* What the fleet teaches once all are judged, in as many steps as that takes, may bring hosts to judge again. */
    for (;;) {
        int waiting = judge_waiting(connection, quiet, error);
        if (waiting != 0)
            return waiting;
        _cleanup_(cleanup_result) PGresult *lesson =
            database_query(connection, "select evenkeel.learn_from_fleet(true)::integer", NULL, 0, true, error);
        if (lesson == NULL)
            return -1;
        if (database_i32(lesson, 0, 0) == 0)
            return 0;
    }
}

int cli_judge(PGconn *connection, bool quiet, struct error *error)
{
    bool may = false;
    int fleet = is_fleet(connection, error);
    if (fleet < 0 || cli_may_judge(connection, &may, error) < 0)
        return -1;
    if (fleet > 0 && may && update_fleet(connection, error) < 0)
        return -1;
    if (!may || fleet > 0)
        return tell_pending(connection, error);
    if (cli_judge_hosts(connection, quiet, error) < 0)
        return -1;
    _cleanup_(cleanup_result) PGresult *clock =
        database_query(connection, "select case when not pg_is_in_recovery() then evenkeel.judge_clock(2000000000) end",
                       NULL, 0, true, error);
    return clock != NULL ? 0 : -1;
}
