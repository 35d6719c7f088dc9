/* The processor LLVM generates code for: set up once, then read by every compiling
 * thread. */
#ifndef VLG_CODEGEN_LLVM_H
#define VLG_CODEGEN_LLVM_H

#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/TargetMachine.h>

#include "ir/base/diag.h"

typedef struct Processor {
    char *triple, *name, *features; /* LLVM's strings; tuned for `name` */
    char *base;                     /* what code may use: `base` and the features */
    bool has_fma, has_avx512_bf16, has_avx512_vnni;
    bool has_amx_bf16,
        has_amx_int8;      /* and Linux grants tiles, if this is the processor at hand */
    uint32_t vector_width; /* floats in a vector register: 16, 8 or 4 */
    char version[32];      /* of LLVM */
    int64_t second_cache;  /* bytes, of one core */
    bool calls_gemm;       /* JitOptions */
} Processor;

/* Registers the back end of this machine. `name` is LLVM's name of a processor whose
 * instructions this one has; NULL: use all there is. False and an error if LLVM cannot
 * generate code for it. */
NODISCARD bool processor_open(Processor *processor, const char *name, Diags *diags);
void processor_close(Processor *processor);

/* A target machine for the processor; one per thread. NULL if LLVM refuses. */
LLVMTargetMachineRef processor_machine(const Processor *processor);
/* Tells LLVM to use all of the processor in `function`. */
void processor_set_attributes(const Processor *processor, LLVMContextRef context,
                              LLVMValueRef function);

/* Reports `error` and disposes of it; true if there was none. */
NODISCARD bool llvm_succeeded(LLVMErrorRef error, const char *what, Diags *diags);

#endif
