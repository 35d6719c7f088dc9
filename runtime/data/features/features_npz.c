/* Features in npz files: zip archives, stored or deflated, of npy arrays. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "ir/base/arena.h"
#include "ir/base/file_kind.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/features/features.h"
#include "runtime/weights/safetensors.h"

static const char entry_name[] = "features.npy";

/* Double precision and a header; and what deflate can do at most. */
enum {
    ENTRY_BYTES_MAX = FEATURES_ELEMENTS_MAX * 8 + (1 << 16),
    DEFLATE_RATIO_MAX = 1032
};

/* -- reading --------------------------------------------------------------------- */

/* The first name in the archive, to tell what is there instead. */
static bool tell_missing(zip_t *archive, Loc loc, Diags *diags)
{
    const char *other = zip_get_name(archive, 0, 0);
    if (other)
        diag_error(diags, loc, "has no array 'features', but '%s'", other);
    else
        diag_error(diags, loc, "has no array 'features'");
    return false;
}

/* Whether the archive's own word for the array's size can be believed. */
static bool check_entry(zip_t *archive, Loc loc, zip_stat_t *out, Diags *diags)
{
    const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat(archive, entry_name, 0, out) != 0 || (out->valid & wanted) != wanted)
        return tell_missing(archive, loc, diags);
    if (out->size > ENTRY_BYTES_MAX) {
        diag_error(diags, loc,
                   "array 'features' is too large: %" PRIu64 " bytes, at most %" PRIu64
                   " are read",
                   (uint64_t)out->size, (uint64_t)ENTRY_BYTES_MAX);
        return false;
    }
    if (out->size / DEFLATE_RATIO_MAX <= out->comp_size)
        return true;
    diag_error(diags, loc,
               "array 'features' is damaged: %" PRIu64 " bytes cannot be compressed to "
               "%" PRIu64,
               (uint64_t)out->size, (uint64_t)out->comp_size);
    return false;
}

/* The bytes of the entry, or NULL and an error. */
static unsigned char *read_entry(zip_t *archive, const char *path, int64_t *out_size,
                                 Diags *diags)
{
    const Loc loc = {.file = path};
    zip_stat_t status;
    if (!check_entry(archive, loc, &status, diags))
        return NULL;
    zip_file_t *entry = zip_fopen(archive, entry_name, 0);
    if (!entry) {
        diag_error(diags, loc, "array 'features' cannot be read: %s",
                   zip_strerror(archive));
        return NULL;
    }
    unsigned char *bytes = heap_alloc((size_t)status.size + 1);
    /* Asking for one byte more makes the library check the sum over all. */
    zip_int64_t count = zip_fread(entry, bytes, status.size);
    bool is_whole = count == (zip_int64_t)status.size &&
                    zip_fread(entry, bytes + status.size, 1) == 0;
    zip_fclose(entry);
    if (is_whole) {
        *out_size = (int64_t)status.size;
        return bytes;
    }
    diag_error(diags, loc, "array 'features' is damaged");
    free(bytes);
    return NULL;
}

static float element_at(const unsigned char *at, int64_t bytes)
{
    if (bytes == 2)
        return half_to_float((uint16_t)(at[0] | at[1] << 8));
    if (bytes == 4) {
        float value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    double value;
    memcpy(&value, at, sizeof value);
    return (float)value;
}

static void convert(const unsigned char *bytes, const NpyHeader *header, Features *out)
{
    int64_t rows = header->dims[0], width = header->dims[1];
    *out = (Features){.count = rows, .width = width};
    out->rows = heap_array((size_t)(rows * width), sizeof *out->rows);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            int64_t place = header->is_fortran ? j * rows + i : i * width + j;
            out->rows[i * width + j] =
                element_at(bytes + header->data_at + place * header->element_bytes,
                           header->element_bytes);
        }
}

/* What the file is instead, or the library's word. */
static void tell_no_archive(int file, const char *path, int code, Diags *diags)
{
    char bytes[FILE_KIND_BYTES];
    ssize_t got = pread(file, bytes, sizeof bytes, 0);
    const char *kind = got >= 0 ? file_kind(bytes, (size_t)got) : NULL;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    if (kind && memcmp(bytes, "PK", 2) != 0)
        diag_error(diags, (Loc){.file = path}, "is no npz file, but %s", kind);
    else
        diag_error(diags, (Loc){.file = path},
                   "is no npz file that can be read, cut or damaged: %s",
                   zip_error_strerror(&error));
    zip_error_fini(&error);
}

