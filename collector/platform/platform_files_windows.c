/* The collector's own files on Windows: below ProgramData, for SYSTEM and Administrators only. */

#include "windows.h"

#include "platform.h"
#include "proto/cleanup.h"

#include <accctrl.h>
#include <aclapi.h>
#include <fcntl.h>
#include <io.h>
#include <shlobj.h>
#include <string.h>
#include <wchar.h>

#define TEMPORARY_ATTEMPTS 100

int platform_state_directory(char *path, size_t capacity, struct error *error)
{
    wchar_t wide[MAX_PATH];
    int folder = windows_is_administrator() ? CSIDL_COMMON_APPDATA : CSIDL_LOCAL_APPDATA;
    _cleanup_free_ char *found = NULL;
    if (SHGetFolderPathW(NULL, folder, NULL, SHGFP_TYPE_CURRENT, wide) != S_OK || (found = windows_bytes(wide)) == NULL)
        return error_set(error, ERROR_USAGE, "there is no folder to keep state in; name one with --state DIR");
    for (char *at = found; *at != 0; at++)
        if (*at == '\\')
            *at = '/';
    int length = snprintf(path, capacity, "%s/Evenkeel/Collector", found);
    if (length < 0 || (size_t)length >= capacity)
        return error_set(error, ERROR_LIMIT, "the state directory's path is too long; name one with --state DIR");
    return 0;
}

/* Whoever made the folder first, in ProgramData any user may have: it is ours from now on, with what is in it. */
static DWORD take_over(wchar_t *path, PSECURITY_DESCRIPTOR descriptor)
{
    PACL list;
    PSID owner = NULL;
    BOOL present, defaulted;
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    if (!windows_is_administrator())
        return ERROR_SUCCESS;
    if (!GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted) ||
        !AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                                  &owner))
        return GetLastError();
    DWORD status = SetNamedSecurityInfoW(path, SE_FILE_OBJECT,
                                         OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
                                             PROTECTED_DACL_SECURITY_INFORMATION,
                                         owner, NULL, list, NULL);
    FreeSid(owner);
    /* That went down to all that is below. Wine's adds what the folder above grants: so once more, just as it is. */
    if (status == ERROR_SUCCESS &&
        !SetFileSecurityW(path, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, descriptor))
        status = GetLastError();
    return status;
}

/* Directories above that are missing; '\\?\C:\' and the like are there. */
static DWORD make_above(wchar_t *wide)
{
    for (wchar_t *at = wide + 4; (at = wcschr(at, L'\\')) != NULL; at++) {
        if (at[-1] == L':')
            continue;
        *at = 0;
        DWORD failed = CreateDirectoryW(wide, NULL) ? ERROR_SUCCESS : GetLastError();
        bool there = failed == ERROR_SUCCESS || GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
        *at = L'\\';
        if (!there && failed != ERROR_INVALID_NAME && failed != ERROR_BAD_PATHNAME && failed != ERROR_ACCESS_DENIED)
            return failed;
    }
    return ERROR_SUCCESS;
}

