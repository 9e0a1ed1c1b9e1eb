/* Objects of a tree on this machine. */

#include "object_stream.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#define ARGUMENTS_MAXIMUM 32

/* The collector beside this program (installed or built), else the one in PATH. */
static void find_collector(char *path, size_t size)
{
    static const char *const places[] = {"evenkeel-collector", "../collector/evenkeel-collector"};
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = 0;
        *strrchr(program, '/') = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            int written = snprintf(path, size, "%s/%s", program, places[i]);
            if (written > 0 && (size_t)written < size && access(path, X_OK) == 0)
                return;
        }
    }
    snprintf(path, size, "evenkeel-collector");
}

static int start(const char *const *arguments, pid_t *process, FILE **output, struct error *error)
{
    char path[PATH_MAX];
    const char *argv[ARGUMENTS_MAXIMUM + 5] = {path, "scan", "--format", "objects"};
    size_t count = 4;
    int pipe_ends[2];
    find_collector(path, sizeof path);
    for (; *arguments != NULL && count < ARGUMENTS_MAXIMUM + 4; arguments++)
        argv[count++] = *arguments;
    if (pipe(pipe_ends) < 0)
        return error_set(error, ERROR_IO, "can't make a pipe: %s", strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[1]);
    int failed = posix_spawnp(process, path, &actions, NULL, (char **)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    *output = failed == 0 ? fdopen(pipe_ends[0], "r") : NULL;
    if (*output == NULL) {
        close(pipe_ends[0]);
        return error_set(error, ERROR_NOT_FOUND, "can't run evenkeel-collector: %s; install it beside this program",
                         strerror(failed != 0 ? failed : errno));
    }
    return 0;
}

/* One object: 1, 0 at the end, -1. */
static int read_object(FILE *input, struct arena *arena, struct object *object, struct error *error)
{
    uint8_t header[4];
    uint32_t length;
    size_t got = fread(header, 1, sizeof header, input);
    if (got == 0)
        return 0;
    if (got != sizeof header || !bytes_u32(bytes_of(header, sizeof header), 0, &length) || length > LIMIT_MESSAGE_BYTES)
        return error_set(error, ERROR_FORMAT, "evenkeel-collector's objects are cut or too large");
    uint8_t *body = arena_take(arena, length > 0 ? length : 1);
    if (body == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for an object of %u bytes", length);
    if (fread(body, 1, length, input) != length)
        return error_set(error, ERROR_FORMAT, "evenkeel-collector's objects are cut");
    Evenkeel__Object *message =
        (Evenkeel__Object *)object_unpack(&evenkeel__object__descriptor, bytes_of(body, length), arena, error);
    Evenkeel__RefusalReason reason;
    if (message == NULL)
        return -1;
    *object = (struct object){.kind = message->kind, .body = bytes_of_field(message->body)};
    return request_decode_object(object, arena, &reason, error) < 0 ? -1 : 1;
}

int object_stream_read(const char *const *arguments,
                       int (*visit)(void *context, const struct object *object, struct error *error), void *context,
                       struct error *error)
{
    pid_t process;
    FILE *input;
    int result, status = 0;
    bool ended = false;
    if (start(arguments, &process, &input, error) < 0)
        return -1;
    do {
        _cleanup_(cleanup_arena) struct arena *arena = arena_new(LIMIT_UNPACKED_BYTES);
        struct object object;
        result = arena != NULL ? read_object(input, arena, &object, error)
                               : error_set(error, ERROR_MEMORY, "no memory for an object");
        ended = result > 0 ? object.kind == EVENKEEL__OBJECT_KIND__INVENTORY : ended;
        if (result > 0 && visit(context, &object, error) < 0)
            result = -1;
    } while (result > 0);
    fclose(input);
    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    if (result == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !ended))
        return error_set(error, ERROR_IO, "evenkeel-collector could not read all of it: see what it says above");
    return result;
}
