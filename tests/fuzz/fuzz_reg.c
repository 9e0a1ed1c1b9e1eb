/*
 * libFuzzer target: whatever a .reg export holds, reading it ends, and the facts found in it are such that the receiver
 * takes them. The seeds are exports of both formats, in 8 bits and UTF-16LE, of hosts with every kind of fact.
 */

#include "collector/facts/facts.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <sodium.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Packs, unpacks as the receiver does, and checks. */
static void require_acceptable(const ProtobufCMessage *message)
{
    struct bytes packed = {0};
    struct error error = {0};
    struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
    require(arena != NULL && object_pack(message, &packed));
    ProtobufCMessage *unpacked = object_unpack(message->descriptor, packed, arena, &error);
    require(unpacked != NULL);
    if (message->descriptor == &evenkeel__facts__descriptor)
        require(object_check_facts((const Evenkeel__Facts *)unpacked, &error) == 0);
    arena_free(arena);
    free((void *)packed.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct facts_options options = {0};
    struct error error = {0};
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;

    if (sodium_init() < 0 || registry_parse_text(bytes_of(data, size), "fuzzed", 0, &options.registry, &error) == -1)
        return 0;
    require(facts_collect(&options, &facts, &times, NULL, &error) == 0);
    require_acceptable(&facts->base);
    require_acceptable(&times->base);
    evenkeel__facts__free_unpacked(facts, NULL);
    evenkeel__times__free_unpacked(times, NULL);
    registry_close(options.registry);
    return 0;
}
