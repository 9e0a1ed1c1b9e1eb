/* Settings on Windows: what the installation left in the registry, and a file beside the state. */

#include "collector/platform/windows.h"

#include "collector/platform/platform.h"
#include "collector/platform/wide.h"
#include "proto/cleanup.h"
#include "settings.h"
#include "settings_source.h"

#include <stdlib.h>
#include <string.h>

#define KEY L"SOFTWARE\\Evenkeel\\Collector"
#define VALUE_UNITS 2048
#define FILE_BYTES (64u << 10) /* of collector.conf */

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

static const wchar_t *value_of(const char *name)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].key, name) == 0)
            return values[i].name;
    return NULL;
}

static LSTATUS forget_value(const wchar_t *value)
{
    HKEY key;
    LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key);
    if (status == ERROR_SUCCESS) {
        status = RegDeleteValueW(key, value);
        RegCloseKey(key);
    }
    return status == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : status;
}

static int forget_line(const char *path, const char *name, struct error *error)
{
    struct error why = {0};
    _cleanup_fclose_ FILE *file = platform_stream(path, "r", &why);
    _cleanup_free_ char *text = malloc(FILE_BYTES);
    if (file == NULL && why.code == ERROR_NOT_FOUND)
        return 0;
    if (file == NULL || text == NULL)
        return error_set(error, ERROR_IO, "%s", file == NULL ? why.message : "no memory for the configuration");
    size_t length = fread(text, 1, FILE_BYTES, file);
    if (ferror(file) || length == FILE_BYTES)
        return error_set(error, ERROR_IO, "'%s' can't be read, or is too long", path);
    fclose(file);
    file = NULL;
    size_t left = config_forget(text, length, name);
    return left == length ? 0 : platform_file_replace(path, text, left, error);
}

int settings_forget(const char *name, struct error *error)
{
    char path[4096];
    struct error why = {0};
    const wchar_t *value = value_of(name);
    LSTATUS status = value != NULL ? forget_value(value) : ERROR_SUCCESS;
    if (status != ERROR_SUCCESS)
        return windows_error(error, (DWORD)status, "remove the setting", name);
    if (settings_file(path, sizeof path, error) < 0)
        return -1;
    if (forget_line(path, name, &why) < 0)
        return error_set(error, why.code, "the setting '%s' could not be removed; do that by hand: %s", name,
                         why.message);
    return 0;
}

int windows_keep_setting(const char *name, const char *text, struct error *error)
{
    HKEY key;
    const wchar_t *value = value_of(name);
    size_t length;
    _cleanup_free_ wchar_t *wide = malloc((strlen(text) + 1) * sizeof *wide);
    PSECURITY_DESCRIPTOR descriptor = windows_administrators_key(error);
    if (descriptor == NULL)
        return -1;
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security, .lpSecurityDescriptor = descriptor};
    LSTATUS status = value == NULL || wide == NULL || !wide_from_bytes(text, (uint16_t *)wide, &length)
                         ? ERROR_INVALID_PARAMETER
                         : RegCreateKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, NULL, 0,
                                           KEY_SET_VALUE | WRITE_DAC | KEY_WOW64_64KEY, &security, &key, NULL);
    LocalFree(descriptor);
    if (status != ERROR_SUCCESS)
        return windows_error(error, (DWORD)status, "keep the setting", name);
    close_to_others(key);
    status = RegSetValueExW(key, value, 0, REG_SZ, (const BYTE *)wide, (DWORD)((length + 1) * sizeof *wide));
    RegCloseKey(key);
    return status == ERROR_SUCCESS ? 0 : windows_error(error, (DWORD)status, "keep the setting", name);
}
