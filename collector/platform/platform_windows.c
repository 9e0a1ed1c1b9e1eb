/* The platform on Windows: directories and files by handles, each opened relative to the one above it, so that no name
 * is ever resolved through a junction or another link. */

#include "windows.h"

#include "collector/base/path.h"
#include "platform.h"
#include "proto/cleanup.h"
#include "wide.h"

#include <fcntl.h>
#include <io.h>
#include <sddl.h>
#include <shellapi.h>
#include <string.h>
#include <wchar.h>
#include <winternl.h>

#include <ntsecapi.h>

#define LISTING_BYTES (64u << 10) /* of names fetched at once */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define TAG_IS_LINK 0x20000000u          /* 'name surrogate' in the reparse tag: stands for another name */
#define TAG_APPLICATION_LINK 0x8000001bu /* holds no data, stands for a program */
#define NAME_UNITS 32767u

struct platform_directory {
    HANDLE handle;
    BYTE *listing; /* FILE_ID_BOTH_DIR_INFO one after the other; NULL before the first and after the last entry */
    const FILE_ID_BOTH_DIR_INFO *next; /* NULL: fetch more */
    uint64_t identity;                 /* of the entry before `next` */
    char name[WIDE_BYTES(MAX_PATH)];
};

static int64_t microseconds(int64_t filetime)
{
    return filetime / 10 - INT64_C(11644473600000000); /* from 1601 to 1970 */
}

/* A reparse point that is not a link holds a file of its own: deduplicated, compressed, kept elsewhere. Tag 0: not
 * known, as of file systems that have only links. */
static bool is_link(DWORD attributes, DWORD tag)
{
    return (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
           (tag == 0 || (tag & TAG_IS_LINK) != 0 || tag == TAG_APPLICATION_LINK);
}

static enum platform_kind kind_of(DWORD attributes, DWORD tag)
{
    return is_link(attributes, tag)                    ? PLATFORM_LINK
           : (attributes & FILE_ATTRIBUTE_DIRECTORY)   ? PLATFORM_DIRECTORY
           : (attributes & FILE_ATTRIBUTE_DEVICE) != 0 ? PLATFORM_OTHER
                                                       : PLATFORM_FILE;
}

static DWORD tag_of(HANDLE handle)
{
    FILE_ATTRIBUTE_TAG_INFO tag;
    return GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof tag) ? tag.ReparseTag : 0;
}

static int stat_handle(HANDLE handle, struct platform_stat *stat)
{
    BY_HANDLE_FILE_INFORMATION found;
    FILE_BASIC_INFO times;
    if (!GetFileInformationByHandle(handle, &found))
        return -1;
    bool reparse = found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT;
    int64_t modified = (int64_t)found.ftLastWriteTime.dwHighDateTime << 32 | found.ftLastWriteTime.dwLowDateTime;
    *stat = (struct platform_stat){
        .size = (uint64_t)found.nFileSizeHigh << 32 | found.nFileSizeLow,
        .modified = microseconds(modified),
        .changed = microseconds(modified),
        .device = found.dwVolumeSerialNumber,
        .identity = (uint64_t)found.nFileIndexHigh << 32 | found.nFileIndexLow,
        .links = found.nNumberOfLinks,
        .kind = kind_of(found.dwFileAttributes, reparse ? tag_of(handle) : 0),
    };
    if (GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof times) && times.ChangeTime.QuadPart > 0)
        stat->changed = microseconds(times.ChangeTime.QuadPart);
    return 0;
}

/* ---- opening ---- */

