/* Where parameters come from and where they go: initial values, a model's files,
 * exports. */
#ifndef VLG_RUNTIME_WEIGHTS_WEIGHTS_H
#define VLG_RUNTIME_WEIGHTS_WEIGHTS_H

#include "runtime/weights/store.h"
#include "runtime/weights/tensor_set.h"

/* Fills all parameters by their rules and all states with their initial values. Every
 * number is a function of seed, name and index: neither order nor threads matter.
 * Parameters that `set` (NULL allowed) has whole are left out: weights_load is to take
 * them from there. */
void weights_initialize(Store *store, uint64_t seed, const TensorSet *set);

/* The values [first, first + count) of a parameter by its rule. */
void weights_draw(const Param *param, uint64_t seed, int64_t first, int64_t count,
                  float *out);

/* What is taken of a set. Zeroed: all that it has. "Kept" are trained parameters and
 * drawn buffers (param_is_kept). */
typedef struct WeightsChoice {
    bool kept_only; /* frozen parameters are left as they are, and fewer rows of a table
                     * are another shape */
    /* A kept parameter whose tensor has another shape keeps its initial values; with a
     * warning, unless it is filled from elsewhere afterwards. */
    bool ignore_mismatched, is_filled_later;
    /* Names or aliases of kept parameters that are not taken, as shell patterns
     * (fnmatch); [skip_count] */
    const char *const *skip;
    size_t skip_count;
} WeightsChoice;

typedef struct WeightsReport {
    uint32_t loaded,
        mapped;       /* parameters found in the set; of these, read where they lie */
    uint32_t resized; /* loaded into their first rows only */
    uint32_t missing; /* parameters not in the set */
    uint32_t frozen_missing; /* of these, frozen ones that were not drawn on purpose */
    uint32_t unexpected;     /* tensors that are no parameter */
    uint32_t skipped, mismatched; /* not taken, because of the choice */
    uint32_t left;                /* frozen parameters that the choice leaves out */
} WeightsReport;

/* Takes every parameter that `set` has, under its name, an alias, or one of these with or
 * without the prefix by which the set's names differ from the model's (weights_match.h),
 * converted to f32. A tensor with fewer leading rows than its table fills the first rows.
 * Frozen parameters read a file where it is mapped if its layout allows: `set` must
 * outlive the store. False and errors if a tensor's shape or type is wrong or if the set
 * has no parameter at all. */
NODISCARD bool weights_load(Store *store, const TensorSet *set, WeightsReport *out_report,
                            Diags *diags);
/* The same, as far as `choice` says. */
NODISCARD bool weights_load_chosen(Store *store, const TensorSet *set,
                                   const WeightsChoice *choice, WeightsReport *out_report,
                                   Diags *diags);
/* Whether each pattern of the choice is one of a kept parameter; an error with a near
 * miss if not. */
NODISCARD bool weights_check_choice(const Store *store, const WeightsChoice *choice,
                                    Diags *diags);
/* Takes what the set has in the same way; trained parameters and drawn buffers
 * (param_is_kept) must all be there. */
NODISCARD bool weights_load_trained(Store *store, const TensorSet *set, Diags *diags);
/* Writes extents as "[2, 3]", cut off where `size` ends. */
void weights_print_shape(char *out, size_t size, const int64_t *dims, uint32_t rank);
/* Says on `out` what was found, and what was not with near misses. */
void weights_report(const Store *store, const TensorSet *set, const WeightsReport *report,
                    FILE *out);
/* The same for a choice of kept parameters only. */
void weights_report_kept(Store *store, const TensorSet *set, const WeightsReport *report,
                         FILE *out);

/* The file that an export becomes. */
typedef enum ExportContainer {
    EXPORT_safetensors,
    EXPORT_torch, /* a dictionary that PyTorch has pickled; no metadata */
} ExportContainer;

typedef struct ExportMetadata {
    const char *key, *value;
} ExportMetadata;

typedef struct ExportOptions {
    bool all; /* frozen parameters too, under their own name */
    ExportContainer container;
    /* of the weights that they were trained over; 0: none */
    uint64_t weights_fingerprint;
    const bool *omit;             /* by place in the store: not these; or NULL */
    const float *const *replaced; /* likewise: other numbers than those there; or NULL */
    const ExportMetadata *metadata; /* what else is said, up to one without a key; or
                                     * NULL */
} ExportOptions;

/* The key of that fingerprint in the metadata of an export that is not `all`. */
#define WEIGHTS_FINGERPRINT "weights_xxh3"

/* Writes trained parameters and drawn buffers under all their names; false, and no file,
 * if a number of them is not finite. */
NODISCARD bool weights_export(Store *store, const char *path,
                              const ExportOptions *options, Diags *diags);

#endif
