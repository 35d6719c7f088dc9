/* The file of a sweep: settings of many trainings as a tree (docs/sweeps.md).
 *
 * A node has settings and rows below it, which begin from its settings and may say
 * otherwise; `grid` repeats it for every combination of values of constants. Nodes
 * without rows below are the rows of the sweep, in the order of the file. */
#ifndef VLG_RUNTIME_SWEEP_SWEEP_FILE_H
#define VLG_RUNTIME_SWEEP_SWEEP_FILE_H

#include <jansson.h>

#include "ir/base/arena.h"
#include "ir/base/command_line.h"

typedef struct SweepRow {
    uint32_t number;     /* from 1 */
    const char *name;    /* its labels, or its model's name */
    const char *id;      /* a name for a directory: of these settings and no others */
    const char *model;   /* path of the recipe, or its name */
    json_t *labels;      /* texts, by name */
    json_t *set;         /* constants: texts, by name */
    TextList compile;    /* words for vlc compile, without constants */
    TextList train;      /* words for vlrun train */
    const char *weights; /* what --weights is among them, or NULL */
    bool has_threads;    /* --threads is */
} SweepRow;

typedef struct SweepFile {
    Arena *arena;
    const char *about; /* or NULL */
    json_t *scale;     /* numbers that scores are multiplied by, by task; or NULL */
    SweepRow *rows;
    uint32_t count;
} SweepFile;

typedef struct SweepOptions {
    const Command *train; /* whose options rows may give */
    int64_t most_steps;   /* of every row; COUNT_NOT_GIVEN: as the rows say */
    /* NAME=VALUE, for all rows, whatever these say. */
    TextList set, compile_with, train_with;
} SweepOptions;

/* False and an error with its place in the file, or the option; `out` is to be freed
 * either way. */
NODISCARD bool sweep_read(SweepFile *out, const char *path, const SweepOptions *options,
                          Diags *diags);
void sweep_free(SweepFile *sweep);

#endif
