/* An image as an object. */

#include "image.h"

#include "proto/cleanup.h"
#include "proto/limits.h"
#include "proto/object.h"

/* What the reader leaves in an image is what an aggregator takes. */
_Static_assert(PE_NAME_LIMIT <= LIMIT_SYMBOL_BYTES, "a symbol is longer than an aggregator takes");
_Static_assert(PE_STRING_LIMIT <= LIMIT_STRING_BYTES, "a version string is longer than an aggregator takes");

static ProtobufCBinaryData field_of(struct bytes bytes)
{
    /* protobuf-c's fields are not const, but packing only reads them. */
    return (ProtobufCBinaryData){.data = (uint8_t *)bytes.data, .len = bytes.length};
}

/* Arrays of a message and of pointers to its elements, in one piece of memory each. */
struct symbols {
    Evenkeel__Export *exports;
    Evenkeel__Export **export_pointers;
    Evenkeel__Import *imports;
    Evenkeel__Import **import_pointers;
    ProtobufCBinaryData *names;
    uint32_t *ordinals;
};

static void cleanup_symbols(struct symbols *symbols)
{
    free(symbols->exports);
    free(symbols->export_pointers);
    free(symbols->imports);
    free(symbols->import_pointers);
    free(symbols->names);
    free(symbols->ordinals);
}

static void *array_of(size_t length, size_t size)
{
    return calloc(length > 0 ? length : 1, size);
}

static bool make_symbols(const struct pe_image *image, struct symbols *symbols)
{
    size_t names_length = 0, ordinals_length = 0;
    for (size_t i = 0; i < image->imports_length; i++) {
        names_length += image->imports[i].names_length;
        ordinals_length += image->imports[i].ordinals_length;
    }
    symbols->exports = array_of(image->exports_length, sizeof *symbols->exports);
    symbols->export_pointers = array_of(image->exports_length, sizeof *symbols->export_pointers);
    symbols->imports = array_of(image->imports_length, sizeof *symbols->imports);
    symbols->import_pointers = array_of(image->imports_length, sizeof *symbols->import_pointers);
    symbols->names = array_of(names_length, sizeof *symbols->names);
    symbols->ordinals = array_of(ordinals_length, sizeof *symbols->ordinals);
    if (symbols->exports == NULL || symbols->export_pointers == NULL || symbols->imports == NULL ||
        symbols->import_pointers == NULL || symbols->names == NULL || symbols->ordinals == NULL)
        return false;

    for (size_t i = 0; i < image->exports_length; i++) {
        const struct pe_export *from = &image->exports[i];
        Evenkeel__Export *to = symbols->export_pointers[i] = &symbols->exports[i];
        evenkeel__export__init(to);
        to->ordinal = from->ordinal;
        to->name = field_of(from->name);
        to->forwarder = field_of(from->forwarder);
    }
    ProtobufCBinaryData *name = symbols->names;
    uint32_t *ordinal = symbols->ordinals;
    for (size_t i = 0; i < image->imports_length; i++) {
        const struct pe_import *from = &image->imports[i];
        Evenkeel__Import *to = symbols->import_pointers[i] = &symbols->imports[i];
        evenkeel__import__init(to);
        to->dll = field_of(from->dll);
        to->delay = from->delay;
        to->names = name;
        to->n_names = from->names_length;
        for (size_t k = 0; k < from->names_length; k++)
            *name++ = field_of(from->names[k]);
        to->ordinals = ordinal;
        to->n_ordinals = from->ordinals_length;
        for (size_t k = 0; k < from->ordinals_length; k++)
            *ordinal++ = from->ordinals[k];
    }
    return true;
}

int image_pack(const struct pe_image *image, uint8_t **bytes, size_t *length, struct error *error)
{
    _cleanup_(cleanup_symbols) struct symbols symbols = {0};
    struct bytes packed = {0};
    Evenkeel__Image message = EVENKEEL__IMAGE__INIT;
    *bytes = NULL;
    *length = 0;
    if (!make_symbols(image, &symbols))
        return error_set(error, ERROR_MEMORY, "no memory left to pack an image");
    message.size = image->size;
    message.machine = image->machine;
    message.time_date_stamp = image->time_date_stamp;
    message.size_of_image = image->size_of_image;
    message.checksum = image->checksum;
    message.characteristics = image->characteristics;
    message.has_version = image->has_version;
    message.file_version = pe_version_number(image->file_version);
    message.product_version = pe_version_number(image->product_version);
    message.file_flags = image->file_flags;
    message.file_version_string = field_of(image->strings[PE_FILE_VERSION]);
    message.product_version_string = field_of(image->strings[PE_PRODUCT_VERSION]);
    message.product_name = field_of(image->strings[PE_PRODUCT_NAME]);
    message.company_name = field_of(image->strings[PE_COMPANY_NAME]);
    message.original_filename = field_of(image->strings[PE_ORIGINAL_FILENAME]);
    message.file_description = field_of(image->strings[PE_FILE_DESCRIPTION]);
    message.exports = symbols.export_pointers;
    message.n_exports = image->exports_length;
    message.imports = symbols.import_pointers;
    message.n_imports = image->imports_length;
    message.sha256 = field_of(bytes_of(image->sha256, image->has_sha256 ? sizeof image->sha256 : 0));
    message.defects = image->defects;
    message.symbols_omitted = image->symbols_omitted;
    message.hybrid = image->hybrid;
    if (!object_pack(&message.base, &packed))
        return error_set(error, ERROR_MEMORY, "no memory left to pack an image");
    *bytes = (uint8_t *)packed.data;
    *length = packed.length;
    return 0;
}
