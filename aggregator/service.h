/* The service: an nng REP socket on one or more addresses, many requests in flight, each opened by nng's threads and
 * answered by the writer. */

#ifndef EVENKEEL_SERVICE_H
#define EVENKEEL_SERVICE_H

#include "writer.h"

struct service; /* opaque */

struct service_options {
    const char *const *urls; /* tcp:// (loopback only, unless allow_plain), tls+tcp:// or ipc:// */
    size_t url_count;
    bool allow_plain;
    const char *certificate; /* PEM files, for tls+tcp:// */
    const char *private_key;
    unsigned contexts; /* requests in flight; 0: SERVICE_CONTEXTS */
};

#define SERVICE_CONTEXTS 1024

/* Listens on all addresses and starts to answer; NULL with *error that names the address. */
struct service *service_start(const struct service_options *options, struct writer *writer, struct error *error);

/* Takes no more requests, waits for the answers under way (writer_stop() comes before), and frees all. */
void service_stop(struct service *service);

/* Whether an address is on this machine only: 127.0.0.0/8, [::1], localhost, or ipc. */
bool service_url_is_loopback(const char *url);

#endif
