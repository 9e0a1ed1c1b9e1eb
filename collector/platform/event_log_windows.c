/* The Windows event log. */

#include "windows.h"

#include "event_log.h"
#include "messages.h"
#include "proto/cleanup.h"
#include "wide.h"

#include <string.h>
#include <wchar.h>

#define SOURCE L"Evenkeel collector"
#define KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" SOURCE

static HANDLE event_log;

int event_log_register(const wchar_t *program, struct error *error)
{
    HKEY key;
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    LSTATUS status =
        RegCreateKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (status == ERROR_SUCCESS) {
        status = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)program,
                                (DWORD)((wcslen(program) + 1) * sizeof *program));
        if (status == ERROR_SUCCESS)
            status = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types, sizeof types);
        RegCloseKey(key);
    }
    return status == ERROR_SUCCESS ? 0
                                   : windows_error(error, (DWORD)status, "make known to the event log", "the service");
}

void event_log_unregister(void)
{
    RegDeleteKeyExW(HKEY_LOCAL_MACHINE, KEY, KEY_WOW64_64KEY, 0);
}

void event_log_open(void)
{
    event_log = RegisterEventSourceW(NULL, SOURCE);
}

void event_log_tell(enum run_weight weight, const char *sentence)
{
    static const struct {
        WORD type;
        DWORD message;
    } kinds[] = {
        [RUN_NEWS] = {EVENTLOG_INFORMATION_TYPE, MESSAGE_NEWS},
        [RUN_WARNING] = {EVENTLOG_WARNING_TYPE, MESSAGE_WARNING},
        [RUN_FAILURE] = {EVENTLOG_ERROR_TYPE, MESSAGE_FAILURE},
    };
    _cleanup_free_ wchar_t *wide = malloc((strlen(sentence) + 1) * sizeof *wide);
    if (event_log == NULL || wide == NULL || !wide_from_bytes(sentence, (uint16_t *)wide, NULL))
        return;
    const wchar_t *strings[] = {wide};
    ReportEventW(event_log, kinds[weight].type, 0, kinds[weight].message, NULL, 1, 0, strings, NULL);
}

void event_log_close(void)
{
    if (event_log != NULL)
        DeregisterEventSource(event_log);
    event_log = NULL;
}
