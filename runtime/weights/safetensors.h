/* Safetensors files: named tensors in one file, read by mapping it, written atomically.
 * Files of PyTorch (torch/torch_file.h) are read, too, by the same functions.
 *
 *     u64 header length, little-endian
 *     header: JSON {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin,
 * end]}, ..,
 *                   "__metadata__": {"key": "value", ..}}, padded with blanks
 *     the tensors' bytes, little-endian, row-major, end to end
 *
 * The reader trusts nothing: every size, offset and name is checked before a tensor is
 * handed out, so that no access through a Tensor leaves the file. */
#ifndef VLG_RUNTIME_WEIGHTS_SAFETENSORS_H
#define VLG_RUNTIME_WEIGHTS_SAFETENSORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ir/base/diag.h"

enum { TENSOR_MAX_RANK = 8 };

typedef enum TensorDType {
#define TENSOR_DTYPE(name, bytes) TENSOR_##name,
#include "runtime/weights/tensor_dtypes.def"
    TENSOR_OTHER, /* a type that is not read; its elements are not counted */
    TENSOR_DTYPE_COUNT
} TensorDType;

typedef struct Tensor {
    const char *name, *type; /* of an element, as the file calls it */
    TensorDType dtype;
    uint32_t rank; /* 0: a single number */
    int64_t dims[TENSOR_MAX_RANK];
    int64_t elements;
    int64_t byte_count;
    const void *bytes; /* aligned to the element only if the file is */
    bool is_mapped;    /* they lie in the file, not in memory that was made of it */
} Tensor;

typedef struct TensorFile TensorFile;

extern const char *const tensor_dtype_names[TENSOR_DTYPE_COUNT];
int64_t tensor_dtype_bytes(TensorDType dtype);

/* NULL and an error that names the file and the place if it is not a valid file. Where a
 * file of PyTorch has several dicts of tensors, "PATH#NAME" is the one called NAME. */
TensorFile *tensor_file_open(const char *path, Diags *diags);
/* The same for files of others: TENSOR_OTHER may be among the tensors. */
TensorFile *tensor_file_open_any(const char *path, Diags *diags);
/* unmaps: no Tensor may be used after; NULL allowed */
void tensor_file_close(TensorFile *file);
const char *tensor_file_path(const TensorFile *file);          /* without "#NAME" */
const struct stat *tensor_file_status(const TensorFile *file); /* when it was opened */

uint32_t tensor_file_count(const TensorFile *file);
const Tensor *tensor_file_at(const TensorFile *file,
                             uint32_t index); /* in the order of the file */
const Tensor *tensor_file_find(const TensorFile *file, const char *name); /* or NULL */
/* Like tensor_file_find, but reports a missing name with the nearest there is. */
const Tensor *tensor_file_need(const TensorFile *file, const char *name, Diags *diags);
const char *tensor_file_metadata(const TensorFile *file, const char *key); /* or NULL */

/* Elements [first, first + count) converted; integers and floats convert to either.
 * `bool` results are false if a value does not fit (i32 only). No TENSOR_OTHER. */
void tensor_read_f32(const Tensor *tensor, int64_t first, int64_t count, float *out);
NODISCARD bool tensor_read_i32(const Tensor *tensor, int64_t first, int64_t count,
                               int32_t *out);

/* IEEE binary16. */
float half_to_float(uint16_t half);
uint16_t float_to_half(float x); /* the nearest; of two, the even one */

/* A writer streams to a file aside of `path`; finish syncs it and renames it into place,
 * so that `path` holds the old or the new contents, whole, whatever happens. */
typedef struct TensorWriter TensorWriter;

TensorWriter *tensor_writer_new(const char *path);
void tensor_writer_metadata(TensorWriter *writer, const char *key, const char *value);
/* `bytes` is read by finish and must stay until then. */
void tensor_writer_add(TensorWriter *writer, const char *name, TensorDType dtype,
                       uint32_t rank, const int64_t *dims, const void *bytes);
void tensor_writer_discard(TensorWriter *writer); /* frees it, and writes nothing */
/* Writes and frees the writer; false and an error if the file could not be written. */
NODISCARD bool tensor_writer_finish(TensorWriter *writer, Diags *diags);

#endif
