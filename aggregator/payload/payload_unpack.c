/* Unpacks one package. */

#include "payload_unpack.h"

#include "payload_tool.h"

#include "proto/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <mspack.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KWAJ_HEADER_BYTES 14

enum payload_kind payload_kind_of(const char *path)
{
    static const struct {
        enum payload_kind kind;
        size_t length;
        const char *bytes;
    } magics[] = {
        {PAYLOAD_PROGRAM, 2, "MZ"},
        {PAYLOAD_CABINET, 8, "MSCF\0\0\0\0"},
        {PAYLOAD_SZDD, 8, "SZDD\x88\xf0\x27\x33"},
        {PAYLOAD_KWAJ, 8, "KWAJ\x88\xf0\x27\xd1"},
        {PAYLOAD_MSI, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"},
        {PAYLOAD_WIM, 8, "MSWIM\0\0\0"},
    };
    char head[8];
    _cleanup_fclose_ FILE *file = fopen(path, "rb");
    size_t got = file != NULL ? fread(head, 1, sizeof head, file) : 0;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (got >= magics[i].length && memcmp(head, magics[i].bytes, magics[i].length) == 0)
            return magics[i].kind;
    return PAYLOAD_OTHER;
}

int payload_make_folders(const char *directory, const char *path, struct error *error)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return error_set(error, ERROR_LIMIT, "the path '%s' is too long", path);
    for (char *slash = folder + strlen(directory) + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
        *slash = 0;
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return error_set(error, ERROR_IO, "can't make the folder '%s': %s", folder, strerror(errno));
    }
    return 0;
}

