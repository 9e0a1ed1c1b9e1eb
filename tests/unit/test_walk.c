/* In which order a tree is walked, what is passed over, and which folders count as a host's own. */

#include "collector/disk/roots.h"
#include "collector/disk/walk.h"
#include "proto/chunk.h"
#include "proto/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A tree in the working directory, which is the test's own. */
struct tree {
    char name[32];
    struct roots *roots;
    char visited[8192]; /* paths, a line each */
    char spelled[8192]; /* likewise, as they were found */
    char reports[8192];
    char unseen[8192]; /* why and where, a line each */
    struct walk_counts counts;
};

static void tree_start(struct tree *tree)
{
    *tree = (struct tree){.name = "tree.XXXXXX"};
    assert_non_null(mkdtemp(tree->name));
}

static void tree_stop(struct tree *tree)
{
    char command[128];
    roots_free(tree->roots);
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -r %s", tree->name, tree->name);
    assert_int_equal(system(command), 0);
}

/* Makes a file and the folders on the way; a path that ends in '/' is a folder alone. */
static void tree_add(struct tree *tree, const char *path)
{
    char whole[5000];
    snprintf(whole, sizeof whole, "%s/%s", tree->name, path);
    for (char *slash = strchr(whole, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(whole, 0755);
        *slash = '/';
    }
    if (whole[strlen(whole) - 1] == '/')
        return;
    int fd = open(whole, O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static int visit(void *context, const struct walk_file *file, struct error *error)
{
    struct tree *tree = context;
    struct platform_stat stat;
    assert_int_equal(platform_directory_stat(file->directory, file->name, &stat, error), 0);
    assert_int_equal(stat.kind, PLATFORM_FILE);
    strcat(strcat(tree->visited, (const char *)file->path.data), "\n");
    strcat(strcat(tree->spelled, (const char *)file->found.data), "\n");
    if (strstr((const char *)file->path.data, "locked") != NULL)
        return error_set(error, ERROR_IO, "somebody holds it"), 1;
    return strstr((const char *)file->path.data, "stop") != NULL ? error_set(error, ERROR_LIMIT, "stopped") : 0;
}

static void report(void *context, const char *sentence)
{
    struct tree *tree = context;
    strcat(strcat(tree->reports, sentence), "\n");
}

static void unseen(void *context, enum walk_unseen why, const char *path)
{
    static const char *const reasons[] = {"unreadable ", "same path ", "link ", "unnameable ", "packed "};
    struct tree *tree = context;
    strcat(strcat(strcat(tree->unseen, reasons[why]), path), "\n");
}

static int tree_walk(struct tree *tree, bool fold, struct error *error)
{
    struct walk_options options = {.prefix = "c:/",
                                   .fold = fold,
                                   .strict = fold,
                                   .roots = tree->roots,
                                   .context = tree,
                                   .visit = visit,
                                   .report = report,
                                   .unseen = unseen};
    struct platform_directory *directory;
    assert_int_equal(platform_directory_open(tree->name, &directory, error), 0);
    int status = walk(directory, &options, &tree->counts, error);
    platform_directory_close(directory);
    return status;
}

static void assert_walk(struct tree *tree, const char *expected)
{
    struct error error = {0};
    assert_int_equal(tree_walk(tree, true, &error), 0);
    assert_string_equal(tree->visited, expected);
}

/* ---- order ---- */

static void files_come_in_byte_order_of_their_whole_folded_path(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "a/z");
    tree_add(&tree, "a/B/c");
    tree_add(&tree, "a-b"); /* '-' stands before '/', '0' behind it */
    tree_add(&tree, "a.dll");
    tree_add(&tree, "a0");
    tree_add(&tree, "A!/x");
    tree_add(&tree, "_");
    tree_add(&tree, "Zebra");
    assert_walk(&tree, "c:/_\nc:/a!/x\nc:/a-b\nc:/a.dll\nc:/a/b/c\nc:/a/z\nc:/a0\nc:/zebra\n");
    assert_int_equal(tree.counts.files, 8);
    tree_stop(&tree);
}

static void only_ascii_letters_are_folded(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "\xc3\x84RGER.DLL"); /* A with diaeresis */
    tree_add(&tree, "\xc3\xa4rger.dll");
    assert_walk(&tree, "c:/\xc3\x84rger.dll\nc:/\xc3\xa4rger.dll\n");
    assert_int_equal(tree.counts.duplicates, 0);
    tree_stop(&tree);
}

static void of_names_that_fold_to_the_same_the_first_counts_and_the_others_are_reported(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "ntdll.dll");
    tree_add(&tree, "NTDLL.dll");
    tree_add(&tree, "Ntdll.dll");
    tree_add(&tree, "dir");         /* a file ... */
    tree_add(&tree, "dir-between"); /* ... and a folder, which don't stand side by side in path order */
    tree_add(&tree, "DIR/inside");
    assert_walk(&tree, "c:/dir\nc:/dir-between\nc:/dir/inside\nc:/ntdll.dll\n");
    assert_int_equal(tree.counts.duplicates, 2);
    assert_non_null(strstr(tree.reports, "'c:/Ntdll.dll': "));
    assert_non_null(strstr(tree.reports, "'c:/ntdll.dll': "));
    assert_null(strstr(tree.reports, "'c:/NTDLL.dll': "));
    assert_string_equal(tree.unseen, "same path c:/ntdll.dll\nsame path c:/ntdll.dll\n");
    tree_stop(&tree);
}

