/* Settings on Linux: a file, and nothing else. */

#include "settings.h"
#include "settings_source.h"

#include <stdio.h>

int settings_file(char *path, size_t capacity, struct error *error)
{
    (void)error;
    snprintf(path, capacity, "/etc/evenkeel/collector.conf");
    return 0;
}

int settings_system(struct config *config, struct error *error)
{
    (void)config;
    (void)error;
    return 0;
}

int settings_forget(const char *key, struct error *error)
{
    (void)key;
    (void)error;
    return 0;
}
