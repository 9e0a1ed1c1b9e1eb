/* A message of evenkeel.proto as JSON. */

#include "message_json.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

void message_json_string(struct buffer *buffer, struct bytes text)
{
    buffer_put_text(buffer, "\"");
    size_t plain = 0;
    for (size_t i = 0; i <= text.length; i++) {
        bool escaped = i < text.length && (text.data[i] < 0x20 || text.data[i] == '"' || text.data[i] == '\\');
        if (i < text.length && !escaped)
            continue;
        buffer_put(buffer, text.data + plain, i - plain);
        plain = i + 1;
        if (escaped && text.data[i] >= 0x20)
            buffer_put(buffer, (char[]){'\\', (char)text.data[i]}, 2);
        else if (escaped)
            buffer_format(buffer, "\\u%04x", text.data[i]);
    }
    buffer_put_text(buffer, "\"");
}

static void put_value(struct buffer *buffer, const ProtobufCFieldDescriptor *field, const void *values, size_t index)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *child = ((ProtobufCMessage *const *)values)[index];
        if (child != NULL)
            message_json(buffer, child);
        else
            buffer_put_text(buffer, "null");
        return;
    }
    case PROTOBUF_C_TYPE_BYTES: {
        ProtobufCBinaryData text = ((const ProtobufCBinaryData *)values)[index];
        if (strcmp(field->name, "metabase") != 0 && strcmp(field->name, "key_location") != 0 &&
            strcmp(field->name, "component_store") != 0) {
            message_json_string(buffer, bytes_of(text.data, text.len));
            return;
        }
        buffer_put_text(buffer, "\"");
        for (size_t i = 0; i < text.len; i++)
            buffer_format(buffer, "%02x", text.data[i]);
        buffer_put_text(buffer, "\"");
        return;
    }
    case PROTOBUF_C_TYPE_BOOL:
        buffer_put_text(buffer, ((const protobuf_c_boolean *)values)[index] ? "true" : "false");
        return;
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(field->descriptor, ((const int *)values)[index]);
        buffer_put_text(buffer, "\"");
        for (const char *at = value != NULL ? value->name : "UNKNOWN"; *at != 0; at++)
            buffer_format(buffer, "%c", tolower((unsigned char)*at));
        buffer_put_text(buffer, "\"");
        return;
    }
    case PROTOBUF_C_TYPE_INT64:
        buffer_format(buffer, "%" PRId64, ((const int64_t *)values)[index]);
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        buffer_format(buffer, "%" PRIu64, ((const uint64_t *)values)[index]);
        return;
    default:
        buffer_format(buffer, "%" PRIu32, ((const uint32_t *)values)[index]);
        return;
    }
}

void message_json(struct buffer *buffer, const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    buffer_put_text(buffer, "{");
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        buffer_format(buffer, "%s\"%s\":", i > 0 ? "," : "", field->name);
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            put_value(buffer, field, base + field->offset, 0);
            continue;
        }
        size_t count = *(const size_t *)(base + field->quantifier_offset);
        const void *values = *(void *const *)(base + field->offset);
        buffer_put_text(buffer, "[");
        for (size_t k = 0; k < count; k++) {
            buffer_put_text(buffer, k > 0 ? "," : "");
            put_value(buffer, field, values, k);
        }
        buffer_put_text(buffer, "]");
    }
    buffer_put_text(buffer, "}");
}
