/* A kernel of one product, and operands of one size in guarded memory. */
#ifndef VLG_TESTS_CODEGEN_PRODUCT_TRIAL_H
#define VLG_TESTS_CODEGEN_PRODUCT_TRIAL_H

#include "tests/check.h"
#include "tests/codegen/fixture.h"

typedef struct ProductSize {
    int64_t m, n, k;
} ProductSize;

typedef struct ProductTrial {
    Check *check;
    const char *processor;
    Precision precision;
    bool transpose_a, transpose_b;
    double a_scale, b_scale; /* of random numbers */
    Fixture f;
    ProductSize size;
    float *a, *b, *c;
} ProductTrial;

/* Compiles for operands of `largest`: the kernel takes any size whose scratch memory that
 * holds. Ends the program if it does not compile. */
void trial_open(ProductTrial *t, ProductSize largest);
void trial_close(ProductTrial *t);
/* Random operands, and where the result will be what is no number. */
void trial_set_size(ProductTrial *t, ProductSize size);
void trial_drop_size(ProductTrial *t);
void trial_multiply(const ProductTrial *t);

#endif
