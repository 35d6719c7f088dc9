/* Whether the chunks of a dataset hold as many bytes as they say: the library does not
 * look, and takes what lies behind them in memory for numbers. */
#ifndef VLG_RUNTIME_DATA_FEATURES_HDF5_CHUNKS_H
#define VLG_RUNTIME_DATA_FEATURES_HDF5_CHUNKS_H

#include <hdf5.h>
#include <stdbool.h>

typedef struct Hdf5Chunks {
    hid_t dataset, facts, space; /* facts: how it was created */
    hsize_t dims[2];             /* of the dataset */
    size_t element_bytes;
    size_t elements_max; /* of a chunk */
} Hdf5Chunks;

/* What is wrong, or NULL. The filters are ones that hdf5_filter_is_read knows. */
const char *hdf5_check_chunks(const Hdf5Chunks *chunks);

/* Filters whose output can be checked; all others are refused. */
bool hdf5_filter_is_read(H5Z_filter_t filter);

#endif
