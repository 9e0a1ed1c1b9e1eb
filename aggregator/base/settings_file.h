/* Values out of the settings files of the systemd units, /etc/evenkeel/aggregator.env and prune.env. */

#ifndef EVENKEEL_SETTINGS_FILE_H
#define EVENKEEL_SETTINGS_FILE_H

#include <stddef.h>

/* What of a file could be read. */
enum settings_file_state {
    SETTINGS_FILE_NONE,  /* there is no such file */
    SETTINGS_FILE_THERE, /* it is there and does not say it, or this user may not read it */
    SETTINGS_FILE_SAYS,  /* *value is what it says */
    SETTINGS_FILE_LONG,  /* what it says is longer than `size` */
};

/*
 * The value of NAME in the file: the last line NAME=VALUE, VALUE in double quotes, single quotes or none, as
 * systemd.exec(5), EnvironmentFile=, has it. A backslash within double quotes stands for the letter behind it.
 */
enum settings_file_state settings_file_value(const char *path, const char *name, char *value, size_t size);

#endif
