/* Features in HDF5 files: reading is done by another process, writing here. */
#include <hdf5.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/data/features/features.h"
#include "runtime/data/features/hdf5_read.h"

/* -- reading --------------------------------------------------------------------- */

enum { MEMORY_BYTES = 512 << 20, SECONDS = 60 };

static bool take_rows(const void *part, size_t bytes, Features *out)
{
    const Hdf5Rows *from = part;
    if (bytes < sizeof *from || from->count <= 0 || from->width <= 0 ||
        from->count > FEATURES_ELEMENTS_MAX ||
        from->width > FEATURES_ELEMENTS_MAX / from->count)
        return false;
    size_t size = (size_t)(from->count * from->width) * sizeof *from->rows;
    if (bytes != sizeof *from + size)
        return false;
    *out = (Features){heap_alloc(size), from->count, from->width};
    memcpy(out->rows, from->rows, size);
    return true;
}

bool features_read_hdf5(Isolate *isolate, const char *path, const char *id, Features *out,
                        Diags *diags)
{
    const IsolateCall call = {.handler = HDF5_HANDLER,
                              .path = path,
                              .request = id,
                              .request_bytes = strlen(id),
                              .memory = MEMORY_BYTES,
                              .seconds = SECONDS};
    const void *part;
    size_t bytes;
    *out = (Features){0};
    if (!isolate_begin(isolate, &call, diags))
        return false;
    IsolateStep step = isolate_next(isolate, &part, &bytes, diags);
    bool is_read = step == ISOLATE_part && take_rows(part, bytes, out);
    isolate_end(isolate);
    if (!is_read && step != ISOLATE_failed)
        diag_error(diags, (Loc){.file = path}, "is damaged");
    return is_read;
}

/* -- writing --------------------------------------------------------------------- */

/* The library's own state is global, and so must be what guards it. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

static bool write_rows(hid_t file, const char *id, const Features *features)
{
    const hsize_t dims[2] = {(hsize_t)features->count, (hsize_t)features->width};
    hid_t type = hdf5_half_type(), space = H5Screate_simple(2, dims, NULL);
    hid_t group = H5Gcreate2(file, id, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t timeless =
        H5Pcreate(H5P_DATASET_CREATE); /* equal data shall give equal files */
    H5Pset_obj_track_times(timeless, false);
    hid_t dataset = group < 0 ? -1
                              : H5Dcreate2(group, hdf5_dataset, type, space, H5P_DEFAULT,
                                           timeless, H5P_DEFAULT);
    H5Pclose(timeless);
    bool is_written = dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL,
                                               H5S_ALL, H5P_DEFAULT, features->rows) >= 0;
    if (dataset >= 0)
        H5Dclose(dataset);
    if (group >= 0)
        H5Gclose(group);
    H5Sclose(space);
    H5Tclose(type);
    return is_written;
}

bool features_write_hdf5(const char *path, const char *id, const Features *features,
                         Diags *diags)
{
    pthread_mutex_lock(&library_lock);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bool is_written = file >= 0 && write_rows(file, id, features);
    if (file >= 0)
        is_written = H5Fclose(file) >= 0 && is_written;
    pthread_mutex_unlock(&library_lock);
    if (!is_written)
        diag_error(diags, (Loc){.file = path}, "cannot be written");
    return is_written;
}
