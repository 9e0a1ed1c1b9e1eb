/* evenkeel dsn: prints the connection string. */

#include "cli.h"

#include <stdio.h>

static const char help[] =
    "usage: evenkeel dsn\n\nPrints the connection string of the database, for psql \"$(evenkeel dsn)\".";

int command_dsn(int argc, char **argv)
{
    static const struct option options[] = {CLI_OPTIONS, {0}};
    char dsn[2048];
    struct cli cli = {.command = "dsn", .help = help};
    struct error error = {0};
    cli_option(&cli, argc, argv, options);
    if (cli.ended)
        return cli.status;
    if (database_dsn(cli.dsn, dsn, sizeof dsn, &error) < 0)
        return cli_fail("dsn", &error);
    puts(dsn);
    return EXIT_STATUS_OK;
}
