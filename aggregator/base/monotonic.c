/* The monotonic clock. */

#include "monotonic.h"

#include <time.h>

int64_t monotonic_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MONOTONIC_SECOND + now.tv_nsec / 1000;
}

void monotonic_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool monotonic_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until)
{
    struct timespec moment = {.tv_sec = until / MONOTONIC_SECOND, .tv_nsec = until % MONOTONIC_SECOND * 1000};
    return pthread_cond_timedwait(condition, lock, &moment) == 0;
}
