/* evenkeel-collector scan: what is here, to stdout. */

#include "commands.h"

#include "collector/disk/cache.h"
#include "collector/disk/roots.h"
#include "collector/disk/snapshot.h"
#include "collector/disk/walk.h"
#include "collector/settings/config.h"
#include "proto/cleanup.h"
#include "scan.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#define OUTPUT_BYTES (64u << 10)

enum format { TSV, JSON, OBJECTS };

struct scan {
    enum format format;
    const char *root, *payload, *cache_path;
    char drive;
    struct pe_options read;
    struct roots *roots; /* what is wanted below root */
    struct walk_counts counts;
    struct pe_image image;
    struct snapshot *snapshot; /* for OBJECTS */
    struct cache *cache;       /* NULL: none */
    uint64_t unhashed;         /* files that are too large to be hashed */
};

static void usage(FILE *out)
{
    fputs("usage: evenkeel-collector scan [OPTION]... PATH...\n"
          "       evenkeel-collector scan [OPTION]... --root DIR [PATH...]\n\n"
          "Prints the files at PATH, and in all folders below it, in the order of paths.\n\n"
          "  --root DIR       DIR is a host's drive: paths are printed folded and from the\n"
          "                   drive letter, PATH is looked up below DIR whatever its case;\n"
          "                   without PATH, the host's own folders\n"
          "  --payload DIR    like --root, with everything in DIR\n"
          "  --drive LETTER   the drive that DIR stands for (default: c)\n"
          "  --include NAME   with --root, the backup folder NAME too:\n",
          out);
    const char *pattern, *name;
    size_t column = 80;
    for (unsigned i = 0; (name = roots_backup_name(i, &pattern)) != NULL; i++) {
        column += strlen(name) + 1;
        if (column >= 80)
            column = (size_t)fprintf(out, "%s                     %s", i > 0 ? "\n" : "", name);
        else
            fprintf(out, " %s", name);
    }
    fputc('\n', out);
    fputs("  --format FORMAT  tsv (default), json: a line per file with all that is known\n"
          "                   of it, or objects: images, chunks and inventory as shipped\n"
          "  --cache FILE     with tsv, don't open files that FILE knows from the last scan\n"
          "  --hash           read whole files for their SHA-256\n"
          "  --hash-limit MIB\n"
          "                   but not those that are larger (1024)\n"
          "  --symbols        read exports and imports (default for json and objects)\n"
          "  --no-symbols     don't\n",
          out);
}

static void report(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "evenkeel-collector: %s\n", sentence);
}

static void count_unhashed(struct scan *scan, uint64_t size)
{
    if (scan->read.hash && !pe_is_hashed(&scan->read, size))
        scan->unhashed++;
}

static int print_file(struct scan *scan, struct bytes path, struct platform_file *file, struct error *error)
{
    struct platform_stat stat;
    if (platform_file_stat(file, &stat, error) < 0 || pe_read(file, stat.size, &scan->read, &scan->image, error) < 0)
        return 1;
    if (scan->format == TSV)
        scan_print_tsv(stdout, path, &scan->image);
    else
        scan_print_json(stdout, path, &scan->image);
    count_unhashed(scan, stat.size);
    return ferror(stdout) ? error_set(error, ERROR_IO, "can't write the output: %s", strerror(errno)) : 0;
}

static int visit(void *context, const struct walk_file *walked, struct error *error)
{
    struct scan *scan = context;
    if (scan->snapshot != NULL)
        return snapshot_visit(scan->snapshot, walked, error);
    struct platform_stat stat;
    struct cache_entry entry;
    if (scan->cache != NULL) {
        if (platform_directory_stat(walked->directory, walked->name, &stat, error) < 0)
            return 1;
        if (cache_find(scan->cache, walked->path, &stat, &entry) &&
            pe_is_hashed(&scan->read, stat.size) == entry.has_sha256) {
            struct pe_image image;
            cache_entry_to_image(&entry, stat.size, &image);
            scan_print_tsv(stdout, walked->path, &image);
            count_unhashed(scan, stat.size);
            cache_put(scan->cache, walked->path, &stat, &entry);
            return 0;
        }
    }
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    if (platform_file_open_in(walked->directory, walked->name, &file, error) < 0)
        return 1;
    int status = print_file(scan, walked->path, &file, error);
    if (status == 0 && scan->cache != NULL) {
        cache_entry_from_image(&scan->image, &entry);
        cache_put(scan->cache, walked->path, &stat, &entry);
    }
    return status;
}

static int scan_directory(struct scan *scan, const char *path, const char *prefix, bool host, struct error *error)
{
    struct walk_options options = {
        .prefix = prefix,
        .fold = host,
        .strict = scan->format == OBJECTS,
        .roots = host ? scan->roots : NULL,
        .context = scan,
        .visit = visit,
        .report = report,
    };
    struct platform_directory *directory;
    if (platform_directory_open(path, &directory, error) < 0)
        return -1;
    int status = walk(directory, &options, &scan->counts, error);
    platform_directory_close(directory);
    return status;
}