/* Where a name from a package leads below `directory`: no '..', no drive, no control characters, whatever it says. */
static int safe_path(const char *directory, const char *name, char *path, size_t size, struct error *error)
{
    size_t at = (size_t)snprintf(path, size, "%s", directory);
    for (const char *part = name; *part != 0;) {
        size_t length = strcspn(part, "/\\");
        bool dots = (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.');
        if (length > 0 && !dots) {
            if (length > NAME_MAX || at + length + 2 > size)
                return error_set(error, ERROR_LIMIT, "a name in the package is too long: '%.100s'", name);
            path[at++] = '/';
            for (size_t i = 0; i < length; i++)
                path[at++] = part[i] == ':' || (unsigned char)part[i] < 0x20 || part[i] == 0x7f ? '_' : part[i];
            path[at] = 0;
        }
        part += length + (part[length] != 0);
    }
    if (at == strlen(directory))
        return error_set(error, ERROR_FORMAT, "the package holds a file without a usable name: '%.100s'", name);
    return payload_make_folders(directory, path, error);
}

static int spend(struct payload_budget *budget, uint64_t bytes, const char *package, const char *member,
                 struct error *error)
{
    if (bytes > budget->bytes || budget->files == 0)
        return error_set(error, ERROR_LIMIT,
                         "'%s' unpacks to more than is allowed with '%.100s': unpack it yourself and name the folder",
                         package, member);
    budget->bytes -= bytes;
    budget->files--;
    return 0;
}

static int unpack_cabinet(struct mscab_decompressor *decompressor, struct mscabd_cabinet *cabinet, const char *package,
                          const char *directory, struct payload_budget *budget, struct error *error)
{
    for (struct mscabd_file *file = cabinet->files; file != NULL; file = file->next) {
        char path[PATH_MAX];
        if (strcmp(file->filename, "_sfx_manifest_") == 0)
            return error_set(error, ERROR_FORMAT,
                             "'%s' holds differences to files that only its own installer can put together: unpack it "
                             "on Windows with /x and name "
                             "that folder",
                             package);
        if (safe_path(directory, file->filename, path, sizeof path, error) < 0 ||
            spend(budget, file->length, package, file->filename, error) < 0)
            return -1;
        int status = decompressor->extract(decompressor, file, path);
        if (status != MSPACK_ERR_OK)
            return error_set(error, ERROR_FORMAT, "can't unpack '%.100s' of '%s': the package is broken or cut (%d)",
                             file->filename, package, status);
    }
    return 0;
}

static int unpack_cabinets(const char *path, enum payload_kind kind, const char *directory,
                           struct payload_budget *budget, bool *found, struct error *error)
{
    struct mscab_decompressor *decompressor = mspack_create_cab_decompressor(NULL);
    if (decompressor == NULL)
        return error_set(error, ERROR_MEMORY, "no memory to unpack '%s'", path);
    struct mscabd_cabinet *first =
        kind == PAYLOAD_CABINET ? decompressor->open(decompressor, path) : decompressor->search(decompressor, path);
    int status = 0;
    if (first == NULL && kind == PAYLOAD_CABINET)
        status = error_set(error, ERROR_FORMAT, "'%s' is no sound cabinet (%d)", path,
                           decompressor->last_error(decompressor));
    for (struct mscabd_cabinet *cabinet = first; cabinet != NULL && status == 0; cabinet = cabinet->next)
        status = unpack_cabinet(decompressor, cabinet, path, directory, budget, error);
    *found = first != NULL;
    if (first != NULL)
        decompressor->close(decompressor, first);
    mspack_destroy_cab_decompressor(decompressor);
    return status;
}

/* w3core.dl_ is w3core.dll: the header may hold the last letter, else the usual ones are taken. */
static int plain_name(const char *path, char missing, char *name, size_t size, struct error *error)
{
    const char *slash = strrchr(path, '/');
    int length = snprintf(name, size, "%s", slash != NULL ? slash + 1 : path);
    if (length <= 0 || length >= (int)size)
        return error_set(error, ERROR_LIMIT, "the name of '%s' is too long", path);
    if (name[length - 1] != '_')
        return 0;
    static const char *const usual[] = {"dl_l", "ex_e", "sy_s", "oc_x", "cp_l", "dr_v"};
    for (size_t i = 0; missing == 0 && i < sizeof usual / sizeof *usual; i++)
        if (length > 4 && strncasecmp(name + length - 3, usual[i], 3) == 0)
            missing = usual[i][3];
    name[length - 1] =
        (missing >= '0' && missing <= '9') || (missing >= 'a' && missing <= 'z') || (missing >= 'A' && missing <= 'Z')
            ? missing
            : '_';
    return 0;
}

/* A file that was compressed alone, in the budget at what its header claims or, as that may lie, at what came out. */
static int unpack_single(const char *path, enum payload_kind kind, const char *directory, struct payload_budget *budget,
                         struct error *error)
{
    char name[NAME_MAX + 1], target[PATH_MAX];
    struct stat stat_of;
    int status = MSPACK_ERR_OK;
    uint64_t largest = stat(path, &stat_of) == 0 ? (uint64_t)stat_of.st_size * (kind == PAYLOAD_SZDD ? 9 : 1032)
                                                 : UINT64_MAX; /* the most that these formats expand to */
    if (largest > budget->bytes)
        return spend(budget, largest, path, strrchr(path, '/') + 1, error);
    /* libmspack 0.11 frees what it has not set yet where a file ends within KWAJ's header. */
    if (kind == PAYLOAD_KWAJ && stat_of.st_size < KWAJ_HEADER_BYTES)
        return error_set(error, ERROR_FORMAT, "can't unpack '%s': it is cut within its header", path);
    if (kind == PAYLOAD_SZDD) {
        struct msszdd_decompressor *szdd = mspack_create_szdd_decompressor(NULL);
        struct msszddd_header *header = szdd != NULL ? szdd->open(szdd, path) : NULL;
        if (header == NULL)
            status = szdd != NULL ? szdd->last_error(szdd) : MSPACK_ERR_NOMEMORY;
        else if (plain_name(path, header->missing_char, name, sizeof name, error) < 0 ||
                 safe_path(directory, name, target, sizeof target, error) < 0)
            status = -1;
        else
            status = szdd->extract(szdd, header, target);
        if (header != NULL)
            szdd->close(szdd, header);
        mspack_destroy_szdd_decompressor(szdd);
    } else {
        struct mskwaj_decompressor *kwaj = mspack_create_kwaj_decompressor(NULL);
        struct mskwajd_header *header = kwaj != NULL ? kwaj->open(kwaj, path) : NULL;
        if (header == NULL)
            status = kwaj != NULL ? kwaj->last_error(kwaj) : MSPACK_ERR_NOMEMORY;
        else if (plain_name(path, 0, name, sizeof name, error) < 0 ||
                 safe_path(directory, header->filename != NULL ? header->filename : name, target, sizeof target,
                           error) < 0)
            status = -1;
        else
            status = kwaj->extract(kwaj, header, target);
        if (header != NULL)
            kwaj->close(kwaj, header);
        mspack_destroy_kwaj_decompressor(kwaj);
    }
    if (status > 0)
        return error_set(error, ERROR_FORMAT, "can't unpack '%s': it is broken or cut (%d)", path, status);
    if (status == 0 && stat(target, &stat_of) < 0)
        return error_set(error, ERROR_IO, "can't read '%s': %s", target, strerror(errno));
    return status < 0 ? -1 : spend(budget, (uint64_t)stat_of.st_size, path, name, error);
}

int payload_unpack(const char *path, enum payload_kind kind, const char *directory, struct payload_budget *budget,
                   bool *found, struct error *error)
{
    *found = kind == PAYLOAD_SZDD || kind == PAYLOAD_KWAJ;
    if (*found)
        return unpack_single(path, kind, directory, budget, error);
    if (kind == PAYLOAD_OTHER)
        return 0;
    if (kind == PAYLOAD_MSI || kind == PAYLOAD_WIM) {
        *found = true;
        return payload_tool_unpack(path, kind, directory, budget, error);
    }
    return unpack_cabinets(path, kind, directory, budget, found, error);
}
