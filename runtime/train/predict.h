/* What a model says about the examples of a batch. */
#ifndef VLG_RUNTIME_TRAIN_PREDICT_H
#define VLG_RUNTIME_TRAIN_PREDICT_H

#include "runtime/exec/generate.h"

/* Answers as the data source wants them: the chosen token of a choice, else what is
 * generated. A plan that cannot generate predicts each token from the right ones
 * before. */
NODISCARD bool predict(Session *session, const DataSource *source, const Batch *batch,
                       const GenerateOptions *options, Generated *out, Diags *diags);

#endif
