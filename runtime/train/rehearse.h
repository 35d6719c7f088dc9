/* What a run will need hours later, tried before its first step. */
#ifndef VLG_RUNTIME_TRAIN_REHEARSE_H
#define VLG_RUNTIME_TRAIN_REHEARSE_H

#include "runtime/run/run.h"
#include "runtime/train/train.h"

/* Whether there is room for checkpoints, and one example of every task can be trained on
 * and, of each split that will be scored, answered and scored. Changes no parameter and
 * no state. False after an error. */
NODISCARD bool rehearse(Run *run, DataSource *source, const TrainOptions *options,
                        Diags *diags);

#endif
