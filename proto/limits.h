/* How large, deep and many the things that travel may be: kept by the sender, enforced by the receiver. */

#ifndef EVENKEEL_LIMITS_H
#define EVENKEEL_LIMITS_H

#define LIMIT_MESSAGE_BYTES (2u << 20) /* an envelope on the wire */
#define LIMIT_OBJECT_BYTES                                                                                             \
    (LIMIT_MESSAGE_BYTES - 65536u)       /* one object: a message holds at least one, and its offer                    \
                                          */
#define LIMIT_GIVE_BYTES (512u << 10)    /* what a collector packs into one give where objects are small */
#define LIMIT_UNPACKED_BYTES (32u << 20) /* heap that unpacking one message may take (protobuf-c amplifies) */
#define LIMIT_PATH_BYTES 4096u           /* a folded path in UTF-8 */
#define LIMIT_INVENTORY_CHUNKS 32768u    /* about two million files */
#define LIMIT_WANTED_DIGESTS 4096u       /* named in one answer; the rest is named in the next */
#define LIMIT_HOST_NAME_BYTES 255u
#define LIMIT_LIST_ENTRIES 65536u /* of a repeated field of Facts and Times */
#define LIMIT_TEXT_BYTES 65536u   /* of one text field */

#endif
