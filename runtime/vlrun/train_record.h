/* What run.json will say of a training. */
#ifndef VLG_RUNTIME_VLRUN_TRAIN_RECORD_H
#define VLG_RUNTIME_VLRUN_TRAIN_RECORD_H

#include "runtime/encode/encode_data.h"
#include "runtime/vlrun/train_arguments.h"

/* Texts are in the run's arena, or the caller's. */
RunRecord train_record(const TrainArguments *command, const Run *run,
                       const DataOptions *data, const DataFiles *files,
                       const EncoderRecord *encoder, int64_t epoch_steps, int64_t steps);

/* The plans first, of which the encoder's may be NULL: whoever finds run.json finds them,
 * too. */
NODISCARD bool train_record_write(const Run *run, const RunRecord *record,
                                  const Module *encoder, Diags *diags);

#endif
