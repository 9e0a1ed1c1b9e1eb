/* The platform on Linux: directories and files by openat, so that no name is ever resolved through a link. */

#include "platform.h"

#include "proto/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* Bytes of names fetched at once: what glibc's readdir takes too. Held only while a directory is being listed. */
#define LISTING_BYTES (32u << 10)

struct platform_directory {
    int fd;
    char *listing; /* struct dirent64 after the other; NULL before the first and after the last entry */
    size_t length, at;
    uint64_t identity; /* of the entry before `at` */
    bool ended;
};

static int refuse(struct error *error, const char *doing, const char *name)
{
    enum error_code code = errno == ENOENT ? ERROR_NOT_FOUND : errno == ENOMEM ? ERROR_MEMORY : ERROR_IO;
    return error_set(error, code, "can't %s '%s': %s", doing, name,
                     errno == ELOOP ? "it is a symbolic link" : strerror(errno));
}

static enum platform_kind kind_of_mode(mode_t mode)
{
    return S_ISREG(mode)   ? PLATFORM_FILE
           : S_ISDIR(mode) ? PLATFORM_DIRECTORY
           : S_ISLNK(mode) ? PLATFORM_LINK
                           : PLATFORM_OTHER;
}

/*
 * NTFS's reparse points are of two sorts: names of something else, and files (or folders) whose content is kept
 * elsewhere or otherwise. ntfs-3g shows those that it has no plugin for as links to this text (ntfs-3g(8)), whichever
 * they are; only some are of files alone. Any other may be of a folder, behind which anything lies, as behind a link.
 */
#define UNREAD_REPARSE_POINT "unsupported reparse tag 0x"

static enum platform_kind kind_of_link(int fd, const char *name)
{
    static const unsigned long of_files[] = {
        0x80000017, /* [MS-FSCC] 2.1.2.1: WOF, by which CompactOS compresses */
        0x80000013, /* DEDUP */
        0x80000007, /* SIS, the deduplication before that */
    };
    char target[64] = "";
    ssize_t length = readlinkat(fd, name, target, sizeof target - 1);
    if (length < 0 || strncmp(target, UNREAD_REPARSE_POINT, strlen(UNREAD_REPARSE_POINT)) != 0)
        return PLATFORM_LINK;
    unsigned long tag = strtoul(target + strlen(UNREAD_REPARSE_POINT), NULL, 16);
    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++)
        if (tag == of_files[i])
            return PLATFORM_PACKED;
    return PLATFORM_LINK;
}

/* Of a file below `parent` that could not be opened or looked at: a packed one is a link to nothing. */
static int refuse_in(int parent, struct error *error, const char *doing, const char *name)
{
    int failed = errno;
    if ((failed == ELOOP || failed == ENOENT) && kind_of_link(parent, name) == PLATFORM_PACKED)
        return error_set(error, ERROR_IO,
                         "can't %s '%s': it is packed by Windows (CompactOS or deduplication), which what this disk is "
                         "mounted with can't read; see NTFS in evenkeel-collector(1)",
                         doing, name);
    errno = failed;
    return refuse(error, doing, name);
}

static int64_t microseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void stat_from(const struct stat *from, struct platform_stat *stat)
{
    *stat = (struct platform_stat){
        .size = (uint64_t)from->st_size,
        .modified = microseconds(from->st_mtim),
        .changed = microseconds(from->st_ctim),
        .device = from->st_dev,
        .identity = from->st_ino,
        .links = (uint32_t)from->st_nlink,
        .kind = kind_of_mode(from->st_mode),
    };
}

int platform_stat(const char *path, struct platform_stat *stat, struct error *error)
{
    struct stat found;
    if (fstatat(AT_FDCWD, path, &found, 0) < 0)
        return refuse_in(AT_FDCWD, error, "look at", path);
    stat_from(&found, stat);
    return 0;
}

