/*
 * Objects in canonical form: the packed bytes of a message of evenkeel.proto with fields in the order of their numbers,
 * defaults left out and nothing unknown. One object has one form, hence one digest.
 */

#ifndef EVENKEEL_OBJECT_H
#define EVENKEEL_OBJECT_H

#include "arena.h"
#include "bytes.h"
#include "digest.h"
#include "error.h"
#include "evenkeel.pb-c.h"

/* What is said of a message with unknown fields, behind its name. A collector knows by it that the aggregator is the
 * older of the two, so it stays as it is. */
#define OBJECT_UNKNOWN_FIELDS "holds fields that this version does not know"

/* Room in a list by kind: kinds are numbered from 1. */
#define OBJECT_KINDS (EVENKEEL__OBJECT_KIND__COMPONENT_STORE + 1)

/*
 * Unpacks `bytes` as `descriptor`, into memory of the arena; NULL with *error where they are not a message of that
 * type, hold unknown fields, or differ from what packing the result again gives (ERROR_FORMAT), or need more than the
 * arena's budget (ERROR_LIMIT). Do not free the result: it goes with the arena.
 */
ProtobufCMessage *object_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes bytes, struct arena *arena,
                                struct error *error);

/* The descriptor of an object's kind, NULL for an unknown one; and the kind's name for messages ('image'). */
const ProtobufCMessageDescriptor *object_descriptor(Evenkeel__ObjectKind kind);
const char *object_kind_name(Evenkeel__ObjectKind kind);

/* Packs into memory from malloc, which the caller frees; false where there is none. *packed is empty for an empty
 * message. */
bool object_pack(const ProtobufCMessage *message, struct bytes *packed);

/*
 * What a kind promises beyond its form: field_limits.h has it field by field. Chunks are checked as chunk_read() goes
 * through them. 0, or -1 with *error.
 */
int object_check_image(const Evenkeel__Image *image, struct error *error);
int object_check_inventory(const Evenkeel__Inventory *inventory, struct error *error);
int object_check_facts(const Evenkeel__Facts *facts, struct error *error);
int object_check_times(const Evenkeel__Times *times, struct error *error);
int object_check_marks(const Evenkeel__MachineMarks *marks, struct error *error);

static inline struct bytes bytes_of_field(ProtobufCBinaryData field)
{
    return bytes_of(field.data, field.len);
}

#endif
