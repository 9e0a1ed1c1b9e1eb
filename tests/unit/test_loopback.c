/* What counts as this machine only. */

#include "proto/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void addresses_of_this_machine_are_loopback(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "tcp://127.0.0.1:8470", "tls+tcp://127.255.0.3:1",   "tcp://localhost:8470",
        "tcp://LocalHost:8470", "tls+tcp://[::1]:8470",      "http://127.0.0.1",
        "http://127.0.0.1/",    "http://localhost:80/x?y#z", "ipc:///run/evenkeel/sock",
        "inproc://x",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        if (!loopback_is_url(urls[i]))
            fail_msg("'%s' is not taken for loopback", urls[i]);
    assert_true(loopback_is_authority("127.0.0.1"));
    assert_true(loopback_is_authority("localhost:8471"));
    assert_true(loopback_is_authority("[::1]:8471"));
    assert_true(loopback_is_authority("[::1]"));
    assert_true(loopback_is_authority("::1"));
    assert_true(loopback_is_host("::1"));
}

static void names_that_only_begin_like_loopback_are_not(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "tcp://127.evil.example:8470",
        "tls+tcp://127.0.0.1.evil.example:8470",
        "tcp://127.0.0.1@evil.example:8470",
        "tcp://127.0.0.1:80@evil.example:8470",
        "tcp://localhost.evil.example:8470",
        "tcp://localhost@evil.example:8470",
        "tcp://[::1].evil.example:8470",
        "tcp://[::1]evil.example:8470",
        "tcp://[::1:8470",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:port",
        "tcp://127.0.0:8470",
        "tcp://127.0.0.256:8470",
        "tcp://127.0.0.01:8470",
        "tcp://127.0.0.4294967297:8470",
        "tcp://126.0.0.1:8470",
        "tcp://0.0.0.0:8470",
        "tcp://*:8470",
        "tcp://:8470",
        "tcp://",
        "127.0.0.1:8470",
        "",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        if (loopback_is_url(urls[i]))
            fail_msg("'%s' is taken for loopback", urls[i]);
    assert_false(loopback_is_authority(""));
    assert_false(loopback_is_authority("127.evil.example"));
    assert_false(loopback_is_host("127.0.0.1:8470"));
}

static void a_port_is_seen_where_there_is_one(void **state)
{
    (void)state;
    assert_true(loopback_url_has_port("tcp://127.0.0.1:8470"));
    assert_true(loopback_url_has_port("tls+tcp://aggregator.example:65535/"));
    assert_true(loopback_url_has_port("tcp://*:1"));
    assert_true(loopback_url_has_port("tcp://[2001:db8::1]:8470"));
    assert_true(loopback_url_has_port("ipc:///run/evenkeel/sock"));
    assert_false(loopback_url_has_port("tcp://127.0.0.1"));
    assert_false(loopback_url_has_port("tcp://127.0.0.1:"));
    assert_false(loopback_url_has_port("tcp://127.0.0.1:0"));
    assert_false(loopback_url_has_port("tcp://127.0.0.1/:8470"));
    assert_false(loopback_url_has_port("tcp://[2001:db8::1]"));
    assert_false(loopback_url_has_port("127.0.0.1:8470"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_this_machine_are_loopback),
        cmocka_unit_test(names_that_only_begin_like_loopback_are_not),
        cmocka_unit_test(a_port_is_seen_where_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
