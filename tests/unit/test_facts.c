/* Host facts: what is read out of a registry, how it is written, and what is told apart from 'there is none'. */

#include "collector/base/path.h"
#include "collector/facts/facts_time.h"
#include "facts_taken.h"
#include "proto/limits.h"

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

static void dotnet_framework_declares_its_release(void **state)
{
    (void)state;
    struct taken taken =
        take_text(HEADER "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full]\n"
                         "\"Release\"=dword:00080ff4\n");
    assert_int_equal(taken.facts->dotnet_release, 528372);
    drop(&taken);
    taken = take_text(HEADER "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full]\n"
                             "\"Release\"=dword:ffffffff\n");
    assert_int_equal(taken.facts->dotnet_release, 0);
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
    /* What was left out reaches the verdict. */
    const Evenkeel__NotSeen *cut = taken.facts->n_not_seen > 0 ? taken.facts->not_seen[0] : NULL;
    assert_non_null(cut);
    assert_int_equal(cut->kind, EVENKEEL__NOT_SEEN_KIND__CUT);
    assert_memory_equal(cut->what.data, "servicing_states", cut->what.len);
    assert_int_equal(cut->count, 30000);
    drop(&taken);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nt4_at_sp6a_is_told_by_its_hotfix_key),
        cmocka_unit_test(service_pack_of_another_language_has_its_number),
        cmocka_unit_test(display_version_is_the_release_id_where_there_is_none),
        cmocka_unit_test(dotnet_framework_declares_its_release),
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
        cmocka_unit_test(lists_over_what_a_receiver_takes_are_left_out_and_told),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
