/* The file of 'push --hosts'. */

#include "batch_hosts.h"

#include "host.h"
#include "proto/cleanup.h"
#include "proto/host_name.h"
#include "proto/limits.h"

#include <stdlib.h>
#include <string.h>

#define FIELDS 3
#define LINE_BYTES (FIELDS * LIMIT_PATH_BYTES)

void batch_hosts_clear(struct batch_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        free(hosts->items[i].name);
        free(hosts->items[i].root);
        free(hosts->items[i].registry_file);
    }
    free(hosts->items);
    *hosts = (struct batch_hosts){0};
}

static int add(struct batch_hosts *hosts, char *const fields[FIELDS], unsigned line, struct error *error)
{
    if (host_name_check(bytes_of(fields[0], strlen(fields[0])), error) < 0)
        return -1;
    if (fields[1] == NULL || fields[1][0] == 0)
        return error_set(error, ERROR_USAGE, "'%s' has no folder behind its name: put a tab between them", fields[0]);
    if (hosts->count == BATCH_HOSTS_MAXIMUM)
        return error_set(error, ERROR_LIMIT, "too many hosts: %u are allowed in one file", BATCH_HOSTS_MAXIMUM);
    if (hosts->count == hosts->room) {
        size_t room = hosts->room > 0 ? 2 * hosts->room : 64;
        struct batch_host *items = realloc(hosts->items, room * sizeof *items);
        if (items == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for %zu hosts", room);
        hosts->items = items;
        hosts->room = room;
    }
    bool facts = fields[2] != NULL && fields[2][0] != 0;
    struct batch_host host = {strdup(fields[0]), strdup(fields[1]), facts ? strdup(fields[2]) : NULL, line};
    hosts->items[hosts->count++] = host;
    return host.name != NULL && host.root != NULL && (!facts || host.registry_file != NULL)
               ? 0
               : error_set(error, ERROR_MEMORY, "no memory for a host");
}

static int read_line(struct batch_hosts *hosts, char *text, unsigned line, struct error *error)
{
    char *fields[FIELDS] = {text, NULL, NULL};
    text[strcspn(text, "\r\n")] = 0;
    if (text[0] == 0 || text[0] == '#')
        return 0;
    for (size_t i = 1; i < FIELDS; i++) {
        char *tab = fields[i - 1] != NULL ? strchr(fields[i - 1], '\t') : NULL;
        if (tab == NULL)
            break;
        *tab = 0;
        fields[i] = tab + 1;
    }
    if (fields[FIELDS - 1] != NULL && strchr(fields[FIELDS - 1], '\t') != NULL)
        return error_set(error, ERROR_USAGE, "there is more than a name, a folder and a registry export");
    return add(hosts, fields, line, error);
}

static int by_name(const void *a, const void *b)
{
    const struct batch_host *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);
    return order != 0 ? order : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

static int check_names(const struct batch_hosts *hosts, const char *name, struct error *error)
{
    _cleanup_free_ const struct batch_host **sorted = malloc(hosts->count * sizeof *sorted);
    if (sorted == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for %zu hosts", hosts->count);
    for (size_t i = 0; i < hosts->count; i++)
        sorted[i] = &hosts->items[i];
    qsort(sorted, hosts->count, sizeof *sorted, by_name);
    for (size_t i = 1; i < hosts->count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            return error_set(error, ERROR_USAGE, "%s, line %u: '%s' is there twice, in line %u too", name,
                             sorted[i]->line, sorted[i]->name, sorted[i - 1]->line);
    return 0;
}

int batch_hosts_read(FILE *file, const char *name, struct batch_hosts *hosts, struct error *error)
{
    _cleanup_free_ char *line = malloc(LINE_BYTES);
    if (line == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a line");
    for (unsigned number = 1; fgets(line, LINE_BYTES, file) != NULL; number++) {
        struct error problem = {0};
        if (strlen(line) + 1 == LINE_BYTES)
            error_set(&problem, ERROR_USAGE, "the line is too long");
        else if (read_line(hosts, line, number, &problem) == 0)
            continue;
        return error_set(error, problem.code, "%s, line %u: %s", name, number, problem.message);
    }
    if (ferror(file))
        return error_set(error, ERROR_IO, "can't read '%s'", name);
    if (hosts->count == 0)
        return error_set(error, ERROR_USAGE, "'%s' names no hosts", name);
    return check_names(hosts, name, error);
}
