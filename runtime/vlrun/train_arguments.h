/* What vlrun train is given. */
#ifndef VLG_RUNTIME_VLRUN_TRAIN_ARGUMENTS_H
#define VLG_RUNTIME_VLRUN_TRAIN_ARGUMENTS_H

#include "runtime/run/run.h"
#include "runtime/train/display.h"

typedef struct TrainArguments {
    const char *plan, *data, *tokenizer, *weights, *out, *processor, *gemm, *dump_kernels,
        *keep_best, *init_from;
    TextList sets, skip;
    const char *encoder, *encoder_weights, *feature_cache;
    int64_t threads, steps, eval_every, checkpoint_every, patience, keep;
    RunOther other;
    ProgressMode progress;
    bool resume, overwrite, score_first, skip_bad, random_weights, no_cache, settings,
        tensorboard, ignore_mismatched;
} TrainArguments;

/* What was given, or else what the run's record says. */
static inline int64_t given_or(int64_t given, int64_t recorded)
{
    return given != COUNT_NOT_GIVEN ? given : recorded;
}

#endif
