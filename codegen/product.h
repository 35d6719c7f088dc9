/* Large matrix products, C = A B, on one lane.
 *
 * One scheme of blocks serves every unit of the processor that can multiply; the unit's
 * shape is data (ProductUnit):
 *
 *     for a block of rows of A, as many as the second cache holds
 *       for a run of k
 *         pack the block of A: panels of a few rows, k by k
 *         for each B that A is multiplied with, and each panel of its columns
 *           pack the panel, k by k
 *           for each panel of A: C += A's panel times B's panel, the sums in registers
 *
 * after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM
 * TOMS 34, 2008). But only one panel of B is packed at a time: a block of A streams from
 * the second cache at a few bytes a cycle, so it may as well be read again for each.
 * Multiply-adds of f32 by few rows or few columns pack nothing (product_few.c).
 *
 * An element of C is summed in the order of k, whatever block it falls in: a row's result
 * depends neither on the rows beside it nor on the sizes of caches. But where numbers in
 * parts give what is no number, sums are made again in f32, and those of the same tiles
 * with them. */
#ifndef VLG_CODEGEN_PRODUCT_H
#define VLG_CODEGEN_PRODUCT_H

#include "codegen/loops.h"

/* How B lies in memory. */
typedef enum ProductStored {
    STORED_AS_ROWS,   /* row-major, as it is or transposed */
    STORED_IN_PANELS, /* packed for such products (codegen/product_packed.c) */
    STORED_TURNED     /* packed for products that use its transpose */
} ProductStored;

/* What the code of a product depends on. */
typedef struct ProductForm {
    bool transpose_a, transpose_b;
    ProductStored stored;
    Precision precision;
} ProductForm;

/* A is m x k (k x m if transposed) and B k x n (n x k), row-major, with these floats from
 * one row to the next; so is C, m x n. Numbers are i64. At precision `int8` A is not
 * transposed, and B is stored as emit_product_store stores it, without a stride. */
typedef struct Product {
    ProductForm form;
    LLVMValueRef m, n, k;
    LLVMValueRef a, a_stride, b, b_stride, c, c_stride;
    LLVMValueRef plain; /* of a packed B: the matrix in rows, with b_stride; else NULL */
    LLVMValueRef accumulate; /* i64: C += A B if it is not 0 */
    /* Of a packed B: make only this one of so many shares of C's columns, whole panels of
     * each output; NULL: all of them. */
    LLVMValueRef part, parts;
    LLVMValueRef scratch; /* of the lane, product_scratch_bytes; aligned to 64 */
} Product;

/* A matrix that A is multiplied with, and where the result goes. */
typedef struct ProductOutput {
    LLVMValueRef n, b, b_stride, c, c_stride;
    LLVMValueRef plain; /* as in Product */
} ProductOutput;

void emit_product(Emit *e, const Product *product);
/* Several products with one A, which is packed once; n, b and c of `product` are not
 * read. */
void emit_products(Emit *e, const Product *product, const ProductOutput *outputs,
                   uint32_t output_count);
/* Of products of any size, on this processor. A multiple of 64. */
int64_t product_scratch_bytes(const Processor *processor, Precision precision);

/* By what this processor multiplies numbers, such as "multiply-adds, at medium by dot
 * products of bf16", into `room` bytes. */
void product_describe(const Processor *processor, char *out, size_t room);

/* How a product reads its `b`, a value of the graph, which it uses as its transpose or
 * not; and the node that it reads: packed, or as it was before. */
ProductStored product_stored(const Processor *processor, const Node *b, bool transpose_b);
const Node *product_factor(const Processor *processor, const Node *b);

/* Packs a matrix of f32, row-major, as B for products of that form, to `to`: aligned to
 * 64, product_packed_bytes of its sides. Does nothing if products are not ours. */
void emit_product_pack(Emit *e, ProductForm form, LLVMValueRef from, LLVMValueRef rows,
                       LLVMValueRef columns, LLVMValueRef to);
int64_t product_packed_bytes(const Processor *processor, ProductForm form, int64_t rows,
                             int64_t columns);

/* Stores a matrix of f32, row-major, as B for products at precision `int8`, whichever way
 * they use it: at `to`, aligned to 64, in product_stored_bytes of its sides. */
void emit_product_store(Emit *e, LLVMValueRef from, LLVMValueRef rows,
                        LLVMValueRef columns, LLVMValueRef to);
int64_t product_stored_bytes(int64_t rows, int64_t columns);

#endif
