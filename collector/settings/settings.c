/* The settings of the system and of the usual file together. */

#include "settings.h"

#include "collector/platform/platform.h"
#include "settings_source.h"

#include <stdlib.h>
#include <string.h>

#define BETWEEN " ,;\t"

int settings_set_all(struct config *config, const char *key, char *values, struct error *error)
{
    for (char *value = values + strspn(values, BETWEEN); *value != 0;) {
        size_t length = strcspn(value, BETWEEN);
        char *next = value + length + strspn(value + length, BETWEEN);
        value[length] = 0;
        if (config_set(config, key, value, error) < 0)
            return -1;
        value = next;
    }
    return 0;
}

int settings_load(struct config *config, struct error *error)
{
    char path[4096];
    struct platform_stat stat;
    struct error why = {0};
    config->installed = true;
    if (settings_system(config, error) < 0 || settings_file(path, sizeof path, error) < 0)
        return -1;
    if (platform_stat(path, &stat, &why) < 0)
        return why.code == ERROR_NOT_FOUND ? 0 : error_set(error, why.code, "%s", why.message);
    return config_load(path, config, error);
}
