/* Host facts: what is read off a disk, with a registry or without. */

#include "facts_taken.h"

#include <sys/stat.h>

/* A file below the test's own directory, with the folders above it. */
static void put(const char *path, const char *content)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(folder, 0700);
        *at = '/';
    }
    if (content == NULL)
        return;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void machine_keys_of_all_places_are_listed_by_name_with_their_times(void **state)
{
    (void)state;
    put("keys/WINNT/system32/x", "");
    put("keys/Documents and Settings/All Users/Application Data/Microsoft/Crypto/RSA/MachineKeys/C2319C42_GUID",
        "secret");
    put("keys/ProgramData/Microsoft/Crypto/RSA/MachineKeys/0a_guid", "secret");
    put("keys/ProgramData/Microsoft/Crypto/RSA/MachineKeys/folder/x", "");
    struct taken taken = take(&(struct facts_options){.root = "keys"});
    assert_true(taken.facts->machine_keys_read);
    assert_list(taken.facts->n_machine_keys, taken.facts->machine_keys, "0a_guid c2319c42_guid");
    assert_int_equal(taken.times->n_machine_keys, 2);
    assert_true(taken.times->machine_keys[0]->modified > INT64_C(1600000000) * 1000000);
    drop(&taken);
}

static void the_registry_knows_where_machine_keys_are_in_other_languages(void **state)
{
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/fixtures/registry/w2k-sp3.reg",
             getenv("SOURCE") != NULL ? getenv("SOURCE") : ".");
    put("german/WINNT/system32/x", "");
    put("german/Dokumente und Einstellungen/All Users/Anwendungsdaten/Microsoft/Crypto/RSA/MachineKeys/k", "");
    struct taken taken = take(&(struct facts_options){.root = "german", .registry_file = path});
    assert_list(taken.facts->n_machine_keys, taken.facts->machine_keys, "k");
    drop(&taken);
}

static void assert_not_seen(const Evenkeel__Facts *facts, const char *expected)
{
    char seen[1024] = "";
    for (size_t i = 0; i < facts->n_not_seen; i++)
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%d %.*s %u", i > 0 ? "; " : "",
                 facts->not_seen[i]->kind, (int)facts->not_seen[i]->what.len,
                 (const char *)facts->not_seen[i]->what.data, facts->not_seen[i]->count);
    assert_string_equal(seen, expected);
}

/* What every Windows has. */
#define SERVICES "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services]\n"
#define SESSION_MANAGER "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager]\n"
#define WHOLE HEADER SERVICES SESSION_MANAGER

static struct taken take_disk(const char *root, const char *text)
{
    struct facts_options options = {.root = root};
    struct error error = {0};
    if (registry_parse_text(bytes_of(text, strlen(text)), "test.reg", 0, &options.registry, &error) == -1)
        fail_msg("%s", error.message);
    struct taken taken = take(&options);
    registry_close(options.registry);
    return taken;
}

static void no_machine_keys_and_not_known_differ(void **state)
{
    (void)state;
    put("none/Winnt/System32/x", "");
    put("none/Documents and Settings/All Users/Application Data/x", "");
    put("lost/Winnt/System32/x", "");
    put("data/files/x", "");
    struct taken none = take(&(struct facts_options){.root = "none"});
    struct taken lost = take(&(struct facts_options){.root = "lost"});
    struct taken unknown = take(&(struct facts_options){.root = "data"});
    struct taken diskless = take_fixture("nt4-sp6a.reg");
    assert_true(none.facts->machine_keys_read);
    assert_text(none.facts->windows_directory, "c:/winnt");
    assert_false(lost.facts->machine_keys_read);
    assert_not_seen(lost.facts, "7 c:/winnt 1; 9 machine keys 1");
    assert_false(unknown.facts->machine_keys_read);
    assert_false(diskless.facts->machine_keys_read);
    drop(&none);
    drop(&lost);
    drop(&unknown);
    drop(&diskless);
}

static void windows_nt_4_keeps_machine_keys_in_its_registry_alone(void **state)
{
    (void)state;
    put("nt4/WINNT/System32/x", "");
    struct taken taken = take_disk("nt4", WHOLE ROOT "\"CurrentVersion\"=\"4.0\"\n");
    assert_true(taken.facts->machine_keys_read);
    assert_not_seen(taken.facts, "");
    drop(&taken);
}

static void machine_keys_are_found_whatever_language_the_profiles_are_in(void **state)
{
    (void)state;
    put("french/WINNT/System32/x", "");
    put("french/Profils/All Users/Donn\xe9"
        "es/Microsoft/Crypto/RSA/MachineKeys/K1",
        "");
    struct taken taken = take_disk("french", HEADER ROOT);
    assert_true(taken.facts->machine_keys_read);
    assert_list(taken.facts->n_machine_keys, taken.facts->machine_keys, "k1");
    drop(&taken);
}

