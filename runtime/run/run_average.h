/* The average of what several runs have trained, number by number: "model soups"
 * (Wortsman et al., 2022, arXiv:2203.05482). */
#ifndef VLG_RUNTIME_RUN_RUN_AVERAGE_H
#define VLG_RUNTIME_RUN_RUN_AVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/base/diag.h"
#include "runtime/weights/weights.h"

typedef struct AverageOptions {
    /* Directories of runs, checkpoints, exports or other files of weights, or else
     * directories of another library's format, all of them; [count], two at least. The
     * plan of a checkpoint is plan.bin beside it. */
    const char *const *inputs;
    uint32_t count;
    const double *coefficients; /* [count], above 0: they count by their share of the sum;
                                 * NULL: all the same */
    bool best;                  /* of directories: the best checkpoint, not the last */
    const char *out; /* safetensors file to write; of directories of a format: another */
    const ExportMetadata *metadata; /* what else the file says, up to one without a key;
                                     * or NULL */
} AverageOptions;

/* Trained parameters under all their names, as weights_export writes them; of other files
 * all tensors. False and errors if two inputs differ in names, shapes or the weights
 * below, or in numbers that are not trained; or if a number is not finite. */
NODISCARD bool run_average(const AverageOptions *options, Diags *diags);
/* Of directories of another library's: one more of the same configuration, which all of
 * them have. Its tensors are averaged, and our files beside them. False and errors
 * likewise. */
NODISCARD bool run_average_exchange(const AverageOptions *options, Diags *diags);

#endif
