/* What computes numbers. Two machines give results that are equal to the bit where
 * ProcessorInfo.text is equal, whatever they call themselves. */
#ifndef VLG_RUNTIME_EXEC_PROCESSOR_H
#define VLG_RUNTIME_EXEC_PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/base/diag.h"

enum { PROCESSOR_TEXT = 256 };

typedef struct ProcessorInfo {
    char name[64];         /* as it calls itself: "Intel(R) Xeon(R) Processor" */
    char target[64];       /* what kernels are compiled for, by LLVM's name */
    uint32_t vector_width; /* floats in a vector of these kernels */
    bool has_fma, has_avx512_bf16, has_amx_bf16; /* what these kernels may use */
    /* Where a library makes matrix products, or "": "OpenBLAS 0.3.21", "SkylakeX". */
    char blas[64], blas_kernel[32];
    /* All but the name, in one line: for checkpoints, metrics and people. */
    char text[PROCESSOR_TEXT];
} ProcessorInfo;

/* Checks the name of --processor: NULL and "native" mean all that this one has. False and
 * an error if there is no such name, or if this processor lacks something of it. */
NODISCARD bool processor_check(const char *name, Diags *diags);
/* The kernel that OpenBLAS should use for a processor that passed processor_check; NULL:
 * the one that it takes itself. */
const char *processor_blas_kernel(const char *name);
/* Whether `name` says to use all there is. */
bool processor_is_native(const char *name);
/* This processor's name, by its own account. */
void processor_own_name(char *out, uint32_t size);

#endif
