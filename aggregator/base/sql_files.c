/* The project's SQL on disk. */

#include "sql_files.h"

#include "proto/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT (64u << 20)

static bool holds_schema(const char *directory)
{
    char path[PATH_MAX];
    struct stat status;
    int length = snprintf(path, sizeof path, "%s/schema", directory);
    return length > 0 && (size_t)length < sizeof path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int sql_files_directory(const char *given, char *directory, size_t size, struct error *error)
{
    const char *environment = getenv("EVENKEEL_SQL");
    if (given == NULL && environment != NULL && *environment != 0)
        given = environment;
    if (given != NULL) {
        int length = snprintf(directory, size, "%s", given);
        if (length < 0 || (size_t)length >= size || !holds_schema(directory))
            return error_set(error, ERROR_NOT_FOUND,
                             "'%s' holds no folder 'schema': name Evenkeel's sql directory with --sql", given);
        return 0;
    }
    /* Beside this program: installed (bin/../share/evenkeel/sql), or built in a folder of the source tree. */
    static const char *const places[] = {"../share/evenkeel/sql", "../../sql"};
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = 0;
        *strrchr(program, '/') = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            int written = snprintf(directory, size, "%s/%s", program, places[i]);
            if (written > 0 && (size_t)written < size && holds_schema(directory))
                return 0;
        }
    }
    return error_set(error, ERROR_NOT_FOUND,
                     "Evenkeel's SQL files are not beside this program: name their directory with --sql");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void cleanup_closedir(DIR **directory)
{
    if (*directory != NULL)
        closedir(*directory);
}

int sql_files_list(const char *directory, const char *folder, const char *suffix, struct sql_files *files,
                   struct error *error)
{
    char path[PATH_MAX];
    *files = (struct sql_files){0};
    snprintf(path, sizeof path, "%s/%s", directory, folder);
    _cleanup_(cleanup_closedir) DIR *open_directory = opendir(path);
    if (open_directory == NULL && errno == ENOENT)
        return 0;
    if (open_directory == NULL)
        return error_set(error, ERROR_IO, "can't list '%s': %s", path, strerror(errno));
    size_t size = 0, suffix_length = strlen(suffix);
    for (struct dirent *entry; (entry = readdir(open_directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || length < suffix_length ||
            strcmp(entry->d_name + length - suffix_length, suffix) != 0)
            continue;
        if (files->count == size) {
            size = size == 0 ? 32 : 2 * size;
            char **names = realloc(files->names, size * sizeof *names);
            if (names == NULL)
                return error_set(error, ERROR_MEMORY, "no memory to list '%s'", path);
            files->names = names;
        }
        files->names[files->count] = strdup(entry->d_name);
        if (files->names[files->count] == NULL)
            return error_set(error, ERROR_MEMORY, "no memory to list '%s'", path);
        files->count++;
    }
    if (files->count > 0)
        qsort(files->names, files->count, sizeof *files->names, compare_names);
    return 0;
}

void sql_files_free(struct sql_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->names[i]);
    free(files->names);
    *files = (struct sql_files){0};
}

char *sql_files_read(const char *path, size_t *length, struct error *error)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) < 0) {
        error_set(error, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "can't read '%s': %s", path, strerror(errno));
        return NULL;
    }
    if (status.st_size > FILE_LIMIT) {
        error_set(error, ERROR_LIMIT, "'%s' has %lld bytes; %u are allowed", path, (long long)status.st_size,
                  FILE_LIMIT);
        return NULL;
    }
    char *text = malloc((size_t)status.st_size + 1);
    if (text == NULL) {
        error_set(error, ERROR_MEMORY, "no memory for '%s'", path);
        return NULL;
    }
    *length = fread(text, 1, (size_t)status.st_size, file);
    text[*length] = 0;
    return text;
}
