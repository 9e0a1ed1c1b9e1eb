/*
 * The whole of the system that the collector sees: directories, files, their identity, the clock. platform_linux.c and
 * platform_windows.c fill it in; nothing else knows the system. Names are UTF-8 with '/' between them on every system
 * (on Linux: the bytes as they are). Links, junctions and other reparse points are never followed below an opened
 * directory.
 */

#ifndef EVENKEEL_PLATFORM_H
#define EVENKEEL_PLATFORM_H

#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A packed file is one whose content Windows keeps in a form of its own (compressed by CompactOS, deduplicated), where
 * what the disk is mounted with can't read it. */
enum platform_kind { PLATFORM_FILE, PLATFORM_DIRECTORY, PLATFORM_LINK, PLATFORM_PACKED, PLATFORM_OTHER };

/* What a cache may compare to tell that a file is still the same. */
struct platform_stat {
    uint64_t size;     /* bytes */
    int64_t modified;  /* microseconds since 1970-01-01 UTC: contents last written */
    int64_t changed;   /* likewise: metadata last changed; equals modified where the system has no such time */
    uint64_t device;   /* volume */
    uint64_t identity; /* inode, or file index */
    uint32_t links;    /* names of the file */
    enum platform_kind kind;
};

struct platform_directory; /* opaque: an open directory */

/* What lies at `path`; links are followed. ERROR_NOT_FOUND where there is nothing. */
int platform_stat(const char *path, struct platform_stat *stat, struct error *error);

/* Opens a directory by path; links on the way to it are followed. Close with platform_directory_close(). */
int platform_directory_open(const char *path, struct platform_directory **directory, struct error *error);

/* Opens the directory `name` inside `parent`, refusing links. */
int platform_directory_open_in(struct platform_directory *parent, const char *name,
                               struct platform_directory **directory, struct error *error);

/*
 * The next entry, in the system's order, without '.' and '..': 1 and *name (valid until the next call) and *kind;
 * 0 at the end; -1 with *error.
 */
int platform_directory_next(struct platform_directory *directory, const char **name, enum platform_kind *kind,
                            struct error *error);

/* platform_stat.identity of the entry that platform_directory_next() gave last, as the directory has it; 0: it has
 * none.
 */
uint64_t platform_directory_identity(const struct platform_directory *directory);

/* What the entry `name` is, without opening it; a link is not followed. */
int platform_directory_stat(struct platform_directory *directory, const char *name, struct platform_stat *stat,
                            struct error *error);

void platform_directory_close(struct platform_directory *directory); /* NULL is allowed */

/* An open file; plain data. */
struct platform_file {
    intptr_t handle; /* file descriptor or HANDLE */
};

#define PLATFORM_FILE_NONE ((struct platform_file){.handle = -1})

/* Opens a regular file for reading, with full sharing. A link is refused; a device or pipe neither blocks nor gets past
 * platform_file_stat(). */
int platform_file_open(const char *path, struct platform_file *file, struct error *error);
int platform_file_open_in(struct platform_directory *directory, const char *name, struct platform_file *file,
                          struct error *error);

/* Reads up to `length` bytes at `offset`; returns how many there were (fewer only at the end of the file), or -1. */
int64_t platform_file_read_at(const struct platform_file *file, void *buffer, size_t length, uint64_t offset,
                              struct error *error);

int platform_file_stat(const struct platform_file *file, struct platform_stat *stat, struct error *error);

void platform_file_close(struct platform_file *file); /* PLATFORM_FILE_NONE is allowed */

/* ---- the collector's own files: key, state, cache, spool ---- */

/* The directory for them where none is named: /var/lib/evenkeel-collector for root, else below the user's own. */
int platform_state_directory(char *path, size_t capacity, struct error *error);

/* Makes a directory that only its owner may enter, and those above it; one that is there already is left as it is. */
int platform_make_directory(const char *path, struct error *error);

/* The file `path` gets these bytes or keeps its old ones, whatever happens in between; only its owner may read it. */
int platform_file_replace(const char *path, const void *data, size_t length, struct error *error);

/* The file `from` takes the name `to`, in place of what had it. */
int platform_rename(const char *from, const char *to, struct error *error);

int platform_remove(const char *path, struct error *error);

/* Opens a file for binary reading ("r"), or makes a private one for writing and reading in place of what has its name
 * ("w"); NULL with *error. */
FILE *platform_stream(const char *path, const char *mode, struct error *error);

/* What was written to the file is on the disk from now on, even if the power fails. */
int platform_stream_keep(FILE *file, struct error *error);

/* 1 where nobody but its owner (and the administrator) may read an open file, 0 where others may, -1 with *error. */
int platform_file_private(const struct platform_file *file, struct error *error);

/* Whether an open file, or a directory, is nobody else's: where root asks, root owns it, and none but root may write
 * it. 1, 0, or -1 with *error. On Windows the rights that a directory hands down see to that. */
int platform_file_own(const struct platform_file *file, struct error *error);
int platform_directory_own(const char *path, struct error *error);

/* Holds the file `path`, made where it is not there, until *lock is closed or the process ends. ERROR_BUSY: another
 * process holds it. */
int platform_lock(const char *path, struct platform_file *lock, struct error *error);

/* A file without a name in `directory`, for writing and reading, which vanishes when it is closed; NULL with *error. */
FILE *platform_temporary(const char *directory, struct error *error);

/* What tells the volume that holds `path` from others and stays with it: serial number or file system id. */
int platform_volume(const char *path, uint64_t *volume, struct error *error);

/* The machine's own name, with a NUL. */
int platform_host_name(char *name, size_t capacity, struct error *error);

/*
 * The addresses of a host as text, in the order in which the system would try them; returns how many, at most `most`,
 * and none where the name can't be resolved.
 */
#define PLATFORM_ADDRESS_BYTES 64
size_t platform_addresses(const char *host, char addresses[][PLATFORM_ADDRESS_BYTES], size_t most);

/* The running system's own drive as a path, if it is a Windows; NULL where only other hosts' disks can be read. */
const char *platform_system_drive(void);

/* The security id of the machine itself, 'S-1-5-21-a-b-c', where the system tells it: 1; 0 where it has none to tell.
 */
int platform_machine_sid(char *sid, size_t capacity);

/* Microseconds since 1970-01-01 UTC. */
int64_t platform_now(void);

/* To be called first: makes *argv UTF-8 and the standard streams binary. */
void platform_start(int *argc, char ***argv);

#endif
