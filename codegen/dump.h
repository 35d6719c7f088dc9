/* Kernels as files, for a reader. Of kernel STEM, a number and its class:
 *
 *     STEM.vir     its nodes as they stand in the plan, and its operands
 *     STEM.ll      its LLVM IR as the emitter made it
 *     STEM.opt.ll  after LLVM's passes
 *     STEM.s       its assembly
 *
 * and kernels.tsv, a line per kernel. Nothing in them depends on when or where they were
 * made but for the processor. */
#ifndef VLG_CODEGEN_DUMP_H
#define VLG_CODEGEN_DUMP_H

#include "codegen/kernel.h"

/* One thread at a time. */
struct KernelDump {
    const char *dir; /* ready for it: dump_open in codegen/program.h */
    Diags *diags;
    bool has_failed; /* a file could not be written, and an error said so */
};

void dump_nodes(KernelDump *dump, const Kernel *kernel);
void dump_ir(KernelDump *dump, const Kernel *kernel, LLVMModuleRef module,
             bool optimized);
/* `module` stays as it is. */
void dump_assembly(KernelDump *dump, const Kernel *kernel, LLVMModuleRef module,
                   LLVMTargetMachineRef machine);
/* Bytes of machine code in the kernel's object; 0 without one. */
uint64_t dump_code_bytes(const Kernel *kernel);

/* The kernels of the table from `first` on, and who calls them: kernels[g][c] is that of
 * call c of programs[g], or NULL. */
typedef struct DumpIndex {
    const KernelTable *table;
    uint32_t first;
    Program *const *programs; /* [program_count], NULL where there is none */
    Kernel **const *kernels;
    uint32_t program_count;
} DumpIndex;
void dump_index(KernelDump *dump, const DumpIndex *index);

#endif
