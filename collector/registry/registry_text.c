/* Reads a registry export (.reg): both of Windows' formats, in whichever encoding it was saved. */

#include "collector/platform/code_page.h"
#include "collector/platform/platform.h"
#include "proto/cleanup.h"
#include "registry.h"
#include "registry_tree.h"
#include "registry_utf16.h"

/* The text as UTF-8 and where the reader stands in it. */
struct reader {
    struct bytes text;
    uint64_t at;
    size_t line;
    const char *name;
    bool wide_data;  /* hex data of strings is UTF-16LE: version 5; 8-bit: REGEDIT4 */
    bool any_header; /* an export starts with one; several exports in a row have several */
    struct registry *tree;
    unsigned code_page; /* of its 8-bit strings */
    bool assumed;       /* nobody said so */
    uint32_t key;
    bool in_key; /* false: the key is one that is passed over */
    bool any_key;
};

/* A growing text, UTF-8. */
struct buffer {
    char *data;
    size_t length, room;
};

static void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
}

static int buffer_add(struct buffer *buffer, uint8_t byte, struct error *error)
{
    if (buffer->length == buffer->room) {
        size_t room = buffer->room == 0 ? 64 : buffer->room * 2;
        char *data = realloc(buffer->data, room);
        if (data == NULL)
            return error_set(error, ERROR_MEMORY, "out of memory reading a registry export: give the collector more");
        buffer->data = data;
        buffer->room = room;
    }
    buffer->data[buffer->length++] = (char)byte;
    return 0;
}

static struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->length);
}

static int malformed(const struct reader *reader, const char *what, struct error *error)
{
    return error_set(error, ERROR_FORMAT, "registry export '%s', line %zu: %s; export it again", reader->name,
                     reader->line, what);
}

/* The byte ahead; 0 at the end (a NUL in the text is an error before it gets here). */
static uint8_t peek(const struct reader *reader)
{
    uint8_t byte;
    bytes_u8(reader->text, reader->at, &byte);
    return byte;
}

static uint8_t take(struct reader *reader)
{
    uint8_t byte = peek(reader);
    if (reader->at < reader->text.length)
        reader->at++;
    if (byte == '\n')
        reader->line++;
    return byte;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (is_blank(peek(reader)))
        take(reader);
}

static bool skip_word(struct reader *reader, const char *word)
{
    struct bytes ahead;
    size_t length = strlen(word);
    if (!bytes_slice(reader->text, reader->at, length, &ahead) ||
        !registry_names_match((const char *)ahead.data, length, word, length))
        return false;
    reader->at += length;
    return true;
}

/* The rest of the line, without blanks around it; the reader goes to the next line. */
static struct bytes take_line(struct reader *reader)
{
    struct bytes line;
    skip_blanks(reader);
    struct bytes rest;
    uint8_t last;
    bytes_slice(reader->text, reader->at, reader->text.length - reader->at, &rest);
    const uint8_t *newline = rest.length > 0 ? memchr(rest.data, '\n', rest.length) : NULL;
    uint64_t length = newline != NULL ? (uint64_t)(newline - rest.data) : rest.length;
    reader->at += length;
    take(reader);
    while (length > 0 && bytes_u8(rest, length - 1, &last) && is_blank(last))
        length--;
    bytes_slice(rest, 0, length, &line);
    return line;
}

/* Behind a value there may be blanks and a comment. */
static int end_line(struct reader *reader, struct error *error)
{
    skip_blanks(reader);
    if (peek(reader) == ';') {
        take_line(reader);
        return 0;
    }
    if (peek(reader) != 0 && peek(reader) != '\n')
        return malformed(reader, "more on the line than a value", error);
    take(reader);
    return 0;
}

/* A text in quotes, in which a backslash stands before a quote or a backslash; it may go over line ends, as in exports.
 */
