/* What the *_windows.c files share: errors, paths, access rights. */

#include "windows.h"

#include "collector/base/path.h"
#include "proto/cleanup.h"
#include "wide.h"

#include <sddl.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

const char *windows_error_text(DWORD number, char *text, size_t capacity)
{
    wchar_t wide[256];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, number, 0, wide,
                                  sizeof wide / sizeof *wide, NULL);
    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.'))
        length--;
    char bytes[WIDE_BYTES(sizeof wide / sizeof *wide)];
    wide_to_bytes((const uint16_t *)wide, length, bytes);
    snprintf(text, capacity, "%.*s (%lu)", (int)capacity - 16, length > 0 ? bytes : "error", (unsigned long)number);
    return text;
}

int windows_error(struct error *error, DWORD number, const char *doing, const char *name)
{
    char text[160];
    bool absent = number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND || number == ERROR_INVALID_DRIVE;
    bool memory = number == ERROR_NOT_ENOUGH_MEMORY || number == ERROR_OUTOFMEMORY;
    return error_set(error,
                     absent   ? ERROR_NOT_FOUND
                     : memory ? ERROR_MEMORY
                              : ERROR_IO,
                     "can't %s '%s': %s", doing, name, windows_error_text(number, text, sizeof text));
}

char *windows_bytes(const wchar_t *wide)
{
    size_t length = wcslen(wide);
    char *bytes = malloc(WIDE_BYTES(length));
    if (bytes != NULL)
        wide_to_bytes((const uint16_t *)wide, length, bytes);
    return bytes;
}

wchar_t *windows_path(const char *path, struct error *error)
{
    size_t length = strlen(path);
    _cleanup_free_ wchar_t *wide = length <= PATH_LENGTH_LIMIT ? malloc((length + 1) * sizeof *wide) : NULL;
    if (length == 0 || wide == NULL || !wide_from_bytes(path, (uint16_t *)wide, NULL)) {
        error_set(error, ERROR_USAGE, "'%.200s' is no path that Windows knows: too long, empty, or not in UTF-8", path);
        return NULL;
    }
    for (wchar_t *at = wide; *at != 0; at++)
        if (*at == L'/')
            *at = L'\\';
    if (wcsncmp(wide, L"\\\\?\\", 4) == 0 || wcsncmp(wide, L"\\\\.\\", 4) == 0) {
        wchar_t *as_is = wide;
        wide = NULL;
        return as_is;
    }
    DWORD size = GetFullPathNameW(wide, 0, NULL, NULL);
    wchar_t *full = size > 0 ? malloc((size + 8) * sizeof *full) : NULL;
    if (full == NULL || GetFullPathNameW(wide, size, full + 8, NULL) - 1 >= size) {
        free(full);
        windows_error(error, GetLastError(), "make out the path", path);
        return NULL;
    }
    bool share = full[8] == L'\\' && full[9] == L'\\';
    const wchar_t *prefix = share ? L"\\\\?\\UNC" : L"\\\\?\\"; /* before '\server\...', before 'C:\...' */
    const wchar_t *rest = full + 8 + (share ? 1 : 0);
    size_t prefix_length = wcslen(prefix);
    memmove(full + prefix_length, rest, (wcslen(rest) + 1) * sizeof *full);
    memcpy(full, prefix, prefix_length * sizeof *full);
    return full;
}

/* Of kernel32, but not on every Windows. */
static FARPROC kernel(const char *name)
{
    return GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name);
}

void *windows_redirection_off(void)
{
    static BOOL(WINAPI * off)(PVOID *);
    static BOOL looked;
    void *before = NULL;
    if (!looked) {
        off = (BOOL(WINAPI *)(PVOID *))(void (*)(void))kernel("Wow64DisableWow64FsRedirection");
        looked = TRUE;
    }
    return off != NULL && off(&before) ? before : (void *)-1;
}

void windows_redirection_on(void *before)
{
    static BOOL(WINAPI * on)(PVOID);
    if (before == (void *)-1)
        return;
    if (on == NULL)
        on = (BOOL(WINAPI *)(PVOID))(void (*)(void))kernel("Wow64RevertWow64FsRedirection");
    if (on != NULL)
        on(before);
}

bool windows_is_administrator(void)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    PSID administrators;
    BOOL member = FALSE;
    if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                                  &administrators))
        return false;
    CheckTokenMembership(NULL, administrators, &member);
    FreeSid(administrators);
    return member;
}

static wchar_t *own_sid(void)
{
    union {
        TOKEN_USER user;
        BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } found;
    HANDLE token;
    DWORD length;
    wchar_t *sid = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return NULL;
    if (!GetTokenInformation(token, TokenUser, &found, sizeof found, &length) ||
        !ConvertSidToStringSidW(found.user.User.Sid, &sid))
        sid = NULL;
    CloseHandle(token);
    return sid;
}

static PSECURITY_DESCRIPTOR describe(const wchar_t *text, struct error *error)
{
    PSECURITY_DESCRIPTOR descriptor;
    if (ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, NULL))
        return descriptor;
    windows_error(error, GetLastError(), "describe the access to", "own files");
    return NULL;
}

PSECURITY_DESCRIPTOR windows_administrators_key(struct error *error)
{
    return describe(L"D:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)", error);
}

PSECURITY_DESCRIPTOR windows_private(struct error *error)
{
    wchar_t text[256] = L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
    if (!windows_is_administrator()) {
        wchar_t *sid = own_sid();
        if (sid != NULL && wcslen(sid) < 190) {
            wcscat(text, L"(A;OICI;FA;;;");
            wcscat(text, sid);
            wcscat(text, L")");
        }
        LocalFree(sid);
    }
    return describe(text, error);
}
