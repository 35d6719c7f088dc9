/* Reading safetensors files: map, parse the header with jansson, check everything,
 * convert.
 *
 * Invariants of a TensorFile: tensors are in the order of their offsets and tile the data
 * section exactly (no overlap, no hole, nothing after the last), each has dims whose
 * product times the element size is its byte count, and names are distinct. */
#include "runtime/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensor bytes are little-endian");

enum { LARGEST_HEADER = 100 << 20, PREAMBLE_BYTES = 8 };

typedef struct Metadata {
    const char *key, *value;
} Metadata;

struct TensorFile {
    Arena *arena;
    const char *path;
    void *mapping;
    size_t mapping_bytes;
    Tensor *tensors;
    const Tensor **by_name;
    uint32_t count;
    Metadata *metadata;
    uint32_t metadata_count;
};

/* What the header's checks share. */
typedef struct Header {
    TensorFile *file;
    Diags *diags;
    const unsigned char *data; /* first byte after the header */
    int64_t data_bytes;
} Header;

const char *const tensor_dtype_names[TENSOR_DTYPE_COUNT] = {
#define TENSOR_DTYPE(name, bytes) #name,
#include "runtime/tensor_dtypes.def"
};

int64_t tensor_dtype_bytes(TensorDType dtype)
{
    static const int64_t bytes_of[TENSOR_DTYPE_COUNT] = {
#define TENSOR_DTYPE(name, bytes) bytes,
#include "runtime/tensor_dtypes.def"
    };
    return bytes_of[dtype];
}

static Loc in_file(const TensorFile *file)
{
    return (Loc){.file = file->path};
}

/* -- the header ------------------------------------------------------------------ */

static bool read_dtype(const Header *header, const char *name, const json_t *entry,
                       TensorDType *out_dtype)
{
    const char *text = json_string_value(json_object_get(entry, "dtype"));
    for (int i = 0; text && i < TENSOR_DTYPE_COUNT; i++)
        if (strcmp(text, tensor_dtype_names[i]) == 0) {
            *out_dtype = (TensorDType)i;
            return true;
        }
    if (text)
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': element type '%s' is not supported", name, text);
    else
        diag_error(header->diags, in_file(header->file), "tensor '%s': no \"dtype\"",
                   name);
    return false;
}

static bool read_shape(const Header *header, const json_t *entry, Tensor *tensor)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > TENSOR_MAX_RANK) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': \"shape\" must be a list of at most %d sizes",
                   tensor->name, TENSOR_MAX_RANK);
        return false;
    }
    tensor->rank = (uint32_t)json_array_size(shape);
    tensor->elements = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        const json_t *size = json_array_get(shape, i);
        tensor->dims[i] = json_integer_value(size);
        if (!json_is_integer(size) || tensor->dims[i] < 0 ||
            __builtin_mul_overflow(tensor->elements, tensor->dims[i],
                                   &tensor->elements)) {
            diag_error(header->diags, in_file(header->file),
                       "tensor '%s': impossible \"shape\"", tensor->name);
            return false;
        }
    }
    return true;
}

static bool read_offsets(const Header *header, const json_t *entry, Tensor *tensor)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    int64_t begin = json_integer_value(first), end = json_integer_value(last);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) ||
        !json_is_integer(last) || begin < 0 || end < begin) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': \"data_offsets\" must be [begin, end]", tensor->name);
        return false;
    }
    if (end > header->data_bytes) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': ends at byte %" PRId64
                   " of the data, the file has %" PRId64 " (cut short?)",
                   tensor->name, end, header->data_bytes);
        return false;
    }
    int64_t bytes;
    if (__builtin_mul_overflow(tensor->elements, tensor_dtype_bytes(tensor->dtype),
                               &bytes) ||
        bytes != end - begin) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': %" PRId64 " bytes do not fit its shape and type",
                   tensor->name, end - begin);
        return false;
    }
    tensor->byte_count = bytes;
    tensor->bytes = header->data + begin;
    return true;
}

static bool read_tensor(const Header *header, const char *name, const json_t *entry,
                        Tensor *out)
{
    if (!json_is_object(entry)) {
        diag_error(header->diags, in_file(header->file), "tensor '%s': not an object",
                   name);
        return false;
    }
    out->name = arena_string(header->file->arena, name, strlen(name));
    return read_dtype(header, name, entry, &out->dtype) &&
           read_shape(header, entry, out) && read_offsets(header, entry, out);
}