int platform_make_directory(const char *path, struct error *error)
{
    _cleanup_free_ wchar_t *wide = windows_path(path, error);
    if (wide == NULL)
        return -1;
    size_t length = wcslen(wide);
    if (length > 0 && wide[length - 1] == L'\\' && wide[length - 2] != L':')
        wide[length - 1] = 0;
    PSECURITY_DESCRIPTOR descriptor = windows_private(error);
    if (descriptor == NULL)
        return -1;
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security, .lpSecurityDescriptor = descriptor};
    DWORD failed = make_above(wide);
    if (failed == ERROR_SUCCESS && !CreateDirectoryW(wide, &security))
        failed = GetLastError();
    if (failed == ERROR_ALREADY_EXISTS) {
        DWORD attributes = GetFileAttributesW(wide);
        failed = attributes == INVALID_FILE_ATTRIBUTES          ? GetLastError()
                 : (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ? ERROR_DIRECTORY
                 : (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && wcsstr(wide, L"\\Evenkeel\\")
                     ? ERROR_CANT_ACCESS_FILE
                     : ERROR_SUCCESS;
        if (failed == ERROR_SUCCESS && wcsstr(wide, L"\\Evenkeel\\") != NULL)
            failed = take_over(wide, descriptor);
    }
    LocalFree(descriptor);
    return failed == ERROR_SUCCESS ? 0 : windows_error(error, failed, "make the directory", path);
}

static HANDLE create_private(const wchar_t *wide, DWORD access, DWORD share, DWORD disposition, DWORD flags)
{
    struct error ignored;
    PSECURITY_DESCRIPTOR descriptor = windows_private(&ignored);
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security, .lpSecurityDescriptor = descriptor};
    if (descriptor == NULL)
        return INVALID_HANDLE_VALUE;
    HANDLE handle = CreateFileW(wide, access, share, &security, disposition, flags, NULL);
    DWORD failed = GetLastError();
    LocalFree(descriptor);
    SetLastError(failed);
    return handle;
}

static DWORD write_all(HANDLE handle, const char *data, size_t length)
{
    while (length > 0) {
        DWORD part = length < (1u << 30) ? (DWORD)length : 1u << 30, written;
        if (!WriteFile(handle, data, part, &written, NULL))
            return GetLastError();
        data += written;
        length -= written;
    }
    return FlushFileBuffers(handle) ? ERROR_SUCCESS : GetLastError();
}

