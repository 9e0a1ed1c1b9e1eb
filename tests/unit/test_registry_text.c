/* Registry exports: both formats, every kind of value, and what is refused. */

#include "collector/registry/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#define V5 "Windows Registry Editor Version 5.00\r\n\r\n"
#define V4 "REGEDIT4\r\n\r\n"
#define KEY "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Key]\r\n"

static struct registry *parse(struct bytes text)
{
    struct registry *registry;
    struct error error = {0};
    if (registry_parse_text(text, "test.reg", 0, &registry, &error) == -1)
        fail_msg("%s", error.message);
    return registry;
}

static struct registry *parse_text(const char *text)
{
    return parse(bytes_of(text, strlen(text)));
}

static bool has_key(struct registry *registry, const char *path)
{
    struct registry_key *key;
    int got = registry_key_open(registry, path, &key, NULL);
    assert_true(got == 0 || got == 1);
    registry_key_close(key);
    return got == 1;
}

/* Reads a value of `path`; false where it is not there. */
static bool read_value(struct registry *registry, const char *path, const char *name, struct registry_value *value)
{
    struct registry_key *key;
    assert_int_equal(registry_key_open(registry, path, &key, NULL), 1);
    int got = registry_value_read(key, name, value, NULL);
    registry_key_close(key);
    return got == 1;
}

static void assert_string(struct registry *registry, const char *path, const char *name, const char *wanted)
{
    struct registry_value value;
    assert_true(read_value(registry, path, name, &value));
    char *seen = registry_value_string(&value);
    assert_non_null(seen);
    assert_string_equal(seen, wanted);
    free(seen);
    registry_value_clear(&value);
}

/* Type and bytes of the value 'v' of the key 'Key' that holds `line` in an export that starts with `header`. */
static void assert_data(const char *header, const char *line, uint32_t type, const void *data, size_t length)
{
    char text[1024];
    struct registry_value value;
    snprintf(text, sizeof text, "%s" KEY "\"v\"=%s\r\n", header, line);
    struct registry *registry = parse_text(text);
    assert_true(read_value(registry, "SOFTWARE\\Key", "v", &value));
    assert_int_equal(value.type, type);
    assert_int_equal(value.length, length);
    assert_memory_equal(value.data, data, length);
    registry_value_clear(&value);
    registry_close(registry);
}

static void assert_refused(const char *text, const char *complaint)
{
    struct registry *registry;
    struct error error = {0};
    assert_int_equal(registry_parse_text(bytes_of(text, strlen(text)), "test.reg", 0, &registry, &error), -1);
    assert_null(registry);
    assert_int_equal(error.code, ERROR_FORMAT);
    assert_non_null(strstr(error.message, complaint));
    assert_non_null(strstr(error.message, "test.reg"));
}

static void values_have_their_type_and_bytes(void **state)
{
    (void)state;
    assert_data(V5, "\"ab\"", REGISTRY_SZ, "a\0b\0\0\0", 6);
    assert_data(V5, "\"\"", REGISTRY_SZ, "\0\0", 2);
    assert_data(V5, "dword:0000000a", REGISTRY_DWORD, "\x0a\0\0\0", 4);
    assert_data(V5, "dword:FFFFFFFF", REGISTRY_DWORD, "\xff\xff\xff\xff", 4);
    assert_data(V5, "hex:01,02,fF", REGISTRY_BINARY, "\x01\x02\xff", 3);
    assert_data(V5, "hex:", REGISTRY_BINARY, "", 0);
    assert_data(V5, "hex(0):", REGISTRY_NONE, "", 0);
    assert_data(V5, "hex(b):01,00,00,00,00,00,00,80", REGISTRY_QWORD, "\1\0\0\0\0\0\0\x80", 8);
    assert_data(V5, "hex(ffff0007):01", 0xffff0007, "\1", 1);
}

static void hex_of_strings_is_utf16_in_version_5_and_8_bit_in_regedit4(void **state)
{
    (void)state;
    assert_data(V5, "hex(2):25,00,41,00,00,00", REGISTRY_EXPAND_SZ, "%\0A\0\0\0", 6);
    assert_data(V4, "hex(2):25,e4,00", REGISTRY_EXPAND_SZ, "%\0\xe4\0\0\0", 6);
    assert_data(V4, "hex(2):80,00", REGISTRY_EXPAND_SZ, "\xac\x20\0\0", 4);
    assert_data(V5, "hex(7):41,00,00,00,00,00", REGISTRY_MULTI_SZ, "A\0\0\0\0\0", 6);
    assert_data(V4, "hex(7):41,00,00", REGISTRY_MULTI_SZ, "A\0\0\0\0\0", 6);
    assert_data(V4, "hex(b):01,00", REGISTRY_QWORD, "\1\0", 2);
}

