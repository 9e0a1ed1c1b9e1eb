/* How large, deep and many the things that travel may be: kept by the sender, enforced by the receiver. */

#ifndef EVENKEEL_LIMITS_H
#define EVENKEEL_LIMITS_H

#define LIMIT_MESSAGE_BYTES (2u << 20) /* an envelope on the wire */
#define LIMIT_OBJECT_BYTES                                                                                             \
    (LIMIT_MESSAGE_BYTES - 65536u)       /* one object: a message holds at least one, and its offer                    \
                                          */
#define LIMIT_GIVE_BYTES (512u << 10)    /* what a collector packs into one give where objects are small */
#define LIMIT_UNPACKED_BYTES (32u << 20) /* heap that unpacking one message may take (protobuf-c amplifies) */
#define LIMIT_PATH_BYTES 2048u           /* a folded path in UTF-8; with a DLL's name behind it a row of an index */
#define LIMIT_CHUNK_ENTRIES 1024u        /* (path, image) entries of a chunk */
#define LIMIT_INVENTORY_CHUNKS 32768u    /* about two million files */
#define LIMIT_STORE_FILES 65536u         /* files that servicing owns on a host */
#define LIMIT_STORE_LINES 1024u          /* different a.b.c of a store's versions */
#define LIMIT_WANTED_DIGESTS 4096u       /* named in one answer; the rest is named in the next */
#define LIMIT_HOST_NAME_BYTES 255u
#define LIMIT_LIST_ENTRIES 65536u /* of a list that grows with the host: services, exports */
#define LIMIT_IMPORTED_DLLS 8192u /* of one image: plain and delayed */
#define LIMIT_FOLDERS 4096u       /* of a list that a person could write: PATH, KnownDLLs */
#define LIMIT_GROUPS 64u          /* labels of one host: each compares it with others */
#define LIMIT_NAME_BYTES 255u     /* a name or an identity: MachineGuid, SID, label */
#define LIMIT_FOLDER_BYTES 1024u  /* a folder that Windows itself lies in */
#define LIMIT_STRING_BYTES 1024u  /* a string that is shown */
#define LIMIT_SYMBOL_BYTES 4096u  /* a symbol of an image, or its forwarder */
#define LIMIT_TEXT_BYTES 65536u   /* any text: a command with its arguments, as the registry has it */

#endif
