/* A run that begins with what another one has trained. */
#ifndef VLG_RUNTIME_RUN_RUN_WARM_H
#define VLG_RUNTIME_RUN_RUN_WARM_H

#include "runtime/run/run.h"
#include "runtime/weights/weights.h"

/* What the options say of weights. */
WeightsChoice run_choice(const RunOptions *options);

/* Opens a run's directory, a checkpoint or a file of weights as run->init, or a directory
 * of another library's, and fills the trained parameters that it has; says what was
 * found, and warns where it was trained over other weights than the run's. False and an
 * error if it has none, or numbers that are not finite. */
NODISCARD bool run_warm(Run *run, const RunOptions *options, Diags *diags);

#endif
