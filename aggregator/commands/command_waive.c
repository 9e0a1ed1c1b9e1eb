/* evenkeel waive: findings that a person accepts, with a reason and an end. */

#include "cli.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel waive --host NAME --check CODE [--subject S]\n"
                           "                      --reason TEXT --until DATE [--by NAME]\n"
                           "       evenkeel waive --host NAME --check CODE [--subject S] --remove\n"
                           "       evenkeel waive list [--host NAME] [--format text|json|csv]\n\n"
                           "Accepts open findings until a date; until then 'evenkeel check' counts them only\n"
                           "when asked to.\n"
                           "  --subject S    that subject only (default: all that the host has of the check)\n"
                           "  --until DATE   the last day, 2030-12-31, or a time, '2030-12-31 18:00'\n"
                           "  --by NAME      who accepts it (default: the login)\n"
                           "  --remove       ends the waiver at once\n"
                           "  list           all waivers, also those whose finding is closed and those that\n"
                           "                 ended";

struct waiver {
    const char *host, *check, *subject, *reason, *until, *person;
    bool remove;
};

static int waive(PGconn *connection, const struct waiver *waiver, bool quiet, struct error *error)
{
    struct parameter parameters[] = {PARAMETER_TEXT(waiver->host),    PARAMETER_TEXT(waiver->check),
                                     PARAMETER_TEXT(waiver->subject), PARAMETER_TEXT(waiver->reason),
                                     PARAMETER_TEXT(waiver->until),   PARAMETER_TEXT(waiver->person)};
    if (cli_judge(connection, quiet, error) < 0)
        return -1;
    cli_follow_zone(connection); /* a day ends where the person is */
    _cleanup_(cleanup_result) PGresult *count =
        waiver->remove
            ? database_query(connection, "select evenkeel.unwaive($1, $2, $3)", parameters, 3, true, error)
            : database_query(connection, "select evenkeel.waive($1, $2, $3, $4, evenkeel.waiver_end($5), $6)",
                             parameters, 6, true, error);
    if (count == NULL)
        return -1;
    int number = database_i32(count, 0, 0);
    if (!quiet)
        printf("%d %s %s\n", number, plural(number, "finding", "findings"),
               waiver->remove ? "no longer waived" : "waived");
    return 0;
}

static int list(PGconn *connection, const char *host, enum cli_format format, bool quiet, struct error *error)
{
    int rows;
    if (cli_print(connection, "select * from evenkeel.shown_waivers(evenkeel.waiver_host($1))", &PARAMETER_TEXT(host),
                  1, format, &rows, error) < 0)
        return -1;
    if (rows == 0 && format == CLI_TEXT && !quiet)
        puts("nothing is waived");
    return 0;
}

int command_waive(int argc, char **argv)
{
    enum { OPTION_HOST = 256, OPTION_CHECK, OPTION_SUBJECT, OPTION_REASON, OPTION_UNTIL, OPTION_BY, OPTION_REMOVE };
    static const struct option options[] = {{"host", required_argument, NULL, OPTION_HOST},
                                            {"check", required_argument, NULL, OPTION_CHECK},
                                            {"subject", required_argument, NULL, OPTION_SUBJECT},
                                            {"reason", required_argument, NULL, OPTION_REASON},
                                            {"until", required_argument, NULL, OPTION_UNTIL},
                                            {"by", required_argument, NULL, OPTION_BY},
                                            {"remove", no_argument, NULL, OPTION_REMOVE},
                                            CLI_FORMAT_OPTION,
                                            CLI_OPTIONS,
                                            {0}};
    struct waiver waiver = {0};
    struct cli cli = {.command = "waive", .help = help};
    struct error error = {0};
    for (int option; (option = cli_option(&cli, argc, argv, options)) != -1;) {
        switch (option) {
        case OPTION_HOST:
            waiver.host = optarg;
            break;
        case OPTION_CHECK:
            waiver.check = optarg;
            break;
        case OPTION_SUBJECT:
            waiver.subject = optarg;
            break;
        case OPTION_REASON:
            waiver.reason = optarg;
            break;
        case OPTION_UNTIL:
            waiver.until = optarg;
            break;
        case OPTION_BY:
            waiver.person = optarg;
            break;
        case OPTION_REMOVE:
            waiver.remove = true;
            break;
        }
    }
    if (cli.ended)
        return cli.status;
    bool listing = optind < argc && strcmp(argv[optind], "list") == 0;
    if (optind + listing < argc)
        return cli_fail_usage("waive", "'%s' is not known", argv[optind + listing]);
    if (!listing && (waiver.host == NULL || waiver.check == NULL))
        return cli_fail_usage("waive", "name the host and the check (--host, --check), or say 'list'");
    if (!listing && waiver.remove && (waiver.reason != NULL || waiver.until != NULL || waiver.person != NULL))
        return cli_fail_usage("waive", "--remove takes neither --reason nor --until nor --by");
    if (!listing && !waiver.remove && (waiver.reason == NULL || waiver.until == NULL))
        return cli_fail_usage("waive", "a waiver needs a reason and an end (--reason, --until)");
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(cli.dsn, &error);
    if (connection == NULL || (listing ? list(connection, waiver.host, cli.format, cli.quiet, &error)
                                       : waive(connection, &waiver, cli.quiet, &error)) < 0)
        return cli_fail("waive", &error);
    return EXIT_STATUS_OK;
}
