/* The JIT and OpenBLAS are asked as training asks them. */
#include "runtime/vlrun/about.h"

#include "codegen/program.h"
#include "ir/version/version.h"
#include "runtime/exec/blas.h"

static void print_processor(FILE *out, Diags *diags)
{
    const JitOptions options = {0};
    Jit *jit = jit_new(&options, diags);
    if (!jit)
        return;
    JitProcessor target;
    char name[64];
    jit_processor(jit, &target);
    processor_own_name(name, sizeof name);
    fprintf(out, "processor  %s: %s, %u floats in a vector\n", name, target.name,
            target.vector_width);
    fprintf(out, "products   by %s\n", target.products);
    fprintf(out, "features   fma %s, avx512_bf16 %s, amx_bf16 %s\n",
            target.has_fma ? "yes" : "no", target.has_avx512_bf16 ? "yes" : "no",
            target.has_amx_bf16 ? "yes" : "no");
    jit_free(jit);
}

void about_print(FILE *out)
{
    Diags *diags = diags_new(NULL);
    ProcessorInfo blas = {0};
    fprintf(out, "LLVM       %s\n", version_llvm);
    print_processor(out, diags);
    if (blas_open(NULL, &blas, diags))
        fprintf(out, "BLAS       %s, kernel %s, with --gemm openblas only\n", blas.blas,
                blas.blas_kernel);
    else
        fputs("BLAS       OpenBLAS cannot be loaded: --gemm openblas is refused\n", out);
    diags_free(diags);
}
