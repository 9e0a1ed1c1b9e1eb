/* Settings on Windows: what the installation left in the registry, and a file beside the state. */

#include "collector/windows.h"

#include "collector/platform.h"
#include "collector/settings.h"
#include "collector/settings_source.h"
#include "proto/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define KEY L"SOFTWARE\\Evenkeel\\Collector"
#define VALUE_UNITS 2048

/* Names that the configuration knows; others are left to whoever put them there. */
static const struct {
    const wchar_t *name;
    const char *key;
} values[] = {{L"aggregator", "aggregator"}, {L"token", "token"}, {L"group", "group"}, {L"ca", "ca"}};

int settings_file(char *path, size_t capacity, struct error *error)
{
    static const char last[] = "/collector.conf";
    if (platform_state_directory(path, capacity, error) < 0)
        return -1;
    if (strlen(path) + sizeof last > capacity)
        return error_set(error, ERROR_LIMIT, "the configuration's path is too long");
    strcat(path, last);
    return 0;
}

/* The token is a secret: from the first start on only SYSTEM and Administrators see it. */
static void close_to_others(HKEY key)
{
    struct error ignored;
    PSECURITY_DESCRIPTOR descriptor = windows_administrators_key(&ignored);
    if (descriptor != NULL)
        RegSetKeySecurity(key, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, descriptor);
    LocalFree(descriptor);
}

int settings_system(struct config *config, struct error *error)
{
    HKEY key;
    int status = 0;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_READ | WRITE_DAC | KEY_WOW64_64KEY, &key) == ERROR_SUCCESS)
        close_to_others(key);
    else if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_READ | KEY_WOW64_64KEY, &key) != ERROR_SUCCESS)
        return 0;
    for (size_t i = 0; i < sizeof values / sizeof *values && status == 0; i++) {
        wchar_t wide[VALUE_UNITS + 1] = {0};
        DWORD type, length = VALUE_UNITS * sizeof *wide;
        if (RegQueryValueExW(key, values[i].name, NULL, &type, (BYTE *)wide, &length) != ERROR_SUCCESS ||
            type != REG_SZ)
            continue;
        _cleanup_free_ char *value = windows_bytes(wide);
        if (value == NULL)
            status = error_set(error, ERROR_MEMORY, "no memory for the configuration");
        else if (strcmp(values[i].key, "ca") == 0) /* a path may hold blanks */
            status = value[0] == 0 ? 0 : config_set(config, values[i].key, value, error);
        else
            status = settings_set_all(config, values[i].key, value, error);
    }
    RegCloseKey(key);
    return status;
}

void settings_forget(const char *name)
{
    HKEY key;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key) != ERROR_SUCCESS)
        return;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].key, name) == 0)
            RegDeleteValueW(key, values[i].name);
    RegCloseKey(key);
}
