/* The monotonic clock, which nobody sets back: for times between, and for waits that must end. */

#ifndef EVENKEEL_MONOTONIC_H
#define EVENKEEL_MONOTONIC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MONOTONIC_MILLISECOND INT64_C(1000)
#define MONOTONIC_SECOND INT64_C(1000000)

/* Microseconds since some moment before this program began. */
int64_t monotonic_now(void);

/* Makes a condition whose waits are by this clock; pthread_cond_destroy() ends it. */
void monotonic_condition(pthread_cond_t *condition);

/* Waits until the condition is signalled, or that moment; false where the moment came. The lock is held. */
bool monotonic_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until);

#endif
