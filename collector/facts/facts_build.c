/* Fields and lists of facts: well-formed text, sorted, bounded. */

#include "facts_build.h"
#include "collector/registry/registry_utf16.h"
#include "proto/cleanup.h"

#include <string.h>

int facts_out_of_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory collecting facts: give the collector more");
}

struct registry_key *facts_key(struct collection *collection, const char *path)
{
    struct registry_key *key = NULL;
    struct error problem = {0};
    if (registry_key_open(collection->registry, path, &key, &problem) == -1)
        string_list_note(collection->problems, "%s", problem.message);
    return key;
}

struct registry_key *facts_key_in(struct collection *collection, struct registry_key *parent, const char *path)
{
    struct registry_key *key = NULL;
    struct error problem = {0};
    if (registry_key_open_in(parent, path, &key, &problem) == -1)
        string_list_note(collection->problems, "%s", problem.message);
    return key;
}

int facts_child(struct collection *collection, struct registry_key *key, size_t index, struct registry_key **child)
{
    struct error problem = {0};
    int got = registry_key_child(key, index, child, &problem);
    if (got == -1)
        string_list_note(collection->problems, "%s", problem.message);
    return got != 0;
}

void facts_close_key(struct registry_key **key)
{
    registry_key_close(*key);
}

/* Reads a value; false where it is not there, or can't be read, which is a problem. */
static bool read_value(struct collection *collection, struct registry_key *key, const char *name,
                       struct registry_value *value)
{
    struct error problem = {0};
    int got = registry_value_read(key, name, value, &problem);
    if (got == -1)
        string_list_note(collection->problems, "%s", problem.message);
    return got == 1;
}

char *facts_string(struct collection *collection, struct registry_key *key, const char *name)
{
    _cleanup_(registry_value_clear) struct registry_value value = {0};
    if (!read_value(collection, key, name, &value))
        return NULL;
    char *text = registry_value_string(&value);
    if (text == NULL)
        return NULL;
    size_t start = strspn(text, " \t\r\n"), length = strlen(text);
    while (length > start && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    memmove(text, text + start, length - start);
    text[length - start] = 0;
    if (text[0] != 0)
        return text;
    free(text);
    return NULL;
}

bool facts_number(struct collection *collection, struct registry_key *key, const char *name, uint32_t *number)
{
    _cleanup_(registry_value_clear) struct registry_value value = {0};
    *number = 0;
    return read_value(collection, key, name, &value) && registry_value_number(&value, number);
}

int facts_strings(struct collection *collection, struct registry_key *key, const char *name,
                  struct string_list *strings, struct error *error)
{
    _cleanup_(registry_value_clear) struct registry_value value = {0};
    struct error problem = {0};

    if (!read_value(collection, key, name, &value) || registry_value_strings(&value, strings, &problem) == 0)
        return 0;
    if (problem.code == ERROR_MEMORY)
        return facts_out_of_memory(error);
    string_list_note(collection->problems, "%s", problem.message);
    return 0;
}

int facts_set(struct collection *collection, ProtobufCBinaryData *field, const char *text, struct error *error)
{
    size_t length = text == NULL ? 0 : strlen(text);
    char *copy;

    *field = (ProtobufCBinaryData){0};
    if (length == 0)
        return 0;
    if (bytes_are_utf8(bytes_of(text, length))) {
        copy = strdup(text);
    } else { /* a name of a Linux file system can be anything */
        size_t utf16_length;
        _cleanup_free_ uint8_t *utf16 = utf8_to_utf16(bytes_of(text, length), &utf16_length);
        copy = utf16 == NULL ? NULL : utf16_to_utf8(bytes_of(utf16, utf16_length), &length);
    }
    if (copy == NULL)
        return facts_out_of_memory(error);
    if (length > LIMIT_TEXT_BYTES) {
        string_list_note(collection->problems, "'%.60s...' has %zu bytes and was left out: more than a fact may have",
                         copy, length);
        free(copy);
        return 0;
    }
    *field = (ProtobufCBinaryData){.len = length, .data = (uint8_t *)copy};
    return 0;
}

int facts_not_seen(struct collection *collection, Evenkeel__NotSeenKind kind, const char *what, uint64_t count,
                   struct error *error)
{
    ProtobufCBinaryData text;
    if (facts_set(collection, &text, what, error) == -1)
        return -1;
    int status = not_seen_add(collection->facts, kind, (const char *)text.data, count, error);
    free(text.data);
    return status;
}

int facts_compare(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_fields(const void *a, const void *b)
{
    return facts_compare(*(const ProtobufCBinaryData *)a, *(const ProtobufCBinaryData *)b);
}

static void note_limit(struct collection *collection, const char *what)
{
    string_list_note(collection->problems, "more than %u %s: the rest was left out", LIMIT_LIST_ENTRIES, what);
}

int facts_set_list(struct collection *collection, const struct string_list *texts, bool sorted, const char *what,
                   size_t *count, ProtobufCBinaryData **list, struct error *error)
{
    size_t kept = 0;

    *count = 0;
    *list = texts->count == 0 ? NULL : calloc(texts->count, sizeof **list);
    if (texts->count == 0 || *list == NULL)
        return texts->count == 0 ? 0 : facts_out_of_memory(error);
    for (size_t i = 0; i < texts->count; i++) {
        if (facts_set(collection, &(*list)[*count], texts->items[i], error) == -1)
            return -1;
        *count += (*list)[*count].len > 0;
    }
    if (sorted) {
        qsort(*list, *count, sizeof **list, compare_fields);
        for (size_t i = 0; i < *count; i++) {
            if (kept > 0 && facts_compare((*list)[kept - 1], (*list)[i]) == 0)
                free((*list)[i].data);
            else
                (*list)[kept++] = (*list)[i];
        }
        *count = kept;
    }
    if (*count > LIMIT_LIST_ENTRIES)
        note_limit(collection, what);
    while (*count > LIMIT_LIST_ENTRIES)
        free((*list)[--*count].data);
    if (*count == 0) {
        free(*list);
        *list = NULL;
    }
    return 0;
}

int facts_append(struct collection *collection, const char *what, size_t *count, void *list, ProtobufCMessage *message,
                 struct error *error)
{
    void ***messages = list; /* as protobuf-c itself looks at repeated fields */

    if (*count == LIMIT_LIST_ENTRIES) {
        note_limit(collection, what);
        protobuf_c_message_free_unpacked(message, NULL);
        return 0;
    }
    if ((*count & (*count - 1)) == 0) {
        void **grown = realloc(*messages, (*count == 0 ? 1 : *count * 2) * sizeof *grown);
        if (grown == NULL) {
            protobuf_c_message_free_unpacked(message, NULL);
            return facts_out_of_memory(error);
        }
        *messages = grown;
    }
    (*messages)[(*count)++] = message;
    return 0;
}

void facts_sort(size_t *count, void *list, int (*compare)(const void *, const void *))
{
    void **messages = *(void ***)list;
    size_t kept = 0;

    if (*count == 0)
        return;
    qsort(messages, *count, sizeof *messages, compare);
    for (size_t i = 0; i < *count; i++) {
        if (kept > 0 && compare(&messages[kept - 1], &messages[i]) == 0)
            protobuf_c_message_free_unpacked(messages[i], NULL);
        else
            messages[kept++] = messages[i];
    }
    *count = kept;
}

void facts_lower(char *text)
{
    for (; *text != 0; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

void facts_upper(char *text)
{
    for (; *text != 0; text++)
        if (*text >= 'a' && *text <= 'z')
            *text = (char)(*text - 'a' + 'A');
}