/* By path, links followed; INVALID_HANDLE_VALUE with *error. */
static HANDLE open_path(const char *path, DWORD access, DWORD flags, const char *doing, struct error *error)
{
    _cleanup_free_ wchar_t *wide = windows_path(path, error);
    if (wide == NULL)
        return INVALID_HANDLE_VALUE;
    void *before = windows_redirection_off();
    HANDLE handle = CreateFileW(wide, access, SHARE_ALL, NULL, OPEN_EXISTING, flags | FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD failed = GetLastError();
    windows_redirection_on(before);
    if (handle == INVALID_HANDLE_VALUE)
        windows_error(error, failed, doing, path);
    return handle;
}

static NTSTATUS open_relative(HANDLE parent, UNICODE_STRING *name, ACCESS_MASK access, ULONG options, HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    InitializeObjectAttributes(&attributes, name, OBJ_CASE_INSENSITIVE, parent, NULL);
    void *before = windows_redirection_off();
    NTSTATUS status =
        NtCreateFile(handle, access | FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attributes, &io, NULL, 0, SHARE_ALL,
                     FILE_OPEN, options | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0);
    windows_redirection_on(before);
    return status;
}

/* The entry `name` of a directory, never what a link there stands for; INVALID_HANDLE_VALUE with *error. */
static HANDLE open_entry(HANDLE parent, const char *name, ACCESS_MASK access, ULONG options, bool links,
                         const char *doing, struct error *error)
{
    _cleanup_free_ wchar_t *wide = malloc((strlen(name) + 1) * sizeof *wide);
    size_t length;
    if (wide == NULL || !wide_from_bytes(name, (uint16_t *)wide, &length) || length > NAME_UNITS - 1) {
        error_set(error, ERROR_IO, "can't %s '%.200s': that is no name on Windows", doing, name);
        return INVALID_HANDLE_VALUE;
    }
    UNICODE_STRING string = {(USHORT)(2 * length), (USHORT)(2 * length), wide};
    HANDLE handle;
    NTSTATUS status = open_relative(parent, &string, access, options | FILE_OPEN_REPARSE_POINT, &handle);
    FILE_BASIC_INFO basic;
    if (status >= 0 && !links && GetFileInformationByHandleEx(handle, FileBasicInfo, &basic, sizeof basic) &&
        (basic.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        bool link = is_link(basic.FileAttributes, tag_of(handle));
        CloseHandle(handle);
        if (link) {
            error_set(error, ERROR_IO, "can't %s '%s': it is a link", doing, name);
            return INVALID_HANDLE_VALUE;
        }
        status = open_relative(parent, &string, access, options, &handle);
    }
    if (status >= 0)
        return handle;
    windows_error(error, RtlNtStatusToDosError(status), doing, name);
    return INVALID_HANDLE_VALUE;
}

int platform_stat(const char *path, struct platform_stat *stat, struct error *error)
{
    HANDLE handle = open_path(path, FILE_READ_ATTRIBUTES, 0, "look at", error);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    int status = stat_handle(handle, stat);
    if (status < 0)
        windows_error(error, GetLastError(), "look at", path);
    CloseHandle(handle);
    return status;
}

/* ---- directories ---- */

static int directory_of(HANDLE handle, const char *name, struct platform_directory **directory, struct error *error)
{
    struct platform_stat stat;
    *directory = NULL;
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    bool is_directory = stat_handle(handle, &stat) == 0 && stat.kind == PLATFORM_DIRECTORY;
    if (is_directory && (*directory = calloc(1, sizeof **directory)) != NULL) {
        (*directory)->handle = handle;
        return 0;
    }
    CloseHandle(handle);
    return is_directory ? error_set(error, ERROR_MEMORY, "no memory for a directory")
                        : error_set(error, ERROR_IO, "can't open the directory '%s': it is none", name);
}

int platform_directory_open(const char *path, struct platform_directory **directory, struct error *error)
{
    return directory_of(open_path(path, FILE_LIST_DIRECTORY, 0, "open the directory", error), path, directory, error);
}

int platform_directory_open_in(struct platform_directory *parent, const char *name,
                               struct platform_directory **directory, struct error *error)
{
    return directory_of(open_entry(parent->handle, name, FILE_LIST_DIRECTORY | FILE_TRAVERSE, FILE_DIRECTORY_FILE,
                                   false, "open the directory", error),
                        name, directory, error);
}

/* Fetches the next names: 1, 0 at the end, or -1. */
static int listing_fetch(struct platform_directory *directory, struct error *error)
{
    bool first = directory->listing == NULL;
    if (first && (directory->listing = malloc(LISTING_BYTES)) == NULL)
        return error_set(error, ERROR_MEMORY, "no memory to list a directory");
    if (GetFileInformationByHandleEx(directory->handle,
                                     first ? FileIdBothDirectoryRestartInfo : FileIdBothDirectoryInfo,
                                     directory->listing, LISTING_BYTES)) {
        directory->next = (const FILE_ID_BOTH_DIR_INFO *)(void *)directory->listing;
        return 1;
    }
    DWORD failed = GetLastError();
    if (failed == ERROR_NO_MORE_FILES || failed == ERROR_FILE_NOT_FOUND)
        return 0;
    char text[160];
    return error_set(error, ERROR_IO, "can't list a directory: %s", windows_error_text(failed, text, sizeof text));
}

int platform_directory_next(struct platform_directory *directory, const char **name, enum platform_kind *kind,
                            struct error *error)
{
    for (;;) {
        if (directory->next == NULL) {
            int fetched = listing_fetch(directory, error);
            if (fetched <= 0)
                return fetched;
        }
        const FILE_ID_BOTH_DIR_INFO *entry = directory->next;
        directory->next =
            entry->NextEntryOffset == 0 ? NULL : (const void *)((const BYTE *)entry + entry->NextEntryOffset);
        size_t length = entry->FileNameLength / sizeof *entry->FileName;
        if (length >= MAX_PATH)
            return error_set(error, ERROR_LIMIT, "a directory has a name of %zu letters: check the disk", length);
        wide_to_bytes((const uint16_t *)entry->FileName, length, directory->name);
        if (strcmp(directory->name, ".") == 0 || strcmp(directory->name, "..") == 0)
            continue;
        *name = directory->name;
        *kind = kind_of(entry->FileAttributes, entry->EaSize); /* of a reparse point, its tag */
        directory->identity = (uint64_t)entry->FileId.QuadPart;
        return 1;
    }
}

uint64_t platform_directory_identity(const struct platform_directory *directory)
{
    return directory->identity;
}

int platform_directory_stat(struct platform_directory *directory, const char *name, struct platform_stat *stat,
                            struct error *error)
{
    HANDLE handle = open_entry(directory->handle, name, 0, 0, true, "look at", error);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    int status = stat_handle(handle, stat);
    if (status < 0)
        windows_error(error, GetLastError(), "look at", name);
    CloseHandle(handle);
    return status;
}

void platform_directory_close(struct platform_directory *directory)
{
    if (directory == NULL)
        return;
    CloseHandle(directory->handle);
    free(directory->listing);
    free(directory);
}

/* ---- files ---- */

int platform_file_open(const char *path, struct platform_file *file, struct error *error)
{
    *file = PLATFORM_FILE_NONE;
    HANDLE handle = open_path(path, GENERIC_READ, FILE_FLAG_OPEN_REPARSE_POINT, "open", error);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    struct platform_stat stat;
    if (stat_handle(handle, &stat) == 0 && stat.kind == PLATFORM_LINK) {
        CloseHandle(handle);
        return error_set(error, ERROR_IO, "can't open '%s': it is a link", path);
    }
    file->handle = (intptr_t)handle;
    return 0;
}

int platform_file_open_in(struct platform_directory *directory, const char *name, struct platform_file *file,
                          struct error *error)
{
    *file = PLATFORM_FILE_NONE;
    HANDLE handle = open_entry(directory->handle, name, FILE_READ_DATA, FILE_NON_DIRECTORY_FILE, false, "open", error);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    file->handle = (intptr_t)handle;
    return 0;
}

int64_t platform_file_read_at(const struct platform_file *file, void *buffer, size_t length, uint64_t offset,
                              struct error *error)
{
    size_t done = 0;
    while (done < length && offset <= (uint64_t)INT64_MAX - done) {
        OVERLAPPED at = {.Offset = (DWORD)(offset + done), .OffsetHigh = (DWORD)((offset + done) >> 32)};
        size_t part = length - done < (1u << 30) ? length - done : 1u << 30;
        DWORD got;
        if (!ReadFile((HANDLE)file->handle, (char *)buffer + done, (DWORD)part, &got, &at)) {
            char text[160];
            DWORD failed = GetLastError();
            if (failed == ERROR_HANDLE_EOF)
                break;
            return error_set(error, ERROR_IO, "can't read: %s", windows_error_text(failed, text, sizeof text));
        }
        if (got == 0)
            break;
        done += got;
    }
    return (int64_t)done;
}

int platform_file_stat(const struct platform_file *file, struct platform_stat *stat, struct error *error)
{
    if (GetFileType((HANDLE)file->handle) != FILE_TYPE_DISK)
        return error_set(error, ERROR_IO, "it is not a regular file");
    if (stat_handle((HANDLE)file->handle, stat) < 0) {
        char text[160];
        return error_set(error, ERROR_IO, "can't look at an open file: %s",
                         windows_error_text(GetLastError(), text, sizeof text));
    }
    if (stat->kind != PLATFORM_FILE)
        return error_set(error, ERROR_IO, "it is not a regular file");
    return 0;
}

void platform_file_close(struct platform_file *file)
{
    if (file->handle != PLATFORM_FILE_NONE.handle)
        CloseHandle((HANDLE)file->handle);
    *file = PLATFORM_FILE_NONE;
}

/* ---- the system ---- */

int platform_volume(const char *path, uint64_t *volume, struct error *error)
{
    HANDLE handle = open_path(path, FILE_READ_ATTRIBUTES, 0, "look at the volume of", error);
    struct platform_stat stat;
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    int status = stat_handle(handle, &stat);
    if (status < 0)
        windows_error(error, GetLastError(), "look at the volume of", path);
    else
        *volume = stat.device;
    CloseHandle(handle);
    return status;
}

int platform_host_name(char *name, size_t capacity, struct error *error)
{
    wchar_t wide[256];
    DWORD length = sizeof wide / sizeof *wide;
    char bytes[WIDE_BYTES(sizeof wide / sizeof *wide)];
    if (!GetComputerNameExW(ComputerNamePhysicalDnsHostname, wide, &length))
        return windows_error(error, GetLastError(), "tell", "this machine's name");
    wide_to_bytes((const uint16_t *)wide, length, bytes);
    snprintf(name, capacity, "%s", bytes);
    return 0;
}

const char *platform_system_drive(void)
{
    static char drive[] = "c:/";
    wchar_t windows[MAX_PATH];
    if (GetSystemWindowsDirectoryW(windows, MAX_PATH) > 0 && windows[1] == L':')
        drive[0] = (char)(windows[0] | 0x20);
    return drive;
}

int64_t platform_now(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    return microseconds((int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime);
}

int platform_machine_sid(char *sid, size_t capacity)
{
    LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes};
    LSA_HANDLE policy;
    POLICY_ACCOUNT_DOMAIN_INFO *domain = NULL;
    char *text = NULL;
    if (LsaOpenPolicy(NULL, &attributes, POLICY_VIEW_LOCAL_INFORMATION, &policy) < 0)
        return 0;
    if (LsaQueryInformationPolicy(policy, PolicyAccountDomainInformation, (void **)&domain) >= 0) {
        if (domain->DomainSid != NULL && ConvertSidToStringSidA(domain->DomainSid, &text))
            snprintf(sid, capacity, "%s", text);
        LocalFree(text);
        LsaFreeMemory(domain);
    }
    LsaClose(policy);
    return text != NULL;
}

/* With this privilege, which SYSTEM and administrators may use, files open that grant nobody anything. */
static void use_backup_privilege(void)
{
    HANDLE token;
    TOKEN_PRIVILEGES wanted = {.PrivilegeCount = 1, .Privileges = {{.Attributes = SE_PRIVILEGE_ENABLED}}};
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
        return;
    if (LookupPrivilegeValueW(NULL, L"SeBackupPrivilege", &wanted.Privileges[0].Luid))
        AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
    CloseHandle(token);
}

static UINT console_code_page;

static void restore_console(void)
{
    SetConsoleOutputCP(console_code_page);
}

void platform_start(int *argc, char ***argv)
{
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    console_code_page = GetConsoleOutputCP();
    if (console_code_page != 0 && console_code_page != CP_UTF8 && SetConsoleOutputCP(CP_UTF8))
        atexit(restore_console);
    use_backup_privilege();

    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **bytes = wide != NULL ? calloc((size_t)count + 1, sizeof *bytes) : NULL; /* lives as long as the program */
    for (int i = 0; bytes != NULL && i < count; i++)
        if ((bytes[i] = windows_bytes(wide[i])) == NULL)
            bytes = NULL;
    LocalFree(wide);
    if (bytes == NULL)
        return;
    *argc = count;
    *argv = bytes;
}