static int directory_open(int parent, const char *name, int flags, struct platform_directory **directory,
                          struct error *error)
{
    *directory = NULL;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (fd < 0)
        return refuse(error, "open the directory", name);
    *directory = calloc(1, sizeof **directory);
    if (*directory == NULL) {
        close(fd);
        return error_set(error, ERROR_MEMORY, "no memory for a directory");
    }
    (*directory)->fd = fd;
    return 0;
}

int platform_directory_open(const char *path, struct platform_directory **directory, struct error *error)
{
    return directory_open(AT_FDCWD, path, 0, directory, error);
}

int platform_directory_open_in(struct platform_directory *parent, const char *name,
                               struct platform_directory **directory, struct error *error)
{
    return directory_open(parent->fd, name, O_NOFOLLOW, directory, error);
}

static enum platform_kind kind_of_entry(int fd, const struct dirent64 *entry)
{
    switch (entry->d_type) {
    case DT_REG:
        return PLATFORM_FILE;
    case DT_DIR:
        return PLATFORM_DIRECTORY;
    case DT_LNK:
        return kind_of_link(fd, entry->d_name);
    case DT_UNKNOWN: {
        struct stat found;
        if (fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) < 0)
            return PLATFORM_OTHER;
        return S_ISLNK(found.st_mode) ? kind_of_link(fd, entry->d_name) : kind_of_mode(found.st_mode);
    }
    default:
        return PLATFORM_OTHER;
    }
}

/* Fetches the next names: 1, 0 at the end, or -1. */
static int listing_fetch(struct platform_directory *directory, struct error *error)
{
    if (directory->ended)
        return 0;
    if (directory->listing == NULL && (directory->listing = malloc(LISTING_BYTES)) == NULL)
        return error_set(error, ERROR_MEMORY, "no memory to list a directory");
    ssize_t length = getdents64(directory->fd, directory->listing, LISTING_BYTES);
    if (length > 0) {
        directory->length = (size_t)length;
        directory->at = 0;
        return 1;
    }
    int failed = errno;
    free(directory->listing);
    directory->listing = NULL;
    directory->length = directory->at = 0;
    directory->ended = true;
    return length == 0 ? 0 : error_set(error, ERROR_IO, "can't list a directory: %s", strerror(failed));
}

int platform_directory_next(struct platform_directory *directory, const char **name, enum platform_kind *kind,
                            struct error *error)
{
    for (;;) {
        if (directory->at == directory->length) {
            int fetched = listing_fetch(directory, error);
            if (fetched <= 0)
                return fetched;
        }
        const struct dirent64 *entry = (const struct dirent64 *)(directory->listing + directory->at);
        directory->at += entry->d_reclen;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        *name = entry->d_name;
        *kind = kind_of_entry(directory->fd, entry);
        directory->identity = entry->d_ino;
        return 1;
    }
}

uint64_t platform_directory_identity(const struct platform_directory *directory)
{
    return directory->identity;
}

