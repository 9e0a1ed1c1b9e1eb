/* Output that is lost is an error. */

#include "proto/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int output_end(const char *program, const char *command, int status, int failed)
{
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost || status == failed)
        return status;
    fprintf(stderr, "%s %s: can't write the output: %s\n", program, command,
            errno != 0 ? strerror(errno) : "not all of it was taken");
    return failed;
}
