/* A graph ready to run: the contract between generated code and whoever calls it.
 *
 * A Program is the list of calls that one lane makes for one micro-batch, in order: of
 * kernels from the JIT. Among them are calls that are run once in a session: what they
 * make is the same in every micro-batch and has memory outside the slab. Programs are
 * immutable and shared by all lanes; all that changes per micro-batch is in LaneContext
 * and the operand pointers. Kernels allocate nothing, lock nothing, and call nothing; but
 * for matrix products they call `gemm`, if the JIT was asked for that. */
#ifndef VLG_CODEGEN_PROGRAM_H
#define VLG_CODEGEN_PROGRAM_H

#include <stdint.h>

#include "ir/graph.h"

/* An axis in one micro-batch. */
typedef struct AxisView {
    int64_t rows;
    const int32_t *offsets;  /* [sequences + 1], offsets[0] == 0 */
    const int32_t *sequence; /* [rows] which sequence of the micro-batch a row is of */
    const uint32_t *row_key; /* [rows] random_row_key(sequence in the batch, place) */
    int64_t total_rows;      /* in the whole batch */
} AxisView;

/* C[m, n] = A B (+ C if accumulate); A is m x k (or k x m, transposed), row-major
 * with the given leading dimensions. Single-threaded. */
typedef void GemmFn(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                    const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                    int64_t ldc, int accumulate);

typedef struct LaneContext {
    int64_t sequences;
    uint32_t step_key; /* random_step_key of this step */
    /* Lanes that compute one micro-batch together: which of them this is, and how many
     * others there are. A product with a packed matrix makes its share of the columns. */
    uint32_t part, other_parts;
    uint32_t reserved_;
    float *scratch; /* Program.scratch_bytes, 64-aligned, private to the lane */
    GemmFn *gemm;   /* NULL unless JitOptions.calls_gemm */
} LaneContext;

/* `operands` in the order of Call.operands, `axes` in the order of Call.axes, `numbers`
 * are Call.numbers. Pointers are 64-byte aligned for slab, trained parameters and state;
 * at least 4 for fields of the batch and for weights, which may lie in a mapped file. */
typedef void KernelFn(void *const *operands, const AxisView *const *axes,
                      const LaneContext *lane, const uint32_t *numbers);

typedef struct Operand {
    const Node *node; /* storage node (views resolved) */
    bool written;
    int64_t bytes; /* of a packed matrix that is written; of others their types tell */
} Operand;

typedef struct Call {
    KernelFn *kernel;
    const Node *node;  /* for diagnostics: one node of the step */
    const char *label; /* "rows 12 ops f32[enc, 768]", for profiles */
    const Operand *operands;
    uint32_t operand_count;
    const int32_t *axes; /* axes of the graph */
    uint32_t axis_count;
    const uint32_t *numbers; /* salts of dropouts, sides of products; apart from the code,
                                so that layers share kernels */
    uint32_t step;           /* index of the step in liveness_of() */
    bool is_once; /* run once in a session, before all micro-batches: ir/liveness.h */
} Call;

typedef struct Program {
    const Graph *graph;
    Call *calls;
    uint32_t call_count;
    int64_t scratch_bytes;
} Program;

/* The compiler of kernels: one LLVM JIT, one object cache. */
typedef struct Jit Jit;

typedef struct JitOptions {
    const char *cache_dir; /* NULL: no object cache */
    const char *dump_dir;  /* where kernels are written down, codegen/dump.h; or NULL */
    const char *processor; /* LLVM's name of a lesser one to generate for; NULL: this */
    bool calls_gemm;       /* matrix products are LaneContext.gemm's, not code of ours */
} JitOptions;

/* What kernels are generated for. */
typedef struct JitProcessor {
    const char *name;      /* LLVM's */
    uint32_t vector_width; /* floats in a vector */
    bool has_fma, has_avx512_bf16, has_amx_bf16;
    char products[96]; /* by what it multiplies: product_describe */
} JitProcessor;

typedef struct JitStats {
    uint32_t kernels, distinct, from_cache;
    double seconds;
} JitStats;

/* Makes the directory for a dump of kernels, or empties it of an earlier one. False and
 * an error if it holds anything else, or cannot be written. */
NODISCARD bool dump_open(const char *dir, Diags *diags);

/* NULL and an error if LLVM has no back end for this machine, or the
 * dump cannot be opened. `options` need not last, but dump_dir must. */
Jit *jit_new(const JitOptions *options, Diags *diags);
void jit_free(Jit *jit); /* frees the code: no Program may be used after */
/* Compiles all graphs of `module` that are fused; out_programs[i] belongs to
 * module->graphs[i] and is freed with the jit. False and an error if a graph cannot be
 * compiled. */
NODISCARD bool jit_compile(Jit *jit, const Module *module, Program **out_programs,
                           Diags *diags);
JitStats jit_stats(const Jit *jit);
void jit_processor(const Jit *jit, JitProcessor *out);

#endif
