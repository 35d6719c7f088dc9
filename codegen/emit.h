/* What the emitters of kernels share. LLVM types stay in codegen/.
 *
 * An emitter turns one step of a planned graph into one LLVM function of type KernelFn
 * (codegen/program.h). Emitters are pure: the text of a kernel, names of values apart,
 * depends only on what its class describes, so equal descriptions are equal kernels,
 * whatever graph, node ids or sizes they came from. */
#ifndef VLG_CODEGEN_EMIT_H
#define VLG_CODEGEN_EMIT_H

#include <llvm-c/Core.h>

#include "codegen/llvm.h"
#include "codegen/program.h"
#include "ir/liveness.h"

/* A step as an emitter sees it. Operand and axis lists are in the kernel's argument
 * order: each class of kernel derives them from the nodes in one place, for the caller
 * and the emitter alike. */
typedef struct KernelStep {
    const Graph *graph;
    const Processor *processor;
    const Node *const *nodes; /* of the step, in order */
    uint32_t node_count;
    const bool *escapes;  /* by node id: read by another step, or an output */
    const bool *in_place; /* by node id: written over its variable; NULL: none is */
    Operand *operands;
    uint32_t operand_count;
    int32_t *axes;
    uint32_t axis_count;
    uint32_t *numbers;     /* the kernel's last argument; no part of its description */
    int64_t scratch_bytes; /* the lane's scratch this kernel uses */
    const void *layout; /* what `operands` found out for `describe` and `emit`, or NULL */
} KernelStep;

typedef struct Emit {
    const KernelStep *step;
    Arena *arena; /* for what an emitter keeps while it emits */
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMValueRef function;
    LLVMValueRef operands, axes, lane, numbers; /* the kernel's arguments */
    uint32_t width;                             /* floats in a vector: 16, 8 or 4 */
    bool has_names;                             /* of values: codegen/names.h */
    LLVMTypeRef f32, i1, i8, i32, i64, ptr;
    LLVMTypeRef vf, vi, vm; /* vectors of `width`: f32, i32, i1 */
} Emit;

/* One class of kernels: its functions, for steps that ir/step_rules.h lets pass. */
typedef struct KernelClass {
    const char *name;
    /* Fills operands, axes, numbers, scratch_bytes and layout of `step` (graph, nodes,
     * escapes and in_place are given) in `arena`. */
    void (*operands)(KernelStep *step, Arena *arena);
    /* Appends what else the code depends on than the ops and their attributes, and
     * nothing more, to `out`: widths, operand positions, facts of axes. */
    void (*describe)(const KernelStep *step, FILE *out);
    /* Emits the body, from the entry block to the return. */
    void (*emit)(Emit *emit, const KernelStep *step);
} KernelClass;

extern const KernelClass kernel_rows;      /* emit_rows.c: map, reduce, rowsum */
extern const KernelClass kernel_matmul;    /* emit_matmul.c */
extern const KernelClass kernel_pack;      /* emit_pack.c */
extern const KernelClass kernel_move;      /* emit_move.c: move */
extern const KernelClass kernel_attention; /* emit_attention.c */
extern const KernelClass kernel_vocab;     /* emit_vocab.c */

#endif
