/* Host facts: what is read out of a registry and a disk, how it is written, and what is told apart from 'there is
 * none'. */

#include "collector/base/path.h"
#include "collector/facts/facts.h"
#include "collector/facts/facts_time.h"
#include "hex.h"
#include "proto/limits.h"
#include "proto/object.h"

#include <stdio.h>
#include <sys/stat.h>

#define HEADER "Windows Registry Editor Version 5.00\n"
#define NT "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
#define SYSTEM "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet"
#define MANAGER SYSTEM "\\Control\\Session Manager"
#define PACKAGES                                                                                                       \
    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\"
#define ROOT NT "]\n\"SystemRoot\"=\"C:\\\\WINNT\"\n"

/* What one collection gave. */
struct taken {
    Evenkeel__Facts *facts;
    Evenkeel__Times *times;
    struct string_list problems;
};

static void drop(struct taken *taken)
{
    evenkeel__facts__free_unpacked(taken->facts, NULL);
    evenkeel__times__free_unpacked(taken->times, NULL);
    string_list_clear(&taken->problems);
}

static struct taken take(const struct facts_options *options)
{
    struct taken taken = {0};
    struct error error = {0};
    if (facts_collect(options, &taken.facts, &taken.times, &taken.problems, &error) == -1)
        fail_msg("%s", error.message);
    assert_int_equal(object_check_facts(taken.facts, &error), 0);
    assert_int_equal(object_check_times(taken.times, &error), 0);
    return taken;
}

static struct taken take_text(const char *text)
{
    struct facts_options options = {0};
    struct error error = {0};
    if (registry_parse_text(bytes_of(text, strlen(text)), "test.reg", 0, &options.registry, &error) == -1)
        fail_msg("%s", error.message);
    struct taken taken = take(&options);
    registry_close(options.registry);
    return taken;
}

static struct taken take_fixture(const char *name)
{
    char path[4096];
    const char *source = getenv("SOURCE");
    snprintf(path, sizeof path, "%s/tests/fixtures/registry/%s", source != NULL ? source : ".", name);
    return take(&(struct facts_options){.registry_file = path});
}

static void assert_text(ProtobufCBinaryData field, const char *wanted)
{
    char seen[4096];
    assert_true(field.len < sizeof seen);
    if (field.len > 0)
        memcpy(seen, field.data, field.len);
    seen[field.len] = 0;
    assert_string_equal(seen, wanted);
}

/* All of a list, with blanks between. */
static void assert_list(size_t count, const ProtobufCBinaryData *list, const char *wanted)
{
    char seen[4096] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%.*s", i > 0 ? " " : "", (int)list[i].len,
                                 (const char *)list[i].data);
    assert_string_equal(seen, wanted);
}

/* All hotfixes: id:source:service pack:date, with blanks between. */
static void assert_hotfixes(const Evenkeel__Facts *facts, const char *wanted)
{
    char seen[4096] = "";
    size_t used = 0;
    for (size_t i = 0; i < facts->n_hotfixes; i++) {
        const ProtobufCBinaryData fields[] = {facts->hotfixes[i]->id, facts->hotfixes[i]->source,
                                              facts->hotfixes[i]->service_pack, facts->hotfixes[i]->install_date};
        for (size_t n = 0; n < 4; n++)
            used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%.*s",
                                     n > 0   ? ":"
                                     : i > 0 ? " "
                                             : "",
                                     (int)fields[n].len, (const char *)fields[n].data);
    }
    assert_string_equal(seen, wanted);
}

static void nt4_at_sp6a_is_told_by_its_hotfix_key(void **state)
{
    (void)state;
    struct taken taken = take_fixture("nt4-sp6a.reg");
    assert_text(taken.facts->current_version, "4.0");
    assert_int_equal(taken.facts->current_build, 1381);
    assert_text(taken.facts->service_pack, "Service Pack 6");
    assert_hotfixes(taken.facts, "Q147222:hotfix:: Q246009:hotfix::1999-12-14");
    assert_text(taken.facts->clone_tag, "Thu Mar 09 15:35:36 2000");
    assert_true(taken.facts->clone_time == INT64_C(952616136) * 1000000);
    assert_text(taken.facts->machine_sid, "S-1-5-21-10-20-30");
    assert_int_equal(taken.facts->inetstp_major, 4);
    assert_int_equal(taken.facts->n_services, 1);
    assert_int_equal(taken.facts->services[0]->start, 2);
    drop(&taken);
}

