/* Lines for the systemd journal. */

#include "proto/journal.h"

#include "proto/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The variable is inherited, also by what redirects stderr elsewhere: so it names the stream that is meant. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fileno(stderr), &status) == 0 &&
           (unsigned long long)status.st_dev == device && (unsigned long long)status.st_ino == inode;
}

const char *journal_prefix(unsigned priority)
{
    static const char *const prefixes[] = {"<0>", "<1>", "<2>", "<3>", "<4>", "<5>", "<6>", "<7>"};
    return stderr_is_journal() ? prefixes[priority & 7] : "";
}

const char *journal_quote(char *quoted, size_t size, const char *text)
{
    size_t length = 0;
    bool shown;
    quoted[length++] = '"';
    for (const char *next; *text != 0; text = next) {
        next = utf8_step(text, &shown);
        size_t bytes = (size_t)(next - text);
        if (length + bytes + 3 > size)
            break;
        if (*text == '"' || *text == '\\')
            quoted[length++] = '\\';
        memcpy(quoted + length, shown ? text : "?", shown ? bytes : 1);
        length += shown ? bytes : 1;
    }
    quoted[length++] = '"';
    quoted[length] = 0;
    return quoted;
}
