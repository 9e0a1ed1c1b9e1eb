/* Many hosts from one machine. */

#include "collector/batch.h"

#include "collector/host.h"
#include "proto/cleanup.h"

#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>
#include <string.h>

#define LINE_BYTES (3 * LIMIT_PATH_BYTES)

struct batch_host {
    char *name, *root, *registry_file; /* the last may be NULL */
};

/* Threads take the next host each until none is left. */
struct batch {
    const struct options *options;
    struct batch_host *hosts;
    size_t count, room;
    nng_mtx *mutex; /* holds next, failed and the output */
    size_t next, failed;
};

static void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->hosts[i].name);
        free(batch->hosts[i].root);
        free(batch->hosts[i].registry_file);
    }
    free(batch->hosts);
    nng_mtx_free(batch->mutex);
}

void batch_print(const struct push_result *result)
{
    printf("%s: accepted (%s), %llu files in %llu chunks; sent %llu bytes, received %llu bytes, %llu requests\n",
           result->host, result->changed ? "changed" : "unchanged", (unsigned long long)result->files,
           (unsigned long long)result->chunks, (unsigned long long)result->traffic.sent,
           (unsigned long long)result->traffic.received, (unsigned long long)result->traffic.requests);
    fflush(stdout);
}

/* ---- the file ---- */

static int host_add(struct batch *batch, char *const fields[3], struct error *error)
{
    if (host_name_check(fields[0], error) < 0)
        return -1;
    if (fields[1] == NULL || fields[1][0] == 0)
        return error_set(error, ERROR_USAGE, "'%s' has no folder behind its name: put a tab between them", fields[0]);
    for (size_t i = 0; i < batch->count; i++)
        if (strcmp(batch->hosts[i].name, fields[0]) == 0)
            return error_set(error, ERROR_USAGE, "'%s' is there twice", fields[0]);
    if (batch->count == batch->room) {
        size_t room = batch->room > 0 ? 2 * batch->room : 64;
        struct batch_host *hosts = room <= 2 * BATCH_HOSTS_MAXIMUM ? realloc(batch->hosts, room * sizeof *hosts) : NULL;
        if (hosts == NULL)
            return error_set(error, ERROR_LIMIT, "too many hosts: %u are allowed in one file", BATCH_HOSTS_MAXIMUM);
        batch->hosts = hosts;
        batch->room = room;
    }
    bool facts = fields[2] != NULL && fields[2][0] != 0;
    struct batch_host host = {strdup(fields[0]), strdup(fields[1]), facts ? strdup(fields[2]) : NULL};
    batch->hosts[batch->count++] = host;
    return host.name != NULL && host.root != NULL && (!facts || host.registry_file != NULL)
               ? 0
               : error_set(error, ERROR_MEMORY, "no memory for a host");
}

static int read_line(struct batch *batch, char *line, struct error *error)
{
    char *fields[3] = {line, NULL, NULL};
    line[strcspn(line, "\r\n")] = 0;
    if (line[0] == 0 || line[0] == '#')
        return 0;
    for (size_t i = 0; i < 2; i++) {
        char *tab = fields[i] != NULL ? strchr(fields[i], '\t') : NULL;
        if (tab == NULL)
            break;
        *tab = 0;
        fields[i + 1] = tab + 1;
    }
    if (fields[2] != NULL && strchr(fields[2], '\t') != NULL)
        return error_set(error, ERROR_USAGE, "there is more than a name, a folder and a registry export");
    return host_add(batch, fields, error);
}

static int read_hosts(struct batch *batch, struct error *error)
{
    const char *path = batch->options->hosts;
    _cleanup_fclose_ FILE *file = platform_stream(path, "r", error);
    _cleanup_free_ char *line = malloc(LINE_BYTES);
    if (file == NULL)
        return -1;
    if (line == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a line");
    for (unsigned number = 1; fgets(line, LINE_BYTES, file) != NULL; number++) {
        struct error problem = {0};
        if (strlen(line) + 1 == LINE_BYTES)
            error_set(&problem, ERROR_USAGE, "the line is too long");
        else if (read_line(batch, line, &problem) == 0)
            continue;
        return error_set(error, problem.code, "%s, line %u: %s", path, number, problem.message);
    }
    if (ferror(file))
        return error_set(error, ERROR_IO, "can't read '%s'", path);
    if (batch->count == 0)
        return error_set(error, ERROR_USAGE, "'%s' names no hosts", path);
    return 0;
}

/* ---- pushing ---- */

static void report(void *context, const char *sentence)
{
    const struct batch_host *host = context;
    fprintf(stderr, "evenkeel-collector: %s: %s\n", host->name, sentence);
}

static int push_host(struct batch *batch, struct batch_host *host, struct push_result *result, struct error *error)
{
    struct config config = batch->options->config; /* the same lists; only the name is the host's own */
    struct push_options push = {
        .config = &config,
        .root = host->root,
        .registry_file = host->registry_file,
        .report = report,
        .context = host,
    };
    config.host = host->name;
    return push_snapshot(&push, result, error);
}

static void work(void *context)
{
    struct batch *batch = context;
    for (;;) {
        struct push_result result = {0};
        struct error error = {0};
        nng_mtx_lock(batch->mutex);
        size_t mine = batch->next;
        batch->next += mine < batch->count;
        nng_mtx_unlock(batch->mutex);
        if (mine == batch->count)
            return;
        int status = push_host(batch, &batch->hosts[mine], &result, &error);
        nng_mtx_lock(batch->mutex);
        if (status == 0)
            batch_print(&result);
        else
            fprintf(stderr, "%s: not accepted: %s\n", batch->hosts[mine].name, error.message);
        batch->failed += status < 0;
        nng_mtx_unlock(batch->mutex);
    }
}

/* What is wrong for all of them alike is told once; and the key is there before two make one. */
static int check_first(const struct batch *batch, struct error *error)
{
    struct push_options first = {.config = &batch->options->config, .root = "/"};
    struct push *push;
    if (push_open(&first, &push, error) < 0)
        return -1;
    push_close(push);
    return 0;
}

int batch_push(const struct options *options, struct error *error)
{
    _cleanup_(batch_clear) struct batch batch = {.options = options};
    if (options->root != NULL || options->registry_file != NULL || options->config.host != NULL)
        return error_set(error, ERROR_USAGE, "--root, --facts and --host are in the lines of '%s': leave them out here",
                         options->hosts);
    if (nng_mtx_alloc(&batch.mutex) != 0)
        return error_set(error, ERROR_MEMORY, "no memory for a batch");
    if (read_hosts(&batch, error) < 0 || check_first(&batch, error) < 0)
        return -1;
    nng_thread *threads[OPTIONS_AT_ONCE_MAXIMUM];
    unsigned started = 0;
    while (started < options->at_once && started < batch.count &&
           nng_thread_create(&threads[started], work, &batch) == 0)
        started++;
    if (started == 0)
        return error_set(error, ERROR_MEMORY, "no memory for a thread");
    while (started > 0)
        nng_thread_destroy(threads[--started]);
    if (batch.failed > 0)
        return error_set(error, ERROR_REFUSED, "%zu of %zu hosts were not accepted", batch.failed, batch.count);
    return 0;
}
