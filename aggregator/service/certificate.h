/* The aggregator's own certificate, looked at before nng is given it. */

#ifndef EVENKEEL_CERTIFICATE_H
#define EVENKEEL_CERTIFICATE_H

#include "proto/error.h"

#include <stdint.h>

/*
 * Whether a private key is that of the first certificate (both PEM text); -1 with *error where not. mbed TLS does not
 * look, and would fail every host that connects.
 */
int certificate_check_key(const char *certificate, const char *private_key, struct error *error);

/* When the first of the certificates of a PEM text ends that does, in seconds since 1970 UTC; 0 where none can be read.
 */
int64_t certificate_end(const char *certificates);

#endif
