/* A plan against a recorded case: results, losses, gradients, updates. */
#ifndef VLG_RUNTIME_CHECK_VERIFY_CASE_H
#define VLG_RUNTIME_CHECK_VERIFY_CASE_H

#include "runtime/exec/session.h"
#include "runtime/weights/tensor_set.h"

typedef struct CaseOptions {
    const char *path;         /* of the .safetensors file */
    const TensorSet *weights; /* parameters are read from here instead; or NULL */
    SessionOptions session;
    bool verbose; /* a line per tensor */
    FILE *out;
} CaseOptions;

typedef enum Verdict {
    VERDICT_equal,     /* within the tolerances */
    VERDICT_different, /* some number is not */
    VERDICT_failed     /* a file at fault: errors are in the diagnostics */
} Verdict;

/* `module` is the plan. Every parameter of the plan must be recorded (or in the weights)
 * and the other way around. A task without a train graph has its results compared
 * only. */
Verdict verify_case(const Module *module, const CaseOptions *options, Diags *diags);

#endif
