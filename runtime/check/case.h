/* Recorded cases: one tiny model, a few optimiser steps, and every number a reference
 * implementation computed for them. NAME.safetensors holds the numbers, NAME.json the
 * steps. This is data knowledge: how padded rectangles of the recording become ragged
 * fields of a batch, and back. */
#ifndef VLG_RUNTIME_CHECK_CASE_H
#define VLG_RUNTIME_CHECK_CASE_H

#include "runtime/batch/batch.h"
#include "runtime/exec/generate.h"
#include "runtime/weights/safetensors.h"

typedef struct CaseStep {
    const char *batch; /* "in", "in2", ...: where its tensors are */
    const char *task;
    double loss, lr;
    double gradient_norm; /* before clipping; negative if not recorded */
} CaseStep;

typedef struct RecordedCase {
    const char *path;
    TensorFile *file;
    CaseStep *steps;
    uint32_t step_count;
    int32_t start_token; /* what the decoder's input begins with */
    /* Rules of recorded generations; beams and length are theirs. */
    GenerateOptions generation;
    Arena *arena;
} RecordedCase;

/* NULL and an error if either file is missing or malformed. */
RecordedCase *case_open(const char *path, Diags *diags);
void case_close(RecordedCase *recorded); /* NULL is allowed */

/* The batch of a step, as `graph` (its train or evaluate graph) wants it: of the padded
 * texts, targets and images that the recording has; or, if it has no texts, of tensors
 * named as the graph's inputs, [sequences, rows, width]. */
Batch *case_batch(const RecordedCase *recorded, const CaseStep *step, const Graph *graph,
                  Diags *diags);

/* Where row `place` of a sequence stands in a recorded tensor [sequences, extent, ...] of
 * an axis. */
int64_t case_extent(const RecordedCase *recorded, const CaseStep *step,
                    const Graph *graph, int32_t axis);
int64_t case_place(const RecordedCase *recorded, const CaseStep *step, const Graph *graph,
                   const Batch *batch, int32_t axis, int64_t sequence, int64_t place);

#endif
