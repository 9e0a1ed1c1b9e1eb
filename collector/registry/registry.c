/* The registry whatever its source: paths, the control set, and what a value's bytes say. */

#include "registry.h"
#include "proto/cleanup.h"
#include "registry_source.h"
#include "registry_utf16.h"

#include <stdio.h>

#define CONTROL_SET_COUNT 999 /* ControlSet001 to ControlSet999, as Windows numbers them */

const char *const registry_hive_names[REGISTRY_HIVE_COUNT] = {"SYSTEM", "SOFTWARE", "SAM"};

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool registry_names_match(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length != b_length)
        return false;
    for (size_t i = 0; i < a_length; i++)
        if (fold(a[i]) != fold(b[i]))
            return false;
    return true;
}

/* The rest of `path` behind its first parts `prefix`, or NULL where it does not start with them. */
static const char *behind(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strlen(path) < length || !registry_names_match(path, length, prefix, length))
        return NULL;
    if (path[length] != 0 && path[length] != '\\')
        return NULL;
    return path + length;
}

/* A copy of `path` without leading, trailing and doubled backslashes. */
static char *tidy(const char *path)
{
    char *tidied = malloc(strlen(path) + 1);
    size_t used = 0;
    if (tidied == NULL)
        return NULL;
    for (; *path != 0; path++)
        if (*path != '\\' || (used > 0 && tidied[used - 1] != '\\'))
            tidied[used++] = *path;
    if (used > 0 && tidied[used - 1] == '\\')
        used--;
    tidied[used] = 0;
    return tidied;
}

void registry_find_control_set(struct registry *registry)
{
    _cleanup_(registry_value_clear) struct registry_value value = {0};
    struct registry_key *key = NULL;
    uint32_t number = 0;

    registry->control_set = 0;
    if (registry->verbs->key_open(registry, NULL, "SYSTEM\\Select", &key, NULL) == 1) {
        if (registry_value_read(key, "Current", &value, NULL) == 1)
            registry_value_number(&value, &number);
        registry_key_close(key);
    }
    /* An export of parts may lack Select; then a set that is there at all is the one which was exported. */
    for (uint32_t i = 1; number == 0 && i <= CONTROL_SET_COUNT; i++) {
        char path[40];
        snprintf(path, sizeof path, "SYSTEM\\ControlSet%03u", i);
        if (registry->verbs->key_open(registry, NULL, path, &key, NULL) == 1) {
            registry_key_close(key);
            number = i;
        }
    }
    if (number <= CONTROL_SET_COUNT)
        registry->control_set = number;
}

int registry_key_open(struct registry *registry, const char *path, struct registry_key **key, struct error *error)
{
    _cleanup_free_ char *tidied = tidy(path);
    _cleanup_free_ char *in_set = NULL;

    *key = NULL;
    if (tidied == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory opening the key '%s': give the collector more", path);
    const char *rest = behind(tidied, "SYSTEM\\CurrentControlSet");
    if (rest != NULL && registry->control_set != 0) {
        if (asprintf(&in_set, "SYSTEM\\ControlSet%03u%s", registry->control_set, rest) == -1) {
            in_set = NULL;
            return error_set(error, ERROR_MEMORY, "out of memory opening the key '%s': give the collector more", path);
        }
        int got = registry->verbs->key_open(registry, NULL, in_set, key, error);
        if (got != 0)
            return got;
    }
    /* The running system has CurrentControlSet as a link, and an export may hold it under that name. */
    return registry->verbs->key_open(registry, NULL, tidied, key, error);
}

int registry_key_open_in(struct registry_key *parent, const char *path, struct registry_key **key, struct error *error)
{
    _cleanup_free_ char *tidied = tidy(path);

    *key = NULL;
    if (tidied == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory opening the key '%s': give the collector more", path);
    return parent->registry->verbs->key_open(parent->registry, parent, tidied, key, error);
}

int registry_key_child(struct registry_key *key, size_t index, struct registry_key **child, struct error *error)
{
    *child = NULL;
    return key->registry->verbs->key_child(key, index, child, error);
}

const char *registry_key_name(const struct registry_key *key)
{
    return key->name;
}

int64_t registry_key_written(const struct registry_key *key)
{
    return key->written;
}

void registry_key_close(struct registry_key *key)
{
    if (key != NULL)
        key->registry->verbs->key_close(key);
}

int registry_value_read(struct registry_key *key, const char *name, struct registry_value *value, struct error *error)
{
    *value = (struct registry_value){0};
    return key->registry->verbs->value_read(key, name, value, error);
}

int registry_value_at(struct registry_key *key, size_t index, struct registry_value *value, struct error *error)
{
    *value = (struct registry_value){0};
    return key->registry->verbs->value_at(key, index, value, error);
}

void registry_value_clear(struct registry_value *value)
{
    free(value->name);
    free(value->data);
    *value = (struct registry_value){0};
}

void registry_close(struct registry *registry)
{
    if (registry != NULL)
        registry->verbs->close(registry);
}

uint64_t registry_misspelt(const struct registry *registry, unsigned *code_page)
{
    *code_page = registry->code_page;
    return registry->misspelt;
}

const char *registry_hive_name(size_t index)
{
    return index < REGISTRY_HIVE_COUNT ? registry_hive_names[index] : NULL;
}

const char *registry_hive(const struct registry *registry, size_t index, unsigned *defects)
{
    if (index >= REGISTRY_HIVE_COUNT)
        return NULL;
    *defects = registry->defects[index];
    return registry_hive_names[index];
}

static bool is_string(const struct registry_value *value)
{
    return value->type == REGISTRY_SZ || value->type == REGISTRY_EXPAND_SZ || value->type == REGISTRY_MULTI_SZ;
}

/* UTF-8 of the string that starts at *at; *at moves behind its NUL, or to the end where there is none. */
static char *string_at(struct bytes data, uint64_t *at)
{
    uint64_t start = *at, end = start;
    struct bytes string;
    uint16_t unit;

    while (bytes_u16(data, end, &unit) && unit != 0)
        end += 2;
    bytes_slice(data, start, end - start, &string);
    *at = bytes_holds(data, end, 2) ? end + 2 : data.length;
    return utf16_to_utf8(string, NULL);
}

char *registry_value_string(const struct registry_value *value)
{
    uint64_t at = 0;
    return is_string(value) ? string_at(bytes_of(value->data, value->length), &at) : NULL;
}

int registry_value_strings(const struct registry_value *value, struct string_list *strings, struct error *error)
{
    struct bytes data = bytes_of(value->data, value->length);
    size_t before = strings->count;

    if (!is_string(value))
        return error_set(error, ERROR_FORMAT, "the registry value '%s' has type %u, where strings are expected",
                         value->name != NULL ? value->name : "", value->type);
    for (uint64_t at = 0; data.length - at >= 2;) {
        if (string_list_take(strings, string_at(data, &at), error) == -1)
            return -1;
        if (value->type != REGISTRY_MULTI_SZ)
            return 0;
    }
    if (strings->count > before && strings->items[strings->count - 1][0] == 0)
        free(strings->items[--strings->count]);
    return 0;
}

bool registry_value_number(const struct registry_value *value, uint32_t *number)
{
    *number = 0;
    return value->type == REGISTRY_DWORD && bytes_u32(bytes_of(value->data, value->length), 0, number);
}
