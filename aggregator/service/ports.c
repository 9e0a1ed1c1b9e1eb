/* Whether a port can be had. */

#include "ports.h"

#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>
#include <stdio.h>
#include <string.h>

bool port_is_taken(const char *url)
{
    static const char *const schemes[] = {"tcp://", "tls+tcp://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i]);
        char address[300];
        nng_stream_listener *listener;
        if (strncmp(url, schemes[i], length) != 0)
            continue;
        snprintf(address, sizeof address, "tcp://%.*s", (int)strcspn(url + length, "/"), url + length);
        if (nng_stream_listener_alloc(&listener, address) != 0)
            return false;
        int failed = nng_stream_listener_listen(listener);
        nng_stream_listener_close(listener);
        nng_stream_listener_free(listener);
        return failed == NNG_EADDRINUSE;
    }
    return false;
}
