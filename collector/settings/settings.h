/*
 * Settings that an installation leaves with the system: on Windows the string values of
 * HKEY_LOCAL_MACHINE\SOFTWARE\Evenkeel\Collector, named as in the configuration file, several values of a setting with
 * blanks or commas between them. On Linux there is only the file.
 */

#ifndef EVENKEEL_SETTINGS_H
#define EVENKEEL_SETTINGS_H

#include "config.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The configuration file where none is named. */
int settings_file(char *path, size_t capacity, struct error *error);

/* The system's settings, then those of settings_file() where it is there, over what *config holds; notes that these
 * are an installation's. */
int settings_load(struct config *config, struct error *error);

/*
 * A secret has served its purpose: on Windows it is taken out of the system's settings and out of settings_file(). On
 * Linux that file belongs to the administrator, and the agent may not write it. -1 with *error where it had to be left.
 */
int settings_forget(const char *key, struct error *error);

#endif
