/* What a scan prints of a file: times of all years that 32 bits hold. */

#include "collector/commands/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void assert_time(uint32_t seconds, const char *text)
{
    struct pe_image image = {.is_pe = true, .machine = 0x14c, .time_date_stamp = seconds};
    char line[200], wanted[200];
    FILE *out = fmemopen(line, sizeof line, "w");
    scan_print_tsv(out, bytes_of((const uint8_t *)"c:/a.dll", 8), &image);
    fclose(out);
    snprintf(wanted, sizeof wanted, "c:/a.dll\t0\t\t\tx86\t%s\t0x00000000\t\n", text);
    assert_string_equal(line, wanted);
}

static void timestamps_that_are_hashes_are_printed_as_times_beyond_2038(void **state)
{
    (void)state;
    assert_time(0, "1970-01-01T00:00:00Z");
    assert_time(951782400, "2000-02-29T00:00:00Z");
    assert_time(INT32_MAX, "2038-01-19T03:14:07Z");
    assert_time(INT32_MAX + 1u, "2038-01-19T03:14:08Z");
    assert_time(UINT32_MAX, "2106-02-07T06:28:15Z");
}

static void every_day_is_the_one_that_the_c_library_tells(void **state)
{
    (void)state;
    for (uint32_t day = 0; day <= UINT32_MAX / 86400; day++) {
        time_t time = (time_t)day * 86400 + day % 86400;
        char text[40];
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&time));
        if ((uint64_t)time <= UINT32_MAX)
            assert_time((uint32_t)time, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_that_are_hashes_are_printed_as_times_beyond_2038),
        cmocka_unit_test(every_day_is_the_one_that_the_c_library_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
