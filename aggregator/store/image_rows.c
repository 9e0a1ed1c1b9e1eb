/* Images as rows. */

#include "image_rows.h"

/* COPY's text[] of a list of binary fields. */
static void field_texts(struct buffer *rows, const ProtobufCBinaryData *texts, size_t count)
{
    struct buffer_array array = buffer_array_begin(rows, TYPE_TEXT, true);
    for (size_t i = 0; i < count; i++)
        buffer_field_bytes(rows, bytes_of(texts[i].data, texts[i].len));
    buffer_array_end(rows, array, count);
}

static void field_text(struct buffer *rows, ProtobufCBinaryData text)
{
    buffer_field_bytes(rows, bytes_of(text.data, text.len));
}

static void field_version(struct buffer *rows, bool present, uint64_t version)
{
    /* The domain evenkeel.version keeps the order of versions in the order of signed numbers. */
    if (present)
        buffer_field_i64(rows, (int64_t)(version ^ (1ull << 63)));
    else
        buffer_field_null(rows);
}

static void field_exports(struct buffer *rows, const Evenkeel__Image *image)
{
    size_t names = 0, forwarders = 0;
    struct buffer_array array = buffer_array_begin(rows, TYPE_TEXT, true);
    for (size_t i = 0; i < image->n_exports; i++) {
        if (image->exports[i]->name.len == 0)
            continue;
        field_text(rows, image->exports[i]->name);
        names++;
    }
    buffer_array_end(rows, array, names);
    array = buffer_array_begin(rows, TYPE_INT4, true);
    for (size_t i = 0; i < image->n_exports; i++)
        buffer_field_i32(rows, (int32_t)image->exports[i]->ordinal);
    buffer_array_end(rows, array, image->n_exports);
    array = buffer_array_begin(rows, TYPE_TEXT, true);
    for (size_t i = 0; i < image->n_exports; i++) {
        const Evenkeel__Export *export = image->exports[i];
        if (export->forwarder.len == 0)
            continue;
        if (export->name.len > 0) {
            size_t length = export->name.len + 1 + export->forwarder.len;
            buffer_put_i32(rows, (int32_t)length);
            buffer_put(rows, export->name.data, export->name.len);
            buffer_put_text(rows, "=");
            buffer_put(rows, export->forwarder.data, export->forwarder.len);
            forwarders++;
        }
        char ordinal[24];
        int length = snprintf(ordinal, sizeof ordinal, "#%u=", export->ordinal);
        buffer_put_i32(rows, (int32_t)((size_t)length + export->forwarder.len));
        buffer_put(rows, ordinal, (size_t)length);
        buffer_put(rows, export->forwarder.data, export->forwarder.len);
        forwarders++;
    }
    buffer_array_end(rows, array, forwarders);
}

void image_rows_put(struct buffer *rows, int64_t id, const struct digest *digest, const Evenkeel__Image *image)
{
    buffer_put_i16(rows, 24);
    buffer_field_i32(rows, (int32_t)id);
    buffer_field_bytes(rows, bytes_of(digest->bytes, DIGEST_BYTES));
    buffer_field_i64(rows, (int64_t)image->size);
    buffer_field_i32(rows, (int32_t)image->machine);
    buffer_field_i64(rows, image->time_date_stamp);
    buffer_field_i64(rows, image->size_of_image);
    buffer_field_i64(rows, image->checksum);
    buffer_field_i32(rows, (int32_t)image->characteristics);
    field_version(rows, image->has_version, image->file_version);
    field_version(rows, image->has_version, image->product_version);
    buffer_field_i64(rows, image->file_flags);
    field_text(rows, image->file_version_string);
    field_text(rows, image->product_version_string);
    field_text(rows, image->product_name);
    field_text(rows, image->company_name);
    field_text(rows, image->original_filename);
    field_text(rows, image->file_description);
    if (image->sha256.len > 0)
        field_text(rows, image->sha256);
    else
        buffer_field_null(rows);
    buffer_field_i32(rows, (int32_t)image->defects);
    buffer_field_bool(rows, !image->symbols_omitted);
    field_exports(rows, image);
    buffer_field_i32(rows, (int32_t)image->hybrid);
}

/* DLL names are compared without regard to case, as the loader does; ASCII letters are all that matters there. */
static void field_lower(struct buffer *rows, ProtobufCBinaryData text)
{
    size_t start = rows->length + 4;
    field_text(rows, text);
    for (size_t i = start; !rows->failed && i < rows->length; i++)
        if (rows->data[i] >= 'A' && rows->data[i] <= 'Z')
            rows->data[i] = (uint8_t)(rows->data[i] - 'A' + 'a');
}

void image_rows_put_imports(struct buffer *rows, int64_t id, const Evenkeel__Image *image)
{
    for (size_t i = 0; i < image->n_imports; i++) {
        const Evenkeel__Import *import = image->imports[i];
        buffer_put_i16(rows, 6);
        buffer_field_i32(rows, (int32_t)id);
        buffer_field_i32(rows, (int32_t)i);
        field_lower(rows, import->dll);
        buffer_field_bool(rows, import->delay);
        field_texts(rows, import->names, import->n_names);
        struct buffer_array array = buffer_array_begin(rows, TYPE_INT4, true);
        for (size_t k = 0; k < import->n_ordinals; k++)
            buffer_field_i32(rows, (int32_t)import->ordinals[k]);
        buffer_array_end(rows, array, import->n_ordinals);
    }
}

int image_rows_copy(PGconn *connection, const struct buffer *images, const struct buffer *imports, struct error *error)
{
    if (images->failed || imports->failed)
        return error_set(error, ERROR_MEMORY, "no memory for the rows of images");
    if (database_copy(connection, "copy evenkeel.image from stdin (format binary)", images, error) < 0)
        return -1;
    return imports->length > 0
               ? database_copy(connection, "copy evenkeel.image_import from stdin (format binary)", imports, error)
               : 0;
}
