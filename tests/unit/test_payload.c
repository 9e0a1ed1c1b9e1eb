/* Packages as real tools make them, and what they must not do: each kind unpacks to its files, below the folder, within
 * the budget. */

#include "aggregator/payload/payload_unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CONTENT "what a DLL would hold"

/* Runs a command of the shell in the test's folder, which must succeed. */
static void shell(const char *command)
{
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

static int fresh_folder(void **state)
{
    (void)state;
    shell("rm -rf place && mkdir -p place/in/sub place/out && cd place/in && printf '" CONTENT
          "' >a.dll && cp a.dll sub/b.dll");
    return 0;
}

static int unpack(const char *name, struct payload_budget *budget, struct error *error)
{
    char path[256];
    bool found = false;
    char *place = realpath("place", NULL);
    assert_non_null(place);
    snprintf(path, sizeof path, "place/%s", name);
    char *package = realpath(path, NULL);
    assert_non_null(package);
    char out[4200];
    snprintf(out, sizeof out, "%s/out", place);
    enum payload_kind kind = payload_kind_of(package);
    assert_int_not_equal(kind, PAYLOAD_OTHER);
    int status = payload_unpack(package, kind, out, budget, &found, error);
    assert_true(status < 0 || found);
    free(package);
    free(place);
    return status;
}

static void unpacks(const char *name)
{
    struct payload_budget budget = {.bytes = 1 << 20, .files = 100};
    struct error error = {0};
    if (unpack(name, &budget, &error) < 0)
        fail_msg("%s: %s", name, error.message);
    assert_true(budget.files < 100);
}

static void refuses(const char *name, uint64_t bytes, const char *says)
{
    struct payload_budget budget = {.bytes = bytes, .files = 100};
    struct error error = {0};
    shell("rm -rf place/out && mkdir place/out");
    assert_int_equal(unpack(name, &budget, &error), -1);
    if (strstr(error.message, says) == NULL)
        fail_msg("'%s' does not say '%s'", error.message, says);
}

static void holds(const char *path)
{
    char content[64] = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("there is no %s", path);
    assert_int_equal(fread(content, 1, sizeof content - 1, file), strlen(CONTENT));
    assert_string_equal(content, CONTENT);
    fclose(file);
}

static void nothing_outside(void)
{
    shell("test -z \"$(find place -type l)\" && test \"$(ls place | grep -v '^in$\\|^out$\\|^package' | wc -l)\" = 0");
}

static void cabinets_are_unpacked(void **state)
{
    (void)state;
    shell("cd place/in && gcab -c -z ../package.cab a.dll sub/b.dll");
    unpacks("package.cab");
    holds("place/out/a.dll");
    holds("place/out/sub/b.dll");
}

static void an_msu_is_a_cabinet_that_holds_one(void **state)
{
    (void)state;
    shell("cd place/in && gcab -c inner.cab a.dll && gcab -c ../package.msu inner.cab");
    unpacks("package.msu");
    shell("mv place/out/inner.cab place/package-inner.cab");
    unpacks("package-inner.cab");
    holds("place/out/a.dll");
}

static void a_program_with_a_cabinet_behind_it_is_unpacked(void **state)
{
    (void)state;
    shell("cd place/in && gcab -c -z c.cab a.dll && { printf MZ; head -c 5000 /dev/zero; cat c.cab; } >../package.exe");
    unpacks("package.exe");
    holds("place/out/a.dll");
}

static void installers_are_unpacked_with_their_folders(void **state)
{
    (void)state;
    shell("cd place && wixl -D FOLDER=App -o package.msi \"$SOURCE/tests/fixtures/package.wxs\"");
    unpacks("package.msi");
    holds("place/out/Program Files/App/a.dll");
}

static void images_are_unpacked_and_links_left_out(void **state)
{
    (void)state;
    shell("cd place/in && ln -s /etc/passwd link.dll && 7z a -twim -snl ../package.wim . >/dev/null && rm link.dll");
    unpacks("package.wim");
    holds("place/out/sub/b.dll");
    nothing_outside();
}

static void names_that_lead_out_stay_below_the_folder_or_are_refused(void **state)
{
    (void)state;
    shell("cd place && mkdir -p x/y && cp in/a.dll x/a.dll && cd x/y && gcab -c ../../package.cab ../a.dll && rm -r "
          "../../x");
    unpacks("package.cab");
    shell("cd place && wixl -D FOLDER='../../../App' -o package.msi \"$SOURCE/tests/fixtures/package.wxs\"");
    refuses("package.msi", 1 << 20, "holds 'Program Files/../../../App/a.dll'");
    nothing_outside();
}

static void put_number(FILE *file, unsigned number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        fputc((int)((uint64_t)number >> 8 * i & 0xff), file);
}

/* An uncompressed cabinet of files that hold CONTENT, under names that no tool would write (Microsoft Cabinet Format).
 */
static void write_cabinet(const char *path, const char *const *names, unsigned count)
{
    enum { HEADER = 36, FOLDER = 8, FILE_HEAD = 16, DATA_HEAD = 8 };
    const unsigned length = (unsigned)strlen(CONTENT);
    unsigned data = HEADER + FOLDER;
    for (unsigned i = 0; i < count; i++)
        data += FILE_HEAD + (unsigned)strlen(names[i]) + 1;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("MSCF", file);
    put_number(file, 0, 4);
    put_number(file, data + DATA_HEAD + count * length, 4);
    put_number(file, 0, 4);
    put_number(file, HEADER + FOLDER, 4); /* where the files begin */
    put_number(file, 0, 4);
    put_number(file, 0x0103, 2); /* version 1.3 */
    put_number(file, 1, 2);
    put_number(file, count, 2);
    put_number(file, 0, 2 + 2 + 2);
    put_number(file, data, 4);
    put_number(file, 1, 2); /* one block, */
    put_number(file, 0, 2); /* not compressed */
    for (unsigned i = 0; i < count; i++) {
        put_number(file, length, 4);
        put_number(file, i * length, 4);
        put_number(file, 0, 2 + 2 + 2);
        put_number(file, 0x20, 2);
        fwrite(names[i], 1, strlen(names[i]) + 1, file);
    }
    put_number(file, 0, 4); /* no checksum */
    put_number(file, count * length, 2);
    put_number(file, count * length, 2);
    for (unsigned i = 0; i < count; i++)
        fputs(CONTENT, file);
    assert_int_equal(fclose(file), 0);
}

static void a_cabinet_written_to_lead_out_stays_below_the_folder(void **state)
{
    (void)state;
    static const char *const names[] = {
        "..\\up.dll", "a\\..\\..\\..\\climb.dll", "\\root.dll", "c:\\drive.dll", "./here.dll", ".../dots.dll"};
    write_cabinet("place/package.cab", names, sizeof names / sizeof *names);
    unpacks("package.cab");
    holds("place/out/up.dll");
    holds("place/out/a/climb.dll");
    holds("place/out/root.dll");
    holds("place/out/c_/drive.dll");
    holds("place/out/here.dll");
    holds("place/out/.../dots.dll");
    nothing_outside();
}

static void a_cabinet_whose_name_is_only_dots_is_refused(void **state)
{
    (void)state;
    write_cabinet("place/package.cab", (const char *const[]){"..\\.."}, 1);
    refuses("package.cab", 1 << 20, "without a usable name");
    nothing_outside();
}

static void more_files_than_allowed_are_refused_by_name(void **state)
{
    (void)state;
    struct error error = {0};
    static const char *const names[] = {"a.dll", "b.dll", "c.dll", "d.dll"};
    write_cabinet("place/package.cab", names, 4);
    struct payload_budget budget = {.bytes = 1 << 20, .files = 3};
    assert_int_equal(unpack("package.cab", &budget, &error), -1);
    assert_non_null(strstr(error.message, "more than is allowed with 'd.dll'"));
    holds("place/out/c.dll");
    assert_int_equal(access("place/out/d.dll", F_OK), -1);
    budget = (struct payload_budget){.bytes = 1 << 20, .files = 4};
    assert_int_equal(unpack("package.cab", &budget, &error), 0);
    assert_int_equal(budget.files, 0);
    assert_int_equal(budget.bytes, (1 << 20) - 4 * strlen(CONTENT));
}

static void more_files_than_allowed_of_an_image_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    shell("cd place/in && 7z a -twim ../package.wim . >/dev/null");
    struct payload_budget budget = {.bytes = 1 << 20, .files = 1};
    assert_int_equal(unpack("package.wim", &budget, &error), -1);
    assert_non_null(strstr(error.message, "more than"));
    shell("rm -rf place/out && mkdir place/out");
    budget = (struct payload_budget){.bytes = 1 << 20, .files = 2};
    assert_int_equal(unpack("package.wim", &budget, &error), 0);
    assert_int_equal(budget.files, 0);
}

