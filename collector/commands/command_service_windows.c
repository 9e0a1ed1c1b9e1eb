/* evenkeel-collector service: the agent as a Windows service, and its controls. */

#include "collector/platform/windows.h"

#include "commands.h"

#include "collector/agent/run.h"
#include "collector/platform/event_log.h"
#include "collector/platform/stop.h"
#include "collector/platform/wide.h"
#include "collector/settings/settings.h"
#include "options.h"
#include "proto/cleanup.h"

#include <string.h>
#include <wchar.h>

#define NAME L"evenkeel-collector"
#define SHOWN L"Evenkeel collector"
#define DESCRIPTION                                                                                                    \
    L"Reports the versions of this computer's program files to Evenkeel, so that mixed service-pack levels are found."
#define CONTROL_WAIT 30000u /* milliseconds that the service may take to start or to stop */

static const char usage_text[] = "usage: evenkeel-collector service install [OPTION]...\n"
                                 "       evenkeel-collector service remove|start|stop\n\n"
                                 "Installs the agent as a Windows service that starts with the computer, removes\n"
                                 "it again, starts or stops it. The options of install are those of\n"
                                 "'evenkeel-collector run' and are kept with the service, but for the token: that\n"
                                 "goes with the other settings of the installation until the host is let in.\n";

/* ---- the service itself ---- */

static SERVICE_STATUS_HANDLE status_handle;
static int run_argc;
static char **run_argv;

static void set_status(DWORD state, DWORD failed)
{
    SERVICE_STATUS status = {
        .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
        .dwCurrentState = state,
        .dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0,
        .dwWin32ExitCode = failed,
        .dwWaitHint = state == SERVICE_STOP_PENDING ? (STOP_GRACE + 2) * 1000 : 0,
    };
    SetServiceStatus(status_handle, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    (void)type;
    (void)data;
    (void)context;
    if (control == SERVICE_CONTROL_INTERROGATE)
        return NO_ERROR;
    if (control != SERVICE_CONTROL_STOP && control != SERVICE_CONTROL_SHUTDOWN)
        return ERROR_CALL_NOT_IMPLEMENTED;
    set_status(SERVICE_STOP_PENDING, NO_ERROR);
    stop_ask();
    return NO_ERROR;
}

/* Whoever works on this computer comes first. */
static void be_modest(void)
{
    if (!SetPriorityClass(GetCurrentProcess(), PROCESS_MODE_BACKGROUND_BEGIN))
        SetPriorityClass(GetCurrentProcess(), IDLE_PRIORITY_CLASS);
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    (void)argc;
    (void)argv;
    struct error error = {0};
    _cleanup_(options_clear) struct options options;
    status_handle = RegisterServiceCtrlHandlerExW(NAME, on_control, NULL);
    if (status_handle == NULL)
        return;
    event_log_open();
    stop_arm();
    be_modest();
    set_status(SERVICE_RUNNING, NO_ERROR);
    int status = options_parse(run_argc, run_argv, &options, &error);
    if (status == 0)
        status = run_agent(&options, event_log_tell, &error);
    if (status < 0)
        event_log_tell(RUN_FAILURE, error.message);
    event_log_close();
    set_status(SERVICE_STOPPED, status < 0 ? ERROR_INVALID_PARAMETER : NO_ERROR);
}

/* argv[0] is 'run', with the options that the service was installed with. */
static int dispatch(int argc, char **argv, struct error *error)
{
    static wchar_t name[] = NAME;
    const SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};
    run_argc = argc;
    run_argv = argv;
    if (StartServiceCtrlDispatcherW(table))
        return 0;
    if (GetLastError() == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT)
        return error_set(error, ERROR_USAGE,
                         "'service main' is for the service control manager: use 'evenkeel-collector run'");
    return windows_error(error, GetLastError(), "run as", "a service");
}

/* ---- its controls ---- */

static void close_service(SC_HANDLE *handle)
{
    if (*handle != NULL)
        CloseServiceHandle(*handle);
}

