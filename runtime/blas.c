/* Matrix products: the only user of cblas.h. */
#include "runtime/blas.h"

#include <cblas.h>
#include <string.h>

void blas_setup(void)
{
    openblas_set_num_threads(1);
}

void blas_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
               const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
               int64_t ldc, int accumulate)
{
    if (m == 0 || n == 0)
        return;
    if (k == 0) { /* an empty sum; leading dimensions of empty operands mean nothing */
        for (int64_t i = 0; i < m && !accumulate; i++)
            memset(c + i * ldc, 0, (size_t)n * sizeof *c);
        return;
    }
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n,
                (blasint)k, 1.0F, a, (blasint)lda, b, (blasint)ldb,
                accumulate ? 1.0F : 0.0F, c, (blasint)ldc);
}
