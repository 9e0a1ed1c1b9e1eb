/* What settings_linux.c and settings_windows.c fill in. */

#ifndef EVENKEEL_SETTINGS_SOURCE_H
#define EVENKEEL_SETTINGS_SOURCE_H

#include "config.h"
#include "proto/error.h"

/* The settings that the system itself holds. */
int settings_system(struct config *config, struct error *error);

/* Sets a key once per value of a list; `values` is taken apart. */
int settings_set_all(struct config *config, const char *key, char *values, struct error *error);

#endif
