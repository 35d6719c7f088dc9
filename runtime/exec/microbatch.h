/* Batches cut into micro-batches, and the row structure of one micro-batch.
 *
 * A BatchLayout is a batch as one graph sees it: checked field by field, the first row of
 * every sequence on every axis, and the list of micro-batches. It is reused from step to
 * step and only allocates when a batch is larger than any before. AxisTables are a lane's
 * private arrays, sized by the axes' capacities, filled anew for every micro-batch. */
#ifndef VLG_RUNTIME_EXEC_MICROBATCH_H
#define VLG_RUNTIME_EXEC_MICROBATCH_H

#include "codegen/program.h"
#include "runtime/batch/batch.h"
#include "runtime/exec/split.h"

/* An input of the graph that is a field of the batch. */
typedef struct LayoutInput {
    const Node *node;
    int64_t index_limit; /* i32: values must be in [0, index_limit); INT64_MAX if nothing
                            limits */
    const BatchField *field; /* of the batch now set */
} LayoutInput;

typedef struct BatchLayout {
    const Graph *graph;
    const Batch *batch;
    int64_t sequences;
    int64_t **starts; /* by axis: [sequences + 1], row at which a sequence starts in the
                         batch */
    LayoutInput *inputs;
    uint32_t input_count;
    SequenceRange *ranges; /* the micro-batches, in order */
    int64_t range_count;
    int64_t *row_work;  /* by axis: nanoseconds that a row takes, as ir/roofline.h says */
    int64_t least_work; /* nanoseconds that reading parameters takes */
    int64_t *work;      /* [sequences + 1] nanoseconds of all sequences before */
    int64_t *latest;    /* [sequences + 1], for split_evenly */
    int64_t sequence_room;   /* sequences for which the arrays over them have room */
    const BatchAxis **given; /* by axis: its lengths in the batch, NULL unless primary */
    int64_t *primary;        /* by axis: rows of the sequence being placed */
} BatchLayout;

BatchLayout *layout_new(const Graph *graph);
void layout_free(BatchLayout *layout); /* NULL is allowed */
/* Checks `batch` against the graph and splits it; the batch must live as long as it is
 * used. Micro-batches are as runtime/exec/split.h says. False and an error that names
 * field, axis and sequence if the batch does not fit the graph. */
NODISCARD bool layout_set(BatchLayout *layout, const Batch *batch,
                          const SplitOptions *split, Diags *diags);

int64_t layout_group(const BatchLayout *layout); /* Batch.group; 1 if there is none */

/* Rows of a value in a micro-batch: of its axis, or its static rows. */
int64_t value_rows(Type type, const AxisView *views);

typedef struct AxisTables {
    uint32_t axis_count;
    AxisView *views; /* by axis; stay at their addresses */
    int32_t **offsets, **sequence;
    uint32_t **row_key;
    void *memory;
    int64_t memory_bytes;
} AxisTables;

AxisTables *axis_tables_new(const Graph *graph);
void axis_tables_free(AxisTables *tables); /* NULL is allowed */
void axis_tables_set(AxisTables *tables, const BatchLayout *layout, SequenceRange range);

#endif