static int refuse(struct error *error, const char *doing)
{
    DWORD failed = GetLastError();
    if (failed == ERROR_ACCESS_DENIED)
        return error_set(error, ERROR_IO, "can't %s the service: run this as an administrator", doing);
    if (failed == ERROR_SERVICE_DOES_NOT_EXIST)
        return error_set(error, ERROR_NOT_FOUND,
                         "can't %s the service: there is none; 'evenkeel-collector service install' makes it", doing);
    return windows_error(error, failed, doing, "the service");
}

static SC_HANDLE open_service(DWORD access, const char *doing, struct error *error)
{
    _cleanup_(close_service) SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = manager != NULL ? OpenServiceW(manager, NAME, access) : NULL;
    if (service == NULL)
        refuse(error, doing);
    return service;
}

static int wait_for(SC_HANDLE service, DWORD wanted, const char *what, struct error *error)
{
    SERVICE_STATUS status = {0};
    for (DWORD waited = 0; waited < CONTROL_WAIT; waited += 100) {
        if (!QueryServiceStatus(service, &status))
            return refuse(error, "ask");
        if (status.dwCurrentState == wanted)
            return 0;
        if (wanted == SERVICE_RUNNING && status.dwCurrentState == SERVICE_STOPPED)
            break;
        Sleep(100);
    }
    return error_set(error, ERROR_IO, "the service did not %s; the event log says why", what);
}