int platform_directory_stat(struct platform_directory *directory, const char *name, struct platform_stat *stat,
                            struct error *error)
{
    struct stat found;
    if (fstatat(directory->fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
        return refuse(error, "look at", name);
    stat_from(&found, stat);
    return 0;
}

void platform_directory_close(struct platform_directory *directory)
{
    if (directory == NULL)
        return;
    close(directory->fd);
    free(directory->listing);
    free(directory);
}

/* O_NONBLOCK: opening a pipe that took a file's place since it was listed must not wait for a writer. */
static int file_open(int parent, const char *name, struct platform_file *file, struct error *error)
{
    *file = PLATFORM_FILE_NONE;
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return refuse_in(parent, error, "open", name);
    file->handle = fd;
    return 0;
}

int platform_file_open(const char *path, struct platform_file *file, struct error *error)
{
    return file_open(AT_FDCWD, path, file, error);
}

int platform_file_open_in(struct platform_directory *directory, const char *name, struct platform_file *file,
                          struct error *error)
{
    return file_open(directory->fd, name, file, error);
}

int64_t platform_file_read_at(const struct platform_file *file, void *buffer, size_t length, uint64_t offset,
                              struct error *error)
{
    size_t done = 0;
    while (done < length && offset <= (uint64_t)INT64_MAX - done) {
        ssize_t got = pread((int)file->handle, (char *)buffer + done, length - done, (off_t)(offset + done));
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_IO, "can't read: %s", strerror(errno));
        done += (size_t)got;
    }
    return (int64_t)done;
}

int platform_file_stat(const struct platform_file *file, struct platform_stat *stat, struct error *error)
{
    struct stat found;
    if (fstat((int)file->handle, &found) < 0)
        return error_set(error, ERROR_IO, "can't look at an open file: %s", strerror(errno));
    stat_from(&found, stat);
    if (stat->kind != PLATFORM_FILE)
        return error_set(error, ERROR_IO, "it is not a regular file");
    return 0;
}

void platform_file_close(struct platform_file *file)
{
    if (file->handle >= 0)
        close((int)file->handle);
    *file = PLATFORM_FILE_NONE;
}

int platform_state_directory(char *path, size_t capacity, struct error *error)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length;
    if (geteuid() == 0)
        length = snprintf(path, capacity, "/var/lib/evenkeel-collector");
    else if (state != NULL && state[0] == '/')
        length = snprintf(path, capacity, "%s/evenkeel-collector", state);
    else if (home != NULL && home[0] == '/')
        length = snprintf(path, capacity, "%s/.local/state/evenkeel-collector", home);
    else
        return error_set(error, ERROR_USAGE, "there is no home directory to keep state in; name one with --state DIR");
    if (length < 0 || (size_t)length >= capacity)
        return error_set(error, ERROR_LIMIT, "the state directory's path is too long; name one with --state DIR");
    return 0;
}