static void service_pack_of_another_language_has_its_number(void **state)
{
    (void)state;
    struct taken taken = take_text(HEADER NT "]\n\"CSDVersion\"=\"Dienstpaket 2\"\n" SYSTEM
                                             "\\Control\\Windows]\n\"CSDVersion\"=dword:00000200\n");
    assert_text(taken.facts->service_pack, "Dienstpaket 2");
    assert_int_equal(taken.facts->service_pack_number, 0x200);
    drop(&taken);
    taken = take_text(HEADER SYSTEM "\\Control\\Windows]\n\"CSDVersion\"=dword:00000600\n");
    assert_text(taken.facts->service_pack, "Service Pack 6");
    drop(&taken);
}

static void display_version_is_the_release_id_where_there_is_none(void **state)
{
    (void)state;
    struct taken taken = take_text(HEADER NT "]\n\"InstallationType\"=\"Server Core\"\n\"ReleaseId\"=\"1809\"\n");
    assert_text(taken.facts->installation_type, "Server Core");
    assert_text(taken.facts->display_version, "1809");
    drop(&taken);
    taken = take_text(HEADER NT "]\n\"DisplayVersion\"=\"22H2\"\n\"ReleaseId\"=\"2009\"\n");
    assert_text(taken.facts->installation_type, "");
    assert_text(taken.facts->display_version, "22H2");
    drop(&taken);
}

#define GUARD SYSTEM "\\Control\\DeviceGuard]\n\"EnableVirtualizationBasedSecurity\"=dword:00000001\n"
#define ENROLLED                                                                                                       \
    NT "\\Update\\TargetingInfo\\DynamicInstalled\\Hotpatch.amd64]\n\"Name\"=\"Hotpatch Enrollment Package\"\n"
#define TABLE MANAGER "\\Memory Management]\n\"HotPatchTableSize\"=dword:00001000\n"
#define TYPE(type) SYSTEM "\\Control\\ProductOptions]\n\"ProductType\"=\"" type "\"\n"
#define ALLOWED                                                                                                        \
    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\PolicyManager\\current\\device\\Update]\n"                              \
    "\"AllowRebootlessUpdates\"=dword:00000001\n"

static void hotpatches_are_meant_for_hosts_that_have_all_they_need(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {HEADER GUARD ENROLLED TABLE, "enrolled"},
        {HEADER ENROLLED TABLE, ""},
        {HEADER GUARD ENROLLED, ""},
        {HEADER GUARD TYPE("WinNT") ALLOWED, "allowed"},
        {HEADER TYPE("WinNT") ALLOWED, ""},
        {HEADER GUARD TYPE("ServerNT") ALLOWED, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct taken taken = take_text(cases[i].text);
        assert_text(taken.facts->hotpatch, cases[i].wanted);
        drop(&taken);
    }
}

static void windows_2000_lists_hotfixes_in_two_places_and_what_waits_for_a_restart(void **state)
{
    (void)state;
    struct taken taken = take_fixture("w2k-sp3.reg");
    assert_hotfixes(taken.facts, "KB884872:hotfix:SP5:2004-10-27 KB884872:updates:SP5:2004-10-27 M947742:updates:: "
                                 "Q147222:hotfix:: Q329834:updates:SP4:2003-04-11");
    assert_text(taken.facts->hotfixes[4]->product, "Windows 2000");
    assert_text(taken.facts->machine_guid, "6b29fc40-ca47-1067-b31d-00dd010662da");
    assert_text(taken.facts->computer_name, "B\xc3\x84"
                                            "CKER01");
    assert_list(taken.facts->n_known_dlls, taken.facts->known_dlls, "kernel32.dll user32.dll");
    assert_list(taken.facts->n_search_path, taken.facts->search_path,
                "c:/winnt/system32 c:/winnt c:/programme/werkzeug");
    assert_int_equal(taken.facts->n_pending_renames, 2);
    assert_text(taken.facts->pending_renames[0]->from, "c:/boot.tmp");
    assert_text(taken.facts->pending_renames[0]->to, "");
    assert_text(taken.facts->pending_renames[1]->to, "c:/winnt/system32/inetsrv/w3svc.dll");
    assert_text(taken.facts->services[0]->service_dll, "%SystemRoot%\\System32\\cryptsvc.dll");
    drop(&taken);
}

