/* Asking the collector to end, by an event. */

#include "windows.h"

#include "stop.h"

static HANDLE event;
static volatile LONG asked;

static DWORD WINAPI end_late(void *unused)
{
    (void)unused;
    Sleep(STOP_GRACE * 1000);
    ExitProcess(0);
}

static BOOL WINAPI on_console(DWORD what)
{
    (void)what;
    stop_ask();
    return TRUE;
}

void stop_arm(void)
{
    if (event == NULL)
        event = CreateEventW(NULL, TRUE, FALSE, NULL);
    SetConsoleCtrlHandler(on_console, TRUE);
}

void stop_ask(void)
{
    if (InterlockedExchange(&asked, 1) != 0)
        return;
    if (event != NULL)
        SetEvent(event);
    HANDLE thread = CreateThread(NULL, 0, end_late, NULL, 0, NULL);
    if (thread != NULL)
        CloseHandle(thread);
}

bool stop_asked(void)
{
    return asked != 0;
}

bool stop_reload_asked(void)
{
    return false;
}

void stop_reload_begin(void)
{
}

bool stop_wait(uint32_t milliseconds)
{
    if (event == NULL)
        Sleep(milliseconds);
    else
        WaitForSingleObject(event, milliseconds);
    return asked != 0;
}
