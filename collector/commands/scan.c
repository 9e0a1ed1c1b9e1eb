/* What a scan prints of one file. */

#include "scan.h"

#include <string.h>

void scan_print_tsv_header(FILE *out)
{
    fputs("path\tsize\tfile_version\tproduct_version\tmachine\ttimestamp\tchecksum\tsha256\n", out);
}

static void print_escaped(FILE *out, struct bytes text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.length; i++) {
        const char *escape = NULL;
        switch (text.data[i]) {
        case '\t':
            escape = "\\t";
            break;
        case '\n':
            escape = "\\n";
            break;
        case '\r':
            escape = "\\r";
            break;
        case '\\':
            escape = "\\\\";
            break;
        default:
            continue;
        }
        fwrite(text.data + start, 1, i - start, out);
        fputs(escape, out);
        start = i + 1;
    }
    fwrite(text.data + start, 1, text.length - start, out);
}

/* Decimal digits by hand: printf takes as long as all the rest of a line. */
static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t length = 0;
    do
        digits[length++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (length > 0)
        *at++ = digits[--length];
    return at;
}

#define VERSION_SIZE 24 /* four numbers of five digits, their dots and a NUL */

static char *put_version(char *at, struct pe_version version)
{
    at = put_number(at, version.major);
    *at++ = '.';
    at = put_number(at, version.minor);
    *at++ = '.';
    at = put_number(at, version.build);
    *at++ = '.';
    return put_number(at, version.revision);
}

static char *put_two(char *at, unsigned number)
{
    *at++ = (char)('0' + number / 10 % 10);
    *at++ = (char)('0' + number % 10);
    return at;
}

#define TIME_SIZE 24 /* "2026-11-21T09:02:56Z" and a NUL */

/* By hand: gmtime() of a 32-bit Windows ends in 2038, and link timestamps that are hashes don't. */
static char *put_time(char *at, uint32_t seconds)
{
    uint32_t days = seconds / 86400 + 719468; /* since 0000-03-01: so that leap days end a year */
    uint32_t era = days / 146097, day_of_era = days % 146097;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * day_of_year + 2) / 153; /* from March */
    at = put_number(at, era * 400 + year_of_era + (month >= 10));
    *at++ = '-';
    at = put_two(at, month < 10 ? month + 3 : month - 9);
    *at++ = '-';
    at = put_two(at, day_of_year - (153 * month + 2) / 5 + 1);
    *at++ = 'T';
    at = put_two(at, seconds / 3600 % 24);
    *at++ = ':';
    at = put_two(at, seconds / 60 % 60);
    *at++ = ':';
    at = put_two(at, seconds % 60);
    *at++ = 'Z';
    return at;
}

#define HEX_SIZE(bytes) (2 * (bytes) + 1)

static char *put_hex(char *at, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        *at++ = "0123456789abcdef"[data[i] >> 4];
        *at++ = "0123456789abcdef"[data[i] & 15];
    }
    return at;
}

static char *put_checksum(char *at, uint32_t checksum)
{
    uint8_t bytes[] = {(uint8_t)(checksum >> 24), (uint8_t)(checksum >> 16), (uint8_t)(checksum >> 8),
                       (uint8_t)checksum};
    *at++ = '0';
    *at++ = 'x';
    return put_hex(at, bytes, sizeof bytes);
}

static char *put_machine(char *at, uint16_t machine)
{
    const char *name = pe_machine_name(machine);
    if (name == NULL)
        return at + sprintf(at, "0x%04x", machine);
    size_t length = strlen(name);
    memcpy(at, name, length);
    return at + length;
}

void scan_print_tsv(FILE *out, struct bytes path, const struct pe_image *image)
{
    char line[256], *at = line;
    print_escaped(out, path);
    *at++ = '\t';
    at = put_number(at, image->size);
    *at++ = '\t';
    if (image->has_version)
        at = put_version(at, image->file_version);
    *at++ = '\t';
    if (image->has_version)
        at = put_version(at, image->product_version);
    *at++ = '\t';
    if (image->is_pe)
        at = put_machine(at, image->machine);
    *at++ = '\t';
    if (image->is_pe)
        at = put_time(at, image->time_date_stamp);
    *at++ = '\t';
    if (image->is_pe)
        at = put_checksum(at, image->checksum);
    *at++ = '\t';
    if (image->has_sha256)
        at = put_hex(at, image->sha256, sizeof image->sha256);
    *at++ = '\n';
    fwrite(line, 1, (size_t)(at - line), out);
}

/* ---- JSON ---- */

/* How many bytes the UTF-8 sequence at the text's start has; 0 where it is not well-formed. */
static size_t sequence_length(struct bytes text)
{
    for (size_t length = 2; length <= 4 && length <= text.length; length++)
        if (bytes_are_utf8(bytes_of(text.data, length)))
            return length;
    return 0;
}

