/* Asking the collector to end, by SIGTERM or SIGINT. */

#include "collector/stop.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void on_ask(int signal)
{
    (void)signal;
    asked = 1;
    alarm(STOP_GRACE);
}

static void on_alarm(int signal)
{
    (void)signal;
    _exit(0);
}

void stop_arm(void)
{
    struct sigaction ask = {.sa_handler = on_ask}, late = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &late, NULL);
    sigaction(SIGTERM, &ask, NULL);
    sigaction(SIGINT, &ask, NULL);
}

void stop_ask(void)
{
    kill(getpid(), SIGTERM);
}

bool stop_asked(void)
{
    return asked;
}

/* The signals are let in only while waiting, so that none slips in between the look and the wait. */
bool stop_wait(uint32_t milliseconds)
{
    sigset_t signals, before;
    struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, &before);
    if (!asked)
        ppoll(NULL, 0, &time, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return asked;
}
