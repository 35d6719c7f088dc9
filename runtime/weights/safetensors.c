/* Reading safetensors files: map, read the header (safetensors_header.c),
 * convert.
 *
 * Invariants of a TensorFile: tensors are in the order of their offsets and tile the data
 * section exactly (no overlap, no hole, nothing after the last), each has dims whose
 * product times the element size is its byte count, and names are distinct. */
#include "runtime/weights/safetensors_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/weights/mapping_watch.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensor bytes are little-endian");

const char *const tensor_dtype_names[TENSOR_DTYPE_COUNT] = {
#define TENSOR_DTYPE(name, bytes) #name,
#include "runtime/weights/tensor_dtypes.def"
    "another type",
};

int64_t tensor_dtype_bytes(TensorDType dtype)
{
    static const int64_t bytes_of[TENSOR_DTYPE_COUNT] = {
#define TENSOR_DTYPE(name, bytes) bytes,
#include "runtime/weights/tensor_dtypes.def"
    };
    return bytes_of[dtype];
}

static Loc in_file(const TensorFile *file)
{
    return (Loc){.file = file->path};
}

/* -- opening --------------------------------------------------------------------- */

static bool map_file(TensorFile *file, Diags *diags)
{
    int descriptor = file_open(file->path, diags);
    struct stat status;
    if (descriptor < 0)
        return false;
    bool is_known = fstat(descriptor, &status) == 0;
    file->mapping_bytes = is_known ? (size_t)status.st_size : 0;
    file->opened = status;
    if (file->mapping_bytes)
        file->mapping =
            mmap(NULL, file->mapping_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int fault = errno;
    close(descriptor);
    if (file->mapping == MAP_FAILED || !is_known) {
        file->mapping = NULL;
        diag_error(diags, in_file(file), "cannot map: %s", strerror(fault));
        return false;
    }
    if (file->mapping)
        mapping_watch(file->mapping, file->mapping_bytes, file->path);
    return true;
}

static TensorFile *open_file(const char *path, bool any_types, Diags *diags)
{
    Arena *arena = arena_new();
    TensorFile *file = arena_alloc(arena, sizeof *file);
    file->arena = arena;
    file->path = arena_string(arena, path, strlen(path));
    file->any_types = any_types;
    if (!map_file(file, diags) || !header_read(file, diags)) {
        tensor_file_close(file);
        return NULL;
    }
    return file;
}

TensorFile *tensor_file_open(const char *path, Diags *diags)
{
    return open_file(path, false, diags);
}

TensorFile *tensor_file_open_any(const char *path, Diags *diags)
{
    return open_file(path, true, diags);
}

void tensor_file_close(TensorFile *file)
{
    if (!file)
        return;
    if (file->mapping) {
        mapping_forget(file->mapping);
        munmap(file->mapping, file->mapping_bytes);
    }
    free(file->tensors);
    free(file->by_name);
    arena_free(file->arena);
}

const char *tensor_file_path(const TensorFile *file)
{
    return file->path;
}

/* -- looking up ------------------------------------------------------------------ */

const struct stat *tensor_file_status(const TensorFile *file)
{
    return &file->opened;
}

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
                                                 sizeof *file->by_name, tensor_by_name)
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
    for (int64_t i = 0; i < count && tensor->dtype != TENSOR_OTHER; i++)
        out[i] = floats ? (float)floating_at(tensor, first + i)
                        : (float)integer_at(tensor, first + i);
}

bool tensor_read_i32(const Tensor *tensor, int64_t first, int64_t count, int32_t *out)
{
    bool floats = is_floating(tensor->dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t value;
        if (tensor->dtype == TENSOR_OTHER)
            return false;
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
