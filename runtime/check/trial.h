/* The comparison of a plan with a recorded case: what its parts share. verify_case.c says
 * what is compared; trial_results.c compares what is computed and generated,
 * trial_training.c what is learned. */
#ifndef VLG_RUNTIME_CHECK_TRIAL_H
#define VLG_RUNTIME_CHECK_TRIAL_H

#include "runtime/check/case.h"
#include "runtime/check/verify_case.h"

typedef enum CaseKind {
    KIND_loss,
    KIND_norm,
    KIND_result,
    KIND_greedy,
    KIND_beams,
    KIND_gradient,
    KIND_update,
    KIND_unchanged,
    KIND_COUNT
} CaseKind;

typedef struct CaseTally {
    uint32_t count, failures, exempt, skipped;
    double worst;
    char worst_name[200];
} CaseTally;

typedef struct Trial {
    const Module *module;
    const CaseOptions *options;
    const RecordedCase *recorded;
    Store *store;
    Session *session;
    Arena *arena;
    float **before;          /* by store index: trained parameters before step 1 */
    double largest_gradient; /* of the recording */
    CaseTally tallies[KIND_COUNT];
    Diags *diags;
} Trial;

/* Notes an error, between the recording and what was computed, of a number or tensor. */
void trial_note(Trial *trial, CaseKind kind, const char *name, double error);
/* A line per kind that was compared. Whether all errors were within the limits. */
bool trial_print(const Trial *trial);

/* The larger of two errors, NaN being the largest. */
double trial_worse(double a, double b);
double trial_relative(double got, double wanted);
double trial_largest(const float *values, int64_t count); /* magnitude */

const float *trial_numbers(Trial *trial, const Tensor *tensor); /* in the arena */
/* The tensor <prefix><a name of the entry>, or NULL. */
const Tensor *trial_find(const Trial *trial, const char *prefix, const StoreEntry *entry);

/* NULL and an error if the plan has none. */
const Graph *trial_graph(const Trial *trial, GraphKind kind, const char *task);

/* All return false after an error; numbers that differ are noted. */
NODISCARD bool trial_check_results(Trial *trial);
NODISCARD bool trial_check_generations(Trial *trial);
NODISCARD bool trial_check_training(Trial *trial);

#endif