bool features_read_npz(const char *path, Features *out, Diags *diags)
{
    *out = (Features){0};
    int code, file = file_open(path, diags);
    if (file < 0)
        return false;
    zip_t *archive = zip_fdopen(file, 0, &code); /* with a descriptor of its own */
    if (!archive)
        tell_no_archive(file, path, code, diags);
    if (!archive) {
        (void)close(file);
        return false;
    }
    int64_t size;
    unsigned char *bytes = read_entry(archive, path, &size, diags);
    zip_discard(archive);
    if (!bytes)
        return false;
    NpyHeader header;
    const char *fault = npy_parse(bytes, size, &header);
    if (fault)
        diag_error(diags, (Loc){.file = path}, "array 'features': %s", fault);
    else
        convert(bytes, &header, out);
    free(bytes);
    return !fault;
}

/* -- writing --------------------------------------------------------------------- */

/* Header and numbers; the data begin at a multiple of 64, as the format asks. */
static unsigned char *npy_bytes(const Features *features, FeaturesPrecision precision,
                                size_t *out_size)
{
    enum { PREFIX = 10, HEADER = 118 };
    bool is_half = precision == FEATURES_half;
    size_t elements = (size_t)(features->count * features->width);
    size_t data = elements * (is_half ? sizeof(uint16_t) : sizeof(float));
    unsigned char *bytes = heap_alloc(PREFIX + HEADER + data);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = HEADER;
    bytes[9] = 0;
    char *header = (char *)bytes + PREFIX;
    int len = snprintf(header, HEADER,
                       "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRId64
                       ", %" PRId64 "), }",
                       is_half ? "<f2" : "<f4", features->count, features->width);
    memset(header + len, ' ', (size_t)(HEADER - 1 - len));
    header[HEADER - 1] = '\n';
    for (size_t i = 0; is_half && i < elements; i++) {
        uint16_t half = float_to_half(features->rows[i]);
        memcpy(header + HEADER + i * sizeof half, &half, sizeof half);
    }
    if (!is_half)
        memcpy(header + HEADER, features->rows, data);
    *out_size = PREFIX + HEADER + data;
    return bytes;
}

/* Equal data shall give equal files: the time of all entries is the same. */
static bool add_entry(zip_t *archive, unsigned char *bytes, size_t size)
{
    enum { TIME = 0, DATE = 33 }; /* 1 January 1980 */
    zip_source_t *source = zip_source_buffer(archive, bytes, size, 1);
    zip_int64_t entry =
        source ? zip_file_add(archive, entry_name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (!source)
        free(bytes);
    else if (entry < 0)
        zip_source_free(source);
    return entry >= 0 &&
           zip_file_set_dostime(archive, (zip_uint64_t)entry, TIME, DATE, 0) == 0;
}

/* What an archive was written to; NULL if it cannot be read back. */
static unsigned char *take_bytes(zip_source_t *source, size_t *out_size)
{
    zip_stat_t status;
    if (zip_source_stat(source, &status) != 0 || zip_source_open(source) != 0)
        return NULL;
    unsigned char *bytes = heap_alloc((size_t)status.size);
    bool is_whole =
        zip_source_read(source, bytes, status.size) == (zip_int64_t)status.size;
    zip_source_close(source);
    *out_size = (size_t)status.size;
    if (is_whole)
        return bytes;
    free(bytes);
    return NULL;
}

static bool report_unwritten(const char *path, Diags *diags)
{
    diag_error(diags, (Loc){.file = path}, "cannot be written");
    return false;
}

/* The archive in memory, or NULL. */
static unsigned char *npz_bytes(const Features *features, FeaturesPrecision precision,
                                size_t *out_size)
{
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *archive =
        source ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, NULL) : NULL;
    if (!archive) {
        zip_source_free(source);
        return NULL;
    }
    size_t size;
    unsigned char *bytes = npy_bytes(features, precision, &size);
    zip_source_keep(source);
    bool is_closed = add_entry(archive, bytes, size) && zip_close(archive) == 0;
    if (!is_closed)
        zip_discard(archive);
    bytes = is_closed ? take_bytes(source, out_size) : NULL;
    zip_source_free(source);
    return bytes;
}

bool features_replace_npz(const char *path, const Features *features,
                          FeaturesPrecision precision, Diags *diags)
{
    size_t size;
    unsigned char *bytes = npz_bytes(features, precision, &size);
    bool is_written = bytes && file_replace(path, bytes, size, diags);
    if (!bytes)
        report_unwritten(path, diags);
    free(bytes);
    return is_written;
}

bool features_write_npz(const char *path, const Features *features, Diags *diags)
{
    size_t size;
    unsigned char *bytes = npz_bytes(features, FEATURES_single, &size);
    FILE *file = bytes ? fopen(path, "wb") : NULL;
    bool is_written = file && fwrite(bytes, 1, size, file) == size;
    is_written = file && fclose(file) == 0 && is_written;
    free(bytes);
    return is_written || report_unwritten(path, diags);
}
