/* The file of 'push --hosts': what its lines say, and which are refused. */

#include "collector/agent/batch_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct batch_hosts hosts;
static struct error error;

static int read_text(const char *text)
{
    FILE *file = fmemopen((void *)text, strlen(text), "r");
    hosts = (struct batch_hosts){0};
    error = (struct error){0};
    int status = batch_hosts_read(file, "list", &hosts, &error);
    fclose(file);
    return status;
}

static void assert_refused(const char *text, const char *sentence)
{
    assert_int_equal(read_text(text), -1);
    assert_string_equal(error.message, sentence);
    batch_hosts_clear(&hosts);
}

static void a_line_is_a_name_a_folder_and_perhaps_an_export(void **state)
{
    (void)state;
    assert_int_equal(read_text("# the farm\n\nweb-02\t/mnt/b\t/mnt/b.reg\r\nweb-01\t/mnt/a\nweb-03\t/mnt/c\t"), 0);
    assert_int_equal(hosts.count, 3);
    assert_string_equal(hosts.items[0].name, "web-02");
    assert_string_equal(hosts.items[0].root, "/mnt/b");
    assert_string_equal(hosts.items[0].registry_file, "/mnt/b.reg");
    assert_string_equal(hosts.items[1].name, "web-01");
    assert_null(hosts.items[1].registry_file);
    assert_int_equal(hosts.items[1].line, 4);
    assert_null(hosts.items[2].registry_file);
    batch_hosts_clear(&hosts);
}

static void a_line_that_says_something_else_is_named_by_its_number(void **state)
{
    (void)state;
    assert_refused("a\t/a\nweb-01 /mnt\n",
                   "list, line 2: 'web-01 /mnt' has no folder behind its name: put a tab between them");
    assert_refused("a\t/a\tb\tc\n", "list, line 1: there is more than a name, a folder and a registry export");
    assert_refused("#\n", "'list' names no hosts");
    assert_refused("\xff\t/a\n", "list, line 1: a host name must have 1 to 255 bytes of UTF-8; this one has 1");
    assert_refused("web-01.\t/a\n", "list, line 1: 'web-01.' can't be a host's name: it has a dot behind it");
}

static void a_name_that_is_there_twice_is_refused_with_both_lines(void **state)
{
    (void)state;
    assert_refused("b\t/1\na\t/2\n\nb\t/3\n", "list, line 4: 'b' is there twice, in line 1 too");
}

static void a_line_that_is_too_long_is_not_two_lines(void **state)
{
    (void)state;
    char *text = malloc(20001);
    memset(text, 'x', 20000);
    memcpy(text, "a\t", 2);
    text[20000] = 0;
    assert_refused(text, "list, line 1: the line is too long");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_name_a_folder_and_perhaps_an_export),
        cmocka_unit_test(a_line_that_says_something_else_is_named_by_its_number),
        cmocka_unit_test(a_name_that_is_there_twice_is_refused_with_both_lines),
        cmocka_unit_test(a_line_that_is_too_long_is_not_two_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
