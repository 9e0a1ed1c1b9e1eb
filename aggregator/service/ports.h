/* Whether a port can be had, before anything else is started. */

#ifndef EVENKEEL_PORTS_H
#define EVENKEEL_PORTS_H

#include <stdbool.h>

/*
 * Whether somebody listens already where the URL (tcp://, tls+tcp://, http://HOST:PORT) says. False, too, where that
 * can't be told, as for ipc:// and for what is no address: who listens then says what is wrong.
 */
bool port_is_taken(const char *url);

#endif
