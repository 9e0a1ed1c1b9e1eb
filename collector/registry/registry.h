/*
 * A host's registry below HKEY_LOCAL_MACHINE, read-only, whatever holds it: the hives of an offline disk, a .reg
 * export, the running system. All sources give the same answers for the same registry: names are UTF-8, the data of
 * strings is UTF-16LE as Windows stores it, and 'SYSTEM\CurrentControlSet' is the set that SYSTEM\Select\Current names.
 *
 * Functions that look something up return 1 where it is there, 0 where it is known not to be, and -1 with *error where
 * that can't be told (access denied, a damaged hive, no memory).
 */

#ifndef EVENKEEL_REGISTRY_H
#define EVENKEEL_REGISTRY_H

#include "collector/base/string_list.h"
#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRY_VALUE_LIMIT (1U << 20)   /* bytes of one value's data; a longer one is an error (ERROR_LIMIT) */
#define REGISTRY_TEXT_LIMIT (512U << 20)  /* bytes of a .reg file: a whole server's export is some 300 MB */
#define REGISTRY_HIVE_LIMIT (1024U << 20) /* bytes of a hive file */
#define REGISTRY_DEPTH_LIMIT 512          /* keys within keys, as in Windows */

enum registry_type {
    REGISTRY_NONE = 0,
    REGISTRY_SZ = 1,
    REGISTRY_EXPAND_SZ = 2,
    REGISTRY_BINARY = 3,
    REGISTRY_DWORD = 4,
    REGISTRY_MULTI_SZ = 7,
    REGISTRY_QWORD = 11,
};

struct registry;     /* opaque: an open registry */
struct registry_key; /* opaque: an open key; must be closed before its registry */

/*
 * The three sources. Close with registry_close().
 *
 * A .reg export, 'REGEDIT4' or 'Windows Registry Editor Version 5.00', UTF-16LE with its mark or 8-bit: UTF-8 if all of
 * it is well-formed UTF-8, otherwise in `code_page`; 0: in what its own Nls\CodePage names as ACP, or else
 * Windows-1252, which registry_misspelt() tells. Keys outside of HKEY_LOCAL_MACHINE are passed over, and so is
 * SOFTWARE\Classes, which is most of a full export and holds no fact about the host. A file without any other key is an
 * error (ERROR_FORMAT), as is a line that can't be understood: half an export must not pass for a whole one.
 */
int registry_open_text(const char *file, unsigned code_page, struct registry **registry, struct error *error);
int registry_parse_text(struct bytes text, const char *name, unsigned code_page, struct registry **registry,
                        struct error *error);

/*
 * How many lines and values of an 8-bit export may not say what they should, for its code page was assumed, or they are
 * no text of it; *code_page takes which. 0: all is well.
 */
uint64_t registry_misspelt(const struct registry *registry, unsigned *code_page);

/*
 * The registry of the host whose system drive lies at `root`; NULL: of the running system. 0 where there is none: no
 * SYSTEM and SOFTWARE below root, or neither can be read, or a running system without a registry; *lost then has a bit
 * (1 << number, see registry_hive_name()) for each hive that is there and can't be read. *problems (which may be NULL)
 * takes a sentence for each hive that is there and can't be read; SAM is not needed, and of SYSTEM and SOFTWARE one is
 * enough (registry_hive() tells which is lost). A hive that was copied before it was finished being written is brought
 * up to date, in memory, by its logs beside it.
 */
int registry_open_host(const char *root, struct registry **registry, unsigned *lost, struct string_list *problems,
                       struct error *error);

void registry_close(struct registry *registry); /* NULL is allowed */

/* What keeps a hive from saying all that it should: bits. */
enum registry_defect {
    REGISTRY_STALE = 1 << 0,   /* it is older than its host: changes were under way, and not all are in its logs */
    REGISTRY_DAMAGED = 1 << 1, /* it can't be read, or parts of it can't */
};

/*
 * Hive number `index` below HKEY_LOCAL_MACHINE: its name, and in *defects what was found wrong with it so far; NULL
 * past the last. Reading may find more, so ask when all was read.
 */
const char *registry_hive(const struct registry *registry, size_t index, unsigned *defects);

/* The name of hive number `index`: SYSTEM, SOFTWARE, SAM; NULL past the last. */
const char *registry_hive_name(size_t index);

/*
 * Opens the key at `path` below HKEY_LOCAL_MACHINE ('SOFTWARE\Microsoft\InetStp'; letters match whatever their case),
 * or below another key. Close with registry_key_close().
 */
int registry_key_open(struct registry *registry, const char *path, struct registry_key **key, struct error *error);
int registry_key_open_in(struct registry_key *parent, const char *path, struct registry_key **key, struct error *error);

/* Opens the key's child number `index`, in the source's order; 0 past the last. After -1 the next index may be tried.
 */
int registry_key_child(struct registry_key *key, size_t index, struct registry_key **child, struct error *error);

const char *registry_key_name(const struct registry_key *key); /* the last part of its path, as its source writes it */
int64_t registry_key_written(const struct registry_key *key);  /* microseconds since 1970-01-01 UTC; 0: not known */
void registry_key_close(struct registry_key *key);             /* NULL is allowed */

/* A value; plain data. Clear with registry_value_clear(), which may be used by _cleanup_. */
struct registry_value {
    char *name;    /* UTF-8; "" is the key's default value, '@' in exports */
    uint32_t type; /* enum registry_type, or another of Windows' numbers */
    uint8_t *data; /* strings: UTF-16LE, not necessarily ended by a NUL */
    size_t length; /* bytes */
};

int registry_value_read(struct registry_key *key, const char *name, struct registry_value *value, struct error *error);
int registry_value_at(struct registry_key *key, size_t index, struct registry_value *value, struct error *error);
void registry_value_clear(struct registry_value *value);

/*
 * What a value says. A string (SZ, EXPAND_SZ; of MULTI_SZ the first) as UTF-8 up to its NUL, to be freed; what is no
 * UTF-16 becomes U+FFFD; NULL where the value is of another type or memory is out.
 */
char *registry_value_string(const struct registry_value *value);

/* All strings of a MULTI_SZ (or the one of SZ, EXPAND_SZ) in their order, empty ones too; the list's end mark is left
 * out. */
int registry_value_strings(const struct registry_value *value, struct string_list *strings, struct error *error);

/* A DWORD; false, and *number 0, where the value is of another type or cut. */
bool registry_value_number(const struct registry_value *value, uint32_t *number);

#endif
