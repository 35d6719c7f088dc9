/* The figures that `vlc compare` shows. */
#ifndef VLG_FRONTEND_VLC_COMPARE_H
#define VLG_FRONTEND_VLC_COMPARE_H

#include "frontend/vlc/format.h"
#include "ir/base/arena.h"
#include "ir/estimate.h"

/* FIGURE(name, kind, meaning): of a model, then of each task. */
#define MODEL_FIGURES                                                                    \
    FIGURE(parameters, count, "parameters")                                              \
    FIGURE(trained, count, "trained")                                                    \
    FIGURE(trained_percent, percent, "trained, %")                                       \
    FIGURE(frozen_bytes, count, "bytes of frozen weights")                               \
    FIGURE(gradient_bytes, count, "bytes of gradients")                                  \
    FIGURE(state_bytes, count, "bytes of optimizer state")
#define TASK_FIGURES                                                                     \
    FIGURE(tokens, count, "tokens of a sequence")                                        \
    FIGURE(forward_flops, amount, "FLOPs of a sequence, forward")                        \
    FIGURE(backward_flops, amount, "FLOPs of a sequence, backward")                      \
    FIGURE(reduced_flops, amount, "FLOPs of a sequence, below highest")                  \
    FIGURE(forward_flops_per_token, amount, "FLOPs of a token, forward")                 \
    FIGURE(backward_flops_per_token, amount, "FLOPs of a token, backward")               \
    FIGURE(saved_bytes, count, "saved bytes of a sequence")                              \
    FIGURE(slab_bytes, count, "slab bytes of a lane")                                    \
    FIGURE(microbatch_rows, count, "rows of a micro-batch, at most")                     \
    FIGURE(kernels, count, "kernels and products, a micro-batch")                        \
    FIGURE(update_kernels, count, "kernels of the update")                               \
    FIGURE(sequences, count, "sequences of a step")                                      \
    FIGURE(microbatches, count, "micro-batches of a step")                               \
    FIGURE(step_seconds, seconds, "estimated seconds of a step")

typedef enum FigureKind {
#define FIGURE(name, kind, meaning) FIGURE_##name,
    MODEL_FIGURES TASK_FIGURES
#undef FIGURE
        FIGURE_COUNT
} FigureKind;

enum { FIRST_TASK_FIGURE = FIGURE_tokens, MOST_LENGTHS = 16 };

/* Figures of all models, for one task or (task "") the models themselves. */
typedef struct FigureBlock {
    const char *task;
    bool *has;                      /* by model */
    double (*values)[FIGURE_COUNT]; /* by model */
} FigureBlock;

typedef struct Length {
    const char *axis;
    int64_t rows;
} Length;

typedef struct CompareArguments {
    TextList files, sets;
    const char *task, *lengths; /* NULL: all, the longest */
    const char *matmul_precision, *frozen;
    Format format;
    int64_t memory_budget, sequences; /* COUNT_NOT_GIVEN: as the model says */
    double gflops, bandwidth;
} CompareArguments;

typedef struct Compare {
    Arena *arena;
    const CompareArguments *arguments;
    Length lengths[MOST_LENGTHS];
    uint32_t length_count;
    uint32_t model_count;
    const char **models; /* names */
    const char **files;
    FigureBlock *blocks; /* [0] of the models, then by task */
    uint32_t block_count;
    size_t block_capacity;
} Compare;

/* compare_print.c */
void compare_print(const Compare *compare, Format format);

#endif
