/* A chunk: a run of (path, image) entries. */

#include "chunk.h"

#include "cleanup.h"
#include "object.h"

struct chunk_builder {
    size_t count;
    uint32_t shared[CHUNK_ENTRIES];
    ProtobufCBinaryData suffixes[CHUNK_ENTRIES];
    struct digest images[CHUNK_ENTRIES];
    uint8_t previous[LIMIT_PATH_BYTES];
    size_t previous_length;
    uint8_t *text; /* the suffixes, one after the other; offsets until taken, since it may move */
    size_t text_length, text_size;
};

static bool is_boundary(const struct digest *path_digest)
{
    return (path_digest->bytes[DIGEST_BYTES - 1] & CHUNK_BOUNDARY_MASK) == 0;
}

bool chunk_ends_after(struct bytes path)
{
    struct digest digest = digest_of(path);
    return is_boundary(&digest);
}

bool chunk_path_valid(struct bytes path)
{
    if (path.length < 4 || path.length > LIMIT_PATH_BYTES || !bytes_are_utf8(path))
        return false;
    const uint8_t *text = path.data;
    if (text[0] < 'a' || text[0] > 'z' || text[1] != ':' || text[2] != '/')
        return false;
    size_t name = 3;
    for (size_t at = 3; at <= path.length; at++) {
        if (at < path.length && text[at] != '/') {
            if (text[at] < 0x20 || text[at] == 0x7f || text[at] == '\\' || (text[at] >= 'A' && text[at] <= 'Z'))
                return false;
            continue;
        }
        size_t length = at - name;
        if (length == 0 || (length == 1 && text[name] == '.') ||
            (length == 2 && text[name] == '.' && text[name + 1] == '.'))
            return false;
        name = at + 1;
    }
    return true;
}

static int compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static size_t shared_start(struct bytes a, struct bytes b)
{
    size_t shorter = a.length < b.length ? a.length : b.length, shared = 0;
    while (shared < shorter && a.data[shared] == b.data[shared])
        shared++;
    return shared;
}

struct chunk_builder *chunk_builder_new(void)
{
    return calloc(1, sizeof(struct chunk_builder));
}

void chunk_builder_free(struct chunk_builder *builder)
{
    if (builder == NULL)
        return;
    free(builder->text);
    free(builder);
}

int chunk_builder_add(struct chunk_builder *builder, struct bytes path, const struct digest *image, bool *complete,
                      struct error *error)
{
    struct bytes previous = bytes_of(builder->previous, builder->previous_length);
    if (!chunk_path_valid(path))
        return error_set(error, ERROR_FORMAT, "'%.*s' is no folded path from a drive letter", (int)path.length,
                         (const char *)path.data);
    if (compare(previous, path) >= 0)
        return error_set(error, ERROR_FORMAT, "'%.*s' does not come after the path before it", (int)path.length,
                         (const char *)path.data);
    if (builder->count == CHUNK_ENTRIES)
        return error_set(error, ERROR_LIMIT, "a complete chunk was not taken");

    size_t shared = builder->count > 0 ? shared_start(previous, path) : 0, length = path.length - shared;
    if (builder->text_size - builder->text_length < length) {
        size_t size = 2 * builder->text_size + LIMIT_PATH_BYTES;
        uint8_t *text = realloc(builder->text, size);
        if (text == NULL)
            return error_set(error, ERROR_MEMORY, "no memory for a chunk");
        builder->text = text;
        builder->text_size = size;
    }
    memcpy(builder->text + builder->text_length, path.data + shared, length);
    builder->text_length += length;
    builder->shared[builder->count] = (uint32_t)shared;
    builder->suffixes[builder->count].len = length;
    builder->images[builder->count] = *image;
    builder->count++;
    memcpy(builder->previous, path.data, path.length);
    builder->previous_length = path.length;
    *complete = builder->count == CHUNK_ENTRIES || chunk_ends_after(path);
    return 0;
}

int chunk_builder_take(struct chunk_builder *builder, struct bytes *packed, struct error *error)
{
    *packed = (struct bytes){0};
    if (builder->count == 0)
        return 0;
    size_t offset = 0;
    for (size_t i = 0; i < builder->count; i++) {
        builder->suffixes[i].data = builder->text + offset;
        offset += builder->suffixes[i].len;
    }
    Evenkeel__Chunk chunk = EVENKEEL__CHUNK__INIT;
    chunk.n_shared = chunk.n_suffixes = builder->count;
    chunk.shared = builder->shared;
    chunk.suffixes = builder->suffixes;
    chunk.images = (ProtobufCBinaryData){.len = builder->count * DIGEST_BYTES, .data = builder->images[0].bytes};
    if (!object_pack(&chunk.base, packed))
        return error_set(error, ERROR_MEMORY, "no memory for a chunk");
    builder->count = 0;
    builder->text_length = 0;
    return 0;
}

int chunk_read(const Evenkeel__Chunk *chunk, bool (*visit)(void *context, const struct chunk_entry *entry),
               void *context, struct error *error)
{
    size_t count = chunk->n_suffixes;
    if (count == 0 || count > CHUNK_ENTRIES)
        return error_set(error, ERROR_LIMIT, "a chunk has %zu entries; 1 to %d are allowed", count, CHUNK_ENTRIES);
    if (chunk->n_shared != count || chunk->images.len != count * DIGEST_BYTES)
        return error_set(error, ERROR_FORMAT, "a chunk's lists differ in length");

    uint8_t paths[2][LIMIT_PATH_BYTES]; /* this entry's and the one before */
    size_t lengths[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        uint8_t *path = paths[i % 2];
        struct bytes previous = bytes_of(paths[(i + 1) % 2], lengths[(i + 1) % 2]);
        size_t shared = chunk->shared[i];
        struct bytes suffix = bytes_of_field(chunk->suffixes[i]);
        if (shared > previous.length || suffix.length > LIMIT_PATH_BYTES - shared)
            return error_set(error, ERROR_FORMAT, "entry %zu of a chunk is not front-coded", i);
        if (shared > 0)
            memcpy(path, previous.data, shared);
        if (suffix.length > 0)
            memcpy(path + shared, suffix.data, suffix.length);
        lengths[i % 2] = shared + suffix.length;
        struct chunk_entry entry = {.path = bytes_of(path, lengths[i % 2])};
        if (!chunk_path_valid(entry.path))
            return error_set(error, ERROR_FORMAT, "entry %zu of a chunk has no valid path", i);
        if (i > 0 && (compare(previous, entry.path) >= 0 || shared != shared_start(previous, entry.path)))
            return error_set(error, ERROR_FORMAT, "entry %zu of a chunk is out of order or not front-coded", i);
        entry.path_digest = digest_of(entry.path);
        if (i + 1 < count && is_boundary(&entry.path_digest))
            return error_set(error, ERROR_FORMAT, "entry %zu of a chunk should have ended it", i);
        memcpy(entry.image.bytes, chunk->images.data + i * DIGEST_BYTES, DIGEST_BYTES);
        if (!visit(context, &entry))
            return 0;
    }
    return 0;
}
