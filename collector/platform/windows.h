/*
 * Windows' own header, for the *_windows.c files only, to be included first. It calls some of its numbers as struct
 * error calls its codes; those of its numbers that are needed have other names here.
 */

#ifndef EVENKEEL_WINDOWS_H
#define EVENKEEL_WINDOWS_H

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#undef ERROR_BUSY
#undef ERROR_NOT_FOUND

#include "proto/error.h"

#include <stdbool.h>
#include <stddef.h>

/* "Access is denied", of an error number of Windows; without a full stop. Returns `text`. */
const char *windows_error_text(DWORD number, char *text, size_t capacity);

/* -1 with "can't DOING 'NAME': ..." for that number. */
int windows_error(struct error *error, DWORD number, const char *doing, const char *name);

/*
 * `path` as Windows takes it at any length, '\\?\C:\...' or '\\?\UNC\...', to be freed: absolute, with backslashes.
 * NULL with *error.
 */
wchar_t *windows_path(const char *path, struct error *error);

/* Bytes of a NUL-terminated string (collector/wide.h), to be freed; NULL where memory is out. */
char *windows_bytes(const wchar_t *wide);

/* A 32-bit program on 64-bit Windows must ask for the real System32; only as long as it has to, since the system looks
 * for its own DLLs by the same way. */
void *windows_redirection_off(void);
void windows_redirection_on(void *before);

/* Whether this runs as SYSTEM, or as an administrator with his rights. */
bool windows_is_administrator(void);

/* Writes a setting to where settings_load() finds it, for SYSTEM and Administrators only. */
int windows_keep_setting(const char *name, const char *text, struct error *error);

/* Protected: full rights for SYSTEM and Administrators, and for the user who runs this if he is neither; inherited by
 * what is made below. To be freed with LocalFree(); NULL with *error. */
PSECURITY_DESCRIPTOR windows_private(struct error *error);

/* Likewise for a registry key. */
PSECURITY_DESCRIPTOR windows_administrators_key(struct error *error);

#endif