static int take_quoted(struct reader *reader, struct buffer *text, struct error *error)
{
    take(reader);
    for (;;) {
        uint8_t byte = take(reader);
        if (byte == 0)
            return malformed(reader, "the file ends within quotes", error);
        if (byte == '"')
            return 0;
        if (byte == '\\' && (peek(reader) == '"' || peek(reader) == '\\'))
            byte = take(reader);
        if (buffer_add(text, byte, error) == -1)
            return -1;
    }
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Up to eight hex digits; false where there is none. */
static bool take_number(struct reader *reader, uint32_t *number)
{
    size_t digits = 0;
    for (*number = 0; digits < 8 && hex_digit(peek(reader)) >= 0; digits++)
        *number = *number << 4 | (uint32_t)hex_digit(take(reader));
    return digits > 0;
}

/* Bytes in hex with commas between them; a backslash at the end of a line goes on in the next. */
static int take_hex(struct reader *reader, struct buffer *data, struct error *error)
{
    for (;;) {
        uint32_t byte;
        skip_blanks(reader);
        if (peek(reader) == '\\') {
            take(reader);
            skip_blanks(reader);
            if (take(reader) != '\n')
                return malformed(reader, "a backslash within bytes that is not at the line's end", error);
            continue;
        }
        if (!take_number(reader, &byte)) {
            if (peek(reader) == 0 || peek(reader) == '\n' || peek(reader) == ';')
                return 0;
            return malformed(reader, "something other than hex digits among bytes", error);
        }
        if (byte > 0xff)
            return malformed(reader, "a number among bytes that is none", error);
        if (buffer_add(data, (uint8_t)byte, error) == -1)
            return -1;
        skip_blanks(reader);
        if (peek(reader) == ',')
            take(reader);
    }
}

/* Strings in the form in which the registry keeps them: UTF-16LE with a NUL at the end. */
static int set_string(struct reader *reader, struct bytes name, uint32_t type, struct bytes utf8, bool end,
                      struct error *error)
{
    size_t length;
    uint8_t *utf16 = utf8_to_utf16(utf8, &length);
    uint8_t *ended = utf16 == NULL ? NULL : realloc(utf16, length + 2);
    if (ended == NULL) {
        free(utf16);
        return error_set(error, ERROR_MEMORY, "out of memory reading a registry export: give the collector more");
    }
    if (end) {
        ended[length++] = 0;
        ended[length++] = 0;
    }
    return registry_tree_set_value(reader->tree, reader->key, name, type, ended, length, error);
}

static uint64_t lines_beyond_ascii(struct bytes text)
{
    uint64_t lines = 0;
    bool counted = false;
    uint8_t byte;
    for (uint64_t at = 0; bytes_u8(text, at, &byte); at++) {
        if (byte >= 0x80 && !counted)
            lines++;
        counted = byte != '\n' && (counted || byte >= 0x80);
    }
    return lines;
}

/* 8-bit text by the reader's code page; *misspelt counts what may not say what it should. */
static int decode_8_bit(const struct reader *reader, struct bytes text, char **utf8, size_t *length, uint64_t *misspelt,
                        struct error *error)
{
    *misspelt = 0;
    if (reader->code_page != 1252)
        return code_page_to_utf8(reader->code_page, text, utf8, length, misspelt, error);
    if (reader->assumed)
        *misspelt = lines_beyond_ascii(text);
    *utf8 = windows_1252_to_utf8(text, length);
    return *utf8 != NULL
               ? 0
               : error_set(error, ERROR_MEMORY, "out of memory reading a registry export: give the collector more");
}

static int set_bytes(struct reader *reader, struct bytes name, uint32_t type, struct bytes data, struct error *error)
{
    bool string = type == REGISTRY_SZ || type == REGISTRY_EXPAND_SZ || type == REGISTRY_MULTI_SZ;

    if (string && !reader->wide_data) {
        size_t length;
        uint64_t misspelt;
        _cleanup_free_ char *utf8 = NULL;
        if (decode_8_bit(reader, data, &utf8, &length, &misspelt, error) == -1)
            return -1;
        reader->tree->misspelt += misspelt > 0;
        return set_string(reader, name, type, bytes_of(utf8, length), false, error);
    }
    uint8_t *copy = malloc(data.length + 1);
    if (copy == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory reading a registry export: give the collector more");
    if (data.length > 0)
        memcpy(copy, data.data, data.length);
    return registry_tree_set_value(reader->tree, reader->key, name, type, copy, data.length, error);
}

/* What stands behind `"name"=`. Parsed also within keys that are passed over, as a string may hold what looks like a
 * key. */
static int read_data(struct reader *reader, struct bytes name, struct error *error)
{
    _cleanup_(buffer_free) struct buffer data = {0};
    uint32_t number, type = REGISTRY_BINARY;

    skip_blanks(reader);
    if (peek(reader) == '-') {
        take(reader);
        if (reader->in_key)
            registry_tree_remove_value(reader->tree, reader->key, name);
        return end_line(reader, error);
    }
    if (peek(reader) == '"') {
        if (take_quoted(reader, &data, error) == -1 ||
            (reader->in_key && set_string(reader, name, REGISTRY_SZ, buffer_bytes(&data), true, error) == -1))
            return -1;
        return end_line(reader, error);
    }
    if (skip_word(reader, "dword:")) {
        skip_blanks(reader);
        if (!take_number(reader, &number))
            return malformed(reader, "a dword without a number", error);
        for (int shift = 0; shift < 32; shift += 8)
            if (buffer_add(&data, (uint8_t)(number >> shift), error) == -1)
                return -1;
        if (reader->in_key && set_bytes(reader, name, REGISTRY_DWORD, buffer_bytes(&data), error) == -1)
            return -1;
        return end_line(reader, error);
    }
    if (!skip_word(reader, "hex"))
        return malformed(reader, "a value that is neither a string nor dword nor hex", error);
    if (peek(reader) == '(') {
        take(reader);
        if (!take_number(reader, &type) || take(reader) != ')')
            return malformed(reader, "a type of hex data that is no number", error);
    }
    if (take(reader) != ':')
        return malformed(reader, "hex data without a colon", error);
    if (take_hex(reader, &data, error) == -1 ||
        (reader->in_key && set_bytes(reader, name, type, buffer_bytes(&data), error) == -1))
        return -1;
    return end_line(reader, error);
}

static int read_value(struct reader *reader, struct error *error)
{
    _cleanup_(buffer_free) struct buffer name = {0};

    if (peek(reader) == '@')
        take(reader);
    else if (take_quoted(reader, &name, error) == -1)
        return -1;
    skip_blanks(reader);
    if (take(reader) != '=')
        return malformed(reader, "a name without '='", error);
    return read_data(reader, buffer_bytes(&name), error);
}

/* Whether `path` starts with the key `prefix`; *rest is what follows it, without the backslash between them. */
static bool is_below(struct bytes path, const char *prefix, struct bytes *rest)
{
    uint8_t separator;
    size_t length = strlen(prefix);

    *rest = (struct bytes){0};
    if (!bytes_holds(path, 0, length) || !registry_names_match((const char *)path.data, length, prefix, length))
        return false;
    if (!bytes_u8(path, length, &separator))
        return true;
    return separator == '\\' && bytes_slice(path, length + 1, path.length - length - 1, rest);
}

/* '[HKEY_LOCAL_MACHINE\…]', or '[-HKEY_LOCAL_MACHINE\…]' for a key that is to be removed. Names may hold brackets. */
static int read_key(struct reader *reader, struct error *error)
{
    struct bytes line = take_line(reader), path, rest;
    uint64_t start = 1, end = line.length;
    bool removed = false;
    uint8_t byte;

    reader->in_key = false;
    while (end > 0 && bytes_u8(line, end - 1, &byte) && byte != ']')
        end--;
    if (end < 2)
        return malformed(reader, "a key without its closing bracket", error);
    if (bytes_u8(line, start, &byte) && byte == '-') {
        removed = true;
        start++;
    }
    bytes_slice(line, start, end - 1 - start, &path);
    if (!is_below(path, "HKEY_LOCAL_MACHINE", &path) && !is_below(path, "HKLM", &path))
        return 0;
    if (is_below(path, "SOFTWARE\\Classes", &rest) || is_below(path, "SOFTWARE\\Wow6432Node\\Classes", &rest))
        return 0;
    if (removed) {
        registry_tree_remove_key(reader->tree, path);
        return 0;
    }
    struct error problem = {0};
    if (registry_tree_add_key(reader->tree, path, &reader->key, &problem) == -1)
        return error_set(error, problem.code, "registry export '%s', line %zu: %.300s", reader->name, reader->line - 1,
                         problem.message);
    reader->in_key = reader->any_key = true;
    return 0;
}

static bool read_header(struct reader *reader)
{
    if (skip_word(reader, "REGEDIT4"))
        reader->wide_data = false;
    else if (skip_word(reader, "Windows Registry Editor Version 5.00"))
        reader->wide_data = true;
    else
        return false;
    reader->any_header = true;
    reader->in_key = false;
    return true;
}

static int read_line(struct reader *reader, struct error *error)
{
    skip_word(reader, "\xef\xbb\xbf"); /* a byte-order mark, again where exports were put behind one another */
    skip_blanks(reader);
    if (read_header(reader))
        return end_line(reader, error);
    uint8_t byte = peek(reader);
    if (byte == ';' || byte == '\n' || byte == 0) {
        take_line(reader);
        return 0;
    }
    if (!reader->any_header)
        return malformed(reader, "it starts with neither 'REGEDIT4' nor 'Windows Registry Editor Version 5.00'", error);
    if (byte == '[')
        return read_key(reader, error);
    if (byte == '"' || byte == '@')
        return read_value(reader, error);
    return malformed(reader, "neither a key, a value nor a comment", error);
}

/* Finds `word`, which starts with no letter, from *at on, whatever the case of its letters, and moves behind it. */
static bool find_word(struct bytes text, uint64_t *at, const char *word)
{
    size_t length = strlen(word);
    struct bytes ahead;
    for (uint64_t from = *at; bytes_slice(text, from, length, &ahead); from++) {
        const uint8_t *next = memchr(ahead.data, word[0], (size_t)(text.length - from));
        if (next == NULL)
            return false;
        from += (uint64_t)(next - ahead.data);
        if (bytes_slice(text, from, length, &ahead) &&
            registry_names_match((const char *)ahead.data, length, word, length)) {
            *at = from + length;
            return true;
        }
    }
    return false;
}

/* The code page of its Windows, where an 8-bit export holds it: ACP below Nls\CodePage; 0 where it does not. */
static unsigned own_code_page(struct bytes text)
{
    static const char acp[] = "\"ACP\"=\"";
    uint64_t at = 0;
    uint8_t byte;
    while (find_word(text, &at, "\\Control\\Nls\\CodePage]")) {
        uint64_t end = at, value = at;
        unsigned page = 0;
        if (!find_word(text, &end, "\n["))
            end = text.length;
        struct bytes key = bytes_of(text.data, (size_t)end);
        if (!find_word(key, &value, acp))
            continue;
        for (; page < 100000 && bytes_u8(key, value, &byte) && byte >= '0' && byte <= '9'; value++)
            page = page * 10 + (byte - '0');
        if (page > 0 && page < 100000)
            return page;
    }
    return 0;
}

/* The text as UTF-8, to be freed. */
static int decode(struct reader *reader, struct bytes text, unsigned code_page, char **utf8, size_t *length,
                  uint64_t *misspelt, struct error *error)
{
    uint8_t first, second;
    bytes_u8(text, 0, &first);
    bytes_u8(text, 1, &second);
    *misspelt = 0;
    if ((first == 0xff && second == 0xfe) || (first != 0 && first < 0x80 && second == 0 && text.length >= 2)) {
        *utf8 = utf16_to_utf8(text, length);
    } else {
        unsigned own = code_page == 0 ? own_code_page(text) : 0;
        reader->code_page = code_page != 0 ? code_page : own != 0 ? own : 1252;
        reader->assumed = code_page == 0 && own == 0;
        if (!bytes_are_utf8(text))
            return decode_8_bit(reader, text, utf8, length, misspelt, error);
        *utf8 = malloc(text.length + 1);
        if (*utf8 != NULL && text.length > 0)
            memcpy(*utf8, text.data, text.length);
        if (*utf8 != NULL)
            (*utf8)[text.length] = 0;
        *length = text.length;
    }
    return *utf8 != NULL
               ? 0
               : error_set(error, ERROR_MEMORY, "out of memory reading '%s': give the collector more", reader->name);
}

int registry_parse_text(struct bytes text, const char *name, unsigned code_page, struct registry **registry,
                        struct error *error)
{
    size_t length = 0;
    _cleanup_free_ char *utf8 = NULL;
    struct reader reader = {.line = 1, .name = name, .code_page = 1252};
    uint64_t misspelt;

    *registry = NULL;
    if (decode(&reader, text, code_page, &utf8, &length, &misspelt, error) == -1)
        return -1;
    reader.text = bytes_of(utf8, length);
    reader.tree = registry_tree_new();
    if (reader.tree == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory reading '%s': give the collector more", name);
    int result = 0;
    if (memchr(utf8, 0, length) != NULL)
        result = malformed(&reader, "there are NULs in it, it is no text", error);
    while (result == 0 && reader.at < reader.text.length)
        result = read_line(&reader, error);
    if (result == 0 && !reader.any_key)
        result =
            error_set(error, ERROR_FORMAT,
                      "registry export '%s' holds no key below HKEY_LOCAL_MACHINE; export SYSTEM and SOFTWARE", name);
    if (result == -1) {
        registry_close(reader.tree);
        return -1;
    }
    reader.tree->code_page = reader.code_page;
    reader.tree->misspelt += misspelt;
    registry_find_control_set(reader.tree);
    *registry = reader.tree;
    return 0;
}

int registry_open_text(const char *file, unsigned code_page, struct registry **registry, struct error *error)
{
    _cleanup_(platform_file_close) struct platform_file opened = PLATFORM_FILE_NONE;
    _cleanup_free_ uint8_t *data = NULL;
    struct platform_stat stat;

    *registry = NULL;
    if (platform_file_open(file, &opened, error) == -1 || platform_file_stat(&opened, &stat, error) == -1)
        return -1;
    if (stat.size > REGISTRY_TEXT_LIMIT)
        return error_set(error, ERROR_LIMIT, "registry export '%s' is over %u MiB: export only SYSTEM and SOFTWARE",
                         file, REGISTRY_TEXT_LIMIT >> 20);
    data = malloc((size_t)stat.size + 1);
    if (data == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory reading '%s': give the collector more", file);
    int64_t length = platform_file_read_at(&opened, data, (size_t)stat.size, 0, error);
    if (length == -1)
        return -1;
    return registry_parse_text(bytes_of(data, (size_t)length), file, code_page, registry, error);
}
