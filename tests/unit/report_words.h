/*
 * What reports are made of: a plausible Windows Server 2003 with IIS, and for every field of every message what may be
 * in it: its edge, or something at random that could trip over itself in SQL. For one program only.
 */

#ifndef EVENKEEL_REPORT_WORDS_H
#define EVENKEEL_REPORT_WORDS_H

#include "proto/field_limits.h"
#include "report_peer.h"

static uint64_t words_state = 1;

static uint32_t words_random(uint32_t below)
{
    words_state = words_state * 6364136223846793005u + 1442695040888963407u;
    return below == 0 ? 0 : (uint32_t)(words_state >> 33) % below;
}

/* Letters and digits that no compression makes shorter. */
static ProtobufCBinaryData words_noise(struct report *report, const char *start, size_t length)
{
    size_t begun = strlen(start) < length ? strlen(start) : length;
    char *text = report_take(report, length + 1);
    memcpy(text, start, begun);
    for (size_t i = begun; i < length; i++)
        text[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[words_random(36)];
    return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)text};
}

static const char *const words_odd[] = {
    "",
    " ",
    "'",
    "\"",
    "\\",
    "\\\\server\\share\\x.exe",
    "%",
    "%s",
    "%systemroot%",
    "%SystemRoot%\\system32\\svchost.exe -k",
    "%%windir%%",
    "$1",
    "\\1",
    "(",
    ")",
    "[",
    "[a-",
    "[!",
    "*",
    "**",
    "?",
    "+",
    "{1}",
    "a{99999}",
    "^$",
    ".",
    "..",
    "/",
    "//",
    "c:",
    "c:/",
    "C:\\",
    "c:/windows",
    "c:/windows/",
    "c:/winnt",
    "d:/win[dows",
    "c:/(",
    "\"c:\\windows\\x.exe",
    "\\??\\c:\\x.sys",
    "null",
    "NULL",
    "true",
    "0",
    "-1",
    "2147483648",
    "99999999999999999999",
    "infinity",
    "NaN",
    "{",
    "}",
    "{}",
    "[]",
    "\t",
    "\n",
    "\x1b[31m",
    "\xc2\x80",
    "\xc2\x9b",
    "\xe2\x80\xae\xe2\x80\xac",
    "\xf0\x9f\x92\xa9",
    "\xef\xbf\xbf",
    "\xc3\x84",
    "\xef\xbb\xbf",
    "\x7f",
    "\x01",
    "Service Pack 2",
    "Service Pack 99",
    "5.2",
    "10.0",
    "KB973917",
    "Q246009",
    "SP3",
    "hotfix",
    "servicing",
    "updates",
    "AMD64",
    "x86",
    "S-1-5-21-0-0-0",
    "S-1-5-21-1-2-3",
    "00000000-0000-0000-0000-000000000000",
    "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    "c2319c42033a5ca7f44e731bfd3fa2b5_6f9619ff-8b86-d011-b42d-00c04fc964ff",
    "kernel32.dll",
    "ntdll.dll",
    "iisutil.dll",
    "KERNEL32",
    "api-ms-win-core-file-l1-1-0.dll",
    "iisutil.dll.x",
    "a.b.c",
    ".dll",
    "#1",
    "#",
    "#99999999999",
    "iisutil.#1",
    "w3core.f",
    ".#.#",
    "=",
    "a=b",
    "x86_microsoft.vc80.crt_1fc8b3b9a1e18e3b_8.0.50727.42_x-ww_0de06acd",
    "c:/windows/system32/inetsrv/w3core.dll",
    "c:/windows/system32/inetsrv/iisutil.dll",
    "c:\\windows\\system32\\inetsrv\\none.exe",
    "system32\\drivers\\none.sys",
    "web",
    "farm",
    "c:/windows/**",
    "c:/program files/*",
    "2012-07-20",
    "99/99/9999",
};

static ProtobufCBinaryData words_text(struct report *report, size_t most)
{
    char text[512] = "";
    for (uint32_t parts = 1 + words_random(3); parts > 0; parts--)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s",
                 words_odd[words_random(sizeof words_odd / sizeof *words_odd)]);
    if (words_random(40) == 0)
        return words_noise(report, text, 1 + words_random((uint32_t)most));
    size_t length = strlen(text) < most ? strlen(text) : most;
    while (length > 0 && !bytes_are_utf8(bytes_of(text, length)))
        length--;
    text[length] = 0;
    return report_text(report, text);
}

static uint64_t words_number(const struct field_limit *limit)
{
    static const uint64_t odd[] = {0,          1,           2,
                                   4,          16,          96,
                                   101,        332,         3790,
                                   0x7fff,     0x8000,      0xffff,
                                   0x10000,    0x7fffffff,  0x80000000,
                                   0xffffffff, 0x100000000, 17763,
                                   1518,       34404,       (uint64_t)1 << 63,
                                   UINT64_MAX, INT64_MAX,   1234567890000000,
                                   86400,      8192,        600};
    if (limit->kind == FIELD_TIME)
        switch (words_random(4)) {
        case 0:
            return (uint64_t)FIELD_TIME_LEAST;
        case 1:
            return (uint64_t)FIELD_TIME_MOST;
        case 2:
            return 0;
        default:
            return (uint64_t)(INT64_C(1000000000000000) + words_random(1000000000));
        }
    uint64_t number = odd[words_random(sizeof odd / sizeof *odd)];
    if (words_random(4) == 0)
        number = limit->most - words_random(2);
    return number <= limit->most ? number : number % limit->most;
}

