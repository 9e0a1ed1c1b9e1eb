/* What a field of a message may hold. */

#include "field_limits.h"

#include "bytes.h"
#include "digest.h"
#include "evenkeel.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_ROW(field, field_kind, field_most, field_entries)                                                        \
    {.name = #field, .kind = (field_kind), .most = (field_most), .entries = (field_entries)},
#define LIMIT_LIST(message, rows) static const struct field_limit limits_of_##message[] = {rows(LIMIT_ROW)};
FIELD_LIMITS(LIMIT_LIST)

#define LIMIT_MESSAGE(message, rows)                                                                                   \
    {&evenkeel__##message##__descriptor, limits_of_##message, sizeof limits_of_##message / sizeof *limits_of_##message},
static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    const struct field_limit *limits;
    unsigned count;
} messages[] = {FIELD_LIMITS(LIMIT_MESSAGE)};

const struct field_limit *field_limits_of(const ProtobufCMessageDescriptor *descriptor, unsigned *count)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (messages[i].descriptor == descriptor) {
            *count = messages[i].count;
            return messages[i].limits;
        }
    *count = 0;
    return NULL;
}

/* A field's value, or its values where it is a list, by protobuf-c's layout of messages. */
static void *values_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t *count)
{
    uint8_t *base = (uint8_t *)message;
    *count = 1;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return base + field->offset;
    *count = *(const size_t *)(base + field->quantifier_offset);
    return *(void **)(base + field->offset);
}

static uint64_t number_at(const ProtobufCFieldDescriptor *field, const void *values, size_t at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_INT64:
        return ((const uint64_t *)values)[at];
    case PROTOBUF_C_TYPE_ENUM: /* of a negative one, more than any limit */
        return (uint64_t)(int64_t)((const int *)values)[at];
    default:
        return ((const uint32_t *)values)[at];
    }
}

/* Whether a number or a time is within its limit. */
static bool number_fits(const struct field_limit *limit, uint64_t number)
{
    if (limit->kind == FIELD_TIME)
        return (int64_t)number >= FIELD_TIME_LEAST && (int64_t)number <= (int64_t)limit->most;
    return number <= limit->most;
}

static int check_bytes(const char *message, const struct field_limit *limit, ProtobufCBinaryData value,
                       struct error *error)
{
    if (limit->kind == FIELD_DIGEST)
        return value.len == 0 || value.len == DIGEST_BYTES
                   ? 0
                   : error_set(error, ERROR_FORMAT, "%s.%s has %zu bytes instead of %d", message, limit->name,
                               value.len, DIGEST_BYTES);
    if (value.len > limit->most)
        return error_set(error, ERROR_LIMIT, "%s.%s has %zu bytes; %" PRIu64 " are allowed", message, limit->name,
                         value.len, limit->most);
    if (limit->kind != FIELD_BYTES && !bytes_are_utf8(bytes_of(value.data, value.len)))
        return error_set(error, ERROR_FORMAT, "%s.%s is not UTF-8", message, limit->name);
    return 0;
}

static int check_value(const char *message, const struct field_limit *limit, const ProtobufCFieldDescriptor *field,
                       const void *values, size_t at, struct error *error)
{
    if (limit->kind == FIELD_MESSAGE) {
        const ProtobufCMessage *child = ((ProtobufCMessage *const *)values)[at];
        return child == NULL ? 0 : field_limits_check(child, error);
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return check_bytes(message, limit, ((const ProtobufCBinaryData *)values)[at], error);
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        return 0;
    uint64_t number = number_at(field, values, at);
    if (number_fits(limit, number))
        return 0;
    if (limit->kind == FIELD_TIME)
        return error_set(error, ERROR_LIMIT,
                         "%s.%s is %" PRId64 " microseconds; from %" PRId64 " to %" PRIu64 " are allowed", message,
                         limit->name, (int64_t)number, FIELD_TIME_LEAST, limit->most);
    return error_set(error, ERROR_LIMIT, "%s.%s is %" PRIu64 "; at most %" PRIu64 " is allowed", message, limit->name,
                     number, limit->most);
}

int field_limits_check(const ProtobufCMessage *message, struct error *error)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    unsigned rows;
    const struct field_limit *limits = field_limits_of(descriptor, &rows);
    if (rows != descriptor->n_fields)
        return error_set(error, ERROR_LIMIT, "proto/field_limits.h has %u rows for the %u fields of %s", rows,
                         descriptor->n_fields, descriptor->short_name);
    for (unsigned i = 0; i < rows; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        size_t count;
        const void *values = values_of(message, field, &count);
        if (count > limits[i].entries)
            return error_set(error, ERROR_LIMIT, "%s.%s has %zu entries; %" PRIu32 " are allowed",
                             descriptor->short_name, field->name, count, limits[i].entries);
        for (size_t k = 0; k < count; k++)
            if (check_value(descriptor->short_name, &limits[i], field, values, k, error) < 0)
                return -1;
    }
    return 0;
}

/* ---- applying ---- */

