/* The collector's configuration file: what a line sets, and how a wrong one is told. */

#include "collector/settings/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int read_text(const char *text, struct config *config, struct error *error)
{
    FILE *file = tmpfile();
    fputs(text, file);
    rewind(file);
    *error = (struct error){0};
    config_init(config);
    int status = config_read(file, "collector.conf", config, error);
    fclose(file);
    return status;
}

static void assert_refused(const char *text, const char *place, const char *why)
{
    struct config config;
    struct error error;
    assert_int_equal(read_text(text, &config, &error), -1);
    assert_int_equal(error.code, ERROR_USAGE);
    if (strstr(error.message, place) == NULL || strstr(error.message, why) == NULL)
        fail_msg("'%s' names neither '%s' nor '%s'", error.message, place, why);
    config_clear(&config);
}

static void an_empty_file_leaves_the_defaults(void **state)
{
    (void)state;
    struct config config;
    struct error error;
    assert_int_equal(read_text("", &config, &error), 0);
    assert_int_equal(config.drive, 0);
    assert_true(config.symbols);
    assert_false(config.hash);
    assert_false(config.allow_plain);
    assert_int_equal(config.schedule, 86400);
    assert_int_equal(config.spool_limit, 256);
    assert_int_equal(config.hash_limit, 1024);
    assert_int_equal(config.aggregators.count, 0);
    assert_null(config.host);
    config_clear(&config);
}

static void every_setting_is_read(void **state)
{
    (void)state;
    struct config config;
    struct error error;
    assert_int_equal(read_text("; where to\n"
                               "aggregator = tls+tcp://a.example:8470\n"
                               "aggregator = tls+tcp://b.example:8470   ; the other one\n"
                               "ca = /etc/evenkeel/ca.pem\n"
                               "allow-plain = yes\n"
                               "host = WEB01\n"
                               "group = farm\ngroup = iis\n"
                               "state = /var/lib/evenkeel\n"
                               "drive = D:\n"
                               "root = Windows/System32\n"
                               "include = winsxs\n"
                               "hash = yes\nhash-limit = 64\nsymbols = no\nschedule = 3600\nspool-limit = 8\n",
                               &config, &error),
                     0);
    assert_int_equal(config.aggregators.count, 2);
    assert_string_equal(config.aggregators.items[1], "tls+tcp://b.example:8470");
    assert_string_equal(config.ca, "/etc/evenkeel/ca.pem");
    assert_true(config.allow_plain);
    assert_string_equal(config.host, "WEB01");
    assert_int_equal(config.groups.count, 2);
    assert_string_equal(config.state, "/var/lib/evenkeel");
    assert_int_equal(config.drive, 'd');
    assert_string_equal(config.roots.items[0], "Windows/System32");
    assert_string_equal(config.includes.items[0], "winsxs");
    assert_true(config.hash);
    assert_int_equal(config.hash_limit, 64);
    assert_false(config.symbols);
    assert_int_equal(config.schedule, 3600);
    assert_int_equal(config.spool_limit, 8);
    config_clear(&config);
}

static void an_unknown_setting_is_told_with_its_line(void **state)
{
    (void)state;
    assert_refused("host = A\n\n# note\nagregator = tcp://x:1\n", "line 4", "'agregator'");
}

static void the_first_wrong_line_is_the_one_that_is_told(void **state)
{
    (void)state;
    assert_refused("host = A\nnonsense\ncolour = red\n", "line 2", "key = value");
    assert_refused("host = A\ncolour = red\nnonsense\n", "line 2", "'colour'");
}

static void values_that_make_no_sense_are_told(void **state)
{
    (void)state;
    assert_refused("hash = perhaps\n", "line 1", "'hash = perhaps'");
    assert_refused("schedule = -5\n", "line 1", "'schedule = -5'");
    assert_refused("schedule = 12h\n", "line 1", "'schedule = 12h'");
    assert_refused("schedule = 99999999999\n", "line 1", "no number of seconds");
    assert_refused("spool-limit = 0\n", "line 1", "'spool-limit = 0' is no number of MiB");
    assert_refused("spool-limit = 2G\n", "line 1", "'spool-limit = 2G' is no number of MiB");
    assert_refused("drive = 1\n", "line 1", "'1' is no drive letter");
    assert_refused("host =\n", "line 1", "'host' has no value");
}

static void a_section_is_told_not_passed_over(void **state)
{
    (void)state;
    assert_refused("[collector]\nhost = A\n", "line 2", "[collector]");
}

static void a_line_that_is_too_long_is_told(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text);
    memcpy(text, "host = ", 7);
    strcpy(text + sizeof text - 2, "\n");
    assert_refused(text, "line 1", "too long");
}

static void a_file_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct config config;
    struct error error = {0};
    config_init(&config);
    assert_int_equal(config_load("no/such/file.conf", &config, &error), -1);
    assert_int_equal(error.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(error.message, "'no/such/file.conf'"));
    config_clear(&config);
}

static void assert_left(const char *text, const char *left)
{
    char changed[200];
    strcpy(changed, text);
    size_t length = config_forget(changed, strlen(text), "token");
    changed[length] = 0;
    assert_string_equal(changed, left);
}

static void a_setting_that_is_forgotten_takes_its_lines_along_and_no_others(void **state)
{
    (void)state;
    assert_left("", "");
    assert_left("token=a", "");
    assert_left("host = A\r\ntoken = secret\r\ngroup = iis\r\n", "host = A\r\ngroup = iis\r\n");
    assert_left("host = A\ntoken: secret", "host = A\n");
    assert_left("  token = first\n# note\n  more\nhost = A\n  B\ntoken\t=x\n", "# note\nhost = A\n  B\n");
    assert_left("\xef\xbb\xbftoken = secret\nhost = A\n", "\xef\xbb\xbfhost = A\n");
    assert_left("; token = not this\nhost = token = x\ntokens = y\ntoken\n",
                "; token = not this\nhost = token = x\ntokens = y\ntoken\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_leaves_the_defaults),
        cmocka_unit_test(every_setting_is_read),
        cmocka_unit_test(an_unknown_setting_is_told_with_its_line),
        cmocka_unit_test(the_first_wrong_line_is_the_one_that_is_told),
        cmocka_unit_test(values_that_make_no_sense_are_told),
        cmocka_unit_test(a_section_is_told_not_passed_over),
        cmocka_unit_test(a_line_that_is_too_long_is_told),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
        cmocka_unit_test(a_setting_that_is_forgotten_takes_its_lines_along_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
