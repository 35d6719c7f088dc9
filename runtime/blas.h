/* Matrix products on one thread: the GemmFn of all lanes. */
#ifndef VLG_RUNTIME_BLAS_H
#define VLG_RUNTIME_BLAS_H

#include "codegen/program.h"

void blas_setup(
    void); /* keeps the library from starting threads of its own; once per process */
GemmFn blas_gemm;

#endif
