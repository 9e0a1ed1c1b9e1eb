/* The Windows event log, 'Application', where the service tells what happens. */

#ifndef EVENKEEL_EVENT_LOG_H
#define EVENKEEL_EVENT_LOG_H

#include "collector/agent/run.h"
#include "proto/error.h"

#include <stddef.h>

/* Makes the program with the message table known to the log, and unknown again. */
int event_log_register(const wchar_t *program, struct error *error);
void event_log_unregister(void);

void event_log_open(void);
void event_log_tell(enum run_weight weight, const char *sentence);
void event_log_close(void);

#endif
