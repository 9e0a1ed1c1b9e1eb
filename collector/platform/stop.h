/*
 * Asking a command that runs on and on to end: SIGTERM and SIGINT on Linux; Ctrl-C, shutdown and the service control
 * manager on Windows. Everything that must not be lost is on the disk at any time, so a program that is waiting for
 * somebody else when it is asked is ended STOP_GRACE later.
 *
 * Asking it to read its settings again: SIGHUP on Linux; nothing does on Windows.
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

/* Whether somebody has asked for the settings to be read again since stop_reload_begin(). */
bool stop_reload_asked(void);

/* From now on another asking counts anew; call it before the settings are read. */
void stop_reload_begin(void);

/* Waits for so many milliseconds, or until somebody asks for either; true: to end. */
bool stop_wait(uint32_t milliseconds);

#endif
