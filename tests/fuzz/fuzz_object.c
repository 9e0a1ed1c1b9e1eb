/* Objects from outside: the first byte picks the kind, the rest is the body. */

#include "proto/chunk.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look_at(void *context, const struct chunk_entry *entry)
{
    (void)context;
    if (!chunk_path_valid(entry->path))
        abort();
    return true;
}

static void check(Evenkeel__ObjectKind kind, const ProtobufCMessage *message)
{
    struct error error = {0};
    switch (kind) {
    case EVENKEEL__OBJECT_KIND__IMAGE:
        object_check_image((const Evenkeel__Image *)message, &error);
        break;
    case EVENKEEL__OBJECT_KIND__CHUNK:
        chunk_read((const Evenkeel__Chunk *)message, look_at, NULL, &error);
        break;
    case EVENKEEL__OBJECT_KIND__INVENTORY:
        object_check_inventory((const Evenkeel__Inventory *)message, &error);
        break;
    case EVENKEEL__OBJECT_KIND__FACTS:
        object_check_facts((const Evenkeel__Facts *)message, &error);
        break;
    case EVENKEEL__OBJECT_KIND__TIMES:
        object_check_times((const Evenkeel__Times *)message, &error);
        break;
    default:
        object_check_marks((const Evenkeel__MachineMarks *)message, &error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || sodium_init() < 0)
        return 0;
    Evenkeel__ObjectKind kind = 1 + data[0] % EVENKEEL__OBJECT_KIND__MACHINE_MARKS;
    struct bytes body = bytes_of(data + 1, size - 1);
    struct error error = {0};
    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    const ProtobufCMessage *message = object_unpack(object_descriptor(kind), body, arena, &error);
    if (message != NULL) {
        struct bytes again;
        if (!object_pack(message, &again) || again.length != body.length ||
            (body.length > 0 && memcmp(again.data, body.data, body.length) != 0))
            abort(); /* one object must have one form */
        free((void *)again.data);
        check(kind, message);
    }
    arena_free(arena);
    return 0;
}