static void all_users_profile_is_where_windows_before_vista_says(void **state)
{
    static const char declared[] = WHOLE ROOT NT "\\ProfileList]\n\"ProfilesDirectory\"=\"C:\\\\Perfis\\\\Aqui\"\n"
                                                 "\"AllUsersProfile\"=\"Todos\"\n";
    static const char elsewhere[] = WHOLE ROOT NT "\\ProfileList]\n\"ProfilesDirectory\"=\"E:\\\\Perfis\"\n"
                                                  "\"AllUsersProfile\"=\"Todos\"\n";
    (void)state;
    put("perfis/WINNT/System32/x", "");
    put("perfis/Perfis/Aqui/Todos/Dados/Microsoft/Crypto/RSA/MachineKeys/K1", "");
    put("perfis/Documents and Settings/All Users/Application Data/Microsoft/Crypto/RSA/MachineKeys/OLD", "");
    struct taken taken = take_disk("perfis", declared);
    assert_true(taken.facts->machine_keys_read);
    assert_list(taken.facts->n_machine_keys, taken.facts->machine_keys, "k1");
    drop(&taken);

    /* Those of another folder are not taken for them. */
    taken = take_disk("perfis", elsewhere);
    assert_false(taken.facts->machine_keys_read);
    assert_list(taken.facts->n_machine_keys, taken.facts->machine_keys, "");
    assert_not_seen(taken.facts, "9 machine keys 1");
    drop(&taken);
}

static void the_registry_says_where_windows_is_and_another_beside_it_is_named(void **state)
{
    (void)state;
    put("two/NT40/system32/ntdll.dll", "");
    put("two/WINNT/system32/ntdll.dll", "");
    put("two/WINDOWS/system32/readme.txt", "no Windows");
    struct taken taken = take_disk("two", WHOLE NT "]\n\"SystemRoot\"=\"C:\\\\NT40\"\n");
    assert_text(taken.facts->windows_directory, "c:/nt40");
    assert_list(taken.facts->n_other_windows, taken.facts->other_windows, "c:/winnt");
    assert_not_seen(taken.facts, "9 machine keys 1");
    drop(&taken);
}

static void keys_that_an_export_lacks_are_not_seen(void **state)
{
    (void)state;
    static const struct {
        const char *text, *not_seen;
    } exports[] = {{HEADER ROOT, "13 Services 1; 13 Session Manager 1"},
                   {HEADER SERVICES ROOT, "13 Session Manager 1"},
                   {HEADER SESSION_MANAGER ROOT, "13 Services 1"},
                   {WHOLE ROOT, ""}};
    put("lacks/WINNT/system32/x", "");
    put("lacks/WINNT/Profiles/All Users/Application Data/Microsoft/Crypto/RSA/MachineKeys/K", "");
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) {
        struct taken taken = take_disk("lacks", exports[i].text);
        assert_not_seen(taken.facts, exports[i].not_seen);
        drop(&taken);
    }
}

static void the_registry_says_which_drive_a_disk_is(void **state)
{
    (void)state;
    char letter = 0;
    put("letter/WIN2003/system32/ntdll.dll", "");
    put("letter/ProgramData/x", "");
    struct error error = {0};
    struct facts_options options = {.root = "letter", .drive_found = &letter};
    const char *text = WHOLE NT "]\n\"SystemRoot\"=\"D:\\\\WIN2003\"\n";
    assert_int_equal(registry_parse_text(bytes_of(text, strlen(text)), "test.reg", 0, &options.registry, &error), 0);
    struct taken taken = take(&options);
    assert_int_equal(letter, 'd');
    assert_text(taken.facts->windows_directory, "d:/win2003");
    assert_not_seen(taken.facts, "");
    drop(&taken);

    /* Told otherwise, it is otherwise. */
    options.drive = 'e';
    taken = take(&options);
    assert_int_equal(letter, 'e');
    assert_not_seen(taken.facts, "8 d: 1");
    drop(&taken);
    registry_close(options.registry);
}

static void a_host_may_have_its_windows_on_the_second_of_its_drives(void **state)
{
    (void)state;
    put("drive-c/boot.ini", "");
    put("drive-d/WINDOWS/system32/ntdll.dll", "");
    put("drive-d/Programme/x", "");
    put("drive-d/ProgramData/Microsoft/Crypto/RSA/MachineKeys/K", "");
    struct error error = {0};
    struct facts_drive more = {.root = "drive-d", .letter = 'd'};
    struct facts_options options = {.root = "drive-c", .drive = 'c', .more = &more, .more_count = 1};
    const char *text = WHOLE NT "]\n\"SystemRoot\"=\"D:\\\\WINDOWS\"\n" NT
                                "\\ProfileList]\n\"ProgramData\"=\"%SystemDrive%\\\\ProgramData\"\n"
                                "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion]\n"
                                "\"ProgramFilesDir\"=\"D:\\\\Programme\"\n";
    assert_int_equal(registry_parse_text(bytes_of(text, strlen(text)), "test.reg", 0, &options.registry, &error), 0);
    struct taken taken = take(&options);
    assert_text(taken.facts->program_files, "d:/programme");
    assert_text(taken.facts->common_data, "d:/programdata");
    assert_list(taken.facts->n_machine_keys, taken.facts->machine_keys, "k");
    assert_not_seen(taken.facts, "");
    drop(&taken);
    registry_close(options.registry);
}