static void folders_that_differ_in_case_only_are_one(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "Windows/System32/b.dll");
    tree_add(&tree, "Windows/System32/Drivers/one.sys");
    tree_add(&tree, "windows/system32/A.dll");
    tree_add(&tree, "windows/system32/B.DLL"); /* the other is spelled with capital letters further to the left */
    tree_add(&tree, "windows/system32/c.dll");
    tree_add(&tree, "windows/System32/drivers/two.sys");
    tree_add(&tree, "windows/system32-other/x");
    assert_walk(&tree, "c:/windows/system32-other/x\nc:/windows/system32/a.dll\nc:/windows/system32/b.dll\n"
                       "c:/windows/system32/c.dll\nc:/windows/system32/drivers/one.sys\n"
                       "c:/windows/system32/drivers/two.sys\n");
    assert_string_equal(tree.spelled, "windows/system32-other/x\nwindows/system32/A.dll\nWindows/System32/b.dll\n"
                                      "windows/system32/c.dll\nWindows/System32/Drivers/one.sys\n"
                                      "windows/System32/drivers/two.sys\n");
    assert_string_equal(tree.unseen, "same path c:/windows/system32/b.dll\n");
    assert_non_null(strstr(tree.reports, "'c:/windows/system32/B.DLL': "));
    tree_stop(&tree);
}

static void without_folding_every_name_is_a_file_of_its_own(void **state)
{
    (void)state;
    struct tree tree;
    struct error error = {0};
    tree_start(&tree);
    tree_add(&tree, "b");
    tree_add(&tree, "B");
    tree_add(&tree, "a\tb");
    assert_int_equal(tree_walk(&tree, false, &error), 0);
    assert_string_equal(tree.visited, "c:/a\tb\nc:/B\nc:/b\n");
    assert_int_equal(tree.counts.unnameable, 0);
    tree_stop(&tree);
}

/* ---- what is passed over ---- */

static void links_are_never_followed(void **state)
{
    (void)state;
    struct tree tree;
    char link[64];
    tree_start(&tree);
    tree_add(&tree, "real/file");
    snprintf(link, sizeof link, "%s/real/loop", tree.name);
    assert_return_code(symlink("..", link), 0);
    snprintf(link, sizeof link, "%s/alias", tree.name);
    assert_return_code(symlink("real/file", link), 0);
    assert_walk(&tree, "c:/real/file\n");
    assert_int_equal(tree.counts.links, 2);
    assert_string_equal(tree.unseen, "link c:/alias\nlink c:/real/loop\n");
    tree_stop(&tree);
}

static void links_are_told_only_where_something_was_wanted(void **state)
{
    (void)state;
    struct tree tree;
    char link[64];
    tree_start(&tree);
    tree_add(&tree, "Windows/System32/ntdll.dll");
    tree_add(&tree, "elsewhere/x");
    tree.roots = roots_new();
    snprintf(link, sizeof link, "%s/Program Files", tree.name);
    assert_return_code(symlink("elsewhere", link), 0);
    snprintf(link, sizeof link, "%s/Users", tree.name);
    assert_return_code(symlink("elsewhere", link), 0);
    assert_walk(&tree, "c:/windows/system32/ntdll.dll\n");
    assert_int_equal(tree.counts.links, 2);
    assert_string_equal(tree.unseen, "link c:/program files\n");
    assert_non_null(strstr(tree.reports, "'c:/Program Files': a link or junction"));
    tree_stop(&tree);
}

