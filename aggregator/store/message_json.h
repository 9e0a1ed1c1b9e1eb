/* A message of evenkeel.proto as JSON: keys are field names; bytes are text; what is named in `hex` is written in
 * hexadecimal. */

#ifndef EVENKEEL_MESSAGE_JSON_H
#define EVENKEEL_MESSAGE_JSON_H

#include "aggregator/base/buffer.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Appends the message as one JSON object. Absent scalars appear with their default, absent lists as []. Enumerations
 * are their names in lower case. Text must be UTF-8 (object_check_...()). Fields called metabase, key_location or
 * component_store are digests, hence hexadecimal.
 */
void message_json(struct buffer *buffer, const ProtobufCMessage *message);

/* Appends `text` as a JSON string with its quotes. */
void message_json_string(struct buffer *buffer, struct bytes text);

#endif
