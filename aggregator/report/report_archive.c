/* What is kept of reports: pages with their time as name, and the index. */

#include "report_archive.h"

#include "aggregator/base/html.h"
#include "report_page.h"

#include "proto/cleanup.h"
#include "proto/words.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INDEX "index.html"
/* d stands for a digit. */
static const char form[] = "drift-ddddddddTddddZ.html";
#define NAME_SIZE sizeof form
/* Ten years of nights. */
#define PAGES_SHOWN 3660
/* A title stands in a page's first bytes: behind the policy, before the style. */
#define HEAD_BYTES 8192

static bool is_page(const char *name)
{
    size_t at = 0;
    while (form[at] != 0 && (form[at] == 'd' && at > 0 ? isdigit((unsigned char)name[at]) : name[at] == form[at]))
        at++;
    return form[at] == 0 && name[at] == 0;
}

bool report_archive_holds(const char *name)
{
    return is_page(name) || strcmp(name, INDEX) == 0;
}

static int is_page_entry(const struct dirent *entry)
{
    return is_page(entry->d_name);
}

static int path_of(const char *directory, const char *name, char path[PATH_MAX], struct error *error)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
        return error_set(error, ERROR_LIMIT, "'%s' is too long a name", directory);
    return 0;
}

/* The page's title as it stands there, escaped; empty where it can't be read. */
static void read_title(const char *directory, const char *name, char *title, size_t size)
{
    static const char begins[] = "<title>";
    char path[PATH_MAX], head[HEAD_BYTES + 1];
    struct error error = {0};
    title[0] = 0;
    if (path_of(directory, name, path, &error) < 0)
        return;
    /* Without waiting for whoever would write into a pipe of that name. */
    struct stat status;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return;
    ssize_t length = read(fd, head, HEAD_BYTES);
    head[length > 0 ? length : 0] = 0;
    const char *from = strstr(head, begins);
    if (from == NULL)
        return;
    from += strlen(begins);
    size_t end = strcspn(from, "<>\"'");
    if (from[end] == '<')
        snprintf(title, size, "%.*s", (int)end, from);
}

/* '2026-11-29 03:05' out of a page's name. */
static void time_of(const char *name, char text[20])
{
    const char *day = name + strlen("drift-");
    snprintf(text, 20, "%.4s-%.2s-%.2s %.2s:%.2s", day, day + 4, day + 6, day + 9, day + 11);
}

struct pages {
    const char *directory;
    struct dirent **entries;
    int count;
};

static int write_index(const void *context, FILE *out, struct error *error)
{
    const struct pages *pages = context;
    char title[1000], time[20];
    (void)error;
    report_page_head("Reports of what drifted", "", out);
    fprintf(out,
            "<header><p class=\"eyebrow\">Evenkeel · what drifted</p>\n<h1>%d %s</h1>\n</header>\n<main id=\"main\">\n"
            "<section><table role=\"table\"><caption class=\"apart\">Reports, the newest first</caption><thead "
            "role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Made (UTC)</th>"
            "<th role=\"columnheader\" scope=\"col\">What it says</th></tr></thead><tbody role=\"rowgroup\">\n",
            pages->count, plural(pages->count, "report", "reports"));
    for (int at = 0; at < pages->count && at < PAGES_SHOWN; at++) {
        const char *name = pages->entries[at]->d_name;
        read_title(pages->directory, name, title, sizeof title);
        time_of(name, time);
        fprintf(out,
                "<tr role=\"row\"><td role=\"cell\" data-name=\"Made\"><a href=\"%s\">%s</a></td><td role=\"cell\" "
                "data-name=\"What it says\">%s</td></tr>\n",
                name, time, title);
    }
    fputs("</tbody></table>\n", out);
    if (pages->count > PAGES_SHOWN)
        fprintf(out, "<p class=\"more\">And %d older ones beside this page.</p>\n", pages->count - PAGES_SHOWN);
    fputs("</section>\n</main>\n</body>\n</html>\n", out);
    return 0;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

static int renew_index(const char *directory, struct error *error)
{
    char path[PATH_MAX];
    struct pages pages = {.directory = directory};
    if (path_of(directory, INDEX, path, error) < 0)
        return -1;
    pages.count = scandir(directory, &pages.entries, is_page_entry, newest_first);
    if (pages.count < 0)
        return error_set(error, ERROR_IO, "can't read '%s': %s", directory, strerror(errno));
    int result = report_place(&(struct report_source){write_index, &pages}, path, error);
    for (int at = 0; at < pages.count; at++)
        free(pages.entries[at]);
    free(pages.entries);
    return result;
}

int report_archive(const struct report_source *page, const char *directory, struct error *error)
{
    char name[NAME_SIZE], path[PATH_MAX];
    time_t now = time(NULL);
    struct tm utc;
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return error_set(error, ERROR_IO, "can't make the directory '%s': %s", directory, strerror(errno));
    if (gmtime_r(&now, &utc) == NULL || strftime(name, sizeof name, "drift-%Y%m%dT%H%MZ.html", &utc) == 0)
        return error_set(error, ERROR_IO, "the clock says no time that there is");
    if (path_of(directory, name, path, error) < 0 || report_place(page, path, error) < 0)
        return -1;
    return renew_index(directory, error);
}