static void hex_goes_on_behind_a_backslash(void **state)
{
    (void)state;
    assert_data(V5, "hex:01,\\\r\n  02,\\\r\n\t03", REGISTRY_BINARY, "\1\2\3", 3);
    assert_data(V5, "hex:\\\n  01 , 02 ; comment", REGISTRY_BINARY, "\1\2", 2);
}

static void quotes_and_backslashes_are_unescaped_in_names_and_strings(void **state)
{
    (void)state;
    struct registry *registry =
        parse_text(V5 KEY "\"a \\\"b\\\" \\\\ c\"=\"C:\\\\dir\\\\\\\"x\\\"\"\r\n\"=\"=\"]=[;\"\r\n");
    assert_string(registry, "SOFTWARE\\Key", "a \"b\" \\ c", "C:\\dir\\\"x\"");
    assert_string(registry, "SOFTWARE\\Key", "=", "]=[;");
    registry_close(registry);
}

static void a_string_may_go_over_lines_and_hold_what_looks_like_a_key(void **state)
{
    (void)state;
    struct registry *registry =
        parse_text(V5 KEY "\"v\"=\"one\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\No]\n\"\n"
                          "[HKEY_CURRENT_USER\\X]\n\"v\"=\"\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\No]\n\"\n");
    assert_string(registry, "SOFTWARE\\Key", "v", "one\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\No]\n");
    assert_false(has_key(registry, "SOFTWARE\\No"));
    registry_close(registry);
}

static void default_value_has_the_empty_name(void **state)
{
    (void)state;
    struct registry *registry = parse_text(V5 KEY "@=\"default\"\r\n\"@\"=\"at\"\r\n");
    assert_string(registry, "SOFTWARE\\Key", "", "default");
    assert_string(registry, "SOFTWARE\\Key", "@", "at");
    registry_close(registry);
}

static void names_match_whatever_their_case(void **state)
{
    (void)state;
    struct registry *registry =
        parse_text(V5 "[hkey_local_machine\\Software\\KEY]\n\"Name\"=\"1\"\n" KEY "\"NAME\"=\"2\"\n");
    assert_string(registry, "software\\key", "name", "2");
    assert_string(registry, "\\SOFTWARE\\\\Key\\", "name", "2");
    registry_close(registry);
}

static void removed_keys_and_values_are_gone_with_all_below(void **state)
{
    (void)state;
    struct registry_value value;
    struct registry *registry = parse_text(V5 KEY "\"v\"=\"1\"\n\"w\"=\"1\"\n\"v\"=-\n\"never\"=-\n"
                                                  "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Key\\Sub]\n"
                                                  "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Old\\Sub]\n\"v\"=\"1\"\n"
                                                  "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Old]\n\"v\"=\"in no key\"\n"
                                                  "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Never\\There]\n");
    assert_false(read_value(registry, "SOFTWARE\\Key", "v", &value));
    assert_string(registry, "SOFTWARE\\Key", "w", "1");
    assert_true(has_key(registry, "SOFTWARE\\Key\\Sub"));
    assert_false(has_key(registry, "SOFTWARE\\Old"));
    assert_false(has_key(registry, "SOFTWARE\\Old\\Sub"));
    assert_false(has_key(registry, "SOFTWARE\\Never"));
    /* A value that is not there takes nothing with it. */
    struct registry_key *machine, *software;
    assert_int_equal(registry_key_open(registry, "", &machine, NULL), 1);
    assert_int_equal(registry_key_child(machine, 0, &software, NULL), 1);
    assert_string_equal(registry_key_name(software), "SOFTWARE");
    registry_key_close(software);
    registry_key_close(machine);
    registry_close(registry);
}

static void a_key_made_again_after_its_removal_is_empty(void **state)
{
    (void)state;
    struct registry_value value;
    struct registry *registry =
        parse_text(V5 "[HKEY_LOCAL_MACHINE\\A\\B]\n\"v\"=\"1\"\n[-HKEY_LOCAL_MACHINE\\A]\n[HKEY_LOCAL_MACHINE\\A]\n");
    assert_false(read_value(registry, "A", "v", &value));
    assert_false(has_key(registry, "A\\B"));
    registry_close(registry);
}