static void what_unpacks_to_more_than_allowed_is_refused_by_name(void **state)
{
    (void)state;
    shell("cd place/in && head -c 3000000 /dev/zero >a.dll && gcab -c -z ../package.cab a.dll && 7z a -twim "
          "../package.wim a.dll >/dev/null"
          " && cd .. && wixl -D FOLDER=App -o package.msi \"$SOURCE/tests/fixtures/package.wxs\"");
    refuses("package.cab", 1 << 20, "more than is allowed with 'a.dll'");
    refuses("package.msi", 1 << 20, "the largest being 'Program Files/App/a.dll'");
    refuses("package.wim", 1 << 20, "the largest being 'a.dll'");
    shell("test $(du -sb place/out | cut -f1) -lt 4000000");
}

static void cut_packages_are_refused(void **state)
{
    (void)state;
    shell("cd place && wixl -D FOLDER=App -o whole.msi \"$SOURCE/tests/fixtures/package.wxs\" && head -c 3000 "
          "whole.msi >package.msi && rm whole.msi"
          " && cd in && 7z a -twim ../whole.wim . >/dev/null && head -c 250 ../whole.wim >../package.wim && rm "
          "../whole.wim");
    refuses("package.msi", 1 << 20, "msiextract can't unpack");
    refuses("package.wim", 1 << 20, "7z can't unpack");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cabinets_are_unpacked, fresh_folder),
        cmocka_unit_test_setup(an_msu_is_a_cabinet_that_holds_one, fresh_folder),
        cmocka_unit_test_setup(a_program_with_a_cabinet_behind_it_is_unpacked, fresh_folder),
        cmocka_unit_test_setup(installers_are_unpacked_with_their_folders, fresh_folder),
        cmocka_unit_test_setup(images_are_unpacked_and_links_left_out, fresh_folder),
        cmocka_unit_test_setup(names_that_lead_out_stay_below_the_folder_or_are_refused, fresh_folder),
        cmocka_unit_test_setup(a_cabinet_written_to_lead_out_stays_below_the_folder, fresh_folder),
        cmocka_unit_test_setup(a_cabinet_whose_name_is_only_dots_is_refused, fresh_folder),
        cmocka_unit_test_setup(more_files_than_allowed_are_refused_by_name, fresh_folder),
        cmocka_unit_test_setup(more_files_than_allowed_of_an_image_are_refused, fresh_folder),
        cmocka_unit_test_setup(what_unpacks_to_more_than_allowed_is_refused_by_name, fresh_folder),
        cmocka_unit_test_setup(cut_packages_are_refused, fresh_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
