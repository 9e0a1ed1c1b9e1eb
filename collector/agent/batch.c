/* Many hosts from one machine. */

#include "batch.h"

#include "batch_hosts.h"
#include "collector/platform/platform.h"
#include "proto/cleanup.h"
#include "proto/words.h"

#include <nng/nng.h>
#include <nng/supplemental/util/platform.h>

/* Threads take the next host each until none is left. */
struct batch {
    const struct options *options;
    struct batch_hosts hosts;
    nng_mtx *mutex; /* holds next, failed and the output */
    size_t next, failed;
};

static void batch_clear(struct batch *batch)
{
    batch_hosts_clear(&batch->hosts);
    nng_mtx_free(batch->mutex);
}

void batch_print(const struct push_result *result)
{
    printf("%s: accepted (%s), %llu %s in %llu %s; sent %llu bytes, received %llu bytes, %llu %s\n", result->host,
           result->changed ? "changed" : "unchanged", (unsigned long long)result->files,
           plural((long long)result->files, "file", "files"), (unsigned long long)result->chunks,
           plural((long long)result->chunks, "chunk", "chunks"), (unsigned long long)result->traffic.sent,
           (unsigned long long)result->traffic.received, (unsigned long long)result->traffic.requests,
           plural((long long)result->traffic.requests, "request", "requests"));
    fflush(stdout);
    if (result->not_seen[0] != 0)
        fprintf(stderr, "evenkeel-collector: %s: not seen: %s\n", result->host, result->not_seen);
}

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
        batch->next += mine < batch->hosts.count;
        nng_mtx_unlock(batch->mutex);
        if (mine == batch->hosts.count)
            return;
        int status = push_host(batch, &batch->hosts.items[mine], &result, &error);
        nng_mtx_lock(batch->mutex);
        if (status == 0)
            batch_print(&result);
        else
            fprintf(stderr, "%s: not accepted: %s\n", batch->hosts.items[mine].name, error.message);
        batch->failed += status < 0;
        nng_mtx_unlock(batch->mutex);
    }
}

static void report_first(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "evenkeel-collector: %s\n", sentence);
}

/* What is wrong for all of them alike is told once; and the key is there before two make one. */
static int check_first(const struct batch *batch, struct error *error)
{
    struct push_options first = {.config = &batch->options->config, .root = "/", .report = report_first};
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
    _cleanup_fclose_ FILE *file = platform_stream(options->hosts, "r", error);
    if (file == NULL || batch_hosts_read(file, options->hosts, &batch.hosts, error) < 0 ||
        check_first(&batch, error) < 0)
        return -1;
    nng_thread *threads[OPTIONS_AT_ONCE_MAXIMUM];
    unsigned started = 0;
    while (started < options->at_once && started < batch.hosts.count &&
           nng_thread_create(&threads[started], work, &batch) == 0)
        started++;
    if (started == 0)
        return error_set(error, ERROR_MEMORY, "no memory for a thread");
    while (started > 0)
        nng_thread_destroy(threads[--started]);
    if (batch.failed > 0)
        return error_set(error, ERROR_REFUSED, "%zu of %zu %s not accepted", batch.failed, batch.hosts.count,
                         plural((long long)batch.hosts.count, "host was", "hosts were"));
    return 0;
}