static void *words_message(struct report *report, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = report_take(report, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

static void words_put_number(const ProtobufCFieldDescriptor *field, void *place, uint64_t number)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_INT64:
        memcpy(place, &number, sizeof number);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)place = number != 0;
        return;
    default: {
        uint32_t narrow = (uint32_t)number;
        memcpy(place, &narrow, sizeof narrow);
    }
    }
}

static size_t words_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_INT64:
        return 8;
    default:
        return 4;
    }
}

/* Room for a list of so many; returns its first place. */
static void *words_list(struct report *report, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        size_t count)
{
    void *list = report_take(report, count * words_size(field));
    *(size_t *)((uint8_t *)message + field->quantifier_offset) = count;
    *(void **)((uint8_t *)message + field->offset) = list;
    return list;
}

static void words_fill(struct report *report, ProtobufCMessage *message);

static void words_put(struct report *report, const struct field_limit *limit, const ProtobufCFieldDescriptor *field,
                      void *place)
{
    if (limit->kind == FIELD_MESSAGE) {
        ProtobufCMessage *child = words_message(report, field->descriptor);
        words_fill(report, child);
        *(ProtobufCMessage **)place = child;
    } else if (limit->kind == FIELD_DIGEST) {
        ProtobufCBinaryData digest = {0};
        if (words_random(2) != 0)
            digest = words_noise(report, "", DIGEST_BYTES);
        *(ProtobufCBinaryData *)place = digest;
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        *(ProtobufCBinaryData *)place = words_text(report, limit->most);
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        words_put_number(field, place, words_random(2));
    } else {
        words_put_number(field, place, words_number(limit));
    }
}

/* Fills about half of a message's fields with what may be in them. */
static void words_fill(struct report *report, ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    unsigned rows;
    const struct field_limit *limits = field_limits_of(descriptor, &rows);
    for (unsigned i = 0; i < rows; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (words_random(2) == 0 || strcmp(field->name, "component_store") == 0) /* the digest of an object */
            continue;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            words_put(report, &limits[i], field, (uint8_t *)message + field->offset);
            continue;
        }
        uint32_t most = words_random(30) == 0 ? 300 : 6;
        size_t count = words_random(most < limits[i].entries ? most : limits[i].entries);
        uint8_t *list = words_list(report, message, field, count);
        for (size_t k = 0; k < count; k++)
            words_put(report, &limits[i], field, list + k * words_size(field));
    }
}

/* ---- the plausible host ---- */

static const struct {
    const char *path;
    uint16_t revision;
} words_files[] = {
    {"c:/windows/system32/kernel32.dll", 3959},         {"c:/windows/system32/ntdll.dll", 3959},
    {"c:/windows/system32/inetsrv/w3core.dll", 3959},   {"c:/windows/system32/inetsrv/iisutil.dll", 3959},
    {"c:/windows/system32/inetsrv/inetinfo.exe", 3959}, {"c:/windows/system32/svchost.exe", 1830},
};

static void words_base(struct report *report)
{
    enum { COUNT = sizeof words_files / sizeof *words_files };
    Evenkeel__Facts *facts = report->facts;
    facts->has_registry = true;
    facts->product_name = report_text(report, "Microsoft Windows Server 2003");
    facts->current_version = report_text(report, "5.2");
    facts->current_build = 3790;
    facts->service_pack = report_text(report, "Service Pack 2");
    facts->product_type = EVENKEEL__PRODUCT_TYPE__SERVER;
    facts->architecture = report_text(report, "x86");
    facts->windows_directory = report_text(report, "c:/windows");
    facts->machine_keys_read = true;
    facts->machine_guid = words_noise(report, "", 36);
    facts->inetstp_major = 6;
    facts->n_services = 1;
    facts->services = report_take(report, sizeof *facts->services);
    facts->services[0] = words_message(report, &evenkeel__service__descriptor);
    facts->services[0]->name = report_text(report, "W3SVC");
    facts->services[0]->start = 2;
    facts->services[0]->type = 32;
    facts->services[0]->image_path = report_text(report, "%SystemRoot%\\system32\\svchost.exe -k iissvcs");
    report->images = report_take(report, 16 * sizeof *report->images);
    report->files = report_take(report, 64 * sizeof *report->files);
    for (size_t i = 0; i < COUNT; i++) {
        Evenkeel__Image *image = report->images[report->image_count] =
            words_message(report, &evenkeel__image__descriptor);
        image->size = 4096 + i;
        image->machine = 332;
        image->characteristics = 0x2000;
        image->has_version = true;
        image->file_version = (uint64_t)6 << 48 | (uint64_t)3790 << 16 | words_files[i].revision;
        image->product_version = image->file_version;
        image->n_exports = 1;
        image->exports = report_take(report, sizeof *image->exports);
        image->exports[0] = words_message(report, &evenkeel__export__descriptor);
        image->exports[0]->ordinal = 1;
        image->exports[0]->name = report_text(report, "One");
        image->n_imports = 1;
        image->imports = report_take(report, sizeof *image->imports);
        image->imports[0] = words_message(report, &evenkeel__import__descriptor);
        image->imports[0]->dll = report_text(report, i == 2 ? "iisutil.dll" : "KERNEL32.dll");
        image->imports[0]->n_names = 1;
        image->imports[0]->names = report_take(report, sizeof *image->imports[0]->names);
        image->imports[0]->names[0] = report_text(report, i == 2 ? "Two" : "One");
        report->files[report->file_count++] =
            (struct report_file){.path = words_files[i].path, .image = report->image_count++};
    }
}

#endif
