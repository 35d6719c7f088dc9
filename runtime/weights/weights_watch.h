/* Weight files that change while they are in use. */
#ifndef VLG_RUNTIME_WEIGHTS_WEIGHTS_WATCH_H
#define VLG_RUNTIME_WEIGHTS_WEIGHTS_WATCH_H

#include "runtime/weights/tensor_set.h"

typedef struct WeightsWatch {
    const TensorSet *set; /* NULL: nothing to watch */
    uint64_t fingerprint; /* of the bytes that were loaded */
    bool was_replaced;    /* and said so */
} WeightsWatch;

/* Whether the bytes are still those that were loaded, as far as size, inode and times
 * tell; where these differ, all bytes are read. An error if not. A file that another one
 * has replaced under its name is still read as it was: a warning, once. */
NODISCARD bool weights_are_unchanged(WeightsWatch *watch, Diags *diags);

#endif
