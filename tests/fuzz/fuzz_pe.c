/*
 * libFuzzer target: whatever the bytes, the PE reader ends, stays within its limits, and what it hands out can be
 * packed into an image that the receiver takes. The seeds are files linked with small alignments: PE32 and PE32+, with
 * and without version, exports, imports and delay imports.
 */

#include "collector/pe/image.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t read_memory(void *context, void *buffer, size_t length, uint64_t offset, struct error *error)
{
    const struct bytes *bytes = context;
    (void)error;
    if (offset >= bytes->length)
        return 0;
    size_t rest = bytes->length - (size_t)offset;
    size_t count = length < rest ? length : rest;
    memcpy(buffer, bytes->data + offset, count);
    return (int64_t)count;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pe_image image;
    struct bytes bytes = bytes_of(data, size);
    const struct pe_source source = {.read_at = read_memory, .context = &bytes, .size = size};
    const struct pe_options options = {.symbols = true};
    struct error error = {0};
    require(pe_read_source(&source, &options, &image, &error) == 0);
    if (!image.is_pe)
        return 0;

    uint8_t *packed;
    size_t length;
    require(image_pack(&image, &packed, &length, &error) == 0);
    require(length <= LIMIT_OBJECT_BYTES);
    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    ProtobufCMessage *message = object_unpack(&evenkeel__image__descriptor, bytes_of(packed, length), arena, &error);
    require(message != NULL && object_check_image((const Evenkeel__Image *)message, &error) == 0);
    arena_free(arena);
    free(packed);
    return 0;
}
