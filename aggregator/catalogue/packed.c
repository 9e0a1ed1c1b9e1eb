/* Files that were packed to be published: gzip, and the members of a ZIP archive. */

#include "packed.h"

#include "proto/cleanup.h"

#include <stdlib.h>
#include <zlib.h>

#define ZIP_END_BYTES 22u /* end of central directory record without its comment */
#define ZIP_COMMENT_BYTES 65535u
#define ZIP_ENTRY_BYTES 46u /* central directory header without name, extra field and comment */
#define ZIP_LOCAL_BYTES 30u /* local file header without name and extra field */
#define ZIP_NAME_BYTES 512u
#define GZIP_WINDOW (15 + 16) /* zlib.h, inflateInit2(): the largest window, with a gzip header */
#define RAW_WINDOW (-15)      /* the largest window, without any header */

bool packed_is_gzip(struct bytes input)
{
    return input.length > 2 && memcmp(input.data, "\x1f\x8b\x08", 3) == 0;
}

bool packed_is_zip(struct bytes input)
{
    return input.length > 3 && memcmp(input.data, "PK\x03\x04", 4) == 0;
}

static void end_inflate(z_stream *stream)
{
    inflateEnd(stream);
}

/* All that `input` inflates to; `expected` is where to begin with room for it. */
static int inflate_all(struct bytes input, int window, size_t expected, char **text, size_t *length,
                       struct error *error)
{
    _cleanup_(end_inflate) z_stream stream = {.next_in = (Bytef *)input.data, .avail_in = (uInt)input.length};
    size_t room = expected > 0 && expected < PACKED_BYTES_LIMIT ? expected : 65536;
    _cleanup_free_ char *output = NULL;
    *length = 0;
    if (inflateInit2(&stream, window) != Z_OK)
        return error_set(error, ERROR_MEMORY, "no memory left for unpacking");
    for (int status = Z_OK; status != Z_STREAM_END;) {
        if (output == NULL || *length == room) {
            room = output == NULL ? room : room * 2;
            if (room > PACKED_BYTES_LIMIT)
                return error_set(error, ERROR_LIMIT, "it unpacks to more than %u bytes", PACKED_BYTES_LIMIT);
            char *larger = realloc(output, room + 1);
            if (larger == NULL)
                return error_set(error, ERROR_MEMORY, "no memory left for unpacking");
            output = larger;
        }
        stream.next_out = (Bytef *)output + *length;
        stream.avail_out = (uInt)(room - *length);
        status = inflate(&stream, Z_NO_FLUSH);
        size_t now = room - stream.avail_out;
        if ((status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) ||
            (status != Z_STREAM_END && now == *length && stream.avail_out > 0))
            return error_set(error, ERROR_FORMAT, "its packed bytes are damaged or cut off after %zu bytes of content",
                             now);
        *length = now;
    }
    output[*length] = 0;
    *text = output;
    output = NULL;
    return 0;
}

int packed_gunzip(struct bytes input, char **text, size_t *length, struct error *error)
{
    return inflate_all(input, GZIP_WINDOW, input.length * 4, text, length, error);
}

/* Where the central directory is, and how many members it has: told by the record at the archive's end. */
static bool find_directory(struct bytes input, uint32_t *offset, uint16_t *count)
{
    size_t least =
        input.length > ZIP_END_BYTES + ZIP_COMMENT_BYTES ? input.length - ZIP_END_BYTES - ZIP_COMMENT_BYTES : 0;
    for (size_t at = input.length >= ZIP_END_BYTES ? input.length - ZIP_END_BYTES + 1 : 0; at-- > least;) {
        uint32_t signature;
        uint16_t comment;
        if (bytes_u32(input, at, &signature) && signature == 0x06054b50 && bytes_u16(input, at + 20, &comment) &&
            at + ZIP_END_BYTES + comment == input.length)
            return bytes_u16(input, at + 10, count) && bytes_u32(input, at + 16, offset);
    }
    return false;
}

static int read_member(struct bytes input, uint64_t entry, packed_member *member, void *context, uint64_t *next,
                       struct error *error)
{
    uint32_t signature, packed, size, local, local_signature;
    uint16_t flags, method, name_length, extra, comment, local_name, local_extra;
    struct bytes name, content;
    char called[ZIP_NAME_BYTES];
    if (!bytes_u32(input, entry, &signature) || signature != 0x02014b50 || !bytes_u16(input, entry + 8, &flags) ||
        !bytes_u16(input, entry + 10, &method) || !bytes_u32(input, entry + 20, &packed) ||
        !bytes_u32(input, entry + 24, &size) || !bytes_u16(input, entry + 28, &name_length) ||
        !bytes_u16(input, entry + 30, &extra) || !bytes_u16(input, entry + 32, &comment) ||
        !bytes_u32(input, entry + 42, &local) || !bytes_slice(input, entry + ZIP_ENTRY_BYTES, name_length, &name) ||
        !bytes_u32(input, local, &local_signature) || local_signature != 0x04034b50 ||
        !bytes_u16(input, (uint64_t)local + 26, &local_name) || !bytes_u16(input, (uint64_t)local + 28, &local_extra) ||
        !bytes_slice(input, (uint64_t)local + ZIP_LOCAL_BYTES + local_name + local_extra, packed, &content))
        return error_set(error, ERROR_FORMAT, "the archive's directory names what is not in it");
    *next = entry + ZIP_ENTRY_BYTES + name_length + extra + comment;
    snprintf(called, sizeof called, "%.*s", (int)(name.length < ZIP_NAME_BYTES ? name.length : ZIP_NAME_BYTES - 1),
             (const char *)name.data);
    if (name.length > 0 && called[strlen(called) - 1] == '/')
        return 0;
    if ((flags & 1) != 0 || (method != 0 && method != 8))
        return error_set(error, ERROR_FORMAT, "'%s' in it is encrypted, or packed by a method other than deflate",
                         called);
    size_t length;
    _cleanup_free_ char *text = NULL;
    if (method == 8 && inflate_all(content, RAW_WINDOW, size, &text, &length, error) < 0)
        return -1;
    return member(context, called, method == 8 ? bytes_of(text, length) : content, error);
}

int packed_unzip(struct bytes input, packed_member *member, void *context, struct error *error)
{
    uint32_t offset;
    uint16_t count;
    if (!find_directory(input, &offset, &count))
        return error_set(error, ERROR_FORMAT, "the archive has no directory at its end: it is cut off");
    if (count > PACKED_MEMBERS_LIMIT)
        return error_set(error, ERROR_LIMIT, "the archive has %u members; %u are read at most", count,
                         PACKED_MEMBERS_LIMIT);
    uint64_t at = offset;
    for (uint16_t i = 0; i < count; i++)
        if (read_member(input, at, member, context, &at, error) < 0)
            return -1;
    return 0;
}