static void server_2003_is_read_from_the_control_set_in_use(void **state)
{
    (void)state;
    struct taken taken = take_fixture("w2003-sp2.reg");
    assert_int_equal(taken.facts->product_type, EVENKEEL__PRODUCT_TYPE__DOMAIN_CONTROLLER);
    assert_text(taken.facts->service_pack, "Service Pack 2");
    assert_text(taken.facts->machine_sid, "S-1-5-21-4294967295-2147483648-1");
    assert_hotfixes(taken.facts,
                    "KB2567680:updates:SP3:2011-08-10 KB912812:updates:SP0:2006-04-12 KB973917:updates:SP3:2009-12-09");
    assert_true(taken.facts->reboot_pending);
    drop(&taken);
}

static void server_2019_has_its_real_version_its_ubr_and_servicing_states(void **state)
{
    (void)state;
    struct taken taken = take_fixture("w2019.reg");
    assert_text(taken.facts->current_version, "10.0");
    assert_true(taken.facts->has_ubr);
    assert_int_equal(taken.facts->ubr, 3099);
    assert_text(taken.facts->edition, "ServerStandard");
    assert_hotfixes(taken.facts, "KB4535680:servicing::2021-01-14");
    assert_int_equal(taken.facts->n_servicing_states, 2);
    assert_int_equal(taken.facts->servicing_states[0]->state, 80);
    assert_int_equal(taken.facts->servicing_states[1]->state, 101);
    assert_list(taken.facts->n_search_path, taken.facts->search_path, "c:/windows/tools c:/windows");
    assert_text(taken.facts->pending_renames[0]->from, "c:/t1");
    drop(&taken);
}

static void packages_that_are_settled_or_parts_are_no_hotfixes(void **state)
{
    (void)state;
    struct taken taken = take_text(HEADER PACKAGES "Package_for_KB1000001~a]\n\"CurrentState\"=dword:80\n" PACKAGES
                                                   "Package_for_KB1000002~a]\n\"CurrentState\"=dword:40\n" PACKAGES
                                                   "Package_for_KB1000003~a]\n\"CurrentState\"=dword:0\n" PACKAGES
                                                   "Package_for_KB1000004~a]\n\"CurrentState\"=dword:5\n" PACKAGES
                                                   "Package_for_KB1000005~a]\n" PACKAGES
                                                   "Package_2_for_KB1000001~a]\n\"CurrentState\"=dword:70\n" PACKAGES
                                                   "Package_2_for_KB1000006~a]\n\"CurrentState\"=dword:50\n" PACKAGES
                                                   "Package_2_for_KB1000007~a]\n\"CurrentState\"=dword:60\n");
    assert_hotfixes(taken.facts, "KB1000001:servicing::");
    assert_int_equal(taken.facts->n_servicing_states, 2);
    assert_text(taken.facts->servicing_states[0]->package, "Package_2_for_KB1000007~a");
    assert_int_equal(taken.facts->servicing_states[1]->state, 5);
    drop(&taken);
}

static void names_of_hotfix_keys_lose_their_suffix_and_what_is_none_is_left_out(void **state)
{
    (void)state;
    static const char installed[] = "]\n\"Installed\"=dword:1\n";
    static const char *const names[] = {"kb888111WXPSP2", "KB979309-v2", "Q12345", "KB1234", "KB12345678", "Old", "KB",
                                        "M123456x",       "S123456"};
    char text[2048] = HEADER;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        strcat(strcat(text, NT "\\HotFix\\"), names[i]);
        strcat(text, installed);
    }
    struct taken taken = take_text(text);
    assert_hotfixes(taken.facts, "KB888111:hotfix:: KB979309:hotfix:: Q12345:hotfix:: S123456:hotfix::");
    drop(&taken);
}

