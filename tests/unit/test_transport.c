/* Names with several addresses: all are tried. What they resolve to is said here (the linker's --wrap). */

#include "collector/agent/transport.h"
#include "collector/platform/platform.h"

#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const *resolved; /* NULL behind the last */
static unsigned asked;

size_t __wrap_platform_addresses(const char *host, char addresses[][PLATFORM_ADDRESS_BYTES], size_t most);

size_t __wrap_platform_addresses(const char *host, char addresses[][PLATFORM_ADDRESS_BYTES], size_t most)
{
    size_t count = 0;
    asked++;
    assert_string_equal(host, "localhost");
    for (; count < most && resolved[count] != NULL; count++)
        snprintf(addresses[count], PLATFORM_ADDRESS_BYTES, "%s", resolved[count]);
    return count;
}

/* A port of 127.0.0.1 that nobody listens on. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* The port of 127.0.0.1 that an aggregator listens on, until the program ends: nng loses the memory of a listener that
 * is closed while a connection greets it. */
static int listened_port(void)
{
    static int port;
    if (port == 0) {
        nng_socket socket;
        char url[64];
        port = free_port();
        snprintf(url, sizeof url, "tcp://127.0.0.1:%d", port);
        assert_int_equal(nng_rep0_open(&socket), 0);
        assert_int_equal(nng_listen(socket, url, NULL, 0), 0);
    }
    return port;
}

/* Opens a connection to `localhost` at a port where, on 127.0.0.1 only, somebody listens or not. */
static int open_with(const char *const *addresses, bool listening, struct error *error)
{
    char url[64];
    struct transport *transport;
    resolved = addresses;
    asked = 0;
    snprintf(url, sizeof url, "tcp://localhost:%d", listening ? listened_port() : free_port());
    int status = transport_open(url, NULL, 1000, &transport, error);
    transport_close(transport);
    return status;
}

static void the_second_address_is_tried_where_the_first_does_not_answer(void **state)
{
    (void)state;
    struct error error = {0};
    if (open_with((const char *const[]){"::1", "127.0.0.1", NULL}, true, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(asked, 1);
    if (open_with((const char *const[]){"127.0.0.1", "::1", NULL}, true, &error) < 0)
        fail_msg("%s", error.message);
}

static void where_none_answers_the_name_is_told(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(open_with((const char *const[]){"::1", "127.0.0.1", NULL}, false, &error), -1);
    assert_int_equal(error.code, ERROR_NETWORK);
    assert_non_null(strstr(error.message, "can't reach the aggregator at tcp://localhost:"));
}

static void a_name_that_can_not_be_resolved_here_is_left_to_nng(void **state)
{
    (void)state;
    struct error error = {0};
    open_with((const char *const[]){NULL}, true, &error); /* as nng resolves it: it must only come back */
    assert_int_equal(asked, 1);
}

/* Accepts connections of one port: closes so many at once, and greets the next as an aggregator does. */
struct crowded {
    int listener;
    unsigned closes, closed;
};

static void hang_up(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void *serve_crowded(void *context)
{
    static const unsigned char hello[] = {0, 'S', 'P', 0, 0, 0x31, 0, 0}; /* nng: of a REP peer */
    unsigned char greeting[sizeof hello];
    struct crowded *crowded = context;
    for (; crowded->closed < crowded->closes; crowded->closed++)
        hang_up(accept(crowded->listener, NULL, NULL));
    int peer = accept(crowded->listener, NULL, NULL);
    while (peer >= 0 && recv(peer, greeting, sizeof greeting, MSG_WAITALL) > 0)
        send(peer, hello, sizeof hello, MSG_NOSIGNAL);
    hang_up(peer);
    return NULL;
}

static int open_crowded(unsigned closes, struct error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct crowded crowded = {.listener = socket(AF_INET, SOCK_STREAM, 0), .closes = closes};
    struct transport *transport;
    char url[64];
    pthread_t thread;
    assert_int_equal(bind(crowded.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(crowded.listener, 16), 0);
    assert_int_equal(getsockname(crowded.listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_crowded, &crowded), 0);
    resolved = (const char *const[]){"127.0.0.1", NULL};
    snprintf(url, sizeof url, "tcp://localhost:%d", ntohs(address.sin_port));
    int status = transport_open(url, NULL, 1000, &transport, error);
    transport_close(transport);
    shutdown(crowded.listener, SHUT_RDWR); /* ends an accept() that waits */
    pthread_join(thread, NULL);
    close(crowded.listener);
    return status;
}

static void who_is_hung_up_on_tries_again(void **state)
{
    (void)state;
    struct error error = {0};
    if (open_crowded(2, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(open_crowded(5, &error), -1);
    assert_int_equal(error.code, ERROR_NETWORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_address_is_tried_where_the_first_does_not_answer),
        cmocka_unit_test(where_none_answers_the_name_is_told),
        cmocka_unit_test(who_is_hung_up_on_tries_again),
        cmocka_unit_test(a_name_that_can_not_be_resolved_here_is_left_to_nng),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
