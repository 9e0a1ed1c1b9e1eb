/* Hive files opened by libhivex, after their logs were laid over them in memory. */

#include "hive_replay.h"

#include "collector/base/path.h"
#include "collector/platform/platform.h"
#include "hive_log.h"
#include "proto/cleanup.h"
#include "registry.h"

#include <errno.h>
#include <sys/mman.h>

#define COPY_BYTES (1U << 20) /* of the hive at a time */

/* A hive's file and those of its logs. */
struct hive_files {
    struct platform_file hive, logs[HIVE_LOG_COUNT];
    struct hive_source hive_source, log_sources[HIVE_LOG_COUNT];
};

static void close_files(struct hive_files *files)
{
    platform_file_close(&files->hive);
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++)
        platform_file_close(&files->logs[i]);
}

static int64_t read_at(const void *source, void *buffer, size_t length, uint64_t offset, struct error *error)
{
    return platform_file_read_at(source, buffer, length, offset, error);
}

static int open_file(const char *path, struct platform_file *file, struct hive_source *source, struct error *error)
{
    struct platform_stat stat;
    if (platform_file_open(path, file, error) == -1 || platform_file_stat(file, &stat, error) == -1)
        return -1;
    *source = (struct hive_source){.read_at = read_at, .source = file, .size = stat.size};
    return 0;
}

/* A log that can't be opened is as one that is not there, but that is said. */
static int open_logs(const char *path, struct hive_files *files, struct string_list *problems, struct error *error)
{
    static const char *const ends[HIVE_LOG_COUNT] = {".log", ".log1", ".log2"};
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *directory = slash != NULL ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
    for (size_t i = 0; i < HIVE_LOG_COUNT; i++) {
        struct error problem = {0};
        _cleanup_free_ char *name = NULL;
        _cleanup_free_ char *found = NULL;
        files->log_sources[i] = (struct hive_source){0};
        if (directory == NULL || asprintf(&name, "%s%s", slash != NULL ? slash + 1 : path, ends[i]) == -1) {
            name = NULL;
            return error_set(error, ERROR_MEMORY, "out of memory opening a registry hive: give the collector more");
        }
        path_fold(name);
        int got = path_find(directory, name, &found, &problem);
        if (got == 1)
            got = open_file(found, &files->logs[i], &files->log_sources[i], &problem);
        if (got == -1)
            string_list_note(problems, "log of a registry hive: %s", problem.message);
    }
    return 0;
}

/* Copies the hive and applies the plan to the copy, which is the file *memory without a name on any disk. */
static int replay(const struct hive_files *files, const struct hive_plan *plan, int *memory, struct error *error)
{
    *memory = memfd_create("hive", MFD_CLOEXEC);
    if (*memory < 0 || ftruncate(*memory, (off_t)plan->size) < 0)
        return error_set(error, ERROR_MEMORY, "no memory for a hive of %llu bytes: %s", (unsigned long long)plan->size,
                         strerror(errno));
    uint8_t *hive = mmap(NULL, plan->size, PROT_READ | PROT_WRITE, MAP_SHARED, *memory, 0);
    if (hive == MAP_FAILED)
        return error_set(error, ERROR_MEMORY, "no memory for a hive of %llu bytes: %s", (unsigned long long)plan->size,
                         strerror(errno));
    int64_t got = 1;
    for (uint64_t at = 0; got > 0 && at < plan->size; at += (uint64_t)got) {
        size_t length = plan->size - at < COPY_BYTES ? (size_t)(plan->size - at) : COPY_BYTES;
        got = platform_file_read_at(&files->hive, hive + at, length, at, error);
    }
    int status = got < 0 ? -1 : hive_apply(plan, hive, error);
    munmap(hive, plan->size);
    return status;
}

static int open_sound_or_not(const char *path, const char *shown, hive_h **hive, unsigned *defects,
                             struct string_list *problems, struct error *error)
{
    *hive = hivex_open(path, 0);
    if (*hive != NULL)
        return 0;
    *hive = hivex_open(path, HIVEX_OPEN_UNSAFE);
    if (*hive == NULL)
        return error_set(error, ERROR_FORMAT,
                         "registry hive '%s' can't be read: %s; take it from a backup, or give an export", shown,
                         strerror(errno));
    *defects |= REGISTRY_DAMAGED;
    string_list_note(problems, "registry hive '%s' is damaged: only its sound parts were read", shown);
    return 0;
}

int hive_open(const char *path, hive_h **hive, unsigned *defects, struct string_list *problems, struct error *error)
{
    _cleanup_(close_files) struct hive_files files = {
        .hive = PLATFORM_FILE_NONE, .logs = {PLATFORM_FILE_NONE, PLATFORM_FILE_NONE, PLATFORM_FILE_NONE}};
    _cleanup_close_ int memory = -1;
    struct hive_plan plan;
    struct error problem = {0};
    char replayed[40];

    *defects = 0;
    if (open_file(path, &files.hive, &files.hive_source, error) == -1)
        return -1;
    if (files.hive_source.size > REGISTRY_HIVE_LIMIT)
        return error_set(error, ERROR_LIMIT, "registry hive '%s' is over %u MiB, more than is read", path,
                         REGISTRY_HIVE_LIMIT >> 20);
    if (open_logs(path, &files, problems, error) == -1)
        return -1;
    if (hive_plan(&files.hive_source, files.log_sources, REGISTRY_HIVE_LIMIT, &plan, &problem) == -1)
        return error_set(error, problem.code,
                         "registry hive '%s' can't be read: %s; take it from a backup, or give an "
                         "export",
                         path, problem.message);
    if (plan.is_changed && replay(&files, &plan, &memory, &problem) == -1) {
        plan.state = HIVE_STALE;
        plan.why = "its logs could not be applied";
        string_list_note(problems, "registry hive '%s': %s", path, problem.message);
        if (memory >= 0)
            close(memory);
        memory = -1;
    }
    if (plan.state == HIVE_STALE) {
        *defects |= REGISTRY_STALE;
        string_list_note(problems,
                         "registry hive '%s' was not finished being written, and %s: what it says may be out of date; "
                         "copy it with its logs (.LOG, .LOG1, .LOG2), or give an export",
                         path, plan.why);
    }
    snprintf(replayed, sizeof replayed, "/proc/self/fd/%d", memory);
    return open_sound_or_not(memory >= 0 ? replayed : path, path, hive, defects, problems, error);
}
