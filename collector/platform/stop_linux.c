/* Asking the collector to end, by SIGTERM or SIGINT, or to read its settings again, by SIGHUP. */

#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t asked, reload_asked;
static int waker = -1; /* readable once one of them is set, whichever thread the signal went to */

static void wake(void)
{
    int before = errno;
    uint64_t one = 1;
    ssize_t written = write(waker, &one, sizeof one);
    (void)written;
    errno = before;
}

static void on_ask(int signal)
{
    (void)signal;
    asked = 1;
    alarm(STOP_GRACE);
    wake();
}

static void on_reload(int signal)
{
    (void)signal;
    reload_asked = 1;
    wake();
}

static void on_alarm(int signal)
{
    (void)signal;
    _exit(0);
}

void stop_arm(void)
{
    struct sigaction ask = {.sa_handler = on_ask}, late = {.sa_handler = on_alarm},
                     reload = {.sa_handler = on_reload, .sa_flags = SA_RESTART};
    waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction(SIGALRM, &late, NULL);
    sigaction(SIGTERM, &ask, NULL);
    sigaction(SIGINT, &ask, NULL);
    sigaction(SIGHUP, &reload, NULL);
}

void stop_ask(void)
{
    kill(getpid(), SIGTERM);
}

bool stop_asked(void)
{
    return asked;
}

bool stop_reload_asked(void)
{
    return reload_asked;
}

void stop_reload_begin(void)
{
    uint64_t count;
    ssize_t got = read(waker, &count, sizeof count);
    (void)got;
    reload_asked = 0;
    if (asked)
        wake();
}

bool stop_wait(uint32_t milliseconds)
{
    struct pollfd descriptor = {.fd = waker, .events = POLLIN};
    if (!asked && !reload_asked)
        poll(&descriptor, 1, (int)milliseconds);
    return asked;
}
