/* The registry of the running system, always as 64-bit programs see it. */

#include "collector/platform/windows.h"

#include "collector/platform/wide.h"
#include "proto/cleanup.h"
#include "registry_source.h"

#include <wchar.h>

#define ACCESS (KEY_READ | KEY_WOW64_64KEY)
#define KEY_NAME_UNITS 256u
#define VALUE_NAME_UNITS 16384u

struct live_key {
    struct registry_key base;
    HKEY handle;
};

static int live_error(struct error *error, LSTATUS status, const char *what, const char *name)
{
    char text[160];
    return error_set(error, status == ERROR_NOT_ENOUGH_MEMORY ? ERROR_MEMORY : ERROR_IO,
                     "can't read %s '%.200s' of the registry: %s", what, name,
                     windows_error_text((DWORD)status, text, sizeof text));
}

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory reading the registry: give the collector more");
}

static int64_t unix_time(FILETIME time)
{
    int64_t written = ((int64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) / 10;
    const int64_t between = INT64_C(11644473600) * 1000000;
    return written > between ? written - between : 0;
}

static void key_close(struct registry_key *base)
{
    struct live_key *key = (struct live_key *)base;
    RegCloseKey(key->handle);
    free(key->base.name);
    free(key);
}

static int open_below(struct registry *registry, HKEY parent, const wchar_t *path, const char *shown,
                      struct registry_key **key, struct error *error)
{
    HKEY handle;
    LSTATUS status = RegOpenKeyExW(parent, path, 0, ACCESS, &handle);
    if (status == ERROR_FILE_NOT_FOUND || status == ERROR_PATH_NOT_FOUND)
        return 0;
    if (status != ERROR_SUCCESS)
        return live_error(error, status, "the key", shown);
    const wchar_t *last = wcsrchr(path, L'\\');
    struct live_key *opened = calloc(1, sizeof *opened);
    char *name = windows_bytes(last != NULL ? last + 1 : path);
    if (opened == NULL || name == NULL) {
        free(opened);
        free(name);
        RegCloseKey(handle);
        return no_memory(error);
    }
    FILETIME written = {0};
    RegQueryInfoKeyW(handle, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &written);
    *opened = (struct live_key){.base = {registry, name, unix_time(written)}, .handle = handle};
    *key = &opened->base;
    return 1;
}

static int key_open(struct registry *registry, struct registry_key *parent, const char *path, struct registry_key **key,
                    struct error *error)
{
    _cleanup_free_ wchar_t *wide = malloc((strlen(path) + 1) * sizeof *wide);
    if (wide == NULL)
        return no_memory(error);
    if (!wide_from_bytes(path, (uint16_t *)wide, NULL))
        return 0;
    return open_below(registry, parent != NULL ? ((struct live_key *)parent)->handle : HKEY_LOCAL_MACHINE, wide, path,
                      key, error);
}

static int key_child(struct registry_key *base, size_t index, struct registry_key **child, struct error *error)
{
    wchar_t name[KEY_NAME_UNITS];
    DWORD length = KEY_NAME_UNITS;
    HKEY parent = ((struct live_key *)base)->handle;
    LSTATUS status = RegEnumKeyExW(parent, (DWORD)index, name, &length, NULL, NULL, NULL, NULL);
    if (status == ERROR_NO_MORE_ITEMS)
        return 0;
    if (status != ERROR_SUCCESS)
        return index == 0 ? live_error(error, status, "the keys below", base->name) : 0;
    int got = open_below(base->registry, parent, name, base->name, child, error);
    /* Removed since it was listed: not the end of the list. */
    return got != 0 ? got : error_set(error, ERROR_NOT_FOUND, "a registry key below '%s' vanished", base->name);
}

/* Room for a value whose size may grow while it is read. */
static int value_data(HKEY key, const wchar_t *name, const char *shown, struct registry_value *value,
                      struct error *error)
{
    DWORD type = 0, length = 0;
    LSTATUS status = RegQueryValueExW(key, name, NULL, &type, NULL, &length);
    while (status == ERROR_SUCCESS) {
        DWORD room = length;
        if (room > REGISTRY_VALUE_LIMIT)
            return error_set(error, ERROR_LIMIT, "the registry value '%s' has %lu bytes, more than is read", shown,
                             (unsigned long)room);
        uint8_t *data = realloc(value->data, room > 0 ? room : 1);
        if (data == NULL)
            return no_memory(error);
        value->data = data;
        length = room;
        status = RegQueryValueExW(key, name, NULL, &type, data, &length);
        if (status != ERROR_MORE_DATA)
            break;
        status = ERROR_SUCCESS;
    }
    if (status == ERROR_FILE_NOT_FOUND)
        return 0;
    if (status != ERROR_SUCCESS)
        return live_error(error, status, "the value", shown);
    value->type = type;
    value->length = length;
    return 1;
}

static int take_value(HKEY key, const wchar_t *name, struct registry_value *value, struct error *error)
{
    value->name = windows_bytes(name);
    int got = value->name == NULL ? no_memory(error) : value_data(key, name, value->name, value, error);
    if (got != 1)
        registry_value_clear(value);
    return got;
}

static int value_read(struct registry_key *base, const char *name, struct registry_value *value, struct error *error)
{
    _cleanup_free_ wchar_t *wide = malloc((strlen(name) + 1) * sizeof *wide);
    if (wide == NULL)
        return no_memory(error);
    if (!wide_from_bytes(name, (uint16_t *)wide, NULL))
        return 0;
    return take_value(((struct live_key *)base)->handle, wide, value, error);
}

static int value_at(struct registry_key *base, size_t index, struct registry_value *value, struct error *error)
{
    HKEY key = ((struct live_key *)base)->handle;
    _cleanup_free_ wchar_t *name = malloc(VALUE_NAME_UNITS * sizeof *name);
    DWORD length = VALUE_NAME_UNITS;
    if (name == NULL)
        return no_memory(error);
    LSTATUS status = RegEnumValueW(key, (DWORD)index, name, &length, NULL, NULL, NULL, NULL);
    if (status == ERROR_NO_MORE_ITEMS)
        return 0;
    if (status != ERROR_SUCCESS)
        return index == 0 ? live_error(error, status, "the values of", base->name) : 0;
    int got = take_value(key, name, value, error);
    return got != 0 ? got : error_set(error, ERROR_NOT_FOUND, "a registry value of '%s' vanished", base->name);
}

static void close_live(struct registry *registry)
{
    free(registry);
}

int registry_open_host(const char *root, struct registry **registry, unsigned *lost, struct string_list *problems,
                       struct error *error)
{
    *lost = 0;
    static const struct registry_verbs verbs = {
        .key_open = key_open,
        .key_child = key_child,
        .key_close = key_close,
        .value_read = value_read,
        .value_at = value_at,
        .close = close_live,
    };
    *registry = NULL;
    if (root != NULL) {
        string_list_note(problems, "the registry below '%s' can only be read by a collector on Linux", root);
        return 0;
    }
    *registry = calloc(1, sizeof **registry);
    if (*registry == NULL)
        return no_memory(error);
    (*registry)->verbs = &verbs;
    registry_find_control_set(*registry);
    return 1;
}
