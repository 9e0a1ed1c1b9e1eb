/* Threads that answer HTTP requests. */

#include "clerk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct clerk {
    struct clerk_options options;
    pthread_t threads[CLERK_THREADS_MAXIMUM];
    unsigned started;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct http_request waiting[CLERK_WAITING_MAXIMUM];
    size_t count;
    unsigned idle; /* threads that wait for a request */
    bool stopping;
};

static void *run(void *context)
{
    struct clerk *clerk = context;
    PGconn *connection = NULL;
    pthread_mutex_lock(&clerk->lock);
    while (!clerk->stopping) {
        if (clerk->count == 0) {
            clerk->idle++;
            pthread_cond_wait(&clerk->changed, &clerk->lock);
            clerk->idle--;
            continue;
        }
        struct http_request request = clerk->waiting[0];
        memmove(&clerk->waiting[0], &clerk->waiting[1], --clerk->count * sizeof request);
        pthread_mutex_unlock(&clerk->lock);
        clerk->options.answer(clerk->options.context, &connection, &request);
        pthread_mutex_lock(&clerk->lock);
    }
    pthread_mutex_unlock(&clerk->lock);
    PQfinish(connection);
    return NULL;
}

struct clerk *clerk_start(const struct clerk_options *options, struct error *error)
{
    struct clerk *clerk = calloc(1, sizeof *clerk);
    if (clerk == NULL) {
        error_set(error, ERROR_MEMORY, "no memory for HTTP");
        return NULL;
    }
    clerk->options = *options;
    pthread_mutex_init(&clerk->lock, NULL);
    pthread_cond_init(&clerk->changed, NULL);
    while (clerk->started < options->threads) {
        int failed = pthread_create(&clerk->threads[clerk->started], NULL, run, clerk);
        if (failed != 0) {
            error_set(error, ERROR_IO, "can't start a thread for HTTP: %s", strerror(failed));
            clerk_stop(clerk);
            clerk_free(clerk);
            return NULL;
        }
        clerk->started++;
    }
    return clerk;
}

bool clerk_take(struct clerk *clerk, const struct http_request *request)
{
    pthread_mutex_lock(&clerk->lock);
    bool taken =
        !clerk->stopping && clerk->count < clerk->options.waiting + clerk->idle && clerk->count < CLERK_WAITING_MAXIMUM;
    if (taken) {
        clerk->waiting[clerk->count++] = *request;
        pthread_cond_signal(&clerk->changed);
    }
    pthread_mutex_unlock(&clerk->lock);
    return taken;
}

void clerk_stop(struct clerk *clerk)
{
    if (clerk == NULL)
        return;
    pthread_mutex_lock(&clerk->lock);
    clerk->stopping = true;
    pthread_cond_broadcast(&clerk->changed);
    for (size_t i = 0; i < clerk->count; i++)
        http_answer_text(&clerk->waiting[i], 503, "stopping\n");
    clerk->count = 0;
    pthread_mutex_unlock(&clerk->lock);
    while (clerk->started > 0)
        pthread_join(clerk->threads[--clerk->started], NULL);
}

void clerk_free(struct clerk *clerk)
{
    if (clerk == NULL)
        return;
    pthread_cond_destroy(&clerk->changed);
    pthread_mutex_destroy(&clerk->lock);
    free(clerk);
}
