/* Who keeps a place, and who loses it, over real sockets of this machine. */

#include "aggregator/service/connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PLACES = 4, WAIT_MILLISECONDS = 20000 };

/*
 * What is spoken here: a byte comes and goes back. 'o' opens, 'T' is trusted on behalf of a key, 'm' is malformed,
 * 'f' is the last word.
 */
struct state {
    char byte;
};

static void opened(struct connection *connection)
{
    struct state *state = connection_state(connection);
    connection_receive(connection, &state->byte, 1, 1, false);
}

static void received(struct connection *connection, size_t length)
{
    struct state *state = connection_state(connection);
    struct tally_key key = {{(uint8_t)state->byte}};
    assert_int_equal(length, 1);
    connection_opened(connection);
    connection_asked(connection);
    if (state->byte == 'm')
        connection_end(connection, CONNECTION_MALFORMED);
    else if (state->byte == 'T')
        connection_trust(connection, &key);
    connection_send(connection, &state->byte, 1);
}

static void sent(struct connection *connection)
{
    struct state *state = connection_state(connection);
    connection_answered(connection);
    if (state->byte == 'f')
        connection_finish(connection);
    else
        connection_receive(connection, &state->byte, 1, 1, false);
}

static void freed(struct connection *connection)
{
    (void)connection;
}

static const struct connection_kind kind = {
    .state_bytes = sizeof(struct state), .opened = opened, .received = received, .sent = sent, .freed = freed};

static struct connections_counters counters;
static struct connections *connections;
static uint16_t port;

/* A port that nobody has; somebody could take it before it is listened on, which fails the test and nothing else. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int begin(void **state)
{
    (void)state;
    struct error error = {0};
    char url[64];
    struct connections_options options = {.name = "test", .kind = &kind, .most = PLACES};
    memset(&counters, 0, sizeof counters);
    connections = connections_new(&options, &counters, &error);
    assert_non_null(connections);
    port = free_port();
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", port);
    assert_int_equal(connections_listen(connections, url, NULL), 0);
    connections_start(connections);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    connections_free(connections);
    assert_int_equal(counters.open, 0);
    assert_int_equal(counters.opening, 0);
    return 0;
}

/* From 127.0.0.`last`, and known to the set once this returns. */
static int connect_from(unsigned last)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK - 1 + last)}};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t known = counters.open + counters.ended[CONNECTION_DISPLACED] + counters.ended[CONNECTION_TURNED_AWAY];
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof there), 0);
    for (int i = 0; i < WAIT_MILLISECONDS; i++) {
        if (counters.open + counters.ended[CONNECTION_DISPLACED] + counters.ended[CONNECTION_TURNED_AWAY] > known)
            return fd;
        poll(NULL, 0, 1);
    }
    fail();
    return fd;
}

/* Says a byte and waits for it to come back. */
static void say(int fd, char byte)
{
    char answer = 0;
    assert_int_equal(write(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &answer, 1), 1);
    assert_int_equal(answer, byte);
}

/* Waits for the other side to close; it must. */
static void expect_closed(int fd)
{
    char byte;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, WAIT_MILLISECONDS), 1);
    assert_true(read(fd, &byte, 1) <= 0);
    close(fd);
}

static void expect_open(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 0), 0);
}

static void where_all_places_are_taken_the_oldest_of_those_goes_that_are_the_most(void **state)
{
    (void)state;
    int peers[PLACES + 2];
    for (int i = 0; i < PLACES; i++)
        peers[i] = connect_from(1);
    say(peers[1], 'o');
    say(peers[0], 'T');
    peers[PLACES] = connect_from(1);
    expect_closed(peers[2]);
    peers[PLACES + 1] = connect_from(1);
    expect_closed(peers[3]);
    say(peers[0], 'o');
    say(peers[1], 'o');
    say(peers[PLACES], 'o');
    assert_int_equal(counters.open, PLACES);
    assert_int_equal(counters.ended[CONNECTION_DISPLACED], 2);
    for (int i = 0; i < PLACES + 2; i++)
        if (i != 2 && i != 3)
            close(peers[i]);
}

