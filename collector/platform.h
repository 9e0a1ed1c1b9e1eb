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

enum platform_kind { PLATFORM_FILE, PLATFORM_DIRECTORY, PLATFORM_LINK, PLATFORM_OTHER };

/* What a cache may compare to tell that a file is still the same. */
struct platform_stat {
    uint64_t size;     /* bytes */
    int64_t modified;  /* microseconds since 1970-01-01 UTC: contents last written */
    int64_t changed;   /* likewise: metadata last changed; equals modified where the system has no such time */
    uint64_t device;   /* volume */
    uint64_t identity; /* inode, or file index */
    enum platform_kind kind;
};

struct platform_directory; /* opaque: an open directory */

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

void platform_directory_close(struct platform_directory *directory); /* NULL is allowed */

/* An open file; plain data. */
struct platform_file {
    intptr_t handle; /* file descriptor or HANDLE */
};

#define PLATFORM_FILE_NONE ((struct platform_file){.handle = -1})

/* Opens a regular file for reading, with full sharing; a link, device or pipe is refused. */
int platform_file_open(const char *path, struct platform_file *file, struct error *error);
int platform_file_open_in(struct platform_directory *directory, const char *name, struct platform_file *file,
                          struct error *error);

/* Reads up to `length` bytes at `offset`; returns how many there were (fewer only at the end of the file), or -1. */
int64_t platform_file_read_at(const struct platform_file *file, void *buffer, size_t length, uint64_t offset,
                              struct error *error);

int platform_file_stat(const struct platform_file *file, struct platform_stat *stat, struct error *error);

void platform_file_close(struct platform_file *file); /* PLATFORM_FILE_NONE is allowed */

/* Microseconds since 1970-01-01 UTC. */
int64_t platform_now(void);

#endif