static bool read_metadata(const Header *header, json_t *entry)
{
    TensorFile *file = header->file;
    if (!json_is_object(entry)) {
        diag_error(header->diags, in_file(file), "\"__metadata__\" is not an object");
        return false;
    }
    file->metadata = ARENA_ARRAY(file->arena, Metadata, json_object_size(entry));
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value)
    {
        const char *text = json_string_value(value);
        if (!text) {
            diag_error(header->diags, in_file(file),
                       "\"__metadata__\": '%s' is not a string", key);
            return false;
        }
        file->metadata[file->metadata_count++] =
            (Metadata){.key = arena_string(file->arena, key, strlen(key)),
                       .value = arena_string(file->arena, text, strlen(text))};
    }
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const Tensor *x = a, *y = b;
    const char *x_bytes = x->bytes, *y_bytes = y->bytes;
    if (x_bytes != y_bytes)
        return x_bytes < y_bytes ? -1 : 1;
    /* Empty tensors stand before the one that begins at the same byte. */
    if (x->byte_count != y->byte_count)
        return x->byte_count < y->byte_count ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    const Tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* The tensors must tile the data section. */
static bool check_tiling(const Header *header)
{
    const TensorFile *file = header->file;
    const unsigned char *at = header->data;
    for (uint32_t i = 0; i < file->count; i++) {
        const Tensor *tensor = &file->tensors[i];
        const unsigned char *begin = tensor->bytes;
        if (begin < at) {
            diag_error(header->diags, in_file(file), "tensors '%s' and '%s' overlap",
                       file->tensors[i - 1].name, tensor->name);
            return false;
        }
        if (begin > at) {
            diag_error(header->diags, in_file(file), "unused bytes before tensor '%s'",
                       tensor->name);
            return false;
        }
        at = begin + tensor->byte_count;
    }
    if (at != header->data + header->data_bytes) {
        diag_error(header->diags, in_file(file),
                   "%" PRId64 " unused bytes after the last tensor",
                   (int64_t)(header->data + header->data_bytes - at));
        return false;
    }
    return true;
}

static bool read_entries(const Header *header, json_t *root)
{
    TensorFile *file = header->file;
    file->tensors = ARENA_ARRAY(file->arena, Tensor, json_object_size(root));
    const char *key;
    json_t *entry;
    json_object_foreach(root, key, entry)
    {
        if (strcmp(key, "__metadata__") == 0) {
            if (!read_metadata(header, entry))
                return false;
        } else if (!read_tensor(header, key, entry, &file->tensors[file->count++])) {
            return false;
        }
    }
    qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    file->by_name = ARENA_ARRAY(file->arena, const Tensor *, file->count);
    for (uint32_t i = 0; i < file->count; i++)
        file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, file->count, sizeof *file->by_name, by_name);
    return check_tiling(header);
}

static bool read_header(TensorFile *file, Diags *diags)
{
    const unsigned char *bytes = file->mapping;
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    uint64_t room = file->mapping_bytes - PREAMBLE_BYTES;
    if (length > room || length > LARGEST_HEADER) {
        diag_error(diags, in_file(file),
                   "not a safetensors file: header of %" PRIu64 " bytes in a file of %zu",
                   length, file->mapping_bytes);
        return false;
    }
    json_error_t fault;
    json_t *root = json_loadb((const char *)bytes + PREAMBLE_BYTES, (size_t)length,
                              JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        diag_error(diags, in_file(file), "safetensors header: byte %d: %s",
                   PREAMBLE_BYTES + fault.position, fault.text);
        return false;
    }
    Header header = {.file = file,
                     .diags = diags,
                     .data = bytes + PREAMBLE_BYTES + length,
                     .data_bytes = (int64_t)(room - length)};
    bool is_object = json_is_object(root);
    if (!is_object)
        diag_error(diags, in_file(file), "safetensors header: not a JSON object");
    bool is_good = is_object && read_entries(&header, root);
    json_decref(root);
    return is_good;
}

/* -- opening --------------------------------------------------------------------- */

static bool map_file(TensorFile *file, Diags *diags)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        diag_error(diags, in_file(file), "cannot open: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (!S_ISREG(status.st_mode) || status.st_size < PREAMBLE_BYTES) {
        diag_error(diags, in_file(file), "not a safetensors file: %s",
                   S_ISREG(status.st_mode) ? "shorter than its preamble"
                                           : "not a regular file");
        close(fd);
        return false;
    }
    file->mapping_bytes = (size_t)status.st_size;
    file->mapping = mmap(NULL, file->mapping_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file->mapping == MAP_FAILED) {
        file->mapping = NULL;
        diag_error(diags, in_file(file), "cannot map: %s", strerror(errno));
        return false;
    }
    return true;
}

TensorFile *tensor_file_open(const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    TensorFile *file = arena_alloc(arena, sizeof *file);
    file->arena = arena;
    file->path = arena_string(arena, path, strlen(path));
    if (!map_file(file, diags) || !read_header(file, diags)) {
        tensor_file_close(file);
        return NULL;
    }
    return file;
}

void tensor_file_close(TensorFile *file)
{
    if (!file)
        return;
    if (file->mapping)
        munmap(file->mapping, file->mapping_bytes);
    arena_free(file->arena);
}

