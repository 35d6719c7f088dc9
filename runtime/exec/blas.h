/* Matrix products on one thread: the GemmFn of all lanes, by OpenBLAS.
 *
 * The library chooses its kernel, starts threads and takes memory when it is loaded, by
 * what the environment says then. So it is loaded here, once the environment says what
 * we want, rather than with the program. */
#ifndef VLG_RUNTIME_EXEC_BLAS_H
#define VLG_RUNTIME_EXEC_BLAS_H

#include "codegen/program.h"
#include "runtime/lanes/lanes.h"
#include "runtime/exec/processor.h"

/* Loads the library with the kernel for a processor (processor_check), unless the user's
 * OPENBLAS_CORETYPE names one; again: does nothing. Call it before other threads are
 * started that read the environment. Library and kernel are put into `out_info`. */
NODISCARD bool blas_open(const char *processor, ProcessorInfo *out_info, Diags *diags);
/* Makes the library take all the memory that products on so many lanes ever need. False,
 * and an error with the amount, if the address space has no room for it: the library
 * would wait for it for ever. */
NODISCARD bool blas_reserve(Lanes *lanes, Diags *diags);
GemmFn blas_gemm;

/* Who makes matrix products, NULL at their end: code of the JIT, or this library. */
extern const char *const gemm_makers[];
extern const char GEMM_OPENBLAS[];

#endif
