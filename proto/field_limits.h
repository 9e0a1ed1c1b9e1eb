/*
 * What a field of a message that reaches the database may hold: how long a text is, how large a number, how many
 * entries a list has. The collector cuts or leaves out what is beyond (field_limits_apply()), the aggregator refuses it
 * (field_limits_check()), and what is within the database takes: tests/integration/field-limits pushes every field at
 * its edge.
 *
 * A message without a list here is not taken, and a list whose rows are not the message's fields, in the order of their
 * numbers, fails test_field_limits: a new field needs its row.
 */

#ifndef EVENKEEL_FIELD_LIMITS_H
#define EVENKEEL_FIELD_LIMITS_H

#include "error.h"
#include "limits.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

enum field_kind {
    FIELD_TEXT,    /* UTF-8 without NUL, a name or an identity: cut it would name something else, so it is left out */
    FIELD_PROSE,   /* UTF-8 without NUL that begins with what matters: cut at a character */
    FIELD_BYTES,   /* of any content */
    FIELD_DIGEST,  /* 32 bytes, or none */
    FIELD_NUMBER,  /* from 0 */
    FIELD_TIME,    /* microseconds from FIELD_TIME_LEAST on; 0: not known */
    FIELD_FLAG,    /* true or false */
    FIELD_MESSAGE, /* has rows of its own */
};

/* Times of Windows begin in 1601 (FILETIME 0); what is written as a date ends with the year 9999. */
#define FIELD_TIME_LEAST INT64_C(-11644473600000000)
#define FIELD_TIME_MOST INT64_C(253402300799999999)

/*
 * ROW(field, kind, most, entries): `most` is bytes of a text, or a number's greatest value; `entries` how many a list
 * may have, 1 for what is none. Texts that the database sorts or finds by are short, for a row of an index has at most
 * 2,704 bytes; numbers that it keeps as integer end at 2^31 - 1, and a UBR with the fourth part of a version.
 */