/* As ntfs-3g shows reparse points that it has no plugin for; tests/integration/ntfs has real ones. */
static void files_that_only_windows_can_read_are_told_as_packed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *target;
    } links[] = {
        {"a/wof.dll", "unsupported reparse tag 0x80000017"},
        {"a/dedup.EXE", "unsupported reparse tag 0x80000013"},
        {"a/text.txt", "unsupported reparse tag 0x80000017"},
        {"a/folder.dll", "unsupported reparse tag 0x9000001a"},
        {"a/surrogate.dll", "unsupported reparse tag 0xa0000019"},
        {"a/alias.exe", "unsupported reparse tag 0x8000001b"},
        {"a/old.dll", "unsupported reparse point"},
        {"a/elsewhere", "unsupported reparse tag 0x8000000a"}, /* a folder, though its tag does not say so: DFS */
    };
    struct tree tree;
    char link[64], text[256];
    tree_start(&tree);
    tree_add(&tree, "a/b.dll");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(link, sizeof link, "%s/%s", tree.name, links[i].name);
        assert_return_code(symlink(links[i].target, link), 0);
    }
    assert_walk(&tree, "c:/a/b.dll\n");
    assert_int_equal(tree.counts.packed, 3);
    assert_int_equal(tree.counts.hidden, 0); /* they are told as what they are */
    assert_int_equal(tree.counts.links, 5);
    assert_string_equal(tree.unseen,
                        "link c:/a/alias.exe\npacked c:/a/dedup.exe\nlink c:/a/elsewhere\nlink c:/a/folder.dll\n"
                        "link c:/a/old.dll\nlink c:/a/surrogate.dll\npacked c:/a/wof.dll\n");
    assert_string_equal(walk_counts_text(&tree.counts, text, sizeof text),
                        "5 links (never followed), 3 packed by Windows, not readable here");
    assert_non_null(strstr(tree.reports, "'c:/a/dedup.EXE': packed by Windows"));
    assert_null(strstr(tree.reports, "wof.dll"));
    tree_stop(&tree);
}

static void a_pipe_does_not_hold_the_walk_up(void **state)
{
    (void)state;
    struct tree tree;
    char pipe_path[64];
    struct error error = {0};
    tree_start(&tree);
    snprintf(pipe_path, sizeof pipe_path, "%s/pipe", tree.name);
    assert_return_code(mkfifo(pipe_path, 0600), 0);
    assert_walk(&tree, "");
    assert_int_equal(tree.counts.others, 1);

    /* Nor would one that takes a file's place after it was listed. */
    struct platform_file file;
    struct platform_stat stat;
    assert_int_equal(platform_file_open(pipe_path, &file, &error), 0);
    assert_int_equal(platform_file_stat(&file, &stat, &error), -1);
    platform_file_close(&file);
    tree_stop(&tree);
}

static void names_that_identity_does_not_allow_are_reported(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "latin\xe4");
    tree_add(&tree, "new\nline");
    tree_add(&tree, "back\\slash");
    tree_add(&tree, "del\x7f");
    tree_add(&tree, "fine");
    assert_walk(&tree, "c:/fine\n");
    assert_int_equal(tree.counts.unnameable, 4);
    assert_non_null(strstr(tree.reports, "new?line"));
    tree_stop(&tree);
}

static void paths_beyond_the_limit_are_reported(void **state)
{
    (void)state;
    struct tree tree;
    struct error error = {0};
    char name[201], back[4096];
    tree_start(&tree);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_non_null(getcwd(back, sizeof back));
    assert_return_code(chdir(tree.name), 0);
    for (unsigned depth = 0; depth < LIMIT_PATH_BYTES / 200 + 2; depth++) {
        assert_return_code(mkdir(name, 0755), 0);
        assert_return_code(chdir(name), 0);
    }
    assert_return_code(chdir(back), 0);
    tree_add(&tree, "z");
    assert_int_equal(tree_walk(&tree, true, &error), 0);
    assert_string_equal(tree.visited, "c:/z\n");
    assert_int_equal(tree.counts.unnameable, 1);
    assert_non_null(strstr(tree.reports, "'c:/nnnn"));
    tree_stop(&tree);
}

static void what_a_visit_can_not_read_is_counted_and_the_walk_goes_on(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "a/locked.dll");
    tree_add(&tree, "b");
    assert_walk(&tree, "c:/a/locked.dll\nc:/b\n");
    assert_int_equal(tree.counts.unreadable, 1);
    assert_int_equal(tree.counts.files, 1);
    assert_string_equal(tree.reports, "'c:/a/locked.dll': somebody holds it\n");
    tree_stop(&tree);
}