/* A path as the user wrote it, outside of any host's drive. */
static int scan_path(struct scan *scan, const char *path, struct error *error)
{
    struct platform_stat stat;
    if (platform_stat(path, &stat, error) < 0)
        return -1;
    if (stat.kind == PLATFORM_DIRECTORY) {
        _cleanup_free_ char *prefix = NULL;
        size_t length = strlen(path);
        if (asprintf(&prefix, "%s%s", path, length > 0 && path[length - 1] == '/' ? "" : "/") < 0) {
            prefix = NULL;
            return error_set(error, ERROR_MEMORY, "no memory for a path");
        }
        return scan_directory(scan, path, prefix, false, error);
    }
    if (stat.kind != PLATFORM_FILE)
        return error_set(error, ERROR_USAGE, "'%s' is neither a file nor a folder", path);
    struct error problem = {0};
    _cleanup_(platform_file_close) struct platform_file file = PLATFORM_FILE_NONE;
    int status = platform_file_open(path, &file, &problem) < 0
                     ? 1
                     : print_file(scan, bytes_of(path, strlen(path)), &file, &problem);
    if (status < 0) {
        *error = problem;
        return -1;
    }
    if (status > 0) {
        scan->counts.unreadable++;
        report(NULL, problem.message);
    } else {
        scan->counts.files++;
    }
    return 0;
}

static int check_paths(char **paths, struct error *error)
{
    for (; *paths != NULL; paths++) {
        struct platform_stat stat;
        struct error why = {0};
        if (platform_stat(*paths, &stat, &why) == 0)
            continue;
        if (why.code != ERROR_NOT_FOUND)
            return error_set(error, why.code, "%s", why.message);
        return error_set(error, ERROR_NOT_FOUND, "there is no '%s': check the path, and that its disk is mounted",
                         *paths);
    }
    return 0;
}

/* A PATH beside --root may be written from the host's drive on, or as it lies on this machine. */
static const char *below_root(const char *root, const char *path)
{
    size_t length = strlen(root);
    while (length > 1 && root[length - 1] == '/')
        length--;
    bool below = strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == 0);
    return below ? path + length : path;
}