static int start_service(struct error *error)
{
    _cleanup_(close_service) SC_HANDLE service = open_service(SERVICE_START | SERVICE_QUERY_STATUS, "start", error);
    if (service == NULL)
        return -1;
    if (!StartServiceW(service, 0, NULL) && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
        return refuse(error, "start");
    return wait_for(service, SERVICE_RUNNING, "start", error);
}

static int stop_service(struct error *error)
{
    SERVICE_STATUS status;
    _cleanup_(close_service) SC_HANDLE service = open_service(SERVICE_STOP | SERVICE_QUERY_STATUS, "stop", error);
    if (service == NULL)
        return -1;
    if (!ControlService(service, SERVICE_CONTROL_STOP, &status)) {
        DWORD failed = GetLastError();
        if (failed == ERROR_SERVICE_NOT_ACTIVE)
            return 0;
        SetLastError(failed);
        return refuse(error, "stop");
    }
    return wait_for(service, SERVICE_STOPPED, "stop", error);
}

static int remove_service(struct error *error)
{
    _cleanup_(close_service) SC_HANDLE service = open_service(DELETE, "remove", error);
    if (service == NULL || stop_service(error) < 0)
        return -1;
    if (!DeleteService(service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
        return refuse(error, "remove");
    event_log_unregister();
    return settings_forget("token", error);
}

/* Appends an argument as CommandLineToArgvW() takes it apart again; false where there is no more room. */
static bool append(wchar_t *line, size_t room, const wchar_t *argument)
{
    size_t at = wcslen(line);
    if (at + 2 * wcslen(argument) + 4 > room)
        return false;
    if (at > 0)
        line[at++] = L' ';
    line[at++] = L'"';
    for (size_t slashes = 0;; argument++) {
        if (*argument == L'\\') {
            slashes++;
        } else {
            if (*argument == L'"' || *argument == 0)
                while (slashes > 0) /* doubled before a quotation mark */
                    line[at++] = L'\\', slashes--;
            slashes = 0;
            if (*argument == L'"')
                line[at++] = L'\\';
            if (*argument == 0)
                break;
        }
        line[at++] = *argument;
    }
    line[at++] = L'"';
    line[at] = 0;
    return true;
}

/* How many arguments '--token' in any of getopt's spellings takes at argv[0]. */
static int token_arguments(char **argv)
{
    size_t length = strcspn(argv[0], "=");
    if (length < sizeof "--t" - 1 || length >= sizeof "--token" || strncmp(argv[0], "--token", length) != 0)
        return 0;
    return argv[0][length] == '=' ? 1 : 2;
}

/* '"...\evenkeel-collector.exe" service main' and the options but for the token: everybody may read that line. */
static int command_line(int argc, char **argv, wchar_t *line, size_t room, wchar_t *program, struct error *error)
{
    DWORD length = GetModuleFileNameW(NULL, program, MAX_PATH);
    line[0] = 0;
    bool fits = length > 0 && length < MAX_PATH && append(line, room, program) && append(line, room, L"service") &&
                append(line, room, L"main");
    for (int i = 1; fits && i < argc; i++) {
        int token = token_arguments(argv + i);
        if (token > 0) {
            i += token - 1;
            continue;
        }
        _cleanup_free_ wchar_t *argument = malloc((strlen(argv[i]) + 1) * sizeof *argument);
        fits = argument != NULL && wide_from_bytes(argv[i], (uint16_t *)argument, NULL) && append(line, room, argument);
    }
    return fits ? 0 : error_set(error, ERROR_LIMIT, "the service's command line is too long: use a configuration");
}

static void describe(SC_HANDLE service)
{
    static wchar_t text[] = DESCRIPTION;
    SERVICE_DESCRIPTIONW description = {text};
    SERVICE_DELAYED_AUTO_START_INFO delayed = {TRUE};
    SC_ACTION again[] = {{SC_ACTION_RESTART, 60000}, {SC_ACTION_RESTART, 600000}};
    SERVICE_FAILURE_ACTIONSW failure = {.dwResetPeriod = 86400, .cActions = 2, .lpsaActions = again};
    ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
    ChangeServiceConfig2W(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed);
    ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure);
}

/* The token is kept where the service takes it away once it is let in. */
static int keep_token(int argc, char **argv, const struct config *config, struct error *error)
{
    bool given = false;
    for (int i = 1; i < argc; i++)
        given = given || token_arguments(argv + i) > 0;
    if (!given)
        return 0;
    if (!config->installed)
        return error_set(error, ERROR_USAGE, "with --config the token belongs into that file: leave --token out");
    return windows_keep_setting("token", config->token, error);
}

/* Over one that is there already, so that its options can be changed. argv[0] is 'run'. */
static int install_service(int argc, char **argv, struct error *error)
{
    wchar_t line[2048], program[MAX_PATH];
    _cleanup_(options_clear) struct options checked;
    int status = options_parse(argc, argv, &checked, error);
    if (status != 0)
        return status;
    if (command_line(argc, argv, line, sizeof line / sizeof *line, program, error) < 0 ||
        keep_token(argc, argv, &checked.config, error) < 0)
        return -1;
    _cleanup_(close_service) SC_HANDLE manager =
        OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    if (manager == NULL)
        return refuse(error, "install");
    _cleanup_(close_service) SC_HANDLE service =
        CreateServiceW(manager, NAME, SHOWN, SERVICE_CHANGE_CONFIG | SERVICE_START, SERVICE_WIN32_OWN_PROCESS,
                       SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, line, NULL, NULL, NULL, NULL, NULL);
    if (service == NULL && GetLastError() == ERROR_SERVICE_EXISTS) {
        service = OpenServiceW(manager, NAME, SERVICE_CHANGE_CONFIG | SERVICE_START);
        if (service != NULL && !ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                                                     SERVICE_ERROR_NORMAL, line, NULL, NULL, NULL, NULL, NULL, SHOWN))
            return refuse(error, "change");
    }
    if (service == NULL)
        return refuse(error, "install");
    describe(service);
    return event_log_register(program, error);
}

int command_service(int argc, char **argv)
{
    static char run_name[] = "run";
    struct error error = {0};
    const char *action = argc > 1 ? argv[1] : "";
    int status;
    if (argc > 1)
        argv[1] = run_name; /* as options_parse() wants it */
    if (strcmp(action, "main") == 0)
        status = dispatch(argc - 1, argv + 1, &error);
    else if (strcmp(action, "install") == 0)
        status = install_service(argc - 1, argv + 1, &error);
    else if (strcmp(action, "remove") == 0)
        status = remove_service(&error);
    else if (strcmp(action, "start") == 0)
        status = start_service(&error);
    else if (strcmp(action, "stop") == 0)
        status = stop_service(&error);
    else if (strcmp(action, "--help") == 0)
        status = 1;
    else
        status = error_set(&error, ERROR_USAGE, "'%s' is no action; there are install, remove, start and stop", action);
    if (status > 0)
        fputs(usage_text, stdout);
    if (status < 0)
        fprintf(stderr, "evenkeel-collector service: %s\n", error.message);
    return status < 0;
}
