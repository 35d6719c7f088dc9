/* What a model reads of an example, as JSON, for others that are to compute the same. */
#ifndef VLG_RUNTIME_VLRUN_PRINT_INPUTS_H
#define VLG_RUNTIME_VLRUN_PRINT_INPUTS_H

#include <stdio.h>

#include "runtime/exec/microbatch.h"

/* A layout of the batch as the task's encode graph sees it; NULL and an error if it does
 * not fit, or if there is no such graph. The caller frees it. */
BatchLayout *inputs_layout(const Module *module, const Batch *batch, Diags *diags);

/* {"input_ids": [5, 6], "features": [[0.5, 1], [2, 0.25]]}: by input of the graph the
 * rows of one sequence, numbers as they are read back. */
void inputs_print(const BatchLayout *layout, int64_t sequence, FILE *out);

#endif
