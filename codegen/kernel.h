/* Kernels on their way from a step of a graph to machine code. */
#ifndef VLG_CODEGEN_KERNEL_H
#define VLG_CODEGEN_KERNEL_H

#include "codegen/emit.h"
#include "codegen/llvm.h"
#include "ir/base/map.h"
#include "ir/lowering.h"

typedef struct Kernel Kernel;
typedef struct KernelDump KernelDump; /* codegen/dump.h */
struct Kernel {
    const KernelClass *kernel_class;
    uint32_t number;         /* its place in the table */
    KernelStep step;         /* the first one that asked for it */
    const char *description; /* by kernel_describe: the kernel's identity */
    size_t description_len;
    char symbol[48];
    LLVMMemoryBufferRef object; /* until it is linked */
    bool from_cache;
    char *error;         /* malloc'ed, if LLVM refused */
    uint64_t code_bytes; /* where kernels are dumped */
    KernelFn *code;
};

/* All kernels of one Jit, found by description. Zeroed but for the arena, in which all of
 * it is, and the processor, a table is empty. */
typedef struct KernelTable {
    Arena *arena;
    const Processor *processor;
    Kernel **kernels; /* in the order they were asked for */
    uint32_t count;
    size_t capacity;
    Map places;
} KernelTable;

/* Which class of kernels runs a lowering; NULL: no kernel does. */
const KernelClass *kernel_class_of(KernelKind kind);
/* The class, every op with all its attributes, and what the class adds, for a step whose
 * operands are filled in; malloc'ed. */
char *kernel_describe(const KernelClass *kernel_class, const KernelStep *step,
                      size_t *out_len);
/* The kernel of a step whose operands are filled in. */
Kernel *kernel_table_add(KernelTable *table, const KernelClass *kernel_class,
                         const KernelStep *step);

/* Emits and compiles: sets `object`, or `error`. Different kernels may be compiled by
 * different threads, each with its own machine; but one at a time into a dump, if `dump`
 * is not NULL. */
void kernel_compile(Kernel *kernel, const Processor *processor,
                    LLVMTargetMachineRef machine, KernelDump *dump);

/* program.c: the calls of a fused graph; kernels[i] (arena array) is that of calls[i], or
 * NULL. False and an error if a step is one no kernel can run. */
NODISCARD bool program_build(const Graph *graph, KernelTable *table, Program *out_program,
                             Kernel ***out_kernels, Diags *diags);

#endif
