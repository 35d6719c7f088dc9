/* The handler that reads HDF5 files of features, in the process that isolate.h forks. */
#ifndef VLG_RUNTIME_DATA_FEATURES_HDF5_READ_H
#define VLG_RUNTIME_DATA_FEATURES_HDF5_READ_H

#include "runtime/isolate/isolate.h"

#define HDF5_HANDLER "HDF5"

extern const IsolateHandler hdf5_handler;

/* The one part of its result: this, and then the rows. The request is the group's
 * name. */
typedef struct Hdf5Rows {
    int64_t count, width;
    float rows[];
} Hdf5Rows;

/* Half precision as a type of the library; the caller closes it. */
int64_t hdf5_half_type(void);

/* The group's one dataset. */
extern const char hdf5_dataset[];

#endif
