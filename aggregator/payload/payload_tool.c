/* Unpacks packages with tools of the system. */

#include "payload_tool.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAXIMUM 8
#define SECONDS_LIMIT 600          /* what unpacking one package may take */
#define WATCH_NANOSECONDS 20000000 /* how often it is looked how much came out */
#define NOT_FOUND_STATUS 127

static const struct tool {
    enum payload_kind kind;
    const char *name, *debian;
    const char *list[ARGUMENTS_MAXIMUM],
        *extract[ARGUMENTS_MAXIMUM]; /* %p: the package, %d: -oFOLDER, %f: the folder */
    const char *mark;                /* before each name in the list */
} tools[] = {
    {PAYLOAD_MSI, "msiextract", "msitools", {"msiextract", "-l", "%p"}, {"msiextract", "-C", "%f", "%p"}, ""},
    {PAYLOAD_WIM,
     "7z",
     "p7zip-full",
     {"7z", "l", "-slt", "--", "%p"},
     {"7z", "x", "-y", "-bd", "%d", "--", "%p"},
     "Path = "},
};

/* What lies in a folder: bytes and files, and the largest of them. */
struct content {
    uint64_t bytes, largest_bytes;
    unsigned files;
    char largest[256];
};

static void close_tree(FTS **tree)
{
    if (*tree != NULL)
        fts_close(*tree);
}

/* Counts what lies in a folder; `plain`: and removes what is neither file nor folder. */
static void measure(const char *directory, bool plain, struct content *content)
{
    char *const roots[] = {(char *)directory, NULL};
    _cleanup_(close_tree) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    *content = (struct content){0};
    for (FTSENT *entry; tree != NULL && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE || entry->fts_info == FTS_DEFAULT) {
            if (plain)
                unlink(entry->fts_accpath);
        }
        if (entry->fts_info != FTS_F)
            continue;
        uint64_t bytes = (uint64_t)entry->fts_statp->st_size;
        content->bytes += bytes;
        content->files++;
        if (bytes >= content->largest_bytes) {
            content->largest_bytes = bytes;
            snprintf(content->largest, sizeof content->largest, "%s", entry->fts_path + strlen(directory));
        }
    }
}

/* Starts the tool; *output (may be NULL: thrown away) is to be closed by the caller. */
static pid_t start(const char *const *words, const char *path, const char *directory, uint64_t file_limit,
                   FILE **output)
{
    char folder[PATH_MAX + 2];
    const char *arguments[ARGUMENTS_MAXIMUM + 1] = {0};
    int ends[2] = {-1, -1};
    snprintf(folder, sizeof folder, "-o%s", directory);
    for (size_t i = 0; i < ARGUMENTS_MAXIMUM && words[i] != NULL; i++)
        arguments[i] = strcmp(words[i], "%p") == 0   ? path
                       : strcmp(words[i], "%d") == 0 ? folder
                       : strcmp(words[i], "%f") == 0 ? directory
                                                     : words[i];
    if (output != NULL && pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid_t process = fork();
    if (process == 0) {
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        struct rlimit limit = {.rlim_cur = file_limit, .rlim_max = file_limit};
        dup2(nothing, STDIN_FILENO);
        dup2(output != NULL ? ends[1] : nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
        setrlimit(RLIMIT_FSIZE, &limit);
        setenv("LC_ALL", "C.UTF-8", 1);
        if (arguments[0] != NULL)
            execvp(arguments[0], (char **)arguments);
        _exit(NOT_FOUND_STATUS);
    }
    if (output != NULL) {
        close(ends[1]);
        *output = process > 0 ? fdopen(ends[0], "r") : NULL;
        if (*output == NULL)
            close(ends[0]);
    }
    return process;
}

static int fail(const struct tool *tool, const char *path, int status, struct error *error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND_STATUS)
        return error_set(error, ERROR_NOT_FOUND,
                         "'%s' needs %s to be unpacked: install Debian's %s, or unpack it yourself and name the folder",
                         path, tool->name, tool->debian);
    return error_set(error, ERROR_FORMAT, "%s can't unpack '%s': the package is broken, cut, empty, or of another kind",
                     tool->name, path);
}

/* Whether a name stays below the folder that it is unpacked to. */
static bool stays_below(const char *name)
{
    if (name[0] == '/' || name[0] == '\\' || (name[0] != 0 && name[1] == ':'))
        return false;
    for (const char *part = name; *part != 0;) {
        size_t length = strcspn(part, "/\\");
        if ((length == 2 && strncmp(part, "..", 2) == 0) || length > NAME_MAX)
            return false;
        part += length + (part[length] != 0);
    }
    return true;
}

static int check_names(const struct tool *tool, const char *path, struct error *error)
{
    _cleanup_fclose_ FILE *names = NULL;
    _cleanup_free_ char *line = NULL;
    size_t size = 0, mark = strlen(tool->mark);
    int status = 0;
    bool listed = mark == 0, good = true;
    pid_t process = start(tool->list, path, "", RLIM_INFINITY, &names);
    if (process < 0 || names == NULL)
        return error_set(error, ERROR_IO, "can't run %s: %s", tool->name, strerror(errno));
    while (good && getline(&line, &size, names) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        /* 7z says what the package itself is called before the line that begins the list. */
        if (!listed)
            listed = strncmp(line, "----------", 10) == 0;
        else if (strncmp(line, tool->mark, mark) == 0 && !stays_below(line + mark)) {
            error_set(error, ERROR_FORMAT,
                      "'%s' holds '%.200s', which would be unpacked elsewhere, or is too long a name: refused", path,
                      line + mark);
            good = false;
        }
    }
    if (!good)
        kill(process, SIGKILL);
    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    return !good ? -1 : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : fail(tool, path, status, error);
}

int payload_tool_unpack(const char *path, enum payload_kind kind, const char *directory, struct payload_budget *budget,
                        struct error *error)
{
    const struct tool *tool = kind == PAYLOAD_MSI ? &tools[0] : &tools[1];
    const struct timespec pause = {.tv_nsec = WATCH_NANOSECONDS};
    struct content before, now;
    int status = 0;
    if (check_names(tool, path, error) < 0)
        return -1;
    measure(directory, false, &before);
    time_t began = time(NULL);
    pid_t process = start(tool->extract, path, directory, budget->bytes + 1, NULL), ended = 0;
    if (process < 0)
        return error_set(error, ERROR_IO, "can't run %s: %s", tool->name, strerror(errno));
    bool late = false, over = false;
    while (ended == 0) {
        nanosleep(&pause, NULL);
        ended = waitpid(process, &status, WNOHANG);
        measure(directory, ended != 0, &now);
        over = now.bytes - before.bytes > budget->bytes || now.files - before.files > budget->files;
        late = time(NULL) - began > SECONDS_LIMIT;
        if (ended == 0 && (over || late)) {
            kill(process, SIGKILL);
            while ((ended = waitpid(process, &status, 0)) < 0 && errno == EINTR)
                ;
        }
    }
    if (over)
        return error_set(
            error, ERROR_LIMIT,
            "'%s' unpacks to more than is allowed, the largest being '%s': unpack it yourself and name the folder",
            path, now.largest[0] == '/' ? now.largest + 1 : now.largest);
    if (late)
        return error_set(error, ERROR_LIMIT,
                         "'%s' takes more than %d minutes to unpack: unpack it yourself and name the folder", path,
                         SECONDS_LIMIT / 60);
    /* msiextract ends well where it finds nothing that it can read. */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || now.files == before.files)
        return fail(tool, path, status, error);
    budget->bytes -= now.bytes - before.bytes;
    budget->files -= now.files - before.files;
    return 0;
}