static void a_hotfix_key_counts_only_while_installed(void **state)
{
    (void)state;
    struct taken taken =
        take_text(HEADER NT "\\HotFix\\Q100001]\n\"Installed\"=dword:0\n\"Installed On\"=\"1/2/2001\"\n" NT
                            "\\HotFix\\Q100002]\n\"Installed On\"=\"1/2/2001\"\n" NT "\\HotFix\\Q100003]\n");
    assert_hotfixes(taken.facts, "Q100002:hotfix::2001-01-02");
    drop(&taken);
}

static void same_facts_in_another_order_and_case_have_one_name(void **state)
{
    (void)state;
    struct taken a = take_text(HEADER MANAGER "\\KnownDLLs]\n\"a\"=\"B.dll\"\n\"b\"=\"A.dll\"\n" SYSTEM
                                              "\\Services\\X]\n\"Type\"=dword:1\n\"Start\"=dword:2\n" SYSTEM
                                              "\\Services\\A]\n\"Type\"=dword:1\n\"Start\"=dword:2\n");
    struct taken b = take_text(HEADER SYSTEM "\\Services\\A]\n\"Start\"=dword:2\n\"type\"=dword:1\n" SYSTEM
                                             "\\services\\X]\n\"Start\"=dword:2\n\"Type\"=dword:1\n" MANAGER
                                             "\\KnownDLLs]\n\"1\"=\"a.DLL\"\n\"2\"=\"b.dll\"\n\"3\"=\"A.dll\"\n");
    struct bytes packed_a, packed_b;
    assert_true(object_pack(&a.facts->base, &packed_a) && object_pack(&b.facts->base, &packed_b));
    assert_int_equal(packed_a.length, packed_b.length);
    assert_memory_equal(packed_a.data, packed_b.data, packed_a.length);
    free((void *)packed_a.data);
    free((void *)packed_b.data);
    drop(&a);
    drop(&b);
}

static void keys_without_type_and_start_are_no_services(void **state)
{
    (void)state;
    struct taken taken = take_text(HEADER SYSTEM "\\Services\\Settings]\n\"ImagePath\"=\"x\"\n" SYSTEM
                                                 "\\Services\\Half]\n\"Type\"=dword:20\n" SYSTEM
                                                 "\\Services\\Whole]\n\"Type\"=dword:20\n\"Start\"=dword:0\n");
    assert_int_equal(taken.facts->n_services, 1);
    assert_text(taken.facts->services[0]->name, "Whole");
    drop(&taken);
}

static void variables_that_stand_for_each_other_end(void **state)
{
    (void)state;
    struct taken taken = take_text(HEADER ROOT MANAGER "\\Environment]\n\"Path\"=\"%a%;c:\\\\x\"\n"
                                                       "\"a\"=\"%b%%b%%b%%b%\"\n\"b\"=\"%a%%a%%a%%a%\"\n");
    assert_list(taken.facts->n_search_path, taken.facts->search_path, "c:/x");
    drop(&taken);
}

static void path_keeps_its_order_and_drops_what_is_not_absolute(void **state)
{
    (void)state;
    struct taken taken = take_text(
        HEADER ROOT MANAGER "\\Environment]\n"
                            "\"Path\"=\"D:\\\\;.;%SystemDrive%\\\\a; C:\\\\A\\\\ ;\\\\\\\\server\\\\b;C:;100%;\"\n");
    assert_list(taken.facts->n_search_path, taken.facts->search_path, "d:/ c:/a //server/b");
    drop(&taken);
}

static void an_account_domain_never_set_up_has_no_sid(void **state)
{
    (void)state;
    static const char key[] = HEADER "[HKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Account]\n\"V\"=hex:";
    char text[512];
    snprintf(text, sizeof text, "%s00,00,00,00,00,00,00,00,00,00,00,00\n", key);
    struct taken taken = take_text(text);
    assert_text(taken.facts->machine_sid, "");
    drop(&taken);
    snprintf(text, sizeof text, "%s01,02,03\n", key);
    taken = take_text(text);
    assert_text(taken.facts->machine_sid, "");
    drop(&taken);
}