static void children_and_values_come_one_by_one(void **state)
{
    (void)state;
    struct registry *registry = parse_text(V5 "[HKEY_LOCAL_MACHINE\\A\\Two]\n[HKEY_LOCAL_MACHINE\\A\\One]\n"
                                              "[HKEY_LOCAL_MACHINE\\A\\Three]\n[-HKEY_LOCAL_MACHINE\\A\\One]\n"
                                              "[HKEY_LOCAL_MACHINE\\A]\n\"x\"=\"1\"\n\"y\"=\"2\"\n");
    static const char *const children[] = {"Two", "Three"}, *const names[] = {"x", "y"};
    struct registry_key *key, *child;
    assert_int_equal(registry_key_open(registry, "A", &key, NULL), 1);
    for (size_t i = 0; i < 2; i++) {
        struct registry_value value;
        assert_int_equal(registry_key_child(key, i, &child, NULL), 1);
        assert_string_equal(registry_key_name(child), children[i]);
        assert_true(registry_key_written(child) == 0);
        registry_key_close(child);
        assert_int_equal(registry_value_at(key, i, &value, NULL), 1);
        assert_string_equal(value.name, names[i]);
        registry_value_clear(&value);
    }
    assert_int_equal(registry_key_child(key, 2, &child, NULL), 0);
    assert_int_equal(registry_key_child(key, 0, &child, NULL), 1);
    assert_string_equal(registry_key_name(child), "Two");
    registry_key_close(child);
    registry_key_close(key);
    registry_close(registry);
}

static void a_key_name_may_hold_brackets_and_blanks(void **state)
{
    (void)state;
    struct registry *registry = parse_text(V5 "  [HKEY_LOCAL_MACHINE\\A\\[x] y] ; comment\n\"v\"=\"1\"\n");
    assert_string(registry, "A\\[x] y", "v", "1");
    registry_close(registry);
}

static void exports_behind_one_another_are_one_registry(void **state)
{
    (void)state;
    struct registry *registry = parse_text("\xef\xbb\xbf" V5 "[HKEY_LOCAL_MACHINE\\A]\n\"v\"=hex(1):41,00\n"
                                           "REGEDIT4\n[HKEY_LOCAL_MACHINE\\B]\n\"v\"=hex(1):42\n");
    assert_string(registry, "A", "v", "A");
    assert_string(registry, "B", "v", "B");
    registry_close(registry);
}

static void text_is_read_in_utf16_utf8_and_windows_1252(void **state)
{
    (void)state;
    static const char ascii[] = V5 KEY "\"v\"=\"";
    uint8_t utf16[256] = {0xff, 0xfe};
    size_t length = 2;
    for (const char *at = ascii; *at != 0; at++) {
        utf16[length] = (uint8_t)*at;
        length += 2;
    }
    memcpy(utf16 + length, "\xe4\0\x3d\xd8\x00\xde\x3d\xd8\"\0", 10); /* a letter, a pair, half a pair, the quote */
    struct registry *registry = parse(bytes_of(utf16, length + 10));
    assert_string(registry, "SOFTWARE\\Key", "v", "\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd");
    registry_close(registry);

    registry = parse(bytes_of(utf16 + 2, length - 2 + 10));
    assert_string(registry, "SOFTWARE\\Key", "v", "\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd");
    registry_close(registry);

    registry = parse_text(V5 KEY "\"v\"=\"\xc3\xa4\"\n");
    assert_string(registry, "SOFTWARE\\Key", "v", "\xc3\xa4");
    registry_close(registry);

    registry = parse_text(V4 KEY "\"v\"=\"\xe4\x80\"\n");
    assert_string(registry, "SOFTWARE\\Key", "v", "\xc3\xa4\xe2\x82\xac");
    registry_close(registry);
}

static void classes_and_other_roots_are_passed_over(void **state)
{
    (void)state;
    struct registry *registry = parse_text(V5 "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\.txt]\n\"v\"=\"1\"\n"
                                              "[HKEY_LOCAL_MACHINE\\SOFTWARE\\ClassesToo]\n"
                                              "[HKEY_LOCAL_MACHINERY\\A]\n[HKEY_USERS\\B]\n\"v\"=dword:1\n");
    assert_false(has_key(registry, "SOFTWARE\\Classes"));
    assert_true(has_key(registry, "SOFTWARE\\ClassesToo"));
    assert_false(has_key(registry, "A"));
    assert_false(has_key(registry, "B"));
    registry_close(registry);
}

