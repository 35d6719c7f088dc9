/* The training loop. */
#ifndef VLG_RUNTIME_TRAIN_TRAIN_H
#define VLG_RUNTIME_TRAIN_TRAIN_H

#include "ir/base/command_line.h"
#include "ir/base/interrupt.h"
#include "runtime/run/run.h"
#include "runtime/train/display.h"

typedef struct TrainOptions {
    const char *directory; /* exists, is locked, and holds run.json */
    int64_t total_steps;
    bool score_first;           /* the test split before training, too */
    int64_t eval_every;         /* steps between validations; 0: none */
    int64_t checkpoint_every;   /* steps; 0: only at the end */
    const char *keep_best;      /* BestScore.by */
    int64_t patience;           /* BestScore.patience */
    int64_t keep;               /* checkpoints that are kept by their steps; 0: none */
    bool tensorboard;           /* the run has a file of curves */
    const char *weights;        /* absolute path of the weights, or "" */
    uint64_t run;               /* run_record_identity */
    const Interrupt *interrupt; /* may be NULL */
    Display *display;
} TrainOptions;

/* Trains from the step of run->checkpoint (0 if there is none) to the last, saving as it
 * goes, and prints the scores of the test split. Everything computed is
 * a function of plan, weights and step alone. An interrupt ends it early, saved, with
 * EXIT_CODE_done. */
ExitCode train(Run *run, DataSource *source, const TrainOptions *options, Diags *diags);

#endif
