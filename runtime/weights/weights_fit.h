/* Whether what a store was filled with makes a model: a frozen parameter that keeps its
 * initial values is noise that nothing will ever set. */
#ifndef VLG_RUNTIME_WEIGHTS_WEIGHTS_FIT_H
#define VLG_RUNTIME_WEIGHTS_WEIGHTS_FIT_H

#include "runtime/weights/store.h"
#include "runtime/weights/tensor_set.h"

/* For a store that all given files were loaded into; `weights` is the main one of them,
 * or NULL. False and errors, which name parameters and the model that the file looks
 * like, if frozen parameters were not given, or of a model without any most numbers, or,
 * where nothing will be trained, none at all. */
NODISCARD bool weights_check_fit(Store *store, const TensorSet *weights, bool is_training,
                                 Diags *diags);

#endif
