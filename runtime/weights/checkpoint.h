/* Checkpoints: one safetensors file with the trained parameters, buffers that were drawn
 * (param_is_kept), the optimizer's states, and what a run needs to go on: how many steps
 * are done, of how many, by which plan, seed and frozen weights.
 *
 * A file is replaced whole or not at all. Parameters stand under their names, so that a
 * checkpoint also serves as weights. */
#ifndef VLG_RUNTIME_WEIGHTS_CHECKPOINT_H
#define VLG_RUNTIME_WEIGHTS_CHECKPOINT_H

#include "runtime/weights/fingerprint.h"
#include "runtime/weights/store.h"
#include "runtime/weights/tensor_set.h"

typedef struct Checkpoint {
    int64_t step;        /* optimiser steps done */
    int64_t total_steps; /* of the whole run */
    uint64_t plan;       /* plan_fingerprint of the module */
    const char *weights; /* what the run started from, or "" */
    uint64_t weights_fingerprint;
    uint64_t run;          /* run_record_identity; 0: of an earlier version */
    const char *processor; /* ProcessorInfo.text, or "" */
    const char *scores;    /* scores before training, as the trainer wrote them */
} Checkpoint;

/* Of everything that a module says but the names of values; two plans whose texts are
 * equal but for those have equal fingerprints. */
uint64_t plan_fingerprint(const Module *module);

/* Writes what the store has of these. Nothing is written, and the error is
 * one of numbers, if one of them is not finite: no run could go on from that. */
NODISCARD bool checkpoint_write(const char *path, Store *store,
                                const Checkpoint *checkpoint, Diags *diags);

/* About what that file takes. */
int64_t checkpoint_bytes(Store *store);

/* A checkpoint that is open: `info` points into it. */
typedef struct CheckpointFile CheckpointFile;

/* Whether the file calls itself a checkpoint, of whatever version. */
bool checkpoint_is_one(const TensorFile *file);
/* NULL and an error if the file is damaged or no checkpoint. */
CheckpointFile *checkpoint_open(const char *path, Diags *diags);
const Checkpoint *checkpoint_info(const CheckpointFile *file);
void checkpoint_close(CheckpointFile *file); /* NULL allowed */

/* Copies trained parameters and drawn buffers, and states if `states`, into the store.
 * False and errors, and nothing copied, if a tensor is missing or has another shape;
 * false, too, if a number is not finite. */
NODISCARD bool checkpoint_load(const CheckpointFile *file, Store *store, bool states,
                               Diags *diags);

#endif
