/* A connection to one aggregator: nng's REQ socket, one request at a time. */

#ifndef EVENKEEL_TRANSPORT_H
#define EVENKEEL_TRANSPORT_H

#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stdint.h>

#define TRANSPORT_FRAMING 12 /* bytes around a message: its length, and the request's number */

struct transport; /* opaque */

/* Whether `url` may be dialled: tls+tcp with a CA file, or tcp to this machine, or anywhere with `allow_plain`. */
int transport_check(const char *url, const char *ca, bool allow_plain, struct error *error);

/* Connects to the first address of its host that answers, waiting until that succeeded or all failed; an answer may
 * take `timeout` milliseconds. */
int transport_open(const char *url, const char *ca, uint32_t timeout, struct transport **transport,
                   struct error *error);
void transport_close(struct transport *transport); /* NULL is allowed */

/* Sends `request` and waits for the answer, which lives until the next request. ERROR_NETWORK: nothing came back. */
int transport_request(struct transport *transport, struct bytes request, struct bytes *answer, struct error *error);

/* Waits for so many milliseconds. */
void transport_sleep(uint32_t milliseconds);

#endif
