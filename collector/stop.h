/*
 * Asking a command that runs on and on to end: SIGTERM and SIGINT on Linux; Ctrl-C, shutdown and the service control
 * manager on Windows. Everything that must not be lost is on the disk at any time, so a program that is waiting for
 * somebody else when it is asked is ended STOP_GRACE later.
 */

#ifndef EVENKEEL_STOP_H
#define EVENKEEL_STOP_H

#include <stdbool.h>
#include <stdint.h>

#define STOP_GRACE 3u /* seconds */

/* From now on the system's signals ask; before, they end the program at once. */
void stop_arm(void);

/* Asks, from any thread. */
void stop_ask(void);

/* Whether somebody has asked. */
bool stop_asked(void);

/* Waits for so many milliseconds, or until somebody asks, which it then returns true for. */
bool stop_wait(uint32_t milliseconds);

#endif
