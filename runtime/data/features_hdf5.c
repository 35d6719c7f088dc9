/* Features in HDF5 files. Half precision, which the library would convert bit by bit, is
 * read as it is and converted here. */
#include <hdf5.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "ir/base/arena.h"
#include "runtime/data/features.h"
#include "runtime/safetensors.h"

/* The library's own state is global, and so must be what guards it. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

static const char dataset_name[] = "features";

/* The caller closes it. */
static hid_t half_type(void)
{
    enum { SIGN_AT = 15, EXPONENT_AT = 10, EXPONENT_BITS = 5, BIAS = 15, BYTES = 2 };
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, SIGN_AT, EXPONENT_AT, EXPONENT_BITS, 0, EXPONENT_AT);
    H5Tset_size(type, BYTES);
    H5Tset_ebias(type, BIAS);
    return type;
}

/* -- reading --------------------------------------------------------------------- */

typedef struct Opened {
    hid_t file, group, dataset, space, type;
} Opened;

static void close_all(Opened *opened)
{
    if (opened->type >= 0)
        H5Tclose(opened->type);
    if (opened->space >= 0)
        H5Sclose(opened->space);
    if (opened->dataset >= 0)
        H5Dclose(opened->dataset);
    if (opened->group >= 0)
        H5Gclose(opened->group);
    if (opened->file >= 0)
        H5Fclose(opened->file);
}

static bool open_dataset(Opened *opened, const char *path, const char *id, Diags *diags)
{
    const Loc loc = {.file = path};
    opened->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (opened->file < 0) {
        diag_error(diags, loc, "is no HDF5 file that can be read");
        return false;
    }
    if (H5Lexists(opened->file, id, H5P_DEFAULT) > 0)
        opened->group = H5Gopen2(opened->file, id, H5P_DEFAULT);
    if (opened->group < 0) {
        diag_error(diags, loc, "has no group '/%s'", id);
        return false;
    }
    if (H5Lexists(opened->group, dataset_name, H5P_DEFAULT) > 0)
        opened->dataset = H5Dopen2(opened->group, dataset_name, H5P_DEFAULT);
    if (opened->dataset < 0) {
        diag_error(diags, loc, "group '/%s' has no dataset '%s'", id, dataset_name);
        return false;
    }
    opened->space = H5Dget_space(opened->dataset);
    opened->type = H5Dget_type(opened->dataset);
    return opened->space >= 0 && opened->type >= 0;
}

static bool check_shape(const Opened *opened, const char *path, Features *out,
                        Diags *diags)
{
    const Loc loc = {.file = path};
    if (H5Tget_class(opened->type) != H5T_FLOAT) {
        diag_error(diags, loc, "'%s' are no floating-point numbers", dataset_name);
        return false;
    }
    hsize_t dims[2];
    int rank = H5Sget_simple_extent_ndims(opened->space);
    if (rank != 2 || H5Sget_simple_extent_dims(opened->space, dims, NULL) != 2) {
        diag_error(diags, loc, "'%s' have %d dimensions, not 2", dataset_name, rank);
        return false;
    }
    const hsize_t most = (hsize_t)FEATURES_ELEMENTS_MAX;
    if (dims[0] == 0 || dims[1] == 0 || dims[0] > most || dims[1] > most / dims[0]) {
        diag_error(diags, loc, "'%s' have the impossible shape (%llu, %llu)",
                   dataset_name, (unsigned long long)dims[0],
                   (unsigned long long)dims[1]);
        return false;
    }
    out->count = (int64_t)dims[0];
    out->width = (int64_t)dims[1];
    return true;
}

static bool read_rows(const Opened *opened, Features *out)
{
    size_t elements = (size_t)(out->count * out->width);
    out->rows = heap_alloc(elements * sizeof *out->rows);
    hid_t half = half_type();
    bool is_half = H5Tequal(opened->type, half) > 0;
    H5Tclose(half);
    if (!is_half)
        return H5Dread(opened->dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       out->rows) >= 0;
    uint16_t *halves = heap_alloc(elements * sizeof *halves);
    bool is_read = H5Dread(opened->dataset, opened->type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           halves) >= 0;
    for (size_t i = 0; is_read && i < elements; i++)
        out->rows[i] = half_to_float(halves[i]);
    free(halves);
    return is_read;
}

bool features_read_hdf5(const char *path, const char *id, Features *out, Diags *diags)
{
    Opened opened = {-1, -1, -1, -1, -1};
    uint32_t errors = diags_error_count(diags);
    *out = (Features){0};
    pthread_mutex_lock(&library_lock);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* its messages say nothing of use */
    bool is_read = open_dataset(&opened, path, id, diags) &&
                   check_shape(&opened, path, out, diags) && read_rows(&opened, out);
    close_all(&opened);
    pthread_mutex_unlock(&library_lock);
    if (is_read)
        return true;
    if (diags_error_count(diags) == errors)
        diag_error(diags, (Loc){.file = path}, "'%s' cannot be read: damaged",
                   dataset_name);
    features_free(out);
    return false;
}

/* -- writing --------------------------------------------------------------------- */

static bool write_rows(hid_t file, const char *id, const Features *features)
{
    const hsize_t dims[2] = {(hsize_t)features->count, (hsize_t)features->width};
    hid_t type = half_type(), space = H5Screate_simple(2, dims, NULL);
    hid_t group = H5Gcreate2(file, id, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t timeless =
        H5Pcreate(H5P_DATASET_CREATE); /* equal data shall give equal files */
    H5Pset_obj_track_times(timeless, false);
    hid_t dataset = group < 0 ? -1
                              : H5Dcreate2(group, dataset_name, type, space, H5P_DEFAULT,
                                           timeless, H5P_DEFAULT);
    H5Pclose(timeless);
    bool is_written = dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL,
                                               H5S_ALL, H5P_DEFAULT, features->rows) >= 0;
    close_all(&(Opened){-1, group, dataset, space, type});
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
