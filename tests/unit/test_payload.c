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
        cmocka_unit_test_setup(what_unpacks_to_more_than_allowed_is_refused_by_name, fresh_folder),
        cmocka_unit_test_setup(cut_packages_are_refused, fresh_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