int platform_make_directory(const char *path, struct error *error)
{
    _cleanup_free_ char *partial = strdup(path);
    if (partial == NULL)
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    for (char *slash = partial + 1;; slash++) {
        if (*slash != '/' && *slash != 0)
            continue;
        char was = *slash;
        *slash = 0;
        if (mkdir(partial, was == 0 ? 0700 : 0755) < 0 && errno != EEXIST && errno != EISDIR)
            return refuse(error, "make the directory", partial);
        *slash = was;
        if (was == 0 || slash[1] == 0)
            return 0;
    }
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

/* A new name is on the disk once its directory is. Where a file system can't do that, it does it in its own time. */
static void keep_name(const char *path)
{
    _cleanup_free_ char *copy = strdup(path);
    char *slash = copy != NULL ? strrchr(copy, '/') : NULL;
    if (copy == NULL)
        return;
    if (slash != NULL)
        slash[slash == copy] = 0;
    _cleanup_close_ int fd = open(slash != NULL ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

int platform_file_replace(const char *path, const void *data, size_t length, struct error *error)
{
    _cleanup_free_ char *next = NULL;
    if (asprintf(&next, "%s.XXXXXX", path) < 0) {
        next = NULL;
        return error_set(error, ERROR_MEMORY, "no memory for a path");
    }
    _cleanup_close_ int fd = mkostemp(next, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return refuse(error, "write beside", path);
    if (write_all(fd, data, length) < 0 || fsync(fd) < 0 || rename(next, path) < 0) {
        refuse(error, "write", path);
        unlink(next);
        return -1;
    }
    keep_name(path);
    return 0;
}

int platform_rename(const char *from, const char *to, struct error *error)
{
    if (rename(from, to) != 0)
        return refuse(error, "write", to);
    keep_name(to);
    return 0;
}

int platform_remove(const char *path, struct error *error)
{
    return unlink(path) == 0 ? 0 : refuse(error, "remove", path);
}

FILE *platform_stream(const char *path, const char *mode, struct error *error)
{
    bool reading = mode[0] == 'r';
    int fd = open(path, O_CLOEXEC | (reading ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC), 0600);
    FILE *file = fd >= 0 ? fdopen(fd, reading ? "rb" : "w+b") : NULL;
    if (file != NULL)
        return file;
    refuse(error, reading ? "open" : "write", path);
    if (fd >= 0)
        close(fd);
    return NULL;
}

int platform_stream_keep(FILE *file, struct error *error)
{
    if (fflush(file) == 0 && fsync(fileno(file)) == 0)
        return 0;
    return error_set(error, ERROR_IO, "can't write to the disk: %s", strerror(errno));
}

int platform_file_private(const struct platform_file *file, struct error *error)
{
    struct stat found;
    if (fstat((int)file->handle, &found) < 0)
        return error_set(error, ERROR_IO, "can't look at an open file: %s", strerror(errno));
    return (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* What any user may do to a user's own files is that user's affair; what root does with a file is everybody's. */
static int is_own(const struct stat *found)
{
    bool others_write =
        (found->st_mode & S_IWOTH) != 0 || ((found->st_mode & S_IWGRP) != 0 && found->st_gid != getegid());
    return geteuid() != 0 || (found->st_uid == 0 && !others_write);
}

int platform_file_own(const struct platform_file *file, struct error *error)
{
    struct stat found;
    if (fstat((int)file->handle, &found) < 0)
        return error_set(error, ERROR_IO, "can't look at an open file: %s", strerror(errno));
    return is_own(&found);
}

int platform_directory_own(const char *path, struct error *error)
{
    struct stat found;
    return stat(path, &found) < 0 ? refuse(error, "look at", path) : is_own(&found);
}

int platform_lock(const char *path, struct platform_file *lock, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse(error, "open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int failed = errno;
        close(fd);
        errno = failed;
        return failed == EWOULDBLOCK ? error_set(error, ERROR_BUSY, "another process holds '%s'", path)
                                     : refuse(error, "lock", path);
    }
    lock->handle = fd;
    return 0;
}

FILE *platform_temporary(const char *directory, struct error *error)
{
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s/spool.XXXXXX", directory) < 0) {
        path = NULL;
        error_set(error, ERROR_MEMORY, "no memory for a path");
        return NULL;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        refuse(error, "make a file in", directory);
        return NULL;
    }
    unlink(path);
    FILE *file = fdopen(fd, "w+b");
    if (file == NULL) {
        refuse(error, "make a file in", directory);
        close(fd);
    }
    return file;
}

int platform_volume(const char *path, uint64_t *volume, struct error *error)
{
    struct statvfs found;
    if (statvfs(path, &found) < 0)
        return refuse(error, "look at the file system of", path);
    *volume = found.f_fsid;
    return 0;
}

int platform_host_name(char *name, size_t capacity, struct error *error)
{
    if (gethostname(name, capacity) < 0)
        return error_set(error, ERROR_IO, "can't tell this machine's name: %s", strerror(errno));
    name[capacity - 1] = 0;
    return 0;
}

size_t platform_addresses(const char *host, char addresses[][PLATFORM_ADDRESS_BYTES], size_t most)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    size_t count = 0;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return 0;
    for (const struct addrinfo *at = found; at != NULL && count < most; at = at->ai_next)
        count += getnameinfo(at->ai_addr, at->ai_addrlen, addresses[count], PLATFORM_ADDRESS_BYTES, NULL, 0,
                             NI_NUMERICHOST) == 0;
    freeaddrinfo(found);
    return count;
}

const char *platform_system_drive(void)
{
    return NULL;
}

int platform_machine_sid(char *sid, size_t capacity)
{
    (void)sid;
    (void)capacity;
    return 0;
}

int64_t platform_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return microseconds(now);
}

void platform_start(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}
