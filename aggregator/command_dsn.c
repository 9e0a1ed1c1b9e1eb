/* evenkeel dsn: prints the connection string. */

#include "cli.h"

#include <stdio.h>

int command_dsn(int argc, char **argv)
{
    static const struct option options[] = {CLI_OPTIONS, {0}};
    const char *given = NULL;
    char dsn[2048];
    struct error error = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case CLI_DSN:
            given = optarg;
            break;
        case CLI_HELP:
            puts("usage: evenkeel dsn\n\nPrints the connection string of the database, for psql \"$(evenkeel dsn)\".");
            return EXIT_STATUS_OK;
        case CLI_QUIET:
            break;
        default:
            return EXIT_STATUS_ERROR;
        }
    }
    if (database_dsn(given, dsn, sizeof dsn, &error) < 0)
        return cli_fail("dsn", &error);
    puts(dsn);
    return EXIT_STATUS_OK;
}