#define FIELD_LIMITS_OF_IMAGE(ROW)                                                                                     \
    ROW(size, FIELD_NUMBER, INT64_MAX, 1)                                                                              \
    ROW(machine, FIELD_NUMBER, UINT16_MAX, 1)                                                                          \
    ROW(time_date_stamp, FIELD_NUMBER, UINT32_MAX, 1)                                                                  \
    ROW(size_of_image, FIELD_NUMBER, UINT32_MAX, 1)                                                                    \
    ROW(checksum, FIELD_NUMBER, UINT32_MAX, 1)                                                                         \
    ROW(characteristics, FIELD_NUMBER, UINT16_MAX, 1)                                                                  \
    ROW(has_version, FIELD_FLAG, 1, 1)                                                                                 \
    ROW(file_version, FIELD_NUMBER, UINT64_MAX, 1)                                                                     \
    ROW(product_version, FIELD_NUMBER, UINT64_MAX, 1)                                                                  \
    ROW(file_flags, FIELD_NUMBER, UINT32_MAX, 1)                                                                       \
    ROW(file_version_string, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                       \
    ROW(product_version_string, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                    \
    ROW(product_name, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                              \
    ROW(company_name, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                              \
    ROW(original_filename, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                         \
    ROW(file_description, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                          \
    ROW(exports, FIELD_MESSAGE, 0, LIMIT_LIST_ENTRIES)                                                                 \
    ROW(imports, FIELD_MESSAGE, 0, LIMIT_IMPORTED_DLLS)                                                                \
    ROW(sha256, FIELD_DIGEST, 32, 1)                                                                                   \
    ROW(defects, FIELD_NUMBER, INT32_MAX, 1)                                                                           \
    ROW(symbols_omitted, FIELD_FLAG, 1, 1)                                                                             \
    ROW(hybrid, FIELD_NUMBER, 3, 1)

#define FIELD_LIMITS_OF_EXPORT(ROW)                                                                                    \
    ROW(ordinal, FIELD_NUMBER, UINT16_MAX, 1)                                                                          \
    ROW(name, FIELD_TEXT, LIMIT_SYMBOL_BYTES, 1)                                                                       \
    ROW(forwarder, FIELD_TEXT, LIMIT_SYMBOL_BYTES, 1)

#define FIELD_LIMITS_OF_IMPORT(ROW)                                                                                    \
    ROW(dll, FIELD_TEXT, LIMIT_SYMBOL_BYTES, 1)                                                                        \
    ROW(delay, FIELD_FLAG, 1, 1)                                                                                       \
    ROW(names, FIELD_TEXT, LIMIT_SYMBOL_BYTES, LIMIT_LIST_ENTRIES)                                                     \
    ROW(ordinals, FIELD_NUMBER, UINT16_MAX, LIMIT_LIST_ENTRIES)

/* chunk_read() checks a chunk, entry by entry, by the same numbers. */
#define FIELD_LIMITS_OF_CHUNK(ROW)                                                                                     \
    ROW(shared, FIELD_NUMBER, LIMIT_PATH_BYTES, LIMIT_CHUNK_ENTRIES)                                                   \
    ROW(suffixes, FIELD_TEXT, LIMIT_PATH_BYTES, LIMIT_CHUNK_ENTRIES)                                                   \
    ROW(images, FIELD_BYTES, LIMIT_CHUNK_ENTRIES * 32u, 1)

#define FIELD_LIMITS_OF_INVENTORY(ROW) ROW(chunks, FIELD_BYTES, LIMIT_INVENTORY_CHUNKS * 32u, 1)

#define FIELD_LIMITS_OF_FACTS(ROW)                                                                                     \
    ROW(has_registry, FIELD_FLAG, 1, 1)                                                                                \
    ROW(product_name, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                              \
    ROW(current_version, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                              \
    ROW(current_build, FIELD_NUMBER, INT32_MAX, 1)                                                                     \
    ROW(has_ubr, FIELD_FLAG, 1, 1)                                                                                     \
    ROW(ubr, FIELD_NUMBER, UINT16_MAX, 1)                                                                              \
    ROW(edition, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                                   \
    ROW(product_type, FIELD_NUMBER, INT32_MAX, 1)                                                                      \
    ROW(service_pack, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                              \
    ROW(architecture, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                 \
    ROW(install_time, FIELD_TIME, FIELD_TIME_MOST, 1)                                                                  \
    ROW(computer_name, FIELD_TEXT, LIMIT_HOST_NAME_BYTES, 1)                                                           \
    ROW(machine_guid, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                 \
    ROW(machine_sid, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                  \
    ROW(clone_tag, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                                 \
    ROW(clone_time, FIELD_TIME, FIELD_TIME_MOST, 1)                                                                    \
    ROW(known_dlls, FIELD_TEXT, LIMIT_NAME_BYTES, LIMIT_FOLDERS)                                                       \
    ROW(search_path, FIELD_TEXT, LIMIT_PATH_BYTES, LIMIT_FOLDERS)                                                      \
    ROW(assemblies, FIELD_TEXT, LIMIT_STRING_BYTES, LIMIT_LIST_ENTRIES)                                                \
    ROW(hotfixes, FIELD_MESSAGE, 0, LIMIT_LIST_ENTRIES)                                                                \
    ROW(services, FIELD_MESSAGE, 0, LIMIT_LIST_ENTRIES)                                                                \
    ROW(inetstp_major, FIELD_NUMBER, INT32_MAX, 1)                                                                     \
    ROW(inetstp_minor, FIELD_NUMBER, INT32_MAX, 1)                                                                     \
    ROW(machine_keys_read, FIELD_FLAG, 1, 1)                                                                           \
    ROW(machine_keys, FIELD_TEXT, LIMIT_STRING_BYTES, LIMIT_LIST_ENTRIES)                                              \
    ROW(metabase, FIELD_DIGEST, 32, 1)                                                                                 \
    ROW(pending_renames, FIELD_MESSAGE, 0, LIMIT_LIST_ENTRIES)                                                         \
    ROW(servicing_states, FIELD_MESSAGE, 0, LIMIT_LIST_ENTRIES)                                                        \
    ROW(reboot_pending, FIELD_FLAG, 1, 1)                                                                              \
    ROW(groups, FIELD_TEXT, LIMIT_NAME_BYTES, LIMIT_GROUPS)                                                            \
    ROW(windows_directory, FIELD_TEXT, LIMIT_FOLDER_BYTES, 1)                                                          \
    ROW(installation_type, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                         \
    ROW(display_version, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                           \
    ROW(hotpatch, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                     \
    ROW(not_seen, FIELD_MESSAGE, 0, LIMIT_FOLDERS)                                                                     \
    ROW(program_files, FIELD_TEXT, LIMIT_FOLDER_BYTES, 1)                                                              \
    ROW(program_files_x86, FIELD_TEXT, LIMIT_FOLDER_BYTES, 1)                                                          \
    ROW(other_windows, FIELD_TEXT, LIMIT_PATH_BYTES, LIMIT_FOLDERS)                                                    \
    ROW(service_pack_number, FIELD_NUMBER, UINT16_MAX, 1)                                                              \
    ROW(component_store, FIELD_DIGEST, 32, 1)                                                                          \
    ROW(outside_store, FIELD_MESSAGE, 0, LIMIT_FOLDERS)                                                                \
    ROW(store_newest, FIELD_NUMBER, UINT64_MAX, LIMIT_STORE_LINES)                                                     \
    ROW(common_data, FIELD_TEXT, LIMIT_FOLDER_BYTES, 1)                                                                \
    ROW(profiles, FIELD_TEXT, LIMIT_FOLDER_BYTES, 1)                                                                   \
    ROW(covered, FIELD_TEXT, LIMIT_PATH_BYTES, LIMIT_FOLDERS)                                                          \
    ROW(common_files, FIELD_TEXT, LIMIT_FOLDER_BYTES, 1)                                                               \
    ROW(dotnet_release, FIELD_NUMBER, INT32_MAX, 1)

#define FIELD_LIMITS_OF_NOT_SEEN(ROW)                                                                                  \
    ROW(kind, FIELD_NUMBER, INT32_MAX, 1)                                                                              \
    ROW(what, FIELD_TEXT, LIMIT_PATH_BYTES, 1)                                                                         \
    ROW(count, FIELD_NUMBER, INT32_MAX, 1)

/* component_store_read() checks its paths, one by one, by the same numbers. */
#define FIELD_LIMITS_OF_COMPONENT_STORE(ROW)                                                                           \
    ROW(shared, FIELD_NUMBER, LIMIT_PATH_BYTES, LIMIT_STORE_FILES)                                                     \
    ROW(suffixes, FIELD_TEXT, LIMIT_PATH_BYTES, LIMIT_STORE_FILES)

#define FIELD_LIMITS_OF_OUTSIDE_STORE(ROW)                                                                             \
    ROW(path, FIELD_TEXT, LIMIT_PATH_BYTES, 1)                                                                         \
    ROW(winner, FIELD_NUMBER, UINT64_MAX, 1)                                                                           \
    ROW(same_size, FIELD_FLAG, 1, 1)                                                                                   \
    ROW(one_link, FIELD_FLAG, 1, 1)                                                                                    \
    ROW(copy, FIELD_NUMBER, UINT64_MAX, 1)

#define FIELD_LIMITS_OF_HOTFIX(ROW)                                                                                    \
    ROW(id, FIELD_TEXT, LIMIT_STRING_BYTES, 1)                                                                         \
    ROW(source, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                       \
    ROW(service_pack, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                              \
    ROW(install_date, FIELD_PROSE, LIMIT_STRING_BYTES, 1)                                                              \
    ROW(product, FIELD_PROSE, LIMIT_STRING_BYTES, 1)

#define FIELD_LIMITS_OF_SERVICE(ROW)                                                                                   \
    ROW(name, FIELD_TEXT, LIMIT_STRING_BYTES, 1)                                                                       \
    ROW(start, FIELD_NUMBER, UINT32_MAX, 1)                                                                            \
    ROW(type, FIELD_NUMBER, UINT32_MAX, 1)                                                                             \
    ROW(image_path, FIELD_PROSE, LIMIT_TEXT_BYTES, 1)                                                                  \
    ROW(service_dll, FIELD_PROSE, LIMIT_TEXT_BYTES, 1)

#define FIELD_LIMITS_OF_PENDING_RENAME(ROW)                                                                            \
    ROW(from, FIELD_TEXT, LIMIT_TEXT_BYTES, 1)                                                                         \
    ROW(to, FIELD_TEXT, LIMIT_TEXT_BYTES, 1)

#define FIELD_LIMITS_OF_SERVICING_STATE(ROW)                                                                           \
    ROW(package, FIELD_TEXT, LIMIT_STRING_BYTES, 1)                                                                    \
    ROW(state, FIELD_NUMBER, UINT32_MAX, 1)

#define FIELD_LIMITS_OF_TIMES(ROW)                                                                                     \
    ROW(machine_keys, FIELD_MESSAGE, 0, LIMIT_LIST_ENTRIES)                                                            \
    ROW(metabase, FIELD_TIME, FIELD_TIME_MOST, 1)                                                                      \
    ROW(machine_guid, FIELD_TIME, FIELD_TIME_MOST, 1)

#define FIELD_LIMITS_OF_FILE_TIME(ROW) ROW(modified, FIELD_TIME, FIELD_TIME_MOST, 1)

#define FIELD_LIMITS_OF_MACHINE_MARKS(ROW)                                                                             \
    ROW(machine_sid, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                  \
    ROW(machine_guid, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                                 \
    ROW(key_location, FIELD_DIGEST, 32, 1)                                                                             \
    ROW(host_name, FIELD_TEXT, LIMIT_HOST_NAME_BYTES, 1)                                                               \
    ROW(collector_version, FIELD_TEXT, LIMIT_NAME_BYTES, 1)                                                            \
    ROW(computer_name, FIELD_TEXT, LIMIT_HOST_NAME_BYTES, 1)

#define FIELD_LIMITS_OF_ENROLL(ROW)                                                                                    \
    ROW(host_name, FIELD_TEXT, LIMIT_HOST_NAME_BYTES, 1)                                                               \
    ROW(token, FIELD_BYTES, LIMIT_HOST_NAME_BYTES, 1)                                                                  \
    ROW(marks, FIELD_MESSAGE, 0, 1)                                                                                    \
    ROW(taken_at, FIELD_TIME, FIELD_TIME_MOST, 1)

/* Beyond 2100 is a broken clock, or an attack on arithmetic; no schedule is longer than a year. */
#define FIELD_CLOCK_MOST INT64_C(4102444800000000)
#define FIELD_LIMITS_OF_OFFER(ROW)                                                                                     \
    ROW(host_id, FIELD_BYTES, 16, 1)                                                                                   \
    ROW(sequence, FIELD_NUMBER, INT64_MAX, 1)                                                                          \
    ROW(inventory, FIELD_DIGEST, 32, 1)                                                                                \
    ROW(facts, FIELD_DIGEST, 32, 1)                                                                                    \
    ROW(times, FIELD_DIGEST, 32, 1)                                                                                    \
    ROW(taken_at, FIELD_NUMBER, FIELD_CLOCK_MOST, 1)                                                                   \
    ROW(marks, FIELD_DIGEST, 32, 1)                                                                                    \
    ROW(unreadable, FIELD_NUMBER, INT32_MAX, 1)                                                                        \
    ROW(schedule, FIELD_NUMBER, 366u * 86400u, 1)

/* Every message that has rows: its C name in evenkeel.pb-c.h, and its list. */
#define FIELD_LIMITS(MESSAGE)                                                                                          \
    MESSAGE(image, FIELD_LIMITS_OF_IMAGE)                                                                              \
    MESSAGE(export, FIELD_LIMITS_OF_EXPORT)                                                                            \
    MESSAGE(import, FIELD_LIMITS_OF_IMPORT)                                                                            \
    MESSAGE(chunk, FIELD_LIMITS_OF_CHUNK)                                                                              \
    MESSAGE(inventory, FIELD_LIMITS_OF_INVENTORY)                                                                      \
    MESSAGE(facts, FIELD_LIMITS_OF_FACTS)                                                                              \
    MESSAGE(not_seen, FIELD_LIMITS_OF_NOT_SEEN)                                                                        \
    MESSAGE(component_store, FIELD_LIMITS_OF_COMPONENT_STORE)                                                          \
    MESSAGE(outside_store, FIELD_LIMITS_OF_OUTSIDE_STORE)                                                              \
    MESSAGE(hotfix, FIELD_LIMITS_OF_HOTFIX)                                                                            \
    MESSAGE(service, FIELD_LIMITS_OF_SERVICE)                                                                          \
    MESSAGE(pending_rename, FIELD_LIMITS_OF_PENDING_RENAME)                                                            \
    MESSAGE(servicing_state, FIELD_LIMITS_OF_SERVICING_STATE)                                                          \
    MESSAGE(times, FIELD_LIMITS_OF_TIMES)                                                                              \
    MESSAGE(file_time, FIELD_LIMITS_OF_FILE_TIME)                                                                      \
    MESSAGE(machine_marks, FIELD_LIMITS_OF_MACHINE_MARKS)                                                              \
    MESSAGE(enroll, FIELD_LIMITS_OF_ENROLL)                                                                            \
    MESSAGE(offer, FIELD_LIMITS_OF_OFFER)

struct field_limit {
    const char *name;
    enum field_kind kind;
    uint64_t most;
    uint32_t entries;
};

/* The rows of a message, one per field in the order of their numbers; NULL: it has none. */
const struct field_limit *field_limits_of(const ProtobufCMessageDescriptor *descriptor, unsigned *count);

/* Whether all fields of a message, and of those in it, are within their limits. -1 with ERROR_LIMIT, or ERROR_FORMAT
 * for what is no UTF-8 or no digest, naming the field. */
int field_limits_check(const ProtobufCMessage *message, struct error *error);

/*
 * Brings a message whose parts were made with malloc() within its limits: a text that is too long is cut or left out by
 * its kind, in an entry of a list with the entry; a number or time is 0 and its has_... false; a list ends where it is
 * full. Each field that lost something is told once: its path ('machine_guid', 'services.name') and how many.
 */
void field_limits_apply(ProtobufCMessage *message, void (*cut)(void *context, const char *field, uint64_t count),
                        void *context);

#endif
