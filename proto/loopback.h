/* What is this machine only: the one answer to 'may this go in plain text?' and 'may anybody be trusted here?'. */

#ifndef EVENKEEL_LOOPBACK_H
#define EVENKEEL_LOOPBACK_H

#include <stdbool.h>

/*
 * Whether a host's name or address can be no other machine: 'localhost', 127.0.0.0/8 as four decimal numbers, or ::1,
 * with or without brackets. Other spellings are not tried: what is not surely loopback is the network.
 */
bool loopback_is_host(const char *host);

/* The same of 'host' or 'host:port', as in HTTP's Host header. */
bool loopback_is_authority(const char *authority);

/* The same of an URL; ipc:// and inproc:// never leave the machine. */
bool loopback_is_url(const char *url);

/* Whether an URL names a port from 1 to 65535 behind its host; those without a host (ipc://, inproc://) need none. */
bool loopback_url_has_port(const char *url);

#endif