int platform_file_replace(const char *path, const void *data, size_t length, struct error *error)
{
    _cleanup_free_ char *next_path = malloc(strlen(path) + 32);
    if (next_path == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    sprintf(next_path, "%s.%lu.new", path, (unsigned long)GetCurrentProcessId());
    _cleanup_free_ wchar_t *wide = windows_path(path, error);
    _cleanup_free_ wchar_t *next = wide != NULL ? windows_path(next_path, error) : NULL;
    if (next == NULL)
        return -1;
    HANDLE handle = create_private(next, GENERIC_WRITE, 0, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL);
    if (handle == INVALID_HANDLE_VALUE)
        return windows_error(error, GetLastError(), "write beside", path);
    DWORD failed = write_all(handle, data, length);
    CloseHandle(handle);
    if (failed == ERROR_SUCCESS && !MoveFileExW(next, wide, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
        failed = GetLastError();
    if (failed == ERROR_SUCCESS)
        return 0;
    DeleteFileW(next);
    return windows_error(error, failed, "write", path);
}

int platform_rename(const char *from, const char *to, struct error *error)
{
    _cleanup_free_ wchar_t *wide_from = windows_path(from, error);
    _cleanup_free_ wchar_t *wide_to = wide_from != NULL ? windows_path(to, error) : NULL;
    if (wide_to == NULL)
        return -1;
    return MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)
               ? 0
               : windows_error(error, GetLastError(), "write", to);
}

int platform_remove(const char *path, struct error *error)
{
    _cleanup_free_ wchar_t *wide = windows_path(path, error);
    if (wide == NULL)
        return -1;
    return DeleteFileW(wide) ? 0 : windows_error(error, GetLastError(), "remove", path);
}

/* ---- streams ---- */

static FILE *stream_of(HANDLE handle, const char *mode)
{
    int fd = _open_osfhandle((intptr_t)handle, _O_BINARY | (mode[0] == 'r' ? _O_RDONLY : _O_RDWR));
    FILE *file = fd >= 0 ? _fdopen(fd, mode) : NULL;
    if (file == NULL && fd >= 0)
        _close(fd);
    else if (file == NULL)
        CloseHandle(handle);
    return file;
}

FILE *platform_stream(const char *path, const char *mode, struct error *error)
{
    _cleanup_free_ wchar_t *wide = windows_path(path, error);
    if (wide == NULL)
        return NULL;
    HANDLE handle =
        mode[0] == 'r'
            ? CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                          OPEN_EXISTING, 0, NULL)
            : create_private(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, CREATE_ALWAYS, 0);
    if (handle == INVALID_HANDLE_VALUE) {
        windows_error(error, GetLastError(), mode[0] == 'r' ? "open" : "write", path);
        return NULL;
    }
    FILE *file = stream_of(handle, mode[0] == 'r' ? "rb" : "w+b");
    if (file == NULL)
        error_set(error, ERROR_IO, "can't open '%s': too many files are open", path);
    return file;
}

int platform_stream_keep(FILE *file, struct error *error)
{
    if (fflush(file) == 0 && FlushFileBuffers((HANDLE)_get_osfhandle(_fileno(file))))
        return 0;
    return error_set(error, ERROR_IO, "can't write to the disk: is it full?");
}

FILE *platform_temporary(const char *directory, struct error *error)
{
    _cleanup_free_ char *path = malloc(strlen(directory) + 48);
    if (path == NULL) {
        error_set(error, ERROR_MEMORY, "no memory for a path");
        return NULL;
    }
    for (unsigned attempt = 0; attempt < TEMPORARY_ATTEMPTS; attempt++) {
        sprintf(path, "%s/temporary.%lu.%u", directory, (unsigned long)GetCurrentProcessId(), attempt);
        _cleanup_free_ wchar_t *wide = windows_path(path, error);
        if (wide == NULL)
            return NULL;
        HANDLE handle = create_private(wide, GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_DELETE, CREATE_NEW,
                                       FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE);
        if (handle != INVALID_HANDLE_VALUE) {
            FILE *file = stream_of(handle, "w+b");
            if (file != NULL)
                return file;
            break;
        }
        if (GetLastError() != ERROR_FILE_EXISTS)
            break;
    }
    windows_error(error, GetLastError(), "make a file in", directory);
    return NULL;
}

/* ---- who may read ---- */

/* The file's own owner, the system and its administrators: they can take what they want anyway. */
static bool is_trusted(PSID sid, PSID owner)
{
    return EqualSid(sid, owner) || IsWellKnownSid(sid, WinLocalSystemSid) ||
           IsWellKnownSid(sid, WinBuiltinAdministratorsSid) || IsWellKnownSid(sid, WinCreatorOwnerSid);
}

int platform_file_own(const struct platform_file *file, struct error *error)
{
    (void)file;
    (void)error;
    return 1;
}

int platform_directory_own(const char *path, struct error *error)
{
    (void)path;
    (void)error;
    return 1;
}

int platform_lock(const char *path, struct platform_file *lock, struct error *error)
{
    _cleanup_free_ wchar_t *wide = windows_path(path, error);
    if (wide == NULL)
        return -1;
    HANDLE handle = create_private(wide, GENERIC_READ | GENERIC_WRITE, 0, OPEN_ALWAYS, 0);
    DWORD failed = GetLastError();
    if (handle == INVALID_HANDLE_VALUE)
        return failed == ERROR_SHARING_VIOLATION ? error_set(error, ERROR_BUSY, "another process holds '%s'", path)
                                                 : windows_error(error, failed, "open", path);
    lock->handle = (intptr_t)handle;
    return 0;
}

int platform_file_private(const struct platform_file *file, struct error *error)
{
    PACL list;
    PSID owner;
    PSECURITY_DESCRIPTOR descriptor;
    DWORD failed =
        GetSecurityInfo((HANDLE)file->handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        &owner, NULL, &list, NULL, &descriptor);
    if (failed != ERROR_SUCCESS)
        return windows_error(error, failed, "tell who may read", "the key file");
    bool is_private = list != NULL;
    for (WORD i = 0; is_private && i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        if (!GetAce(list, i, (void **)&entry) || entry->Header.AceType == ACCESS_DENIED_ACE_TYPE ||
            (entry->Header.AceFlags & INHERIT_ONLY_ACE) != 0)
            continue;
        is_private =
            entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            ((entry->Mask & (FILE_READ_DATA | GENERIC_READ | GENERIC_ALL)) == 0 || is_trusted(&entry->SidStart, owner));
    }
    LocalFree(descriptor);
    return is_private;
}