static void metabase_is_told_by_digest_and_time_and_xml_counts_before_bin(void **state)
{
    (void)state;
    put("metabase/WINDOWS/System32/inetsrv/MetaBase.bin", "old");
    struct taken taken = take(&(struct facts_options){.root = "metabase"});
    assert_int_equal(taken.facts->metabase.len, DIGEST_BYTES);
    struct digest digest = digest_of(bytes_of("old", 3));
    assert_memory_equal(taken.facts->metabase.data, digest.bytes, DIGEST_BYTES);
    assert_true(taken.times->metabase > INT64_C(1600000000) * 1000000);
    drop(&taken);

    put("metabase/WINDOWS/System32/inetsrv/Metabase.XML", "abc");
    taken = take(&(struct facts_options){.root = "metabase"});
    assert_hex(bytes_of(taken.facts->metabase.data, taken.facts->metabase.len),
               "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    drop(&taken);
}

static void assemblies_are_those_that_programs_load_from(void **state)
{
    (void)state;
    put("sxs/Windows/System32/x", "");
    put("sxs/Windows/WinSxS/x86_Microsoft.VC80.CRT_1fc8b3b9a1e18e3b_8.0.50727.42_x-ww_0de06acd/msvcr80.dll", "");
    put("sxs/Windows/WinSxS/amd64_microsoft-windows-iis-w3svc_31bf3856ad364e35_10.0.1.1_none_1/w3svc.dll", "");
    put("sxs/Windows/WinSxS/msil_system.web_b03f5f7f11d50a3a_4.0_none_1/x", "");
    put("sxs/Windows/WinSxS/amd64_dual_disk.inf_31bf3856ad364e35_10.0_none_1/x", "");
    put("sxs/Windows/WinSxS/Manifests/x", "");
    put("sxs/Windows/WinSxS/x86_a_file", "no folder");
    struct taken taken = take(&(struct facts_options){.root = "sxs"});
    assert_list(taken.facts->n_assemblies, taken.facts->assemblies,
                "x86_microsoft.vc80.crt_1fc8b3b9a1e18e3b_8.0.50727.42_x-ww_0de06acd");
    drop(&taken);
}

static void a_root_without_a_registry_is_a_problem_and_no_error(void **state)
{
    (void)state;
    put("bare/windows/system32/config/SYSTEM", "no hive");
    struct taken taken = take(&(struct facts_options){.root = "bare", .drive = 'D'});
    assert_false(taken.facts->has_registry);
    assert_int_equal(taken.facts->current_build, 0);
    assert_int_equal(taken.problems.count, 1);
    assert_non_null(strstr(taken.problems.items[0], "bare"));
    assert_text(taken.facts->windows_directory, "d:/windows");
    drop(&taken);
}

static void hives_that_are_none_are_named(void **state)
{
    (void)state;
    put("broken/windows/system32/config/system", "no hive");
    put("broken/windows/system32/config/software", "");
    struct taken taken = take(&(struct facts_options){.root = "broken"});
    assert_false(taken.facts->has_registry);
    assert_int_equal(taken.problems.count, 3);
    assert_non_null(strstr(taken.problems.items[0], "broken/windows/system32/config/system"));
    assert_non_null(strstr(taken.problems.items[1], "broken/windows/system32/config/software"));
    drop(&taken);
}

static void what_the_caller_named_and_is_not_there_is_an_error(void **state)
{
    (void)state;
    static const struct facts_options cases[] = {
        {.root = "no-such-root"}, {.registry_file = "no-such.reg"}, {.drive = '1'}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        struct string_list problems = {0};
        Evenkeel__Facts *facts;
        Evenkeel__Times *times;
        assert_int_equal(facts_collect(&cases[i], &facts, &times, &problems, &error), -1);
        assert_null(facts);
        assert_null(times);
        assert_true(error.message[0] != 0);
        string_list_clear(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_keys_of_all_places_are_listed_by_name_with_their_times),
        cmocka_unit_test(the_registry_knows_where_machine_keys_are_in_other_languages),
        cmocka_unit_test(no_machine_keys_and_not_known_differ),
        cmocka_unit_test(windows_nt_4_keeps_machine_keys_in_its_registry_alone),
        cmocka_unit_test(machine_keys_are_found_whatever_language_the_profiles_are_in),
        cmocka_unit_test(all_users_profile_is_where_windows_before_vista_says),
        cmocka_unit_test(the_registry_says_where_windows_is_and_another_beside_it_is_named),
        cmocka_unit_test(keys_that_an_export_lacks_are_not_seen),
        cmocka_unit_test(the_registry_says_which_drive_a_disk_is),
        cmocka_unit_test(a_host_may_have_its_windows_on_the_second_of_its_drives),
        cmocka_unit_test(metabase_is_told_by_digest_and_time_and_xml_counts_before_bin),
        cmocka_unit_test(assemblies_are_those_that_programs_load_from),
        cmocka_unit_test(a_root_without_a_registry_is_a_problem_and_no_error),
        cmocka_unit_test(hives_that_are_none_are_named),
        cmocka_unit_test(what_the_caller_named_and_is_not_there_is_an_error),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
