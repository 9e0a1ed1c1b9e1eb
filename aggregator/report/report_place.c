/* A file is written whole or not at all. */

#include "report_place.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the name in a directory is as durable as the file itself. */
static void sync_directory(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

/* Also where an earlier write failed and the last one did not. */
static int flush(FILE *out)
{
    errno = 0;
    bool lost = fflush(out) != 0 || ferror(out);
    if (lost && errno == 0)
        errno = EIO;
    return lost ? -1 : 0;
}

/* Takes over `fd`, which *out is then, open behind all that was written. */
static int write_out(const struct report_source *source, const char *path, int fd, FILE **out, struct error *error)
{
    *out = fdopen(fd, "w");
    if (*out == NULL) {
        close(fd);
        return error_set(error, ERROR_MEMORY, "no memory for '%s'", path);
    }
    if (source->write(source->context, *out, error) < 0)
        return -1;
    return flush(*out) == 0 ? 0 : error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
}

/* A device, a pipe or a link that leads nowhere yet: nothing may take its place. */
static int write_into(const struct report_source *source, const char *path, int flags, struct error *error)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | flags, 0644);
    if (fd < 0)
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    _cleanup_fclose_ FILE *out = NULL;
    return write_out(source, path, fd, &out, error);
}

static int write_beside(const struct report_source *source, const char *path, const char *temporary, int fd,
                        struct error *error)
{
    _cleanup_fclose_ FILE *out = NULL;
    if (write_out(source, path, fd, &out, error) < 0)
        return -1;
    if (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    sync_directory(path);
    return 0;
}

int report_place(const struct report_source *source, const char *path, struct error *error)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return source->write(source->context, stdout, error);
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    if (is_there && !S_ISREG(status.st_mode))
        return write_into(source, path, 0, error);
    if (!is_there && lstat(path, &status) == 0)
        return write_into(source, path, O_CREAT, error);
    char temporary[PATH_MAX], target[PATH_MAX];
    if (is_there && realpath(path, target) != NULL)
        path = target;
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary)
        return error_set(error, ERROR_LIMIT, "'%s' is too long a name", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERROR_IO, "can't write '%s': %s", path, strerror(errno));
    if (write_beside(source, path, temporary, fd, error) < 0) {
        unlink(temporary);
        return -1;
    }
    return 0;
}
