/* File descriptors. */

#include "descriptors.h"

#include "http_server.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

/* The database's sessions, addresses, logs, nng's own; and connections that were ended and that nng has yet to close.
 */
#define OTHERS 256

int descriptors_allow(unsigned connections, struct error *error)
{
    rlim_t needed = (rlim_t)connections + HTTP_CONNECTIONS + OTHERS;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_set(error, ERROR_IO, "can't ask for the limit of file descriptors: %s", strerror(errno));
    if (limit.rlim_cur >= needed)
        return 0;
    if (limit.rlim_max < needed)
        return error_set(
            error, ERROR_USAGE,
            "--connections %u needs %llu file descriptors, and the system allows this program %llu: raise "
            "that (LimitNOFILE= of the unit, ulimit -Hn of a shell), or ask for at most %lld connections",
            connections, (unsigned long long)needed, (unsigned long long)limit.rlim_max,
            limit.rlim_max > OTHERS + HTTP_CONNECTIONS ? (long long)(limit.rlim_max - OTHERS - HTTP_CONNECTIONS) : 0);
    limit.rlim_cur = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_set(
            error, ERROR_IO,
            "can't raise the limit of file descriptors to %llu, which --connections %u needs: %s; raise it "
            "before (LimitNOFILE= of the unit, ulimit -n of a shell)",
            (unsigned long long)needed, connections, strerror(errno));
    return 0;
}
