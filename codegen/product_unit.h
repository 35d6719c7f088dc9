/* What one unit of the processor brings to the scheme of codegen/product.h. */
#ifndef VLG_CODEGEN_PRODUCT_UNIT_H
#define VLG_CODEGEN_PRODUCT_UNIT_H

#include "codegen/product.h"

typedef struct ProductUnit ProductUnit;

/* The block at hand, while its code is emitted. */
typedef struct ProductBlock {
    Emit *e;
    const ProductUnit *unit;
    const Product *p;              /* the arguments of the function that is emitted */
    LLVMValueRef first_row, rows;  /* of C */
    LLVMValueRef first_k, depth;   /* the run of k */
    LLVMValueRef column;           /* the panel's first */
    uint32_t vectors;              /* of the panel's rows */
    LLVMValueRef mask;             /* of its only vector, or NULL */
    LLVMValueRef is_first;         /* i1: C holds nothing yet that is added to */
    LLVMValueRef a_block, b_panel; /* packed */
} ProductBlock;

/* Vectors are the processor's; a panel of A is `rows` high, one of B `vectors` wide. */
struct ProductUnit {
    uint32_t rows, vectors;
    uint32_t few_rows; /* of the smaller step that finishes a panel of A */
    void (*pack_a)(const ProductBlock *block);
    void (*pack_b)(const ProductBlock *block);
    void (*multiply)(const ProductBlock *block); /* all panels of A with the one of B */
};

/* How the runs are cut, by the sizes of caches. */
typedef struct ProductCuts {
    int64_t rows, depth;
} ProductCuts;

const ProductUnit *product_unit_fma(const Processor *processor);

#endif