static void current_control_set_is_the_one_that_select_names(void **state)
{
    (void)state;
    struct registry *registry = parse_text(V5 "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\X]\n\"v\"=\"1\"\n"
                                              "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\X]\n\"v\"=\"2\"\n"
                                              "[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:2\n");
    assert_string(registry, "SYSTEM\\CurrentControlSet\\X", "v", "2");
    assert_string(registry, "system\\CURRENTCONTROLSET\\x", "v", "2");
    assert_string(registry, "SYSTEM\\ControlSet001\\X", "v", "1");
    registry_close(registry);
}

static void current_control_set_is_found_without_select_too(void **state)
{
    (void)state;
    struct registry *registry = parse_text(V5 "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet003\\X]\n\"v\"=\"3\"\n");
    assert_string(registry, "SYSTEM\\CurrentControlSet\\X", "v", "3");
    assert_false(has_key(registry, "SYSTEM\\CurrentControlSet\\Y"));
    registry_close(registry);

    registry = parse_text(V5 "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\X]\n\"v\"=\"c\"\n");
    assert_string(registry, "SYSTEM\\CurrentControlSet\\X", "v", "c");
    registry_close(registry);
}

static void strings_of_a_list_keep_empty_ones_but_not_the_end(void **state)
{
    (void)state;
    struct error error = {0};
    struct string_list strings = {0};
    struct registry_value value = {
        .type = REGISTRY_MULTI_SZ, .data = (uint8_t *)"a\0\0\0\0\0b\0\0\0\0\0", .length = 12};
    assert_int_equal(registry_value_strings(&value, &strings, &error), 0);
    assert_int_equal(strings.count, 3);
    assert_string_equal(strings.items[0], "a");
    assert_string_equal(strings.items[1], "");
    assert_string_equal(strings.items[2], "b");
    string_list_clear(&strings);

    value.length = 3; /* cut in the middle of the NUL */
    assert_int_equal(registry_value_strings(&value, &strings, &error), 0);
    assert_int_equal(strings.count, 1);
    string_list_clear(&strings);

    value.type = REGISTRY_DWORD;
    assert_int_equal(registry_value_strings(&value, &strings, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
}

static void numbers_and_strings_of_other_types_are_none(void **state)
{
    (void)state;
    uint32_t number = 7;
    struct registry_value value = {.type = REGISTRY_BINARY, .data = (uint8_t *)"\1\0\0\0", .length = 4};
    assert_false(registry_value_number(&value, &number));
    assert_int_equal(number, 0);
    assert_null(registry_value_string(&value));
    value.type = REGISTRY_DWORD;
    assert_true(registry_value_number(&value, &number));
    assert_int_equal(number, 1);
    value.length = 3;
    assert_false(registry_value_number(&value, &number));
}

static void an_oversized_value_is_an_error_of_its_own_only(void **state)
{
    (void)state;
    static const char head[] = V5 KEY "\"big\"=\"", tail[] = "\"\n\"small\"=\"1\"\n";
    size_t length = sizeof head - 1 + REGISTRY_VALUE_LIMIT / 2 + sizeof tail - 1;
    char *text = malloc(length);
    struct registry_value value;
    struct registry_key *key;
    struct error error = {0};
    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + length - (sizeof tail - 1), tail, sizeof tail - 1);
    struct registry *registry = parse(bytes_of(text, length));
    assert_int_equal(registry_key_open(registry, "SOFTWARE\\Key", &key, NULL), 1);
    assert_int_equal(registry_value_read(key, "big", &value, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    registry_key_close(key);
    assert_string(registry, "SOFTWARE\\Key", "small", "1");
    registry_close(registry);
    free(text);
}

static void keys_nested_too_deep_are_refused(void **state)
{
    (void)state;
    char text[64 + 2 * (REGISTRY_DEPTH_LIMIT + 1)] = V5 "[HKEY_LOCAL_MACHINE";
    struct registry *registry;
    struct error error = {0};
    for (size_t i = 0; i < REGISTRY_DEPTH_LIMIT; i++)
        strcat(text, "\\k");
    strcat(text, "]\n");
    registry_close(parse_text(text));
    strcpy(strrchr(text, ']'), "\\k]\n");
    assert_int_equal(registry_parse_text(bytes_of(text, strlen(text)), "deep.reg", 0, &registry, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
}

static void ten_thousand_keys_are_found_and_listed(void **state)
{
    (void)state;
    size_t size = 10000 * 40 + 64, used = 0;
    char *text = malloc(size);
    struct registry_key *key, *child;
    size_t count = 0;
    assert_non_null(text);
    used += (size_t)snprintf(text, size, V5);
    for (int i = 0; i < 10000; i++)
        used += (size_t)snprintf(text + used, size - used, "[HKEY_LOCAL_MACHINE\\K%d]\n@=dword:%x\n", i, i);
    struct registry *registry = parse(bytes_of(text, used));
    for (int i = 0; i < 10000; i++) {
        char path[16];
        snprintf(path, sizeof path, "k%d", i);
        assert_true(has_key(registry, path));
    }
    assert_int_equal(registry_key_open(registry, "", &key, NULL), 1);
    while (registry_key_child(key, count, &child, NULL) == 1) {
        registry_key_close(child);
        count++;
    }
    assert_int_equal(count, 10000);
    registry_key_close(key);
    registry_close(registry);
    free(text);
}

static void what_is_no_export_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_refused("", "no key");
    assert_refused("hello\n", "line 1");
    assert_refused(KEY, "Windows Registry Editor");
    assert_refused(V5, "no key");
    assert_refused(V5 "[HKEY_USERS\\A]\n\"v\"=\"1\"\n", "HKEY_LOCAL_MACHINE");
    assert_refused(V5 KEY "\"v\"=\"1\"\nnonsense\n", "line 5");
    assert_refused(V5 "[HKEY_LOCAL_MACHINE\\A\n", "closing bracket");
    assert_refused(V5 "[HKEY_LOCAL_MACHINE\\A\\\\B]\n", "test.reg");
}

static void a_cut_or_broken_value_is_refused(void **state)
{
    (void)state;
    assert_refused(V5 KEY "\"v", "quotes");
    assert_refused(V5 KEY "\"v\"", "'='");
    assert_refused(V5 KEY "\"v\"=", "neither");
    assert_refused(V5 KEY "\"v\"=\"text", "quotes");
    assert_refused(V5 KEY "\"v\"=\"text\" more\n", "more on the line");
    assert_refused(V5 KEY "\"v\"=dword:\n", "dword");
    assert_refused(V5 KEY "\"v\"=dword:123456789\n", "more on the line");
    assert_refused(V5 KEY "\"v\"=hex:zz\n", "hex");
    assert_refused(V5 KEY "\"v\"=hex:100\n", "number");
    assert_refused(V5 KEY "\"v\"=hex(:\n", "type");
    assert_refused(V5 KEY "\"v\"=hex(2)00\n", "colon");
    assert_refused(V5 KEY "\"v\"=hex:01,\\ 02\n", "backslash");
    assert_refused(V5 KEY "\"v\"=hex:01,\\", "backslash");
    assert_refused(V5 KEY "\"v\"=word:1\n", "neither");
}

static void an_export_with_nuls_is_refused(void **state)
{
    (void)state;
    static const char text[] = V5 KEY "\"v\"=\"a\0b\"\n";
    struct registry *registry;
    struct error error = {0};
    assert_int_equal(registry_parse_text(bytes_of(text, sizeof text - 1), "nul.reg", 0, &registry, &error), -1);
    assert_int_equal(error.code, ERROR_FORMAT);
}

/* Reads an export in a code page (0: not told) and what of it may be misspelt, "PAGE COUNT". */
static struct registry *parse_page(const char *text, unsigned page, const char *misspelt)
{
    struct registry *registry;
    struct error error = {0};
    unsigned found;
    char seen[40];
    if (registry_parse_text(bytes_of(text, strlen(text)), "test.reg", page, &registry, &error) == -1)
        fail_msg("%s", error.message);
    uint64_t count = registry_misspelt(registry, &found);
    snprintf(seen, sizeof seen, "%u %u", found, (unsigned)count);
    assert_string_equal(seen, misspelt);
    return registry;
}

static void an_8_bit_export_is_of_the_page_that_is_told_or_that_it_names(void **state)
{
    (void)state;
    static const char nls[] =
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Nls\\CodePage]\r\n\"OEMCP\"=\"866\"\r\n"
        "\"ACP\"=\"1251\"\r\n";
    static const char key[] = V4 KEY "\"v\"=\"C:\\\\\xcf\xf0\xee\"\r\n\"x\"=hex(2):cf,f0,00\r\n\"plain\"=\"a\"\r\n";
    char text[600];

    struct registry *registry = parse_page(key, 1251, "1251 0");
    assert_string(registry, "SOFTWARE\\Key", "v", "C:\\Про");
    assert_string(registry, "SOFTWARE\\Key", "x", "Пр");
    registry_close(registry);
    snprintf(text, sizeof text, "%s%s", key, nls);
    registry = parse_page(text, 0, "1251 0");
    assert_string(registry, "SOFTWARE\\Key", "v", "C:\\Про");
    assert_string(registry, "SOFTWARE\\Key", "x", "Пр");
    registry_close(registry);
    /* What another key calls ACP is none. */
    snprintf(text, sizeof text, "%s[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other]\r\n\"ACP\"=\"1251\"\r\n", key);
    registry = parse_page(text, 0, "1252 2");
    assert_string(registry, "SOFTWARE\\Key", "v", "C:\\Ïðî");
    registry_close(registry);
    /* The second byte of a letter may be a backslash. */
    registry = parse_page(V4 KEY "\"v\"=\"\x83\x5c\x83\x74\"\r\n", 932, "932 0");
    assert_string(registry, "SOFTWARE\\Key", "v", "ソフ");
    registry_close(registry);
    registry = parse_page(V4 KEY "\"v\"=\"\xff\x82\xa0\"\r\n", 932, "932 1");
    assert_string(registry, "SOFTWARE\\Key", "v", "\xef\xbf\xbdあ");
    registry_close(registry);
    registry = parse_page(V4 KEY "\"v\"=\"plain\"\r\n", 0, "1252 0");
    registry_close(registry);
    struct error error = {0};
    assert_int_equal(registry_parse_text(bytes_of(key, sizeof key - 1), "test.reg", 64999, &registry, &error), -1);
    assert_string_equal(error.message,
                        "code page 64999 is not known here; Windows' are 1250 to 1258, 874, 932 and so on");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct registry *registry;
    struct error error = {0};
    assert_int_equal(registry_open_text("no-such.reg", 0, &registry, &error), -1);
    assert_non_null(strstr(error.message, "no-such.reg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_8_bit_export_is_of_the_page_that_is_told_or_that_it_names),
        cmocka_unit_test(values_have_their_type_and_bytes),
        cmocka_unit_test(hex_of_strings_is_utf16_in_version_5_and_8_bit_in_regedit4),
        cmocka_unit_test(hex_goes_on_behind_a_backslash),
        cmocka_unit_test(quotes_and_backslashes_are_unescaped_in_names_and_strings),
        cmocka_unit_test(a_string_may_go_over_lines_and_hold_what_looks_like_a_key),
        cmocka_unit_test(default_value_has_the_empty_name),
        cmocka_unit_test(names_match_whatever_their_case),
        cmocka_unit_test(removed_keys_and_values_are_gone_with_all_below),
        cmocka_unit_test(a_key_made_again_after_its_removal_is_empty),
        cmocka_unit_test(children_and_values_come_one_by_one),
        cmocka_unit_test(a_key_name_may_hold_brackets_and_blanks),
        cmocka_unit_test(exports_behind_one_another_are_one_registry),
        cmocka_unit_test(text_is_read_in_utf16_utf8_and_windows_1252),
        cmocka_unit_test(classes_and_other_roots_are_passed_over),
        cmocka_unit_test(current_control_set_is_the_one_that_select_names),
        cmocka_unit_test(current_control_set_is_found_without_select_too),
        cmocka_unit_test(strings_of_a_list_keep_empty_ones_but_not_the_end),
        cmocka_unit_test(numbers_and_strings_of_other_types_are_none),
        cmocka_unit_test(an_oversized_value_is_an_error_of_its_own_only),
        cmocka_unit_test(keys_nested_too_deep_are_refused),
        cmocka_unit_test(ten_thousand_keys_are_found_and_listed),
        cmocka_unit_test(what_is_no_export_is_refused_with_its_line),
        cmocka_unit_test(a_cut_or_broken_value_is_refused),
        cmocka_unit_test(an_export_with_nuls_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