static void text_that_is_no_utf16_is_replaced(void **state)
{
    (void)state;
    struct taken taken = take_text(HEADER NT "]\n\"ProductName\"=hex(1):41,00,00,d8,42,00,00,00,43,00\n");
    assert_text(taken.facts->product_name, "A\xef\xbf\xbd"
                                           "B");
    drop(&taken);
}

static void text_over_the_limit_is_left_out_and_told(void **state)
{
    (void)state;
    size_t length = LIMIT_TEXT_BYTES + 128;
    char *text = malloc(length + 8);
    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text, HEADER NT "]\n\"ProductName\"=\"", strlen(HEADER NT "]\n\"ProductName\"=\""));
    strcpy(text + length, "x\"\n");
    struct taken taken = take_text(text);
    assert_int_equal(taken.facts->product_name.len, 0);
    assert_int_equal(taken.problems.count, 1);
    drop(&taken);
    free(text);
}

static void groups_are_sorted_without_duplicates(void **state)
{
    (void)state;
    static const char *const groups[] = {"web", "farm", "web", ""};
    struct taken taken = take(&(struct facts_options){.groups = groups, .group_count = 4});
    assert_list(taken.facts->n_groups, taken.facts->groups, "farm web");
    drop(&taken);
}

static void dates_are_read_in_the_forms_windows_writes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"7/20/2012", "2012-07-20"},
        {"20/7/2012", "2012-07-20"},
        {"20.7.2012", "2012-07-20"},
        {"2012-07-20", "2012-07-20"},
        {"20120720", "2012-07-20"},
        {"2/29/2000", "2000-02-29"},
        {"2/29/2001", ""},
        {"13/13/2001", ""},
        {"", ""},
        {"yesterday", ""},
        {"7/20/2012 or later", ""},
        {"0/0/0000", ""},
    };
    char date[FACTS_DATE_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        facts_date_of_text(cases[i][0], date);
        assert_string_equal(date, cases[i][1]);
    }
    facts_date_of_time(INT64_C(951782400) * 1000000, date);
    assert_string_equal(date, "2000-02-29");
    facts_date_of_time(INT64_MAX, date);
    assert_string_equal(date, "");
    assert_true(facts_time_from_filetime(UINT64_C(116444736000000000)) == 0);
    assert_true(facts_time_from_filetime(UINT64_C(116444736000000020)) == 2);
    assert_true(facts_time_of_clone_tag("Thu Foo 09 15:35:36 2000") == 0);
    assert_true(facts_time_of_clone_tag("Thu anF 09 15:35:36 2000") == 0);
    assert_true(facts_time_of_clone_tag("Thu Mar 09 25:35:36 2000") == 0);
}

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
    struct taken taken = take_disk("nt4", HEADER ROOT "\"CurrentVersion\"=\"4.0\"\n");
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

static void the_registry_says_where_windows_is_and_another_beside_it_is_named(void **state)
{
    (void)state;
    put("two/NT40/system32/ntdll.dll", "");
    put("two/WINNT/system32/ntdll.dll", "");
    put("two/WINDOWS/system32/readme.txt", "no Windows");
    struct taken taken = take_disk("two", HEADER NT "]\n\"SystemRoot\"=\"C:\\\\NT40\"\n");
    assert_text(taken.facts->windows_directory, "c:/nt40");
    assert_list(taken.facts->n_other_windows, taken.facts->other_windows, "c:/winnt");
    assert_not_seen(taken.facts, "9 machine keys 1");
    drop(&taken);
}

