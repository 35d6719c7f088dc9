/* What vlrun --version says besides. */
#ifndef VLG_RUNTIME_VLRUN_ABOUT_H
#define VLG_RUNTIME_VLRUN_ABOUT_H

#include <stdio.h>

/* LLVM, the processor and what kernels use of it, and OpenBLAS. */
void about_print(FILE *out);

#endif
