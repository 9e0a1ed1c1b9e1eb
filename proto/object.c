/* Objects in canonical form. */

#include "object.h"

#include "field_limits.h"
#include "limits.h"

#include <stdlib.h>

/* Images, chunks and facts nest one level deep, envelopes' requests three; the schema has no recursion. */
#define DEPTH_LIMIT 6

/* A field's value or, where it is repeated, the i-th of them, by protobuf-c's layout of messages. */
static const void *field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t *count)
{
    const uint8_t *base = (const uint8_t *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *count = *(const size_t *)(base + field->quantifier_offset);
        return *(void *const *)(base + field->offset);
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        *count = *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    else
        *count = 1;
    return base + field->offset;
}

/* Visits all fields: unknown ones fail, and so does text or a list over its limit; `text` says whether bytes must be
 * UTF-8. */
static bool message_sound(const ProtobufCMessage *message, int depth)
{
    if (message->n_unknown_fields > 0 || depth > DEPTH_LIMIT)
        return false;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        size_t count;
        ProtobufCMessage *const *children = field_at(message, field, &count);
        for (size_t k = 0; k < count; k++)
            if (children[k] != NULL && !message_sound(children[k], depth + 1))
                return false;
    }
    return true;
}

ProtobufCMessage *object_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes bytes, struct arena *arena,
                                struct error *error)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, arena_allocator(arena), bytes.length, bytes.data);
    if (message == NULL) {
        if (arena_spent(arena))
            error_set(error, ERROR_LIMIT, "a %s of %zu bytes needs more memory than is allowed", descriptor->short_name,
                      bytes.length);
        else
            error_set(error, ERROR_FORMAT, "%zu bytes are no %s", bytes.length, descriptor->short_name);
        return NULL;
    }
    if (!message_sound(message, 0)) {
        error_set(error, ERROR_FORMAT, "a %s " OBJECT_UNKNOWN_FIELDS, descriptor->short_name);
        return NULL;
    }
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *again = length == bytes.length ? arena_take(arena, length) : NULL;
    if (again == NULL || protobuf_c_message_pack(message, again) != length ||
        (length > 0 && memcmp(again, bytes.data, length) != 0)) {
        error_set(error, ERROR_FORMAT, "a %s of %zu bytes is not in canonical form", descriptor->short_name,
                  bytes.length);
        return NULL;
    }
    return message;
}

static const struct {
    const ProtobufCMessageDescriptor *descriptor;
    const char *name;
} kinds[] = {
    [EVENKEEL__OBJECT_KIND__IMAGE] = {&evenkeel__image__descriptor, "image"},
    [EVENKEEL__OBJECT_KIND__CHUNK] = {&evenkeel__chunk__descriptor, "chunk"},
    [EVENKEEL__OBJECT_KIND__INVENTORY] = {&evenkeel__inventory__descriptor, "inventory"},
    [EVENKEEL__OBJECT_KIND__FACTS] = {&evenkeel__facts__descriptor, "facts"},
    [EVENKEEL__OBJECT_KIND__TIMES] = {&evenkeel__times__descriptor, "times"},
    [EVENKEEL__OBJECT_KIND__MACHINE_MARKS] = {&evenkeel__machine_marks__descriptor, "machine marks"},
    [EVENKEEL__OBJECT_KIND__COMPONENT_STORE] = {&evenkeel__component_store__descriptor, "component store"},
};

const ProtobufCMessageDescriptor *object_descriptor(Evenkeel__ObjectKind kind)
{
    return (size_t)kind < sizeof kinds / sizeof *kinds ? kinds[kind].descriptor : NULL;
}

const char *object_kind_name(Evenkeel__ObjectKind kind)
{
    const ProtobufCMessageDescriptor *known = object_descriptor(kind);
    return known != NULL ? kinds[kind].name : "object of unknown kind";
}

bool object_pack(const ProtobufCMessage *message, struct bytes *packed)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *data = malloc(length > 0 ? length : 1);
    *packed = (struct bytes){0};
    if (data == NULL)
        return false;
    *packed = bytes_of(data, protobuf_c_message_pack(message, data));
    return true;
}

int object_check_image(const Evenkeel__Image *image, struct error *error)
{
    return field_limits_check(&image->base, error);
}

int object_check_inventory(const Evenkeel__Inventory *inventory, struct error *error)
{
    size_t chunks = inventory->chunks.len / DIGEST_BYTES;
    if (inventory->chunks.len % DIGEST_BYTES != 0)
        return error_set(error, ERROR_FORMAT, "Inventory.chunks has %zu bytes, no multiple of %d",
                         inventory->chunks.len, DIGEST_BYTES);
    if (chunks > LIMIT_INVENTORY_CHUNKS)
        return error_set(error, ERROR_LIMIT, "an inventory has %zu chunks; %u are allowed", chunks,
                         LIMIT_INVENTORY_CHUNKS);
    return 0;
}

int object_check_facts(const Evenkeel__Facts *facts, struct error *error)
{
    return field_limits_check(&facts->base, error);
}

int object_check_times(const Evenkeel__Times *times, struct error *error)
{
    return field_limits_check(&times->base, error);
}

int object_check_marks(const Evenkeel__MachineMarks *marks, struct error *error)
{
    return field_limits_check(&marks->base, error);
}