static void the_registry_says_which_drive_a_disk_is(void **state)
{
    (void)state;
    char letter = 0;
    put("letter/WIN2003/system32/ntdll.dll", "");
    put("letter/ProgramData/x", "");
    struct error error = {0};
    struct facts_options options = {.root = "letter", .drive_found = &letter};
    const char *text = HEADER NT "]\n\"SystemRoot\"=\"D:\\\\WIN2003\"\n";
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
    const char *text = HEADER NT "]\n\"SystemRoot\"=\"D:\\\\WINDOWS\"\n" NT
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
    assert_int_equal(taken.problems.count, 2);
    assert_non_null(strstr(taken.problems.items[0], "broken/windows/system32/config/system"));
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

static void lists_over_what_a_receiver_takes_are_left_out_and_told(void **state)
{
    (void)state;
    size_t size = 30000 * 220, used = 0;
    char *text = malloc(size);
    assert_non_null(text);
    used += (size_t)snprintf(text, size, HEADER);
    for (int i = 0; i < 30000; i++)
        used += (size_t)snprintf(text + used, size - used,
                                 PACKAGES
                                 "A-Package-With-A-Longer-Name-That-Is-Stuck-%05d~31bf3856ad364e35~amd64~~10.0.1]\n"
                                 "\"CurrentState\"=dword:65\n",
                                 i);
    struct taken taken = take_text(text);
    assert_true(taken.facts->has_registry);
    assert_int_equal(taken.facts->n_servicing_states, 0);
    assert_int_equal(taken.problems.count, 1);
    assert_true(evenkeel__facts__get_packed_size(taken.facts) <= LIMIT_OBJECT_BYTES);
    drop(&taken);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nt4_at_sp6a_is_told_by_its_hotfix_key),
        cmocka_unit_test(service_pack_of_another_language_has_its_number),
        cmocka_unit_test(display_version_is_the_release_id_where_there_is_none),
        cmocka_unit_test(hotpatches_are_meant_for_hosts_that_have_all_they_need),
        cmocka_unit_test(windows_2000_lists_hotfixes_in_two_places_and_what_waits_for_a_restart),
        cmocka_unit_test(server_2003_is_read_from_the_control_set_in_use),
        cmocka_unit_test(server_2019_has_its_real_version_its_ubr_and_servicing_states),
        cmocka_unit_test(packages_that_are_settled_or_parts_are_no_hotfixes),
        cmocka_unit_test(names_of_hotfix_keys_lose_their_suffix_and_what_is_none_is_left_out),
        cmocka_unit_test(a_hotfix_key_counts_only_while_installed),
        cmocka_unit_test(same_facts_in_another_order_and_case_have_one_name),
        cmocka_unit_test(keys_without_type_and_start_are_no_services),
        cmocka_unit_test(variables_that_stand_for_each_other_end),
        cmocka_unit_test(path_keeps_its_order_and_drops_what_is_not_absolute),
        cmocka_unit_test(an_account_domain_never_set_up_has_no_sid),
        cmocka_unit_test(text_that_is_no_utf16_is_replaced),
        cmocka_unit_test(text_over_the_limit_is_left_out_and_told),
        cmocka_unit_test(groups_are_sorted_without_duplicates),
        cmocka_unit_test(dates_are_read_in_the_forms_windows_writes),
        cmocka_unit_test(machine_keys_of_all_places_are_listed_by_name_with_their_times),
        cmocka_unit_test(the_registry_knows_where_machine_keys_are_in_other_languages),
        cmocka_unit_test(no_machine_keys_and_not_known_differ),
        cmocka_unit_test(windows_nt_4_keeps_machine_keys_in_its_registry_alone),
        cmocka_unit_test(machine_keys_are_found_whatever_language_the_profiles_are_in),
        cmocka_unit_test(the_registry_says_where_windows_is_and_another_beside_it_is_named),
        cmocka_unit_test(the_registry_says_which_drive_a_disk_is),
        cmocka_unit_test(a_host_may_have_its_windows_on_the_second_of_its_drives),
        cmocka_unit_test(metabase_is_told_by_digest_and_time_and_xml_counts_before_bin),
        cmocka_unit_test(assemblies_are_those_that_programs_load_from),
        cmocka_unit_test(a_root_without_a_registry_is_a_problem_and_no_error),
        cmocka_unit_test(hives_that_are_none_are_named),
        cmocka_unit_test(what_the_caller_named_and_is_not_there_is_an_error),
        cmocka_unit_test(lists_over_what_a_receiver_takes_are_left_out_and_told),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