static void a_flood_from_one_address_displaces_itself(void **state)
{
    (void)state;
    int honest = connect_from(2), flood[6];
    for (int i = 0; i < 6; i++)
        flood[i] = connect_from(1);
    for (int i = 0; i < 3; i++)
        expect_closed(flood[i]);
    say(honest, 'o');
    expect_open(honest);
    close(honest);
    for (int i = 3; i < 6; i++)
        close(flood[i]);
}

static void where_all_are_trusted_and_speak_a_newcomer_is_turned_away(void **state)
{
    (void)state;
    int peers[PLACES];
    for (int i = 0; i < PLACES; i++) {
        peers[i] = connect_from(1);
        say(peers[i], 'T');
    }
    expect_closed(connect_from(2));
    assert_int_equal(counters.ended[CONNECTION_TURNED_AWAY], 1);
    for (int i = 0; i < PLACES; i++) {
        say(peers[i], 'o');
        close(peers[i]);
    }
}

static void a_place_that_was_left_is_free_again(void **state)
{
    (void)state;
    for (int i = 0; i < 5 * PLACES; i++) {
        int peer = connect_from(1);
        say(peer, i % 2 == 0 ? 'o' : 'T');
        if (i == 3) {
            say(peer, 'f');
            expect_closed(peer);
        } else {
            close(peer);
        }
        for (int waited = 0; counters.open > 0 && waited < WAIT_MILLISECONDS; waited++)
            poll(NULL, 0, 1);
        assert_int_equal(counters.open, 0);
    }
    assert_int_equal(counters.ended[CONNECTION_DISPLACED] + counters.ended[CONNECTION_TURNED_AWAY], 0);
}

static void one_that_speaks_something_else_is_closed_and_counted(void **state)
{
    (void)state;
    int peer = connect_from(1);
    assert_int_equal(write(peer, "m", 1), 1);
    expect_closed(peer);
    assert_int_equal(counters.ended[CONNECTION_MALFORMED], 1);
}

static void one_that_never_opens_is_closed_in_time(void **state)
{
    (void)state;
    int silent = connect_from(1), speaking = connect_from(1);
    say(speaking, 'o');
    assert_int_equal(counters.opening, 1);
    expect_closed(silent);
    assert_int_equal(counters.ended[CONNECTION_LATE], 1);
    assert_int_equal(counters.opening, 0);
    say(speaking, 'o');
    close(speaking);
}

static void a_tally_tells_who_holds_the_most(void **state)
{
    (void)state;
    struct tally *tally = tally_new();
    struct tally_key a = {{1}}, b = {{2}}, found;
    assert_false(tally_greatest(tally, &found));
    assert_true(tally_add(tally, &a) && tally_add(tally, &b) && tally_add(tally, &b));
    assert_true(tally_greatest(tally, &found));
    assert_memory_equal(&found, &b, sizeof b);
    assert_int_equal(tally_count(tally, &b), 2);
    tally_drop(tally, &b);
    tally_drop(tally, &b);
    tally_drop(tally, &b);
    assert_int_equal(tally_count(tally, &b), 0);
    assert_int_equal(tally_count(tally, &a), 1);
    tally_free(tally);
}

#define OVER_SOCKETS(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_SOCKETS(where_all_places_are_taken_the_oldest_of_those_goes_that_are_the_most),
        OVER_SOCKETS(a_flood_from_one_address_displaces_itself),
        OVER_SOCKETS(where_all_are_trusted_and_speak_a_newcomer_is_turned_away),
        OVER_SOCKETS(a_place_that_was_left_is_free_again),
        OVER_SOCKETS(one_that_speaks_something_else_is_closed_and_counted),
        OVER_SOCKETS(one_that_never_opens_is_closed_in_time),
        cmocka_unit_test(a_tally_tells_who_holds_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