static void print_json_text(FILE *out, struct bytes text)
{
    fputc('"', out);
    for (size_t i = 0; i < text.length;) {
        uint8_t letter = text.data[i];
        size_t length = 1;
        if (letter == '"' || letter == '\\')
            fprintf(out, "\\%c", letter);
        else if (letter < 0x20 || letter == 0x7f)
            fprintf(out, "\\u%04x", letter);
        else if (letter < 0x80)
            fputc(letter, out);
        else if ((length = sequence_length(bytes_of(text.data + i, text.length - i))) > 0)
            fwrite(text.data + i, 1, length, out);
        else
            length = (size_t)(fputs("\\ufffd", out), 1);
        i += length;
    }
    fputc('"', out);
}

static void print_json_string(FILE *out, const char *name, struct bytes text)
{
    if (text.length == 0)
        return;
    fprintf(out, ",\"%s\":", name);
    print_json_text(out, text);
}

static void print_json_version(FILE *out, const char *name, struct pe_version version)
{
    char text[VERSION_SIZE];
    *put_version(text, version) = 0;
    fprintf(out, ",\"%s\":\"%s\"", name, text);
}

static void print_json_exports(FILE *out, const struct pe_image *image)
{
    fputs(",\"exports\":[", out);
    for (size_t i = 0; i < image->exports_length; i++) {
        const struct pe_export *export = &image->exports[i];
        fprintf(out, "%s{\"ordinal\":%u", i > 0 ? "," : "", export->ordinal);
        print_json_string(out, "name", export->name);
        print_json_string(out, "forwarder", export->forwarder);
        fputc('}', out);
    }
    fputc(']', out);
}

static void print_json_imports(FILE *out, const struct pe_image *image)
{
    fputs(",\"imports\":[", out);
    for (size_t i = 0; i < image->imports_length; i++) {
        const struct pe_import *import = &image->imports[i];
        fprintf(out, "%s{\"dll\":", i > 0 ? "," : "");
        print_json_text(out, import->dll);
        fprintf(out, ",\"delay\":%s,\"names\":[", import->delay ? "true" : "false");
        for (size_t k = 0; k < import->names_length; k++) {
            if (k > 0)
                fputc(',', out);
            print_json_text(out, import->names[k]);
        }
        fputs("],\"ordinals\":[", out);
        for (size_t k = 0; k < import->ordinals_length; k++)
            fprintf(out, "%s%u", k > 0 ? "," : "", import->ordinals[k]);
        fputs("]}", out);
    }
    fputc(']', out);
}

static void print_json_image(FILE *out, const struct pe_image *image)
{
    static const char *const names[PE_VERSION_STRINGS] = {
        [PE_FILE_VERSION] = "file_version_string",    [PE_PRODUCT_VERSION] = "product_version_string",
        [PE_PRODUCT_NAME] = "product_name",           [PE_COMPANY_NAME] = "company_name",
        [PE_ORIGINAL_FILENAME] = "original_filename", [PE_FILE_DESCRIPTION] = "file_description",
    };
    char machine[32], time[TIME_SIZE], checksum[16], defects[256];
    *put_machine(machine, image->machine) = 0;
    *put_time(time, image->time_date_stamp) = 0;
    *put_checksum(checksum, image->checksum) = 0;
    fprintf(out, ",\"machine\":\"%s\",\"timestamp\":\"%s\",\"size_of_image\":%u,\"checksum\":\"%s\"", machine, time,
            image->size_of_image, checksum);
    fprintf(out, ",\"characteristics\":%u", image->characteristics);
    if (image->has_version) {
        print_json_version(out, "file_version", image->file_version);
        print_json_version(out, "product_version", image->product_version);
        fprintf(out, ",\"file_flags\":%u", image->file_flags);
    }
    for (size_t i = 0; i < PE_VERSION_STRINGS; i++)
        print_json_string(out, names[i], image->strings[i]);
    if (!image->symbols_omitted) {
        print_json_exports(out, image);
        print_json_imports(out, image);
    }
    const char *broken = pe_defect_names(image->defects, defects, sizeof defects);
    print_json_string(out, "defects", bytes_of(broken, strlen(broken)));
}

void scan_print_json(FILE *out, struct bytes path, const struct pe_image *image)
{
    fputs("{\"path\":", out);
    print_json_text(out, path);
    fprintf(out, ",\"size\":%llu", (unsigned long long)image->size);
    if (image->is_pe)
        print_json_image(out, image);
    if (image->has_sha256) {
        char sha256[HEX_SIZE(sizeof image->sha256)];
        *put_hex(sha256, image->sha256, sizeof image->sha256) = 0;
        fprintf(out, ",\"sha256\":\"%s\"", sha256);
    }
    fputs("}\n", out);
}
