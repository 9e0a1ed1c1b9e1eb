/* The aggregator's own certificate, looked at before nng is given it. */

#ifndef EVENKEEL_CERTIFICATE_H
#define EVENKEEL_CERTIFICATE_H

#include "proto/error.h"

/*
 * Whether a private key is that of the first certificate (both PEM text); -1 with *error where not. mbed TLS does not
 * look, and would fail every host that connects.
 */
int certificate_check_key(const char *certificate, const char *private_key, struct error *error);

#endif
