/*
 * Prints what the PE reader sees in the files named on the command line or, with none, on standard input, one a line:
 * for tests that compare it with other readers. Fields are separated by tabs:
 *
 *   file      path, 'pe' or 'none', file version, product version (empty without), defects
 *   string    name, text
 *   export    ordinal, name, forwarder
 *   import    'plain' or 'delay', DLL, symbol or #ordinal
 */

#include "collector/pe/pe.h"
#include "proto/cleanup.h"

#include <string.h>

static void print_text(const char *separator, struct bytes text)
{
    fputs(separator, stdout);
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte == '\\')
            printf("\\x%02x", byte);
        else
            putchar(byte);
    }
}

static void print_version(bool there, struct pe_version version)
{
    if (there)
        printf("\t%u.%u.%u.%u", version.major, version.minor, version.build, version.revision);
    else
        printf("\t");
}

static void print_symbols(const struct pe_image *image)
{
    for (size_t i = 0; i < image->exports_length; i++) {
        printf("export\t%u", image->exports[i].ordinal);
        print_text("\t", image->exports[i].name);
        print_text("\t", image->exports[i].forwarder);
        printf("\n");
    }
    for (size_t i = 0; i < image->imports_length; i++) {
        const struct pe_import *import = &image->imports[i];
        for (size_t k = 0; k < import->names_length; k++) {
            printf("import\t%s", import->delay ? "delay" : "plain");
            print_text("\t", import->dll);
            print_text("\t", import->names[k]);
            printf("\n");
        }
        for (size_t k = 0; k < import->ordinals_length; k++) {
            printf("import\t%s", import->delay ? "delay" : "plain");
            print_text("\t", import->dll);
            printf("\t#%u\n", import->ordinals[k]);
        }
    }
}

static int dump(const char *path, struct pe_image *image)
{
    static const char *const names[PE_VERSION_STRINGS] = {
        "FileVersion", "ProductVersion", "ProductName", "CompanyName", "OriginalFilename", "FileDescription",
    };
    static const struct pe_options options = {.symbols = true};
    struct error error = {0};
    struct platform_stat stat;
    struct platform_file file = PLATFORM_FILE_NONE;
    char defects[256];
    int result = -1;
    if (platform_file_open(path, &file, &error) == 0 && platform_file_stat(&file, &stat, &error) == 0)
        result = pe_read(&file, stat.size, &options, image, &error);
    platform_file_close(&file);
    if (result < 0) {
        fprintf(stderr, "pe_dump: %s: %s\n", path, error.message);
        return -1;
    }
    printf("file\t%s\t%s", path, image->is_pe ? "pe" : "none");
    print_version(image->has_version, image->file_version);
    print_version(image->has_version, image->product_version);
    printf("\t%s\n", pe_defect_names(image->defects, defects, sizeof defects));
    for (size_t i = 0; i < PE_VERSION_STRINGS; i++) {
        if (image->strings[i].length == 0)
            continue;
        printf("string\t%s", names[i]);
        print_text("\t", image->strings[i]);
        printf("\n");
    }
    print_symbols(image);
    return 0;
}

int main(int argc, char **argv)
{
    _cleanup_(pe_image_clear) struct pe_image image = {0};
    int failures = 0;
    for (int i = 1; i < argc; i++)
        failures += dump(argv[i], &image) < 0;
    char path[4096];
    while (argc == 1 && fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        failures += dump(path, &image) < 0;
    }
    return failures > 0;
}