static void programs_and_directories_that_can_not_be_read_may_hide_something_other_files_do_not(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add(&tree, "data/locked.mdf");
    tree_add(&tree, "a/locked.DLL");
    tree_add(&tree, "b\377.dat");
    tree_add(&tree, "b\377.exe");
    tree_add(&tree, "c\377/z");
    assert_walk(&tree, "c:/a/locked.dll\nc:/data/locked.mdf\n");
    assert_int_equal(tree.counts.unreadable, 2);
    assert_int_equal(tree.counts.unnameable, 3);
    assert_int_equal(tree.counts.hidden, 3);
    assert_string_equal(tree.unseen, "unnameable c:/\nunnameable c:/\nunreadable c:/a/locked.dll\n");
    tree_stop(&tree);
}

static void a_visit_that_fails_ends_the_walk_with_its_error(void **state)
{
    (void)state;
    struct tree tree;
    struct error error = {0};
    tree_start(&tree);
    tree_add(&tree, "a/stop");
    tree_add(&tree, "b");
    assert_int_equal(tree_walk(&tree, true, &error), -1);
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_string_equal(tree.visited, "c:/a/stop\n");
    tree_stop(&tree);
}

/* ---- a host's own folders ---- */

static void tree_add_windows(struct tree *tree)
{
    static const char *const files[] = {
        "WINDOWS/explorer.exe",
        "WINDOWS/System32/ntdll.dll",
        "WINDOWS/System32/drivers/tcpip.sys",
        "WINDOWS/System32/dllcache/ntdll.dll",
        "WINDOWS/System32/config/SOFTWARE",
        "WINDOWS/SysWOW64/ntdll.dll",
        "WINDOWS/winsxs/x86_a/comctl32.dll",
        "WINDOWS/ServicePackFiles/i386/ntdll.dll",
        "WINDOWS/$NtUninstallKB973917$/w3core.dll",
        "WINDOWS/$hf_mig$/KB973917/w3core.dll",
        "WINDOWS/Fonts/app.fon",
        "Program Files/Common Files/System/ado/msado15.dll",
        "Windows.old/WINDOWS/System32/ntdll.dll",
        "Documents and Settings/a/b.dll",
        "boot.dll",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        tree_add(tree, files[i]);
    tree->roots = roots_new();
}

static void a_hosts_own_folders_are_taken_and_its_backups_left_out(void **state)
{
    (void)state;
    struct tree tree;
    tree_start(&tree);
    tree_add_windows(&tree);
    assert_walk(&tree, "c:/program files/common files/system/ado/msado15.dll\n"
                       "c:/windows/explorer.exe\n"
                       "c:/windows/system32/drivers/tcpip.sys\n"
                       "c:/windows/system32/ntdll.dll\n"
                       "c:/windows/syswow64/ntdll.dll\n");
    tree_stop(&tree);
}

static void of_dotnet_framework_is_taken_what_its_updates_bring(void **state)
{
    (void)state;
    static const char *const files[] = {
        "WINDOWS/Microsoft.NET/Framework/v2.0.50727/mscorwks.dll",
        "WINDOWS/Microsoft.NET/Framework64/v4.0.30319/clr.dll",
        "WINDOWS/Microsoft.NET/Framework64/v4.0.30319/WPF/wpfgfx_v0400.dll",
        "WINDOWS/Microsoft.NET/Framework64/v4.0.30319/de/mscorlib.resources.dll",
        "WINDOWS/Microsoft.NET/Framework64/v4.0.30319/Temporary ASP.NET Files/root/1/App_Web.dll",
        "WINDOWS/Microsoft.NET/assembly/GAC_MSIL/Own/own.dll",
        "WINDOWS/assembly/NativeImages_v4.0.30319_64/mscorlib/1/mscorlib.ni.dll",
    };
    struct tree tree;
    tree_start(&tree);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        tree_add(&tree, files[i]);
    tree.roots = roots_new();
    assert_walk(&tree, "c:/windows/microsoft.net/framework/v2.0.50727/mscorwks.dll\n"
                       "c:/windows/microsoft.net/framework64/v4.0.30319/clr.dll\n"
                       "c:/windows/microsoft.net/framework64/v4.0.30319/wpf/wpfgfx_v0400.dll\n");
    tree_stop(&tree);
}

static void a_backup_is_taken_in_by_its_name(void **state)
{
    (void)state;
    struct tree tree;
    struct error error = {0};
    tree_start(&tree);
    tree_add_windows(&tree);
    assert_int_equal(roots_include(tree.roots, "WinSxS", &error), 0);
    assert_int_equal(roots_include(tree.roots, "ntuninstall", &error), 0);
    assert_int_equal(roots_include(tree.roots, "windows.old", &error), 0);
    assert_walk(&tree, "c:/program files/common files/system/ado/msado15.dll\n"
                       "c:/windows.old/windows/system32/ntdll.dll\n"
                       "c:/windows/$ntuninstallkb973917$/w3core.dll\n"
                       "c:/windows/explorer.exe\n"
                       "c:/windows/system32/drivers/tcpip.sys\n"
                       "c:/windows/system32/ntdll.dll\n"
                       "c:/windows/syswow64/ntdll.dll\n"
                       "c:/windows/winsxs/x86_a/comctl32.dll\n");
    tree_stop(&tree);
}

static void an_unknown_backup_is_told_with_the_names_there_are(void **state)
{
    (void)state;
    struct error error = {0};
    struct roots *roots = roots_new();
    assert_int_equal(roots_include(roots, "sxs", &error), -1);
    assert_non_null(strstr(error.message, "'sxs'"));
    assert_non_null(strstr(error.message, "winsxs, dllcache"));
    roots_free(roots);
}

static void own_roots_replace_the_built_in_ones_and_still_leave_backups_out(void **state)
{
    (void)state;
    struct tree tree;
    struct error error = {0};
    tree_start(&tree);
    tree_add_windows(&tree);
    assert_int_equal(roots_add(tree.roots, 'c', "C:\\Windows\\System32\\", &error), 0);
    assert_int_equal(roots_add(tree.roots, 'c', "boot.dll", &error), 0);
    assert_walk(&tree, "c:/boot.dll\nc:/windows/system32/drivers/tcpip.sys\nc:/windows/system32/ntdll.dll\n");
    assert_null(roots_unmatched(tree.roots));
    tree_stop(&tree);
}

static void an_own_root_that_is_not_there_can_be_told(void **state)
{
    (void)state;
    struct tree tree;
    struct error error = {0};
    tree_start(&tree);
    tree_add_windows(&tree);
    assert_int_equal(roots_add(tree.roots, 'c', "Windows/Sysnative", &error), 0);
    assert_walk(&tree, "");
    assert_string_equal(roots_unmatched(tree.roots), "Windows/Sysnative");
    tree_stop(&tree);
}

static void a_root_on_another_drive_or_upwards_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    struct roots *roots = roots_new();
    assert_int_equal(roots_add(roots, 'c', "d:/apps", &error), -1);
    assert_non_null(strstr(error.message, "--drive"));
    assert_int_equal(roots_add(roots, 'c', "windows/../secret", &error), -1);
    roots_free(roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_byte_order_of_their_whole_folded_path),
        cmocka_unit_test(only_ascii_letters_are_folded),
        cmocka_unit_test(folders_that_differ_in_case_only_are_one),
        cmocka_unit_test(files_that_only_windows_can_read_are_told_as_packed),
        cmocka_unit_test(links_are_told_only_where_something_was_wanted),
        cmocka_unit_test(of_names_that_fold_to_the_same_the_first_counts_and_the_others_are_reported),
        cmocka_unit_test(without_folding_every_name_is_a_file_of_its_own),
        cmocka_unit_test(links_are_never_followed),
        cmocka_unit_test(a_pipe_does_not_hold_the_walk_up),
        cmocka_unit_test(names_that_identity_does_not_allow_are_reported),
        cmocka_unit_test(paths_beyond_the_limit_are_reported),
        cmocka_unit_test(what_a_visit_can_not_read_is_counted_and_the_walk_goes_on),
        cmocka_unit_test(programs_and_directories_that_can_not_be_read_may_hide_something_other_files_do_not),
        cmocka_unit_test(a_visit_that_fails_ends_the_walk_with_its_error),
        cmocka_unit_test(a_hosts_own_folders_are_taken_and_its_backups_left_out),
        cmocka_unit_test(of_dotnet_framework_is_taken_what_its_updates_bring),
        cmocka_unit_test(a_backup_is_taken_in_by_its_name),
        cmocka_unit_test(an_unknown_backup_is_told_with_the_names_there_are),
        cmocka_unit_test(own_roots_replace_the_built_in_ones_and_still_leave_backups_out),
        cmocka_unit_test(an_own_root_that_is_not_there_can_be_told),
        cmocka_unit_test(a_root_on_another_drive_or_upwards_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
