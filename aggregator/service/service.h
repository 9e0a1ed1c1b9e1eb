/* The service: an nng REP socket on one or more addresses, many requests in flight, each opened by nng's threads and
 * answered by the writer. */

#ifndef EVENKEEL_SERVICE_H
#define EVENKEEL_SERVICE_H

#include "connections.h"
#include "writer.h"

struct service; /* opaque */

struct service_options {
    const char *const *urls; /* tcp:// (loopback only, unless allow_plain), tls+tcp:// or ipc://; they must stay */
    size_t url_count;
    bool allow_plain;
    const char *certificate; /* PEM files, for tls+tcp:// */
    const char *private_key;
    unsigned connections; /* at once, for each may have a message under way, and takes a descriptor */
    size_t memory;        /* bytes that requests may hold, as they came and decoded; beyond that the answer is 'busy' */
};

#define SERVICE_CONNECTIONS 512
#define SERVICE_MEMORY ((size_t)512 << 20)
#define SERVICE_MEMORY_LEAST ((size_t)40 << 20) /* the largest request with all that it decodes to */

/* Listens on all addresses and starts to answer; NULL with *error that names the address. */
struct service *service_start(const struct service_options *options, struct writer *writer, struct error *error);

/*
 * Reads certificate and key again, for connections from now on; those that are there stay. Where they can't be used
 * nothing changes: -1 with *error. What `options` of service_start() refers to must still be there.
 */
int service_reload(struct service *service, struct error *error);

/* Who is connected, for the metrics; stays until service_stop(). */
const struct connections_counters *service_connections(const struct service *service);

/* When the certificate that TLS shows ends, in seconds since 1970 UTC; 0: no listener has one, or it can't be told. As
 * last read; stays until service_stop(). */
const _Atomic int64_t *service_certificate_end(const struct service *service);

/* Lets nobody in, waits for the answers under way (writer_stop() comes before), and frees all. */
void service_stop(struct service *service);

#endif
