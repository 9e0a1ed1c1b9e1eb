/*
 * Prints a host's facts, for tests: facts_dump [--root DIR] [--facts FILE] [--group LABEL]... First the digests of
 * Facts and Times, then a line for each field that is set. Problems go to stderr.
 */

#include "collector/facts/facts.h"
#include "proto/object.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_message(const ProtobufCMessage *message, const char *prefix);

static void print_value(const ProtobufCFieldDescriptor *field, const void *value, const char *name)
{
    ProtobufCBinaryData bytes;
    int64_t wide;
    int32_t narrow;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        memcpy(&bytes, value, sizeof bytes);
        if (strcmp(field->name, "metabase") == 0 && bytes.len == DIGEST_BYTES) {
            char hex[DIGEST_HEX_SIZE];
            struct digest digest;
            memcpy(digest.bytes, bytes.data, DIGEST_BYTES);
            digest_hex(&digest, hex);
            printf("%s=%s\n", name, hex);
        } else if (bytes.len > 0) {
            printf("%s=%.*s\n", name, (int)bytes.len, (const char *)bytes.data);
        }
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        print_message(*(void *const *)value, name);
        break;
    case PROTOBUF_C_TYPE_INT64:
        memcpy(&wide, value, sizeof wide);
        if (wide != 0)
            printf("%s=%" PRId64 "\n", name, wide);
        break;
    default:
        memcpy(&narrow, value, sizeof narrow);
        if (narrow != 0)
            printf("%s=%" PRIu32 "\n", name, (uint32_t)narrow);
    }
}

static void print_message(const ProtobufCMessage *message, const char *prefix)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *member = (const char *)message + field->offset;
        char name[256];
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            snprintf(name, sizeof name, "%s.%s", prefix, field->name);
            print_value(field, member, name);
            continue;
        }
        size_t count, size = field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(void *);
        memcpy(&count, (const char *)message + field->quantifier_offset, sizeof count);
        const char *items;
        memcpy(&items, member, sizeof items);
        for (size_t n = 0; n < count; n++) {
            snprintf(name, sizeof name, "%s.%s[%zu]", prefix, field->name, n);
            print_value(field, items + n * size, name);
        }
    }
}

static void print_digest(const ProtobufCMessage *message, const char *name)
{
    struct bytes packed;
    char hex[DIGEST_HEX_SIZE];
    if (!object_pack(message, &packed))
        abort();
    struct digest digest = digest_of(packed);
    digest_hex(&digest, hex);
    printf("%s %s\n", name, hex);
    free((void *)packed.data);
}

int main(int count, char **arguments)
{
    const char *groups[16];
    struct facts_options options = {.groups = groups};
    struct string_list problems = {0};
    struct error error = {0};
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;

    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--root") == 0)
            options.root = arguments[i + 1];
        else if (strcmp(arguments[i], "--facts") == 0)
            options.registry_file = arguments[i + 1];
        else if (strcmp(arguments[i], "--group") == 0 && options.group_count < sizeof groups / sizeof *groups)
            groups[options.group_count++] = arguments[i + 1];
    }
    if (sodium_init() < 0)
        return 1;
    int result = facts_collect(&options, &facts, &times, &problems, &error);
    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%s\n", problems.items[i]);
    string_list_clear(&problems);
    if (result == -1) {
        fprintf(stderr, "facts_dump: %s\n", error.message);
        return 1;
    }
    print_digest(&facts->base, "facts");
    print_digest(&times->base, "times");
    print_message(&facts->base, "facts");
    print_message(&times->base, "times");
    evenkeel__facts__free_unpacked(facts, NULL);
    evenkeel__times__free_unpacked(times, NULL);
    return 0;
}
