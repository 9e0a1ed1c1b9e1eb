/* evenkeel-collector service, where services are another program's business. */

#include "commands.h"

#include <stdio.h>

int command_service(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fputs("evenkeel-collector service: this is for Windows; on Linux systemd runs 'evenkeel-collector run', see "
          "'systemctl enable --now evenkeel-collector'\n",
          stderr);
    return 1;
}
