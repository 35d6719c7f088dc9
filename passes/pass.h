/* The pass driver. A pass is a function from graph to graph: input const, output a new
 * graph in a new arena (nodes it does not keep are simply not copied). The pipeline, with
 * what each pass needs of a graph and for which kinds of graph it runs, is
 * passes/passes.def. The verifier runs after every pass.
 *
 * Adding a pass: see the end of this file and HACKING.md. */
#ifndef VLG_PASSES_PASS_H
#define VLG_PASSES_PASS_H

#include "ir/graph.h"

/* The names of --frozen. */
typedef enum FrozenStorage {
    FROZEN_BY_RECIPE, /* none is given */
    FROZEN_f32,
    FROZEN_int8
} FrozenStorage;

typedef struct PassContext {
    const Module *module;
    const Graph *const *grafts; /* of the module, in order */
    uint32_t graft_count;
    /* For a decode graph: the encode graph of its task, as the pass found it and as the
     * pass has left it. NULL: there is none, or the pass could not do it. */
    const Graph *encode_before, *encode;
    Diags *diags;          /* errors make the driver stop after the pass */
    FILE *report;          /* for the pass's section of `vlc explain`, or NULL */
    bool brief;            /* the report is of all passes: totals, not every value */
    bool plain;            /* skipped: do only what later passes cannot do without */
    int64_t memory_budget; /* bytes of saved values allowed in one lane; 0: no limit */
    Precision matmul_precision; /* of products that no op or pattern decides;
                                   PRECISION_COUNT: as the recipe says */
    FrozenStorage frozen;       /* what frozen weights are to products */
} PassContext;

/* NULL after an error. */
typedef Graph *PassFn(const Graph *in, PassContext *ctx);

#define PASS(name, ...) PassFn pass_##name;
#include "passes/passes.def"

typedef struct PassOptions {
    const char *const *names; /* passes to run, in this order; NULL: the pipeline */
    uint32_t name_count;
    const char *dump_after; /* a pass, or "all": print the module to `dump` after it */
    FILE *dump;
    const char *stop_after;  /* NULL: run to the end */
    FILE *statistics;        /* per pass: seconds, nodes before and after; or NULL */
    FILE *report;            /* explain: ledger, fusion, memory; or NULL */
    const char *report_pass; /* only this pass's section, in detail; NULL: all, brief */
    const char *skip; /* "A,B": passes to leave out, to measure what they do; or NULL */
    int64_t memory_budget;
    const char *matmul_precision; /* a row of ir/precisions.def, over what the recipe says
                                     of all products; or NULL */
    const char *frozen; /* "f32" or "int8", over what the recipe says; or NULL */
} PassOptions;

/* Runs passes over all graphs of `module`, replacing them. False after an error. */
NODISCARD bool passes_run(Module *module, const PassOptions *options, Diags *diags);

void passes_print_table(FILE *out); /* `vlc passes` */

/* Adding a pass
 *   1. passes/<name>.c: opening comment, one public function pass_<name>.
 *   2. A row in passes.def and the source in passes/CMakeLists.txt.
 *   3. Goldens in tests/passes/golden/<name>/: it fires, it must not fire, its edge.
 *   4. The picture in HACKING.md. */
#endif
