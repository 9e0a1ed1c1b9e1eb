/* evenkeel hosts: who reports, and whose key may speak for whom. */

#include "cli.h"

#include "proto/cleanup.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: evenkeel hosts list [--format text|json|csv]\n\n"
                           "  list   every host: when it was last seen, what it declares, its verdict";

static int list(PGconn *connection, enum cli_format format, struct error *error)
{
    int rows;
    return cli_print(connection,
                     "select host, last_seen::timestamptz(0) as last_seen, verdict, coalesce(declared_level, '') as "
                     "declared, files, "
                     "os, host_id from ops.host order by host, host_id",
                     NULL, 0, format, &rows, error);
}

int command_hosts(int argc, char **argv)
{
    enum { OPTION_FORMAT = 256 };
    static const struct option options[] = {{"format", required_argument, NULL, OPTION_FORMAT}, CLI_OPTIONS, {0}};
    const char *dsn = NULL;
    enum cli_format format = CLI_TEXT;
    struct error error = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case OPTION_FORMAT:
            if (!cli_format_of("hosts", optarg, &format))
                return EXIT_STATUS_ERROR;
            break;
        case CLI_DSN:
            dsn = optarg;
            break;
        case CLI_QUIET:
            break;
        case CLI_HELP:
            puts(help);
            return EXIT_STATUS_OK;
        default:
            return EXIT_STATUS_ERROR;
        }
    }
    const char *action = optind < argc ? argv[optind] : "list";
    if (strcmp(action, "list") != 0)
        return cli_fail_usage("hosts", "there is no action '%s'", action);
    _cleanup_(cleanup_connection) PGconn *connection = cli_connect(dsn, &error);
    if (connection == NULL || list(connection, format, &error) < 0)
        return cli_fail("hosts", &error);
    return EXIT_STATUS_OK;
}