static int scan_host(struct scan *scan, char **paths, struct error *error)
{
    const char *root = scan->payload != NULL ? scan->payload : scan->root;
    char prefix[] = {scan->drive, ':', '/', 0};
    if (check_paths((char *[]){(char *)root, NULL}, error) < 0)
        return -1;
    if (*paths != NULL || scan->payload != NULL)
        roots_keep_all(scan->roots);
    if (scan->payload != NULL && *paths == NULL && roots_add(scan->roots, scan->drive, "/", error) < 0)
        return -1;
    for (; *paths != NULL; paths++)
        if (roots_add(scan->roots, scan->drive, below_root(root, *paths), error) < 0)
            return -1;
    if (scan_directory(scan, root, prefix, true, error) < 0)
        return -1;
    const char *missing = roots_unmatched(scan->roots);
    if (missing != NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no '%s' below '%s': check the path", missing, root);
    return 0;
}

static int run(struct scan *scan, char **paths, struct error *error)
{
    struct digest inventory;
    bool host = scan->root != NULL || scan->payload != NULL;
    if (!host && *paths == NULL)
        return error_set(error, ERROR_USAGE, "nothing to scan: name a PATH, or a host's drive with --root DIR");
    if (!host && scan->format == OBJECTS)
        return error_set(error, ERROR_USAGE,
                         "objects have paths from a drive letter: name the drive with --root DIR, "
                         "or a folder of files with --payload DIR");
    if (!host && check_paths(paths, error) < 0)
        return -1;
    if (scan->format == OBJECTS && snapshot_new(stdout, &scan->read, &scan->snapshot, error) < 0)
        return -1;
    if (scan->cache_path != NULL &&
        cache_open(scan->cache_path, scan->read.hash ? "tsv hash" : "tsv", &scan->cache, error) < 0)
        return -1;
    if (scan->format == TSV)
        scan_print_tsv_header(stdout);
    if (host && scan_host(scan, paths, error) < 0)
        return -1;
    for (; !host && *paths != NULL; paths++)
        if (scan_path(scan, *paths, error) < 0)
            return -1;
    if (scan->format == OBJECTS) {
        if (snapshot_counts(scan->snapshot)->files == 0)
            return error_set(error, ERROR_NOT_FOUND,
                             "there is no PE file (.exe, .dll, .sys) in '%s': name the folder "
                             "that holds the host's Windows directory",
                             scan->root != NULL ? scan->root : scan->payload);
        if (snapshot_end(scan->snapshot, &inventory, error) < 0)
            return -1;
    }
    if (scan->cache != NULL && cache_commit(scan->cache, error) < 0)
        return -1;
    return fflush(stdout) != 0 ? error_set(error, ERROR_IO, "can't write the output: %s", strerror(errno)) : 0;
}

/* Fills *scan; 0, 1 where help was shown, or -1. */
static int parse(int argc, char **argv, struct scan *scan, struct error *error)
{
    enum { ROOT = 1, PAYLOAD, DRIVE, INCLUDE, FORMAT, CACHE, HASH, HASH_LIMIT, SYMBOLS, NO_SYMBOLS, HELP };
    static const struct option options[] = {
        {"root", required_argument, NULL, ROOT},
        {"payload", required_argument, NULL, PAYLOAD},
        {"drive", required_argument, NULL, DRIVE},
        {"include", required_argument, NULL, INCLUDE},
        {"format", required_argument, NULL, FORMAT},
        {"hash", no_argument, NULL, HASH},
        {"hash-limit", required_argument, NULL, HASH_LIMIT},
        {"cache", required_argument, NULL, CACHE},
        {"symbols", no_argument, NULL, SYMBOLS},
        {"no-symbols", no_argument, NULL, NO_SYMBOLS},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    struct config config;
    int option, symbols = -1;
    config_init(&config);
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case ROOT:
            scan->root = optarg;
            break;
        case PAYLOAD:
            scan->payload = optarg;
            break;
        case DRIVE:
            if (roots_drive(optarg, &scan->drive, error) < 0)
                return -1;
            break;
        case INCLUDE:
            if (roots_include(scan->roots, optarg, error) < 0)
                return -1;
            break;
        case FORMAT:
            if (strcmp(optarg, "tsv") != 0 && strcmp(optarg, "json") != 0 && strcmp(optarg, "objects") != 0)
                return error_set(error, ERROR_USAGE, "there is no format '%s'; there are tsv, json and objects",
                                 optarg);
            scan->format = optarg[0] == 't' ? TSV : optarg[0] == 'j' ? JSON : OBJECTS;
            break;
        case CACHE:
            scan->cache_path = optarg;
            break;
        case HASH:
            scan->read.hash = true;
            break;
        case HASH_LIMIT:
            if (config_set(&config, "hash-limit", optarg, error) < 0)
                return -1;
            break;
        case SYMBOLS:
        case NO_SYMBOLS:
            symbols = option == SYMBOLS;
            break;
        case HELP:
            usage(stdout);
            return 1;
        default:
            return error_set(
                error, ERROR_USAGE,
                "'%s' is no option, or lacks its value; 'evenkeel-collector scan --help' tells the options",
                argv[optind - 1]);
        }
    }
    if (scan->root != NULL && scan->payload != NULL)
        return error_set(error, ERROR_USAGE, "--root and --payload exclude each other: name one of them");
    if (scan->cache_path != NULL && scan->format != TSV)
        return error_set(error, ERROR_USAGE, "--cache holds what tsv prints, not all of json or objects: leave it out");
    scan->read.hash_most = (uint64_t)config.hash_limit << 20;
    scan->read.symbols = symbols < 0 ? scan->format != TSV : symbols > 0;
    return 0;
}

int command_scan(int argc, char **argv)
{
    struct error error = {0};
    struct scan scan = {.drive = 'c', .roots = roots_new()};
    static char buffer[OUTPUT_BYTES]; /* outlives the scan, as stdout does */
    int status =
        scan.roots == NULL ? error_set(&error, ERROR_MEMORY, "no memory to scan") : parse(argc, argv, &scan, &error);
    if (status == 0) {
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
        status = run(&scan, argv + optind, &error);
        char passed_over[256];
        if (walk_counts_text(&scan.counts, passed_over, sizeof passed_over)[0] != 0)
            fprintf(stderr, "evenkeel-collector: passed over: %s\n", passed_over);
        uint64_t unhashed = scan.snapshot != NULL ? snapshot_counts(scan.snapshot)->unhashed : scan.unhashed;
        if (unhashed > 0)
            fprintf(stderr,
                    "evenkeel-collector: no SHA-256 of %" PRIu64 " file%s larger than %" PRIu64 " MiB (--hash-limit)\n",
                    unhashed, unhashed == 1 ? "" : "s", scan.read.hash_most >> 20);
        if (status == 0 && scan.root != NULL && scan.format != OBJECTS && scan.counts.files == 0)
            fprintf(
                stderr,
                "evenkeel-collector: nothing to read in '%s': name the folder that holds the host's Windows directory "
                "with --root, or the folders to read as PATH\n",
                scan.root);
        if (fflush(stdout) != 0 && status == 0)
            status = error_set(&error, ERROR_IO, "can't write the output: %s", strerror(errno));
    }
    pe_image_clear(&scan.image);
    snapshot_free(scan.snapshot);
    cache_close(scan.cache);
    roots_free(scan.roots);
    if (status < 0)
        fprintf(stderr, "evenkeel-collector scan: %s\n", error.message);
    return status < 0;
}