const char *tensor_file_path(const TensorFile *file)
{
    return file->path;
}

/* -- looking up ------------------------------------------------------------------ */

uint32_t tensor_file_count(const TensorFile *file)
{
    return file->count;
}

const Tensor *tensor_file_at(const TensorFile *file, uint32_t index)
{
    return &file->tensors[index];
}

const Tensor *tensor_file_find(const TensorFile *file, const char *name)
{
    const Tensor wanted = {.name = name}, *key = &wanted;
    const Tensor **found = file->count ? bsearch(&key, file->by_name, file->count,
                                                 sizeof *file->by_name, by_name)
                                       : NULL;
    return found ? *found : NULL;
}

const Tensor *tensor_file_need(const TensorFile *file, const char *name, Diags *diags)
{
    const Tensor *tensor = tensor_file_find(file, name);
    if (tensor)
        return tensor;
    const char **names = heap_alloc(file->count * sizeof *names);
    for (uint32_t i = 0; i < file->count; i++)
        names[i] = file->tensors[i].name;
    const char *near = nearest_name(name, names, file->count);
    if (near)
        diag_error(diags, in_file(file), "no tensor '%s'; did you mean '%s'?", name,
                   near);
    else
        diag_error(diags, in_file(file), "no tensor '%s'", name);
    free(names);
    return NULL;
}

const char *tensor_file_metadata(const TensorFile *file, const char *key)
{
    for (uint32_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}

/* -- converting ------------------------------------------------------------------ */

/* Unaligned little-endian loads. */
#define LOAD(type, name)                                                                 \
    static type load_##name(const unsigned char *at, int64_t i)                          \
    {                                                                                    \
        type value;                                                                      \
        memcpy(&value, at + (size_t)i * sizeof value, sizeof value);                     \
        return value;                                                                    \
    }
LOAD(double, f64)
LOAD(float, f32)
LOAD(uint16_t, u16)
LOAD(int64_t, i64)
LOAD(int32_t, i32)
LOAD(int16_t, i16)
LOAD(int8_t, i8)
LOAD(uint8_t, u8)
#undef LOAD

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sign, 5 bits of exponent (bias 15), 10 of fraction. */
float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    uint32_t exponent = (half >> 10) & 0x1fU, fraction = half & 0x3ffU;
    if (exponent == 0) { /* zero or subnormal: fraction 2^-24 */
        float size = (float)fraction * 0x1p-24F;
        return sign ? -size : size;
    }
    uint32_t wide = exponent == 31 ? 0xffU : exponent + (127 - 15);
    return float_of_bits(sign | wide << 23 | fraction << 13);
}

static bool is_floating(TensorDType dtype)
{
    return dtype == TENSOR_F64 || dtype == TENSOR_F32 || dtype == TENSOR_F16 ||
           dtype == TENSOR_BF16;
}

static double floating_at(const Tensor *tensor, int64_t i)
{
    const unsigned char *at = tensor->bytes;
    switch (tensor->dtype) {
    case TENSOR_F64:
        return load_f64(at, i);
    case TENSOR_F32:
        return (double)load_f32(at, i);
    case TENSOR_F16:
        return (double)half_to_float(load_u16(at, i));
    default:
        return (double)float_of_bits((uint32_t)load_u16(at, i) << 16);
    }
}

static int64_t integer_at(const Tensor *tensor, int64_t i)
{
    const unsigned char *at = tensor->bytes;
    switch (tensor->dtype) {
    case TENSOR_I64:
        return load_i64(at, i);
    case TENSOR_I32:
        return load_i32(at, i);
    case TENSOR_I16:
        return load_i16(at, i);
    case TENSOR_I8:
        return load_i8(at, i);
    default:
        return load_u8(at, i);
    }
}

void tensor_read_f32(const Tensor *tensor, int64_t first, int64_t count, float *out)
{
    if (tensor->dtype == TENSOR_F32 && count > 0) {
        memcpy(out, (const unsigned char *)tensor->bytes + (size_t)first * sizeof *out,
               (size_t)count * sizeof *out);
        return;
    }
    bool floats = is_floating(tensor->dtype);
    for (int64_t i = 0; i < count; i++)
        out[i] = floats ? (float)floating_at(tensor, first + i)
                        : (float)integer_at(tensor, first + i);
}

bool tensor_read_i32(const Tensor *tensor, int64_t first, int64_t count, int32_t *out)
{
    bool floats = is_floating(tensor->dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t value;
        if (floats) {
            double real = floating_at(tensor, first + i);
            if (!(real >= INT32_MIN && real <= INT32_MAX) ||
                real != (double)(int32_t)real)
                return false;
            value = (int64_t)real;
        } else {
            value = integer_at(tensor, first + i);
        }
        if (value < INT32_MIN || value > INT32_MAX)
            return false;
        out[i] = (int32_t)value;
    }
    return true;
}
