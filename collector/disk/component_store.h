/*
 * What a host's component store says of its files, from Windows Vista on. Servicing keeps every version of a component
 * in a folder of its own below WinSxS, the registry (SideBySide\Winners) says which of them won, and the files in
 * system32 and elsewhere are hard links to that one's: which is told here by the file systems' own numbers of files,
 * without opening any file of the store. Only of a file that is no such link the store's copy is opened, for its
 * version.
 *
 * A folder is called machine_name_token_version_language_hash, a winner's key the same without its version; of both the
 * hash is of no use here. Languages' files (….resources), drivers (….inf), and .NET's own (msil) are left out, for they
 * keep schedules of their own or lie where no link is.
 */

#ifndef EVENKEEL_DISK_COMPONENT_STORE_H
#define EVENKEEL_DISK_COMPONENT_STORE_H

#include "collector/platform/platform.h"
#include "evenkeel.pb-c.h"
#include "proto/bytes.h"
#include "proto/error.h"

#include <stdbool.h>
#include <stdint.h>

struct component_store; /* opaque: a host's winners, their files, and the files that the inventory holds */

struct component_store *component_store_new(void); /* NULL where there is no memory */
void component_store_free(struct component_store *store);

/* A key below Winners and the version that won there ('10.0.17763.1518'); others than components' are passed over. */
int component_store_winner(struct component_store *store, const char *key, const char *version, struct error *error);

/* Whether the folder is that of a version that won, once all winners are there: 1, then its files may be added; 0; -1.
 */
int component_store_folder(struct component_store *store, const char *name, struct error *error);

/* A file of the folder that was last found to be a winner's. */
int component_store_file(struct component_store *store, const char *name, uint64_t identity, struct error *error);

/* Which component a key or a folder is of bears on nothing: it need not be opened. */
bool component_store_skips(const char *key_or_folder);

/* A PE file of the inventory; paths rise. Of more than COMPONENT_STORE_SEEN the rest is passed over. */
#define COMPONENT_STORE_SEEN 262144u
int component_store_see(struct component_store *store, struct bytes path, const struct platform_stat *stat,
                        uint16_t machine, struct error *error);

/*
 * Compares both, and fills facts->outside_store and facts->store_newest, by facts->windows_directory. `winsxs` is the
 * store's folder, where the sizes and versions of files in it are looked at that a file of the host is no link to;
 * NULL: it was not found. *packed becomes the message ComponentStore, or is empty where nothing could be seen, which is
 * one of facts->not_seen. Nothing of both on a Windows that has no such store.
 */
int component_store_end(struct component_store *store, const char *winsxs, Evenkeel__Facts *facts, struct bytes *packed,
                        struct error *error);

#endif