/* Cut where a character begins. */
static size_t cut_length(const uint8_t *text, size_t most)
{
    while (most > 0 && (text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* Brings a text within its limit; false: it is too long to be cut, and empty now. */
static bool fit_text(const struct field_limit *limit, ProtobufCBinaryData *text, bool *changed)
{
    if ((limit->kind != FIELD_TEXT && limit->kind != FIELD_PROSE) || text->len <= limit->most)
        return true;
    *changed = true;
    if (limit->kind == FIELD_PROSE) {
        text->len = cut_length(text->data, limit->most);
        return true;
    }
    free(text->data);
    *text = (ProtobufCBinaryData){0};
    return false;
}

/* Brings a number within its limit: what is out of range is not known. */
static void fit_number(ProtobufCMessage *message, const struct field_limit *limit,
                       const ProtobufCFieldDescriptor *field, void *value, bool *changed)
{
    char has[64];
    if ((limit->kind != FIELD_NUMBER && limit->kind != FIELD_TIME) || number_fits(limit, number_at(field, value, 0)))
        return;
    *changed = true;
    bool wide = field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_INT64 ||
                field->type == PROTOBUF_C_TYPE_FIXED64;
    memset(value, 0, wide ? sizeof(uint64_t) : sizeof(uint32_t));
    snprintf(has, sizeof has, "has_%s", field->name);
    const ProtobufCFieldDescriptor *flag = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, has);
    if (flag != NULL)
        *(protobuf_c_boolean *)((uint8_t *)message + flag->offset) = 0;
}

struct cutting {
    void (*cut)(void *context, const char *field, uint64_t count);
    void *context;
    const char *above; /* the list that the message is an entry of; NULL: none */
};

static void tell(const struct cutting *cutting, const char *field, uint64_t count)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s%s", cutting->above != NULL ? cutting->above : "",
             cutting->above != NULL ? "." : "", field);
    if (count > 0)
        cutting->cut(cutting->context, path, count);
}

/* Fields of one entry of a list; false: it must go. What changed is added to `changed`, a count per field. */
static bool fit_entry(ProtobufCMessage *entry, uint64_t *changed)
{
    const ProtobufCMessageDescriptor *descriptor = entry->descriptor;
    unsigned rows;
    const struct field_limit *limits = field_limits_of(descriptor, &rows);
    bool stays = true;
    for (unsigned i = 0; i < rows && i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        bool any = false;
        size_t count;
        void *value = values_of(entry, field, &count);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        if (field->type == PROTOBUF_C_TYPE_BYTES)
            stays &= fit_text(&limits[i], value, &any);
        else
            fit_number(entry, &limits[i], field, value, &any);
        changed[i] += any;
    }
    return stays;
}

static void fit_list(ProtobufCMessage *message, const struct field_limit *limit, const ProtobufCFieldDescriptor *field,
                     const struct cutting *cutting)
{
    size_t *length = (size_t *)((uint8_t *)message + field->quantifier_offset), kept = 0, lost = 0, count;
    void *values = values_of(message, field, &count);
    const ProtobufCMessageDescriptor *inner = limit->kind == FIELD_MESSAGE ? field->descriptor : NULL;
    uint64_t changed[64] = {0};
    for (size_t i = 0; i < count; i++) {
        bool any = false;
        if (inner != NULL) {
            ProtobufCMessage **entries = values;
            bool fits = kept < limit->entries;
            if (!fits || !fit_entry(entries[i], changed)) {
                lost += !fits;
                protobuf_c_message_free_unpacked(entries[i], NULL);
                continue;
            }
            entries[kept++] = entries[i];
        } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
            ProtobufCBinaryData *texts = values;
            if (kept == limit->entries || !fit_text(limit, &texts[i], &any)) {
                lost++;
                free(texts[i].data);
                continue;
            }
            lost += any;
            texts[kept++] = texts[i];
        } else if (kept == limit->entries) {
            lost++;
        } else {
            kept++;
        }
    }
    *length = kept;
    tell(cutting, field->name, lost);
    const struct cutting within = {.cut = cutting->cut, .context = cutting->context, .above = field->name};
    for (unsigned i = 0; inner != NULL && i < inner->n_fields && i < sizeof changed / sizeof *changed; i++)
        tell(&within, inner->fields[i].name, changed[i]);
}

void field_limits_apply(ProtobufCMessage *message, void (*cut)(void *context, const char *field, uint64_t count),
                        void *context)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    const struct cutting cutting = {.cut = cut, .context = context};
    unsigned rows;
    const struct field_limit *limits = field_limits_of(descriptor, &rows);
    for (unsigned i = 0; i < rows && i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        bool any = false;
        size_t count;
        void *value = values_of(message, field, &count);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            fit_list(message, &limits[i], field, &cutting);
        else if (field->type == PROTOBUF_C_TYPE_BYTES)
            fit_text(&limits[i], value, &any);
        else if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            fit_number(message, &limits[i], field, value, &any);
        tell(&cutting, field->name, any);
    }
}
