/* Image and video features from their files, and to such files.
 *
 *     images   HDF5: group /<id>, dataset `features`, any float type, shape (n, width)
 *     videos   npz: array `features`, f2, f4 or f8, shape (frames, width)
 *
 * Any thread may read. HDF5 files are read in a process of their own, which a damaged
 * file may crash. */
#ifndef VLG_RUNTIME_DATA_FEATURES_FEATURES_H
#define VLG_RUNTIME_DATA_FEATURES_FEATURES_H

#include <stdint.h>

#include "ir/base/diag.h"
#include "runtime/isolate/isolate.h"

typedef struct Features {
    float *rows; /* [count, width], malloc'ed */
    int64_t count, width;
} Features;

void features_free(Features *features); /* zeroed is allowed */

/* What reads HDF5 files, for isolate_new. */
extern const IsolateProgram hdf5_program;

/* False and an error that names the file; `out` is then zeroed. */
NODISCARD bool features_read_hdf5(Isolate *isolate, const char *path, const char *id,
                                  Features *out, Diags *diags);
NODISCARD bool features_read_npz(const char *path, Features *out, Diags *diags);

/* Written in half precision (HDF5) and single precision (npz). */
NODISCARD bool features_write_hdf5(const char *path, const char *id,
                                   const Features *features, Diags *diags);
NODISCARD bool features_write_npz(const char *path, const Features *features,
                                  Diags *diags);

/* The same, replacing `path` in one step by what is surely on disk. */
typedef enum FeaturesPrecision { FEATURES_single, FEATURES_half } FeaturesPrecision;
NODISCARD bool features_replace_npz(const char *path, const Features *features,
                                    FeaturesPrecision precision, Diags *diags);

/* Whether all are finite; else an error that names the first that is not. */
NODISCARD bool features_check_finite(const Features *features, const char *path,
                                     Diags *diags);

/* Each number as half precision has it. */
void features_round_half(Features *features);

/* Makes the rows `count`: fewer are followed by rows of zeros; of more, row i is the
 * maximum over rows floor(i L / count) .. ceil((i + 1) L / count) - 1. */
void features_resample(Features *features, int64_t count);

/* -- the npy format, versions 1 to 3 ----------------------------------------------- */
typedef struct NpyHeader {
    int64_t element_bytes; /* of little-endian floats: 2, 4 or 8 */
    bool is_fortran;       /* columns first */
    int64_t dims[2];
    uint32_t rank; /* 1 or 2 */
    int64_t data_at;
} NpyHeader;

/* What is wrong with the bytes, or NULL. */
const char *npy_parse(const unsigned char *bytes, int64_t size, NpyHeader *out);

/* More floats than any features have: a damaged file must not make us allocate them. */
#define FEATURES_ELEMENTS_MAX (INT64_C(1) << 25)

#endif
